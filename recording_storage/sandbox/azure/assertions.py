"""Whether an assertion is a token of the issuer that a federated credential names, as Entra checks it.

Issuer, audience and subject are compared to the letter. First it is looked for the credential, then the issuer's keys
are fetched. No leeway is documented for the times, and none is given.

Sources: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations,
https://learn.microsoft.com/entra/identity-platform/reference-error-codes,
https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes#august-2024 (case),
https://azure.github.io/azure-workload-identity/docs/troubleshooting.html. Leaves out what certificates sign, since
nobody has registered one, and algorithms other than RS256, which alone is supported.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from recording_storage.evaluation.azure.federation import Difference, nearest
from recording_storage.sandbox.azure.errors import EntraError
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recording_storage.sandbox.azure.directory import FederatedCredential
    from recording_storage.sandbox.issuer import Issuer

ALGORITHM = "RS256"
UNTRUSTED = ("none", "HS256", "HS384", "HS512")
DOCUMENTATION = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
_NUMBERS = {"issuer": 700211, "audience": 700212, "subject": 700213}
_CASE_ONLY = 7002138
_CLAIMS = {"issuer": "iss", "audience": "aud", "subject": "sub"}


def check(
    assertion: str,
    client: str,
    credentials: Sequence[FederatedCredential],
    issuer: Callable[[str], Issuer | None],
    now: datetime,
) -> FederatedCredential:
    """The credential by which an assertion is taken; raises `EntraError` where Entra doesn't take it.

    `client` is the client id; `issuer` finds the issuer with an address.
    """
    header, said = _read(assertion)
    stated = {what: _text(said, claim) for what, claim in _CLAIMS.items()}
    if stated["issuer"] == client:
        raise EntraError(
            700027,
            "invalid_client",
            "The certificate with identifier used to sign the client assertion is not registered on application. "
            "[Reason - The key was not found.]",
            because="the assertion is signed by the client itself, and nobody in the sandbox has registered a "
            "certificate",
        )
    if not credentials:
        raise EntraError(
            70025,
            "invalid_client",
            f"The client '{client}' has no configured federated identity credentials.",
        )
    found = _match(stated, credentials)
    _check_signature(assertion, header, issuer(found.issuer), found.issuer)
    _check_times(said, now)
    return found


def holder(assertion: str) -> str:
    """Who an assertion says that it is, for the journal."""
    try:
        _, said = _read(assertion)
    except EntraError:
        return "the holder of what isn't a token"
    return f"the subject {said.get('sub')} of {said.get('iss')}"


def stated_issuer(assertion: str) -> str:
    """Of whom an assertion says that it is; nothing for what isn't one."""
    try:
        return str(_read(assertion)[1].get("iss", ""))
    except EntraError:
        return ""


def _read(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    import jwt

    try:
        read = jwt.api_jws.decode_complete(assertion, options={"verify_signature": False})
        said: object = json.loads(read["payload"])
    except (jwt.PyJWTError, ValueError) as error:
        raise _malformed(f"the assertion can't be read: {error}") from None
    if not isinstance(said, dict):
        raise _malformed("the assertion's payload isn't an object")
    return read["header"], cast("dict[str, Any]", said)


def _text(said: dict[str, Any], claim: str) -> str:
    value = said.get(claim)
    if claim == "aud" and isinstance(value, list):
        several = cast("list[Any]", value)
        if len(several) != 1:
            raise Undecided(f"an assertion with {len(several)} audiences")
        value = several[0]
    if not isinstance(value, str) or not value:
        raise _malformed(f"the assertion's claim {claim} is {value!r}")
    return value


def _malformed(because: str) -> EntraError:
    return EntraError(50027, "invalid_request", "JWT token is invalid or malformed.", because=because)


def _match(stated: dict[str, str], credentials: Sequence[FederatedCredential]) -> FederatedCredential:
    """The one credential with the three values; each narrows down what is left."""
    left = list(credentials)
    for what, value in stated.items():
        same = [one for one in left if _of(one, what) == value]
        if not same:
            raise _no_match(what, value, [_of(one, what) for one in left])
        left = same
    return left[0]


def _of(credential: FederatedCredential, what: str) -> str:
    return credential.audiences[0] if what == "audience" else str(getattr(credential, what))


def _no_match(what: str, value: str, expected: list[str]) -> EntraError:
    named = f"No matching federated identity record found for presented assertion {what} '{value}'."
    check = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
    because = f"the assertion's {what} is {value!r}, and the federated credential's {_or(expected)}"
    if nearest(value, expected) is Difference.CASE:
        case = f"The {what} matches with case-insensitive comparison, but not with case-sensitive comparison."
        text, number = f"{named} {case} {check}", _CASE_ONLY
        because += ": they differ in case"
    else:
        text, number = f"{named} {check}", _NUMBERS[what]
    return EntraError(number, "invalid_client", f"{text} {DOCUMENTATION}", because=because)


def _or(values: list[str]) -> str:
    return " or ".join(repr(one) for one in dict.fromkeys(values))


def _check_signature(assertion: str, header: dict[str, Any], issuer: Issuer | None, url: str) -> None:
    import jwt

    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm in UNTRUSTED:
        raise _malformed(f"the assertion's algorithm is {algorithm}")
    if algorithm != ALGORITHM:
        raise Undecided(f"an assertion that is signed with {algorithm}")
    if issuer is None:
        raise EntraError(
            90061,
            "invalid_request",
            "Request to External OIDC endpoint failed.",
            because=f"nothing in the sandbox stands in for the issuer {url}",
        )
    if issuer.discovery.get("issuer") != url:
        raise Undecided(
            f"an assertion of {url}, whose discovery document is of {issuer.discovery.get('issuer')}"
        )
    key = next((one for one in issuer.keys["keys"] if one["kid"] == kid), None)
    if key is None:
        raise EntraError(
            7000272,
            "invalid_client",
            f"The certificate with identifier '{kid}' used to sign the federated credential could not be found in the "
            "metadata of identity provider.",
            because=f"{url} publishes no key {kid}",
        )
    try:
        jwt.api_jws.decode(assertion, jwt.PyJWK(key, ALGORITHM).key, [ALGORITHM])
    except jwt.PyJWTError:
        raise EntraError(
            700027,
            "invalid_client",
            "Client assertion failed signature validation. [Reason - Key was found, but use of the key to verify the "
            "signature failed.]",
            because=f"the key {kid} of {url} didn't sign the assertion",
        ) from None


def _check_times(said: dict[str, Any], now: datetime) -> None:
    expires, begins = said.get("exp"), said.get("nbf", 0)
    for name, value in (("exp", expires), ("nbf", begins)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _malformed(f"the assertion's claim {name} is {value!r}")
    from_, until = (_utc(float(cast("float", one))) for one in (begins, expires))
    if not from_ <= now < until:
        raise EntraError(
            700024,
            "invalid_client",
            f"Client assertion is not within its valid time range. Current time: {_iso(now)}, assertion valid from "
            f"{_iso(from_)}, expiry time of assertion {_iso(until)}.",
            because=f"the assertion {'has expired' if now >= until else 'is not valid yet'}",
        )


def _utc(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise _malformed(f"the assertion's time {seconds} is out of range") from None


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"
