"""The one table of all checks, put together of the clouds' own."""

from __future__ import annotations

from typing import Final

from recording_storage.verify.azure_blob_checks import AZURE_BLOB_CHECKS
from recording_storage.verify.conversation_checks import CONVERSATION_CHECKS
from recording_storage.verify.gcs_checks import GCS_CHECKS
from recording_storage.verify.s3_checks import S3_CHECKS

CHECKS: Final = {one.id: one for one in (*S3_CHECKS, *GCS_CHECKS, *AZURE_BLOB_CHECKS, *CONVERSATION_CHECKS)}
"""Every check by its id."""
