"""One Google Cloud for each module; and what stands beside the tests is found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    from google_cloud import Cloud

    with Sandbox() as sandbox:
        yield Cloud(sandbox)
