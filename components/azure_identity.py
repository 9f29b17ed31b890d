"""As whom the recording service writes to Azure: an application in Entra, or a managed identity, and whom it trusts.

A token of the recording service's issuer, with the customer's Workspace ID as its subject, is exchanged at Entra for
one of the application's own: no secret on either side. Left out: what the identity may do (`azure_blob`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi

from components.azure_retries import on_replication

if TYPE_CHECKING:
    from components.trust import AzureBlobTrust

CREDENTIAL: Final = "recording-service"


@dataclass(frozen=True)
class IdentitySettings:
    """What is asked of the trust."""

    trust: AzureBlobTrust
    workspace_id: str
    display_name: str
    application_client_id: str | None
    resource_group: pulumi.Input[str]
    location: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Identity:
    """The trust as it is made. `ready` is known once the service's tokens are accepted."""

    client_id: pulumi.Output[str]
    principal_id: pulumi.Output[str]
    """The object id of the service principal, which roles are assigned to: not the application's."""
    ready: pulumi.Output[str]


def make_application(name: str, settings: IdentitySettings, opts: pulumi.ResourceOptions) -> Identity:
    """An application (or the given one), its service principal, and the federated credential."""
    import pulumi_azuread as azuread

    if settings.application_client_id:
        looked_up = pulumi.InvokeOutputOptions(parent=opts.parent)
        client_id = pulumi.Output.from_input(settings.application_client_id)
        application_id = azuread.get_application_output(client_id=client_id, opts=looked_up).id
        principal_id = azuread.get_service_principal_output(client_id=client_id, opts=looked_up).object_id
    else:
        application = azuread.Application(
            f"{name}-application",
            display_name=settings.display_name,
            description=f"The recording service writes to {name} as this",
            sign_in_audience="AzureADMyOrg",
            opts=opts,
        )
        application_id, client_id = application.id, application.client_id
        principal_id = azuread.ServicePrincipal(
            f"{name}-service-principal", client_id=client_id, opts=_retried(f"{name}-service-principal", opts)
        ).object_id
    credential = azuread.ApplicationFederatedIdentityCredential(
        f"{name}-federated-credential",
        application_id=application_id,
        display_name=CREDENTIAL,
        description="The recording service's tokens for one workspace",
        issuer=settings.trust.issuer,
        subject=settings.workspace_id,
        audiences=[settings.trust.audience],
        opts=_retried(f"{name}-federated-credential", opts),
    )
    return Identity(client_id, principal_id, credential.id)


def make_managed_identity(name: str, settings: IdentitySettings, opts: pulumi.ResourceOptions) -> Identity:
    """A user-assigned managed identity and its federated credential."""
    import pulumi_azure_native as azure

    identity = azure.managedidentity.UserAssignedIdentity(
        f"{name}-identity",
        resource_name_=settings.display_name,
        resource_group_name=settings.resource_group,
        location=settings.location,
        tags=settings.tags,
        opts=opts,
    )
    credential = azure.managedidentity.FederatedIdentityCredential(
        f"{name}-federated-credential",
        resource_name_=identity.name,
        resource_group_name=settings.resource_group,
        federated_identity_credential_resource_name=CREDENTIAL,
        issuer=settings.trust.issuer,
        subject=settings.workspace_id,
        audiences=[settings.trust.audience],
        opts=_retried(f"{name}-federated-credential", opts),
    )
    return Identity(identity.client_id, identity.principal_id, credential.id)


def _retried(name: str, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=on_replication(name)))
