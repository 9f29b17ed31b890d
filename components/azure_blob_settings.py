"""A destination on Azure Blob Storage as a stack's configuration has it: its fields, and what must hold between them.

Left out: whatever only Azure can answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

from pydantic import Field

from components import azure, gcp, naming, trust
from components.destination import (
    DestinationSettings,
    Group,
    Named,
    beside_existing,
    given_up_while_adopted,
    tag_faults,
    taken_twice,
)
from components.faults import Breach, Fault, fault, listed
from components.fields import Model, choice, text, texts, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CONTAINER: Final = "recordings"
APPLICATION: Final = "application"
MANAGED_IDENTITY: Final = "managed_identity"
_IDENTITIES: Final = (APPLICATION, MANAGED_IDENTITY)
REDUNDANCIES: Final = ("LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS")
"""How often and where Azure keeps a copy: https://learn.microsoft.com/azure/storage/common/storage-redundancy"""
_LOCATION: Final = "an Azure location, as in westeurope"
_SUBSCRIPTION: Final = "the subscription's ID, a UUID"
_TENANT: Final = "the ID of the Entra tenant, a UUID"
_WORKSPACE: Final = (
    "the Workspace ID of your account with Tavus: its recordings, and nobody else's, may come in"
)

_uuid = text(azure.uuid_breaches, "a UUID")


@dataclass(frozen=True)
class AzureBlobNames:
    """The physical names of a destination on Azure."""

    storage_account: str
    resource_group: str
    identity: str
    """What the application, or the managed identity, is called."""


class AzureBlobDestination(DestinationSettings):
    """A container of the customer's, and the identity as which the recording service writes into it.

    `tenant`, `subscription`: where to deploy. `location`: where the account is. `workspace_id`: the customer's with
    Tavus, the only subject that gets in. `storage_account`, `container`, `resource_group`, `identity_name`: instead of
    the derived ones. `redundancy`: how often Azure keeps a copy. `identity`: an application in Entra, or a managed
    identity where nobody may register one. `readers`: principals that may read the container. `key_vault_key`: the key
    to encrypt with. `existing`: account and container exist; `existing_resource_group`: the group does;
    `application_client_id`: one that exists is used; `adopt_application`: one that exists, after it was restored say,
    comes under management, and with `adopt_credential` its federated credential too.
    """

    provider: Literal["azure_blob"]  # pyright: ignore[reportIncompatibleVariableOverride]
    tenant: Annotated[str, text(azure.uuid_breaches, _TENANT)] = Field(description=_TENANT)
    subscription: Annotated[str, text(azure.uuid_breaches, _SUBSCRIPTION)] = Field(description=_SUBSCRIPTION)
    location: Annotated[str, text(azure.location_breaches, _LOCATION)] = Field(description=_LOCATION)
    workspace_id: Annotated[str, text(gcp.subject_breaches, _WORKSPACE)] = Field(description=_WORKSPACE)
    storage_account: Annotated[
        str | None, text(azure.account_name_breaches, "a storage account's name, as in acmecalls")
    ] = None
    container: Annotated[str, text(azure.container_name_breaches, "a container's name, as in calls")] = (
        CONTAINER
    )
    resource_group: Annotated[
        str | None, text(azure.resource_group_breaches, "a resource group's name, as in recordings")
    ] = None
    existing_resource_group: Annotated[bool, truth()] = False
    redundancy: Annotated[str, text(choice(REDUNDANCIES), f"one of {listed(REDUNDANCIES)}")] = "LRS"
    identity: Annotated[
        Literal["application", "managed_identity"], text(choice(_IDENTITIES), f"one of {listed(_IDENTITIES)}")
    ] = "application"
    identity_name: Annotated[str | None, text(azure.display_name_breaches, "a name")] = None
    application_client_id: Annotated[str | None, _uuid] = None
    adopt_application: Annotated[str | None, _uuid] = None
    adopt_credential: Annotated[str | None, _uuid] = None
    readers: Annotated[
        tuple[str, ...], texts(azure.reader_breaches, "a principal, as in group:<object ID>")
    ] = ()
    key_vault_key: Annotated[str | None, text(azure.vault_key_breaches, "a key's resource ID")] = None

    @property
    def place(self) -> str:
        """Where the recordings are."""
        return self.location

    def names(self, scope: naming.Scope, destination: str) -> AzureBlobNames:
        """Give the configured names, or the derived ones."""
        place = (scope, destination, self.subscription.lower(), self.location)
        return AzureBlobNames(
            storage_account=self.storage_account or naming.storage_account(*place),
            resource_group=self.resource_group or naming.resource_group(*place),
            identity=self.identity_name or naming.azure_identity(*place),
        )


class AzureBlobTrustSettings(Model):
    """What is assumed of the vendor for Azure, where the stack overrides it; unset, the profile's stands."""

    issuer: Annotated[str | None, text(gcp.issuer_breaches, "an issuer's URL")] = None
    audience: Annotated[str | None, text(gcp.audience_breaches, "an audience")] = None

    @property
    def overrides(self) -> trust.AzureBlobOverrides:
        """Only what is set."""
        return cast("trust.AzureBlobOverrides", {name: getattr(self, name) for name in self.model_fields_set})


AzureBlobGroup = Group[AzureBlobDestination, trust.AzureBlobTrust]

OF_THE_STORAGE: Final = frozenset({"adopt", "key_vault_key", "on_destroy", "redundancy", "retention_days"})
"""Settings that concern the storage account itself."""


def _existing_faults(name: str, one: AzureBlobDestination) -> Iterable[Fault]:
    """Refuse settings of an account whose settings are left alone, and ask where one is that exists."""
    yield from beside_existing(name, one, OF_THE_STORAGE, "storage account")
    for field in ("storage_account", "resource_group"):
        if one.existing and getattr(one, field) is None:
            breach = Breach(f"{field} beside existing: true", "name the one that exists")
            yield fault(f"destinations.{name}.existing", value=True, breach=breach)


def _group_faults(name: str, one: AzureBlobDestination) -> Iterable[Fault]:
    """Ask for the name of a group that exists."""
    if one.existing_resource_group and not one.resource_group:
        breach = Breach("resource_group beside existing_resource_group: true", "name the group that exists")
        yield fault(f"destinations.{name}.existing_resource_group", value=True, breach=breach)


def _adopted_key_faults(name: str, one: AzureBlobDestination) -> Iterable[Fault]:
    """Refuse to adopt an account with a key: the identity by which it uses the key can't be told before it is read."""
    if one.adopt and one.key_vault_key:
        breach = Breach(
            "no key beside adopt: true, which can't take over the identity by which an account uses one",
            "use the account as it is: existing: true",
        )
        yield fault(f"destinations.{name}.key_vault_key", one.key_vault_key, breach)


def _adoption_faults(name: str, one: AzureBlobDestination) -> Iterable[Fault]:
    """Refuse to give up in the same breath what is only just taken over, and half an adoption."""
    yield from given_up_while_adopted(name, one)
    yield from given_up_while_adopted(name, one, "adopt_application", "the application")
    key = f"destinations.{name}"
    if one.adopt_application and one.application_client_id:
        breach = Breach(
            "either an application that stays somebody else's or one that is adopted", "remove one of the two"
        )
        yield fault(f"{key}.adopt_application", one.adopt_application, breach)
    if one.adopt_credential and not one.adopt_application:
        breach = Breach(
            "adopt_application beside adopt_credential", "name the application whose credential it is"
        )
        yield fault(f"{key}.adopt_credential", one.adopt_credential, breach)


def _identity_faults(name: str, one: AzureBlobDestination) -> Iterable[Fault]:
    """Ask for one identity, called as its kind may be."""
    key = f"destinations.{name}"
    for field in ("application_client_id", "adopt_application"):
        if getattr(one, field) and one.identity == MANAGED_IDENTITY:
            breach = Breach("either an application or a managed identity", "remove one of the two")
            yield fault(f"{key}.{field}", getattr(one, field), breach)
    if one.application_client_id and one.identity_name:
        breach = Breach(
            "no name for an application that exists", "remove one of identity_name and application_client_id"
        )
        yield fault(f"{key}.identity_name", one.identity_name, breach)
    if one.identity == MANAGED_IDENTITY and one.identity_name:
        for breach in azure.identity_name_breaches(one.identity_name):
            yield fault(f"{key}.identity_name", one.identity_name, breach)


_OWN_CHECKS: Final[tuple[Callable[[str, AzureBlobDestination], Iterable[Fault]], ...]] = (
    _existing_faults,
    _group_faults,
    _adoption_faults,
    _adopted_key_faults,
    _identity_faults,
)


def _name_faults(group: AzureBlobGroup) -> Iterable[Fault]:
    """Refuse one name twice where it must be unique: accounts anywhere, groups that are made in a subscription.

    Likewise an application: it comes under management once.
    """
    taken: defaultdict[tuple[str, ...], list[Named]] = defaultdict(list)
    for name, one in group.destinations.items():
        names = one.names(group.scope, name)
        account = ("storage_account", names.storage_account, *((one.container,) if one.existing else ()))
        taken[account].append((name, "storage_account", names.storage_account))
        if not one.existing and not one.existing_resource_group:
            made = ("resource_group", names.resource_group.lower(), one.subscription.lower())
            taken[made].append((name, "resource_group", names.resource_group))
        if one.adopt_application:
            taken["adopt_application", one.adopt_application.lower()].append(
                (name, "adopt_application", one.adopt_application)
            )
    yield from taken_twice(taken.values())


def faults(group: AzureBlobGroup) -> Iterable[Fault]:
    """List what doesn't fit together: fields of one destination, or several destinations of a stack."""
    for name, one in group.destinations.items():
        for check in _OWN_CHECKS:
            yield from check(name, one)
    yield from _name_faults(group)
    yield from tag_faults(group, azure.tag_breaches)


def notes(group: AzureBlobGroup) -> Iterable[Fault]:
    """List what Azure takes, or may take, and someone should know."""
    for name, one in group.destinations.items():
        for note in azure.location_notes(one.location):
            yield fault(f"destinations.{name}.location", one.location, note)
