"""Subscriptions, tenants, resource providers and resource groups.

Sources: https://learn.microsoft.com/rest/api/resources/resource-groups,
https://learn.microsoft.com/rest/api/resources/subscriptions,
https://learn.microsoft.com/rest/api/resources/providers. Leaves out deployments, locks, moves and templates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.azure.scopes import is_within
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.places import GROUP, SUBSCRIPTION, Line, Places, location, tags
from recording_storage.sandbox.azure.world import (
    ALWAYS_REGISTERED,
    PROVIDERS,
    ResourceGroup,
    StorageAccount,
)
from recording_storage.sandbox.rest import Response, Routes, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.operations import Operations
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import Resource, Subscription, Tenant
    from recording_storage.sandbox.rest import Request

_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_NAME = re.compile(r"[\w.()-]{1,90}(?<!\.)")
_TYPE_FILTER = re.compile(r"resourceType eq '([^']+)'", re.IGNORECASE)
_TYPES: Mapping[str, tuple[str, ...]] = {
    "Microsoft.Storage": ("storageAccounts", "storageAccounts/blobServices", "checkNameAvailability"),
    "Microsoft.Authorization": ("roleAssignments", "roleDefinitions"),
    "Microsoft.ManagedIdentity": ("userAssignedIdentities",),
    "Microsoft.KeyVault": ("vaults", "deletedVaults", "checkNameAvailability"),
    "Microsoft.Resources": ("resourceGroups", "subscriptions"),
}


class Groups:
    """What is above the resources themselves."""

    def __init__(self, places: Places, operations: Operations) -> None:
        self._places = places
        self._world = places.world
        self._access = places.access
        self._operations = operations
        reads = "Microsoft.Resources/subscriptions/read"
        self.open_routes = Routes["Principal"](
            ("GET", "/subscriptions", self._list_subscriptions),
            ("GET", "/tenants", self._list_tenants),
            ("GET", "/providers", None),
            ignore_case=True,
        )
        self.routes = places.routes(
            Line("GET", SUBSCRIPTION, "", reads, self._get_subscription),
            Line("GET", SUBSCRIPTION, "/locations", reads, None),
            Line("GET", SUBSCRIPTION, "/providers", reads, self._list_providers),
            Line("GET", SUBSCRIPTION, "/providers/{namespace}", reads, self._get_provider),
            Line(
                "POST",
                SUBSCRIPTION,
                "/providers/{namespace}/register",
                "Microsoft.Resources/subscriptions/providers/register/action",
                self._register,
            ),
            Line(
                "POST",
                SUBSCRIPTION,
                "/providers/{namespace}/unregister",
                "Microsoft.Resources/subscriptions/providers/unregister/action",
                self._unregister,
            ),
            Line("GET", SUBSCRIPTION, "/resourceGroups", f"{_GROUPS}/read", self._list_groups),
            Line(
                "GET",
                SUBSCRIPTION,
                "/resources",
                "Microsoft.Resources/subscriptions/resources/read",
                self._list,
            ),
            Line("PUT", GROUP, "", f"{_GROUPS}/write", self._put),
            Line("PATCH", GROUP, "", f"{_GROUPS}/write", self._patch),
            Line("GET", GROUP, "", f"{_GROUPS}/read", self._get),
            Line("HEAD", GROUP, "", f"{_GROUPS}/read", self._head),
            Line("DELETE", GROUP, "", f"{_GROUPS}/delete", self._delete),
            Line("GET", GROUP, "/resources", f"{_GROUPS}/resources/read", self._list),
        )

    # Subscriptions and tenants

    def _list_subscriptions(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, names
        directory = self._world.tenants[who.tenant].directory
        own = {who.object_id, *directory.memberships(who.object_id)}
        assigned = [one.scope for one in self._world.assignments if one.principal_id in own]
        found = [
            one
            for one in self._world.subscriptions.values()
            if one.tenant.id == who.tenant
            and any(is_within(scope, one.scope) or scope == "/" for scope in assigned)
        ]
        count = {"type": "Total", "value": len(found)}
        return {"value": [_subscription(one) for one in found], "count": count}

    def _get_subscription(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        return _subscription(self._places.subscription(names["subscription"]))

    def _list_tenants(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, names
        return {"value": [_tenant(self._world.tenants[who.tenant])]}

    # Resource providers

    def _list_providers(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        subscription = self._places.subscription(names["subscription"])
        known = dict.fromkeys([*PROVIDERS, *ALWAYS_REGISTERED, *sorted(subscription.registered)])
        return {"value": [_provider(subscription, one) for one in known]}

    def _get_provider(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        return _provider(self._places.subscription(names["subscription"]), _namespace(names))

    def _register(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        subscription, namespace = self._places.subscription(names["subscription"]), _namespace(names)
        answer = _provider(subscription, namespace)
        if answer["registrationState"] != "Registered":
            answer["registrationState"] = "Registering"
        subscription.registered.add(namespace)
        return answer

    def _unregister(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        subscription, namespace = self._places.subscription(names["subscription"]), _namespace(names)
        subscription.registered.discard(namespace)
        return _provider(subscription, namespace)

    # Resource groups

    def _list_groups(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        if request.query.get("$filter"):
            raise Undecided(f"resource groups with {request.query['$filter']}")
        groups = self._places.subscription(names["subscription"]).groups
        return {"value": [_group(one) for one in groups.values()]}

    def _put(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del who
        said, subscription = request.json(), self._places.subscription(names["subscription"])
        asked, name = location(said), names["group"]
        if not _NAME.fullmatch(name):
            raise ArmError(
                400,
                "InvalidParameter",
                f"The resource group name '{name}' is not valid: it can contain letters, digits, underscores, hyphens, "
                "periods and parentheses, at most 90, and can't end with a period.",
            )
        found = subscription.groups.get(name.lower())
        if found is None:
            made = ResourceGroup(subscription, name, asked, tags(said), said.get("managedBy"))
            subscription.groups[name.lower()] = made
            return Response.of(_group(made), 201)
        if found.location != asked:
            raise ArmError(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{asked}'. The Resource group already exists in location "
                f"'{found.location}'.",
            )
        found.tags = tags(said)
        return Response.of(_group(found))

    def _patch(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        found, said = self._places.group(names), request.json()
        if "tags" in said:
            found.tags = tags(said)
        return _group(found)

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        return _group(self._places.group(names))

    def _head(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        subscription = self._places.subscription(names["subscription"])
        return Response(204 if names["group"].lower() in subscription.groups else 404)

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        """Whatever is in it goes with it."""
        del who
        found = self._places.group(names)
        for resource in list(found.resources.values()):
            self._world.remove(resource)
        del found.subscription.groups[found.name.lower()]
        self._world.remove_assignments(found.id)
        return self._operations.begin(found.subscription, Response, request.query["api-version"])

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        subscription = self._places.subscription(names["subscription"])
        groups = [self._places.group(names)] if "group" in names else list(subscription.groups.values())
        wanted = request.query.get("$filter", "")
        kind = _TYPE_FILTER.fullmatch(wanted)
        if wanted and kind is None:
            raise Undecided(f"resources with {wanted}")
        found = [one for group in groups for one in group.resources.values()]
        return {
            "value": [_resource(one) for one in found if kind is None or kind[1].lower() == one.type.lower()]
        }


def _namespace(names: Mapping[str, str]) -> str:
    known = {one.lower(): one for one in (*PROVIDERS, *ALWAYS_REGISTERED)}
    return known.get(names["namespace"].lower(), names["namespace"])


def _provider(subscription: Subscription, namespace: str) -> dict[str, Any]:
    registered = namespace in subscription.registered or namespace in ALWAYS_REGISTERED
    return {
        "id": f"{subscription.scope}/providers/{namespace}",
        "namespace": namespace,
        "resourceTypes": [
            {"resourceType": one, "locations": [], "apiVersions": []} for one in _TYPES.get(namespace, ())
        ],
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationFree"
        if namespace in ALWAYS_REGISTERED
        else "RegistrationRequired",
    }


def _subscription(found: Subscription) -> dict[str, Any]:
    return {
        "id": found.scope,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": found.id,
        "tenantId": found.tenant.id,
        "displayName": found.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _tenant(found: Tenant) -> dict[str, Any]:
    return {
        "id": f"/tenants/{found.id}",
        "tenantId": found.id,
        "displayName": found.name,
        "defaultDomain": found.domain,
        "domains": [found.domain],
        "tenantCategory": "Home",
        "tenantType": "AAD",
    }


def _group(found: ResourceGroup) -> dict[str, Any]:
    managed = {"managedBy": found.managed_by} if found.managed_by else {}
    return {
        "id": found.id,
        "name": found.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": found.location,
        "tags": found.tags,
        **managed,
        "properties": {"provisioningState": "Succeeded"},
    }


def _resource(found: Resource) -> dict[str, Any]:
    said = {
        "id": found.id,
        "name": found.name,
        "type": found.type,
        "location": found.location,
        "tags": found.tags,
    }
    return said | ({"kind": found.kind, "sku": found.sku} if isinstance(found, StorageAccount) else {})
