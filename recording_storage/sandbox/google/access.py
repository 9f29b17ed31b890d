"""Whether somebody may do something: deny policies, then allow policies of the resource and of what is above it.

Deny policies of the project come first (https://docs.cloud.google.com/iam/docs/deny-overview). Leaves out principal
access boundaries and organisation policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from recording_storage.evaluation.google import deny, roles
from recording_storage.evaluation.google.allow import CONVENIENCE, Asked, Evaluator, Grant
from recording_storage.sandbox.google.errors import GoogleError, error_info, forbidden, unauthenticated
from recording_storage.sandbox.journal import Journal, Outcome
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.evaluation.google.allow import Verdict
    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.policies import Policy
    from recording_storage.sandbox.google.world import World


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

    def denied(self, who: Principal, permission: str, resource: Resource) -> tuple[bool | None, str]:
        """Whether deny policies above a resource deny it (None: that isn't known), and which."""
        policies = [one for place in _up(resource) for one in getattr(place, "deny_policies", {}).values()]
        return deny.denied(policies, who, permission, self._is_member)

    def permits(self, role: str, permission: str) -> bool | None:
        """Whether a role permits it, custom ones included; None where that isn't known."""
        custom = self._world.custom_role(role)
        return permission in custom.permissions if custom else roles.permits(role, permission)

    def _judge(self, who: Principal, permission: str, resource: Resource) -> tuple[bool, str]:
        """Whether it is allowed, and why (not)."""
        is_denied, which = self.denied(who, permission, resource)
        if is_denied:
            return False, which
        verdict = self.granted(who, permission, resource)
        if verdict.allowed is None or (verdict.allowed and is_denied is None):
            unknown = verdict.reason if verdict.allowed is None else which
            raise Undecided(f"{permission} on {resource.full_name} for {who}: {unknown}")
        return verdict.allowed, verdict.reason

    def granted(self, who: Principal, permission: str, resource: Resource) -> Verdict:
        """Whether allow policies allow it, whatever is denied."""
        asked = Asked(permission, resource.full_name, resource.type, self._world.now())
        grants = [Grant(place.full_name, one) for place in _up(resource) for one in place.policy.bindings]
        return Evaluator(self.permits, self._is_member).judge(who, asked, grants)

    def _is_member(self, who: Principal, member: str) -> bool | None:
        if member in self._world.groups:
            return who.member in self._world.groups[member]
        kind, _, project = member.partition(":")
        if kind not in CONVENIENCE:
            return who.is_member(member)
        found = self._world.find(project)
        bindings = found.policy.bindings if found else []
        named = Evaluator(self.permits, self._is_member).named
        answers = {named(who, one) for one in bindings if one["role"] == CONVENIENCE[kind]}
        return True if True in answers else None if None in answers else False


def _up(resource: Resource) -> Iterator[Resource]:
    """A resource and what is above it."""
    place: Resource | None = resource
    while place is not None:
        yield place
        place = place.parent


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
