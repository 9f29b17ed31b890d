"""Predefined roles and what they permit, as far as recordings and the stand-in's services are concerned.

Source: https://docs.cloud.google.com/iam/docs/roles-permissions and its pages for storage, iam, cloudkms,
serviceusage and resourcemanager. Of each role only the permissions on what the stand-in has are listed; what other
roles permit, custom ones among them, isn't known here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"roles/[A-Za-z0-9_.]+|(projects|organizations)/[a-z0-9.:-]+/roles/[A-Za-z0-9_.]+")

_PROJECT = "resourcemanager.projects: get list"
_OBJECTS = (
    "storage.objects: create delete get getIamPolicy list move overrideUnlockedRetention restore setIamPolicy "
    "setRetention update"
)
_UPLOADS = "storage.multipartUploads: abort create list listParts"
_POOLS = "iam.googleapis.com/workloadIdentityPools"
_PROVIDERS = "iam.googleapis.com/workloadIdentityPoolProviders"
_CHANGE = "create delete get list undelete update"
_MADE = """
    storage.buckets: create delete list
    serviceusage.services: disable enable get list use
    serviceusage.operations: get
"""
"""What owners and editors of a project may do alike: of the buckets' content nothing, but for what a bucket's own
policy gives them (https://docs.cloud.google.com/storage/docs/access-control/iam-roles#basic-roles-intrinsic)."""

_TABLE: Mapping[str, str] = {
    "roles/owner": f"""
        {_MADE}
        {_POOLS}: {_CHANGE} getAttestationRules getIamPolicy setIamPolicy
        {_PROVIDERS}: {_CHANGE}
        iam.serviceAccountKeys: create delete disable enable get list
        iam.serviceAccounts: actAs create delete disable enable get getIamPolicy list setIamPolicy undelete update
        iam.roles: create delete get list undelete update
        resourcemanager.projects: delete get getIamPolicy list move setIamPolicy undelete update
        cloudkms.cryptoKeyVersions: create destroy get list restore update useToDecrypt useToEncrypt viewPublicKey
        cloudkms.cryptoKeys: create get getIamPolicy list setIamPolicy update
        cloudkms.keyRings: create get getIamPolicy list setIamPolicy
        cloudkms.locations: get list
    """,
    "roles/editor": f"""
        {_MADE}
        {_POOLS}: get getAttestationRules getIamPolicy list
        {_PROVIDERS}: get list
        iam.serviceAccountKeys: create delete disable enable get list
        iam.serviceAccounts: actAs create delete disable enable get getIamPolicy list update
        iam.roles: get list
        resourcemanager.projects: get getIamPolicy list move update
        cloudkms.cryptoKeyVersions: create get list update
        cloudkms.cryptoKeys: create get getIamPolicy list update
        cloudkms.keyRings: create get getIamPolicy list
        cloudkms.locations: get list
    """,
    "roles/viewer": f"""
        storage.buckets: list
        serviceusage.services: get list
        serviceusage.operations: get
        {_POOLS}: get getAttestationRules getIamPolicy list
        {_PROVIDERS}: get list
        iam.roles: get list
        iam.serviceAccountKeys: get list
        iam.serviceAccounts: get getIamPolicy list
        resourcemanager.projects: get getIamPolicy list
        cloudkms.cryptoKeyVersions: get list
        cloudkms.cryptoKeys: get getIamPolicy list
        cloudkms.keyRings: get getIamPolicy list
        cloudkms.locations: get list
    """,
    "roles/browser": "resourcemanager.projects: get getIamPolicy list",
    "roles/resourcemanager.projectIamAdmin": "resourcemanager.projects: get getIamPolicy setIamPolicy",
    "roles/iam.securityAdmin": f"""
        {_POOLS}: getIamPolicy list setIamPolicy
        {_PROVIDERS}: list
        cloudkms.cryptoKeyVersions: list
        cloudkms.cryptoKeys: getIamPolicy list setIamPolicy
        cloudkms.keyRings: getIamPolicy list setIamPolicy
        cloudkms.locations: list
        iam.serviceAccountKeys: list
        iam.serviceAccounts: get getIamPolicy list setIamPolicy
        resourcemanager.projects: getIamPolicy list setIamPolicy
        serviceusage.services: list
        storage.buckets: getIamPolicy list setIamPolicy
        storage.multipartUploads: list
        storage.objects: getIamPolicy list setIamPolicy
    """,
    # Cloud Storage
    "roles/storage.admin": f"""
        storage.buckets: create delete enableObjectRetention get getIamPolicy list restore setIamPolicy update
        {_OBJECTS}
        {_UPLOADS}
        {_PROJECT}
    """,
    "roles/storage.objectAdmin": f"{_OBJECTS}\n{_UPLOADS}\n{_PROJECT}",
    "roles/storage.objectUser": f"""
        storage.objects: create delete get list move restore update
        {_UPLOADS}
        {_PROJECT}
    """,
    "roles/storage.objectCreator": f"""
        storage.objects: create
        storage.multipartUploads: abort create listParts
        {_PROJECT}
    """,
    "roles/storage.objectViewer": f"storage.objects: get list\n{_PROJECT}",
    "roles/storage.bucketViewer": "storage.buckets: get list",
    "roles/storage.legacyBucketOwner": f"""
        storage.buckets: enableObjectRetention get getIamPolicy restore setIamPolicy update
        storage.objects: create delete list restore setRetention
        {_UPLOADS}
    """,
    "roles/storage.legacyBucketWriter": f"""
        storage.buckets: get
        storage.objects: create delete list restore setRetention
        {_UPLOADS}
    """,
    "roles/storage.legacyBucketReader": """
        storage.buckets: get
        storage.objects: list
        storage.multipartUploads: list
    """,
    "roles/storage.legacyObjectOwner": (
        "storage.objects: get getIamPolicy overrideUnlockedRetention setIamPolicy setRetention update"
    ),
    "roles/storage.legacyObjectReader": "storage.objects: get",
    # Service accounts and workload identity pools
    "roles/iam.workloadIdentityUser": "iam.serviceAccounts: get getAccessToken getOpenIdToken list",
    "roles/iam.serviceAccountTokenCreator": f"""
        iam.serviceAccounts: get getAccessToken getOpenIdToken implicitDelegation list signBlob signJwt
        {_PROJECT}
    """,
    "roles/iam.serviceAccountOpenIdTokenCreator": "iam.serviceAccounts: getOpenIdToken",
    "roles/iam.serviceAccountUser": f"iam.serviceAccounts: actAs get list\n{_PROJECT}",
    "roles/iam.roleAdmin": f"iam.roles: create delete get list undelete update\n{_PROJECT} getIamPolicy",
    "roles/iam.roleViewer": f"iam.roles: get list\n{_PROJECT} getIamPolicy",
    "roles/iam.denyReviewer": "iam.denypolicies: get list",
    "roles/iam.serviceAccountAdmin": f"""
        iam.serviceAccounts: create delete disable enable get getIamPolicy list setIamPolicy undelete update
        {_PROJECT}
    """,
    "roles/iam.serviceAccountCreator": f"iam.serviceAccounts: create get list\n{_PROJECT}",
    "roles/iam.serviceAccountDeleter": f"iam.serviceAccounts: delete get list\n{_PROJECT}",
    "roles/iam.serviceAccountViewer": f"""
        iam.serviceAccountKeys: get list
        iam.serviceAccounts: get getIamPolicy list
        {_PROJECT}
    """,
    "roles/iam.serviceAccountKeyAdmin": f"""
        iam.serviceAccountKeys: create delete disable enable get list
        iam.serviceAccounts: get list
        {_PROJECT}
    """,
    "roles/iam.workloadIdentityPoolAdmin": f"""
        {_POOLS}: {_CHANGE} getAttestationRules getIamPolicy setIamPolicy
        {_PROVIDERS}: {_CHANGE}
        {_PROJECT}
    """,
    "roles/iam.workloadIdentityPoolViewer": f"""
        {_POOLS}: get getAttestationRules getIamPolicy list
        {_PROVIDERS}: get list
        {_PROJECT}
    """,
    # Cloud KMS
    "roles/cloudkms.admin": """
        cloudkms.cryptoKeyVersions: create destroy get list restore update
        cloudkms.cryptoKeys: create get getIamPolicy list setIamPolicy update
        cloudkms.keyRings: create get getIamPolicy list setIamPolicy
        cloudkms.locations: get list
        resourcemanager.projects: get
    """,
    "roles/cloudkms.viewer": """
        cloudkms.cryptoKeyVersions: get list
        cloudkms.cryptoKeys: get list
        cloudkms.keyRings: get list
        cloudkms.locations: get list
        resourcemanager.projects: get
    """,
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": """
        cloudkms.cryptoKeyVersions: useToDecrypt useToEncrypt
        cloudkms.locations: get list
        resourcemanager.projects: get
    """,
    "roles/cloudkms.cryptoKeyEncrypter": """
        cloudkms.cryptoKeyVersions: useToEncrypt
        cloudkms.locations: get list
        resourcemanager.projects: get
    """,
    "roles/cloudkms.cryptoKeyDecrypter": """
        cloudkms.cryptoKeyVersions: useToDecrypt
        cloudkms.locations: get list
        resourcemanager.projects: get
    """,
    # Service Usage
    "roles/serviceusage.serviceUsageAdmin": """
        serviceusage.services: disable enable get list use
        serviceusage.operations: get
    """,
    "roles/serviceusage.serviceUsageConsumer": """
        serviceusage.services: get list use
        serviceusage.operations: get
    """,
    "roles/serviceusage.serviceUsageViewer": """
        serviceusage.services: get list
        serviceusage.operations: get
    """,
}


def _permissions(text: str) -> Iterator[str]:
    for line in filter(None, map(str.strip, text.splitlines())):
        resource, _, verbs = line.partition(": ")
        yield from (f"{resource}.{verb}" for verb in verbs.split())


ROLES: Mapping[str, frozenset[str]] = {role: frozenset(_permissions(text)) for role, text in _TABLE.items()}
PERMISSIONS = frozenset[str]().union(*ROLES.values())
"""Those that are known here."""


def is_role(name: str) -> bool:
    """Whether a role can be called so; one whose name was changed by reading it without its condition can't."""
    return bool(_NAME.fullmatch(name)) and "_withcond_" not in name


def permits(role: str, permission: str) -> bool | None:
    """Whether a role permits it; None where that isn't known."""
    if role not in ROLES or permission not in PERMISSIONS:
        return None
    return permission in ROLES[role]
