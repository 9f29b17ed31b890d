"""Whether somebody may do something: the roles that are assigned at a scope and above it.

Sources: https://learn.microsoft.com/azure/role-based-access-control/overview (how it is determined),
https://learn.microsoft.com/azure/role-based-access-control/scope-overview (scopes inherit downwards),
https://learn.microsoft.com/azure/role-based-access-control/role-definitions (actions, data actions, wildcards).
Leaves out conditions, which aren't evaluated (nothing is decided by an assignment that has one), and the members of
groups that nobody made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.evaluation.azure.assignments import Asked, Holder, weigh
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.journal import Journal, Outcome
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.evaluation.azure.assignments import Weighed
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.roles import Role
    from recording_storage.sandbox.azure.world import RoleAssignment, World


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
        asked, holder = Asked(action, scope, data), self._holder(who)
        near: list[str] = []
        unknown: list[str] = []
        undenied = True
        for denial in self._world.denials:
            verdict = denial.denies(holder, asked)
            if verdict:
                return False, f"the deny assignment {denial.name} on {denial.scope} denies it"
            if verdict is None:
                undenied = False
                unknown.append(f"whether the deny assignment {denial.name} on {denial.scope} is for {who}")
        allowed = ""
        for assignment in list(self._world.assignments):
            role = self._world.role(assignment.role)
            weighed = weigh(assignment.evaluated, role, holder, asked)
            where = f"{_title(assignment, role)} on {assignment.scope}"
            if weighed.decides is False:
                near += self._near(who, assignment, weighed, (action, scope, where))
            elif weighed.decides:
                allowed = allowed or f"{where} permits it"
            elif weighed.named is None:
                unknown.append(f"who is in the group {assignment.principal_id} ({where})")
            elif weighed.permits is None:
                unknown.append(f"what {where} permits")
            else:
                unknown.append(f"the condition of {where}: {assignment.said['condition']}")
        if allowed and undenied:
            return True, allowed
        if unknown:
            raise Undecided(f"{action} on {scope} for {who}: {'; '.join(unknown)}")
        kind = "data action" if data else "action"
        nobody = f"no role with this {kind} is assigned to {who} on {scope} or above it"
        return False, "; ".join(dict.fromkeys(near)) or nobody

    def _holder(self, who: Principal) -> Holder:
        tenant = self._world.tenants.get(who.tenant)
        if not who.object_id or tenant is None:
            return Holder(frozenset({who.object_id} - {""}), frozenset())
        directory = tenant.directory
        return Holder(
            frozenset({who.object_id, *directory.memberships(who.object_id)}), frozenset(directory.groups)
        )

    def _near(
        self, who: Principal, assignment: RoleAssignment, found: Weighed, asked: tuple[str, str, str]
    ) -> Iterator[str]:
        """What an assignment says that comes near, where one thing only is missing."""
        action, scope, where = asked
        if found.named and found.reaches:
            yield f"{where}, which is assigned to {who}, doesn't permit {action}"
        elif found.named and found.permits:
            yield f"{where} is assigned to {who}, and {scope} isn't within it"
        elif found.permits and found.reaches:
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
