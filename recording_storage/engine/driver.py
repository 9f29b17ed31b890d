"""The CLI driven by a program: commands run on a copy of a project, and what they changed and said.

Left out: a user's own calls (`shim`).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from recording_storage.engine.equipment import COPIES, equip, find
from recording_storage.engine.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Tell = Callable[[str], None]

POLL_SECONDS: Final = 0.1
QUIET: Final = ("--non-interactive", "--color", "never")
UNASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "preview": (),
    "up": ("--yes", "--skip-preview"),
    "refresh": ("--yes", "--skip-preview"),
    "destroy": ("--yes", "--skip-preview"),
}
"""The commands that deploy, and how each is told not to ask back."""
UNCHANGING: Final = frozenset({"same", "read", "refresh"})
"""The engine's operations that leave a resource as it is."""


class EngineError(Exception):
    """The CLI isn't there, or could not do what it was needed for; the message says what and why."""


class Step(NamedTuple):
    """One thing that the engine does."""

    operation: str
    type: str
    name: str


@dataclass
class Run:
    """What one command of the CLI did."""

    code: int
    out: str
    err: str
    steps: set[Step] = field(default_factory=set[Step])
    """What was done, or would be; what stays as it is is left out."""
    errors: list[str] = field(default_factory=list[str])
    """What the engine says went wrong, each with the name of the resource that it is about."""

    @property
    def text(self) -> str:
        """All that was printed."""
        return self.out + self.err

    @property
    def changed(self) -> dict[str, set[str]]:
        """Operation → the types that it was applied to."""
        changed: dict[str, set[str]] = {}
        for step in self.steps:
            changed.setdefault(step.operation, set()).add(step.type)
        return changed


class Engine:
    """The CLI on a copy of `project`, both in `folder`, with the variables of `environment`: a sandbox's."""

    def __init__(self, project: Path, folder: Path, environment: Mapping[str, str]) -> None:
        cli = find(environment)
        if cli is None:
            raise EngineError(
                "the Pulumi CLI isn't on PATH: install it (https://www.pulumi.com/docs/install), or leave --engine out"
            )
        self._cli = cli
        self._environment = equip(folder, environment)
        # The log of events is for who drives the CLI: the Automation API turns it on in the same way.
        self._environment["PULUMI_DEBUG_COMMANDS"] = "true"
        self._logs = folder / "logs"
        self._logs.mkdir()
        self.workspace = Workspace(project, folder / COPIES)
        self.workspace.refresh()

    @property
    def folder(self) -> Path:
        """The copy of the project."""
        return self.workspace.folder

    def run(self, *arguments: str) -> Run:
        """Run any of the CLI's commands."""
        return self._start(*arguments).wait()

    def start(self, command: str, *arguments: str) -> Running:
        """Start a command that deploys, without being asked back."""
        return self._start(command, *arguments, *UNASKED[command], logged=True)

    def deploy(self, command: str, *arguments: str, tell: Tell | None = None) -> Run:
        """Run a command that deploys; `tell` hears of each resource that changes."""
        return self.start(command, *arguments).wait(tell)

    def exported(self, *arguments: str) -> Any:
        """What a command that prints JSON prints; raises `EngineError`."""
        done = self.run(*arguments)
        if done.code:
            raise EngineError(f"pulumi {' '.join(arguments)}: {done.text.strip()}")
        return json.loads(done.out)

    def _start(self, *arguments: str, logged: bool = False) -> Running:
        log = Path(tempfile.mkdtemp(dir=self._logs))
        return Running([self._cli, *arguments, *QUIET], self.folder, self._environment, log, logged=logged)


class Running:
    """A command of the CLI that was started; what it says and does is logged in the folder `log`."""

    def __init__(
        self, command: list[str], folder: Path, environment: Mapping[str, str], log: Path, *, logged: bool
    ) -> None:
        self._events, self._heard = log / "events.jsonl", 0
        self._out, self._err = log / "out", log / "err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [*command, *(("--event-log", str(self._events)) if logged else ())],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def wait(self, tell: Tell | None = None) -> Run:
        """Wait until it has ended; `tell` hears of each resource that changes."""
        run = Run(0, "", "")
        try:
            while True:
                ended = self.process.poll() is not None
                for line in self._unheard():
                    _hear(json.loads(line), run, tell)
                if ended:
                    break
                time.sleep(POLL_SECONDS)
        except BaseException:
            self.process.terminate()  # the engine finishes the call that it is in
            self.process.wait()
            raise
        run.code = self.process.returncode
        run.out, run.err = self._out.read_text(), self._err.read_text()
        return run

    def _unheard(self) -> list[bytes]:
        """The events since the last time, as far as they are written whole."""
        if not self._events.exists():
            return []
        with self._events.open("rb") as events:
            events.seek(self._heard)
            whole = events.read().rpartition(b"\n")[0]
        self._heard += len(whole) + 1 if whole else 0
        return whole.splitlines()


def _hear(event: dict[str, Any], run: Run, tell: Tell | None) -> None:
    """Take note of one of the engine's events."""
    step = event.get("resourcePreEvent", {}).get("metadata", {"op": "same"})
    if step["op"] not in UNCHANGING:
        run.steps.add(Step(step["op"], step["type"], _name(step["urn"])))
        if tell is not None:
            tell(f"{step['op']} {_name(step['urn'])}")
    said = event.get("diagnosticEvent", {})
    if said.get("severity") == "error":
        name = _name(said.get("urn", ""))
        message = " ".join(said["message"].split())
        run.errors.append(f"{name}: {message}" if name else message)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
