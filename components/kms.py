"""AWS KMS keys: their ARNs, and who may use one for recordings.

Pure, as `s3_policies` is. Left out: asymmetric and HMAC keys, with which S3 can't encrypt.

Sources: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from components.aws import PARTITION
from components.faults import Breach

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST_DELETION_DAYS: Final = 7
LONGEST_DELETION_DAYS: Final = 30
"""Bounds of the days between asking for a key's deletion and the deletion, and the default:
https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html"""

WRITER_ACTIONS: Final = ("kms:GenerateDataKey", "kms:Decrypt")
"""What writing in parts needs: https://repost.aws/knowledge-center/s3-large-file-encryption-kms-key"""
READER_ACTIONS: Final = ("kms:Decrypt",)

_KEY_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):kms:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):key/"
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
)
_EXAMPLE: Final = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@dataclass(frozen=True)
class KeyArn:
    """The parts of a key's ARN."""

    partition: str
    region: str
    account: str
    id: str


def key_arn(value: str) -> KeyArn | None:
    """Give the parts of a key's ARN; None where it isn't one."""
    match = _KEY_ARN.fullmatch(value)
    return KeyArn(**match.groupdict()) if match else None


def key_arn_breaches(value: str) -> tuple[Breach, ...]:
    """Ask for a key's full ARN: an alias is resolved in the caller's account, which isn't yours."""
    if ":alias/" in value or value.startswith("alias/"):
        return (
            Breach(
                f"a key's ARN, as in {_EXAMPLE}, not an alias: the recording service's requests would look it up",
                "write the ARN of the key behind the alias: aws kms describe-key --key-id ALIAS",
            ),
        )
    arn = key_arn(value)
    if arn is None:
        return (
            Breach(f"a key's ARN, as in {_EXAMPLE}", "copy the ARN from KMS; a key's id alone isn't enough"),
        )
    if arn.partition != PARTITION:
        return (
            Breach(f"a key in partition {PARTITION}", f"name a key of an account in partition {PARTITION}"),
        )
    return ()


def writer_statement(key: str, region: str) -> dict[str, Any]:
    """What a role's own policy must allow, so that it may write with the key through S3."""
    return {
        "Effect": "Allow",
        "Action": list(WRITER_ACTIONS),
        "Resource": key,
        "Condition": _through_s3(region),
    }


def key_statements(name: str, role: str, readers: Sequence[str], region: str) -> list[dict[str, Any]]:
    """What a key's policy must allow: the role to write, and readers to read, through S3 and not otherwise.

    `name` is the destination's: a key may serve several, and a policy's statement ids must differ.
    """
    whose = "".join(word.capitalize() for word in name.split("-"))
    allowed = [
        (f"RecordingsWrite{whose}", [role], WRITER_ACTIONS),
        (f"RecordingsRead{whose}", list(readers), READER_ACTIONS),
    ]
    return [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"AWS": who[0] if len(who) == 1 else who},
            "Action": list(actions) if len(actions) > 1 else actions[0],
            "Resource": "*",
            "Condition": _through_s3(region),
        }
        for sid, who, actions in allowed
        if who
    ]


def key_policy(account: str, statements: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The policy of a key of one's own: its account keeps the control of it, and the statements beside.

    Without the first statement nobody could ever change the key again:
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    control = {
        "Sid": "AccountControlsKey",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{PARTITION}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [control, *statements]}


def _through_s3(region: str) -> dict[str, Any]:
    return {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}
