"""What is kept of a container's blobs beside the blobs themselves: versions, snapshots, and what was deleted.

Azurite knows no versions and no soft delete. Blobs are in it under their own names, where it minds conditions, leases
and blocks; what is to be kept is copied, before it is changed, to a place that only this knows.

Sources: https://learn.microsoft.com/azure/storage/blobs/versioning-overview,
https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview,
https://learn.microsoft.com/azure/storage/blobs/snapshots-overview.
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree

from recording_storage.sandbox.azure.azurite import ACCOUNT
from recording_storage.sandbox.azure.world import utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from recording_storage.sandbox.azure.azurite import Azurite
    from recording_storage.sandbox.azure.world import World

_KEPT = f"/{ACCOUNT}/kept"
_CONTAINER = [("restype", "container")]
_SHELVES, _PLACES = itertools.count(1), itertools.count(1)
_TICK = timedelta(microseconds=1)
MOST = 5000
"""How many blobs are on a page at most."""


class Kind(Enum):
    """What is kept."""

    VERSION = "VersionId"
    SNAPSHOT = "Snapshot"
    BLOB = ""
    """A blob that was deleted."""


@dataclass(eq=False)
class Kept:
    """One state that a blob had."""

    name: str
    item: Element
    """What a list says of it."""
    place: str
    """Where its content is, in Azurite."""
    kind: Kind = Kind.BLOB
    id: str = ""
    """The version's or the snapshot's."""
    deleted: datetime | None = None
    until: datetime | None = None
    """When it can't be restored any more."""

    @property
    def blob_type(self) -> str:
        """`BlockBlob`, `AppendBlob` or `PageBlob`."""
        return self.item.findtext("Properties/BlobType") or ""

    def property(self, name: str) -> str:
        """One of its properties."""
        return self.item.findtext(f"Properties/{name}") or ""


class Shelf:
    """What there is of one container."""

    def __init__(self, azurite: Azurite, world: World) -> None:
        self._azurite = azurite
        self._world = world
        self.place = f"/{ACCOUNT}/container-{next(_SHELVES)}"
        self.current: dict[str, str] = {}
        """The version that a blob is, where it is one."""
        self._kept: list[Kept] = []
        self._last = datetime.min.replace(tzinfo=timezone.utc)
        for one in (self.place, _KEPT):
            azurite.call("PUT", one, _CONTAINER)  # the latter exists, but for the first time

    def path(self, raw: str) -> str:
        """Where a blob is, in Azurite."""
        return f"{self.place}/{raw}"

    def new_id(self) -> str:
        """An identifier of a version or a snapshot: what time it is, and never the same twice."""
        self._last = max(self._world.now(), self._last + _TICK)
        return utc(self._last)

    # The blobs as they are

    def items(self, prefix: str, include: Sequence[str] = (), page: int = MOST) -> Iterator[Element]:
        """What a list says of the blobs whose names begin so."""
        query = [*_CONTAINER, ("comp", "list"), ("prefix", prefix), ("maxresults", str(page))]
        query.append(("include", ",".join(include)))
        marker = ""
        while True:
            answer = self._azurite.call("GET", self.place, [*query, ("marker", marker)])
            found = ElementTree.fromstring(answer.body)  # noqa: S314 (Azurite's own)
            yield from found.iterfind("Blobs/Blob")
            marker = found.findtext("NextMarker") or ""
            if not marker:
                return

    def item(self, name: str) -> Element | None:
        """What a list says of one blob, if there is one."""
        found = next(self.items(name, ("metadata", "tags", "copy"), page=1), None)
        return found if found is not None and found.findtext("Name") == name else None

    # What is kept beside them

    def all(self, name: str | None = None, *kinds: Kind) -> Iterator[Kept]:
        """What is kept, of one blob and of some kinds; what can't be restored any more is gone."""
        now = self._world.now()
        for one in list(self._kept):
            if one.until is not None and one.until <= now:
                self.forget(one)
            elif name in (None, one.name) and (not kinds or one.kind in kinds):
                yield one

    def find(self, name: str, kind: Kind, id_: str) -> Kept | None:
        """A version or a snapshot that isn't deleted."""
        return next((one for one in self.all(name, kind) if one.id == id_ and one.deleted is None), None)

    def set_aside(self, name: str) -> Kept | None:
        """Copy a blob as it is, if there is one; whoever does so says then what it is, or forgets it."""
        item = self.item(name)
        if item is None:
            return None
        made = Kept(name, item, f"{_KEPT}/{next(_PLACES)}")
        self.duplicate(self.path(quote(name)), made.place)
        return made

    def keep(self, made: Kept, kind: Kind, id_: str, days: int = 0) -> Kept:
        """Keep what was set aside: for so many `days`, where it is deleted."""
        made.kind, made.id = kind, id_
        if days:
            self.delete(made, days)
        self._kept.append(made)
        return made

    def delete(self, one: Kept, days: int) -> None:
        """Let something be deleted, and for some days be restorable; for none, forget it."""
        if not days:
            self.forget(one)
            return
        one.deleted = self._world.now()
        one.until = one.deleted + timedelta(days=days)

    def restore(self, one: Kept) -> None:
        """Let something not be deleted any more."""
        one.deleted = one.until = None
        if one.kind is Kind.BLOB:
            self.duplicate(one.place, self.path(quote(one.name)))
            self.forget(one)

    def forget(self, one: Kept) -> None:
        """Let something be gone for good."""
        self._azurite.call("DELETE", one.place)
        if one in self._kept:
            self._kept.remove(one)

    def again(self, one: Kept) -> Kept:
        """What was set aside, once more."""
        made = Kept(one.name, copy.deepcopy(one.item), f"{_KEPT}/{next(_PLACES)}")
        self.duplicate(one.place, made.place)
        return made

    def duplicate(self, source: str, target: str) -> None:
        """Copy within Azurite, which copies no content."""
        answer = self._azurite.call("PUT", target, (), {"x-ms-copy-source": self._azurite.address + source})
        if not answer.is_good:
            raise RuntimeError(f"Azurite doesn't copy: {answer.status} {answer.get('x-ms-error-code')}")


def creation_id(item: Element) -> str:
    """The identifier of a version that was made before versions were: when it was made."""
    return utc(parsedate_to_datetime(item.findtext("Properties/Creation-Time") or ""))
