"""An upgrade replaces nothing: what an earlier program registered, today's registers again, or has an alias for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from recording_storage import stackfile
from tests.support import registrations, upgrades
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from tests.support.registrations import Run

STACKS = upgrades.stacks()
RENAMED = """
import runpy
import pulumi
import pulumi_aws
made = pulumi_aws.s3.BucketVersioning.__init__
def renamed(self, name, *args, opts=None, **kwargs):
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases={aliases}))
    made(self, "calls-versions", *args, opts=opts, **kwargs)
pulumi_aws.s3.BucketVersioning.__init__ = renamed
runpy.run_path("__main__.py", run_name="__main__")
"""
OTHER_NAME = """
import runpy
from components import naming
naming.bucket_name = lambda *place: "acme-another"
runpy.run_path("__main__.py", run_name="__main__")
"""


def today(stack: str, program: str | None = None) -> Run:
    prefix = f"{registrations.PROJECT}:"
    config: dict[str, Any] = {
        key.removeprefix(prefix): value for key, value in stackfile.load(ROOT, stack).config.items()
    }
    run = registrations.run(config, stack=stack, preview=True, program=program)
    assert run.error == "", run.error
    return run


def departures(stack: str, program: str | None = None) -> list[str]:
    return list(upgrades.replaced(upgrades.kept(upgrades.state(stack)), today(stack, program)))


def test_every_example_has_a_state_of_yesterdays() -> None:
    assert stackfile.stacks(ROOT) == STACKS


@pytest.mark.parametrize("stack", STACKS)
def test_todays_program_replaces_nothing_of_yesterdays(stack: str) -> None:
    assert departures(stack) == []


def test_a_renamed_child_is_found() -> None:
    (found,) = departures("simple", RENAMED.format(aliases="[]"))
    assert "calls-versioning in calls is gone" in found


def test_a_renamed_child_with_an_alias_is_kept() -> None:
    assert departures("simple", RENAMED.format(aliases="[pulumi.Alias(name=name)]")) == []


def test_another_fixed_input_is_found() -> None:
    assert any("calls-bucket: bucket was 'simple-calls-" in one for one in departures("simple", OTHER_NAME))


@pytest.mark.parametrize("stack", STACKS)
def test_a_state_holds_no_secret(stack: str) -> None:
    text = (upgrades.YESTERDAY / f"{stack}.json").read_text()
    assert "secrets_providers" not in text
    assert upgrades.SECRET not in text
