"""The README's way into an account, line by line: the sandbox is the account."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.console import Line, Ran, blocks, copy_of_the_repository, lines, run
from tests.support.engine import MARKS
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = MARKS

README = (ROOT / "README.md").read_text()
SETUP, *LINES = lines(README, "Into your account")
"""The tests' own target has run the first."""
COMMAND = ".venv/bin/recording-storage"
INSTALLED = str(Path(sys.executable).with_name("recording-storage"))
VERIFY = f"{COMMAND} verify --stack acme"
UNCHANGED = "pulumi preview --expect-no-changes"
CURL = 'curl() { printf %s "${@: -1}"; }'
"""The API isn't in a sandbox: what would be posted to it."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Line, Ran]]:
    """Each line that the README shows, and one more, by the command's first words."""
    project = copy_of_the_repository(tmp_path_factory.mktemp("clone"))
    (stack_file,) = blocks(README, "yaml")
    (project / "stacks" / "Pulumi.acme.yaml").write_text(stack_file)
    wanted = [*LINES, Line(UNCHANGED, "")]
    found = run([line.command.replace(COMMAND, INSTALLED) for line in wanted], project, CURL)
    return {
        line.command.split("  ")[0].split(" \\\n")[0]: (line, one)
        for line, one in zip(wanted, found, strict=True)
    }


def test_the_lines_are_those_of_someone_with_an_account() -> None:
    assert SETUP.command == "make setup"
    assert [line.command.split("  ")[0].split(" \\\n")[0] for line in LINES] == [
        "pulumi login",
        "pulumi stack init acme",
        "pulumi preview",
        "pulumi up",
        "pulumi stack output recording_storage --json",
        "curl --request POST https://tavusapi.com/v2/conversations",
        VERIFY,
        "pulumi destroy",
    ]


@pytest.mark.parametrize("command", ["pulumi login", "pulumi stack init acme", "pulumi preview", "pulumi up"])
def test_a_line_does_what_it_says(ran: Mapping[str, tuple[Line, Ran]], command: str) -> None:
    _, done = ran[command]
    assert done.code == 0, done.out


def test_the_output_is_as_shown(ran: Mapping[str, tuple[Line, Ran]]) -> None:
    line, done = ran["pulumi stack output recording_storage --json"]
    assert line.shown
    assert done.out == line.shown


def test_the_request_hands_the_output_over(ran: Mapping[str, tuple[Line, Ran]]) -> None:
    line, _ = ran["pulumi stack output recording_storage --json"]
    _, done = ran["curl --request POST https://tavusapi.com/v2/conversations"]
    assert json.loads(done.out)["properties"] == {
        "enable_recording": True,
        "recording_storage": json.loads(line.shown),
    }


def test_what_is_live_verifies_as_shown(ran: Mapping[str, tuple[Line, Ran]]) -> None:
    line, done = ran[VERIFY]
    assert done.code == 0, done.out
    assert re.sub(r"in \d+\.\d s", "in … s", done.out) == re.sub(r"in \d+\.\d s", "in … s", line.shown)


def test_destroy_is_refused_and_changes_nothing(ran: Mapping[str, tuple[Line, Ran]]) -> None:
    line, done = ran["pulumi destroy"]
    assert "# refused" in line.command
    assert done.code != 0
    assert "because it is protected" in done.out
    assert ran[UNCHANGED][1].code == 0, ran[UNCHANGED][1].out
