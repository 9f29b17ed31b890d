"""User-assigned managed identities, and the federated credentials by which others stand for them.

Source: https://learn.microsoft.com/rest/api/managedidentity/user-assigned-identities, …/federated-identity-credentials.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import federation
from recording_storage.sandbox.azure.directory import (
    MANAGED_IDENTITY,
    FederatedCredential,
    ServicePrincipal,
    new_id,
)
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.places import (
    GROUP,
    SUBSCRIPTION,
    Line,
    Places,
    check_location,
    location,
    properties,
    tags,
)
from recording_storage.sandbox.azure.world import IDENTITY, ManagedIdentity
from recording_storage.sandbox.rest import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import ResourceGroup
    from recording_storage.sandbox.rest import Request

_ONE = f"{GROUP}/providers/{IDENTITY}/{{name}}"
_CREDENTIALS = f"{IDENTITY}/federatedIdentityCredentials"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}")


class Identities:
    """The provider of managed identities."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._world = places.world
        credential = f"{_ONE}/federatedIdentityCredentials/{{credential}}"
        self.routes = places.routes(
            Line("GET", SUBSCRIPTION, f"/providers/{IDENTITY}", f"{IDENTITY}/read", self._list),
            Line("GET", GROUP, f"/providers/{IDENTITY}", f"{IDENTITY}/read", self._list),
            Line("PUT", _ONE, "", f"{IDENTITY}/write", self._put),
            Line("PATCH", _ONE, "", f"{IDENTITY}/write", self._patch),
            Line("GET", _ONE, "", f"{IDENTITY}/read", self._get),
            Line("DELETE", _ONE, "", f"{IDENTITY}/delete", self._delete),
            Line(
                "GET", _ONE, "/federatedIdentityCredentials", f"{_CREDENTIALS}/read", self._list_credentials
            ),
            Line("PUT", credential, "", f"{_CREDENTIALS}/write", self._put_credential),
            Line("GET", credential, "", f"{_CREDENTIALS}/read", self._get_credential),
            Line("DELETE", credential, "", f"{_CREDENTIALS}/delete", self._delete_credential),
        )

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        subscription = self._places.subscription(names["subscription"])
        groups = [self._places.group(names)] if "group" in names else list(subscription.groups.values())
        found = [
            one for group in groups for one in group.resources.values() if isinstance(one, ManagedIdentity)
        ]
        return {"value": [_shown(one) for one in found]}

    def _put(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del who
        group, said, name = self._places.group(names), request.json(), names["name"]
        asked = location(said)
        if not _NAME.fullmatch(name):
            raise ArmError(400, "BadRequest", f"The managed identity name '{name}' is not valid.")
        found = self._places.find(ManagedIdentity, names)
        if found is None:
            found = make(group, name, asked, self._world.now())
            found.tags = tags(said)
            group.resources[found.id.lower()] = found
            return Response.of(_shown(found), 201)
        check_location(found, asked)
        found.tags = tags(said)
        return Response.of(_shown(found))

    def _patch(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        found, said = self._places.resource(ManagedIdentity, names), request.json()
        if "tags" in said:
            found.tags = tags(said)
        return _shown(found)

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        return _shown(self._places.resource(ManagedIdentity, names))

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        return self._places.delete(ManagedIdentity, names)

    # Federated credentials

    def _list_credentials(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        identity = self._places.resource(ManagedIdentity, names)
        return {"value": [_credential(identity, one) for one in identity.credentials]}

    def _put_credential(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del who
        identity = self._places.resource(ManagedIdentity, names)
        found = self._find(identity, names)
        said = properties(request.json())
        try:
            wanted = federation.make(names["credential"], said)
            federation.check(wanted, [one for one in identity.credentials if one is not found])
        except federation.Wrong as wrong:
            raise ArmError(
                wrong.status, "BadRequest" if wrong.status == 400 else "Conflict", str(wrong)
            ) from None
        if found is None:
            identity.credentials.append(wanted)
            return Response.of(_credential(identity, wanted), 201)
        found.issuer, found.subject, found.audiences = wanted.issuer, wanted.subject, wanted.audiences
        return Response.of(_credential(identity, found))

    def _find(self, identity: ManagedIdentity, names: Mapping[str, str]) -> FederatedCredential | None:
        wanted = names["credential"].lower()
        return next((one for one in identity.credentials if one.name.lower() == wanted), None)

    def _get_credential(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        identity = self._places.resource(ManagedIdentity, names)
        found = self._find(identity, names)
        if found is None:
            raise ArmError(
                404,
                "NotFound",
                f"The specified resource {names['credential']} is not found within the resource {identity.name}.",
            )
        return _credential(identity, found)

    def _delete_credential(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        identity = self._places.resource(ManagedIdentity, names)
        found = self._find(identity, names)
        if found is None:
            return Response(204)
        identity.credentials.remove(found)
        return Response(200)


def make(group: ResourceGroup, name: str, place: str, now: datetime) -> ManagedIdentity:
    """An identity that isn't in its group yet, with its service principal, which is in the directory."""
    principal = ServicePrincipal(new_id(), name, now, MANAGED_IDENTITY)
    group.subscription.tenant.directory.add_principal(principal)
    made = ManagedIdentity(group, name, place, now, principal=principal)
    principal.said["alternativeNames"] = ["isExplicit=True", made.id]
    return made


def _shown(identity: ManagedIdentity) -> dict[str, Any]:
    return {
        "id": identity.id,
        "name": identity.name,
        "type": identity.type,
        "location": identity.location,
        "tags": identity.tags,
        "properties": {
            "tenantId": identity.group.subscription.tenant.id,
            "principalId": identity.principal.id,
            "clientId": identity.principal.app_id,
        },
    }


def _credential(identity: ManagedIdentity, found: FederatedCredential) -> dict[str, Any]:
    return {
        "id": f"{identity.id}/federatedIdentityCredentials/{found.name}",
        "name": found.name,
        "type": _CREDENTIALS,
        "properties": {"issuer": found.issuer, "subject": found.subject, "audiences": found.audiences},
    }
