"""Projects in a folder of their own: this project's program, with something changed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300

PROGRAM = """
import json, runpy, sys
sys.path.insert(0, {root!r})
import pulumi
{change}
runpy.run_path({main!r}, run_name="__main__")
"""


@dataclass(frozen=True)
class Outcome:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)

    def results(self, destination: str) -> dict[str, dict[str, Any]]:
        """The destination's results by their id."""
        return {one["id"]: one for one in self.document["results"] if one["destination"] == destination}

    def departures(self, destination: str) -> dict[str, str]:
        """The attempts that didn't end as they should: id and status."""
        return {id_: status for id_, status in self._not_green(destination) if "." in id_}

    def checks(self, destination: str) -> dict[str, str]:
        """The checks of `verify` that aren't green: id and status."""
        return {id_: status for id_, status in self._not_green(destination) if "." not in id_}

    def _not_green(self, destination: str) -> Iterator[tuple[str, str]]:
        for id_, one in self.results(destination).items():
            if one["status"] not in ("pass", "warn"):
                yield id_, one["status"]


def write_project(
    folder: Path,
    config: dict[str, Any],
    *,
    stack: str = "acme",
    change: str = "",
    name: str = "recording-storage",
) -> Path:
    """Write a project whose program is this project's own, after the statements in `change`."""
    (folder / "stacks").mkdir(parents=True)
    runtime = "runtime: {name: python, options: {virtualenv: .venv}}"
    (folder / "Pulumi.yaml").write_text(f"name: {name}\n{runtime}\nstackConfigDir: stacks\n")
    (folder / "__main__.py").write_text(
        PROGRAM.format(root=str(ROOT), main=str(ROOT / "__main__.py"), change=change)
    )
    keys = {f"{name}:{key}": value for key, value in config.items()}
    (folder / f"stacks/Pulumi.{stack}.yaml").write_text(json.dumps({"config": keys}))
    return folder


def command(*arguments: str, folder: Path = ROOT) -> Outcome:
    """Run `recording-storage` as a user would, from `folder`."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("recording-storage")), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
