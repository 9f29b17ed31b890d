"""Cloud Storage: its JSON API, and objects at their own addresses.

Leaves out, as undecided, batches, notifications, folders, HMAC keys, signed URLs, and of the XML API everything but GET
and HEAD of an object.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1, https://docs.cloud.google.com/storage/docs/request-endpoints
and https://docs.cloud.google.com/storage/docs/xml-api/get-object.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from recording_storage.sandbox.google.bucket_policies import BucketPolicies
from recording_storage.sandbox.google.buckets import Buckets
from recording_storage.sandbox.google.contents import Contents
from recording_storage.sandbox.google.copies import Copies
from recording_storage.sandbox.google.downloads import media
from recording_storage.sandbox.google.errors import GoogleError
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.object_keys import ObjectKeys, check_no_key
from recording_storage.sandbox.google.objects import Objects
from recording_storage.sandbox.google.parameters import NOT_MODIFIED, check_headers
from recording_storage.sandbox.google.uploads import Uploads
from recording_storage.sandbox.rest import ANY, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.http import Handler
    from recording_storage.sandbox.google.keys import Keys
    from recording_storage.sandbox.google.world import World
    from recording_storage.sandbox.rest import Request

HOST, SHARED_HOST = "storage.googleapis.com", "www.googleapis.com"
_API = re.compile(r"/((resumable/)?upload/|download/|batch/)?storage/v1(/.*)?")
_XML_QUERY = frozenset({"generation", "alt", "access_token", "key", "prettyPrint"})
_XML_CODES = {401: ("AccessDenied", "Access denied."), 403: ("AccessDenied", "Access denied.")}


class Storage:
    """The service at storage.googleapis.com, <bucket>.storage.googleapis.com and www.googleapis.com/storage."""

    def __init__(self, world: World, access: Access, keys: Keys) -> None:
        contents, object_keys = Contents(), ObjectKeys(world, access, keys)
        self._world = world
        self._access = access
        self.buckets = Buckets(world, access, contents, object_keys)
        self._objects = Objects(world, access, self.buckets, contents, object_keys)
        self._uploads = Uploads(self._objects)
        self._copies = Copies(self._objects)
        self._routes = Routes(*self._table())

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request; raises `GoogleError` and `Undecided`."""
        check_no_key(request)
        check_headers(request)
        if "userProject" in request.query:
            raise Undecided("a request that another project pays for")
        try:
            if request.host in (HOST, SHARED_HOST) and _API.fullmatch(request.path):
                # A colon begins no verb here: Go's clients leave it in names as it is. And Terraform ends with a slash.
                path = request.path.replace(":", "%3A").removesuffix("/")
                return self._routes.answer(replace(request, path=path), who)
            return self._xml(request, who)
        except GoogleError as error:
            if error.code == NOT_MODIFIED:
                return Response(NOT_MODIFIED)
            raise

    def _table(self) -> Iterator[tuple[str, str, Handler | None]]:
        api, buckets, objects = "/storage/v1", self.buckets, self._objects
        policies = BucketPolicies(self._access, buckets)
        bucket = api + "/b/{bucket}"
        object_ = bucket + "/o/{object}"
        to = "/b/{to}/o/{target}"
        yield "GET", api + "/b", buckets.list_all
        yield "POST", api + "/b", buckets.insert
        yield "GET", bucket, buckets.get
        yield "PATCH", bucket, buckets.patch
        yield "PUT", bucket, buckets.update
        yield "DELETE", bucket, buckets.delete
        yield "GET", bucket + "/iam", policies.get
        yield "PUT", bucket + "/iam", policies.set
        yield "GET", bucket + "/iam/testPermissions", policies.test
        yield "POST", bucket + "/lockRetentionPolicy", buckets.lock
        yield "GET", bucket + "/storageLayout", buckets.layout
        yield "GET", bucket + "/anywhereCaches", buckets.nothing
        yield "GET", bucket + "/managedFolders", buckets.nothing
        for lists in ("/acl", "/defaultObjectAcl"):
            yield ANY, bucket + lists, buckets.lists
            yield ANY, bucket + lists + "/{entity}", buckets.lists
        yield "GET", bucket + "/o", objects.list_all
        yield "POST", bucket + "/o/bulkRestore", None
        yield "GET", object_, objects.read
        yield "PATCH", object_, objects.patch
        yield "PUT", object_, objects.update
        yield "DELETE", object_, objects.delete
        yield "POST", object_ + "/restore", objects.restore
        yield "POST", object_ + "/compose", self._copies.compose
        yield "POST", object_ + "/copyTo" + to, self._copies.copy
        yield "POST", object_ + "/rewriteTo" + to, self._copies.rewrite
        yield ANY, object_ + "/acl", objects.lists
        yield ANY, object_ + "/acl/{entity}", objects.lists
        for prefix in ("/upload", "/resumable/upload"):
            yield "POST", prefix + bucket + "/o", self._uploads.insert
            yield "PUT", prefix + bucket + "/o", self._uploads.resume
            yield "DELETE", prefix + bucket + "/o", self._uploads.cancel
        yield "GET", "/download" + object_, objects.read
        yield "GET", api + "/projects/{project}/serviceAccount", self._agent
        yield ANY, "/batch/storage/v1", None
        yield ANY, api + "/{rest=**}", None

    def _agent(self, _request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """The service account with which Cloud Storage itself comes, to a key for one."""
        project = self._world.project(names["project"])
        self._access.require(who, "resourcemanager.projects.get", project)
        return {"kind": "storage#serviceAccount", "email_address": self._world.storage_agent(project)}

    def _xml(self, request: Request, who: Principal) -> Response:
        """Give an object at its own address; errors are told in XML, and nobody is asked to log in."""
        place = f"{request.host}{request.path}"
        host = request.host.removesuffix(HOST).rstrip(".")
        name, _, path = (host, "", request.path[1:]) if host else request.path[1:].partition("/")
        served = request.method in ("GET", "HEAD") and request.host != SHARED_HOST
        if not served or not path or not request.query.keys() <= _XML_QUERY:
            raise Undecided(f"{request.method} {place} of the XML API")
        try:
            bucket = self._objects.bucket(unquote(name))
            number = request.query.get("generation", "")
            found = self._objects.chosen(who, "storage.objects.get", bucket, unquote(path), number)
            return media(request, found, self._objects)
        except GoogleError as error:
            return _in_xml(error)


def _in_xml(error: GoogleError) -> Response:
    """An error as the XML API tells it: https://docs.cloud.google.com/storage/docs/xml-api/reference-status."""
    kind = "NoSuchKey" if error.message.startswith("No such object") else "NoSuchBucket"
    unknown = {404: (kind, error.message), 416: ("InvalidRange", error.message)}
    code, message = (_XML_CODES | unknown).get(error.code, ("InvalidArgument", error.message))
    text = (
        f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{escape(message)}</Message>"
        f"<Details>{escape(error.message)}</Details></Error>"
    )
    status = 403 if error.code == 401 else error.code
    return Response(status, text.encode(), [("Content-Type", "application/xml; charset=UTF-8")])
