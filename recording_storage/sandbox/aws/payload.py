"""What a request carries, against what it says of it: body hash, checksums, `aws-chunked` encoding with a trailer.

Leaves out CRC32C and CRC64NVME, whose values are taken as they come (Python has neither, and a wrong one means a
broken client, not a refused one); a body whose chunks are signed one by one is undecided.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.sandbox.aws.http import HttpRequest

UNSIGNED = "UNSIGNED-PAYLOAD"
TRAILED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
HASH = "x-amz-content-sha256"
CHUNKED = "aws-chunked"
TRANSPORT_HEADERS = (HASH, "x-amz-trailer", "x-amz-decoded-content-length")
"""They are about the transport; what is stored has nothing of them."""
DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "content-md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
}


def check_hash(request: HttpRequest) -> None:
    """Raise `AwsError` where the hash that was signed isn't the body's."""
    stated = request.headers.get(HASH, UNSIGNED)
    if re.fullmatch(r"[0-9a-f]{64}", stated):
        if stated != hashlib.sha256(request.body).hexdigest():
            raise AwsError(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
    elif stated.startswith("STREAMING-AWS4-"):
        raise AwsError.undecided("a body whose chunks are signed one by one")
    elif stated not in (UNSIGNED, TRAILED):
        raise AwsError(
            400, "InvalidArgument", f"{HASH} must be {UNSIGNED}, {TRAILED}, or a valid sha256 value."
        )


def unpacked(request: HttpRequest) -> HttpRequest:
    """The request with the body that is meant, and the trailer's checksums as headers; all of them checked."""
    if request.headers.get(HASH) == TRAILED:
        request = _unchunked(request)
    whole_object = request.method == "POST" and "uploadId" in request.query
    for name, digest in DIGESTS.items():
        stated = request.headers.get(name)
        if stated is None or (whole_object and name != "content-md5"):
            continue
        try:
            expected = base64.b64decode(stated, validate=True)
        except binascii.Error:
            raise AwsError(400, "InvalidDigest", f"The {name} you specified is not valid.") from None
        if expected != digest(request.body):
            raise AwsError(
                400, "BadDigest", f"The {name} you specified did not match the calculated checksum."
            )
    return request


def _unchunked(request: HttpRequest) -> HttpRequest:
    body, rest = b"", request.body
    try:
        while True:
            head, _, rest = rest.partition(b"\r\n")
            size = int(head.partition(b";")[0], 16)
            if size == 0:
                break
            if rest[size : size + 2] != b"\r\n":
                raise ValueError("a chunk is cut short")
            body, rest = body + rest[:size], rest[size + 2 :]
        if int(request.headers.get("x-amz-decoded-content-length", "-1")) != len(body):
            raise ValueError("the length isn't the one that was stated")
    except ValueError as fault:
        raise AwsError(
            400, "IncompleteBody", "The request body terminated unexpectedly", reason=str(fault)
        ) from None
    lines = (line.decode("latin-1").partition(":") for line in rest.split(b"\r\n") if line.strip())
    trailer = {name: value for name, _, value in lines}
    announced = {name.strip() for name in request.headers.get("x-amz-trailer", "").split(",") if name.strip()}
    if announced != set(trailer):
        raise AwsError(
            400, "MalformedTrailerError", "The request contained trailing data that was not well-formed."
        )
    headers = request.headers | trailer
    encodings = [e.strip() for e in headers.pop("content-encoding", "").split(",")]
    kept = ",".join(e for e in encodings if e not in ("", CHUNKED))
    return replace(request, body=body, headers=headers | ({"content-encoding": kept} if kept else {}))
