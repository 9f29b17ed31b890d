"""AWS's own shapes: regions and partitions, bucket names, account ids, IAM names and ARNs, external ids,
tags.

Pure functions from a value to the rules it breaks (none: an empty tuple), so that the configuration's models,
the contract and a policy pack judge alike. `…_breaches` is what AWS, or the trust between two accounts, would
refuse; `…_notes` is what AWS takes but someone should know. Left out: anything that needs a credential or the
network (whether a bucket name is taken, a role exists, a region is enabled for the account).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components.faults import Breach, did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Collection

PARTITION: Final = "aws"
"""The partition of the recording service's account. A role can be assumed only from within its own partition:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

REGIONS_DATE: Final = "2026-11-20"
REGIONS: Final = (
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
"""Regions of partition `aws`, as of `REGIONS_DATE`: botocore 1.44.5 (`partitions.json`), published at
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html. The list grows, so a region
that isn't on it is noted, not refused.
"""

OTHER_PARTITIONS: Final = (
    ("cn-", "aws-cn", "China"),
    ("us-gov-", "aws-us-gov", "GovCloud"),
    ("us-iso-", "aws-iso", "isolated"),
    ("us-isob-", "aws-iso-b", "isolated"),
    ("us-isof-", "aws-iso-f", "isolated"),
    ("eu-isoe-", "aws-iso-e", "isolated"),
    ("eusc-", "aws-eusc", "European Sovereign Cloud"),
)
"""Prefix of a region's code → its partition and what people call it (botocore's `partitions.json`)."""

RESERVED_BUCKET_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_BUCKET_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")
"""What S3 keeps for itself; `-an` is for buckets in an account regional namespace:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

S3_ACTIONS_DATE: Final = "2026-11-20"
S3_ACTIONS: Final = (
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
    "s3:RestoreObject",
)
"""The S3 actions on objects, and those that read a bucket's settings, as of `S3_ACTIONS_DATE`:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html. IAM takes a misspelt
action without a word, and it then permits nothing, so an action that isn't on the list is noted.
"""

LARGEST_TAG_COUNT: Final = 40
"""Tags a stack may set: AWS allows 50 on a resource, and ten stay free for components and tagging
policies."""

_REGION = re.compile(r"[a-z]{2}-[a-z]+-[0-9]{1,2}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]*")
_ROLE_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_ROLE_PATH = re.compile(r"/|/[\x21-\x7e]{1,510}/")
_ACTION = re.compile(r"s3:[A-Z][A-Za-z0-9]+")
_IAM_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>[0-9]{12}|aws):(?P<kind>[a-z-]+)"
    r"(?P<path>/|/[\x21-\x7e]+/)(?P<name>[A-Za-z0-9_+=,.@-]{1,128})"
)


@dataclass(frozen=True)
class IamArn:
    """The parts of an IAM ARN. `account` is `aws` for a policy that AWS itself keeps."""

    partition: str
    account: str
    kind: str
    path: str
    name: str


def iam_arn(value: str) -> IamArn | None:
    """Give the parts of a role's, user's or policy's exact ARN; None where it isn't one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    match = _IAM_ARN.fullmatch(value)
    return None if match is None or "*" in value or "?" in value else IamArn(**match.groupdict())


def region_breaches(region: str) -> tuple[Breach, ...]:
    """Judge a region by its code's shape and partition; whether it is known is for `region_notes`."""
    for prefix, partition, called in OTHER_PARTITIONS:
        if region.startswith(prefix):
            return (
                Breach(
                    f"a region of partition {PARTITION}, where the recording service's account is: a role "
                    f"can be assumed only within its own partition; this {called} region is in {partition}",
                    "choose a region outside it, as in eu-west-1",
                ),
            )
    if _REGION.fullmatch(region):
        return ()
    return (
        Breach(
            "an AWS region, as in eu-west-1", _region_mend(region, "write the region's code, not its name")
        ),
    )


def region_notes(region: str) -> tuple[Breach, ...]:
    """Say whether the region is on the list of `REGIONS_DATE`."""
    if region in REGIONS:
        return ()
    return (
        Breach(
            f"one of the {len(REGIONS)} regions known on {REGIONS_DATE}",
            _region_mend(region, "nothing, if the region is newer than that"),
        ),
    )


def _region_mend(region: str, otherwise: str) -> str:
    return did_you_mean(region, REGIONS, otherwise) if re.search(r"[0-9]", region) else otherwise


def bucket_name_breaches(name: str) -> tuple[Breach, ...]:
    """List every rule for a general purpose bucket's name that this one breaks.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    rules = (
        (3 <= len(name) <= 63, f"3 to 63 characters; it has {len(name)}", "lengthen or shorten it"),
        (
            re.fullmatch(r"[a-z0-9.-]*", name) is not None,
            "lower-case letters, digits, dots and hyphens only",
            "write it in lower case, with hyphens for anything else",
        ),
        (
            re.fullmatch(r"[A-Za-z0-9](.*[A-Za-z0-9])?", name, re.DOTALL) is not None,
            "a letter or a digit at the beginning and at the end",
            "remove what stands before the first or after the last letter or digit",
        ),
        (".." not in name, "no two adjacent dots", "write one dot, or better a hyphen"),
        (
            re.fullmatch(r"[0-9]+(\.[0-9]+){3}", name) is None,
            "a name that isn't formatted as an IP address",
            "write a word",
        ),
    )
    broken = [Breach(expected, mend) for kept, expected, mend in rules if not kept]
    broken += [
        Breach(f"no name that begins with {prefix}, which S3 reserves", "begin it with another word")
        for prefix in RESERVED_BUCKET_PREFIXES
        if name.startswith(prefix)
    ]
    broken += [
        Breach(f"no name that ends with {suffix}, which S3 reserves", "end it with another word")
        for suffix in RESERVED_BUCKET_SUFFIXES
        if name.endswith(suffix)
    ]
    return tuple(broken)


def bucket_name_notes(name: str) -> tuple[Breach, ...]:
    """Warn of dots: S3 allows them, but its certificate `*.s3.<region>.amazonaws.com` covers one label only.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    if "." not in name:
        return ()
    return (
        Breach(
            "a name without dots: S3's wildcard certificate doesn't cover one with dots, so that HTTPS "
            "fails for clients that address the bucket as a host",
            "write hyphens for the dots",
        ),
    )


def account_id_breaches(account: str) -> tuple[Breach, ...]:
    """Ask for exactly 12 digits:
    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html.
    """
    if _ACCOUNT.fullmatch(account):
        return ()
    return (
        Breach(
            'an AWS account id: 12 digits, as in "123456789012"', "write all 12 digits, no hyphens, no spaces"
        ),
    )


def external_id_breaches(external_id: str) -> tuple[Breach, ...]:
    """Ask for 2 to 1224 ASCII characters of `[A-Za-z0-9_+=,.@:/-]`.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    broken: list[Breach] = []
    if not 2 <= len(external_id) <= 1224:
        broken.append(
            Breach(f"2 to 1224 characters, as STS takes; it has {len(external_id)}", "lengthen or shorten it")
        )
    if not _EXTERNAL_ID.fullmatch(external_id):
        broken.append(
            Breach(
                "only characters that STS takes: letters and digits of ASCII, and _ + = , . @ : / -",
                "remove the others; the value must equal, case included, what the recording service sends",
            )
        )
    return tuple(broken)


def role_name_breaches(name: str) -> tuple[Breach, ...]:
    """Ask for 1 to 64 characters: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html."""
    if _ROLE_NAME.fullmatch(name):
        return ()
    return (
        Breach(
            "a role name: 1 to 64 letters and digits of ASCII, and _ + = , . @ -",
            "remove the other characters, and put folders into role_path",
        ),
    )


def role_path_breaches(path: str) -> tuple[Breach, ...]:
    """Ask for `/`, or 3 to 512 printable ASCII characters between two slashes.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    """
    if _ROLE_PATH.fullmatch(path):
        return ()
    return (
        Breach(
            "an IAM path: / alone, or printable ASCII without spaces, at most 512 characters, "
            "that begins and ends with /",
            "write it as in /recordings/",
        ),
    )


def iam_arn_breaches(value: str, kinds: Collection[str]) -> tuple[Breach, ...]:
    """Ask for an exact ARN of an IAM `role`, `user` or `policy` in partition `aws`, no wildcards."""
    example = listed(f"arn:aws:iam::123456789012:{kind}/name" for kind in kinds)
    if "*" in value or "?" in value:
        return (
            Breach(
                f"an exact ARN without wildcards, as in {example}",
                "name each one: a pattern is no principal, or would let in more than you see",
            ),
        )
    arn = iam_arn(value)
    if arn is None or arn.kind not in kinds or (arn.account == "aws" and arn.kind != "policy"):
        return (Breach(f"an exact ARN, as in {example}", "copy the ARN from IAM"),)
    if arn.partition != PARTITION:
        return (
            Breach(
                f"an ARN in partition {PARTITION}, where the recording service's account is; "
                f"this one is in {arn.partition}",
                f"name one of an account in partition {PARTITION}",
            ),
        )
    return ()


def role_arn_breaches(value: str) -> tuple[Breach, ...]:
    """Ask for the exact ARN of an IAM role in partition `aws`."""
    return iam_arn_breaches(value, ("role",))


def policy_arn_breaches(value: str) -> tuple[Breach, ...]:
    """Ask for the exact ARN of an IAM policy in partition `aws`, a customer's or one that AWS keeps."""
    return iam_arn_breaches(value, ("policy",))


def principal_breaches(value: str) -> tuple[Breach, ...]:
    """Judge whom to trust beside the recording service: an account id, or an exact role's or user's ARN."""
    if value.startswith("arn:"):
        return iam_arn_breaches(value, ("role", "user"))
    if _ACCOUNT.fullmatch(value):
        return ()
    if "*" in value:
        return (
            Breach(
                "a 12-digit account id, or an exact role's or user's ARN, without wildcards",
                "name each account: a wildcard would trust every AWS customer who knows the external id",
            ),
        )
    return (
        Breach(
            "a 12-digit account id, as in \"123456789012\", or an exact role's or user's ARN",
            "write all 12 digits, no hyphens, no spaces, or copy the ARN from IAM",
        ),
    )


def s3_action_breaches(action: str) -> tuple[Breach, ...]:
    """Judge the name of one S3 action by its shape; no wildcards."""
    if _ACTION.fullmatch(action):
        return ()
    return (
        Breach(
            "one S3 action by its name, no wildcards, as in s3:PutObject", "name each action that is needed"
        ),
    )


def s3_action_notes(action: str) -> tuple[Breach, ...]:
    """Say whether the action is on the list of `S3_ACTIONS_DATE`."""
    if action in S3_ACTIONS:
        return ()
    return (
        Breach(
            f"an S3 action known on {S3_ACTIONS_DATE}; IAM takes a misspelt one, which then permits nothing",
            did_you_mean(action, S3_ACTIONS, "nothing, if the action is newer than that"),
        ),
    )


def tag_breaches(key: str, value: str) -> tuple[Breach, ...]:
    """Ask for what S3 and IAM both take as a tag.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_S3Tag.html and
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    broken: list[Breach] = []
    if not 1 <= len(key) <= 128:
        broken.append(Breach(f"a tag key of 1 to 128 characters; it has {len(key)}", "shorten the key"))
    if key.lower().startswith("aws:"):
        broken.append(
            Breach("a tag key that doesn't begin with aws:, which AWS reserves", "choose another prefix")
        )
    if len(value) > 256:
        broken.append(
            Breach(f"a tag value of at most 256 characters; it has {len(value)}", "shorten the value")
        )
    strange = sorted(
        {c for c in key + value if c not in "_.:/=+-@" and unicodedata.category(c)[0] not in "LNZ"}
    )
    if strange:
        broken.append(
            Breach(
                f"letters, digits, spaces and _ . : / = + - @ in a tag; found {' '.join(strange)}",
                "remove the other characters",
            )
        )
    return tuple(broken)
