"""The rules for Azure Blob Storage: the federated credential, whose it is, what that may do, and the storage account.

Left out: deny assignments, Azure Policy, and what custom roles permit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from components import gcp
from components.faults import shown
from policy import kinds
from policy.belonging_azure import (
    accounts,
    applications,
    assignments,
    containers,
    credentials,
    is_services,
    names,
    principals,
)
from policy.resources import NotKnown, Resource, part, refers
from policy.rules import Rule
from recording_storage.evaluation.azure import scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from policy.belonging import View

_LEARN: Final = "https://learn.microsoft.com"
_STORAGE: Final = f"{_LEARN}/azure/storage"
NEW_TLS: Final = ("TLS1_2", "TLS1_3")
"""https://learn.microsoft.com/rest/api/storagerp/storage-accounts/create#minimumtlsversion"""
_WIDE: Final = re.compile(
    r"/?|/subscriptions/[^/]+|/subscriptions/[^/]+/resourceGroups/[^/]+"
    r"|.*/storageAccounts/[^/]+(/blobServices/[^/]+(/containers)?)?",
    re.IGNORECASE,
)


# --- who comes in ------------------------------------------------------------------------------------------


def _services(view: View) -> list[Resource]:
    return [one for one in credentials(view) if is_services(view, one)]


def _presented(view: View, one: Resource) -> Iterator[str]:
    trust = view.settings.azure_blob
    issuer, audiences = one.value("issuer"), _audiences(one)
    if issuer != trust.issuer:
        yield f"issuer is {shown(issuer)}: write {shown(trust.issuer)}, to the letter"
    if trust.audience not in audiences:
        yield f"audiences are {shown(audiences)}: write [{shown(trust.audience)}]"


def _one_workspace(_: View, one: Resource) -> Iterator[str]:
    if one.is_set("claimsMatchingExpression"):
        yield "claims_matching_expression lets in what it matches: write subject, your Workspace ID, in its place"
        return
    subject = one.value("subject", otherwise="")
    for breach in gcp.subject_breaches(subject):
        yield f"subject is {shown(subject)}: {breach.expected}; {breach.mend}"


def _audiences(one: Resource) -> list[str]:
    single = one.value("audience")
    return [single] if single else list(one.value("audiences", otherwise=[]))


def _others(view: View) -> list[Resource]:
    return [one for one in credentials(view) if not is_services(view, one)]


def _nobody_else(_: View, one: Resource) -> Iterator[str]:
    issuer = one.value("issuer")
    yield (
        f"it lets in tokens of {shown(issuer)} beside the recording service's, as the same identity: remove it, and "
        "give other work another identity"
    )


def _secrets(view: View) -> list[Resource]:
    """The applications, and every secret that is made for one or for its service principal."""
    owners = (
        (kinds.ENTRA_APPLICATION_SECRETS, "applicationId", applications(view)),
        (kinds.ENTRA_PRINCIPAL_SECRETS, "servicePrincipalId", principals(view)),
    )
    made = [
        one
        for kind, path, targets in owners
        for one in view.of(kind)
        if any(refers(one, path, target, target.known("id", "objectId")) for target in targets)
    ]
    return [*applications(view), *made]


def _no_secrets(_: View, one: Resource) -> Iterator[str]:
    if one.type not in kinds.ENTRA_APPLICATION:
        yield "whoever holds it writes as the recording service, which needs none: remove it"
    for path in ("password", "passwords"):
        if one.is_set(path) and one.value(path):
            yield f"{path} is set, and whoever holds it writes as the recording service, which needs none: remove it"


def _scope(_: View, one: Resource) -> Iterator[str]:
    scope = one.value("scope", otherwise="")
    if _WIDE.fullmatch(scope) or scopes.is_management_group(scope):
        yield (f"scope is {shown(scope)}, more than the recordings' container: write scope=container.id")


# --- the storage account -----------------------------------------------------------------------------------


def _storage(view: View) -> list[Resource]:
    return [*accounts(view), *containers(view)]


def _private(_: View, one: Resource) -> Iterator[str]:
    if one.type in kinds.AZURE_CONTAINER:
        public = one.value("publicAccess", otherwise="None")
        if public != "None":
            yield f'public_access is {shown(public)}: write public_access="None"'
        return
    wanted: tuple[tuple[str, str, Any, Sequence[Any]], ...] = (
        (
            "allowBlobPublicAccess",
            "containers can become public: write allow_blob_public_access=False",
            None,
            (False,),
        ),
        (
            "allowSharedKeyAccess",
            "whoever has the account's keys has the recordings: write allow_shared_key_access=False",
            True,
            (False,),
        ),
        (
            "enableHttpsTrafficOnly",
            "requests without TLS are answered: write enable_https_traffic_only=True",
            True,
            (True,),
        ),
        (
            "minimumTlsVersion",
            'old versions of TLS are taken: write minimum_tls_version="TLS1_2"',
            "TLS1_0",
            NEW_TLS,
        ),
    )
    unknown = None
    for path, text, otherwise, good in wanted:
        try:
            given = one.value(path, otherwise=otherwise)
        except NotKnown as doubt:
            unknown = doubt
            continue
        if given not in good:
            yield f"{path} is {shown(one.inputs.get(path))}: {text}"
    if unknown is not None:
        raise unknown


def _encrypted(_: View, account: Resource) -> Iterator[str]:
    if account.value("encryption", "services", "blob", "enabled", otherwise=True) is False:
        yield 'encryption.services.blob.enabled is false: write encryption={"services": {"blob": {"enabled": True}}}'
    source = account.value("encryption", "keySource", otherwise="")
    if source == "Microsoft.Keyvault" and not account.is_set("encryption", "keyVaultProperties"):
        yield "encryption.key_source is Microsoft.Keyvault, and key_vault_properties is missing: write it"


def _versions(view: View, account: Resource) -> Iterator[str]:
    mend = "write azure_native.storage.BlobServiceProperties with is_versioning_enabled=True"
    services = view.about(kinds.AZURE_SERVICE, "accountName", account, names(account))
    if not services:
        yield f"its blobs aren't versioned: {mend}"
    for one in services:
        if one.value("isVersioningEnabled") is not True:
            yield f"{one.name}: isVersioningEnabled is {shown(one.inputs.get('isVersioningEnabled'))}: {mend}"
    rules = [
        (one, rule)
        for one in view.about(kinds.AZURE_LIFECYCLE, "accountName", account, names(account))
        for rule in one.value("policy", "rules", otherwise=[])
        if rule.get("enabled", True)
    ]
    if any(_deletes(rule, "version") for _, rule in rules):
        return
    for one, rule in rules:
        if _deletes(rule, "baseBlob"):
            yield (
                f"{one.name}: rule {shown(rule.get('name', ''))} deletes recordings and leaves their old versions for "
                'ever: add "version": {"delete": {"days_after_creation_greater_than": DAYS}} to its actions'
            )


def _deletes(rule: Mapping[str, Any], what: str) -> bool:
    actions = part(part(rule, "definition"), "actions")
    return bool(part(actions, what).get("delete"))


RULES: Final = (
    Rule(
        "Z1",
        "credential-is-the-services",
        "the federated credential names issuer and audience of the service's token",
        "`issuer` and `audiences` of the federated credential",
        _services,
        _presented,
        f"{_LEARN}/entra/workload-id/workload-identity-federation-considerations",
    ),
    Rule(
        "Z4",
        "one-workspace-is-let-in",
        "the federated credential lets in one workspace, without a wildcard",
        "`subject` of the federated credential",
        _services,
        _one_workspace,
        f"{_LEARN}/entra/workload-id/workload-identity-federation-create-trust",
    ),
    Rule(
        "Z11",
        "no-secrets",
        "the application that the recording service comes in as has no secrets and no certificates",
        "passwords and certificates of the application and its service principal",
        _secrets,
        _no_secrets,
        f"{_LEARN}/entra/identity-platform/security-best-practices-for-app-registration",
    ),
    Rule(
        "Z12",
        "role-on-the-container-only",
        "roles are assigned at the recordings' container, not above it",
        "`scope` of role assignments",
        assignments,
        _scope,
        f"{_LEARN}/azure/role-based-access-control/best-practices",
    ),
    Rule(
        "Z13",
        "nobody-else-is-let-in",
        "nobody but the recording service comes in as its identity",
        "other federated credentials of the same application or managed identity",
        _others,
        _nobody_else,
        f"{_LEARN}/entra/workload-id/workload-identity-federation-considerations",
    ),
    Rule(
        "Z15",
        "storage-is-private",
        "the storage is private: no anonymous access, no shared keys, HTTPS with TLS 1.2 only",
        "`allow_blob_public_access`, `allow_shared_key_access`, `enable_https_traffic_only` and `minimum_tls_version` "
        "of the account, `public_access` of the container",
        _storage,
        _private,
        f"{_STORAGE}/blobs/anonymous-read-access-prevent",
    ),
    Rule(
        "Z16",
        "storage-is-encrypted",
        "the storage is encrypted, with a key that is named",
        "`encryption` of the account; nothing written: Microsoft's own keys",
        accounts,
        _encrypted,
        f"{_STORAGE}/common/storage-service-encryption",
    ),
    Rule(
        "Z17",
        "versions-are-kept-and-go",
        "blobs are versioned, and where recordings expire, their old versions do",
        "`BlobServiceProperties` and `ManagementPolicy` of the account",
        accounts,
        _versions,
        f"{_STORAGE}/blobs/lifecycle-management-policy-structure",
    ),
)
