"""Objects that name what isn't there, or leave out what is known; and every example stack on Azure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from recording_storage.sandbox.azure import occasion
from recording_storage.verify.targets import Known
from tests.support.azure_blob_owner import AUDIENCE, ISSUER, AzureBlobOwner
from tests.support.live import Live
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recording_storage.verify.targets import Target

TENANT, SUBSCRIPTION = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
CALLS: dict[str, Any] = {
    "provider": "azure_blob",
    "tenant": TENANT,
    "subscription": SUBSCRIPTION,
    "location": "westeurope",
    "workspace_id": "w-acme",
}
OF_THE_CLIENT = ("Z1", "Z2", "Z4", "Z6", "Z8", "Z11", "Z12", "Z13")
OF_THE_STORAGE = ("Z6", "Z8", "Z9", "Z12", "Z15", "Z16", "Z17")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("project") / "project"
    with Live(folder, {"destinations": {"calls": CALLS}}) as live:
        yield live


@pytest.fixture(scope="module")
def owner(live: Live) -> AzureBlobOwner:
    return AzureBlobOwner(live, "calls")


@pytest.fixture
def target(live: Live) -> Target:
    return live.target("calls")


def pointed(target: Target, **storage: str) -> Target:
    return replace(target, recording_storage={**target.recording_storage, **storage})


def troubles(live: Live, target: Target) -> dict[str, str]:
    return {one["id"]: one["status"] for one in live.verify(target) if one["status"] != "pass"}


def evidence(live: Live, target: Target, id_: str) -> str:
    (found,) = live.verify(target, only=[id_])
    return found["evidence"]


# What isn't there


def test_a_client_that_isnt_there(live: Live, target: Target) -> None:
    gone = pointed(target, client_id=OTHER)
    assert troubles(live, gone) == {"Z10": "fail", **dict.fromkeys(OF_THE_CLIENT, "unknown")}
    assert OTHER in evidence(live, gone, "Z10")


def test_a_client_id_that_isnt_one(live: Live, target: Target) -> None:
    assert troubles(live, pointed(target, client_id="recordings"))["Z10"] == "fail"


@pytest.mark.parametrize("which", ["application", "service_principal"])
def test_an_object_id_in_place_of_the_client_id(
    live: Live, owner: AzureBlobOwner, target: Target, which: str
) -> None:
    object_id = owner.graph("GET", getattr(owner, which))["id"]
    said = evidence(live, pointed(target, client_id=object_id), "Z10")
    assert f"whose client id is {owner.client_id}" in said


def test_a_tenant_that_isnt_there(live: Live, target: Target) -> None:
    found = troubles(live, pointed(target, tenant_id=OTHER))
    assert found["Z10"] == "fail"
    assert {one for id_, one in found.items() if id_ != "Z10"} == {"unknown"}


@pytest.mark.parametrize(("known", "ended"), [(SUBSCRIPTION, "fail"), ("", "fail")])
def test_an_account_that_isnt_there(live: Live, target: Target, known: str, ended: str) -> None:
    gone = replace(
        pointed(target, storage_account="nobodyhasthis"), known=replace(target.known, subscription=known)
    )
    assert troubles(live, gone) == {"Z14": ended, **dict.fromkeys(OF_THE_STORAGE, "unknown")}


def test_an_account_with_a_name_that_cant_be(live: Live, target: Target) -> None:
    odd = replace(pointed(target, storage_account="Not_A_Name"), known=Known(workspace_id="w-acme"))
    assert troubles(live, odd)["Z14"] == "fail"


def test_an_account_that_the_caller_doesnt_see(live: Live, target: Target) -> None:
    world = live.sandbox.azure.world
    elsewhere = occasion.subscription(world, OTHER, "77770000-1111-2222-3333-444455556666")
    occasion.storage_account(world, occasion.resource_group(elsewhere, "hidden"), "hiddenaccount")
    hidden = pointed(target, storage_account="hiddenaccount")
    assert troubles(live, replace(hidden, known=replace(target.known, subscription="")))["Z14"] == "unknown"


def test_an_account_without_blobs(live: Live, target: Target, owner: AzureBlobOwner) -> None:
    group = owner.stored().group
    occasion.storage_account(owner.world, group, "filesonly", kind="FileStorage", sku="Premium_LRS")
    assert troubles(live, pointed(target, storage_account="filesonly"))["Z14"] == "fail"


def test_a_container_that_isnt_there(live: Live, target: Target) -> None:
    gone = pointed(target, container="elsewhere")
    found = troubles(live, gone)
    assert (found["Z14"], found["Z15"]) == ("fail", "unknown")
    assert "has no container elsewhere" in evidence(live, gone, "Z14")


def test_a_container_that_is_deleted(live: Live, target: Target, owner: AzureBlobOwner) -> None:
    owner.call("DELETE", owner.container)
    try:
        assert "can be restored" in evidence(live, target, "Z14")
    finally:
        owner.call("PUT", owner.container, {"properties": {"publicAccess": "None"}})


# What isn't known


def test_the_subscription_is_found_out(live: Live, target: Target) -> None:
    assert troubles(live, replace(target, known=replace(target.known, subscription=""))) == {}


def test_another_subscription_is_refused_by_name(live: Live, target: Target) -> None:
    found = troubles(live, replace(target, known=replace(target.known, subscription=OTHER[::-1])))
    assert found["Z14"] == "unknown"


def test_without_the_workspace_it_is_asked_whose_it_is(live: Live, target: Target) -> None:
    bare = replace(target, known=Known())
    assert troubles(live, bare) == {"Z1": "unknown"}
    assert "'w-acme' are accepted: is it yours?" in evidence(live, bare, "Z1")


def test_without_the_workspace_two_subjects_are_one_too_many(
    live: Live, target: Target, owner: AzureBlobOwner
) -> None:
    gone = owner.add_credential("demos", ISSUER, "w-demos")
    try:
        assert troubles(live, replace(target, known=Known())) == {"Z1": "unknown", "Z13": "fail"}
    finally:
        gone()


def test_without_the_workspace_another_issuer_fails(
    live: Live, target: Target, owner: AzureBlobOwner
) -> None:
    back = owner.change_credential(issuer="https://recordings.example.com")
    try:
        assert troubles(live, replace(target, known=Known()))["Z1"] == "fail"
    finally:
        back()


def test_another_key_than_the_one_that_is_wanted(live: Live, target: Target) -> None:
    key = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/v/keys/k"
    assert troubles(live, replace(target, known=replace(target.known, kms_key=key))) == {"Z16": "fail"}


def test_who_has_no_credentials_is_told_so(live: Live, target: Target) -> None:
    nobody = {name: one for name, one in live.owner.items() if not name.startswith(("AZURE_", "ARM_"))}
    with pytest.raises(Exception, match="no credentials for Azure"):
        live.verify(target, environment=nobody | {"AZURE_CONFIG_DIR": "/nonexistent"})


def test_many_at_once(live: Live, target: Target) -> None:
    many = [replace(target, name=f"calls-{one}") for one in range(20)]
    results = live.verify(*many)
    assert {one["status"] for one in results} == {"pass"}
    assert len({one["destination"] for one in results}) == len(many)


# The examples


@pytest.mark.parametrize(
    ("stack", "warns"), [("azure", {}), ("azure-identity", {}), ("azure-existing", {"Z15": "warn"})]
)
def test_every_example_verifies(tmp_path: Path, stack: str, warns: dict[str, str]) -> None:
    said = yaml.safe_load((ROOT / f"stacks/Pulumi.{stack}.yaml").read_text())["config"]
    with Live(tmp_path / "project", said) as live:
        assert live.troubles("calls") == warns
        assert all(step.status.value == "pass" for step in live.record("calls"))


def test_accounts_of_several_subscriptions_and_tenants(tmp_path: Path) -> None:
    other = {"tenant": OTHER, "subscription": "44444444-4444-4444-8444-444444444444"}
    config = {"destinations": {"calls": CALLS, "demos": CALLS | other | {"workspace_id": "w-demos"}}}
    with Live(tmp_path / "project", config) as live:
        results = live.verify(live.target("calls"), live.target("demos"))
        assert {one["status"] for one in results} == {"pass"}


def test_an_overridden_trust_is_the_one_that_counts(tmp_path: Path) -> None:
    trust = {"azure_blob": {"issuer": "https://issuer.example.net", "audience": "api://recordings"}}
    with Live(tmp_path / "project", {"destinations": {"calls": CALLS}, "trust_profile": trust}) as live:
        assert live.troubles("calls") == {}
        asked = replace(live.target("calls"), known=Known(workspace_id="w-acme"))
        found = live.verify(asked, only=["Z1"])[0]
        assert found["status"] == "fail"
        assert ISSUER in found["evidence"]
        assert AUDIENCE in found["evidence"]
