"""S3 destinations written by hand: a loop over the provider's resources, without components, settings or checks.

It makes what the project's program makes for the same configuration, with equal inputs, and hands over the same
outputs; a test sees to that.
"""

import base64
import hashlib
import json
from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws

WRITE = [
    "s3:PutObject",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:AbortMultipartUpload",
]
ROLE_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::291871421005:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "tavus"}},
            }
        ],
    }
)
STACK = (pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())


def unique(prefix: str, name: str, region: str, account: str) -> str:
    """A physical name."""
    digest = hashlib.sha256("\0".join((*STACK, name, account, region)).encode()).digest()
    return f"{prefix}-{name}-{base64.b32encode(digest).decode().lower()[:6]}"


def tls_only(bucket_arn: str) -> str:
    """The bucket's policy."""
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def may_write(bucket_arn: str) -> str:
    """The role's policy."""
    statement = {"Effect": "Allow", "Action": WRITE, "Resource": [bucket_arn, f"{bucket_arn}/*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def recorded(storage: dict[str, str]) -> dict[str, Any]:
    """The properties of a conversation that may be recorded."""
    return {"enable_recording": True, "recording_storage": storage}


def recorded_of_old(storage: dict[str, str]) -> dict[str, Any]:
    """The older flat form of them."""
    return {
        "enable_recording": True,
        "recording_s3_bucket_name": storage["bucket_name"],
        "recording_s3_bucket_region": storage["bucket_region"],
        "aws_assume_role_arn": storage["assume_role_arn"],
    }


provider = aws.Provider("aws-default", region="us-east-1")
account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider)).account_id
outputs: dict[str, dict[str, Any]] = {}

for name, settings in pulumi.Config().require_object("destinations").items():
    region = settings["region"]

    def options(*after: pulumi.Resource) -> pulumi.ResourceOptions:
        """The options of each resource."""
        return pulumi.ResourceOptions(provider=provider, protect=True, depends_on=list(after))

    role = aws.iam.Role(
        f"{name}-role",
        name=account.apply(partial(unique, f"recordings-{STACK[2]}", name, region)),
        path="/",
        description=f"Writes recordings to {name}",
        assume_role_policy=ROLE_TRUST,
        max_session_duration=43200,
        tags={},
        opts=options(),
    )
    bucket = aws.s3.Bucket(
        f"{name}-bucket",
        bucket=account.apply(partial(unique, STACK[2], name, region)),
        region=region,
        force_destroy=False,
        tags={},
        opts=options(),
    )
    access = aws.s3.BucketPublicAccessBlock(
        f"{name}-public-access-block",
        bucket=bucket.bucket,
        region=region,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=options(),
    )
    ownership = aws.s3.BucketOwnershipControls(
        f"{name}-ownership",
        bucket=bucket.bucket,
        region=region,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=options(access),
    )
    policy = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        region=region,
        policy=bucket.arn.apply(tls_only),
        opts=options(ownership),
    )
    versioning = aws.s3.BucketVersioning(
        f"{name}-versioning",
        bucket=bucket.bucket,
        region=region,
        versioning_configuration={"status": "Enabled"},
        opts=options(policy),
    )
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        region=region,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=options(versioning),
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        region=region,
        rules=[
            {
                "id": "drop-unfinished-uploads",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
            }
        ],
        opts=options(encryption),
    )
    write = aws.iam.RolePolicy(
        f"{name}-role-policy",
        name="write-recordings",
        role=role.name,
        policy=bucket.arn.apply(may_write),
        opts=options(),
    )
    role_arn = write.id.apply(lambda _, role=role: role.arn)
    recording_storage = pulumi.Output.all(
        bucket_name=bucket.bucket, bucket_region=bucket.bucket_region, assume_role_arn=role_arn
    ).apply(lambda known: {"provider": "s3", **known})
    outputs[name] = {
        "provider": "s3",
        "recording_storage": recording_storage,
        "conversation_properties": recording_storage.apply(recorded),
        "legacy_conversation_properties": recording_storage.apply(recorded_of_old),
        "bucket_name": bucket.bucket,
        "bucket_region": bucket.bucket_region,
        "bucket_arn": bucket.arn,
        "bucket_uri": bucket.bucket.apply("s3://{}".format),
        "role_name": role.name,
        "role_arn": role_arn,
    }

if len(outputs) == 1:
    pulumi.export("recording_storage", *(one["recording_storage"] for one in outputs.values()))
pulumi.export("destinations", outputs)
