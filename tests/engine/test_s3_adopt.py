"""Adoption under the real Pulumi engine, on the sandbox's AWS: what exists comes under management unchanged, or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.engine import KEY, MARKS, RECORDING, UNCHANGED, Stack, inhabited
from tests.support.engine_aws import OWNER, REGION, AwsHouse, S3Recordings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = MARKS

DESTINATION = "recording-storage:index:S3Destination"
ROLES = {"aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"}
IMPORTED = {
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
}
UNFINISHED = {
    "ID": "drop-unfinished-uploads",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}
ARCHIVE = {"ID": "mine", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 90}}
MINE = {
    "Sid": "Mine",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
    "Action": "s3:GetObject",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsHouse]:
    with Sandbox() as sandbox:
        yield AwsHouse(sandbox, tmp_path_factory.mktemp("house"))


def by_hand(house: AwsHouse, name: str) -> None:
    """Make a bucket as docs/s3.md says, with a recording in it."""
    s3 = house.account.s3
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    put_policy(house, name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [UNFINISHED]})
    s3.put_object(Bucket=name, Key=KEY, Body=RECORDING)


def put_policy(house: AwsHouse, bucket: str, *further: Mapping[str, object]) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    tls: dict[str, object] = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    statements = [tls, *({**one, "Resource": f"{arn}/*"} for one in further)]
    policy = {"Version": "2012-10-17", "Statement": statements}
    house.account.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def adopted(
    house: AwsHouse, stack: Stack[S3Recordings], storage: Mapping[str, Any], bucket: str, **settings: object
) -> S3Recordings:
    """Adopt the bucket, and see to it that this changed nothing, and goes on to change nothing."""
    stack.configure(calls={"adopt": True, **settings})
    done = stack.up()
    assert done.changed.keys() == {"create", "import"}
    assert {type_ for type_ in done.changed["create"] if type_.startswith("aws:")} == ROLES
    assert done.changed["import"] == IMPORTED
    assert house.account.storage(bucket) == storage
    for command in ("up", "refresh"):
        again = stack.run(command, *UNCHANGED)
        assert again.code == 0, again.text
    stack.configure(calls=settings)
    assert stack.up().changed == {"update": {DESTINATION}}  # which no longer says that it adopts
    without = stack.run("refresh", *UNCHANGED)
    assert without.code == 0, without.text
    assert house.account.storage(bucket) == storage
    return stack.destination("calls")


def test_a_retained_bucket_is_adopted_by_the_stack_that_comes_after(house: AwsHouse) -> None:
    settings: dict[str, object] = {
        "bucket_name": "acme-retained",
        "on_destroy": "retain",
        "retention_days": 30,
    }
    stack, calls = inhabited(house, "former", **settings)
    assert stack.run("destroy").code == 0
    calls.assert_retained()
    storage = house.account.storage(calls.bucket)
    again = adopted(house, Stack(house, "later"), storage, calls.bucket, **settings)
    assert again.role in house.account.roles()
    again.assert_lives()


def test_a_retained_bucket_is_adopted_by_its_derived_name(house: AwsHouse) -> None:
    settings: dict[str, object] = {"account": OWNER, "on_destroy": "retain"}
    stack, calls = inhabited(house, "derived", **settings)
    assert stack.run("destroy").code == 0
    storage = house.account.storage(calls.bucket)
    again = adopted(house, stack, storage, calls.bucket, **settings)
    assert (again.bucket, again.role) == (calls.bucket, calls.role)
    again.assert_lives()


def test_a_bucket_made_by_hand_is_adopted_and_then_kept_as_any_other(house: AwsHouse) -> None:
    by_hand(house, "acme-by-hand")
    stack = Stack(house, "handy")
    calls = adopted(
        house, stack, house.account.storage("acme-by-hand"), "acme-by-hand", bucket_name="acme-by-hand"
    )
    refused = stack.run("destroy")
    assert refused.code != 0
    calls.assert_lives()
    stack.configure(calls={"bucket_name": "acme-by-hand", "on_destroy": "delete"})
    stack.up()
    assert stack.run("destroy").code == 0
    calls.assert_gone()


def without_versioning(house: AwsHouse, bucket: str) -> None:
    house.account.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def with_another_statement(house: AwsHouse, bucket: str) -> None:
    put_policy(house, bucket, MINE)


def with_another_rule(house: AwsHouse, bucket: str) -> None:
    rules: Any = {"Rules": [UNFINISHED, ARCHIVE]}
    house.account.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)


def with_tags(house: AwsHouse, bucket: str) -> None:
    house.account.s3.put_bucket_tagging(
        Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "voice"}]}
    )


@pytest.mark.parametrize(
    ("bucket", "change", "difference"),
    [
        (
            "acme-suspended",
            without_versioning,
            'versioningConfiguration.status is "Suspended", and "Enabled" is asked for',
        ),
        ("acme-statement", with_another_statement, 'policy.Statement has {"Sid": "Mine"'),
        ("acme-rule", with_another_rule, "rules has {"),
        ("acme-tags", with_tags, 'tags.team is "voice", and unset is asked for'),
    ],
)
def test_a_bucket_that_differs_is_not_adopted_and_stays_as_it_is(
    house: AwsHouse, bucket: str, change: Callable[[AwsHouse, str], None], difference: str
) -> None:
    by_hand(house, bucket)
    change(house, bucket)
    before = house.account.everything(bucket)
    stack = Stack(house, bucket)
    stack.configure(calls={"adopt": True, "bucket_name": bucket})
    for done in (stack.run("preview"), stack.try_up(), stack.try_up()):
        assert done.code != 0, done.text
        assert difference in done.text
        assert house.account.everything(bucket) == before


def test_a_bucket_that_differs_is_adopted_once_it_is_mended(house: AwsHouse) -> None:
    by_hand(house, "acme-mended")
    with_another_statement(house, "acme-mended")
    stack = Stack(house, "mended")
    stack.configure(calls={"adopt": True, "bucket_name": "acme-mended"})
    assert stack.try_up().code != 0
    put_policy(house, "acme-mended")
    before = house.account.everything("acme-mended")
    done = stack.run("up", "--refresh")
    assert done.code == 0, done.text
    assert house.account.everything("acme-mended") == before
    stack.destination("calls").assert_lives()


def test_what_is_not_there_is_not_adopted_and_once_it_is_there_it_is(house: AwsHouse) -> None:
    stack = Stack(house, "early")
    stack.configure(calls={"adopt": True, "bucket_name": "acme-early"})
    done = stack.try_up()
    assert done.code != 0
    assert f"resource 'acme-early@{REGION}' does not exist" in done.text
    assert "acme-early" not in house.account.buckets()
    by_hand(house, "acme-early")
    stack.up()
    stack.destination("calls").assert_lives()


def test_a_name_that_was_wrong_is_corrected(house: AwsHouse) -> None:
    by_hand(house, "acme-corrected")
    stack = Stack(house, "corrected")
    stack.configure(calls={"adopt": True, "bucket_name": "acme-corected"})
    assert stack.try_up().code != 0
    stack.configure(calls={"adopt": True, "bucket_name": "acme-corrected"})
    stack.up()
    stack.destination("calls").assert_lives()


def test_the_wrong_bucket_is_let_go_of_by_a_destination_of_another_name(house: AwsHouse) -> None:
    by_hand(house, "acme-wrong")
    by_hand(house, "acme-right")
    without_versioning(house, "acme-wrong")  # so that the bucket itself comes in, and not all of its settings
    before = house.account.everything("acme-wrong")
    stack = Stack(house, "wrong")
    wrong = {"adopt": True, "bucket_name": "acme-wrong", "on_destroy": "retain"}
    stack.configure(calls=wrong)
    assert stack.try_up().code != 0
    right = wrong | {"bucket_name": "acme-right"}
    stack.configure(calls=right)
    done = stack.try_up()
    assert done.code != 0
    assert "this stack has the destination calls already" in done.text
    stack.configure(demos=right)
    stack.up()
    assert house.account.everything("acme-wrong") == before
    stack.destination("demos").assert_lives()


def test_a_setting_that_is_not_there_is_named(house: AwsHouse) -> None:
    by_hand(house, "acme-bare")
    house.account.s3.delete_bucket_lifecycle(Bucket="acme-bare")
    before = house.account.everything("acme-bare")
    stack = Stack(house, "bare")
    stack.configure(calls={"adopt": True, "bucket_name": "acme-bare"})
    done = stack.try_up()
    assert done.code != 0
    assert "calls-lifecycle" in done.text
    assert "does not exist" in done.text
    assert house.account.everything("acme-bare") == before


@pytest.mark.parametrize("on_destroy", ["protect", "retain", "delete"])
def test_a_destination_that_the_stack_has_already_adopts_nothing(house: AwsHouse, on_destroy: str) -> None:
    bucket = f"acme-had-{on_destroy}"
    stack, calls = inhabited(house, f"had-{on_destroy}", bucket_name=bucket, on_destroy=on_destroy)
    before = house.account.everything(bucket)
    stack.configure(calls={"bucket_name": bucket, "adopt": True})
    for done in (stack.run("preview"), stack.try_up()):
        assert done.code != 0
        assert "this stack has the destination calls already" in done.text
        assert house.account.everything(bucket) == before
    stack.configure(calls={"bucket_name": bucket, "on_destroy": on_destroy})
    again = stack.run("up", *UNCHANGED)
    assert again.code == 0, again.text
    calls.assert_lives()


def test_what_was_adopted_once_is_not_adopted_anew(house: AwsHouse) -> None:
    by_hand(house, "acme-anew")
    stack = Stack(house, "anew")
    settings: dict[str, object] = {"bucket_name": "acme-anew"}
    calls = adopted(house, stack, house.account.storage("acme-anew"), "acme-anew", **settings)
    stack.configure(calls={"adopt": True, **settings})
    done = stack.try_up()
    assert done.code != 0
    assert "this stack has the destination calls already" in done.text
    calls.assert_lives()
