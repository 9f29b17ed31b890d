"""The types of resources that the pack knows, by the names that their providers give them.

Of pulumi-aws 7, pulumi-gcp 10, azure-native 3 (without the version of the API) and azuread 6. What a type was called
in older programs (`bucketV2`) is here too: the providers still take it.
"""

from __future__ import annotations

from typing import Final


def _s3(name: str) -> tuple[str, ...]:
    plain, versioned = f"bucket{name}", f"bucket{name}V2"
    return tuple(f"aws:s3/{one}:{one[0].upper()}{one[1:]}" for one in (plain, versioned))


COMPONENTS: Final = tuple(
    f"recording-storage:index:{one}" for one in ("S3Destination", "GcsDestination", "AzureBlobDestination")
)

AWS_BUCKET: Final = _s3("")
AWS_VERSIONING: Final = _s3("Versioning")
AWS_ACCESS_BLOCK: Final = _s3("PublicAccessBlock")
AWS_BUCKET_POLICY: Final = _s3("Policy")
AWS_ACL: Final = _s3("Acl")
AWS_ENCRYPTION: Final = _s3("ServerSideEncryptionConfiguration")
AWS_LIFECYCLE: Final = _s3("LifecycleConfiguration")
AWS_ROLE: Final = ("aws:iam/role:Role",)
AWS_ROLE_POLICY: Final = ("aws:iam/rolePolicy:RolePolicy",)
AWS_POLICY: Final = ("aws:iam/policy:Policy",)
AWS_ATTACHMENT: Final = ("aws:iam/rolePolicyAttachment:RolePolicyAttachment",)
AWS_ATTACHMENTS: Final = ("aws:iam/policyAttachment:PolicyAttachment",)
AWS_KEY: Final = ("aws:kms/key:Key",)

GCP_BUCKET: Final = ("gcp:storage/bucket:Bucket",)
GCP_BUCKET_MEMBER: Final = ("gcp:storage/bucketIAMMember:BucketIAMMember",)
GCP_BUCKET_BINDING: Final = ("gcp:storage/bucketIAMBinding:BucketIAMBinding",)
GCP_BUCKET_POLICY: Final = ("gcp:storage/bucketIAMPolicy:BucketIAMPolicy",)
GCP_BUCKET_GRANTS: Final = (*GCP_BUCKET_MEMBER, *GCP_BUCKET_BINDING, *GCP_BUCKET_POLICY)
GCP_ACCESS_CONTROL: Final = (
    "gcp:storage/bucketAccessControl:BucketAccessControl",
    "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
)
GCP_ACL: Final = ("gcp:storage/bucketACL:BucketACL", "gcp:storage/defaultObjectACL:DefaultObjectACL")
GCP_POOL: Final = ("gcp:iam/workloadIdentityPool:WorkloadIdentityPool",)
GCP_PROVIDER: Final = ("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",)
GCP_ACCOUNT: Final = ("gcp:serviceaccount/account:Account",)
GCP_KEY: Final = ("gcp:serviceaccount/key:Key",)
GCP_ACCOUNT_GRANTS: Final = (
    "gcp:serviceaccount/iAMMember:IAMMember",
    "gcp:serviceaccount/iAMBinding:IAMBinding",
    "gcp:serviceaccount/iAMPolicy:IAMPolicy",
)
GCP_WIDE_GRANTS: Final = tuple(
    f"gcp:{level}/iAM{form}:IAM{form}"
    for level in ("projects", "folder", "organizations")
    for form in ("Member", "Binding", "Policy")
)

AZURE_ACCOUNT: Final = ("azure-native:storage:StorageAccount",)
AZURE_SERVICE: Final = ("azure-native:storage:BlobServiceProperties",)
AZURE_CONTAINER: Final = ("azure-native:storage:BlobContainer",)
AZURE_LIFECYCLE: Final = ("azure-native:storage:ManagementPolicy",)
AZURE_IDENTITY: Final = ("azure-native:managedidentity:UserAssignedIdentity",)
AZURE_IDENTITY_CREDENTIAL: Final = ("azure-native:managedidentity:FederatedIdentityCredential",)
AZURE_ASSIGNMENT: Final = ("azure-native:authorization:RoleAssignment",)
ENTRA_APPLICATION: Final = (
    "azuread:index/application:Application",
    "azuread:index/applicationRegistration:ApplicationRegistration",
)
ENTRA_PRINCIPAL: Final = ("azuread:index/servicePrincipal:ServicePrincipal",)
ENTRA_CREDENTIAL: Final = (
    "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
    "azuread:index/applicationFlexibleFederatedIdentityCredential:ApplicationFlexibleFederatedIdentityCredential",
)
ENTRA_APPLICATION_SECRETS: Final = (
    "azuread:index/applicationPassword:ApplicationPassword",
    "azuread:index/applicationCertificate:ApplicationCertificate",
)
ENTRA_PRINCIPAL_SECRETS: Final = (
    "azuread:index/servicePrincipalPassword:ServicePrincipalPassword",
    "azuread:index/servicePrincipalCertificate:ServicePrincipalCertificate",
)
