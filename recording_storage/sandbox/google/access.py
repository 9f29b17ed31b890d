"""Whether somebody may do something: allow policies of the resource and of what is above it, roles and conditions.

Source: https://docs.cloud.google.com/iam/docs/allow-policies (inheritance, conditions). Leaves out deny policies,
principal access boundaries and organisation policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from recording_storage.sandbox.google import cel, roles
from recording_storage.sandbox.google.errors import GoogleError, error_info, forbidden, unauthenticated
from recording_storage.sandbox.journal import Journal, Outcome
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.sandbox.google.policies import Policy
    from recording_storage.sandbox.google.principals import Principal
    from recording_storage.sandbox.google.world import World

_CONVENIENCE = {
    "projectOwner": "roles/owner",
    "projectEditor": "roles/editor",
    "projectViewer": "roles/viewer",
}
"""Who holds a basic role in a project: https://docs.cloud.google.com/storage/docs/access-control/iam#convenience-values"""


class Resource(Protocol):
    """What has an allow policy."""

    @property
    def full_name(self) -> str:
        """As in `//storage.googleapis.com/projects/_/buckets/b`."""
        ...

    @property
    def type(self) -> str:
        """As in `storage.googleapis.com/Bucket`."""
        ...

    @property
    def policy(self) -> Policy:
        """Its own."""
        ...

    @property
    def parent(self) -> Resource | None:
        """Whose policy is inherited."""
        ...


class Access:
    """Decides, and writes into the journal how it decided."""

    def __init__(self, world: World, journal: Journal) -> None:
        self._world = world
        self._journal = journal

    def require(self, who: Principal, permission: str, resource: Resource) -> None:
        """Raise `GoogleError` unless `who` has the permission, and `Undecided` where that isn't known."""
        is_allowed, reason = self._judge(who, permission, resource)
        outcome = Outcome.ALLOWED if is_allowed else Outcome.REFUSED
        self.write(outcome, who, permission, resource.full_name, reason)
        if not is_allowed:
            raise refusal(who, permission, resource, reason)

    def allowed(self, who: Principal, permission: str, resource: Resource) -> bool:
        """Whether `who` has the permission; raises `Undecided` where that isn't known. Writes nothing."""
        return self._judge(who, permission, resource)[0]

    def write(self, outcome: Outcome, who: Principal | str, what: str, resource: str, reason: str) -> None:
        """Keep a decision."""
        self._journal.write(outcome, who=str(who), what=what, resource=resource, reason=reason)

    def _judge(self, who: Principal, permission: str, resource: Resource) -> tuple[bool, str]:
        """Whether it is allowed, and why (not)."""
        near: list[str] = []
        unknown: list[str] = []
        for place, binding in _bindings(resource):
            role, where = binding["role"], place.full_name
            condition = binding.get("condition", {}).get("expression", "")
            permits = roles.permits(role, permission)
            named = self._named(who, binding)
            if permits is False or named is False:
                near += _near(permits, named, binding, who, permission)
                continue
            holds = self._holds(condition, resource) if condition else True
            if permits and named and holds:
                met = f" under the condition {condition}, which is true" if condition else ""
                return True, f"{role} on {where} permits it{met}"
            if holds is False:
                near.append(f"the condition {condition} of {role} on {where} is false")
            elif permits is None:
                unknown.append(f"what {role} on {where} permits")
            elif named is None:
                unknown.append(f"who is among {', '.join(binding['members'])} ({role} on {where})")
            else:
                unknown.append(f"the condition {condition} of {role} on {where}")
        if unknown:
            raise Undecided(f"{permission} on {resource.full_name} for {who}: {'; '.join(unknown)}")
        nobody = f"no binding on {resource.full_name} or above it has a role with {permission}"
        return False, "; ".join(dict.fromkeys(near)) or nobody

    def _named(self, who: Principal, binding: dict[str, Any]) -> bool | None:
        answers = {self._is_member(who, member) for member in binding["members"]}
        return True if True in answers else None if None in answers else False

    def _is_member(self, who: Principal, member: str) -> bool | None:
        if member in self._world.groups:
            return who.member in self._world.groups[member]
        kind, _, project = member.partition(":")
        if kind not in _CONVENIENCE:
            return who.is_member(member)
        found = self._world.find(project)
        bindings = found.policy.bindings if found else []
        answers = {self._named(who, one) for one in bindings if one["role"] == _CONVENIENCE[kind]}
        return True if True in answers else None if None in answers else False

    def _holds(self, expression: str, resource: Resource) -> bool | None:
        """Whether a condition is true; None where it asks for what the stand-in doesn't know."""
        return cel.condition_holds(expression, resource.full_name, resource.type, self._world.now())


def _bindings(resource: Resource) -> Iterator[tuple[Resource, dict[str, Any]]]:
    place: Resource | None = resource
    while place is not None:
        for binding in place.policy.bindings:
            yield place, binding
        place = place.parent


def _near(
    permits: bool | None, named: bool | None, binding: dict[str, Any], who: Principal, permission: str
) -> list[str]:
    """What a binding says that comes near: the right role for others, or another role."""
    if permits:
        return [f"no binding of {binding['role']} names {who}, but {', '.join(binding['members'])}"]
    return [f"{binding['role']}, which names {who}, doesn't permit {permission}"] if named else []


def refusal(who: Principal, permission: str, resource: Resource, reason: str) -> GoogleError:
    """The answer to who lacks a permission, in the words of the resource's service."""
    service, kind = resource.type.split("/")
    denied = f"Permission '{permission}' denied on resource (or it may not exist)."
    if service == "storage.googleapis.com":
        noun = {"Project": "project", "Bucket": "bucket", "Object": "object"}.get(kind, "resource")
        subject = who.email or "Anonymous caller"
        message = f"{subject} does not have {permission} access to the Google Cloud Storage {noun}. {denied}"
        make = forbidden if who.member else unauthenticated
        error = make(message, because=reason)
        error.is_written = True
        return error
    info = error_info(
        "IAM_PERMISSION_DENIED",
        "iam.googleapis.com",
        permission=permission,
        resource=resource.full_name.lstrip("/"),
    )
    return forbidden(denied, because=reason, details=[info], is_written=True)
