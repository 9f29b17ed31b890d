"""`python -m recording_storage.intruder`: answers jobs as `recording_storage.steps` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.steps import serve

if TYPE_CHECKING:
    from recording_storage.steps import Player


def _azure_blob() -> Player:
    from recording_storage.intruder.azure_blob import intrude

    return intrude


def _gcs() -> Player:
    from recording_storage.intruder.gcs import intrude

    return intrude


def _s3() -> Player:
    from recording_storage.intruder.s3 import intrude

    return intrude


serve({"azure_blob": _azure_blob, "gcs": _gcs, "s3": _s3})
