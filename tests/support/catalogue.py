"""What a catalogue of broken destinations, and of harmless differences, is made of; and how one entry is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from recording_storage.results import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.results import Result
    from tests.support.live import Live

Owner = TypeVar("Owner")


@dataclass(frozen=True)
class Mutation(Generic[Owner]):
    """One way to break a destination that was green.

    `change` makes it, by the cloud's ordinary clients, and gives what undoes it. `fails`: the ids that `verify` must
    report as failed. `warns`, `unknown`: those that it must report so. It may report no others. `records`: whether the
    service can write to it none the less (it is too open, or the harm comes later).
    """

    name: str
    change: Callable[[Owner], Callable[[], object]]
    fails: frozenset[str] = frozenset()
    warns: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    records: bool = False

    @property
    def expected(self) -> dict[str, str]:
        """Id → status."""
        said = ((Status.FAIL, self.fails), (Status.WARN, self.warns), (Status.UNKNOWN, self.unknown))
        return {id_: status.value for status, ids in said for id_ in ids}


@dataclass(frozen=True)
class Variation(Generic[Owner]):
    """One harmless difference: nothing may fail, and nothing may be left undecided. `warns`: what may be said."""

    name: str
    change: Callable[[Owner], Callable[[], object]]
    warns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Tried:
    """How one entry went: what `verify` reported, and once it was undone; and what stopped a recording."""

    reported: dict[str, str]
    stopped: Result | None
    afterwards: dict[str, str]

    @property
    def recorded(self) -> bool:
        """Whether the service's own attempt went through."""
        return self.stopped is None


def attempt(live: Live, name: str, owner: Owner, entry: Mutation[Owner] | Variation[Owner]) -> Tried:
    """Apply one entry to the destination `name`, look, record, and undo it."""
    undo = entry.change(owner)
    try:
        reported = live.troubles(name)
        steps = live.record(name)
    finally:
        undo()
    ended = [one for one in steps if one.status is not Status.PASS]
    return Tried(reported, ended[0] if ended else None, live.troubles(name))
