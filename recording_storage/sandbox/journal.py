"""What happened in the sandbox: who asked for what, how it was decided, and why.

The stand-in clouds write, the rehearsal reads: a refusal that a client sees as a bare `AccessDenied` has its
reason here, and so has everything that a stand-in could not decide.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import Enum


class Outcome(str, Enum):
    """How a request ended."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    """A stand-in doesn't know: whatever depends on it is inconclusive."""
    NO_ROUTE = "no route"
    """A host for which nothing stands in."""


@dataclass(frozen=True)
class Entry:
    """One decision: `who` (an ARN, or `anonymous`) wanted `what` (an action) on `resource`."""

    outcome: Outcome
    who: str
    what: str
    resource: str
    reason: str


@dataclass
class Journal:
    """The sandbox's decisions in the order in which they were made; safe to use from several threads."""

    _entries: list[Entry] = field(default_factory=list[Entry])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, outcome: Outcome, *, who: str, what: str, resource: str, reason: str) -> None:
        """Add one decision."""
        with self._lock:
            self._entries.append(Entry(outcome, who, what, resource, reason))

    def mark(self) -> int:
        """The present end, to be handed to `since`."""
        with self._lock:
            return len(self._entries)

    def since(self, mark: int = 0, *outcomes: Outcome) -> list[Entry]:
        """What was decided after `mark`; of the given outcomes only, where some are given."""
        with self._lock:
            entries = self._entries[mark:]
        return [entry for entry in entries if not outcomes or entry.outcome in outcomes]
