"""What a management policy's rules may say.

Source: https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure. The rules are checked
and kept; nothing is ever deleted or moved by them here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = 100
BLOB_TYPES = ("blockBlob", "appendBlob")
FILTERS = ("blobTypes", "prefixMatch", "blobIndexMatch")
TIERS = ("tierToCool", "tierToCold", "tierToArchive", "tierToHot", "enableAutoTierToHotFromCool")
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "baseBlob": ("delete", *TIERS),
    "snapshot": ("delete", *TIERS[:4]),
    "version": ("delete", *TIERS[:4]),
}
CONDITIONS = (
    "daysAfterModificationGreaterThan",
    "daysAfterCreationGreaterThan",
    "daysAfterLastAccessTimeGreaterThan",
    "daysAfterLastTierChangeGreaterThan",
)


def check(policy: Mapping[str, Any]) -> None:
    """Raise `ArmError` for a policy that Azure doesn't take."""
    rules = _list(policy, "rules")
    if not 1 <= len(rules) <= RULES:
        raise _wrong(f"a policy has 1 to {RULES} rules, and not {len(rules)}")
    names = [str(_dict(one, "rule").get("name", "")) for one in rules]
    if not all(names) or len(set(names)) != len(names):
        raise _wrong("every rule has a name of its own")
    for rule in rules:
        _check_rule(_dict(rule, "rule"))


def _check_rule(rule: dict[str, Any]) -> None:
    if rule.get("type") != "Lifecycle":
        raise _wrong("a rule's type is Lifecycle")
    definition = _dict(rule.get("definition"), "definition")
    filters = _dict(definition.get("filters"), "filters")
    types = _list(filters, "blobTypes")
    if not types or not set(types) <= set(BLOB_TYPES):
        raise _wrong(f"a rule's filters name blobTypes among {', '.join(BLOB_TYPES)}")
    if not set(filters) <= set(FILTERS):
        raise _wrong(f"filters are {', '.join(FILTERS)}")
    actions = {what: value for what, value in _dict(definition.get("actions"), "actions").items() if value}
    if not actions or not set(actions) <= set(ACTIONS):
        raise _wrong("a rule has an action on baseBlob, snapshot or version")
    if "appendBlob" in types and any(set(_dict(one, "action")) & set(TIERS) for one in actions.values()):
        raise _wrong("append blobs can be deleted, and not moved to another tier")
    for what, value in actions.items():
        _check_actions(what, _dict(value, what))


def _check_actions(what: str, value: dict[str, Any]) -> None:
    for name, condition in value.items():
        if name not in ACTIONS[what]:
            raise _wrong(f"there is no action {name} on {what}")
        if isinstance(condition, bool) or condition is None:
            continue
        days = {key: one for key, one in _dict(condition, name).items() if one is not None}
        if not days or not set(days) <= set(CONDITIONS):
            raise _wrong(f"{what}.{name} says after how many days")
        if any(key == "daysAfterLastAccessTimeGreaterThan" for key in days):
            raise Undecided("a management policy that goes by the last access")
        for key, one in days.items():
            if isinstance(one, bool) or not isinstance(one, int | float) or one < 0 or one != int(one):
                raise _wrong(f"{what}.{name}.{key} is a number of days, and not {one}")
        if what != "baseBlob" and "daysAfterModificationGreaterThan" in days:
            raise _wrong(f"{what} goes by daysAfterCreationGreaterThan")


def _dict(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(f"{what} is missing")
    return cast("dict[str, Any]", value)


def _list(said: Mapping[str, Any], name: str) -> list[Any]:
    value = said.get(name)
    return cast("list[Any]", value) if isinstance(value, list) else []


def _wrong(why: str) -> ArmError:
    return ArmError(
        400, "InvalidRequestPropertyValue", f"The management policy is not valid: {why}.", because=why
    )
