"""Roles: the built-in ones, what each permits, and the form in which custom ones are kept too.

Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles, of which these are the ones that
storage, its keys and its identities need. A role that isn't among them permits nobody knows what.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recording_storage.evaluation.azure.roles import Permissions

_READ_ROLES, _GROUPS_READ = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
)
_ALERTS, _DEPLOYMENTS, _SUPPORT = (
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Support/*",
)
_USUAL = (_READ_ROLES, _ALERTS, _DEPLOYMENTS, _GROUPS_READ, _SUPPORT)
_BLOB_SERVICES = "Microsoft.Storage/storageAccounts/blobServices"
_CONTAINERS, _BLOBS = f"{_BLOB_SERVICES}/containers", f"{_BLOB_SERVICES}/containers/blobs"
_DELEGATION = f"{_BLOB_SERVICES}/generateUserDelegationKey/action"
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_KEYS = "Microsoft.KeyVault/vaults/keys"
_VAULT_READS = (
    _READ_ROLES,
    _ALERTS,
    _DEPLOYMENTS,
    _GROUPS_READ,
    _SUPPORT,
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/locations/*/read",
    "Microsoft.KeyVault/vaults/*/read",
    "Microsoft.KeyVault/operations/read",
)
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
KEY_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"


@dataclass(frozen=True)
class Role:
    """A role definition; `scopes`: where it may be assigned, for a custom one."""

    id: str
    name: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = field(default=())
    scopes: tuple[str, ...] = ()

    @property
    def permissions(self) -> Permissions:
        """As who judges it has it."""
        return Permissions(self.actions, self.not_actions, self.data_actions, self.not_data_actions)

    def permits(self, action: str, data: bool) -> bool:
        """Whether it permits an action, or a data action."""
        return self.permissions.permits(action, data)

    def to_json(self, scope: str) -> dict[str, Any]:
        """As it is read at a scope: https://learn.microsoft.com/rest/api/authorization/role-definitions/get."""
        kind = "Microsoft.Authorization/roleDefinitions"
        subscription = "/".join(scope.split("/")[:3]) if scope.lower().startswith("/subscriptions/") else ""
        return {
            "id": f"{subscription}/providers/{kind}/{self.id}",
            "name": self.id,
            "type": kind,
            "properties": {
                "roleName": self.name,
                "type": "CustomRole" if self.scopes else "BuiltInRole",
                "description": self.description,
                "assignableScopes": list(self.scopes or ("/",)),
                "permissions": [
                    {
                        "actions": list(self.actions),
                        "notActions": list(self.not_actions),
                        "dataActions": list(self.data_actions),
                        "notDataActions": list(self.not_data_actions),
                    }
                ],
                "createdOn": "2015-02-02T21:55:09.8806423Z",
                "updatedOn": "2023-09-07T18:44:16.9431240Z",
                "createdBy": None,
                "updatedBy": None,
            },
        }


ROLES = (
    Role(
        OWNER,
        "Owner",
        "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        ("*",),
    ),
    Role(
        CONTRIBUTOR,
        "Contributor",
        "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage "
        "assignments in Azure Blueprints, or share image galleries.",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
            "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
            "Microsoft.Subscription/cancel/action",
            "Microsoft.Subscription/enable/action",
        ),
    ),
    Role(READER, "Reader", "View all resources, but does not allow you to make any changes.", ("*/read",)),
    Role(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        ("*/read", "Microsoft.Authorization/*", _SUPPORT),
    ),
    Role(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        "Manage access to Azure resources by assigning roles using Azure RBAC. This role does not allow you to manage "
        "access using other ways, such as Azure Policy.",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            _SUPPORT,
        ),
    ),
    Role(
        BLOB_OWNER,
        "Storage Blob Data Owner",
        "Allows for full access to Azure Storage blob containers and data, including assigning POSIX access control.",
        (f"{_CONTAINERS}/*", _DELEGATION),
        (),
        (f"{_BLOBS}/*",),
    ),
    Role(
        BLOB_CONTRIBUTOR,
        "Storage Blob Data Contributor",
        "Allows for read, write and delete access to Azure Storage blob containers and data",
        (*(f"{_CONTAINERS}/{verb}" for verb in ("delete", "read", "write")), _DELEGATION),
        (),
        tuple(f"{_BLOBS}/{verb}" for verb in ("delete", "read", "write", "move/action", "add/action")),
    ),
    Role(
        BLOB_READER,
        "Storage Blob Data Reader",
        "Allows for read access to Azure Storage blob containers and data",
        (f"{_CONTAINERS}/read", _DELEGATION),
        (),
        (f"{_BLOBS}/read",),
    ),
    Role(
        "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
        "Storage Blob Delegator",
        "Allows for generation of a user delegation key which can be used to sign SAS tokens",
        (_DELEGATION,),
    ),
    Role(
        "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        "Storage Account Contributor",
        "Lets you manage storage accounts, including accessing storage account keys which provide full access to "
        "storage account data.",
        (
            *_USUAL,
            "Microsoft.Insights/diagnosticSettings/*",
            "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Storage/storageAccounts/*",
        ),
    ),
    Role(
        "81a9662b-bebf-436f-a333-f67b29880f12",
        "Storage Account Key Operator Service Role",
        "Storage Account Key Operators are allowed to list and regenerate keys on Storage Accounts",
        (
            "Microsoft.Storage/storageAccounts/listkeys/action",
            "Microsoft.Storage/storageAccounts/regeneratekey/action",
        ),
    ),
    Role(
        "c12c1c16-33a1-487b-954d-41c89c60f349",
        "Reader and Data Access",
        "Lets you view everything but will not let you delete or create a storage account or contained resource. It "
        "will also allow read/write access to all data contained in a storage account via access to storage account "
        "keys.",
        (
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "Microsoft.Storage/storageAccounts/ListAccountSas/action",
            "Microsoft.Storage/storageAccounts/read",
        ),
    ),
    Role(
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        "Managed Identity Contributor",
        "Create, Read, Update, and Delete User Assigned Identity",
        (
            *_USUAL,
            *(f"{_IDENTITIES}/{verb}" for verb in ("read", "write", "delete", "revokeTokens/action")),
            *(f"{_IDENTITIES}/federatedIdentityCredentials/{verb}" for verb in ("read", "write", "delete")),
        ),
    ),
    Role(
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        "Read and Assign User Assigned Identity",
        (*_USUAL, f"{_IDENTITIES}/*/read", f"{_IDENTITIES}/*/assign/action"),
    ),
    Role(
        KEY_ADMINISTRATOR,
        "Key Vault Administrator",
        "Perform all data plane operations on a key vault and all objects in it, including certificates, keys, and "
        "secrets. Cannot manage key vault resources or manage role assignments. Only works for key vaults that use the "
        "'Azure role-based access control' permission model.",
        _VAULT_READS,
        (),
        ("Microsoft.KeyVault/vaults/*",),
    ),
    Role(
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
        "Key Vault Contributor",
        "Lets you manage key vaults, but not access to them.",
        (*_USUAL, "Microsoft.KeyVault/*"),
        (
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/hsmPools/*",
            "Microsoft.KeyVault/managedHsms/*",
        ),
    ),
    Role(
        "21090545-7ca7-4776-b22c-e363652d74d2",
        "Key Vault Reader",
        "Read metadata of key vaults and its certificates, keys, and secrets. Cannot read sensitive values such as "
        "secret contents or key material. Only works for key vaults that use the 'Azure role-based access control' "
        "permission model.",
        _VAULT_READS,
        (),
        ("Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"),
    ),
    Role(
        "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
        "Key Vault Crypto Officer",
        "Perform any action on the keys of a key vault, except manage permissions. Only works for key vaults that use "
        "the 'Azure role-based access control' permission model.",
        _VAULT_READS,
        (),
        (f"{_KEYS}/*", "Microsoft.KeyVault/vaults/keyrotationpolicies/*"),
    ),
    Role(
        ENCRYPTION_USER,
        "Key Vault Crypto Service Encryption User",
        "Read metadata of keys and perform wrap/unwrap operations. Only works for key vaults that use the 'Azure "
        "role-based access control' permission model.",
        tuple(f"Microsoft.EventGrid/eventSubscriptions/{verb}" for verb in ("write", "read", "delete")),
        (),
        tuple(f"{_KEYS}/{verb}" for verb in ("read", "wrap/action", "unwrap/action")),
    ),
    Role(
        "12338af0-0e69-4776-bea7-57ae8d297424",
        "Key Vault Crypto User",
        "Perform cryptographic operations using keys. Only works for key vaults that use the 'Azure role-based access "
        "control' permission model.",
        (),
        (),
        (
            f"{_KEYS}/read",
            *(
                f"{_KEYS}/{verb}/action"
                for verb in ("update", "backup", "encrypt", "decrypt", "wrap", "unwrap", "sign", "verify")
            ),
        ),
    ),
)
_BY_ID = {role.id: role for role in ROLES}
_BY_NAME = {role.name: role for role in ROLES}


def find(role_id: str) -> Role | None:
    """The built-in role with this GUID."""
    return _BY_ID.get(role_id.lower())


def named(name: str) -> Role:
    """The built-in role with this name."""
    return _BY_NAME[name]
