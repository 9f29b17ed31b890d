"""Graph's applications, and their federated credentials.

Sources: https://learn.microsoft.com/graph/api/resources/application,
https://learn.microsoft.com/graph/api/resources/federatedidentitycredential.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.sandbox.azure import federation, graph_objects
from recording_storage.sandbox.azure.directory import Application
from recording_storage.sandbox.azure.graph_desk import Desk, Line
from recording_storage.sandbox.azure.graph_objects import APPLICATION, not_found
from recording_storage.sandbox.rest import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.directory import FederatedCredential
    from recording_storage.sandbox.azure.graph_desk import Handler
    from recording_storage.sandbox.azure.principals import Principal


class Applications:
    """Registrations of applications."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def lines(self) -> list[tuple[str, str, Handler]]:
        """What is to be found at which paths: an application by its object id, or by its client id."""
        found = [
            Line("POST", "/applications", "applications/create", self._create),
            Line("GET", "/applications", "applications/standard/read", self._list),
        ]
        for one in ("/applications/{id}", "/applications(appId='{app}')"):
            credentials = f"{one}/federatedIdentityCredentials"
            found += [
                Line("GET", one, "applications/standard/read", self._get),
                Line("PATCH", one, "applications/basic/update", self._update),
                Line("DELETE", one, "applications/delete", self._delete),
                Line("POST", f"{one}/addPassword", "applications/credentials/update", self._add_password),
                Line(
                    "POST", f"{one}/removePassword", "applications/credentials/update", self._remove_password
                ),
                Line("GET", f"{one}/owners", "applications/owners/read", self._owners),
                Line("POST", f"{one}/owners/$ref", "applications/owners/update", self._add_owner),
                Line(
                    "DELETE", f"{one}/owners/{{owner}}/$ref", "applications/owners/update", self._remove_owner
                ),
                Line("GET", credentials, "applications/standard/read", self._list_credentials),
                Line("POST", credentials, "applications/credentials/update", self._add_credential),
            ]
            credential = f"{credentials}/{{credential}}"
            found += [
                Line("GET", credential, "applications/standard/read", self._get_credential),
                Line("PATCH", credential, "applications/credentials/update", self._update_credential),
                Line("DELETE", credential, "applications/credentials/update", self._delete_credential),
            ]
        return self._desk.guarded(*found)

    def _create(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del names
        said = request.json()
        made = Application(graph_objects.display_name(said), self._desk.world.now())
        made.said = APPLICATION.given(said)
        made.owners = self._desk.owners(who, said.get("owners@odata.bind"))
        self._desk.directory(who).add_application(made)
        return self._desk.answer(request, "applications/$entity", self._desk.shown(who, made), 201)

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del names
        shown = [self._desk.shown(who, one) for one in self._desk.directory(who).applications]
        return graph_objects.page(request, "applications", shown)

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        shown = self._desk.shown(who, self._desk.application(who, names))
        return self._desk.answer(request, "applications/$entity", shown)

    def _update(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        found, said = self._desk.application(who, names), request.json()
        given = APPLICATION.given(said)
        if "displayName" in said:
            found.display_name = graph_objects.display_name(said)
            own = self._desk.directory(who).principal(found.app_id)
            if own is not None:
                own.display_name = found.display_name
        found.said = graph_objects.merged(found.said, given)
        return Response(204)

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        """Its service principal in its own tenant goes with it."""
        del request
        found = self._desk.application(who, names)
        own = self._desk.directory(who).principal(found.app_id)
        found.deleted = self._desk.world.now()
        if own is not None:
            own.deleted = found.deleted
        return Response(204)

    def _add_password(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.add_password(request, self._desk.application(who, names))

    def _remove_password(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.remove_password(request, self._desk.application(who, names))

    def _owners(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.show_owners(request, who, self._desk.application(who, names).owners)

    def _add_owner(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.add_owner(request, who, self._desk.application(who, names).owners)

    def _remove_owner(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request
        return self._desk.remove_owner(self._desk.application(who, names).owners, names["owner"])

    # Federated credentials

    def _credential(self, application: Application, names: Mapping[str, str]) -> FederatedCredential:
        """By its id, or by its name."""
        wanted = names["credential"].lower()
        for one in application.credentials:
            if wanted in (one.id, one.name.lower()):
                return one
        raise not_found({"id": names["credential"]})

    def _list_credentials(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        found = self._desk.application(who, names)
        shown = [graph_objects.credential(one) for one in found.credentials]
        return graph_objects.page(request, f"applications('{found.id}')/federatedIdentityCredentials", shown)

    def _add_credential(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        application, said = self._desk.application(who, names), request.json()
        try:
            made = federation.make(said.get("name"), said)
            federation.check(made, application.credentials)
        except federation.Wrong as error:
            raise graph_objects.bad_credential(error) from None
        application.credentials.append(made)
        return self._show_credential(request, application, made, 201)

    def _get_credential(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        application = self._desk.application(who, names)
        return self._show_credential(request, application, self._credential(application, names))

    def _show_credential(
        self, request: Request, application: Application, found: FederatedCredential, status: int = 200
    ) -> Response:
        context = f"applications('{application.id}')/federatedIdentityCredentials/$entity"
        return self._desk.answer(request, context, graph_objects.credential(found), status)

    def _update_credential(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        application, said = self._desk.application(who, names), request.json()
        found = self._credential(application, names)
        try:
            if said.get("name", found.name) != found.name:
                raise federation.Wrong("The name of a federated identity credential is immutable.")
            made = federation.make(found.name, graph_objects.credential(found) | said)
            federation.check(made, [one for one in application.credentials if one is not found])
        except federation.Wrong as error:
            raise graph_objects.bad_credential(error) from None
        found.issuer, found.subject = made.issuer, made.subject
        found.audiences, found.description = made.audiences, made.description
        return Response(204)

    def _delete_credential(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request
        application = self._desk.application(who, names)
        application.credentials.remove(self._credential(application, names))
        return Response(204)
