"""The sandbox's only way out: which hosts it knows, how it proves to be them, and what it leaves behind."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import urllib3

from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.authority import Authority
from recording_storage.sandbox.aws import gate
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "sts.eu-west-1.amazonaws.com"


class Way:
    """A sandbox, and the way through its proxy."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.journal = sandbox.journal
        environment = sandbox.environment("test", {})
        self.proxy = environment["HTTPS_PROXY"]
        self.certificate = environment["AWS_CA_BUNDLE"]
        self.pool = urllib3.ProxyManager(self.proxy, ca_certs=self.certificate, retries=False)

    def connect(self, place: str) -> tuple[int, socket.socket]:
        """Ask for a tunnel: the status, and the connection."""
        address = urlsplit(self.proxy)
        connection = socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10)
        connection.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(1)
        return int(answer.split()[1]), connection

    def plain(self) -> HTTPConnection:
        address = urlsplit(self.proxy)
        return HTTPConnection(str(address.hostname), address.port, timeout=10)


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    with Sandbox() as sandbox:
        yield Way(sandbox)


@pytest.mark.parametrize(
    "place",
    [
        "example.com:443",
        "ec2.eu-west-1.amazonaws.com:443",
        "s3.cn-north-1.amazonaws.com.cn:443",
        "s3.amazonaws.com.example.com:443",
        f"{HOST}:80",
        f"{HOST}:8443",
        "169.254.169.254:443",
    ],
)
def test_other_places_are_refused(way: Way, place: str) -> None:
    mark = way.journal.mark()
    status, connection = way.connect(place)
    connection.close()
    assert status == 403
    assert [(one.outcome, one.resource) for one in way.journal.since(mark)] == [(Outcome.NO_ROUTE, place)]


@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://169.254.169.254/latest/meta-data/", f"http://{HOST}:8080/"]
)
def test_other_places_are_refused_without_tls_too(way: Way, url: str) -> None:
    mark = way.journal.mark()
    assert way.pool.request("GET", url).status == 403
    entries = way.journal.since(mark)
    assert [(one.outcome, one.resource) for one in entries] == [(Outcome.NO_ROUTE, urlsplit(url).netloc)]


def test_a_tunnel_leads_to_one_place(way: Way) -> None:
    reply = way.pool.request("GET", f"https://{HOST}/", headers={"Host": "example.com"})
    assert reply.status == 403


def test_known_hosts_are_answered_with_and_without_tls(way: Way) -> None:
    for scheme in ("https", "http"):
        mark = way.journal.mark()
        reply = way.pool.request("GET", f"{scheme}://{HOST}/?Action=GetCallerIdentity")
        assert (reply.status, b"MissingAuthenticationToken" in reply.data) == (403, True)
        assert [one.outcome for one in way.journal.since(mark)] == [Outcome.REFUSED]


def shaken(way: Way, name: str, trusted: str | None) -> dict[str, Any]:
    """What the certificate says, to a client that wants `name` and trusts these authorities."""
    status, connection = way.connect(f"{HOST}:443")
    assert status == 200
    context = ssl.create_default_context(cafile=trusted)
    with connection, context.wrap_socket(connection, server_hostname=name) as tunnel:
        return dict(tunnel.getpeercert() or {})


def test_the_certificate_is_the_hosts_and_the_sandboxs(way: Way, tmp_path: Path) -> None:
    assert ("DNS", "*.eu-west-1.amazonaws.com") in shaken(way, HOST, way.certificate)["subjectAltName"]
    other = tmp_path / "other.pem"
    Authority().write_certificate(other)
    for name, trusted in (("example.com", way.certificate), (HOST, str(other)), (HOST, None)):
        with pytest.raises(ssl.SSLCertVerificationError):
            shaken(way, name, trusted)


def test_connections_are_kept_open(way: Way) -> None:
    connection = way.plain()
    sockets: set[int] = set()
    for body in (b"Action=One", b"Action=Two", b"x" * 3_000_000):
        connection.request("POST", f"http://{HOST}/", body=body)
        reply = connection.getresponse()
        assert (reply.status, reply.will_close) == (403, False)
        reply.read()
        sockets.add(connection.sock.fileno())
    connection.request("POST", f"http://{HOST}/", body=iter([b"Action=", b"Three"]), encode_chunked=True)
    assert connection.getresponse().status == 403
    assert len(sockets) == 1
    connection.close()


@pytest.mark.parametrize("header", ["Content-Length: x", "Content-Length: 9", "Transfer-Encoding: chunked"])
def test_a_body_that_cannot_be_read_ends_the_connection(way: Way, header: str) -> None:
    address = urlsplit(way.proxy)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
        connection.sendall(f"POST http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n{header}\r\n\r\nshort".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_what_a_stand_in_throws_is_undecided(
    way: Way, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(gate, "claim_of", fail)
    mark = way.journal.mark()
    reply = way.pool.request("GET", f"https://{HOST}/")
    assert (reply.status, b"ZeroDivisionError" in reply.data) == (501, True)
    monkeypatch.setattr(gate.HttpRequest, "read", fail)
    assert way.pool.request("GET", f"https://{HOST}/").status == 501
    assert [one.outcome for one in way.journal.since(mark)] == [Outcome.UNDECIDED] * 2
    assert capfd.readouterr() == ("", "")


def test_nothing_is_left() -> None:
    before = set(threading.enumerate())
    with Sandbox() as sandbox:
        way = Way(sandbox)
        folder = sandbox.folder
        sandbox.environment("child", {})
        way.pool.request("GET", f"https://{HOST}/")  # stays connected
        status, idle = way.connect(f"{HOST}:443")
        assert status == 200
        half = way.plain()
        half.putrequest("POST", f"http://{HOST}/")
        half.putheader("Content-Length", "10")
        half.endheaders(b"half")
        assert folder.is_dir()
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert not folder.exists()
    assert set(threading.enumerate()) <= before
    assert idle.recv(1) == b""
    address = urlsplit(way.proxy)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=1)
    idle.close()
    half.close()


def test_a_stand_in_that_hangs_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("recording_storage.sandbox.proxy.CLOSING_SECONDS", 0.2)
    arrived, release = threading.Event(), threading.Event()

    def hang(*_: object) -> Any:
        arrived.set()
        release.wait(10)
        return []

    with Sandbox() as sandbox:
        proxy = Proxy(lambda _: hang, Authority(), sandbox.journal)
        address = urlsplit(proxy.url)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=10)
        connection.request("GET", "http://anything/")
        assert arrived.wait(10)
        began = time.monotonic()
        proxy.close()
        assert time.monotonic() - began < 2
        release.set()
        connection.close()
