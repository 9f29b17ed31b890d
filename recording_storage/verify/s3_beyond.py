"""Whether the role can do anything beyond its task (S10).

Its task is the service's actions on the bucket, and encryption with the bucket's key. Reading what is in the bucket and
how it is set is no more than it may already. Everything else that any statement seems to allow is put to the evaluator
as a request: what a deny or the boundary stops is no finding. Leaves out what an organisation's policies stop.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from recording_storage.evaluation.aws.conditions import Pattern
from recording_storage.evaluation.aws.document import parse
from recording_storage.evaluation.aws.policy import Policies
from recording_storage.verify.checks import CouldNotTell, Finding, NothingThere, failed, passed
from recording_storage.verify.s3_requests import ASSUME_ROLE, judge, recording
from recording_storage.verify.s3_standing import OBJECTS, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from recording_storage.evaluation.aws.document import Document, Statement
    from recording_storage.verify.s3_key import Key
    from recording_storage.verify.s3_reading import Reading

HARMLESS = (
    "s3:get*",
    "s3:list*",
    "kms:generatedatakey*",
    "kms:decrypt",
    "kms:encrypt",
    "kms:reencrypt*",
    "kms:describekey",
    "kms:get*",
    "kms:list*",
)
"""On its own bucket and key."""
ON_BUCKETS = tuple(
    f"s3:{name}"
    for name in [
        "CreateBucket",
        "DeleteBucket",
        "DeleteBucketPolicy",
        "DeleteBucketWebsite",
        "PutAccelerateConfiguration",
        "PutAnalyticsConfiguration",
        "PutBucketAcl",
        "PutBucketCORS",
        "PutBucketLogging",
        "PutBucketNotification",
        "PutBucketObjectLockConfiguration",
        "PutBucketOwnershipControls",
        "PutBucketPolicy",
        "PutBucketPublicAccessBlock",
        "PutBucketRequestPayment",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutBucketWebsite",
        "PutEncryptionConfiguration",
        "PutInventoryConfiguration",
        "PutLifecycleConfiguration",
        "PutMetricsConfiguration",
        "PutReplicationConfiguration",
    ]
)
ON_OBJECTS = tuple(
    f"s3:{name}"
    for name in [
        "BypassGovernanceRetention",
        "DeleteObject",
        "DeleteObjectTagging",
        "DeleteObjectVersion",
        "DeleteObjectVersionTagging",
        "ObjectOwnerOverrideToBucketOwner",
        "PutObject",
        "PutObjectAcl",
        "PutObjectLegalHold",
        "PutObjectRetention",
        "PutObjectTagging",
        "PutObjectVersionAcl",
        "PutObjectVersionTagging",
        "ReplicateDelete",
        "ReplicateObject",
        "ReplicateTags",
        "RestoreObject",
        "AbortMultipartUpload",
    ]
)
"""What changes something in S3: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""
READING = ("s3:GetObject", "s3:ListBucket", "s3:ListAllMyBuckets")
ON_KEYS = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
)
ELSEWHERE = ("iam:CreateUser", "iam:PassRole", "sts:AssumeRole", "ec2:RunInstances", "lambda:InvokeFunction")
OTHERS = "somebody-elses"
SAMPLES = (
    f"arn:aws:s3:::{OTHERS}-bucket",
    f"arn:aws:s3:::{OTHERS}-bucket/{OBJECTS[1]}",
    "arn:aws:kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000",
    "arn:aws:iam::{account}:user/" + OTHERS,
    "arn:aws:iam::{account}:role/" + OTHERS,
    "arn:aws:lambda:{region}:{account}:function:" + OTHERS,
    "arn:aws:ec2:{region}:{account}:instance/*",
)


def role_can_do_nothing_else(reading: Reading, key: Future[Key | None]) -> Finding:
    """S10."""
    standing = Standing.of(reading)
    own_key = _own_key(reading, key)
    needed = {action.lower() for action in reading.target.known.s3_trust.actions}
    beyond: dict[str, list[str]] = {}
    doubts: list[str] = []
    for action, resource in dict.fromkeys(_asked(standing, own_key)):
        is_own = _is_own(resource, standing.arn, own_key)
        if is_own and (action.lower() in needed or _matches_any(action, HARMLESS)):
            continue
        account = standing.bucket_policy.account if is_own else standing.role.account
        request = recording(standing.role, action, resource, account, standing.region)
        its_own = standing.bucket_policy.document if is_own and action.startswith("s3:") else None
        policies = Policies(
            standing.policies.identity,
            boundary=standing.policies.boundary,
            resource=_left_to(standing.role.account) if action == ASSUME_ROLE else its_own,
        )
        answer = judge(request, policies)
        if answer.allowed:
            beyond.setdefault(resource, []).append(action)
        elif answer.allowed is None:
            doubts.append(f"{action} on {resource}: {answer.why}")
    if beyond:
        shown = [
            f"{', '.join(which[:3])}{' …' if len(which) > 3 else ''} on {on}" for on, which in beyond.items()
        ]
        more = f" · {len(shown) - 3} more" if len(shown) > 3 else ""
        return failed(
            f"the role may {' · '.join(shown[:3])}{more}",
            f"leave the service's actions on {standing.arn} and {standing.arn}/* in the role's policies, and nothing"
            " else",
        )
    if doubts:
        raise CouldNotTell(
            f"whether the role may do more isn't known: {doubts[0]}",
            "leave only what it needs in the role's policies",
        )
    return passed(
        "its policies allow nothing outside the bucket and its key, and there no more than it needs"
    )


def _left_to(account: str) -> Document:
    """The trust policy of a role that leaves it to its account who may assume it."""
    who = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": ASSUME_ROLE}
    return parse({"Version": "2012-10-17", "Statement": [who]}, "trust")


def _own_key(reading: Reading, key: Future[Key | None]) -> str:
    """The ARN of the bucket's key, which its default encryption may have already; empty where there is none."""
    written = reading.encryption.result().key
    if ":key/" in written:
        return written
    try:
        used = key.result()
    except NothingThere:
        return ""  # that key can't be used by anybody
    return used.arn if used else ""


def _asked(standing: Standing, key: str) -> Iterator[tuple[str, str]]:
    for action, resource in _seeming(standing, key):
        if action.lower() == ASSUME_ROLE.lower():
            yield ASSUME_ROLE, resource
        elif not action.lower().startswith(
            ASSUME_ROLE.lower()
        ):  # with a token, nobody needs a permission for it
            yield action, resource


def _seeming(standing: Standing, key: str) -> Iterator[tuple[str, str]]:
    """Requests that some statement seems to allow: every action and resource that it names, as an example."""
    statements = [one for document in standing.policies.identity for one in document.statements if one.allow]
    for one in statements:
        resources = list(_resources(one, standing, key))
        for action in _actions(one):
            for resource in resources:
                if _fits(action, resource):
                    yield action, resource
    document = standing.bucket_policy.document
    for one in document.statements if document else ():
        if one.allow:
            for action in _actions(one):
                for resource in (standing.arn, f"{standing.arn}/{OBJECTS[1]}"):
                    if _fits(action, resource):
                        yield action, resource


def _actions(statement: Statement) -> Iterator[str]:
    catalogue = (*ON_BUCKETS, *ON_OBJECTS, *READING, *ON_KEYS, *ELSEWHERE)
    if statement.not_actions:
        yield from (one for one in catalogue if not _matches_any(one, statement.actions))
        return
    for pattern in statement.actions:
        if not re.search(r"[*?]", pattern):
            yield pattern
            continue
        known = [one for one in catalogue if _matches_any(one, (pattern,))]
        yield from known
        if not known:
            yield re.sub(r"\*", "", pattern).replace("?", "x")


def _resources(statement: Statement, standing: Standing, key: str) -> Iterator[str]:
    own = (standing.arn, f"{standing.arn}/{OBJECTS[1]}", *([key] if key else []))
    others = [one.format(region=standing.region, account=standing.role.account) for one in SAMPLES]
    if statement.not_resources or "*" in statement.resources:
        yield from (*own, *others)
        return
    for pattern in statement.resources:
        yield from (one for one in own if Pattern.plain(pattern).matches(one))
        example = re.sub(r"\$\{[^}]*\}|\*", OTHERS, pattern).replace("?", "x")
        if not _is_own(pattern, standing.arn, key):
            yield example
            if example.startswith("arn:aws:s3:::") and "/" not in example and pattern.endswith("*"):
                yield f"{example}/{OBJECTS[1]}"


def _is_own(resource: str, bucket: str, key: str) -> bool:
    return resource in (bucket, key) or resource.startswith(f"{bucket}/")


def _fits(action: str, resource: str) -> bool:
    """Whether an action can be about such a resource at all; of other services' that isn't known here."""
    service = action.partition(":")[0].lower()
    kind = resource.split(":")[2]
    if service in ("s3", "kms"):
        if kind != service:
            return False
        is_object = "/" in resource
        known = action.lower()
        if service == "s3" and known in {
            one.lower() for one in (*ON_BUCKETS, "s3:ListBucket", "s3:ListBucketVersions")
        }:
            return not is_object
        if service == "s3" and known in {one.lower() for one in (*ON_OBJECTS, "s3:GetObject")}:
            return is_object
        return True
    return kind not in ("s3", "kms")


def _matches_any(action: str, patterns: tuple[str, ...]) -> bool:
    return any(Pattern.plain(one.lower()).matches(action.lower()) for one in patterns)
