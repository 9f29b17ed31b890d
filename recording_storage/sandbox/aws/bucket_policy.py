"""What S3 refuses to store as a bucket's policy.

Leaves out whether an action or a condition key exists.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.evaluation.aws.conditions import Pattern
from recording_storage.evaluation.aws.policy import is_public
from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.authorise import named_principals, well_formed
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.operations import BUCKET_ACTIONS, OBJECT_ACTIONS, VERSION_ACTIONS

if TYPE_CHECKING:
    from recording_storage.evaluation.aws.document import Statement

LONGEST = 20 * 1024
BUCKET_ARN = f"arn:{cloud.PARTITION}:s3:::"
ON_BUCKETS = frozenset(action.lower() for action in BUCKET_ACTIONS.values())
ON_OBJECTS = frozenset(action.lower() for action in (*OBJECT_ACTIONS.values(), *VERSION_ACTIONS.values()))


def check_new_policy(body: bytes, state: cloud.BucketState) -> None:
    """Raise `AwsError` where S3 doesn't take this policy for the bucket."""
    if len(body) > LONGEST:
        raise _malformed(f"Policy exceeds the maximum allowed document size of {LONGEST} bytes")
    document = well_formed(body.decode("utf-8", "replace"), "resource", "MalformedPolicy")
    for statement in document.statements:
        for resource in statement.resources:
            _check_resource(resource, state.name)
        _check_applicable(statement)
        for principal in named_principals(statement):
            if not cloud.principal_exists(principal):
                raise AwsError(
                    400, "MalformedPolicy", "Invalid principal in policy", reason=f"there is no {principal}"
                )
    if state.block_public_policy and is_public(document):
        raise AwsError(
            403,
            "AccessDenied",
            "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the"
            " BlockPublicPolicy setting in S3 Block Public Access.",
            reason="BlockPublicPolicy: the policy would make the bucket public",
        )


def _malformed(message: str) -> AwsError:
    return AwsError(400, "MalformedPolicy", message)


def _check_resource(resource: str, bucket: str) -> None:
    arn = BUCKET_ARN + bucket
    if resource == arn or resource.startswith(f"{arn}/"):
        return
    pattern = Pattern.plain(resource)
    if pattern.matches(arn) or pattern.matches(f"{arn}/") or resource.startswith(f"{arn}*"):
        raise AwsError.undecided(f"a bucket policy whose resource reaches beyond the bucket: {resource}")
    raise _malformed(f"Policy has invalid resource: {resource}")


def _check_applicable(statement: Statement) -> None:
    """Each action must fit one of the resources: a bucket's own to the bucket, an object's to its objects."""
    if statement.not_actions or statement.not_resources:
        return
    objects = any("/" in resource for resource in statement.resources)
    buckets = any("/" not in resource for resource in statement.resources)
    for action in statement.actions:
        known = action.lower()
        if (known in ON_OBJECTS and not objects) or (known in ON_BUCKETS and not buckets):
            raise AwsError(
                400,
                "MalformedPolicy",
                "Action does not apply to any resource(s) in statement",
                reason=f"{action} doesn't apply to {', '.join(statement.resources)}",
            )
