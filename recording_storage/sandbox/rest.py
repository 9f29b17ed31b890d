"""An HTTP request as a cloud's service reads it, an answer, and the table that finds a request's handler.

Templates are those of `google.api.http` (https://docs.cloud.google.com/endpoints/docs/grpc/transcoding), which other
clouds' paths fit too, as in `/v1/{name=projects/*/serviceAccounts/*}:disable`. Leaves out repeated variables and
several bindings of one method.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from _typeshed.wsgi import WSGIEnvironment

FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"


class Undecided(Exception):  # noqa: N818 (neither a refusal nor a failure)
    """The stand-in can't judge `what`: neither allowed nor refused, and whoever waits for it is told."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class MalformedBody(Exception):  # noqa: N818 (the service says which error it is)
    """The body isn't what it is said to be."""


class NoSuchPath(Exception):  # noqa: N818 (likewise)
    """The service has no such path."""


def headers_of(environ: WSGIEnvironment) -> dict[str, str]:
    """A request's headers, their names in lower case."""
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value)
    }


@dataclass(frozen=True)
class Request:
    """One request; `path` is as it was sent, names of headers are in lower case."""

    method: str
    scheme: str
    host: str
    path: str
    query_all: list[tuple[str, str]]
    """The query's parameters, decoded, in the order in which they were sent."""
    headers: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def read(cls, environ: WSGIEnvironment) -> Request:
        """Read the whole request."""
        path, _, query = str(environ["RAW_URI"]).partition("?")
        headers = headers_of(environ)
        return cls(
            method=str(environ["REQUEST_METHOD"]),
            scheme=str(environ["wsgi.url_scheme"]),
            host=headers.get("host", "").lower().partition(":")[0],
            path=path or "/",
            query_all=parse_qsl(query, keep_blank_values=True),
            headers=headers,
            body=cast("BinaryIO", environ["wsgi.input"]).read(),
        )

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters by name; the last one of a name counts."""
        return dict(self.query_all)

    @property
    def content_type(self) -> str:
        """The body's media type, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty one."""
        if not self.body:
            return {}
        try:
            value: object = json.loads(self.body)
        except ValueError as error:
            raise MalformedBody(str(error)) from None
        if not isinstance(value, dict):
            raise MalformedBody("it is JSON, and no object")
        return cast("dict[str, Any]", value)

    def form(self) -> dict[str, str]:
        """The body's parameters, of a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @classmethod
    def of(cls, value: object, status: int = 200, *headers: tuple[str, str]) -> Response:
        """An answer in JSON."""
        return cls(status, json.dumps(value, indent=2).encode() + b"\n", [("Content-Type", JSON), *headers])


ANY = "*"
"""Every method."""
_VARIABLE = re.compile(r"\{(\w+)(?:=([^}]*))?\}")
_VERB = re.compile(r":[A-Za-z]+$")
_ENCODED = re.compile(r"(?:%(?!2[Ff5]|3[Aa])[0-9A-Fa-f]{2})+")
"""All but a slash, a colon and the percent sign, which mean something else when they aren't encoded."""
_Who = TypeVar("_Who")


class Routes(Generic[_Who]):
    """Of a service: method, template and handler each, the first that fits counts.

    A handler gets the request, who asks and the template's variables; it gives a `Response`, or what is answered in
    JSON. What the service has and the stand-in hasn't is in the table too, with None for its handler.
    """

    def __init__(
        self,
        *table: tuple[str, str, Callable[[Request, _Who, Mapping[str, str]], object] | None],
        ignore_case: bool = False,
    ) -> None:
        self._table = [
            (method, _pattern(template, ignore_case), handler) for method, template, handler in table
        ]

    def knows(self, request: Request) -> bool:
        """Whether a line of the table fits."""
        path = _readable(request.path)
        return any(
            pattern.fullmatch(path) and method in (ANY, request.method) for method, pattern, _ in self._table
        )

    def answer(self, request: Request, who: _Who) -> Response:
        """Have the handler answer; raises `NoSuchPath` where no line fits."""
        path = _readable(request.path)
        for method, pattern, handler in self._table:
            found = pattern.fullmatch(path)
            if found is None or method not in (ANY, request.method):
                continue
            if handler is None:
                raise Undecided(f"{request.method} {request.host}{request.path}")
            names = {name: unquote(value) for name, value in found.groupdict().items()}
            answer = handler(request, who, names)
            return answer if isinstance(answer, Response) else Response.of(answer)
        raise NoSuchPath(f"{request.method} {request.host}{request.path}")


def _readable(path: str) -> str:
    return _ENCODED.sub(lambda found: unquote(found[0]), path)


def _pattern(template: str, ignore_case: bool) -> re.Pattern[str]:
    verb = _VERB.search(template)
    path, end = (template[: verb.start()], verb.group()) if verb else (template, "")
    parts: list[str] = []
    at = 0
    for variable in _VARIABLE.finditer(path):
        parts.append(_segments(path[at : variable.start()]))
        parts.append(f"(?P<{variable[1]}>{_segments(variable[2] or '*')})")
        at = variable.end()
    parts.append(_segments(path[at:]))
    return re.compile("".join(parts) + re.escape(end), re.IGNORECASE if ignore_case else 0)


def _segments(text: str) -> str:
    """`*` is one segment, `**` what is left; a colon begins a verb, unless it is in an encoded form."""
    return re.escape(text).replace(r"\*\*", ".+").replace(r"\*", "[^/:]+")
