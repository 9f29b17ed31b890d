"""The real Pulumi engine in the sandbox: a house with stacks in it; whose cloud it is in, its own module says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import pytest

from recording_storage import plugin

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).parents[2]
KEY, RECORDING = "c0ffee/1700000000.mp4", b"a recording"
LIMIT_SECONDS = 180
MARKS = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="pulumi is not on PATH"),
]


class Destination(Protocol):
    """A destination as the stack hands it over, with a recording in it."""

    def assert_storage_kept(self) -> None: ...

    def assert_lives(self) -> None: ...

    def assert_retained(self) -> None: ...

    def assert_gone(self) -> None: ...


D = TypeVar("D", bound=Destination)


@dataclass
class Run:
    """What one command of the CLI did."""

    code: int
    text: str
    changed: dict[str, set[str]]
    """Operation → the types that it was applied to; what stays the same is left out."""


class House(Generic[D]):
    """A copy of the project in one sandbox: its stacks live in a backend of their own."""

    def __init__(
        self, environment: Mapping[str, str], folder: Path, *, defaults: Mapping[str, object]
    ) -> None:
        self.defaults = defaults  # the least that a destination needs
        self.folder = folder / "project"
        self._log = folder / "events.jsonl"
        plugin.install(folder / "plugins")
        (folder / "state").mkdir()
        self._environment = {
            **environment,
            "PATH": os.pathsep.join([str(folder / "plugins"), environment["PATH"]]),
            "PULUMI_HOME": str(folder / "pulumi"),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # brings --event-log, as for the Automation API
        }
        shutil.copytree(PROJECT / "components", self.folder / "components")
        shutil.copy(PROJECT / "__main__.py", self.folder)
        project = (PROJECT / "Pulumi.yaml").read_text()
        assert "virtualenv: .venv\n" in project
        (self.folder / "Pulumi.yaml").write_text(project.replace(".venv\n", f"{sys.prefix}\n"))
        (self.folder / "stacks").mkdir()

    def inhabit(self, outputs: Mapping[str, Any]) -> D:
        """Record to a destination, whose outputs these are."""
        raise NotImplementedError

    def pulumi(self, *arguments: str) -> Run:
        self._log.unlink(missing_ok=True)
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        changed: dict[str, set[str]] = {}
        for line in self._log.read_text().splitlines() if self._log.exists() else []:
            step = json.loads(line).get("resourcePreEvent", {}).get("metadata", {"op": "same"})
            if step["op"] != "same":
                changed.setdefault(step["op"], set()).add(step["type"])
        return Run(done.returncode, done.stdout + done.stderr, changed)

    def deploy(self, command: str, *arguments: str) -> Run:
        return self.pulumi(command, *arguments, "--event-log", str(self._log))


class Stack(Generic[D]):
    """A stack of the project, each with names of its own in the one account."""

    def __init__(self, house: House[D], name: str) -> None:
        self._house, self._name = house, name
        self._file = house.folder / "stacks" / f"Pulumi.{name}.yaml"
        assert house.pulumi("stack", "init", name).code == 0
        self._head = self._file.read_text()  # the salt of its secrets provider

    def configure(self, tags: Mapping[str, str] | None = None, **destinations: Mapping[str, object]) -> None:
        config = {
            "recording-storage:destinations": {
                name: {**self._house.defaults, **settings} for name, settings in destinations.items()
            },
            "recording-storage:tags": dict(tags or {}),
        }
        self._file.write_text(f"{self._head}config: {json.dumps(config)}\n")

    def run(self, command: str, *arguments: str) -> Run:
        return self._house.deploy(command, "--stack", self._name, *arguments)

    def try_up(self) -> Run:
        return self.run("up", "--yes", "--skip-preview")

    def up(self) -> Run:
        done = self.try_up()
        assert done.code == 0, done.text
        return done

    def destination(self, name: str) -> D:
        done = self._house.pulumi("stack", "output", "destinations", "--json", "--stack", self._name)
        assert done.code == 0, done.text
        return self._house.inhabit(json.loads(done.text)[name])


def inhabited(house: House[D], name: str, **settings: object) -> tuple[Stack[D], D]:
    """Bring up a stack with one destination, `calls`, and a recording in it."""
    stack = Stack(house, name)
    stack.configure(calls=settings)
    stack.up()
    return stack, stack.destination("calls")
