"""Cloud resources by their Pulumi type: how each is made, read, changed and deleted through ordinary clients.

One table serves the run without the Pulumi CLI (`program`) and the provider plugin under it (`engine.provider`), so
that there is one way to make a bucket. Properties are named as on Pulumi's wire (camel case). A property that a type
doesn't know is refused: a rehearsal that ignored a setting would prove another stack.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from recording_storage.resources import schema

Properties = dict[str, Any]


class UnsupportedError(Exception):
    """The table doesn't know a type or a property: `what` names it, `property_name` where it is a property."""

    def __init__(self, what: str, property_name: str = "") -> None:
        super().__init__(
            f"{what}: the stand-in for the provider doesn't know it, so nothing can be said about it"
        )
        self.property_name = property_name


class InputsError(Exception):
    """Inputs that the provider's SDK wouldn't take: all `faults` at once."""

    def __init__(self, faults: Sequence[schema.Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class UnfinishedError(Exception):
    """A resource was made, as `id`, and what it takes beside couldn't be set; the message says why."""

    def __init__(self, id_: str, why: Exception) -> None:
        super().__init__(str(why))
        self.id = id_


@contextmanager
def finishing(id_: str) -> Generator[None]:
    """Set what a resource takes that is there already: what fails here leaves it unfinished."""
    try:
        yield
    except Exception as error:
        raise UnfinishedError(id_, error) from error


class ResourceType(Protocol):
    """One type of resource.

    `properties` are the inputs that it honours, `replace_on` those whose change makes a new resource, and `names` those
    that name a thing: another one of the same name can only be made once the old one is deleted.
    """

    @property
    def properties(self) -> frozenset[str]: ...

    @property
    def replace_on(self) -> frozenset[str]: ...

    @property
    def names(self) -> frozenset[str]: ...

    @property
    def reshaped(self) -> frozenset[str]:
        """Inputs that have another shape as outputs: in a preview these aren't known."""
        ...

    def settled(self, inputs: Properties, state: Properties) -> Properties:
        """`inputs` as they are compared: in one spelling, and with what the provider takes for those that aren't given.

        What it takes may be what is there already, in `state`.
        """
        ...

    def import_id(self, clients: Any, import_id: str) -> tuple[str, Properties]:
        """The id of what an import's id names, and what that says of its state."""
        ...

    def create(self, clients: Any, inputs: Properties) -> tuple[str, Properties]:
        """Make it; its id, and its state (the inputs and what the cloud adds).

        Raises `UnfinishedError` where it is there, and could not be set.
        """
        ...

    def read(self, clients: Any, id_: str, state: Properties) -> Properties | None:
        """Its state as the cloud has it now, or None where it is gone."""
        ...

    def update(self, clients: Any, id_: str, state: Properties, inputs: Properties) -> Properties:
        """Change it to `inputs`; its new state."""
        ...

    def delete(self, clients: Any, id_: str, state: Properties) -> None:
        """Delete it; no error where it is gone already."""
        ...


@dataclass(frozen=True)
class Provider:
    """A package's provider: its types and functions by their tokens, and the clients that its configuration gives.

    `configure` raises where the credentials don't fit the configuration.
    """

    types: Mapping[str, ResourceType]
    functions: Mapping[str, Callable[[Any, Properties], Properties]]
    configure: Callable[[Properties], Any]

    def invoke(self, clients: Any, token: str, args: Properties) -> Properties:
        """What a function finds, such as `aws:index/getCallerIdentity:getCallerIdentity`."""
        function = self.functions.get(token)
        if function is None:
            raise UnsupportedError(f"the function {token}")
        return function(clients, args)


PACKAGES = ("aws", "azure-native", "azuread", "gcp")
"""Pulumi's packages that the table has a provider for, each in the module of that name."""


def provider(package: str) -> Provider:
    """The provider of a Pulumi package; a cloud that isn't used isn't imported."""
    if package not in PACKAGES:
        raise UnsupportedError(f"the package {package}")
    return import_module(f"{__name__}.{package.replace('-', '_')}").PROVIDER


def check(provider: Provider, token: str, inputs: Mapping[str, object]) -> ResourceType:
    """The type called `token`.

    Raises `InputsError` for inputs that the SDK wouldn't take; `UnsupportedError` for a type that the table doesn't
    know, or an input that it doesn't honour.
    """
    from recording_storage.resources import (
        schema,  # and with it Pulumi, which who only names packages needn't load
    )

    faults = schema.faults(token, inputs)
    if faults:
        raise InputsError(faults)
    kind = provider.types.get(token)
    if kind is None:
        raise UnsupportedError(f"the resource type {token}")
    for name, value in inputs.items():
        if name not in kind.properties and value is not None:
            raise UnsupportedError(f"{name} of {token}", name)
    return kind


def check_config(package: str, config: Mapping[str, object]) -> None:
    """Raise `InputsError` for a configuration that the SDK's provider wouldn't take."""
    from recording_storage.resources import schema

    faults = schema.config_faults(package, config)
    if faults:
        raise InputsError(faults)
