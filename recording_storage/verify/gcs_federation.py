"""Whom a provider lets in, decided by evaluating its mapping and its condition for tokens of which not all is known.

Of the recording service's tokens `iss`, `sub` and `aud` are known. An expression that asks for another claim is decided
only where that claim makes no difference: CEL's `false && …` is false whatever stands behind it.
Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#logical-operators
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google import Undecidable, cel
from recording_storage.evaluation.google.federation import SUBJECT, NotLetIn, identify, mapped
from recording_storage.evaluation.google.principals import federated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from recording_storage.evaluation.google.principals import Principal

VARIABLES = frozenset({"assertion", "google", "attribute"})
ASSERTION = frozenset({"assertion"})
_CLAIM = re.compile(
    r"""\bassertion\s*(?:\.\s*(?P<name>\w+)|\[\s*(?P<quote>["'])(?P<key>[^"'\\]+)(?P=quote)\s*\])"""
)
_HAS = re.compile(r"\bhas\s*\(\s*assertion\b")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')
_MARKS = re.compile(r"[\^$*+?()\[\]{}|\\]|\.\*")


@dataclass(frozen=True)
class Rules:
    """A provider's mapping and condition."""

    pool: str
    mapping: Mapping[str, str]
    condition: str

    @classmethod
    def of(cls, pool: str, provider: Mapping[str, Any]) -> Rules:
        """Those of a provider as the API has it."""
        return cls(
            pool, provider.get("attributeMapping") or {}, str(provider.get("attributeCondition") or "")
        )

    @property
    def expressions(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.mapping.values(), *filter(None, [self.condition]))

    @property
    def claims(self) -> frozenset[str]:
        """The claims that they ask for."""
        return frozenset(
            found["name"] or found["key"] for text in self.expressions for found in _CLAIM.finditer(text)
        )

    @property
    def literals(self) -> tuple[str, ...]:
        """The texts that the condition compares with."""
        found = (one[0] or one[1] for one in _LITERAL.findall(self.condition))
        return tuple(dict.fromkeys(filter(None, found)))

    def is_open_ended(self, known: Iterable[str]) -> bool:
        """Whether they look at a token otherwise than claim by claim, or at whether it has a claim."""
        bare = any("assertion" in _CLAIM.sub("", text) for text in self.expressions)
        asks = any(_HAS.search(text) for text in self.expressions)
        return bare or (asks and not self.claims <= frozenset(known))


@dataclass(frozen=True)
class Answer:
    """Whether somebody is let in (None: that isn't known), as whom, and why (not)."""

    let_in: bool | None
    who: Principal | None
    why: str


def ask(rules: Rules, claims: Mapping[str, Any]) -> Answer:
    """Whether a token with these claims, and others that aren't known, is let in."""
    said = tuple(sorted((name, str(value)) for name, value in claims.items() if name in rules.claims))
    answer = _ask(tuple(sorted(rules.mapping.items())), rules.condition, said)
    if answer.who is None:
        return answer
    who = answer.who
    subject = who.member.partition("/subject/")[2]
    return replace(answer, who=federated(rules.pool, subject, dict(who.attributes), who.groups))


@lru_cache(4096)
def _ask(mapping: tuple[tuple[str, str], ...], condition: str, said: tuple[tuple[str, str], ...]) -> Answer:
    """Likewise, of no pool in particular: the destinations of a stack are often alike."""
    rules, claims = Rules("", dict(mapping), condition), dict(said)
    unknown = sorted(rules.claims - claims.keys())
    why = f"it depends on the token's {', '.join(unknown)}, which isn't known" if unknown else ""
    try:
        for expression in rules.mapping.values():
            cel.check(expression, ASSERTION)
        if rules.condition:
            cel.check(rules.condition, VARIABLES)
        if rules.is_open_ended(claims):
            return Answer(None, None, why or "it depends on which claims the token has, which isn't known")
        who = identify(rules.pool, rules.mapping, rules.condition, claims)
    except (cel.Malformed, Undecidable) as undecidable:
        return Answer(None, None, f"it can't be evaluated here: {undecidable}")
    except NotLetIn as refused:
        if unknown and not _is_false_anyhow(rules, claims):
            return Answer(None, None, why)
        return Answer(False, None, refused.because)
    return Answer(True, who, "")


def subject_of(rules: Rules, claims: Mapping[str, Any]) -> str:
    """The subject that the mapping makes of claims, whatever the condition says; empty where it makes none."""
    try:
        return mapped({SUBJECT: rules.mapping.get(SUBJECT, "")}, claims)[0]["subject"]
    except (NotLetIn, Undecidable, KeyError):
        return ""


def come_as(rules: Rules, claims: Mapping[str, Any]) -> Principal | None:
    """Whom a token would stand for, whatever the condition says; None where that isn't known."""
    try:
        return identify(rules.pool, rules.mapping, "", claims)
    except (NotLetIn, Undecidable):
        return None


def _is_false_anyhow(rules: Rules, claims: Mapping[str, Any]) -> bool:
    """Whether the condition is false without what isn't known."""
    google: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    for key, expression in rules.mapping.items():
        try:
            some, more = mapped({key: expression}, claims)
        except (NotLetIn, Undecidable):
            continue
        google |= some
        attributes |= more
    values = {"assertion": dict(claims), "google": google, "attribute": attributes}
    try:
        return bool(rules.condition) and cel.evaluate(rules.condition, values) is False
    except cel.CelFailure:
        return False


def others(own: str, rules: Rules) -> tuple[str, ...]:
    """Subjects that a provider for `own` alone refuses: near ones, and those that its condition speaks of."""
    found = [*_near(own), *(text for one in rules.literals for text in _around(one))]
    return tuple(one for one in dict.fromkeys(found) if one and one != own)


def _near(own: str) -> Iterator[str]:
    half = max(1, len(own) // 2)
    yield from ("some-other-workspace", f"not-{own}", f"{own}-too", own.swapcase(), f" {own}", f"{own} ")
    shifted = "".join(map(_next, own))
    yield from (shifted, own[:half] + shifted[half:], shifted[:half] + own[half:], own[:-1], own[1:])


def _around(literal: str) -> Iterator[str]:
    plain = _MARKS.sub("", literal)
    for one in dict.fromkeys((literal, plain)):
        yield from (one, f"{one}zz", f"zz{one}", f"zz{one}zz")


def _next(letter: str) -> str:
    """Another letter of the same kind."""
    for first, last in (("a", "z"), ("A", "Z"), ("0", "9")):
        if first <= letter <= last:
            return first if letter == last else chr(ord(letter) + 1)
    return letter
