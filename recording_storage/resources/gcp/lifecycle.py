"""A bucket's lifecycle rules, in Pulumi's words and in Google's.

Source: https://docs.cloud.google.com/storage/docs/json_api/v1/buckets#lifecycle. Leaves out conditions on the size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from recording_storage.resources.gcp.resource import only, table

if TYPE_CHECKING:
    from recording_storage.resources import Properties

CONDITIONS = {
    "age": "age",
    "createdBefore": "createdBefore",
    "customTimeBefore": "customTimeBefore",
    "daysSinceCustomTime": "daysSinceCustomTime",
    "daysSinceNoncurrentTime": "daysSinceNoncurrentTime",
    "matchesPrefixes": "matchesPrefix",
    "matchesStorageClasses": "matchesStorageClass",
    "matchesSuffixes": "matchesSuffix",
    "noncurrentTimeBefore": "noncurrentTimeBefore",
    "numNewerVersions": "numNewerVersions",
}
SEND_ZERO = {
    "age": "sendAgeIfZero",
    "daysSinceCustomTime": "sendDaysSinceCustomTimeIfZero",
    "daysSinceNoncurrentTime": "sendDaysSinceNoncurrentTimeIfZero",
    "numNewerVersions": "sendNumNewerVersionsIfZero",
}
"""The inputs which say that a zero is meant: it is nothing otherwise."""
IS_LIVE = {"LIVE": True, "ARCHIVED": False}
ANY = "ANY"


def to_api(rules: list[Properties] | None) -> list[Properties]:
    """The rules as they are sent."""
    return [
        {
            "action": only(rule.get("action"), {"type", "storageClass"}, "a lifecycle rule's action"),
            "condition": _condition(table(rule.get("condition"))),
        }
        for rule in rules or []
    ]


def from_api(found: Properties | None, before: list[Properties] | None) -> list[Properties]:
    """The rules as a program has them; what Google doesn't keep of one is as it was in the rule `before`."""
    return [
        {"action": rule["action"], "condition": _conditions(rule["condition"], before, place)}
        for place, rule in enumerate((found or {}).get("rule", []))
    ]


def _conditions(found: Properties, before: list[Properties] | None, place: int) -> Properties:
    said = table(before[place].get("condition") if before and place < len(before) else None)
    kept = {name: said[name] for name in SEND_ZERO.values() if said.get(name)}
    state = next((state for state, is_live in IS_LIVE.items() if found.get("isLive") is is_live), ANY)
    known = {ours: found[theirs] for ours, theirs in CONDITIONS.items() if theirs in found}
    return known | {"withState": state} | kept


def settled(rules: Any) -> Any:
    """The rules with each one's state, which is any where none is given; what isn't known yet stays as it is."""
    return [_settled(rule) for rule in cast("list[Any]", rules)] if isinstance(rules, list) else rules


def _settled(rule: Any) -> Any:
    if not isinstance(rule, dict):
        return rule
    said = cast("Properties", rule)
    condition = table(said.get("condition"))
    return said | {"condition": condition | {"withState": condition.get("withState") or ANY}}


def _condition(said: Properties) -> Properties:
    only(said, {*CONDITIONS, *SEND_ZERO.values(), "withState"}, "a lifecycle rule's condition")
    condition: Properties = {
        theirs: _whole(said.get(ours) or 0)
        for ours, theirs in CONDITIONS.items()
        if said.get(ours) or said.get(SEND_ZERO.get(ours, ""))
    }
    state = said.get("withState") or ANY
    if state not in (ANY, *IS_LIVE):
        raise ValueError(f"unexpected value {state!r} for condition.with_state")
    return condition | ({"isLive": IS_LIVE[state]} if state in IS_LIVE else {})


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) else value
