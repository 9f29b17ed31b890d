"""A bucket that locks by default wants a checksum with each upload, through real clients and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from world import REGION, Keys, put

if TYPE_CHECKING:
    from world import World

DAYS = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}


def lock(world: World, owner: Keys, bucket: str, **rule: Any) -> None:
    world.s3(owner).put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **rule}
    )


@pytest.fixture
def bucket(world: World, owner: Keys) -> str:
    """A versioned bucket with something in it."""
    name = world.bucket(owner)
    world.s3(owner).put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    put(world, owner, name)
    return name


def upload(world: World, owner: Keys, bucket: str, **headers: str) -> int:
    url = f"https://{bucket}.s3.{REGION}.amazonaws.com/by-hand"
    signed = world.signed(owner, "PUT", url, body=b"recording", headers=headers)
    return world.send("PUT", url, signed, b"recording").status


def test_an_upload_wants_a_checksum(world: World, owner: Keys, bucket: str) -> None:
    assert upload(world, owner, bucket) == 200
    lock(world, owner, bucket, Rule=DAYS)
    assert upload(world, owner, bucket) == 400
    assert (
        upload(world, owner, bucket, **{"Content-MD5": "yS7XTBuPp9cAsHRaG8a3PQ=="}) != 200
    )  # not the body's
    put(world, owner, bucket)  # boto3 sends one by itself
    lock(world, owner, bucket)
    assert upload(world, owner, bucket) == 200


def test_a_part_wants_one_too(world: World, owner: Keys, bucket: str) -> None:
    lock(world, owner, bucket, Rule=DAYS)
    s3 = world.s3(owner)
    begun = s3.create_multipart_upload(Bucket=bucket, Key="parts", ChecksumAlgorithm="CRC32")
    url = f"https://{bucket}.s3.{REGION}.amazonaws.com/parts?partNumber=1&uploadId={begun['UploadId']}"
    assert world.send("PUT", url, world.signed(owner, "PUT", url, body=b"part"), b"part").status == 400
    s3.upload_part(Bucket=bucket, Key="parts", UploadId=begun["UploadId"], PartNumber=1, Body=b"part")


def test_it_is_told_as_it_was_set(world: World, owner: Keys, bucket: str) -> None:
    read = world.s3(owner).get_object_lock_configuration
    with pytest.raises(ClientError) as none:
        read(Bucket=bucket)
    assert none.value.response.get("Error", {}).get("Code") == "ObjectLockConfigurationNotFoundError"
    for rule in (DAYS, {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 2}}):
        lock(world, owner, bucket, Rule=rule)
        said = read(Bucket=bucket)["ObjectLockConfiguration"]
        assert said == {"ObjectLockEnabled": "Enabled", "Rule": rule}
    lock(world, owner, bucket)
    assert "Rule" not in read(Bucket=bucket)["ObjectLockConfiguration"]


def test_what_s3_does_not_take(world: World, owner: Keys, bucket: str) -> None:
    for rule in (
        {"DefaultRetention": {"Mode": "GOVERNANCE"}},
        {"DefaultRetention": {"Mode": "SOFT", "Days": 1}},
        {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}},
    ):
        with world.refused("MalformedXML"):
            lock(world, owner, bucket, Rule=rule)
    unversioned = world.bucket(owner)
    with world.refused("InvalidBucketState"):
        lock(world, owner, unversioned, Rule=DAYS)
