"""Which stacks a change touches, by the names of the files that it changes.

A stack's own file touches that stack; what else lies beside it may be named by any of them (a boundary's document), and
the program, its packages and the toolkit make all of them. Documentation, tests and benchmarks make none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
"""A stack's name that a pipeline takes: Pulumi's, but never what a command would read as an option or a folder.
https://www.pulumi.com/docs/iac/concepts/stacks/#create-stack"""
_STACK_FILE: Final = re.compile(r"Pulumi\.(?P<stack>.+)\.yaml", re.DOTALL)

CODE: Final = (
    "__main__.py",
    "Pulumi.yaml",
    "components/",
    "policy/",
    "pyproject.toml",
    "recording_storage/",
    "requirements.txt",
)
"""What runs when a stack is rehearsed, previewed or brought up."""
PIPELINE: Final = (".ci/", ".github/", ".gitlab-ci.yml", "ci/", "Makefile")
"""What decides what is run, and how it is reported."""


@dataclass(frozen=True)
class Touched:
    """What a change touches."""

    stacks: tuple[str, ...]
    """Those that have a file."""
    code: tuple[str, ...]
    """The changed files whose code a run of the change executes, or that decide what a run does."""
    unnameable: tuple[str, ...]
    """Stack files whose name a pipeline doesn't take."""


def touched(changed: Iterable[str], stacks: Iterable[str], folder: str) -> Touched:
    """Say what the files `changed`, named from the project's folder, touch of `stacks`, whose files are in `folder`."""
    known, files = set(stacks), sorted(set(changed))
    found: set[str] = set()
    unnameable: list[str] = []
    for file in files:
        stack = stack_of(file, folder)
        if stack is not None and not NAME.fullmatch(stack):
            unnameable.append(file)
        elif stack is not None:
            found.add(stack)
        elif _below(file, CODE) or _inside(file, folder):
            found |= known
    nameable = {one for one in found & known if NAME.fullmatch(one)}
    return Touched(tuple(sorted(nameable)), code_in(files), tuple(unnameable))


def code_in(changed: Iterable[str]) -> tuple[str, ...]:
    """The files among `changed` whose code a run of the change executes, or that decide what a run does."""
    return tuple(sorted({file for file in changed if _below(file, CODE + PIPELINE)}))


def stack_of(file: str, folder: str) -> str | None:
    """The name of the stack whose file this is, whatever it looks like; None if it is another file."""
    path = PurePosixPath(file)
    found = _STACK_FILE.fullmatch(path.name)
    return found["stack"] if found and path.parent == PurePosixPath(folder) else None


def _below(file: str, places: Iterable[str]) -> bool:
    return any(file.startswith(place) if place.endswith("/") else file == place for place in places)


def _inside(file: str, folder: str) -> bool:
    """Whether a file lies beside the stacks' own; where those lie in the project's own folder, nothing does."""
    return PurePosixPath(folder) != PurePosixPath() and PurePosixPath(folder) in PurePosixPath(file).parents
