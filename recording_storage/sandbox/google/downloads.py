"""An object's bytes, sent: to the JSON API's `alt=media`, and to a GET or HEAD of its address.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1/objects/get,
https://docs.cloud.google.com/storage/docs/xml-api/get-object-download and
https://docs.cloud.google.com/storage/docs/transcoding. Leaves out decompression for who doesn't take gzip, and several
ranges at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from recording_storage.sandbox.google.generations import Generation
    from recording_storage.sandbox.google.objects import Objects
    from recording_storage.sandbox.rest import Request

_SENT = {
    "contentType": "Content-Type",
    "contentEncoding": "Content-Encoding",
    "contentDisposition": "Content-Disposition",
    "contentLanguage": "Content-Language",
    "cacheControl": "Cache-Control",
    "storageClass": "X-Goog-Storage-Class",
}


def media(request: Request, found: Generation, objects: Objects) -> Response:
    """The object, or the range of it that is asked for."""
    range_ = request.headers.get("range", "")
    if "," in range_:
        raise Undecided("several ranges of an object")
    if found.said.get("contentEncoding") == "gzip" and "gzip" not in request.headers.get(
        "accept-encoding", ""
    ):
        raise Undecided("an object that is sent decompressed")
    objects.keys.to_read(found)
    part = objects.contents.read(found.stored.key, range_)
    headers = [(header, str(found.said[name])) for name, header in _SENT.items() if found.said.get(name)]
    hashes = [("crc32c", found.stored.crc32c), ("md5", "" if found.components else found.stored.md5)]
    headers += [
        ("ETag", f'"{found.etag}"' if "alt" not in request.query else found.etag),
        ("X-Goog-Generation", str(found.number)),
        ("X-Goog-Metageneration", str(found.metageneration)),
        ("X-Goog-Stored-Content-Length", str(found.stored.size)),
        ("X-Goog-Stored-Content-Encoding", found.said.get("contentEncoding", "identity")),
        ("X-Goog-Hash", ",".join(f"{name}={value}" for name, value in hashes if value)),
        ("Accept-Ranges", "bytes"),
        ("Content-Length", str(len(part.content))),  # of a HEAD's answer too
        *((f"X-Goog-Meta-{name}", str(value)) for name, value in found.said.get("metadata", {}).items()),
    ]
    if part.content_range:
        return Response(206, part.content, [*headers, ("Content-Range", part.content_range)])
    return Response(200, part.content, headers)
