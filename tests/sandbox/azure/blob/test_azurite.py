"""The process that stores the blobs: when it starts, and that it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox.azure import azurite
from recording_storage.sandbox.azure.azurite import Azurite
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTAINER = "/sandbox/calls"
STARTED_AND_LEFT = """
import os, signal, sys
from recording_storage.sandbox.azure.azurite import Azurite
store = Azurite()
store.call("PUT", "/sandbox/calls", [("restype", "container")])
print(store._process.pid, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def store(is_installed: None) -> Iterator[Azurite]:
    made = Azurite()
    yield made
    made.close()


def test_it_starts_when_it_is_asked(store: Azurite) -> None:
    assert store._process is None
    assert store.call("PUT", CONTAINER, [("restype", "container")]).status == 201
    process = store._process
    assert store.call("PUT", CONTAINER, [("restype", "container")]).status == 409
    assert store._process is process


def test_it_can_be_started_beforehand_and_ends(is_installed: None) -> None:
    store = Azurite()
    store.warm()
    assert store.call("PUT", CONTAINER, [("restype", "container")]).status == 201
    process = store._process
    assert process is not None
    assert process.poll() is None
    store.close()
    assert process.poll() is not None
    with pytest.raises(OSError, match="ended"):
        store.call("GET", CONTAINER)
    Azurite().close()  # as does one that was never asked


def test_it_ends_where_its_parent_is_killed(is_installed: None) -> None:
    code = [sys.executable, "-c", STARTED_AND_LEFT]
    with subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.stdin.write("\n")
        parent.stdin.flush()
        assert parent.wait(timeout=10) == -signal.SIGKILL
    until = time.monotonic() + 5
    while _is_running(pid):
        assert time.monotonic() < until, "Azurite is still there"
        time.sleep(0.01)


def test_what_azurite_has_not_got_is_undecided(store: Azurite) -> None:
    store.call("PUT", CONTAINER, [("restype", "container")])  # unless it is there already
    store.call("PUT", f"{CONTAINER}/a", (), {"x-ms-blob-type": "BlockBlob"}, b"a")
    source = {"x-ms-copy-source": f"{store.address}{CONTAINER}/a"}
    assert store.call("PUT", f"{CONTAINER}/b", (), source).status == 202
    with pytest.raises(Undecided, match="APINotImplemented"):
        store.call("PUT", f"{CONTAINER}/c", (), source | {"x-ms-blob-type": "BlockBlob"})


def test_what_is_missing_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(azurite, "FOLDER", tmp_path)
    with pytest.raises(azurite.NotInstalled, match=r"^Azurite isn't installed, .*: make setup brings it$"):
        azurite.command()
    store = Azurite()
    store.warm()  # says nothing
    with pytest.raises(azurite.NotInstalled):
        store.call("GET", CONTAINER)


def _is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self").exists():
        return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
