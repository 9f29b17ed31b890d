"""Verify destinations on Google Cloud Storage: what is read of each, and which decider answers which check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.verify.gcs_account import Account
from recording_storage.verify.gcs_bucket import Place
from recording_storage.verify.gcs_policies import Policies
from recording_storage.verify.gcs_provider import Provider
from recording_storage.verify.gcs_reading import Reading
from recording_storage.verify.gcs_rest import connect
from recording_storage.verify.gcs_trust import Trust
from recording_storage.verify.gcs_writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.verify.checks import Finding
    from recording_storage.verify.reads import Reads
    from recording_storage.verify.targets import Target


class GcsVerifier:
    """Google Cloud, as one caller reads it."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    def title(self, target: Target) -> str:
        """What the destination is, for people."""
        return f"Google Cloud Storage · {target.recording_storage.get('bucket_name', '')}"

    def begin(self, target: Target) -> Mapping[str, Callable[[], Finding]]:
        """Begin to read; raises `NoCredentials`."""
        whom = target.known.deploy_service_account
        rest = self._reads.once(("gcs", "rest", whom), connect, self._reads, whom).result()
        reading = Reading(target, self._reads, rest)
        provider = Provider(reading)
        trust = Trust(reading, provider)
        # Each has policies of its own: deciders may run at the same time.
        account = Account(reading, Policies(reading), trust)
        writing = Writing(reading, Policies(reading), account)
        place = Place(reading, Policies(reading))
        return {
            "G1": provider.identifier,
            "G2": provider.exists,
            "G3": provider.audience,
            "G4": trust.subjects,
            "G5": account.actors,
            "G6": writing.may_create,
            "G7": provider.is_kept,
            "G9": writing.apis,
            "G10": provider.keys,
            "G11": trust.alone,
            "G12": account.keys,
            "G13": account.powers,
            "G14": place.private,
            "G15": place.key,
            "G16": place.expiry,
        }
