"""Show people what `verify` found: a table a destination; under what isn't green, its evidence and mend."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TextIO

from rich.text import Text

from recording_storage.report import LABEL_WIDTH, console_for, heading, trouble
from recording_storage.results import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from recording_storage.results import Document, Result

WORDS = {Status.PASS: "passed", Status.FAIL: "FAILED", Status.UNKNOWN: "unclear", Status.WARN: "warned of"}
"""How many of which, in the last line."""


def write_text(document: Document, out: TextIO) -> None:
    """Write a document as text."""
    console = console_for(out)
    for destination in document.destinations:
        console.print(Text.assemble((destination.name, "bold"), f" · {destination.title}"))
        write_results(console, (one for one in document.results if one.destination == destination.name))
        console.print()
    console.print(_summary(document))


def write_results(console: Console, results: Iterable[Result]) -> None:
    """Write a line for each result, and what is to be known of those that did not pass."""
    for result in results:
        if result.status is Status.PASS:
            console.print(Text.assemble("  ", ("passed".ljust(LABEL_WIDTH), "green"), heading(result)))
        else:
            trouble(console, result)


def _summary(document: Document) -> str:
    counts = Counter(result.status for result in document.results)
    said = ", ".join(
        f"{counts[status]} {word}"
        for status, word in WORDS.items()
        if counts[status] or status in (Status.PASS, Status.FAIL)
    )
    return f"{said} in {document.seconds:.1f} s"
