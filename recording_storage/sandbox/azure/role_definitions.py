"""Role definitions: the built-in ones, which everybody may know, and custom ones.

Sources: https://learn.microsoft.com/rest/api/authorization/role-definitions,
https://learn.microsoft.com/azure/role-based-access-control/custom-roles. Leaves out custom roles with several sets of
permissions, and those of management groups.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.azure.scopes import is_within
from recording_storage.sandbox.azure import roles
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.places import Line, Places, properties
from recording_storage.sandbox.azure.roles import Role
from recording_storage.sandbox.rest import Response, Routes, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.rest import Request

DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
ANY_SCOPE = "/{scope=**}"
GUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_NAME_FILTER = re.compile(r"roleName eq '((?:[^']|'')*)'", re.IGNORECASE)


class RoleDefinitions:
    """What roles there are."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._world = places.world
        tail = f"/providers/{DEFINITIONS}"
        self.open_routes = Routes["Principal"](
            ("GET", tail, self._list), ("GET", f"{tail}/{{id}}", self._get), ignore_case=True
        )

    def lines(self) -> tuple[Line, ...]:
        """What is to be found at which scopes."""
        tail = f"/providers/{DEFINITIONS}"
        return (
            Line("GET", ANY_SCOPE, tail, f"{DEFINITIONS}/read", self._list),
            Line("GET", ANY_SCOPE, f"{tail}/{{id}}", f"{DEFINITIONS}/read", self._get),
            Line("PUT", ANY_SCOPE, f"{tail}/{{id}}", f"{DEFINITIONS}/write", self._put),
            Line("DELETE", ANY_SCOPE, f"{tail}/{{id}}", f"{DEFINITIONS}/delete", self._delete),
        )

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        wanted = request.query.get("$filter", "")
        named = _NAME_FILTER.fullmatch(wanted)
        if (
            wanted
            and named is None
            and wanted.lower() not in ("atscope()", "atscopeandbelow()", "type eq 'builtinrole'")
        ):
            raise Undecided(f"role definitions with {wanted}")
        name = named[1].replace("''", "'") if named else None
        custom = [one for one in self._world.custom_roles.values() if _is_assignable(one, named_scope(names))]
        found = [one for one in (*roles.ROLES, *custom) if name is None or one.name.lower() == name.lower()]
        if name is not None and not found:
            raise Undecided(f"the role {name}, which may be a built-in one")
        return {"value": [one.to_json(named_scope(names)) for one in found]}

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        return self.role(names["id"], named_scope(names)).to_json(named_scope(names))

    def role(self, role_id: str, scope: str) -> Role:
        """The role with this GUID; raises `Undecided` where there may be one that isn't known here."""
        found = self._world.role(role_id)
        if found is None:
            raise Undecided(f"the role definition {role_id} at {scope}, which may be a built-in one")
        return found

    def _put(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        """A custom role: https://learn.microsoft.com/rest/api/authorization/role-definitions/create-or-update."""
        scope, role_id = named_scope(names), names["id"].lower()
        if not GUID.fullmatch(role_id) or roles.find(role_id):
            raise ArmError(
                400, "InvalidRoleDefinitionId", f"The role definition ID '{role_id}' is not valid."
            )
        said = properties(request.json())
        given: list[dict[str, Any]] = said.get("permissions") or []
        places = [str(one) for one in said.get("assignableScopes") or ()]
        if len(given) != 1 or not said.get("roleName") or said.get("type", "CustomRole") != "CustomRole":
            raise Undecided(f"a custom role with {len(given)} sets of permissions, or of another type")
        if not places or not any(is_within(scope, one) for one in places):
            raise ArmError(
                400,
                "InvalidRoleDefinitionScope",
                "The role definition's assignable scopes must include the scope that it is created at.",
            )
        for place in places:
            self._places.access.require(who, f"{DEFINITIONS}/write", place)
        same = [one for one in self._world.custom_roles.values() if one.name == said["roleName"]]
        if any(one.id != role_id for one in same):
            raise ArmError(
                409,
                "RoleDefinitionWithSameNameExists",
                f"A custom role with the same name already exists in this directory: '{said['roleName']}'.",
            )
        kinds = ("actions", "notActions", "dataActions", "notDataActions")
        actions = (tuple(map(str, given[0].get(one) or ())) for one in kinds)
        made = Role(role_id, said["roleName"], said.get("description", ""), *actions, scopes=tuple(places))
        self._world.custom_roles[role_id] = made
        return Response.of(made.to_json(scope), 201)

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        found = self._world.custom_roles.get(names["id"].lower())
        if found is None:
            return Response(204)
        if any(one.role == found.id for one in self._world.assignments):
            raise ArmError(
                400,
                "RoleDefinitionHasAssignments",
                f"There are existing role assignments referencing role (code: {found.name}).",
            )
        del self._world.custom_roles[found.id]
        return Response.of(found.to_json(named_scope(names)))


def named_scope(names: Mapping[str, str]) -> str:
    """The scope that a path names."""
    return "/" + names.get("scope", "").strip("/")


def _is_assignable(role: Role, scope: str) -> bool:
    """Whether a custom role is found at a scope: it may be assigned there, or below."""
    return any(is_within(scope, one) or is_within(one, scope) for one in role.scopes)
