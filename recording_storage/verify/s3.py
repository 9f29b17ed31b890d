"""Verify destinations on Amazon S3: what is read, which check waits for what, and who reads.

Sources stand with the checks (`s3_checks`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from recording_storage.verify import s3_beyond, s3_bucket, s3_permissions, s3_trust
from recording_storage.verify.checks import CouldNotTell, Finding
from recording_storage.verify.s3_checks import S3_CHECKS
from recording_storage.verify.s3_clients import Accesses
from recording_storage.verify.s3_key import key_can_be_used, read_key
from recording_storage.verify.s3_reading import Reading
from recording_storage.verify.s3_simulator import Simulation
from recording_storage.verify.s3_things import MissingRole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.verify.reads import Reads
    from recording_storage.verify.targets import Target


class S3Verifier:
    """Destinations on Amazon S3, read by one caller."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._accesses = Accesses(reads)

    def title(self, target: Target) -> str:
        """What the destination is, for people."""
        return f"Amazon S3 · {target.recording_storage['bucket_name']}"

    def begin(self, target: Target) -> Mapping[str, Callable[[], Finding]]:
        """Begin to read. Raises `NoCredentials`; a deploy role that can't be assumed leaves every check undecided."""
        try:
            access = self._accesses.get(target.known.deploy_role)
        except CouldNotTell as undecided:
            return {check.id: partial(_undecided, undecided) for check in S3_CHECKS}
        reading = Reading(target, access, self._reads)
        key = self._reads.begin(read_key, reading)
        simulation = Simulation.begin(reading, key)
        return {
            "S1": partial(s3_trust.sessions_are_long_enough, reading),
            "S2": partial(_role_and, s3_trust.service_is_let_in, reading),
            "S3": partial(s3_permissions.role_may_write, reading),
            "S4": partial(key_can_be_used, reading, key),
            "S5": partial(s3_bucket.no_checksum_is_wanted, reading),
            "S6": partial(s3_permissions.nothing_denies, reading, simulation),
            "S7": partial(s3_bucket.old_versions_go_too, reading),
            "S8": partial(s3_bucket.versions_are_kept, reading),
            "S9": partial(s3_trust.nobody_else_is_let_in, reading),
            "S10": partial(s3_beyond.role_can_do_nothing_else, reading, key),
            "S11": partial(s3_bucket.is_not_public, reading),
            "S12": partial(s3_bucket.plain_http_is_refused, reading),
        }


def _undecided(undecided: CouldNotTell) -> Finding:
    raise undecided


def _role_and(decide: Callable[[Reading], Finding], reading: Reading) -> Finding:
    """The check that speaks for the role: it fails where there is none."""
    try:
        return decide(reading)
    except MissingRole as missing:
        return missing.finding
