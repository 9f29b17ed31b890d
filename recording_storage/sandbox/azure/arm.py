"""Resource Manager: who asks is known by the access token, the table of a resource provider says the rest.

Source: https://learn.microsoft.com/rest/api/resources. What no table has isn't stood in for.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from recording_storage.sandbox.azure import tokens as known
from recording_storage.sandbox.azure.authorization import Authorization
from recording_storage.sandbox.azure.containers import Containers
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.groups import Groups
from recording_storage.sandbox.azure.identities import Identities
from recording_storage.sandbox.azure.key_vaults import KeyVaults
from recording_storage.sandbox.azure.operations import Operations
from recording_storage.sandbox.azure.places import Places
from recording_storage.sandbox.azure.storage_accounts import StorageAccounts
from recording_storage.sandbox.azure.tokens import NotBelieved, Tokens
from recording_storage.sandbox.rest import MalformedBody, Request, Response, Undecided

if TYPE_CHECKING:
    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import World

HOST = "management.azure.com"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z0-9.]+)?")
_SLASHES = re.compile(r"/{2,}")
_WHY = {
    "missing": ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
    "expired": ("ExpiredAuthenticationToken", "The access token has expired."),
    "audience": (
        "InvalidAuthenticationTokenAudience",
        "The access token has been obtained for wrong audience or resource. It should exactly match with one of the "
        "allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net',"
        "'https://management.azure.com/','https://management.azure.com'.",
    ),
}


class ResourceManager:
    """The service at management.azure.com."""

    def __init__(self, world: World, access: Access, tokens: Tokens) -> None:
        self._world = world
        self._tokens = tokens
        places, operations = Places(world, access), Operations(world)
        groups, authorization = Groups(places, operations), Authorization(places)
        self.vaults = KeyVaults(places, tokens)
        self._tables = (
            groups.open_routes,
            operations.routes,
            authorization.open_routes,
            authorization.routes,  # before the others: a scope is anything
            StorageAccounts(places, operations).routes,
            Containers(places).routes,
            Identities(places).routes,
            self.vaults.routes,
            groups.routes,
        )

    def who(self, request: Request) -> Principal:
        """Who asks; raises `ArmError` for whom Resource Manager wouldn't believe."""
        try:
            return self._tokens.authenticate(request.headers.get("authorization", ""), known.ARM)
        except NotBelieved as reason:
            code, message = _WHY.get(
                reason.kind, ("InvalidAuthenticationToken", "The access token is invalid.")
            )
            challenge = f'Bearer authorization_uri="https://{known.LOGIN}/", error="invalid_token"'
            raise ArmError(
                401, code, message, because=reason.because, headers=[("WWW-Authenticate", challenge)]
            ) from None

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request."""
        _check_version(request)
        plain = replace(request, path=_SLASHES.sub("/", request.path).rstrip("/") or "/")
        for routes in self._tables:
            if routes.knows(plain):
                try:
                    return routes.answer(plain, who)
                except MalformedBody as malformed:
                    raise ArmError(
                        400,
                        "InvalidRequestContent",
                        f"The request content was invalid and could not be deserialized: '{malformed}'.",
                    ) from None
        raise Undecided(f"{request.method} https://{request.host}{request.path}")


def _check_version(request: Request) -> None:
    version = request.query.get("api-version")
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _VERSION.fullmatch(version):
        raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")
