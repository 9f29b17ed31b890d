"""Microsoft Graph: applications, service principals, federated credentials, and what of them is deleted.

Source: https://learn.microsoft.com/graph/api/overview. Leaves out users, consent, tokens for secrets and
certificates;
filters other than by one value or its beginning. Both versions are the same here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from recording_storage.sandbox.azure import graph_objects
from recording_storage.sandbox.azure import tokens as known
from recording_storage.sandbox.azure.errors import GraphError
from recording_storage.sandbox.azure.graph_applications import Applications
from recording_storage.sandbox.azure.graph_desk import HOST, Desk
from recording_storage.sandbox.azure.graph_groups import Groups
from recording_storage.sandbox.azure.graph_objects import wrong
from recording_storage.sandbox.azure.graph_principals import Deleted, ServicePrincipals
from recording_storage.sandbox.azure.tokens import NotBelieved, Tokens
from recording_storage.sandbox.rest import MalformedBody, NoSuchPath, Request, Response, Routes, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import World

VERSIONS = ("/v1.0/", "/beta/")
_WHY = {
    "missing": "Access token is empty.",
    "expired": "Lifetime validation failed, the token is expired.",
    "audience": "Access token validation failure. Invalid audience.",
}


class Graph:
    """The service at graph.microsoft.com."""

    def __init__(self, world: World, access: Access, tokens: Tokens) -> None:
        self._tokens = tokens
        self._desk = desk = Desk(world, access)
        self._routes = Routes["Principal"](
            *Applications(desk).lines(),
            *ServicePrincipals(desk).lines(),
            *Deleted(desk).lines(),
            *Groups(desk).lines(),
            ("GET", "/organization", self._organization),
            ("GET", "/me", self._me),
        )

    def who(self, request: Request) -> Principal:
        """Who asks; raises `GraphError` for whom Graph wouldn't believe."""
        try:
            return self._tokens.authenticate(request.headers.get("authorization", ""), known.GRAPH)
        except NotBelieved as reason:
            message = _WHY.get(reason.kind, "CompactToken validation failed.")
            raise GraphError(401, "InvalidAuthenticationToken", message, because=reason.because) from None

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request."""
        version = next((one for one in VERSIONS if request.path.startswith(one)), None)
        if version is None:
            raise GraphError(
                400, "BadRequest", "Invalid version.", because=f"{request.path} names no version"
            )
        plain = replace(request, path=request.path[len(version) - 1 :].rstrip("/"))
        self._desk.directory(who).forget(self._desk.world.now())
        try:
            return self._routes.answer(plain, who)
        except NoSuchPath:
            raise Undecided(f"{request.method} https://{request.host}{request.path}") from None
        except MalformedBody as malformed:
            raise wrong(f"Unable to read JSON request payload: {malformed}", "BadRequest") from None

    def _organization(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del names
        tenant = self._desk.tenant(who)
        domain = {
            "capabilities": "",
            "isDefault": True,
            "isInitial": True,
            "name": tenant.domain,
            "type": "Managed",
        }
        said = {"id": tenant.id, "displayName": tenant.name, "tenantType": "AAD", "verifiedDomains": [domain]}
        return graph_objects.page(request, "organization", [said])

    def _me(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, names
        message = "/me request is only valid with delegated authentication flow."
        raise GraphError(400, "BadRequest", message, because=f"{who} isn't a user")


__all__ = ["HOST", "Graph"]
