"""What `docs/ci.md` asks of the Azure CLI, asked of Graph and Resource Manager themselves.

Graph's permissions are given by the stand-in's own hand, which knows no consent; so is what it judges by nobody's word
but an administrator's. The condition of an assignment is left out: the stand-in decides nothing by one that has it.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import occasion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recording_storage.sandbox.azure.directory import Directory
    from tests.support.web import Web

GRAPH, ARM = "https://graph.microsoft.com/v1.0", "https://management.azure.com"
VERSION = {"api-version": "2022-04-01"}
PERMISSIONS = {
    "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30=Role": "Application.Read.All",
    "18a4783c-866b-4cc7-a460-3d5e5662c884=Role": "Application.ReadWrite.OwnedBy",
}
"""https://learn.microsoft.com/graph/permissions-reference"""


def answers(*names: str) -> dict[str, str]:
    """What the Azure CLI says of new applications and their service principals: stand-ins for their ids."""
    return {f"ad app create --display-name {name}": f"client:{name}" for name in names} | {
        f"ad sp create --id client:{name}": f"object:{name}" for name in names
    }


class Administrator:
    """Who carries it out; `ids` has what the page's variables hold, by what they held when it was recorded."""

    def __init__(self, graph: Web, arm: Web, directory: Directory) -> None:
        self._graph, self._arm, self._directory = graph, arm, directory
        self.ids: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._roles: dict[str, str] = {}
        self._asked: dict[str, set[str]] = {}
        self.conditions: list[str] = []

    def carry_out(self, calls: Iterable[list[str]]) -> None:
        """Ask for all of it; a command that isn't known here is an error."""
        for call in calls:
            options = [at for at, word in enumerate(call) if word.startswith("--")]
            flags = {call[at][2:]: call[at + 1] for at in options}
            self._one(" ".join(call[: options[0]]), flags)

    def _one(self, command: str, flags: dict[str, str]) -> None:
        match command:
            case "ad app create":
                name = flags["display-name"]
                made = self._graph.must("POST", f"{GRAPH}/applications", json={"displayName": name})
                self.ids[f"client:{name}"], self._objects[f"client:{name}"] = made["appId"], made["id"]
            case "ad sp create":
                said = {"appId": self.ids[flags["id"]]}
                made = self._graph.must("POST", f"{GRAPH}/servicePrincipals", json=said)
                self.ids[flags["id"].replace("client:", "object:")] = made["id"]
            case "ad app federated-credential create":
                place = f"{GRAPH}/applications/{self._objects[flags['id']]}/federatedIdentityCredentials"
                self._graph.must("POST", place, json=json.loads(flags["parameters"]))
            case "ad app permission add":
                permission = PERMISSIONS[flags["api-permissions"]]
                self._asked.setdefault(flags["id"], set()).add(permission)
            case "ad app permission admin-consent":
                self._consent(self.ids[flags["id"].replace("client:", "object:")], self._asked[flags["id"]])
            case "role definition create":
                self._define(json.loads(flags["role-definition"]))
            case "role assignment create":
                self._assign(flags)
            case _:
                raise NotImplementedError(command)

    def _consent(self, object_id: str, permissions: set[str]) -> None:
        if permissions == {"Application.Read.All"}:
            occasion.permitted(self._directory, object_id, *permissions)
        else:
            occasion.administrator(self._directory, object_id)

    def _define(self, said: dict[str, Any]) -> None:
        lists = ("Actions", "NotActions", "DataActions", "NotDataActions")
        permissions = {name[0].lower() + name[1:]: said[name] for name in lists}
        properties = {
            "roleName": said["Name"],
            "type": "CustomRole",
            "description": said["Description"],
            "permissions": [permissions],
            "assignableScopes": said["AssignableScopes"],
        }
        (scope,) = said["AssignableScopes"]
        place = f"{ARM}{scope}/providers/Microsoft.Authorization/roleDefinitions/{uuid.uuid4()}"
        made = self._arm.must("PUT", place, params=VERSION, json={"properties": properties})
        self._roles[said["Name"]] = made["id"]

    def _assign(self, flags: dict[str, str]) -> None:
        self.conditions += [flags["condition"]] if "condition" in flags else []
        properties = {
            "roleDefinitionId": self._roles[flags["role"]],
            "principalId": self.ids[flags["assignee-object-id"]],
            "principalType": flags["assignee-principal-type"],
        }
        place = f"{ARM}{flags['scope']}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        self._arm.must("PUT", place, params=VERSION, json={"properties": properties})
