"""An HTTP request as the stand-in judges it: read once, names in lower case, nothing decoded twice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from recording_storage.sandbox.rest import headers_of

if TYPE_CHECKING:
    from typing import BinaryIO

    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True)
class HttpRequest:
    """One request; `raw_path` and `raw_query` are as they were sent."""

    method: str
    scheme: str
    host: str
    raw_path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    tls: str | None
    """The version of TLS, as `1.3`, or None without TLS."""

    @classmethod
    def read(cls, environ: WSGIEnvironment) -> HttpRequest:
        """Read the whole request."""
        raw_path, _, raw_query = str(environ["RAW_URI"]).partition("?")
        headers = headers_of(environ)
        return cls(
            method=str(environ["REQUEST_METHOD"]),
            scheme=str(environ["wsgi.url_scheme"]),
            host=headers.get("host", "").lower(),
            raw_path=raw_path or "/",
            raw_query=raw_query,
            headers=headers,
            body=cast("BinaryIO", environ["wsgi.input"]).read(),
            tls=str(environ["SSL_PROTOCOL"]).removeprefix("TLSv") if "SSL_PROTOCOL" in environ else None,
        )

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's parameters, decoded, in the order in which they were sent."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters by name; the last one of a name counts."""
        return dict(self.parameters)

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a query service (IAM, STS), wherever they stand."""
        sent = self.body.decode("utf-8", "replace")
        return self.query | dict(parse_qsl(sent, keep_blank_values=True))
