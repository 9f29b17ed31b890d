"""A stack's life under the real Pulumi engine, on the sandbox's Azure: what `on_destroy` promises for the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.engine import MARKS, UNCHANGED, Stack, inhabited
from tests.support.engine_azure import AzureHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = MARKS

DESTINATION = "recording-storage:index:AzureBlobDestination"
GROUP, ACCOUNT = "azure-native:resources:ResourceGroup", "azure-native:storage:StorageAccount"
SERVICE, CONTAINER = "azure-native:storage:BlobServiceProperties", "azure-native:storage:BlobContainer"
APPLICATION = "azuread:index/application:Application"


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


def test_what_was_retained_is_adopted(house: AzureHouse) -> None:
    settings: dict[str, object] = {"on_destroy": "retain", "retention_days": 30}
    stack, calls = inhabited(house, "again", **settings)
    assert stack.run("destroy").code == 0
    calls.assert_retained()
    stack.configure(calls=settings | {"adopt": True})
    assert {GROUP, ACCOUNT, SERVICE, CONTAINER} <= stack.up().changed["import"]
    again = stack.destination("calls")
    assert (again.account, again.client_id == calls.client_id) == (calls.account, False)
    stack.configure(calls=settings)
    assert stack.up().changed == {"update": {DESTINATION}}  # which no longer says that it adopts
    again.assert_lives()


def test_a_managed_identity_lives_and_goes_likewise(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "managed", identity="managed_identity", on_destroy="retain")
    again = stack.run("up", *UNCHANGED)
    assert again.code == 0, again.text
    assert stack.run("destroy").code == 0
    calls.assert_retained()
