"""Who sent a request: AWS Signature Version 4, in the `Authorization` header or in the query.

Leaves out Signature Version 2, SigV4A and POST policies: a request signed so is undecided, never accepted.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.payload import UNSIGNED

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.http import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
CLOCK_SKEW = timedelta(minutes=15)
LONGEST_PRESIGNED = timedelta(days=7)
QUERY_PARAMETERS = frozenset(
    f"X-Amz-{name}"
    for name in ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"]
)


@dataclass(frozen=True)
class Claim:
    """What a request says of its signer, before anything is believed."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    token: str | None
    presigned_for: timedelta | None

    @property
    def scope(self) -> str:
        """What the signing key is good for."""
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


def claim_of(request: HttpRequest, service: str) -> Claim | None:
    """The signature that `request` carries, or None where it is anonymous.

    Raises `AwsError` for a signature in a form that AWS refuses, or that the stand-in doesn't check.
    """
    header = request.headers.get("authorization")
    if header is not None and "X-Amz-Algorithm" in request.query:
        raise AwsError(400, "InvalidArgument", "Only one auth mechanism allowed")
    if header is not None:
        return _from_header(header, request, service)
    if "X-Amz-Algorithm" in request.query:
        return _from_query(request)
    if "Signature" in request.query and "AWSAccessKeyId" in request.query:
        raise AwsError.undecided("a URL presigned with Signature Version 2")
    return None


def verify(request: HttpRequest, claim: Claim, service: str, secret_access_key: str, now: datetime) -> None:
    """Raise `AwsError` unless `claim` was made with `secret_access_key`, for this request, and in time."""
    s3 = service == "s3"
    if claim.service != service or claim.date != claim.timestamp[:8]:
        raise _malformed(
            service,
            f"Credential should be scoped to correct service: '{service}', and to the request's date.",
        )
    if "host" not in claim.signed_headers:
        raise AwsError(403, "SignatureDoesNotMatch", "'Host' must be a 'SignedHeader' in the Authorization.")
    unsigned = [n for n in request.headers if n.startswith("x-amz-") and n not in claim.signed_headers]
    if s3 and unsigned:
        raise AwsError(
            403,
            "AccessDenied",
            "There were headers present in the request which were not signed",
            reason=f"headers that aren't signed: {', '.join(unsigned)}",
        )
    _in_time(claim, now, s3=s3)
    if not hmac.compare_digest(_signature(request, claim, secret_access_key), claim.signature):
        raise AwsError(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        )


def _malformed(service: str, message: str) -> AwsError:
    if service == "s3":
        return AwsError(
            400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}"
        )
    return AwsError(403, "SignatureDoesNotMatch", message)


def _in_time(claim: Claim, now: datetime, *, s3: bool) -> None:
    try:
        made = datetime.strptime(claim.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        message = "AWS authentication requires a valid Date or x-amz-date header"
        raise AwsError(403, "AccessDenied", message) from None
    if claim.presigned_for is not None:
        if not timedelta() < claim.presigned_for <= LONGEST_PRESIGNED:
            raise AwsError(
                400,
                "AuthorizationQueryParametersError",
                "X-Amz-Expires must be non-negative and less than a week (in seconds)",
            )
        if not made - CLOCK_SKEW <= now <= made + claim.presigned_for:
            raise AwsError(403, "AccessDenied", "Request has expired")
    elif abs(now - made) > CLOCK_SKEW:
        raise AwsError(
            403,
            "RequestTimeTooSkewed" if s3 else "SignatureDoesNotMatch",
            "The difference between the request time and the current time is too large.",
        )


def _from_header(header: str, request: HttpRequest, service: str) -> Claim:
    algorithm, _, fields = header.partition(" ")
    if algorithm != ALGORITHM:
        raise AwsError.undecided(f"a request whose authorization is {algorithm}")
    if "x-amz-date" not in request.headers and "date" in request.headers:
        raise AwsError.undecided("a signature over the Date header")
    pairs = (part.strip().partition("=") for part in fields.split(","))
    parts = {name: value for name, _, value in pairs}
    key_id, date, region, signed_for = _scope(parts.get("Credential", ""), service)
    return Claim(
        access_key_id=key_id,
        date=date,
        region=region,
        service=signed_for,
        signed_headers=tuple(parts.get("SignedHeaders", "").split(";")),
        signature=parts.get("Signature", ""),
        timestamp=request.headers.get("x-amz-date", ""),
        token=request.headers.get("x-amz-security-token"),
        presigned_for=None,
    )


def _from_query(request: HttpRequest) -> Claim:
    query = request.query
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise AwsError.undecided(f"a URL presigned with {query['X-Amz-Algorithm']}")
    key_id, date, region, signed_for = _scope(query.get("X-Amz-Credential", ""), "s3")
    try:
        seconds = int(query.get("X-Amz-Expires", ""))
    except ValueError:
        raise AwsError(400, "AuthorizationQueryParametersError", "X-Amz-Expires should be a number") from None
    return Claim(
        access_key_id=key_id,
        date=date,
        region=region,
        service=signed_for,
        signed_headers=tuple(query.get("X-Amz-SignedHeaders", "").split(";")),
        signature=query.get("X-Amz-Signature", ""),
        timestamp=query.get("X-Amz-Date", ""),
        token=query.get("X-Amz-Security-Token"),
        presigned_for=timedelta(seconds=seconds),
    )


def _scope(credential: str, service: str) -> tuple[str, str, str, str]:
    match credential.split("/"):
        case [key_id, date, region, signed_for, terminator] if terminator == TERMINATOR:
            return key_id, date, region, signed_for
        case _:
            raise _malformed(
                service,
                "the Credential is mal-formed; expecting"
                f' "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/{TERMINATOR}".',
            )


def _signature(request: HttpRequest, claim: Claim, secret_access_key: str) -> str:
    canonical = hashlib.sha256(_canonical_request(request, claim).encode()).hexdigest()
    key = f"AWS4{secret_access_key}".encode()
    for part in claim.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signed = "\n".join([ALGORITHM, claim.timestamp, claim.scope, canonical])
    return hmac.digest(key, signed.encode(), "sha256").hex()


def _canonical_request(request: HttpRequest, claim: Claim) -> str:
    names = sorted(claim.signed_headers)
    lines = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names]
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.parameters
        if claim.presigned_for is None or name != "X-Amz-Signature"
    )
    path = quote(unquote(request.raw_path), safe="/-_.~")
    query = "&".join(f"{name}={value}" for name, value in pairs)
    payload = request.headers.get("x-amz-content-sha256")
    if payload is None:
        presigned_s3 = claim.presigned_for is not None and claim.service == "s3"
        payload = UNSIGNED if presigned_s3 else hashlib.sha256(request.body).hexdigest()
    return "\n".join([request.method, path, query, *lines, "", ";".join(names), payload])
