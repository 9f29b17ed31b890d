"""A copy of a Pulumi project for the sandbox: what the CLI writes there never reaches the project itself.

The project's own files are copied; what lies around it in its repository, and its virtual environment, are links, so
that relative paths lead where they led. Stack files lose their secrets provider in the copy: the sandbox's state has
one of its own, and the real one's key isn't there. Left out: values that it encrypted, which nothing here can read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recording_storage import stackfile

if TYPE_CHECKING:
    from collections.abc import Iterator

LINKED: Final = frozenset({".venv", "venv", "node_modules"})
"""Folders that are large and that the CLI only reads."""
OMITTED: Final = frozenset({".git", "__pycache__"})
STACK_FILE: Final = re.compile(r"Pulumi\.(?P<stack>.+)\.ya?ml")
SECRETS_PROVIDER: Final = re.compile(r"^(secretsprovider|encryptedkey|encryptionsalt):.*\n?", re.MULTILINE)


def find_project(folder: Path) -> Path | None:
    """The folder of the Pulumi project that `folder` is in, as the CLI finds it."""
    here = folder.resolve()
    return next((one for one in (here, *here.parents) if (one / stackfile.PROJECT_FILE).is_file()), None)


class Workspace:
    """The copy of one project below `home`; `refresh` brings it up to date with the project."""

    def __init__(self, project: Path, home: Path) -> None:
        self.project = project.resolve()
        self._root = _root(self.project)
        digest = hashlib.sha256(os.fsencode(self.project)).hexdigest()[:8]
        self._place = home / f"{self.project.name}-{digest}"
        self._stamps = self._place / "copied.json"
        self.folder = self._place / self._root.name / self.project.relative_to(self._root)

    def refresh(self) -> bool:
        """Copy what has changed in the project since the last time, and nothing else; whether it is the first time.

        What the CLI has changed in the copy stays, unless the project's file has changed as well.
        """
        first = not self._stamps.exists()
        if first:
            self._surround()
        before: dict[str, list[int]] = {} if first else json.loads(self._stamps.read_text())
        now = {name: _stamp(self.project / name) for name in self._files()}
        for name in before.keys() - now.keys():
            (self.folder / name).unlink(missing_ok=True)
        for name, stamp in now.items():
            if before.get(name) != stamp:
                self._copy(name)
        self._link_virtualenv()
        self._stamps.write_text(json.dumps(now))
        return first

    def beside(self, name: str) -> Path:
        """Where something about the copy is noted, outside of it."""
        return self._place / name

    def inside(self, path: Path) -> Path:
        """Where a folder of the project is in the copy."""
        return self.folder / path.resolve().relative_to(self.project)

    def _surround(self) -> None:
        """Link what is beside the project, and beside each folder above it, up to the repository's own."""
        real, copy = self._root, self._place / self._root.name
        copy.mkdir(parents=True)
        for part in self.project.relative_to(self._root).parts:
            for one in real.iterdir():
                if one.name not in {part, *OMITTED}:
                    (copy / one.name).symlink_to(one)
            real, copy = real / part, copy / part
            copy.mkdir()

    def _files(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.project):
            here = Path(folder).relative_to(self.project)
            linked = [name for name in folders if name in LINKED or (Path(folder) / name).is_symlink()]
            folders[:] = [name for name in folders if name not in OMITTED and name not in linked]
            yield from (str(here / name) for name in (*linked, *files) if name not in OMITTED)

    def _copy(self, name: str) -> None:
        source, target = self.project / name, self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if source.is_dir() or source.is_symlink():
            target.symlink_to(source.resolve())
        elif STACK_FILE.fullmatch(source.name):
            text = source.read_text(encoding="utf-8", errors="surrogateescape")
            target.write_text(
                SECRETS_PROVIDER.sub("", text), encoding="utf-8", errors="surrogateescape", newline=""
            )
        elif source.is_file():
            shutil.copy2(source, target)

    def _link_virtualenv(self) -> None:
        """Where the project names a virtual environment that hasn't been made, this program's own serves."""
        named = stackfile.virtualenv(self.project)
        if named and not (self.folder / named).exists():
            (self.folder / named).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / named).symlink_to(sys.prefix)


def _root(project: Path) -> Path:
    """The repository that the project is in; outside of one, the project's own folder."""
    return next((one for one in (project, *project.parents) if (one / ".git").exists()), project)


def _stamp(path: Path) -> list[int]:
    """What changes when a file does."""
    found = path.lstat()
    return [found.st_mtime_ns, found.st_size]
