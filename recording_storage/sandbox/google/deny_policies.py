"""Deny policies of projects, as IAM's v2 shows them: listed without their rules, and read.

Source: https://docs.cloud.google.com/iam/docs/reference/rest/v2/policies. They are made for the occasion
(`occasion.deny`): setting one is for who administers an organisation, who isn't in the sandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from recording_storage.sandbox.google.errors import not_found
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.rest import ANY, Request, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.world import Project, World

    Names = Mapping[str, str]

PROJECTS = "cloudresourcemanager.googleapis.com/projects/"
_MANY = "/v2/policies/{attachment}/denypolicies"


class DenyPolicies:
    """The part of iam.googleapis.com that knows deny policies."""

    def __init__(self, world: World, access: Access) -> None:
        self._world = world
        self._access = access
        self.routes = Routes(
            ("GET", _MANY, self._list),
            ("GET", _MANY + "/{policy}", self._get),
            (ANY, _MANY, None),
            (ANY, _MANY + "/{policy}", None),
        )

    def _list(self, request: Request, who: Principal, names: Names) -> dict[str, Any]:
        del request
        found = self._project(who, "list", names).deny_policies.values()
        return {"policies": [{name: one[name] for name in one if name != "rules"} for one in found]}

    def _get(self, request: Request, who: Principal, names: Names) -> dict[str, Any]:
        del request
        found = self._project(who, "get", names).deny_policies.get(names["policy"])
        if found is None:
            raise not_found("Requested entity was not found.", because=f"there is no {names['policy']}")
        return found

    def _project(self, who: Principal, verb: str, names: Names) -> Project:
        attachment = unquote(names["attachment"])
        if not attachment.startswith(PROJECTS):
            raise Undecided(f"deny policies of {attachment}")
        project = self._world.project(attachment.removeprefix(PROJECTS))
        self._access.require(who, f"iam.denypolicies.{verb}", project)
        return project
