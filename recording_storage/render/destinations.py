"""What is rendered: destinations by their names, and which of them is meant where there is room for one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components.faults import did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.contract import RecordingStorage

_HALF: Final = re.compile(r"[\ud800-\udfff]")


class RenderError(ValueError):
    """What was asked for can't be written so; the message says why, and what to do."""


@dataclass(frozen=True)
class Destinations:
    """The objects for the API by their destinations' names, and the name of the stack's default, where it has one."""

    by_name: Mapping[str, RecordingStorage]
    default: str | None = None

    @property
    def plain(self) -> RecordingStorage | None:
        """The one that is meant when no name is said: the only one, or the default."""
        if len(self.by_name) == 1:
            return next(iter(self.by_name.values()))
        return None if self.default is None else self.by_name[self.default]

    @property
    def several(self) -> bool:
        """Whether names are needed to tell them apart."""
        return len(self.by_name) > 1

    def only(self, name: str) -> Destinations:
        """The named one alone; raises `RenderError`."""
        if name not in self.by_name:
            mend = did_you_mean(name, list(self.by_name), "name one of them")
            raise RenderError(f'there is no destination "{name}", but {listed(self.by_name)}: {mend}')
        return Destinations({name: self.by_name[name]})

    def one(self, form: str) -> RecordingStorage:
        """The one for a format that has room for one; raises `RenderError`."""
        if self.plain is None:
            raise RenderError(
                f"{form} is of one destination, and there are {listed(self.by_name)}, none of which is the default: "
                "name one with --destination"
            )
        return self.plain

    def check_text(self) -> None:
        """Refuse what isn't text: half of a surrogate pair, which JSON can name and no file can hold."""
        for name, storage in self.by_name.items():
            for field, value in (("name", name), *storage.items()):
                if _HALF.search(field + value):
                    raise RenderError(f"{name!a}: {field!a} has a lone surrogate, which is no text")
