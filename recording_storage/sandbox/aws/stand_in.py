"""The AWS stand-in as a sandbox holds it: its accounts, and the gate through which every request goes."""

from __future__ import annotations

import os

# moto reads these when it is first imported.
os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")

from typing import TYPE_CHECKING

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.gate import Gate

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.credentials import Credentials
    from recording_storage.sandbox.journal import Journal

USER = "sandbox"
"""The user in each account that a program in the sandbox may be."""


class Aws:
    """One empty AWS. Making a second one empties the first: moto's models are shared within a process."""

    def __init__(self, journal: Journal) -> None:
        cloud.forget()
        self.gate = Gate(journal)

    def admit(self, credentials: Credentials) -> None:
        """Let `credentials` be those of a user who may do everything in its own account."""
        cloud.admit(credentials, f"{USER}-{credentials.access_key_id[-4:].lower()}")
