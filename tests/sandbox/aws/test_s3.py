"""S3's decisions through real clients: each refusal beside its nearest neighbour that is allowed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from world import REGION, Keys, allow, arns, deny, policy, put, root, trust, unique

from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from world import World


# --- identity policies -----------------------------------------------------------------------------------


def test_actions_and_resources(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    whole, objects = arns(bucket)
    writer = world.session(owner, allow("s3:PutObject", on=objects))
    put(world, writer, bucket)
    with world.refused("AccessDenied", "s3:PutObject"):
        put(world, world.session(owner, allow("s3:GetObject", on=objects)), bucket)
    with world.refused("AccessDenied", f"covers {whole}"):
        put(world, world.session(owner, allow("s3:PutObject", on=whole)), bucket)
    with world.refused("AccessDenied", "covers"):
        put(world, world.session(owner, allow("s3:PutObject", on=f"{whole}/prefix/*")), bucket)
    with world.refused("AccessDenied", "identity policies"):
        world.s3(writer).list_objects_v2(Bucket=bucket)
    world.s3(world.session(owner, allow("s3:ListBucket", on=whole))).list_objects_v2(Bucket=bucket)


def test_a_missing_key_is_hidden_from_who_may_not_list(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    whole, objects = arns(bucket)
    reader = world.session(owner, allow("s3:GetObject", on=objects))
    lister = world.session(owner, allow("s3:GetObject", "s3:ListBucket", on=[whole, objects]))
    with world.refused("AccessDenied", "s3:ListBucket"):
        world.s3(reader).get_object(Bucket=bucket, Key="none")
    with pytest.raises(ClientError, match="NoSuchKey"):
        world.s3(lister).get_object(Bucket=bucket, Key="none")
    put(world, owner, bucket)
    world.s3(reader).get_object(Bucket=bucket, Key="key")


def test_versions_need_their_own_permission(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    s3 = world.s3(owner)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"1")["VersionId"]
    reader = world.session(owner, allow("s3:GetObject", "s3:DeleteObject", on=arns(bucket)[1]))
    world.s3(reader).get_object(Bucket=bucket, Key="key")
    with world.refused("AccessDenied", "s3:GetObjectVersion"):
        world.s3(reader).get_object(Bucket=bucket, Key="key", VersionId=version)
    with world.refused("AccessDenied", "s3:DeleteObjectVersion"):
        world.s3(reader).delete_object(Bucket=bucket, Key="key", VersionId=version)
    versioned = world.session(owner, allow("s3:GetObjectVersion", on=arns(bucket)[1]))
    assert world.s3(versioned).get_object(Bucket=bucket, Key="key", VersionId=version)["Body"].read() == b"1"


def test_uploads_in_parts(world: World, owner: Keys, tmp_path: Any) -> None:
    bucket = world.bucket(owner)
    file = tmp_path / "recording.mp4"
    file.write_bytes(bytes(range(256)) * (12 << 12))
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=3)
    writer = world.session(owner, allow("s3:PutObject", on=arns(bucket)[1]))
    world.s3(writer).upload_file(str(file), bucket, "c/recording.mp4", Config=config)
    found = world.s3(owner).get_object(Bucket=bucket, Key="c/recording.mp4")["Body"].read()
    assert found == file.read_bytes()
    upload = world.s3(writer).create_multipart_upload(Bucket=bucket, Key="x")["UploadId"]
    with world.refused("AccessDenied", "s3:AbortMultipartUpload"):
        world.s3(writer).abort_multipart_upload(Bucket=bucket, Key="x", UploadId=upload)
    world.s3(owner).abort_multipart_upload(Bucket=bucket, Key="x", UploadId=upload)


def test_objects_are_deleted_one_by_one(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    for key in ("mine/a", "mine/b", "theirs/<&>"):
        put(world, owner, bucket, key)
    janitor = world.session(owner, allow("s3:DeleteObject", on=f"{arns(bucket)[0]}/mine/*"))
    mark = world.sandbox.journal.mark()
    wanted = {"Objects": [{"Key": key} for key in ("mine/a", "theirs/<&>")]}
    found = world.s3(janitor).delete_objects(Bucket=bucket, Delete=wanted)
    assert [one["Key"] for one in found["Deleted"]] == ["mine/a"]
    assert [(one["Key"], one["Code"]) for one in found["Errors"]] == [("theirs/<&>", "AccessDenied")]
    assert [entry.outcome for entry in world.sandbox.journal.since(mark)] == [
        Outcome.ALLOWED,
        Outcome.REFUSED,
    ]
    found = world.s3(janitor).delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "theirs/<&>"}]})
    assert "Deleted" not in found
    assert len(found["Errors"]) == 1
    left = world.s3(owner).list_objects_v2(Bucket=bucket)["Contents"]
    assert [one["Key"] for one in left] == ["mine/b", "theirs/<&>"]


def test_a_copy_reads_its_source(world: World, owner: Keys) -> None:
    source, target = world.bucket(owner), world.bucket(owner)
    put(world, owner, source)
    write = allow("s3:PutObject", on=arns(target)[1])
    copy = {"Bucket": target, "Key": "copy", "CopySource": {"Bucket": source, "Key": "key"}}
    world.s3(world.session(owner, write, allow("s3:GetObject", on=arns(source)[1]))).copy_object(**copy)
    with world.refused("AccessDenied", "s3:GetObject"):
        world.s3(world.session(owner, write)).copy_object(**copy)
    with world.refused("NoSuchBucket"):
        world.s3(owner).copy_object(**copy | {"CopySource": {"Bucket": unique("none"), "Key": "key"}})


# --- bucket policies -------------------------------------------------------------------------------------


def test_a_deny_for_another_role_leaves_ours_alone(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    ours, other = (world.role(owner, trust({"AWS": root(owner.account)}), allow("s3:*")) for _ in range(2))
    policy(world, owner, bucket, deny("s3:PutObject", on=arns(bucket)[1], Principal={"AWS": other}))
    put(world, world.assume(owner, ours), bucket)
    with world.refused("AccessDenied", "explicit deny in the bucket policy"):
        put(world, world.assume(owner, other), bucket)


def test_a_deny_applies_where_its_condition_holds(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    unencrypted = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}
    policy(
        world, owner, bucket, deny("s3:PutObject", on=arns(bucket)[1], Principal="*", Condition=unencrypted)
    )
    put(world, owner, bucket, ServerSideEncryption="AES256")
    with world.refused("AccessDenied", "explicit deny"):
        put(world, owner, bucket)


def test_plain_http_is_refused_where_the_policy_says_so(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    plain = world.s3(owner, use_ssl=False)
    plain.put_object(Bucket=bucket, Key="key", Body=b"1")
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    policy(world, owner, bucket, deny("s3:*", on=arns(bucket), Principal="*", Condition=tls))
    with world.refused("AccessDenied", "explicit deny in the bucket policy"):
        plain.put_object(Bucket=bucket, Key="key", Body=b"1")
    put(world, owner, bucket)


def test_old_tls_is_refused_where_the_policy_says_so(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)

    def below(version: str) -> None:
        old = {"NumericLessThan": {"s3:TlsVersion": version}}
        policy(world, owner, bucket, deny("s3:PutObject", on=arns(bucket)[1], Principal="*", Condition=old))

    below("1.2")
    put(world, owner, bucket)
    below("1.4")
    with world.refused("AccessDenied", "explicit deny in the bucket policy"):
        put(world, owner, bucket)


def test_where_a_caller_is_nobody_knows(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    elsewhere = {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    policy(world, owner, bucket, deny("s3:PutObject", on=arns(bucket)[1], Principal="*", Condition=elsewhere))
    with world.undecided("aws:SourceIp"):
        put(world, owner, bucket)
    world.s3(owner).list_objects_v2(Bucket=bucket)


def test_another_account_needs_both_sides(world: World, owner: Keys, stranger: Keys) -> None:
    bucket = world.bucket(owner)
    put(world, owner, bucket)
    reads = allow("s3:GetObject", on=arns(bucket)[1], Principal={"AWS": stranger.account})
    with world.refused("AccessDenied", "bucket policy"):
        world.s3(stranger).get_object(Bucket=bucket, Key="key")
    policy(world, owner, bucket, reads)
    assert world.s3(stranger).get_object(Bucket=bucket, Key="key")["Body"].read() == b"recording"
    with world.refused("AccessDenied", "identity policies"):
        world.s3(world.session(stranger)).get_object(Bucket=bucket, Key="key")
    with world.refused("AccessDenied", "s3:PutObject"):
        put(world, stranger, bucket)


def test_the_bucket_policy_is_its_owners(world: World, owner: Keys, stranger: Keys) -> None:
    bucket = world.bucket(owner)
    policy(world, owner, bucket, allow("s3:*", on=arns(bucket), Principal={"AWS": stranger.account}))
    world.s3(stranger).get_bucket_versioning(Bucket=bucket)
    with world.refused("MethodNotAllowed"):
        world.s3(stranger).get_bucket_policy(Bucket=bucket)
    world.s3(owner).get_bucket_policy(Bucket=bucket)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            allow("s3:GetObject", on="arn:aws:s3:::another/*", Principal={"AWS": "111111111111"}),
            "invalid resource",
        ),
        (allow("s3:GetObject", on="arn:aws:s3:::BUCKET", Principal={"AWS": "111111111111"}), "doesn't apply"),
        (
            allow("s3:ListBucket", on="arn:aws:s3:::BUCKET/*", Principal={"AWS": "111111111111"}),
            "doesn't apply",
        ),
        (
            allow(
                "s3:GetObject",
                on="arn:aws:s3:::BUCKET/*",
                Principal={"AWS": "arn:aws:iam::111111111111:role/none"},
            ),
            "there is no",
        ),
        (allow("s3:GetObject", on="arn:aws:s3:::BUCKET/*"), "Principal"),
        (
            allow("s3:GetObject", on="arn:aws:s3:::BUCKET/*", Principal={"AWS": "somebody"}),
            "Invalid principal",
        ),
    ],
    ids=["resource", "object action", "bucket action", "absent principal", "no principal", "not a principal"],
)
def test_malformed_bucket_policies(world: World, owner: Keys, statement: dict[str, Any], reason: str) -> None:
    bucket = world.bucket(owner)
    policy(world, owner, bucket, allow("s3:GetObject", on=arns(bucket)[1], Principal={"AWS": "111111111111"}))
    with world.refused("MalformedPolicy", reason):
        policy(
            world, owner, bucket, statement | {"Resource": statement["Resource"].replace("BUCKET", bucket)}
        )


# --- the public ------------------------------------------------------------------------------------------


def everyone(bucket: str) -> dict[str, Any]:
    return allow("s3:GetObject", on=arns(bucket)[1], Principal="*")


def test_nobody_gets_in_without_a_grant(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    put(world, owner, bucket)
    for key in ("key", "none"):
        with world.refused("AccessDenied"):
            world.s3(None).get_object(Bucket=bucket, Key=key)


def test_a_public_policy_lets_everyone_in(world: World, owner: Keys) -> None:
    """moto must not decide by itself: stock moto refuses this, since its `FakeBucket.get_permission` does."""
    bucket = world.open_bucket(owner)
    put(world, owner, bucket)
    policy(
        world,
        owner,
        bucket,
        everyone(bucket),
        deny("s3:GetObject", on=arns(bucket)[1], Principal={"AWS": "999999999999"}),
    )
    assert world.s3(None).get_object(Bucket=bucket, Key="key")["Body"].read() == b"recording"
    with world.refused("AccessDenied"):
        world.s3(None).get_object(Bucket=bucket, Key="none")
    with world.refused("AccessDenied"):
        put(world, None, bucket)


def test_block_public_policy(world: World, owner: Keys, stranger: Keys) -> None:
    bucket = world.bucket(owner)
    with world.refused("AccessDenied", "BlockPublicPolicy"):
        policy(world, owner, bucket, everyone(bucket))
    policy(
        world, owner, bucket, allow("s3:GetObject", on=arns(bucket)[1], Principal={"AWS": stranger.account})
    )
    world.s3(owner).put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={"BlockPublicPolicy": False, "RestrictPublicBuckets": True},
    )
    policy(world, owner, bucket, everyone(bucket))


def test_restrict_public_buckets(world: World, owner: Keys, stranger: Keys) -> None:
    bucket = world.open_bucket(owner)
    put(world, owner, bucket)
    policy(world, owner, bucket, everyone(bucket))
    for keys in (owner, stranger, None):
        world.s3(keys).get_object(Bucket=bucket, Key="key")
    world.s3(owner).put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True}
    )
    world.s3(owner).get_object(Bucket=bucket, Key="key")
    for keys in (stranger, None):
        with world.refused("AccessDenied", "RestrictPublicBuckets"):
            world.s3(keys).get_object(Bucket=bucket, Key="key")


# --- ownership, encryption, and what isn't modelled ------------------------------------------------------


def test_acls_are_disabled(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    put(world, owner, bucket, ACL="bucket-owner-full-control")
    with world.refused("AccessControlListNotSupported"):
        put(world, owner, bucket, ACL="public-read")
    with world.refused("AccessControlListNotSupported"):
        world.s3(owner).put_bucket_acl(Bucket=bucket, ACL="private")
    with world.undecided("private"):
        put(world, owner, bucket, ACL="private")
    world.s3(owner).put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    put(world, owner, bucket, ACL="private")
    with world.undecided("access control lists"):
        put(world, owner, bucket, ACL="public-read")
    here = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    with world.refused("InvalidBucketAclWithObjectOwnership"):
        world.s3(owner).create_bucket(Bucket=unique("bucket"), ACL="public-read", **here)


def test_an_acl_needs_its_own_permission(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    writer = world.session(owner, allow("s3:PutObject", on=arns(bucket)[1]))
    put(world, writer, bucket)
    with world.refused("AccessDenied", "s3:PutObjectAcl"):
        put(world, writer, bucket, ACL="bucket-owner-full-control")


def test_what_is_not_modelled_is_undecided(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    s3 = world.s3(owner)
    with world.undecided("Object Lock"):
        here = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
        s3.create_bucket(Bucket=unique("bucket"), ObjectLockEnabledForBucket=True, **here)
    with world.undecided("cors"):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": []})
    with world.undecided("begins with a slash"):
        put(world, owner, bucket, "/key")
    with world.undecided("s3-control"):
        world.client("s3control", owner).get_public_access_block(AccountId=owner.account)
    with world.undecided("reaches beyond the bucket"):
        policy(world, owner, bucket, allow("s3:GetObject", Principal={"AWS": "111111111111"}))


def test_keys_may_look_like_anything(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    for key in ("moto-api/reset", "latest/meta-data/x", "us_east/x", "a//b", "ü ?&=+%2F"):
        put(world, owner, bucket, key)
        assert world.s3(owner).get_object(Bucket=bucket, Key=key)["Body"].read() == b"recording"
        where = world.s3(owner).generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        assert world.send("GET", where).text == "recording"


def test_threads(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)

    def write(number: int) -> None:
        put(world, owner, bucket, f"key-{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(40)))
    assert world.s3(owner).list_objects_v2(Bucket=bucket)["KeyCount"] == 40


def test_a_private_bucket_needs_no_permission_for_its_acl(world: World, owner: Keys) -> None:
    maker = world.s3(world.session(owner, allow("s3:CreateBucket")))
    placed: Any = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    maker.create_bucket(Bucket=unique("private"), ACL="private", **placed)
    with world.refused("AccessDenied", "s3:PutBucketAcl"):
        maker.create_bucket(Bucket=unique("public"), ACL="public-read", **placed)


def test_a_version_goes_while_a_marker_of_its_deletion_is_there(world: World, owner: Keys) -> None:
    bucket, s3 = world.bucket(owner), world.s3(owner)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"1")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="key")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
