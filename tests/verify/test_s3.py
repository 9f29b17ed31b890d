"""Destinations on Amazon S3: whatever breaks one is named, and nothing else is; what is harmless isn't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.verify.s3_checks import S3_CHECKS
from tests.support.catalogues import CATALOGUES, Part, Stand, titles
from tests.support.live import Live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.catalogue import Mutation, Variation

CATALOGUE = CATALOGUES["s3"]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with Live(tmp_path_factory.mktemp("live") / "project", CATALOGUE.config) as live:
        yield Stand(live, CATALOGUE)


def test_what_was_made_is_green(stand: Stand) -> None:
    stand.assert_green()


@pytest.mark.parametrize(("part", "mutation"), CATALOGUE.mutations, ids=titles(CATALOGUE.mutations))
def test_what_breaks_it_is_named(stand: Stand, part: Part, mutation: Mutation[Any]) -> None:
    stand.assert_named(part, mutation)


@pytest.mark.parametrize(("part", "variation"), CATALOGUE.variations, ids=titles(CATALOGUE.variations))
def test_what_is_harmless_is_let_be(stand: Stand, part: Part, variation: Variation[Any]) -> None:
    stand.assert_let_be(part, variation)


def test_every_check_has_a_mutation() -> None:
    assert CATALOGUE.broken == {one.id for one in S3_CHECKS}
