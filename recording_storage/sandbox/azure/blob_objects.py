"""Blobs: how each operation on one is carried out, by Azurite, and beside it what becomes of versions.

Sources: https://learn.microsoft.com/rest/api/storageservices/operations-on-blobs,
https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview (a table of what each operation keeps),
https://learn.microsoft.com/rest/api/storageservices/delete-blob, https://learn.microsoft.com/rest/api/storageservices/undelete-blob,
https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations.

Leaves out, as undecided, encryption scopes and keys of the client's, immutability, tags and tiers of versions and
snapshots, and what Azurite hasn't got. A blob that is restored has a new ETag.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from recording_storage.sandbox.azure.blob_copies import source_of
from recording_storage.sandbox.azure.blob_errors import StorageError
from recording_storage.sandbox.azure.blob_listing import listed
from recording_storage.sandbox.azure.blob_operations import SOURCE, TYPE, Effect
from recording_storage.sandbox.azure.blob_sas import PARAMETERS
from recording_storage.sandbox.azure.blob_versions import Kept, Kind, Shelf, creation_id
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.azurite import Answer, Azurite
    from recording_storage.sandbox.azure.blob_access import BlobAccess, Caller
    from recording_storage.sandbox.azure.blob_operations import Asked
    from recording_storage.sandbox.azure.world import Container, StorageAccount, World

_PASSED_ON = ("x-ms-", "content-", "if-", "range")
_OURS = frozenset({"x-ms-date", "x-ms-version", "x-ms-client-request-id", "content-length"})
_NOT_TOLD = frozenset(
    {
        "connection",
        "date",
        "keep-alive",
        "server",
        "transfer-encoding",
        "x-ms-request-id",
        "x-ms-client-request-id",
        "x-ms-version",
    }
)
_BEYOND = (
    "x-ms-copy-source-authorization",
    "x-ms-encryption-",
    "x-ms-immutability-policy-",
    "x-ms-legal-hold",
    "x-ms-structured-",
)
"""Headers that begin so are beyond the stand-in."""
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
"""https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations"""
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
_CHOSEN = ("versionid", "snapshot")
_SHOWN = {
    "rscc": "cache-control",
    "rscd": "content-disposition",
    "rsce": "content-encoding",
    "rscl": "content-language",
    "rsct": "content-type",
}
_SNAPSHOTS = "x-ms-delete-snapshots"


class Blobs:
    """The blobs of all containers."""

    def __init__(self, world: World, access: BlobAccess, azurite: Azurite) -> None:
        self._world = world
        self._access = access
        self._azurite = azurite
        self._shelves: WeakKeyDictionary[Container, Shelf] = WeakKeyDictionary()
        self._sources: dict[str, str] = {}
        """Addresses in Azurite, and what clients call them."""
        self._ways = {
            Effect.NONE: self._read,
            Effect.CHANGES: self._change,
            Effect.MAKES: self._make,
            Effect.OVERWRITES: self._make,
            Effect.SNAPSHOT: self._snapshot,
            Effect.DELETES: self._delete,
            Effect.RESTORES: self._undelete,
        }

    def answer(self, asked: Asked, caller: Caller) -> Response:
        """Carry out what may be done."""
        beyond = [name for name in asked.request.headers if name.startswith(_BEYOND)]
        if beyond:
            raise Undecided(f"{asked.operation.name} with {', '.join(beyond)}")
        return self._ways[asked.operation.effect](asked, self.shelf(asked), caller)

    def exists(self, asked: Asked) -> bool:
        """Whether there is such a blob."""
        return asked.container in asked.account.containers and self.shelf(asked).item(asked.blob) is not None

    def list_all(self, asked: Asked, caller: Caller) -> Response:
        """List the blobs of a container."""
        del caller
        return listed(asked, self.shelf(asked), self._sources, self._world.now())

    def shelf(self, asked: Asked) -> Shelf:
        """What there is of the container; raises `StorageError` where there is no such container."""
        container = asked.account.containers.get(asked.container)
        if container is None:
            raise StorageError(
                "ContainerNotFound", f"{asked.account.name} has no container {asked.container}"
            )
        if container not in self._shelves:
            self._shelves[container] = Shelf(self._azurite, self._world)
        return self._shelves[container]

    # Reading

    def _read(self, asked: Asked, shelf: Shelf, caller: Caller) -> Response:
        kept, begin = self._chosen(asked, shelf), _range(asked)
        if kept is None:
            answer = self._forward(asked, shelf.path(asked.raw))
            told = self._told(answer, asked)
            if answer.is_good and asked.blob in shelf.current:
                told["x-ms-version-id"] = shelf.current[asked.blob]
                told["x-ms-is-current-version"] = "true"
        else:
            if asked.operation.name == "Get Blob Tags" or "x-ms-if-tags" in asked.request.headers:
                raise Undecided("tags of a version or a snapshot")
            refused = _unmet(asked.request.headers, kept)
            if refused:
                return refused
            answer = self._forward(asked, kept.place, dict.fromkeys(_CONDITIONS, ""))
            told = self._told(answer, asked) | _as_kept(kept)
        if begin and told.get("content-range", "").endswith(
            f"/{begin}"
        ):  # for Azurite there is an empty range
            raise StorageError("InvalidRange")
        if caller.sas and answer.is_good:
            told |= {name: caller.sas.said[one] for one, name in _SHOWN.items() if one in caller.sas.said}
        return Response(answer.status, answer.body, [*told.items()])

    def _chosen(self, asked: Asked, shelf: Shelf) -> Kept | None:
        """The version or snapshot that is named; None for the blob as it is."""
        version, snapshot = (asked.request.query.get(name) for name in _CHOSEN)
        if version is None and snapshot is None:
            return None
        if version is not None and version == shelf.current.get(asked.blob):
            return None
        kind = Kind.SNAPSHOT if version is None else Kind.VERSION
        found = shelf.find(asked.blob, kind, version or snapshot or "")
        if found is None:
            raise StorageError("BlobNotFound", f"{asked.blob} has no {kind.value} {version or snapshot}")
        return found

    # Writing

    def _change(self, asked: Asked, shelf: Shelf, caller: Caller) -> Response:
        del caller
        if self._chosen(asked, shelf):
            raise Undecided(f"{asked.operation.name} of a version or a snapshot")
        answer = self._forward(asked, shelf.path(asked.raw))
        return Response(answer.status, answer.body, [*self._told(answer, asked).items()])

    def _make(self, asked: Asked, shelf: Shelf, caller: Caller) -> Response:
        if any(name in asked.request.query for name in _CHOSEN):
            raise StorageError("InvalidQueryParameterValue", "a version or a snapshot can't be written to")
        said: dict[str, str] = {}
        if SOURCE in asked.request.headers:
            source, address = source_of(asked, caller, self._world, self._access, self.exists)
            chosen = self._chosen(source, self.shelf(source))
            place = chosen.place if chosen else self.shelf(source).path(source.raw)
            said[SOURCE] = self._azurite.address + place
            self._sources[said[SOURCE]] = address
        name, days = asked.blob, _retention(asked.account)
        kind = asked.request.headers.get(TYPE, "")
        if kind and any(one.blob_type != kind for one in shelf.all(name, Kind.VERSION)):
            raise Undecided(f"a {kind} that replaces versions of another type")
        overwrites = asked.operation.effect is Effect.OVERWRITES
        is_kept = _is_versioned(asked.account) or name in shelf.current or (overwrites and days)
        before = shelf.set_aside(name) if is_kept else None
        try:
            answer = self._forward(asked, shelf.path(asked.raw), said)
        except BaseException:
            _forget(shelf, before)
            raise
        told = self._told(answer, asked)
        if not answer.is_good:
            _forget(shelf, before)
        else:
            self._settle(asked, shelf, before, days if overwrites else 0)
            told |= self._begin_version(asked, shelf)
        return Response(answer.status, answer.body, [*told.items()])

    def _settle(self, asked: Asked, shelf: Shelf, before: Kept | None, days: int) -> None:
        """Keep what was before: as a version, or for some days as a snapshot that is deleted."""
        name = asked.blob
        if before is not None and (_is_versioned(asked.account) or name in shelf.current):
            shelf.keep(before, Kind.VERSION, shelf.current.get(name) or creation_id(before.item))
        elif before is not None and days:
            shelf.keep(before, Kind.SNAPSHOT, shelf.new_id(), days)
        else:
            _forget(shelf, before)
        for one in [*shelf.all(name, Kind.BLOB)]:
            one.kind, one.id = Kind.SNAPSHOT, shelf.new_id()

    def _begin_version(self, asked: Asked, shelf: Shelf) -> dict[str, str]:
        """Let the blob be a version, where versions are kept; gives what is told of that."""
        if not _is_versioned(asked.account):
            shelf.current.pop(asked.blob, None)
            return {}
        made = shelf.current[asked.blob] = shelf.new_id()
        return {"x-ms-version-id": made}

    def _snapshot(self, asked: Asked, shelf: Shelf, caller: Caller) -> Response:
        del caller
        if any(name.startswith("x-ms-meta-") for name in asked.request.headers):
            raise Undecided("a snapshot with metadata of its own")
        conditions = {one: asked.request.headers[one] for one in _CONDITIONS if one in asked.request.headers}
        lease = asked.request.headers.get("x-ms-lease-id", "")
        sent = conditions | ({"x-ms-lease-id": lease} if lease else {})
        found = self._azurite.call("HEAD", shelf.path(asked.raw), (), sent)
        made = shelf.set_aside(asked.blob) if found.is_good else None
        if made is None:
            codes = {404: "BlobNotFound", 304: "ConditionNotMet", 412: "ConditionNotMet"}
            if found.status not in codes:
                raise Undecided(f"a snapshot, which Azurite answers with {found.status}")
            raise StorageError(codes[found.status])
        if _is_versioned(asked.account):
            self._settle(asked, shelf, shelf.again(made), 0)
        kept = shelf.keep(made, Kind.SNAPSHOT, shelf.new_id())
        told = {
            "ETag": found.get("etag"),
            "Last-Modified": found.get("last-modified"),
            "x-ms-snapshot": kept.id,
        }
        told |= self._begin_version(asked, shelf)
        return Response(201, b"", [*told.items()])

    # Deleting

    def _delete(self, asked: Asked, shelf: Shelf, caller: Caller) -> Response:
        del caller
        query, days = asked.request.query, _retention(asked.account)
        if "deletetype" in query:
            raise Undecided("a deletion for good")
        if query.get("versionid") and query["versionid"] == shelf.current.get(asked.blob):
            raise StorageError(
                "OperationNotAllowedOnRootBlob", "the current version is deleted without its id"
            )
        chosen = self._chosen(asked, shelf)
        if chosen is not None:
            shelf.delete(chosen, days)
            return _deleted(for_good=not days)
        which = asked.request.headers.get(_SNAPSHOTS, "")
        snapshots = [one for one in shelf.all(asked.blob, Kind.SNAPSHOT) if one.deleted is None]
        if which == "only":
            return self._delete_snapshots(asked, shelf, snapshots, days)
        if snapshots and which != "include":
            raise StorageError("SnapshotsPresent")
        answer = self._delete_current(asked, shelf, days)
        if answer.is_good:
            for one in snapshots:
                shelf.delete(one, days)
            return _deleted(for_good=not days and not _is_versioned(asked.account))
        return Response(answer.status, answer.body, [*self._told(answer, asked).items()])

    def _delete_snapshots(self, asked: Asked, shelf: Shelf, snapshots: list[Kept], days: int) -> Response:
        if any(name in asked.request.headers for name in (*_CONDITIONS, "x-ms-lease-id")):
            raise Undecided("a deletion of snapshots on conditions")
        if shelf.item(asked.blob) is None:
            raise StorageError("BlobNotFound")
        for one in snapshots:
            shelf.delete(one, days)
        return _deleted(for_good=not days)

    def _delete_current(self, asked: Asked, shelf: Shelf, days: int) -> Answer:
        name, is_versioned = asked.blob, _is_versioned(asked.account)
        if name in shelf.current and not is_versioned:
            raise Undecided("a deletion of a version that is current, where versions aren't kept any more")
        before = shelf.set_aside(name) if is_versioned or days else None
        try:
            answer = self._forward(asked, shelf.path(asked.raw), {_SNAPSHOTS: ""})
        except BaseException:
            _forget(shelf, before)
            raise
        if not answer.is_good or before is None:
            _forget(shelf, before)
        elif is_versioned:
            shelf.keep(before, Kind.VERSION, shelf.current.pop(name, "") or creation_id(before.item))
        else:
            shelf.keep(before, Kind.BLOB, "", days)
        return answer

    def _undelete(self, asked: Asked, shelf: Shelf, caller: Caller) -> Response:
        del caller
        found = [*shelf.all(asked.blob)]
        if not found and shelf.item(asked.blob) is None:
            raise StorageError("BlobNotFound", f"nothing of {asked.blob} can be restored")
        for one in found:
            if one.deleted is not None:
                shelf.restore(one)
        return Response(200)

    # What goes to Azurite, and what comes from there

    def _forward(self, asked: Asked, path: str, changed: Mapping[str, str] | None = None) -> Answer:
        """Have Azurite do it; `changed` headers replace what was sent, and are left out where they are empty."""
        request = asked.request
        sent = {
            name: value
            for name, value in request.headers.items()
            if name.startswith(_PASSED_ON) and name not in _OURS and value
        }
        headers = {name: value for name, value in (sent | dict(changed or {})).items() if value}
        query = [one for one in request.query_all if one[0] not in (*_CHOSEN, *PARAMETERS)]
        return self._azurite.call(request.method, path, query, headers, request.body)

    def _told(self, answer: Answer, asked: Asked) -> dict[str, str]:
        """The headers that a client is told."""
        told = {name: value for name, value in answer.headers if name.lower() not in _NOT_TOLD}
        if asked.request.method != "HEAD":
            told = {name: value for name, value in told.items() if name.lower() != "content-length"}
        source = self._sources.get(told.get(SOURCE, ""), "")
        if SOURCE in told and not source:  # it was copied by nobody but this
            return {name: value for name, value in told.items() if not _is_of_copy(name)}
        return told | ({SOURCE: source} if source else {})


def _range(asked: Asked) -> str:
    """Where the range begins that is asked for, if one is."""
    said = asked.request.headers.get("x-ms-range") or asked.request.headers.get("range", "")
    found = _RANGE.fullmatch(said)
    if said and not (found and int(found[2] or found[1]) >= int(found[1])):
        raise Undecided(f"the range {said}")
    return found[1] if found else ""


def _is_of_copy(name: str) -> bool:
    return name.lower().startswith(("x-ms-copy-", "x-ms-incremental-copy"))


def _as_kept(kept: Kept) -> dict[str, str]:
    """What is said of what is kept, and not of where it is."""
    told = {
        "etag": f'"{kept.property("Etag")}"',
        "last-modified": kept.property("Last-Modified"),
        "x-ms-creation-time": kept.property("Creation-Time"),
    }
    return told | ({"x-ms-version-id": kept.id} if kept.kind is Kind.VERSION else {})


def _unmet(headers: Mapping[str, str], kept: Kept) -> Response | None:
    """How a request is refused whose conditions what is kept doesn't meet."""
    tag, changed = kept.property("Etag"), parsedate_to_datetime(kept.property("Last-Modified"))
    match, other, since, until = (headers.get(name, "") for name in _CONDITIONS)
    if (match and not _names(match, tag)) or (until and changed > parsedate_to_datetime(until)):
        raise StorageError("ConditionNotMet")
    if (other and _names(other, tag)) or (not other and since and changed <= parsedate_to_datetime(since)):
        return Response(304, b"", [("ETag", f'"{tag}"'), ("x-ms-error-code", "ConditionNotMet")])
    return None


def _names(said: str, tag: str) -> bool:
    return said.strip() == "*" or tag in (
        one.strip().removeprefix("W/").strip('"') for one in said.split(",")
    )


def _is_versioned(account: StorageAccount) -> bool:
    return account.blob_service.get("isVersioningEnabled") is True


def _retention(account: StorageAccount) -> int:
    """For how many days what was deleted can be restored."""
    policy: dict[str, Any] = account.blob_service.get("deleteRetentionPolicy") or {}
    return int(policy.get("days") or 0) if policy.get("enabled") else 0


def _forget(shelf: Shelf, before: Kept | None) -> None:
    if before is not None:
        shelf.forget(before)


def _deleted(*, for_good: bool) -> Response:
    return Response(202, b"", [("x-ms-delete-type-permanent", str(for_good).lower())])
