"""Azure's resources through Resource Manager's REST API: what the destinations are made of, and what a team adds.

Leaves out every type that no destination needs; a program that registers one is told so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.resources import Properties, UnsupportedError
from recording_storage.resources.azure_native import access, storage
from recording_storage.resources.azure_native.arm import Clients, look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.resources import ResourceType


class AzureNativeProvider:
    """The package `azure-native`."""

    types: Mapping[str, ResourceType] = {
        "azure-native:authorization:RoleAssignment": access.ROLE_ASSIGNMENT,
        "azure-native:managedidentity:FederatedIdentityCredential": access.FEDERATED_IDENTITY_CREDENTIAL,
        "azure-native:managedidentity:UserAssignedIdentity": access.USER_ASSIGNED_IDENTITY,
        "azure-native:resources:ResourceGroup": access.RESOURCE_GROUP,
        "azure-native:storage:BlobContainer": storage.BLOB_CONTAINER,
        "azure-native:storage:BlobServiceProperties": storage.BLOB_SERVICE,
        "azure-native:storage:ManagementPolicy": storage.MANAGEMENT_POLICY,
        "azure-native:storage:StorageAccount": storage.STORAGE_ACCOUNT,
    }

    def configure(self, config: Properties) -> Clients:
        return Clients(config)

    def invoke(self, clients: Clients, token: str, args: Properties) -> Properties:
        function = FUNCTIONS.get(token)
        if function is None:
            raise UnsupportedError(f"the function {token}")
        return function(clients, args)


FUNCTIONS: Mapping[str, Callable[[Clients, Properties], Properties]] = {
    "azure-native:authorization:getClientConfig": access.get_client_config,
    "azure-native:resources:getResourceGroup": look_up(access.RESOURCE_GROUP),
    "azure-native:storage:getBlobContainer": look_up(storage.BLOB_CONTAINER),
    "azure-native:storage:getStorageAccount": look_up(storage.STORAGE_ACCOUNT),
}
