"""Destinations on Amazon S3: whatever breaks one is named, and nothing else is; what is harmless isn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.verify.s3_checks import S3_CHECKS
from tests.support.broken_s3 import MUTATIONS
from tests.support.catalogue import Mutation, Variation, attempt
from tests.support.harmless_s3 import VARIATIONS
from tests.support.live import Live
from tests.support.s3_owner import S3Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "calls"
CONFIG = {
    "destinations": {
        NAME: {"provider": "s3", "region": "eu-west-1", "create_kms_key": True, "retention_days": 30}
    }
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("live") / "project", CONFIG) as found:
        yield found


@pytest.fixture(scope="module")
def owner(live: Live) -> S3Owner:
    return S3Owner(live, NAME)


def test_what_was_made_is_green(live: Live) -> None:
    found = live.verify(live.target(NAME))
    assert {one["id"]: one["status"] for one in found} == {one.id: "pass" for one in S3_CHECKS}
    assert all(step.status.value == "pass" for step in live.record(NAME))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_what_breaks_it_is_named(live: Live, owner: S3Owner, mutation: Mutation[S3Owner]) -> None:
    tried = attempt(live, NAME, owner, mutation)
    assert tried.reported == mutation.expected
    assert tried.recorded == mutation.records, tried.refused_by
    assert tried.afterwards == {}


@pytest.mark.parametrize("variation", VARIATIONS, ids=lambda one: one.name)
def test_what_is_harmless_is_let_be(live: Live, owner: S3Owner, variation: Variation[S3Owner]) -> None:
    tried = attempt(live, NAME, owner, variation)
    assert tried.reported == dict.fromkeys(variation.warns, "warn")
    assert tried.recorded, tried.refused_by
    assert tried.afterwards == {}


def test_every_check_has_a_mutation() -> None:
    tried = {id_ for one in MUTATIONS for id_ in one.expected}
    assert tried == {one.id for one in S3_CHECKS}
    names = [one.name for one in (*MUTATIONS, *VARIATIONS)]
    assert len(set(names)) == len(names)
