"""A project made from this one with `pulumi new`, as the README shows it: it works under a name of its own."""

from __future__ import annotations

import filecmp
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.console import copy_of_the_repository, lines, run
from tests.support.engine import MARKS
from tests.support.projects import ROOT, command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = MARKS

README = (ROOT / "README.md").read_text()
LINES = [line.command for line in lines(README, "Your own stack") if not line.command.startswith(".venv")]
OTHERS = "config:\n  recording-storage:destinations:\n    calls: {provider: s3, region: eu-west-1}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clone = copy_of_the_repository(tmp_path_factory.mktemp("new") / "clone")
    assert LINES
    for one, done in zip(LINES, run(LINES, clone), strict=True):
        assert done.code == 0, one + done.out
    return clone.with_name("acme-recordings")


def test_it_has_every_file_as_it_was_but_for_the_projects_own(project: Path) -> None:
    clone = project.with_name("clone")
    names = subprocess.run(("git", "ls-files"), cwd=clone, capture_output=True, text=True, check=True)
    same, changed, missing = filecmp.cmpfiles(clone, project, names.stdout.splitlines(), shallow=False)
    assert same
    assert (changed, missing) == (["Pulumi.yaml"], [])
    assert (project / "Pulumi.yaml").read_text().startswith("name: acme-recordings\n")


def test_its_stacks_are_rehearsed(project: Path) -> None:
    done = command("rehearse", "simple", folder=project)
    assert done.code == 0, done.out + done.err


def test_its_stacks_come_up(project: Path) -> None:
    up = ("pulumi", "up", "--stack", "simple", "--yes", "--skip-preview")
    done = command("sandbox", "--", *up, folder=project)
    assert done.code == 0, done.out + done.err
    assert "acme-recordings-simple" in done.out


def test_a_stack_file_of_another_project_is_told_how_to_be_one_of_its_own(project: Path) -> None:
    (project / "stacks" / "Pulumi.others.yaml").write_text(OTHERS)
    done = command("sandbox", "--", "pulumi", "preview", "--stack", "others", folder=project)
    assert done.code != 0
    assert "recording-storage:destinations is written for the project recording-storage" in done.out
    assert "write destinations alone" in done.out
