"""The owner of a destination on Azure Blob Storage: finds what the recorder's identifiers are of, and locks up.

The credential is the one that a pod or a pipeline has (workload identity), as azure-identity finds it.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import requests
from azure.identity import WorkloadIdentityCredential

from recording_storage.steps import UnexpectedError

if TYPE_CHECKING:
    from collections.abc import Generator

ARM, GRAPH = "https://management.azure.com", "https://graph.microsoft.com"
ARM_SCOPE = f"{ARM}/.default"
STORAGE_VERSION, IDENTITY_VERSION = "2024-01-01", "2023-01-31"
SAID = ("name", "issuer", "subject", "audiences", "description")
"""What is said of a federated credential when it is made."""
SECONDS = 60


@cache
def _credential(tenant: str) -> WorkloadIdentityCredential:
    """The owner's, who is known by one client id in every tenant."""
    return WorkloadIdentityCredential(tenant_id=tenant)


class Owner:
    """Who may do everything in the destination's subscription and directory."""

    def __init__(self, recording_storage: dict[str, str], subscription: str) -> None:
        self._storage = recording_storage
        self._subscription = f"{ARM}/subscriptions/{subscription}"
        self._held = _credential(recording_storage["tenant_id"])
        self._session = requests.Session()

    @cached_property
    def account(self) -> str:
        """The address of the storage account at Resource Manager."""
        name = self._storage["storage_account"]
        return self._find("Microsoft.Storage/storageAccounts", STORAGE_VERSION, "name", name)

    @cached_property
    def key(self) -> str:
        """A key of the storage account, which Azure lists whether or not it takes it."""
        said = self._ask("POST", f"{self.account}/listKeys?api-version={STORAGE_VERSION}", {})
        return said["keys"][0]["value"]

    @contextmanager
    def credentials_deleted(self) -> Generator[None]:
        """The identity has no federated credentials for the length of the block."""
        place, query = self._credentials
        kept: list[dict[str, Any]] = self._ask("GET", place + query)["value"]
        for one in kept:
            self._ask("DELETE", f"{place}/{one.get('id') if self._is_graphs(place) else one['name']}{query}")
        try:
            yield
        finally:
            for one in kept:
                self._restore(place, query, one)

    def _restore(self, place: str, query: str, one: dict[str, Any]) -> None:
        if self._is_graphs(place):
            self._ask("POST", place, {name: one[name] for name in SAID if one.get(name)})
        else:
            self._ask("PUT", f"{place}/{one['name']}{query}", {"properties": one["properties"]})

    @cached_property
    def _credentials(self) -> tuple[str, str]:
        """Where the identity's federated credentials are: an application's, or else a managed identity's."""
        client = self._storage["client_id"]
        place = f"{GRAPH}/v1.0/applications(appId='{client}')"
        if self._answer("GET", place).ok:
            return f"{place}/federatedIdentityCredentials", ""
        kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
        found = self._find(kind, IDENTITY_VERSION, "clientId", client)
        return f"{found}/federatedIdentityCredentials", f"?api-version={IDENTITY_VERSION}"

    def _find(self, kind: str, version: str, name: str, value: str) -> str:
        """The address of the one resource of the subscription of which this is said."""
        said = self._ask("GET", f"{self._subscription}/providers/{kind}?api-version={version}")
        for one in said["value"]:
            if value in (one.get(name), one["properties"].get(name)):
                return ARM + one["id"]
        raise UnexpectedError(f"the owner finds no {kind} with {name} {value}")

    def _is_graphs(self, place: str) -> bool:
        return place.startswith(GRAPH)

    def _ask(self, method: str, url: str, body: Any = None) -> dict[str, Any]:
        answer = self._answer(method, url, body)
        if not answer.ok:
            raise UnexpectedError(f"the owner's {method} {url}: {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else {}

    def _answer(self, method: str, url: str, body: Any = None) -> requests.Response:
        scope = f"{GRAPH if self._is_graphs(url) else ARM}/.default"
        headers = {"Authorization": f"Bearer {self._held.get_token(scope).token}"}
        return self._session.request(method, url, json=body, headers=headers, timeout=SECONDS)
