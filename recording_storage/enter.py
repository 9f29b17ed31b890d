"""`recording-storage sandbox`: any program with the stand-in clouds behind it, and what it is given.

The program owns an ordinary account of each cloud, and may be the recording service too: what it finds of them, the
stages hand over. What it can't reach and what the stand-ins couldn't judge is said at the end. Leaves out judging the
program: its exit code is the sandbox's.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.faults import ConfigurationError
from recording_storage.engine import shim
from recording_storage.engine.equipment import offer
from recording_storage.engine.workspace import find_project
from recording_storage.plan import load
from recording_storage.rehearsal import idle_stages, provision, set_up
from recording_storage.rehearsal.programs import PULUMI_FOLDER
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.command import hold_signals, interruptible, run, say
from recording_storage.sandbox.journal import Entry, Outcome
from recording_storage.stackfile import StackFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from recording_storage.rehearsal import Stage

    Progress = Callable[[str], AbstractContextManager[Callable[[str], None]]]

OUTPUTS = "RECORDING_STORAGE_OUTPUTS"


class ProgramError(Exception):
    """The stack's program failed; the message says why."""


@dataclass(frozen=True)
class Wanted:
    """What the sandbox shall hold before the program starts."""

    folder: Path
    stack: str | None
    """The stack of the project in `folder` whose accounts are there, and what it assumes to exist."""
    engine: str
    provisioned: bool
    """Whether the stack's own resources are there too."""


def enter(command: Sequence[str], wanted: Wanted, progress: Progress) -> int:
    """Run `command` in a sandbox that holds what is `wanted`; its exit code.

    Raises what `rehearse` raises where the stack can't be provisioned, and `ProgramError` where its program fails.
    """
    mask = hold_signals()
    with Sandbox() as sandbox:
        with interruptible():
            stages, given = _furnish(sandbox, _read(command, wanted), progress)
        environment = sandbox.environment("home", given)
        for stage in stages:
            environment |= stage.guest(environment)
        environment = offer(sandbox.folder / PULUMI_FOLDER, environment)
        mark = sandbox.journal.mark()
        code = run(sandbox, command, environment, mask)
        for line in _summary(sandbox.journal.since(mark, Outcome.NO_ROUTE, Outcome.UNDECIDED)):
            say(line)
    return code


def _read(command: Sequence[str], wanted: Wanted) -> Wanted:
    """A stack of this project that the Pulumi CLI is called for is one that is wanted, still to be provisioned."""
    if wanted.stack is not None or Path(command[0]).name != "pulumi":
        return wanted
    call = shim.read(command[1:])
    project = find_project(wanted.folder / call.cwd)
    if project is None or call.stack is None:
        return wanted
    try:
        load(project, call.stack)
    except (ConfigurationError, StackFileError):
        return wanted  # another project's, or one that the program itself will complain of
    return Wanted(project, call.stack, wanted.engine, provisioned=False)


def _furnish(sandbox: Sandbox, wanted: Wanted, progress: Progress) -> tuple[list[Stage], Mapping[str, str]]:
    """A stage of every cloud, and the command's additional variables."""
    if wanted.stack is None:
        return list(idle_stages(sandbox, wanted.folder).values()), {}
    if not wanted.provisioned:
        plan, used = set_up(sandbox, wanted.folder, wanted.stack)
        for stage in used.values():
            stage.prepare()
        return [*used.values(), *idle_stages(sandbox, wanted.folder, plan).values()], {}
    with ExitStack() as cast, progress(wanted.stack) as tell:
        scene = provision(sandbox, wanted.folder, wanted.stack, cast, tell, engine=wanted.engine)
    if isinstance(scene.outputs, str):
        because = f" ({scene.reasons[-1].reason})" if scene.reasons else ""
        raise ProgramError(f"its program failed: {scene.outputs}{because}")
    outputs = sandbox.folder / "outputs.json"
    outputs.write_text(_as_pulumi_prints(scene.outputs))
    stages = [*scene.stages.values(), *idle_stages(sandbox, wanted.folder, scene.plan).values()]
    return stages, {OUTPUTS: str(outputs)}


def _as_pulumi_prints(outputs: dict[str, Any]) -> str:
    """As `pulumi stack output --json` does."""
    return json.dumps(outputs, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _summary(entries: list[Entry]) -> Iterator[str]:
    """What the program asked for in vain, each once."""
    refused = dict.fromkeys(entry.resource for entry in entries if entry.outcome is Outcome.NO_ROUTE)
    if refused:
        yield f"refused, since nothing here stands in for them: {', '.join(refused)}"
    undecided = dict.fromkeys(
        f"{entry.what} on {entry.resource}: {entry.reason}"
        for entry in entries
        if entry.outcome is Outcome.UNDECIDED
    )
    for one in undecided:
        yield f"not judged, so answered as not implemented: {one}"
