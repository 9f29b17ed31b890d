"""TODO table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from recording_storage.verify.checks import Check

AZURE_BLOB_CHECKS: Final[tuple[Check, ...]] = ()
