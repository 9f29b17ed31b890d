"""What a rehearsal says of a destination on Azure Blob Storage: what was made, and how to mend what departs.

Left out: what is tried, and how it ended (`azure_blob`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.results import Made

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GUIDE = "https://docs.tavus.io/sections/conversational-video-interface/recording-storage"
_ENTRA = "https://learn.microsoft.com/entra"
_AZURE = "https://learn.microsoft.com/azure"
_STORAGE = f"{_AZURE}/storage"
FEDERATION = f"{_ENTRA}/workload-id/workload-identity-federation-create-trust"
CARE = f"{_ENTRA}/workload-id/workload-identity-federation-considerations"
ROLES = f"{_AZURE}/role-based-access-control/built-in-roles/storage"
SCOPES = f"{_STORAGE}/blobs/assign-azure-role-data-access"
PUBLIC = f"{_STORAGE}/blobs/anonymous-read-access-prevent"
KEYS = f"{_STORAGE}/common/shared-key-authorization-prevent"
VERSIONING = f"{_STORAGE}/blobs/versioning-overview"
TLS = f"{_STORAGE}/common/storage-require-secure-transfer"
_SUBJECT = "let the federated credentials name one subject, the Workspace ID, to the letter"
_EXACTLY = (
    "let the federated credentials name the service's issuer and audience, to the letter, and no others"
)
_NOTHING = "nothing of yours: Entra lets nobody in so"

# a result's id, or its beginning -> how to mend it, and the page that says so
MENDS: Mapping[str, tuple[str, str]] = {
    "proven.exchange": (
        "look at the federated credential: the service's issuer, the Workspace ID as its subject and the audience, "
        "each to the letter; the application needs a service principal, which must be enabled",
        FEDERATION,
    ),
    "proven.write": (
        "assign Storage Blob Data Contributor on the container to the service principal's object ID; let the account "
        "be reached from public networks; with a customer's key, let the account's identity use it",
        SCOPES,
    ),
    "proven.read-back": (
        "assign the service principal Storage Blob Data Contributor on the container",
        ROLES,
    ),
    "proven.versions": ("enable versioning in the account's blob service", VERSIONING),
    "proven.reader": ("assign the reader Storage Blob Data Reader on the container", ROLES),
    "refused.another-workspace": (_SUBJECT, CARE),
    "refused.workspace-in-another-case": (_SUBJECT, CARE),
    "refused.another-issuer": (_EXACTLY, CARE),
    "refused.issuer-with": (_EXACTLY, CARE),
    "refused.another-key": (_NOTHING, CARE),
    "refused.another-audience": (_EXACTLY, CARE),
    "refused.expired": (_NOTHING, CARE),
    "refused.another-tenant": ("register the application for its own tenant only (AzureADMyOrg)", FEDERATION),
    "refused.another-client": ("let no other application trust the service", CARE),
    "refused.another-container": (
        "assign the role on the container, and not on the account or above it",
        SCOPES,
    ),
    "refused.another-account": (
        "assign the role on the container, and not on the resource group or above it",
        SCOPES,
    ),
    "refused.delete-version": (
        "assign Storage Blob Data Contributor, which keeps versions from being deleted, and not "
        "Storage Blob Data Owner",
        ROLES,
    ),
    "refused.change-access": (
        "set allowBlobPublicAccess to false, and give the identity no role but Storage Blob Data Contributor",
        ROLES,
    ),
    "refused.shared-key": ("set the account's allowSharedKeyAccess to false", KEYS),
    "refused.plain-http": ("set the account's supportsHttpsTrafficOnly to true", TLS),
    "refused.anonymous": (
        "set the account's allowBlobPublicAccess to false, and the container's public access to None",
        PUBLIC,
    ),
    "refused.deleted-credential": (_NOTHING, FEDERATION),
    "refused.reader": ("assign readers Storage Blob Data Reader, and nothing else", ROLES),
}
MAY = {
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "may write, read and delete blobs, and delete the container",
}
"""What a role's holder may do, by the role's GUID."""
_KINDS = {"application": "application", "identity": "managed identity"}


def made(name: str, events: list[dict[str, Any]], protection: str) -> Iterator[Made]:
    """The storage account, the container and the identity, with what was set on them."""
    inputs: dict[str, dict[str, Any]] = {event["name"]: event["inputs"] for event in events}
    account = inputs.get(f"{name}-storage-account")
    if account is not None:
        service = inputs.get(f"{name}-blob-service", {})
        policy = inputs.get(f"{name}-management-policy", {})
        said = (*_said_of_account(account, service), *_expiry(policy), protection)
        yield Made("storage account", account["accountName"], said)
    container = inputs.get(f"{name}-container")
    if container is not None:
        private = ("private",) if container.get("publicAccess") == "None" else ()
        yield Made("container", container["containerName"], private)
    yield from _identity(name, inputs)


def _identity(name: str, inputs: Mapping[str, dict[str, Any]]) -> Iterator[Made]:
    let_in = tuple(_let_in(name, inputs))
    for suffix, kind in _KINDS.items():
        own = inputs.get(f"{name}-{suffix}")
        if own is not None:
            called = own.get("displayName") or own["resourceName"]
            yield Made(kind, called, (*let_in, f"a re-created {kind} has a new client id"))
            return
    if let_in:
        yield Made("application", "", ("given", *let_in))


def _let_in(name: str, inputs: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    credential, writer = inputs.get(f"{name}-federated-credential"), inputs.get(f"{name}-writer")
    if credential is not None:
        yield f"only workspace {credential['subject']}"
    if writer is not None:
        role = writer["roleDefinitionId"].rpartition("/")[2]
        yield MAY.get(role, f"has the role {role}")


def _said_of_account(account: Mapping[str, Any], service: Mapping[str, Any]) -> Iterator[str]:
    deleted: dict[str, Any] = service.get("deleteRetentionPolicy") or {}
    days = int(deleted.get("days") or 0) if deleted.get("enabled") else 0
    encryption: dict[str, Any] = account.get("encryption") or {}
    said: dict[str, Any] = {
        "private": account.get("allowBlobPublicAccess") is False,
        "no shared keys": account.get("allowSharedKeyAccess") is False,
        "HTTPS only": account.get("enableHttpsTrafficOnly"),
        "TLS 1.2": account.get("minimumTlsVersion") == "TLS1_2",
        "encrypted": True,  # as everything in Azure Storage is
        "with a customer's key": encryption.get("keyVaultProperties"),
        "versioned": service.get("isVersioningEnabled"),
        f"deleted ones kept {days} day{'s' * (days != 1)}": days,
    }
    yield from (word for word, holds in said.items() if holds)


def _expiry(policy: Mapping[str, Any]) -> Iterator[str]:
    said: dict[str, Any] = policy.get("policy") or {}
    rules: list[dict[str, Any]] = said.get("rules") or []
    for rule in rules:
        actions: dict[str, dict[str, Any]] = rule["definition"]["actions"]
        deleted: dict[str, Any] = actions.get("baseBlob", {}).get("delete") or {}
        if "daysAfterModificationGreaterThan" in deleted:
            yield f"expires after {int(deleted['daysAfterModificationGreaterThan'])} days"
