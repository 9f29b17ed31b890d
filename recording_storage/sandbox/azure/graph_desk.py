"""What all of Graph's collections have in common: whose directory it is, who may, and who owns what.

Whoever administers the directory may do everything in it, whoever has a permission what that covers, and whoever has
only a role in a subscription nothing.

Source: https://learn.microsoft.com/graph/permissions-overview. Leaves out most permissions (`directory.PERMISSIONS`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from recording_storage.evaluation.azure.roles import fits
from recording_storage.sandbox.azure import graph_objects
from recording_storage.sandbox.azure.directory import PERMISSIONS, Application, ServicePrincipal
from recording_storage.sandbox.azure.errors import GraphError
from recording_storage.sandbox.azure.graph_objects import APPLICATION, SERVICE_PRINCIPAL, not_found, wrong
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.directory import Directory
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import Tenant, World
    from recording_storage.sandbox.rest import Request

    Handler = Callable[[Request, Principal, Mapping[str, str]], object]

HOST = "graph.microsoft.com"


class Line(NamedTuple):
    """A method at a path; the action is what who asks must be permitted in the directory."""

    method: str
    path: str
    action: str
    handler: Handler


class Desk:
    """Where the collections look things up."""

    def __init__(self, world: World, access: Access) -> None:
        self.world = world
        self._access = access

    def guarded(self, *lines: Line) -> list[tuple[str, str, Handler]]:
        """Lines of a table whose handlers are only reached by who may."""
        return [(line.method, line.path, partial(self._permitted, line)) for line in lines]

    def _permitted(self, line: Line, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        place, action = f"https://{HOST}{request.path}", f"microsoft.directory/{line.action}"
        directory = self.directory(who)
        given = directory.permissions.get(who.object_id, set())
        by = [one for one in sorted(given) if fits(PERMISSIONS[one], line.action)]
        if who.object_id not in directory.administrators and not by:
            reason = f"{who} doesn't administer the directory of the tenant {who.tenant}"
            self._access.write(Outcome.REFUSED, who, action, place, reason)
            message = "Insufficient privileges to complete the operation."
            raise GraphError(403, "Authorization_RequestDenied", message, because=reason, is_written=True)
        why = f"{who} has {', '.join(by)}" if by else f"{who} administers the directory"
        self._access.write(Outcome.ALLOWED, who, action, place, why)
        return line.handler(request, who, names)

    def tenant(self, who: Principal) -> Tenant:
        """Whose directory it is."""
        return self.world.tenants[who.tenant]

    def directory(self, who: Principal) -> Directory:
        """The directory that a request is about: that of who asks."""
        return self.tenant(who).directory

    # Objects

    def application(self, who: Principal, names: Mapping[str, str]) -> Application:
        """The application that is named, by its object id (`id`) or its client id (`app`)."""
        directory = self.directory(who)
        by_id = directory.all_applications.get(names.get("id", "").lower())
        return _existing(directory.application(names["app"]) if "app" in names else by_id, names)

    def principal(self, who: Principal, names: Mapping[str, str]) -> ServicePrincipal:
        """The service principal that is named, likewise."""
        directory = self.directory(who)
        by_id = directory.all_principals.get(names.get("id", "").lower())
        return _existing(directory.principal(names["app"]) if "app" in names else by_id, names)

    def shown(
        self, who: Principal, found: Application | ServicePrincipal, *, typed: bool = False
    ) -> dict[str, Any]:
        """An object as it is read; `typed` where it might be of another kind."""
        if isinstance(found, Application):
            kind, said = "application", APPLICATION.shown(found, self.tenant(who))
        else:
            of = self.directory(who).application(found.app_id)
            kind, said = "servicePrincipal", SERVICE_PRINCIPAL.shown(found, self.tenant(who), of)
        return ({"@odata.type": f"#microsoft.graph.{kind}"} if typed else {}) | said

    def answer(self, request: Request, context: str, shown: Mapping[str, Any], status: int = 200) -> Response:
        """One object."""
        chosen = graph_objects.selected(request, shown)
        return Response.of({"@odata.context": f"https://{HOST}/v1.0/$metadata#{context}"} | chosen, status)

    # Secrets

    def add_password(self, request: Request, to: Application | ServicePrincipal) -> Response:
        """A new secret of an object's: it is shown this once."""
        made = graph_objects.password(request.json(), self.world.now())
        kept = {name: None if name == "secretText" else value for name, value in made.items()}
        to.said["passwordCredentials"] = [*to.said.get("passwordCredentials", ()), kept]
        return self.answer(request, "microsoft.graph.passwordCredential", made)

    def remove_password(self, request: Request, of: Application | ServicePrincipal) -> Response:
        """One less."""
        gone, held = request.json().get("keyId"), of.said.get("passwordCredentials", [])
        left = [one for one in held if one["keyId"] != gone]
        if len(left) == len(held):
            raise wrong(f"No password credential found with keyId '{gone}'.")
        of.said["passwordCredentials"] = left
        return Response(204)

    # Owners

    def owners(self, who: Principal, references: object) -> list[str]:
        """The object ids of those whom a body makes owners."""
        found = graph_objects.bound(references)
        for one in found:
            if not self.directory(who).has(one):
                raise not_found({"id": one})
        return found

    def show_owners(self, request: Request, who: Principal, owners: list[str]) -> Response:
        """Those who own an object."""
        directory = self.directory(who)
        found = [directory.all_principals[one] for one in owners if directory.has(one)]
        return graph_objects.page(
            request, "directoryObjects", [self.shown(who, one, typed=True) for one in found]
        )

    def add_owner(self, request: Request, who: Principal, owners: list[str]) -> Response:
        """One more of them."""
        added = self.owners(who, [request.json().get("@odata.id")])
        if set(added) & set(owners):
            raise wrong(
                "One or more added object references already exist for the following modified properties: 'owners'."
            )
        owners += added
        return Response(204)

    def remove_owner(self, owners: list[str], owner: str) -> Response:
        """One less."""
        if owner.lower() not in owners:
            raise not_found({"id": owner})
        owners.remove(owner.lower())
        return Response(204)


def _existing(found: Any, names: Mapping[str, str]) -> Any:
    if found is None or found.deleted is not None:
        raise not_found(names)
    return found
