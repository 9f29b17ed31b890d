"""How a rehearsal runs a stack's program: by itself, or under the real Pulumi CLI.

Both make the same resources by the same table (`resources`). The CLI previews first, and is asked again afterwards:
what it made must be what it would make. Left out: destroying, which a sandbox does by ending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from recording_storage.rehearsal.child import Child
from recording_storage.results import Result, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from recording_storage.engine.driver import Engine, Run, Step
    from recording_storage.plan import Plan
    from recording_storage.sandbox import Sandbox

    Tell = Callable[[str], None]
    Events = list[dict[str, Any]]
    Outputs = dict[str, Any] | str

PULUMI_FOLDER = "pulumi"
"""Where in a sandbox's folder the CLI keeps its state and copies of projects."""


class Program(Protocol):
    """A stack's program that is to be run once."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What it is run in, but for the owner's credentials."""
        ...

    def begin(self, plan: Plan, folder: Path, owner: Mapping[str, str]) -> None:
        """Say what to run, and with which variables of the owner's; it may begin at once."""
        ...

    def finish(self, tell: Tell) -> tuple[Events, Outputs]:
        """What it made, and its outputs, or why it failed; `tell` hears what is going on."""
        ...

    def results(self, tell: Tell) -> Iterator[Result]:
        """What else this way of running it proves, before anybody is at the storage."""
        ...


class Alone:
    """The program by itself, in a process that is started before anything is known about the stack."""

    def __init__(self, sandbox: Sandbox, cast: ExitStack) -> None:
        self.environment = sandbox.environment("owner", {})
        self._child = cast.enter_context(Child("recording_storage.program", self.environment))

    def begin(self, plan: Plan, folder: Path, owner: Mapping[str, str]) -> None:
        self._child.tell(plan.job(folder, owner))

    def finish(self, tell: Tell) -> tuple[Events, Outputs]:
        events: Events = []
        outputs: Outputs = "the program ended without outputs"
        for event in self._child.answers():
            if event["event"] == "made":
                events.append(event)
                tell(f"made {event['name']}")
            elif event["event"] == "outputs":
                outputs = event["outputs"]
            elif event["event"] == "failed":
                outputs = event["message"]
        return events, outputs

    def results(self, tell: Tell) -> Iterator[Result]:
        del tell
        yield from ()


class UnderPulumi:
    """The program under the CLI: a preview, up, and whether anything would change then."""

    def __init__(self, sandbox: Sandbox, cast: ExitStack) -> None:
        del cast
        self.environment = sandbox.environment("owner", {})
        self._folder = sandbox.folder / PULUMI_FOLDER

    def begin(self, plan: Plan, folder: Path, owner: Mapping[str, str]) -> None:
        from recording_storage.engine.driver import Engine

        self._stack = plan.file.stack
        self._engine = Engine(folder, self._folder, {**self.environment, **owner})

    def finish(self, tell: Tell) -> tuple[Events, Outputs]:
        initialised = self._engine.run("stack", "init", self._stack)
        if initialised.code:
            return [], initialised.text.strip()
        self._previewed = self._deploy("preview", tell, "previewing")
        if self._previewed.code:
            return [], _why(self._previewed)
        self._up = self._deploy("up", tell, "making")
        if self._up.code:
            return [], _why(self._up)
        return _made(self._engine), self._engine.exported("stack", "output", "--json")

    def results(self, tell: Tell) -> Iterator[Result]:
        previewed, made = self._previewed.steps, self._up.steps
        yield _result(
            "preview",
            "previewed, and made as previewed",
            held=previewed == made,
            evidence=f"up did otherwise than the preview: {_listed(previewed ^ made)}",
            mend="what isn't known in a preview must not decide which resources there are",
        )
        again = self._deploy(
            "preview", tell, "looking for what would change", "--refresh", "--expect-no-changes"
        )
        yield _result(
            "unchanged",
            "refreshed, and nothing to change",
            held=not again.code and not again.steps,
            evidence="; ".join(again.errors) or f"another up would {_listed(again.steps)}",
            mend="a setting isn't what it was made as: what reads back in another form changes at every up",
        )

    def _deploy(self, command: str, tell: Tell, doing: str, *arguments: str) -> Run:
        tell(doing)
        return self._engine.deploy(
            command, "--stack", self._stack, *arguments, tell=lambda step: tell(f"{doing}: {step}")
        )


NO_ENGINE, PULUMI = "none", "pulumi"
PROGRAMS: Mapping[str, Callable[[Sandbox, ExitStack], Program]] = {NO_ENGINE: Alone, PULUMI: UnderPulumi}
"""The ways of running a program, by the engine's name."""


def _made(engine: Engine) -> Events:
    """The resources that the state has, as the program by itself tells of them."""
    found = engine.exported("stack", "export")["deployment"]["resources"]
    return [
        {
            "type": one["type"],
            "name": one["urn"].rpartition("::")[2],
            "id": one["id"],
            "inputs": one.get("inputs", {}),
        }
        for one in found
        if one.get("custom") and not one["type"].startswith("pulumi:")
    ]


def _why(run: Run) -> str:
    """Why it failed."""
    return "; ".join(run.errors) or run.text.strip()


def _listed(steps: set[Step]) -> str:
    return ", ".join(f"{one.operation} {one.name} ({one.type})" for one in sorted(steps))


def _result(id_: str, title: str, *, held: bool, evidence: str, mend: str) -> Result:
    return Result(
        destination="",
        id=f"proven.{id_}",
        status=Status.PASS if held else Status.FAIL,
        title=title,
        evidence="" if held else evidence,
        mend="" if held else mend,
    )
