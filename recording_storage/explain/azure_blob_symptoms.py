"""What Entra, Blob Storage and Key Vault say."""

from __future__ import annotations

from typing import Final

from recording_storage.explain.symptoms import Rank, Symptom

_LEARN: Final = "https://learn.microsoft.com"
_ENTRA: Final = f"{_LEARN}/entra/identity-platform/reference-error-codes"
_TRUST: Final = f"{_LEARN}/entra/workload-id/workload-identity-federation-create-trust"
_LIMITS: Final = f"{_LEARN}/entra/workload-id/workload-identity-federation-considerations"
_WORKLOAD: Final = "https://azure.github.io/azure-workload-identity/docs/troubleshooting.html"
_CODES: Final = f"{_LEARN}/rest/api/storageservices/common-rest-api-error-codes"
_BLOB: Final = f"{_LEARN}/rest/api/storageservices/blob-service-error-codes"
_DATA: Final = f"{_LEARN}/azure/storage/blobs/authorize-access-azure-active-directory"
_FEDERATED: Final = "https://github.com/Azure/azure-workload-identity/issues"
_ASK: Final = "Nothing of yours is wrong where it stays: ask the vendor, with the conversation's id."


def _entra(*numbers: int) -> str:
    """Entra's code, in its text, in the list beside it, or in its address."""
    return rf"(AADSTS|error_codes\W{{1,6}}|error\?code=)({'|'.join(map(str, numbers))})\b"


AZURE_BLOB_SYMPTOMS: Final = (
    Symptom(
        "AADSTS700211",
        _entra(700211),
        "azure_blob",
        "No federated credential of the application names the issuer of the service's token.",
        ("Z1",),
        _TRUST,
        "B",
        "A slash at the issuer's end, or white space, is enough.",
    ),
    Symptom(
        "AADSTS700212",
        _entra(700212),
        "azure_blob",
        "No federated credential of the application names the audience of the service's token.",
        ("Z1",),
        _TRUST,
        "B",
    ),
    Symptom(
        "AADSTS700213",
        _entra(700213),
        "azure_blob",
        "No federated credential of the application names the subject of the service's token.",
        ("Z1", "Z4"),
        _LIMITS,
        "B",
        "The subject is your Workspace ID with the vendor, to the letter. Entra takes any at creation, wildcards too, "
        "which it never matches.",
    ),
    Symptom(
        "AADSTS70021",
        _entra(70021),
        "azure_blob",
        "No federated credential of the application has the issuer, subject and audience of the service's token.",
        ("Z1", "Z2", "Z4"),
        _WORKLOAD,
        "A",
    ),
    Symptom(
        "AADSTS7002138",
        _entra(7002138),
        "azure_blob",
        "A federated credential differs from the service's token in upper and lower case only.",
        ("Z2",),
        f"{_LEARN}/entra/identity-platform/reference-breaking-changes",
        "A",
    ),
    Symptom(
        "AADSTS70025",
        _entra(70025),
        "azure_blob",
        "The application has no federated credential at all.",
        ("Z1",),
        _TRUST,
        "B",
    ),
    Symptom(
        "AADSTS90061, AADSTS50166",
        _entra(90061, 50166) + r"|Request to External OIDC endpoint failed",
        "azure_blob",
        "Entra can't read the issuer's discovery document or keys.",
        ("Z3", "Z1"),
        _WORKLOAD,
        "A",
        "Where the issuer in the federated credential is the service's, its own host is down: it passes, or the vendor "
        "must know.",
    ),
    Symptom(
        "AADSTS7000272, AADSTS700027, AADSTS900612",
        _entra(7000272, 700027, 900612),
        "azure_blob",
        "Entra didn't find the key that signed the token among the issuer's, or it isn't the one that signed.",
        ("Z3",),
        f"{_FEDERATED}/1232",
        "B",
        "Keys that have just changed are read again after a while. If it stays: ask the vendor.",
    ),
    Symptom(
        "AADSTS700024",
        _entra(700024),
        "azure_blob",
        "The service's token had expired, or wasn't valid yet, as it arrived.",
        (),
        _ENTRA,
        "A",
        _ASK,
    ),
    Symptom(
        "AADSTS700016",
        _entra(700016),
        "azure_blob",
        "There is no application with that client id in that tenant.",
        ("Z10",),
        _ENTRA,
        "A",
        "client_id is the application's (client) id, not its object id. A re-created application has a new one.",
    ),
    Symptom(
        "AADSTS7000229",
        _entra(7000229),
        "azure_blob",
        "The application has no service principal in the tenant.",
        ("Z10",),
        _ENTRA,
        "B",
        "az ad sp create --id CLIENT_ID makes it; then give it the role.",
    ),
    Symptom(
        "AADSTS7000112",
        _entra(7000112),
        "azure_blob",
        "The application is disabled.",
        ("Z10",),
        _ENTRA,
        "A",
    ),
    Symptom(
        "AADSTS90002, AADSTS900023",
        _entra(90002, 900023),
        "azure_blob",
        "There is no tenant of that id.",
        ("Z10",),
        _ENTRA,
        "A",
    ),
    Symptom(
        "AADSTS500011",
        _entra(500011),
        "azure_blob",
        "A token was asked for something that the tenant doesn't know.",
        (),
        _ENTRA,
        "A",
        "Blob Storage is known in every tenant (https://storage.azure.com/): ask the vendor what was asked for.",
    ),
    Symptom(
        "AADSTS53003",
        _entra(53003),
        "azure_blob",
        "A Conditional Access policy for workload identities keeps the service out.",
        (),
        _ENTRA,
        "A",
        "verify doesn't read Conditional Access: leave this service principal out of the policy, since where the "
        "service comes from isn't published.",
    ),
    Symptom(
        "AADSTS…, another",
        r"\bAADSTS\d{4,}",
        "azure_blob",
        "Entra gave the service no token.",
        ("Z10", "Z1", "Z2", "Z3"),
        "https://login.microsoftonline.com/error",
        "A",
        "Entra's own page says what the number means: https://login.microsoftonline.com/error?code=NUMBER",
        Rank.KIND,
    ),
    Symptom(
        "AuthorizationPermissionMismatch",
        r"AuthorizationPermissionMismatch|not authorized to perform this operation using this permission",
        "azure_blob",
        "The service got its token, and may not write blobs with it.",
        ("Z6", "Z8"),
        _DATA,
        "A",
        "A role that was just given counts after some minutes.",
    ),
    Symptom(
        "AuthorizationFailure, AuthorizationSourceIPMismatch",
        r"\bAuthorizationFailure\b|AuthorizationSourceIPMismatch|not authorized to perform this operation\.",
        "azure_blob",
        "The storage account lets nobody in from where the service comes: its firewall, or no public network access.",
        ("Z9",),
        f"{_LEARN}/azure/storage/common/storage-network-security",
        "B",
    ),
    Symptom(
        "ContainerNotFound, ContainerBeingDeleted, ContainerDisabled",
        r"\bContainer(NotFound|BeingDeleted|Disabled)\b|specified container (does not exist|is being deleted)",
        "azure_blob",
        "There is no such container in the storage account.",
        ("Z14",),
        _BLOB,
        "A",
    ),
    Symptom(
        "AccountIsDisabled, or the account's host isn't found",
        r"\bAccountIsDisabled\b|(resolve|getaddrinfo|NameResolution|ENOTFOUND).*blob\.core\.windows\.net|"
        r"blob\.core\.windows\.net.*(Name or service not known|could not be resolved|resolution)",
        "azure_blob",
        "There is no such storage account, or it is disabled.",
        ("Z14",),
        _CODES,
        "A",
    ),
    Symptom(
        "KeyVaultEncryptionKeyNotFound, KeyVaultVaultNotFound, KeyVaultAccessTokenCannotBeAcquired",
        r"\bKeyVault(EncryptionKeyNotFound|VaultNotFound|AccessTokenCannotBeAcquired)\b|"
        r"key vault (key )?is not found",
        "azure_blob",
        "The storage account can't use its key in Key Vault: the key, the vault or the account's access to it is gone.",
        ("Z16",),
        _CODES,
        "A",
        "Without the key nothing can be read either. A deleted key or vault can be recovered for a time.",
    ),
    Symptom(
        "InvalidAuthenticationInfo (Issuer validation failed)",
        r"\bInvalidAuthenticationInfo\b|Issuer validation failed",
        "azure_blob",
        "The storage account doesn't take tokens of that tenant: it is in another one.",
        ("Z10", "Z14"),
        _CODES,
        "B",
    ),
    Symptom(
        "UnauthorizedBlobOverwrite, BlobImmutableDueToPolicy, BlobImmutableDueToLegalHold",
        r"\bUnauthorizedBlobOverwrite\b|\bBlobImmutableDueTo(Policy|LegalHold)\b",
        "azure_blob",
        "There is a blob of that name already, and it can't be written over: a second try, as it seems.",
        ("Z6",),
        _BLOB,
        "A",
        "Look whether the first try's recording is complete. verify doesn't read immutability policies.",
    ),
    Symptom(
        "PublicAccessNotPermitted, KeyBasedAuthenticationNotPermitted",
        r"\b(PublicAccess|KeyBasedAuthentication)NotPermitted\b|Key based authentication is not permitted|"
        r"Public access is not permitted",
        "azure_blob",
        "Somebody came without a token, or with the account's key: not the recording service, which has neither need.",
        (),
        _CODES,
        "A",
        "That the account refuses it is as it should be: leave it so. Readers of yours need a role, and a token.",
    ),
    Symptom(
        "PrincipalNotFound",
        r"\bPrincipalNotFound\b",
        "azure_blob",
        "A role was given to a service principal that Azure didn't know yet: it was just made.",
        ("Z7",),
        f"{_LEARN}/azure/role-based-access-control/troubleshooting",
        "A",
    ),
    Symptom(
        "AuthenticationFailed, NoAuthenticationInformation",
        r"\bAuthenticationFailed\b|\bNoAuthenticationInformation\b|Server failed to authenticate the request",
        "azure_blob",
        "Blob Storage didn't believe the service's token.",
        ("Z10", "Z14", "Z6"),
        _CODES,
        "C",
        rank=Rank.KIND,
    ),
)
"""Rows for Azure Blob Storage. Entra's codes may change at any time, as its page says."""
