"""The generations of a bucket's objects: live, noncurrent and soft-deleted, and how they become what they are.

Sources: https://docs.cloud.google.com/storage/docs/object-versioning, https://docs.cloud.google.com/storage/docs/soft-delete,
https://docs.cloud.google.com/storage/docs/bucket-lock and https://docs.cloud.google.com/storage/docs/object-holds.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from recording_storage.sandbox.google.bucket_settings import millis, parsed
from recording_storage.sandbox.google.contents import NOTHING, Stored
from recording_storage.sandbox.google.errors import forbidden
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.sandbox.google.bucket import Bucket
    from recording_storage.sandbox.google.contents import Contents
    from recording_storage.sandbox.google.policies import Policy
    from recording_storage.sandbox.google.world import World

_LAST = [0]
HOLDS = {"temporaryHold": "Temporary", "eventBasedHold": "Event-Based"}


class State(Enum):
    """What a generation is."""

    LIVE = "live"
    NONCURRENT = "noncurrent"
    SOFT_DELETED = "soft-deleted"


@dataclass(eq=False)
class Generation:
    """One generation of an object."""

    bucket: Bucket
    name: str
    number: int
    writer: str
    """Who wrote it, as a binding would name him; in a bucket with access control lists it is his."""
    created: datetime
    said: dict[str, Any]
    """What can be said of an object, and what was made of it: `contentType`, `metadata`, `storageClass`, …"""
    stored: Stored = NOTHING
    key: str = ""
    """The version of the key that encrypts it."""
    components: int = 0
    """Of how many objects it was composed."""
    state: State = State.LIVE
    metageneration: int = 1
    updated: datetime | None = None
    times: dict[str, str] = field(default_factory=dict[str, str])
    """When it became what it is: `timeDeleted`, `softDeleteTime`, `hardDeleteTime`."""
    held_until: datetime | None = None
    """When an event ended its hold, from which its retention counts."""

    @property
    def full_name(self) -> str:
        """As conditions and the journal have it."""
        return f"{self.bucket.full_name}/objects/{self.name}"

    @property
    def type(self) -> str:
        """As conditions have it."""
        return "storage.googleapis.com/Object"

    @property
    def parent(self) -> Bucket:
        """Its policy is inherited."""
        return self.bucket

    @property
    def policy(self) -> Policy:
        """What its access control list says, as roles."""
        return self.bucket.acl(self.writer)

    @property
    def etag(self) -> str:
        """Of this generation and its metadata: they are its two numbers."""
        return _etag(self.number, self.metageneration)

    def change(self, said: dict[str, Any], now: datetime) -> None:
        """Let something else be said of it."""
        if self.said.get("eventBasedHold") and not said.get("eventBasedHold"):
            self.held_until = now
        self.said, self.updated = said, now
        self.metageneration += 1

    def kept_until(self) -> datetime | None:
        """Until when the bucket's retention policy keeps it; None where it doesn't, or an event is awaited."""
        period = self.bucket.settings.get("retentionPolicy", {}).get("retentionPeriod")
        if period is None or self.said.get("eventBasedHold"):
            return None
        return (self.held_until or self.created) + timedelta(seconds=int(period))

    def check_removable(self, now: datetime, *, becomes_noncurrent: bool) -> None:
        """Raise `GoogleError` where it may not be deleted or overwritten, and `Undecided` where that isn't known."""
        where = f"Object '{self.bucket.name}/{self.name}'"
        for hold, called in HOLDS.items():
            if self.said.get(hold):
                raise forbidden(
                    f"{where} is under active {called} hold and cannot be deleted, overwritten or archived until hold "
                    "is removed."
                )
        until = self.kept_until()
        if until is not None and now < until:
            if becomes_noncurrent:
                raise Undecided("what a retention policy keeps in a bucket with versions")
            raise forbidden(
                f"{where} is subject to bucket's retention policy or object retention and cannot be deleted or "
                f"overwritten until {until.isoformat()}",
                reason="retentionPolicyNotMet",
            )

    def to_json(self, *, with_hashes: bool = True) -> dict[str, Any]:
        """As the API has it, without its access control list."""
        bucket, number, created = self.bucket.name, str(self.number), millis(self.created)
        path = f"/b/{bucket}/o/{quote(self.name, safe='~')}"
        until = self.kept_until()
        found = {
            "kind": "storage#object",
            "id": f"{bucket}/{self.name}/{number}",
            "selfLink": f"https://www.googleapis.com/storage/v1{path}",
            "mediaLink": f"https://storage.googleapis.com/download/storage/v1{path}?generation={number}&alt=media",
            "name": self.name,
            "bucket": bucket,
            "generation": number,
            "metageneration": str(self.metageneration),
            **self.said,
            "size": str(self.stored.size),
            "md5Hash": "" if self.components or not with_hashes else self.stored.md5,
            "crc32c": self.stored.crc32c if with_hashes else "",
            "etag": self.etag,
            "kmsKeyName": self.key,
            "componentCount": self.components,
            "timeCreated": created,
            "updated": millis(self.updated or self.created),
            "timeStorageClassUpdated": created,
            "timeFinalized": created,
            "retentionExpirationTime": millis(until) if until else "",
            **self.times,
        }
        return {name: value for name, value in found.items() if value or isinstance(value, bool)}


class Shelf:
    """All generations of a bucket's objects."""

    def __init__(self, bucket: Bucket, contents: Contents, world: World) -> None:
        self._bucket = bucket
        self._contents = contents
        self._world = world
        self._generations: dict[str, list[Generation]] = {}

    def live(self, name: str) -> Generation | None:
        """The live generation of an object."""
        found = self._generations.get(name, [])
        return next((one for one in found if one.state is State.LIVE), None)

    def find(self, name: str, number: str = "", *, soft_deleted: bool = False) -> Generation | None:
        """A certain generation of an object, or without a number the live one."""
        if not number:
            return self.live(name)
        states = (State.SOFT_DELETED,) if soft_deleted else (State.LIVE, State.NONCURRENT)
        return next((one for one in self.all(*states) if (one.name, str(one.number)) == (name, number)), None)

    def all(self, *states: State) -> Iterator[Generation]:
        """The generations in these states, by name and age; what can't be restored any more is gone."""
        now = self._world.now()
        for name in sorted(self._generations):
            for one in list(self._generations[name]):
                if one.state is State.SOFT_DELETED and now >= parsed(one.times["hardDeleteTime"]):
                    self._forget(one)
                elif one.state in states:
                    yield one

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a live nor a noncurrent generation."""
        return next(self.all(State.LIVE, State.NONCURRENT), None) is None

    def put(self, made: Generation) -> None:
        """Let a generation be the live one; the one that was so is noncurrent, soft-deleted or gone."""
        before = self.live(made.name)
        if before is not None:
            self.remove(before)
        self._generations.setdefault(made.name, []).append(made)

    def check_removable(self, generation: Generation, *, for_good: bool = False) -> None:
        """Raise where a generation may not be deleted or overwritten."""
        stays = self._stays(for_good=for_good)
        generation.check_removable(self._world.now(), becomes_noncurrent=stays)

    def remove(self, generation: Generation, *, for_good: bool = False) -> None:
        """Delete a generation: `for_good` if it was named by its number, so that it isn't only noncurrent then."""
        now = self._world.now()
        if self._stays(for_good=for_good):
            generation.state = State.NONCURRENT
            generation.times["timeDeleted"] = millis(now)
            return
        kept = timedelta(seconds=int(self._bucket.settings["softDeletePolicy"]["retentionDurationSeconds"]))
        if not kept:
            self._forget(generation)
            return
        generation.state = State.SOFT_DELETED
        generation.times |= {"softDeleteTime": millis(now), "hardDeleteTime": millis(now + kept)}

    def drop(self) -> None:
        """Forget everything: the bucket is deleted."""
        for generations in list(self._generations.values()):
            for one in list(generations):
                self._forget(one)

    def _stays(self, *, for_good: bool) -> bool:
        versioned = self._bucket.settings.get("versioning", {}).get("enabled", False)
        return versioned and not for_good

    def _forget(self, generation: Generation) -> None:
        generations = self._generations[generation.name]
        generations.remove(generation)
        if not generations:
            del self._generations[generation.name]
        self._contents.remove(generation.stored.key)


def new_number(now: datetime) -> int:
    """A generation's number, or a bucket's: the time in microseconds, and never the same twice."""
    _LAST[0] = max(_LAST[0] + 1, int(now.timestamp() * 1_000_000))
    return _LAST[0]


def _etag(generation: int, metageneration: int) -> str:
    return base64.b64encode(b"\x08" + _varint(generation) + b"\x10" + _varint(metageneration)).decode()


def bucket_etag(metageneration: int) -> str:
    """A bucket's, and its policy's: `CAE=` for the first."""
    return base64.b64encode(b"\x08" + _varint(metageneration)).decode()


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
