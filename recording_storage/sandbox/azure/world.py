"""What there is in the sandbox's Azure: tenants with their directories, subscriptions, and what is in these.

Everything of Resource Manager's has an id (`/subscriptions/…`), which is the scope of who may do what with it; ids
are compared without regard to case
(https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules). Leaves out management
groups.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from recording_storage.evaluation.azure.assignments import Assignment
from recording_storage.evaluation.azure.scopes import is_within
from recording_storage.sandbox.azure import roles
from recording_storage.sandbox.azure.directory import (
    Directory,
    FederatedCredential,
    ServicePrincipal,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.evaluation.azure.assignments import Denial
    from recording_storage.sandbox.azure.roles import Role

STORAGE = "Microsoft.Storage/storageAccounts"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
VAULT = "Microsoft.KeyVault/vaults"
PROVIDERS = (
    "Microsoft.Storage",
    "Microsoft.Authorization",
    "Microsoft.ManagedIdentity",
    "Microsoft.KeyVault",
)
"""Resource providers that the stand-in stands in for, and that a subscription has registered from the start."""
ALWAYS_REGISTERED = ("Microsoft.Authorization", "Microsoft.Resources")


def utc(moment: datetime) -> str:
    """A moment as Azure writes it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


@dataclass(eq=False)
class Tenant:
    """An Entra tenant."""

    id: str
    domain: str
    name: str = "Sandbox"
    directory: Directory = field(default_factory=Directory)


@dataclass(eq=False)
class Subscription:
    """A subscription; it trusts one tenant."""

    id: str
    tenant: Tenant
    name: str = "Sandbox"
    groups: dict[str, ResourceGroup] = field(default_factory=dict[str, "ResourceGroup"])
    """By name in lower case."""
    registered: set[str] = field(default_factory=lambda: set(PROVIDERS))
    """Names of resource providers."""

    @property
    def scope(self) -> str:
        """`/subscriptions/ID`."""
        return f"/subscriptions/{self.id}"


@dataclass(eq=False)
class ResourceGroup:
    """A resource group and the resources in it."""

    subscription: Subscription
    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict[str, str])
    managed_by: str | None = None
    resources: dict[str, Resource] = field(default_factory=dict[str, "Resource"])
    """By id in lower case."""

    @property
    def id(self) -> str:
        """`/subscriptions/ID/resourceGroups/NAME`."""
        return f"{self.subscription.scope}/resourceGroups/{self.name}"


@dataclass(eq=False)
class Resource:
    """What is in a resource group."""

    group: ResourceGroup
    name: str
    location: str
    created: datetime
    tags: dict[str, str] = field(default_factory=dict[str, str])
    properties: dict[str, Any] = field(default_factory=dict[str, Any])
    """Named as in the API."""
    type = ""

    @property
    def id(self) -> str:
        """`/subscriptions/ID/resourceGroups/GROUP/providers/TYPE/NAME`."""
        return f"{self.group.id}/providers/{self.type}/{self.name}"


@dataclass(eq=False)
class Container:
    """A blob container."""

    account: StorageAccount
    name: str
    modified: datetime
    properties: dict[str, Any] = field(default_factory=dict[str, Any])
    """`publicAccess` (`None`, `Blob` or `Container`), `metadata` and what else is said of it, as in the API."""
    etag: str = field(default_factory=lambda: f'"0x8D{secrets.token_hex(7).upper()[:13]}"')
    deleted: datetime | None = None
    key: str = field(default_factory=new_id)
    """Tells it from others of its name, before and after."""

    @property
    def id(self) -> str:
        """The scope at which a role for this container alone is assigned."""
        return f"{self.account.id}/blobServices/default/containers/{self.name}"

    @property
    def public_access(self) -> str:
        """`None`, `Blob` or `Container`."""
        return self.properties.get("publicAccess") or "None"

    def touch(self, now: datetime) -> None:
        """Note that something was changed."""
        self.modified = now
        self.etag = f'"0x8D{secrets.token_hex(7).upper()[:13]}"'


@dataclass(eq=False)
class StorageAccount(Resource):
    """A storage account; its name is taken in all of Azure."""

    sku: dict[str, str] = field(default_factory=dict[str, str])
    kind: str = "StorageV2"
    identity: dict[str, Any] = field(default_factory=dict[str, Any])
    keys: dict[str, str] = field(
        default_factory=lambda: {name: new_account_key() for name in ("key1", "key2")}
    )
    """In Base64, as clients have them."""
    containers: dict[str, Container] = field(default_factory=dict[str, Container])
    """By name, those that aren't deleted."""
    deleted_containers: list[Container] = field(default_factory=list[Container])
    """Those that can still be restored."""
    services: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The properties of `blobServices` and its like, where somebody has said something of them."""
    management_policy: dict[str, Any] | None = None
    type = STORAGE

    @property
    def blob_service(self) -> dict[str, Any]:
        """The blob service's properties: `isVersioningEnabled`, `deleteRetentionPolicy` …, as in the API."""
        return self.services.setdefault("blobServices", {})

    def add_container(self, name: str, now: datetime, **properties: Any) -> Container:
        """Let a container exist."""
        made = Container(self, name, now, dict(properties))
        self.containers[name] = made
        return made

    def remove_container(self, name: str, now: datetime) -> None:
        """Delete a container; it can be restored where the account retains deleted ones."""
        gone = self.containers.pop(name)
        if self.blob_service.get("containerDeleteRetentionPolicy", {}).get("enabled"):
            gone.deleted = now
            self.deleted_containers.append(gone)


@dataclass(eq=False)
class ManagedIdentity(Resource):
    """A user-assigned managed identity: a resource, and a service principal without an application."""

    principal: ServicePrincipal = field(kw_only=True)
    credentials: list[FederatedCredential] = field(default_factory=list[FederatedCredential])
    type = IDENTITY


@dataclass(eq=False)
class Key:
    """A key in a vault, with its versions: the newest is the last."""

    vault: Vault
    name: str
    created: datetime
    properties: dict[str, Any] = field(default_factory=dict[str, Any])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    versions: list[str] = field(default_factory=lambda: [secrets.token_hex(16)])
    public: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """What everybody may know of each version, where somebody has asked."""

    @property
    def id(self) -> str:
        """The scope at which a role for this key alone is assigned."""
        return f"{self.vault.id}/keys/{self.name}"

    @property
    def uri(self) -> str:
        """Its address without a version."""
        return f"https://{self.vault.name.lower()}.vault.azure.net/keys/{self.name}"


@dataclass(eq=False)
class Vault(Resource):
    """A key vault; its name is taken in all of Azure."""

    keys: dict[str, Key] = field(default_factory=dict[str, Key])
    """By name in lower case."""
    deleted: datetime | None = None
    type = VAULT


@dataclass(eq=False)
class RoleAssignment:
    """A role that a principal has at a scope and below it."""

    scope: str
    role: str
    """The role definition's GUID."""
    principal_id: str
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    """`principalType`, `condition`, `description` …, named as in the API."""
    name: str = field(default_factory=new_id)
    created: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    @property
    def id(self) -> str:
        """Its own address."""
        return f"{self.scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{self.name}"

    @property
    def evaluated(self) -> Assignment:
        """As who judges it has it."""
        kind, condition = self.said.get("principalType") or "", self.said.get("condition") or ""
        return Assignment(self.id, self.scope, self.role, self.principal_id, kind, condition)


_Kind = TypeVar("_Kind", bound=Resource)


class World:
    """All of it, and what time it is."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        """How much later it is here than elsewhere: so that what expires can be seen to."""
        self.tenants: dict[str, Tenant] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.assignments: list[RoleAssignment] = []
        self.denials: list[Denial] = []
        """Deny assignments, which nobody makes by a request."""
        self.custom_roles: dict[str, Role] = {}
        """By GUID."""
        self.deleted_vaults: dict[str, Vault] = {}
        """By name in lower case: they can be recovered."""

    def now(self) -> datetime:
        """What time it is."""
        return datetime.now(timezone.utc) + self.ahead

    def role(self, role_id: str) -> Role | None:
        """The role with this GUID, a built-in or a custom one."""
        return roles.find(role_id) or self.custom_roles.get(role_id.lower())

    def tenant(self, ref: str) -> Tenant | None:
        """The tenant with this id or domain."""
        wanted = ref.lower()
        return next((one for one in self.tenants.values() if wanted in (one.id, one.domain)), None)

    def add_tenant(self, tenant_id: str, domain: str = "") -> Tenant:
        """Let a tenant exist; one that exists stays as it is."""
        made = Tenant(tenant_id.lower(), domain or f"{tenant_id[:8]}.onmicrosoft.com")
        return self.tenants.setdefault(made.id, made)

    def add_subscription(self, subscription_id: str, tenant: Tenant, name: str = "Sandbox") -> Subscription:
        """Let a subscription exist; one that exists stays as it is."""
        made = Subscription(subscription_id.lower(), tenant, name)
        return self.subscriptions.setdefault(made.id, made)

    def resources(self, kind: type[_Kind]) -> Iterator[_Kind]:
        """Everything of a kind, in all of Azure."""
        # Copies: blobs are looked after while something is being made elsewhere.
        for subscription in list(self.subscriptions.values()):
            for group in list(subscription.groups.values()):
                yield from (one for one in list(group.resources.values()) if isinstance(one, kind))

    def storage_account(self, name: str) -> StorageAccount | None:
        """The storage account with this name, of whatever subscription."""
        return next((one for one in self.resources(StorageAccount) if one.name == name.lower()), None)

    def vault(self, name: str) -> Vault | None:
        """The vault with this name, of whatever subscription."""
        return next((one for one in self.resources(Vault) if one.name.lower() == name.lower()), None)

    def remove(self, resource: Resource) -> None:
        """Let a resource be gone, with the roles that were assigned at it and below."""
        resource.group.resources.pop(resource.id.lower(), None)
        directory = resource.group.subscription.tenant.directory
        if isinstance(resource, ManagedIdentity):
            directory.all_principals.pop(resource.principal.id, None)
        if isinstance(resource, StorageAccount):
            directory.all_principals.pop(resource.identity.get("principalId", ""), None)
        if isinstance(resource, Vault):
            resource.deleted = self.now()
            self.deleted_vaults[resource.name.lower()] = resource
        self.remove_assignments(resource.id)

    def remove_assignments(self, scope: str) -> None:
        """Let the roles be gone that were assigned at a scope and below it."""
        self.assignments = [one for one in self.assignments if not is_within(one.scope, scope)]


def new_account_key() -> str:
    """A storage account's key."""
    return base64.b64encode(secrets.token_bytes(64)).decode()
