"""The pack, started once for a file of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.analyzer import Analyzer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Analyzer]:
    with Analyzer() as started:
        yield started
