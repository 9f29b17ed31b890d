"""Azure's resources through Resource Manager's REST API: what the destinations are made of, and what a team adds.

Leaves out every type that no destination needs; a program that registers one is told so.
"""

from __future__ import annotations

from recording_storage.resources import Provider
from recording_storage.resources.azure_native import access, storage
from recording_storage.resources.azure_native.arm import Clients, look_up

PROVIDER = Provider(
    types={
        "azure-native:authorization:RoleAssignment": access.ROLE_ASSIGNMENT,
        "azure-native:managedidentity:FederatedIdentityCredential": access.FEDERATED_IDENTITY_CREDENTIAL,
        "azure-native:managedidentity:UserAssignedIdentity": access.USER_ASSIGNED_IDENTITY,
        "azure-native:resources:ResourceGroup": access.RESOURCE_GROUP,
        "azure-native:storage:BlobContainer": storage.BLOB_CONTAINER,
        "azure-native:storage:BlobServiceProperties": storage.BLOB_SERVICE,
        "azure-native:storage:ManagementPolicy": storage.MANAGEMENT_POLICY,
        "azure-native:storage:StorageAccount": storage.STORAGE_ACCOUNT,
    },
    functions={
        "azure-native:authorization:getClientConfig": access.get_client_config,
        "azure-native:resources:getResourceGroup": look_up(access.RESOURCE_GROUP),
        "azure-native:storage:getBlobContainer": look_up(storage.BLOB_CONTAINER),
        "azure-native:storage:getStorageAccount": look_up(storage.STORAGE_ACCOUNT),
    },
    configure=Clients,
)
