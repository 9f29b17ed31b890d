"""A page of a bucket's objects: https://docs.cloud.google.com/storage/docs/json_api/v1/objects/list.

Names are ordered by their bytes. Leaves out filters by context, and folders as prefixes (there are none).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gcp_storage_emulator import gcs_glob

from recording_storage.sandbox.google.errors import invalid
from recording_storage.sandbox.google.generations import State
from recording_storage.sandbox.google.parameters import flag, page_size
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.sandbox.google.generations import Generation, Shelf
    from recording_storage.sandbox.rest import Request

_glob: Any = gcs_glob


@dataclass
class Page:
    """What is on it; `following` asks for the next one."""

    items: list[Generation] = field(default_factory=list["Generation"])
    prefixes: list[str] = field(default_factory=list[str])
    following: str = ""


def listed(request: Request, shelf: Shelf) -> Page:
    """The page that is asked for."""
    query, page = request.query, Page()
    if query.get("filter"):
        raise Undecided("a filter of objects")
    size = page_size(request)
    after = _place(query.get("pageToken", ""))
    entries = sorted(_entries(request, shelf), key=lambda entry: entry[0])
    left = [entry for entry in entries if after is None or entry[0] > after]
    for _, found in left[:size]:
        if isinstance(found, str):
            page.prefixes.append(found)
        else:
            page.items.append(found)
    if len(left) > size:
        page.following = base64.urlsafe_b64encode(json.dumps(left[size - 1][0]).encode()).decode()
    return page


def _entries(request: Request, shelf: Shelf) -> Iterator[tuple[list[Any], Generation | str]]:
    """Objects and prefixes, each with its place in the order."""
    query = request.query
    prefix, delimiter, glob = query.get("prefix", ""), query.get("delimiter", ""), query.get("matchGlob", "")
    start, end = query.get("startOffset", ""), query.get("endOffset", "")
    if glob and delimiter not in ("", "/"):
        raise invalid("When listing with a glob pattern, the only supported delimiter is '/'.")
    prefixes: set[str] = set()
    for one in shelf.all(*_states(request)):
        name = one.name
        if not name.startswith(prefix) or name < start or (end and name >= end):
            continue
        if glob and not _glob.gcs_glob_match(glob, name):
            continue
        head, found, tail = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if found:
            prefixes.add(f"{prefix}{head}{delimiter}")
        if not found or (not tail and flag(request, "includeTrailingDelimiter")):
            yield [name, one.number], one
    for name in prefixes:
        yield [name, 0], name


def _states(request: Request) -> tuple[State, ...]:
    versions, soft_deleted = flag(request, "versions"), flag(request, "softDeleted")
    if versions and soft_deleted:
        raise invalid("You cannot specify both softDeleted and versions.")
    if soft_deleted:
        return (State.SOFT_DELETED,)
    return (State.LIVE, State.NONCURRENT) if versions else (State.LIVE,)


def _place(token: str) -> list[Any] | None:
    if not token:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise invalid("Invalid value for: pageToken", reason="invalidParameter") from None
