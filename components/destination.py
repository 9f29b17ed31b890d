"""What every destination's configuration has, whatever its cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Generic, Literal, TypeVar

from components.faults import Breach, Fault, fault, listed
from components.fields import Model, choice, text, truth, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from components import naming

LONGEST_RETENTION_DAYS: Final = 36500
"""A hundred years: a larger number is a slip of the finger."""

OnDestroy = Literal["protect", "retain", "delete"]
PROTECT: Final = "protect"
RETAIN: Final = "retain"
DELETE: Final = "delete"
_ON_DESTROY: Final = (PROTECT, RETAIN, DELETE)


class DestinationSettings(Model):
    """The fields that all have.

    `on_destroy`: `protect` refuses, `retain` leaves the storage, `delete` gives the recordings up. `retention_days`:
    readable that long; unset, nothing expires. `existing`: the bucket is somebody else's care, and only the trust is
    made; `adopt`: it exists and comes under management.
    """

    provider: str
    on_destroy: Annotated[OnDestroy, text(choice(_ON_DESTROY), f"one of {listed(_ON_DESTROY)}")] = PROTECT
    retention_days: Annotated[
        int | None,
        whole(
            1,
            LONGEST_RETENTION_DAYS,
            "days",
            "write the number without quotes; remove the key to keep everything",
        ),
    ] = None
    existing: Annotated[bool, truth()] = False
    adopt: Annotated[bool, truth()] = False

    @property
    def place(self) -> str:
        """Where the recordings are, in the cloud's own word."""
        raise NotImplementedError


D = TypeVar("D", bound=DestinationSettings)
T = TypeVar("T")


@dataclass(frozen=True)
class Group(Generic[D, T]):
    """A stack's destinations of one provider, by their names, and what they share."""

    scope: naming.Scope
    destinations: Mapping[str, D]
    trust: T
    tags: Mapping[str, str]


Named = tuple[str, str, str]
"""A destination's name, one of its fields, and the physical name that stands there."""


def taken_twice(groups: Iterable[Sequence[Named]]) -> Iterator[Fault]:
    """List those that share with others what must be unique; each group holds those that would be one."""
    for group in groups:
        for name, field, value in group:
            others = listed(other for other, _, _ in group if other != name)
            if others:
                breach = Breach(
                    f"a {field} of its own; {others} has it too", f"set another {field} for one of them"
                )
                yield fault(f"destinations.{name}.{field}", value, breach)


def beside_existing(
    name: str, one: DestinationSettings, fields: frozenset[str], what: str
) -> Iterator[Fault]:
    """List the settings of `what` (a bucket, an account) that are set although it is left as it is."""
    if one.existing:
        for field in sorted(fields & one.model_fields_set):
            breach = Breach(
                f"no setting of the {what} beside existing: true, which leaves it as it is",
                f"remove it, and have the {what.split()[-1]}'s owner see to it; or remove existing",
            )
            yield fault(f"destinations.{name}.{field}", getattr(one, field), breach)


def given_up_while_adopted(
    name: str, one: DestinationSettings, field: str = "adopt", what: str = "it"
) -> Iterator[Fault]:
    """Refuse to give up in the same breath what is only just taken over, as `field` says."""
    adopts = getattr(one, field)
    if adopts and one.on_destroy == DELETE:
        breach = Breach(
            f"protect or retain beside {field}{': true' * (adopts is True)}, which takes {what} over without a change",
            f"adopt it first and remove {field}; then set on_destroy: delete",
        )
        yield fault(f"destinations.{name}.on_destroy", one.on_destroy, breach)


def tag_faults(group: Group[D, T], breaches: Callable[[str, str], Iterable[Breach]]) -> Iterator[Fault]:
    """Ask for tags that a cloud takes, where there is a destination that would carry them."""
    if not group.destinations:
        return
    for key, value in group.tags.items():
        if isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] (it may be faulty here)
            yield from (fault(f"tags.{key}", value, breach) for breach in breaches(key, value))
