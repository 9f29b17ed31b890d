"""How well `verify` tells broken destinations from sound ones, and how it grows: `python benchmarks/verify.py`.

Detection: every mutation of the catalogue (`tests/support/broken_*.py`) is applied to a destination that verifies
green in the sandbox. It counts as detected if exactly the ids that the catalogue names are reported; `unrelated` are
those of which others were reported too. False alarms: of the harmless variations, those that something was said of that
the catalogue doesn't allow for.

Growth: `recording-storage verify --config -` from process start to exit, of 1 and of 50 destinations in one run, with
100 ms added to every call. The stand-ins answer from one process on the same machine, so their own time is part of it;
without the latency the table says how much.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.catalogues import CATALOGUES, Stand  # noqa: E402
from tests.support.live import Live  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MANY = 50
LATENCY_SECONDS = 0.1
COMMAND = str(Path(sys.executable).with_name("recording-storage"))
TENANT = "11111111-1111-4111-8111-111111111111"
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
PROVIDERS: Mapping[str, Mapping[str, Any]] = {
    "s3": {"provider": "s3", "region": "eu-west-1"},
    "gcs": {
        "provider": "gcs",
        "project": "acme-prod",
        "location": "europe-west1",
        "workspace_id": "w-acme",
    },
    "azure_blob": {
        "provider": "azure_blob",
        "tenant": TENANT,
        "subscription": SUBSCRIPTION,
        "location": "westeurope",
        "workspace_id": "w-acme",
    },
}


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="runs that count (default: %(default)s)")
    parser.add_argument("--provider", choices=PROVIDERS, action="append", help="only this one")
    parser.add_argument("--only", choices=("rates", "growth"), help="only one of the tables")
    given = parser.parse_args()
    providers = given.provider or list(PROVIDERS)
    if given.only != "growth":
        print(f"{'':12}{'mutations':>11}{'detected':>10}{'unrelated':>11}{'recorder failed':>17}", end="")
        print(f"{'harmless':>10}{'false alarms':>14}")
        for provider in providers:
            _rates(provider)
    if given.only != "rates":
        print(f"process start to report, median of {given.runs} runs, {os.cpu_count()} cores")
        print(f"{'':12}{'latency':>10}{'1':>10}{MANY:>10}{'factor':>10}{'calls':>10}")
        for provider in providers:
            _growth(provider, given.runs)


def _rates(provider: str) -> None:
    catalogue = CATALOGUES[provider]
    detected = unrelated = failed = alarms = 0
    should_fail = [one for _, one in catalogue.mutations if not one.records]
    with tempfile.TemporaryDirectory() as folder, Live(Path(folder), catalogue.config) as live:
        stand = Stand(live, catalogue)
        for part, mutation in catalogue.mutations:
            tried = stand.attempt(part, mutation)
            detected += tried.reported.items() >= mutation.expected.items()
            unrelated += bool(tried.reported.keys() - mutation.expected.keys())
            failed += not mutation.records and not tried.recorded
        for part, variation in catalogue.variations:
            tried = stand.attempt(part, variation)
            alarms += bool(tried.reported.keys() - variation.warns) or not tried.recorded
    mutations, variations = len(catalogue.mutations), len(catalogue.variations)
    print(
        f"{provider:12}{mutations:11}{_share(detected, mutations):>10}{unrelated:11}"
        f"{f'{failed} of {len(should_fail)}':>17}{variations:10}{_share(alarms, variations):>14}",
        flush=True,
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}"


def _growth(provider: str, runs: int) -> None:
    destinations = {f"d{number:02}": PROVIDERS[provider] for number in range(1, MANY + 1)}
    with tempfile.TemporaryDirectory() as folder, Live(Path(folder), {"destinations": destinations}) as live:
        one = {name: live.outputs[name] for name in ("d01",)}
        for latency in (0.0, LATENCY_SECONDS):
            live.sandbox.latency_seconds = latency
            mark = live.sandbox.journal.mark()
            single = _median(lambda: _verify(live, one), runs)
            calls = len(live.sandbox.journal.since(mark)) // (runs + 1)
            many = _median(lambda: _verify(live, live.outputs), runs)
            times = f"{single:8.2f} s{many:8.2f} s{many / single:10.2f}"
            print(f"{provider:12}{f'{latency * 1000:.0f} ms':>10}{times}{calls:10}", flush=True)


def _median(measure: Callable[[], float], runs: int) -> float:
    measure()  # with cold files
    return statistics.median(measure() for _ in range(runs))


def _verify(live: Live, destinations: Mapping[str, Any]) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [COMMAND, "verify", "--config", "-", "--workspace-id", "w-acme", "--format", "json"],
        env={**live.owner, "PATH": os.environ["PATH"]},
        input=json.dumps({"destinations": destinations}),
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return seconds


if __name__ == "__main__":
    main()
