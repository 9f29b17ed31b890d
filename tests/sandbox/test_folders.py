"""What a sandbox leaves on disk: nothing, and of one that was killed nothing for longer than till the next."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from recording_storage.sandbox import PREFIX, Sandbox

if TYPE_CHECKING:
    import pytest


def test_the_folder_of_a_killed_sandbox_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    killed, somebodys = tmp_path / f"{PREFIX}{ended.pid}-abc", tmp_path / "recording-storage-notes"
    for folder in (killed, somebodys):
        folder.mkdir()
        (folder / "file").write_text("x")
    with Sandbox() as one, Sandbox() as other:
        assert not killed.exists()
        assert one.folder.exists(), "the second took the first's folder"
        assert other.folder.exists()
    assert list(tmp_path.iterdir()) == [somebodys]


def test_the_folder_of_a_sandbox_that_is_killed_goes(tmp_path: Path) -> None:
    program = (
        "import time; from recording_storage.sandbox import Sandbox\n"
        "sandbox = Sandbox(); print(sandbox.folder, flush=True); time.sleep(60)"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdout is not None
    assert Path(killed.stdout.readline().strip()).exists()
    killed.kill()
    killed.communicate()
    deadline = time.monotonic() + 30
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.iterdir()) == []
