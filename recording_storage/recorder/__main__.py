"""`python -m recording_storage.recorder`: answers jobs as `recording_storage.steps` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.steps import serve

if TYPE_CHECKING:
    from recording_storage.steps import Player


def _azure_blob() -> Player:
    from recording_storage.recorder.azure_blob import record

    return record


def _gcs() -> Player:
    from recording_storage.recorder.gcs import record

    return record


def _s3() -> Player:
    from recording_storage.recorder.s3 import record

    return record


serve({"azure_blob": _azure_blob, "gcs": _gcs, "s3": _s3})
