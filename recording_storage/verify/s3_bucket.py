"""What the bucket's own settings say: locks, versions, what expires, and who else gets in (S5, S7, S8, S11, S12).

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.aws.policy import Policies, Principal, Request, is_public
from recording_storage.verify.checks import Finding, failed, passed, warned
from recording_storage.verify.s3_requests import ANYTHING, judge
from recording_storage.verify.s3_standing import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from recording_storage.evaluation.aws.document import Document
    from recording_storage.verify.s3_reading import Reading

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
EVERYBODY = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
BLOCK_ALL = ",".join(f"{name}=true" for name in BLOCKS)
REQUESTS = (("s3:GetObject", f"/{OBJECTS[1]}"), ("s3:PutObject", f"/{OBJECTS[1]}"), ("s3:ListBucket", ""))


def no_checksum_is_wanted(reading: Reading) -> Finding:
    """S5."""
    retention = reading.lock.result().get("Rule", {}).get("DefaultRetention", {})
    if not retention.get("Mode"):
        return passed("nothing is locked by default")
    span = f"{retention['Days']} days" if retention.get("Days") else f"{retention.get('Years')} years"
    return warned(
        f"locked by default: {retention['Mode']}, {span}; then S3 takes uploads with a checksum only, and whether the"
        " service sends one isn't published",
        f"record once and see that it arrives, or drop the default retention of {reading.bucket} and lock recordings"
        " afterwards",
    )


def old_versions_go_too(reading: Reading) -> Finding:
    """S7."""
    rules = [one for one in reading.lifecycle.result() if one.get("Status") == "Enabled"]
    if reading.versioning.result().get("Status") != "Enabled":
        return passed("no versions are kept")
    expiring = [one for one in rules if {"Days", "Date"} & set(one.get("Expiration", {}))]
    ending = [_about(one) for one in rules if "NoncurrentVersionExpiration" in one]
    left = [one for one in expiring if not any(_covers(scope, _about(one)) for scope in ending)]
    note = (
        "" if any("AbortIncompleteMultipartUpload" in one for one in rules) else "; unfinished uploads stay"
    )
    if not left:
        return passed(("old versions expire with the current ones" if expiring else "nothing expires") + note)
    names = ", ".join(str(one.get("ID", "unnamed")) for one in left)
    return warned(
        f"versioning is on, and rule {names} expires current versions only: what it expires stays as an old version"
        + note,
        "add NoncurrentVersionExpiration, as in {'NoncurrentDays': 1}, to that rule",
    )


def _about(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a rule is about: its filter, flat; the older form has a prefix beside it."""
    given = rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}
    flat = given.get("And", given)
    tags = flat.get("Tags", [flat["Tag"]] if "Tag" in flat else [])
    return {
        "prefix": flat.get("Prefix", ""),
        "tags": {(tag["Key"], tag["Value"]) for tag in tags},
        "above": flat.get("ObjectSizeGreaterThan", -1),
        "below": flat.get("ObjectSizeLessThan", 1 << 62),
    }


def _covers(wider: Mapping[str, Any], narrower: Mapping[str, Any]) -> bool:
    return (
        narrower["prefix"].startswith(wider["prefix"])
        and wider["tags"] <= narrower["tags"]
        and wider["above"] <= narrower["above"]
        and wider["below"] >= narrower["below"]
    )


def versions_are_kept(reading: Reading) -> Finding:
    """S8."""
    status = reading.versioning.result().get("Status", "")
    if status == "Enabled":
        return passed("versioning is enabled")
    return failed(
        f"versioning is {status.lower()}" if status else "versioning was never enabled",
        f"aws s3api put-bucket-versioning --bucket {reading.bucket} --versioning-configuration Status=Enabled",
    )


def is_not_public(reading: Reading) -> Finding:
    """S11."""
    block = reading.access_block.result()
    off = [name for name in BLOCKS if not block.get(name)]
    mend = (
        f"aws s3api put-public-access-block --bucket {reading.bucket}"
        f" --public-access-block-configuration {BLOCK_ALL}"
    )
    if not off:
        return passed("Block Public Access is on, all four settings")
    begin = reading.reads.begin
    acl = None if block.get("IgnorePublicAcls") else begin(reading.acl)
    status = None if block.get("RestrictPublicBuckets") else begin(reading.policy_is_public)
    if acl is not None:
        open_to = [
            one for one in acl.result().get("Grants", ()) if one.get("Grantee", {}).get("URI") in EVERYBODY
        ]
        if open_to:
            what = ", ".join(sorted({str(one.get("Permission")) for one in open_to}))
            return failed(f"the bucket's ACL gives everybody {what}", mend)
    if status is not None:
        by_s3, document = status.result(), reading.bucket_policy.result().document
        by_us = document is not None and is_public(document)
        if by_s3 or by_us:
            said = (
                "S3 calls the bucket's policy public"
                if by_s3
                else "the bucket's policy is public as it is read"
            )
            differs = (
                ""
                if by_s3 == by_us
                else "; " + ("as it is read, it isn't" if by_s3 else "S3 doesn't call it so")
            )
            return failed(said + differs, mend)
    return warned(
        f"nothing is public, and {', '.join(off)} of Block Public Access off: a slip would open it", mend
    )


def plain_http_is_refused(reading: Reading) -> Finding:
    """S12."""
    policy = reading.bucket_policy.result()
    arn = f"arn:aws:s3:::{reading.bucket}"
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    mend = f"add to the bucket's policy: {json.dumps(statement)}"
    if policy.document is None:
        return warned("the bucket has no policy, so nothing refuses plain HTTP", mend)
    let_through = [
        f"{action} by {who.role_arn or who.arn}"
        for who, action, resource in _plain_requests(arn, policy.account, reading.role_arn)
        if not _denied(policy.document, who, action, resource, policy.account)
    ]
    if not let_through:
        return passed("the bucket's policy denies what comes without TLS")
    return warned(f"nothing refuses plain HTTP: {let_through[0]}", mend)


def _plain_requests(arn: str, account: str, role: str) -> Iterator[tuple[Principal, str, str]]:
    name = role.rpartition("/")[2]
    people = (
        Principal(
            role.split(":")[4] if role.count(":") >= 5 else "",
            f"arn:aws:sts::{account}:assumed-role/{name}/any",
            role,
        ),
        Principal(account, f"arn:aws:iam::{account}:user/anybody"),
    )
    for who in people:
        for action, path in REQUESTS:
            yield who, action, arn + path


def _denied(policy: Document, who: Principal, action: str, resource: str, account: str) -> bool:
    context: Mapping[str, Sequence[str]] = {
        "aws:SecureTransport": ("false",),
        "aws:PrincipalAccount": (who.account,),
        "aws:PrincipalArn": (who.role_arn or who.arn,),
        "aws:ResourceAccount": (account,),
        "aws:PrincipalIsAWSService": ("false",),
        "aws:ViaAWSService": ("false",),
    }
    request = Request(replace(who, account=who.account or account), action, resource, account, context)
    answer = judge(request, Policies([ANYTHING], resource=policy))
    return answer.explicit
