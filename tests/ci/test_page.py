"""docs/pull_requests.md says what is so."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from recording_storage.ci import commands
from tests.ci.pipelines import ACTIONS, GITLAB, WORKFLOWS, gitlab, load
from tests.support.console import blocks, lines
from tests.support.projects import ROOT, command

PAGE = (ROOT / "docs/pull_requests.md").read_text()
NAMES = re.compile(r"fromJSON\(inputs\.stack\)(\[inputs\.identity\])?\.(\w+)")
CLOUDS = {"pulumi_organization", "pulumi_team"}
"""Of Pulumi Cloud, which the example doesn't use."""


def example() -> dict[str, Any]:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    return json.loads(block)["acme"]


def test_the_variable_has_what_the_action_asks_for() -> None:
    (action,) = ACTIONS
    asked = {(bool(identity), name) for identity, name in NAMES.findall(action.read_text())}
    entry = example()
    assert {name for identity, name in asked if not identity} == entry.keys() - {"preview", "up"}
    for which in ("preview", "up"):
        assert {name for identity, name in asked if identity} == entry[which].keys() | CLOUDS
        assert entry[which] != entry["preview" if which == "up" else "up"], "two identities"
    assert all(f"`{name}`" in PAGE for name in CLOUDS)


def test_the_page_names_every_workflow_and_include() -> None:
    for path in WORKFLOWS:
        assert f"| `{path.name}` |" in PAGE
    for path in GITLAB:
        assert f"file: ci/gitlab/{path.name}" in PAGE


def test_the_include_takes_the_pages_inputs() -> None:
    (block,) = blocks(PAGE, "yaml")
    inputs = dict(re.findall(r"^      (\w+): (\S+)$", block, re.MULTILINE))
    assert inputs["stack"] == "acme"
    assert "recording-storage:acme:up" in gitlab("recording-storage", **inputs)
    head = (ROOT / "ci/gitlab/recording-storage.yml").read_text().partition("\n---\n")[0]
    assert all(f"\n    {name}:" in head for name in inputs)


def test_the_pages_commands_print_what_it_shows(tmp_path: Path) -> None:
    first, second = lines(PAGE, "By hand")
    for line in (first, second):
        program = shlex.quote(str(Path(sys.executable).with_name("recording-storage")))
        script = line.command.replace(".venv/bin/recording-storage", program)
        script = script.replace("rehearsal.json", str(tmp_path / "rehearsal.json"))
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
        assert without_verified(done.stdout) == without_verified(line.shown)


def without_verified(text: str) -> str:
    """The text without the number of checks, which docs/verify.md has."""
    return re.sub(r"\d+ verified", "… verified", text)


def test_the_page_has_every_command_and_option() -> None:
    for one in commands.app.registered_commands:
        assert one.callback is not None
        name = one.callback.__name__
        assert f"| `ci {name} " in PAGE, name
        assert command("ci", name, "--help").code == 0


def test_what_the_page_says_of_the_workflows() -> None:
    assert {path.stem for path in WORKFLOWS} == {"pull-request", "pull-request-comment", "up", "drift"}
    assert load(ROOT / ".github/workflows/drift.yml")["on"]["schedule"][0]["cron"].split()[1] == "5,17"
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text(), "no stored keys"
