"""The documents of `docs/permissions`, as somebody would fill them in, and a stack's life under them without the CLI.

The program is run as a rehearsal runs it. What the CLI does afterwards (refresh, update, destroy) is done in this
process, with the types that the CLI's plugin serves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recording_storage import plan, resources
from recording_storage.rehearsal.child import Child
from tests.support.projects import ROOT, write_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from recording_storage.plan import Plan

    Change = Callable[[dict[str, Any]], dict[str, Any]]

FOLDER = ROOT / "docs/permissions"


def filled(name: str, **words: str) -> str:
    """A document with its placeholders filled in, all of which must be named."""
    text = (FOLDER / name).read_text()
    for placeholder, word in words.items():
        assert placeholder in text, f"{name} has no {placeholder}"
        text = text.replace(placeholder, word)
    return text


@dataclass(frozen=True)
class Made:
    """What a program registered."""

    type: str
    id: str
    inputs: dict[str, Any]


def planned(folder: Path, config: Mapping[str, Any], stack: str = "acme") -> Plan:
    """A stack of this project's own program, judged."""
    return plan.load(write_project(folder, dict(config), stack=stack), stack)


def run(plan: Plan, folder: Path, environment: Mapping[str, str]) -> list[Made]:
    """Run a stack's program; what it made. Raises `RuntimeError` with what it said where it failed."""
    return provisioned(plan, folder, environment)[0]


def provisioned(
    plan: Plan, folder: Path, environment: Mapping[str, str]
) -> tuple[list[Made], dict[str, Any]]:
    """Run a stack's program; what it made, and its outputs. Raises `RuntimeError` likewise."""
    with Child("recording_storage.program", environment) as child:
        events = list(child.ask(plan.job(folder, {})))
    failed = [event["message"] for event in events if event["event"] == "failed"]
    if failed:
        raise RuntimeError(failed[0])
    made = [Made(event["type"], event["id"], event["inputs"]) for event in events if event["event"] == "made"]
    assert made, "nothing was made, so nothing is proven"
    (outputs,) = (event["outputs"] for event in events if event["event"] == "outputs")
    return made, outputs


class Life:
    """What was made, and what the CLI does with it later."""

    def __init__(self, made: Iterable[Made], clients: dict[str, Any] | None = None) -> None:
        self.made = list(made)
        self._clients: dict[str, Any] = {} if clients is None else clients  # by package; to be used again
        self._ids = [one.id for one in self.made]
        self._states = [dict(one.inputs) for one in self.made]

    def create(self) -> None:
        """Make it once more, as it was made."""
        for place, one in enumerate(self.made):
            self._ids[place], self._states[place] = self._type(one).create(self._of(one), dict(one.inputs))

    def refresh(self) -> None:
        """Read all of it; nothing may be gone."""
        for place, one in enumerate(self.made):
            found = self._type(one).read(self._of(one), self._ids[place], dict(self._states[place]))
            assert found is not None, f"{one.type} {one.id} is gone"
            self._states[place] = found

    def update(self, changes: Mapping[str, Change]) -> None:
        """Change what `changes` say of a type; what has none stays as it is."""
        for place, one in enumerate(self.made):
            change = changes.get(one.type)
            if change is None:
                continue
            before = self._states[place]
            inputs = change(dict(one.inputs))
            self._states[place] = self._type(one).update(self._of(one), self._ids[place], before, inputs)

    def destroy(self) -> None:
        """Delete all of it, the last first."""
        for place, one in reversed(list(enumerate(self.made))):
            self._type(one).delete(self._of(one), self._ids[place], self._states[place])

    def _type(self, one: Made) -> resources.ResourceType:
        return resources.check(resources.provider(one.type.partition(":")[0]), one.type, one.inputs)

    def _of(self, one: Made) -> Any:
        package = one.type.partition(":")[0]
        if package not in self._clients:
            self._clients[package] = resources.provider(package).configure({})
        return self._clients[package]


def without(document: str, action: str) -> str:
    """A policy document of AWS's without one action."""
    said = json.loads(document)
    for statement in said["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action]
    said["Statement"] = [statement for statement in said["Statement"] if statement["Action"]]
    return json.dumps(said)
