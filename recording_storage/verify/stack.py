"""A stack's destinations, as the Pulumi CLI has their outputs and as its configuration describes them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from components.faults import ConfigurationError
from recording_storage import plan
from recording_storage.stackfile import StackFileError
from recording_storage.verify.inputs import parse
from recording_storage.verify.targets import known_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from recording_storage.verify.targets import Target

PIPE = "pulumi stack output --json | recording-storage {command} --config -"


class StackError(Exception):
    """The stack's outputs can't be had; the message says why, and what to do."""


def read(folder: Path, stack: str, tell: Callable[[str], None]) -> list[Target]:
    """The destinations of a stack of the project in `folder`, with what its configuration says of them.

    A configuration that can't be read here says nothing, and `tell` hears of it. Raises `StackError` where the CLI
    gives no outputs, and `InputError` where there is no destination among them.
    """
    targets = parse(outputs(folder, stack), f"the outputs of the stack {stack}")
    try:
        settings = plan.load(folder, stack).settings
    except (ConfigurationError, StackFileError) as error:
        tell(f"{stack}: what its configuration says isn't known here: {str(error).splitlines()[0]}")
        return targets
    return [
        replace(target, known=known_of(settings, target.name))
        if target.name in settings.destinations
        else target
        for target in targets
    ]


def outputs(folder: Path, stack: str, command: str = "verify") -> str:
    """All outputs of a stack, as JSON; raises `StackError`, which says how to pipe them into `command`."""
    if shutil.which("pulumi") is None:
        raise StackError(f"{stack}: pulumi isn't on PATH. Where it is: {PIPE.format(command=command)}")
    done = subprocess.run(
        ["pulumi", "stack", "output", "--json", "--stack", stack, "--non-interactive"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(f"{stack}: pulumi gives no outputs: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
