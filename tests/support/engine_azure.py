"""The owner's Azure subscription under the real Pulumi engine: what is in it, and how a recording gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import occasion
from recording_storage.sandbox.azure.owner import Owner
from recording_storage.sandbox.azure.principals import Principal
from tests.support.engine import KEY, RECORDING, House
from tests.support.web import Web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import requests

    from recording_storage.sandbox import Sandbox

TENANT, SUBSCRIPTION = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ISSUER, WORKSPACE = "https://recording-copy.tavus.io", "w-acme"
AUDIENCE = "api://AzureADTokenExchange"
STORAGE = "https://storage.azure.com/"
ARM = "https://management.azure.com"
OBSERVER = "77777777-7777-4777-8777-777777777777"
VERSION = {"x-ms-version": "2024-11-04"}


class AzureRecordings:
    """A destination as the stack hands it over, with a recording in it."""

    def __init__(self, house: AzureHouse, outputs: Mapping[str, Any]) -> None:
        self._house = house
        self.account, self.group = str(outputs["storage_account"]), str(outputs["resource_group"])
        self.client_id = str(outputs["client_id"])
        self._handed_over = outputs["recording_storage"]
        self.record()
        self._storage = house.storage(self.account)

    def record(self) -> None:
        """Write as the recording service does, with nothing but what the stack hands over."""
        answer = self._house.try_to_record(self._handed_over)
        assert answer.ok, answer.text

    def assert_storage_kept(self) -> None:
        assert self._house.storage(self.account) == self._storage

    def assert_lives(self) -> None:
        self.assert_storage_kept()
        self.record()
        self._storage = self._house.storage(self.account)

    def assert_retained(self) -> None:
        self.assert_storage_kept()
        self._assert_trust_is_gone()

    def assert_gone(self) -> None:
        world = self._house.sandbox.azure.world
        assert world.storage_account(self.account) is None
        assert self.group not in {one.name for one in self._house.subscription.groups.values()}
        self._assert_trust_is_gone()

    def _assert_trust_is_gone(self) -> None:
        answer = self._house.try_to_record(self._handed_over)
        assert answer.status_code in (400, 401), answer.text
        assert "AADSTS700016" in answer.text  # there is no such application


class AzureHouse(House[AzureRecordings]):
    """The house in an Azure subscription of a sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        owner = Owner(TENANT, SUBSCRIPTION)
        sandbox.issuers.add(ISSUER)
        sandbox.azure.admit(owner)
        self.sandbox = sandbox
        self.subscription = occasion.subscription(sandbox.azure.world, SUBSCRIPTION, TENANT)
        tenant = self.subscription.tenant
        occasion.service_principal(sandbox.azure.world, tenant, OBSERVER, "observer")
        occasion.assign(sandbox.azure.world, "Storage Blob Data Reader", OBSERVER, self.subscription.scope)
        environment = sandbox.environment("owner", {})
        environment |= owner.files(environment)
        tokens = sandbox.azure.tokens
        self.observer = Web(environment, tokens.issue(Principal(OBSERVER, OBSERVER, TENANT), STORAGE))
        application = tenant.directory.application(owner.client_id)
        assert application is not None
        self.owner = Web(environment, tokens.issue(occasion.acting_as(application, tenant), f"{ARM}/"))
        defaults = {
            "provider": "azure_blob",
            "tenant": TENANT,
            "subscription": SUBSCRIPTION,
            "location": "westeurope",
            "workspace_id": WORKSPACE,
        }
        super().__init__(environment, folder, defaults=defaults)

    def inhabit(self, outputs: Mapping[str, Any]) -> AzureRecordings:
        return AzureRecordings(self, outputs)

    def storage(self, account: str) -> dict[str, Any]:
        """The account's recordings, and every setting that protects it; fails where it is gone."""
        found = self.sandbox.azure.world.storage_account(account)
        assert found is not None, f"{account} is gone"
        url = f"https://{account}.blob.core.windows.net/recordings"
        listed = self.observer.ask(
            "GET", f"{url}?restype=container&comp=list&include=versions", headers=VERSION
        )
        names = [line.split("<")[0] for line in listed.text.split("<VersionId>")[1:]]
        settings = self.owner.get(f"{ARM}{found.id}", **{"api-version": "2024-01-01"})
        service = self.owner.get(f"{ARM}{found.id}/blobServices/default", **{"api-version": "2024-01-01"})
        return {
            "versions": names,
            "body": self.observer.ask("GET", f"{url}/{KEY}", headers=VERSION).content,
            "properties": settings["properties"],
            "service": service["properties"],
            "tags": settings.get("tags"),
        }

    def try_to_record(self, destination: Mapping[str, str]) -> requests.Response:
        """Exchange a token, write; the answer at which it ended."""
        issuer = self.sandbox.issuers.get(ISSUER)
        assert issuer is not None
        anybody = Web(self.owner.environment)
        exchanged = anybody.ask(
            "POST",
            f"https://login.microsoftonline.com/{destination['tenant_id']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": destination["client_id"],
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": issuer.mint(WORKSPACE, AUDIENCE),
                "scope": f"{STORAGE}.default",
            },
        )
        if not exchanged.ok:
            return exchanged
        writer = Web(self.owner.environment, exchanged.json()["access_token"])
        place = f"{destination['storage_account']}.blob.core.windows.net/{destination['container']}"
        headers = VERSION | {"x-ms-blob-type": "BlockBlob", "Content-Type": "video/mp4"}
        return writer.ask("PUT", f"https://{place}/{KEY}", data=RECORDING, headers=headers)
