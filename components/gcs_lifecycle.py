"""What expires in a destination's bucket on Google Cloud Storage, and when.

Pure: plain data in the shape that pulumi-gcp takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pulumi_gcp as gcp

UNFINISHED_UPLOAD_DAYS: Final = 7
"""Days after which the parts of an upload that never ended are dropped."""
NONCURRENT_DAYS: Final = 1
"""Days that a version stays after it was replaced or deleted, where a retention is set: the shortest in whole days.
Source: https://docs.cloud.google.com/storage/docs/lifecycle#dayssincenoncurrenttime"""
SOFT_DELETE_SECONDS: Final = 7 * 24 * 60 * 60
"""How long what was deleted can be restored where nothing expires: Google's default, and the shortest above none.
Source: https://docs.cloud.google.com/storage/docs/soft-delete#retention-duration"""


def lifecycle_rules(retention_days: int | None) -> list[gcp.storage.BucketLifecycleRuleArgsDict]:
    """The bucket's lifecycle: unfinished uploads always go; with a retention, recordings and their old versions.

    In a versioned bucket, deleting the live version makes it noncurrent, so that it takes a second rule for it to go.
    Each rule names the state that it means: unset, the provider reads it back as `ANY`. Source:
    https://docs.cloud.google.com/storage/docs/lifecycle
    """
    rules: list[gcp.storage.BucketLifecycleRuleArgsDict] = [
        {
            "action": {"type": "AbortIncompleteMultipartUpload"},
            "condition": {"age": UNFINISHED_UPLOAD_DAYS, "with_state": "ANY"},
        }
    ]
    if retention_days is None:
        return rules
    return [
        *rules,
        {"action": {"type": "Delete"}, "condition": {"age": retention_days, "with_state": "LIVE"}},
        {
            "action": {"type": "Delete"},
            "condition": {"days_since_noncurrent_time": NONCURRENT_DAYS, "with_state": "ARCHIVED"},
        },
    ]


def soft_delete_seconds(retention_days: int | None) -> int:
    """How long what was deleted can be restored: not at all where a retention is set, or it would come on top."""
    return SOFT_DELETE_SECONDS if retention_days is None else 0
