"""Entra's objects through Microsoft Graph: as whom the recording service comes in, and what a team adds.

Leaves out every type that no destination needs; a program that registers one is told so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.resources import Properties, UnsupportedError
from recording_storage.resources.azuread import applications
from recording_storage.resources.azuread.objects import Clients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.resources import ResourceType


class AzureadProvider:
    """The package `azuread`."""

    types: Mapping[str, ResourceType] = {
        "azuread:index/application:Application": applications.APPLICATION,
        "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential": (
            applications.CREDENTIAL
        ),
        "azuread:index/servicePrincipal:ServicePrincipal": applications.SERVICE_PRINCIPAL,
    }

    def configure(self, config: Properties) -> Clients:
        return Clients(config)

    def invoke(self, clients: Clients, token: str, args: Properties) -> Properties:
        function = FUNCTIONS.get(token)
        if function is None:
            raise UnsupportedError(f"the function {token}")
        return function(clients, args)


FUNCTIONS: Mapping[str, Callable[[Clients, Properties], Properties]] = {
    "azuread:index/getApplication:getApplication": applications.get_application,
    "azuread:index/getClientConfig:getClientConfig": applications.get_client_config,
    "azuread:index/getServicePrincipal:getServicePrincipal": applications.get_service_principal,
}
