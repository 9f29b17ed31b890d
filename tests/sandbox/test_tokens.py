"""`recording-storage token`: who has it, is the recording service, or isn't; outside of a sandbox nobody has it."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from recording_storage.tokens import seconds
from tests.support.projects import Outcome, command, write_project

ISSUER = "https://recording-copy.tavus.io"
COMMAND = str(Path(sys.executable).with_name("recording-storage"))


def inside(*arguments: str) -> Outcome:
    """Ask for a token in a sandbox."""
    return command("sandbox", "--", COMMAND, "token", *arguments)


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_a_token_says_what_is_asked_for() -> None:
    done = inside("--subject", "w acme/42", "--audience", "//iam.googleapis.com/x", "--lifetime", "90s")
    assert done.code == 0, done.err
    said = claims(done.out.strip())
    assert said["exp"] - said["iat"] == 90
    assert {name: said[name] for name in ("iss", "sub", "aud")} == {
        "iss": ISSUER,
        "sub": "w acme/42",
        "aud": "//iam.googleapis.com/x",
    }


def test_a_token_can_be_over() -> None:
    said = claims(inside("--subject", "w", "--audience", "a", "--lifetime=-5m").out)
    assert said["exp"] == said["iat"] - 300


@pytest.mark.parametrize(
    ("written", "meant"), [("90s", 90), ("10m", 600), ("1h", 3600), ("-5m", -300), ("+1h", 3600)]
)
def test_lifetimes(written: str, meant: int) -> None:
    assert seconds(written) == meant


@pytest.mark.parametrize("written", ["", "10", "m", "1.5h", "1d", "1h30m", " 1h"])
def test_what_is_no_lifetime_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no lifetime"):
        seconds(written)


def test_outside_of_a_sandbox_there_is_none() -> None:
    done = command("token", "--subject", "w", "--audience", "a")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "there are tokens in a sandbox only: enter one with `recording-storage sandbox -- bash`\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lifetime", "soon"], "soon is no lifetime"),
        (["--issuer", "http://recording-copy.tavus.io"], "begins with https://"),
        (["--issuer", "https://issuer.example.net"], "https://issuer.example.net isn't stood in for"),
        (["--issuer", f"{ISSUER}/another"], "404"),
    ],
)
def test_what_cannot_be_had_is_said(arguments: list[str], said: str) -> None:
    done = inside("--subject", "w", "--audience", "a", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_help_teaches() -> None:
    done = command("token", "--help")
    assert done.code == 0
    assert "--lifetime=-5m" in done.out
    assert "recording-storage sandbox --stack" in done.out


PLAYS = """
import json, os, subprocess, sys, urllib.error, urllib.parse, urllib.request

outputs = json.load(open(os.environ["RECORDING_STORAGE_OUTPUTS"]))
provider = outputs["destinations"]["calls"]["workload_identity_provider"]
audience = "//iam.googleapis.com/" + provider

def exchanged(*more):
    asked = [sys.argv[1], "token", "--audience", audience, *more]
    form = {
        "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
        "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
        "subjectToken": subprocess.check_output(asked, text=True).strip(),
        "audience": audience,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
    }
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request("https://sts.googleapis.com/v1/token", json.dumps(form).encode(), headers)
    try:
        return "access_token" in json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]

for more in (["-s", "w-acme"], ["-s", "w-acme", "--forged"], ["-s", "w-acme", "--lifetime=-5m"], ["-s", "W-ACME"]):
    print(exchanged(*more))
"""


def test_anyone_can_be_the_service_or_somebody_else(tmp_path: Path) -> None:
    calls = {"provider": "gcs", "project": "acme-prod", "location": "EU", "workspace_id": "w-acme"}
    folder = write_project(tmp_path / "project", {"destinations": {"calls": calls}})
    program = [sys.executable, "-c", PLAYS, COMMAND]
    done = command("sandbox", "--stack", "acme", "--", *program, folder=folder)
    assert done.out.splitlines() == ["True", "invalid_grant", "invalid_grant", "unauthorized_client"], (
        done.err
    )
