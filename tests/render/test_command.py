"""`recording-storage render` as it is called: what it reads, where it writes, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recording_storage.cli import RenderFormat
from recording_storage.render import FORMATS, Destinations, Options, render
from tests.render.test_api import GCS, S3

COMMAND = str(Path(sys.executable).with_name("recording-storage"))
SECONDS = 60
OUTPUTS: dict[str, Any] = {
    "recording_storage": S3,
    "destinations": {
        "calls": {"recording_storage": dict(sorted(S3.items())), "bucket_uri": "s3://acme-calls"},
        "meetings": {"recording_storage": dict(sorted(GCS.items()))},
    },
}
TERRAFORM = {name: {"sensitive": False, "type": "x", "value": value} for name, value in OUTPUTS.items()}
STACK = Destinations({"calls": S3, "meetings": GCS}, "calls")
PULUMI = """#!/bin/sh
test "$*" = "stack output --json --stack acme --non-interactive" && exec cat "$OUTPUTS"
echo "error: no stack named '$5' found" >&2
exit 255
"""


def asked(
    *arguments: str, given: str | None = None, path: str = "/nonexistent", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [COMMAND, "render", *arguments],
        input=given.encode() if given is not None else b"",
        env={"PATH": path, **environment},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


def test_the_formats_of_the_command_are_the_table() -> None:
    assert [one.value for one in RenderFormat] == list(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_the_formats_text_and_nothing_else(form: str) -> None:
    who = ("--replica-id", "r1") if "replica_id" in FORMATS[form].options else ()
    done = asked("--config", "-", "--format", form, *who, given=json.dumps(OUTPUTS))
    text = render(form, STACK, None, Options(replica_id="r1" if who else None))
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, text, b"")


def test_the_object_is_the_default_format(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(OUTPUTS))
    assert json.loads(asked("-c", str(file)).stdout) == S3
    assert json.loads(asked("-c", str(file), "-d", "meetings").stdout) == GCS


@pytest.mark.parametrize(
    "given",
    [OUTPUTS, TERRAFORM, {**OUTPUTS, "url": "https://example.com"}, {"a": {"b": S3}}, S3, [S3]],
)
def test_the_default_is_known_in_every_shape(given: object) -> None:
    assert json.loads(asked("--config", "-", given=json.dumps(given)).stdout) == S3


def test_the_older_flat_properties_become_the_object() -> None:
    flat = asked("--config", "-", "-f", "legacy", given=json.dumps(S3)).stdout.decode()
    assert json.loads(asked("--config", "-", given=flat).stdout) == S3


def test_text_is_utf_8_whatever_the_locale() -> None:
    options = ("-f", "conversation", "--replica-id", "r1", "--callback-url", "https://exämple.com/日本")
    latin = {"LC_ALL": "C", "PYTHONUTF8": "1", "PYTHONIOENCODING": "latin-1"}
    done = asked("--config", "-", *options, given=json.dumps(S3), **latin)
    assert json.loads(done.stdout.decode())["callback_url"] == "https://exämple.com/日本"


@pytest.fixture
def with_pulumi(tmp_path: Path) -> dict[str, str]:
    """A machine whose Pulumi CLI has one stack."""
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(PULUMI)
    program.chmod(0o755)
    return {"path": f"{program.parent}:/usr/bin:/bin", "OUTPUTS": str(tmp_path / "outputs.json")}


def test_a_stack_is_read_by_the_pulumi_cli(with_pulumi: dict[str, str]) -> None:
    done = asked("--stack", "acme", "-f", "env", **with_pulumi)
    assert done.stdout.decode() == render("env", STACK, None, Options())


def test_a_stack_that_is_not_there_is_named(with_pulumi: dict[str, str]) -> None:
    done = asked("--stack", "other", **with_pulumi)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "no stack named 'other' found" in done.stderr.decode()


def test_without_the_cli_it_says_how_to_pipe_the_outputs() -> None:
    done = asked("--stack", "acme")
    assert (done.returncode, done.stdout) == (2, b"")
    assert "pulumi stack output --json | recording-storage render --config -" in done.stderr.decode()


WRONG: dict[str, tuple[object, tuple[str, ...], str]] = {
    "no destination of that name": (OUTPUTS, ("-d", "call"), 'did you mean "calls"?'),
    "another cloud in the flat form": (GCS, ("-f", "legacy"), "S3's"),
    "an external id in the flat form": (
        {**S3, "external_id": "acct-abc123"},
        ("-f", "legacy"),
        "external_id",
    ),
    "several without a default": ({"a": S3, "b": GCS}, (), "there are a, b, none of which is the default"),
    "an option of another format": (
        S3,
        ("-f", "env", "--name", "x"),
        "--name is for configmap, and not for env",
    ),
    "nobody speaks": (S3, ("-f", "curl"), "--replica-id"),
    "not what the contract says": ({**S3, "bucket_region": "Ireland"}, (), "recording_storage.bucket_region"),
    "not a project's number": (
        {**GCS, "workload_identity_provider": "projects/acme-prod/x"},
        (),
        "recording_storage.workload_identity_provider",
    ),
    "a key of AWS": ({**S3, "access_key": "AKIA" + "A" * 16}, (), "an AWS access key id"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_written_is_said_and_nothing_is_written(what: str) -> None:
    given, arguments, said = WRONG[what]
    done = asked("--config", "-", *arguments, given=json.dumps(given))
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert "AKIA" not in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "--stack NAME or --config FILE"), (("--config", "nowhere.json"), "No such file")],
)
def test_what_is_to_be_read_has_to_be_named_and_be_there(arguments: tuple[str, ...], said: str) -> None:
    done = asked(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()


def test_a_file_of_one_cloud_needs_no_other_clouds_packages(tmp_path: Path) -> None:
    blocked = (
        "boto3",
        "moto",
        "google",
        "azure",
        "pulumi_aws",
        "pulumi_gcp",
        "pulumi_azure_native",
        "pulumi",
    )
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        f"blocked = {blocked!r}\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in blocked: raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
    )
    done = asked("--config", "-", "-f", "esc", given=json.dumps(S3), PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, b"")
