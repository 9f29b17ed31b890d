"""A destination for recordings on Azure Blob Storage: a private, versioned container, and who may write to it.

Left out on purpose: private endpoints and firewalls (the recording service writes from outside), immutability policies,
and providers (the caller hands them over, so that several destinations share them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pulumi
from typing_extensions import NotRequired, TypedDict

from components import adoption, azure, contract, naming
from components.azure_blob_account import AccountSettings, existing_storage, make_storage
from components.azure_blob_settings import APPLICATION, CONTAINER, MANAGED_IDENTITY
from components.azure_identity import (
    ADOPT,
    Identity,
    IdentitySettings,
    make_application,
    make_managed_identity,
)
from components.azure_roles import READER_ROLE, WRITER_ROLE, assign
from components.destination import PROTECT, RETAIN
from components.handing_over import sound
from components.keeping import Keeping
from components.trust import AzureBlobOverrides, effective_azure_blob

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi_azure_native
    import pulumi_azuread

    from components.azure_blob_account import Storage

TYPE: Final = "recording-storage:index:AzureBlobDestination"
_RULE: Final = "expiry"


class AzureBlobDestinationArgs(TypedDict):
    """What a destination on Azure takes; `tenant`, `subscription`, `location` and `workspace_id` are required.

    Names and ids are plain strings: Azure's resource ids, by which things are adopted, are made of them.
    """

    tenant: str
    """The Entra tenant's id."""

    subscription: str
    """The id of the subscription that is deployed to. Changing it makes another account."""

    location: str
    """Where the account is, as in `westeurope`. Changing it makes another account."""

    workspace_id: str
    """The Workspace ID of your account with Tavus, at most 127 bytes: the only subject that is let in."""

    storage_account: NotRequired[str]
    """The account's name, unique in all of Azure: 3 to 24 lower-case letters and digits. Unset: derived."""

    container: NotRequired[str]
    """The container's name. Unset: `recordings`."""

    resource_group: NotRequired[str]
    """The resource group's name. Unset: `<stack>-<name>-<suffix>`."""

    existing_resource_group: NotRequired[bool]
    """The group exists, and is left as it is."""

    redundancy: NotRequired[str]
    """How often Azure keeps a copy: `LRS` (unset), `ZRS`, `GRS`, `RAGRS`, `GZRS` or `RAGZRS`."""

    identity: NotRequired[str]
    """`application` (unset): an application in Entra. `managed_identity`: where nobody may register one."""

    identity_name: NotRequired[str]
    """What that identity is called. Unset: `recordings-<stack>-<name>-<suffix>`."""

    application_client_id: NotRequired[str]
    """The client id of an application that exists, with a service principal, used instead of a made one."""

    adopt_application: NotRequired[str]
    """The client id of an application that exists and comes under management, by import, with its service principal: it
    must already be as this component sets it, as after it was deleted and restored; otherwise the import stops, and
    nothing is changed. A service principal that it lacks is made."""

    adopt_credential: NotRequired[str]
    """The id of that application's federated credential, which comes under management likewise. Unset: it is made."""

    on_destroy: NotRequired[str]
    """What becomes of the storage when the stack or the destination goes: `protect` (the default: destroying is
    refused), `retain` (the stack goes, the storage stays) or `delete` (the recordings are given up). It covers the
    resource group, the account with all that is set on it, the container and the use of its key; `protect` also the
    trust, without which recordings would stop. A changed value counts after the next `pulumi up`."""

    retention_days: NotRequired[int]
    """Days for which a recording stays readable. All its versions are gone about three days later: Azure looks through
    an account daily, and what it deletes can be restored for one more day. Unset: nothing expires, and what is deleted
    can be restored for seven days."""

    readers: NotRequired[Sequence[str]]
    """Principals that may list and read the recordings, as in `group:<object id>`. What they were granted goes with
    the stack, `retain` or not."""

    key_vault_key: NotRequired[str]
    """The resource id of a key in Key Vault to encrypt with. An identity of the account's own is let use it."""

    trust_profile: NotRequired[AzureBlobOverrides]
    """What the recording service presents, where the vendor gives another word than the trust profile."""

    existing: NotRequired[bool]
    """The account and the container exist and are left as they are: only the trust is made, and let write."""

    adopt: NotRequired[bool]
    """The storage exists and comes under management, by import: it must already be as this component sets it, as after
    `retain`; otherwise the import stops, and nothing is changed."""

    tags: NotRequired[dict[str, str]]
    """Tags for everything that can carry them."""


class AzureBlobDestination(pulumi.ComponentResource):
    """A private container for recordings and the identity as which the recording service writes to it.

    `opts.providers` holds one provider of azure-native and, unless a managed identity is asked for, one of azuread.
    Physical names are the same on every run. Every child's logical name stays what it is, or gets an alias.
    """

    storage_account: pulumi.Output[str]
    """The account's name."""
    container: pulumi.Output[str]
    """The container's name."""
    container_uri: pulumi.Output[str]
    """`https://<account>.blob.core.windows.net/<container>`."""
    resource_group: pulumi.Output[str]
    """The resource group's name."""
    tenant_id: pulumi.Output[str]
    """The tenant's id."""
    client_id: pulumi.Output[str]
    """The client id (application id) that is handed over. A re-created identity has another one."""
    principal_id: pulumi.Output[str]
    """The object id of the service principal that the role is assigned to."""
    key_vault_key: str | None
    """The key that recordings are encrypted with; None where Microsoft's own keys are used."""
    recording_storage: pulumi.Output[dict[str, str]]
    """The object for `properties.recording_storage` of `POST /v2/conversations`."""
    conversation_properties: pulumi.Output[dict[str, Any]]
    """The whole `properties` of a conversation that may be recorded."""

    def __init__(
        self, name: str, args: AzureBlobDestinationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        settings = _storage_settings(name, args)
        adopted, opts = _adopted(args, settings, opts)
        expiring, refusing = _expiring(name, args)
        super().__init__(TYPE, name, adopted | expiring, pulumi.ResourceOptions.merge(opts, refusing))
        keeping = Keeping(self, args.get("on_destroy", PROTECT))
        trusted = pulumi.ResourceOptions(
            parent=self, protect=keeping.on_destroy == PROTECT and not args.get("existing")
        )
        storage = (
            existing_storage(settings, self)
            if args.get("existing")
            else make_storage(name, settings, keeping)
        )
        identity = self._identity(name, args, storage, trusted)
        write = assign(
            f"{name}-writer",
            scope=storage.container_id,
            role=WRITER_ROLE,
            principal_id=identity.principal_id,
            principal_type="ServicePrincipal",
            subscription=args["subscription"],
            opts=trusted,
        )
        self._let_read(name, args, storage)

        self.storage_account, self.container = storage.account, storage.container
        self.container_uri = pulumi.Output.concat(
            "https://", storage.account, ".blob.core.windows.net/", storage.container
        )
        self.resource_group = storage.group
        self.tenant_id = pulumi.Output.from_input(args["tenant"])
        # Handed over once the service may write: who reads the output may record at once.
        self.client_id = pulumi.Output.all(identity.client_id, identity.ready, write.id).apply(
            lambda known: known[0]
        )
        self.principal_id = identity.principal_id
        self.key_vault_key = args.get("key_vault_key")
        self.recording_storage = pulumi.Output.all(
            storage.account, storage.container, args["tenant"], self.client_id
        ).apply(lambda known: sound(contract.azure_blob_recording_storage(*known)))
        self.conversation_properties = self.recording_storage.apply(contract.conversation_properties)
        self.register_outputs(
            {
                "storageAccount": self.storage_account,
                "container": self.container,
                "containerUri": self.container_uri,
                "resourceGroup": self.resource_group,
                "tenantId": self.tenant_id,
                "clientId": self.client_id,
                "principalId": self.principal_id,
                "keyVaultKey": self.key_vault_key,
                "recordingStorage": self.recording_storage,
                "conversationProperties": self.conversation_properties,
            }
        )

    def _identity(
        self, name: str, args: AzureBlobDestinationArgs, storage: Storage, opts: pulumi.ResourceOptions
    ) -> Identity:
        scope = naming.Scope(pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())
        settings = IdentitySettings(
            trust=effective_azure_blob(args.get("trust_profile", {})),
            workspace_id=args["workspace_id"],
            display_name=args.get("identity_name") or naming.azure_identity(scope, name, *_place(args)),
            application_client_id=args.get("application_client_id"),
            adopted_application=args.get("adopt_application"),
            adopted_credential=args.get("adopt_credential"),
            resource_group=storage.group,
            location=args["location"],
            tags=args.get("tags", {}),
        )
        if args.get("identity", APPLICATION) == MANAGED_IDENTITY:
            return make_managed_identity(name, settings, opts)
        return make_application(name, settings, opts)

    def _let_read(self, name: str, args: AzureBlobDestinationArgs, storage: Storage) -> None:
        # Not protected: whoever is taken off the list must lose access.
        opts = pulumi.ResourceOptions(parent=self)
        for reader in args.get("readers", ()):
            principal_type, object_id = azure.reader(reader)
            assign(
                f"{name}-reader-{object_id}",
                scope=storage.container_id,
                role=READER_ROLE,
                principal_id=object_id,
                principal_type=principal_type,
                subscription=args["subscription"],
                opts=opts,
            )


def _adopted(
    args: AzureBlobDestinationArgs, storage: AccountSettings, opts: pulumi.ResourceOptions | None
) -> tuple[dict[str, str], pulumi.ResourceOptions | None]:
    """The component's inputs, which say what it adopts, and its options, which see to it that this is what it has."""
    application = args.get("adopt_application")
    told: dict[str, str] = {}
    if storage.adopted:
        told["adopt"] = storage.account_id
        names = {
            "storageAccount": storage.account,
            "resourceGroup": storage.resource_group,
            "container": storage.container,
        }
        the_same = adoption.still_the_same("adopt", storage.account_id, names)
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=the_same))
    if application:
        told["adoptApplication"] = application
        the_same = adoption.still_the_same(ADOPT, application, {"clientId": application})
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=the_same))
    return told, opts


def _expiring(name: str, args: AzureBlobDestinationArgs) -> tuple[dict[str, str], pulumi.ResourceOptions]:
    """Stop a retention from being taken away while its rule would stay behind, and recordings go on expiring.

    The component's inputs say that the rule is retained, so one without a retention is changed by that.
    """
    if args.get("existing"):
        return {}, pulumi.ResourceOptions()
    if "retention_days" in args:
        return ({_RULE: RETAIN} if args.get("on_destroy") == RETAIN else {}), pulumi.ResourceOptions()

    def refuse(hook: pulumi.ResourceHookArgs) -> None:
        if (hook.old_inputs or {}).get(_RULE) == RETAIN:
            raise ValueError(
                "retention_days: under on_destroy: retain its rule would stay in the account without it, and "
                "recordings would go on expiring. Write on_destroy: protect and run `pulumi up`; then remove "
                "retention_days"
            )

    in_previews = pulumi.ResourceHookOptions(on_dry_run=True)
    hook = pulumi.ResourceHook(f"{name} expires no more", refuse, in_previews)
    return {}, pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook]))


def _place(args: AzureBlobDestinationArgs) -> tuple[str, str]:
    """Subscription and location, as the names are made from them."""
    return args["subscription"].lower(), args["location"]


def _storage_settings(name: str, args: AzureBlobDestinationArgs) -> AccountSettings:
    scope = naming.Scope(pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())
    place = _place(args)
    return AccountSettings(
        subscription=args["subscription"],
        resource_group=args.get("resource_group") or naming.resource_group(scope, name, *place),
        existing_resource_group=args.get("existing_resource_group", False),
        location=args["location"],
        account=args.get("storage_account") or naming.storage_account(scope, name, *place),
        container=args.get("container", CONTAINER),
        redundancy=args.get("redundancy", "LRS"),
        tags=args.get("tags", {}),
        retention_days=args.get("retention_days"),
        key=args.get("key_vault_key"),
        adopted=args.get("adopt", False),
    )


def azure_provider(tenant: str, subscription: str) -> pulumi_azure_native.Provider:
    """The provider for one subscription, with the ambient credential."""
    import pulumi_azure_native

    return pulumi_azure_native.Provider(
        f"azure-{subscription}", tenant_id=tenant, subscription_id=subscription
    )


def directory_provider(tenant: str) -> pulumi_azuread.Provider:
    """The provider for one tenant's directory, with the ambient credential."""
    import pulumi_azuread

    return pulumi_azuread.Provider(f"azuread-{tenant}", tenant_id=tenant)
