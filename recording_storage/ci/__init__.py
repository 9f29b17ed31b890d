"""What pipelines need beside the other commands: which stacks a change touches, and Markdown of what was found.

Left out: the pipelines themselves (`.github/workflows`, `ci/gitlab`), which post what is made here.
"""

from __future__ import annotations


class CiError(Exception):
    """What was asked for can't be done; the message says why."""
