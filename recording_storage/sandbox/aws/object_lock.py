"""S3 Object Lock, as far as a bucket's default retention goes: how it is set, and what it asks of an upload.

Leaves out what a lock then forbids (nothing in the sandbox is old enough to be deleted), retention and legal holds that
a request names, and governance mode's bypass.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (the header that is required) and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.backend import Answer
from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.http import HttpRequest
    from recording_storage.sandbox.aws.operations import Operation

PUT_CONFIGURATION = "s3:PutBucketObjectLockConfiguration"
CHECKSUMS = ("content-md5", "x-amz-checksum-", "x-amz-sdk-checksum-algorithm", "x-amz-trailer")
GET_CONFIGURATION = "s3:GetBucketObjectLockConfiguration"
MODES = ("GOVERNANCE", "COMPLIANCE")


def check(operation: Operation, request: HttpRequest) -> None:
    """Raise `AwsError` where a bucket that locks by default wants a checksum, and the upload has none."""
    if operation.action != "s3:PutObject" or request.method != "PUT":
        return
    if "x-amz-copy-source" in request.headers or not cloud.default_retention(operation.bucket):
        return
    if not any(name.startswith(CHECKSUMS) for name in request.headers):
        raise AwsError(
            400,
            "InvalidRequest",
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock"
            " parameters",
            reason=f"{operation.bucket} has a default retention, and the upload has no checksum",
        )


def answered(operation: Operation, request: HttpRequest) -> Answer | None:
    """Set or tell a bucket's default retention; None for any other operation. moto sets it on empty buckets only."""
    if operation.action == GET_CONFIGURATION:
        return _told(operation.bucket)
    if operation.action != PUT_CONFIGURATION:
        return None
    if not cloud.is_versioned(operation.bucket):
        message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise AwsError(409, "InvalidBucketState", message)
    try:
        root = ET.fromstring(request.body)  # noqa: S314 (from a program in the sandbox, and expat expands nothing)
    except ET.ParseError:
        root = ET.Element("none")
    mode = root.findtext(".//{*}Mode")
    days, years = root.findtext(".//{*}Days"), root.findtext(".//{*}Years")
    wants_rule = root.find("{*}Rule") is not None
    is_whole = mode in MODES and (days is None) != (years is None) and (days or years or "").isdecimal()
    if root.findtext("{*}ObjectLockEnabled") != "Enabled" or (wants_rule and not is_whole):
        raise AwsError(400, "MalformedXML", "The XML you provided was not well-formed.")
    cloud.lock_objects(operation.bucket, mode, int(days) if days else None, int(years) if years else None)
    return Answer(200)


def _told(bucket: str) -> Answer:
    found = cloud.object_lock(bucket)
    if found is None:
        message = "Object Lock configuration does not exist for this bucket"
        missing = AwsError(404, "ObjectLockConfigurationNotFoundError", message)
        # Nobody refuses it: the caller may look, and there is nothing.
        return Answer(missing.status, [("Content-Type", "application/xml")], missing.body("s3"))
    mode, days, years = found
    span = f"<Days>{days}</Days>" if days else f"<Years>{years}</Years>"
    rule = f"<Rule><DefaultRetention><Mode>{mode}</Mode>{span}</DefaultRetention></Rule>" if mode else ""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>"
    )
    return Answer(200, [("Content-Type", "application/xml")], body.encode())
