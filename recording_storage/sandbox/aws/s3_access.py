"""What S3 looks at beside the policies: regions, public access, ownership, encryption, and what a bucket may be told.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.authorise import context_of, named_principals, permit, well_formed
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.operations import CREATE_BUCKET
from recording_storage.sandbox.aws.policy import is_public

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.http import HttpRequest
    from recording_storage.sandbox.aws.operations import Needed, Operation
    from recording_storage.sandbox.aws.policy import Principal
    from recording_storage.sandbox.aws.signature import Claim

HOME_REGION = "us-east-1"
"""The region of the global endpoint, `s3.amazonaws.com`."""
OBJECT_PREFIX = "arn:aws:s3:::"
CONTEXT_HEADERS = (
    "x-amz-acl",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-content-sha256",
    "x-amz-object-ownership",
)
CONTEXT_PARAMETERS = ("prefix", "delimiter", "max-keys")
OWNERS_CANNED_ACL = {"private", "bucket-owner-full-control"}


def judge(
    operation: Operation, request: HttpRequest, caller: cloud.Caller | None, claim: Claim | None
) -> str:
    """The reason why S3 allows the operation; raises `AwsError` where it refuses."""
    state = cloud.bucket(operation.bucket) if operation.bucket else None
    if state is None and operation.bucket and operation.action != CREATE_BUCKET:
        raise AwsError(404, "NoSuchBucket", f"The specified bucket does not exist: {operation.bucket}")
    if state is not None and operation.action != CREATE_BUCKET:
        _same_region(operation, state, claim)
    reasons = [_permit(need, operation, request, caller, claim) for need in operation.needs]
    if state is not None:
        _object_rules(operation, request, state)
    if operation.action == CREATE_BUCKET:
        _new_bucket(operation, request)
    if state is not None and operation.action == "s3:PutBucketPolicy":
        _new_bucket_policy(request.body.decode(), state)
    return reasons[0]


def hide_missing_key(
    operation: Operation, request: HttpRequest, caller: cloud.Caller | None, claim: Claim | None
) -> None:
    """Refuse instead of saying that a key is missing, except to those who may list the bucket.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    listing = type(operation.needs[0])("s3:ListBucket", operation.bucket)
    _permit(listing, operation, request, caller, claim)


def _permit(
    need: Needed, operation: Operation, request: HttpRequest, caller: cloud.Caller | None, claim: Claim | None
) -> str:
    bucket = cloud.bucket(need.bucket) if need.bucket else None
    if bucket is None and need.bucket != operation.bucket:
        raise AwsError(404, "NoSuchBucket", f"The specified bucket does not exist: {need.bucket}")
    account = bucket.account if bucket else caller.principal.account if caller else ""
    reason = permit(
        caller,
        action=need.action,
        resource=need.resource,
        account=account,
        context=_context(request, caller, claim, bucket),
        resource_policy=bucket.policy if bucket else None,
        refusal=_refusal,
    )
    if bucket is not None:
        _public_access(bucket, caller.principal if caller else None, need)
    return reason


def _refusal(principal: Principal, action: str, resource: str, reason: str) -> AwsError:
    who = principal.arn or "anonymous"
    message = (
        f"User: {who} is not authorized to perform: {action} on resource: {resource}"
        if who
        else "Access Denied"
    )
    return AwsError(403, "AccessDenied", message, reason=reason)


def _context(
    request: HttpRequest, caller: cloud.Caller | None, claim: Claim | None, bucket: cloud.BucketState | None
) -> dict[str, str]:
    keys = context_of(request, caller)
    keys |= {f"s3:{name}": request.headers[name] for name in CONTEXT_HEADERS if name in request.headers}
    keys |= {f"s3:{name}": request.query[name] for name in CONTEXT_PARAMETERS if name in request.query}
    if "versionId" in request.query:
        keys["s3:VersionId"] = request.query["versionId"]
    if request.scheme == "https":
        keys["s3:TlsVersion"] = "1.3"
    if claim is not None:
        keys["s3:signatureversion"] = "AWS4-HMAC-SHA256"
        keys["s3:authType"] = "REST-HEADER" if claim.presigned_for is None else "REST-QUERY-STRING"
        keys["aws:RequestedRegion"] = claim.region
    if bucket is not None:
        keys |= {"aws:ResourceAccount": bucket.account, "s3:ResourceAccount": bucket.account}
    return keys


def _same_region(operation: Operation, state: cloud.BucketState, claim: Claim | None) -> None:
    if (
        claim is not None
        and claim.region != state.region
        and operation.endpoint_region in (None, state.region)
    ):
        raise AwsError(
            400,
            "AuthorizationHeaderMalformed",
            f"The authorization header is malformed; the region '{claim.region}' is wrong;"
            f" expecting '{state.region}'",
            headers=(("x-amz-bucket-region", state.region),),
        )
    if operation.endpoint_region not in (None, state.region):
        raise AwsError(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint:"
            f" {state.name}.s3.{state.region}.amazonaws.com",
            headers=(("x-amz-bucket-region", state.region),),
        )


def _public_access(bucket: cloud.BucketState, principal: Principal | None, need: Needed) -> None:
    """RestrictPublicBuckets: while a bucket's policy is public, only the owner's account gets in."""
    if not bucket.restrict_public_buckets or bucket.policy is None:
        return
    if principal is not None and principal.account == bucket.account:
        return
    if is_public(well_formed(bucket.policy, "resource", "MalformedPolicy")):
        reason = "RestrictPublicBuckets: the bucket's policy is public, so nobody outside its account gets in"
        raise AwsError(403, "AccessDenied", f"Access Denied: {need.action}", reason=reason)


def _object_rules(operation: Operation, request: HttpRequest, state: cloud.BucketState) -> None:
    acl = request.headers.get("x-amz-acl")
    grants = any(name.startswith("x-amz-grant-") for name in request.headers)
    sets_acl = operation.action in ("s3:PutBucketAcl", "s3:PutObjectAcl") or grants or acl is not None
    if sets_acl and state.acls_disabled and acl not in OWNERS_CANNED_ACL:
        raise AwsError(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
    if sets_acl and acl not in OWNERS_CANNED_ACL:
        raise AwsError.undecided("access control lists that grant something")
    reads_or_writes = operation.key and operation.action in (
        "s3:PutObject",
        "s3:GetObject",
        "s3:GetObjectVersion",
    )
    asked = request.headers.get("x-amz-server-side-encryption", "")
    if reads_or_writes and (state.kms or asked.startswith("aws:kms")):
        raise AwsError.undecided("encryption with a KMS key: whether the key lets the caller use it")


def _new_bucket(operation: Operation, request: HttpRequest) -> None:
    endpoint = operation.endpoint_region or HOME_REGION
    wanted = ""
    if request.body:
        try:
            wanted = ET.fromstring(request.body).findtext("{*}LocationConstraint", "")  # noqa: S314 (as above)
        except ET.ParseError:
            raise AwsError(400, "MalformedXML", "The XML you provided was not well-formed.") from None
    if endpoint == HOME_REGION and wanted == HOME_REGION:
        raise AwsError(400, "InvalidLocationConstraint", "The specified location-constraint is not valid")
    if endpoint != HOME_REGION and (wanted or HOME_REGION) != endpoint:
        raise AwsError(
            400,
            "IllegalLocationConstraintException",
            f"The {wanted or 'unspecified'} location constraint is incompatible for the region specific endpoint"
            " this request was sent to.",
        )
    if request.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
        raise AwsError.undecided("a bucket with Object Lock")


def _new_bucket_policy(text: str, state: cloud.BucketState) -> None:
    document = well_formed(text, "resource", "MalformedPolicy")
    arn = OBJECT_PREFIX + state.name
    for statement in document.statements:
        for resource in statement.resources:
            if resource != arn and not resource.startswith(f"{arn}/"):
                raise AwsError(400, "MalformedPolicy", f"Policy has invalid resource: {resource}")
        for principal in named_principals(statement):
            if not cloud.principal_exists(principal):
                raise AwsError(
                    400, "MalformedPolicy", f"Invalid principal in policy: {principal} doesn't exist"
                )
    if state.block_public_policy and is_public(document):
        raise AwsError(
            403,
            "AccessDenied",
            "User is not authorized: public policies are prevented by the BlockPublicPolicy setting",
            reason="BlockPublicPolicy: the policy would make the bucket public",
        )
