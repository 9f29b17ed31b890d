"""`getIamPolicy`, `setIamPolicy` and `testIamPermissions`, as all of Google's services but Cloud Storage have them.

Source: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/setIamPolicy and its like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from recording_storage.sandbox.google.errors import invalid
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access, Resource
    from recording_storage.sandbox.google.http import Handler
    from recording_storage.sandbox.rest import Request

VERSION = "options.requestedPolicyVersion"
MASK = {"bindings", "etag", "version", "auditConfigs"}
"""What a mask may name: all of it is replaced, and audit configurations there are none."""
MAX_PERMISSIONS = 100


class PolicyMethods:
    """The three methods of one type of resource, whose permissions begin with `permissions`."""

    def __init__(self, access: Access, permissions: str) -> None:
        self._access = access
        self._permissions = permissions

    def routes(
        self,
        template: str,
        find: Callable[[Mapping[str, str]], Resource],
        get: tuple[str, ...] = ("POST",),
    ) -> list[tuple[str, str, Handler]]:
        """The table's lines for resources at `template`; `get` are the methods with which a policy is read."""

        def get_policy(request: Request, who: Principal, names: Mapping[str, str]) -> object:
            resource = find(names)
            self._access.require(who, f"{self._permissions}.getIamPolicy", resource)
            return resource.policy.to_json(_requested(request))

        def set_policy(request: Request, who: Principal, names: Mapping[str, str]) -> object:
            resource, body = find(names), request.json()
            self._access.require(who, f"{self._permissions}.setIamPolicy", resource)
            policy = body.get("policy")
            if not isinstance(policy, dict):
                raise invalid("Invalid JSON payload received. The field policy is required.")
            if not set(filter(None, str(body.get("updateMask", "")).replace(" ", "").split(","))) <= MASK:
                raise Undecided(f"a policy that is set with the mask {body['updateMask']}")
            resource.policy.replace(cast("dict[str, Any]", policy))
            return resource.policy.to_json(resource.policy.version)

        def test_permissions(request: Request, who: Principal, names: Mapping[str, str]) -> object:
            resource = find(names)
            asked = list(map(str, cast("list[Any]", request.json().get("permissions") or [])))
            if len(asked) > MAX_PERMISSIONS or any("*" in one for one in asked):
                raise invalid(
                    f"At most {MAX_PERMISSIONS} permissions can be tested, and none with wildcards."
                )
            held = [one for one in asked if self._access.allowed(who, one, resource)]
            return {"permissions": held} if held else {}

        return [
            *[(method, f"{template}:getIamPolicy", get_policy) for method in get],
            ("POST", f"{template}:setIamPolicy", set_policy),
            ("POST", f"{template}:testIamPermissions", test_permissions),
        ]


def _requested(request: Request) -> int:
    """The version that is asked for, in the query or in the body."""
    options: Any = request.json().get("options") or {}
    asked = request.query.get(VERSION) or options.get("requestedPolicyVersion") or 0
    try:
        return int(asked)
    except ValueError:
        raise invalid(f"Invalid policy version: {asked}") from None
