"""What expires in a destination's bucket, and when.

Pure: plain data in the shape that pulumi-aws takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pulumi_aws as aws

UNFINISHED_UPLOAD_DAYS = 7
"""Days after which the parts of an upload that never ended are dropped."""
NONCURRENT_DAYS = 1
"""Days that a version stays after another has replaced it, where a retention is set: the shortest that S3 takes.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_NoncurrentVersionExpiration.html"""


def lifecycle_rules(retention_days: int | None) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    """The bucket's lifecycle: unfinished uploads always go; with a retention, recordings and all that is left of them.

    A delete marker whose versions are gone needs a rule without days of its own. Source:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html
    """
    everything: aws.s3.BucketLifecycleConfigurationRuleFilterArgsDict = {"prefix": ""}
    rules: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": "drop-unfinished-uploads",
            "status": "Enabled",
            "filter": everything,
            "abort_incomplete_multipart_upload": {"days_after_initiation": UNFINISHED_UPLOAD_DAYS},
        }
    ]
    if retention_days is None:
        return rules
    expiring: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": "expire-recordings",
            "status": "Enabled",
            "filter": everything,
            "expiration": {"days": retention_days},
            "noncurrent_version_expiration": {"noncurrent_days": NONCURRENT_DAYS},
        },
        {
            "id": "expire-delete-markers",
            "status": "Enabled",
            "filter": everything,
            "expiration": {"expired_object_delete_marker": True},
        },
    ]
    return rules + expiring
