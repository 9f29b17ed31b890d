"""Stand-in clouds on loopback, at the clouds' real host names.

A `Sandbox` is a context manager: a proxy with a certificate authority of its own in front, the stand-ins behind,
and environments for programs that then need no endpoint override at all. It speaks the clouds' own APIs and knows
nothing of this project's components.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from recording_storage.sandbox import environment
from recording_storage.sandbox.authority import Authority
from recording_storage.sandbox.issuer import Issuers
from recording_storage.sandbox.journal import Journal
from recording_storage.sandbox.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from socket import socket
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from recording_storage.sandbox.aws.credentials import Credentials
    from recording_storage.sandbox.aws.stand_in import Aws
    from recording_storage.sandbox.azure.owner import Owner as AzureOwner
    from recording_storage.sandbox.azure.stand_in import Azure
    from recording_storage.sandbox.google.owner import Owner
    from recording_storage.sandbox.google.stand_in import Google

AWS_HOSTS = re.compile(r"((.+\.)?s3|iam|sts|kms)([.-][a-z0-9-]+)*\.amazonaws\.com")
GOOGLE_HOSTS = re.compile(
    r"((.+\.)?storage|www|iam|sts|iamcredentials|cloudbilling|cloudresourcemanager|serviceusage|cloudkms|policytroubleshooter|oauth2"
    r"|openidconnect)\.googleapis\.com|accounts\.google\.com"
)
AZURE_HOSTS = re.compile(
    r"login\.(microsoftonline|microsoft)\.com|(login|sts)\.windows\.net|graph\.microsoft\.com|management\.azure\.com"
    r"|[a-z0-9-]+\.(blob\.core\.windows|vault\.azure)\.net"
)
BLOBS = ".blob.core.windows.net"

PREFIX = "recording-storage-"
"""How a sandbox's folder begins; the process that made it follows."""


class Sandbox:
    """The stand-ins, from `with` to the end of its block; then nothing of them is left, in memory or on disk."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.latency_seconds = 0.0
        """How long a request waits before a stand-in sees it, as on its way to a cloud that is far away."""
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self._undertaker = _undertaker(self.folder)
        self._authority = Authority()
        self._certificate = self.folder / "ca.pem"
        self._authority.write_certificate(self._certificate)
        self.issuers = Issuers()
        self._aws: Aws | None = None
        self._google: Google | None = None
        self._azure: Azure | None = None
        self._guests: list[Credentials] = []
        self._owners: list[Owner] = []
        self._azure_owners: list[AzureOwner] = []
        self._stand_ins: tuple[tuple[re.Pattern[str], Callable[[], WSGIApplication]], ...] = (
            (AWS_HOSTS, lambda: self.aws.gate),
            (GOOGLE_HOSTS, lambda: self.google.gate),
            (AZURE_HOSTS, lambda: self.azure.gate),
        )
        self._loading = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._proxy = Proxy(self._route, self._authority, self.journal)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.set()
        self._proxy.close()
        if self._aws is not None:
            self._aws.close()
        if self._azure is not None:
            self._azure.close()
        _remove(self.folder)
        self._undertaker.communicate()

    def hold(self) -> None:
        """Let requests wait until `open`: a program may be started while its stand-in is still being prepared."""
        self._open.clear()

    def open(self) -> None:
        """Let those in who wait."""
        self._open.set()

    def environment(self, name: str, credentials: Mapping[str, str]) -> dict[str, str]:
        """The built environment of a child that is called `name` and holds `credentials`."""
        return environment.build(
            self.folder / name,
            proxy=self._proxy.url,
            ca_certificate=self._certificate,
            credentials=credentials,
        )

    @property
    def port(self) -> int:
        """Where the sandbox's proxy listens on loopback."""
        return self._proxy.port

    def listen_also(self, listener: socket) -> None:
        """Serve a socket that a program in another network namespace has made there."""
        self._proxy.listen_also(listener)

    def expect(self, *guests: Credentials) -> None:
        """Admit these to the AWS stand-in when it is loaded, for who may never need it."""
        self._guests += guests

    def expect_owner(self, *owners: Owner) -> None:
        """Admit these to the Google stand-in when it is loaded, likewise."""
        self._owners += owners

    def expect_azure_owner(self, *owners: AzureOwner) -> None:
        """Admit these to the Azure stand-in when it is loaded, likewise."""
        self._azure_owners += owners

    @property
    def aws(self) -> Aws:
        """The AWS stand-in; it is loaded when it is first needed."""
        with self._loading:
            if self._aws is None:
                from recording_storage.sandbox.aws.stand_in import Aws

                self._aws = Aws(self.journal, self.issuers)
                for guest in self._guests:
                    self._aws.admit(guest)
            return self._aws

    @property
    def google(self) -> Google:
        """The Google stand-in; it is loaded when it is first needed."""
        with self._loading:
            if self._google is None:
                from recording_storage.sandbox.google.stand_in import Google

                self._google = Google(self.journal, self.issuers)
                for owner in self._owners:
                    self._google.admit(owner)
            return self._google

    @property
    def azure(self) -> Azure:
        """The Azure stand-in; it is loaded when it is first needed."""
        with self._loading:
            if self._azure is None:
                from recording_storage.sandbox.azure.stand_in import Azure

                self._azure = Azure(self.journal, self.issuers)
                for owner in self._azure_owners:
                    self._azure.admit(owner)
            return self._azure

    def _route(self, host: str) -> WSGIApplication | None:
        if host.endswith(BLOBS) and not self.azure.blob.knows(host):
            return None  # as a name that doesn't resolve
        if self.issuers.has_host(host):
            return self._held(lambda: self.issuers)
        return next((self._held(load) for hosts, load in self._stand_ins if hosts.fullmatch(host)), None)

    def _held(self, load: Callable[[], WSGIApplication]) -> WSGIApplication:
        """A stand-in that is loaded, and answers, once those who wait are let in."""

        def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self._open.wait()
            if self.latency_seconds:
                time.sleep(self.latency_seconds)
            return load()(environ, start_response)

        return app


def _undertaker(folder: Path) -> subprocess.Popen[bytes]:
    """A shell that waits for this process to end, however it does, and removes the folder."""
    script = 'cat > /dev/null; rm -rf -- "$0"'
    return subprocess.Popen(["sh", "-c", script, str(folder)], stdin=subprocess.PIPE, start_new_session=True)


def _sweep() -> None:
    """Remove the folders of sandboxes that were killed together with all that might have removed them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        maker = folder.name.removeprefix(PREFIX).partition("-")[0]
        if maker.isdigit() and not _is_alive(int(maker)):
            _remove(folder)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's, so none of ours to judge
        return True
    return True


def _remove(folder: Path) -> None:
    """Remove a folder, those in it that a program has made read-only included."""
    for path, folders, _ in os.walk(folder):
        for one in (Path(path) / name for name in folders):
            if not one.is_symlink():
                one.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
