"""Which permission a request to S3 needs: the table of operations, and how a request names one.

An operation that isn't in the table can't be judged. Leaves out directory buckets, access points, S3 Select,
and the account-level S3 Control API.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.signature import QUERY_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recording_storage.sandbox.aws.http import HttpRequest

# method, what the query names -> the action that a policy must allow
SERVICE_ACTIONS = {("GET", ""): "s3:ListAllMyBuckets"}
BUCKET_ACTIONS = {
    ("PUT", ""): "s3:CreateBucket",
    ("DELETE", ""): "s3:DeleteBucket",
    ("HEAD", ""): "s3:ListBucket",
    ("GET", ""): "s3:ListBucket",
    ("GET", "versions"): "s3:ListBucketVersions",
    ("GET", "uploads"): "s3:ListBucketMultipartUploads",
    ("GET", "location"): "s3:GetBucketLocation",
    ("GET", "acl"): "s3:GetBucketAcl",
    ("PUT", "acl"): "s3:PutBucketAcl",
    ("GET", "policy"): "s3:GetBucketPolicy",
    ("PUT", "policy"): "s3:PutBucketPolicy",
    ("DELETE", "policy"): "s3:DeleteBucketPolicy",
    ("GET", "policyStatus"): "s3:GetBucketPolicyStatus",
    ("GET", "versioning"): "s3:GetBucketVersioning",
    ("PUT", "versioning"): "s3:PutBucketVersioning",
    ("GET", "encryption"): "s3:GetEncryptionConfiguration",
    ("PUT", "encryption"): "s3:PutEncryptionConfiguration",
    ("DELETE", "encryption"): "s3:PutEncryptionConfiguration",
    ("GET", "lifecycle"): "s3:GetLifecycleConfiguration",
    ("PUT", "lifecycle"): "s3:PutLifecycleConfiguration",
    ("DELETE", "lifecycle"): "s3:PutLifecycleConfiguration",
    ("GET", "publicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("PUT", "publicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("DELETE", "publicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("GET", "ownershipControls"): "s3:GetBucketOwnershipControls",
    ("PUT", "ownershipControls"): "s3:PutBucketOwnershipControls",
    ("DELETE", "ownershipControls"): "s3:PutBucketOwnershipControls",
    ("GET", "tagging"): "s3:GetBucketTagging",
    ("PUT", "tagging"): "s3:PutBucketTagging",
    ("DELETE", "tagging"): "s3:PutBucketTagging",
    ("GET", "cors"): "s3:GetBucketCORS",
    ("GET", "website"): "s3:GetBucketWebsite",
    ("GET", "logging"): "s3:GetBucketLogging",
    ("GET", "notification"): "s3:GetBucketNotification",
    ("GET", "replication"): "s3:GetReplicationConfiguration",
    ("GET", "requestPayment"): "s3:GetBucketRequestPayment",
    ("GET", "accelerate"): "s3:GetAccelerateConfiguration",
    ("GET", "object-lock"): "s3:GetBucketObjectLockConfiguration",
    ("PUT", "object-lock"): "s3:PutBucketObjectLockConfiguration",
}
OBJECT_ACTIONS = {
    ("GET", ""): "s3:GetObject",
    ("HEAD", ""): "s3:GetObject",
    ("PUT", ""): "s3:PutObject",
    ("DELETE", ""): "s3:DeleteObject",
    ("POST", "uploads"): "s3:PutObject",
    ("PUT", "uploadId"): "s3:PutObject",
    ("POST", "uploadId"): "s3:PutObject",
    ("GET", "uploadId"): "s3:ListMultipartUploadParts",
    ("DELETE", "uploadId"): "s3:AbortMultipartUpload",
    ("GET", "tagging"): "s3:GetObjectTagging",
    ("PUT", "tagging"): "s3:PutObjectTagging",
    ("DELETE", "tagging"): "s3:DeleteObjectTagging",
    ("GET", "acl"): "s3:GetObjectAcl",
    ("PUT", "acl"): "s3:PutObjectAcl",
    ("GET", "attributes"): "s3:GetObjectAttributes",
}
VERSION_ACTIONS = {
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
    "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
    "s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
}
# a header of a request for an object, or for a bucket -> what it asks for beside the operation itself
BUCKET_HEADER_ACTIONS = {
    "x-amz-acl": "s3:PutBucketAcl",
    "x-amz-object-ownership": "s3:PutBucketOwnershipControls",
}
PRIVATE = ("x-amz-acl", "private")
"""What a new bucket is anyway: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html"""
OBJECT_HEADER_ACTIONS = {
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-acl": "s3:PutObjectAcl",
    "x-amz-bypass-governance-retention": "s3:BypassGovernanceRetention",
}
DELETE_OBJECTS = ("POST", "delete")
CREATE_BUCKET = "s3:CreateBucket"
MOST_DELETIONS = 1000
HOME_REGION = "us-east-1"
"""The region of the global endpoint, `s3.amazonaws.com`."""

# Not subresources: they refine an operation, or belong to the signature.
PLAIN_PARAMETERS = frozenset(
    [
        "list-type",
        "prefix",
        "delimiter",
        "max-keys",
        "marker",
        "start-after",
        "continuation-token",
        "encoding-type",
        "fetch-owner",
        "key-marker",
        "version-id-marker",
        "upload-id-marker",
        "max-uploads",
        "part-number-marker",
        "max-parts",
        "partNumber",
        "versionId",
        "x-id",
        "response-content-type",
        "response-content-language",
        "response-expires",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "max-buckets",
        "bucket-region",
        "X-Amz-Checksum-Mode",
    ]
)

HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]*)\.)?s3(?:[.-](?:dualstack\.|fips\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?"
    r"\.amazonaws\.com"
)


@dataclass(frozen=True)
class Needed:
    """One permission: `action` on the object `key` of `bucket`, or on the bucket itself where `key` is empty."""

    action: str
    bucket: str
    key: str = ""
    version: str = ""

    @property
    def resource(self) -> str:
        """The ARN that a policy must name."""
        if not self.bucket:
            return "*"
        return f"arn:aws:s3:::{self.bucket}" + (f"/{self.key}" if self.key else "")


@dataclass(frozen=True)
class Operation:
    """What a request does, and every permission that it needs."""

    bucket: str
    key: str
    endpoint_region: str | None
    """The region that was asked, or None where the name leads to the bucket's own."""
    needs: tuple[Needed, ...]
    one_by_one: bool = False
    """Each permission stands for an object: one that is refused leaves the others alone."""

    @property
    def action(self) -> str:
        """The permission by which the operation is known."""
        return self.needs[0].action


def operation_of(request: HttpRequest) -> Operation:
    """The operation that `request` names; raises `AwsError` for one that isn't in the table."""
    host = HOST.fullmatch(request.host.partition(":")[0])
    if host is None:
        raise AwsError.undecided(f"the S3 host {request.host}")
    virtual = host["bucket"] or ""
    bucket, key = virtual, unquote(request.raw_path[1:])
    if not bucket:
        bucket, _, key = key.partition("/")
    if key.startswith("/"):
        raise AwsError.undecided(f"a key that begins with a slash: {key}")
    region = host["region"] or (None if virtual else HOME_REGION)
    subresource = _subresource(request)
    if bucket and not key and (request.method, subresource) == DELETE_OBJECTS:
        return Operation(bucket, key, region, tuple(_deletions(request, bucket)), one_by_one=True)
    return Operation(bucket, key, region, tuple(_needs(request, bucket, key, subresource)))


def _subresource(request: HttpRequest) -> str:
    names = [name for name in request.query if name not in PLAIN_PARAMETERS and name not in QUERY_PARAMETERS]
    return "&".join(names)  # where there are several, no table has them


def _needs(request: HttpRequest, bucket: str, key: str, subresource: str) -> list[Needed]:
    actions = OBJECT_ACTIONS if key else BUCKET_ACTIONS if bucket else SERVICE_ACTIONS
    action = actions.get((request.method, subresource))
    if action is None:
        raise AwsError.undecided(f"{request.method} {request.raw_path}?{request.raw_query} at {request.host}")
    if "versionId" in request.query:
        action = VERSION_ACTIONS.get(action, action)
    extra = OBJECT_HEADER_ACTIONS if key else BUCKET_HEADER_ACTIONS if action == CREATE_BUCKET else {}
    needs = [Needed(action, bucket, key)]
    needs += [
        Needed(also, bucket, key)
        for name, also in extra.items()
        if name in request.headers and (key or (name, request.headers[name]) != PRIVATE)
    ]
    source = request.headers.get("x-amz-copy-source", "")
    if source.startswith("arn:"):
        raise AwsError.undecided("a copy from an access point")
    if source:
        path, _, version = source.partition("?versionId=")
        from_bucket, _, from_key = unquote(path).lstrip("/").partition("/")
        needs.append(
            Needed("s3:GetObjectVersion" if version else "s3:GetObject", from_bucket, from_key, version)
        )
    return needs


def _deletions(request: HttpRequest, bucket: str) -> list[Needed]:
    if not any(name == "content-md5" or name.startswith("x-amz-checksum-") for name in request.headers):
        raise AwsError(400, "InvalidRequest", "Missing required header for this request: Content-MD5")
    if "x-amz-bypass-governance-retention" in request.headers:
        raise AwsError.undecided("deletions past Object Lock")
    try:
        root = ET.fromstring(request.body)  # noqa: S314 (from a program in the sandbox, and expat expands nothing)
    except ET.ParseError:
        raise AwsError(400, "MalformedXML", "The XML you provided was not well-formed.") from None
    found = [
        (entry.findtext("{*}Key", ""), entry.findtext("{*}VersionId", ""))
        for entry in root.iter()
        if entry.tag.rpartition("}")[2] == "Object"
    ]
    if not 0 < len(found) <= MOST_DELETIONS:
        raise AwsError(400, "MalformedXML", f"The XML you provided names {len(found)} objects.")
    return [
        Needed("s3:DeleteObjectVersion" if version else "s3:DeleteObject", bucket, key, version)
        for key, version in found
    ]


def without(request: HttpRequest, refused: Iterable[Needed]) -> HttpRequest:
    """The request for deletions that is left when some are refused."""
    taken = {(need.key, need.version) for need in refused}
    root = ET.fromstring(request.body)  # noqa: S314 (as above)
    for entry in list(root):
        if (entry.findtext("{*}Key", ""), entry.findtext("{*}VersionId", "")) in taken:
            root.remove(entry)
    return replace(request, body=ET.tostring(root, default_namespace=root.tag[1:].partition("}")[0] or None))
