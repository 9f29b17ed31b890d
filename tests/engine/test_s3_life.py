"""A stack's life under the real Pulumi engine, on the sandbox's AWS: what `on_destroy` promises for the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.engine import MARKS, Stack, inhabited
from tests.support.engine_aws import AwsHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = MARKS

BUCKET, ROLE = "aws:s3/bucket:Bucket", "aws:iam/role:Role"
POLICY, VERSIONING = "aws:s3/bucketPolicy:BucketPolicy", "aws:s3/bucketVersioning:BucketVersioning"
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
    again = stack.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert again.code == 0, again.text
    assert again.changed == {}
    refreshed = stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert refreshed.code == 0, refreshed.text
    calls.assert_lives()


def test_refresh_sees_what_somebody_changed(house: AwsHouse) -> None:
    stack, calls = inhabited(house, "drifting")
    house.account.s3.delete_bucket_policy(Bucket=calls.bucket)
    house.account.s3.put_bucket_versioning(
        Bucket=calls.bucket, VersioningConfiguration={"Status": "Suspended"}
    )
    refreshed = stack.run("refresh", "--yes", "--skip-preview")
    assert refreshed.code == 0, refreshed.text
    mended = stack.up()
    assert mended.changed == {"create": {POLICY}, "update": {VERSIONING}}
    calls.assert_lives()


def test_other_tags_are_an_update_in_place(house: AwsHouse) -> None:
    stack, calls = inhabited(house, "tagged")
    stack.configure(tags={"team": "voice"}, calls={})
    assert stack.up().changed == {"update": {BUCKET, ROLE}}
    assert house.account.tags(calls.bucket) == {"team": "voice"}
    calls.assert_lives()


def test_another_region_is_refused_while_protected(house: AwsHouse) -> None:
    stack, calls = inhabited(house, "moving")
    stack.configure(calls={"region": "eu-central-1"})
    done = stack.try_up()
    assert done.code != 0
    assert "unable to replace" in done.text
    calls.assert_lives()


def test_another_region_under_retain_makes_another_bucket_and_keeps_the_old_one(house: AwsHouse) -> None:
    stack, calls = inhabited(house, "leaving", on_destroy="retain")
    stack.configure(calls={"on_destroy": "retain", "region": "eu-central-1"})
    stack.up()
    calls.assert_retained()
    elsewhere = stack.destination("calls")
    assert elsewhere.bucket != calls.bucket
    elsewhere.assert_lives()


@pytest.mark.parametrize("after", VALUES)
@pytest.mark.parametrize("before", VALUES)
def test_destroy_does_as_the_last_up_was_told(house: AwsHouse, before: str, after: str) -> None:
    stack, calls = inhabited(house, f"{before}-{after}", on_destroy=before)
    if after != before:
        stack.configure(calls={"on_destroy": after})
        emptied_on_delete = {"update": {BUCKET}} if "delete" in {before, after} else {}
        assert stack.up().changed == emptied_on_delete
        calls.assert_lives()
    done = stack.run("destroy", "--yes", "--skip-preview")
    if after == "protect":
        assert done.code != 0
        assert "protected" in done.text
        calls.assert_lives()
    else:
        assert done.code == 0, done.text
        calls.assert_retained() if after == "retain" else calls.assert_gone()


def test_destroying_all_but_the_protected_keeps_the_storage(house: AwsHouse) -> None:
    stack, calls = inhabited(house, "guarded")
    done = stack.run("destroy", "--yes", "--skip-preview", "--exclude-protected")
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
