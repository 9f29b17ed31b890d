"""`recording-storage explain` as a user runs it: what it prints, and how it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = str(Path(sys.executable).with_name("recording-storage"))
SECONDS = 120
STORAGE = {
    "provider": "gcs",
    "bucket_name": "acme-meetings-3hm7tc",
    "project_id": "acme-prod",
    "workload_identity_provider": "projects/4711/locations/global/workloadIdentityPools/acme/providers/recording",
    "service_account_email": "rec-acme@acme-prod.iam.gserviceaccount.com",
}
FAILED: dict[str, Any] = {
    "properties": {
        "bucket_name": "acme-meetings-3hm7tc",
        "storage_provider": "gcs",
        "error_code": "DESTINATION_AUTH_FAILED",
        "error_message": "unauthorized_client: The given credential is rejected by the attribute condition.",
    },
    "conversation_id": "c93a7ead335b",
    "event_type": "application.recording_copy_failed",
    "timestamp": "2026-11-18T22:11:14Z",
}
IN_A_SANDBOX = """
import boto3, json, os, subprocess, sys
calls = json.load(open(os.environ["RECORDING_STORAGE_OUTPUTS"]))["destinations"]["calls"]
ROLE, BUCKET = calls["role_name"], calls["bucket_name"]
def explain(event, *arguments):
    asked = [sys.argv[1], "explain", "-", "--config", os.environ["RECORDING_STORAGE_OUTPUTS"], "-f", "json", *arguments]
    done = subprocess.run(asked, input=json.dumps(event), capture_output=True, text=True)
    print(json.dumps([done.returncode, done.stdout, done.stderr]), flush=True)
def event(type_, **properties):
    return {"event_type": f"application.{type_}", "conversation_id": "c1", "properties": properties}
refused = {"message": "unable to assume role with given parameters"}
explain(refused)
boto3.client("iam").update_role(RoleName=ROLE, MaxSessionDuration=3600)
explain(refused)
explain(event("recording_ready", bucket_name=BUCKET, s3_key="c1/a.mp4", duration=60))
explain(event("recording_ready", bucket_name="somebody-elses", s3_key="c1/a.mp4"))
explain(event("recording_copy_failed", error_code="WORMHOLE", bucket_name=BUCKET))
explain([refused, {"error": "AADSTS700213"}])
"""


def run(*arguments: str, text: str = "", folder: Path | None = None) -> Outcome:
    """Run the command with a standard input."""
    done = subprocess.run(
        [COMMAND, "explain", *arguments],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_a_failure_is_explained_as_text_and_as_json_with_the_same_facts(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(json.dumps(FAILED))
    text = run("event.json", folder=tmp_path)
    assert (text.code, text.err) == (0, "")
    assert "\x1b" not in text.out
    (found,) = run("event.json", "--format", "json", folder=tmp_path).document["events"]
    assert found["event"]["conversation_id"] == "c93a7ead335b"
    assert [one["id"] for one in found["causes"]] == ["G4"]
    assert found["fetch"]["until"] == "2026-12-18"
    said = " ".join(text.out.split())
    facts = [*found["happened"], *found["advice"], *(one["source"] for one in found["symptoms"])]
    facts += [part for one in found["causes"] for part in (one["id"], one["title"], one["mend"])]
    for fact in (*facts, found["fetch"]["until"], found["fetch"]["how"]):
        assert " ".join(fact.split()) in said, fact


def test_unknown_words_are_shown_as_they_are_with_the_general_advice() -> None:
    done = run("-", text="a wormhole opened\n")
    assert done.code == 0
    assert "a wormhole opened" in done.out
    assert "aren't known here" in done.out
    assert "recording-storage verify --stack STACK" in done.out


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        (("nowhere.json",), "", "nowhere.json can't be read: No such file or directory"),
        ((".",), "", ". can't be read: Is a directory"),
        (("-",), "", "standard input says nothing"),
        (("-",), "{}", "standard input says nothing"),
        (("-", "--config", "-"), "{}", "not both"),
        (("-", "--config", "nowhere.json"), "AADSTS700213", "nowhere.json"),
        (
            ("-", "--config", "nowhere.json", "--stack", "prod"),
            "AADSTS700213",
            "either --stack NAME or --config",
        ),
    ],
)
def test_what_cant_be_read_ends_with_two_and_a_sentence(
    arguments: Sequence[str], text: str, said: str
) -> None:
    done = run(*arguments, text=text)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert "defect" not in done.err


def test_what_cant_be_read_is_said_as_json_too() -> None:
    done = run("nowhere.json", "-f", "json")
    assert done.code == 2
    assert "can't be read" in done.document["error"]["message"]


def test_an_event_of_other_storage_isnt_ours(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(STORAGE))
    other = FAILED | {"properties": FAILED["properties"] | {"bucket_name": "somebody-elses"}}
    done = run("-", "--config", str(tmp_path / "config.json"), text=json.dumps(other))
    assert done.code == 1
    assert "NOT OURS" in done.out
    assert "somebody-elses" in done.out


def test_a_ready_recording_of_ours_is_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(STORAGE))
    ready = {
        "event_type": "application.recording_ready",
        "properties": {"storage_uri": "gs://acme-meetings-3hm7tc/c1/a.mp4", "duration": 1234},
    }
    done = run("-", "--config", str(tmp_path / "config.json"), text=json.dumps(ready))
    assert done.code == 0
    assert "The recording of 1234 s is stored: gs://acme-meetings-3hm7tc/c1/a.mp4" in done.out
    assert "Nothing is to be done." in done.out


def test_the_help_says_what_silence_means() -> None:
    said = " ".join(re.sub(r"[│╭╮╰╯─]", " ", command("explain", "--help").out).split())
    assert "fails in silence" in said
    assert "Run recording-storage verify." in said


def test_the_named_checks_are_run_at_once(tmp_path: Path) -> None:
    write_project(tmp_path / "acme", {"destinations": {"calls": {"provider": "s3", "region": "eu-west-1"}}})
    done = subprocess.run(
        [COMMAND, "sandbox", "--stack", "acme", "--", sys.executable, "-c", IN_A_SANDBOX, COMMAND],
        cwd=tmp_path / "acme",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ended = [Outcome(*json.loads(line)) for line in done.stdout.splitlines()]
    codes = [one.code for one in ended]
    found = [one.document["events"][0] for one in ended]
    looked = [
        {one["id"]: one["status"] for one in event["verified"]["results"]} if event["verified"] else None
        for event in found
    ]
    assert looked[0] == {"S1": "pass", "S2": "pass"}
    assert looked[1] == {"S1": "fail", "S2": "pass"}
    assert looked[2:4] == [None, None]
    assert [event["destinations"] for event in found] == [["calls"]] * 3 + [[]] + [["calls"]] * 2
    assert looked[4] is not None
    assert len(looked[4]) > 2, "of an unknown code everything is looked at"
    assert looked[4]["S1"] == "fail"
    assert codes == [0, 1, 0, 1, 1, 1]
