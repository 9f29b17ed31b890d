"""A program in the sandbox that is asked and answers in lines of JSON: the stack's program, the players."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType


class ChildError(Exception):
    """A child ended before it had answered; the message says what it said last."""


class Child:
    """`python -m MODULE` with exactly `environment`; it is ended with the `with` block at the latest."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._module = module
        self._unread = 0
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by __exit__)
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def tell(self, job: Mapping[str, Any]) -> None:
        """Hand over a job; its answers wait."""
        self._unread += 1
        self._write(json.dumps(job))

    def go_on(self) -> None:
        """Let a player go on that waits after a step."""
        self._write("")

    def ask(self, job: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Hand over a job, and give its answers as they come; those to earlier jobs are passed over."""
        while self._unread:
            list(self.answers())
        self.tell(job)
        yield from self.answers()

    def answers(self) -> Iterator[dict[str, Any]]:
        """Give the answers to the oldest job that waits, up to the line that says that they end."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer: dict[str, Any] = json.loads(line)
            if answer.get("done"):
                self._unread -= 1
                return
            yield answer
        raise self._ended()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _ended(self) -> ChildError:
        self._process.wait()
        self._said.seek(0)
        last = self._said.read().strip().splitlines()[-1:]
        return ChildError(f"{self._module} ended early (exit {self._process.returncode}): {''.join(last)}")
