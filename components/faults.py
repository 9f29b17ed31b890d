"""What a wrong configuration value looks like to the person who has to mend it.

One shape for every complaint: which key, what was given, what was expected, how to mend it. Warnings use the
same shape. Left out: the rules themselves (`aws`, `settings`, `contract`) and how a command prints results of
checks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOT_SET: Final = "(not set)"
"""What a fault shows as the value where the key is missing."""

_LONGEST_VALUE: Final = 96


@dataclass(frozen=True)
class Breach:
    """One rule that a value breaks, wherever the value stands: what was expected, and how to mend it."""

    expected: str
    mend: str


@dataclass(frozen=True)
class Fault:
    """One wrong value.

    `key` is the path inside the configuration (`destinations.calls.region`, `destinations.calls.readers[0]`),
    `value` what was given, as `shown` writes it.
    """

    key: str
    value: str
    expected: str
    mend: str

    def as_dict(self) -> dict[str, str]:
        """Give the same four facts for JSON."""
        return asdict(self)

    def render(self, namespace: str = "") -> str:
        """Write three indented lines; `namespace` is the part of the key before the colon."""
        key = f"{namespace}:{self.key}" if namespace else self.key
        return f"  {key} = {self.value}\n    expected  {self.expected}\n    mend      {self.mend}"


def fault(key: str, value: object, breach: Breach) -> Fault:
    """Put the breach of a rule together with the key and its value."""
    return Fault(key, shown(value), breach.expected, breach.mend)


class ConfigurationError(Exception):
    """Every fault of a configuration at once; raised before anything is made.

    `namespace` is the Pulumi project's name, which stands before the colon of each key in the stack file.
    """

    def __init__(self, faults: Iterable[Fault], namespace: str = "") -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        self.namespace = namespace
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.faults)
        head = f"{count} {'fault' if count == 1 else 'faults'} in the configuration; nothing was made."
        return "\n".join([head, *(one.render(self.namespace) for one in self.faults)])

    def as_dict(self) -> dict[str, object]:
        """Give the same facts for JSON: `{"namespace", "faults": [{"key", "value", "expected", "mend"}]}`."""
        return {"namespace": self.namespace, "faults": [one.as_dict() for one in self.faults]}


def shown(value: object) -> str:
    """Write a value as JSON, the middle of a long one replaced by an ellipsis."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) <= _LONGEST_VALUE:
        return text
    kept = (_LONGEST_VALUE - 1) // 2
    return f"{text[:kept]}…{text[-kept:]}"


def did_you_mean(given: str, known: Sequence[str], otherwise: str) -> str:
    """Ask for the nearest known word, or `otherwise` where none is near."""
    import difflib  # only a wrong word needs it

    near = difflib.get_close_matches(given, known, n=1) or difflib.get_close_matches(
        given.lower(), known, n=1
    )
    return f'did you mean "{near[0]}"?' if near else otherwise


def listed(words: Iterable[str]) -> str:
    """Join words in one line: `a, b, c`."""
    return ", ".join(words)
