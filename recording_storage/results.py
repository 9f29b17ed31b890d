"""The one form of a result, everywhere: what was looked at, how it ended, on what evidence, and how to mend it.

A document is `{"destinations": […], "results": […], "summary": {…}}`. Left out: how it is shown (`report`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class Status(str, Enum):
    """How a check ended; `UNKNOWN` is neither passed nor failed: it could not be decided."""

    PASS = "pass"  # noqa: S105 (a verdict, not a password)
    FAIL = "fail"
    WARN = "warn"
    UNKNOWN = "unknown"


class Kind(str, Enum):
    """What a result says: that something works, that something is refused, or what was read of it says so."""

    PROVEN = "proven"
    REFUSED = "refused"
    UNPROVEN = "unproven"
    VERIFIED = "verified"


@dataclass(frozen=True)
class Result:
    """One result. `id` is stable; `source` is the page from which the expectation comes."""

    destination: str
    id: str
    status: Status
    title: str
    evidence: str = ""
    mend: str = ""
    source: str = ""

    @property
    def kind(self) -> str:
        """The part of the id before the first dot; the ids of checks (`S1`) have none."""
        kind, dot, _ = self.id.partition(".")
        return kind if dot else Kind.VERIFIED.value


@dataclass(frozen=True)
class Made:
    """One resource, as a person would say it: `bucket acme-calls-3f9c2a: private, encrypted, versioned`."""

    kind: str
    name: str
    properties: tuple[str, ...] = ()


@dataclass(frozen=True)
class DestinationReport:
    """What a document says of one destination, beside its results."""

    name: str
    stack: str
    provider: str
    title: str
    made: tuple[Made, ...] = ()
    unproven: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    """What somebody else must do before it works in a real cloud."""
    recording_storage: dict[str, str] | None = None


@dataclass
class Document:
    """Everything that a run found out; results without a destination are about the stack as a whole."""

    stack: str = ""
    destinations: list[DestinationReport] = field(default_factory=list[DestinationReport])
    results: list[Result] = field(default_factory=list[Result])
    seconds: float = 0.0
    recording_storage: dict[str, str] | None = None
    """The stack's own output, where one destination is the default."""

    def count(self, kind: Kind, status: Status = Status.PASS) -> int:
        """How many results of a kind ended so."""
        return sum(1 for result in self.results if result.kind == kind.value and result.status is status)

    @property
    def held(self) -> bool:
        """Whether everything held: nothing failed, and nothing was left undecided."""
        return all(result.status in (Status.PASS, Status.WARN) for result in self.results)

    def as_dict(self) -> dict[str, Any]:
        """The document for JSON."""
        statuses = Counter(result.status.value for result in self.results)
        return {
            "destinations": [asdict(destination) for destination in self.destinations],
            "results": [asdict(result) | {"status": result.status.value} for result in self.results],
            "summary": {status.value: statuses[status.value] for status in Status}
            | {
                "proven": self.count(Kind.PROVEN),
                "refused": self.count(Kind.REFUSED),
                "verified": self.count(Kind.VERIFIED),
                "held": self.held,
                "seconds": round(self.seconds, 2),
            },
            "recording_storage": self.recording_storage,
        }
