"""As whom the recording service writes to Azure: an application in Entra, or a managed identity, and whom it trusts.

A token of the recording service's issuer, with the customer's Workspace ID as its subject, is exchanged at Entra for
one of the application's own: no secret on either side. Left out: what the identity may do (`azure_blob`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi

from components import adoption
from components.azure_federation import (
    CREDENTIAL,
    CREDENTIAL_DESCRIPTION,
    SIGN_IN_AUDIENCE,
    application_description,
)
from components.azure_retries import on_replication

if TYPE_CHECKING:
    from components.trust import AzureBlobTrust

ADOPT: Final = "adopt_application"


@dataclass(frozen=True)
class IdentitySettings:
    """What is asked of the trust.

    `adopted_application` is the client id of an application that exists and comes under management, with its service
    principal; `adopted_credential` the id of its federated credential, where that exists too.
    """

    trust: AzureBlobTrust
    workspace_id: str
    display_name: str
    application_client_id: str | None
    adopted_application: str | None
    adopted_credential: str | None
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

    there = _look_up(settings, opts)
    if settings.application_client_id:
        looked_up = pulumi.InvokeOutputOptions(parent=opts.parent)
        client_id = pulumi.Output.from_input(settings.application_client_id)
        application_id = azuread.get_application_output(client_id=client_id, opts=looked_up).id
        principal_id = azuread.get_service_principal_output(client_id=client_id, opts=looked_up).object_id
    else:
        application = azuread.Application(
            f"{name}-application",
            display_name=settings.display_name,
            description=application_description(name),
            sign_in_audience=SIGN_IN_AUDIENCE,
            # A run that was interrupted may have made one that the stack doesn't know: the next doesn't make another.
            # That is a matter of its creation only.
            prevent_duplicate_names=None if there.application else True,
            opts=pulumi.ResourceOptions.merge(
                _taken_over(opts, there.application),
                pulumi.ResourceOptions(ignore_changes=["preventDuplicateNames"]),
            ),
        )
        application_id, client_id = application.id, application.client_id
        principal_id = azuread.ServicePrincipal(
            f"{name}-service-principal",
            client_id=client_id,
            account_enabled=True,
            opts=_taken_over(_retried(f"{name}-service-principal", opts), there.service_principal),
        ).object_id
    credential = azuread.ApplicationFederatedIdentityCredential(
        f"{name}-federated-credential",
        application_id=application_id,
        display_name=CREDENTIAL,
        description=CREDENTIAL_DESCRIPTION,
        issuer=settings.trust.issuer,
        subject=settings.workspace_id,
        audiences=[settings.trust.audience],
        opts=_taken_over(_retried(f"{name}-federated-credential", opts), there.credential),
    )
    return Identity(client_id, principal_id, credential.id)


@dataclass(frozen=True)
class _There:
    """The import ids of what exists and is taken over; None for what is made."""

    application: str | None = None
    service_principal: str | None = None
    credential: str | None = None


def _look_up(settings: IdentitySettings, opts: pulumi.ResourceOptions) -> _There:
    """Find what is taken over, at once: an import's id must be known before anything is registered.

    A restored application may have lost its service principal, which is made then.
    """
    import pulumi_azuread as azuread

    client_id = settings.adopted_application
    if not client_id:
        return _There()
    looked_up = pulumi.InvokeOptions(parent=opts.parent)
    try:
        object_id = azuread.get_application(client_id=client_id, opts=looked_up).object_id
        principals = azuread.get_service_principals(
            client_ids=[client_id], ignore_missing=True, opts=looked_up
        ).object_ids
    except Exception as error:  # a provider's error has no type of its own
        raise pulumi.RunError(f"{ADOPT}: the application {client_id} can't be looked up: {error}") from error
    own = settings.adopted_credential
    return _There(
        application=f"/applications/{object_id}",
        service_principal=f"/servicePrincipals/{principals[0]}" if principals else None,
        credential=f"{object_id}/federatedIdentityCredential/{own}" if own else None,
    )


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


def _taken_over(opts: pulumi.ResourceOptions, adopted: str | None) -> pulumi.ResourceOptions:
    """The options of what is imported as `adopted`, and of what is made where that is None.

    It is left as it is while the setting is written: neither changed, nor deleted in favour of another one.
    """
    if adopted is None:
        return opts
    return pulumi.ResourceOptions.merge(
        opts,
        pulumi.ResourceOptions(
            import_=adopted,
            retain_on_delete=True,
            hooks=adoption.unchanged(adopted, ADOPT, is_exact=True),
        ),
    )
