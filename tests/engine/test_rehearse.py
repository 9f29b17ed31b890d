"""`rehearse --engine pulumi`: the rehearsal through the real CLI, with a preview first."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from recording_storage.engine.equipment import find
from recording_storage.rehearsal import rehearse
from recording_storage.rehearsal.programs import PULUMI
from recording_storage.stackfile import stacks
from tests.support.engine import MARKS
from tests.support.projects import ROOT, Outcome, command, write_project

CALLS = {"calls": {"provider": "s3", "region": "eu-west-1"}}
WHOLE = {"proven.preview", "proven.unchanged"}
ONLY_IN_UP = """
import pulumi_aws
if not pulumi.runtime.is_dry_run():
    pulumi_aws.s3.Bucket("surprise", bucket="acme-surprise", region="eu-west-1")
"""
NEVER_THE_SAME = """
import time, pulumi_aws
pulumi_aws.s3.Bucket("clock", bucket="acme-clock", region="eu-west-1", tags={"at": str(time.time())})
"""
BROKEN = """
import pulumi_aws
pulumi_aws.s3.Bucket("spoken", bucket="Acme Calls", region="eu-west-1")
"""


def rehearsed(folder: Path, change: str = "") -> Outcome:
    project = write_project(folder / "project", {"destinations": CALLS}, change=change)
    return command("rehearse", "acme", "--engine", "pulumi", "-f", "json", folder=project)


class TestWithTheCli:
    pytestmark = MARKS

    @pytest.mark.parametrize("stack", stacks(ROOT))
    def test_an_example_is_proven_as_without_the_cli(self, stack: str) -> None:
        done = command("rehearse", stack, "--engine", "pulumi", "-f", "json")
        assert done.code == 0, done.out + done.err
        without = command("rehearse", stack, "-f", "json").document
        assert done.results("").keys() - {"unproven.configuration"} == WHOLE
        assert held(done.document) == held(without) | {("", id_): "pass" for id_ in WHOLE}
        assert made(done.document) == made(without)

    def test_what_only_up_makes_is_found(self, tmp_path: Path) -> None:
        done = rehearsed(tmp_path, ONLY_IN_UP)
        assert done.code == 1
        assert done.departures("")["proven.preview"] == "fail"
        assert "create surprise (aws:s3/bucket:Bucket)" in done.results("")["proven.preview"]["evidence"]

    def test_what_never_settles_is_found(self, tmp_path: Path) -> None:
        done = rehearsed(tmp_path, NEVER_THE_SAME)
        assert done.code == 1
        assert done.departures("") == {"proven.unchanged": "fail"}
        assert "update clock (aws:s3/bucket:Bucket)" in done.results("")["proven.unchanged"]["evidence"]

    def test_what_can_not_be_made_is_named(self, tmp_path: Path) -> None:
        done = rehearsed(tmp_path, BROKEN)
        assert done.code == 1
        (failed,) = done.document["results"]
        assert (failed["id"], failed["status"]) == ("proven.program", "fail")
        assert "spoken" in failed["evidence"]
        assert "Invalid bucket name" in failed["evidence"]

    def test_progress_names_what_is_going_on(self, tmp_path: Path) -> None:
        said: list[str] = []
        project = write_project(tmp_path / "project", {"destinations": CALLS})
        assert rehearse(project, "acme", said.append, PULUMI).held
        assert "previewing: create calls-bucket" in said
        assert said.index("previewing: create calls-bucket") < said.index("making: create calls-bucket")
        assert any(one.startswith("looking for what would change") for one in said)

    def test_nothing_is_written_into_the_project(self, tmp_path: Path) -> None:
        project = write_project(tmp_path / "project", {"destinations": CALLS})
        before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
        assert command("rehearse", "acme", "--engine", "pulumi", folder=project).code == 0
        assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before

    def test_the_text_says_what_the_engine_proved(self) -> None:
        done = command("rehearse", "simple", "--engine", "pulumi")
        assert (
            "simple · under the Pulumi engine\n"
            "  proven    previewed, and made as previewed · refreshed, and nothing to change\n" in done.out
        )
        assert "9 proven, 9 refused, 12 verified, 0 inconclusive" in done.out


def test_without_the_cli_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find()
    parts = os.environ["PATH"].split(os.pathsep)
    without = [one for one in parts if found is None or one != str(Path(found).parent)]
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), *without]))
    done = command("rehearse", "simple", "--engine", "pulumi")
    assert done.code == 2
    assert done.err == (
        "simple: the Pulumi CLI isn't on PATH: install it (https://www.pulumi.com/docs/install), "
        "or leave --engine out\n"
    )


def made(document: dict[str, Any]) -> str:
    """The destinations, but for ids that a cloud gives at random."""
    return re.sub(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "<id>",
        json.dumps(document["destinations"], sort_keys=True),
    )


def held(document: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(one["destination"], one["id"]): one["status"] for one in document["results"]}
