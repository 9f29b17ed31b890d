"""The bytes of objects, which gcp-storage-emulator keeps in memory: it counts their checksums and compares them with
those that were said, collects the parts of resumable uploads, and cuts ranges.

Its handlers are called without its server, which decompresses bodies and closes connections where a handler throws.
What it stores has a name of our own for each generation, and never the object's, since it takes `a//b`, `a/b` and
`a/b/` for one object and refuses `..`. Nothing else of it is used:

- it knows one generation of an object: a second write loses the first, and `generation=` is ignored, so that its
  `compose`, `copyTo` and `rewriteTo` take other bytes than were asked for, and its soft delete knows no versions;
- it has no preconditions, holds, retention, `kmsKeyName` or custom contexts, and its lists have no pages;
- it takes `contentEncoding` for the content type, and suffix ranges (`bytes=-5`) for none;
- it asks nobody whether he may.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from gcp_storage_emulator import storage as emulator
from gcp_storage_emulator.handlers import objects as handlers

from recording_storage.sandbox.google.errors import GoogleError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = "contents"
_HASHES = ("md5Hash", "crc32c")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_INCOMPLETE = 308


@dataclass(frozen=True)
class Stored:
    """Bytes that are stored, and what was counted of them."""

    key: str
    size: int
    md5: str
    crc32c: str


NOTHING = Stored("", 0, "", "")


@dataclass(frozen=True)
class Part:
    """Bytes to send: all of them, or with `content_range` (`bytes 0-9/100`) those that were asked for."""

    content: bytes
    content_range: str = ""


@dataclass
class _Asked:
    """A request, as the emulator's handlers read one."""

    query: dict[str, list[str]]
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    params: dict[str, str] = field(default_factory=lambda: {"bucket_name": _PLACE})
    base_url: str = ""
    full_url: str = "?"

    def get_header(self, name: str, default: str | None = None) -> str | None:
        return self.headers.get(name.lower(), default)


class _Answered(dict[str, str]):
    """An answer, as the emulator's handlers write one: its headers, and beside them what is in it."""

    status: int = 200
    value: Any = None

    def json(self, value: Any) -> None:
        self.value = value

    def write_file(self, content: bytes, content_type: str | None = None) -> None:
        del content_type
        self.value = content


class _InMemory(emulator.Storage):
    """The emulator's store, without the list of everything that it would write anew with each object."""

    def _write_config_to_file(self) -> None:
        """Nobody reads it again."""


class Contents:
    """All bytes of all objects."""

    def __init__(self) -> None:
        self._emulator: Any = _InMemory(use_memory_fs=True)
        at_once = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
        self._emulator.create_bucket(_PLACE, {"name": _PLACE} | at_once)
        self._keys = itertools.count(1)

    def write(self, content: bytes, hashes: Mapping[str, str] | None = None) -> Stored:
        """Store bytes; raises `GoogleError` unless they have the `hashes` (`md5Hash`, `crc32c`) that were said."""
        meta = {"name": f"{next(self._keys)}"} | _only_hashes(hashes or {})
        data = {"meta": meta, "content": content, "content-type": "application/octet-stream"}
        return self._stored(self._call(handlers.insert, _Asked({"uploadType": ["multipart"]}, data)))

    def begin(self, hashes: Mapping[str, str]) -> str:
        """Begin a resumable upload; gives its id."""
        data = {"name": f"{next(self._keys)}"} | _only_hashes(hashes)
        answered = self._call(handlers.insert, _Asked({"uploadType": ["resumable"]}, data))
        return parse_qs(answered["Location"].lstrip("?&"))["upload_id"][0]

    def append(
        self, upload: str, chunk: bytes, content_range: str, hashes: Mapping[str, str]
    ) -> Stored | int:
        """Take a part of an upload, as `content_range` says; gives what is stored, or how much has come so far."""
        self._emulator.get_resumable_file_obj(upload).update(_only_hashes(hashes))
        asked = _Asked({"upload_id": [upload]}, chunk, {"content-range": content_range})
        answered = self._call(handlers.upload_partial, asked)
        if answered.status == _INCOMPLETE:
            return int(self._emulator.get_resumable_byte_count(upload))
        return self._stored(answered)

    def read(self, key: str, range_: str = "") -> Part:
        """Give bytes, those that a `Range` header asks for; one that isn't understood is ignored (RFC 9110, 14.2)."""
        found: dict[str, Any] = self._emulator.get_file_obj(_PLACE, key)
        headers = {"range": asked} if (asked := _absolute(range_, int(found["size"]))) else {}
        place = {"bucket_name": _PLACE, "object_id": key}
        answered = self._call(handlers.download, _Asked({}, headers=headers, params=place))
        return Part(answered.value, answered.get("Content-Range", ""))

    def remove(self, key: str) -> None:
        """Forget bytes."""
        self._emulator.delete_file(_PLACE, key)

    def _call(self, handler: Any, asked: _Asked) -> _Answered:
        answered = _Answered()
        handler(asked, answered, self._emulator)
        if answered.status == 400:
            raise invalid(str(answered.value["error"]["message"]))
        return answered

    def _stored(self, answered: _Answered) -> Stored:
        found = cast("dict[str, Any]", answered.value)
        return Stored(found["name"], int(found["size"]), found["md5Hash"], found["crc32c"])


def _only_hashes(said: Mapping[str, str]) -> dict[str, str]:
    return {name: said[name] for name in _HASHES if said.get(name)}


def _absolute(range_: str, size: int) -> str:
    """A range that the emulator understands: from a first byte on. Of several only the emulator's caller could know."""
    found = _RANGE.fullmatch(range_.strip())
    if found is None or not any(found.groups()):
        return ""
    first, last = found.groups()
    if not first:
        first, last = str(max(0, size - int(last))), ""
    if int(first) >= size:
        raise GoogleError(
            416, "OUT_OF_RANGE", "Request range not satisfiable", reason="requestedRangeNotSatisfiable"
        )
    return f"bytes={first}-{last}" if not last or int(last) >= int(first) else ""
