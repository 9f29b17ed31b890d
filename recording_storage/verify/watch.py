"""Verify again and again until everything is green or the time is up: what was just granted takes a while to count."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from recording_storage.results import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.results import Document

PAUSE_SECONDS = 10.0


def until_green(
    verify: Callable[[], Document],
    timeout_seconds: float,
    tell: Callable[[str], None],
    pause_seconds: float = PAUSE_SECONDS,
) -> Document:
    """The last document: the first that held, or the one with which the time was up.

    `tell` hears, whenever it changes, what isn't green yet.
    """
    until = time.monotonic() + timeout_seconds
    told = ""
    while True:
        document = verify()
        if document.held or time.monotonic() + pause_seconds > until:
            return document
        waiting = _waiting(document)
        if waiting != told:
            tell(f"not green yet: {waiting}")
            told = waiting
        time.sleep(pause_seconds)


def _waiting(document: Document) -> str:
    left = (one for one in document.results if one.status not in (Status.PASS, Status.WARN))
    return ", ".join(f"{one.destination} {one.id}" for one in left)
