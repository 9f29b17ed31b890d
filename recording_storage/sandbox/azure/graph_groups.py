"""Graph's groups: security groups with service principals and other groups in them.

Sources: https://learn.microsoft.com/graph/api/group-post-groups, …/group-post-members, …/group-delete-members,
https://learn.microsoft.com/graph/api/serviceprincipal-list-transitivememberof. Leaves out Microsoft 365 groups, dynamic
membership, owners, changes to a group, and that a deleted one can be restored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import graph_objects
from recording_storage.sandbox.azure.directory import Group
from recording_storage.sandbox.azure.graph_desk import Desk, Line
from recording_storage.sandbox.azure.graph_objects import not_found, wrong
from recording_storage.sandbox.rest import Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.graph_desk import Handler
    from recording_storage.sandbox.azure.principals import Principal

_NEEDED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")


class Groups:
    """Who is together in what."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def lines(self) -> list[tuple[str, str, Handler]]:
        """What is to be found at which paths."""
        one = "/groups/{id}"
        found = [
            Line("POST", "/groups", "groups/create", self._create),
            Line("GET", one, "groups/standard/read", self._get),
            Line("DELETE", one, "groups/delete", self._delete),
            Line("GET", f"{one}/members", "groups/members/read", self._members),
            Line("POST", f"{one}/members/$ref", "groups/members/update", self._add),
            Line("DELETE", f"{one}/members/{{member}}/$ref", "groups/members/update", self._remove),
        ]
        for principal in ("/servicePrincipals/{id}", "/servicePrincipals(appId='{app}')"):
            of = f"{principal}/transitiveMemberOf"
            found.append(Line("GET", of, "servicePrincipals/memberOf/read", self._member_of))
        return self._desk.guarded(*found)

    def _create(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del names
        said = request.json()
        missing = [name for name in _NEEDED if said.get(name) in (None, "")]
        if missing:
            raise wrong(f"A value is required for property '{missing[0]}' of resource 'Group'.")
        unknown = sorted(set(said) - {*_NEEDED, "description", "groupTypes"})
        if unknown or said.get("groupTypes") or said["mailEnabled"] or not said["securityEnabled"]:
            raise Undecided(f"a group with {', '.join(unknown) or 'another type than that of security'}")
        made = Group(str(said["displayName"]), self._desk.world.now(), said)
        self._desk.directory(who).groups[made.id] = made
        return self._desk.answer(request, "groups/$entity", _shown(made), 201)

    def _group(self, who: Principal, names: Mapping[str, str]) -> Group:
        found = self._desk.directory(who).groups.get(names["id"].lower())
        if found is None:
            raise not_found(names)
        return found

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        return self._desk.answer(request, "groups/$entity", _shown(self._group(who, names)))

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request
        gone, groups = self._group(who, names), self._desk.directory(who).groups
        del groups[gone.id]
        for group in groups.values():
            group.members = [one for one in group.members if one != gone.id]
        return Response(204)

    def _members(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        directory = self._desk.directory(who)
        found = [self._any(who, one) for one in self._group(who, names).members if _exists(directory, one)]
        return graph_objects.page(request, "directoryObjects", found)

    def _any(self, who: Principal, object_id: str) -> dict[str, Any]:
        directory = self._desk.directory(who)
        if object_id in directory.groups:
            return {"@odata.type": "#microsoft.graph.group"} | _shown(directory.groups[object_id])
        return self._desk.shown(who, directory.all_principals[object_id], typed=True)

    def _add(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        group = self._group(who, names)
        (added,) = graph_objects.bound([request.json().get("@odata.id")])
        if not _exists(self._desk.directory(who), added):
            raise not_found({"id": added})
        if added in group.members:
            raise wrong(
                "One or more added object references already exist for the following modified properties: 'members'."
            )
        group.members.append(added)
        return Response(204)

    def _remove(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request
        group, gone = self._group(who, names), names["member"].lower()
        if gone not in group.members:
            raise not_found({"id": gone})
        group.members.remove(gone)
        return Response(204)

    def _member_of(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        """Who may not read groups is told their type and id only; that isn't told apart here."""
        directory = self._desk.directory(who)
        found = self._desk.principal(who, names)
        shown = [self._any(who, one) for one in sorted(directory.memberships(found.id))]
        return graph_objects.page(request, "directoryObjects", shown)


def _exists(directory: Any, object_id: str) -> bool:
    return object_id in directory.groups or directory.has(object_id)


def _shown(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "displayName": group.display_name,
        "description": group.said.get("description"),
        "groupTypes": [],
        "mailEnabled": False,
        "mailNickname": group.said.get("mailNickname"),
        "securityEnabled": True,
        "createdDateTime": f"{group.created:%Y-%m-%dT%H:%M:%SZ}",
    }
