"""Where buckets may be and whose they are, through real clients: each refusal beside its nearest neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from world import REGION, Keys, put, unique

if TYPE_CHECKING:
    from world import World


@pytest.mark.parametrize(
    ("endpoint", "location", "code"),
    [
        ("eu-west-1", "eu-west-1", None),
        ("us-east-1", None, None),
        ("us-east-1", "eu-west-1", None),
        ("eu-west-1", None, "IllegalLocationConstraintException"),
        ("eu-west-1", "eu-central-1", "IllegalLocationConstraintException"),
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("us-east-1", "eu-west-9", "InvalidLocationConstraint"),
        ("us-east-1", "cn-north-1", "InvalidLocationConstraint"),
    ],
)
def test_where_a_bucket_may_be(
    world: World, owner: Keys, endpoint: str, location: str | None, code: str | None
) -> None:
    name = unique("bucket")
    more: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": location}} if location else {}
    s3 = world.s3(owner, endpoint)
    if code is None:
        s3.create_bucket(Bucket=name, **more)
        found = world.s3(owner, location or "us-east-1").head_bucket(Bucket=name)
        assert found["BucketRegion"] == (location or "us-east-1")
        return
    with world.refused(code):
        s3.create_bucket(Bucket=name, **more)


def test_clients_are_redirected_to_the_buckets_region(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner, "eu-central-1")
    for region in ("us-east-1", "eu-west-1"):
        put(world, owner, bucket)
        assert world.s3(owner, region).get_object(Bucket=bucket, Key="key")["Body"].read() == b"recording"
        assert world.s3(owner, region).head_bucket(Bucket=bucket)["BucketRegion"] == "eu-central-1"
    reply = world.send("HEAD", f"https://{bucket}.s3.{REGION}.amazonaws.com/")
    assert (reply.status, reply.headers["x-amz-bucket-region"]) == (301, "eu-central-1")
    reply = world.send("HEAD", f"https://{bucket}.s3.amazonaws.com/")
    assert (reply.status, reply.headers["x-amz-bucket-region"]) == (403, "eu-central-1")


def test_names_belong_to_one_account(world: World, owner: Keys, stranger: Keys) -> None:
    bucket = world.bucket(owner)
    here = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    for keys, code in ((owner, "BucketAlreadyOwnedByYou"), (stranger, "BucketAlreadyExists")):
        with pytest.raises(ClientError, match=code):
            world.s3(keys).create_bucket(Bucket=bucket, **here)
    none = unique("none")
    for keys in (owner, None):
        with world.refused("NoSuchBucket"):
            world.s3(keys).list_objects_v2(Bucket=none)
    with world.refused("AccessDenied"):
        world.s3(None).create_bucket(Bucket=none, **here)


def test_buckets_of_an_account(world: World, owner: Keys, stranger: Keys) -> None:
    bucket = world.bucket(owner)
    listed = {
        keys: [b["Name"] for b in world.s3(keys).list_buckets()["Buckets"]] for keys in (owner, stranger)
    }
    assert bucket in listed[owner]
    assert bucket not in listed[stranger]


def test_the_expected_owner(world: World, owner: Keys, stranger: Keys) -> None:
    bucket = world.bucket(owner)
    put(world, owner, bucket, ExpectedBucketOwner=owner.account)
    with world.refused("AccessDenied", "x-amz-expected-bucket-owner"):
        put(world, owner, bucket, ExpectedBucketOwner=stranger.account)
