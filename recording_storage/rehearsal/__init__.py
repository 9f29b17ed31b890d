"""Rehearse a stack: its own program on stand-in clouds, a recording, and everything that must be refused.

`rehearse` gives a `Document`. What a provider adds stands in a file of its own (`s3`, `gcs`, `azure_blob`), as a
`Stage`: who acts, what is assumed to exist, and how a destination is played through. A cloud that isn't used isn't
imported.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from recording_storage.rehearsal import verifying
from recording_storage.rehearsal.programs import NO_ENGINE, PROGRAMS
from recording_storage.results import DestinationReport, Document, Made, Result, Status
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from components.destination import DestinationSettings
    from components.faults import Fault
    from components.settings import Settings
    from recording_storage.plan import Plan
    from recording_storage.rehearsal.child import Child
    from recording_storage.rehearsal.programs import Program
    from recording_storage.sandbox.journal import Entry

    Tell = Callable[[str], None]

PROGRAM = "proven.program"
STAGES = {
    "azure_blob": ("recording_storage.rehearsal.azure_blob", "AzureBlobStage"),
    "gcs": ("recording_storage.rehearsal.gcs", "GcsStage"),
    "s3": ("recording_storage.rehearsal.s3", "S3Stage"),
}
"""A provider's stage: its module and its name there."""


class Stage(Protocol):
    """One provider's part of a rehearsal."""

    title: str

    def expect(self) -> None:
        """Have everybody let in when the stand-in is loaded, if it ever is: nobody plays here."""
        ...

    def prepare(self) -> None:
        """Load the stand-in, let everybody in, and make what is assumed to exist."""
        ...

    def owner(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """The owner's variables, for the stack's program; files are written where its environment has them."""
        ...

    def auditor(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Likewise for who verifies what was made, and may read what is assumed to exist too."""
        ...

    def guest(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Likewise for any program in the sandbox, which may be the recording service too."""
        ...

    def start_players(self, cast: ExitStack) -> None:
        """Start the recorder and the intruder, which stay until `cast` is closed."""
        ...

    def made(self, name: str, events: list[dict[str, Any]]) -> tuple[Made, ...]:
        """What the program made for a destination, for people."""
        ...

    def unproven(self, name: str) -> tuple[str, ...]:
        """What no rehearsal can say of a destination."""
        ...

    def to_do(self, outputs: Mapping[str, Any]) -> tuple[str, ...]:
        """What somebody else must do before the destination works in a real cloud."""
        ...

    def record(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Result]:
        """Record to a destination as the service does, and say how each step ended."""
        ...

    def play(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Result]:
        """Record to a destination, misuse it, and say how each attempt ended."""
        ...


def rehearse(folder: Path, stack: str, tell: Tell, engine: str = NO_ENGINE) -> Document:
    """Rehearse one stack of the project in `folder`; `tell` hears what is going on.

    Raises `StackFileError` or `ConfigurationError` where the stack can't be rehearsed, `ChildError` where a child could
    not go on, and `EngineError` where the CLI couldn't.
    """
    began = time.monotonic()
    with ExitStack() as cast:
        tell("starting the stand-in clouds")
        sandbox = cast.enter_context(Sandbox())
        scene = provision(sandbox, folder, stack, cast, tell, engine=engine, with_players=True)
        document = Document(
            stack=stack, results=[_warning(one, scene.plan.file.project) for one in scene.plan.warnings]
        )
        if isinstance(scene.outputs, str):
            document.results.append(_failed_program(scene.outputs, scene.reasons))
        else:
            document.recording_storage = scene.outputs.get("recording_storage")
            document.results += scene.program.results(tell)
            tell("verifying what was made")
            assert scene.verifier is not None
            document.results += verifying.results(scene.verifier, scene.plan.settings, scene.outputs)
            for name, destination in scene.plan.settings.destinations.items():
                tell(f"recording to {name}")
                stage = scene.stages[destination.provider]
                found = scene.outputs.get("destinations", {}).get(name)
                report, results = _play(stage, name, destination, stack, scene.events, found)
                document.destinations.append(report)
                document.results += results
    document.seconds = time.monotonic() - began
    return document


@dataclass(frozen=True)
class Scene:
    """A stack on the stand-in clouds."""

    plan: Plan
    program: Program
    stages: Mapping[str, Stage]
    """By the provider's name."""
    events: list[dict[str, Any]]
    """What the program made."""
    outputs: dict[str, Any] | str
    """The stack's outputs, or why its program failed."""
    reasons: list[Entry]
    """What the stand-ins refused the program, or couldn't decide."""
    verifier: Child | None
    """Who reads what was made, where there are players."""


def provision(
    sandbox: Sandbox,
    folder: Path,
    stack: str,
    cast: ExitStack,
    tell: Tell,
    *,
    engine: str = NO_ENGINE,
    with_players: bool = False,
) -> Scene:
    """Run the stack's own program in an empty sandbox; its children stay until `cast` is closed."""
    sandbox.hold()
    # The program takes longest to start, so it is started before all else, what judges the configuration included.
    program = PROGRAMS[engine](sandbox, cast)
    plan, stages = set_up(sandbox, folder, stack)
    owner = {
        name: value for stage in stages.values() for name, value in stage.owner(program.environment).items()
    }
    program.begin(plan, folder, owner)
    verifier = verifying.start(sandbox, stages, cast) if with_players else None
    for stage in stages.values():
        stage.prepare()
        if with_players:
            stage.start_players(cast)
    mark = sandbox.journal.mark()
    sandbox.open()
    events, outputs = program.finish(tell)
    reasons = sandbox.journal.since(mark, Outcome.REFUSED, Outcome.UNDECIDED)
    return Scene(plan, program, stages, events, outputs, reasons, verifier)


def set_up(sandbox: Sandbox, folder: Path, stack: str) -> tuple[Plan, dict[str, Stage]]:
    """Judge a stack's configuration, and give the stages of its providers, still to be prepared."""
    from recording_storage.plan import load

    plan = load(folder, stack)
    used = {one.provider for one in plan.settings.destinations.values()}
    return plan, _stages(used, sandbox, plan.settings, folder)


def idle_stages(sandbox: Sandbox, folder: Path, plan: Plan | None = None) -> dict[str, Stage]:
    """Stages of the providers that a stack doesn't use (all, without a stack), for who uses those clouds none the less.

    Their stand-ins are loaded when they are first asked for something.
    """
    from components import naming
    from components.settings import Settings, TrustProfile

    nothing = Settings(naming.Scope("", "", ""), {}, None, {}, TrustProfile())
    settings = plan.settings if plan else nothing
    used = {one.provider for one in settings.destinations.values()}
    stages = _stages(STAGES.keys() - used, sandbox, settings, folder)
    for stage in stages.values():
        stage.expect()
    return stages


def _stages(providers: Iterable[str], sandbox: Sandbox, settings: Settings, folder: Path) -> dict[str, Stage]:
    return {
        provider: getattr(import_module(module), name)(sandbox, settings, folder)
        for provider, (module, name) in STAGES.items()
        if provider in set(providers)
    }


def _failed_program(message: str, reasons: list[Entry]) -> Result:
    undecided = [entry for entry in reasons if entry.outcome is Outcome.UNDECIDED]
    because = f" ({reasons[-1].reason})" if reasons else ""
    return Result(
        destination="",
        id=PROGRAM,
        status=Status.UNKNOWN if undecided or "nothing can be said about it" in message else Status.FAIL,
        title="the stack's program runs",
        evidence=message + because,
        mend="mend the program or the configuration; nothing was made in a real cloud",
    )


def _play(
    stage: Stage,
    name: str,
    destination: DestinationSettings,
    stack: str,
    events: list[dict[str, Any]],
    outputs: Mapping[str, Any] | None,
) -> tuple[DestinationReport, list[Result]]:
    report = DestinationReport(
        name=name,
        stack=stack,
        provider=destination.provider,
        title=f"{stage.title} · {destination.place}",
        made=stage.made(name, events),
        unproven=stage.unproven(name),
        to_do=stage.to_do(outputs) if outputs else (),
        recording_storage=outputs["recording_storage"] if outputs else None,
    )
    if outputs is None:
        missing = Result(
            destination=name,
            id=PROGRAM,
            status=Status.FAIL,
            title="the stack's program exports the destination",
            evidence=f"its output `destinations` has no {name}",
            mend=f"export destinations.{name}, as this project's __main__.py does",
        )
        return report, [missing]
    return report, list(stage.play(name, outputs))


def _warning(warning: Fault, project: str) -> Result:
    return Result(
        destination="",
        id="unproven.configuration",
        status=Status.WARN,
        title=f"{project}:{warning.key} = {warning.value}",
        evidence=f"expected {warning.expected}",
        mend=warning.mend,
    )
