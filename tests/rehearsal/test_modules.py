"""A cloud that isn't used isn't imported: not by the rehearsal, and not by its players."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.projects import ROOT, SECONDS, write_project

AWS = ("boto3", "botocore", "flask", "moto", "pulumi_aws", "werkzeug")
GOOGLE = ("celpy", "gcp_storage_emulator", "google.api_core", "google.auth", "google.cloud", "pulumi_gcp")
AZURE = ("azure", "pulumi_azure_native", "pulumi_azuread")
IMPORTED = re.compile(r"^import time:[^|]*\|[^|]*\| *(\S+)$", re.MULTILINE)
CALLS = {
    "s3": {"provider": "s3", "region": "eu-west-1"},
    "gcs": {"provider": "gcs", "project": "acme-prod", "location": "EU", "workspace_id": "w-acme"},
    "azure_blob": {
        "provider": "azure_blob",
        "tenant": "11112222-3333-4444-5555-666677778888",
        "subscription": "22223333-4444-5555-6666-777788889999",
        "location": "westeurope",
        "workspace_id": "w-acme",
    },
}


def imported(*program: str, told: str = "", folder: Path = ROOT) -> set[str]:
    """The modules that a Python program imports, those of its children apart."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *program],
        input=told,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return set(IMPORTED.findall(done.stderr))


def among(modules: set[str], packages: tuple[str, ...]) -> set[str]:
    return {
        one
        for one in modules
        if one.startswith(tuple(f"{package}." for package in packages)) or one in packages
    }


@pytest.mark.parametrize(
    ("provider", "used", "unused"),
    [
        ("s3", {"boto3"}, (*GOOGLE, *AZURE)),
        ("gcs", {"google.auth", "google.cloud.storage"}, (*AWS, *AZURE)),
        ("azure_blob", {"azure.identity", "azure.storage.blob"}, (*AWS, *GOOGLE)),
    ],
)
@pytest.mark.parametrize("player", ["recorder", "intruder"])
def test_a_player_imports_what_it_plays(
    player: str, provider: str, used: set[str], unused: tuple[str, ...]
) -> None:
    told = json.dumps({"provider": provider}) + "\n"
    modules = imported("-m", f"recording_storage.{player}", told=told)
    assert used <= modules
    assert among(modules, unused) == set()


@pytest.mark.parametrize(
    ("provider", "used", "unused"),
    [
        ("s3", "moto", (*GOOGLE, *AZURE)),
        # The players ask as Google's clients do; what judges needs none of them.
        ("gcs", "celpy", (*AWS, *AZURE, "google.api_core", "google.auth", "google.cloud", "pulumi_gcp")),
        ("azure_blob", "recording_storage.sandbox.azure.blob", (*AWS, *GOOGLE, *AZURE)),
    ],
)
def test_a_rehearsal_imports_what_it_uses(
    tmp_path: Path, provider: str, used: str, unused: tuple[str, ...]
) -> None:
    folder = write_project(tmp_path / "project", {"destinations": {"calls": CALLS[provider]}})
    command = str(Path(sys.executable).with_name("recording-storage"))
    modules = imported(command, "rehearse", "acme", folder=folder)
    assert used in modules
    assert among(modules, unused) == set()


def test_a_sandbox_imports_no_stand_in_until_it_is_asked() -> None:
    command = str(Path(sys.executable).with_name("recording-storage"))
    assert among(imported(command, "sandbox", "--", "true"), (*AWS, *GOOGLE, *AZURE)) == set()
