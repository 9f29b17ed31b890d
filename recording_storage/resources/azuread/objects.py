"""What applications and service principals have in common: an object in a directory.

As with the real provider, an update changes what is given otherwise; a text or an owner that isn't given goes.

Source: https://github.com/hashicorp/terraform-provider-azuread/tree/main/internal/services. Leaves out waiting until
what was made is known everywhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from recording_storage.resources.azure.login import Login, setting
from recording_storage.resources.azure.rest import Api

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.resources import Properties


GRAPH: Final = "https://graph.microsoft.com/v1.0"
OWNERS: Final = "owners"


class Clients(Api):
    """Microsoft Graph, for one tenant."""

    def __init__(self, config: Properties) -> None:
        self.tenant = setting(config, "tenantId")
        super().__init__(GRAPH, Login(config), "https://graph.microsoft.com/.default")


class DirectoryObject:
    """The common half of a type.

    `fields` are its settings, and for each what Graph calls it. What isn't given is as in `defaults`; of `computed` it
    is as Graph has it, which then is no difference.
    """

    collection = ""
    thing = ""
    fields: Mapping[str, str] = {}
    defaults: Mapping[str, object] = {}
    computed: frozenset[str] = frozenset({"tags"})
    names: frozenset[str] = frozenset()
    reshaped: frozenset[str] = frozenset()
    replace_on: frozenset[str] = frozenset()

    def settled(self, inputs: Properties, state: Properties) -> Properties:
        given = {name: value for name, value in inputs.items() if value is not None}
        kept = {name: state[name] for name in self.computed if state.get(name) is not None}
        return {OWNERS: [], **self.defaults, **kept, **given}

    def import_id(self, clients: Clients, import_id: str) -> tuple[str, Properties]:
        """As in `/applications/<object id>`."""
        if not re.fullmatch(rf"/{self.collection}/[^/]+", import_id):
            raise ValueError(f"'{import_id}' isn't of the form /{self.collection}/<object ID>")
        return import_id, {}

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        found = clients.find(id_)
        return None if found is None else self._owned(clients, id_, self.state(found, state))

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        after = self.settled(inputs, state)
        body = {
            graph: after.get(name)
            for name, graph in self.fields.items()
            if (state.get(name) or None) != (after.get(name) or None)
        }
        if body:
            clients.call("PATCH", id_, body)
        self._change_owners(clients, id_, set(state.get(OWNERS) or ()), set(after[OWNERS]))
        return self._owned(clients, id_, self.state(clients.call("GET", id_), inputs))

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        clients.remove(id_)

    def state(self, found: Mapping[str, Any], known: Properties) -> Properties:
        """The state, of what Graph answers and what only the provider knows; a text that isn't set is empty."""
        said = {name: _told(found.get(graph)) for name, graph in self.fields.items()}
        own = {"clientId": found["appId"], "objectId": found["id"], "displayName": found["displayName"]}
        return {name: value for name, value in known.items() if value is not None} | said | own

    def look_up(self, clients: Clients, args: Properties) -> Properties:
        """The one of an object id, a client id or a name; raises `LookupError` where there is none, or several."""
        if args.get("objectId"):
            found = clients.find(f"/{self.collection}/{args['objectId']}")
            if found is None:
                raise LookupError(f'{self.thing} with object ID "{args["objectId"]}" was not found')
        else:
            found = self._only(clients, args)
        id_ = f"/{self.collection}/{found['id']}"
        return {**self._owned(clients, id_, self.state(found, {})), "id": id_}

    def listed(self, clients: Clients, condition: str) -> list[dict[str, Any]]:
        """Those that a filter lets through."""
        return clients.call("GET", f"/{self.collection}", **{"$filter": condition})["value"]

    def made(self, clients: Clients, inputs: Properties, **more: object) -> tuple[str, Properties]:
        """Make one; its id, and its state."""
        asked = self.settled(inputs, {})
        body = {graph: asked[name] for name, graph in self.fields.items() if name in asked}
        if asked[OWNERS]:
            body["owners@odata.bind"] = [_reference(one) for one in asked[OWNERS]]
        found = clients.call("POST", f"/{self.collection}", body | more)
        id_ = f"/{self.collection}/{found['id']}"
        return id_, self._owned(clients, id_, self.state(found, inputs))

    def _owned(self, clients: Clients, id_: str, state: Properties) -> Properties:
        """The state, and who owns it."""
        owners = clients.call("GET", f"{id_}/{OWNERS}")["value"]
        return state | {OWNERS: sorted(one["id"] for one in owners)}

    def _change_owners(self, clients: Clients, id_: str, before: set[str], after: set[str]) -> None:
        for one in sorted(after - before):
            clients.call("POST", f"{id_}/{OWNERS}/$ref", {"@odata.id": _reference(one)})
        for one in sorted(before - after):
            clients.remove(f"{id_}/{OWNERS}/{one}/$ref")

    def _only(self, clients: Clients, args: Properties) -> dict[str, Any]:
        name = next((one for one in ("clientId", "displayName") if args.get(one)), "")
        if not name:
            raise ValueError("one of objectId, clientId or displayName must be specified")
        condition = same({"clientId": "appId"}.get(name, name), args[name])
        found = self.listed(clients, condition)
        if len(found) != 1:
            raise LookupError(f'{len(found)} {self.collection} found matching filter: "{condition}"')
        return found[0]


def same(name: str, value: object) -> str:
    """The filter by one value."""
    return f"{name} eq '{str(value).replace(chr(39), chr(39) * 2)}'"


def _reference(object_id: str) -> str:
    return f"{GRAPH}/directoryObjects/{object_id}"


def _told(value: Any) -> Any:
    return "" if value is None else value
