"""The real Pulumi engine in the sandbox: a house with stacks in it; whose cloud it is in, its own module says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import pytest

from recording_storage.engine import equipment
from recording_storage.engine.driver import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.engine.driver import Run, Running

PROJECT = Path(__file__).parents[2]
KEY, RECORDING = "c0ffee/1700000000.mp4", b"a recording"
UNCHANGED = ("--expect-no-changes",)
MARKS = [
    pytest.mark.engine,
    pytest.mark.skipif(equipment.find() is None, reason="pulumi is not on PATH"),
]


class Destination(Protocol):
    """A destination as the stack hands it over, with a recording in it."""

    def assert_storage_kept(self) -> None: ...

    def assert_recordings_kept(self) -> None: ...

    def assert_lives(self) -> None: ...

    def assert_retained(self) -> None: ...

    def assert_gone(self) -> None: ...


D = TypeVar("D", bound=Destination)


class House(Generic[D]):
    """A copy of the project in one sandbox: its stacks live in a backend of their own."""

    def __init__(
        self, environment: Mapping[str, str], folder: Path, *, defaults: Mapping[str, object]
    ) -> None:
        self.defaults = defaults  # the least that a destination needs
        self.engine = Engine(PROJECT, folder, environment)
        self.home = folder / "home"  # the CLI's

    def inhabit(self, outputs: Mapping[str, Any]) -> D:
        """Record to a destination, whose outputs these are."""
        raise NotImplementedError

    def present(self, **constants: Any) -> None:
        """Have the recording service present these from now on, and what is usual otherwise."""
        raise NotImplementedError

    def given(self) -> dict[str, str]:
        """Make what settings can name, and say what it is called."""
        raise NotImplementedError


class Stack(Generic[D]):
    """A stack of the project, each with names of its own in the one account."""

    def __init__(self, house: House[D], name: str) -> None:
        self._house, self.name = house, name
        self._file = house.engine.folder / "stacks" / f"Pulumi.{name}.yaml"
        assert house.engine.run("stack", "init", name).code == 0
        self._head = self._file.read_text()  # the salt of its secrets provider

    def configure(
        self,
        tags: Mapping[str, str] | None = None,
        trust_profile: Mapping[str, object] | None = None,
        **destinations: Mapping[str, object],
    ) -> None:
        config = {
            "recording-storage:destinations": {
                name: {**self._house.defaults, **settings} for name, settings in destinations.items()
            },
            "recording-storage:tags": dict(tags or {}),
            "recording-storage:trust_profile": dict(trust_profile or {}),
        }
        self._file.write_text(f"{self._head}config: {json.dumps(config)}\n")

    def run(self, command: str, *arguments: str) -> Run:
        return self._house.engine.deploy(command, "--stack", self.name, *arguments)

    def start(self, command: str, *arguments: str) -> Running:
        return self._house.engine.start(command, "--stack", self.name, *arguments)

    def steps(self, command: str) -> set[tuple[str, str]]:
        """What a command that must succeed does: the engine's operations, each with the name of a resource."""
        done = self.run(command)
        assert done.code == 0, done.text
        return {(step.operation, step.name) for step in done.steps}

    def try_up(self) -> Run:
        return self.run("up")

    def up(self) -> Run:
        done = self.try_up()
        assert done.code == 0, done.text
        return done

    def outputs(self) -> dict[str, Any]:
        """What it hands over, by the names of its destinations."""
        return self._house.engine.exported("stack", "output", "destinations", "--json", "--stack", self.name)

    def resources(self) -> list[dict[str, Any]]:
        """What its state has."""
        return self._house.engine.exported("stack", "export", "--stack", self.name)["deployment"].get(
            "resources", []
        )

    def destination(self, name: str) -> D:
        return self._house.inhabit(self.outputs()[name])


def inhabited(house: House[D], name: str, **settings: object) -> tuple[Stack[D], D]:
    """Bring up a stack with one destination, `calls`, and a recording in it."""
    stack = Stack(house, name)
    stack.configure(calls=settings)
    stack.up()
    return stack, stack.destination("calls")
