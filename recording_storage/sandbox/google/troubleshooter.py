"""The Policy Troubleshooter: whether somebody has a permission on a resource, by the policies that the caller may see.

Sources: https://docs.cloud.google.com/policy-intelligence/docs/reference/policytroubleshooter/rest/v3/iam/troubleshoot
and https://docs.cloud.google.com/policy-intelligence/docs/troubleshoot-access (whoever may not see a policy is told
that it isn't known). Leaves out the explanation of each binding, and as undecided principals other than people and
service accounts, resources other than buckets and projects, and its older versions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google.principals import service_account, user
from recording_storage.sandbox.google.errors import invalid, not_found
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.place import Place
from recording_storage.sandbox.rest import ANY, Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access, Resource
    from recording_storage.sandbox.google.storage import Storage
    from recording_storage.sandbox.google.world import World

    Json = dict[str, Any]

_BUCKET = re.compile(r"//storage\.googleapis\.com/projects/_/buckets/(?P<bucket>[^/]+)")
_PROJECT = re.compile(r"//cloudresourcemanager\.googleapis\.com/projects/(?P<project>[^/]+)")
_V2 = re.compile(r"(?P<service>[a-z]+)\.googleapis\.com/")
_OVERALL = {
    (True, False): "CAN_ACCESS",
    (False, False): "CANNOT_ACCESS",
    (None, False): "UNKNOWN_INFO",
}


class PolicyTroubleshooter:
    """The service at policytroubleshooter.googleapis.com."""

    def __init__(self, world: World, access: Access, storage: Storage) -> None:
        self._world = world
        self._access = access
        self._storage = storage
        self._routes = Routes(
            ("POST", "/v3/iam:troubleshoot", self._troubleshoot),
            *[(ANY, f"/{version}/iam:troubleshoot", None) for version in ("v1", "v1beta", "v3beta")],
        )

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request."""
        return self._routes.answer(request, who)

    def _troubleshoot(self, request: Request, who: Principal, names: Mapping[str, str]) -> Json:
        del names
        asked: Json = request.json().get("accessTuple") or {}
        missing = [name for name in ("principal", "fullResourceName", "permission") if not asked.get(name)]
        if missing:
            raise invalid(f"Invalid access_tuple: {', '.join(missing)} must be set.")
        principal, permission = self._principal(str(asked["principal"])), str(asked["permission"])
        if _V2.match(permission):
            raise Undecided(f"the permission {permission}")
        resource = self._resource(str(asked["fullResourceName"]))
        granted = self._granted(who, principal, permission, self._as_asked(asked, resource), resource)
        denied = self._denied(who, principal, permission, resource)
        overall = "CANNOT_ACCESS" if denied else _OVERALL.get((granted, denied or False), "UNKNOWN_INFO")
        if denied is None and granted is not False:
            overall = "UNKNOWN_INFO"
        allow = {True: "GRANTED", False: "NOT_GRANTED", None: "UNKNOWN_INFO"}[granted]
        deny = {True: "DENIED", False: "NOT_DENIED", None: "UNKNOWN_INFO"}[denied]
        return {
            "overallAccessState": overall,
            "accessTuple": asked,
            "allowPolicyExplanation": {"allowAccessState": f"ALLOW_ACCESS_STATE_{allow}"},
            "denyPolicyExplanation": {
                "denyAccessState": f"DENY_ACCESS_STATE_{deny}",
                "permissionDeniable": True,
            },
        }

    def _principal(self, email: str) -> Principal:
        if "@" not in email or ":" in email:
            raise Undecided(f"the principal {email}")
        account = self._world.service_account(email.lower())
        if account:
            return service_account(account.email, account.unique_id)
        if email.endswith(".gserviceaccount.com"):
            raise not_found(f"The principal {email} was not found.")
        return user(email)

    def _resource(self, full_name: str) -> Resource:
        bucket, project = _BUCKET.fullmatch(full_name), _PROJECT.fullmatch(full_name)
        if bucket:
            return self._storage.buckets.find(bucket["bucket"])
        if project:
            return self._world.project(project["project"])
        raise Undecided(f"the resource {full_name}")

    def _as_asked(self, asked: Json, resource: Resource) -> Resource:
        """The resource as conditions see it: what the request says of it."""
        context: Json = asked.get("conditionContext") or {}
        said: Json = context.get("resource") or {}
        if not said.get("name"):
            return resource
        name = f"//{said.get('service', '')}/{said['name']}"
        return Place(name, str(said.get("type", resource.type)), resource)

    def _granted(
        self, who: Principal, principal: Principal, permission: str, as_asked: Resource, resource: Resource
    ) -> bool | None:
        """Whether allow policies grant it; None where one that the caller may not see might."""
        place: Resource | None = resource
        unseen = False
        while place is not None:
            reads = "storage.buckets" if place.type.startswith("storage.") else "resourcemanager.projects"
            unseen |= not self._access.allowed(who, f"{reads}.getIamPolicy", place)
            place = place.parent
        return None if unseen else self._access.granted(principal, permission, as_asked).allowed

    def _denied(
        self, who: Principal, principal: Principal, permission: str, resource: Resource
    ) -> bool | None:
        place = resource
        while place.parent is not None:
            place = place.parent
        if not self._access.allowed(who, "iam.denypolicies.list", place):
            return None
        return self._access.denied(principal, permission, resource)[0]
