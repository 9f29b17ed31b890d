"""Who and what a stack's destinations on Azure take for granted: tenants, subscriptions, people, what exists already.

Everything that the configuration names without making it (readers, resource groups, accounts, containers, applications,
keys) is made for the occasion, as the configuration says or needs it, and said to be unproven. Groups have no members
here, so nobody can read as one.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from components import azure, azure_federation
from components.azure_blob_lifecycle import management_policy, soft_delete_days
from recording_storage.sandbox.azure.owner import SUBSCRIPTION, TENANT, Owner

if TYPE_CHECKING:
    from components.azure_blob_settings import AzureBlobDestination
    from components.settings import Settings
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.stand_in import Azure
    from recording_storage.sandbox.azure.world import StorageAccount, World

OTHER_TENANTS = ("77770000-1111-2222-3333-444455556666", "77770000-1111-2222-3333-444455557777")
OTHER_CLIENT = "88880000-1111-2222-3333-444455556666"
"""The client id of an application of each tenant that has nothing to do with any destination."""
OTHER_CONTAINER, OTHER_ACCOUNT = "somebody-elses", "elses"
OTHER_ISSUERS = ("https://issuer.example.com", "https://issuer.example.org")
PRIVATE: dict[str, Any] = {
    "allowBlobPublicAccess": False,
    "supportsHttpsTrafficOnly": True,
    "minimumTlsVersion": "TLS1_2",
}
"""As every account that exists is assumed to be."""
ADOPTED: dict[str, Any] = PRIVATE | {
    "accessTier": "Hot",
    "allowCrossTenantReplication": False,
    "allowSharedKeyAccess": False,
    "defaultToOAuthAuthentication": True,
}
"""As the component sets one."""


class Assumed:
    """The world of a stack's destinations on Azure, before its program runs."""

    def __init__(self, settings: Settings) -> None:
        self._scope = settings.scope
        self._tags = settings.tags
        self._trust = settings.azure_blob_trust
        self.destinations = settings.azure_blob
        places = [(one.tenant.lower(), one.subscription.lower()) for one in self.destinations.values()]
        tenant, subscription = next(iter(places), (TENANT, SUBSCRIPTION))
        self.deployer = Owner(tenant, subscription)
        """Who deploys the stack: owns all the subscriptions and administers all the tenants, the first destination's
        unless another is named."""
        self._places = list(dict.fromkeys(places))
        tenants = {one for one, _ in places}
        self.other_tenant = next(one for one in OTHER_TENANTS if one not in tenants)
        self.other_issuer = next(one for one in OTHER_ISSUERS if one != self._trust.issuer)

    def make(self, azure_: Azure) -> None:
        """Let everyone in, and make what exists already."""
        from recording_storage.sandbox.azure import occasion

        world = azure_.world
        for tenant, subscription in self._places:
            azure_.admit(replace(self.deployer, tenant=tenant, subscription=subscription))
            occasion.application(world, world.add_tenant(tenant), "unrelated", OTHER_CLIENT)
        world.add_tenant(self.other_tenant)
        for name, destination in self.destinations.items():
            self._make_readers(world, destination)
            if destination.application_client_id:
                tenant = world.add_tenant(destination.tenant)
                occasion.application(world, tenant, f"given-{name}", destination.application_client_id)
            if destination.adopt_application:
                self._make_adopted(world, name, destination)
            self._make_key(azure_, destination)
            self._make_storage(world, name, destination)

    def other_container(self, azure_: Azure, account: str) -> str:
        """Make a container of the account that has nothing to do with the destination; its name."""
        from recording_storage.sandbox.azure import occasion

        found = azure_.world.storage_account(account)
        if found is not None:
            occasion.container(azure_.world, found, OTHER_CONTAINER)
        return OTHER_CONTAINER

    def other_account(self, azure_: Azure, account: str, container: str) -> str:
        """Make an account beside the destination's, with a container of the same name; its name."""
        from recording_storage.sandbox.azure import occasion

        found = azure_.world.storage_account(account)
        other = f"{OTHER_ACCOUNT}{uuid.uuid5(uuid.NAMESPACE_URL, account).hex}"[:24]
        if found is not None:
            made = occasion.storage_account(azure_.world, found.group, other, **PRIVATE)
            occasion.container(azure_.world, made, container)
        return other

    def reader(self, member: str, destination: AzureBlobDestination) -> Principal | None:
        """Who a reader is as somebody who asks; None for a group, of which nobody is here."""
        from recording_storage.sandbox.azure.principals import Principal

        if not is_playable(member):
            return None
        return Principal(azure.reader(member)[1].lower(), "", destination.tenant.lower())

    def _make_readers(self, world: World, destination: AzureBlobDestination) -> None:
        from recording_storage.sandbox.azure import occasion

        for kind, object_id in map(azure.reader, destination.readers):
            if kind == "ServicePrincipal":
                occasion.service_principal(world, world.add_tenant(destination.tenant), object_id)

    def _make_adopted(self, world: World, name: str, destination: AzureBlobDestination) -> None:
        """The application that is taken over, set as the configuration asks for."""
        from recording_storage.sandbox.azure import occasion

        made = occasion.application(
            world,
            world.add_tenant(destination.tenant),
            destination.names(self._scope, name).identity,
            destination.adopt_application or "",
            description=azure_federation.application_description(name),
            signInAudience=azure_federation.SIGN_IN_AUDIENCE,
        )
        if destination.adopt_credential:
            made.credentials.append(
                occasion.federated_credential(
                    azure_federation.CREDENTIAL,
                    self._trust.issuer,
                    destination.workspace_id,
                    self._trust.audience,
                    description=azure_federation.CREDENTIAL_DESCRIPTION,
                    id_=destination.adopt_credential,
                )
            )

    def _make_key(self, azure_: Azure, destination: AzureBlobDestination) -> None:
        """The vault and the key, whose subscription the deployer owns too."""
        from recording_storage.sandbox.azure import occasion

        named = azure.vault_key(destination.key_vault_key or "")
        if named is None:
            return
        subscription = named.subscription.lower()
        azure_.admit(replace(self.deployer, tenant=destination.tenant.lower(), subscription=subscription))
        of = azure_.world.subscriptions[subscription]
        vault = occasion.vault(
            azure_.world, occasion.resource_group(of, named.resource_group, destination.location), named.vault
        )
        occasion.key(azure_.world, vault, named.key)

    def _make_storage(self, world: World, name: str, destination: AzureBlobDestination) -> None:
        """Make what exists: what is adopted is set as the configuration asks for."""
        from recording_storage.sandbox.azure import occasion

        adopted = destination.adopt
        if not (destination.existing or destination.existing_resource_group or adopted):
            return
        names = destination.names(self._scope, name)
        group = occasion.resource_group(
            world.subscriptions[destination.subscription.lower()], names.resource_group, destination.location
        )
        if adopted and not destination.existing_resource_group:
            group.tags = dict(self._tags)
        if not (destination.existing or adopted):
            return
        account = occasion.storage_account(
            world,
            group,
            names.storage_account,
            location=destination.location,
            sku=f"Standard_{destination.redundancy}",
            **(ADOPTED if adopted else PRIVATE),
        )
        account.blob_service["isVersioningEnabled"] = True
        occasion.container(world, account, destination.container, publicAccess="None")
        if adopted:
            self._protect(world, account, destination)

    def _protect(self, world: World, account: StorageAccount, destination: AzureBlobDestination) -> None:
        account.tags = dict(self._tags)
        kept = {"enabled": True, "days": soft_delete_days(destination.retention_days)}
        account.blob_service.update(deleteRetentionPolicy=kept, containerDeleteRetentionPolicy=dict(kept))
        if destination.retention_days is not None:
            policy = as_azure_has_it(management_policy(destination.retention_days))
            account.management_policy = {"lastModifiedTime": world.now().isoformat(), "policy": policy}


def is_playable(member: str) -> bool:
    """Whether somebody here can be this principal: a group's members aren't known."""
    return not member.startswith("group:")


def as_azure_has_it(value: Any) -> Any:
    """What Pulumi is told, in Azure's words: `base_blob` is `baseBlob` there."""
    if isinstance(value, dict):
        said = cast("dict[str, Any]", value)
        return {_camel(name): as_azure_has_it(one) for name, one in said.items()}
    if isinstance(value, list):
        return [as_azure_has_it(one) for one in cast("list[Any]", value)]
    return value


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)
