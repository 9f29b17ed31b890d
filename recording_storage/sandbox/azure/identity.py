"""The identities that a resource has: one of its own, and managed ones that are assigned to it.

Source: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure.directory import MANAGED_IDENTITY, ServicePrincipal, new_id
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.world import ManagedIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.places import Places
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import StorageAccount, Tenant, World

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
KINDS = ("None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned")


def assign(places: Places, who: Principal, to: StorageAccount, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a resource's `identity` says from now on; `who` must be permitted to assign what is named."""
    kind = str(said.get("type", "")).replace(" ", "")
    if kind not in KINDS:
        raise ArmError(400, "InvalidIdentityType", f"The identity type '{kind}' is not valid.")
    found: dict[str, Any] = {"type": kind}
    tenant, own = to.group.subscription.tenant, to.identity.get("principalId", "")
    if "SystemAssigned" in kind:
        own = own or _own(tenant, to, places.world).id
        found |= {"principalId": own, "tenantId": tenant.id}
    elif own:
        tenant.directory.all_principals.pop(own, None)
    if "UserAssigned" in kind.split(","):
        # What is there already stays, unless it is said to be null.
        asked: dict[str, Any] = said.get("userAssignedIdentities") or {}
        named = [
            one
            for one in {**to.identity.get("userAssignedIdentities", {}), **asked}
            if asked.get(one, {}) is not None
        ]
        found["userAssignedIdentities"] = {one: _assigned(places, who, one) for one in named}
    return found


def _own(tenant: Tenant, of: StorageAccount, world: World) -> ServicePrincipal:
    made = ServicePrincipal(new_id(), of.name, world.now(), MANAGED_IDENTITY)
    return tenant.directory.add_principal(made)


def _assigned(places: Places, who: Principal, identity_id: str) -> dict[str, str]:
    places.access.require(who, ASSIGN, identity_id)
    for identity in places.world.resources(ManagedIdentity):
        if identity.id.lower() == identity_id.lower():
            return {"principalId": identity.principal.id, "clientId": identity.principal.app_id}
    raise ArmError(
        400,
        "FailedIdentityOperation",
        f"Identity operation for resource failed with error 'Failed to perform resource identity operation. Status: "
        f"'BadRequest'. Response: 'Resource '{identity_id}' was not found.''",
        because=f"there is no managed identity {identity_id}",
    )
