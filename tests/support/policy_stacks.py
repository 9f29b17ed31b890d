"""Stacks of a team's own Pulumi code, one a cloud, that keep every rule of the policy pack; and how one is changed.

Each as it is once everything is known, and as it is in its first preview, where what the clouds give is unknown.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.support.analyzer import UNKNOWN, Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Stack = dict[str, Asked]
    Edit = Callable[[Stack], None]

SERVICE = "291871421005"
ISSUER = "https://recording-copy.tavus.io"
AUDIENCE = "api://AzureADTokenExchange"
BUCKET = "acme-team-calls"
ARN = f"arn:aws:s3:::{BUCKET}"
EMAIL = "recorder@acme-prod.iam.gserviceaccount.com"
POOL = "projects/123456789012/locations/global/workloadIdentityPools/acme-recordings"
PRINCIPAL = f"principal://iam.googleapis.com/{POOL}/subject/w-acme"
GROUP = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/acme"
ACCOUNT_ID = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acmecalls"
CONTAINER_ID = f"{ACCOUNT_ID}/blobServices/default/containers/calls"
OBJECT_ID = "44444444-4444-4444-8444-444444444444"
ACTIONS = [
    "s3:PutObject",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:AbortMultipartUpload",
]
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"


def trust(**changed: Any) -> str:
    """The trust that the vendor's guide asks for, with parts of its statement changed."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{SERVICE}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "tavus"}},
    }
    return document({**statement, **changed})


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def write(**changed: Any) -> str:
    """The role's policy, with parts of its statement changed."""
    return document({"Effect": "Allow", "Action": ACTIONS, "Resource": [ARN, f"{ARN}/*"], **changed})


def tls(**changed: Any) -> dict[str, Any]:
    """The statement that refuses plain HTTP, with parts of it changed."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [ARN, f"{ARN}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **changed,
    }


def rule(**parts: Any) -> dict[str, Any]:
    """A lifecycle rule for everything."""
    return {"id": "expire", "status": "Enabled", "filter": {"prefix": ""}, **parts}


_AWS = (
    Asked(
        "aws:iam/role:Role",
        "recorder",
        {"name": "recorder", "assumeRolePolicy": trust(), "maxSessionDuration": 43200},
        {"arn": "arn:aws:iam::111122223333:role/recorder", "id": "recorder"},
    ),
    Asked(
        "aws:s3/bucket:Bucket", "calls", {"bucket": BUCKET, "region": "eu-west-1"}, {"arn": ARN, "id": BUCKET}
    ),
    Asked(
        "aws:iam/rolePolicy:RolePolicy",
        "write",
        {"role": "recorder", "policy": write()},
        reads={"policy": ["calls"], "role": ["recorder"]},
    ),
    Asked(
        "aws:s3/bucketVersioning:BucketVersioning",
        "versioning",
        {"bucket": BUCKET, "versioningConfiguration": {"status": "Enabled"}},
        reads={"bucket": ["calls"]},
    ),
    Asked(
        BLOCK,
        "block",
        {
            "bucket": BUCKET,
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        reads={"bucket": ["calls"]},
    ),
    Asked(
        "aws:s3/bucketPolicy:BucketPolicy",
        "tls",
        {"bucket": BUCKET, "policy": document(tls())},
        reads={"bucket": ["calls"], "policy": ["calls"]},
    ),
    Asked(
        ENCRYPTION,
        "encryption",
        {"bucket": BUCKET, "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        reads={"bucket": ["calls"]},
    ),
    Asked(
        LIFECYCLE,
        "lifecycle",
        {
            "bucket": BUCKET,
            "rules": [rule(expiration={"days": 90}, noncurrentVersionExpiration={"noncurrentDays": 1})],
        },
        reads={"bucket": ["calls"]},
    ),
)
_GCP = (
    Asked(
        "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
        "pool",
        {"workloadIdentityPoolId": "acme-recordings", "project": "acme-prod"},
        {"name": POOL},
    ),
    Asked(
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        "provider",
        {
            "workloadIdentityPoolId": "acme-recordings",
            "workloadIdentityPoolProviderId": "recording-service",
            "attributeMapping": {"google.subject": "assertion.sub"},
            "attributeCondition": 'google.subject == "w-acme"',
            "oidc": {"issuerUri": ISSUER},
        },
        {"name": f"{POOL}/providers/recording-service"},
        reads={"workloadIdentityPoolId": ["pool"]},
    ),
    Asked(
        "gcp:serviceaccount/account:Account",
        "recorder",
        {"accountId": "recorder", "project": "acme-prod"},
        {"email": EMAIL, "name": f"projects/acme-prod/serviceAccounts/{EMAIL}"},
    ),
    Asked(
        "gcp:serviceaccount/iAMBinding:IAMBinding",
        "trust",
        {
            "serviceAccountId": f"projects/acme-prod/serviceAccounts/{EMAIL}",
            "role": "roles/iam.workloadIdentityUser",
            "members": [PRINCIPAL],
        },
        reads={"serviceAccountId": ["recorder"], "members": ["pool"]},
    ),
    Asked(
        "gcp:storage/bucket:Bucket",
        "calls",
        {
            "name": BUCKET,
            "location": "EUROPE-WEST1",
            "publicAccessPrevention": "enforced",
            "uniformBucketLevelAccess": True,
            "versioning": {"enabled": True},
            "lifecycleRules": [
                {"action": {"type": "Delete"}, "condition": {"age": 90, "withState": "LIVE"}},
                {
                    "action": {"type": "Delete"},
                    "condition": {"daysSinceNoncurrentTime": 1, "withState": "ARCHIVED"},
                },
            ],
        },
        {"id": BUCKET},
    ),
    Asked(
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "write",
        {"bucket": BUCKET, "role": "roles/storage.objectCreator", "member": f"serviceAccount:{EMAIL}"},
        reads={"bucket": ["calls"], "member": ["recorder"]},
    ),
)
_AZURE = (
    Asked(
        "azuread:index/application:Application",
        "recorder",
        {"displayName": "recorder"},
        {"id": "/applications/5", "clientId": "33333333-3333-4333-8333-333333333333"},
    ),
    Asked(
        "azuread:index/servicePrincipal:ServicePrincipal",
        "principal",
        {"clientId": "33333333-3333-4333-8333-333333333333"},
        {"objectId": OBJECT_ID, "id": f"/servicePrincipals/{OBJECT_ID}"},
        reads={"clientId": ["recorder"]},
    ),
    Asked(
        "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
        "credential",
        {"applicationId": "/applications/5", "issuer": ISSUER, "subject": "w-acme", "audiences": [AUDIENCE]},
        reads={"applicationId": ["recorder"]},
    ),
    Asked(
        "azure-native:storage/v20230101:StorageAccount",
        "account",
        {
            "accountName": "acmecalls",
            "resourceGroupName": "acme",
            "allowBlobPublicAccess": False,
            "allowSharedKeyAccess": False,
            "enableHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_2",
        },
        {"name": "acmecalls", "id": ACCOUNT_ID},
    ),
    Asked(
        "azure-native:storage:BlobServiceProperties",
        "service",
        {"accountName": "acmecalls", "blobServicesName": "default", "isVersioningEnabled": True},
        reads={"accountName": ["account"]},
    ),
    Asked(
        "azure-native:storage:BlobContainer",
        "calls",
        {"accountName": "acmecalls", "containerName": "calls", "publicAccess": "None"},
        {"name": "calls", "id": CONTAINER_ID},
        reads={"accountName": ["account"]},
    ),
    Asked(
        "azure-native:storage:ManagementPolicy",
        "lifecycle",
        {
            "accountName": "acmecalls",
            "policy": {
                "rules": [
                    {
                        "name": "expire",
                        "enabled": True,
                        "definition": {
                            "actions": {
                                "baseBlob": {"delete": {"daysAfterModificationGreaterThan": 90}},
                                "version": {"delete": {"daysAfterCreationGreaterThan": 90}},
                            }
                        },
                    }
                ]
            },
        },
        reads={"accountName": ["account"]},
    ),
    Asked(
        "azure-native:authorization:RoleAssignment",
        "write",
        {"scope": CONTAINER_ID, "principalId": OBJECT_ID, "principalType": "ServicePrincipal"},
        reads={"scope": ["calls"], "principalId": ["principal"]},
    ),
)
STACKS: Mapping[str, tuple[Asked, ...]] = {"aws": _AWS, "gcp": _GCP, "azure": _AZURE}

FIRST: Mapping[str, tuple[tuple[str, str], ...]] = {
    "aws": (("write", "policy"), ("tls", "policy")),
    "gcp": (("trust", "serviceAccountId"), ("trust", "members"), ("write", "member")),
    "azure": (
        ("principal", "clientId"),
        ("credential", "applicationId"),
        ("write", "scope"),
        ("write", "principalId"),
    ),
}
"""What isn't known in the first preview, because it is made of what the cloud gives: a resource, and its input."""


def known(cloud: str) -> Stack:
    """The stack once everything is known."""
    return {one.name: copy.deepcopy(one) for one in STACKS[cloud]}


def first_preview(cloud: str) -> Stack:
    """The stack before anything of it is made."""
    stack = {name: replace(one, outputs={}) for name, one in known(cloud).items()}
    for name, path in FIRST[cloud]:
        put(name, path, UNKNOWN)(stack)
    return stack


def put(name: str, path: str, value: Any) -> Edit:
    """Write an input, or a part of it; None takes it away."""

    def edit(stack: Stack) -> None:
        inputs: dict[str, Any] = copy.deepcopy(dict(stack[name].inputs))
        *above, last = path.split(".")
        part = inputs
        for one in above:
            part = part.setdefault(one, {})
        if value is None:
            del part[last]
        else:
            part[last] = value
        stack[name] = replace(stack[name], inputs=inputs)

    return edit


def without(*names: str) -> Edit:
    """Take resources away."""

    def edit(stack: Stack) -> None:
        for name in names:
            del stack[name]

    return edit


def add(*resources: Asked) -> Edit:
    """Add resources."""

    def edit(stack: Stack) -> None:
        stack.update({one.name: one for one in resources})

    return edit


def unprotected(name: str) -> Edit:
    """Take the protection away."""

    def edit(stack: Stack) -> None:
        stack[name] = replace(stack[name], protect=False)

    return edit


def all_of(*edits: Edit) -> Edit:
    """One after the other."""

    def edit(stack: Stack) -> None:
        for one in edits:
            one(stack)

    return edit
