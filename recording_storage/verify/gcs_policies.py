"""A destination's allow policies, evaluated: who is permitted what, by roles that are known or looked up.

Groups can't be looked into: who is named through one only isn't known. What is above a project isn't read either;
Google's Policy Troubleshooter knows it (`gcs_oracle`).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from recording_storage.evaluation.google.allow import CONVENIENCE, Asked, Evaluator, Grant, Verdict
from recording_storage.evaluation.google.roles import PERMISSIONS, ROLES
from recording_storage.verify.checks import CouldNotTell
from recording_storage.verify.said import items

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.verify.gcs_reading import Reading

    Json = dict[str, Any]

DELETED = "deleted:"
BUCKET, OBJECT = "storage.googleapis.com/Bucket", "storage.googleapis.com/Object"
ACCOUNT, KEY = "iam.googleapis.com/ServiceAccount", "cloudkms.googleapis.com/CryptoKey"


class Policies:
    """What the policies of one destination say."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._unread: list[CouldNotTell] = []
        self._evaluator = Evaluator(self._permits, self.is_member)

    def allowed(self, who: Principal, asked: Asked, grants: Iterable[Grant]) -> Verdict:
        """Whether `who` may do it; raises `CouldNotTell` where a role or a policy that decides isn't known."""
        self._unread.clear()
        # What is for others isn't looked up.
        near = [
            one
            for one in grants
            if one.binding["role"] in ROLES or self._evaluator.named(who, one.binding) is not False
        ]
        verdict = self._evaluator.judge(who, asked, near)
        if verdict.allowed is None:
            if self._unread:
                raise self._unread[0]
            mend = (
                "name the service account itself in the binding, without a group and without such a condition"
            )
            raise CouldNotTell(verdict.reason, mend)
        return verdict

    def permits(self, role: str, permission: str) -> bool:
        """Whether a role permits it; raises `CouldNotTell`."""
        return permission in self._reading.role(role)

    def is_member(self, who: Principal, member: str) -> bool | None:
        """Whether a binding's member names somebody, those that hold a role in a project included."""
        kind, _, project = member.partition(":")
        if kind not in CONVENIENCE:
            return who.is_member(member)
        try:
            policy = self._reading.value(self._reading.project_policy(project)) or {}
        except CouldNotTell as unread:
            self._unread.append(unread)
            return None
        answers = {
            who.is_member(one)
            for binding in bindings(policy)
            if binding["role"] == CONVENIENCE[kind]
            for one in items(binding, "members")
        }
        return True if True in answers else None if None in answers else False

    def _permits(self, role: str, permission: str) -> bool | None:
        if role in ROLES and permission not in PERMISSIONS:
            return None
        try:
            return self.permits(role, permission)
        except CouldNotTell as unread:
            self._unread.append(unread)
            return None


def bindings(policy: Json | None) -> Iterator[Json]:
    """A policy's bindings: those that name somebody who is still there."""
    for one in cast("list[Json]", items(policy, "bindings")):
        members = [member for member in items(one, "members") if not member.startswith(DELETED)]
        if members:
            yield one | {"members": members}


def grants(where: str, policy: Json | None) -> list[Grant]:
    """A policy's bindings, as of the resource with this full name."""
    return [Grant(where, one) for one in bindings(policy)]


def bucket_name(bucket: str) -> str:
    """A bucket's full name."""
    return f"//storage.googleapis.com/projects/_/buckets/{bucket}"


def project_name(project: str) -> str:
    """A project's full name."""
    return f"//cloudresourcemanager.googleapis.com/projects/{project}"


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)
