"""Role assignments and deny assignments, at every scope.

A principal is looked for in the directory by its object id. Where a request says the principal's type, one that isn't
found is taken nevertheless, since it may not have been replicated yet; so a client id can be assigned a role that
does nothing
(https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---assigning-a-role-to-a-new-principal-sometimes-fails).

Sources: https://learn.microsoft.com/rest/api/authorization/role-assignments,
https://learn.microsoft.com/rest/api/authorization/deny-assignments (they are read; nobody makes one by a request).
Leaves out eligibility.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.azure.scopes import is_within
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.places import Line, Places, properties
from recording_storage.sandbox.azure.role_definitions import (
    ANY_SCOPE,
    DEFINITIONS,
    GUID,
    RoleDefinitions,
    named_scope,
)
from recording_storage.sandbox.azure.world import RoleAssignment, StorageAccount, Vault, utc
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.azure.assignments import Denial
    from recording_storage.evaluation.azure.roles import Permissions
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import Subscription
    from recording_storage.sandbox.rest import Request

_AUTHORIZATION = "Microsoft.Authorization"
_ASSIGNMENTS, _DENIALS = f"{_AUTHORIZATION}/roleAssignments", f"{_AUTHORIZATION}/denyAssignments"
_PRINCIPAL_FILTER = re.compile(r"(?:principalId eq '([^']+)'|assignedTo\('([^']+)'\))", re.IGNORECASE)
TYPES = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")
SETTINGS = (
    "roleDefinitionId",
    "principalId",
    "principalType",
    "description",
    "condition",
    "conditionVersion",
    "delegatedManagedIdentityResourceId",
)


class Authorization:
    """Who may do what, and where."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._world = places.world
        tail = f"/providers/{_ASSIGNMENTS}"
        definitions = RoleDefinitions(places)
        self._role = definitions.role
        self.open_routes = definitions.open_routes
        self.routes = places.routes(
            *definitions.lines(),
            Line("GET", ANY_SCOPE, f"/providers/{_DENIALS}", f"{_DENIALS}/read", self._denials),
            Line("GET", ANY_SCOPE, tail, f"{_ASSIGNMENTS}/read", self._list),
            Line("GET", ANY_SCOPE, f"{tail}/{{id}}", f"{_ASSIGNMENTS}/read", self._get),
            Line("PUT", ANY_SCOPE, f"{tail}/{{id}}", f"{_ASSIGNMENTS}/write", self._put),
            Line("DELETE", ANY_SCOPE, f"{tail}/{{id}}", f"{_ASSIGNMENTS}/delete", self._delete),
        )

    # Deny assignments

    def _denials(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        """Those at a scope, above it and, without a filter, below it."""
        del who
        scope, wanted = named_scope(names), request.query.get("$filter", "")
        if wanted and wanted.lower() != "atscope()":
            raise Undecided(f"deny assignments with {wanted}")
        found = [
            one
            for one in self._world.denials
            if is_within(scope, one.scope) or (not wanted and is_within(one.scope, scope))
        ]
        return {"value": [_denial(one) for one in found]}

    # Role assignments

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        """Those at a scope, above and below it."""
        del who
        scope, wanted = named_scope(names), request.query.get("$filter", "")
        principal = _PRINCIPAL_FILTER.fullmatch(wanted)
        if wanted and principal is None and wanted.lower() != "atscope()":
            raise Undecided(f"role assignments with {wanted}")
        below = wanted.lower() != "atscope()"
        whose = self._whose(scope, principal) if principal else None
        found = [
            one
            for one in self._world.assignments
            if (is_within(scope, one.scope) or (below and is_within(one.scope, scope)))
            and (whose is None or one.principal_id in whose)
        ]
        return {"value": [_shown(one) for one in found]}

    def _whose(self, scope: str, filtered: re.Match[str]) -> set[str]:
        """Whom a filter names: `assignedTo` the groups too that somebody is in."""
        named = (filtered[1] or filtered[2]).lower()
        parts = scope.split("/")
        if not filtered[2] or len(parts) < 3:
            return {named}
        tenant = self._places.subscription(parts[2]).tenant
        return {named, *tenant.directory.memberships(named)}

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        found = self._find(names)
        if found is None:
            raise ArmError(
                404, "RoleAssignmentNotFound", f"The role assignment '{names['id']}' is not found."
            )
        return _shown(found)

    def _find(self, names: Mapping[str, str]) -> RoleAssignment | None:
        scope, name = named_scope(names).lower().rstrip("/"), names["id"].lower()
        same = (one for one in self._world.assignments if one.name == name)
        return next((one for one in same if one.scope.lower().rstrip("/") == scope), None)

    def _put(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        scope, name = named_scope(names), names["id"].lower()
        if not GUID.fullmatch(name):
            raise ArmError(
                400,
                "InvalidRoleAssignmentId",
                f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.",
            )
        subscription = self._places.check_tenant(who, scope)
        if subscription is None:
            raise Undecided(f"a role assignment at {scope}")
        said = self._said(request)
        role = self._role(str(said["roleDefinitionId"]).rpartition("/")[2], scope)
        self._check_scope(scope, subscription)
        kind = self._principal_type(str(said["principalId"]), said.get("principalType"), subscription)
        settings = {key: value for key, value in said.items() if key not in SETTINGS[:2]}
        made = RoleAssignment(
            scope, role.id, str(said["principalId"]).lower(), settings | {"principalType": kind}, name
        )
        made.created = self._world.now()
        found = self._find(names)
        if found is not None:
            return self._again(found, made)
        for one in self._world.assignments:
            same = (one.role, one.principal_id) == (made.role, made.principal_id)
            if (
                same
                and one.scope.lower() == scope.lower()
                and one.said.get("condition") == made.said.get("condition")
            ):
                raise ArmError(
                    409,
                    "RoleAssignmentExists",
                    f"The role assignment already exists. The ID of the existing role assignment is "
                    f"{one.name.replace('-', '')}.",
                )
        self._world.assignments.append(made)
        return Response.of(_shown(made), 201)

    def _again(self, found: RoleAssignment, made: RoleAssignment) -> Response:
        """What is said of an assignment may change, and not whose it is."""
        if (found.role, found.principal_id) != (made.role, made.principal_id):
            raise ArmError(
                400,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        found.said = made.said
        return Response.of(_shown(found))

    def _said(self, request: Request) -> dict[str, Any]:
        said = properties(request.json())
        missing = [name for name in SETTINGS[:2] if not said.get(name)]
        if missing:
            raise ArmError(
                400,
                "InvalidCreateRoleAssignmentRequest",
                f"The request to create role assignment is not valid. Missing: {', '.join(missing)}.",
            )
        unknown = sorted(set(said) - set(SETTINGS))
        if unknown or said.get("delegatedManagedIdentityResourceId"):
            raise Undecided(f"a role assignment with {', '.join(unknown) or 'a delegated managed identity'}")
        return said

    def _check_scope(self, scope: str, subscription: Subscription) -> None:
        """A resource must exist; of what is in a resource Resource Manager itself knows nothing."""
        parts = scope.strip("/").split("/")
        names = {"subscription": subscription.id, "group": parts[3] if len(parts) > 3 else ""}
        if len(parts) == 2:
            return
        group = self._places.group(names)
        if len(parts) == 4:
            return
        found = next((one for one in group.resources.values() if is_within(scope, one.id)), None)
        if found is None:
            kind, name = "/".join(parts[5:7]), parts[7] if len(parts) > 7 else ""
            raise ArmError(
                404,
                "ResourceNotFound",
                f"The Resource '{kind}/{name}' under resource group '{group.name}' was not found. For more details "
                "please go to https://aka.ms/ARMResourceNotFoundFix",
            )
        within = scope[len(found.id) :].strip("/")
        if within and not _exists(found, within):
            raise Undecided(f"a role assignment at {scope}, where there is nothing")

    def _principal_type(self, principal_id: str, said: object, subscription: Subscription) -> str:
        """The type that an assignment has: that of whom it finds, or else what is said."""
        if said is not None and said not in TYPES:
            raise ArmError(400, "InvalidPrincipalType", f"The principal type '{said}' is not valid.")
        if not GUID.fullmatch(principal_id):
            raise ArmError(
                400,
                "InvalidPrincipalId",
                f"A valid principal ID must be provided for role assignment: '{principal_id}'.",
            )
        directory = subscription.tenant.directory
        application = directory.all_applications.get(principal_id.lower())
        is_group = principal_id.lower() in directory.groups
        actual = "ServicePrincipal" if directory.has(principal_id) else "Application" if application else ""
        actual = "Group" if is_group else actual
        if said is not None:
            if actual and actual != said:
                raise ArmError(
                    400,
                    "UnmatchedPrincipalType",
                    f"The PrincipalId '{principal_id.replace('-', '')}' has type '{actual}' , which is different from "
                    f"specified PrinciaplType '{said}'.",
                    because=directory.what_is(principal_id),
                )
            return str(said)
        if actual == "Application":
            raise ArmError(
                400,
                "PrincipalTypeNotSupported",
                "Principals of type Application cannot validly be used in role assignments.",
                because=f"{principal_id} is {directory.what_is(principal_id)}",
            )
        if not actual:
            what = directory.what_is(principal_id)
            raise ArmError(
                400,
                "PrincipalNotFound",
                f"Principal {principal_id.replace('-', '')} does not exist in the directory {subscription.tenant.id}. "
                "Check that you have the correct principal ID. If you are creating this principal and then immediately "
                "assigning a role, this error might be related to a replication delay. In this case, set the role "
                "assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See "
                "https://aka.ms/docs-principaltype",
                because=f"there is no principal {principal_id}" + (f": that is {what}" if what else ""),
            )
        return actual

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        found = self._find(names)
        if found is None:
            return Response(204)
        self._world.assignments.remove(found)
        return Response.of(_shown(found))


def _denial(found: Denial) -> dict[str, Any]:
    """As it is read: https://learn.microsoft.com/rest/api/authorization/deny-assignments/list-for-scope."""
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{found.scope}|{found.name}"))
    return {
        "id": f"{found.scope}/providers/{_DENIALS}/{name}",
        "name": name,
        "type": _DENIALS,
        "properties": {
            "denyAssignmentName": found.name,
            "description": "",
            "permissions": [_permissions(one) for one in found.permissions],
            "scope": found.scope,
            "doNotApplyToChildScopes": found.only_there,
            "principals": [{"id": id_, "type": kind} for id_, kind in found.principals],
            "excludePrincipals": [{"id": id_, "type": kind} for id_, kind in found.excluded],
            "isSystemProtected": True,
            "condition": found.condition or None,
        },
    }


def _permissions(found: Permissions) -> dict[str, Any]:
    return {
        "actions": list(found.actions),
        "notActions": list(found.not_actions),
        "dataActions": list(found.data_actions),
        "notDataActions": list(found.not_data_actions),
    }


def _exists(resource: object, within: str) -> bool:
    """Whether there is something below a resource."""
    kind, _, name = within.rpartition("/")
    if isinstance(resource, StorageAccount):
        return within.lower() == "blobservices/default" or (
            kind.lower() == "blobservices/default/containers" and name in resource.containers
        )
    return isinstance(resource, Vault) and kind.lower() == "keys" and name.lower() in resource.keys


def _shown(found: RoleAssignment) -> dict[str, Any]:
    """As it is read: https://learn.microsoft.com/rest/api/authorization/role-assignments/get."""
    subscription = "/".join(found.scope.split("/")[:3])
    moment = utc(found.created)
    return {
        "id": found.id,
        "name": found.name,
        "type": _ASSIGNMENTS,
        "properties": {
            "roleDefinitionId": f"{subscription}/providers/{DEFINITIONS}/{found.role}",
            "principalId": found.principal_id,
            "scope": found.scope,
            "condition": None,
            "conditionVersion": None,
            "delegatedManagedIdentityResourceId": None,
            "description": None,
            **found.said,
            "createdOn": moment,
            "updatedOn": moment,
            "createdBy": None,
            "updatedBy": None,
        },
    }
