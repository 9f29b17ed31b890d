"""Custom roles of projects: made, read, listed, changed and deleted.

Source: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.roles. Leaves out roles of organisations,
predefined roles (whose whole list of permissions isn't known here), restoring, and lists of several pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from recording_storage.evaluation.google.roles import PERMISSIONS
from recording_storage.sandbox.google.errors import already_exists, invalid, not_found
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.world import CustomRole
from recording_storage.sandbox.rest import ANY, Request, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.world import Project, World

    Json = dict[str, Any]
    Names = Mapping[str, str]

ID = re.compile(r"[A-Za-z0-9_.]{3,64}")
STAGES = ("ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP")
_MANY = "/v1/projects/{project}/roles"
_ONE = _MANY + "/{role}"


class CustomRoles:
    """The part of iam.googleapis.com that knows roles."""

    def __init__(self, world: World, access: Access) -> None:
        self._world = world
        self._access = access
        self.routes = Routes(
            ("POST", _MANY, self._create),
            ("GET", _MANY, self._list),
            ("GET", _ONE, self._get),
            ("PATCH", _ONE, self._patch),
            ("DELETE", _ONE, self._delete),
            ("POST", _ONE + ":undelete", None),
            (ANY, "/v1/roles", None),
            (ANY, "/v1/roles/{role}", None),
            (ANY, "/v1/organizations/{organization}/roles", None),
            (ANY, "/v1/organizations/{organization}/roles/{role}", None),
        )

    def _create(self, request: Request, who: Principal, names: Names) -> Json:
        project, body = self._permitted(who, "create", names), request.json()
        id_ = str(body.get("roleId", ""))
        if not ID.fullmatch(id_):
            raise invalid("The role ID must be 3 to 64 characters of [a-zA-Z0-9_.].")
        if id_ in project.roles:
            raise already_exists(f"A role named {id_} in projects/{project.id} already exists.")
        said = cast("Json", body.get("role") or {})
        made = project.roles[id_] = CustomRole(f"projects/{project.id}/roles/{id_}")
        _say(made, said, tuple(said))
        return _to_json(made)

    def _list(self, request: Request, who: Principal, names: Names) -> Json:
        project = self._permitted(who, "list", names)
        whole = request.query.get("view") == "FULL"
        return {"roles": [_to_json(one, whole=whole) for one in project.roles.values()]}

    def _get(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        return _to_json(self._one(who, "get", names))

    def _patch(self, request: Request, who: Principal, names: Names) -> Json:
        role, said = self._one(who, "update", names), request.json()
        mask = tuple(filter(None, request.query.get("updateMask", "").split(","))) or tuple(said)
        _say(role, said, mask)
        return _to_json(role)

    def _delete(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        role = self._one(who, "delete", names)
        del self._world.project(names["project"]).roles[names["role"]]
        return _to_json(role) | {"deleted": True}

    def _permitted(self, who: Principal, verb: str, names: Names) -> Project:
        project = self._world.project(names["project"])
        self._access.require(who, f"iam.roles.{verb}", project)
        return project

    def _one(self, who: Principal, verb: str, names: Names) -> CustomRole:
        role = self._permitted(who, verb, names).roles.get(names["role"])
        if role is None:
            raise not_found(f"The role named {names['role']} was not found.")
        return role


def _say(role: CustomRole, said: Json, mask: tuple[str, ...]) -> None:
    permissions = [str(one) for one in cast("list[Any]", said.get("includedPermissions") or [])]
    unknown = [one for one in permissions if one not in PERMISSIONS]
    if unknown:
        raise Undecided(f"a role with {', '.join(unknown)}")
    if str(said.get("stage", "GA")) not in STAGES:
        raise invalid(f"Invalid stage: {said['stage']}")
    if "includedPermissions" in mask:
        role.permissions = frozenset(permissions)
    for field in ("title", "description", "stage"):
        if field in mask:
            setattr(role, field, str(said.get(field, "")))


def _to_json(role: CustomRole, *, whole: bool = True) -> Json:
    return {
        "name": role.name,
        "title": role.title,
        "description": role.description,
        "stage": role.stage,
        "etag": "BwYAAAAAAAA=",
        **({"includedPermissions": sorted(role.permissions)} if whole and role.permissions else {}),
    }
