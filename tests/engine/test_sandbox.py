"""`recording-storage sandbox -- pulumi …`, as a user calls it: nothing of it reaches real state or stack files."""

from __future__ import annotations

import json
import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.engine import MARKS
from tests.support.projects import ROOT, Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = MARKS

CALLS = {"calls": {"provider": "s3", "region": "eu-west-1", "on_destroy": "delete"}}
SALT = "encryptionsalt: v1:AAAAAAAAAAA=:v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"


def sandbox(*words: str, folder: Path = ROOT) -> Outcome:
    return command("sandbox", *words, folder=folder)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of somebody who has state, and a stack file with a secrets provider, elsewhere."""
    made = write_project(tmp_path / "project", {"destinations": CALLS})
    file = made / "stacks" / "Pulumi.acme.yaml"
    config = json.loads(file.read_text())["config"]
    file.write_text(f"config: {json.dumps(config)}\n{SALT}")
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "state").as_uri())
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another")
    return made


@pytest.mark.parametrize("stack", ["simple", "gcs", "azure-existing"])
def test_a_stack_comes_up_at_the_first_try(stack: str) -> None:
    done = sandbox("--", "pulumi", "up", "--stack", stack, "--yes", "--skip-preview")
    assert done.code == 0, done.out + done.err
    assert "created" in done.out
    assert f"the stack {stack} begins empty here" in done.err
    assert "refused" not in done.err


PAGES = (ROOT / "docs/sandbox.md", ROOT / "docs/rehearsal.md")


@pytest.mark.parametrize(
    "line",
    [
        line.removeprefix("$ .venv/bin/recording-storage ")
        for page in PAGES
        for line in page.read_text().splitlines()
        if line.startswith("$ ") and re.search(r"pulumi (up|preview)|--engine pulumi", line)
    ],
)
def test_the_pages_commands_work(line: str) -> None:
    done = command(*shlex.split(line))
    assert done.code == 0, done.out + done.err


def test_a_shell_may_take_a_stack_through_its_life(project: Path) -> None:
    life = (
        "pulumi stack init acme",
        "pulumi up --yes --skip-preview",
        "pulumi up --yes --skip-preview --expect-no-changes",
        "pulumi stack output recording_storage --json",
        "pulumi config set --path 'recording-storage:destinations.calls.retention_days' 30",
        "pulumi up --yes --skip-preview",
        "pulumi destroy --yes --skip-preview",
    )
    script = f"set -e; exec 3>&1 >&2; {'; '.join(life[:3])}; {life[3]} >&3; {'; '.join(life[4:])}"
    done = sandbox("--no-provision", "--stack", "acme", "--", "sh", "-c", script, folder=project)
    assert done.code == 0, done.out + done.err
    assert json.loads(done.out)["provider"] == "s3"


def test_nothing_reaches_the_state_the_home_or_the_project(project: Path) -> None:
    before = {path: path.read_bytes() for path in project.parent.rglob("*") if path.is_file()}
    done = sandbox("--", "pulumi", "up", "-s", "acme", "--yes", "--skip-preview", folder=project)
    assert done.code == 0, done.out + done.err
    assert "on a copy of" in done.err
    assert {path: path.read_bytes() for path in project.parent.rglob("*") if path.is_file()} == before


def test_a_stack_that_was_provisioned_by_the_engine_is_in_the_state() -> None:
    script = "pulumi preview --expect-no-changes && pulumi stack output recording_storage --json"
    done = sandbox(
        "--engine",
        "pulumi",
        "-s",
        "simple",
        "--",
        "sh",
        "-c",
        f"({script}) >&2 && cat $RECORDING_STORAGE_OUTPUTS",
    )
    assert done.code == 0, done.out + done.err
    assert json.loads(done.out)["recording_storage"]["provider"] == "s3"
    assert "12 unchanged" in done.err


def test_without_the_resources_only_what_the_stack_assumes_is_there() -> None:
    python = "import boto3; print([one['Name'] for one in boto3.client('s3').list_buckets()['Buckets']])"
    done = sandbox("--no-provision", "-s", "existing", "--", sys.executable, "-c", python)
    assert done.out == "['acme-recordings']\n", done.err


def test_a_failed_update_is_the_sandboxs_exit_code(project: Path) -> None:
    script = "pulumi up -s acme --yes --skip-preview --policy-pack nowhere"
    done = sandbox("--", *script.split(), folder=project)
    assert done.code not in (0, 2)
