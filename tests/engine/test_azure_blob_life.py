"""A stack's life under the real Pulumi engine, on the sandbox's Azure: what `on_destroy` promises for the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.engine import MARKS, Stack, inhabited
from tests.support.engine_azure import ARM, AzureHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = MARKS

GROUP, ACCOUNT = "azure-native:resources:ResourceGroup", "azure-native:storage:StorageAccount"
SERVICE, CONTAINER = "azure-native:storage:BlobServiceProperties", "azure-native:storage:BlobContainer"
APPLICATION = "azuread:index/application:Application"
UNCHANGED = ("--yes", "--skip-preview", "--expect-no-changes")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureHouse]:
    with Sandbox() as sandbox:
        yield AzureHouse(sandbox, tmp_path_factory.mktemp("house"))


def test_a_preview_makes_nothing(house: AzureHouse) -> None:
    stack = Stack(house, "previewed")
    stack.configure(calls={})
    done = stack.run("preview")
    assert done.code == 0, done.text
    assert {GROUP, ACCOUNT, SERVICE, CONTAINER, APPLICATION} <= done.changed["create"]
    assert not [name for name in house.subscription.groups if "previewed" in name]


def test_a_stack_that_is_up_stays_as_it_is(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "steady", retention_days=30)
    for command in ("up", "refresh"):
        again = stack.run(command, *UNCHANGED)
        assert again.code == 0, again.text
    calls.assert_lives()


def test_refresh_sees_what_somebody_changed_and_up_mends_it(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "drifting")
    account = house.sandbox.azure.world.storage_account(calls.account)
    assert account is not None
    url = f"{ARM}{account.id}"
    version = {"api-version": "2024-01-01"}
    house.owner.must("PATCH", url, params=version, json={"properties": {"allowSharedKeyAccess": True}})
    house.owner.must(
        "PUT",
        f"{url}/blobServices/default",
        params=version,
        json={"properties": {"isVersioningEnabled": False}},
    )
    assert stack.run("refresh", "--yes", "--skip-preview").code == 0
    assert stack.up().changed == {"update": {ACCOUNT, SERVICE}}
    calls.assert_lives()


def test_other_tags_are_an_update_in_place(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "tagged")
    stack.configure(tags={"team": "voice"}, calls={})
    assert stack.up().changed == {"update": {ACCOUNT, GROUP}}
    assert house.storage(calls.account)["tags"] == {"team": "voice"}


def test_another_location_is_refused_while_protected(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "moving")
    stack.configure(calls={"location": "northeurope"})
    done = stack.try_up()
    assert done.code != 0
    assert "unable to replace" in done.text
    calls.assert_lives()


@pytest.mark.parametrize("on_destroy", ["protect", "retain", "delete"])
def test_destroy_does_as_the_last_up_was_told(house: AzureHouse, on_destroy: str) -> None:
    stack, calls = inhabited(house, f"until-{on_destroy}", on_destroy=on_destroy)
    done = stack.run("destroy", "--yes", "--skip-preview")
    if on_destroy == "protect":
        assert done.code != 0
        assert "protected" in done.text
        calls.assert_lives()
    else:
        assert done.code == 0, done.text
        calls.assert_retained() if on_destroy == "retain" else calls.assert_gone()


def test_what_was_retained_is_adopted(house: AzureHouse) -> None:
    settings: dict[str, object] = {"on_destroy": "retain", "retention_days": 30}
    stack, calls = inhabited(house, "again", **settings)
    assert stack.run("destroy", "--yes", "--skip-preview").code == 0
    calls.assert_retained()
    stack.configure(calls=settings | {"adopt": True})
    assert {GROUP, ACCOUNT, SERVICE, CONTAINER} <= stack.up().changed["import"]
    again = stack.destination("calls")
    assert (again.account, again.client_id == calls.client_id) == (calls.account, False)
    stack.configure(calls=settings)
    without = stack.run("up", *UNCHANGED)
    assert without.code == 0, without.text
    again.assert_lives()


def test_a_managed_identity_lives_and_goes_likewise(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "managed", identity="managed_identity", on_destroy="retain")
    again = stack.run("up", *UNCHANGED)
    assert again.code == 0, again.text
    assert stack.run("destroy", "--yes", "--skip-preview").code == 0
    calls.assert_retained()
