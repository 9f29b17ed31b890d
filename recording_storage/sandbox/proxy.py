"""The one way out of the sandbox: an HTTP proxy that knows the stand-ins and no other host.

A client that honours `HTTPS_PROXY` asks it for `CONNECT s3.eu-west-1.amazonaws.com:443`, is given a TLS
connection whose certificate names that host, and never learns that a stand-in answers. Plain `http://` requests
are routed too, marked as insecure, so that a policy can refuse them. A host without a stand-in is refused with
403, and its name is kept in the journal.
"""

from __future__ import annotations

import ssl
import threading
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler

from recording_storage.sandbox.journal import Journal, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from socket import socket
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from recording_storage.sandbox.authority import Authority

    Router = Callable[[str], WSGIApplication | None]

PORTS = {"https": "443", "http": "80"}


class Proxy:
    """Serves until `close`; `route` names the stand-in of a host, or None."""

    def __init__(self, route: Router, authority: Authority, journal: Journal) -> None:
        self._server = _Server(route, authority, journal)
        self._thread = threading.Thread(target=self._server.serve_forever, name="sandbox-proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The value for `HTTPS_PROXY` and `HTTP_PROXY`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening; requests under way are abandoned."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


class _Server(ThreadingMixIn, BaseWSGIServer):
    multithread = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, route: Router, authority: Authority, journal: Journal) -> None:
        super().__init__("127.0.0.1", 0, self.dispatch, _Handler)
        self.route = route
        self.authority = authority
        self.journal = journal

    def dispatch(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname or ""
        app = self.route(host)
        if app is None:
            self.refuse(host)
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [f"{host}: nothing in this sandbox stands in for that host\n".encode()]
        return app(environ, start_response)

    def refuse(self, host: str) -> None:
        self.journal.write(
            Outcome.NO_ROUTE,
            who="a program in the sandbox",
            what="connect",
            resource=host,
            reason="nothing in the sandbox stands in for that host",
        )


class _Handler(WSGIRequestHandler):
    """One connection: plain requests as they come, and what is tunnelled after a `CONNECT`."""

    timeout = 120
    protocol_version = "HTTP/1.1"
    tunnelled = False

    def do_CONNECT(self) -> None:  # noqa: N802 (http.server's naming)
        server = cast("_Server", self.server)
        host, _, port = self.path.rpartition(":")
        if self.tunnelled or port != PORTS["https"] or server.route(host) is None:
            server.refuse(self.path)
            self.send_error(403, "nothing in this sandbox stands in for that host")
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        self.wfile.flush()
        try:
            connection = server.authority.server_context(host).wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError):
            self.close_connection = True  # the client doesn't trust the sandbox, or has gone
            return
        self.tunnelled = True
        self._continue_on(connection)

    def _continue_on(self, connection: socket) -> None:
        self.connection = self.request = connection
        self.rfile = connection.makefile("rb", self.rbufsize)
        self.wfile = connection.makefile("wb", 0)
        self.close_connection = False

    def make_environ(self) -> WSGIEnvironment:
        environ = super().make_environ()
        scheme = "https" if self.tunnelled else "http"
        environ["wsgi.url_scheme"] = scheme
        environ["SERVER_PORT"] = PORTS[scheme]
        return environ

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Say nothing: decisions are in the journal."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's name)
        """Say nothing: a client that goes away early is no event."""
