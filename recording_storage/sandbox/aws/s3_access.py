"""What S3 looks at beside the policies: regions, public access, ownership, and what a bucket may be told.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_storage.evaluation.aws.policy import is_public
from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.authorise import context_of, permit, well_formed
from recording_storage.sandbox.aws.bucket_policy import check_new_policy
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.operations import CREATE_BUCKET, HOME_REGION, Needed

if TYPE_CHECKING:
    from recording_storage.evaluation.aws.policy import Principal
    from recording_storage.sandbox.aws.http import HttpRequest
    from recording_storage.sandbox.aws.operations import Operation
    from recording_storage.sandbox.aws.signature import Claim

CONTEXT_HEADERS = (
    "x-amz-acl",
    "x-amz-grant-read",
    "x-amz-grant-write",
    "x-amz-grant-read-acp",
    "x-amz-grant-write-acp",
    "x-amz-grant-full-control",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-content-sha256",
    "x-amz-object-ownership",
    "x-amz-website-redirect-location",
    "if-match",
    "if-none-match",
)
CONTEXT_PARAMETERS = ("prefix", "delimiter", "max-keys")
SET_ACL = ("s3:PutBucketAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl")
OWNERS_ACLS = frozenset({"private", "bucket-owner-full-control"})
OWNERS_POLICY = ("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
"""Only the owner's account may do this, whatever the policies say."""
UNJUDGED_HEADERS = (
    "x-amz-object-lock-",
    "x-amz-server-side-encryption-customer-",
    "x-amz-server-side-encryption-context",
)


@dataclass(frozen=True)
class S3Access:
    """One request to S3, to be judged."""

    operation: Operation
    request: HttpRequest
    caller: cloud.Caller | None
    claim: Claim | None

    @property
    def account(self) -> str:
        """The account in which the request is carried out: the bucket's, or the caller's."""
        state = cloud.bucket(self.operation.bucket)
        if state is not None and self.operation.action != CREATE_BUCKET:
            return state.account
        return self.caller.principal.account if self.caller else ""

    def judge(self) -> str:
        """Give the reason why S3 allows the operation; raises `AwsError` where it refuses."""
        operation = self.operation
        if not operation.bucket or operation.action == CREATE_BUCKET:
            self._region_asked(operation.endpoint_region or HOME_REGION)
            reasons = [self._permit(need) for need in operation.needs]
            if operation.bucket:
                self._new_bucket()
            return reasons[0]
        state = _existing(operation.bucket)
        self._same_region(state)
        self._owned_as_expected("x-amz-expected-bucket-owner", state)
        for name in self.request.headers:
            if name.startswith(UNJUDGED_HEADERS):
                raise AwsError.undecided(f"a request with {name}")
        if operation.one_by_one:
            return "each object by itself"
        reasons = [self._permit(need) for need in operation.needs]
        if operation.action in OWNERS_POLICY and self.account_of_caller != state.account:
            raise AwsError(
                405, "MethodNotAllowed", "The specified method is not allowed against this resource."
            )
        self._acl(state)
        self._written(state)
        if operation.action == "s3:PutBucketPolicy":
            check_new_policy(self.request.body, state)
        return reasons[0]

    @property
    def account_of_caller(self) -> str:
        """The caller's account; empty for nobody's."""
        return self.caller.principal.account if self.caller else ""

    def refused(self) -> dict[Needed, AwsError]:
        """Find the objects, of an operation on each by itself, for which it is refused."""
        found: dict[Needed, AwsError] = {}
        for need in self.operation.needs:
            try:
                self._permit(need)
            except AwsError as error:
                found[need] = error
        return found

    def hide_missing_key(self) -> None:
        """Refuse instead of saying that a key is missing, except to those who may list the bucket.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        for need in self.operation.needs:
            if need.action.startswith("s3:GetObject"):
                self._permit(Needed("s3:ListBucket", need.bucket))

    def _permit(self, need: Needed) -> str:
        creates = need.bucket == self.operation.bucket and self.operation.action == CREATE_BUCKET
        bucket = None if creates or not need.bucket else _existing(need.bucket)
        if bucket is not None and bucket.name != self.operation.bucket:
            self._owned_as_expected("x-amz-source-expected-bucket-owner", bucket)
        reason = permit(
            self.caller,
            action=need.action,
            resource=need.resource,
            account=bucket.account if bucket else self.account_of_caller,
            context=self._context(bucket),
            resource_policy=bucket.policy if bucket else None,
            refusal=self._refusal,
        )
        if bucket is not None:
            self._public_access(bucket, need)
        return reason

    def _refusal(self, principal: Principal, action: str, resource: str, reason: str) -> AwsError:
        message = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"
        state = cloud.bucket(self.operation.bucket) if self.request.method == "HEAD" else None
        return AwsError(
            403,
            "AccessDenied",
            message if principal.arn else "Access Denied",
            reason=reason,
            headers=_bucket_region(state) if state else (),
        )

    def _context(self, bucket: cloud.BucketState | None) -> dict[str, str]:
        request, claim = self.request, self.claim
        keys = context_of(request, self.caller)
        keys |= {f"s3:{name}": request.headers[name] for name in CONTEXT_HEADERS if name in request.headers}
        keys |= {f"s3:{name}": request.query[name] for name in CONTEXT_PARAMETERS if name in request.query}
        if "versionId" in request.query:
            keys["s3:VersionId"] = request.query["versionId"]
        if request.tls is not None:
            keys["s3:TlsVersion"] = request.tls
        if claim is not None:
            keys["s3:signatureversion"] = "AWS4-HMAC-SHA256"
            keys["s3:authType"] = "REST-HEADER" if claim.presigned_for is None else "REST-QUERY-STRING"
        region = self.operation.endpoint_region or HOME_REGION
        if bucket is not None:
            region = bucket.region
            keys |= {"aws:ResourceAccount": bucket.account, "s3:ResourceAccount": bucket.account}
        return keys | {"aws:RequestedRegion": region}

    def _region_asked(self, region: str) -> None:
        """Refuse a signature for another region than the one that is to answer."""
        if self.claim is not None and self.claim.region != region:
            raise AwsError(
                400,
                "AuthorizationHeaderMalformed",
                f"The authorization header is malformed; the region '{self.claim.region}' is wrong;"
                f" expecting '{region}'",
                headers=(("x-amz-bucket-region", region),),
                region=region,
            )

    def _same_region(self, state: cloud.BucketState) -> None:
        asked = self.operation.endpoint_region or state.region
        if asked != state.region:
            raise AwsError(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint:"
                f" {state.name}.s3.{state.region}.amazonaws.com",
                headers=_bucket_region(state),
            )
        self._region_asked(state.region)

    def _owned_as_expected(self, header: str, state: cloud.BucketState) -> None:
        expected = self.request.headers.get(header, state.account)
        if expected != state.account:
            reason = f"{header} is {expected}, and the bucket is {state.account}'s"
            raise AwsError(403, "AccessDenied", "Access Denied", reason=reason)

    def _public_access(self, bucket: cloud.BucketState, need: Needed) -> None:
        """RestrictPublicBuckets: while a bucket's policy is public, only the owner's account gets in."""
        if not bucket.restrict_public_buckets or bucket.policy is None:
            return
        if self.account_of_caller == bucket.account:
            return
        if is_public(well_formed(bucket.policy, "resource", "MalformedPolicy")):
            reason = (
                "RestrictPublicBuckets: the bucket's policy is public, so nobody outside its account gets in"
            )
            raise AwsError(403, "AccessDenied", f"Access Denied: {need.action}", reason=reason)

    def _acl(self, state: cloud.BucketState) -> None:
        headers, action = self.request.headers, self.operation.action
        acl = headers.get("x-amz-acl")
        if acl is None and action not in SET_ACL and not _grants(self.request):
            return
        if not state.acls_disabled:
            if acl not in OWNERS_ACLS or _grants(self.request):
                raise AwsError.undecided("access control lists that grant something")
            return
        if acl == "bucket-owner-full-control" and action not in SET_ACL:
            return
        if acl in OWNERS_ACLS and action != "s3:PutBucketAcl":
            raise AwsError.undecided(f"the canned ACL {acl}, with {action}, where ACLs are disabled")
        raise AwsError(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")

    def _written(self, state: cloud.BucketState) -> None:
        if self.operation.action != "s3:PutObject":
            return
        if not state.acls_disabled and self.account_of_caller != state.account:
            raise AwsError.undecided("who owns what another account writes while ACLs are enabled")

    def _new_bucket(self) -> None:
        request = self.request
        endpoint = self.operation.endpoint_region or HOME_REGION
        wanted = _location(request)
        if wanted == "EU":
            raise AwsError.undecided("the location constraint EU")
        if wanted and (wanted not in cloud.regions() or wanted == endpoint == HOME_REGION):
            raise AwsError(400, "InvalidLocationConstraint", "The specified location-constraint is not valid")
        if endpoint != HOME_REGION and wanted != endpoint:
            raise AwsError(
                400,
                "IllegalLocationConstraintException",
                f"The {wanted or 'unspecified'} location constraint is incompatible for the region specific"
                " endpoint this request was sent to.",
            )
        if request.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
            raise AwsError.undecided("a bucket with Object Lock")
        if request.headers.get("x-amz-acl", "private") == "private" and not _grants(request):
            return
        if request.headers.get("x-amz-object-ownership", cloud.OWNER_ENFORCED) != cloud.OWNER_ENFORCED:
            raise AwsError.undecided("access control lists that grant something")
        raise AwsError(
            400,
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        )


def _existing(name: str) -> cloud.BucketState:
    state = cloud.bucket(name)
    if state is None:
        raise AwsError(
            404, "NoSuchBucket", "The specified bucket does not exist", reason=f"there is no bucket {name}"
        )
    return state


def _bucket_region(state: cloud.BucketState) -> tuple[tuple[str, str], ...]:
    return (("x-amz-bucket-region", state.region),)


def _grants(request: HttpRequest) -> bool:
    return any(name.startswith("x-amz-grant-") for name in request.headers)


def _location(request: HttpRequest) -> str:
    if not request.body:
        return ""
    try:
        root = ET.fromstring(request.body)  # noqa: S314 (from a program in the sandbox, and expat expands nothing)
    except ET.ParseError:
        raise AwsError(400, "MalformedXML", "The XML you provided was not well-formed.") from None
    others = [entry.tag for entry in root if entry.tag.rpartition("}")[2] != "LocationConstraint"]
    if others:
        raise AwsError.undecided(f"a new bucket with {', '.join(others)}")
    return root.findtext("{*}LocationConstraint", "")
