"""moto as the gate uses it: it carries out what was allowed, and decides nothing.

moto would take a request's account from its access key, which a presigned or anonymous request doesn't show it,
and its service from the path, where a key may look like anything: both are told to it instead.
"""

from __future__ import annotations

import io
import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote_to_bytes

from moto.moto_server.werkzeug_app import create_backend_app

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.payload import TRANSPORT_HEADERS
from recording_storage.sandbox.aws.signature import ALGORITHM, QUERY_PARAMETERS, Claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from recording_storage.sandbox.aws.http import HttpRequest

    Headers = list[tuple[str, str]]

KEPT_BACK = frozenset(
    {*TRANSPORT_HEADERS, "authorization", "expect", "content-length", "x-amz-security-token"}
)


@dataclass
class Answer:
    """What moto says to a request that was allowed."""

    status: int
    headers: Headers = field(default_factory=list[tuple[str, str]])
    body: bytes = b""


class Backend:
    """moto's applications, each made when it is first needed."""

    def __init__(self) -> None:
        cloud.trust_the_gate()
        cloud.let_delete_markers_go()
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        self._apps: dict[str, WSGIApplication] = {}
        self._making = threading.Lock()

    def carry_out(self, service: str, request: HttpRequest, account: str, claim: Claim | None) -> Answer:
        """Have moto carry the request out in `account`. What moto can't do is undecided."""
        asked = f"{request.method} {request.raw_path}?{request.raw_query} at {request.host}"
        try:
            answer = _call(self._app(service), _environ(request, account, claim))
        except Exception as failure:
            raise AwsError.undecided(f"{asked}: {failure!r}") from failure
        if answer.status >= 500:
            raise AwsError.undecided(f"{asked}: {answer.body[:200]!r}")
        return answer

    def _app(self, service: str) -> WSGIApplication:
        with self._making:
            if service not in self._apps:
                self._apps[service] = create_backend_app(cast("Any", service))
            return self._apps[service]


def _environ(request: HttpRequest, account: str, claim: Claim | None) -> WSGIEnvironment:
    headers = {
        name: value
        for name, value in request.headers.items()
        if name not in KEPT_BACK and not name.startswith("x-moto-")
    }
    headers["x-moto-account-id"] = account
    if claim is not None:
        credential = f"Credential={claim.access_key_id}/{claim.scope}"
        headers["authorization"] = f"{ALGORITHM} {credential}, SignedHeaders=host, Signature=verified"
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in request.parameters
        if name not in QUERY_PARAMETERS
    )
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.raw_path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.raw_path + (f"?{query}" if query else ""),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": request.host.partition(":")[0],
        "SERVER_PORT": "443" if request.scheme == "https" else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    return environ


def _call(app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    answer = Answer(500)

    def start(
        status: str,
        headers: Headers,
        exc_info: OptExcInfo | None = None,
    ) -> Callable[[bytes], object]:
        del exc_info
        answer.status = int(status.split()[0])
        answer.headers = headers
        return lambda _: None

    answer.body = b"".join(app(environ, start))
    return answer
