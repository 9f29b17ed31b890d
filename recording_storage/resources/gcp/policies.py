"""Allow policies of resources: each kind's own calls, and changing one that others may change at the same time.

The policy is read, modified and written back; its etag tells whether somebody else has written in between, and then
it is read again. Sources: https://docs.cloud.google.com/iam/docs/allow-policies, and of the normal form
https://docs.cloud.google.com/iam/docs/principal-identifiers. Leaves out audit configurations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from recording_storage.resources.gcp.clients import ApiError, pauses
from recording_storage.resources.gcp.resource import parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.resources import Properties
    from recording_storage.resources.gcp.clients import Clients

Key: TypeAlias = "tuple[str, str, str, str]"
"""A role, and a condition's title, description and expression."""
Bindings: TypeAlias = "dict[Key, list[str]]"
"""The members of each, in their normal form and once."""

VERSION = 3
"""The version of policies that have conditions."""
CONFLICTS = (409, 412)
CONDITION = ("title", "description", "expression")
DELETED = "deleted:"
CASE_SENSITIVE = ("principal:", "principalSet:", "principalHierarchy:")


@dataclass(frozen=True)
class Target:
    """A kind of resource with a policy.

    `input` names it, in one of `forms` (without any: as it is given). `read` and `write` are the methods, and what
    follows the resource's address; `version` is the parameter that asks for conditions too.
    """

    input: str
    api: str
    forms: tuple[str, ...] = ()
    read: tuple[str, str] = ("GET", ":getIamPolicy")
    write: tuple[str, str] = ("POST", ":setIamPolicy")
    version: str = "options.requestedPolicyVersion"
    is_wrapped: bool = True
    """Whether the policy is written as a part of the request's body."""
    is_renamed: bool = False
    """Whether the state has the first form, whatever was given; then the last part of a name is all that counts."""

    def name(self, clients: Clients, given: str) -> str:
        """The resource's name in the first form."""
        return self.forms[0].format(**parts(self.forms, given, clients)) if self.forms else given

    def policy(self, clients: Clients, name: str) -> Properties:
        """Its policy."""
        method, call = self.read
        found = clients.call(method, f"{self.api}{name}{call}", **{self.version: VERSION})
        return {part: found[part] for part in ("bindings", "etag", "version") if part in found}

    def change(self, clients: Clients, name: str, modify: Callable[[Bindings], object]) -> None:
        """Read, modify and write; raises `ApiError` where it is refused."""
        method, call = self.write
        with clients.alone(f"{self.api}{name}"):
            for _ in pauses(f"the policy of {name}: somebody else still changes it"):
                policy = self.policy(clients, name)
                bindings = read(policy)
                modify(bindings)
                policy |= {"bindings": _written(bindings), "version": VERSION}
                try:
                    clients.call(
                        method, f"{self.api}{name}{call}", {"policy": policy} if self.is_wrapped else policy
                    )
                except ApiError as error:
                    if error.code not in CONFLICTS:
                        raise
                else:
                    return


def key(role: str, condition: dict[str, Any] | None) -> Key:
    """What a binding is told from others by."""
    title, description, expression = (str((condition or {}).get(part) or "") for part in CONDITION)
    return role, title, description, expression


def condition(of: Key) -> dict[str, str] | None:
    """The condition of a binding, if it has one."""
    return {part: said for part, said in zip(CONDITION, of[1:], strict=True) if said} or None


def normal(member: str) -> str:
    """The one spelling of a member: of an address, case doesn't matter."""
    if member.startswith(DELETED):
        return DELETED + normal(member.removeprefix(DELETED))
    kind, colon, name = member.partition(":")
    return member if member.startswith(CASE_SENSITIVE) else f"{kind}{colon}{name.lower()}"


def read(policy: Properties) -> Bindings:
    """The policy's bindings."""
    found: Bindings = {}
    for binding in policy.get("bindings", []):
        members = found.setdefault(key(binding["role"], binding.get("condition")), [])
        members += [one for one in map(normal, binding.get("members", [])) if one not in members]
    return found


def _written(bindings: Bindings) -> list[dict[str, Any]]:
    return [
        {"role": of[0], "members": members} | ({"condition": said} if (said := condition(of)) else {})
        for of, members in bindings.items()
        if members
    ]
