"""Allow policies: what is stored of one, how it is read, and what Google refuses to store.

Sources: https://docs.cloud.google.com/iam/docs/reference/rest/v1/Policy for the form, versions and etags,
https://docs.cloud.google.com/iam/docs/principal-identifiers for members. Leaves out audit configurations and deny
policies.
"""

from __future__ import annotations

import base64
import itertools
import re
from typing import TYPE_CHECKING, Any, cast

from recording_storage.evaluation.google.roles import is_role
from recording_storage.sandbox.google import expressions
from recording_storage.sandbox.google.errors import GoogleError, conflict, invalid
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Binding = dict[str, Any]

VERSIONS = (0, 1, 3)
CONDITIONAL = 3
"""The version in which conditions are understood."""
NEVER_SET = "ACAB"
"""The etag of a policy that nobody has set."""
MAX_MEMBERS = 1500

_EMAIL = r"[^\s:@?]+@[^\s:@?]+\.[^\s:@?]+"
_PLACE = r"iam\.googleapis\.com/(projects/\d+/)?locations/global/(workload|workforce)(Identity)?Pools/[^/\s]+"
_MEMBERS = re.compile(
    r"allUsers|allAuthenticatedUsers"
    rf"|(user|serviceAccount|group):{_EMAIL}"
    rf"|deleted:(user|serviceAccount|group):{_EMAIL}\?uid=\d+"
    r"|domain:[^\s:@/]+\.[^\s:@/]+"
    r"|project(Owner|Editor|Viewer):[a-z0-9.:-]+"
    rf"|(deleted:)?principal://{_PLACE}/(subject|ns)/.+"
    rf"|(deleted:)?principalSet://{_PLACE}/(\*|(group|namespace)/.+|attribute\.[a-z0-9_]+/.+)"
    r"|principalSet://cloudresourcemanager\.googleapis\.com/(projects|folders|organizations)/\d+/type/\w+"
)
_OTHER_MEMBERS = re.compile(
    r"serviceAccount:[^\s\[\]]+\[[^\s\[\]]+/[^\s\[\]]+\]|principal(Set)?://(?!iam\.googleapis\.com/).+"
)
"""Those of other kinds of workloads: their form is Google's, and none of them is in the sandbox."""
_ETAGS = itertools.count(1)


class Policy:
    """A resource's allow policy, empty until it is set.

    `check` looks at a member whose form is right and raises `GoogleError` where Google knows that it doesn't exist;
    `stale` is what is raised where the policy has changed since it was read; roles that begin with `unsupported`
    can't be granted on the resource.
    """

    def __init__(
        self,
        bindings: Sequence[Binding] = (),
        *,
        check: Callable[[str], None] | None = None,
        stale: Callable[[], GoogleError] | None = None,
        unsupported: str = "",
    ) -> None:
        self.bindings: list[Binding] = [dict(one) for one in bindings]
        self.etag = _etag() if bindings else NEVER_SET
        self._check = check
        self._stale = stale or _stale
        self._unsupported = unsupported

    @property
    def version(self) -> int:
        """The lowest version that can say what the policy says."""
        return CONDITIONAL if any("condition" in one for one in self.bindings) else 1

    def to_json(self, requested_version: int = 1) -> dict[str, Any]:
        """The policy as whoever asked for `requested_version` reads it."""
        if requested_version not in VERSIONS:
            raise invalid(f"Invalid policy version: {requested_version}. Valid versions are 0, 1 and 3.")
        if self.version > requested_version:
            # https://docs.cloud.google.com/iam/docs/policies#versions: the name ends in `_withcond_` and a hash.
            shown = [_without_condition(one) for one in self.bindings]
        else:
            shown = [dict(one) for one in self.bindings]
        found = {"bindings": shown} if shown else {}
        version = min(self.version, max(requested_version, 1))
        return {"version": version, "etag": self.etag} | found

    def replace(self, body: dict[str, Any]) -> None:
        """Store what `body` says, unless Google would refuse it or can't be known to take it."""
        etag = body.get("etag")
        if etag and etag != self.etag:
            raise self._stale()
        version = body.get("version", 0) or 0
        if version not in VERSIONS:
            raise invalid(f"Invalid policy version: {version}. Valid versions are 0, 1 and 3.")
        if body.get("auditConfigs"):
            raise Undecided("a policy with auditConfigs")
        bindings = list(self._read(body.get("bindings") or []))
        conditional = self.version == CONDITIONAL and etag
        if version != CONDITIONAL and (conditional or any("condition" in one for one in bindings)):
            raise invalid(
                "Conditional bindings are only supported in policy version 3: the policy's version is "
                f"{version}. Learn more at https://cloud.google.com/iam/help/conditions/policies."
            )
        self.bindings = bindings
        self.etag = _etag()

    def add(self, role: str, member: str, condition: dict[str, str] | None = None) -> None:
        """Add one member to one role's binding: nobody asked for it."""
        self.bindings.append(
            {"role": role, "members": [member]} | ({"condition": condition} if condition else {})
        )
        self.etag = _etag()

    def rename(self, member: str, new: str) -> None:
        """Name a member otherwise: a service account that is deleted, or is one no more."""
        for binding in self.bindings:
            binding["members"] = [new if one == member else one for one in binding["members"]]

    def _read(self, written: object) -> Iterator[Binding]:
        """The bindings as they are stored: those that differ in their members only are one."""
        found: dict[tuple[str, str], Binding] = {}
        if not isinstance(written, list):
            raise invalid("Invalid value at 'policy.bindings': it must be a list.")
        for one in cast("list[object]", written):
            binding = self._binding(one)
            key = (binding["role"], str(sorted(binding.get("condition", {}).items())))
            known = found.setdefault(key, binding)
            if known is not binding:
                known["members"] += [
                    member for member in binding["members"] if member not in known["members"]
                ]
        yield from found.values()

    def _binding(self, written: object) -> Binding:
        if not isinstance(written, dict):
            raise invalid("Invalid value at 'policy.bindings': it must be an object.")
        said = cast("dict[str, Any]", written)
        for name in said:
            if name not in ("role", "members", "condition"):
                raise invalid(
                    f"Invalid JSON payload received. Unknown name \"{name}\" at 'policy.bindings[0]'"
                )
        role = said.get("role", "")
        if (
            not isinstance(role, str)
            or not is_role(role)
            or (self._unsupported and role.startswith(self._unsupported))
        ):
            raise invalid(f"Role {role} is not supported for this resource.")
        members: list[Any] = said.get("members") or []
        for member in members:
            self._member(member)
        made: Binding = {"role": role, "members": list(dict.fromkeys(map(_normal, members)))}
        if not members:
            raise invalid(f"The binding of {role} has no members.")
        condition = said.get("condition")
        return made | {"condition": _condition(condition)} if condition else made

    def _member(self, member: object) -> None:
        if not isinstance(member, str) or not _MEMBERS.fullmatch(member):
            if isinstance(member, str) and _OTHER_MEMBERS.fullmatch(member):
                return
            raise invalid(
                f"The member {member} is of an unknown type. Please set a valid type prefix for the member."
            )
        if self._check is not None:
            self._check(member)


def _normal(member: str) -> str:
    """As Google stores it: addresses are in lower case."""
    return member.lower().replace("serviceaccount:", "serviceAccount:") if _is_address(member) else member


def _is_address(member: str) -> bool:
    return member.startswith(("user:", "serviceAccount:", "group:")) and "[" not in member


def _condition(written: object) -> dict[str, str]:
    said = cast("dict[str, Any]", written) if isinstance(written, dict) else {}
    kept = {
        name: str(said[name]) for name in ("expression", "title", "description", "location") if said.get(name)
    }
    if "expression" not in kept or "title" not in kept:
        raise invalid("A condition must have a title and an expression.")
    expressions.check_condition(kept["expression"])
    return kept


def _without_condition(binding: Binding) -> Binding:
    if "condition" not in binding:
        return dict(binding)
    said = f"{binding['condition']['title']}:{binding['condition']['expression']}"
    mark = base64.b16encode(said.encode())[:20].decode().lower()
    return {"role": f"{binding['role']}_withcond_{mark}", "members": binding["members"]}


def _etag() -> str:
    """A new one, in the form of Google's."""
    return base64.b64encode(b"\x07\x06" + next(_ETAGS).to_bytes(6, "big")).decode()


def _stale() -> GoogleError:
    return conflict(
        "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
        because="the policy has changed since it was read: its etag is another one",
    )
