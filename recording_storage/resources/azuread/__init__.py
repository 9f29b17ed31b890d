"""Entra's objects through Microsoft Graph: as whom the recording service comes in, and what a team adds.

Leaves out every type that no destination needs; a program that registers one is told so.
"""

from __future__ import annotations

from recording_storage.resources import Provider
from recording_storage.resources.azuread import applications
from recording_storage.resources.azuread.objects import Clients

PROVIDER = Provider(
    types={
        "azuread:index/application:Application": applications.APPLICATION,
        "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential": (
            applications.CREDENTIAL
        ),
        "azuread:index/servicePrincipal:ServicePrincipal": applications.SERVICE_PRINCIPAL,
    },
    functions={
        "azuread:index/getApplication:getApplication": applications.get_application,
        "azuread:index/getClientConfig:getClientConfig": applications.get_client_config,
        "azuread:index/getServicePrincipal:getServicePrincipal": applications.get_service_principal,
        "azuread:index/getServicePrincipals:getServicePrincipals": applications.get_service_principals,
    },
    configure=Clients,
)
