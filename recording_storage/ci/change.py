"""A change, as git has it: which files it changes, and its stack files as data.

Nothing of a change is checked out, and none of its code is run. Left out: fetching, which needs credentials of the
pipeline's own.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from recording_storage.ci import CiError
from recording_storage.ci.stacks import NAME, stack_of

if TYPE_CHECKING:
    from collections.abc import Iterator

REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./^~-]{0,199}")
"""What is taken for a commit: never an option."""
LARGEST_FILE: Final = 1 << 20
"""A stack's file is some kilobytes; what is larger is none."""
MOST_FILES: Final = 1000
ORDINARY: Final = frozenset({"100644", "100755"})
"""The modes of ordinary files; others are links, which lead anywhere, and repositories.
https://git-scm.com/docs/git-fast-import#_filemodify"""


def changed(project: Path, base: str, head: str) -> list[str]:
    """The files that `head` changes since it left `base`, named from the project's folder; both names of a renamed one.

    What lies outside the project's folder is left out. Raises `CiError`.
    """
    out = _git(
        project,
        "diff",
        "--name-only",
        "--no-renames",
        "--no-ext-diff",
        "--relative",
        "-z",
        f"{_revision(base)}...{_revision(head)}",
        "--",
    )
    return split(out)


def split(text: str) -> list[str]:
    """The names of files in a list, one a line, or ended by NUL as git's `-z` does."""
    return [one for one in (text.split("\0") if "\0" in text else text.splitlines()) if one]


def overlay(project: Path, commit: str, folder: str) -> list[str]:
    """Put a commit's files in `folder` (the stacks') in the place of the project's; the names of the files.

    They are read from git's store, and nothing else of the commit is. Raises `CiError` where it holds what is no
    ordinary file, is too large, or isn't named as a stack file is, before anything is written.
    """
    place = PurePosixPath(folder)
    if place == PurePosixPath() or ".." in place.parts or place.is_absolute():
        raise CiError(f"{folder or '.'}: the stack files have no folder of their own below the project's")
    entries = list(_tree(project, _revision(commit), folder))
    if len(entries) > MOST_FILES:
        raise CiError(f"{len(entries)} files in {folder}: at most {MOST_FILES} are taken")
    contents: dict[str, bytes] = {}
    for mode, kind, sha, size, path in entries:
        if mode not in ORDINARY or kind != "blob":
            raise CiError(f"{path!r} is no ordinary file, and isn't taken")
        if int(size) > LARGEST_FILE:
            raise CiError(f"{path!r} has {size} bytes: at most {LARGEST_FILE} are taken")
        stack = stack_of(path, folder)
        parts = PurePosixPath(path).parts
        if (stack is not None and not NAME.fullmatch(stack)) or not all(
            NAME.fullmatch(part) for part in parts
        ):
            raise CiError(f"{path!r}: a name of letters, digits, hyphens, underscores and dots is taken")
        contents[path] = _git_bytes(project, "cat-file", "blob", sha)
    target = project / folder
    for old in sorted(target.rglob("*")) if target.is_dir() else ():
        if old.is_symlink() or old.is_file():
            old.unlink()
    for path, content in contents.items():
        file = project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return sorted(contents)


def _tree(project: Path, commit: str, folder: str) -> Iterator[tuple[str, str, str, str, str]]:
    prefix = _git(project, "rev-parse", "--show-prefix").strip()
    out = _git(project, "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", f"{prefix}{folder}/")
    for entry in split(out):
        meta, _, path = entry.partition("\t")
        mode, kind, sha, size = meta.split()
        yield mode, kind, sha, size, path.removeprefix(prefix)


def _revision(text: str) -> str:
    if not REVISION.fullmatch(text) or ".." in text:
        raise CiError(f"{text!r} is no commit: write a hash or the name of a branch")
    return text


def _git(project: Path, *words: str) -> str:
    return _git_bytes(project, *words).decode("utf-8", "replace")


def _git_bytes(project: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", *words], cwd=project, capture_output=True, check=False)
    except OSError as error:
        raise CiError(f"git can't be run: {error}") from None
    if done.returncode:
        raise CiError(f"git {words[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout
