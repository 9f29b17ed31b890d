"""`recording-storage sandbox`: any program with the stand-in clouds behind it, and what it is given.

The program is the owner of an ordinary AWS account, by the default profile, and may be a principal of the recording
service's account, by another. What it can't reach and what the stand-ins couldn't judge is said at the end. Leaves
out judging the program: its exit code is the sandbox's.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.trust import effective_s3
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.aws.credentials import OWNER_ACCOUNT, Credentials, mint
from recording_storage.sandbox.command import hold_signals, interruptible, run, say
from recording_storage.sandbox.journal import Entry, Outcome
from recording_storage.steps import SERVICE_PROFILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

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
            given, owner, service = _provision(sandbox, folder, stack, progress)
        # By file and not by variables: those would take precedence over `AWS_PROFILE`.
        environment = sandbox.environment("home", given)
        profiles = owner.profile("default") + service.profile(SERVICE_PROFILE)
        Path(environment["AWS_SHARED_CREDENTIALS_FILE"]).write_text(profiles)
        mark = sandbox.journal.mark()
        code = run(sandbox, command, environment, mask)
        for line in _summary(sandbox.journal.since(mark, Outcome.NO_ROUTE, Outcome.UNDECIDED)):
            say(line)
    return code


def _provision(
    sandbox: Sandbox, folder: Path, stack: str | None, progress: Progress
) -> tuple[dict[str, str], Credentials, Credentials]:
    """The command's additional variables, the owner and the service."""
    if stack is None:
        owner, service = mint(OWNER_ACCOUNT), mint(effective_s3({}).account)
        sandbox.expect(owner, service)
        return {}, owner, service
    from recording_storage.rehearsal import provision

    with ExitStack() as cast, progress(stack) as tell:
        scene = provision(sandbox, folder, stack, cast, tell)
    if isinstance(scene.outputs, str):
        because = f" ({scene.reasons[-1].reason})" if scene.reasons else ""
        raise ProgramError(f"its program failed: {scene.outputs}{because}")
    variables = {name: value for one in scene.stages.values() for name, value in one.credentials().items()}
    owner = Credentials(OWNER_ACCOUNT, variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    service = mint(scene.plan.settings.s3_trust.account)
    sandbox.aws.admit(service)
    outputs = sandbox.folder / "outputs.json"
    outputs.write_text(_as_pulumi_prints(scene.outputs))
    return {OUTPUTS: str(outputs)}, owner, service


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
