"""An HTTP request as the stand-in judges it: read once, names in lower case, nothing decoded twice."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO
    from wsgiref.types import WSGIEnvironment

CHUNK = 1 << 20


@dataclass(frozen=True)
class HttpRequest:
    """One request; `raw_path` and `raw_query` are as they were sent, as a signature covers them."""

    method: str
    scheme: str
    host: str
    raw_path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    remote_address: str

    @classmethod
    def read(cls, environ: WSGIEnvironment) -> HttpRequest:
        """Read the whole request, and leave its body in `environ` to be read again."""
        body = b"".join(_body(environ))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("wsgi.input_terminated", None)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        target = urlsplit(str(environ.get("RAW_URI", environ.get("PATH_INFO", "/"))))
        headers = {
            name[5:].replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.replace("_", "-").lower()] = str(environ[name])
        return cls(
            method=str(environ["REQUEST_METHOD"]),
            scheme=str(environ["wsgi.url_scheme"]),
            host=headers.get("host", ""),
            raw_path=target.path or "/",
            raw_query=target.query,
            headers=headers,
            body=body,
            remote_address=str(environ.get("REMOTE_ADDR", "")),
        )

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters, decoded; the last one of a name counts."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a query service (IAM, STS), wherever they stand."""
        sent = self.body.decode("utf-8", "replace")
        return self.query | dict(parse_qsl(sent, keep_blank_values=True))

    @cached_property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path)


def _body(environ: WSGIEnvironment) -> Iterator[bytes]:
    stream = cast("BinaryIO", environ["wsgi.input"])
    if environ.get("wsgi.input_terminated"):
        while chunk := stream.read(CHUNK):
            yield chunk
        return
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (chunk := stream.read(min(left, CHUNK))):
        left -= len(chunk)
        yield chunk
