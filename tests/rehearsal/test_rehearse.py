"""The command from the outside: what a user types, reads and gets as an exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import ROOT, command, write_project

CALLS = {"provider": "s3", "region": "eu-west-1"}
SECONDS = 60


def project(folder: Path, **settings: Any) -> Path:
    return write_project(folder / "project", {"destinations": {"calls": CALLS | settings}})


def test_the_local_stack_is_proven() -> None:
    done = command("rehearse")
    assert done.code == 0, done.out + done.err
    assert "calls · Amazon S3 · eu-west-1" in done.out
    words = " ".join(done.out.split())
    assert "private, encrypted, versioned, TLS only, destroy is refused" in words
    assert "12 h, account 291871421005, external id tavus" in done.out
    assert "meetings · Google Cloud Storage · EUROPE-WEST1" in done.out
    assert "private, encrypted, versioned, deleted ones kept 7 days, destroy is refused" in words
    assert "only workspace w-acme, provider recording-service" in words
    assert "may create objects" in words
    assert "support · Azure Blob Storage · westeurope" in done.out
    assert "16 proven, 45 refused, 42 verified, 0 inconclusive in " in done.out
    pasted = json.loads(done.out.splitlines()[-1].removeprefix("recording_storage: "))
    assert sorted(pasted) == ["assume_role_arn", "bucket_name", "bucket_region", "provider"]
    assert done.err == ""
    assert "\x1b" not in done.out, "colour in a pipe"


def test_json_has_the_same_facts(tmp_path: Path) -> None:
    reader = "arn:aws:iam::222233334444:role/player"
    folder = project(
        tmp_path,
        readers=[reader],
        external_id="acme-own",
        additional_external_ids=["tavus"],
        retention_days=30,
        on_destroy="retain",
    )
    done = command("rehearse", "acme", "--format", "json", folder=folder)
    assert done.code == 0, done.out + done.err
    document = done.document
    (destination,) = document["destinations"]
    assert destination["recording_storage"]["external_id"] == "acme-own"
    assert document["recording_storage"] == destination["recording_storage"]
    bucket, role = destination["made"]
    assert "expires after 30 days" in bucket["properties"]
    assert "kept on destroy" in bucket["properties"]
    assert {"external id acme-own", "external id tavus"} <= set(role["properties"])
    found = done.results("calls")
    assert found["proven.additional-external-id-1"]["status"] == "pass"
    assert found["proven.reader-1"]["status"] == "pass"
    assert found["refused.reader-1-writes"]["status"] == "pass"
    assert all(
        set(one) >= {"destination", "id", "status", "title", "evidence", "mend", "source"}
        for one in found.values()
    )
    assert document["summary"]["proven"] == len([id_ for id_ in found if id_.startswith("proven.")])


def test_several_stacks_in_one_document(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "stacks/Pulumi.other.yaml").write_text((folder / "stacks/Pulumi.acme.yaml").read_text())
    done = command("rehearse", "acme", "other", "-f", "json", folder=folder)
    assert done.code == 0, done.err
    assert [one["stack"] for one in done.document["destinations"]] == ["acme", "other"]


def test_accounts_are_those_of_the_configuration(tmp_path: Path) -> None:
    config = {
        "destinations": {
            "calls": CALLS | {"account": "222233334444"},
            "partners": CALLS | {"deploy_role": "arn:aws:iam::444455556666:role/ops/deployer"},
        },
        "default": "partners",
    }
    done = command("rehearse", "acme", "-f", "json", folder=write_project(tmp_path / "project", config))
    assert done.code == 0, done.out + done.err
    accounts = [
        one["recording_storage"]["assume_role_arn"].split(":")[4] for one in done.document["destinations"]
    ]
    assert accounts == ["222233334444", "444455556666"]
    assert done.document["recording_storage"]["assume_role_arn"].split(":")[4] == "444455556666"


BOUNDARY = "arn:aws:iam::111122223333:policy/limits"


@pytest.mark.parametrize(
    ("actions", "code"), [(["s3:*", "sts:*"], 0), (["s3:Get*", "s3:List*"], 1)], ids=["allows", "refuses"]
)
def test_a_boundary_is_what_its_file_says(tmp_path: Path, actions: list[str], code: int) -> None:
    folder = project(tmp_path, permissions_boundary=BOUNDARY, permissions_boundary_file="boundary.json")
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    (folder / "boundary.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    done = command("rehearse", "acme", "-f", "json", folder=folder)
    assert done.code == code, done.out + done.err
    assert ("proven.probe" in done.departures("calls")) is (code == 1)


def test_a_boundary_without_its_document_is_inconclusive(tmp_path: Path) -> None:
    folder = project(tmp_path, permissions_boundary=BOUNDARY)
    done = command("rehearse", "acme", "-f", "json", folder=folder)
    assert done.code == 1
    assert done.departures("calls") == {"unproven.permissions-boundary": "unknown"}


def test_a_boundarys_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    folder = project(tmp_path, permissions_boundary=BOUNDARY, permissions_boundary_file="missing.json")
    done = command("rehearse", "acme", folder=folder)
    assert done.code == 2
    assert "permissions_boundary_file" in done.err
    assert "missing.json" in done.err


def test_a_stack_file_of_another_project_is_told_how_to_be_one_of_its_own(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project", {}, name="acme-recordings")
    file = folder / "stacks" / "Pulumi.acme.yaml"
    written = "config: {recording-storage:destinations: {calls: {provider: s3, region: eu-west-1}}}"
    file.write_text(written)
    done = command("rehearse", "acme", folder=folder)
    assert done.code == 2
    assert "acme-recordings:destinations = (not set)" in done.err
    assert "write destinations alone" in done.err
    file.write_text(written.replace("recording-storage:", ""))
    assert command("rehearse", "acme", folder=folder).code == 0


def test_an_overridden_constant_is_rehearsed_and_said(tmp_path: Path) -> None:
    config = {"destinations": {"calls": CALLS}, "trust_profile": {"s3": {"account": "555566667777"}}}
    done = command("rehearse", "acme", folder=write_project(tmp_path / "project", config))
    assert done.code == 0, done.out + done.err
    assert "account is overridden: 555566667777" in done.out
    assert "account 555566667777" in done.out


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("config: [1, 2]", "mapping"),
        ("- a list", "mapping"),
        ("config:\n  recording-storage:destinations: {}\n", "at least one destination"),
        ("config:\n  recording-storage:destinations:\n    secure: v1:abc\n", "destinations"),
        (
            "config: {recording-storage:destinations: {calls: {provider: s3, region: cn-north-1}}}",
            "partition",
        ),
        ("config:\n\t- tabs", "line"),
    ],
)
def test_bad_input_is_said_and_nothing_is_made(tmp_path: Path, file: str, said: str) -> None:
    folder = project(tmp_path)
    (folder / "stacks/Pulumi.acme.yaml").write_text(file)
    done = command("rehearse", "acme", folder=folder)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_faults_are_json_where_json_is_asked_for(tmp_path: Path) -> None:
    done = command("rehearse", "acme", "-f", "json", folder=project(tmp_path, region="Ireland", account=1))
    assert done.code == 2
    error = done.document["error"]
    assert [fault["key"] for fault in error["faults"]] == [
        "destinations.calls.region",
        "destinations.calls.account",
    ]
    assert all(fault["expected"] and fault["mend"] for fault in error["faults"])
    assert (
        command("rehearse", "nope", "-f", "json", folder=tmp_path / "project").document["error"]["faults"]
        == []
    )


def test_a_stack_that_does_not_exist(tmp_path: Path) -> None:
    done = command("rehearse", "acmee", folder=project(tmp_path))
    assert done.code == 2
    assert "acmee" in done.err
    assert "acme" in done.err.replace("acmee", "")


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    done = command("rehearse", folder=tmp_path)
    assert done.code == 2
    assert "Pulumi.yaml" in done.err


def test_a_program_that_fails_is_reported_with_its_line(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "__main__.py").write_text("import pulumi\n\nraise ValueError('no such thing')\n")
    done = command("rehearse", "acme", folder=folder)
    assert done.code == 1
    assert "ValueError: no such thing (__main__.py, line 3)" in done.out
    assert "Traceback" not in done.out + done.err


def test_a_resource_that_the_table_does_not_know_is_inconclusive(tmp_path: Path) -> None:
    folder = project(tmp_path)
    program = (folder / "__main__.py").read_text()
    (folder / "__main__.py").write_text(program + "\nimport pulumi_aws\npulumi_aws.sqs.Queue('q')\n")
    done = command("rehearse", "acme", "-f", "json", folder=folder)
    assert done.code == 1
    assert done.departures("") == {"proven.program": "unknown"}
    assert "aws:sqs/queue:Queue" in done.results("")["proven.program"]["evidence"]


PRYING = """
import os, urllib.request
found = {name: value for name, value in os.environ.items() if "PRYING" in value or name.startswith(("GOOGLE", "PULUMI_ACCESS"))}
assert not found, found
assert not os.path.exists(os.path.expanduser("~/.aws/credentials"))
try:
    urllib.request.urlopen("https://example.com", timeout=5)
except OSError as error:
    assert "403" in str(error), error
else:
    raise AssertionError("example.com was reached")
"""


def test_the_program_finds_nothing_of_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.setenv(name, "PRYING")
    folder = write_project(tmp_path / "project", {"destinations": {"calls": CALLS}}, change=PRYING)
    done = command("rehearse", "acme", folder=folder)
    assert done.code == 0, done.out + done.err


def test_an_interrupted_rehearsal_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    rehearsing = subprocess.Popen(
        [str(Path(sys.executable).with_name("recording-storage")), "rehearse", "-C", str(ROOT)],
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests themselves run in the background, a shell has had them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + SECONDS
    while not list(temporary.glob("recording-storage-*/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    rehearsing.send_signal(signal.SIGINT)
    _, err = rehearsing.communicate(timeout=SECONDS)
    assert rehearsing.returncode == 130
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []
    # One that was just being started ends by itself, when it finds nobody to hear from.
    while _processes_in(temporary) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes_in(temporary) == []


def test_a_finished_rehearsal_leaves_nothing_behind(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(
            [str(Path(sys.executable).with_name("recording-storage")), "rehearse", "-C", str(ROOT)],
            env=os.environ | {"TMPDIR": temporary},
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )
        assert list(Path(temporary).iterdir()) == []
        assert _processes_in(Path(temporary)) == []


def _processes_in(folder: Path) -> list[str]:
    """Processes whose home is inside the folder; empty where there is no /proc."""
    found: list[str] = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"HOME={folder}/recording-storage-" in environ.read_text(errors="replace"):
                found.append(str(environ.parent))
        except OSError:
            continue
    return found


def test_help_teaches() -> None:
    done = command("rehearse", "--help")
    assert done.code == 0
    assert "recording-storage rehearse prod" in done.out


@pytest.mark.parametrize(("stack", "package"), [("simple", "moto"), ("gcs", "gcp_storage_emulator")])
def test_a_cloud_that_is_not_installed_is_named(stack: str, package: str) -> None:
    without = f"import sys; sys.modules[{package!r}] = None; sys.argv[0] = 'recording-storage'"
    program = f"{without}; from recording_storage.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "rehearse", stack],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"the Python package {package} isn't installed")
    assert "`make setup`" in done.stderr
    assert "Traceback" not in done.stderr
