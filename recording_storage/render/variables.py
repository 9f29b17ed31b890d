"""The names under which destinations stand in an environment.

`RECORDING_STORAGE` is the object for the API as JSON, and `RECORDING_STORAGE_<FIELD>` each of its fields: of the only
destination, or of the default. Where there are several, each stands under its own name as well:
`RECORDING_STORAGE_<DESTINATION>` and `RECORDING_STORAGE_<DESTINATION>_<FIELD>`. Left out: how a format writes them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from recording_storage.render.destinations import RenderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.contract import RecordingStorage
    from recording_storage.render.destinations import Destinations

STEM: Final = "RECORDING_STORAGE"

_SPECIAL: Final = re.compile(r"""\\["\\]|['$`%]""")
"""What one reader or another takes for something of its own: quotes, escapes and the beginnings of expansions."""


@dataclass(frozen=True)
class Variable:
    """One variable. `destination`: whose it is; None, the one that is meant. `field`: which; None, all as JSON."""

    name: str
    value: str
    destination: str | None
    field: str | None


def variables(destinations: Destinations) -> list[Variable]:
    """All variables of the destinations; raises `RenderError` where two would have the same name, or one none."""
    found: dict[str, Variable] = {}
    for one in _all(destinations):
        if one.name in found:
            raise RenderError(
                f"{one.name} would stand for {_whose(found[one.name])} and for {_whose(one)}: render one at a time, "
                "with --destination"
            )
        found[one.name] = one
    return list(found.values())


def _all(destinations: Destinations) -> Iterator[Variable]:
    if destinations.plain is not None:
        yield from _of(destinations.plain, STEM, None)
    if destinations.several:
        for name, storage in destinations.by_name.items():
            yield from _of(storage, f"{STEM}_{_word(name)}", name)


def _of(storage: RecordingStorage, stem: str, destination: str | None) -> Iterator[Variable]:
    yield Variable(stem, json_text(storage), destination, None)
    for field, value in storage.items():
        yield Variable(f"{stem}_{_word(field)}", value, destination, field)


def _word(name: str) -> str:
    """A name as part of a variable's: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html."""
    word = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    if not word:
        raise RenderError(
            f'"{name}" has nothing in it that a variable\'s name can hold: give it another name'
        )
    return word


def _whose(one: Variable) -> str:
    part = "all" if one.field is None else one.field
    return f"{part} of {one.destination or 'the default'}"


def json_text(storage: RecordingStorage) -> str:
    r"""The object as JSON in one line of printable ASCII, without a character that any reader could take for more.

    What shells and dotenv readers would expand, unquote or unescape stands as `\uNNNN`, which is the same JSON.
    """
    text = json.dumps(storage, separators=(",", ":"))
    return _SPECIAL.sub(lambda found: f"\\u{ord(found[0][-1]):04x}", text)
