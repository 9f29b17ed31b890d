"""The programs that the benchmark compares do the same work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.registrations import Registration, Run, run

PROGRAMS = Path(__file__).resolve().parents[2] / "benchmarks/programs"
COMPONENT = "recording-storage:index:S3Destination"


def destinations(count: int) -> dict[str, object]:
    return {
        "destinations": {f"calls-{n}": {"provider": "s3", "region": f"eu-west-{n + 1}"} for n in range(count)}
    }


def of_the_cloud(found: Run) -> dict[str, Registration]:
    """What is registered beside components, by its name; a resource's aliases are under its parent, as it is itself."""
    assert found.error == ""
    return {
        one.name: replace(one, parent="", aliases=tuple((name, "") for name, _ in one.aliases))
        for one in found.registrations
        if one.type != COMPONENT
    }


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_the_flat_program_registers_the_same_resources_and_hands_over_the_same(
    count: int, preview: bool
) -> None:
    config = destinations(count)
    ours = run(config, preview=preview)
    flat = run(config, preview=preview, program=(PROGRAMS / "flat.py").read_text())
    assert len(of_the_cloud(flat)) == 9 * count + 1
    assert of_the_cloud(flat) == of_the_cloud(ours)
    assert flat.outputs == ours.outputs
    assert len(flat.registrations) == len(of_the_cloud(flat)), "no components"
    assert len(ours.registrations) == len(flat.registrations) + count
