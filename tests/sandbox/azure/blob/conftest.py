"""One blob storage for all that is tried there; and what stands beside the tests is found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blob_cloud import BlobCloud


@pytest.fixture(scope="session")
def is_installed() -> None:
    from recording_storage.sandbox.azure import azurite

    try:
        azurite.command()
    except azurite.NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def blobs(is_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobCloud]:
    from blob_cloud import BlobCloud

    cloud = BlobCloud(tmp_path_factory.mktemp("blobs"))
    yield cloud
    cloud.close()
