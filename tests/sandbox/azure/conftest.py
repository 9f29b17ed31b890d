"""One Azure for all tests of a process; and what stands beside the tests is found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure_cloud import Cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    from azure_cloud import Cloud

    made = Cloud(tmp_path_factory.mktemp("azure"))
    yield made
    made.close()
