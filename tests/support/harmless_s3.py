"""Harmless differences of a destination on Amazon S3: nothing of it may fail, nor be left undecided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.broken_s3 import (
    ACTIONS,
    EVERYTHING,
    EXTERNAL_ID,
    bounded,
    bucket_denies,
    condition,
    managing,
    may_too,
    objects,
    only_condition,
    organisation,
    policy,
    principal,
    using,
)
from tests.support.catalogue import Variation
from tests.support.s3_owner import SERVICE, S3Owner, both

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.s3_owner import Json, Undo


def old_version(owner: S3Owner) -> Undo:
    (statement,) = json.loads(owner.s3.get_bucket_policy(Bucket=owner.bucket)["Policy"])["Statement"]
    return owner.put_bucket_policy({"Version": "2008-10-17", "Id": "old", "Statement": statement})


def split(owner: S3Owner) -> Undo:
    document = owner.get_policy()
    first, *rest = document["Statement"]
    listing = [one for one in ACTIONS if one.startswith("s3:ListBucket")]
    others = [one for one in ACTIONS if one not in listing]
    parts = [
        {**first, "Sid": "List", "Action": listing, "Resource": owner.arn},
        {**first, "Sid": "Objects", "Action": others, "Resource": objects(owner)},
    ]
    return owner.put_policy({**document, "Statement": [*parts, *rest]})


def wildcards(owner: S3Owner) -> Undo:
    actions = ["s3:Get*", "s3:List*", "s3:PutObject", "S3:abortmultipartupload"]
    return owner.allow(lambda one: one.update(Action=actions))


def attached(owner: S3Owner) -> Undo:
    attach = owner.attach(*owner.get_policy()["Statement"])
    return both(
        owner.put_policy(policy({**EVERYTHING, "Effect": "Deny", "Action": "s3:DeleteObject"})), attach
    )


def tagged(owner: S3Owner) -> Undo:
    owner.iam.tag_role(RoleName=owner.role, Tags=[{"Key": "cost-centre", "Value": "voice"}])
    return lambda: owner.iam.untag_role(RoleName=owner.role, TagKeys=["cost-centre"])


def all_within_a_boundary(owner: S3Owner) -> Undo:
    """It reads as if everything were allowed, and the boundary leaves what is needed."""
    key = {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": owner.key}
    return both(owner.add_policy({**EVERYTHING}), owner.bound(*owner.get_policy()["Statement"], key))


def key_left_to_the_account(owner: S3Owner) -> Undo:
    use = {"Effect": "Allow", "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": owner.key}
    return both(owner.put_key_policy({**managing(owner), "Action": "kms:*"}), owner.add_policy(use))


def key_by_a_grant(owner: S3Owner) -> Undo:
    key = owner.put_key_policy(managing(owner))
    grant = owner.kms.create_grant(
        KeyId=owner.key, GranteePrincipal=owner.role_arn, Operations=["GenerateDataKey", "Decrypt"]
    )["GrantId"]
    return both(lambda: owner.kms.revoke_grant(KeyId=owner.key, GrantId=grant), key)


def by_alias(owner: S3Owner) -> Undo:
    owner.kms.create_alias(AliasName="alias/recordings", TargetKeyId=owner.key.rpartition("/")[2])
    encrypt = owner.encrypt("alias/recordings")
    return both(encrypt, lambda: owner.kms.delete_alias(AliasName="alias/recordings"))


def longer_retention(owner: S3Owner) -> Undo:
    return owner.lifecycle(
        {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "calls/"}, "Expiration": {"Days": 400}},
        {"ID": "b", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
        {
            "ID": "c",
            "Status": "Enabled",
            "Filter": {},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 5},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
        },
    )


def denied_to_others(owner: S3Owner) -> Undo:
    kept = [owner.role_arn, f"arn:aws:iam::{owner.account}:user/*", f"arn:aws:iam::{owner.account}:root"]
    return owner.bucket_statement(Condition={"ArnNotLike": {"aws:PrincipalArn": kept}})


def a_reader(owner: S3Owner) -> Undo:
    from recording_storage.sandbox.aws import cloud, occasion

    arn = f"arn:aws:iam::{owner.account}:role/player"
    if cloud.role(arn) is None:
        occasion.role(arn, trusts=owner.account)
    return owner.bucket_statement(
        Effect="Allow",
        Principal={"AWS": arn},
        Action=["s3:GetObject", "s3:DeleteObject"],
        Resource=objects(owner),
    )


def everybody_of_the_account(owner: S3Owner) -> Undo:
    wanted = {"StringEquals": {EXTERNAL_ID: "tavus", "aws:PrincipalAccount": SERVICE}}
    return owner.trust(lambda one: one.update(Principal="*", Condition=wanted))


def regional(region: str) -> Json:
    return {
        "Effect": "Deny",
        "NotAction": ["iam:*", "sts:*"],
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": region}},
    }


def also(*actions: str) -> Callable[[S3Owner], Undo]:
    def change(statement: Json) -> None:
        statement["Action"] = ["sts:AssumeRole", *actions]

    return lambda owner: owner.trust(change)


VARIATIONS: tuple[Variation[S3Owner], ...] = (
    # the trust, written differently
    Variation("the account by its number", principal({"AWS": SERVICE})),
    Variation("the account by a condition", everybody_of_the_account),
    Variation("the external id in a list", only_condition("StringEquals", ["tavus"])),
    Variation("the external id under StringLike", only_condition("StringLike", "tavus")),
    Variation("the external id under ForAnyValue", only_condition("ForAnyValue:StringEquals", ["tavus"])),
    Variation("over TLS only", condition("Bool", "aws:SecureTransport", True)),
    Variation("tags may be passed", also("sts:TagSession", "sts:SetSourceIdentity")),
    # the role's policies, written differently
    Variation("in several statements", split),
    Variation("with wildcards", wildcards),
    Variation("in an attached policy", attached),
    Variation("with the bucket's settings", may_too("s3:GetBucketLocation", lambda o: o.arn)),
    Variation("within a boundary", bounded("s3:*", "kms:*")),
    Variation("everything, within a boundary", all_within_a_boundary),
    Variation("with tags", tagged),
    # an organisation
    Variation("in an organisation", organisation(policy(EVERYTHING), policy(EVERYTHING))),
    Variation("in an organisation of one region", organisation(policy(EVERYTHING, regional("eu-west-1")))),
    # the key
    Variation("the key is left to the account", key_left_to_the_account),
    Variation(
        "the key for this bucket",
        lambda o: o.put_key_policy(
            managing(o), using(o, Condition={"StringLike": {"kms:EncryptionContext:aws:s3:arn": f"{o.arn}*"}})
        ),
    ),
    Variation("the key by a grant", key_by_a_grant),
    Variation("the key by an alias", by_alias),
    Variation("the key by its id", lambda o: o.encrypt(o.key.rpartition("/")[2])),
    Variation("without a bucket key", lambda o: o.encrypt(o.key, bucket_key=False)),
    Variation("with S3's own KMS key", lambda o: o.encrypt()),
    Variation("with S3's own keys", lambda o: o.encrypt(algorithm="AES256")),
    # the bucket
    Variation("another retention, in several rules", longer_retention),
    Variation("an older version, a single statement", old_version),
    Variation("denied to others", denied_to_others),
    Variation("a reader beside", a_reader),
    Variation("old TLS denied", bucket_denies(Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})),
    Variation(
        "ACLs denied",
        bucket_denies(Action="s3:PutObject", Condition={"StringEquals": {"s3:x-amz-acl": "public-read"}}),
    ),
)
