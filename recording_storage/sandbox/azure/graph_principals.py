"""Graph's service principals, and what of the directory is deleted.

Sources: https://learn.microsoft.com/graph/api/resources/serviceprincipal,
https://learn.microsoft.com/graph/api/directory-deleteditems-restore,
https://learn.microsoft.com/entra/identity/enterprise-apps/delete-recover-faq (an application's goes with it, and
comes back with it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.sandbox.azure import graph_objects
from recording_storage.sandbox.azure.directory import Application, ServicePrincipal
from recording_storage.sandbox.azure.graph_desk import Desk, Line
from recording_storage.sandbox.azure.graph_objects import SERVICE_PRINCIPAL, conflict, not_found, wrong
from recording_storage.sandbox.rest import Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.graph_desk import Handler
    from recording_storage.sandbox.azure.principals import Principal


class ServicePrincipals:
    """What applications are in a tenant."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def lines(self) -> list[tuple[str, str, Handler]]:
        """What is to be found at which paths: a service principal by its object id, or by its client id."""
        kind = "servicePrincipals"
        found = [
            Line("POST", f"/{kind}", f"{kind}/create", self._create),
            Line("GET", f"/{kind}", f"{kind}/standard/read", self._list),
            Line("POST", "/directoryObjects/getByIds", f"{kind}/standard/read", self._get_by_ids),
        ]
        for one in (f"/{kind}/{{id}}", f"/{kind}(appId='{{app}}')"):
            found += [
                Line("GET", one, f"{kind}/standard/read", self._get),
                Line("PATCH", one, f"{kind}/basic/update", self._update),
                Line("DELETE", one, f"{kind}/delete", self._delete),
                Line(
                    "POST", f"{one}/addPassword", "servicePrincipals/credentials/update", self._add_password
                ),
                Line(
                    "POST",
                    f"{one}/removePassword",
                    "servicePrincipals/credentials/update",
                    self._remove_password,
                ),
                Line("GET", f"{one}/owners", f"{kind}/owners/read", self._owners),
                Line("POST", f"{one}/owners/$ref", f"{kind}/owners/update", self._add_owner),
                Line("DELETE", f"{one}/owners/{{owner}}/$ref", f"{kind}/owners/update", self._remove_owner),
            ]
        return self._desk.guarded(*found)

    def _create(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del names
        said, directory = request.json(), self._desk.directory(who)
        app_id = str(said.get("appId", "")).lower()
        application = directory.application(app_id)
        if application is None:
            if any(one.directory.application(app_id) for one in self._desk.world.tenants.values()):
                raise Undecided(
                    f"a service principal of the application {app_id}, which is of another tenant"
                )
            raise wrong(
                f"The appId '{app_id}' of the service principal does not reference a valid application object."
            )
        if directory.principal(app_id) is not None:
            raise conflict(
                "The service principal cannot be created, updated, or restored because the service principal name "
                f"{app_id} is already in use."
            )
        made = ServicePrincipal(app_id, application.display_name, self._desk.world.now())
        made.said = SERVICE_PRINCIPAL.given(said)
        made.owners = self._desk.owners(who, said.get("owners@odata.bind"))
        directory.add_principal(made)
        return self._desk.answer(request, "servicePrincipals/$entity", self._desk.shown(who, made), 201)

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del names
        shown = [self._desk.shown(who, one) for one in self._desk.directory(who).principals]
        return graph_objects.page(request, "servicePrincipals", shown)

    def _get_by_ids(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        """Whatever has one of these object ids: https://learn.microsoft.com/graph/api/directoryobject-getbyids."""
        del names
        directory, said = self._desk.directory(who), request.json()
        ids = {str(one).lower() for one in said.get("ids") or ()}
        there = [one for one in (*directory.applications, *directory.principals) if one.id in ids]
        shown = [self._desk.shown(who, one, typed=True) for one in there]
        wanted = {f"#microsoft.graph.{one}".lower() for one in said.get("types") or ()}
        left = [one for one in shown if not wanted or one["@odata.type"].lower() in wanted]
        return graph_objects.page(request, "directoryObjects", left)

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        shown = self._desk.shown(who, self._desk.principal(who, names))
        return self._desk.answer(request, "servicePrincipals/$entity", shown)

    def _update(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        found = self._desk.principal(who, names)
        found.said = graph_objects.merged(found.said, SERVICE_PRINCIPAL.given(request.json()))
        return Response(204)

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request
        self._desk.principal(who, names).deleted = self._desk.world.now()
        return Response(204)

    def _add_password(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.add_password(request, self._desk.principal(who, names))

    def _remove_password(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.remove_password(request, self._desk.principal(who, names))

    def _owners(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.show_owners(request, who, self._desk.principal(who, names).owners)

    def _add_owner(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.add_owner(request, who, self._desk.principal(who, names).owners)

    def _remove_owner(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request
        return self._desk.remove_owner(self._desk.principal(who, names).owners, names["owner"])


class Deleted:
    """What can be restored for 30 days."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def lines(self) -> list[tuple[str, str, Handler]]:
        """What is to be found at which paths."""
        items, one = "/directory/deletedItems", "/directory/deletedItems/{id}"
        return self._desk.guarded(
            Line("GET", f"{items}/{{kind=microsoft.graph.*}}", "deletedItems/read", self._list),
            Line("GET", one, "deletedItems/read", self._get),
            Line("POST", f"{one}/restore", "deletedItems/restore", self._restore),
            Line("POST", f"{one}/microsoft.graph.restore", "deletedItems/restore", self._restore),
            Line("DELETE", one, "deletedItems/delete", self._purge),
        )

    def _found(self, who: Principal, names: Mapping[str, str]) -> Application | ServicePrincipal:
        directory, wanted = self._desk.directory(who), names["id"].lower()
        found = directory.all_applications.get(wanted) or directory.all_principals.get(wanted)
        if found is None or found.deleted is None:
            raise not_found(names)
        return found

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        directory, kind = self._desk.directory(who), names["kind"].rpartition(".")[2].lower()
        objects = {"application": directory.all_applications, "serviceprincipal": directory.all_principals}
        if kind not in objects:
            raise Undecided(f"deleted objects of the kind {names['kind']}")
        gone = [one for one in objects[kind].values() if one.deleted is not None]
        shown = [self._desk.shown(who, one, typed=True) for one in gone]
        return graph_objects.page(request, "directoryObjects", shown)

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        shown = self._desk.shown(who, self._found(who, names), typed=True)
        return self._desk.answer(request, "directoryObjects/$entity", shown)

    def _restore(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        """As it was: an application with its client id, and with its service principal if that went with it."""
        found = self._found(who, names)
        if isinstance(found, Application):
            for one in self._desk.directory(who).all_principals.values():
                if one.app_id == found.app_id and one.deleted == found.deleted:
                    one.deleted = None
        elif self._desk.directory(who).principal(found.app_id) is not None:
            raise conflict(
                "The service principal cannot be created, updated, or restored because the service principal name "
                f"{found.app_id} is already in use."
            )
        found.deleted = None
        shown = self._desk.shown(who, found, typed=True)
        return self._desk.answer(request, "directoryObjects/$entity", shown)

    def _purge(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request
        found, directory = self._found(who, names), self._desk.directory(who)
        directory.all_applications.pop(found.id, None)
        directory.all_principals.pop(found.id, None)
        return Response(204)
