"""Buckets of the JSON API: made, read, listed, changed and deleted.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1/buckets,
https://docs.cloud.google.com/storage/docs/access-control/iam-json (permissions) and
https://docs.cloud.google.com/storage/docs/use-soft-deleted-buckets: a deleted bucket's name can be used again at once.

Leaves out, as undecided, restoring buckets, access control lists other than those by default, notifications, folders,
caches and relocation. `fields` is ignored: all of them are sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from recording_storage.sandbox.google.access import refusal
from recording_storage.sandbox.google.bucket import Bucket, check_known, full_name
from recording_storage.sandbox.google.bucket_policies import check_without_uniform
from recording_storage.sandbox.google.bucket_settings import Change, check_name, location_of, merged
from recording_storage.sandbox.google.errors import GoogleError, already_exists, conflict, invalid, not_found
from recording_storage.sandbox.google.object_fields import MORE
from recording_storage.sandbox.google.parameters import check_bucket, flag, is_full, page_size
from recording_storage.sandbox.google.place import Place
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access, Resource
    from recording_storage.sandbox.google.contents import Contents
    from recording_storage.sandbox.google.object_keys import ObjectKeys
    from recording_storage.sandbox.google.world import Project, World
    from recording_storage.sandbox.rest import Request

OWN = "Your previous request to create the named bucket succeeded and you already own it."
TAKEN = (
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please "
    "select a different name and try again."
)
_LISTS = ("predefinedAcl", "predefinedDefaultObjectAcl")


class Buckets:
    """All buckets: their names are everybody's."""

    def __init__(self, world: World, access: Access, contents: Contents, keys: ObjectKeys) -> None:
        self._world = world
        self._access = access
        self._contents = contents
        self._keys = keys
        self._buckets: dict[str, Bucket] = {}

    def find(self, name: str) -> Bucket:
        """The bucket with this name."""
        found = self._buckets.get(name)
        if found is None:
            raise not_found("The specified bucket does not exist.")
        return found

    def permitted(self, who: Principal, names: Mapping[str, str], permission: str) -> Bucket:
        """The bucket that is named, on which `who` has the permission."""
        bucket = self.find(names["bucket"])
        check_known(who, bucket)
        self._access.require(who, permission, bucket)
        return bucket

    def make(self, name: str, project: Project, said: Mapping[str, Any]) -> Bucket:
        """Let a bucket exist; raises `GoogleError` where Cloud Storage wouldn't make it."""
        place = location_of(said)
        wanted = {key: value for key, value in said.items() if key != "customPlacementConfig"}
        settings = place | Change(name, place, self._world.now()).settled(wanted)
        self._check_key(settings, {}, project)
        made = self._buckets[name] = Bucket(name, project, settings, self._contents, self._world)
        return made

    def insert(self, request: Request, who: Principal, _names: Mapping[str, str]) -> Any:
        """Make a bucket."""
        said = request.json()
        name = check_name(said.get("name"))
        project = self._project(request, who, "storage.buckets.create", name)
        if flag(request, "enableObjectRetention"):
            raise Undecided("a bucket with object retention")
        known = self._buckets.get(name)
        if known is not None:
            raise already_exists(OWN if known.project is project else TAKEN)
        access = Change(name, {}, self._world.now()).iam_configuration(said.get("iamConfiguration"))
        _check_lists(request, said, uniform=access["uniformBucketLevelAccess"]["enabled"])
        return self._shown(request, who, self.make(name, project, said))

    def get(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Read a bucket."""
        bucket = self.permitted(who, names, "storage.buckets.get")
        if flag(request, "softDeleted"):
            raise Undecided("soft-deleted buckets")
        check_bucket(request.query, bucket.metageneration)
        return self._shown(request, who, bucket)

    def list_all(self, request: Request, who: Principal, _names: Mapping[str, str]) -> Any:
        """List a project's buckets."""
        query, project = request.query, self._project(request, who, "storage.buckets.list")
        if flag(request, "softDeleted"):
            raise Undecided("soft-deleted buckets")
        found = [
            bucket
            for name, bucket in sorted(self._buckets.items())
            if bucket.project is project
            and name.startswith(query.get("prefix", ""))
            and name > query.get("pageToken", "")
        ]
        items = [self._shown(request, who, one) for one in found[: page_size(request)]]
        following = {"nextPageToken": items[-1]["name"]} if items and len(found) > len(items) else {}
        return {"kind": "storage#buckets"} | ({"items": items} if items else {}) | following

    def patch(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Change what is said of a bucket, and leave the rest."""
        bucket = self.permitted(who, names, "storage.buckets.update")
        return self._change(request, who, bucket, merged(bucket.settings, request.json()))

    def update(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Change what is said of a bucket, all of it."""
        bucket = self.permitted(who, names, "storage.buckets.update")
        return self._change(request, who, bucket, request.json())

    def delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        """Delete a bucket, and what is soft-deleted in it."""
        bucket = self.permitted(who, names, "storage.buckets.delete")
        check_bucket(request.query, bucket.metageneration)
        if not bucket.shelf.is_empty:
            raise conflict("The bucket you tried to delete is not empty.")
        bucket.shelf.drop()
        del self._buckets[bucket.name]
        return Response(204)

    def lock(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Lock a bucket's retention policy, for ever."""
        bucket = self.permitted(who, names, "storage.buckets.update")
        if "ifMetagenerationMatch" not in request.query:
            raise invalid("Required parameter: ifMetagenerationMatch", reason="required")
        check_bucket(request.query, bucket.metageneration)
        policy = bucket.settings.get("retentionPolicy")
        if policy is None:
            raise invalid("The bucket does not have a retention policy.", reason="badRequest")
        locked = bucket.settings | {"retentionPolicy": policy | {"isLocked": True}}
        bucket.change(locked, self._world.now())
        return bucket.to_json()

    def layout(self, _request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Say where a bucket is and that it has no folders, to whoever may list it: gcloud asks."""
        bucket = self.permitted(who, names, "storage.objects.list")
        return {
            "kind": "storage#storageLayout",
            "bucket": bucket.name,
            "location": bucket.location,
            "locationType": bucket.settings["locationType"],
            "hierarchicalNamespace": {"enabled": False},
        }

    def nothing(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Say that a bucket has none of what is listed, to whoever may list it: clients ask before they delete it."""
        self.permitted(who, names, "storage.objects.list")
        return {"kind": f"storage#{request.path.rpartition('/')[2]}"}

    def lists(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Access control lists, which a bucket with uniform access hasn't."""
        reading = request.method == "GET"
        permission = "storage.buckets.getIamPolicy" if reading else "storage.buckets.setIamPolicy"
        if not self.permitted(who, names, permission).is_uniform:
            raise Undecided("access control lists")
        if reading:
            raise invalid(f"Cannot get legacy ACL for a bucket that has uniform bucket-level access. {MORE}")
        raise invalid(
            f"Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. {MORE}"
        )

    def _change(self, request: Request, who: Principal, bucket: Bucket, wanted: dict[str, Any]) -> Any:
        check_bucket(request.query, bucket.metageneration)
        _check_lists(request, wanted, uniform=bucket.is_uniform)
        before, now = bucket.settings, self._world.now()
        place = {
            name: before[name]
            for name in ("location", "locationType", "customPlacementConfig")
            if name in before
        }
        if str(wanted.get("location") or bucket.location).upper() != bucket.location:
            raise Undecided("a bucket's location that is changed")
        settings = Change(bucket.name, before, now).settled(wanted) | place
        access, was = settings["iamConfiguration"], before["iamConfiguration"]
        if access["publicAccessPrevention"] != was["publicAccessPrevention"]:
            self._access.require(who, "storage.buckets.setIamPolicy", bucket)
        if bucket.is_uniform and not access["uniformBucketLevelAccess"]["enabled"]:
            check_without_uniform(bucket)
        self._check_key(settings, before, bucket.project)
        bucket.change(settings, now)
        return self._shown(request, who, bucket)

    def _project(self, request: Request, who: Principal, permission: str, bucket: str = "") -> Project:
        """The project that is asked for, where `who` has the permission; whether it exists isn't told to others."""
        ref = request.query.get("project", "")
        if not ref:
            raise invalid("Required parameter: project", reason="required")
        project = self._world.find(ref)
        name = f"//cloudresourcemanager.googleapis.com/projects/{ref}"
        place = Place(name, "cloudresourcemanager.googleapis.com/Project", project)
        if bucket:  # a condition on who may make buckets sees the bucket's name
            place = Place(full_name(bucket), "storage.googleapis.com/Bucket", project)
        try:
            self._access.require(who, permission, place)
        except GoogleError as error:
            raise _of_project(who, permission, place, error) from None
        return cast("Project", project)  # where there is none, nothing permits anything

    def _shown(self, request: Request, who: Principal, bucket: Bucket) -> dict[str, Any]:
        full = is_full(request)
        if full and not bucket.is_uniform:
            self._access.require(who, "storage.buckets.getIamPolicy", bucket)
        return bucket.to_json(full=full)

    def _check_key(self, settings: Mapping[str, Any], before: Mapping[str, Any], project: Project) -> None:
        key = settings.get("encryption", {}).get("defaultKmsKeyName")
        if key and settings.get("encryption") != before.get("encryption"):
            self._keys.check_default(key, settings["location"], project)


def _check_lists(request: Request, said: Mapping[str, Any], *, uniform: bool) -> None:
    asked = [name for name in _LISTS if name in request.query]
    asked += [name for name in ("acl", "defaultObjectAcl") if said.get(name)]
    if asked and uniform:
        raise invalid(
            f"Cannot insert legacy ACL for a bucket when uniform bucket-level access is enabled. {MORE}"
        )
    if asked:
        raise Undecided(f"access control lists ({', '.join(asked)})")


def _of_project(who: Principal, permission: str, place: Resource, cause: GoogleError) -> GoogleError:
    """A refusal that concerns a project, as Cloud Storage says it."""
    project = Place(place.full_name, "storage.googleapis.com/Project", None)
    error = refusal(who, permission, project, cause.because)
    error.message = error.message.replace("Google Cloud Storage project", "Google Cloud project")
    return error
