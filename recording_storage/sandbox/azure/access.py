"""Whether somebody may do something: the roles that are assigned at a scope and above it.

Sources: https://learn.microsoft.com/azure/role-based-access-control/overview (how it is determined),
https://learn.microsoft.com/azure/role-based-access-control/scope-overview (scopes inherit downwards),
https://learn.microsoft.com/azure/role-based-access-control/role-definitions (actions, data actions, wildcards).
Leaves out deny assignments and groups' members; conditions aren't evaluated, and nothing is decided by an assignment
that has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.sandbox.azure import roles
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.world import RoleAssignment, World, is_within
from recording_storage.sandbox.journal import Journal, Outcome
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.roles import Role

GROUPS = ("Group", "ForeignGroup")


class Access:
    """Decides, and writes into the journal how it decided."""

    def __init__(self, world: World, journal: Journal) -> None:
        self._world = world
        self._journal = journal

    def require(self, who: Principal, action: str, scope: str, data: bool = False) -> None:
        """Raise `ArmError` unless `who` may do this at a scope, and `Undecided` where that isn't known.

        `data` tells data actions from those of management, which other roles permit.
        """
        is_allowed, reason = self.judge(who, action, scope, data)
        self.write(Outcome.ALLOWED if is_allowed else Outcome.REFUSED, who, action, scope, reason)
        if not is_allowed:
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{who.app_id}' with object id '{who.object_id}' does not have authorization to perform "
                f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
                "please refresh your credentials.",
                because=reason,
                is_written=True,
            )

    def allowed(self, who: Principal, action: str, scope: str, data: bool = False) -> bool:
        """Whether `who` may; raises `Undecided` where that isn't known. Writes nothing."""
        return self.judge(who, action, scope, data)[0]

    def write(self, outcome: Outcome, who: Principal | str, what: str, resource: str, reason: str) -> None:
        """Keep a decision."""
        self._journal.write(outcome, who=str(who), what=what, resource=resource, reason=reason)

    def judge(self, who: Principal, action: str, scope: str, data: bool = False) -> tuple[bool, str]:
        """Whether it is allowed, and why (not); raises `Undecided` where that isn't known. Writes nothing."""
        near: list[str] = []
        unknown: list[str] = []
        for assignment in list(self._world.assignments):
            role = roles.find(assignment.role)
            permits = role.permits(action, data) if role else None
            named, where = self._named(who, assignment), f"{_title(assignment, role)} on {assignment.scope}"
            reaches = is_within(scope, assignment.scope)
            if permits is False or named is False or not reaches:
                near += self._near(who, assignment, (permits, named, reaches), (action, scope, where))
            elif named is None:
                unknown.append(f"who is in the group {assignment.principal_id} ({where})")
            elif permits is None:
                unknown.append(f"what {where} permits")
            elif assignment.said.get("condition"):
                unknown.append(f"the condition of {where}: {assignment.said['condition']}")
            else:
                return True, f"{where} permits it"
        if unknown:
            raise Undecided(f"{action} on {scope} for {who}: {'; '.join(unknown)}")
        kind = "data action" if data else "action"
        nobody = f"no role with this {kind} is assigned to {who} on {scope} or above it"
        return False, "; ".join(dict.fromkeys(near)) or nobody

    def _named(self, who: Principal, assignment: RoleAssignment) -> bool | None:
        if assignment.said.get("principalType") in GROUPS:
            return None
        return bool(who.object_id) and assignment.principal_id == who.object_id

    def _near(
        self,
        who: Principal,
        assignment: RoleAssignment,
        found: tuple[bool | None, bool | None, bool],
        asked: tuple[str, str, str],
    ) -> Iterator[str]:
        """What an assignment says that comes near, where one thing only is missing."""
        permits, named, reaches = found
        action, scope, where = asked
        if named and reaches:
            yield f"{where}, which is assigned to {who}, doesn't permit {action}"
        elif named and permits:
            yield f"{where} is assigned to {who}, and {scope} isn't within it"
        elif permits and reaches:
            tenant = self._world.tenants.get(who.tenant)
            what = tenant.directory.what_is(assignment.principal_id) if tenant else ""
            mistaken = what and assignment.principal_id in self._own_ids(who)
            yield (
                f"{where} is assigned to {assignment.principal_id}, which is {what}"
                if mistaken
                else f"{where} isn't assigned to {who}, but to {assignment.principal_id}"
            )

    def _own_ids(self, who: Principal) -> set[str]:
        """What `who` is easily mistaken for."""
        tenant = self._world.tenants.get(who.tenant)
        application = tenant.directory.application(who.app_id) if tenant else None
        return {who.app_id} | ({application.id} if application else set())


def _title(assignment: RoleAssignment, role: Role | None) -> str:
    return role.name if role else f"the role {assignment.role}"
