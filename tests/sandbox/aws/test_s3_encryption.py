"""What S3 asks a KMS key for its callers: each refusal beside its nearest neighbour that is allowed."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from world import (
    REGION,
    Keys,
    allow,
    arns,
    delegated,
    deny,
    document,
    key_policy,
    policy,
    put,
    root,
    trust,
    unique,
)

from recording_storage.sandbox.aws import occasion
from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from world import World

ENCRYPT, DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"
OBJECTS = allow("s3:*")


def get(world: World, keys: Keys | None, bucket: str, key: str = "key", **more: Any) -> bytes:
    return world.s3(keys).get_object(Bucket=bucket, Key=key, **more)["Body"].read()


@pytest.fixture(scope="module")
def key(world: World, owner: Keys) -> str:
    """A key whose policy leaves everything to its account."""
    return world.key(owner)


def test_writing_needs_the_key(world: World, owner: Keys, key: str) -> None:
    bucket = world.encrypted_bucket(owner, key)
    put(world, world.session(owner, OBJECTS, allow(ENCRYPT, on=key)), bucket)
    with world.refused("AccessDenied", f"{ENCRYPT} on {key}"):
        put(world, world.session(owner, OBJECTS), bucket)
    with world.refused("AccessDenied", "covers arn:aws:kms"):
        put(world, world.session(owner, OBJECTS, allow(ENCRYPT, on=f"{key}x")), bucket)
    with world.refused("AccessDenied", "explicit deny"):
        put(world, world.session(owner, OBJECTS, allow("kms:*"), deny(ENCRYPT)), bucket)
    put(world, world.session(owner, OBJECTS), bucket, ServerSideEncryption="AES256")


def test_reading_needs_the_key(world: World, owner: Keys, key: str) -> None:
    bucket = world.encrypted_bucket(owner, key)
    put(world, owner, bucket)
    assert get(world, world.session(owner, OBJECTS, allow(DECRYPT, on=key)), bucket) == b"recording"
    without = world.session(owner, OBJECTS, allow(ENCRYPT))
    with world.refused("AccessDenied", f"{DECRYPT} on {key}"):
        get(world, without, bucket)
    found = world.s3(without).head_object(Bucket=bucket, Key="key")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)
    mark = world.sandbox.journal.mark()
    with pytest.raises(ClientError, match="501"):
        world.s3(without).head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert [one.outcome for one in world.sandbox.journal.since(mark)] == [Outcome.UNDECIDED]
    world.s3(owner).head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    world.s3(without).list_objects_v2(Bucket=bucket)
    world.s3(without).delete_object(Bucket=bucket, Key="key")


def test_the_message_names_the_missing_policy(world: World, owner: Keys, stranger: Keys) -> None:
    foreign = delegated(stranger.account)
    closed, shared = world.key(owner, foreign), world.key(owner)
    unseen = "because the resource does not exist in this Region, no resource-based policies allow access"
    for writer, key, message in (
        (world.session(owner, OBJECTS), closed, "because no resource-based policy allows"),
        (world.session(owner, OBJECTS), shared, "because no identity-based policy allows"),
        (world.session(owner, OBJECTS, deny(ENCRYPT)), shared, "with an explicit deny in an identity-based"),
        (world.session(owner, allow("*")), world.key(stranger), unseen),
        (world.session(owner, OBJECTS), world.key(stranger, delegated(owner.account)), "no identity-based"),
    ):
        told = re.escape(f"is not authorized to perform: {ENCRYPT} on resource: {key} ") + f".*{message}"
        with pytest.raises(ClientError, match=told):
            put(world, writer, world.encrypted_bucket(owner, key))


def test_the_key_of_the_object_counts(world: World, owner: Keys, key: str) -> None:
    bucket = world.encrypted_bucket(owner, key)
    world.s3(owner).put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = world.s3(owner).put_object(Bucket=bucket, Key="key", Body=b"1")["VersionId"]
    second = world.key(owner)
    put(world, owner, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=second)
    reader = world.session(owner, OBJECTS, allow(DECRYPT, on=second))
    assert get(world, reader, bucket) == b"recording"
    with world.refused("AccessDenied", key):
        get(world, reader, bucket, VersionId=first)
    by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    world.s3(owner).put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [by_default]}
    )
    get(world, reader, bucket)
    plain = world.bucket(owner)
    put(world, owner, plain)
    get(world, world.session(owner, OBJECTS), plain)


def test_uploads_in_parts_need_both(world: World, owner: Keys, key: str) -> None:
    bucket = world.encrypted_bucket(owner, key, bucket_key=True)
    small = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    both = world.s3(world.session(owner, OBJECTS, allow(ENCRYPT, DECRYPT, on=key)))
    both.upload_fileobj(io.BytesIO(bytes(6 << 20)), bucket, "c/recording.mp4", Config=small)
    found = both.head_object(Bucket=bucket, Key="c/recording.mp4")
    assert (found["SSEKMSKeyId"], found["BucketKeyEnabled"]) == (key, True)
    one = world.s3(world.session(owner, OBJECTS, allow(ENCRYPT, on=key)))
    made = one.create_multipart_upload(Bucket=bucket, Key="x")
    assert (made["SSEKMSKeyId"], made["BucketKeyEnabled"]) == (key, True)
    part = {"Bucket": bucket, "Key": "x", "UploadId": made["UploadId"]}
    with world.refused("AccessDenied", f"{DECRYPT} on {key}"):
        one.upload_part(**part, PartNumber=1, Body=b"1")
    sent = both.upload_part(**part, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"]}]}
    with world.refused("AccessDenied", f"{DECRYPT} on {key}"):
        one.complete_multipart_upload(**part, MultipartUpload=parts)
    one.list_parts(**part)
    both.complete_multipart_upload(**part, MultipartUpload=parts)
    with world.refused("AccessDenied", f"{ENCRYPT} on {key}"):
        world.s3(world.session(owner, OBJECTS, allow(DECRYPT, on=key))).create_multipart_upload(
            Bucket=bucket, Key="y"
        )


def test_an_upload_keeps_its_encryption(world: World, owner: Keys, key: str) -> None:
    bucket, s3 = world.bucket(owner), world.s3(owner)
    made = s3.create_multipart_upload(Bucket=bucket, Key="x")
    part = {"Bucket": bucket, "Key": "x", "UploadId": made["UploadId"]}
    by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [by_default]})
    sent = world.s3(world.session(owner, OBJECTS)).upload_part(**part, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"]}]}
    s3.complete_multipart_upload(**part, MultipartUpload=parts)
    assert s3.head_object(Bucket=bucket, Key="x")["ServerSideEncryption"] == "AES256"


def test_copies_ask_both_keys(world: World, owner: Keys, key: str) -> None:
    other = world.key(owner)
    source, target = world.encrypted_bucket(owner, key), world.encrypted_bucket(owner, other)
    put(world, owner, source)
    copy = {"Bucket": target, "Key": "copy", "CopySource": {"Bucket": source, "Key": "key"}}
    read, write = allow(DECRYPT, on=key), allow(ENCRYPT, on=other)
    world.s3(world.session(owner, OBJECTS, read, write)).copy_object(**copy)
    assert world.s3(owner).head_object(Bucket=target, Key="copy")["SSEKMSKeyId"] == other
    with world.refused("AccessDenied", f"{DECRYPT} on {key}"):
        world.s3(world.session(owner, OBJECTS, write)).copy_object(**copy)
    with world.refused("AccessDenied", f"{ENCRYPT} on {other}"):
        world.s3(world.session(owner, OBJECTS, read)).copy_object(**copy)
    world.s3(world.session(owner, OBJECTS, read)).copy_object(**copy, ServerSideEncryption="AES256")


@pytest.mark.parametrize("bucket_key", [False, True])
def test_conditions_on_where_it_is_used(world: World, owner: Keys, bucket_key: bool) -> None:
    bucket = world.bucket(owner)
    through = {"kms:ViaService": f"s3.{REGION}.amazonaws.com", "kms:CallerAccount": owner.account}
    whole, objects = arns(bucket)
    about = {"kms:EncryptionContext:aws:s3:arn": whole if bucket_key else objects}
    held = {"StringEquals": through, "StringLike": about}
    key = world.key(owner, allow("kms:*", Principal={"AWS": root(owner.account)}, Condition=held))
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    put(world, owner, bucket, **encrypted, BucketKeyEnabled=bucket_key)
    get(world, owner, bucket)
    with world.refused("AccessDenied", "kms:EncryptionContext:aws:s3:arn"):
        put(world, owner, bucket, **encrypted, BucketKeyEnabled=not bucket_key)
    with world.refused("AccessDenied", "kms:EncryptionContext:aws:s3:arn"):
        put(world, owner, world.bucket(owner), **encrypted, BucketKeyEnabled=bucket_key)
    with world.refused("AccessDeniedException", "kms:ViaService"):
        world.kms(owner).generate_data_key(KeyId=key, KeySpec="AES_256")
    elsewhere = {"StringEquals": through | {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    world.kms(owner).put_key_policy(
        KeyId=key,
        PolicyName="default",
        Policy=key_policy(owner, delegated(owner.account) | {"Condition": elsewhere}),
    )
    with world.refused("AccessDenied", "kms:ViaService"):
        get(world, owner, bucket)


def test_another_accounts_key(world: World, owner: Keys, stranger: Keys, service: Keys) -> None:
    theirs = world.key(stranger, delegated(owner.account, ENCRYPT, DECRYPT))
    bucket = world.encrypted_bucket(owner, theirs)
    put(world, world.session(owner, OBJECTS, allow(ENCRYPT, on=theirs)), bucket)
    with world.refused("AccessDenied", "identity policies"):
        put(world, world.session(owner, OBJECTS), bucket)
    with world.refused("AccessDenied", "key policy"):
        put(world, owner, world.encrypted_bucket(owner, world.key(stranger)))
    policy(world, owner, bucket, allow("s3:*", on=arns(bucket), Principal={"AWS": service.account}))
    with world.refused("AccessDenied", f"{DECRYPT} on {theirs}"):
        get(world, service, bucket)
    world.kms(stranger).put_key_policy(
        KeyId=theirs,
        PolicyName="default",
        Policy=key_policy(stranger, delegated(service.account, DECRYPT), delegated(owner.account, ENCRYPT)),
    )
    get(world, service, bucket)
    with world.refused("AccessDenied", "identity policies"):
        get(world, world.session(service, OBJECTS), bucket)


def test_s3s_own_key_is_its_accounts(world: World, owner: Keys, stranger: Keys) -> None:
    bucket = world.encrypted_bucket(owner)
    put(world, world.session(owner, OBJECTS), bucket)
    get(world, world.session(owner, OBJECTS), bucket)
    own = world.s3(owner).head_object(Bucket=bucket, Key="key")["SSEKMSKeyId"]
    metadata = world.kms(owner).describe_key(KeyId=own)["KeyMetadata"]
    assert metadata["KeyManager"] == "AWS"
    with world.refused("AccessDeniedException", "kms:ViaService"):
        world.kms(owner).generate_data_key(KeyId=own, KeySpec="AES_256")
    policy(world, owner, bucket, allow("s3:*", on=arns(bucket), Principal={"AWS": stranger.account}))
    with world.refused("AccessDenied", "kms:CallerAccount"):
        get(world, stranger, bucket)
    put(world, stranger, bucket, "theirs")
    assert get(world, stranger, bucket, "theirs") == b"recording"
    with world.refused("AccessDenied", "kms:CallerAccount"):
        get(world, owner, bucket, "theirs")
    put(world, owner, world.encrypted_bucket(owner, world.key(owner)), ServerSideEncryption="aws:kms")


def test_states_of_a_key(world: World, owner: Keys) -> None:
    key = world.key(owner)
    bucket, kms = world.encrypted_bucket(owner, key), world.kms(owner)
    put(world, owner, bucket)
    kms.disable_key(KeyId=key)
    for use in (put, get):
        with world.refused("KMS.DisabledException", "is disabled"):
            use(world, owner, bucket)
    kms.enable_key(KeyId=key)
    get(world, owner, bucket)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    for use in (put, get):
        with world.refused("KMS.KMSInvalidStateException", "pending deletion"):
            use(world, owner, bucket)
    kms.cancel_key_deletion(KeyId=key)
    with world.refused("KMS.DisabledException"):
        get(world, owner, bucket)
    kms.enable_key(KeyId=key)
    get(world, owner, bucket)


def test_keys_that_are_not_there(world: World, owner: Keys, key: str, stranger: Keys) -> None:
    bucket = world.bucket(owner)

    def write(reference: str) -> None:
        put(world, owner, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=reference)

    id_ = key.rpartition("/")[2]
    absent = "00000000-0000-4000-8000-000000000000"
    alias = f"alias/{unique('key')}"
    world.kms(owner).create_alias(AliasName=alias, TargetKeyId=key)
    here = f"arn:aws:kms:{REGION}:{owner.account}:"
    for reference in (key, id_, alias, here + alias):
        write(reference)
        assert world.s3(owner).head_object(Bucket=bucket, Key="key")["SSEKMSKeyId"] == key
    wrong = {
        "Invalid arn us-east-1": world.key(owner, region="us-east-1"),
        "does not exist": f"{here}key/{absent}",
        f"key/{absent}' does not exist": absent,
        "Invalid keyId 'none'": "none",
        "Invalid keyId 'aws/s3'": "aws/s3",
        "is not found": f"{alias}-none",
    }
    for because, reference in wrong.items():
        with world.refused("KMS.NotFoundException", because):
            write(reference)
    for name in (f"key/{absent}", "alias/none"):
        with world.refused("AccessDenied", "there is no such key"):
            write(f"arn:aws:kms:{REGION}:{stranger.account}:{name}")
    with world.undecided("alias/aws/ebs"):
        write("alias/aws/ebs")
    policy(world, owner, bucket, allow("s3:*", on=arns(bucket), Principal={"AWS": stranger.account}))
    with world.refused("KMS.NotFoundException", f"{stranger.account}:{alias} is not found"):
        put(world, stranger, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=alias)
    for reference in (id_, here + alias):
        with world.undecided("whose key"):
            put(world, stranger, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=reference)


def test_requests_that_say_too_little(world: World, owner: Keys, key: str) -> None:
    bucket = world.bucket(owner)
    with world.refused("InvalidArgument"):
        put(world, owner, bucket, SSEKMSKeyId=key)
    with world.refused("InvalidArgument"):
        put(world, owner, bucket, ServerSideEncryption="rot13")
    for named, context in (
        ({"ServerSideEncryption": "aws:kms:dsse"}, "dual-layer"),
        (
            {"ServerSideEncryption": "aws:kms", "SSEKMSEncryptionContext": "e30="},
            "encryption-context",
        ),
    ):
        with world.undecided(context):
            put(world, owner, bucket, **named)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": key}}
    with world.refused("InvalidArgument", "not applicable"):
        world.s3(owner).put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )


def test_nobody_and_plain_http(world: World, owner: Keys, key: str) -> None:
    bucket = world.open_bucket(owner)
    put(world, owner, bucket, "encrypted", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    put(world, owner, bucket, "plain")
    policy(world, owner, bucket, allow("s3:GetObject", on=arns(bucket)[1], Principal="*"))
    get(world, None, bucket, "plain")
    with world.refused("InvalidArgument", "Signature Version 4"):
        get(world, None, bucket, "encrypted")
    over_http = world.s3(owner, use_ssl=False)
    over_http.get_object(Bucket=bucket, Key="plain")
    with world.refused("InvalidArgument", "secure connection"):
        over_http.get_object(Bucket=bucket, Key="encrypted")


def test_presigned_urls(world: World, owner: Keys, key: str) -> None:
    bucket = world.encrypted_bucket(owner, key)
    may = world.session(owner, OBJECTS, allow(ENCRYPT, DECRYPT, on=key))
    may_not = world.session(owner, OBJECTS)
    where = {"Params": {"Bucket": bucket, "Key": "key"}}
    assert (
        world.send("PUT", world.s3(may).generate_presigned_url("put_object", **where), body=b"1").status
        == 200
    )
    reply = world.send("GET", world.s3(may).generate_presigned_url("get_object", **where))
    assert (reply.text, reply.headers["x-amz-server-side-encryption-aws-kms-key-id"]) == ("1", key)
    reply = world.send("PUT", world.s3(may_not).generate_presigned_url("put_object", **where), body=b"1")
    assert (reply.status, ENCRYPT in reply.text) == (403, True)
    reply = world.send("GET", world.s3(may_not).generate_presigned_url("get_object", **where))
    assert (reply.status, DECRYPT in reply.text) == (403, True)


def test_boundaries_limit_what_the_account_gives(world: World, owner: Keys, key: str) -> None:
    bucket = world.encrypted_bucket(owner, key)
    boundary = world.iam(owner).create_policy(PolicyName=unique("b"), PolicyDocument=document(OBJECTS))
    trusted = trust({"AWS": root(owner.account)})
    more = {"PermissionsBoundary": boundary["Policy"]["Arn"]}
    bounded = world.assume(owner, world.role(owner, trusted, allow("*"), **more))
    with world.refused("AccessDenied", "permissions boundary"):
        put(world, bounded, bucket)
    role = world.role(owner, trusted, allow("*"))
    put(world, world.assume(owner, role), bucket)
    with world.refused("AccessDenied", "session policy"):
        put(world, world.assume(owner, role, Policy=document(OBJECTS)), bucket)


def test_a_key_made_for_the_occasion(world: World, owner: Keys, stranger: Keys) -> None:
    arn = f"arn:aws:kms:{REGION}:{stranger.account}:key/11112222-3333-4444-5555-666677778888"
    writer = trust({"AWS": root(owner.account)})
    role = world.role(owner, writer, OBJECTS, allow(ENCRYPT, DECRYPT, on=arn))
    bucket = world.encrypted_bucket(owner, arn)
    for actions, may_read in ((ENCRYPT,), False), ((ENCRYPT, DECRYPT), True):
        occasion.key(arn, document(allow(*actions, Principal={"AWS": role})))
        put(world, world.assume(owner, role), bucket)
        if may_read:
            get(world, world.assume(owner, role), bucket)
        else:
            with world.refused("AccessDenied", DECRYPT):
                get(world, world.assume(owner, role), bucket)
    with pytest.raises(ValueError, match="not the ARN of a key"):
        occasion.key(arn.replace("key/", "alias/"), "{}")
