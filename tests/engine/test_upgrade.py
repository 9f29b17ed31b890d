"""Today's program, previewed by the real CLI on yesterday's state: nothing is replaced, and nothing goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import upgrades
from tests.support.engine import MARKS
from tests.support.projects import ROOT, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from recording_storage.engine.driver import Run

pytestmark = MARKS

LOSSES = {"replace", "create-replacement", "delete-replaced", "delete"}
RENAMED = """
import pulumi_aws
made = pulumi_aws.s3.BucketVersioning.__init__
def renamed(self, name, *args, opts=None, **kwargs):
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases={aliases}))
    made(self, "calls-versions", *args, opts=opts, **kwargs)
pulumi_aws.s3.BucketVersioning.__init__ = renamed
"""
OTHER_NAME = """
from components import naming
naming.role_name = lambda *place: "acme-another"
"""


def previewed(stack: str, folder: Path) -> Run:
    with upgrades.assumed(stack, folder) as engine:
        imported = engine.run("stack", "import", "--file", str(upgrades.YESTERDAY / f"{stack}.json"))
        assert imported.code == 0, imported.text
        return engine.deploy("preview")


def changed_program(folder: Path, change: str) -> Path:
    calls = {"calls": {"provider": "s3", "region": "eu-west-1"}}
    return write_project(folder / "project", {"destinations": calls}, stack="simple", change=change)


@pytest.mark.parametrize("stack", upgrades.stacks())
def test_nothing_of_yesterdays_is_replaced(stack: str) -> None:
    done = previewed(stack, ROOT)
    assert done.code == 0, done.text
    assert not done.changed.keys() & LOSSES, done.text


def test_a_renamed_child_is_found(tmp_path: Path) -> None:
    done = previewed("simple", changed_program(tmp_path, RENAMED.format(aliases="[]")))
    assert done.code != 0 or done.changed.keys() & LOSSES, done.text


def test_a_renamed_child_with_an_alias_is_kept(tmp_path: Path) -> None:
    renamed = RENAMED.format(aliases="[pulumi.Alias(name=name)]")
    done = previewed("simple", changed_program(tmp_path, renamed))
    assert done.code == 0, done.text
    assert done.changed == {}


def test_another_name_is_found(tmp_path: Path) -> None:
    done = previewed("simple", changed_program(tmp_path, OTHER_NAME))
    assert done.code != 0 or done.changed.keys() & LOSSES, done.text
