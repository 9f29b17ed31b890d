"""What the clouds and the recording service say where something is wrong, and what makes them say it: one table.

A row is a symptom: by which words it is known, what happened, which checks find the cause, the likeliest first, and
the page that says so. Of the rows that fit an event the most exact ones count. Error texts aren't a contract of
anybody's: what isn't known here is shown as it came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.trust import Certainty


class Rank(IntEnum):
    """How exactly a symptom says what is wrong."""

    EXACT = 0
    """It names what is wrong."""
    KIND = 1
    """It names the operation or the kind of refusal."""
    GENERAL = 2
    """It says that something was refused."""
    CODE = 3
    """It is the service's own word for it, beside which a cloud's says more."""


@dataclass(frozen=True)
class Symptom:
    """One symptom.

    `code`: what people look for, as documentation lists it. `words`: a regular expression over an event's text,
    without regard to case. `provider`: on whose storage it means that. `happened`: a sentence. `checks`: ids, the
    likeliest cause first; none: `verify` can't find the cause. `certainty`: how sure it is that these words mean that
    (A the vendor's text, B seen in public, C derived). `advice`: what to know beside.
    """

    code: str
    words: str
    provider: str
    happened: str
    checks: tuple[str, ...]
    source: str
    certainty: Certainty
    advice: str = ""
    rank: Rank = Rank.EXACT

    def fits(self, text: str) -> bool:
        """Whether a text has the words."""
        return re.search(self.words, text, re.IGNORECASE) is not None
