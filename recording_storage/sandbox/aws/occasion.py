"""What a rehearsal assumes to exist, made for the occasion: roles, policies, keys and buckets of somebody else's, and
the organisation that an account is in.

They appear without a request, since nobody in the sandbox made them; what they may do is judged as ever.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.iam.models import ManagedPolicy, iam_backends
from moto.s3.models import s3_backends

from recording_storage.sandbox.aws import keys
from recording_storage.sandbox.aws.cloud import ADMINISTRATOR, ORGANISATIONS, PARTITION, dress_new_bucket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def role(arn: str, *, trusts: str) -> None:
    """Let a role exist that the account `trusts` may assume, and that may do nothing by itself."""
    account, path, name = _parts(arn)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{PARTITION}:iam::{trusts}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam_backends[account][PARTITION].create_role(name, json.dumps(trust), path, None, "", [], "3600")


def allow(arn: str, document: Mapping[str, object] = ADMINISTRATOR) -> None:
    """Let a role do what `document` says; unset, everything."""
    account, _, name = _parts(arn)
    iam_backends[account][PARTITION].get_role(name).policies["assumed"] = json.dumps(document)


def organisation(account: str, *documents: Mapping[str, object]) -> None:
    """Let an account be in an organisation whose service control policies are these, one for each level.

    Without any it is in none, or manages it: nothing limits it.
    """
    ORGANISATIONS[account] = tuple(json.dumps(document) for document in documents)


def user(arn: str) -> None:
    """Let a user exist."""
    account, path, name = _parts(arn)
    iam_backends[account][PARTITION].create_user(PARTITION, name, path)


def policy(arn: str, document: str, holder: str) -> None:
    """Let a managed policy exist with this document (JSON); `holder` is the account that uses it."""
    account, path, name = _parts(arn)
    account = account if account.isdigit() else holder
    made: Any = ManagedPolicy(name, account_id=account, region=PARTITION, document=document, path=path)
    iam_backends[account][PARTITION].managed_policies[arn] = made


def bucket(
    name: str,
    *,
    account: str,
    region: str,
    versioned: bool = False,
    key_arn: str | None = None,
    policy: dict[str, Any] | None = None,
    lifecycle: Sequence[Mapping[str, Any]] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Let a bucket exist, as S3 makes them by default and with what is given beside.

    `key_arn` is what it encrypts with instead of S3's own; `lifecycle` its rules, named as in S3's API.
    """
    s3 = s3_backends[account][PARTITION]
    s3.create_bucket(name, region)
    dress_new_bucket(name)
    if versioned:
        s3.put_bucket_versioning(name, "Enabled")
    if key_arn:
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
        encryption = {"Rule": {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": "true"}}
        s3.put_bucket_encryption(name, encryption)
    if policy:
        s3.put_bucket_policy(name, json.dumps(policy).encode())
    if lifecycle:
        s3.put_bucket_lifecycle(name, [dict(rule) for rule in lifecycle])
    if tags:
        s3.put_bucket_tagging(name, dict(tags))


def key(arn: str, policy: str) -> None:
    """Let a key with exactly this ARN exist, with this policy (JSON); one that exists gets the policy."""
    keys.put(arn, policy)


def _parts(arn: str) -> tuple[str, str, str]:
    account, resource = arn.split(":", 5)[4:]
    path, _, name = resource.partition("/")[2].rpartition("/")
    return account, f"/{path}/" if path else "/", name
