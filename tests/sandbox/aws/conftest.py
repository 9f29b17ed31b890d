"""One sandbox for each module, since a second one empties the first; and what stands beside the tests is found."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world import Keys, World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    from world import World

    with pytest.MonkeyPatch.context() as patch, Sandbox() as sandbox:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        yield World(sandbox)


@pytest.fixture(scope="module")
def owner(world: World) -> Keys:
    return world.user("111111111111")


@pytest.fixture(scope="module")
def service(world: World) -> Keys:
    return world.user("222222222222")


@pytest.fixture(scope="module")
def stranger(world: World) -> Keys:
    return world.user("333333333333")
