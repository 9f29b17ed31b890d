r"""A dotenv file, in the part of the language that its readers share.

Nobody has written down what such a file is: shells (`set -a; . ./file`), python-dotenv and `node --env-file` each have
rules of their own for backslashes, dollars and quotes. So a value stands as it is where it holds nothing special (which
`docker run --env-file` reads too, that knows no quotes), in single quotes where all read that literally, in double
quotes where it has a single quote but nothing that is special within double ones. What no form holds for all of them is
refused: https://saurabh-kumar.com/python-dotenv/reference/,
https://nodejs.org/api/environment_variables.html#dotenv,
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from recording_storage.render.destinations import RenderError
from recording_storage.render.variables import variables

if TYPE_CHECKING:
    from recording_storage.render.destinations import Destinations
    from recording_storage.render.options import Options

_BARE: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
"""What `shlex.quote` leaves alone, too."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""Control characters but tab and newline: some readers drop a NUL or turn a carriage return into a newline."""
_NOT_IN_SINGLE: Final = re.compile(r"""'|\\\\|\\\Z|\$\{""")
"""python-dotenv unescapes `\\\\` in single quotes and expands `${…}` in any."""
_NOT_IN_DOUBLE: Final = re.compile(r"""["\\$`]""")


def env(destinations: Destinations, options: Options) -> str:
    """Write the variables as a dotenv file."""
    del options
    return "".join(f"{one.name}={quoted(one.name, one.value)}\n" for one in variables(destinations))


def quoted(name: str, value: str) -> str:
    """A value as every reader gives it back; raises `RenderError`, which names the variable `name`."""
    if _CONTROL.search(value):
        raise RenderError(f"{name} has a control character, which a dotenv file can't hold: take json")
    if _BARE.fullmatch(value):
        return value
    if not _NOT_IN_SINGLE.search(value):
        return f"'{value}'"
    if not _NOT_IN_DOUBLE.search(value):
        return f'"{value}"'
    raise RenderError(
        f"{name} has quotes, backslashes or dollars together that readers of dotenv files read differently: take json"
    )
