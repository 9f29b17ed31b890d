"""Lines for the file that `$GITHUB_ENV` names.

Each variable stands between lines with a delimiter, the form that holds any text:
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#multiline-strings.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from recording_storage.render.destinations import RenderError
from recording_storage.render.variables import variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recording_storage.render.destinations import Destinations
    from recording_storage.render.options import Options
    from recording_storage.render.variables import Variable


def github_env(destinations: Destinations, options: Options) -> str:
    """Write the variables for later steps of the job."""
    del options
    found = variables(destinations)
    for one in found:
        if re.search(r"[\0\r]", one.value):
            raise RenderError(
                f"{one.name} has a NUL or a carriage return, which runners on some systems drop: take json"
            )
    end = delimiter(found)
    return "".join(f"{one.name}<<{end}\n{one.value}\n{end}\n" for one in found)


def delimiter(found: Sequence[Variable]) -> str:
    """A word that is in none of the values: whoever can choose a value can't end it, and go on with another variable.

    It follows from the values, so that the same stack always gives the same text.
    """
    text = "\0".join(one.value for one in found)
    number = 0
    while True:
        word = f"EOF_{hashlib.sha256(f'{number}{text}'.encode()).hexdigest()[:32]}"
        if word not in text:
            return word
        number += 1
