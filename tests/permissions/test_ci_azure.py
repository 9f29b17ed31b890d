"""The pipeline's identities on Azure: what the page asks for, a pipeline's tokens, and the toolkit under them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.azure import occasion
from recording_storage.sandbox.azure.owner import Owner
from recording_storage.sandbox.journal import Outcome
from tests.support.permissions import Life, filled, planned, provisioned, run
from tests.support.permissions_ci import BY_ID, BY_NAME, GITHUB, Repository, recorded, shell, verified
from tests.support.permissions_ci_azure import Administrator, answers
from tests.support.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recording_storage.plan import Plan
    from recording_storage.sandbox.azure.world import World
    from recording_storage.sandbox.issuer import Issuer
    from tests.support.permissions import Made

TENANT, SUBSCRIPTION = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
AUDIENCE = "api://AzureADTokenExchange"
READ, DEPLOY = "pipeline-acme-preview", "pipeline-acme-up"
PULL_REQUEST, MAIN, ENVIRONMENT = "pull_request", "ref:refs/heads/main", "environment:acme"
ARM, GRAPH = "https://management.azure.com", "https://graph.microsoft.com"
CALLS = {
    "provider": "azure_blob",
    "tenant": TENANT,
    "subscription": SUBSCRIPTION,
    "location": "westeurope",
    "workspace_id": "w-acme",
    "on_destroy": "delete",
}
SETTINGS: dict[str, Any] = {
    "destinations": {
        "calls": CALLS | {"retention_days": 90},
        "meetings": CALLS | {"identity": "managed_identity"},
    }
}


@dataclass
class Cloud:
    """A tenant and a subscription as their administrator leaves them after the page, and a pipeline with tokens."""

    sandbox: Sandbox
    repository: Repository
    owner: Owner = field(default_factory=lambda: Owner(TENANT, SUBSCRIPTION))
    jobs: int = 0

    def __post_init__(self) -> None:
        azure = self.sandbox.azure
        azure.admit(self.owner)
        tenant = occasion.subscription(azure.world, SUBSCRIPTION, TENANT).tenant
        application = tenant.directory.application(self.owner.client_id)
        assert application is not None
        acting = occasion.acting_as(application, tenant)
        self.environment = self.sandbox.environment("owner", {})
        graph, arm = (
            Web(self.environment, azure.tokens.issue(acting, place)) for place in (GRAPH, f"{ARM}/")
        )
        self.administrator = Administrator(graph, arm, tenant.directory)
        script = shell("Whom GitHub names", "Azure")
        self.administrator.carry_out(recorded(script, "az", self.repository, answers(READ, DEPLOY)))

    @property
    def issuer(self) -> Issuer:
        return self.sandbox.issuers.add(f"https://{GITHUB}")

    @property
    def world(self) -> World:
        return self.sandbox.azure.world

    def token(self, what: str, repository: Repository | None = None, **claims: Any) -> str:
        """What GitHub gives a job."""
        repository = repository or self.repository
        said: dict[str, Any] = repository.claims() | claims
        return self.issuer.mint(f"{repository.subject}:{what}", said.pop("audience", AUDIENCE), **said)

    def exchange(self, who: str, token: str, resource: str = ARM) -> str:
        """An access token of an application; raises `AssertionError` with what Entra said."""
        said = Web(self.environment).must(
            "POST",
            f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.administrator.ids[f"client:{who}"],
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": token,
                "scope": f"{resource}/.default",
            },
        )
        return said["access_token"]

    def job(self, who: str, token: str, folder: Path) -> dict[str, str]:
        """The environment of a job with a token in a file."""
        self.jobs += 1
        held = folder / f"token-{self.jobs}"
        held.write_text(token)
        client = self.administrator.ids[f"client:{who}"]
        return self.sandbox.environment(f"job-{self.jobs}", {}) | {
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": client,
            "AZURE_FEDERATED_TOKEN_FILE": str(held),
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com",
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "ARM_TENANT_ID": TENANT,
            "ARM_CLIENT_ID": client,
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "ARM_USE_OIDC": "true",
            "ARM_OIDC_TOKEN_FILE_PATH": str(held),
            "ARM_USE_CLI": "false",
            "ARM_USE_MSI": "false",
        }


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("repository", [BY_NAME, BY_ID], ids=["by name", "by id"])
def test_a_subject_becomes_one_identity_or_none(sandbox: Sandbox, repository: Repository) -> None:
    cloud = Cloud(sandbox, repository)
    for what, who in ((PULL_REQUEST, READ), (MAIN, READ), (ENVIRONMENT, DEPLOY)):
        assert cloud.exchange(who, cloud.token(what))
        with pytest.raises(AssertionError, match="AADSTS700213"):
            cloud.exchange(DEPLOY if who == READ else READ, cloud.token(what))
    for what in ("environment:Acme", "environment:staging", "ref:refs/heads/other", "ref:refs/tags/main"):
        for who in (READ, DEPLOY):
            with pytest.raises(AssertionError, match="AADSTS700213"):
                cloud.exchange(who, cloud.token(what))
    other = BY_ID if repository == BY_NAME else BY_NAME
    for token, why in (
        (cloud.token(ENVIRONMENT, other), "AADSTS700213"),
        (cloud.token(ENVIRONMENT, Repository("repo:acme/other", "1")), "AADSTS700213"),
        (cloud.token(ENVIRONMENT, audience="https://github.com/acme"), "AADSTS700212"),
    ):
        with pytest.raises(AssertionError, match=why):
            cloud.exchange(DEPLOY, token)


def test_only_the_subject_with_ids_keeps_out_who_takes_the_name_over(sandbox: Sandbox) -> None:
    cloud = Cloud(sandbox, BY_NAME)
    assert cloud.exchange(DEPLOY, cloud.token(ENVIRONMENT, Repository(BY_NAME.subject, "1")))


@dataclass
class Room:
    """A stack, and the jobs of a pipeline."""

    cloud: Cloud
    plan: Plan
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    mark: int = 0

    def become(self, who: str, what: str) -> dict[str, str]:
        """Let this process's own clients be a job's."""
        environment = self.cloud.job(who, self.cloud.token(what), self.folder)
        for name, value in environment.items():
            if name.startswith(("ARM", "AZURE", "HTTP", "http", "NO_PROXY", "REQUESTS")):
                self.monkeypatch.setenv(name, value)
        self.mark = self.cloud.sandbox.journal.mark()
        return environment

    def used(self) -> set[str]:
        """The actions in the subscription that were asked for since, all of which were allowed."""
        asked = [
            one for one in self.cloud.sandbox.journal.since(self.mark) if one.what.startswith("Microsoft.")
        ]
        assert {one.outcome for one in asked} == {Outcome.ALLOWED}
        return {one.what for one in asked}

    def deploy(self) -> tuple[list[Made], dict[str, Any]]:
        return provisioned(self.plan, self.folder, self.become(DEPLOY, ENVIRONMENT))

    def verify(self, environment: dict[str, str], outputs: dict[str, Any]) -> list[dict[str, Any]]:
        with ExitStack() as cast:
            return verified(self.plan.settings, outputs, environment, cast)


@pytest.fixture
def room(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    cloud = Cloud(sandbox, BY_ID)
    sandbox.issuers.add("https://recording-copy.tavus.io")
    folder = tmp_path / "project"
    return Room(cloud, planned(folder, SETTINGS), folder, monkeypatch)


def test_a_stacks_whole_life_goes_by_under_the_two_identities(room: Room) -> None:
    made, outputs = room.deploy()
    room.used()
    reader = room.become(READ, PULL_REQUEST)
    Life(made).refresh()
    found = room.verify(reader, outputs)
    assert found
    assert [one for one in found if one["status"] != "pass"] == []
    room.used()
    room.become(DEPLOY, ENVIRONMENT)
    life = Life(made)
    life.update({one.type: dict for one in made})
    life.destroy()
    room.used()
    assert room.cloud.administrator.conditions == [filled("azure_condition.txt").rstrip("\n")]


def test_what_reads_changes_nothing(room: Room) -> None:
    with pytest.raises(RuntimeError, match=r"AuthorizationFailed|Insufficient privileges|403"):
        run(room.plan, room.folder, room.become(READ, PULL_REQUEST))
    made, _ = room.deploy()
    room.become(READ, MAIN)
    for one in made:
        with pytest.raises(Exception, match=r"AuthorizationFailed|Insufficient privileges"):
            Life([one]).destroy()
    room.become(DEPLOY, ENVIRONMENT)
    Life(made).refresh()
