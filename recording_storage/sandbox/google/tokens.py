"""Access tokens: who holds which, for how long and for what, and the OAuth endpoints that clients ask about them.

A token stays good only as long as whom it was given to: that of a disabled or deleted service account is refused,
and so is that of an identity whose pool is disabled or deleted.

Sources: https://docs.cloud.google.com/docs/authentication/token-types,
https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools (`disabled`),
https://developers.google.com/identity/protocols/oauth2/web-server#offline (refreshing). Leaves out consent and
identity tokens; assertions that are signed with a service account's key are undecided.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google.principals import ANONYMOUS, Principal
from recording_storage.sandbox.google.errors import GoogleError, OAuthError, forbidden, unauthenticated
from recording_storage.sandbox.google.errors import error_info as info
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.rest import ANY, Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.google.world import World

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
OWNERS_SCOPES = (
    CLOUD_PLATFORM,
    "https://www.googleapis.com/auth/userinfo.email",
    "openid",
)
LIFETIME = timedelta(hours=1)
READ_ONLY = ("GET", "HEAD")
_SCOPES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "cloudkms": {"cloudkms": (ANY,)},
    "cloudresourcemanager": {"cloud-platform.read-only": READ_ONLY},
    "iam": {"iam": (ANY,)},
    "iamcredentials": {"iam": (ANY,)},
    "serviceusage": {"cloud-platform.read-only": READ_ONLY, "service.management": (ANY,)},
    "storage": {
        "cloud-platform.read-only": READ_ONLY,
        "devstorage.full_control": (ANY,),
        "devstorage.read_only": READ_ONLY,
        "devstorage.read_write": (*READ_ONLY, "POST", "PUT", "DELETE"),
    },
}
"""Scopes that are enough for a service's methods, beside `cloud-platform`: as the methods' reference pages say."""
_PREFIX = "https://www.googleapis.com/auth/"
_INVALID = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


@dataclass(frozen=True)
class Token:
    """One access token."""

    text: str
    who: Principal
    expires: datetime
    scopes: tuple[str, ...]


class Tokens:
    """Those that the sandbox has given, and the application of the OAuth hosts."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, Token] = {}
        self._refresh: dict[str, Principal] = {}
        info_routes = ("/tokeninfo", "/oauth2/v1/tokeninfo", "/oauth2/v2/tokeninfo", "/oauth2/v3/tokeninfo")
        user_routes = ("/v1/userinfo", "/oauth2/v1/userinfo", "/oauth2/v2/userinfo", "/oauth2/v3/userinfo")
        self._routes = Routes(
            *[("POST", path, self._token) for path in ("/token", "/oauth2/v4/token", "/o/oauth2/token")],
            *[(ANY, path, self._info) for path in info_routes],
            *[(ANY, path, self._user) for path in user_routes],
            ("POST", "/revoke", self._revoke),
            ("POST", "/o/oauth2/revoke", self._revoke),
            (ANY, "/o/oauth2/{rest=**}", None),
            (ANY, "/oauth2/{rest=**}", None),
            (ANY, "/device/code", None),
        )

    def admit(self, who: Principal, refresh_token: str, access_token: str) -> None:
        """Let somebody in whose tokens were made elsewhere."""
        self._refresh[refresh_token] = who
        # As long as a program may run: the file that it reads it from is never written again.
        self._keep(Token(access_token, who, self._world.now() + timedelta(days=365), OWNERS_SCOPES))

    def issue(self, who: Principal, scopes: tuple[str, ...], lifetime: timedelta = LIFETIME) -> Token:
        """Give a new token."""
        return self._keep(
            Token(f"ya29.{secrets.token_urlsafe(48)}", who, self._world.now() + lifetime, scopes)
        )

    def authenticate(self, request: Request) -> Principal:
        """Who sent the request; raises `GoogleError` for whom Google wouldn't believe."""
        token = self._presented(request)
        return token.who if token else ANONYMOUS

    def holder(self, text: str) -> Principal | None:
        """Who holds a token, if it is good."""
        try:
            return self._checked(text).who
        except GoogleError:
            return None

    def check_scope(self, request: Request, service: str) -> None:
        """Raise `GoogleError` where the token isn't for what is asked for."""
        token = self._presented(request)
        if token is None or CLOUD_PLATFORM in token.scopes:
            return
        held = [one.removeprefix(_PREFIX) for one in token.scopes]
        enough = _SCOPES.get(service, {})
        if service == "storage" and _changes_access_or_settings(request):
            enough = {"devstorage.full_control": (ANY,)}
        if any({ANY, request.method} & {*enough.get(scope, ())} for scope in held):
            return
        raise forbidden(
            "Request had insufficient authentication scopes.",
            reason="insufficientPermissions",
            details=[info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", service=f"{service}.googleapis.com")],
            because=f"the access token's scopes ({', '.join(held)}) don't permit {request.method} on {service}",
        )

    def answer(self, request: Request, who: Principal = ANONYMOUS) -> Response:
        """Answer as the OAuth hosts do."""
        return self._routes.answer(request, who)

    def _keep(self, token: Token) -> Token:
        self._tokens[token.text] = token
        return token

    def _presented(self, request: Request) -> Token | None:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme and scheme.lower() != "bearer":
            raise _not_believed(f"authentication by {scheme} isn't by an access token")
        text = text.strip() or request.query.get("access_token", "")
        return self._checked(text) if text else None

    def _checked(self, text: str) -> Token:
        token = self._tokens.get(text)
        if token is None:
            raise _not_believed("the access token is none that was given here")
        if self._world.now() >= token.expires:
            raise _not_believed(f"the access token of {token.who} expired at {token.expires:%H:%M:%S}")
        gone = self._world.why_gone(token.who)
        if gone:
            raise _not_believed(gone, "ACCOUNT_STATE_INVALID")
        return token

    def _token(self, request: Request, who: Principal, names: Mapping[str, str]) -> dict[str, Any]:
        del who, names
        form = request.form()
        grant = form.get("grant_type", "")
        if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            raise Undecided("a token for what is signed with a service account's key")
        if grant != "refresh_token":
            raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {grant}")
        found = self._refresh.get(form.get("refresh_token", ""))
        if found is None:
            raise OAuthError(
                "invalid_grant", "Bad Request", because="the refresh token is none of the sandbox's"
            )
        token = self.issue(found, OWNERS_SCOPES)
        return {
            "access_token": token.text,
            "expires_in": int(LIFETIME.total_seconds()) - 1,
            "scope": " ".join(token.scopes),
            "token_type": "Bearer",
        }

    def _info(self, request: Request, who: Principal, names: Mapping[str, str]) -> dict[str, Any]:
        del who, names
        text = request.query.get("access_token") or request.form().get("access_token", "")
        try:
            token = self._checked(text)
        except GoogleError as error:
            raise OAuthError("invalid_token", "Invalid Value", because=error.because) from None
        left = int((token.expires - self._world.now()).total_seconds())
        email = {"email": token.who.email, "email_verified": "true"} if not token.who.pool else {}
        return {"scope": " ".join(token.scopes), "expires_in": str(left), "access_type": "offline", **email}

    def _user(self, request: Request, who: Principal, names: Mapping[str, str]) -> dict[str, Any]:
        del who, names
        found = self.authenticate(request)
        if not found.member:
            raise _not_believed("userinfo is asked for without an access token")
        return {
            "sub": found.unique_id or "100000000000000000001",
            "email": found.email,
            "email_verified": True,
        }

    def _revoke(self, request: Request, who: Principal, names: Mapping[str, str]) -> dict[str, Any]:
        del who, names
        text = request.query.get("token") or request.form().get("token", "")
        self._tokens.pop(text, None)
        self._refresh.pop(text, None)
        return {}


def _changes_access_or_settings(request: Request) -> bool:
    """Whether a request to Cloud Storage concerns policies or metadata, for which reading and writing aren't enough."""
    path = request.path.rstrip("/")
    settings = request.method in ("PUT", "PATCH") and not path.startswith(("/upload/", "/resumable/upload/"))
    return settings or path.endswith(("/iam", "/acl")) or "/acl/" in path


def _not_believed(because: str, kind: str = "ACCESS_TOKEN_TYPE_UNSUPPORTED") -> GoogleError:
    return unauthenticated(_INVALID, reason="authError", because=because, kind=kind)
