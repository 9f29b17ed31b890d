"""Changes of settings under the real engine: many at once, each of a destination of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tests.support.changes import GOES_BY_ON_DESTROY, REFUSED, Change, Effect
from tests.support.engine import Destination, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.engine import House

D = TypeVar("D", bound=Destination)
IGNORED = {"create-replacement", "delete-replaced"}
"""The engine's operations that are parts of `replace`."""


@dataclass(frozen=True)
class Outcome(Generic[D]):
    """What became of one change: the destination as it was, what was `changed`, and what it hands over since."""

    change: Change
    before: D
    changed: Mapping[str, frozenset[str]]
    outputs: Mapping[str, Any]


def of_destinations(changes: Sequence[Change]) -> list[Change]:
    """Those that one destination can make by itself."""
    return [one for one in changes if one.is_tried and not _is_the_stacks(one)]


def of_the_stack(changes: Sequence[Change]) -> list[Change]:
    """Those that concern every destination."""
    return [one for one in changes if _is_the_stacks(one)]


def refused(changes: Sequence[Change]) -> list[Change]:
    """Those that `protect` refuses."""
    return [one for one in changes if one.effect in REFUSED and not one.untried]


def make(house: House[D], changes: Sequence[Change]) -> list[Outcome[D]]:
    """Bring up a destination for each change, record to it, change it, and bring it up again."""
    stack, known = Stack(house, "changed"), house.given()
    names = [f"d{number}" for number in range(len(changes))]

    def configured(*, is_after: bool) -> dict[str, dict[str, object]]:
        return {
            name: _resolved(one.settings(one.after if is_after else one.before, _on_destroy(one)), known)
            for name, one in zip(names, changes, strict=True)
        }

    stack.configure(None, None, **configured(is_after=False))
    stack.up()
    outputs = stack.outputs()
    before = [house.inhabit(outputs[name]) for name in names]
    stack.configure(None, None, **configured(is_after=True))
    steps = stack.steps("up")
    for command in dict.fromkeys(command for one in changes for command in one.then):
        done = stack.run(command)
        assert done.code == 0, done.text
    outputs = stack.outputs()
    return [
        Outcome(one, there, _changed(steps, name), outputs[name])
        for one, there, name in zip(changes, before, names, strict=True)
    ]


def assert_as_announced(house: House[D], outcome: Outcome[D]) -> None:
    """The engine did what the table says, no recording is lost, and the service goes on."""
    change = outcome.change
    assert outcome.changed == change.changed
    if change.effect in {Effect.STORAGE, Effect.LET_GO}:
        outcome.before.assert_storage_kept()
    else:
        outcome.before.assert_recordings_kept()
    house.present(**({change.setting: change.after} if change.setting == "workspace_id" else {}))
    try:
        house.inhabit(outcome.outputs).assert_lives()
    finally:
        house.present()


class Protected(Generic[D]):
    """A stack whose destinations are protected, one for each change that this refuses."""

    def __init__(self, house: House[D], changes: Sequence[Change]) -> None:
        self._stack = Stack(house, "protected")
        self._changes, self._known = changes, house.given()
        self._configure()
        self._stack.up()

    def assert_refuses(self, change: Change) -> None:
        self._configure(change)
        done = self._stack.run("preview")
        assert done.code != 0
        assert any("protect" in error and error.startswith(self._name(change)) for error in done.errors)

    def _configure(self, changed: Change | None = None) -> None:
        settings = {
            self._name(one): _resolved(
                one.settings(one.after if one is changed else one.before, "protect"), self._known
            )
            for one in self._changes
        }
        self._stack.configure(None, None, **settings)

    def _name(self, change: Change) -> str:
        return f"d{self._changes.index(change)}"


def walk_the_stack(house: House[D], changes: Sequence[Change]) -> None:
    """Make the changes that concern every destination, one after the other, in a stack with one that is protected."""
    stack = Stack(house, "whole")
    stack.configure(calls={})
    stack.up()
    calls = stack.destination("calls")
    tags: dict[str, str] = {}
    profile: dict[str, dict[str, Any]] = {}
    presented: dict[str, Any] = {}
    for change in changes:
        constant = change.provider_and_constant
        if constant is None:
            tags = change.after
        else:
            profile.setdefault(constant[0], {})[constant[1]] = change.after
            presented[constant[1]] = change.after
        stack.configure(tags, profile, calls={})
        assert _changed(stack.steps("up"), "calls") == change.changed, change.setting
        calls.assert_recordings_kept()
        house.present(**presented)
        calls = stack.destination("calls")


def _is_the_stacks(change: Change) -> bool:
    return change.setting == "tags" or change.provider_and_constant is not None


def _on_destroy(change: Change) -> str:
    """`protect`, which is the default, wherever that lets a change pass."""
    return "retain" if change.effect in GOES_BY_ON_DESTROY else "protect"


def _changed(steps: set[tuple[str, str]], destination: str) -> dict[str, frozenset[str]]:
    """What was done to the resources of a destination: those below it, by what follows its name."""
    found: dict[str, set[str]] = {}
    for op, name in steps:
        if name.startswith(f"{destination}-") and op not in IGNORED:
            found.setdefault(op, set()).add(name.removeprefix(f"{destination}-"))
    return {op: frozenset(names) for op, names in found.items()}


def _resolved(value: Any, known: Mapping[str, str]) -> Any:
    """The value with what was made beforehand in it."""
    if isinstance(value, dict):
        return {name: _resolved(one, known) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_resolved(one, known) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return known[value[1:]] if isinstance(value, str) and value.startswith("$") else value
