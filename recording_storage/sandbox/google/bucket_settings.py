"""What can be said of a bucket, and what Cloud Storage makes of it: shapes, defaults, and what the server adds.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1/buckets (fields),
https://docs.cloud.google.com/storage/docs/buckets#naming, https://docs.cloud.google.com/storage/docs/locations,
https://docs.cloud.google.com/storage/docs/tags-and-labels#bucket-labels,
https://docs.cloud.google.com/storage/docs/soft-delete, https://docs.cloud.google.com/storage/docs/bucket-lock,
https://docs.cloud.google.com/storage/docs/uniform-bucket-level-access and
https://docs.cloud.google.com/storage/docs/public-access-prevention.

Leaves out, as undecided where it is switched on: Autoclass, requester pays, hierarchical namespaces, IP filters, object
retention, enforced kinds of encryption, zonal buckets, buckets that are called like a domain, and tags. CORS, website,
logging and recovery point are stored and have no effect.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from recording_storage.sandbox.google.errors import failed_precondition, forbidden, invalid
from recording_storage.sandbox.google.lifecycle import lifecycle
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAY = timedelta(days=1)
DEFAULT_SOFT_DELETE = 7 * DAY
LOCKED_AFTER = 90 * DAY
"""When uniform access can't be switched off any more."""
STORAGE_CLASSES = ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE")
PREVENTIONS = {"inherited": "inherited", "unspecified": "inherited", "enforced": "enforced"}
READ_ONLY = frozenset(
    (
        "kind",
        "id",
        "name",
        "selfLink",
        "projectNumber",
        "timeCreated",
        "updated",
        "generation",
        "metageneration",
        "etag",
        "location",
        "locationType",
        "owner",
        "acl",
        "defaultObjectAcl",
        "satisfiesPZS",
        "satisfiesPZI",
    )
)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_RESERVED = re.compile(r"goog.*|.*(google|g00gle|goog1e).*")
_MULTI_REGIONS = ("US", "EU", "ASIA")
_DUAL_REGION = re.compile(r"(NAM|EUR|ASIA)\d{1,2}")
_REGION = re.compile(r"[A-Z]+-[A-Z]+\d{1,2}")
_LABEL = re.compile(r"[\w-]{0,63}")
_MAX_LABELS = 64
_CENTURY = 100 * 365.25 * DAY

Value: TypeAlias = dict[str, Any]


def millis(moment: datetime) -> str:
    """A moment as Cloud Storage writes it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parsed(text: str) -> datetime:
    """A moment that Cloud Storage wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def check_name(name: object) -> str:
    """Give a bucket's name, if it can be one."""
    if not isinstance(name, str) or not name:
        raise invalid("Required", reason="required")
    parts = name.split(".")
    if (
        not _NAME.fullmatch(name)
        or _ADDRESS.fullmatch(name)
        or _RESERVED.fullmatch(name)
        or any(not part or len(part) > 63 for part in parts)
    ):
        raise invalid(f"Invalid bucket name: '{name}'")
    if len(parts) > 1:
        raise Undecided(f"whether the owner of {name} owns that domain")
    return name


def location_of(said: Mapping[str, Any]) -> Value:
    """`location`, `locationType` and what goes with them; raises `GoogleError` for a place that can't be one."""
    location = str(said.get("location") or "US").upper()
    placement: Value = said.get("customPlacementConfig") or {}
    if placement:
        regions = [str(one).upper() for one in placement.get("dataLocations", [])]
        if len(regions) == 1:
            raise Undecided("a bucket in one zone")
        if len(regions) != 2 or not all(map(_REGION.fullmatch, regions)):
            raise invalid("Invalid custom placement config")
        found = {"locationType": "dual-region", "customPlacementConfig": {"dataLocations": regions}}
        return {"location": location, **found}
    if location in _MULTI_REGIONS:
        return {"location": location, "locationType": "multi-region"}
    if _DUAL_REGION.fullmatch(location):
        return {"location": location, "locationType": "dual-region"}
    if _REGION.fullmatch(location):
        return {"location": location, "locationType": "region"}
    raise invalid("The specified location constraint is not valid.")


class Change:
    """From what was set `before` (of a new bucket, where it is) to what is `wanted`, at a time."""

    def __init__(self, name: str, before: Value, now: datetime) -> None:
        self.name = name
        self.before = before
        self.now = now

    def settled(self, wanted: Mapping[str, Any]) -> Value:
        """All settings as they will be, those of them that were said and those that are always there."""
        for unknown in wanted.keys() - _SETTINGS.keys() - READ_ONLY:
            raise Undecided(f"the setting {unknown} of a bucket")
        found = {name: settle(self, wanted.get(name)) for name, settle in _SETTINGS.items()}
        return {name: value for name, value in found.items() if value is not None}

    def storage_class(self, value: object) -> str:
        """A new object's class where it doesn't have its own."""
        if value in (None, ""):
            return "STANDARD"
        if value not in STORAGE_CLASSES:
            raise Undecided(f"the storage class {value}")
        return str(value)

    def labels(self, value: object) -> Value | None:
        """What was said for accounting."""
        labels = _object(value, "labels")
        if len(labels) > _MAX_LABELS:
            raise invalid(f"A bucket can have at most {_MAX_LABELS} labels.")
        for key, text in labels.items():
            if (
                not _is_label(key)
                or not key[:1].isalpha()
                or not isinstance(text, str)
                or not _is_label(text)
            ):
                raise invalid(f"Invalid label: {key}={text}")
        return labels or None

    def lifecycle(self, value: object) -> Value | None:
        """When objects are deleted; nothing happens by it here, since no clock passes."""
        return lifecycle(_object(value, "lifecycle"))

    def versioning(self, value: object) -> Value | None:
        """Whether what is overwritten or deleted stays, as a noncurrent generation."""
        return None if value is None else {"enabled": _flag(_object(value, "versioning"), "enabled")}

    def iam_configuration(self, value: object) -> Value:
        """Who decides about access: the policies alone, or lists beside them; and whether it may be public."""
        if value is None and "iamConfiguration" in self.before:
            raise Undecided("a bucket's iamConfiguration that is taken away")
        said = _object(value, "iamConfiguration")
        before: Value = self.before.get("iamConfiguration", {}).get("uniformBucketLevelAccess", {})
        was = before.get("enabled", False)
        # Clients send both names of one thing and change one of them: that one counts.
        uniform = [
            _flag(_object(said[name], name), "enabled")
            for name in ("uniformBucketLevelAccess", "bucketPolicyOnly")
            if said.get(name) is not None
        ]
        changed = any(one is not was for one in uniform)
        prevention = PREVENTIONS.get(str(said.get("publicAccessPrevention") or "inherited"))
        if prevention is None:
            raise invalid(f"Invalid value for public access prevention: {said['publicAccessPrevention']}")
        access = self._uniform(bool(uniform) and was is not changed, before)
        return {
            "bucketPolicyOnly": access,
            "uniformBucketLevelAccess": access,
            "publicAccessPrevention": prevention,
        }

    def _uniform(self, wanted: bool, before: Value) -> Value:
        locked = before.get("lockedTime") or millis(self.now + LOCKED_AFTER)
        if wanted:
            return {"enabled": True, "lockedTime": locked}
        if self.now >= parsed(locked):
            raise failed_precondition(
                "Uniform bucket-level access cannot be disabled after its locked time.",
                reason="conditionNotMet",
                code=412,
            )
        return {"enabled": False}

    def soft_delete(self, value: object) -> Value:
        """How long what was deleted can be restored."""
        if value is None:
            if "softDeletePolicy" in self.before:
                raise Undecided("a bucket's soft delete policy that is taken away instead of set to 0")
            value = {"retentionDurationSeconds": DEFAULT_SOFT_DELETE.total_seconds()}
        said = _object(value, "softDeletePolicy")
        if said.get("hardDeletePause"):
            raise Undecided("paused hard deletions")
        seconds = _seconds(said.get("retentionDurationSeconds"), "Soft delete policy retention duration")
        if seconds == 0:
            return {"retentionDurationSeconds": "0"}
        if not 7 * DAY <= timedelta(seconds=seconds) <= 90 * DAY:
            raise invalid("Soft delete policy retention duration must be 0, or between 7 days and 90 days.")
        return self._effective("softDeletePolicy", {"retentionDurationSeconds": str(seconds)})

    def retention(self, value: object) -> Value | None:
        """How long objects can't be deleted or overwritten; locked for ever once it is."""
        before: Value = self.before.get("retentionPolicy") or {}
        locked: bool = before.get("isLocked", False)
        if not value:
            if locked:
                message = f"Bucket '{self.name}' has a locked Retention Policy which cannot be removed."
                raise forbidden(message, reason="retentionPolicyNotMet")
            return None
        said = _object(value, "retentionPolicy")
        seconds = _seconds(said.get("retentionPeriod"), "Retention period")
        if not 0 < seconds < _CENTURY.total_seconds():
            raise invalid("Retention period must be greater than zero and less than 100 years.")
        if locked and seconds < int(before["retentionPeriod"]):
            message = f"Bucket '{self.name}' has a locked Retention Policy whose period cannot be reduced."
            raise invalid(message, reason="badRequestException")
        found = self._effective("retentionPolicy", {"retentionPeriod": str(seconds)})
        return found | ({"isLocked": True} if locked else {})

    def _effective(self, name: str, setting: Value) -> Value:
        """A setting with the time from which it is in force: that of before, where it is the same."""
        before: Value = self.before.get(name) or {}
        same = all(before.get(part) == value for part, value in setting.items())
        return setting | {"effectiveTime": before["effectiveTime"] if same else millis(self.now)}

    def encryption(self, value: object) -> Value | None:
        """The key for objects that are written without one."""
        said = _object(value, "encryption")
        for name, part in said.items():
            if name.endswith("EnforcementConfig"):
                if _object(part, name).get("restrictionMode", "NotRestricted") != "NotRestricted":
                    raise Undecided(f"{name} of a bucket")
            elif name != "defaultKmsKeyName":
                raise Undecided(f"the setting encryption.{name} of a bucket")
        key = said.get("defaultKmsKeyName")
        return {"defaultKmsKeyName": key} if key else None

    def hold(self, value: object) -> bool | None:
        """Whether new objects are held until somebody says otherwise."""
        return None if value is None else _flag({"defaultEventBasedHold": value}, "defaultEventBasedHold")

    def stored(self, value: object) -> Any:
        """What has no effect here."""
        return value or None

    def recovery_point(self, value: object) -> str | None:
        """How soon a second place has an object."""
        kind = self.before.get("locationType", "region")
        if kind == "region" and not value:
            return None
        if value not in (None, "DEFAULT") and (value, kind) != ("ASYNC_TURBO", "dual-region"):
            raise invalid(f"Invalid value for rpo: {value}")
        return str(value or "DEFAULT")


def _off(name: str, flag: str, on: object = True) -> Callable[[Change, object], Any]:
    """A setting that can be said to be off, and whose effect isn't known here."""

    def settle(_change: Change, value: object) -> Any:
        if _object(value, name).get(flag) == on:
            raise Undecided(f"{name}.{flag} of a bucket")
        return value or None

    return settle


_SETTINGS: Mapping[str, Callable[[Change, object], Any]] = {
    "storageClass": Change.storage_class,
    "labels": Change.labels,
    "lifecycle": Change.lifecycle,
    "versioning": Change.versioning,
    "iamConfiguration": Change.iam_configuration,
    "softDeletePolicy": Change.soft_delete,
    "retentionPolicy": Change.retention,
    "encryption": Change.encryption,
    "defaultEventBasedHold": Change.hold,
    "rpo": Change.recovery_point,
    "cors": Change.stored,
    "logging": Change.stored,
    "website": Change.stored,
    "customPlacementConfig": Change.stored,
    "autoclass": _off("autoclass", "enabled"),
    "billing": _off("billing", "requesterPays"),
    "hierarchicalNamespace": _off("hierarchicalNamespace", "enabled"),
    "ipFilter": _off("ipFilter", "mode", "Enabled"),
    "objectRetention": _off("objectRetention", "mode", "Enabled"),
}


def merged(before: object, patch: Mapping[str, Any]) -> Value:
    """What a patch leaves: null takes away, and objects are patched in turn (RFC 7396)."""
    found = dict(cast("Value", before)) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict):
            found[name] = merged(found.get(name), cast("Value", value))
        else:
            found[name] = value
    return found


def _object(value: object, name: str) -> Value:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"Invalid value for: {name}")
    return cast("Value", value)


def _flag(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name, False)
    if not isinstance(value, bool):
        raise invalid(f"Invalid value for: {name}")
    return value


def _seconds(value: object, what: str) -> int:
    try:
        return int(cast("Any", value))
    except (TypeError, ValueError):
        raise invalid(f"{what} must be a number of seconds.") from None


def _is_label(text: str) -> bool:
    return bool(_LABEL.fullmatch(text)) and text == text.lower()
