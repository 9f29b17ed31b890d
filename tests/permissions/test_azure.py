"""What Azure must permit whoever deploys: no more than `docs/permissions` says, and no less.

What is asked of Entra's directory isn't judged so finely by the stand-in: whoever administers it may do everything.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage import plan
from recording_storage.rehearsal.azure_blob_assumed import Assumed
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.azure import roles
from recording_storage.sandbox.azure.roles import Role
from recording_storage.sandbox.azure.world import RoleAssignment
from recording_storage.sandbox.journal import Outcome
from tests.support.permissions import Life, filled, planned, run
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recording_storage.plan import Plan

SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
CUSTOM = "cccccccc-0000-4000-8000-cccccccccccc"
CALLS = {
    "provider": "azure_blob",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": SUBSCRIPTION,
    "location": "westeurope",
    "workspace_id": "w-acme",
    "on_destroy": "delete",
}
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/acme-keys"
EVERY_SETTING: dict[str, Any] = {
    "tags": {"team": "voice"},
    "destinations": {
        "calls": CALLS | {"retention_days": 90, "key_vault_key": f"{VAULT}/keys/recordings"},
        "meetings": CALLS | {"identity": "managed_identity"},
    },
}


def actions(name: str) -> set[str]:
    listed: list[str] = json.loads(filled(name, SUBSCRIPTION=SUBSCRIPTION))["Actions"]
    assert len(listed) == len(set(listed))
    return set(listed)


class Deployer:
    """Who deploys, with a custom role instead of Owner."""

    def __init__(self, sandbox: Sandbox, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sandbox, self._monkeypatch = sandbox, monkeypatch
        assumed = Assumed(plan.settings)
        assumed.make(sandbox.azure)
        environment = sandbox.environment("deployer", {})
        self.environment = environment | assumed.deployer.files(environment)
        tenant = sandbox.azure.world.tenants[assumed.deployer.tenant]
        self._directory = tenant.directory
        found = tenant.directory.principal(assumed.deployer.client_id)
        assert found is not None
        self._id, self._mark = found.id, 0

    def may(self, document: str = "azure_up.json", *, without: str = "") -> None:
        """Let the deployer do what the document says in the subscription, and nothing else there."""
        role = Role(CUSTOM, "Custom", "", tuple(sorted(actions(document) - {without})))
        self._monkeypatch.setitem(roles._BY_ID, CUSTOM, role)
        world = self._sandbox.azure.world
        world.assignments = [one for one in world.assignments if one.principal_id != self._id]
        said = {"principalType": "ServicePrincipal"}
        world.assignments.append(RoleAssignment(f"/subscriptions/{SUBSCRIPTION}", CUSTOM, self._id, said))
        self._mark = self._sandbox.journal.mark()

    def may_nothing_in_the_directory(self) -> None:
        self._directory.administrators.clear()

    def used(self) -> set[str]:
        """The actions in the subscription that were asked for since, all of which were allowed."""
        asked = [one for one in self._sandbox.journal.since(self._mark) if one.what.startswith("Microsoft.")]
        assert {one.outcome for one in asked} == {Outcome.ALLOWED}
        return {one.what for one in asked}

    def become(self) -> None:
        """Let this process's own clients be the deployer's."""
        for name, value in self.environment.items():
            if name.startswith(("ARM", "AZURE", "HTTP", "http", "NO_PROXY", "REQUESTS")):
                self._monkeypatch.setenv(name, value)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("stack", ["azure", "azure-identity", "azure-existing"])
def test_every_example_comes_up_under_the_document(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, stack: str
) -> None:
    loaded = plan.load(ROOT, stack)
    deployer = Deployer(sandbox, loaded, monkeypatch)
    deployer.may()
    if stack == "azure-identity":
        deployer.may_nothing_in_the_directory()
    run(loaded, ROOT, deployer.environment)
    assert deployer.used() <= actions("azure_up.json")


def test_a_stacks_whole_life_uses_all_of_the_documents(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded = planned(tmp_path / "project", EVERY_SETTING)
    deployer = Deployer(sandbox, loaded, monkeypatch)
    deployer.may()
    made = run(loaded, tmp_path / "project", deployer.environment)
    up = deployer.used()
    deployer.become()
    deployer.may("azure_refresh.json")
    life = Life(made)
    life.refresh()
    assert deployer.used() == actions("azure_refresh.json")
    deployer.may()
    life.update({one.type: dict for one in made})
    life.destroy()
    assert up | deployer.used() == actions("azure_up.json")


@pytest.mark.parametrize(
    "left_out",
    [
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        "Microsoft.Resources/subscriptions/resourceGroups/write",
        "Microsoft.Storage/storageAccounts/blobServices/containers/write",
    ],
)
def test_an_action_that_is_left_out_is_missed(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left_out: str
) -> None:
    loaded = planned(tmp_path / "project", EVERY_SETTING)
    deployer = Deployer(sandbox, loaded, monkeypatch)
    deployer.may(without=left_out)
    with pytest.raises(RuntimeError, match=r"AuthorizationFailed|403"):
        run(loaded, tmp_path / "project", deployer.environment)


def test_an_application_takes_more_than_the_subscriptions_role(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded = planned(tmp_path / "project", EVERY_SETTING)
    deployer = Deployer(sandbox, loaded, monkeypatch)
    deployer.may()
    deployer.may_nothing_in_the_directory()
    with pytest.raises(RuntimeError, match="Insufficient privileges"):
        run(loaded, tmp_path / "project", deployer.environment)


def test_the_condition_names_the_roles_that_destinations_assign() -> None:
    condition = filled("azure_condition.txt")
    for role in ("Storage Blob Data Contributor", "Storage Blob Data Reader"):
        assert condition.count(roles.named(role).id) == 2
    assert condition.count(roles.ENCRYPTION_USER) == 2
    assert roles.OWNER not in condition
