"""What is said of an error that nobody expected: it is this command's own."""

from __future__ import annotations

from typing import Final

DEBUG: Final = "RECORDING_STORAGE_DEBUG"
"""The variable that has such an error raised, with its traceback."""
REPORT: Final = f"That is a defect of recording-storage itself: set {DEBUG}=1 to see where, and report it."
