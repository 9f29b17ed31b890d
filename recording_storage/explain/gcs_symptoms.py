"""What Google's token exchange, service accounts, Cloud Storage and Cloud KMS say."""

from __future__ import annotations

from typing import Final

from recording_storage.explain.symptoms import Rank, Symptom

_CLOUD: Final = "https://docs.cloud.google.com"
_AUTH: Final = "https://github.com/google-github-actions/auth"
_PROVIDER: Final = (
    f"{_CLOUD}/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#oidc"
)
_FEDERATION_TROUBLE: Final = f"{_CLOUD}/iam/docs/troubleshooting-workload-identity-federation"
_EXCHANGE: Final = f"{_CLOUD}/iam/docs/reference/sts/rest/v1/TopLevel/token"
_POOLS: Final = f"{_CLOUD}/iam/docs/manage-workload-identity-pools-providers"
_TROUBLE: Final = f"{_AUTH}/blob/main/docs/TROUBLESHOOTING.md"
_STORAGE: Final = f"{_CLOUD}/storage/docs/troubleshooting"
_STORAGE_CODES: Final = f"{_CLOUD}/storage/docs/json_api/v1/status-codes"
_ASK: Final = "Nothing of yours is wrong where it stays: ask the vendor, with the conversation's id."

GCS_SYMPTOMS: Final = (
    Symptom(
        'invalid_request: Invalid value for "audience"',
        r"Invalid value for \"?audience",
        "gcs",
        "Google didn't take the identifier for that of a provider.",
        ("G1",),
        f"{_AUTH}/issues/211",
        "B",
        "It is projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER: the project's number, a "
        "provider and not its pool, and no //iam.googleapis.com/ before it, which the service prepends.",
    ),
    Symptom(
        'invalid_target: The target service indicated by the "audience" parameters is invalid',
        r"\binvalid_target\b|target service indicated by the \"?audience",
        "gcs",
        "There is no such pool or provider, or it is disabled or deleted.",
        ("G2", "G7", "G1"),
        f"{_AUTH}/issues/334",
        "B",
    ),
    Symptom(
        "invalid_grant: The audience in ID Token does not match the expected audience",
        r"audience in ID Token",
        "gcs",
        "The provider expects another audience than the one in the service's token: its own full name.",
        ("G3",),
        _PROVIDER,
        "B",
    ),
    Symptom(
        "invalid_grant: The issuer in ID Token … does not match the expected one",
        r"issuer in ID Token",
        "gcs",
        "The provider names another issuer than the service's.",
        ("G10",),
        _PROVIDER,
        "B",
    ),
    Symptom(
        "invalid_grant: Error connecting to the given credential's issuer",
        r"Error connecting to the given credential.s issuer",
        "gcs",
        "Google can't read the issuer's keys: its address is wrong, or keys that were uploaded to the provider.",
        ("G10",),
        _FEDERATION_TROUBLE,
        "A",
    ),
    Symptom(
        "invalid_grant: Invalid JWT Signature",
        r"Invalid JWT Signature",
        "gcs",
        "None of the keys that Google knows of the issuer signed the token.",
        ("G10",),
        _PROVIDER,
        "B",
        "Keys that were uploaded to the provider get old: without them Google asks the issuer itself.",
    ),
    Symptom(
        "unauthorized_client: The given credential is rejected by the attribute condition",
        r"rejected by the attribute condition",
        "gcs",
        "The provider's condition doesn't let this subject through.",
        ("G4",),
        _TROUBLE,
        "B",
        "The subject is your Workspace ID with the vendor, to the letter.",
    ),
    Symptom(
        "invalid_grant: Could not obtain a value for google.subject from the given credential",
        r"value for google\.subject|mapped attribute google\.subject|evaluate the mapping",
        "gcs",
        "The provider's mapping makes no subject of the service's token, or one that is too long (127 bytes).",
        ("G4",),
        _POOLS,
        "B",
    ),
    Symptom(
        "ID Token issued at … is stale to sign-in",
        r"is stale to sign-in|ID Token is not yet valid|ID Token issued at \d+ is in the future",
        "gcs",
        "The service's token was too old, or not valid yet, as it arrived.",
        (),
        _EXCHANGE,
        "C",
        _ASK,
    ),
    Symptom(
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)",
        r"iam\.serviceAccounts\.getAccessToken",
        "gcs",
        "The token was good, and yet may not act as the service account: no workloadIdentityUser for this "
        "subject, or no such account.",
        ("G5", "G4", "G6"),
        _TROUBLE,
        "B",
    ),
    Symptom(
        "Gaia id not found for email",
        r"Gaia id not found",
        "gcs",
        "There is no service account of that address, or it is deleted.",
        ("G6", "G5"),
        f"{_AUTH}/issues/471",
        "B",
    ),
    Symptom(
        "Unable to acquire impersonated credentials",
        r"Unable to acquire impersonated credentials",
        "gcs",
        "The token was good, and yet the service account could not be acted as.",
        ("G5", "G9", "G6"),
        _TROUBLE,
        "B",
        rank=Rank.KIND,
    ),
    Symptom(
        "SERVICE_DISABLED (… has not been used in project … before or it is disabled)",
        r"\bSERVICE_DISABLED\b|has not been used in project|accessNotConfigured",
        "gcs",
        "An API that the service's way leads through isn't enabled in your project.",
        ("G9",),
        f"{_CLOUD}/apis/docs/troubleshooting",
        "A",
    ),
    Symptom(
        "… does not have storage.objects.create access",
        r"storage\.objects\.create\b",
        "gcs",
        "The service account may not create objects in the bucket.",
        ("G6",),
        _STORAGE,
        "A",
    ),
    Symptom(
        "… does not have storage.objects.delete access",
        r"storage\.objects\.delete\b",
        "gcs",
        "There is an object of that name already, and the service account may not write over it: a second try.",
        (),
        f"{_CLOUD}/storage/docs/access-control/iam-roles",
        "A",
        "Look whether the first try's recording is complete. allow_overwrite: true in the destination lets tries be "
        "repeated, with a wider role.",
    ),
    Symptom(
        "Permission denied on Cloud KMS key, Cloud KMS key is disabled, cloudKmsEncryptionKeyNotFound",
        r"\bCloud KMS\b.{0,30}\bkey\b|\bcloudKms\w+|cloudkms\.cryptoKeyVersions",
        "gcs",
        "Cloud Storage can't use the key that encrypts the bucket: it is disabled, destroyed, elsewhere, or closed to "
        "Cloud Storage's own service account.",
        ("G15",),
        f"{_CLOUD}/storage/docs/encryption/using-customer-managed-keys",
        "A",
    ),
    Symptom(
        "Response metadata had no crc32c value; checksum could not be validated",
        r"Response metadata had no \W*(crc32c|md5)",
        "gcs",
        "The recording was written, and its checksum can't be read: Cloud Storage may encrypt with the bucket's key, "
        "and not decrypt.",
        ("G15",),
        f"{_CLOUD}/storage/docs/encryption/customer-managed-keys",
        "C",
    ),
    Symptom(
        "Request is prohibited by organization's policy (vpcServiceControlsUniqueIdentifier)",
        r"vpcServiceControls|prohibited by organization.s policy|SECURITY_POLICY_VIOLATED",
        "gcs",
        "A perimeter of VPC Service Controls keeps the service out.",
        (),
        f"{_CLOUD}/vpc-service-controls/docs/troubleshooting",
        "A",
        "verify doesn't read perimeters: let the pool's identity in with an ingress rule for sts, iamcredentials and "
        "storage. The violation's id finds it in the logs.",
    ),
    Symptom(
        "accountDisabled (the billing account for the owning project is disabled)",
        r"\baccountDisabled\b|billing account for the owning project",
        "gcs",
        "The project has no billing account that works, and so its buckets take nothing.",
        (),
        _STORAGE_CODES,
        "A",
        "Enable billing for the project; verify doesn't read it.",
    ),
    Symptom(
        "The specified bucket does not exist",
        r"specified bucket does not exist|\bNoSuchBucket\b",
        "gcs",
        "There is no bucket of that name.",
        ("G6",),
        _STORAGE_CODES,
        "A",
        rank=Rank.KIND,
    ),
    Symptom(
        "FAILED_PRECONDITION, from iamcredentials: Precondition check failed",
        r"Precondition check failed",
        "gcs",
        "The service account can't be acted as in the state that it is in: disabled, as it seems.",
        ("G6", "G5"),
        f"{_CLOUD}/iam/docs/service-accounts-disable-enable",
        "C",
        rank=Rank.KIND,
    ),
    Symptom(
        "Org Policy violated for value (constraints/iam.workloadIdentityPoolProviders)",
        r"constraints/iam\.workloadIdentityPoolProviders",
        "gcs",
        "A policy of your organisation allows no provider of this issuer.",
        (),
        _FEDERATION_TROUBLE,
        "A",
        "Have the service's issuer allowed; verify doesn't read organisation policies.",
    ),
    Symptom(
        "UNAUTHENTICATED (Request had invalid authentication credentials)",
        r"\bUNAUTHENTICATED\b|Request had invalid authentication credentials|ACCOUNT_STATE_INVALID",
        "gcs",
        "Google took a token no longer: the service account, or the pool, was disabled or deleted meanwhile.",
        ("G6", "G2"),
        f"{_CLOUD}/iam/docs/service-accounts-disable-enable",
        "C",
        rank=Rank.KIND,
    ),
    Symptom(
        "409 for a workload identity pool (Requested entity already exists)",
        r"(workloadIdentityPools|workload identity pool).*already exists|already exists.*workloadIdentityPools",
        "gcs",
        "The pool's id is taken: a deleted pool keeps it for 30 days.",
        ("G7",),
        _POOLS,
        "A",
    ),
    Symptom(
        "… does not have storage.… access, another permission",
        r"does not have storage\.\w+\.\w+ access",
        "gcs",
        "Cloud Storage refused something that the service isn't known to do: it creates objects, and nothing else.",
        ("G6",),
        _STORAGE,
        "C",
        "Where it was the service, ask the vendor what it needs; else it is as it should be.",
        Rank.GENERAL,
    ),
    Symptom(
        "PERMISSION_DENIED",
        r"\bPERMISSION_DENIED\b",
        "gcs",
        "Google refused something, and didn't say what.",
        ("G5", "G6", "G9"),
        f"{_CLOUD}/iam/docs/permission-error-messages",
        "A",
        rank=Rank.GENERAL,
    ),
    Symptom(
        "invalid_grant, unauthorized_client",
        r"\b(invalid_grant|unauthorized_client)\b",
        "gcs",
        "Google's token exchange refused the service's token.",
        ("G3", "G4", "G10"),
        _EXCHANGE,
        "C",
        rank=Rank.GENERAL,
    ),
)
"""Rows for Google Cloud Storage."""
