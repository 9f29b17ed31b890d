"""A key of one's own under the real Pulumi engine: made, used, kept and given up with its bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.engine import MARKS, UNCHANGED, inhabited
from tests.support.engine_aws import AwsHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = MARKS

KEY = "aws:kms/key:Key"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsHouse]:
    with Sandbox() as sandbox:
        yield AwsHouse(sandbox, tmp_path_factory.mktemp("house"))


def key_of(house: AwsHouse, bucket: str) -> str:
    """The ARN of the key that the bucket encrypts with."""
    (rule,) = house.account.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert rule["BucketKeyEnabled"] is True
    return rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]


@pytest.mark.parametrize(
    ("on_destroy", "state"), [("protect", "Enabled"), ("retain", "Enabled"), ("delete", "PendingDeletion")]
)
def test_a_key_goes_and_stays_with_its_bucket(house: AwsHouse, on_destroy: str, state: str) -> None:
    stack, calls = inhabited(house, f"key-{on_destroy}", create_kms_key=True, on_destroy=on_destroy)
    key = key_of(house, calls.bucket)
    assert house.account.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    again = stack.run("up", *UNCHANGED)
    assert again.code == 0, again.text
    refreshed = stack.run("refresh", *UNCHANGED)
    assert refreshed.code == 0, refreshed.text
    calls.assert_lives()
    done = stack.run("destroy")
    assert (done.code == 0) is (on_destroy != "protect"), done.text
    assert house.account.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == state


def test_a_key_can_be_had_later(house: AwsHouse) -> None:
    stack, calls = inhabited(house, "key-later")
    stack.configure(calls={"create_kms_key": True})
    changed = stack.up().changed
    assert changed["create"] == {KEY}
    assert "replace" not in changed
    assert "delete" not in changed
    key_of(house, calls.bucket)
    calls.record()
