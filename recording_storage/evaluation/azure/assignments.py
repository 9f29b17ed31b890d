"""Whether somebody may do something: by the roles that are assigned, and by the deny assignments, at a scope and above.

Denied counts before permitted. What can't be known comes out as None: who is in a group, what a role permits, whether a
condition holds; it matters only where it decides.

Sources: https://learn.microsoft.com/azure/role-based-access-control/overview (how access is determined),
https://learn.microsoft.com/azure/role-based-access-control/deny-assignments,
https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-scope,
https://learn.microsoft.com/rest/api/authorization/deny-assignments/list-for-scope.
Leaves out: the language of conditions; an assignment that has one decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from recording_storage.evaluation.azure import roles, scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from recording_storage.evaluation.azure.roles import Permissions

EVERYBODY = "00000000-0000-0000-0000-000000000000"
"""The principal that a deny assignment names for all of them, of the type `SystemDefined` or `Everyone`."""
GROUPS = ("group", "foreigngroup")


class Permitting(Protocol):
    """A role, in whatever form it is kept."""

    def permits(self, action: str, data: bool) -> bool | None:
        """Whether it permits an action, or a data action; None where that isn't known."""
        ...


@dataclass(frozen=True)
class Asked:
    """An action, or a data action, at a scope."""

    action: str
    scope: str
    data: bool = False


@dataclass(frozen=True)
class Holder:
    """Who asks: `ids` are its object id and those of the groups that it is in, as far as they are known.

    `groups`: those whose members are known; None: all.
    """

    ids: frozenset[str]
    groups: frozenset[str] | None = None

    def is_named(self, principal: str, kind: str) -> bool | None:
        """Whether a principal is this one, or a group that it is in; None where that isn't known."""
        if principal.lower() in self.ids:
            return True
        is_known = kind.lower() not in GROUPS or self.groups is None or principal.lower() in self.groups
        return False if is_known else None


@dataclass(frozen=True)
class Assignment:
    """A role that a principal has at a scope and below it. `role`: the definition's id; `created`: a moment in UTC."""

    id: str
    scope: str
    role: str
    principal: str
    kind: str = ""
    condition: str = ""
    created: str = ""

    @property
    def role_guid(self) -> str:
        """The definition's own part of its id: built-in ones have the same everywhere."""
        return self.role.rpartition("/")[2].lower()


@dataclass(frozen=True)
class Denial:
    """A deny assignment: who isn't to do what, at a scope and, unless `only_there`, below it."""

    name: str
    scope: str
    permissions: tuple[Permissions, ...]
    principals: tuple[tuple[str, str], ...]
    """Each with its type."""
    excluded: tuple[tuple[str, str], ...] = ()
    only_there: bool = False
    condition: str = ""

    def denies(self, who: Holder, asked: Asked) -> bool | None:
        """Whether it denies this; None where that isn't known."""
        reaches = scopes.is_within(asked.scope, self.scope) or scopes.is_management_group(self.scope)
        if not reaches or (self.only_there and not scopes.is_same(asked.scope, self.scope)):
            return False
        if not any(one.permits(asked.action, asked.data) for one in self.permissions):
            return False
        named, spared = _among(who, self.principals), _among(who, self.excluded)
        if named is False or spared is True:
            return False
        return None if named is None or spared is None or self.condition else True


@dataclass(frozen=True)
class Weighed:
    """What an assignment has to say of a question: one of the three None: not known."""

    assignment: Assignment
    permits: bool | None
    named: bool | None
    reaches: bool

    @property
    def decides(self) -> bool | None:
        """Whether it permits what is asked; None where that isn't known."""
        if self.permits is False or self.named is False or not self.reaches:
            return False
        return None if self.permits is None or self.named is None or self.assignment.condition else True


def weigh(assignment: Assignment, role: Permitting | None, who: Holder, asked: Asked) -> Weighed:
    """Hold one assignment against a question; `role` is None where its definition isn't known."""
    return Weighed(
        assignment,
        role.permits(asked.action, asked.data) if role else None,
        who.is_named(assignment.principal, assignment.kind),
        scopes.is_within(asked.scope, assignment.scope) or scopes.is_management_group(assignment.scope),
    )


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed (None: not known), by which assignments, or for which denial, or for want of what."""

    allowed: bool | None
    by: tuple[Assignment, ...] = ()
    denied: Denial | None = None
    unknown: tuple[Assignment | Denial, ...] = ()


def decide(
    asked: Asked,
    who: Holder,
    assignments: Iterable[Assignment],
    find: Callable[[Assignment], Permitting | None],
    denials: Iterable[Denial] = (),
) -> Decision:
    """Whether somebody may; `find` gives an assignment's role."""
    verdicts = [(one, one.denies(who, asked)) for one in denials]
    denied = next((one for one, verdict in verdicts if verdict), None)
    if denied:
        return Decision(allowed=False, denied=denied)
    weighed = [weigh(one, find(one), who, asked) for one in assignments]
    by = tuple(one.assignment for one in weighed if one.decides)
    unknown = tuple(one for one, verdict in verdicts if verdict is None)
    open_ = tuple(one.assignment for one in weighed if one.decides is None)
    if by:
        return Decision(None if unknown else True, by, unknown=unknown)
    return Decision(None if open_ else False, unknown=open_)


def read(said: Mapping[str, Any]) -> Assignment:
    """An assignment of what Resource Manager says."""
    properties: Mapping[str, Any] = said.get("properties") or {}
    return Assignment(
        id=str(said.get("id") or ""),
        scope=str(properties.get("scope") or "/"),
        role=str(properties.get("roleDefinitionId") or ""),
        principal=str(properties.get("principalId") or "").lower(),
        kind=str(properties.get("principalType") or ""),
        condition=str(properties.get("condition") or ""),
        created=str(properties.get("createdOn") or ""),
    )


def read_denial(said: Mapping[str, Any]) -> Denial:
    """A deny assignment, likewise."""
    properties: Mapping[str, Any] = said.get("properties") or {}
    return Denial(
        name=str(properties.get("denyAssignmentName") or said.get("name") or ""),
        scope=str(properties.get("scope") or "/"),
        permissions=tuple(roles.permissions(one) for one in properties.get("permissions") or ()),
        principals=_principals(properties.get("principals")),
        excluded=_principals(properties.get("excludePrincipals")),
        only_there=bool(properties.get("doNotApplyToChildScopes")),
        condition=str(properties.get("condition") or ""),
    )


def _principals(said: Iterable[Mapping[str, Any]] | None) -> tuple[tuple[str, str], ...]:
    return tuple((str(one.get("id") or "").lower(), str(one.get("type") or "")) for one in said or ())


def _among(who: Holder, principals: Collection[tuple[str, str]]) -> bool | None:
    """Whether somebody is among principals; None where that isn't known."""
    named = [principal == EVERYBODY or who.is_named(principal, kind) for principal, kind in principals]
    return True if True in named else None if None in named else False
