"""Which resources of a stack belong to a destination for recordings, and are the pack's business.

A company's stack has many buckets, and few of them hold recordings. What belongs is found from the trust: a role that
names the recording service's account, a pool provider or a federated credential with its issuer; then what these may
write to, and what is set on that. The components' own resources belong, and what the configuration names. With scope
`all` every bucket, storage account and pool provider does.

What refers to what is read from values, and where they aren't known yet, from what they are made of (`refers`). Per
cloud: `belonging_aws`, `belonging_gcp`, `belonging_azure`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from policy.kinds import COMPONENTS
from policy.resources import NotKnown, Resource, refers
from policy.settings import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from policy.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class View:
    """A stack as the rules see it. `found`: what was looked for in it before (`once`)."""

    stack: Sequence[Resource]
    settings: Settings
    found: dict[object, Any] = field(default_factory=dict[object, Any])

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for one in self.stack:
            found.setdefault(one.type, []).append(one)
        return found

    def of(self, *kinds: Sequence[str]) -> list[Resource]:
        """The stack's resources of these types."""
        return [one for kind in kinds for type_ in kind for one in self._by_type.get(type_, ())]

    def is_ours(self, one: Resource) -> bool:
        """Whether it is a component's own, or named in the configuration."""
        return is_in_component(one) or one.named(self.settings.destinations)

    @property
    def is_wide(self) -> bool:
        """Whether everything is the pack's business."""
        return self.settings.scope == ALL

    def about(
        self, kind: Sequence[str], path: str, target: Resource, identifiers: Iterable[str]
    ) -> list[Resource]:
        """What of a type names the target by the input `path`.

        Raises `NotKnown` where something of the type may be about it, and nothing of it is for sure.
        """
        names = tuple(identifiers)
        answers = [(one, refers(one, path, target, names)) for one in self.of(kind)]
        sure = [one for one, answer in answers if answer]
        doubtful = [one for one, answer in answers if answer is None]
        if not sure and doubtful:
            listed = ", ".join(one.name for one in doubtful)
            raise NotKnown(target, f"whether it is {path} of {listed} isn't known yet")
        return sure


def once(look: Callable[[View], T]) -> Callable[[View], T]:
    """Look for something in a view only once, however many rules need it."""

    @wraps(look)
    def looked(view: View) -> T:
        if look not in view.found:
            view.found[look] = look(view)
        return view.found[look]

    return looked


def is_in_component(one: Resource) -> bool:
    """Whether one of this project's components made it."""
    return any(above.type in COMPONENTS for above in one.above)
