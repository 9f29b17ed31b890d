"""How long a rehearsal takes, and how much memory: `python benchmarks/rehearse.py [--runs N] [--clone]`.

From process start to exit, as a user waits for it, with warm files: the first run is not counted. Memory is the most
that the command and its children held at one time, as the sum of their proportional set sizes (Linux only).
`--clone` also measures from `git clone` of this repository to a proven stack, set-up and every download included.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [str(Path(sys.executable).with_name("recording-storage")), "rehearse", "-C", str(ROOT)]
SAMPLE_SECONDS = 0.05


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="rehearsals that count (default: %(default)s)")
    parser.add_argument("--clone", action="store_true", help="also from clone to proven")
    given = parser.parse_args()
    _rehearse()
    runs = [_rehearse() for _ in range(given.runs)]
    seconds = [run[0] for run in runs]
    print(f"one S3 destination, {given.runs} runs, {os.cpu_count()} cores")
    print(f"  wall time   {statistics.median(seconds):6.2f} s   ({min(seconds):.2f} to {max(seconds):.2f})")
    peaks = [run[1] for run in runs if run[1]]
    if peaks:
        print(f"  memory      {statistics.median(peaks):6.0f} MiB (peak, all processes)")
    if given.clone:
        print(f"  from clone  {_from_clone():6.1f} s   (git clone, make rehearse, empty caches)")


def _rehearse() -> tuple[float, float]:
    began = time.perf_counter()
    process = subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL)
    watch = _Watch(process.pid)
    watch.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    watch.stop()
    assert code == 0, f"the rehearsal ended with {code}"
    return seconds, watch.peak


class _Watch(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(_pss(pid) for pid in [self._pid, *_children(self._pid)]))

    def stop(self) -> None:
        self._over.set()
        self.join()


def _children(pid: int) -> list[int]:
    try:
        direct = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return direct + [one for child in direct for one in _children(child)]


def _pss(pid: int) -> float:
    """MiB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _from_clone() -> float:
    with tempfile.TemporaryDirectory() as folder:
        clone = str(Path(folder) / "clone")
        cold = os.environ | {"UV_CACHE_DIR": str(Path(folder) / "uv"), "PIP_NO_CACHE_DIR": "1"}
        began = time.perf_counter()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), clone], check=True)
        subprocess.run(["make", "rehearse"], cwd=clone, env=cold, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
