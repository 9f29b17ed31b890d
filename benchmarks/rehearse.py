"""How long a rehearsal takes, and how much memory: `python benchmarks/rehearse.py [--runs N] [--clone]`.

The stack `local`, which has a destination in each cloud, and each cloud's share: a stack with one destination in it,
and the memory by what holds it.

Where Terraform is on PATH, also what it takes to make the same nine resources (`same.tf`) in the same sandbox, against
the toolkit's own run of its program; `--plugin-dir` names a folder with Terraform's AWS provider, for machines without
its registry. Its provider waits for a lifecycle configuration to be read back unchanged ten times, which takes most of
a minute; so eight resources without it are compared too.

From process start to exit, as a user waits for it, with warm files: the first run is not counted. Memory is the most
that the command and its children held at one time, as the sum of their proportional set sizes (Linux only).
`--clone` also measures from `git clone` of this repository to a proven stack, set-up and every download included.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [str(Path(sys.executable).with_name("recording-storage")), "rehearse", "-C", str(ROOT)]
STACKS = {
    "local": "all three",
    "simple": "Amazon S3 alone",
    "gcs": "Google Cloud Storage alone",
    "azure": "Azure Blob Storage alone",
}
PARTS = {
    "recording_storage.program": "the stack's program",
    "recording_storage.recorder": "the recorders",
    "recording_storage.intruder": "the intruders",
    "serve.js": "Azurite",
}
REST = "the command and the stand-ins"
SAMPLE_SECONDS = 0.05


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="rehearsals that count (default: %(default)s)")
    parser.add_argument("--clone", action="store_true", help="also from clone to proven")
    parser.add_argument("--plugin-dir", help="where Terraform's providers are")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        _inside(Path(given.inside), given.runs)
        return
    print(f"process start to report, {given.runs} runs each, {os.cpu_count()} cores")
    for stack, what in STACKS.items():
        _rehearse(stack)  # with cold files
        runs = [_rehearse(stack) for _ in range(given.runs)]
        seconds = [run[0] for run in runs]
        middle = sorted(runs, key=lambda run: sum(run[1].values()))[len(runs) // 2][1]
        print(
            f"  {what:28}{statistics.median(seconds):6.2f} s   ({min(seconds):.2f} to {max(seconds):.2f})"
            f"{sum(middle.values()):8.0f} MiB at the peak"
        )
        if stack == "local":
            for part, size in sorted(middle.items(), key=lambda one: -one[1]):
                print(f"    {part:56}{size:6.0f} MiB")
    _against_terraform(given.runs, given.plugin_dir)
    if given.clone:
        print(f"  from clone  {_from_clone():6.1f} s   (git clone, make rehearse, empty caches)")


def _rehearse(stack: str) -> tuple[float, dict[str, float]]:
    began = time.perf_counter()
    process = subprocess.Popen([*COMMAND, stack], stdout=subprocess.DEVNULL)
    watch = _Watch(process.pid)
    watch.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    watch.stop()
    assert code == 0, f"the rehearsal ended with {code}"
    return seconds, watch.peak


class _Watch(threading.Thread):
    """Looks again and again at who holds how much; `peak` is the most that all held at one time, by part."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak: dict[str, float] = {}
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            now: dict[str, float] = {}
            for pid in [self._pid, *_children(self._pid)]:
                part = _part(pid)
                now[part] = now.get(part, 0.0) + _pss(pid)
            if sum(now.values()) > sum(self.peak.values()):
                self.peak = now

    def stop(self) -> None:
        self._over.set()
        self.join()


def _part(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return REST
    return next((part for word, part in PARTS.items() if word in command), REST)


def _children(pid: int) -> list[int]:
    try:  # each thread has the children that it started
        threads = [one.read_text() for one in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    direct = [int(one) for children in threads for one in children.split()]
    return direct + [one for child in direct for one in _children(child)]


def _pss(pid: int) -> float:
    """MiB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _against_terraform(runs: int, plugin_dir: str | None) -> None:
    if shutil.which("terraform") is None:
        print("  terraform   not on PATH, so not compared")
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "benchmarks" / "same.tf", folder)
        mirror = ["-plugin-dir", plugin_dir] if plugin_dir else []
        init = ["terraform", "init", "-input=false", *mirror]
        quiet = os.environ | {"CHECKPOINT_DISABLE": "1"}
        ready = subprocess.run(init, cwd=folder, env=quiet, capture_output=True, text=True)
        if ready.returncode != 0:
            print("  terraform   its AWS provider is not at hand, so not compared")
            return
        inside = [sys.executable, __file__, "--runs", str(runs), "--inside", folder]
        command = [*COMMAND[:1], "sandbox", "--", *inside]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    ours, theirs, whole = json.loads(done.stdout)
    print(f"  provisioning {ours:5.2f} s   nine resources, by the toolkit's program")
    print(f"  terraform    {whole:5.2f} s   the same nine: the ratio is {ours / whole:.2f}")
    print(f"  terraform    {theirs:5.2f} s   eight, without the lifecycle: the ratio is {ours / theirs:.2f}")


def _inside(folder: Path, runs: int) -> None:
    """In the sandbox: the program and `terraform apply`, in turn, each under names of its own."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(runs + 1):
        began = time.perf_counter()
        job = {
            "folder": str(ROOT),
            "project": "recording-storage",
            "stack": f"bench{number}",
            "organization": "organization",
            "config": {
                "recording-storage:destinations": '{"calls": {"provider": "s3", "region": "eu-west-1"}}'
            },
            "environment": {},
        }
        program = [sys.executable, "-m", "recording_storage.program"]
        done = subprocess.run(
            program, input=json.dumps(job) + "\n", check=True, capture_output=True, text=True
        )
        assert '"event": "outputs"' in done.stdout, done.stdout
        ours.append(time.perf_counter() - began)
        theirs.append(_terraform(folder, f"bench{number}", lifecycle_rules=False))
    whole = _terraform(folder, "whole", lifecycle_rules=True)
    # The first of each warms up.
    print(json.dumps([statistics.median(ours[1:]), statistics.median(theirs[1:]), whole]))


def _terraform(folder: Path, name: str, *, lifecycle_rules: bool) -> float:
    began = time.perf_counter()
    variables = [f"-var=name={name}", f"-var=lifecycle_rules={json.dumps(lifecycle_rules)}"]
    apply = [
        "terraform",
        "apply",
        "-auto-approve",
        "-input=false",
        f"-state={folder / name}.tfstate",
        *variables,
    ]
    subprocess.run(apply, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


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
