"""Markdown that says what others wrote, of which nothing becomes Markdown, HTML, a link, a mention or a command.

Everything that isn't written here stands in code blocks: neither GitHub nor GitLab looks for mentions, references,
links, HTML or commands in them. To the renderer a block ends at a line of backticks, so no backtick gets into one; to a
pipeline's log a command begins with two colons or has two hashes before a bracket, so those are taken apart; and no
line of a block begins with what others wrote, but with two spaces. Characters that don't show, or that turn the
direction of writing round, are left out.

https://spec.commonmark.org/0.31.2/#fenced-code-blocks ·
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands ·
https://docs.gitlab.com/user/project/quick_actions/
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST: Final = 65_536
"""Bytes of a comment; GitHub's limit is as many characters, GitLab's is larger.
https://github.com/orgs/community/discussions/41331"""
LONGEST_LINE: Final = 300
WIDTH: Final = 96
INDENT: Final = "  "
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_SPACE: Final = frozenset({"Zl", "Zp", "Zs"})


@dataclass
class Block:
    """A heading or a sentence of ours, and a block of what others wrote."""

    heading: str
    lines: list[str] = field(default_factory=list[str])
    folded: bool = False
    """Whether a reader opens it first."""

    def render(self, most: int) -> str:
        """The block, with `most` lines of it at most."""
        shown = self.lines[:most]
        left = len(self.lines) - len(shown)
        if left:
            shown = [*shown, f"… {left} more"]
        fenced = "\n".join(["```text", *(INDENT + line for line in shown), "```"]) if shown else ""
        if self.folded and fenced:
            return f"<details><summary>{self.heading}</summary>\n\n{fenced}\n\n</details>"
        return "\n\n".join(part for part in (self.heading, fenced) if part)


def page(blocks: Sequence[Block], limit: int = LONGEST) -> str:
    """All blocks, none longer than what lets the page stay below `limit` bytes.

    Raises `ValueError` where the headings alone are longer.
    """

    def render(most: int) -> str:
        return "\n\n".join(block.render(most) for block in blocks) + "\n"

    longest = max((len(block.lines) for block in blocks), default=0)
    if len(render(longest).encode()) <= limit:
        return render(longest)
    fits, exceeds = -1, longest
    while exceeds - fits > 1:
        middle = (fits + exceeds) // 2
        if len(render(middle).encode()) <= limit:
            fits = middle
        else:
            exceeds = middle
    if fits < 0:
        raise ValueError(f"{limit} bytes are too few")
    return render(fits)


def line(text: str, mask: Callable[[str], str]) -> str:
    """What others wrote, as one line of a block."""
    return _cut(_disarmed(mask(_clean(text))))


def wrapped(text: str, mask: Callable[[str], str], lead: str = "") -> list[str]:
    """What others wrote, in as many lines as it takes, the first after `lead`, the others below its end."""
    lines, current = list[str](), lead
    for word in mask(_clean(text)).split(" "):
        if len(current) > len(lead) and len(current) + 1 + len(word) > WIDTH:
            lines.append(current)
            current = " " * len(lead)
        current += word if len(current) == len(lead) else f" {word}"
    return [_cut(_disarmed(one.rstrip())) for one in (*lines, current)]


def _clean(text: str) -> str:
    """The text in one line, with nothing in it that doesn't show, or that ends a block."""
    shown = "".join(
        " " if category in _SPACE or one in "\n\r\t" else "'" if one == "`" else one
        for one in text
        if (category := unicodedata.category(one)) not in _HIDDEN or one in "\n\r\t"
    )
    return " ".join(shown.split())


def _disarmed(text: str) -> str:
    """A line that is no command to the log that it is printed to."""
    return re.sub(r"^(\s*):(?=:)", r"\1: ", text).replace("##[", "# #[")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"
