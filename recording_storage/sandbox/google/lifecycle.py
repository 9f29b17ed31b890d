"""Lifecycle rules: what Cloud Storage takes for one (https://docs.cloud.google.com/storage/docs/lifecycle).

They are stored; nothing is deleted by them, since no clock passes in a sandbox.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from recording_storage.sandbox.google.errors import invalid
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value: TypeAlias = dict[str, Any]

MAX_RULES = 100
MAX_AFFIXES = 1000
TARGETS = ("NEARLINE", "COLDLINE", "ARCHIVE", "STANDARD", "MULTI_REGIONAL", "REGIONAL")
CLASSES = (*TARGETS, "DURABLE_REDUCED_AVAILABILITY")
FOR_UPLOADS = frozenset({"age", "matchesPrefix", "matchesSuffix"})
"""The conditions that unfinished uploads can have."""

_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


def lifecycle(said: Value) -> Value | None:
    """The rules as they are kept; None for no rules. Raises `GoogleError` for what isn't one."""
    rules = _list([] if said.get("rule") is None else said["rule"], "lifecycle.rule")
    if len(rules) > MAX_RULES:
        raise invalid(f"A lifecycle configuration can have at most {MAX_RULES} rules.")
    return {"rule": [_rule(_object(one, "lifecycle.rule")) for one in rules]} if rules else None


def _rule(said: Value) -> Value:
    action = _object(said.get("action"), "lifecycle.rule.action")
    condition = _object(said.get("condition"), "lifecycle.rule.condition")
    kept = {name: _condition(name, value) for name, value in condition.items() if value is not None}
    if not kept:
        raise invalid("A lifecycle rule must have at least one condition.")
    kind = action.get("type")
    if kind == "SetStorageClass":
        if action.get("storageClass") not in TARGETS:
            raise invalid(f"Invalid storage class of a lifecycle action: {action.get('storageClass')}")
        return {"action": {"type": kind, "storageClass": action["storageClass"]}, "condition": kept}
    if kind not in ("Delete", "AbortIncompleteMultipartUpload"):
        raise invalid(f"Invalid type of a lifecycle action: {kind}")
    if "storageClass" in action:
        raise invalid(f"A lifecycle action {kind} has no storage class.")
    if kind != "Delete" and not kept.keys() <= FOR_UPLOADS:
        raise invalid(f"{kind} can have these conditions only: {', '.join(sorted(FOR_UPLOADS))}.")
    return {"action": {"type": kind}, "condition": kept}


def _condition(name: str, value: object) -> Any:
    read = _CONDITIONS.get(name)
    if name == "matchesPattern":
        raise Undecided("the lifecycle condition matchesPattern")
    if read is None:
        raise invalid(f"Unknown lifecycle condition: {name}")
    found = read(value)
    if found is None:
        raise invalid(f"Invalid value of the lifecycle condition {name}: {value}")
    return found


def _number(value: object) -> int | None:
    return int(str(value)) if str(value).isdecimal() else None


def _bytes(value: object) -> str | None:
    return str(value) if str(value).isdecimal() else None


def _date(value: object) -> str | None:
    return value if isinstance(value, str) and _DATE.fullmatch(value) else None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _affixes(value: object) -> list[Any] | None:
    found = _list(value, "lifecycle condition")
    fits = 0 < len(found) <= MAX_AFFIXES and all(isinstance(one, str) and one for one in found)
    return found if fits else None


def _classes(value: object) -> list[Any] | None:
    found = _list(value, "lifecycle condition")
    return found if found and all(one in CLASSES for one in found) else None


_CONDITIONS: Mapping[str, Callable[[object], Any]] = {
    "age": _number,
    "createdBefore": _date,
    "customTimeBefore": _date,
    "daysSinceCustomTime": _number,
    "daysSinceNoncurrentTime": _number,
    "isLive": _boolean,
    "matchesPrefix": _affixes,
    "matchesSuffix": _affixes,
    "matchesStorageClass": _classes,
    "noncurrentTimeBefore": _date,
    "numNewerVersions": _number,
    "sizeAboveBytes": _bytes,
    "sizeBelowBytes": _bytes,
}


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise invalid(f"Invalid value for: {name}")
    return cast("list[Any]", value)


def _object(value: object, name: str) -> Value:
    if not isinstance(value, dict):
        raise invalid(f"Invalid value for: {name}")
    return cast("Value", value)
