"""The one way out of the sandbox: an HTTP proxy that knows the stand-ins and no other host.

A client that honours `HTTPS_PROXY` asks it for `CONNECT s3.eu-west-1.amazonaws.com:443`, is given a TLS
connection whose certificate covers that host, and never learns that a stand-in answers. Plain `http://` requests
are routed too, marked as insecure, so that a policy can refuse them. A host without a stand-in is refused with
403, and its name is kept in the journal.

Requests are read whole before a stand-in sees them, and answers are written whole, so connections can be kept
open. Leaves out HTTP/2, upgrades, pipelining and trailers.
"""

from __future__ import annotations

import io
import socket as socket_module
import ssl
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import IPPROTO_TCP, SHUT_RDWR, socket
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes, urlsplit

from recording_storage.sandbox.journal import Journal, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from recording_storage.sandbox.authority import Authority

    Router = Callable[[str], WSGIApplication | None]

POLL_SECONDS = 0.02
"""How soon the proxy notices that it shall close."""
CLOSING_SECONDS = 5.0
"""How long requests under way may hold up the end of the sandbox."""
IDLE_SECONDS = 120
PORTS = {"https": 443, "http": 80}
TCP_QUICKACK: int | None = getattr(socket_module, "TCP_QUICKACK", None)
"""Linux only: asks for a body at once, which a client that waits for the headers' acknowledgement (Nagle's algorithm,
which urllib3 leaves on behind a proxy) would otherwise send 40 ms later."""
UNDERSCORED = "sandbox.underscored"
"""Headers that WSGI can't tell from those with a dash."""
SOMEBODY = "a program in the sandbox"
NO_STAND_IN = "nothing in the sandbox stands in for that host"


class Proxy:
    """Serves until `close`; `route` names the stand-in of a host, or None."""

    def __init__(self, route: Router, authority: Authority, journal: Journal) -> None:
        self._make = partial(_Server, route, authority, journal)
        self._serving: list[tuple[_Server, threading.Thread]] = []
        self._serve(self._make())

    def _serve(self, server: _Server) -> None:
        thread = threading.Thread(
            target=server.serve_forever, args=(POLL_SECONDS,), name="sandbox-proxy", daemon=True
        )
        self._serving.append((server, thread))
        thread.start()

    @property
    def port(self) -> int:
        """Where the proxy listens on loopback."""
        return int(self._serving[0][0].server_address[1])

    @property
    def url(self) -> str:
        """The value for `HTTPS_PROXY` and `HTTP_PROXY`."""
        return f"http://127.0.0.1:{self.port}"

    def listen_also(self, listener: socket) -> None:
        """Serve another socket that listens already: that of another network namespace."""
        self._serve(self._make(listener))

    def close(self) -> None:
        """Stop listening and hang up on whoever is still connected."""
        for server, thread in self._serving:
            server.shutdown()
            server.server_close()
            server.hang_up()
            thread.join(timeout=CLOSING_SECONDS)


class _Server(ThreadingMixIn, TCPServer):
    request_queue_size = 128

    def __init__(
        self, route: Router, authority: Authority, journal: Journal, listener: socket | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=listener is None)
        if listener is not None:
            self.socket.close()
            self.socket = listener
        self.route = route
        self.authority = authority
        self.journal = journal
        self._lock = threading.Lock()
        self._handlers: set[_Handler] = set()
        self._workers: set[threading.Thread] = set()
        self._closing = False

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that is known until it ends."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        thread.start()
        self._workers = {one for one in self._workers if one.is_alive()} | {thread}

    def opened(self, handler: _Handler) -> None:
        """Remember a connection for as long as it is served; hang up at once where the end has begun."""
        with self._lock:
            self._handlers.add(handler)
            closing = self._closing
        if closing:
            handler.hang_up()

    def closed(self, handler: _Handler) -> None:
        """Forget a connection."""
        with self._lock:
            self._handlers.discard(handler)

    def hang_up(self) -> None:
        """End every connection, and wait for the threads that serve them; nothing new may arrive any more."""
        with self._lock:
            self._closing = True
            serving = list(self._handlers)
        for handler in serving:
            handler.hang_up()
        until = time.monotonic() + CLOSING_SECONDS
        for thread in self._workers:
            thread.join(timeout=max(0.0, until - time.monotonic()))

    def answer(self, environ: WSGIEnvironment) -> _Answer:
        """Have the host's stand-in answer; what it throws is nobody's decision."""
        host, answer = "", _Answer()
        try:
            place = urlsplit(f"//{environ['HTTP_HOST']}")
            host = place.hostname or ""
            app = self.route(host) if place.port in (None, PORTS[environ["wsgi.url_scheme"]]) else None
            if app is None:
                self.refuse(str(environ["HTTP_HOST"]))
                return _Answer.text("403 Forbidden", f"{host}: {NO_STAND_IN}\n")
            if environ[UNDERSCORED]:
                raise NotImplementedError(f"headers whose names have an underscore: {environ[UNDERSCORED]}")
            answer.body = b"".join(app(environ, answer.start))
        except Exception as failure:
            self.give_up(str(environ["REQUEST_METHOD"]), host, failure)
            return _Answer.text("501 Not Implemented", f"recording-storage sandbox: {failure!r}\n")
        return answer

    def refuse(self, place: str) -> None:
        """Keep in the journal where somebody wanted to go."""
        self.journal.write(Outcome.NO_ROUTE, who=SOMEBODY, what="connect", resource=place, reason=NO_STAND_IN)

    def give_up(self, what: str, place: str, failure: BaseException | None) -> None:
        """Keep in the journal that nobody decided."""
        self.journal.write(Outcome.UNDECIDED, who=SOMEBODY, what=what, resource=place, reason=repr(failure))

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 (socketserver's)
        """Keep a failure of the proxy itself in the journal; a connection that breaks is no event."""
        failure = sys.exc_info()[1]
        if not isinstance(failure, OSError):
            self.give_up("connect", str(client_address), failure)


class _Answer:
    """What an application says, kept until it can be written whole."""

    def __init__(self) -> None:
        self.status = "500 Internal Server Error"
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    @classmethod
    def text(cls, status: str, message: str) -> _Answer:
        answer = cls()
        answer.start(status, [("Content-Type", "text/plain; charset=utf-8")])
        answer.body = message.encode()
        return answer

    def start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: OptExcInfo | None = None,
    ) -> Callable[[bytes], object]:
        del exc_info
        self.status, self.headers = status, headers
        return lambda _: None


class _Handler(BaseHTTPRequestHandler):
    """One connection: plain requests as they come, and what is tunnelled after a `CONNECT`."""

    timeout = IDLE_SECONDS
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    tunnelled = False

    def setup(self) -> None:
        super().setup()
        self._proxy = cast("_Server", self.server)
        self._proxy.opened(self)

    def finish(self) -> None:
        try:
            with suppress(OSError):
                super().finish()
            self.connection.close()
        finally:
            self._proxy.closed(self)

    def hang_up(self) -> None:
        """End the connection from another thread: whoever reads from it reads the end."""
        with suppress(OSError):
            # The plain socket's own, which leaves a TLS session's state alone.
            socket.shutdown(self.connection, SHUT_RDWR)

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        if self.tunnelled or port != str(PORTS["https"]) or self._proxy.route(host) is None:
            self._proxy.refuse(self.path)
            self.close_connection = True
            self._write(_Answer.text("403 Forbidden", f"{self.path}: {NO_STAND_IN}\n"))
            return
        context = self._proxy.authority.server_context(host)
        self.send_response_only(200, "Connection established")
        self.end_headers()
        tunnel = context.wrap_socket(self.connection, server_side=True, do_handshake_on_connect=False)
        self.connection = self.request = tunnel
        self._proxy.opened(self)  # again: until now there was no socket to hang up
        try:
            tunnel.do_handshake()
        except (ssl.SSLError, OSError):
            self.close_connection = True  # the client doesn't trust the sandbox, or has gone
            return
        self.tunnelled = True
        self.rfile = tunnel.makefile("rb")
        self.wfile = tunnel.makefile("wb")  # written whole, and flushed
        self.close_connection = False

    def handle_expect_100(self) -> bool:
        """Ask for the body at once."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _serve(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True  # where the next request begins can't be known
            self._write(_Answer.text("400 Bad Request", "the request's body can't be read\n"))
            return
        self._write(self._proxy.answer(self._environ(body)))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = do_PATCH = _serve  # noqa: N815 (as above)

    def _body(self) -> bytes:
        if TCP_QUICKACK is not None:  # once for each body: it doesn't last
            self.connection.setsockopt(IPPROTO_TCP, TCP_QUICKACK, 1)
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._exactly(int(self.headers.get("Content-Length", "0")))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self._exactly(size))
            self._exactly(2)
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _exactly(self, size: int) -> bytes:
        found = self.rfile.read(size)
        if len(found) != size:
            raise ValueError("the connection ended early")
        return found

    def _environ(self, body: bytes) -> WSGIEnvironment:
        scheme = "https" if self.tunnelled else "http"
        target = self.requestline.split()[1]  # http.server takes slashes off its `path`
        host = self.headers.get("Host", "")
        if not target.startswith("/"):  # as a proxy is asked
            absolute = urlsplit(target)
            host, target = absolute.netloc, target[len(f"{absolute.scheme}://{absolute.netloc}") :]
        path, _, query = target.partition("?")
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": target or "/",
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": host.partition(":")[0],
            "SERVER_PORT": str(PORTS[scheme]),
            "SERVER_PROTOCOL": self.request_version,
            UNDERSCORED: ", ".join(name for name in self.headers if "_" in name),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if isinstance(self.connection, ssl.SSLSocket):
            environ["SSL_PROTOCOL"] = self.connection.version()
        for name in {name.lower() for name in self.headers}:
            values = self.headers.get_all(name, [])
            environ["HTTP_" + name.upper().replace("-", "_")] = ",".join(values)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
        environ["CONTENT_LENGTH"] = environ.pop("HTTP_CONTENT_LENGTH", None) or str(len(body))
        environ["HTTP_HOST"] = host
        return environ

    def _write(self, answer: _Answer) -> None:
        code, _, phrase = answer.status.partition(" ")
        self.send_response_only(int(code), phrase)
        for name, value in answer.headers:
            self.send_header(name, value)
        measured = any(name.lower() == "content-length" for name, _ in answer.headers)
        bodiless = self.command == "HEAD" or int(code) in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if not measured and int(code) != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodiless:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's name)
        """Say nothing: decisions are in the journal, and a client that goes away early is no event."""
