"""docs/first_recording.md: its stack is provisioned in a sandbox, and its lines are run there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from recording_storage.render import FORMATS
from recording_storage.render.conversation import KEY
from recording_storage.render.options import flag
from recording_storage.render.variables import STEM
from recording_storage.verify.conversation_checks import CONVERSATION_CHECKS
from tests.render import readers
from tests.render.readers import PAGE
from tests.support.console import MARK, Line, Ran, blocks, lines
from tests.support.projects import ROOT, write_project

SECONDS = 300
LINES = lines(PAGE)
PULUMI = """#!/bin/sh
case "$*" in
"up --stack acme") ;;
"stack output --json --stack acme --non-interactive") cat "$RECORDING_STORAGE_OUTPUTS" ;;
"env edit acme/apps/recordings --file -") cat > esc.yaml ;;
*) exit 99 ;;
esac
"""
"""What the Pulumi CLI has of this stack, which the sandbox has provisioned."""
KUBECTL = '#!/bin/sh\ntest "$*" = "apply -f -" && cat > configmap.yaml\n'
PLAYS = [f"{sys.executable} {ROOT}/docs/play_{cloud}.py" for cloud in ("s3", "gcs")]
"""The recording service writes."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("page") / "project", {})
    (folder / "stacks" / "Pulumi.acme.yaml").write_text(blocks(PAGE, "yaml")[0])
    for name, text in {"pulumi": PULUMI, "kubectl": KUBECTL}.items():
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def ran(project: Path) -> dict[str, Ran]:
    """What became of each line, in one shell."""
    command = Path(sys.executable).with_name("recording-storage")
    script = [
        f"export PATH={project / 'bin'}:{command.parent}:$PATH GITHUB_ENV={project / 'github.env'}",
        *PLAYS,
        "printf '\\036'",
    ]
    commands = [line.command for line in LINES]
    for one in commands:
        script += [f"{one} 2>&1", f"printf '{MARK}%d{MARK}' $?"]
    done = subprocess.run(
        [str(command), "sandbox", "--stack", "acme", "--", "bash", "-c", "\n".join(script)],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    written, *parts, _ = done.stdout.split(MARK)
    assert written.count("written") == len(PLAYS), done.stdout + done.stderr
    return {
        command: Ran(int(code), out)
        for command, out, code in zip(commands, parts[::2], parts[1::2], strict=True)
    }


def without_ids(text: str) -> str:
    """Entra gives every application another client id."""
    return re.sub(r'("client_id": ")[0-9a-f-]{36}"', r'\1…"', text)


def needs(command: str) -> None:
    """Skip where a cloud's own command line isn't installed."""
    program = command.split()[0]
    if program in ("aws", "gcloud", "az") and shutil.which(program) is None:
        pytest.skip(f"{program} is not on PATH")


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.command)
def test_a_line_does_what_it_shows(line: Line, ran: dict[str, Ran]) -> None:
    needs(line.command)
    done = ran[line.command]
    assert done.code == 0, done.out
    if line.shown:
        assert without_ids(done.out) == without_ids(line.shown)


@pytest.mark.parametrize("name", ["calls", "meetings"])
def test_the_file_is_where_the_page_says(name: str, ran: dict[str, Ran], project: Path) -> None:
    (command,) = [line.command for line in LINES if line.command.endswith(f" {name}.mp4")]
    needs(command)
    assert ran[command].code == 0
    assert (project / f"{name}.mp4").read_bytes() == b"a recording"


def test_every_reader_gets_what_the_page_writes(ran: dict[str, Ran], project: Path) -> None:
    calls, meetings = (
        json.loads(ran[f"recording-storage render --stack acme{rest}"].out)
        for rest in ("", " --destination meetings")
    )
    env = readers.shell((project / "recordings.env").read_text(), project)
    github = readers.github((project / "github.env").read_text())
    configmap = readers.yaml((project / "configmap.yaml").read_text())
    esc = readers.esc((project / "esc.yaml").read_text())
    terraform = readers.python_hcl2((project / "recordings.auto.tfvars").read_text())
    assert configmap["metadata"] == {"name": "recording-storage", "namespace": "calls"}
    for found in (env, github, configmap["data"], esc["environmentVariables"]):
        assert json.loads(found["RECORDING_STORAGE"]) == calls
        assert json.loads(found["RECORDING_STORAGE_MEETINGS"]) == meetings
        assert found["RECORDING_STORAGE_CALLS_BUCKET_NAME"] == calls["bucket_name"]
    assert terraform["recording_storage"] == terraform["recording_storages"]["calls"] == calls
    assert esc["pulumiConfig"]["recording_storage"] == calls


def test_the_container_reads_the_configmap_that_is_written(ran: dict[str, Ran], project: Path) -> None:
    (reference,) = re.findall(r"`(envFrom: .*?)`", PAGE)
    names = YAML(typ="safe").load(reference)
    written = readers.yaml((project / "configmap.yaml").read_text())
    assert names == {"envFrom": [{"configMapRef": {"name": written["metadata"]["name"]}}]}


def test_the_table_is_the_formats() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \| (all|the default) \| (.*?) ?\|$", PAGE, re.MULTILINE)
    assert rows == [
        (
            name,
            one.what,
            "all" if one.several else "the default",
            ", ".join(f"`{flag(option)}`" for option in one.options),
        )
        for name, one in FORMATS.items()
    ]


def test_the_event_is_about_the_destination_that_the_page_shows(ran: dict[str, Ran]) -> None:
    (event,) = (json.loads(one) for one in blocks(PAGE, "json"))
    storage = json.loads(ran["recording-storage render --stack acme --destination meetings"].out)
    properties: dict[str, Any] = event["properties"]
    assert properties["storage_provider"] == storage["provider"]
    assert properties["bucket_name"] == storage["bucket_name"]
    assert properties["storage_uri"] == f"gs://{storage['bucket_name']}/{properties['s3_key']}"
    assert properties["s3_key"].split("/")[0] == event["conversation_id"]


def test_the_front_ends_line_is_the_one_that_verify_asks_for() -> None:
    (line,) = re.findall(r"call\.on\(.*startRecording\(\)\)", blocks(PAGE, "js")[0])
    (check,) = [one for one in CONVERSATION_CHECKS if one.id == "W1"]
    assert line in str(check)


def test_the_page_names_the_variables_that_are_written() -> None:
    assert f"`{STEM}_<DESTINATION>_<FIELD>`" in PAGE
    assert f"`{KEY}`" in PAGE
