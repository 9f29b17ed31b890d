"""What a rule is: which resources it looks at, and what it says of one that breaks it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policy.resources import NotKnown, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from policy.belonging import View

MANDATORY: Final = "mandatory"
ADVISORY: Final = "advisory"


@dataclass(frozen=True)
class Rule:
    """One rule. `id` is that of the check of `verify` that means the same; `P…` where `verify` has none.

    `title` is a claim that holds where it is kept. `judge` says what to write, one text for each thing that is
    broken, and raises `NotKnown` where it can't tell.
    """

    id: str
    name: str
    title: str
    about: str
    subjects: Callable[[View], Iterable[Resource]]
    judge: Callable[[View, Resource], Iterator[str]]
    source: str
    level: str = MANDATORY

    @property
    def policy(self) -> str:
        """What Pulumi calls it."""
        return f"{self.id.lower()}-{self.name}"


@dataclass(frozen=True)
class Finding:
    """What a rule says of one resource; `is_known`: it is broken, and not only that it can't be told."""

    rule: Rule
    resource: Resource
    text: str
    is_known: bool = True


class NotJudged(Exception):  # noqa: N818 - an answer, not an error
    """A rule can't be judged on this stack at all; the message says why."""


def findings(rule: Rule, view: View) -> list[Finding]:
    """Everything that a rule says of a stack; raises `NotJudged`.

    A resource of a shape that nobody has seen can't be told; it doesn't stop the deployment, nor does it pass.
    """
    found: list[Finding] = []
    try:
        subjects = list(rule.subjects(view))
    except Exception as error:
        raise NotJudged(f"what it is about can't be told: {_said(error)}") from error
    for one in subjects:
        try:
            found.extend(Finding(rule, one, f"{one.name}: {text}") for text in rule.judge(view, one))
        except NotKnown as unknown:
            what = unknown.why if unknown.resource is one else str(unknown)
            found.append(Finding(rule, one, f"{one.name}: {what}", is_known=False))
        except Exception as error:  # its inputs are another's, of whatever version
            text = f"{one.name}: it has a shape that isn't known here: {_said(error)}"
            found.append(Finding(rule, one, text, is_known=False))
    return found


def all_findings(rules: Sequence[Rule], view: View) -> list[Finding]:
    """Everything that all rules say of a stack; one that can't be judged says that itself."""
    found: list[Finding] = []
    for rule in rules:
        with suppress(NotJudged):
            found.extend(findings(rule, view))
    return found


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
