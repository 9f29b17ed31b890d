"""Objects made from others, within Cloud Storage: copied, rewritten and composed.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1/objects/rewrite,
https://docs.cloud.google.com/storage/docs/json_api/v1/objects/copy and
https://docs.cloud.google.com/storage/docs/json_api/v1/objects/compose. A rewrite is done at once, whatever its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google import object_fields
from recording_storage.sandbox.google.errors import invalid
from recording_storage.sandbox.google.objects import Objects, Write
from recording_storage.sandbox.google.parameters import check_object, unmet
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.generations import Generation
    from recording_storage.sandbox.rest import Request

MOST_SOURCES = 32
_KEPT = (*object_fields.TEXTS, "metadata")
"""What a copy has of its source, where nothing is said of it: holds and the storage class are its own."""


class Copies:
    """Copies and compositions."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def copy(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Copy an object."""
        return self._objects.shown(request, who, self._copied(request, who, names))

    def rewrite(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Copy an object, in as many calls as it takes: one."""
        made = self._copied(request, who, names)
        size = str(made.stored.size)
        return {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": size,
            "objectSize": size,
            "done": True,
            "resource": self._objects.shown(request, who, made),
        }

    def compose(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Put objects of one bucket together."""
        bucket, name = self._objects.bucket(names["bucket"]), object_fields.check_name(names["object"])
        _check_lists(request)
        asked = request.json()
        if asked.get("deleteSourceObjects"):
            raise Undecided("a composition that deletes its sources")
        parts: list[dict[str, Any]] = asked.get("sourceObjects") or []
        if not 0 < len(parts) <= MOST_SOURCES:
            raise invalid(f"The number of source components must be between 1 and {MOST_SOURCES}.")
        said: dict[str, Any] = asked.get("destination") or {}
        sources = [self._source(who, bucket.name, part) for part in parts]
        wanted = Write(
            bucket,
            name,
            said,
            request.query,
            request.query.get("kmsKeyName", ""),
            components=sum(one.components or 1 for one in sources),
        )
        self._objects.check_writable(who, wanted)
        content = b"".join(self._content(one) for one in sources)
        return self._objects.shown(request, who, self._objects.write(who, wanted, content))

    def _source(self, who: Principal, bucket: str, part: Mapping[str, Any]) -> Generation:
        number = str(part.get("generation") or "")
        found = self._objects.chosen(
            who, "storage.objects.get", self._objects.bucket(bucket), str(part.get("name")), number
        )
        conditions: Mapping[str, Any] = part.get("objectPreconditions") or {}
        expected = conditions.get("ifGenerationMatch")
        if expected is not None and str(expected) != str(found.number):
            raise unmet(f"the generation of {found.name} is {found.number}")
        return found

    def _copied(self, request: Request, who: Principal, names: Mapping[str, str]) -> Generation:
        query, source_bucket = request.query, self._objects.bucket(names["bucket"])
        _check_lists(request)
        if "rewriteToken" in query:
            raise Undecided("a rewrite that goes on: here they are done at once")
        number = query.get("sourceGeneration", "")
        found = self._objects.chosen(who, "storage.objects.get", source_bucket, names["object"], number)
        check_object(query, source_bucket.shelf.live(names["object"]), found, prefix="ifSource")
        said = request.json() or {name: found.said[name] for name in _KEPT if name in found.said}
        target = object_fields.check_name(names["target"])
        bucket = self._objects.bucket(names["to"])
        wanted = Write(
            bucket, target, said, query, query.get("destinationKmsKeyName", ""), components=found.components
        )
        self._objects.check_writable(who, wanted)
        return self._objects.write(who, wanted, self._content(found))

    def _content(self, found: Generation) -> bytes:
        self._objects.keys.to_read(found)
        return self._objects.contents.read(found.stored.key).content


def _check_lists(request: Request) -> None:
    if "destinationPredefinedAcl" in request.query:
        raise Undecided("access control lists (destinationPredefinedAcl)")
