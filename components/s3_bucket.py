"""The bucket of an S3 destination and all that protects it: made, or taken over as it is.

Left out: who may write to it, which is the role's policy, and a key of one's own, which is made beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from components import adoption
from components.destination import DELETE
from components.inputs import computed
from components.s3_lifecycle import lifecycle_rules
from components.s3_policies import s3_bucket_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from components.keeping import Keeping


@dataclass(frozen=True)
class BucketSettings:
    """What is asked of a bucket; `adopted` is the id of one that exists, as `<name>@<region>`."""

    name: pulumi.Input[str]
    region: pulumi.Input[str]
    tags: pulumi.Input[dict[str, pulumi.Input[str]]]
    readers: Sequence[pulumi.Input[str]] = ()
    retention_days: int | None = None
    key_arn: pulumi.Input[str] | None = None
    adopted: str | None = None


def make_bucket(name: str, settings: BucketSettings, keeping: Keeping) -> aws.s3.Bucket:
    """The bucket and its settings, one after the other.

    S3 answers 409 when two settings of a bucket are changed at once, and the policy must come after the access
    block, which judges it.
    """
    adopted = settings.adopted
    taken_over = adoption.unchanged(adopted) if adopted else None

    def kept(*after: pulumi.Resource) -> pulumi.ResourceOptions:
        return keeping.options(*after, adopted=adopted, taken_over=taken_over)

    bucket = aws.s3.Bucket(
        f"{name}-bucket",
        bucket=settings.name,
        region=settings.region,
        force_destroy=keeping.on_destroy == DELETE,
        tags=settings.tags,
        opts=kept(),
    )
    access = aws.s3.BucketPublicAccessBlock(
        f"{name}-public-access-block",
        bucket=bucket.bucket,
        region=settings.region,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=kept(),
    )
    ownership = aws.s3.BucketOwnershipControls(
        f"{name}-ownership",
        bucket=bucket.bucket,
        region=settings.region,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=kept(access),
    )
    policy = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        region=settings.region,
        policy=computed(
            [bucket.arn, *settings.readers],
            lambda known: json.dumps(s3_bucket_policy(known[0], known[1:])),
        ),
        opts=kept(ownership),
    )
    versioning = aws.s3.BucketVersioning(
        f"{name}-versioning",
        bucket=bucket.bucket,
        region=settings.region,
        versioning_configuration={"status": "Enabled"},
        opts=kept(policy),
    )
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        region=settings.region,
        rules=[encryption_rule(settings.key_arn)],
        opts=kept(versioning),
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        region=settings.region,
        rules=lifecycle_rules(settings.retention_days),
        opts=kept(encryption),
    )
    return bucket


def encryption_rule(
    key_arn: pulumi.Input[str] | None,
) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict:
    """How objects are encrypted: with the key, asked for a data key per bucket, not per object, or with S3's own.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    """
    if key_arn is None:
        return {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    return {
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
        "bucket_key_enabled": True,
    }
