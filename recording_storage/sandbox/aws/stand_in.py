"""The AWS stand-in as a sandbox holds it: its accounts, and the gate through which every request goes."""

# ruff: noqa: E402 (the settings must be there before moto is)

from __future__ import annotations

import os


def configure_moto() -> None:
    """Give moto these settings and no others, whatever the caller's environment has.

    It reads some when it is imported, some with each request.
    """
    for name in [name for name in os.environ if name.startswith(("MOTO_", "INITIAL_NO_AUTH_", "S3_IGNORE_"))]:
        del os.environ[name]
    os.environ |= {"MOTO_ALLOW_NONEXISTENT_REGION": "true", "MOTO_DISABLE_GLOBAL_CORS": "true"}


configure_moto()

from typing import TYPE_CHECKING

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.gate import Gate

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.credentials import Credentials
    from recording_storage.sandbox.issuer import Issuers
    from recording_storage.sandbox.journal import Journal

USER = "sandbox"
"""The user in each account that a program in the sandbox may be."""


class Aws:
    """One empty AWS. Making a second one empties the first: moto's models are shared within a process."""

    def __init__(self, journal: Journal, issuers: Issuers) -> None:
        configure_moto()
        cloud.forget()
        self.gate = Gate(journal, issuers)

    def admit(self, credentials: Credentials) -> None:
        """Let `credentials` be those of a user who may do everything in its own account."""
        cloud.admit(credentials, f"{USER}-{credentials.access_key_id[-4:].lower()}")

    def close(self) -> None:
        """Leave nothing in memory."""
        cloud.forget()
