"""`recording-storage sandbox`: any program with the stand-in clouds behind it, and what it is given.

The program owns an ordinary account of each cloud, and may be the recording service too: what it finds of them, the
stages hand over. What it can't reach and what the stand-ins couldn't judge is said at the end. Leaves out judging the
program: its exit code is the sandbox's.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from recording_storage.rehearsal import idle_stages, provision
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.command import hold_signals, interruptible, run, say
from recording_storage.sandbox.journal import Entry, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from recording_storage.rehearsal import Stage

    Progress = Callable[[str], AbstractContextManager[Callable[[str], None]]]

OUTPUTS = "RECORDING_STORAGE_OUTPUTS"


class ProgramError(Exception):
    """The stack's program failed; the message says why."""


def enter(command: Sequence[str], folder: Path, stack: str | None, progress: Progress) -> int:
    """Run `command` in a sandbox, where `stack` of the project in `folder` has been provisioned; its exit code.

    Raises what `rehearse` raises where the stack can't be provisioned, and `ProgramError` where its program fails.
    """
    mask = hold_signals()
    with Sandbox() as sandbox:
        with interruptible():
            stages, given = _provision(sandbox, folder, stack, progress)
        environment = sandbox.environment("home", given)
        for stage in stages:
            environment |= stage.guest(environment)
        mark = sandbox.journal.mark()
        code = run(sandbox, command, environment, mask)
        for line in _summary(sandbox.journal.since(mark, Outcome.NO_ROUTE, Outcome.UNDECIDED)):
            say(line)
    return code


def _provision(
    sandbox: Sandbox, folder: Path, stack: str | None, progress: Progress
) -> tuple[list[Stage], Mapping[str, str]]:
    """A stage of every cloud, and the command's additional variables."""
    if stack is None:
        return list(idle_stages(sandbox, folder).values()), {}
    with ExitStack() as cast, progress(stack) as tell:
        scene = provision(sandbox, folder, stack, cast, tell)
    if isinstance(scene.outputs, str):
        because = f" ({scene.reasons[-1].reason})" if scene.reasons else ""
        raise ProgramError(f"its program failed: {scene.outputs}{because}")
    outputs = sandbox.folder / "outputs.json"
    outputs.write_text(_as_pulumi_prints(scene.outputs))
    stages = [*scene.stages.values(), *idle_stages(sandbox, folder, scene.plan).values()]
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
