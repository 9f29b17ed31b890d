"""What it takes to verify on Azure: no more than `docs/permissions/azure_verify.json` says, and no less."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox.azure import occasion
from recording_storage.sandbox.azure.owner import SUBJECT, Owner
from recording_storage.sandbox.azure.roles import Role
from recording_storage.sandbox.azure.world import RoleAssignment
from recording_storage.sandbox.journal import Outcome
from recording_storage.verify import azure_blob_checks as permissions
from recording_storage.verify.azure_blob_checks import AZURE_BLOB_CHECKS
from recording_storage.verify.targets import Known
from tests.support.live import Live
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.verify.targets import Target

TENANT, SUBSCRIPTION = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
CALLS: dict[str, Any] = {
    "provider": "azure_blob",
    "tenant": TENANT,
    "subscription": SUBSCRIPTION,
    "location": "westeurope",
    "workspace_id": "w-acme",
}
KEY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/acme-keys/keys/recordings"
MEETINGS = CALLS | {"identity": "managed_identity", "key_vault_key": KEY}
GRAPH = "Application.Read.All"
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/permissions/azure_verify.json").read_text())
ACTIONS: list[str] = DOCUMENT["Actions"]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("project") / "project"
    with Live(folder, {"destinations": {"calls": CALLS, "meetings": MEETINGS}}) as live:
        yield live


class Auditor:
    """Who may only look, with a custom role and a permission of Graph's."""

    def __init__(self, live: Live) -> None:
        azure = live.sandbox.azure
        self._world, self._journal = azure.world, live.sandbox.journal
        self._directory = azure.world.tenants[TENANT].directory
        owner = Owner(TENANT, SUBSCRIPTION)
        credential = occasion.federated_credential("auditor", owner.issuer.url, SUBJECT)
        occasion.application(azure.world, azure.world.tenants[TENANT], "auditor", owner.client_id, credential)
        azure.entra.believe(owner.issuer)
        principal = self._directory.principal(owner.client_id)
        assert principal is not None
        self._id = principal.id
        environment = live.sandbox.environment("auditor", {})
        self.environment = environment | owner.files(environment)

    def may(self, *actions: str, graph: bool) -> None:
        """Let the auditor do this in the subscription, and nothing else."""
        role = Role(str(uuid.uuid4()), "Auditor", "", actions, scopes=(f"/subscriptions/{SUBSCRIPTION}",))
        self._world.custom_roles[role.id] = role
        self._world.assignments = [one for one in self._world.assignments if one.principal_id != self._id]
        said = {"principalType": "ServicePrincipal"}
        self._world.assignments.append(
            RoleAssignment(f"/subscriptions/{SUBSCRIPTION}", role.id, self._id, said)
        )
        occasion.permitted(self._directory, self._id, *([GRAPH] if graph else []))
        self._mark = self._journal.mark()

    def used(self) -> set[str]:
        """The actions that were asked for since, all of which were allowed."""
        asked = [one for one in self._journal.since(self._mark) if one.what.startswith("Microsoft.")]
        assert {one.outcome for one in asked} == {Outcome.ALLOWED}
        return {one.what for one in asked}


@pytest.fixture(scope="module")
def auditor(live: Live) -> Auditor:
    return Auditor(live)


def named(live: Live, permission: str) -> Target:
    """A destination that needs a permission: a managed identity and a key, or an account that isn't there."""
    if permission == permissions.NAMES:
        calls = live.target("calls")
        storage = {**calls.recording_storage, "storage_account": "nobodyhasthis"}
        return replace(calls, recording_storage=storage, known=Known(workspace_id="w-acme"))
    return live.target("meetings")


def test_the_document_is_what_the_checks_read() -> None:
    read = {one for check in AZURE_BLOB_CHECKS for one in check.reads}
    assert {*ACTIONS, permissions.GRAPH} == read
    assert sorted(ACTIONS) == ACTIONS
    assert permissions.GRAPH.endswith(GRAPH)
    assert GRAPH in DOCUMENT["Description"]


def test_a_destination_is_green_under_the_document(live: Live, auditor: Auditor) -> None:
    auditor.may(*ACTIONS, graph=True)
    assert live.troubles("calls", environment=auditor.environment) == {}
    assert live.troubles("meetings", environment=auditor.environment) == {}
    assert auditor.used() <= set(ACTIONS)


def test_a_managed_identity_is_green_without_the_directory(live: Live, auditor: Auditor) -> None:
    auditor.may(*ACTIONS, graph=False)
    assert live.troubles("meetings", environment=auditor.environment) == {}


@pytest.mark.parametrize("left_out", ACTIONS)
def test_a_permission_that_is_left_out_is_named(live: Live, auditor: Auditor, left_out: str) -> None:
    auditor.may(*(one for one in ACTIONS if one != left_out), graph=left_out != permissions.IDENTITIES)
    results = live.verify(named(live, left_out), environment=auditor.environment)
    undecided = [one for one in results if one["status"] == "unknown"]
    assert any(left_out in one["mend"] for one in undecided), undecided
    reads = {check.id: check.reads for check in AZURE_BLOB_CHECKS}
    assert all(left_out in reads[one["id"]] for one in undecided if left_out in one["mend"])
    failed = {one["id"] for one in results if one["status"] == "fail"}
    assert not failed


def test_without_the_directory_an_application_is_undecided(live: Live, auditor: Auditor) -> None:
    auditor.may(*ACTIONS, graph=False)
    results = live.verify(live.target("calls"), environment=auditor.environment)
    undecided = {one["id"] for one in results if one["status"] == "unknown"}
    assert undecided == {check.id for check in AZURE_BLOB_CHECKS if permissions.GRAPH in check.reads}
    assert all(GRAPH in one["mend"] for one in results if one["id"] in undecided)
    assert {one["status"] for one in results} == {"pass", "unknown"}


def test_who_may_nothing_is_told_so_by_every_check(live: Live, auditor: Auditor) -> None:
    auditor.may(graph=False)
    results = live.verify(live.target("calls"), environment=auditor.environment)
    assert {one["status"] for one in results if one["id"] != "Z3"} == {"unknown"}
