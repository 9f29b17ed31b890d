"""The examples' programs as their page has them: the recordings first, then the application that refers to them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.console import Line, Ran, lines, run
from tests.support.engine import MARKS
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = MARKS

SHELL, *SHOWN = lines((ROOT / "examples" / "README.md").read_text())
KEY = "c93a7ead335b/call.mp4"
"""What `docs/play_s3.py` records."""
STEADY = "pulumi preview --expect-no-changes -s sandbox -C examples/"
GIVEN = "pulumi stack output calls -s sandbox -C examples/recordings"
RECORD = f"""
outputs=$(mktemp)
{SHOWN[-1].command} | {sys.executable} -c 'import json; print(json.dumps(json.loads(input())["properties"]))' > $outputs
RECORDING_STORAGE_OUTPUTS=$outputs {sys.executable} docs/play_s3.py
"""
PLAY = f'{sys.executable} tests/support/player.py player-sandbox "$({GIVEN})" {KEY}'
DOWN = "pulumi destroy -s sandbox -C examples/"
AFTER = (
    f"{STEADY}recordings",
    f"{STEADY}application",
    GIVEN,
    RECORD,
    PLAY,
    f"{DOWN}application",
    f"{DOWN}recordings",
)


@pytest.fixture(scope="module")
def ran() -> Mapping[str, Ran]:
    """What became of the page's lines and of more."""
    commands = [*(line.command for line in SHOWN), *AFTER]
    return dict(zip(commands, run(commands, ROOT), strict=True))


def test_the_lines_are_for_a_shell_in_the_sandbox() -> None:
    assert SHELL.command == ".venv/bin/recording-storage sandbox -- bash"


@pytest.mark.parametrize("line", SHOWN, ids=lambda line: line.command)
def test_a_line_does_what_the_page_shows(ran: Mapping[str, Ran], line: Line) -> None:
    done = ran[line.command]
    assert done.code == 0, done.out
    assert done.out.endswith(line.shown)


def test_the_application_has_what_the_recordings_hand_over(ran: Mapping[str, Ran]) -> None:
    conversation = json.loads(ran[SHOWN[-1].command].out)
    assert conversation["properties"] == json.loads(ran[GIVEN].out)["conversation_properties"]


@pytest.mark.parametrize("project", ["recordings", "application"])
def test_a_preview_finds_nothing_to_change(ran: Mapping[str, Ran], project: str) -> None:
    assert ran[STEADY + project].code == 0, ran[STEADY + project].out


def test_the_service_records_to_what_the_application_hands_over(ran: Mapping[str, Ran]) -> None:
    assert ran[RECORD].out == "written\nDeleteObject AccessDenied\nAssumeRole AccessDenied\n"


def test_the_applications_player_plays_and_does_not_write(ran: Mapping[str, Ran]) -> None:
    assert ran[PLAY].out == "a recording\nPutObject AccessDenied\n"


def test_the_application_goes_first_and_the_recordings_stay(ran: Mapping[str, Ran]) -> None:
    assert ran[f"{DOWN}application"].code == 0, ran[f"{DOWN}application"].out
    refused = ran[f"{DOWN}recordings"]
    assert refused.code != 0
    assert "because it is protected" in refused.out
