"""Rehearse destinations on Azure Blob Storage: recorder, owner and intruder at work, and what their attempts mean."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from components.azure_blob_settings import MANAGED_IDENTITY
from components.gcp import LONGEST_SUBJECT
from components.trust import AZURE_BLOB_PROFILE, overridden
from recording_storage.rehearsal.azure_blob_assumed import OTHER_CLIENT, Assumed, is_playable
from recording_storage.rehearsal.azure_blob_words import MENDS, made
from recording_storage.rehearsal.child import ChildError
from recording_storage.rehearsal.playing import (
    CONVERSATION,
    PROTECTION,
    asked,
    issuer_variable,
    overrides,
    result,
    start,
)
from recording_storage.results import Made, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from components.azure_blob_settings import AzureBlobDestination
    from components.settings import Settings
    from recording_storage.sandbox import Sandbox
    from recording_storage.sandbox.issuer import Issuer

OTHER_AUDIENCE = "api://another-audience"
LIFETIME = 600
STORAGE = "https://storage.azure.com"
NEEDS = "the service needs Storage Blob Data Contributor on the container, and nothing else"
CERTAINTIES = {"B": "seen in public repositories", "C": "derived"}
"""What a certainty is called, for people."""


class AzureBlobStage:
    """A stack's destinations on Azure Blob Storage, played through."""

    title = "Azure Blob Storage"

    def __init__(self, sandbox: Sandbox, settings: Settings, folder: Path) -> None:
        del folder
        self._sandbox = sandbox
        self._trust = settings.azure_blob_trust
        self._overridden = overridden(AZURE_BLOB_PROFILE, {**settings.trust_profile.azure_blob.overrides})
        self._assumed = Assumed(settings)
        self._destinations = self._assumed.destinations

    def expect(self) -> None:
        self._sandbox.expect_azure_owner(self._assumed.deployer)
        self._sandbox.issuers.add(self._trust.issuer)

    def prepare(self) -> None:
        from recording_storage.sandbox.azure import azurite

        try:
            azurite.command()
        except azurite.NotInstalled as missing:
            raise ChildError(str(missing)) from None
        self._sandbox.azure.blob.warm()
        for issuer in (self._trust.issuer, self._assumed.other_issuer):
            self._sandbox.issuers.add(issuer)
        self._assumed.make(self._sandbox.azure)

    def owner(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        return self._assumed.deployer.files(environment)

    def auditor(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        return self.owner(environment)

    def guest(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        if not self._destinations and find_spec("jwt") is None:
            return {}  # nobody has asked for Azure, and without this nobody can be anybody there
        issuer = issuer_variable(environment, self._trust.issuer, is_used=bool(self._destinations))
        return self._assumed.deployer.files(environment) | issuer

    def start_players(self, cast: ExitStack) -> None:
        recorder = self._sandbox.environment("azure-blob-recorder", {})
        self._recorder = start("recorder", "azure_blob", recorder, cast)
        intruder = self._sandbox.environment("azure-blob-intruder", {})
        intruder |= self._assumed.deployer.files(intruder)
        self._intruder = start("intruder", "azure_blob", intruder, cast)

    def made(self, name: str, events: list[dict[str, Any]]) -> tuple[Made, ...]:
        destination = self._destinations[name]
        given = [Made("key", destination.key_vault_key, ("given",))] if destination.key_vault_key else []
        if destination.existing:
            left = ("existing, left as it is",)
            given.append(Made("storage account", destination.storage_account or "", left))
            given.append(Made("container", destination.container, left))
        own = made(name, events, PROTECTION[destination.on_destroy])
        named = (replace(one, name=one.name or destination.application_client_id or "") for one in own)
        return (*given, *named)

    def to_do(self, outputs: Mapping[str, Any]) -> tuple[str, ...]:
        del outputs
        return ()

    def unproven(self, name: str) -> tuple[str, ...]:
        destination = self._destinations[name]
        unplayed = [one for one in destination.readers if not is_playable(one)]
        there = destination.application_client_id or destination.adopt_application
        registers = destination.identity != MANAGED_IDENTITY and not there
        assumed = {
            "that the owner may register applications": registers,
            "that the readers exist": destination.readers,
            f"that {', '.join(unplayed)} can read, whom nobody can be here": unplayed,
            "that the application exists, with a service principal, and what else it trusts": (
                destination.application_client_id
            ),
            "that the application exists, set as the configuration asks for, that the owner may manage it, and what "
            "else it trusts": destination.adopt_application,
            "that the key exists and is enabled, in a vault where roles decide, and that the owner may assign them": (
                destination.key_vault_key
            ),
            "that the resource group exists": destination.existing_resource_group or destination.existing,
            "that account and container exist, are versioned and private, and what else their owner has set on them": (
                destination.existing
            ),
            "that the storage exists, set as the configuration asks for": destination.adopt,
        }
        return (
            "Azure Policy, conditional access for workload identities",
            "propagation delay",
            f"that the tenant {destination.tenant} and its subscription {destination.subscription} exist, and that "
            "the owner may assign roles there",
            self._derived(),
            *(what for what, named in assumed.items() if named),
        )

    def record(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Result]:
        for step in asked(self._sandbox, self._recorder, self._job(name, outputs)):
            yield result(name, step, MENDS)

    def play(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Result]:
        yield from overrides(name, self._overridden)
        job, left = self._job(name, outputs), dict[str, str]()
        for step in asked(self._sandbox, self._recorder, job):
            left |= step["left"]
            yield result(name, step, MENDS)
        misuse = self._misuse(self._destinations[name], job, self._service) | left
        for step in asked(self._sandbox, self._intruder, misuse):
            yield result(name, step, MENDS)

    @property
    def _service(self) -> _Service:
        return _Service(self._sandbox.issuers.add(self._trust.issuer), self._trust.audience)

    def _job(self, name: str, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """What the recorder is told."""
        return {
            "provider": "azure_blob",
            "recording_storage": outputs["recording_storage"],
            "token": self._service.token(self._destinations[name].workspace_id),
            "conversation_id": CONVERSATION,
        }

    def _misuse(
        self, destination: AzureBlobDestination, job: Mapping[str, Any], service: _Service
    ) -> dict[str, Any]:
        azure, storage = self._sandbox.azure, job["recording_storage"]
        account, container = storage["storage_account"], storage["container"]
        return {
            "provider": "azure_blob",
            "recording_storage": storage,
            "subscription": destination.subscription.lower(),
            "token": job["token"],
            "other_tokens": list(self._other_tokens(destination, service)),
            "object": f"{CONVERSATION}/recording.mp4",
            "sha256": "",
            "old_object": "",
            "old_version": "",
            "other_container": self._assumed.other_container(azure, account),
            "other_account": self._assumed.other_account(azure, account, container),
            "is_made": not destination.existing,
            "readers": list(self._readers(destination)),
        }

    def _other_tokens(self, destination: AzureBlobDestination, service: _Service) -> Iterator[dict[str, Any]]:
        """Attempts to get in that differ from the recorder's in one thing, and must be refused."""
        own, issuers, url = destination.workspace_id, self._sandbox.issuers, self._trust.issuer
        another = f"not-{own}".encode()[:LONGEST_SUBJECT].decode(errors="ignore")
        with_slash = not url.endswith("/")
        url = f"{url}/" if with_slash else url.rstrip("/")
        slash = "with" if with_slash else "without"
        right = service.token(own)
        elsewhere = replace(service, issuer=issuers.add(self._assumed.other_issuer))
        slashed = replace(service, issuer=issuers.add(url))
        tenant, client = {"tenant_id": self._assumed.other_tenant}, {"client_id": OTHER_CLIENT}
        table: tuple[tuple[str, str, str, dict[str, str]], ...] = (
            ("another-workspace", "another workspace", service.token(another), {}),
            ("workspace-in-another-case", f'workspace "{own.swapcase()}"', service.token(own.swapcase()), {}),
            ("another-issuer", "another issuer", elsewhere.token(own), {}),
            (f"issuer-{slash}-slash", f"issuer {slash} a slash at its end", slashed.token(own), {}),
            ("another-key", "another key", service.token(own, forged=True), {}),
            (
                "another-audience",
                "another audience",
                replace(service, audience=OTHER_AUDIENCE).token(own),
                {},
            ),
            ("expired", "expired token", service.token(own, age=2 * LIFETIME), {}),
            ("another-tenant", "another tenant", right, tenant),
            ("another-client", "another client id", right, client),
        )
        for id_, title, token, other in table:
            if id_ != "workspace-in-another-case" or own.swapcase() != own:
                yield {"id": f"refused.{id_}", "title": title, "token": token, "other": other}

    def _readers(self, destination: AzureBlobDestination) -> Iterator[dict[str, Any]]:
        for number, member in enumerate(destination.readers, 1):
            who = self._assumed.reader(member, destination)
            if who is not None:
                token = self._sandbox.azure.tokens.issue(who, STORAGE)
                yield {"number": number, "member": member, "token": token}

    def _derived(self) -> str:
        """What is assumed of the vendor, whose own text doesn't say so; each with how sure it is."""
        ours = {one.constant.name for one in self._overridden}
        assumed = [
            f"that {one.meaning or f'the {one.name} is {one.value}'} ({CERTAINTIES[one.certainty]})"
            for one in AZURE_BLOB_PROFILE
            if one.certainty != "A" and one.name not in ours
        ]
        assumed.append(f"that {NEEDS} ({CERTAINTIES['B']})")
        return f"{' and '.join(assumed)}: none of it confirmed by the vendor"


@dataclass(frozen=True)
class _Service:
    """The recording service as it presents itself to a destination."""

    issuer: Issuer
    audience: str

    def token(self, workspace_id: str, *, forged: bool = False, age: int = 0) -> str:
        """A token for a workspace, made `age` seconds ago."""
        made_ = int(time.time()) - age
        return self.issuer.mint(
            workspace_id, self.audience, LIFETIME, forged=forged, iat=made_, exp=made_ + LIFETIME
        )
