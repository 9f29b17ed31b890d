"""What `pulumi destroy` does with the recordings on each cloud, and what it says of that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engine import MARKS, inhabited
from tests.support.houses import HOUSES

if TYPE_CHECKING:
    from tests.support.engine import House

pytestmark = MARKS

STORAGE = {
    "aws": "bucket public-access-block ownership policy versioning encryption lifecycle",
    "google": "bucket",
    "azure": "resource-group storage-account blob-service container management-policy",
}


def retained(text: str) -> set[str]:
    """What is shown as staying where it is."""
    return set(re.findall(r" calls-([a-z-]+) deleted .*\[retain\]", text))


@pytest.mark.parametrize("cloud", HOUSES)
def test_what_is_protected_stays_and_is_named(houses: dict[str, House[Any]], cloud: str) -> None:
    house = houses[cloud]
    stack, calls = inhabited(house, "until-protect", retention_days=30)
    previewed = house.engine.run("destroy", "--preview-only", "--stack", stack.name)
    for done in (previewed, stack.run("destroy")):
        assert done.code != 0
        assert re.search(
            r"::calls-\S+ cannot be deleted\s+because it is protected", done.text.replace('"', "")
        )
        assert not retained(done.text)
    calls.assert_lives()


@pytest.mark.parametrize("cloud", HOUSES)
def test_what_is_retained_stays_and_is_marked(houses: dict[str, House[Any]], cloud: str) -> None:
    stack, calls = inhabited(houses[cloud], "until-retain", retention_days=30, on_destroy="retain")
    done = stack.run("destroy")
    assert done.code == 0, done.text
    assert retained(done.text) == set(STORAGE[cloud].split())
    calls.assert_retained()


@pytest.mark.parametrize("cloud", HOUSES)
def test_what_is_given_up_goes(houses: dict[str, House[Any]], cloud: str) -> None:
    stack, calls = inhabited(houses[cloud], "until-delete", retention_days=30, on_destroy="delete")
    done = stack.run("destroy")
    assert done.code == 0, done.text
    assert not retained(done.text)
    calls.assert_gone()
