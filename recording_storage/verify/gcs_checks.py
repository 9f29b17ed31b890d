"""The checks of Google Cloud Storage: what each claims, reads and shows; how each is decided stands in `gcs`."""

from __future__ import annotations

from typing import Final

from recording_storage.verify.checks import Check

_DOCS: Final = "https://docs.cloud.google.com"
_FEDERATION: Final = f"{_DOCS}/iam/docs/workload-identity-federation"
_GUIDE: Final = "https://docs.tavus.io/sections/conversational-video-interface/recording-storage"

_POOL: Final = "iam.googleapis.com/workloadIdentityPools.list"
_PROVIDER: Final = "iam.googleapis.com/workloadIdentityPoolProviders.list"
_PROJECT: Final = "resourcemanager.projects.get"
_PROJECT_POLICY: Final = "resourcemanager.projects.getIamPolicy"
_ACCOUNT: Final = "iam.serviceAccounts.get"
_ACCOUNT_POLICY: Final = "iam.serviceAccounts.getIamPolicy"
_KEYS: Final = "iam.serviceAccountKeys.list"
_ROLES: Final = "iam.roles.get"
_BUCKET: Final = "storage.buckets.get"
_BUCKET_POLICY: Final = "storage.buckets.getIamPolicy"
_SERVICES: Final = "serviceusage.services.get"
_KMS: Final = (
    "cloudkms.cryptoKeys.get",
    "cloudkms.cryptoKeys.getIamPolicy",
    "cloudkms.keyRings.getIamPolicy",
)

GCS_CHECKS: Final = (
    Check(
        id="G1",
        title="the provider is handed over as the service needs it",
        reads=(),
        decides="by the form of workload_identity_provider: the project's number, a provider, no prefix",
        shows='invalid_request: Invalid value for "audience"',
        mend="hand over projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>",
        source=_GUIDE,
    ),
    Check(
        id="G2",
        title="pool and provider exist and are enabled",
        reads=(_POOL, _PROVIDER),
        decides="by the state of both",
        shows='invalid_target: the target service indicated by the "audience" parameters is invalid',
        mend="enable or restore them",
        source=f"{_DOCS}/iam/docs/manage-workload-identity-pools-providers",
    ),
    Check(
        id="G3",
        title="the audience of the service's tokens is accepted",
        reads=(_PROVIDER,),
        decides="by allowedAudiences, or the provider's full name where it has none; an audience that nobody needs is "
        "a warning",
        shows="invalid_grant: The audience in ID Token does not match the expected audience",
        mend="remove allowed_audiences from the provider",
        source=f"{_DOCS}/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#oidc",
    ),
    Check(
        id="G4",
        title="your workspace is let in, and no other",
        reads=(_PROVIDER,),
        decides="by evaluating mapping and condition for the service's token for your Workspace ID, and for others",
        shows="unauthorized_client: The given credential is rejected by the attribute condition; or nothing, while "
        "others get in",
        mend='map google.subject=assertion.sub and let the condition be google.subject == "<your Workspace ID>"',
        source=f"{_FEDERATION}#conditions",
    ),
    Check(
        id="G5",
        title="only the service may act as the service account",
        reads=(_ACCOUNT_POLICY, _PROJECT_POLICY, _ROLES),
        decides="by evaluating the policies of the service account and of its project for the service's principal; "
        "anybody else in the account's own policy fails, and so does anybody from outside in the project's; who holds "
        "owner or editor in the project is passed over, other members who may act there are a warning",
        shows="Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)",
        mend="grant roles/iam.workloadIdentityUser to principal://…/subject/<your Workspace ID>, and to nobody else",
        source=f"{_FEDERATION}#impersonation",
    ),
    Check(
        id="G6",
        title="the service account may create objects of any name",
        reads=(_ACCOUNT, _BUCKET, _BUCKET_POLICY, _PROJECT, _PROJECT_POLICY, _ROLES),
        decides="by evaluating the policies of bucket and project for several names; Google's Policy Troubleshooter is "
        "asked too, where it is enabled, and knows deny policies and what is above the project",
        shows="403 … does not have storage.objects.create access to the Google Cloud Storage object",
        mend="grant roles/storage.objectCreator on the bucket, without a condition",
        source=f"{_DOCS}/storage/docs/access-control/iam-roles",
    ),
    Check(
        id="G7",
        title="pool and provider aren't deleted",
        reads=(_POOL, _PROVIDER),
        decides="by the state of both; a deleted one's id is taken for 30 days",
        shows="409 Requested entity already exists, when it is made again",
        mend="restore it: gcloud iam workload-identity-pools undelete",
        source=f"{_DOCS}/iam/docs/manage-workload-identity-pools-providers#delete-pool",
    ),
    Check(
        id="G9",
        title="the APIs that a recording goes through are on",
        reads=(_SERVICES,),
        decides="by their state: iam, iamcredentials and sts where the pool is, storage where the service account is",
        shows="403 … API has not been used in project … before or it is disabled",
        mend="gcloud services enable iam.googleapis.com iamcredentials.googleapis.com sts.googleapis.com "
        "storage.googleapis.com",
        source=f"{_DOCS}/iam/docs/workload-identity-federation-with-other-providers#configure",
    ),
    Check(
        id="G10",
        title="the provider trusts the service's issuer and its keys",
        reads=(_PROVIDER,),
        decides="by the issuer to the letter, by what it publishes, and by the keys that were uploaded instead",
        shows="invalid_grant: The issuer in ID Token … does not match the expected ones; Error connecting to the given "
        "credential's issuer",
        mend="set the provider's issuer, and upload no keys",
        source=f"{_DOCS}/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#oidc",
    ),
    Check(
        id="G11",
        title="no other provider lets somebody in as your workspace",
        reads=(_PROVIDER,),
        decides="by evaluating the pool's other providers for what their issuers could say",
        shows="nothing: somebody else writes",
        mend="make a pool for this destination alone",
        source=f"{_DOCS}/iam/docs/best-practices-for-using-workload-identity-federation#avoid-subject-collisions",
    ),
    Check(
        id="G12",
        title="nobody has a key of the service account",
        reads=(_ACCOUNT, _KEYS),
        decides="by the keys that people made; one that is disabled is a warning",
        shows="nothing: whoever has the key writes",
        mend="delete the keys",
        source=f"{_DOCS}/iam/docs/best-practices-for-managing-service-account-keys",
    ),
    Check(
        id="G13",
        title="the service account can do nothing else",
        reads=(_ACCOUNT, _BUCKET_POLICY, _PROJECT_POLICY, _ROLES),
        decides="by its roles on the bucket and in the projects: replacing and reading recordings is a warning; more "
        "of the bucket, other buckets, and power over the project fail. Policies of other buckets aren't read",
        shows="nothing: more than recordings is at stake",
        mend="leave it roles/storage.objectCreator on the bucket, and nothing else",
        source=f"{_DOCS}/iam/docs/best-practices-service-accounts",
    ),
    Check(
        id="G14",
        title="the recordings aren't public",
        reads=(_BUCKET, _BUCKET_POLICY, _PROJECT_POLICY),
        decides="by allUsers and allAuthenticatedUsers in the policies; where nothing is public, that it could be made "
        "so is a warning",
        shows="nothing: anybody reads",
        mend="gcloud storage buckets update gs://BUCKET --public-access-prevention --uniform-bucket-level-access",
        source=f"{_DOCS}/storage/docs/public-access-prevention",
    ),
    Check(
        id="G15",
        title="the bucket's key can be used",
        reads=(_BUCKET, *_KMS, _PROJECT_POLICY),
        decides="by the key's place and state, and by evaluating its policy for Cloud Storage's agent; a bucket "
        "without a key passes",
        shows="403 Permission denied on Cloud KMS key; or Cloud KMS key … is disabled",
        mend="enable the key, and grant roles/cloudkms.cryptoKeyEncrypterDecrypter to Cloud Storage's agent",
        source=f"{_DOCS}/storage/docs/encryption/customer-managed-keys",
    ),
    Check(
        id="G16",
        title="what expires is gone, old versions too",
        reads=(_BUCKET,),
        decides="by versioning and the lifecycle's rules",
        shows="storage grows for ever",
        mend="add a rule with daysSinceNoncurrentTime",
        source=f"{_DOCS}/storage/docs/object-versioning#lifecycle",
    ),
)
