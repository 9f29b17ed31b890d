"""The packages `azure-native` and `azuread` as the tests meet them: their clients, and their types by short names."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from azure_cloud import SUBSCRIPTION, TENANT, guid, unique
from google.protobuf import json_format
from pulumi.runtime.proto import provider_pb2

from recording_storage.engine.provider import Plugin, _struct
from recording_storage.resources import Properties, ResourceType, azure_native, azuread, check, imports

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from azure_cloud import Cloud

NATIVE, ENTRA = azure_native.PROVIDER, azuread.PROVIDER
TYPES = {**NATIVE.types, **ENTRA.types}
PLACE = "westeurope"
WRITER, READER = "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"


@contextmanager
def being_the_owner(cloud: Cloud, folder: Path) -> Generator[pytest.MonkeyPatch]:
    """Let this process be the owner's, as a program in the sandbox is."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ARM_", "AZURE_"))]:
            patch.delenv(name)
        owned = cloud.owner.files({"AZURE_CONFIG_DIR": str(folder)})
        for name, value in (cloud.environment | owned).items():
            patch.setenv(name, value)
        yield patch


def token_of(name: str) -> str:
    """A type's token by its short name, as in `storage:BlobContainer` or `application`."""
    (found,) = [
        one for one in TYPES if one == f"azure-native:{name}" or one.startswith(f"azuread:index/{name}:")
    ]
    return found


@dataclass
class Made:
    """What exists, through its type."""

    token: str
    clients: Any
    id: str
    state: Properties
    inputs: Properties

    @property
    def kind(self) -> ResourceType:
        return TYPES[self.token]

    def read(self) -> Properties | None:
        return self.kind.read(self.clients, self.id, self.state)

    def update(self, **inputs: Any) -> Properties:
        """Change some inputs; those that are None aren't given any more."""
        self.inputs = {n: v for n, v in {**self.inputs, **inputs}.items() if v is not None}
        self.state = self.kind.update(self.clients, self.id, self.state, self.inputs)
        assert self.read() == self.state
        return self.state

    def delete(self) -> None:
        """Twice, since it may be gone already."""
        for _ in range(2):
            self.kind.delete(self.clients, self.id, self.state)

    def find(self, import_id: str = "") -> tuple[str, Properties] | None:
        """What an import finds."""
        return imports.find(self.kind, self.clients, import_id or self.id)

    def refreshed(self) -> Properties:
        """The inputs that the plugin takes it to have, after a look at the cloud."""
        return self._inputs(properties=_struct(self.state), inputs=_struct(self.inputs))

    def imported(self) -> Properties:
        """The inputs that the plugin takes it to have when it is imported."""
        return self._inputs()

    def _inputs(self, **known: Any) -> Properties:
        plugin = Plugin(self.token.partition(":")[0])
        plugin._clients = self.clients
        request = provider_pb2.ReadRequest(id=self.id, type=self.token, **known)
        return json_format.MessageToDict(plugin.Read(request, cast("Any", None)).inputs)


class Hands:
    """The two providers' clients, and what is made with them."""

    def __init__(self) -> None:
        self.native, self.entra = NATIVE.configure({}), ENTRA.configure({"tenantId": TENANT})

    def make(self, name: str, **inputs: Any) -> Made:
        """Make one, and read the same again."""
        clients, provider = (self.native, NATIVE) if ":" in name else (self.entra, ENTRA)
        token = token_of(name)
        id_, state = check(provider, token, inputs).create(clients, inputs)
        made = Made(token, clients, id_, state, inputs)
        assert made.read() == state
        return made

    def group(self) -> Made:
        return self.make("resources:ResourceGroup", resourceGroupName=unique("group"), location=PLACE)

    def account(self, group: str = "tests", **more: Any) -> Made:
        named = {"accountName": unique("account"), "resourceGroupName": group, "location": PLACE}
        return self.make(
            "storage:StorageAccount",
            **{**named, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, **more},
        )

    def container(self, account: Made, **more: Any) -> Made:
        return self.make("storage:BlobContainer", **within(account), **{"containerName": "calls", **more})

    def identity(self, group: str = "tests") -> Made:
        named = {"resourceGroupName": group, "resourceName": unique("identity"), "location": PLACE}
        return self.make("managedidentity:UserAssignedIdentity", **named)

    def principal(self) -> tuple[Made, Made]:
        """An application and its service principal."""
        application = self.make("application", displayName=unique("app"))
        return application, self.make("servicePrincipal", clientId=application.state["clientId"])

    def assign(self, scope: str, principal: str, **more: Any) -> Made:
        """Assign the writer's role."""
        said = {"scope": scope, "principalId": principal, "roleAssignmentName": guid()}
        said["roleDefinitionId"] = role(WRITER)
        return self.make("authorization:RoleAssignment", **{**said, **more})


def role(guid: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def within(account: Made) -> Properties:
    """The names by which something in an account is named."""
    return {name: account.inputs[name] for name in ("accountName", "resourceGroupName")}


def differ(name: str, old: Properties, new: Properties) -> tuple[str, str, bool]:
    """What the plugin says of a difference: what has changed, what of it makes a new one, and if the old goes first."""
    token = token_of(name)
    request = provider_pb2.DiffRequest(type=token, old_inputs=_struct(old), news=_struct(new))
    answer = Plugin(token.partition(":")[0]).Diff(request, cast("Any", None))
    return " ".join(answer.diffs), " ".join(answer.replaces), answer.deleteBeforeReplace
