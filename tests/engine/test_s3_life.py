"""A stack's life under the real Pulumi engine, on the sandbox's AWS: what `on_destroy` promises for the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.engine import MARKS, UNCHANGED, Stack, inhabited
from tests.support.engine_aws import AwsHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = MARKS

BUCKET, ROLE = "aws:s3/bucket:Bucket", "aws:iam/role:Role"
VALUES = ("protect", "retain", "delete")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsHouse]:
    with Sandbox() as sandbox:
        yield AwsHouse(sandbox, tmp_path_factory.mktemp("house"))


def test_a_preview_makes_nothing(house: AwsHouse) -> None:
    stack = Stack(house, "previewed")
    stack.configure(calls={})
    done = stack.run("preview")
    assert done.code == 0, done.text
    assert {BUCKET, ROLE} <= done.changed["create"]
    assert not {name for name in house.account.buckets() | house.account.roles() if "previewed" in name}


def test_a_stack_that_is_up_stays_as_it_is(house: AwsHouse) -> None:
    stack, calls = inhabited(house, "steady", retention_days=30)
    again = stack.run("up", *UNCHANGED)
    assert again.code == 0, again.text
    assert again.changed == {}
    refreshed = stack.run("refresh", *UNCHANGED)
    assert refreshed.code == 0, refreshed.text
    calls.assert_lives()


@pytest.mark.parametrize("after", VALUES)
@pytest.mark.parametrize("before", VALUES)
def test_destroy_does_as_the_last_up_was_told(house: AwsHouse, before: str, after: str) -> None:
    stack, calls = inhabited(house, f"{before}-{after}", on_destroy=before)
    if after != before:
        stack.configure(calls={"on_destroy": after})
        emptied_on_delete = {"update": {BUCKET}} if "delete" in {before, after} else {}
        assert stack.up().changed == emptied_on_delete
        calls.assert_lives()
    done = stack.run("destroy")
    if after == "protect":
        assert done.code != 0
        assert "protected" in done.text
        calls.assert_lives()
    else:
        assert done.code == 0, done.text
        calls.assert_retained() if after == "retain" else calls.assert_gone()


def test_destroying_all_but_the_protected_keeps_the_storage(house: AwsHouse) -> None:
    stack, calls = inhabited(house, "guarded")
    done = stack.run("destroy", "--exclude-protected")
    assert done.code == 0, done.text
    calls.assert_storage_kept()


@pytest.mark.parametrize("value", VALUES)
def test_a_destination_is_removed_from_the_configuration(house: AwsHouse, value: str) -> None:
    stack = Stack(house, f"without-{value}")
    stack.configure(calls={}, gone={"on_destroy": value})
    stack.up()
    calls, gone = stack.destination("calls"), stack.destination("gone")
    stack.configure(calls={})
    done = stack.try_up()
    if value == "protect":
        assert done.code != 0
        assert "protected" in done.text
        gone.assert_lives()
    else:
        assert done.code == 0, done.text
        gone.assert_retained() if value == "retain" else gone.assert_gone()
    calls.assert_lives()
