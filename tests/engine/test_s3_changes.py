"""What a change of each setting does under the real engine, on the sandbox's AWS: as the table announces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.changes import S3, Change
from tests.support.engine import MARKS
from tests.support.engine_aws import AwsHouse, S3Recordings
from tests.support.engine_changes import (
    Outcome,
    Protected,
    assert_as_announced,
    make,
    of_destinations,
    of_the_stack,
    refused,
    walk_the_stack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = MARKS

MADE, REFUSED = of_destinations(S3), refused(S3)


def named(change: Change) -> str:
    return f"{change.setting}={change.after}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsHouse]:
    with Sandbox() as sandbox:
        yield AwsHouse(sandbox, tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def outcomes(house: AwsHouse) -> list[Outcome[S3Recordings]]:
    return make(house, MADE)


@pytest.mark.parametrize("number", range(len(MADE)), ids=map(named, MADE))
def test_a_change_does_what_is_announced_and_loses_no_recording(
    house: AwsHouse, outcomes: list[Outcome[S3Recordings]], number: int
) -> None:
    assert_as_announced(house, outcomes[number])


def test_a_change_for_the_whole_stack_is_made_in_place(house: AwsHouse) -> None:
    walk_the_stack(house, of_the_stack(S3))


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Protected[S3Recordings]]:
    with Sandbox() as sandbox:
        yield Protected(AwsHouse(sandbox, tmp_path_factory.mktemp("protected")), REFUSED)


@pytest.mark.parametrize("change", REFUSED, ids=map(named, REFUSED))
def test_what_would_lose_something_is_refused_while_it_is_protected(
    protected: Protected[S3Recordings], change: Change
) -> None:
    protected.assert_refuses(change)
