"""Verify destinations on Azure Blob Storage."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from recording_storage.verify.azure_blob_access import Access
from recording_storage.verify.azure_blob_client import ARM, Client
from recording_storage.verify.azure_blob_key import Key
from recording_storage.verify.azure_blob_reading import Reading
from recording_storage.verify.azure_blob_storage import Storage
from recording_storage.verify.azure_blob_trust import Trust
from recording_storage.verify.azure_blob_who import Who
from recording_storage.verify.checks import CouldNotTell

if TYPE_CHECKING:
    from recording_storage.verify import Deciders
    from recording_storage.verify.reads import Reads
    from recording_storage.verify.targets import Target


READING = ("Z6", "Z12", "Z16")
"""Those that begin reads of their own, so they are decided at the same time."""


class AzureBlobVerifier:
    """Azure, as one caller reads it."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._client = Client(reads)

    def title(self, target: Target) -> str:
        """What the destination is, for people."""
        storage = target.recording_storage
        return f"Azure Blob Storage · {storage['storage_account']}/{storage['container']}"

    def begin(self, target: Target) -> Deciders:
        """Begin to read a destination; raises `NoCredentials` where there are none."""
        reading = Reading(self._reads, self._client, target)
        with suppress(CouldNotTell):  # each check says so; without any credentials there is nothing to say
            self._client.api(reading.tenant, ARM)
        trust, who, access, storage = Trust(reading), Who(reading), Access(reading), Storage(reading)
        deciders = {
            "Z1": trust.accepted,
            "Z2": trust.in_the_right_case,
            "Z3": trust.issuer,
            "Z4": trust.without_wildcards,
            "Z6": access.may_write,
            "Z8": access.to_the_principal,
            "Z9": storage.is_reached,
            "Z10": who.exists,
            "Z11": who.without_secrets,
            "Z12": access.nothing_beyond,
            "Z13": trust.nobody_else,
            "Z14": storage.exists,
            "Z15": storage.is_private,
            "Z16": Key(reading).is_usable,
            "Z17": storage.is_kept,
        }
        begun = {id_: self._reads.begin(deciders[id_]).result for id_ in READING}
        return deciders | begun
