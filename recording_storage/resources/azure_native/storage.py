"""Storage accounts and what is in them, for Resource Manager.

Sources: https://learn.microsoft.com/rest/api/storagerp/, and for what is an input and what an output
https://www.pulumi.com/registry/packages/azure-native/api-docs/storage/storageaccount/. Leaves out firewalls, custom
domains, NFS, files' authentication, extended locations, and immutability. What a management policy says is passed on as
it is.
"""

from __future__ import annotations

from recording_storage.resources.azure_native.arm import GROUP, ArmType
from recording_storage.resources.azure_native.shape import Field, parts, plain

VERSION = "2024-01-01"
_ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{{accountName}}"
_RETENTION = ("allowPermanentDelete", "days", "enabled")
_OWN = plain("name", "type")
_SERVICE = parts("enabled", "keyType", at="")
_ENCRYPTION = Field(
    "properties.encryption",
    {
        **plain("keySource", "requireInfrastructureEncryption"),
        "encryptionIdentity": Field(
            "identity",
            {
                "encryptionFederatedIdentityClientId": Field("federatedIdentityClientId"),
                "encryptionUserAssignedIdentity": Field("userAssignedIdentity"),
            },
        ),
        "keyVaultProperties": Field(
            "keyvaultproperties",
            {
                "keyName": Field("keyname"),
                "keyVaultUri": Field("keyvaulturi"),
                "keyVersion": Field("keyversion"),
            },
        ),
        "services": Field(parts=dict.fromkeys(("blob", "file", "queue", "table"), _SERVICE)),
    },
)

STORAGE_ACCOUNT = ArmType(
    _ACCOUNT,
    VERSION,
    {
        **plain("kind", "location", "tags"),
        **plain(
            "accessTier",
            "allowBlobPublicAccess",
            "allowCrossTenantReplication",
            "allowSharedKeyAccess",
            "allowedCopyScope",
            "defaultToOAuthAuthentication",
            "isHnsEnabled",
            "isLocalUserEnabled",
            "isSftpEnabled",
            "largeFileSharesState",
            "minimumTlsVersion",
            "publicNetworkAccess",
            within="properties",
        ),
        "enableHttpsTrafficOnly": Field("properties.supportsHttpsTrafficOnly"),
        "encryption": _ENCRYPTION,
        "identity": Field(
            parts={"type": Field(), "userAssignedIdentities": Field(is_set=True)},
            more=("principalId", "tenantId"),
        ),
        "keyPolicy": parts("keyExpirationPeriodInDays", at="properties.keyPolicy"),
        "sasPolicy": parts("expirationAction", "sasExpirationPeriod", at="properties.sasPolicy"),
        "sku": parts("name", at="sku"),
    },
    _OWN
    | plain(
        "creationTime",
        "keyCreationTime",
        "primaryEndpoints",
        "primaryLocation",
        "privateEndpointConnections",
        "provisioningState",
        "secondaryEndpoints",
        "secondaryLocation",
        "statusOfPrimary",
        "statusOfSecondary",
        within="properties",
    ),
    forced=frozenset({"isHnsEnabled", "location"}),
)
BLOB_SERVICE = ArmType(
    f"{_ACCOUNT}/blobServices/{{blobServicesName}}",
    VERSION,
    {
        **plain(
            "automaticSnapshotPolicyEnabled",
            "defaultServiceVersion",
            "isVersioningEnabled",
            within="properties",
        ),
        "changeFeed": parts("enabled", "retentionInDays", at="properties.changeFeed"),
        "containerDeleteRetentionPolicy": parts(*_RETENTION, at="properties.containerDeleteRetentionPolicy"),
        "cors": parts("corsRules", at="properties.cors"),
        "deleteRetentionPolicy": parts(*_RETENTION, at="properties.deleteRetentionPolicy"),
        "lastAccessTimeTrackingPolicy": parts(
            "blobType",
            "enable",
            "name",
            "trackingGranularityInDays",
            at="properties.lastAccessTimeTrackingPolicy",
        ),
        "restorePolicy": parts("days", "enabled", at="properties.restorePolicy"),
    },
    _OWN | plain("sku"),
    is_always_there=True,
)
BLOB_CONTAINER = ArmType(
    f"{_ACCOUNT}/blobServices/default/containers/{{containerName}}",
    VERSION,
    plain(
        "defaultEncryptionScope",
        "denyEncryptionScopeOverride",
        "metadata",
        "publicAccess",
        within="properties",
    ),
    _OWN
    | plain("etag")
    | plain(
        "deleted",
        "deletedTime",
        "hasImmutabilityPolicy",
        "hasLegalHold",
        "lastModifiedTime",
        "leaseDuration",
        "leaseState",
        "leaseStatus",
        "remainingRetentionDays",
        "version",
        within="properties",
    ),
)
MANAGEMENT_POLICY = ArmType(
    f"{_ACCOUNT}/managementPolicies/{{managementPolicyName}}",
    VERSION,
    plain("policy", within="properties"),
    _OWN | plain("lastModifiedTime", within="properties"),
)
