"""The page about `verify` shows what happens, and names every check as the code has it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recording_storage.verify.tables import CHECKS
from tests.support.console import lines
from tests.support.projects import ROOT, write_project

PAGE = (ROOT / "docs/verify.md").read_text()
INSTALLED = str(Path(sys.executable).with_name("recording-storage"))
VERIFY = "recording-storage verify --stack acme"
PULUMI = '#!/bin/sh\ncat "$RECORDING_STORAGE_OUTPUTS"\n'
SHORTEN = """
import boto3, json, os
role = json.load(open(os.environ["RECORDING_STORAGE_OUTPUTS"]))["destinations"]["calls"]["role_name"]
boto3.client("iam").update_role(RoleName=role, MaxSessionDuration=3600)
"""
SECTIONS = {"S": "Amazon S3", "G": "Google Cloud Storage", "Z": "Azure Blob Storage", "W": "The conversation"}


@pytest.mark.parametrize("letter", SECTIONS)
def test_the_page_lists_every_check(letter: str) -> None:
    section = PAGE.split(f"### {SECTIONS[letter]}\n")[1].split("\n## ")[0].split("\n### ")[0]
    rows = [line for line in section.splitlines() if line.startswith(f"| {letter}")]
    assert rows == [
        f"| {one.id} | {one.title} | {one.decides} |" for one in CHECKS.values() if one.id[0] == letter
    ]


def test_the_page_shows_what_is_printed(tmp_path: Path) -> None:
    """As the stack was made, and with sessions that somebody has shortened."""
    shown = [line for line in lines(PAGE) if line.command == VERIFY]
    project = write_project(
        tmp_path / "project", {"destinations": {"calls": {"provider": "s3", "region": "eu-west-1"}}}
    )
    (tmp_path / "pulumi").write_text(PULUMI)
    (tmp_path / "pulumi").chmod(0o755)
    script = f"""
import os, subprocess, sys
os.environ["PATH"] = {str(tmp_path)!r} + ":" + os.environ["PATH"]
verify = [{INSTALLED!r}, "verify", "--stack", "acme"]
codes = [subprocess.run(verify).returncode]
print({"-" * 9!r}, flush=True)
{SHORTEN}
codes.append(subprocess.run(verify).returncode)
print({"-" * 9!r}, codes, sep="\\n")
"""
    done = subprocess.run(
        [INSTALLED, "sandbox", "--stack", "acme", "--", sys.executable, "-c", script],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    green, broken, codes = done.stdout.split("---------\n")
    assert json.loads(codes) == [0, 1]
    assert [timeless(green), timeless(broken)] == [timeless(line.shown) for line in shown]


def timeless(text: str) -> str:
    return re.sub(r"in \d+\.\d s", "in … s", text)
