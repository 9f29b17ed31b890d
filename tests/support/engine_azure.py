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
OTHER_ISSUER = "https://recordings.example.com"
RECORDED = ("versions", "body")
STORAGE = "https://storage.azure.com/"
ARM = "https://management.azure.com"
OBSERVER = "77777777-7777-4777-8777-777777777777"
VERSION = {"x-ms-version": "2024-11-04"}


class AzureRecordings:
    """A destination as the stack hands it over, with a recording in it."""

    def __init__(self, house: AzureHouse, outputs: Mapping[str, Any]) -> None:
        self._house = house
        self.account, self.group = str(outputs["storage_account"]), str(outputs["resource_group"])
        self.container, self.client_id = str(outputs["container"]), str(outputs["client_id"])
        self._handed_over = outputs["recording_storage"]
        self.record()
        self._storage = self._found()

    def record(self) -> None:
        """Write as the recording service does, with nothing but what the stack hands over."""
        answer = self._house.try_to_record(self._handed_over)
        assert answer.ok, answer.text

    def assert_storage_kept(self) -> None:
        assert self._found() == self._storage

    def assert_recordings_kept(self) -> None:
        now = self._found()
        assert [now[name] for name in RECORDED] == [self._storage[name] for name in RECORDED]

    def assert_lives(self) -> None:
        self.assert_storage_kept()
        self.record()
        self._storage = self._found()

    def assert_retained(self) -> None:
        self.assert_storage_kept()
        self._assert_trust_is_gone()

    def assert_gone(self) -> None:
        world = self._house.sandbox.azure.world
        assert world.storage_account(self.account) is None
        assert self.group not in {one.name for one in self._house.subscription.groups.values()}
        self._assert_trust_is_gone()

    def _found(self) -> dict[str, Any]:
        return self._house.storage(self.account, self.container)

    def _assert_trust_is_gone(self) -> None:
        answer = self._house.try_to_record(self._handed_over)
        assert answer.status_code in (400, 401), answer.text
        assert "AADSTS700016" in answer.text  # there is no such application


class AzureHouse(House[AzureRecordings]):
    """The house in an Azure subscription of a sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        owner = Owner(TENANT, SUBSCRIPTION)
        for issuer in (ISSUER, OTHER_ISSUER):
            sandbox.issuers.add(issuer)
        self.present()
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
        acting = occasion.acting_as(application, tenant)
        self.owner = Web(environment, tokens.issue(acting, f"{ARM}/"))
        self.graph = Web(environment, tokens.issue(acting, "https://graph.microsoft.com"))
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

    def present(self, **constants: Any) -> None:
        self._presented = constants

    def given(self) -> dict[str, str]:
        world, tenant = self.sandbox.azure.world, self.subscription.tenant
        vault = occasion.vault(world, occasion.resource_group(self.subscription, "keys"), "acmekeys")
        keys = {name: occasion.key(world, vault, name.replace("_", "-")).id for name in ("key_a", "key_b")}
        return {**keys, "application": occasion.application(world, tenant, "given").app_id}

    def token(self) -> str:
        """A token as the recording service presents it."""
        said = self._presented
        issuer = self.sandbox.issuers.get(str(said.get("issuer", ISSUER)))
        assert issuer is not None
        return issuer.mint(str(said.get("workspace_id", WORKSPACE)), str(said.get("audience", AUDIENCE)))

    def storage(self, account: str, container: str = "recordings") -> dict[str, Any]:
        """The account's recordings, and every setting that protects it; fails where it is gone."""
        found = self.sandbox.azure.world.storage_account(account)
        assert found is not None, f"{account} is gone"
        url = f"https://{account}.blob.core.windows.net/{container}"
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
        anybody = Web(self.owner.environment)
        exchanged = anybody.ask(
            "POST",
            f"https://login.microsoftonline.com/{destination['tenant_id']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": destination["client_id"],
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self.token(),
                "scope": f"{STORAGE}.default",
            },
        )
        if not exchanged.ok:
            return exchanged
        writer = Web(self.owner.environment, exchanged.json()["access_token"])
        place = f"{destination['storage_account']}.blob.core.windows.net/{destination['container']}"
        headers = VERSION | {"x-ms-blob-type": "BlockBlob", "Content-Type": "video/mp4"}
        return writer.ask("PUT", f"https://{place}/{KEY}", data=RECORDING, headers=headers)
