"""How long the Pulumi program takes, and how much memory: `python benchmarks/program.py [--runs N] [--counts N …]`.

Against programs that somebody would write by hand (`programs/`): `bare.py`, one bucket and nothing else; and
`flat.py`, a loop over the provider's resources that makes what the project's program makes, with equal inputs, and
hands over the same outputs. What the project has beyond it: components, settings that are judged, the contract.

First, from process start to the first registration. Then whole runs with 1, 100 and 1,000 destinations on S3: without
the engine, each registration being answered at once (`monitor.py`); and, where the Pulumi CLI is on PATH, a preview by
the real engine with the sandbox's provider plugins. Where Terraform is on PATH too, `terraform plan` of as many times
the resources of `same.tf`; `--plugin-dir` names a folder with its AWS provider, for machines without its registry.

Wall-clock time is what is compared, with CPU time beside it, which a busy machine changes less. Programs take turns,
and each one's first run, with cold files, isn't counted. Memory is the most that the process held; under the engine,
that all of its processes held at one time (Linux only).
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
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rehearse import COMMAND, ROOT, _Watch

HERE = ROOT / "benchmarks"
BARE, FLAT, OURS = "bare program", "flat program", "project"
PROGRAMS = {BARE: HERE / "programs/bare.py", FLAT: HERE / "programs/flat.py", OURS: ROOT / "__main__.py"}
FIRST_AIM, WHOLE_AIM = 1.35, 1.10
TERRAFORM = "terraform plan"
PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
MANY = """
variable "destinations" {
  type = number
}

module "destination" {
  source          = "./same"
  count           = var.destinations
  name            = "calls-${count.index}"
  lifecycle_rules = true
}
"""


@dataclass(frozen=True)
class Figure:
    """What one run took: seconds, and MiB."""

    wall: float
    cpu: float
    memory: float


Runs = Mapping[str, Sequence[Figure]]
"""By what was run."""


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="runs that count (default: %(default)s)")
    parser.add_argument(
        "--slow-runs", type=int, default=3, help="likewise, under the engine (default: %(default)s)"
    )
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 100, 1000], help="destinations")
    parser.add_argument(
        "--plans",
        type=int,
        nargs="*",
        default=[1, 100],
        help="destinations for Terraform; 1,000 take gigabytes",
    )
    parser.add_argument("--plugin-dir", help="where Terraform's providers are")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        _inside(Path(given.inside), given.counts, given.plans, given.slow_runs)
        return
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # warm files are compiled ones
    _first_registration(given.runs)
    print(f"\nwithout the engine, {given.runs} runs each")
    for count in given.counts:
        _compare(count, _in_turns({name: _unattended(name, count) for name in (FLAT, OURS)}, given.runs))
    _under_the_engine(given)


# --- without the engine ---------------------------------------------------------------------------


def _first_registration(runs: int) -> None:
    print(
        f"process start to the first registration, one destination, {runs} runs each, {os.cpu_count()} cores"
    )
    took = _in_turns({name: lambda name=name: _alone(name, 1)[0] for name in PROGRAMS}, runs)
    for name, figures in took.items():
        _row(
            name,
            figures,
            "" if name == BARE else f"   {_ratio(figures, took[BARE], 'wall', 'cpu')} of the {BARE}",
        )
    print(f"    aim: the project's at most {FIRST_AIM} of the {BARE}")


def _unattended(name: str, count: int) -> Callable[[], Figure]:
    return lambda: _alone(name, count)[1]


def _alone(name: str, count: int) -> tuple[Figure, Figure]:
    """Run a program once in a process of its own: until its first registration, and as a whole."""
    command = [sys.executable, str(HERE / "monitor.py"), str(PROGRAMS[name])]
    config = {f"recording-storage:{key}": json.dumps(value) for key, value in _config(count).items()}
    with (
        tempfile.TemporaryFile("w+") as told,
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as ill,
    ):
        json.dump(config, told)
        told.seek(0)
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=told, stdout=said, stderr=ill)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        ill.seek(0)
        assert process.returncode == 0, f"the {name} failed: {ill.read().decode()[-2000:]}"
        notes = json.load(said)
    assert name == BARE or notes["resources"] == 9 * count + 1, notes
    memory = used.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    first = Figure(notes["first"]["at"] - began, notes["first"]["cpu"], memory)
    return first, Figure(wall, used.ru_utime + used.ru_stime, memory)


def _config(count: int) -> dict[str, Any]:
    one = {"provider": "s3", "region": "eu-west-1"}
    return {"destinations": {f"calls-{number:04}": one for number in range(count)}}


# --- under the engine -----------------------------------------------------------------------------


def _under_the_engine(given: argparse.Namespace) -> None:
    """Previews and plans, in a sandbox of their own."""
    if shutil.which("pulumi") is None:
        print("\nunder the engine: pulumi is not on PATH, so not measured")
        return
    print(f"\nunder the engine, pulumi preview of a new stack, {given.slow_runs} runs each", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        plans: list[int] = given.plans if _terraform(Path(folder) / "terraform", given.plugin_dir) else []
        done = subprocess.run(
            [
                *(*COMMAND[:1], "sandbox", "--", sys.executable, __file__, "--inside", folder),
                *("--slow-runs", str(given.slow_runs), "--counts", *map(str, given.counts)),
                *("--plans", *map(str, plans)),
            ],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    for count, runs in json.loads(done.stdout):
        _compare(count, {name: [Figure(**one) for one in figures] for name, figures in runs.items()})


def _terraform(folder: Path, plugin_dir: str | None) -> bool:
    """Make a folder in which Terraform can plan any number of destinations; whether it can."""
    if shutil.which("terraform") is None:
        return False
    same = (HERE / "same.tf").read_text()
    assert PROVIDER in same
    (folder / "same").mkdir(parents=True)
    (folder / "same/main.tf").write_text(same.replace(PROVIDER, ""))
    (folder / "main.tf").write_text(PROVIDER + MANY)
    mirror = ["-plugin-dir", plugin_dir] if plugin_dir else []
    quiet = os.environ | {"CHECKPOINT_DISABLE": "1"}
    init = ["terraform", "init", "-input=false", *mirror]
    if subprocess.run(init, cwd=folder, env=quiet, capture_output=True).returncode == 0:
        return True
    print("  (terraform's AWS provider is not at hand, so not compared)")
    return False


def _inside(folder: Path, counts: Sequence[int], plans: Sequence[int], runs: int) -> None:
    """In the sandbox: measure all, and print it as JSON."""
    from recording_storage.engine.equipment import CLI

    environment = os.environ  # the sandbox's: a state of its own, and the stand-ins' providers
    pulumi = environment[CLI]  # not the one that works on a copy of a project, which takes time
    projects = {name: _project(folder / name, PROGRAMS[name]) for name in (FLAT, OURS)}
    found: list[tuple[int, dict[str, list[dict[str, float]]]]] = []
    for count in sorted({*counts, *plans}):
        measured: dict[str, Callable[[], Figure]] = {}
        for name, project in projects.items() if count in counts else ():
            stack = f"{name.split()[0]}-{count}"
            init = [pulumi, "stack", "init", stack]
            subprocess.run(init, cwd=project, env=environment, check=True, capture_output=True)
            with (project / f"Pulumi.{stack}.yaml").open("a") as settings:
                config = {f"recording-storage:{key}": value for key, value in _config(count).items()}
                settings.write(f"config: {json.dumps(config)}\n")
            preview = [pulumi, "preview", "--stack", stack, "--non-interactive"]
            measured[name] = _command(preview, project, environment)
        if count in plans:
            plan = ["terraform", "plan", "-input=false", f"-var=destinations={count}"]
            measured[TERRAFORM] = _command(plan, folder / "terraform", environment)
        took = _in_turns(measured, runs)
        found.append((count, {name: [asdict(one) for one in figures] for name, figures in took.items()}))
    print(json.dumps(found))


def _project(folder: Path, program: Path) -> Path:
    """Write a Pulumi project whose program this is."""
    folder.mkdir()
    shutil.copy(program, folder / "__main__.py")
    shutil.copytree(ROOT / "components", folder / "components")
    runtime = f"{{name: python, options: {{virtualenv: {json.dumps(sys.prefix)}}}}}"
    (folder / "Pulumi.yaml").write_text(f"name: recording-storage\nruntime: {runtime}\n")
    return folder


def _command(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Callable[[], Figure]:
    def run() -> Figure:
        with tempfile.TemporaryFile() as said:
            began = time.monotonic()
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
            watch = _Watch(process.pid)
            watch.start()
            _, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
            watch.stop()
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            assert process.returncode == 0, said.read().decode()[-2000:]
        return Figure(wall, used.ru_utime + used.ru_stime, sum(watch.peak.values()))

    return run


# --- tables ---------------------------------------------------------------------------------------


def _in_turns(measured: Mapping[str, Callable[[], Figure]], runs: int) -> dict[str, list[Figure]]:
    """Run each as often, one after the other; the first of each warms up."""
    took: dict[str, list[Figure]] = {name: [] for name in measured}
    for _ in range(runs + 1):
        for name, run in measured.items():
            took[name].append(run())
    return {name: figures[1:] for name, figures in took.items()}


def _compare(count: int, took: Runs) -> None:
    for name, figures in took.items():
        made = f"   {9 * count + 1} resources" + f" and {count} component{'s' * (count > 1)}" * (name == OURS)
        _row(
            f"{count:5} {name}", figures, f"{_middle(figures, 'memory'):7.0f} MiB{made * (name != TERRAFORM)}"
        )
    if OURS in took:
        ratio = _ratio(took[OURS], took[FLAT], "wall", "cpu", "memory")
        print(f"        {OURS} to {FLAT}: {ratio}   (aim: at most {WHOLE_AIM:.2f})", flush=True)


def _row(name: str, figures: Sequence[Figure], rest: str) -> None:
    walls = [one.wall for one in figures]
    print(
        f"  {name:20}{_middle(figures, 'wall'):7.2f} s   ({min(walls):.2f} to {max(walls):.2f})"
        f"{_middle(figures, 'cpu'):8.2f} s CPU{rest}"
    )


def _ratio(one: Sequence[Figure], other: Sequence[Figure], *fields: str) -> str:
    return ", ".join(f"{field} {_middle(one, field) / _middle(other, field):.2f}" for field in fields)


def _middle(figures: Sequence[Figure], field: str) -> float:
    return statistics.median(getattr(one, field) for one in figures)


if __name__ == "__main__":
    main()
