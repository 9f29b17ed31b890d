"""List Blobs: the blobs of a container, and on request what is kept of them.

Source: https://learn.microsoft.com/rest/api/storageservices/list-blobs. Leaves out, as undecided, lists of blobs that
have only versions left, and what a hierarchical namespace and immutability add.
"""

from __future__ import annotations

import base64
import copy
import math
from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from recording_storage.sandbox.azure.blob_errors import XML, StorageError
from recording_storage.sandbox.azure.blob_sas import PARAMETERS
from recording_storage.sandbox.azure.blob_versions import MOST, Kept, Kind
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from recording_storage.sandbox.azure.blob_operations import Asked
from recording_storage.sandbox.azure.blob_versions import Shelf

_KNOWN = {"restype", "comp", "prefix", "delimiter", "marker", "maxresults", "include", "timeout"}
_INCLUDED = {"snapshots", "metadata", "uncommittedblobs", "copy", "deleted", "tags", "versions"}
_OF_AZURITE = ("metadata", "uncommittedblobs", "copy", "tags")
_LAST = "~"
"""Sorts a blob itself after its versions and snapshots, of which the oldest comes first."""


class _Line(NamedTuple):
    """One line of a list, and where it belongs."""

    name: str
    order: str
    element: Element


def listed(asked: Asked, shelf: Shelf, sources: Mapping[str, str], now: datetime) -> Response:
    """A page of a container's blobs; `sources` are the addresses that clients know of what was copied."""
    query = asked.request.query
    include = _include(query.get("include", ""))
    unknown = query.keys() - _KNOWN - PARAMETERS
    if unknown:
        raise Undecided(f"a list of blobs with {', '.join(sorted(unknown))}")
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    size = _size(query.get("maxresults", str(MOST)))
    lines = sorted(_lines(shelf, prefix, include, sources, now), key=lambda line: (line.name, line.order))
    lines = [*_grouped(lines, prefix, delimiter)]
    after = _read_marker(query.get("marker", ""))
    lines = [line for line in lines if (line.name, line.order) > after]
    root = Element("EnumerationResults")
    root.set("ServiceEndpoint", f"https://{asked.request.host}/")
    root.set("ContainerName", asked.container)
    for name, parameter in (("Prefix", "prefix"), ("Marker", "marker"), ("MaxResults", "maxresults")):
        if query.get(parameter):
            SubElement(root, name).text = query[parameter]
    if delimiter:
        SubElement(root, "Delimiter").text = delimiter
    SubElement(root, "Blobs").extend(line.element for line in lines[:size])
    following = SubElement(root, "NextMarker")
    if len(lines) > size:
        following.text = _marker(lines[size - 1])
    return Response(200, tostring(root, "utf-8", xml_declaration=True), [("Content-Type", XML)])


def _include(said: str) -> set[str]:
    found = {one.strip() for one in said.split(",") if one.strip()}
    if found - _INCLUDED:
        raise Undecided(f"a list of blobs that includes {', '.join(sorted(found - _INCLUDED))}")
    return found


def _size(said: str) -> int:
    if not said.isdigit() or not int(said):
        raise StorageError("OutOfRangeInput", f"maxresults is {said}")
    return min(int(said), MOST)


def _lines(
    shelf: Shelf, prefix: str, include: set[str], sources: Mapping[str, str], now: datetime
) -> Iterator[_Line]:
    wanted = [one for one in _OF_AZURITE if one in include]
    for item in shelf.items(prefix, wanted):
        name = item.findtext("Name") or ""
        current = shelf.current.get(name) if "versions" in include else None
        if current:
            _insert(item, ("VersionId", current), ("IsCurrentVersion", "true"))
        yield _Line(name, _LAST, _trimmed(item, include, sources))
    for kept in shelf.all():
        shows = (
            (kept.kind is Kind.VERSION and "versions" in include)
            or (kept.kind is Kind.SNAPSHOT and "snapshots" in include)
            or kept.kind is Kind.BLOB
        )
        if kept.name.startswith(prefix) and shows and (kept.deleted is None or "deleted" in include):
            order = kept.id if kept.kind is not Kind.BLOB else _LAST
            yield _Line(kept.name, order, _trimmed(_of_kept(kept, now), include, sources))


def _of_kept(kept: Kept, now: datetime) -> Element:
    element = copy.deepcopy(kept.item)
    properties = element.find("Properties")
    if kept.deleted is not None and kept.until is not None and properties is not None:
        _insert(element, ("Deleted", "true"))
        SubElement(properties, "DeletedTime").text = f"{kept.deleted:%a, %d %b %Y %H:%M:%S} GMT"
        left = math.ceil((kept.until - now).total_seconds() / 86400) - 1
        SubElement(properties, "RemainingRetentionDays").text = str(max(left, 0))
    if kept.kind.value:
        _insert(element, (kept.kind.value, kept.id))
    for one in [*(properties if properties is not None else ())]:
        if properties is not None and one.tag.startswith("Lease"):
            properties.remove(one)
    return element


def _insert(element: Element, *said: tuple[str, str]) -> None:
    """Say something after the name."""
    for tag, text in reversed(said):
        made = Element(tag)
        made.text = text
        element.insert(1, made)


def _trimmed(element: Element, include: set[str], sources: Mapping[str, str]) -> Element:
    """Without what wasn't asked for, nor what is nobody's business."""
    for tag, what in (("Metadata", "metadata"), ("Tags", "tags")):
        found = element.find(tag)
        if found is not None and what not in include:
            element.remove(found)
    if "metadata" in include and element.find("Metadata") is None:
        SubElement(element, "Metadata")
    properties = element.find("Properties")
    if properties is None:
        return element
    source = properties.find("CopySource")
    known = sources.get(source.text or "") if source is not None else None
    if source is not None:
        source.text = known
    for one in [*properties]:
        of_copy = one.tag.startswith("Copy") or one.tag == "IncrementalCopy"
        if of_copy and not (known and "copy" in include):
            properties.remove(one)
    return element


def _grouped(lines: list[_Line], prefix: str, delimiter: str) -> Iterator[_Line]:
    """Names that are the same up to the delimiter are one line."""
    before = ""
    for line in lines:
        head, found, _ = line.name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        group = prefix + head + found
        if not found:
            yield line
        elif group != before:
            before = group
            element = Element("BlobPrefix")
            SubElement(element, "Name").text = group
            yield _Line(group, _LAST, element)


def _marker(line: _Line) -> str:
    return base64.urlsafe_b64encode(f"{line.name}\n{line.order}".encode()).decode()


def _read_marker(said: str) -> tuple[str, str]:
    if not said:
        return "", ""
    try:
        name, _, order = base64.urlsafe_b64decode(said).decode().rpartition("\n")
    except ValueError:
        raise StorageError("OutOfRangeInput", f"{said!r} isn't a marker that was given here") from None
    return name, order
