"""Where a destination's recordings are on Azure: resource group, storage account, container, and what protects them.

Made, or taken over as they are. Left out: the identity that writes (`azure_identity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi
import pulumi_azure_native as azure

from components import adoption
from components.azure import VaultKey, vault_key
from components.azure_blob_lifecycle import management_policy, soft_delete_days
from components.azure_roles import KEY_ROLE, assign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.keeping import Keeping

DEFAULT: Final = "default"
"""What Azure calls an account's only blob service, and its only management policy."""


@dataclass(frozen=True)
class AccountSettings:
    """What is asked of the storage. `adopted`: it exists; the names are plain then."""

    subscription: str
    resource_group: str
    existing_resource_group: bool
    location: str
    account: str
    container: str
    redundancy: str
    tags: Mapping[str, str]
    retention_days: int | None = None
    key: str | None = None
    adopted: bool = False

    @property
    def group_id(self) -> str:
        """The resource group's id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def account_id(self) -> str:
        """The storage account's id."""
        return f"{self.group_id}/providers/Microsoft.Storage/storageAccounts/{self.account}"


@dataclass(frozen=True)
class Storage:
    """The storage, whoever made it."""

    group: pulumi.Output[str]
    account: pulumi.Output[str]
    container: pulumi.Output[str]
    container_id: pulumi.Output[str]


def make_storage(name: str, settings: AccountSettings, keeping: Keeping) -> Storage:
    """The resource group (or the given one), the account and the container, and what protects them."""

    def kept(id_: str, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        adopted = id_ if settings.adopted else None
        taken_over = adoption.unchanged(adopted) if adopted else None
        return keeping.options(*after, adopted=adopted, taken_over=taken_over)

    group = pulumi.Output.from_input(settings.resource_group)
    if not settings.existing_resource_group:
        group = azure.resources.ResourceGroup(
            f"{name}-resource-group",
            resource_group_name=settings.resource_group,
            location=settings.location,
            tags=settings.tags,
            opts=kept(settings.group_id),
        ).name
    key_use = _key_use(name, settings, group, keeping)
    account = azure.storage.StorageAccount(
        f"{name}-storage-account",
        account_name=settings.account,
        resource_group_name=group,
        location=settings.location,
        kind="StorageV2",
        sku={"name": f"Standard_{settings.redundancy}"},
        access_tier=azure.storage.AccessTier.HOT,
        minimum_tls_version="TLS1_2",
        enable_https_traffic_only=True,
        allow_blob_public_access=False,
        allow_shared_key_access=False,
        allow_cross_tenant_replication=False,
        default_to_o_auth_authentication=True,
        tags=settings.tags,
        identity=key_use.identity if key_use else None,
        encryption=key_use.encryption if key_use else None,
        opts=kept(settings.account_id, *((key_use.granted,) if key_use else ())),
    )
    days = soft_delete_days(settings.retention_days)
    service = azure.storage.BlobServiceProperties(
        f"{name}-blob-service",
        account_name=account.name,
        resource_group_name=group,
        blob_services_name=DEFAULT,
        is_versioning_enabled=True,
        delete_retention_policy={"enabled": True, "days": days},
        container_delete_retention_policy={"enabled": True, "days": days},
        opts=kept(f"{settings.account_id}/blobServices/{DEFAULT}"),
    )
    container = azure.storage.BlobContainer(
        f"{name}-container",
        account_name=account.name,
        resource_group_name=group,
        container_name=settings.container,
        public_access=azure.storage.PublicAccess.NONE,
        opts=kept(f"{settings.account_id}/blobServices/{DEFAULT}/containers/{settings.container}", service),
    )
    if settings.retention_days is not None:
        azure.storage.ManagementPolicy(
            f"{name}-management-policy",
            account_name=account.name,
            resource_group_name=group,
            management_policy_name=DEFAULT,
            policy=management_policy(settings.retention_days),
            # Not protected: it only deletes, so that nothing is lost without it.
            opts=pulumi.ResourceOptions.merge(
                kept(f"{settings.account_id}/managementPolicies/{DEFAULT}", service),
                pulumi.ResourceOptions(protect=False),
            ),
        )
    return Storage(group, account.name, container.name, container.id)


def existing_storage(settings: AccountSettings, parent: pulumi.Resource) -> Storage:
    """The account and the container that somebody else cares for: looked up, so that they are there."""
    group = pulumi.Output.from_input(settings.resource_group)
    found = azure.storage.get_blob_container_output(
        account_name=settings.account,
        container_name=settings.container,
        resource_group_name=settings.resource_group,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    return Storage(group, pulumi.Output.from_input(settings.account), found.name, found.id)


@dataclass(frozen=True)
class _KeyUse:
    """As whom the account uses a key, and the key."""

    identity: azure.storage.IdentityArgsDict
    encryption: azure.storage.EncryptionArgsDict
    granted: pulumi.Resource


def _key_use(
    name: str, settings: AccountSettings, group: pulumi.Output[str], keeping: Keeping
) -> _KeyUse | None:
    """Let an identity of its own use the key for the account, which must be able to before it is made.

    Source: https://learn.microsoft.com/azure/storage/common/customer-managed-keys-configure-new-account
    """
    key: VaultKey | None = vault_key(settings.key or "")
    if key is None:
        return None
    identity = azure.managedidentity.UserAssignedIdentity(
        f"{name}-key-identity",
        resource_name_=f"{settings.account}-key",
        resource_group_name=group,
        location=settings.location,
        tags=settings.tags,
        opts=keeping.options(),
    )
    granted = assign(
        f"{name}-key-use",
        scope=str(settings.key),
        role=KEY_ROLE,
        principal_id=identity.principal_id,
        principal_type="ServicePrincipal",
        subscription=key.subscription,
        opts=keeping.options(),
    )
    return _KeyUse(
        identity={"type": "UserAssigned", "user_assigned_identities": [identity.id]},
        encryption={
            "key_source": "Microsoft.Keyvault",
            "key_vault_properties": {"key_name": key.key, "key_vault_uri": key.vault_uri},
            "encryption_identity": {"encryption_user_assigned_identity": identity.id},
        },
        granted=granted,
    )
