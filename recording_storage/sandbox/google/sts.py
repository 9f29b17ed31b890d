"""The Security Token Service: an issuer's token for one of Google's, which stands for an identity of a pool.

Source: https://docs.cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token. Leaves out credentials of AWS,
SAML and X.509, workforce pools, access boundaries and actors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google import Undecidable, federation
from recording_storage.sandbox.google import jwt_check
from recording_storage.sandbox.google.errors import OAuthError
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.tokens import LIFETIME, Tokens
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import FORM, Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.world import Pool, Project, Provider, World
    from recording_storage.sandbox.issuer import Issuers

EXCHANGE = "sts.exchange"
SERVICE = "sts.googleapis.com"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 (a name)
OIDC_TYPES = ("urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token")
OTHER_TYPES = (
    ACCESS_TOKEN,
    "urn:ietf:params:aws:token-type:aws4_request",
    "urn:ietf:params:oauth:token-type:mtls",
    "urn:ietf:params:oauth:token-type:saml2",
)
_AUDIENCE = re.compile(
    r"//iam\.googleapis\.com/projects/(?P<number>\d+)/locations/global/workloadIdentityPools/(?P<pool>[^/]+)"
    r"/providers/(?P<provider>[^/]+)"
)
_WORKFORCE = re.compile(r"//iam\.googleapis\.com/locations/global/workforcePools/[^/]+/providers/[^/]+")
_SNAKE = re.compile(r"_([a-z])")
_NOT_A_PROVIDER = (
    'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See '
    "https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats."
)
_NO_PROVIDER = (
    'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or '
    "provider is disabled or deleted or because it doesn't exist."
)


class SecurityTokenService:
    """The service at sts.googleapis.com; nobody authenticates there otherwise than by the token that is exchanged."""

    def __init__(
        self,
        world: World,
        access: Access,
        tokens: Tokens,
        issuers: Issuers,
        check_enabled: Callable[[str, Project], None],
    ) -> None:
        self._world = world
        self._access = access
        self._tokens = tokens
        self._issuers = issuers
        self._check_enabled = check_enabled
        self._routes = Routes(
            ("POST", "/v1/token", self._exchange),
            ("POST", "/v1/introspect", self._introspect),
            ("GET", "/v1/{name=projects/*/locations/*/workloadIdentityPools/*}/{rest=**}", None),
            ("GET", "/v1/{name=organizations/*/locations/*/workloadIdentityPools/*}/{rest=**}", None),
            ("POST", "/v1/{rest=oauthtoken}", None),
        )

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request."""
        return self._routes.answer(request, who)

    def _exchange(self, request: Request, who: Principal, names: Mapping[str, str]) -> dict[str, Any]:
        del who, names
        asked = _parameters(request)
        audience = asked.get("audience", "")
        holder = "the holder of a token"
        try:
            _check_form(asked)
            provider = self._provider(audience)
            claims = jwt_check.claims(asked["subjectToken"], provider, self._issuers, self._world.now())
            holder = f"the subject {claims['sub']} of {claims['iss']}"
            identity = identify(provider, claims)
        except OAuthError as error:
            self._access.write(Outcome.REFUSED, holder, EXCHANGE, audience, error.because)
            error.is_written = True
            raise
        except Undecided as undecided:
            raise Undecided(f"{EXCHANGE} of {holder} at {audience}: {undecided.what}") from None
        scopes = tuple(asked["scope"].split())
        token = self._tokens.issue(identity, scopes)
        condition = provider.said.get("attributeCondition")
        held = f" and the condition {condition} is true" if condition else ", which has no condition"
        self._access.write(
            Outcome.ALLOWED,
            identity,
            EXCHANGE,
            audience,
            f"{holder} is accepted by the provider {provider.id}{held}",
        )
        return {
            "access_token": token.text,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()) - 1,
        }

    def _introspect(self, request: Request, who: Principal, names: Mapping[str, str]) -> dict[str, Any]:
        """What gcloud asks, to know what it is called: https://datatracker.ietf.org/doc/html/rfc7662."""
        del who, names
        text = _parameters(request).get("token", "")
        found = self._tokens.holder(text)
        return {"active": True, "username": found.member} if found else {"active": False}

    def _provider(self, audience: str) -> Provider:
        named = _AUDIENCE.fullmatch(audience)
        if named is None:
            if _WORKFORCE.fullmatch(audience):
                raise Undecided("a workforce pool's provider")
            raise OAuthError("invalid_request", _NOT_A_PROVIDER, because=_why_not_a_provider(audience))
        project = self._world.find(named["number"])
        if project is None:
            raise OAuthError("invalid_target", _NO_PROVIDER, because=f"there is no project {named['number']}")
        self._check_enabled(SERVICE, project)
        pool = self._world.pool(
            f"projects/{project.number}/locations/global/workloadIdentityPools/{named['pool']}"
        )
        provider = pool.providers.get(named["provider"]) if pool else None
        if (
            pool is None
            or provider is None
            or pool.deleted
            or provider.deleted
            or pool.disabled
            or provider.disabled
        ):
            raise OAuthError("invalid_target", _NO_PROVIDER, because=_why_unusable(named, pool, provider))
        return provider


def _parameters(request: Request) -> dict[str, str]:
    """What is asked for, in camel case: forms have snake case, JSON has either."""
    found = request.form() if request.content_type == FORM else request.json()
    return {_SNAKE.sub(lambda part: part[1].upper(), name): str(value) for name, value in found.items()}


def _check_form(asked: Mapping[str, str]) -> None:
    if asked.get("grantType") != GRANT_TYPE:
        raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {asked.get('grantType', '')}")
    kind = asked.get("subjectTokenType", "")
    if kind in OTHER_TYPES:
        raise Undecided(f"a subject token of the type {kind}")
    wanted = {"requestedTokenType": (ACCESS_TOKEN,), "subjectTokenType": OIDC_TYPES}
    for name, values in wanted.items():
        if asked.get(name) not in values:
            raise OAuthError("invalid_request", f'Invalid value for "{_snake(name)}": {asked.get(name, "")}')
    for name in ("subjectToken", "audience", "scope"):
        if not asked.get(name):
            raise OAuthError("invalid_request", f'Missing required parameter: "{_snake(name)}".')
    if asked.get("actorToken") or asked.get("options", "{}") not in ("", "{}", "null"):
        raise Undecided("an exchange with an actor or with options")


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _why_unusable(named: re.Match[str], pool: Pool | None, provider: Provider | None) -> str:
    for what, found in (("pool", pool), ("provider", provider)):
        if found is None or found.deleted or found.disabled:
            state = "missing" if found is None else "deleted" if found.deleted else "disabled"
            return f"the {what} {named[what]} is {state}"
    return ""


def _why_not_a_provider(audience: str) -> str:
    project = audience.partition("/projects/")[2].partition("/")[0]
    if project and not project.isdigit():
        return f"the audience names the project by {project}, and not by its number"
    if "/workloadIdentityPools/" in audience and "/providers/" not in audience:
        return f"the audience {audience} names a pool, and not a provider"
    return f"the audience {audience} isn't the full resource name of a provider"


def identify(provider: Provider, claims: Mapping[str, Any]) -> Principal:
    """Whom a token stands for in the provider's pool; raises `OAuthError` for whom it doesn't let in."""
    said = provider.said
    try:
        return federation.identify(
            provider.pool.name, said["attributeMapping"], said.get("attributeCondition") or "", claims
        )
    except federation.NotLetIn as refused:
        raise OAuthError(refused.error, refused.description, because=refused.because) from None
    except Undecidable as unknown:
        raise Undecided(str(unknown)) from None
