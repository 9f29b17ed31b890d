"""What a rehearsal assumes to exist, made for the occasion: without a request, since nobody in the sandbox made it.

What may be done with it is judged as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.azure.assignments import Denial
from recording_storage.evaluation.azure.roles import Permissions
from recording_storage.sandbox.azure import (
    federation,
    identities,
    key_vaults,
    roles,
    storage_accounts,
    vault_keys,
)
from recording_storage.sandbox.azure.directory import Application, ServicePrincipal
from recording_storage.sandbox.azure.principals import Principal
from recording_storage.sandbox.azure.world import (
    Container,
    Key,
    ManagedIdentity,
    Resource,
    ResourceGroup,
    RoleAssignment,
    StorageAccount,
    Vault,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.directory import Directory, FederatedCredential
    from recording_storage.sandbox.azure.world import Subscription, Tenant, World

LOCATION = "westeurope"


def subscription(world: World, subscription_id: str, tenant_id: str, name: str = "Sandbox") -> Subscription:
    """Let a subscription exist, and its tenant; what exists stays as it is."""
    return world.add_subscription(subscription_id, world.add_tenant(tenant_id), name)


def resource_group(of: Subscription, name: str, location: str = LOCATION) -> ResourceGroup:
    """Let a resource group exist; one that exists stays as it is."""
    return of.groups.setdefault(name.lower(), ResourceGroup(of, name, location))


def storage_account(
    world: World,
    group: ResourceGroup,
    name: str,
    *,
    location: str = "",
    sku: str = "Standard_LRS",
    kind: str = "StorageV2",
    identity: Mapping[str, Any] | None = None,
    **properties: Any,
) -> StorageAccount:
    """Let a storage account exist; `properties` are named as in the API."""
    found = world.storage_account(name)
    if found is None:
        replication = {"name": sku, "tier": sku.partition("_")[0]}
        found = storage_accounts.make(
            group, name, location or group.location, world.now(), sku=replication, kind=kind, given=properties
        )
        found.identity = dict(identity or {})
        _put(group, found)
    return found


def container(world: World, account: StorageAccount, name: str, **properties: Any) -> Container:
    """Let a container exist; one that exists stays as it is."""
    return account.containers.get(name) or account.add_container(name, world.now(), **properties)


def application(
    world: World, tenant: Tenant, name: str, app_id: str = "", *credentials: FederatedCredential, **said: Any
) -> Application:
    """Let an application exist, with its service principal; one that has the client id stays as it is."""
    found = tenant.directory.application(app_id) if app_id else None
    if found is None:
        found = Application(name, world.now(), dict(said), list(credentials))
        found.app_id = app_id.lower() or found.app_id
        tenant.directory.add_application(found)
    if tenant.directory.principal(found.app_id) is None:
        tenant.directory.add_principal(ServicePrincipal(found.app_id, name, world.now()))
    return found


def federated_credential(
    name: str,
    issuer: str,
    subject: str,
    audience: str = federation.AUDIENCE,
    *,
    description: str = "",
    id_: str = "",
) -> FederatedCredential:
    """A federated credential, for an application or a managed identity."""
    said = {"issuer": issuer, "subject": subject, "audiences": [audience], "description": description}
    made = federation.make(name, said)
    made.id = id_.lower() or made.id
    return made


def service_principal(
    world: World, tenant: Tenant, object_id: str, name: str = "somebody"
) -> ServicePrincipal:
    """Let a service principal with this object id exist, with an application of its own: a reader, for one."""
    found = tenant.directory.all_principals.get(object_id.lower())
    if found is None:
        registered = tenant.directory.add_application(Application(name, world.now()))
        found = ServicePrincipal(registered.app_id, name, world.now(), id=object_id.lower())
        tenant.directory.add_principal(found)
    return found


def managed_identity(
    world: World, group: ResourceGroup, name: str, *credentials: FederatedCredential
) -> ManagedIdentity:
    """Let a managed identity exist; one that exists stays as it is."""
    found = _find(ManagedIdentity, group, name)
    if found is None:
        found = identities.make(group, name, group.location, world.now())
        found.credentials += credentials
        _put(group, found)
    return found


def vault(world: World, group: ResourceGroup, name: str, **properties: Any) -> Vault:
    """Let a key vault exist, in which roles decide, and which is protected; one that exists stays as it is."""
    found = world.vault(name)
    if found is None:
        usual = {
            "tenantId": group.subscription.tenant.id,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            "enablePurgeProtection": True,
        }
        found = key_vaults.make(group, name, group.location, world.now(), usual | properties)
        _put(group, found)
    return found


def key(world: World, of: Vault, name: str) -> Key:
    """Let a key exist; one that exists stays as it is."""
    made = of.keys.get(name.lower()) or vault_keys.change(
        of, name, {"properties": {"kty": "RSA"}}, world.now()
    )
    return of.keys.setdefault(name.lower(), made)


def assign(world: World, role: str, object_id: str, scope: str) -> RoleAssignment:
    """Let a role be assigned, by its name, to whomever: whether there is somebody with the id isn't looked at."""
    made = RoleAssignment(
        scope,
        roles.named(role).id,
        object_id.lower(),
        {"principalType": "ServicePrincipal"},
        created=world.now(),
    )
    world.assignments.append(made)
    return made


def deny(world: World, name: str, scope: str, principal: tuple[str, str], *data_actions: str) -> Denial:
    """Let a deny assignment exist, as Azure itself makes one; `principal`: its id and its type."""
    made = Denial(name, scope, (Permissions(data_actions=data_actions),), (principal,))
    world.denials.append(made)
    return made


def permitted(directory: Directory, object_id: str, *permissions: str) -> None:
    """Let somebody have permissions of Graph's, and no others."""
    directory.permissions[object_id.lower()] = set(permissions)


def administrator(directory: Directory, object_id: str) -> None:
    """Let somebody do everything in a directory."""
    directory.administrators.add(object_id.lower())


def acting_as(of: Application | ManagedIdentity, tenant: Tenant) -> Principal:
    """An application or a managed identity as who asks for something."""
    if isinstance(of, ManagedIdentity):
        return Principal(of.principal.id, of.principal.app_id, tenant.id)
    own = tenant.directory.principal(of.app_id)
    if own is None:
        raise LookupError(f"{of.display_name} has no service principal")
    return Principal(own.id, own.app_id, tenant.id)


def _find(kind: type[ManagedIdentity], group: ResourceGroup, name: str) -> ManagedIdentity | None:
    found = group.resources.get(f"{group.id}/providers/{kind.type}/{name}".lower())
    return found if isinstance(found, kind) else None


def _put(group: ResourceGroup, made: Resource) -> None:
    group.resources[made.id.lower()] = made
