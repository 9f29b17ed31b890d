"""Show a document to people, or to machines.

Text works when piped, without colour, and on a narrow terminal; JSON has the same facts.
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from recording_storage.results import Kind, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recording_storage.results import DestinationReport, Document, Result

LABEL_WIDTH, ID_WIDTH = 10, 4
PIPED_WIDTH = 100
NARROWEST = 20
LONGEST_NAME = 64
"""What is longer (an ARN) doesn't push the others' columns aside."""
MARKS = {
    Status.FAIL: ("FAILED", "bold red"),
    Status.UNKNOWN: ("UNCLEAR", "bold yellow"),
    Status.WARN: ("warning", "yellow"),
}
LABEL_STYLES = {
    "made": "cyan",
    "to do": "bold yellow",
    "proven": "green",
    "refused": "green",
    "verified": "green",
    "unproven": "dim",
}


def write_json(documents: Iterable[Document], out: TextIO) -> None:
    """Write one document as JSON; several become one, their destinations and results one after the other."""
    parts = [document.as_dict() for document in documents]
    whole = parts[0]
    for part in parts[1:]:
        whole["destinations"] += part["destinations"]
        whole["results"] += part["results"]
        whole["summary"] = {
            key: (whole["summary"][key] and value)
            if isinstance(value, bool)
            else whole["summary"][key] + value
            for key, value in part["summary"].items()
        }
        whole["recording_storage"] = None
    json.dump(whole, out, indent=2, ensure_ascii=False)
    out.write("\n")


def write_error(stack: str, error: Exception, out: TextIO) -> None:
    """Write why a stack could not be rehearsed, as JSON: `{"error": {"stack", "message", "faults"}}`."""
    faults = [fault.as_dict() for fault in getattr(error, "faults", ())]
    json.dump(
        {"error": {"stack": stack, "message": str(error), "faults": faults}},
        out,
        indent=2,
        ensure_ascii=False,
    )
    out.write("\n")


def write_text(document: Document, out: TextIO) -> None:
    """Write a document as text: a block per destination, then the summary and the object to paste."""
    console = console_for(out)
    whole = [result for result in document.results if not result.destination]
    for result in whole:
        if result.status is not Status.PASS:
            trouble(console, result)
    for destination in document.destinations:
        _destination(console, destination, [r for r in document.results if r.destination == destination.name])
    if _held(whole, Kind.PROVEN):
        console.print(Text.assemble((document.stack, "bold"), " · under the Pulumi engine"))
        _line(console, Kind.PROVEN.value, Text(_held(whole, Kind.PROVEN)))
        console.print()
    console.print(_summary(document))
    if document.recording_storage is not None:
        # Never wrapped: it is there to be copied.
        console.print(
            f"recording_storage: {json.dumps(document.recording_storage)}", soft_wrap=True, markup=False
        )


def console_for(out: TextIO) -> Console:
    """Where text goes; piped, it is as wide as a page."""
    console = Console(file=out, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console


def _destination(console: Console, destination: DestinationReport, results: list[Result]) -> None:
    console.print(Text.assemble((destination.name, "bold"), f" · {destination.title}"))
    kinds = max((len(made.kind) for made in destination.made), default=0)
    names = max((len(made.name) for made in destination.made if len(made.name) <= LONGEST_NAME), default=0)
    for index, made in enumerate(destination.made):
        text = Text(
            f"{made.kind.ljust(kinds)}  {made.name.ljust(names)}  {', '.join(made.properties)}".rstrip()
        )
        _line(console, "made" if index == 0 else "", text)
    for kind in (Kind.PROVEN, Kind.REFUSED):
        if held := _held(results, kind):
            _line(console, kind.value, Text(held))
    if passed := [one.id for one in results if one.kind == Kind.VERIFIED.value and one.status is Status.PASS]:
        _line(console, Kind.VERIFIED.value, Text(f"{len(passed)} checks: {' '.join(passed)}"))
    if destination.unproven:
        _line(console, "unproven", Text(", ".join(destination.unproven)), style="dim")
    for index, wanted in enumerate(destination.to_do):
        _line(console, "to do" if index == 0 else "", Text(wanted))
    for result in results:
        if result.status is not Status.PASS:
            trouble(console, result)
    console.print()


def _held(results: list[Result], kind: Kind) -> str:
    """What held, in one line."""
    return " · ".join(
        result.title for result in results if result.kind == kind.value and result.status is Status.PASS
    )


def _line(console: Console, label: str, text: Text, style: str = "") -> None:
    left = f"  {label.ljust(LABEL_WIDTH)}"
    text.stylize(style)
    for index, line in enumerate(text.wrap(console, max(NARROWEST, console.width - len(left)))):
        line.rstrip()
        lead = (left, LABEL_STYLES.get(label, "")) if index == 0 else " " * len(left)
        console.print(Text.assemble(lead, line), soft_wrap=True)


def trouble(console: Console, result: Result) -> None:
    """Write a result that isn't as it should be: on what evidence, and how to mend it."""
    mark, style = MARKS[result.status]
    console.print(Text.assemble("  ", (mark.ljust(LABEL_WIDTH), style), heading(result)))
    for label in ("evidence", "mend", "source"):
        said = getattr(result, label)
        if said:
            _said(console, label, said)


def _said(console: Console, label: str, said: str) -> None:
    """Write what is said under its label; words stay whole, so that commands and addresses can be copied."""
    left = " " * (LABEL_WIDTH + 2) + label.ljust(LABEL_WIDTH)
    width = max(NARROWEST, console.width - len(left))
    lines = textwrap.wrap(said, width, break_long_words=False, break_on_hyphens=False)
    for index, line in enumerate(lines):
        lead = (left, "dim") if index == 0 else " " * len(left)
        console.print(Text.assemble(lead, line), soft_wrap=True)


def heading(result: Result) -> Text:
    """What a result is about: a check by its id first, as people call it; else in words."""
    if result.kind == Kind.VERIFIED.value:
        return Text.assemble((result.id.ljust(ID_WIDTH), "bold"), result.title)
    title = f"{result.title} should have been refused" if _should_be_refused(result) else result.title
    return Text.assemble(title, (f"  [{result.id}]", "dim"))


def _should_be_refused(result: Result) -> bool:
    return result.kind == Kind.REFUSED.value and result.status is Status.FAIL


def _summary(document: Document) -> str:
    counts = document.as_dict()["summary"]
    words = [
        f"{counts['proven']} proven",
        f"{counts['refused']} refused",
        f"{counts['verified']} verified",
        *([f"{counts['fail']} FAILED"] if counts["fail"] else []),
        f"{counts['unknown']} inconclusive",
    ]
    return f"{', '.join(words)} in {document.seconds:.1f} s"
