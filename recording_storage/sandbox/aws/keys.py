"""KMS keys, as moto's models hold them: what a reference names, the key itself, and its grants.

Leaves out asymmetric, HMAC, multi-Region and imported keys, key stores, and AWS's own keys for other services than S3.

Sources: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id and
https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from moto.kms.models import Grant as MotoGrant
from moto.kms.models import Key, KmsBackend, kms_backends

from recording_storage.sandbox.aws.cloud import PARTITION
from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

S3_ALIAS = "alias/aws/s3"
BY_AWS = "alias/aws/"
DEFAULT_ROTATION_DAYS = 365
KEY_ARN = re.compile(rf"arn:{PARTITION}:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{{12}}):key/(?P<id>[\w-]+)")
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<name>(key|alias)/.+)"
)
_KEY_ID = re.compile(r"(mrk-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}", re.IGNORECASE)
_ID_LENGTH = 36
"""What moto encrypts begins with the id of the key."""


@dataclass(frozen=True)
class GrantState:
    """A grant on a key."""

    id: str
    token: str
    name: str
    grantee: str
    retiring: str
    operations: tuple[str, ...]
    constraints: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class KeyState:
    """A key as a decision sees it."""

    arn: str
    account: str
    region: str
    id: str
    policy: str
    state: str
    """`Enabled`, `Disabled` or `PendingDeletion`."""
    grants: tuple[GrantState, ...]


@dataclass(frozen=True)
class Located:
    """What a reference names: an ARN, and the key, where there is one."""

    arn: str
    account: str
    key: KeyState | None
    alias: str = ""


def _backend(account: str, region: str) -> KmsBackend:
    return kms_backends[account][region]


def _state(found: Key) -> KeyState:
    return KeyState(
        arn=found.arn,
        account=found.account_id,
        region=found.region,
        id=found.id,
        policy=found.policy,
        state=found.key_state,
        grants=tuple(_grant(one) for one in found.grants.values()),
    )


def _grant(found: MotoGrant) -> GrantState:
    return GrantState(
        id=found.id,
        token=found.token,
        name=f"grant {found.name or found.id}",
        grantee=found.grantee_principal,
        retiring=found.retiring_principal or "",
        operations=tuple(found.operations),
        constraints=found.constraints or {},
    )


def locate(reference: str, account: str, region: str) -> Located:
    """Find what a key id, key ARN, alias name or alias ARN names for a request of `account` in `region`."""
    named = _ARN.fullmatch(reference)
    if reference.startswith("arn:"):
        if named is None or (named["partition"], named["region"]) != (PARTITION, region):
            raise AwsError(400, "NotFoundException", f"Invalid arn {named['region'] if named else reference}")
        account, reference = named["account"], named["name"].removeprefix("key/")
    if reference.startswith("alias/"):
        return _by_alias(reference, account, region)
    found = _backend(account, region).keys.get(reference)
    if found is None and not (named or _KEY_ID.fullmatch(reference)):
        raise AwsError(400, "NotFoundException", f"Invalid keyId '{reference}'")
    return Located(arn(reference, account, region), account, _state(found) if found else None)


def _by_alias(alias: str, account: str, region: str) -> Located:
    if alias == S3_ALIAS:
        managed = managed_by_s3(account, region)
        return Located(managed.arn, account, managed, alias)
    if alias.startswith(BY_AWS):
        raise AwsError.undecided(f"the key {alias}")
    for found in _backend(account, region).keys.values():
        if alias in found.aliases:
            return Located(found.arn, account, _state(found), alias)
    return Located(arn(alias, account, region), account, None, alias)


def arn(name: str, account: str, region: str) -> str:
    """Give the ARN of a key id or an alias, whether there is one or not."""
    kind = "" if name.startswith("alias/") else "key/"
    return f"arn:{PARTITION}:kms:{region}:{account}:{kind}{name}"


def of_ciphertext(ciphertext: bytes, region: str) -> KeyState | None:
    """The key, in whatever account, under which something was encrypted."""
    id_ = ciphertext[:_ID_LENGTH].decode("ascii", "replace")
    for regions in list(kms_backends.values()):
        found = regions[region].keys.get(id_)
        if found is not None:
            return _state(found)
    return None


def with_grant(token: str, region: str) -> KeyState | None:
    """The key, in whatever account, that has the grant with this token."""
    for regions in list(kms_backends.values()):
        for found in regions[region].keys.values():
            if any(grant.token == token for grant in found.grants.values()):
                return _state(found)
    return None


def managed_by_s3(account: str, region: str) -> KeyState:
    """S3's own key in an account, which comes to be when it is first needed, with the policy that AWS gives it."""
    kms = _backend(account, region)
    for found in kms.keys.values():
        if S3_ALIAS in found.aliases:
            return _state(found)
    purpose = "Default key that protects my S3 objects when no other key is defined"
    policy = json.dumps(_managed_policy(account, region))
    made = kms.create_key(policy, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", purpose, None)
    made.key_manager = "AWS"
    kms.create_alias(made.id, S3_ALIAS)
    return _state(made)


def _managed_policy(account: str, region: str) -> dict[str, Any]:
    through_s3 = {"kms:CallerAccount": account, "kms:ViaService": f"s3.{region}.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Id": "auto-s3-2",
        "Statement": [
            {
                "Sid": "Allow access through S3 for all principals in the account that are authorized to use S3",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:DescribeKey",
                ],
                "Resource": "*",
                "Condition": {"StringEquals": through_s3},
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{PARTITION}:iam::{account}:root"},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*"],
                "Resource": "*",
            },
        ],
    }


def put(arn: str, policy: str) -> None:
    """Let a key with this ARN exist, with this policy and enabled; one that exists gets the policy."""
    named = KEY_ARN.fullmatch(arn)
    if named is None:
        raise ValueError(f"not the ARN of a key: {arn}")
    kms = _backend(named["account"], named["region"])
    found = kms.keys.get(named["id"])
    if found is not None:
        found.policy = policy
        return
    made = kms.create_key(policy, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", None)
    del kms.keys[made.id]
    made.id, made.arn = named["id"], arn
    kms.keys[made.id] = made


def description(key: KeyState) -> dict[str, Any]:
    """What DescribeKey says of it."""
    said = _backend(key.account, key.region).keys[key.id].to_dict()
    said["KeyMetadata"]["KeyUsage"] = (
        said["KeyMetadata"]["KeyUsage"] or "ENCRYPT_DECRYPT"
    )  # moto has no default
    return said


def rotation(key: KeyState) -> dict[str, Any]:
    """What GetKeyRotationStatus says of it."""
    found = _backend(key.account, key.region).keys[key.id]
    rotated = found.key_rotation_status and key.state != "PendingDeletion"
    days = getattr(found, "rotation_days", DEFAULT_ROTATION_DAYS)
    return {"KeyId": key.arn, "KeyRotationEnabled": rotated} | (
        {"RotationPeriodInDays": days} if rotated else {}
    )


def rotate(key: KeyState, days: int) -> None:
    """Keep how often a key is rotated, which moto doesn't."""
    found = _backend(key.account, key.region).keys[key.id]
    cast("Any", found).rotation_days = days
