"""Every way to break a destination on Azure is named, and nothing harmless is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.azure_blob_owner import AzureBlobOwner
from tests.support.broken_azure_blob import KEY_MUTATIONS, MUTATIONS
from tests.support.catalogue import attempt
from tests.support.harmless_azure_blob import KEY_VARIATIONS, VARIATIONS
from tests.support.live import Live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.catalogue import Mutation, Variation

CALLS: dict[str, Any] = {
    "provider": "azure_blob",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "location": "westeurope",
    "workspace_id": "w-acme",
}
VAULT = f"/subscriptions/{CALLS['subscription']}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/acme-keys"
MEETINGS = CALLS | {"identity": "managed_identity", "key_vault_key": f"{VAULT}/keys/recordings"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("project") / "project"
    with Live(folder, {"destinations": {"calls": CALLS, "meetings": MEETINGS}}) as live:
        yield live


@pytest.fixture(scope="module")
def owner(live: Live) -> AzureBlobOwner:
    return AzureBlobOwner(live, "calls")


@pytest.fixture(scope="module")
def key_owner(live: Live) -> AzureBlobOwner:
    return AzureBlobOwner(live, "meetings")


@pytest.mark.parametrize("name", ["calls", "meetings"])
def test_what_was_made_is_green(live: Live, name: str) -> None:
    assert live.troubles(name) == {}


def check(live: Live, name: str, owner: AzureBlobOwner, mutation: Mutation[AzureBlobOwner]) -> None:
    tried = attempt(live, name, owner, mutation)
    assert tried.reported == mutation.expected
    assert tried.recorded is mutation.records, tried.refused_by
    assert tried.afterwards == {}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_what_is_broken_is_named(
    live: Live, owner: AzureBlobOwner, mutation: Mutation[AzureBlobOwner]
) -> None:
    check(live, "calls", owner, mutation)


@pytest.mark.parametrize("mutation", KEY_MUTATIONS, ids=lambda one: one.name)
def test_what_is_broken_with_a_key_is_named(
    live: Live, key_owner: AzureBlobOwner, mutation: Mutation[AzureBlobOwner]
) -> None:
    check(live, "meetings", key_owner, mutation)


def check_harmless(
    live: Live, name: str, owner: AzureBlobOwner, variation: Variation[AzureBlobOwner]
) -> None:
    tried = attempt(live, name, owner, variation)
    assert tried.reported == dict.fromkeys(variation.warns, "warn")
    assert tried.recorded, tried.refused_by
    assert tried.afterwards == {}


@pytest.mark.parametrize("variation", VARIATIONS, ids=lambda one: one.name)
def test_what_is_harmless_passes(
    live: Live, owner: AzureBlobOwner, variation: Variation[AzureBlobOwner]
) -> None:
    check_harmless(live, "calls", owner, variation)


@pytest.mark.parametrize("variation", KEY_VARIATIONS, ids=lambda one: one.name)
def test_what_is_harmless_with_a_key_passes(
    live: Live, key_owner: AzureBlobOwner, variation: Variation[AzureBlobOwner]
) -> None:
    check_harmless(live, "meetings", key_owner, variation)
