"""The Common Expression Language: attribute mappings and conditions of providers, conditions of bindings.

The engine is cel-python, loaded when something is evaluated first; what it has beside CEL isn't accepted, and what
Google's dialect has beside it is added: `extract`, `split`, `join`, `lowerAscii`, `upperAscii`. Equality is that of
https://github.com/google/cel-spec/blob/master/doc/langdef.md#equality: values of different types aren't equal.

Sources: https://docs.cloud.google.com/iam/docs/conditions-attribute-reference (`extract`, attributes of bindings),
https://docs.cloud.google.com/iam/docs/workload-identity-federation#mapping (`assertion`, `google`, `attribute`).
"""

from __future__ import annotations

import re
import threading
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast

from recording_storage.evaluation.google import Undecidable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
FUNCTIONS = MACROS | {
    *("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"),
    *("contains", "endsWith", "has", "matches", "size", "startsWith"),
    *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"),
    *("getMilliseconds", "getMinutes", "getMonth", "getSeconds"),
    *("extract", "join", "lowerAscii", "split", "upperAscii"),
}
MAYBE = {
    *(
        "charAt",
        "decode",
        "encode",
        "format",
        "indexOf",
        "lastIndexOf",
        "replace",
        "reverse",
        "substring",
        "trim",
    ),
    *("getAttribute", "hasOnly", "hasTagKey", "hasTagKeyId", "matchTag", "matchTagId"),
}
"""What Google's dialect may have, and this evaluator hasn't."""
BINDING_VARIABLES = frozenset({"resource", "request"})
BINDING_OTHERS = frozenset({"api", "destination", "origin"})
KNOWN_ATTRIBUTES = ("resource.name", "resource.type", "resource.service", "request.time")
_SELECTED = re.compile(r"\b(?:resource|request)\.[a-z_]+(?:\.[a-z_]+)*")
_ASCII = re.compile(r"[A-Za-z]+")
_TEMPLATE = re.compile(r"([^{}]*)\{[^{}]*\}([^{}]*)")


class Malformed(Exception):  # noqa: N818 (named as what is the matter)
    """Google would refuse to store this expression; the message says why, in its words."""


class CelFailure(Exception):  # noqa: N818 (how an evaluation ended, which is for the caller to judge)
    """An evaluation ended with an error; the message says why."""


def check(expression: str, variables: frozenset[str], others: frozenset[str] = frozenset()) -> None:
    """Raise `Malformed` where Google refuses to store an expression over `variables`; `Undecidable`.

    Those of `others` exist too, but nothing is known of them here.
    """
    celpy = _celpy()
    try:
        tree = _parsed(expression)
    except celpy.CELParseError as error:
        raise Malformed(f"Expression is invalid: syntax error in {expression}: {error}") from None
    for name in _called(tree):
        if name in MAYBE:
            raise Undecidable(f"the function {name} in the expression {expression}")
        if name not in FUNCTIONS:
            raise Malformed(f"Expression is invalid: undeclared reference to '{name}' in {expression}")
    for name in _referred(tree):
        if name not in variables | others:
            raise Malformed(f"Expression is invalid: undeclared reference to '{name}' in {expression}")


def evaluate(expression: str, values: Mapping[str, Any]) -> Any:
    """The value of an expression, as plain Python; raises `CelFailure`."""
    celpy = _celpy()
    try:
        program = _program(expression)
        found = program.evaluate({name: celpy.json_to_cel(value) for name, value in values.items()})
    except (celpy.CELEvalError, celpy.CELParseError) as error:
        said = error.args[0] if error.args else error
        raise CelFailure(str(said).partition(" (in activation")[0]) from None
    return _plain(found)


def condition_holds(expression: str, full_name: str, kind: str, now: datetime) -> bool | None:
    """Whether a condition of a binding is true; None where it asks for what isn't known here.

    One that can't be evaluated isn't true (https://docs.cloud.google.com/iam/docs/conditions-overview).
    """
    try:
        check(expression, BINDING_VARIABLES, BINDING_OTHERS)
    except (Malformed, Undecidable):
        return None
    tree = _parsed(expression)
    asked = [found for found in _SELECTED.findall(expression) if not found.startswith(KNOWN_ATTRIBUTES)]
    if asked or set(_referred(tree)) & BINDING_OTHERS:
        return None
    service, _, name = full_name.removeprefix("//").partition("/")
    resource = {"name": name, "type": kind, "service": service}
    try:
        return evaluate(expression, {"resource": resource, "request": {"time": now}}) is True
    except CelFailure:
        return False


def extract(value: str, template: str) -> str:
    """What stands in `value` where `template` has its only pair of braces; nothing where it doesn't fit."""
    fits = _TEMPLATE.fullmatch(template)
    if fits is None:
        raise ValueError(f"the template {template}")
    _, before, after = value.partition(fits[1]) if fits[1] else ("", "", value)
    if before != fits[1]:
        return ""
    if not fits[2]:
        return after
    found, end, _ = after.partition(fits[2])
    return found if end else ""


@cache
def _celpy() -> Any:
    import celpy

    return celpy


_MAKING = threading.Lock()
"""Making an environment takes a while, and `cache` alone would have every thread that waits for it make its own."""


def _environment() -> Any:
    with _MAKING:
        return _made_environment()


@cache
def _made_environment() -> Any:
    environment = _celpy().Environment()
    environment.annotations.clear()  # they'd make `google` a package, and it's a variable here
    return environment


@lru_cache(256)
def _parsed(expression: str) -> Any:
    return _environment().compile(expression)


@lru_cache(256)
def _program(expression: str) -> Any:
    return _environment().program(_parsed(expression), _functions())


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    types = _celpy().celtypes

    def text(value: object) -> str:
        if not isinstance(value, types.StringType):
            raise TypeError("no such overload")
        return str(value)

    def item(value: Any, index: Any) -> Any:
        if isinstance(value, str):
            raise TypeError("no such overload")
        return value[index]

    def split(value: object, separator: object) -> Any:
        return types.ListType([types.StringType(one) for one in text(value).split(text(separator))])

    def join(values: Any, separator: object = types.StringType("")) -> Any:
        return types.StringType(text(separator).join(text(one) for one in values))

    def extracted(value: object, template: object) -> Any:
        return types.StringType(extract(text(value), text(template)))

    def lower(value: object) -> Any:
        return types.StringType(_ASCII.sub(lambda found: found[0].lower(), text(value)))

    def upper(value: object) -> Any:
        return types.StringType(_ASCII.sub(lambda found: found[0].upper(), text(value)))

    def equal(one: object, other: object) -> Any:
        return _either_failed(one, other) or types.BoolType(_equal(one, other))

    def unequal(one: object, other: object) -> Any:
        return _either_failed(one, other) or types.BoolType(not _equal(one, other))

    return {
        "extract": extracted,
        "split": split,
        "join": join,
        "lowerAscii": lower,
        "upperAscii": upper,
        "_==_": equal,
        "_!=_": unequal,
        "_[_]": item,
    }


def _either_failed(one: Any, other: Any) -> Any:
    """An operand that is an error, which the whole then is too."""
    failure = _celpy().CELEvalError
    return next((value for value in (one, other) if isinstance(value, failure)), None)


def _equal(one: Any, other: Any) -> bool:
    one, other = _plain(one), _plain(other)
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, list) and isinstance(other, list):
        listed, others = cast("list[Any]", one), cast("list[Any]", other)
        return len(listed) == len(others) and all(map(_equal, listed, others))
    if isinstance(one, dict) and isinstance(other, dict):
        named, found = cast("dict[Any, Any]", one), cast("dict[Any, Any]", other)
        return named.keys() == found.keys() and all(
            _equal(value, found[name]) for name, value in named.items()
        )
    return bool(one == other)


def _plain(value: Any) -> Any:
    types = _celpy().celtypes
    if isinstance(value, types.BoolType):
        return bool(value)
    for kind, plain in ((str, str), (int, int), (float, float)):
        if isinstance(value, kind):
            return plain(value)
    if isinstance(value, types.ListType):
        return [_plain(one) for one in value]
    if isinstance(value, types.MapType):
        return {_plain(name): _plain(one) for name, one in value.items()}
    return value


def _called(tree: Any) -> Iterator[str]:
    """The functions and macros that an expression uses."""
    for node in tree.iter_subtrees():
        if node.data in ("ident_arg", "dot_ident_arg"):
            yield str(node.children[0])
        elif node.data == "member_dot_arg":
            yield str(node.children[1])


def _referred(tree: Any) -> Iterator[str]:
    """The variables that an expression uses, without those that its macros bring."""
    own: set[str] = set()
    for node in tree.iter_subtrees():
        if node.data == "member_dot_arg" and node.children[1] in MACROS and len(node.children) > 2:
            own.update(str(one.children[0]) for one in node.children[2].children[0].find_data("ident"))
    yield from (
        name
        for node in tree.find_data("ident")
        if (name := str(node.children[0])) not in own and name not in FUNCTIONS
    )
