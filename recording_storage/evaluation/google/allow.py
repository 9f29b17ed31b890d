"""Whether allow policies permit somebody something: bindings of a resource and of what is above it, with conditions.

Source: https://docs.cloud.google.com/iam/docs/allow-policies (inheritance, conditions). Leaves out deny policies
(`deny`), principal access boundaries and organisation policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from recording_storage.evaluation.google import cel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from recording_storage.evaluation.google.principals import Principal

CONVENIENCE = {
    "projectOwner": "roles/owner",
    "projectEditor": "roles/editor",
    "projectViewer": "roles/viewer",
}
"""Who holds a basic role in a project: https://docs.cloud.google.com/storage/docs/access-control/iam#convenience-values"""


@dataclass(frozen=True)
class Asked:
    """What is asked for: a permission on a resource, at a moment.

    `full_name` and `type` are as conditions have them: `//storage.googleapis.com/projects/_/buckets/b`,
    `storage.googleapis.com/Bucket`.
    """

    permission: str
    full_name: str
    type: str
    now: datetime

    def meets(self, binding: Mapping[str, Any]) -> bool | None:
        """Whether a binding's condition is true; None where it asks for what isn't known."""
        condition = condition_of(binding)
        return cel.condition_holds(condition, self.full_name, self.type, self.now) if condition else True


class Grant(NamedTuple):
    """A binding, and the full name of the resource in whose policy it stands."""

    where: str
    binding: Mapping[str, Any]


class Verdict(NamedTuple):
    """Whether it is allowed (None: that isn't known), and why (not)."""

    allowed: bool | None
    reason: str


@dataclass(frozen=True)
class Evaluator:
    """What a role permits, and whom a member names, each None where that isn't known."""

    permits: Callable[[str, str], bool | None]
    is_member: Callable[[Principal, str], bool | None]

    def judge(self, who: Principal, asked: Asked, grants: Iterable[Grant]) -> Verdict:
        """Whether bindings, the nearest first, let `who` do what is asked for."""
        near: list[str] = []
        unknown: list[str] = []
        for where, binding in grants:
            role = binding["role"]
            condition = condition_of(binding)
            permits, named = self.permits(role, asked.permission), self.named(who, binding)
            if permits is False or named is False:
                near += _near(permits, named, binding, who, asked.permission)
                continue
            holds = asked.meets(binding)
            if permits and named and holds:
                met = f" under the condition {condition}, which is true" if condition else ""
                return Verdict(True, f"{role} on {where} permits it{met}")
            if holds is False:
                near.append(f"the condition {condition} of {role} on {where} is false")
            elif permits is None:
                unknown.append(f"what {role} on {where} permits")
            elif named is None:
                unknown.append(f"who is among {', '.join(binding['members'])} ({role} on {where})")
            else:
                unknown.append(f"the condition {condition} of {role} on {where}")
        if unknown:
            return Verdict(None, "; ".join(unknown))
        nobody = f"no binding on {asked.full_name} or above it has a role with {asked.permission}"
        return Verdict(False, "; ".join(dict.fromkeys(near)) or nobody)

    def named(self, who: Principal, binding: Mapping[str, Any]) -> bool | None:
        """Whether a binding names somebody."""
        answers = {self.is_member(who, member) for member in binding.get("members") or ()}
        return True if True in answers else None if None in answers else False


def condition_of(binding: Mapping[str, Any]) -> str:
    """A binding's condition; empty where it has none."""
    found: Mapping[str, Any] = binding.get("condition") or {}
    return str(found.get("expression") or "")


def _near(
    permits: bool | None, named: bool | None, binding: Mapping[str, Any], who: Principal, permission: str
) -> list[str]:
    """What a binding says that comes near: the right role for others, or another role."""
    if permits:
        return [f"no binding of {binding['role']} names {who}, but {', '.join(binding['members'])}"]
    return [f"{binding['role']}, which names {who}, doesn't permit {permission}"] if named else []
