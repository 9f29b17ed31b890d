"""Terraform with the providers that a machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SECONDS = 300
PLACES = ("/opt", "/usr/local/share", "/usr/share", "/var/lib")


def initialise(folder: Path, provider: str) -> None:
    """`terraform init` with the provider that this machine has, or skip: nothing is downloaded for a test."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on PATH")
    mirrors = [
        str(found.parents[2])
        for place in PLACES
        for found in Path(place).glob(f"*/registry.terraform.io/hashicorp/{provider}")
    ]
    said = ""
    for choice in ([], *(["-plugin-dir", mirror] for mirror in mirrors)):
        done = subprocess.run(
            ["terraform", "init", "-input=false", "-no-color", *choice],
            cwd=folder,
            env=os.environ | {"HTTPS_PROXY": "http://127.0.0.1:1", "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        if done.returncode == 0:
            return
        said = " ".join(done.stderr.split())
    assert "must be valid before" not in said, said
    pytest.skip(f"Terraform's provider {provider} is not on this machine: {said[:200]}")
