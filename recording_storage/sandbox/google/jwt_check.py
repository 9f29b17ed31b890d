"""Whether a token is one of an OIDC provider's issuer, as Google's Security Token Service checks it.

Sources: https://docs.cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token (`subjectToken`: headers, claims
and times),
https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#oidc
(audiences and keys), https://docs.cloud.google.com/iam/docs/troubleshooting-workload-identity-federation (texts).
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from recording_storage.evaluation.google.federation import default_audiences
from recording_storage.sandbox.google.errors import OAuthError

if TYPE_CHECKING:
    from datetime import datetime

    from recording_storage.sandbox.google.world import Provider
    from recording_storage.sandbox.issuer import Issuers

ALGORITHMS = ("RS256", "ES256")
KEY_TYPES = {"RS256": "RSA", "ES256": "EC"}
LIFETIME = timedelta(hours=24)
"""The most that may lie between issue and expiry, and between issue and use."""
UNREACHABLE = "Error connecting to the given credential's issuer."


def claims(token: str, provider: Provider, issuers: Issuers, now: datetime) -> dict[str, Any]:
    """What the token says; raises `OAuthError` where Google doesn't believe it."""
    import jwt

    oidc: dict[str, Any] = provider.said["oidc"]
    try:
        unverified = jwt.api_jws.decode_complete(token, options={"verify_signature": False})
        said: object = json.loads(unverified["payload"])
    except (jwt.PyJWTError, ValueError) as error:
        raise _refused("Unable to parse the ID Token.", f"the token can't be read: {error}") from None
    if not isinstance(said, dict):
        raise _refused("Unable to parse the ID Token.", "the token's payload isn't an object")
    found = cast("dict[str, Any]", said)
    _check_issuer(found, oidc["issuerUri"])
    _check_audience(found, oidc.get("allowedAudiences") or default_audiences(provider.full_name))
    _check_signature(token, unverified["header"], _keys(oidc, issuers), oidc["issuerUri"])
    _check_times(found, now)
    if not isinstance(found.get("sub"), str):
        raise _refused("ID Token does not contain 'sub' claim.", "the token has no claim sub")
    return found


def _check_issuer(found: dict[str, Any], expected: str) -> None:
    issuer = found.get("iss")
    if issuer != expected:
        raise _refused(
            f"The issuer in ID Token {issuer} does not match the expected ones: {expected}",
            f"the token's issuer is {issuer}, the provider's is {expected}",
        )


def _check_audience(found: dict[str, Any], allowed: list[str]) -> None:
    stated = found.get("aud")
    audiences: list[Any] = cast("list[Any]", stated) if isinstance(stated, list) else [stated]
    if not set(map(str, audiences)) & set(allowed):
        raise _refused(
            "The audience in ID Token does not match the expected audience.",
            f"the token's audience is {', '.join(map(str, audiences))}, the provider allows {', '.join(allowed)}",
        )


def _keys(oidc: dict[str, Any], issuers: Issuers) -> list[dict[str, Any]]:
    """The provider's own keys, or else those that its issuer publishes."""
    if oidc.get("jwksJson"):
        return json.loads(oidc["jwksJson"])["keys"]
    issuer = issuers.get(oidc["issuerUri"])
    if issuer is None:
        because = f"nothing in the sandbox stands in for the issuer {oidc['issuerUri']}"
        raise _refused(UNREACHABLE, because)
    return issuer.keys["keys"]


def _check_signature(token: str, header: dict[str, Any], keys: list[dict[str, Any]], issuer: str) -> None:
    import jwt

    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise _refused(
            f"The algorithm of the ID Token must be one of {', '.join(ALGORITHMS)}.",
            f"the token's algorithm is {algorithm}",
        )
    fitting = [one for one in keys if one.get("kid") == kid and one.get("kty") == KEY_TYPES[algorithm]]
    if not kid or not fitting:
        raise _refused(UNREACHABLE, f"{issuer} publishes no key {kid} for {algorithm}")
    try:
        jwt.api_jws.decode(token, jwt.PyJWK(fitting[0], algorithm).key, [algorithm])
    except jwt.PyJWTError as error:
        raise _refused(
            "Invalid JWT Signature.", f"the key {kid} of {issuer} didn't sign the token: {error}"
        ) from None


def _check_times(found: dict[str, Any], now: datetime) -> None:
    seconds = now.timestamp()
    times = {name: found.get(name) for name in ("iat", "exp")}
    for name, value in times.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _refused(
                f"ID Token does not contain '{name}' claim.", f"the token's claim {name} is {value}"
            )
    issued, expires = float(cast("float", times["iat"])), float(cast("float", times["exp"]))
    begins = found.get("nbf", issued)
    stale = f"ID Token issued at {int(issued)} is stale to sign-in."
    limit = LIFETIME.total_seconds()
    for is_wrong, message, because in (
        (
            issued > seconds,
            f"ID Token issued at {int(issued)} is in the future.",
            "the token was issued in the future",
        ),
        (begins > seconds, "ID Token is not yet valid.", "the token isn't valid yet (nbf)"),
        (expires <= seconds, stale, "the token has expired"),
        (seconds - issued > limit, stale, "the token was issued more than 24 hours ago"),
        (
            expires - issued > limit,
            "ID Token is valid for more than 24 hours.",
            "the token lives longer than 24 hours",
        ),
    ):
        if is_wrong:
            raise _refused(message, f"{because}: iat {int(issued)}, exp {int(expires)}, now {int(seconds)}")


def _refused(description: str, because: str) -> OAuthError:
    return OAuthError("invalid_grant", description, because=because)
