"""What `pulumi` is in the sandbox: the real CLI, on a copy of the project and with a state that goes with the sandbox.

It stands before the CLI on `PATH`, so it serves a shell, a Makefile and the Automation API alike. A stack that has a
file in the project is initialised when it is first named: the state begins empty. Left out: a CLI that is called by
its full path works in the project itself, though on the sandbox's state as well.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recording_storage import stackfile
from recording_storage.engine.equipment import CLI, FOLDER
from recording_storage.engine.workspace import Workspace, find_project
from recording_storage.stackfile import StackFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

COULD_NOT_RUN: Final = 2
_VALUED: Final = ("--color", "--otel-traces", "--profiling", "--tracing", "-v")
"""The CLI's options that may stand before a command's name, with a value after them."""


@dataclass(frozen=True)
class Call:
    """What the CLI is asked for, as far as it matters here."""

    cwd: str
    """Where it shall work: the value of `--cwd`."""
    stack: str | None
    """The stack that is named, without its organisation and project."""
    words: list[str]
    """What isn't an option: a command's name, and what it is about."""
    rest: list[str]
    """The arguments without `--cwd`."""


def read(arguments: Sequence[str]) -> Call:
    """Read the CLI's arguments; what follows `--` is somebody else's."""
    own = list(itertools.takewhile(lambda one: one != "--", arguments))
    others = list(arguments[len(own) :])
    place = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    place.add_argument("-C", "--cwd", default=".")
    given, rest = place.parse_known_args(own)
    named = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    named.add_argument("-s", "--stack")
    for option in _VALUED:
        named.add_argument(option)
    found, left = named.parse_known_args(rest)
    words = [one for one in left if not one.startswith("-")]
    stack = words[2] if words[:2] == ["stack", "select"] and len(words) > 2 else found.stack
    return Call(given.cwd, stack.rpartition("/")[2] if stack else None, words, rest + others)


def main() -> None:
    """Become the CLI, on the copy where there is a project."""
    cli, call = os.environ[CLI], read(sys.argv[1:])
    try:
        arguments = _prepare(cli, call)
    except (OSError, StackFileError) as error:
        _say(str(error))
        sys.exit(COULD_NOT_RUN)
    os.execv(cli, [cli, *arguments])  # noqa: S606 (the CLI, as it was called)


def _prepare(cli: str, call: Call) -> list[str]:
    """Go to the copy of the project that the CLI is called for; the CLI's arguments there."""
    folder = Path(call.cwd)
    project = find_project(folder)
    if project is None or call.words[:1] == ["new"]:
        return sys.argv[1:]
    workspace = Workspace(project, Path(os.environ[FOLDER]))
    if workspace.refresh():
        _say(f"pulumi works on a copy of {project}, and on a state of the sandbox's own")
    os.chdir(workspace.inside(folder))
    if call.stack and call.words[:2] != ["stack", "init"]:
        _initialise(cli, workspace, call.stack)
    return call.rest


def _initialise(cli: str, workspace: Workspace, stack: str) -> None:
    """Initialise a stack of the project, once: it has a file there, and no state here."""
    mark = workspace.beside(f"{stack}.initialised")
    if mark.exists() or stack not in stackfile.stacks(workspace.folder):
        return
    mark.touch()
    done = subprocess.run(
        [cli, "stack", "init", stack, "--no-select"], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        _say(f"the stack {stack} begins empty here")


def _say(message: str) -> None:
    print(f"recording-storage: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
