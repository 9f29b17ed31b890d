"""What the programs under test import, imported beforehand: the providers' modules load when they are first used."""

import pulumi_aws as aws
import pulumi_azure_native as azure
import pulumi_azuread as azuread
import pulumi_gcp as gcp

import components.settings

LOADED = (
    aws.iam.Role,
    aws.s3.Bucket,
    azure.authorization.RoleAssignment,
    azure.managedidentity.UserAssignedIdentity,
    azure.resources.ResourceGroup,
    azure.storage.StorageAccount,
    azuread.Application,
    components.settings.Settings,
    gcp.iam.WorkloadIdentityPool,
    gcp.kms.CryptoKeyIAMMember,
    gcp.projects.Service,
    gcp.serviceaccount.Account,
    gcp.storage.Bucket,
)
