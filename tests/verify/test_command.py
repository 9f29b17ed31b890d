"""`recording-storage verify` as a user runs it: what it reads, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from tests.support.projects import Outcome, command, write_project

COMMAND = str(Path(sys.executable).with_name("recording-storage"))
CONFIG: dict[str, Any] = {"destinations": {"calls": {"provider": "s3", "region": "eu-west-1"}}}
SECONDS = 120
SHORTEN = """
import boto3
role = json.load(open(os.environ["RECORDING_STORAGE_OUTPUTS"]))["destinations"]["calls"]["role_name"]
boto3.client("iam").update_role(RoleName=role, MaxSessionDuration=3600)
"""
MEND_LATER = """
import boto3, threading, time
role = json.load(open(os.environ["RECORDING_STORAGE_OUTPUTS"]))["destinations"]["calls"]["role_name"]
iam = boto3.client("iam")
iam.update_role(RoleName=role, MaxSessionDuration=3600)
threading.Timer(4, lambda: iam.update_role(RoleName=role, MaxSessionDuration=43200)).start()
"""


class Console:
    """A shell's place in a sandbox that holds the stack: what is asked there, all at once, to save time."""

    def __init__(self, folder: Path) -> None:
        write_project(folder, CONFIG)
        self.folder = folder
        (folder / "bin").mkdir()
        pulumi = folder / "bin/pulumi"
        pulumi.write_text(
            '#!/bin/sh\n[ "$5" = acme ] || { echo "no stack named $5 found" >&2; exit 255; }\n'
            'cat "$RECORDING_STORAGE_OUTPUTS"\n'
        )
        pulumi.chmod(0o755)

    def run(self, *arguments: str, first: str = "", text: str | None = None, **variables: str) -> Outcome:
        """Run the command in a fresh sandbox, after the statements in `first`."""
        script = "\n".join(
            [
                "import json, os, subprocess, sys",
                first,
                f"text = {text!r}",
                f"os.environ |= {variables!r}",
                f"os.environ['PATH'] = {str(self.folder / 'bin')!r} + ':' + os.environ['PATH']",
                f"done = subprocess.run([{COMMAND!r}, 'verify', *sys.argv[1:]], input=text, text=True)",
                "sys.exit(done.returncode)",
            ]
        )
        done = subprocess.run(
            [COMMAND, "sandbox", "--stack", "acme", "--", sys.executable, "-c", script, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Console:
    return Console(tmp_path_factory.mktemp("project") / "acme")


def test_what_the_stack_made_is_green(console: Console) -> None:
    done = console.run("--stack", "acme")
    assert done.code == 0, done.out + done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("calls · Amazon S3 · ")
    assert all(line.startswith("  passed    S") for line in lines[1:-2])
    assert lines[-1].startswith("12 passed, 0 FAILED in ")


def test_what_is_broken_is_named_with_its_evidence_and_mend(console: Console) -> None:
    done = console.run("--stack", "acme", "--format", "json", first=SHORTEN)
    (broken,) = [one for one in done.document["results"] if one["status"] != "pass"]
    assert done.code == 1
    assert broken["id"] == "S1"
    assert "3600" in broken["evidence"]
    assert "43200" in broken["mend"]
    assert broken["source"].startswith("https://")


def test_a_pipeline_reads_the_same(console: Console) -> None:
    done = console.run("--stack", "acme", "--format", "junit", first=SHORTEN)
    (suite,) = JUnitXml.fromstring(done.out.encode())
    assert done.code == 1
    assert (suite.tests, suite.failures, suite.errors) == (12, 1, 0)


def test_watching_waits_until_it_is_green(console: Console) -> None:
    done = console.run("--stack", "acme", "--watch", "--timeout", "1m", first=MEND_LATER)
    assert done.code == 0, done.out
    assert "not green yet: calls S1" in done.err


def test_without_credentials_it_says_how_to_get_some(console: Console) -> None:
    storage = {
        "provider": "s3",
        "bucket_name": "acme-calls",
        "bucket_region": "eu-west-1",
        "assume_role_arn": "arn:aws:iam::111122223333:role/recordings",
    }
    nobody = {
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
    }
    done = console.run("--config", "-", text=json.dumps(storage), **nobody)
    assert done.code == 2
    assert "credentials" in done.err
    assert "Traceback" not in done.err


def test_a_stack_that_pulumi_does_not_know_is_named(console: Console) -> None:
    done = console.run("--stack", "other")
    assert (done.code, done.out) == (2, "")
    assert "other: pulumi gives no outputs: no stack named other found" in done.err


def test_it_fits_a_narrow_terminal(console: Console) -> None:
    done = console.run("--stack", "acme", COLUMNS="40", first=SHORTEN)
    assert done.code == 1
    assert "S1" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "either --stack NAME or --config FILE"),
        (("--stack", "a", "--config", "b"), "either --stack NAME or --config FILE"),
        (("--config", "none.json"), "No such file"),
        (("--stack", "acme", "--watch", "--timeout", "soon"), "--timeout: soon"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    done = command("verify", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_without_the_cli_it_says_how_to_pipe_the_outputs() -> None:
    done = subprocess.run(
        [COMMAND, "verify", "--stack", "acme"],
        env=os.environ | {"PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "pulumi stack output --json | recording-storage verify --config -" in done.stderr
