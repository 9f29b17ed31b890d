"""A sandbox for a file of engine tests, and a house in each of its clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.houses import HOUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.engine import House


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture(scope="module")
def houses(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, House[Any]]:
    return {cloud: make(sandbox, tmp_path_factory.mktemp(cloud)) for cloud, make in HOUSES.items()}
