"""Objects of the JSON API: read, listed, changed, deleted and restored; and how each write of one is judged.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1/objects,
https://docs.cloud.google.com/storage/docs/access-control/iam-json (permissions: an overwrite needs
`storage.objects.delete` too) and https://docs.cloud.google.com/storage/docs/json_api/v1/objects/restore.

Leaves out, as undecided, changes of access control lists, moves, restoring in bulk, contexts and filters. `fields` is
ignored: all of them are sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google import object_fields
from recording_storage.sandbox.google.bucket import check_known
from recording_storage.sandbox.google.bucket_settings import merged
from recording_storage.sandbox.google.downloads import media
from recording_storage.sandbox.google.errors import failed_precondition, invalid, not_found
from recording_storage.sandbox.google.generations import Generation, new_number
from recording_storage.sandbox.google.listing import listed
from recording_storage.sandbox.google.parameters import check_object, flag, is_full
from recording_storage.sandbox.google.place import Place
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.bucket import Bucket
    from recording_storage.sandbox.google.buckets import Buckets
    from recording_storage.sandbox.google.contents import Contents, Stored
    from recording_storage.sandbox.google.object_keys import ObjectKeys
    from recording_storage.sandbox.google.world import World
    from recording_storage.sandbox.rest import Request


@dataclass(frozen=True)
class Write:
    """A new object that somebody wants: where, what is said of it, on which conditions, and with which key."""

    bucket: Bucket
    name: str
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    conditions: Mapping[str, str] = field(default_factory=dict[str, str])
    key: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict[str, str])
    components: int = 0

    @property
    def place(self) -> Place:
        """What it is to be written to."""
        name = f"{self.bucket.full_name}/objects/{self.name}"
        return Place(name, "storage.googleapis.com/Object", self.bucket, self.bucket.acl(""))


class Objects:
    """The objects of all buckets."""

    def __init__(
        self, world: World, access: Access, buckets: Buckets, contents: Contents, keys: ObjectKeys
    ) -> None:
        self.contents = contents
        self.keys = keys
        self._world = world
        self._access = access
        self._buckets = buckets

    # What others build upon

    def bucket(self, name: str) -> Bucket:
        """The bucket with this name."""
        return self._buckets.find(name)

    def require(self, who: Principal, permission: str, bucket: Bucket, what: Generation | Place) -> None:
        """Raise `GoogleError` unless `who` has the permission on an object."""
        check_known(who, bucket)
        self._access.require(who, permission, what)

    def chosen(self, who: Principal, permission: str, bucket: Bucket, name: str, number: str) -> Generation:
        """A generation on which `who` has the permission; without a number, the live one.

        Who may not list the bucket isn't told that there is none.
        """
        found = bucket.shelf.find(name, number)
        self.require(who, permission, bucket, found or Write(bucket, name).place)
        if found is None:
            raise self.missing(who, bucket, name)
        return found

    def missing(self, who: Principal, bucket: Bucket, name: str) -> Exception:
        """What is answered where there is no such object: to who may not list the bucket, that."""
        self._access.require(who, "storage.objects.list", bucket)
        return not_found(f"No such object: {bucket.name}/{name}")

    def check_writable(self, who: Principal, wanted: Write) -> None:
        """Raise unless `who` may write there, as far as that depends on permissions."""
        self.require(who, "storage.objects.create", wanted.bucket, wanted.place)
        self.check_overwritable(who, wanted)

    def check_overwritable(self, who: Principal, wanted: Write) -> None:
        """Raise unless `who` may overwrite what is there, where something is."""
        live = wanted.bucket.shelf.live(wanted.name)
        if live is not None:
            self.require(who, "storage.objects.delete", wanted.bucket, live)

    def write(self, who: Principal, wanted: Write, content: bytes) -> Generation:
        """Write an object for who may; raises where something else is against it."""
        made = self._settled(who, wanted)
        return self._put(made, self.contents.write(content, wanted.hashes))

    def finish(self, who: Principal, wanted: Write, stored: Stored) -> Generation:
        """Let bytes that are there already be an object, or forget them where something is against it."""
        try:
            made = self._settled(who, wanted)
        except BaseException:
            self.contents.remove(stored.key)
            raise
        return self._put(made, stored)

    def _settled(self, who: Principal, wanted: Write) -> Generation:
        """The generation that is wanted, without its bytes; raises where something is against it."""
        bucket, live, now = wanted.bucket, wanted.bucket.shelf.live(wanted.name), self._world.now()
        check_object(wanted.conditions, live)
        if live is not None:
            bucket.shelf.check_removable(live)
        said = object_fields.new(bucket, wanted.said)
        default = bucket.settings.get("encryption", {}).get("defaultKmsKeyName", "")
        key = self.keys.to_write(wanted.key or default, bucket.location, bucket.project)
        return Generation(
            bucket, wanted.name, new_number(now), who.member, now, said, key=key, components=wanted.components
        )

    def _put(self, made: Generation, stored: Stored) -> Generation:
        made.stored = stored
        made.bucket.shelf.put(made)
        return made

    def shown(self, request: Request, who: Principal, found: Generation) -> dict[str, Any]:
        """An object as the API has it: its checksums need its key."""
        return found.to_json(with_hashes=self.keys.can_read(found)) | self._lists_of(request, who, found)

    def _lists_of(self, request: Request, who: Principal, found: Generation) -> dict[str, Any]:
        """An object's access control list, where it is asked for and there is one."""
        if not is_full(request) or found.bucket.is_uniform:
            return {}
        self._access.require(who, "storage.objects.getIamPolicy", found)
        return {"acl": found.bucket.object_acl(found.writer)}

    # The methods

    def read(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Read an object: what is known of it, or with `alt=media` itself."""
        bucket, name, number = self._asked(request, names)
        if flag(request, "softDeleted"):
            return self._read_soft_deleted(request, who, bucket, name, number)
        found = self.chosen(who, "storage.objects.get", bucket, name, number)
        check_object(request.query, bucket.shelf.live(name), found)
        if request.query.get("alt") == "media":
            return media(request, found, self)
        return self.shown(request, who, found)

    def _read_soft_deleted(
        self, request: Request, who: Principal, bucket: Bucket, name: str, number: str
    ) -> Any:
        if not number:
            raise invalid("Required parameter: generation", reason="required")
        if request.query.get("alt") == "media":
            raise invalid("The data of soft-deleted objects cannot be read.")
        found = bucket.shelf.find(name, number, soft_deleted=True)
        self.require(who, "storage.objects.get", bucket, found or Write(bucket, name).place)
        if found is None:
            raise self.missing(who, bucket, name)
        return self.shown(request, who, found)

    def list_all(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """List a bucket's objects."""
        bucket = self._buckets.permitted(who, names, "storage.objects.list")
        page = listed(request, bucket.shelf)
        items = [
            one.to_json(with_hashes=not one.key) | self._lists_of(request, who, one) for one in page.items
        ]
        found = {"items": items, "prefixes": page.prefixes, "nextPageToken": page.following}
        return {"kind": "storage#objects"} | {name: value for name, value in found.items() if value}

    def patch(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Change what is said of an object, and leave the rest."""
        found = self._changing(request, who, names)
        wanted = merged(found.said, request.json())
        return self._changed(request, who, found, wanted)

    def update(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Change what is said of an object, all of it."""
        found = self._changing(request, who, names)
        return self._changed(request, who, found, request.json())

    def _changing(self, request: Request, who: Principal, names: Mapping[str, str]) -> Generation:
        bucket, name, number = self._asked(request, names)
        found = self.chosen(who, "storage.objects.update", bucket, name, number)
        check_object(request.query, bucket.shelf.live(name), found)
        return found

    def _changed(self, request: Request, who: Principal, found: Generation, wanted: Mapping[str, Any]) -> Any:
        if "customTime" in found.said and wanted.get("customTime") != found.said["customTime"]:
            raise Undecided("a customTime that is changed")
        said = object_fields.changeable(found.bucket, wanted)
        found.change(said | {"storageClass": found.said["storageClass"]}, self._world.now())
        return self.shown(request, who, found)

    def delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        """Delete an object: the live generation, or the one that is named."""
        bucket, name, number = self._asked(request, names)
        found = self.chosen(who, "storage.objects.delete", bucket, name, number)
        check_object(request.query, bucket.shelf.live(name), found)
        bucket.shelf.check_removable(found, for_good=bool(number))
        bucket.shelf.remove(found, for_good=bool(number))
        return Response(204)

    def restore(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Let a soft-deleted generation be live again, as a new generation; the old one stays what it is."""
        bucket, name, number = self._asked(request, names)
        if not number:
            raise invalid("Required parameter: generation", reason="required")
        if flag(request, "copySourceAcl"):
            object_fields.check_lists(bucket, ("copySourceAcl",))
        found = bucket.shelf.find(name, number, soft_deleted=True)
        wanted = Write(bucket, name, conditions=request.query)
        self.require(who, "storage.objects.restore", bucket, found or wanted.place)
        self.check_writable(who, wanted)
        if found is None and bucket.shelf.find(name, number) is not None:
            message = "Object is not soft deleted and is either live or noncurrent."
            raise failed_precondition(message, reason="objectNotSoftDeleted", code=412)
        if found is None:
            raise self.missing(who, bucket, name)
        self.keys.to_read(found)
        key = found.key.partition("/cryptoKeyVersions/")[0]
        again = Write(bucket, name, found.said, request.query, key, components=found.components)
        made = self.write(who, again, self.contents.read(found.stored.key).content)
        return self.shown(request, who, made)

    def lists(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Access control lists, which an object has none of where access is uniform."""
        bucket, name, number = self._asked(request, names)
        reading = request.method == "GET"
        permission = "storage.objects.getIamPolicy" if reading else "storage.objects.setIamPolicy"
        self.chosen(who, permission, bucket, name, number)
        if not bucket.is_uniform:
            raise Undecided("access control lists")
        verb = "get legacy ACL" if reading else "update access control"
        raise invalid(
            f"Cannot {verb} for an object when uniform bucket-level access is enabled. {object_fields.MORE}"
        )

    def _asked(self, request: Request, names: Mapping[str, str]) -> tuple[Bucket, str, str]:
        return self.bucket(names["bucket"]), names["object"], request.query.get("generation", "")
