"""Pipelines as they are written: their parts by name, their expressions filled, their scripts run with bash."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML

from tests.support.console import copy_of_the_repository
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKFLOWS: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTIONS: Final = sorted((ROOT / ".github/actions").glob("*/action.yml"))
GITLAB: Final = sorted((ROOT / "ci/gitlab").glob("*.yml"))
STUBS: Final = Path(__file__).parent / "stubs"
EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
SECONDS: Final = 300
LINKED: Final = (".venv", "recording_storage/sandbox/azure/node/node_modules")
"""What `make setup` makes, in any clone."""


def load(path: Path) -> dict[str, Any]:
    """A workflow or an action."""
    return YAML(typ="safe", pure=True).load(path.read_text())


def workflow(name: str) -> dict[str, Any]:
    return load(ROOT / ".github/workflows" / f"{name}.yml")


def step(steps: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The step that has this name."""
    (found,) = [one for one in steps if one.get("name") == name]
    return found


def gitlab(name: str, **inputs: str) -> dict[str, Any]:
    """An include of GitLab's as it is with these inputs: https://docs.gitlab.com/ci/inputs/"""
    head, _, body = (ROOT / "ci/gitlab" / f"{name}.yml").read_text().partition("\n---\n")
    known: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(head)["spec"]["inputs"]
    values = {one: inputs[one] if one in inputs else told["default"] for one, told in known.items()}
    filled = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: values[found[1]], body)
    return YAML(typ="safe", pure=True).load(filled)


@dataclass
class Ran:
    """How a script ended, and what it handed over."""

    code: int
    out: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Runner:
    """A clone of the repository, with the programs of `tests/ci/stubs` before the others on PATH."""

    folder: Path
    temp: Path
    path: list[Path] = field(default_factory=lambda: [STUBS])

    @classmethod
    def at(cls, folder: Path) -> Runner:
        clone = copy_of_the_repository(folder / "work")
        git(clone, "branch", "--move", "main")
        for one in LINKED:
            if (ROOT / one).exists():
                (clone / one).symlink_to(ROOT / one)
        exclude = clone / ".git/info/exclude"
        exclude.write_text("\n".join(["/.venv", f"/{LINKED[1]}", "*.json", "*.jsonl", ""]))
        (folder / "temp").mkdir()
        return cls(clone, folder / "temp")

    def run(
        self,
        one: Mapping[str, Any],
        context: Mapping[str, str] | None = None,
        *,
        cwd: Path | None = None,
        **extra: str,
    ) -> Ran:
        """Run a step as it is written; `context` are the values of the expressions in its environment."""
        given = {"runner.temp": str(self.temp), **(context or {})}
        variables = {
            name: EXPRESSION.sub(lambda found: given[found[1]], str(value))
            for name, value in {**one.get("env", {})}.items()
        }
        place = (cwd or self.folder) / one.get("working-directory", ".")
        return self.bash(one["run"], {**variables, **extra}, place)

    def bash(self, script: str, variables: Mapping[str, str], cwd: Path | None = None) -> Ran:
        output, summary, environment = (self.temp / one for one in ("output", "summary", "environment"))
        for file in (output, summary, environment):
            file.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=cwd or self.folder,
            env={
                **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
                "PATH": os.pathsep.join([*map(str, self.path), os.environ["PATH"]]),
                "STATE": str(self.temp / "state.json"),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_ENV": str(environment),
                **variables,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        lines = (output.read_text() + environment.read_text()).splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        return Ran(done.returncode, done.stdout + done.stderr, outputs, summary.read_text())

    def serve(self, **answers: Any) -> None:
        """What the stub of the API answers, by method and path; what is written is kept there too."""
        (self.temp / "state.json").write_text(json.dumps({"calls": [], **answers}))

    @property
    def state(self) -> dict[str, Any]:
        return json.loads((self.temp / "state.json").read_text())

    def commit(self, **files: str) -> str:
        """A commit with these files."""
        for name, content in files.items():
            (self.folder / name).write_text(content)
        git(self.folder, "add", "--all")
        git(self.folder, *AUTHOR, "commit", "--quiet", "--message", "a change")
        return git(self.folder, "rev-parse", "HEAD")


AUTHOR: Final = (
    "-c",
    "user.name=somebody",
    "-c",
    "user.email=somebody@example.com",
    "-c",
    "commit.gpgsign=false",
)


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
