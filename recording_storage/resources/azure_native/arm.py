"""A type of Resource Manager's resources: one path, to which a body is put, and which is read and deleted.

As with the real provider, what exists isn't made anew, an update puts the whole body, and a property that isn't given
any more is a change, even where Azure keeps it. Leaves out names that the provider would invent, the location of a
resource that says none, other API versions, and checks against the API's own description.

Sources: https://www.pulumi.com/registry/packages/azure-native/,
https://github.com/pulumi/pulumi-azure-native/tree/master/provider/pkg/provider
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from recording_storage.resources import Properties, UnsupportedError
from recording_storage.resources.azure.login import Login, setting
from recording_storage.resources.azure.rest import Api
from recording_storage.resources.azure_native import shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.resources.azure_native.shape import Field

GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
_PLACEHOLDER, _ESCAPED_PLACEHOLDER = re.compile(r"\{(\w+)\}"), re.compile(r"\\\{(\w+)\\\}")


class Clients(Api):
    """Resource Manager, for one subscription."""

    def __init__(self, config: Properties) -> None:
        self.tenant = setting(config, "tenantId")
        self.subscription = setting(config, "subscriptionId")
        super().__init__(
            "https://management.azure.com", Login(config), "https://management.azure.com/.default"
        )


@dataclass(frozen=True)
class ArmType:
    """One type.

    `inputs` and `outputs` say where in the body a property is; what the path names is an input too. `forced` are the
    inputs in the body whose change makes a new resource. Of what `is_always_there`, an account's only blob service for
    one, creating changes it, and deleting sets it back.
    """

    path: str
    version: str
    inputs: Mapping[str, Field]
    outputs: Mapping[str, Field] = field(default_factory=dict[str, "Field"])
    forced: frozenset[str] = frozenset()
    is_always_there: bool = False

    @cached_property
    def named(self) -> tuple[str, ...]:
        """What the path names, beside the subscription."""
        return tuple(name for name in _PLACEHOLDER.findall(self.path) if name != "subscriptionId")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({*self.named, *self.inputs})

    @property
    def replace_on(self) -> frozenset[str]:
        return self.forced | frozenset(self.named)

    @property
    def names(self) -> frozenset[str]:
        return self.properties  # the provider deletes first, since it hasn't invented the name

    @property
    def reshaped(self) -> frozenset[str]:
        return frozenset(name for name, one in self.inputs.items() if one.is_reshaped)

    def settled(self, inputs: Properties, state: Properties) -> Properties:
        return {
            name: SPELLING[name](str(value)) if name in SPELLING else self._settled(name, value)
            for name, value in inputs.items()
            if value is not None
        }

    def import_id(self, clients: Clients, import_id: str) -> tuple[str, Properties]:
        return import_id, self._said(import_id)

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        id_ = self.id(clients, inputs)
        if not self.is_always_there and clients.find(id_, **self._query):
            raise FileExistsError(f"cannot create already existing resource '{id_}'")
        return self._put(clients, id_, inputs)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        found = clients.find(id_, **self._query)
        if found is None:
            return None
        said = self._said(id_)
        named = {name: state.get(name) or said[name] for name in self.named}
        return named | self.state(found, state)

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        return self._put(clients, id_, inputs)[1]

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        if not self.is_always_there:
            clients.remove(id_, **self._query)
        elif clients.find(id_, **self._query):
            clients.call("PUT", id_, {}, **self._query)

    def id(self, clients: Clients, said: Mapping[str, Any]) -> str:
        """The path of what is named so; raises `UnsupportedError` for what the provider would have to name."""
        for name in self.named:
            if not said.get(name):
                raise UnsupportedError(f"{self._thing} without {name}", name)
        values = {"subscriptionId": clients.subscription} | {
            name: str(said[name]).strip("/") if name == "scope" else quote(str(said[name]), safe="")
            for name in self.named
        }
        return self.path.format(**values)

    def state(self, found: Mapping[str, Any], known: Properties) -> Properties:
        """The properties of what Azure answers, where these were given, or known, before."""
        fields = {**self.inputs, **self.outputs}
        return shape.from_api(fields, found, known) | {"azureApiVersion": self.version}

    def _settled(self, name: str, value: Any) -> Any:
        return self.inputs[name].settled(value) if name in self.inputs else value

    @property
    def _thing(self) -> str:
        """What Azure calls such things."""
        return self.path.split("/")[-2]

    @property
    def _query(self) -> dict[str, str]:
        return {"api-version": self.version}

    def _put(self, clients: Clients, id_: str, inputs: Properties) -> tuple[str, Properties]:
        said = {name: value for name, value in inputs.items() if name not in self.named}
        clients.call("PUT", id_, shape.to_api(self.inputs, said, self._thing), **self._query)
        found = clients.call("GET", id_, **self._query)
        return str(found["id"]), {name: inputs[name] for name in self.named} | self.state(found, inputs)

    def _said(self, id_: str) -> dict[str, str]:
        """What an id names; raises `ValueError` for another type's."""
        found = self._pattern.fullmatch(id_)
        if found is None:
            raise ValueError(f"failed to parse '{id_}' against the path '{self.path}'")
        return found.groupdict()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Of the path; a scope is an id itself, the words between names are in any case."""
        escaped = re.escape(self.path).replace(r"/\{scope\}", "(?P<scope>/.+)")
        return re.compile(_ESCAPED_PLACEHOLDER.sub(r"(?P<\1>[^/]+)", escaped), re.IGNORECASE)


def look_up(kind: ArmType) -> Callable[[Clients, Properties], Properties]:
    """The function that looks one up by what its path names; raises `ApiError` where there is none."""

    def function(clients: Clients, args: Properties) -> Properties:
        for name, value in args.items():
            if name not in kind.named and value is not None:
                raise UnsupportedError(f"the argument {name}", name)
        found = clients.call("GET", kind.id(clients, args), **{"api-version": kind.version})
        return {"id": found["id"], **kind.state(found, {})}

    return function


SPELLING: Mapping[str, Callable[[str], str]] = {
    "location": lambda value: value.replace(" ", "").lower(),
    "resourceGroupName": str.lower,
}
"""What may be written in several ways."""
