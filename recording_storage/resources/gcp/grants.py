"""Roles granted on a resource: a member beside others' members, or all members that a role has there.

Source: https://www.pulumi.com/registry/packages/gcp/api-docs/storage/bucketiammember/. Leaves out whole policies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

from recording_storage.resources.gcp import policies
from recording_storage.resources.gcp.clients import ApiError
from recording_storage.resources.gcp.policies import Bindings, Key, Target, key
from recording_storage.resources.gcp.resource import Type, last

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from recording_storage.resources import Properties
    from recording_storage.resources.gcp.clients import Clients


class _Grant(Type, ABC):
    """What both have in common: the resource, the role and its condition."""

    defaults: Mapping[str, object] = {}
    computed: frozenset[str] = frozenset()

    def __init__(self, target: Target, held: str, spell: Callable[[Any], Any]) -> None:
        self._target = target
        self.properties = frozenset({target.input, "role", "condition", held})
        self.replace_on = self.properties - {"members"}
        self.spelling = {held: spell} | ({target.input: last} if target.is_renamed else {})

    @abstractmethod
    def modify(self, members: list[str], properties: Properties) -> list[str]:
        """The role's members once it is granted."""

    @abstractmethod
    def withdraw(self, members: list[str], properties: Properties) -> list[str]:
        """The role's members once it isn't any more."""

    @abstractmethod
    def found(self, members: list[str], properties: Properties) -> Properties | None:
        """What of the grant the role's members are, or None where nothing is left of it."""

    @abstractmethod
    def whom(self, properties: Properties) -> list[str]:
        """What the id says of the members."""

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        return self._id(clients, inputs), self.update(clients, "", {}, inputs)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        name = self._name(clients, state)
        try:
            policy = self._target.policy(clients, name)
        except ApiError as error:
            if error.code == 404:  # the resource, and with it all that was granted on it
                return None
            raise
        found = self.found(policies.read(policy).get(_key(state), []), state)
        if found is None:
            return None
        renamed = {self._target.input: name} if self._target.is_renamed else {}
        return state | renamed | found | {"etag": policy.get("etag", "")}

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        self._change(clients, inputs, self.modify)
        made = self.read(clients, id_, inputs)
        if made is None:
            raise LookupError(f"{inputs['role']} on {self._name(clients, inputs)}: it is gone again")
        return made

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        try:
            self._change(clients, state, self.withdraw)
        except ApiError as error:
            if error.code != 404:
                raise

    def import_id(self, clients: Clients, import_id: str) -> tuple[str, Properties]:
        """As in `b/calls roles/storage.objectViewer user:a@example.com title`; the title is a condition's."""
        words = import_id.split()
        said = [self._target.input, "role", *(["member"] if "member" in self.properties else [])]
        if len(words) < len(said):
            raise ValueError(
                f"Wrong number of parts to id {import_id}; expected '{' '.join(said)} [condition_title]'"
            )
        known: Properties = dict(zip(said, words, strict=False))
        known[self._target.input] = self._name(clients, known)
        known |= self._condition(clients, known, " ".join(words[len(said) :]))
        return self._id(clients, known), known

    def _condition(self, clients: Clients, known: Properties, title: str) -> Properties:
        """The whole of the condition of this title."""
        try:
            policy = self._target.policy(clients, known[self._target.input])
        except ApiError as error:
            if error.code == 404:
                return {}
            raise
        titled = [
            of
            for of, members in policies.read(policy).items()
            if of[:2] == (known["role"], title) and self.found(members, known)
        ]
        if len(titled) > 1:
            raise ValueError(f"the condition title {title!r} matches multiple conditions")
        said = policies.condition(titled[0]) if titled else None
        return {"condition": said} if said else {}

    def _change(
        self,
        clients: Clients,
        properties: Properties,
        members: Callable[[list[str], Properties], list[str]],
    ) -> None:
        of = _key(properties)

        def modify(bindings: Bindings) -> None:
            bindings[of] = members(bindings.get(of, []), properties)

        self._target.change(clients, self._name(clients, properties), modify)

    def _name(self, clients: Clients, properties: Properties) -> str:
        return self._target.name(clients, str(properties[self._target.input]))

    def _id(self, clients: Clients, properties: Properties) -> str:
        condition = ["/".join(_key(properties)[1:])] if properties.get("condition") else []
        return "/".join(
            [self._name(clients, properties), properties["role"], *self.whom(properties), *condition]
        )


class Member(_Grant):
    """One member: it is added and taken away, and whoever else has the role keeps it."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, "member", policies.normal)

    def modify(self, members: list[str], properties: Properties) -> list[str]:
        return [*self.withdraw(members, properties), *self.whom(properties)]

    def withdraw(self, members: list[str], properties: Properties) -> list[str]:
        return [one for one in members if one not in self.whom(properties)]

    def found(self, members: list[str], properties: Properties) -> Properties | None:
        (member,) = self.whom(properties)
        return {"member": member} if member in members else None

    def whom(self, properties: Properties) -> list[str]:
        return [policies.normal(properties["member"])]


class Binding(_Grant):
    """All members of a role: whoever else is given it loses it again.

    One that nobody has any more isn't gone, as in the real provider: it has no members.
    """

    def __init__(self, target: Target) -> None:
        super().__init__(target, "members", _sorted)

    def modify(self, members: list[str], properties: Properties) -> list[str]:
        return _sorted(properties["members"])

    def withdraw(self, members: list[str], properties: Properties) -> list[str]:
        return []

    def found(self, members: list[str], properties: Properties) -> Properties | None:
        return {"members": sorted(members)}

    def whom(self, properties: Properties) -> list[str]:
        return []


def _key(properties: Properties) -> Key:
    return key(properties["role"], properties.get("condition"))


def _sorted(members: Any) -> Any:
    """Members in their one order; what isn't known yet stays as it is."""
    return (
        sorted(map(policies.normal, cast("Sequence[str]", members))) if isinstance(members, list) else members
    )
