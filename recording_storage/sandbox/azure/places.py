"""Where in Resource Manager a request goes, and whether who sends it may.

Who may not is refused before it is looked whether there is such a thing, as Resource Manager does it.

Source: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.world import ALWAYS_REGISTERED, Resource
from recording_storage.sandbox.rest import Response, Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import ResourceGroup, Subscription, World
    from recording_storage.sandbox.rest import Request

    Handler = Callable[[Request, Principal, Mapping[str, str]], object]

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
_VARIABLE = re.compile(r"\{(\w+)(?:=[^}]*)?\}")
_Kind = TypeVar("_Kind", bound=Resource)


class Line(NamedTuple):
    """A method at a scope, with what follows it; the action is what who asks must be permitted there."""

    method: str
    scope: str
    tail: str
    action: str
    handler: Handler | None


class Places:
    """Finds what a path's names name."""

    def __init__(self, world: World, access: Access) -> None:
        self.world = world
        self.access = access

    def routes(self, *lines: Line) -> Routes[Principal]:
        """A table whose handlers are only reached by who may."""
        return Routes(
            *[
                (
                    line.method,
                    line.scope + line.tail,
                    line.handler and partial(self._guarded, line, line.handler),
                )
                for line in lines
            ],
            ignore_case=True,
        )

    def _guarded(
        self, line: Line, handler: Handler, request: Request, who: Principal, names: Mapping[str, str]
    ) -> object:
        scope = _VARIABLE.sub(lambda variable: names[variable[1]], line.scope) or "/"
        subscription = self.check_tenant(who, scope)
        if subscription is not None:
            _check_registered(line.action.partition("/")[0], subscription)
        self.access.require(who, line.action, scope)
        return handler(request, who, names)

    def check_tenant(self, who: Principal, scope: str) -> Subscription | None:
        """The subscription that a scope is in, if it is in one; raises `ArmError` for who is of another tenant."""
        parts = scope.split("/")
        if parts[1].lower() != "subscriptions":
            return None
        found = self.subscription(parts[2])
        if found.tenant.id != who.tenant:
            raise ArmError(
                401,
                "InvalidAuthenticationTokenTenant",
                f"The access token is from the wrong issuer 'https://sts.windows.net/{who.tenant}/'. It must match "
                f"the tenant 'https://sts.windows.net/{found.tenant.id}/' associated with this subscription. Please "
                f"use the authority (URL) 'https://login.windows.net/{found.tenant.id}' to get the token.",
                because=f"{who} is of the tenant {who.tenant}, and the subscription trusts {found.tenant.id}",
            )
        return found

    def subscription(self, subscription_id: str) -> Subscription:
        """The subscription with this id."""
        found = self.world.subscriptions.get(subscription_id.lower())
        if found is None:
            raise ArmError(
                404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found."
            )
        return found

    def group(self, names: Mapping[str, str]) -> ResourceGroup:
        """The resource group that is named."""
        subscription = self.subscription(names["subscription"])
        found = subscription.groups.get(names["group"].lower())
        if found is None:
            raise ArmError(
                404, "ResourceGroupNotFound", f"Resource group '{names['group']}' could not be found."
            )
        return found

    def find(self, kind: type[_Kind], names: Mapping[str, str]) -> _Kind | None:
        """The resource that is named, if there is one in this group."""
        group = self.group(names)
        found = group.resources.get(f"{group.id}/providers/{kind.type}/{names['name']}".lower())
        return found if isinstance(found, kind) else None

    def delete(self, kind: type[_Kind], names: Mapping[str, str]) -> Response:
        """Delete the resource that is named; that there is none is no error."""
        found = self.find(kind, names)
        if found is None:
            return Response(204)
        self.world.remove(found)
        return Response(200)

    def resource(self, kind: type[_Kind], names: Mapping[str, str]) -> _Kind:
        """The resource that is named."""
        found = self.find(kind, names)
        if found is None:
            raise ArmError(
                404,
                "ResourceNotFound",
                f"The Resource '{kind.type}/{names['name']}' under resource group '{names['group']}' was not found. "
                "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
                because=f"there is no {names['name']} in the resource group {names['group']}",
            )
        return found


def location(said: Mapping[str, object]) -> str:
    """The place that a body names, as it is written everywhere else: `West Europe` is `westeurope`.

    Which places there are isn't known here.
    """
    value = said.get("location")
    if not isinstance(value, str) or not value.strip():
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    return value.replace(" ", "").lower()


def check_location(existing: Resource, asked: str) -> None:
    """Raise `ArmError` where an existing resource would have to move."""
    if existing.location != asked:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{existing.name}' already exists in location '{existing.location}' in resource group "
            f"'{existing.group.name}'. A resource with the same name cannot be created in location '{asked}'. Please "
            "select a new resource name.",
        )


def tags(said: Mapping[str, Any]) -> dict[str, str]:
    """The tags that a body gives."""
    return {name: str(value) for name, value in given(said, "tags").items()}


def properties(said: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that a body gives; those that are null count as not given."""
    return given(said, "properties")


def given(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object in a body, without what is null in it; where there is none, an empty one."""
    value = said.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ArmError(400, "InvalidRequestContent", f"The property '{name}' must be an object.")
    return {one: what for one, what in cast("dict[str, Any]", value).items() if what is not None}


def _check_registered(namespace: str, subscription: Subscription) -> None:
    if namespace not in subscription.registered and namespace not in ALWAYS_REGISTERED:
        raise ArmError(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for "
            "how to register subscriptions.",
            because=f"the resource provider {namespace} isn't registered in the subscription {subscription.id}",
        )
