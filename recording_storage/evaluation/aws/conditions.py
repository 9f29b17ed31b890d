"""Condition operators and policy variables of the AWS policy language, read three ways.

A condition is true, false, or unknown (`None`). It is unknown when it rests on a context key that the
stand-in can't supply, or on something that AWS does not document. Logic over such values is Kleene's, so
an unknown matters only where it really decides.

Left out: nothing of the documented operators. These come out as unknown, because AWS documents no answer:
a key with several values under an operator without `ForAllValues:` or `ForAnyValue:`, a number, date,
address or Boolean that can't be read, an ARN pattern that has not six parts, an IPv6 address without a
prefix length, `Null` on an empty value, and a variable that names a key with several values.

Sources, under https://docs.aws.amazon.com/IAM/latest/UserGuide/ :
reference_policies_elements_condition_operators.html,
reference_policies_condition-logic-multiple-context-keys-or-values.html,
reference_policies_condition-single-vs-multi-valued-context-keys.html,
reference_policies_variables.html
"""

from __future__ import annotations

import base64
import binascii
import operator
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Truth: TypeAlias = bool | None
Quantifier: TypeAlias = Literal["ForAllValues", "ForAnyValue", ""]
Read = TypeVar("Read")


class Undecidable(Exception):  # noqa: N818 - an answer, not an error
    """The answer rests on something the evaluator does not know: neither allowed nor denied."""


class MalformedPolicy(Exception):  # noqa: N818 - named as AWS names it
    """AWS would refuse to store this policy."""


def negate(truth: Truth) -> Truth:
    """Kleene's not."""
    return None if truth is None else not truth


def any_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's or."""
    seen = list(truths)
    if True in seen:
        return True
    return None if None in seen else False


def all_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's and."""
    seen = list(truths)
    if False in seen:
        return False
    return None if None in seen else True


@dataclass(frozen=True)
class Context:
    """The condition keys of one request: names in lower case, and those that can't be known here."""

    values: Mapping[str, tuple[str, ...]]
    unknown: frozenset[str]

    @classmethod
    def of(cls, values: Mapping[str, Sequence[str]], unknown: Iterable[str]) -> Context:
        """Key names are compared without regard to case."""
        return cls(
            {key.lower(): tuple(found) for key, found in values.items()},
            frozenset(name.lower() for name in unknown),
        )

    def get(self, key: str) -> tuple[str, ...] | None:
        """Values of a key; none at all when it is absent; `None` when it can't be known."""
        name = key.lower()
        if name in self.values:
            return self.values[name]
        hidden = any(name == u or (u.endswith(("/", ":")) and name.startswith(u)) for u in self.unknown)
        return None if hidden else ()


@dataclass(frozen=True)
class Pattern:
    """A policy value: characters, each with whether it is text that can't be a wildcard."""

    characters: tuple[tuple[str, bool], ...]

    @classmethod
    @lru_cache(maxsize=4096)
    def plain(cls, text: str) -> Pattern:
        """Wildcards count, variables don't."""
        return cls(tuple((character, False) for character in text))

    @property
    def text(self) -> str:
        """The characters alone."""
        return "".join(character for character, _ in self.characters)

    def matches(self, value: str) -> bool:
        """Whether `*` (any text) and `?` (one character) make it the value."""
        wild = {"*": ".*", "?": "."}
        source = "".join(re.escape(c) if fixed or c not in wild else wild[c] for c, fixed in self.characters)
        return re.fullmatch(source, value, re.DOTALL) is not None

    def parts(self, most: int) -> list[Pattern]:
        """Split at colons, into at most so many parts; what is left stays in the last."""
        found: list[list[tuple[str, bool]]] = [[]]
        for character in self.characters:
            if character[0] == ":" and len(found) < most:
                found.append([])
            else:
                found[-1].append(character)
        return [Pattern(tuple(part)) for part in found]


_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_REFERENCE = re.compile(r"([^,]*?)\s*(?:,\s*'(.*)')?\s*")
_ESCAPES = ("*", "?", "$")


def expand(text: str, context: Context) -> Pattern | Literal[False] | None:
    """Replace policy variables: `False` when one has no value (nothing equals it), `None` if not known."""
    characters: list[tuple[str, bool]] = []
    at = 0
    for variable in _VARIABLE.finditer(text):
        characters += [(c, False) for c in text[at : variable.start()]]
        at = variable.end()
        if variable[1] in _ESCAPES:
            characters.append((variable[1], True))
            continue
        reference = _REFERENCE.fullmatch(variable[1])
        key, default = (reference[1], reference[2]) if reference else (variable[1], None)
        values = context.get(key)
        if values is None or len(values) > 1:
            return None
        value = values[0] if values else default
        if value is None:
            return False
        characters += [(c, True) for c in value]
    characters += [(c, False) for c in text[at:]]
    return Pattern(tuple(characters))


def _equals(want: Pattern, have: str) -> Truth:
    return want.text == have


def _equals_ignoring_case(want: Pattern, have: str) -> Truth:
    return want.text.casefold() == have.casefold()


def _like(want: Pattern, have: str) -> Truth:
    return want.matches(have)


def _arn_like(want: Pattern, have: str) -> Truth:
    patterns, values = want.parts(6), have.split(":", 5)
    if len(patterns) < 6:
        return None
    return len(values) == 6 and all(p.matches(v) for p, v in zip(patterns, values, strict=True))


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


_W3C = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d))?)?"
)


def _moment(text: str) -> float | None:
    # Four digits alone could be a year or seconds since 1970: AWS allows both forms.
    if re.fullmatch(r"\d{5,}(\.\d+)?", text):
        return float(text)
    found = _W3C.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    micros = int((fraction or "").ljust(6, "0"))
    clock = (int(hour or 0), int(minute or 0), int(second or 0), micros)
    try:
        moment = datetime(int(year), int(month), int(day or 1), *clock, tzinfo=timezone.utc)
    except ValueError:
        return None
    if zone and zone != "Z":
        ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
        moment = moment - ahead if zone[0] == "+" else moment + ahead
    return moment.timestamp()


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _in_network(want: Pattern, have: str) -> Truth:
    try:
        network, address = ip_network(want.text, strict=False), ip_address(have)
    except ValueError:
        return None
    # AWS states /32 as the default prefix, which for IPv6 would be a whole range.
    if network.version == 6 and "/" not in want.text:
        return None
    return address in network


def _compared(
    read: Callable[[str], Read | None], relation: Callable[[Read, Read], bool]
) -> Callable[[Pattern, str], Truth]:
    def compare(want: Pattern, have: str) -> Truth:
        left, right = read(have), read(want.text)
        return None if left is None or right is None else relation(left, right)

    return compare


@dataclass(frozen=True)
class Operator:
    """One condition operator: how a policy value is compared with a value of the request."""

    compare: Callable[[Pattern, str], Truth]
    negated: bool = False
    variables: bool = False


_RELATIONS: Mapping[str, Callable[[float | Decimal, float | Decimal], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
NULL = "Null"
OPERATORS: Mapping[str, Operator] = {
    "StringEquals": Operator(_equals, variables=True),
    "StringNotEquals": Operator(_equals, negated=True, variables=True),
    "StringEqualsIgnoreCase": Operator(_equals_ignoring_case, variables=True),
    "StringNotEqualsIgnoreCase": Operator(_equals_ignoring_case, negated=True, variables=True),
    "StringLike": Operator(_like, variables=True),
    "StringNotLike": Operator(_like, negated=True, variables=True),
    "ArnEquals": Operator(_arn_like, variables=True),
    "ArnLike": Operator(_arn_like, variables=True),
    "ArnNotEquals": Operator(_arn_like, negated=True, variables=True),
    "ArnNotLike": Operator(_arn_like, negated=True, variables=True),
    "Bool": Operator(_compared(_boolean, operator.eq)),
    "BinaryEquals": Operator(_compared(_bytes, operator.eq)),
    "IpAddress": Operator(_in_network),
    "NotIpAddress": Operator(_in_network, negated=True),
    NULL: Operator(_compared(_boolean, operator.eq)),
    **{
        f"{family}{name}": Operator(_compared(read, relation), negated=name == "NotEquals")
        for family, read in (("Numeric", _number), ("Date", _moment))
        for name, relation in _RELATIONS.items()
    },
}
_NAME = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?")
_AFFIXES = re.compile(r"^(forallvalues|foranyvalue):|(?<!^null)ifexists$")


@dataclass(frozen=True)
class Condition:
    """One key under one operator, with the values it may have (or, negated, may not have)."""

    written: str
    key: str
    values: tuple[str, ...]
    operator: Operator
    quantifier: Quantifier
    if_exists: bool

    @classmethod
    def read(cls, written: str, key: str, values: tuple[str, ...]) -> Condition:
        """Take the operator's name apart."""
        found = _NAME.fullmatch(written)
        name = found[2] if found else written
        known = OPERATORS.get(name)
        if found and known and name == NULL and found[1]:
            raise Undecidable(f"AWS does not document the condition operator {written}")
        if not found or not known or (name == NULL and found[3]):
            if _AFFIXES.sub("", written.lower()) in {n.lower() for n in OPERATORS}:
                raise Undecidable(f"AWS does not document the condition operator {written}")
            raise MalformedPolicy(f"Invalid Condition type : {written}")
        quantifier = cast("Quantifier", found[1] or "")
        return cls(written, key, values, known, quantifier, bool(found[3]))

    def evaluate(self, context: Context, variables: bool) -> Truth:
        """Whether the request meets it; `variables` says if the policy's version has them."""
        have = context.get(self.key)
        if have is None:
            return None
        if self.written == NULL:
            if have and not any(have):
                return None
            absent = "false" if have else "true"
            return any_of(self.operator.compare(Pattern.plain(v), absent) for v in self.values)
        if not have and self.if_exists:
            return True
        if self.quantifier and not any(have):
            return self.quantifier == "ForAllValues"
        if not have:
            return self.operator.negated
        results = [self._meets(value, context, variables) for value in have]
        if self.quantifier:
            return (all_of if self.quantifier == "ForAllValues" else any_of)(results)
        return results[0] if len(results) == 1 else None

    def _meets(self, value: str, context: Context, variables: bool) -> Truth:
        def matches(text: str) -> Truth:
            want = expand(text, context) if variables and self.operator.variables else Pattern.plain(text)
            return self.operator.compare(want, value) if isinstance(want, Pattern) else want

        matched = any_of(matches(text) for text in self.values)
        return negate(matched) if self.operator.negated else matched

    def explain(self, context: Context) -> str:
        """Say what it wants and what the request has."""
        have = context.get(self.key)
        if have is None:
            return f"depends on {self.key}, which can't be known here"
        found = _quoted(have) if have else f"no {self.key}"
        return f"wants {self.key} {self.written} {_quoted(self.values)}, the request has {found}"


def _quoted(values: Sequence[str]) -> str:
    return " or ".join(f'"{value}"' for value in values)
