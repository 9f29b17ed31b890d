"""STS: the rules of AssumeRoleWithWebIdentity, by which a pipeline's token becomes a session of a role.

The token must be of an identity provider that the role's account has, for an audience that the provider lists, signed
by a key that the issuer publishes, and in time; then the role's trust policy decides. The request itself isn't signed.

Leaves out providers that AWS knows by itself (`ProviderId`), SAML, session tags, resource control policies, and
tokens with several audiences. Of a token's other claims a trust policy sees those that AWS lists for the issuer.

Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif,
https://docs.gitlab.com/ci/cloud_services/ (the claims of gitlab.com) and
https://repost.aws/knowledge-center/iam-sts-invalididentitytoken (texts)
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, cast

from recording_storage.evaluation.aws.policy import Policies, Principal, Request, decide
from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.authorise import UNKNOWN_KEYS, context_of, well_formed
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.sts_access import too_long, valid_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.aws.http import HttpRequest
    from recording_storage.sandbox.issuer import Issuers

ACTION = "sts:AssumeRoleWithWebIdentity"
ALGORITHMS = ("RS256", "ES256")
CLAIMS: Mapping[str, tuple[str, ...]] = {
    "token.actions.githubusercontent.com": (
        "actor",
        "actor_id",
        "enterprise_id",
        "environment",
        "job_workflow_ref",
        "ref",
        "repository",
        "repository_id",
        "workflow",
    ),
    "gitlab.com": ("namespace_id", "project_id"),
}
"""What a trust policy may ask for beside `aud` and `sub`, by issuer."""


def is_asked(request: HttpRequest) -> bool:
    """Whether a request to STS is this one."""
    return f"sts:{request.form.get('Action', '')}" == ACTION


def who(request: HttpRequest) -> str:
    """Whom a token names, which nobody has checked."""
    try:
        said = _unverified(request.form.get("WebIdentityToken", ""))
    except AwsError:
        return "somebody with a token that can't be read"
    return f"{said.get('iss')} {said.get('sub')}"


def judge(request: HttpRequest, issuers: Issuers, region: str) -> str:
    """Give the reason why STS allows it; raises `AwsError` where it refuses."""
    if "ProviderId" in request.form:
        raise AwsError.undecided("AssumeRoleWithWebIdentity with ProviderId")
    duration = valid_duration(request)
    arn = request.form["RoleArn"]
    account = arn.split(":")[4]
    token = request.form.get("WebIdentityToken", "")
    said = _unverified(token)
    provider = _provider(said, account)
    _check_audience(said, provider)
    _check_signature(token, said, issuers)
    _check_times(said)
    role = cloud.role(arn)
    if role is None:
        raise _refused("there is no such role")
    host = provider.arn.partition("oidc-provider/")[2]
    claims = {f"{host}:{name}": said[name] for name in ("aud", "sub", *CLAIMS.get(host, ())) if name in said}
    context = {
        **context_of(request, None),
        **{name: str(value) for name, value in claims.items()},
        "sts:RoleSessionName": request.form["RoleSessionName"],
        "aws:RequestedRegion": region,
        "aws:ResourceAccount": account,
    }
    decision = decide(
        Request(
            Principal("", "", provider_arn=provider.arn),
            ACTION,
            arn,
            account,
            {name: (value,) for name, value in context.items()},
            UNKNOWN_KEYS,
        ),
        Policies(identity=(), resource=well_formed(role.trust, "trust", "MalformedPolicyDocument")),
    )
    if not decision.allowed:
        raise _refused(decision.reason)
    if duration > role.max_session_duration:
        raise too_long(role.max_session_duration, duration)
    return decision.reason


def _unverified(token: str) -> dict[str, Any]:
    import jwt

    try:
        parts = jwt.api_jws.decode_complete(token, options={"verify_signature": False})
        said: object = json.loads(parts["payload"])
    except (jwt.PyJWTError, ValueError) as error:
        raise _invalid("The ID Token provided is not a valid JWT.", f"it can't be read: {error}") from None
    if not isinstance(said, dict):
        raise _invalid("The ID Token provided is not a valid JWT.", "its payload isn't an object")
    return cast("dict[str, Any]", said)


def _provider(said: Mapping[str, Any], account: str) -> cloud.ProviderState:
    issuer = str(said.get("iss"))
    provider = cloud.oidc_provider(account, issuer.removeprefix("https://"))
    if provider is None or not issuer.startswith("https://"):
        raise _invalid(f"No OpenIDConnect provider found in your account for {issuer}")
    return provider


def _check_audience(said: Mapping[str, Any], provider: cloud.ProviderState) -> None:
    audience = said.get("aud")
    if not isinstance(audience, str) or "azp" in said:
        raise AwsError.undecided("a token with several audiences, or with azp")
    if audience not in provider.audiences:
        listed = ", ".join(provider.audiences)
        raise _invalid("Incorrect token audience", f"the audience is {audience}, the provider has {listed}")


def _check_signature(token: str, said: Mapping[str, Any], issuers: Issuers) -> None:
    import jwt

    issuer = issuers.get(str(said["iss"]))
    header = jwt.get_unverified_header(token)
    keys = [one for one in (issuer.keys["keys"] if issuer else ()) if one["kid"] == header.get("kid")]
    if not keys or header.get("alg") not in ALGORITHMS:
        raise _invalid(
            "Couldn't retrieve verification key from your identity provider,  please reference"
            " AssumeRoleWithWebIdentity documentation for requirements",
            f"{said['iss']} publishes no key {header.get('kid')} for {header.get('alg')}",
        )
    try:
        jwt.api_jws.decode(token, jwt.PyJWK(keys[0], header["alg"]).key, [header["alg"]])
    except jwt.PyJWTError as error:
        raise _invalid("The ID Token signature is invalid.", str(error)) from None


def _check_times(said: Mapping[str, Any]) -> None:
    now, expires, begins = int(time.time()), said.get("exp"), said.get("nbf", 0)
    if not isinstance(expires, int) or not isinstance(begins, int) or begins > now:
        raise _invalid("The ID Token provided is not valid yet, or has no expiry.")
    if expires <= now:
        message = f"Token expired: current date/time {now} must be before the expiration date/time {expires}"
        raise AwsError(400, "ExpiredTokenException", message)


def _invalid(message: str, reason: str | None = None) -> AwsError:
    return AwsError(400, "InvalidIdentityToken", message, reason=reason)


def _refused(reason: str) -> AwsError:
    return AwsError(403, "AccessDenied", f"Not authorized to perform {ACTION}", reason=reason)
