"""Who sent a request: AWS Signature Version 4, checked with botocore's own signer.

Leaves out Signature Version 2, SigV4A and POST policies: a request signed so is undecided, never accepted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.sandbox.aws.http import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
CLOCK_SKEW = timedelta(minutes=15)
LONGEST_PRESIGNED = timedelta(days=7)


@dataclass(frozen=True)
class Claim:
    """What a request says of its signer, before anything is believed."""

    access_key_id: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    token: str | None
    presigned_for: timedelta | None


def claim_of(request: HttpRequest) -> Claim | None:
    """The signature that `request` carries, or None where it is anonymous.

    Raises `AwsError` for a signature in a form that AWS refuses, or that the stand-in doesn't check.
    """
    header = request.headers.get("authorization")
    if header is not None:
        return _from_header(header, request)
    if "X-Amz-Algorithm" in request.query:
        return _from_query(request)
    if "Signature" in request.query and "AWSAccessKeyId" in request.query:
        raise AwsError.undecided("a URL presigned with Signature Version 2")
    return None


def verify(request: HttpRequest, claim: Claim, secret_access_key: str, now: datetime) -> None:
    """Raise `AwsError` unless `claim` was made with `secret_access_key`, for this request, and in time."""
    made = _time(claim.timestamp)
    if claim.presigned_for is not None:
        if claim.presigned_for > LONGEST_PRESIGNED:
            raise AwsError(
                400,
                "AuthorizationQueryParametersError",
                "X-Amz-Expires must be less than a week (in seconds)",
            )
        if not made - CLOCK_SKEW <= now <= made + claim.presigned_for:
            raise AwsError(403, "AccessDenied", "Request has expired")
    elif abs(now - made) > CLOCK_SKEW:
        raise AwsError(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )
    if not hmac.compare_digest(_signature(request, claim, secret_access_key), claim.signature):
        raise AwsError(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        )
    stated = request.headers.get("x-amz-content-sha256", "")
    if len(stated) == hashlib.sha256().digest_size * 2 and stated != hashlib.sha256(request.body).hexdigest():
        raise AwsError(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


def _from_header(header: str, request: HttpRequest) -> Claim:
    algorithm, _, fields = header.partition(" ")
    if algorithm != ALGORITHM:
        raise AwsError.undecided(f"a request signed with {algorithm}")
    parts = dict(part.strip().partition("=")[::2] for part in fields.split(","))
    key_id, region, service = _scope(parts.get("Credential", ""))
    return Claim(
        access_key_id=key_id,
        region=region,
        service=service,
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
    key_id, region, service = _scope(query.get("X-Amz-Credential", ""))
    try:
        seconds = int(query.get("X-Amz-Expires", ""))
    except ValueError:
        raise AwsError(400, "AuthorizationQueryParametersError", "X-Amz-Expires should be a number") from None
    return Claim(
        access_key_id=key_id,
        region=region,
        service=service,
        signed_headers=tuple(query.get("X-Amz-SignedHeaders", "").split(";")),
        signature=query.get("X-Amz-Signature", ""),
        timestamp=query.get("X-Amz-Date", ""),
        token=query.get("X-Amz-Security-Token"),
        presigned_for=timedelta(seconds=seconds),
    )


def _scope(credential: str) -> tuple[str, str, str]:
    match credential.split("/"):
        case [key_id, _, region, service, "aws4_request"]:
            return key_id, region, service
        case _:
            raise AwsError(400, "AuthorizationHeaderMalformed", "The authorization header is malformed.")


def _time(timestamp: str) -> datetime:
    try:
        return datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise AwsError(
            403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"
        ) from None


def _signature(request: HttpRequest, claim: Claim, secret_access_key: str) -> str:
    signer_of: Callable[[Credentials, str, str], SigV4Auth] = (
        S3SigV4Auth if claim.service == "s3" else SigV4Auth
    )
    signer = signer_of(Credentials(claim.access_key_id, secret_access_key), claim.service, claim.region)
    query = request.raw_query
    body = request.body
    if claim.presigned_for is not None:
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(key, value) for key, value in pairs if key != "X-Amz-Signature"], safe="-_.~")
        query = query.replace("+", "%20")
    signed = AWSRequest(
        method=request.method,
        url=f"{request.scheme}://{request.host}{request.raw_path}" + (f"?{query}" if query else ""),
        headers={name: request.headers[name] for name in claim.signed_headers if name in request.headers},
        data=body,
    )
    if claim.presigned_for is not None:
        signed.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    signed.context["timestamp"] = claim.timestamp
    canonical = _canonical_request(signer, signed, claim)
    return signer.signature(signer.string_to_sign(signed, canonical), signed)


def _canonical_request(signer: SigV4Auth, signed: AWSRequest, claim: Claim) -> str:
    """As the signer makes it, but of exactly the headers that the client signed.

    botocore leaves some headers out by name; other clients sign them.
    """
    names = sorted(claim.signed_headers)
    values = {name: " ".join(str(signed.headers.get(name, "")).split()) for name in names}
    lines = signer.canonical_request(signed).split("\n")
    method, path, query, payload = lines[0], lines[1], lines[2], lines[-1]
    return "\n".join(
        [method, path, query, *(f"{name}:{values[name]}" for name in names), "", ";".join(names), payload]
    )
