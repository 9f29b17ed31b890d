"""docs/explain.md: what it shows is printed, and its table is the code's."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from recording_storage import cli
from recording_storage.explain import SYMPTOMS, text
from tests.support.console import Line, lines
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs/explain.md").read_text()
WRITTEN_ON = date(2026, 11, 20)
EXAMPLE = re.compile(r"^## (?P<title>.+)\n(?:(?!^## ).*\n)*?```json\n(?P<event>(?:.*\n)*?)```$", re.MULTILINE)
EVENTS = {found["title"]: found["event"] for found in EXAMPLE.finditer(PAGE)}
NAMES = {"s3": "Amazon S3", "gcs": "Google Cloud", "azure_blob": "Azure"}


def printed(line: Line, event: str, folder: Path) -> str:
    """What a documented command prints, with the event of its section in event.json."""
    (folder / "event.json").write_text(event)
    piped, _, asked = line.command.rpartition(" | ")
    said = re.fullmatch(r"echo '(.*)'", piped)
    done = CliRunner().invoke(
        cli.app, asked.split()[1:], input=said[1] if said else None, env={"PYTHONUTF8": "1"}
    )
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("section", ["On Amazon S3", *EVENTS])
def test_the_pages_examples_print_what_it_shows(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "today", lambda: WRITTEN_ON)
    monkeypatch.chdir(tmp_path)
    (line,) = lines(PAGE, section)
    assert printed(line, EVENTS.get(section, ""), tmp_path) == line.shown


def test_every_provider_has_an_example() -> None:
    assert {"On Google Cloud Storage", "On Azure Blob Storage", "A recording that is there"} == set(EVENTS)


def test_the_pages_table_is_the_codes_own() -> None:
    rows = [line for line in PAGE.split("\n## What is known\n")[1].splitlines() if line.startswith("| ")]
    assert rows[1:] == [
        f"| {one.code} | {NAMES[one.provider]} | {one.happened} | {' '.join(one.checks)} | {one.certainty} |"
        for one in SYMPTOMS
    ]
