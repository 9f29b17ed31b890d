"""The checks of destinations on Azure Blob Storage.

Graph's permission is an application's, `Application.Read.All`; a person, or a service principal, has it too by the
directory role Directory Readers (https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference).
A managed identity is read through Resource Manager alone, where the directory can't be.
"""

from __future__ import annotations

from typing import Final

from recording_storage.verify.checks import Check

_LEARN: Final = "https://learn.microsoft.com"
_CODES: Final = f"{_LEARN}/entra/identity-platform/reference-error-codes"
_FEDERATION: Final = f"{_LEARN}/entra/workload-id/workload-identity-federation"
_RBAC: Final = f"{_LEARN}/azure/role-based-access-control"
_STORAGE: Final = f"{_LEARN}/azure/storage"

GRAPH: Final = "Microsoft Graph: Application.Read.All"
ACCOUNTS: Final = "Microsoft.Storage/storageAccounts/read"
NAMES: Final = "Microsoft.Storage/checkNameAvailability/read"
SERVICES: Final = "Microsoft.Storage/storageAccounts/blobServices/read"
CONTAINERS: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
POLICIES: Final = "Microsoft.Storage/storageAccounts/managementPolicies/read"
ASSIGNMENTS: Final = "Microsoft.Authorization/roleAssignments/read"
DEFINITIONS: Final = "Microsoft.Authorization/roleDefinitions/read"
DENIALS: Final = "Microsoft.Authorization/denyAssignments/read"
VAULTS: Final = "Microsoft.KeyVault/vaults/read"
KEYS: Final = "Microsoft.KeyVault/vaults/keys/read"
IDENTITIES: Final = "Microsoft.ManagedIdentity/userAssignedIdentities/read"
CREDENTIALS: Final = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read"
_TRUST: Final = (GRAPH, IDENTITIES, CREDENTIALS)
_ACCESS: Final = (GRAPH, IDENTITIES, ACCOUNTS, ASSIGNMENTS, DEFINITIONS)

AZURE_BLOB_CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "Z1",
        "the service's token is accepted",
        _TRUST,
        "a federated credential names issuer, subject and audience of the service's token to the letter",
        "AADSTS700211 (issuer), 700212 (audience), 700213 (subject), older 70021; recording_copy_failed, "
        "DESTINATION_AUTH_FAILED",
        "make a federated credential with exactly the service's issuer, your Workspace ID as its subject, and the "
        "service's audience",
        f"{_FEDERATION}-create-trust",
    ),
    Check(
        "Z2",
        "issuer, subject and audience are in the right case",
        _TRUST,
        "no federated credential would be the service's but for case",
        "AADSTS7002138; recording_copy_failed, DESTINATION_AUTH_FAILED",
        "write the value in the case in which the service's token has it",
        f"{_LEARN}/entra/identity-platform/reference-breaking-changes#august-2024",
    ),
    Check(
        "Z3",
        "the service's issuer publishes its keys",
        (),
        "its discovery document names the issuer itself, and an address with keys; fetched from here, not from Entra",
        "AADSTS90061, 50166; recording_copy_failed, DESTINATION_AUTH_FAILED",
        "ask the vendor: only who runs the issuer can mend it",
        "https://openid.net/specs/openid-connect-discovery-1_0.html",
    ),
    Check(
        "Z4",
        "federated credentials hold no wildcards",
        _TRUST,
        "no subject has an asterisk or white space around it, which Entra takes for what they are; 20 credentials are "
        "all that there can be",
        "AADSTS700213; a twenty-first credential is refused",
        "write the whole subject: Entra knows no wildcards here",
        f"{_FEDERATION}-considerations",
    ),
    Check(
        "Z6",
        "the service may write to the container",
        (*_ACCESS, DENIALS),
        "the roles of the service principal, its own and its groups', on the container and above it permit "
        "blobs/write, and no deny assignment takes it; Azure's own list of its effective assignments says the same",
        "AuthorizationPermissionMismatch; recording_copy_failed, DESTINATION_AUTH_FAILED",
        "assign Storage Blob Data Contributor on the container to the service principal's object id",
        f"{_LEARN}/rest/api/storageservices/authorize-with-azure-active-directory",
    ),
    Check(
        "Z7",
        "the role was assigned after the service principal was replicated",
        (),
        "seen at creation only",
        "PrincipalNotFound when the role is assigned",
        "say the principal's type with the assignment: principalType ServicePrincipal",
        f"{_RBAC}/troubleshooting#symptom---assigning-a-role-to-a-new-principal-sometimes-fails",
    ),
    Check(
        "Z8",
        "no role is given to the application in place of its service principal",
        (GRAPH, IDENTITIES, ACCOUNTS, ASSIGNMENTS),
        "no assignment names the application's object id or its client id",
        "AuthorizationPermissionMismatch with a right-looking assignment",
        "assign the role to the object id of the service principal (enterprise application), and delete this one",
        f"{_RBAC}/role-assignments-steps",
    ),
    Check(
        "Z9",
        "the storage account is reached from public networks",
        (ACCOUNTS,),
        "publicNetworkAccess is on, and networkAcls.defaultAction is Allow",
        "AuthorizationFailure; recording_copy_failed",
        "let requests from all networks in: the service's addresses aren't documented",
        f"{_STORAGE}/common/storage-network-security",
    ),
    Check(
        "Z10",
        "the client exists in this tenant and is enabled",
        (GRAPH, IDENTITIES, ACCOUNTS),
        "the client id is an application's with a service principal that is enabled, or a managed identity's, in the "
        "tenant of the storage account",
        "AADSTS700016, 7000229, 7000112, 90002; recording_copy_failed, DESTINATION_AUTH_FAILED",
        "hand over the client id (not the object id) of an application with an enabled service principal",
        _CODES,
    ),
    Check(
        "Z11",
        "the client has no secrets and no certificates",
        (GRAPH, IDENTITIES),
        "neither the application nor its service principal has password or key credentials that are still good",
        "nothing: whoever holds one writes as the service",
        "delete the secret or certificate: the service needs none",
        f"{_LEARN}/entra/identity-platform/security-best-practices-for-app-registration",
    ),
    Check(
        "Z12",
        "the client can do nothing beyond this container",
        _ACCESS,
        "every role of the service principal, its own and its groups', is assigned at this container, and none lets it "
        "assign roles",
        "nothing: the service could write, or do more, elsewhere",
        "delete the assignment, and give other work another identity",
        f"{_RBAC}/best-practices",
    ),
    Check(
        "Z13",
        "nobody else is let in",
        _TRUST,
        "there is no federated credential with another issuer or another subject",
        "nothing: the holder of another token writes as the service",
        "delete the federated credential, and give other work another application",
        f"{_FEDERATION}-considerations",
    ),
    Check(
        "Z14",
        "the storage account and the container exist",
        (ACCOUNTS, NAMES, CONTAINERS),
        "an account with this name, of a kind that has blobs, is in a subscription of the tenant, and has the "
        "container",
        "the host isn't found, ContainerNotFound, ContainerBeingDeleted; recording_copy_failed",
        "make the container, or hand over the names of what exists",
        f"{_LEARN}/rest/api/storagerp/blob-containers/get",
    ),
    Check(
        "Z15",
        "the recordings are private",
        (ACCOUNTS, CONTAINERS),
        "the container's public access is None; anonymous access, shared keys, plain HTTP and TLS before 1.2 are off "
        "for the account",
        "nothing: recordings can be read by anybody, or by who has the account's keys",
        "az storage container-rm update --public-access off",
        f"{_STORAGE}/blobs/anonymous-read-access-prevent",
    ),
    Check(
        "Z16",
        "the encryption key can be used",
        (ACCOUNTS, CONTAINERS, VAULTS, KEYS, ASSIGNMENTS, DEFINITIONS),
        "the key is Microsoft's; or it is enabled and not expired, its vault lets Azure Storage in, and the account's "
        "identity may get, wrap and unwrap with it",
        "KeyVaultEncryptionKeyNotFound, 403 on every read and write",
        "enable the key, and assign Key Vault Crypto Service Encryption User on it to the account's identity",
        f"{_STORAGE}/common/customer-managed-keys-overview",
    ),
    Check(
        "Z17",
        "what is deleted is kept for a while, and not for ever",
        (ACCOUNTS, SERVICES, POLICIES),
        "blobs are versioned or softly deleted; where a lifecycle rule deletes recordings, one deletes their old "
        "versions",
        "nothing at first: storage grows for ever, or what is overwritten is gone",
        "add an action on versions to the rule: version.delete.daysAfterCreationGreaterThan",
        f"{_STORAGE}/blobs/lifecycle-management-policy-structure",
    ),
)
