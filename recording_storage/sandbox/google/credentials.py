"""The Service Account Credentials API: an access token of a service account, for who may act in its name.

Source: https://docs.cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts (and its
`generateAccessToken`). Leaves out chains of delegates, lifetimes above an hour (an organisation policy permits
them), identity tokens and signing.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google.principals import Principal, service_account
from recording_storage.sandbox.google.errors import failed_precondition, invalid, not_found
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.service_accounts import ANY_PROJECT
from recording_storage.sandbox.google.tokens import LIFETIME, Tokens
from recording_storage.sandbox.rest import Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.world import World

PERMISSION = "iam.serviceAccounts.getAccessToken"
UNRESTRICTED: Mapping[str, object] = {"locations": [], "encodedLocations": "0x0"}
"""No regional boundary: https://docs.cloud.google.com/iam/docs/reference/credentials/rest (`allowedLocations`)."""
_SECONDS = re.compile(r"(\d+)(\.\d+)?s")
_ACCOUNT = "/v1/projects/{project}/serviceAccounts/{account}"


class Credentials:
    """The service at iamcredentials.googleapis.com."""

    def __init__(self, world: World, access: Access, tokens: Tokens) -> None:
        self._world = world
        self._access = access
        self._tokens = tokens
        self._routes = Routes(
            ("POST", _ACCOUNT + ":generateAccessToken", self._generate),
            *[("POST", f"{_ACCOUNT}:{verb}", None) for verb in ("generateIdToken", "signBlob", "signJwt")],
            ("GET", _ACCOUNT + "/allowedLocations", self._locations),
            (
                "GET",
                "/v1/{pool=projects/*/locations/*/workloadIdentityPools/*}/allowedLocations",
                self._locations,
            ),
            ("GET", "/v1/locations/{location}/workforcePools/{pool}/allowedLocations", None),
        )

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request."""
        return self._routes.answer(request, who)

    def _generate(self, request: Request, who: Principal, names: Mapping[str, str]) -> dict[str, Any]:
        body, ref = request.json(), names["account"]
        if names["project"] != ANY_PROJECT:
            text = "Invalid form of account ID. Should be [projects/-/serviceAccounts/{ACCOUNT_EMAIL_OR_UNIQUEID}]."
            raise invalid(
                text, because=f"the path names the project {names['project']}, where only - is valid"
            )
        account = self._world.service_account(ref.lower())
        if account is None:
            because = f"there is no service account {ref}, or it is deleted"
            raise not_found(f"Not found; Gaia id not found for email {ref}", because=because)
        self._access.require(who, PERMISSION, account)
        if account.disabled:
            because = f"the service account {account.email} is disabled"
            raise failed_precondition("Precondition check failed.", because=because)
        if body.get("delegates"):
            raise Undecided(f"{PERMISSION} for {who} through delegates")
        scopes: list[Any] = body.get("scope") or []
        if not scopes:
            raise invalid("The scope is required: at least one value.")
        lifetime = _lifetime(body.get("lifetime"))
        token = self._tokens.issue(
            service_account(account.email, account.unique_id), tuple(map(str, scopes)), lifetime
        )
        return {"accessToken": token.text, "expireTime": token.expires.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _locations(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who, names
        return UNRESTRICTED


def _lifetime(asked: object) -> timedelta:
    if asked is None:
        return LIFETIME
    found = _SECONDS.fullmatch(str(asked))
    lifetime = timedelta(seconds=int(found[1])) if found else timedelta(0)
    if not timedelta(0) < lifetime <= LIFETIME:
        most = int(LIFETIME.total_seconds())
        raise invalid(
            f"The access token lifetime cannot exceed {most} seconds.", because=f"the lifetime is {asked}"
        )
    return lifetime
