"""The three policy documents of an S3 destination, from plain values.

Pure, so that a component can call them once its outputs are known and a test can compare whole documents.
Left out: the policy of a customer's KMS key (`kms`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from components import kms
from components.aws import PARTITION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.trust import S3Trust

Document = dict[str, Any]
"""A policy document as plain data, ready for JSON."""

_VERSION: Final = "2012-10-17"


def s3_trust_policy(trust: S3Trust, external_ids: Sequence[str], principals: Sequence[str] = ()) -> Document:
    """Say who may assume the role: the recording service's account, and `principals` beside it.

    `external_ids` are all that are accepted, the one that is handed over first; there must be one, since a
    statement without the condition would let anyone through whom the service serves. `principals` are
    12-digit account ids or exact ARNs. One statement holds them all: every principal in it may present any of
    the external ids, and none gets in without one.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    if not external_ids:
        raise ValueError(
            "external_ids is empty: a trust without an external id is open to the service's every customer"
        )
    trusted = [_principal_arn(one) for one in (trust.account, *principals)]
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": _one_or_list(trusted)},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": _one_or_list(external_ids)}},
            }
        ],
    }


def s3_write_policy(
    trust: S3Trust, bucket_arn: str, region: str = "", key_arn: str | None = None
) -> Document:
    """Say what the role may do: the profile's actions, on the bucket and on every object, as the vendor's guide
    has it.

    No prefix: the service writes a probe at the bucket's root, and its object keys aren't promised. `key_arn` is a
    customer's key in `region`, which the role may then use through S3.
    """
    write = {"Effect": "Allow", "Action": list(trust.actions), "Resource": [bucket_arn, f"{bucket_arn}/*"]}
    statements = [write] if key_arn is None else [write, kms.writer_statement(key_arn, region)]
    return {"Version": _VERSION, "Statement": statements}


def s3_bucket_policy(bucket_arn: str, readers: Sequence[str] = ()) -> Document:
    """Say what the bucket itself refuses and grants: nothing without TLS, and reading for exactly these role
    ARNs.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    objects = f"{bucket_arn}/*"
    statements: list[Document] = [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, objects],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if readers:
        who = {"AWS": _one_or_list(readers)}
        statements += [
            {"Sid": sid, "Effect": "Allow", "Principal": who, "Action": action, "Resource": resource}
            for sid, action, resource in (
                ("ReadersGet", "s3:GetObject", objects),
                ("ReadersList", "s3:ListBucket", bucket_arn),
            )
        ]
    return {"Version": _VERSION, "Statement": statements}


def _principal_arn(principal: str) -> str:
    return principal if principal.startswith("arn:") else f"arn:{PARTITION}:iam::{principal}:root"


def _one_or_list(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
