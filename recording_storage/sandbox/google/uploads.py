"""Uploads: in one request, in one request with what is said of the object, or in many (resumable).

The address of a resumable upload is its own permission: who has it goes on for whom it was given to. Whether it may be
written is judged when it is given, and what it would overwrite once more when the last byte has come.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1/objects/insert,
https://docs.cloud.google.com/storage/docs/performing-resumable-uploads and
https://docs.cloud.google.com/storage/docs/resumable-uploads. Leaves out bodies that are sent compressed, uploads of
the XML API, and that parts must be multiples of 256 KiB.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from recording_storage.sandbox.google import object_fields
from recording_storage.sandbox.google.errors import invalid, not_found
from recording_storage.sandbox.google.objects import Objects, Write
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.generations import Generation
    from recording_storage.sandbox.rest import Request

CANCELLED, INCOMPLETE = 499, 308
_HASH_NAMES = {"crc32c": "crc32c", "md5": "md5Hash"}
_PART_TYPE = re.compile(rb"^content-type:\s*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_HEAD = re.compile(rb"(?P<head>([^\r\n]+\r?\n)*)\r?\n(?P<content>.*)", re.DOTALL)
"""Lines up to the first empty one, and what follows it."""


@dataclass
class Session:
    """A resumable upload under way."""

    who: Principal
    wanted: Write
    upload: str
    made: Generation | None = None


class Uploads:
    """All uploads."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._sessions: dict[str, Session] = {}

    def insert(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Begin an upload, and mostly end it too."""
        if "upload_id" in request.query:
            return self.resume(request, who, names)
        bucket, kind = self._objects.bucket(names["bucket"]), request.query.get("uploadType", "")
        if request.headers.get("content-encoding"):
            raise Undecided("a body that is sent compressed")
        object_fields.check_lists(bucket, ("predefinedAcl",) if "predefinedAcl" in request.query else ())
        if kind == "resumable":
            return self._begin(request, who, names)
        if kind == "media":
            said, content = {"contentType": request.headers.get("content-type")}, request.body
        elif kind == "multipart":
            said, content = _parts(request.body)
        else:
            raise invalid(
                "Upload requests must include an uploadType URL parameter and a URL path beginning with /upload/"
            )
        wanted = self._wanted(request, names, said)
        self._objects.check_writable(who, wanted)
        return self._objects.shown(request, who, self._objects.write(who, wanted, content))

    def resume(self, request: Request, _who: Principal, names: Mapping[str, str]) -> Any:
        """Take the next part of a resumable upload, or say how far it is."""
        session = self._session(request, names)
        if session.made is None:
            content_range = request.headers.get("content-range", "")
            hashes = _header_hashes(request)
            found = self._objects.contents.append(session.upload, request.body, content_range, hashes)
            if isinstance(found, int):
                return Response(INCOMPLETE, b"", [("Range", f"bytes=0-{found - 1}")] if found else [])
            try:
                self._objects.check_overwritable(session.who, session.wanted)
            except BaseException:
                self._objects.contents.remove(found.key)
                del self._sessions[request.query["upload_id"]]
                raise
            session.made = self._objects.finish(session.who, session.wanted, found)
        return self._objects.shown(replace(request, query_all=[]), session.who, session.made)

    def cancel(self, request: Request, _who: Principal, names: Mapping[str, str]) -> Response:
        """Give a resumable upload up."""
        self._session(request, names)
        del self._sessions[request.query["upload_id"]]
        return Response(CANCELLED)

    def _session(self, request: Request, names: Mapping[str, str]) -> Session:
        found = self._sessions.get(request.query.get("upload_id", ""))
        if found is None or found.wanted.bucket is not self._objects.bucket(names["bucket"]):
            raise not_found("The upload session does not exist.")
        return found

    def _begin(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        said = request.json()
        said.setdefault("contentType", request.headers.get("x-upload-content-type"))
        wanted = self._wanted(request, names, said)
        self._objects.check_writable(who, wanted)
        object_fields.new(wanted.bucket, wanted.said)
        token = secrets.token_urlsafe(48)
        self._sessions[token] = Session(who, wanted, self._objects.contents.begin(wanted.hashes))
        address = (
            f"https://{request.host}/upload/storage/v1/b/{wanted.bucket.name}/o"
            f"?uploadType=resumable&name={quote(wanted.name, safe='')}&upload_id={token}"
        )
        return Response(200, b"", [("Location", address), ("X-GUploader-UploadID", token)])

    def _wanted(self, request: Request, names: Mapping[str, str], said: Mapping[str, Any]) -> Write:
        query, bucket = request.query, self._objects.bucket(names["bucket"])
        name = object_fields.check_name(query.get("name") or said.get("name"))
        if said.get("name") not in (None, name):
            message = f"Value '{said['name']}' in content does not agree with value '{name}'."
            raise invalid(message, reason="invalidParameter")
        encoding = {"contentEncoding": query["contentEncoding"]} if "contentEncoding" in query else {}
        hashes = {key: str(said[key]) for key in _HASH_NAMES.values() if said.get(key)} | _header_hashes(
            request
        )
        return Write(bucket, name, {**said, **encoding}, query, query.get("kmsKeyName", ""), hashes)


def _header_hashes(request: Request) -> dict[str, str]:
    """The checksums of `X-Goog-Hash: crc32c=…,md5=…`."""
    pairs = (one.strip().partition("=") for one in request.headers.get("x-goog-hash", "").split(","))
    return {_HASH_NAMES[name]: value for name, _, value in pairs if name in _HASH_NAMES}


def _parts(body: bytes) -> tuple[dict[str, Any], bytes]:
    """What is said of an object, and the object: the two parts of a `multipart/related` body (RFC 2387)."""
    line = body.partition(b"\n")[0]
    boundary, ending = line.rstrip(b"\r"), b"\r\n" if line.endswith(b"\r") else b"\n"
    whole = body.rstrip(b"\r\n").removesuffix(b"--")
    if not whole.endswith(boundary):
        raise invalid("Malformed multipart body.", reason="badContent")
    first, _, second = whole[len(boundary) : -len(boundary)].partition(ending + boundary)
    (_, text), (head, content) = _part(first), _part(second)
    try:
        said: object = json.loads(text)
    except ValueError:
        raise invalid("Parse Error", reason="parseError") from None
    if not isinstance(said, dict):
        raise invalid("Parse Error", reason="parseError")
    resource, kind = cast("dict[str, Any]", said), _PART_TYPE.search(head)
    if kind and not resource.get("contentType"):
        resource["contentType"] = kind[1].decode("latin-1").strip()
    return resource, content.removesuffix(ending)


def _part(raw: bytes) -> tuple[bytes, bytes]:
    """A part's head and content, from the end of the boundary's line on."""
    found = _HEAD.match(raw.partition(b"\n")[2])
    if found is None:
        raise invalid("Malformed multipart body.", reason="badContent")
    return found["head"], found["content"]
