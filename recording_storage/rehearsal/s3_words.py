"""What a rehearsal says of an S3 destination: what was made, and how to mend what departs.

Left out: what is tried, and how it ended (`s3`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recording_storage.results import Made

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = "https://docs.tavus.io/sections/conversational-video-interface/recording-storage"
USER_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
IAM_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"

# a result's id, or its beginning -> how to mend it, and the page that says so
MENDS: dict[str, tuple[str, str]] = {
    "proven.assume-role": (
        "let the role trust the service's account with its external id, and grant its session (MaxSessionDuration)",
        GUIDE,
    ),
    "proven.probe": ("allow s3:PutObject on the whole bucket, not on a prefix", GUIDE),
    "proven.write": ("allow s3:PutObject on the bucket's objects, and look for a Deny or a boundary", GUIDE),
    "proven.read-back": ("allow s3:GetObject on the bucket's objects", GUIDE),
    "proven.list": ("allow s3:ListBucket on the bucket itself", GUIDE),
    "proven.versions": (
        "enable versioning; allow s3:ListBucketVersions and s3:GetObjectVersion",
        f"{USER_GUIDE}/manage-versioning-examples.html",
    ),
    "proven.abort": (
        "allow s3:ListMultipartUploadParts, s3:ListBucketMultipartUploads and s3:AbortMultipartUpload",
        f"{USER_GUIDE}/mpuoverview.html",
    ),
    "proven.additional-external-id": (
        "accept it in the role's trust, or drop it from the configuration",
        GUIDE,
    ),
    "proven.reader": ("let the bucket's policy allow the role s3:GetObject and s3:ListBucket", USER_GUIDE),
    "refused.another-account": ("trust the service's account only", f"{IAM_GUIDE}/confused-deputy.html"),
    "refused.no-external-id": (
        "ask for the external id with StringEquals: without it, every customer of the service gets in",
        f"{IAM_GUIDE}/confused-deputy.html",
    ),
    "refused.external-id": (
        "compare the external id with StringEquals, exactly",
        f"{IAM_GUIDE}/confused-deputy.html",
    ),
    "refused.delete": ("give the role no s3:DeleteObject and no s3:DeleteObjectVersion", GUIDE),
    "refused.another-bucket": ("name the bucket in the role's policy, without a wildcard", GUIDE),
    "refused.plain-http": (
        "deny requests with aws:SecureTransport false in the bucket's policy",
        f"{USER_GUIDE}/security-best-practices.html",
    ),
    "refused.anonymous": (
        "turn Block Public Access on, and grant nothing to everybody",
        f"{USER_GUIDE}/access-control-block-public-access.html",
    ),
    "refused.reader": ("grant readers s3:GetObject and s3:ListBucket, and nothing else", USER_GUIDE),
}


def made(name: str, events: list[dict[str, Any]], protection: str) -> Iterator[Made]:
    """The bucket and the role, with what was set on them."""
    inputs = {event["name"]: event["inputs"] for event in events}
    ids = {event["name"]: event["id"] for event in events}
    bucket = f"{name}-bucket"
    if bucket in ids:
        block = inputs.get(f"{name}-public-access-block", {})
        versioning = inputs.get(f"{name}-versioning", {}).get("versioningConfiguration", {})
        rules = {rule["id"]: rule for rule in inputs.get(f"{name}-lifecycle", {}).get("rules", [])}
        days = rules.get("expire-recordings", {}).get("expiration", {}).get("days")
        said = {
            "private": block
            and all(block[key] for key in block if key.startswith(("block", "ignore", "restrict"))),
            "encrypted": f"{name}-encryption" in ids,
            "with a customer's key": "kmsMasterKeyId" in json.dumps(inputs.get(f"{name}-encryption", {})),
            "versioned": versioning.get("status") == "Enabled",
            "TLS only": "aws:SecureTransport" in inputs.get(f"{name}-policy", {}).get("policy", ""),
            f"expires after {int(days or 0)} days": days,
            protection: True,
        }
        yield Made("bucket", ids[bucket], tuple(word for word, holds in said.items() if holds))
    if f"{name}-key" in ids:
        rotation = inputs[f"{name}-key"].get("enableKeyRotation")
        yield Made("key", ids[f"{name}-key"], ("rotated yearly",) if rotation else ())
    role = f"{name}-role"
    if role in ids:
        hours = int(inputs[role].get("maxSessionDuration") or 3600) / 3600
        yield Made("role", ids[role], (f"{hours:g} h", *_trusted(inputs[role]["assumeRolePolicy"])))


def _trusted(document: str) -> Iterator[str]:
    """Whom a role trusts, as its document says."""
    for statement in json.loads(document)["Statement"]:
        who = statement["Principal"].get("AWS", [])
        for arn in [who] if isinstance(who, str) else who:
            yield f"account {arn.split(':')[4]}" if arn.endswith(":root") else arn
        ids = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId", [])
        for one in [ids] if isinstance(ids, str) else ids:
            yield f"external id {one}"
