"""Show what an event means, to people or to machines. Text works piped, without colour, and on narrow terminals."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, TextIO

from rich.text import Text

from recording_storage.explain import FETCHING, events
from recording_storage.report import ID_WIDTH, LABEL_WIDTH, NARROWEST, console_for
from recording_storage.verify.report import write_results
from recording_storage.verify.tables import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from rich.console import Console

    from recording_storage.explain import Answer, Explanation

NAMES: Final = {"s3": "Amazon S3", "gcs": "Google Cloud Storage", "azure_blob": "Azure Blob Storage"}
AN_ERROR: Final = "an error"
COMMAND: Final = "recording-storage verify --stack STACK"
INSTEAD: Final = "or --config FILE with the recording_storage object"
NOTHING_TO_DO: Final = "Nothing is to be done."
LONGEST: Final = 600
"""Characters of what was said that are shown where it is known; what isn't is shown whole."""


def today() -> date:
    """The day it is, in UTC."""
    return datetime.now(timezone.utc).date()


def write(answers: Iterable[Answer], out: TextIO) -> None:
    """Write answers as text, one below the other."""
    console = console_for(out)
    for number, answer in enumerate(answers):
        if number:
            console.print()
        _answer(console, answer)


def write_json(answers: Iterable[Answer], out: TextIO) -> None:
    """Write answers as JSON: `{"events": [...]}`, the same facts."""
    json.dump(
        {"events": [answer.as_dict() for answer in answers]},
        out,
        indent=2,
        ensure_ascii=False,
    )
    out.write("\n")


def _answer(console: Console, answer: Answer) -> None:
    told = answer.explanation
    event = told.event
    about = [f"conversation {event.conversation}"] if event.conversation else []
    parts = [NAMES[told.provider]] if told.provider else []
    console.print(
        Text.assemble((event.type or AN_ERROR, "bold"), *(f" · {one}" for one in [*parts, *about])),
        soft_wrap=True,
    )
    _lines(console, "happened", told.happened)
    if told.is_trouble:
        _lines(console, "said", [_said(told)])
    _causes(console, told)
    _lines(console, "advice", told.advice)
    if event.type == events.COPY_FAILED:
        _lines(console, "fetch", [f"{_until(told.fetch_until)} {FETCHING}"])
    _verbatim(console, "source", dict.fromkeys(one.source for one in told.symptoms), style="dim")
    _live(console, answer)


def _said(told: Explanation) -> str:
    event = told.event
    said = ": ".join(filter(None, (event.code, event.message))) or event.words
    if told.symptoms and len(said) > LONGEST:
        return f"{said[:LONGEST]}…"
    return said


def _causes(console: Console, told: Explanation) -> None:
    if not told.checks:
        return
    several = "One of these doesn't hold, the likeliest first:"
    _lines(console, "causes", [several if len(told.checks) > 1 else "This doesn't hold:"])
    for id_ in told.checks:
        check = CHECKS[id_]
        _line(console, "", Text.assemble((id_.ljust(ID_WIDTH), "bold"), check.title), ID_WIDTH)
        _line(console, "", Text(f"{' ' * ID_WIDTH}{check.mend}", style="dim"), ID_WIDTH)


def _until(day: date | None) -> str:
    if day is None:
        return "The event has no time to count from."
    left = (day - today()).days
    days = f"{abs(left)} day{'s' * (abs(left) != 1)}"
    if left < 0:
        return f"It could be until about {day.isoformat()}, {days} ago: it may be gone."
    return f"Until about {day.isoformat()}, {'today' if left == 0 else f'{days} from now'}."


def _live(console: Console, answer: Answer) -> None:
    """What is live of it; else, by which command that is found out."""
    told = answer.explanation
    if answer.is_strange:
        _lines(console, "NOT OURS", [_strange(told)], label_style="bold red")
        return
    if answer.ours:
        _lines(console, "ours", [" · ".join(one.name for one in answer.ours)])
    if not told.is_trouble:
        _lines(console, "so", [NOTHING_TO_DO])
    elif answer.looked is None:
        _verbatim(console, "run", [COMMAND, INSTEAD])
    if answer.looked is not None:
        for destination in answer.looked.destinations:
            console.print(Text.assemble((destination.name, "bold"), f" · {destination.title}"))
            results = [one for one in answer.looked.results if one.destination == destination.name]
            write_results(console, results)
        if answer.looked.held:
            _lines(console, "so", [_elsewhere(told)])


def _strange(told: Explanation) -> str:
    where = told.event.bucket or told.event.uri or NAMES.get(told.provider, "it")
    return f"No destination that was named is {where}. Look whose it is, and where the event came from."


def _elsewhere(told: Explanation) -> str:
    if told.checks:
        return f"What was looked at holds: it was mended meanwhile, or the cause is another. All of it: {COMMAND}"
    return "All that can be looked at holds: it was mended meanwhile, or verify can't read the cause."


def _lines(
    console: Console, label: str, said: Iterable[str], style: str = "", label_style: str = "cyan"
) -> None:
    for number, one in enumerate(said):
        _line(console, label if number == 0 else "", Text(one, style=style), label_style=label_style)


def _verbatim(console: Console, label: str, said: Iterable[str], style: str = "") -> None:
    """Lines that are there to be copied: never wrapped."""
    for number, one in enumerate(said):
        lead = f"  {(label if number == 0 else '').ljust(LABEL_WIDTH)}"
        console.print(Text.assemble((lead, "cyan"), (one, style)), soft_wrap=True)


def _line(console: Console, label: str, text: Text, indent: int = 0, label_style: str = "cyan") -> None:
    """One paragraph beside its label; further lines of it stand `indent` characters in."""
    width = LABEL_WIDTH + 2
    for number, line in enumerate(text.wrap(console, max(NARROWEST, console.width - width - indent))):
        line.rstrip()
        lead = f"  {label.ljust(LABEL_WIDTH)}" if number == 0 else " " * (width + indent)
        console.print(Text.assemble((lead, label_style), line), soft_wrap=True)
