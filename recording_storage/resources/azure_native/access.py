"""Resource groups, and who may do what in them: managed identities, their federated credentials, role assignments.

Sources: https://learn.microsoft.com/rest/api/resources/resource-groups,
https://learn.microsoft.com/rest/api/managedidentity/, https://learn.microsoft.com/rest/api/authorization/role-assignments,
and for what is an input and what an output
https://www.pulumi.com/registry/packages/azure-native/api-docs/authorization/roleassignment/. Leaves out assignments to
another tenant's identities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.resources.azure_native.arm import GROUP, ArmType
from recording_storage.resources.azure_native.shape import plain

if TYPE_CHECKING:
    from recording_storage.resources import Properties
    from recording_storage.resources.azure_native.arm import Clients

_OWN = plain("name", "type")
_IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{{resourceName}}"
_IDENTITIES_VERSION = "2023-01-31"

RESOURCE_GROUP = ArmType(
    GROUP,
    "2024-03-01",
    plain("location", "managedBy", "tags"),
    _OWN | plain("properties"),
    forced=frozenset({"location"}),
)
USER_ASSIGNED_IDENTITY = ArmType(
    _IDENTITY,
    _IDENTITIES_VERSION,
    plain("location", "tags"),
    _OWN | plain("clientId", "principalId", "tenantId", within="properties"),
    forced=frozenset({"location"}),
)
FEDERATED_IDENTITY_CREDENTIAL = ArmType(
    f"{_IDENTITY}/federatedIdentityCredentials/{{federatedIdentityCredentialResourceName}}",
    _IDENTITIES_VERSION,
    plain("audiences", "issuer", "subject", within="properties"),
    _OWN,
)
ROLE_ASSIGNMENT = ArmType(
    "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    "2022-04-01",
    plain(
        "condition",
        "conditionVersion",
        "description",
        "principalId",
        "principalType",
        "roleDefinitionId",
        within="properties",
    ),
    _OWN | plain("createdBy", "createdOn", "updatedBy", "updatedOn", within="properties"),
    forced=frozenset({"principalId"}),
)


def get_client_config(clients: Clients, args: Properties) -> Properties:
    """Tell who asks: `azure-native:authorization:getClientConfig`."""
    claims = clients.claims
    return {
        "clientId": claims["appid"],
        "objectId": claims["oid"],
        "subscriptionId": clients.subscription,
        "tenantId": claims["tid"],
    }
