"""An `up` that is interrupted: at which request to a cloud, whether before or after it is carried out, and how.

Left out: what is in flight beside that request, which the engine's own parallelism decides.
"""

from __future__ import annotations

import io
import os
import re
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATIENCE_SECONDS = 120


class Gatekeeper:
    """Stands before a stand-in cloud's gate (`cloud.gate`): sees what is asked, and may hold, refuse or delay it."""

    def __init__(self, cloud: Any) -> None:
        self._cloud, self._gate = cloud, cloud.gate
        self._rule: Callable[[str, Callable[[], list[bytes]], StartResponse], Iterable[bytes]] | None = None
        cloud.gate = self

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        rule = self._rule
        if rule is None:
            return self._gate(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
        url = f"{environ['HTTP_HOST']}{environ['PATH_INFO']}{query}"
        asked = f"{environ['REQUEST_METHOD']} {url} {body.decode('latin-1')}"
        return rule(asked, lambda: list(self._gate(environ, start_response)), start_response)

    @contextmanager
    def holding(self, pattern: str, *, before: bool = False) -> Generator[threading.Event]:
        """Keep the first request that matches, or its answer, until the block ends; the event says that it is there."""
        reached, released = threading.Event(), threading.Event()

        def rule(asked: str, go_on: Callable[[], list[bytes]], start: StartResponse) -> Iterable[bytes]:
            if reached.is_set() or not re.search(pattern, asked):
                return go_on()
            answer = None if before else go_on()
            reached.set()
            released.wait(PATIENCE_SECONDS)
            if answer is None:
                start("503 Service Unavailable", [("Content-Type", "text/plain")])
                return [b"the caller has gone"]
            return answer

        try:
            with self._ruled(rule):
                yield reached
        finally:
            released.set()

    @contextmanager
    def answering(self, pattern: str, *answers: tuple[str, str]) -> Generator[list[str]]:
        """Give these answers (status and JSON) to the first requests that match; what was asked so is listed."""
        left, seen = list(answers), list[str]()

        def rule(asked: str, go_on: Callable[[], list[bytes]], start: StartResponse) -> Iterable[bytes]:
            if not re.search(pattern, asked):
                return go_on()
            seen.append(asked)
            if not left:
                return go_on()
            status, body = left.pop(0)
            start(status, [("Content-Type", "application/json")])
            return [body.encode()]

        with self._ruled(rule):
            yield seen

    @contextmanager
    def _ruled(self, rule: Any) -> Generator[None]:
        self._rule = rule
        try:
            yield
        finally:
            self._rule = None


def wait_for_children(home: Path) -> None:
    """See the children of a CLI that was killed end, whose home this was."""
    for process, command in _at_home(home).items():
        if "pulumi-language" in command:  # looks only every few minutes whether the CLI is there
            os.kill(process, signal.SIGTERM)
    until = time.monotonic() + PATIENCE_SECONDS
    while (left := _at_home(home)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not left, f"processes outlive the CLI: {left}"


def _at_home(home: Path) -> dict[int, str]:
    """The processes whose PULUMI_HOME this is, and what they run."""
    wanted, found = f"PULUMI_HOME={home}".encode(), dict[int, str]()
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                if wanted in (process / "environ").read_bytes().split(b"\0"):
                    found[int(process.name)] = (process / "cmdline").read_bytes().decode()
            except OSError:
                continue
    return found
