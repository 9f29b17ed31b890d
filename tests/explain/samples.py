"""Error texts as they are seen in public, and the checks that each must name, the likeliest first."""

from __future__ import annotations

from typing import Final

ROLE = "arn:aws:sts::111122223333:assumed-role/recordings-acme-calls/recording"
OBJECTS = "arn:aws:s3:::acme-calls/c93a7ead335b/recording.mp4"
PUT = f"User: {ROLE} is not authorized to perform: s3:PutObject on resource: {OBJECTS}"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1c2f5e0e-7a62-4a57-9d39-0a2f6f4f1a11"
PROVIDER = (
    "//iam.googleapis.com/projects/4711/locations/global/workloadIdentityPools/acme/providers/recording"
)
ACCOUNT = "rec-acme@acme-prod.iam.gserviceaccount.com"
NO_MATCH = "No matching federated identity record found for presented assertion"
TRAIL = (
    "Trace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333 Correlation ID: aaaa0000-bb11-2222-33cc-444444dddddd "
    "Timestamp: 2026-11-18 01:17:37Z"
)
TENANT = "11111111-1111-4111-8111-111111111111"

S3: Final = (
    ('{"message": "unable to assume role with given parameters"}', ("S1", "S2")),
    ("400 Bad Request: Unable to assume role with given parameters", ("S1", "S2")),
    (
        "An error occurred (ValidationError) when calling the AssumeRole operation: The requested DurationSeconds "
        "exceeds the MaxSessionDuration set for this role.",
        ("S1",),
    ),
    (
        "An error occurred (ValidationError) when calling the AssumeRole operation: The requested DurationSeconds "
        "exceeds the 1 hour session limit for roles assumed by role chaining.",
        (),
    ),
    (
        "An error occurred (AccessDenied) when calling the AssumeRole operation: User: "
        "arn:aws:iam::291871421005:user/x is not authorized to perform: sts:AssumeRole on resource: "
        "arn:aws:iam::111122223333:role/recordings",
        ("S2", "S6"),
    ),
    ("AssumeRole: AccessDenied: denied", ("S2", "S6")),
    (
        "User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/recordings "
        "with an explicit deny in a resource control policy",
        ("S6",),
    ),
    (f"{PUT} with an explicit deny in a resource-based policy", ("S6", "S4")),
    (f"{PUT} with an explicit deny in a service control policy", ("S6",)),
    (f"{PUT} with an explicit deny in a resource control policy", ("S6",)),
    (f"{PUT} with an explicit deny in a permissions boundary", ("S6",)),
    (f"{PUT} with an explicit deny in a VPC endpoint policy", ("S6",)),
    (f"{PUT} because no permissions boundary allows the s3:PutObject action", ("S6",)),
    (f"{PUT} because no service control policy allows the s3:PutObject action", ("S6",)),
    (f"{PUT} with an explicit deny in an identity-based policy", ("S6", "S3", "S4")),
    (f"{PUT} because no identity-based policy allows the s3:PutObject action", ("S3",)),
    (PUT, ("S3", "S6", "S4")),
    (
        "An error occurred (AccessDenied) when calling the CreateMultipartUpload operation: Access Denied",
        ("S3", "S6", "S4"),
    ),
    ("PutObject: AccessDenied: Access Denied", ("S3", "S6", "S4")),
    (
        "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        ("S2", "S3", "S6", "S4"),
    ),
    (
        f"User: {ROLE} is not authorized to perform: kms:GenerateDataKey on resource: {KEY} because no "
        "identity-based policy allows the kms:GenerateDataKey action",
        ("S4",),
    ),
    (
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you "
        "are not allowed to access.",
        ("S4",),
    ),
    (
        f"An error occurred (KMS.DisabledException) when calling the PutObject operation: {KEY} is disabled.",
        ("S4",),
    ),
    (
        f"<Error><Code>KMS.KMSInvalidStateException</Code><Message>{KEY} is pending deletion.</Message></Error>",
        ("S4",),
    ),
    (f"PutObject: KMS.NotFoundException: Key '{KEY}' does not exist", ("S4",)),
    (
        "<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP header is required for Put "
        "Object requests with Object Lock parameters</Message></Error>",
        ("S5",),
    ),
    (
        "S3 error: 400 (InvalidRequest): Content-MD5 HTTP header is required for Put Object requests with Object Lock "
        "parameters",
        ("S5",),
    ),
    (
        "An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does not exist",
        ("S3",),
    ),
    (
        "An error occurred (PermanentRedirect) when calling the PutObject operation: The bucket you are attempting to "
        "access must be addressed using the specified endpoint.",
        ("S3",),
    ),
    (
        "AuthorizationHeaderMalformed: The authorization header is malformed; the region 'us-east-1' is wrong; "
        "expecting 'eu-west-1'",
        ("S3",),
    ),
    (
        "An error occurred (IllegalLocationConstraintException) when calling the PutObject operation: The "
        "eu-west-1 location constraint is incompatible for the region specific endpoint this request was sent to.",
        ("S3",),
    ),
)

GCS: Final = (
    (
        '{"error":"invalid_request","error_description":"Invalid value for \\"audience\\". This value should be the '
        "full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts for the "
        'list of possible formats."}',
        ("G1",),
    ),
    (
        f"failed to generate Google Cloud federated token for {PROVIDER}: "
        '{"error":"invalid_target","error_description":"The target service indicated by the \\"audience\\" parameters '
        "is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't "
        'exist."}',
        ("G2", "G7", "G1"),
    ),
    (
        "('Error code invalid_target: The target service indicated by the \"audience\" parameters is invalid.', "
        '\'{"error":"invalid_target"}\')',
        ("G2", "G7", "G1"),
    ),
    (
        f'{{"error":"invalid_grant","error_description":"The audience in ID Token [{PROVIDER}] does not match the '
        'expected audience."}',
        ("G3",),
    ),
    (
        '{"error":"invalid_grant","error_description":"The issuer in ID Token https://other.example does not match '
        'the expected one in config: https://recording.example"}',
        ("G10",),
    ),
    (
        'status code 400: {"error":"invalid_grant","error_description":"Error connecting to the given credential\'s '
        'issuer."}',
        ("G10",),
    ),
    ('{"error":"invalid_grant","error_description":"Invalid JWT Signature."}', ("G10",)),
    (
        '{"error":"unauthorized_client","error_description":"The given credential is rejected by the attribute '
        'condition."}',
        ("G4",),
    ),
    ("Could not obtain a value for google.subject from the given credential.", ("G4",)),
    (
        "The size of mapped attribute google.subject exceeds the 127 bytes limit.",
        ("G4",),
    ),
    ("Error code invalid_grant: ID Token issued at 1795039874 is stale to sign-in.", ()),
    (
        '(\'Unable to acquire impersonated credentials\', \'{\\n "error": {\\n "code": 403,\\n "message": '
        "\"Permission \\'iam.serviceAccounts.getAccessToken\\' denied on resource (or it may not exist).\",\\n "
        '"status": "PERMISSION_DENIED"}}\')',
        ("G5", "G4", "G6"),
    ),
    (
        f"Unable to generate access token; IAM returned 404 Not Found: Gaia id not found for email {ACCOUNT}",
        ("G6", "G5"),
    ),
    (
        "google.auth.exceptions.RefreshError: ('Unable to acquire impersonated credentials: No access token or "
        "invalid expiration in response.')",
        ("G5", "G9", "G6"),
    ),
    (
        "googleapi: Error 403: IAM Service Account Credentials API has not been used in project 4711 before or it is "
        "disabled., SERVICE_DISABLED",
        ("G9",),
    ),
    (
        f"403 POST https://storage.googleapis.com/upload/storage/v1/b/acme/o: {ACCOUNT} does not have "
        "storage.objects.create access to the Google Cloud Storage object. Permission 'storage.objects.create' denied "
        "on resource (or it may not exist).",
        ("G6",),
    ),
    (
        f"{ACCOUNT} does not have storage.objects.delete access to the Google Cloud Storage object.",
        (),
    ),
    (
        "googleapi: Error 403: Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service "
        "account has been authorized to use this key., forbidden",
        ("G15",),
    ),
    ("('Response metadata had no ``crc32c`` value; checksum could not be validated.', {})", ("G15",)),
    (
        "Cloud KMS key is disabled, destroyed, or scheduled to be destroyed.",
        ("G15",),
    ),
    (
        "AccessDeniedException: 403 Request is prohibited by organization's policy. "
        "vpcServiceControlsUniqueIdentifier: 8c1f0b2d",
        (),
    ),
    (
        "403 The billing account for the owning project is disabled in state absent",
        (),
    ),
    ("404 POST https://storage.googleapis.com/…: The specified bucket does not exist.", ("G6",)),
    (
        '{"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": "Precondition check failed."}}',
        ("G6", "G5"),
    ),
    (
        "FAILED_PRECONDITION: Precondition check failed. description: Org Policy violated for value: 'https://x'. "
        "type: constraints/iam.workloadIdentityPoolProviders",
        (),
    ),
    (
        '{"error": {"code": 401, "message": "Request had invalid authentication credentials. Expected OAuth 2 access '
        'token.", "status": "UNAUTHENTICATED"}}',
        ("G6", "G2"),
    ),
    (
        "Error 409: projects/4711/locations/global/workloadIdentityPools/acme: Requested entity already exists",
        ("G7",),
    ),
    (
        '{"error": {"status": "PERMISSION_DENIED", "message": "The caller does not have permission"}}',
        ("G5", "G6", "G9"),
    ),
    ("Error code invalid_grant: something new", ("G3", "G4", "G10")),
    (
        f"403: {ACCOUNT} does not have storage.objects.list access to the Google Cloud Storage bucket.",
        ("G6",),
    ),
)

AZURE_BLOB: Final = (
    (f"AADSTS700211: {NO_MATCH} issuer 'https://recording.example/'. {TRAIL}", ("Z1",)),
    (f"AADSTS700212: {NO_MATCH} audience 'api://x'. {TRAIL}", ("Z1",)),
    (f"AADSTS700213: {NO_MATCH} subject 'w-acme'. {TRAIL}", ("Z1", "Z4")),
    (
        '{"error":"invalid_client","error_codes":[700213],"error_uri":"https://login.microsoftonline.com/error"}',
        ("Z1", "Z4"),
    ),
    ("see https://login.microsoftonline.com/error?code=700213", ("Z1", "Z4")),
    (f"AADSTS70021: {NO_MATCH}. Assertion Issuer: 'https://recording.example'. {TRAIL}", ("Z1", "Z2", "Z4")),
    (
        f"AADSTS7002138: {NO_MATCH} subject 'W-ACME'. The subject matches with case-insensitive comparison, but not "
        f"with case-sensitive comparison. {TRAIL}",
        ("Z2",),
    ),
    ("AADSTS70025: The client '1' has no configured federated identity credentials.", ("Z1",)),
    ("AADSTS90061: Request to External OIDC endpoint failed.", ("Z3", "Z1")),
    ("AADSTS50166: Request to External OIDC endpoint failed.", ("Z3", "Z1")),
    (
        "AADSTS7000272: The certificate with identifier DFA1 used to sign the federated credential could not be found "
        "in the metadata of identity provider https://recording.example.",
        ("Z3",),
    ),
    ("AADSTS900612: Failed to parse provider signing keys.", ("Z3",)),
    ("AADSTS700024: Client assertion is not within its valid time range.", ()),
    (
        f"AADSTS700016: Application with identifier '1' was not found in the directory '{TENANT}'. {TRAIL}",
        ("Z10",),
    ),
    (
        f"AADSTS7000229: The client application 1 is missing service principal in the tenant {TENANT}. {TRAIL}",
        ("Z10",),
    ),
    ("AADSTS7000112: Application '1'(recordings) is disabled.", ("Z10",)),
    (f"AADSTS90002: Tenant '{TENANT}' not found.", ("Z10",)),
    ("AADSTS500011: The resource principal named https://x was not found in the tenant.", ()),
    ("AADSTS53003: Access has been blocked by Conditional Access policies.", ()),
    ("AADSTS7000999: something new", ("Z10", "Z1", "Z2", "Z3")),
    (
        "<Error><Code>AuthorizationPermissionMismatch</Code><Message>This request is not authorized to perform this "
        "operation using this permission.\nRequestId:1</Message></Error>",
        ("Z6", "Z8"),
    ),
    (
        "<Error><Code>AuthorizationFailure</Code><Message>This request is not authorized to perform this operation."
        "\nRequestId:1</Message></Error>",
        ("Z9",),
    ),
    ("ErrorCode:ContainerNotFound The specified container does not exist.", ("Z14",)),
    ("AccountIsDisabled: The specified account is disabled.", ("Z14",)),
    ("Failed to resolve 'acmestore.blob.core.windows.net' ([Errno -2] Name or service not known)", ("Z14",)),
    (
        "403 KeyVaultEncryptionKeyNotFound: The key vault key is not found to unwrap the encryption key.",
        ("Z16",),
    ),
    (
        "InvalidAuthenticationInfo: Server failed to authenticate the request. Issuer validation failed. Issuer did "
        "not match.",
        ("Z10", "Z14"),
    ),
    (
        "409 BlobImmutableDueToPolicy: This operation is not permitted as the blob is immutable due to a policy.",
        ("Z6",),
    ),
    ("KeyBasedAuthenticationNotPermitted", ()),
    ("Public access is not permitted on this storage account.", ()),
    ("PrincipalNotFound: Principal 1 does not exist in the directory.", ("Z7",)),
    (
        "AuthenticationFailed: Server failed to authenticate the request. Make sure the value of Authorization header "
        "is formed correctly including the signature.",
        ("Z10", "Z14", "Z6"),
    ),
)

SAMPLES: Final = {"s3": S3, "gcs": GCS, "azure_blob": AZURE_BLOB}
