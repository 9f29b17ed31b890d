"""Which key encrypts an object, and what Cloud Storage asks of that key: on each write and on each read.

It asks as its own service agent in the bucket's project, never as its caller: who may read the object need not have
anything to do with the key. Listing, deleting and most metadata need no key; checksums do.

Sources: https://docs.cloud.google.com/storage/docs/encryption/customer-managed-keys and
https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes. Leaves out keys that are sent with the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.evaluation.google.principals import Principal, service_account
from recording_storage.sandbox.google.errors import GoogleError, forbidden, invalid
from recording_storage.sandbox.google.key_rings import KEY_NAME
from recording_storage.sandbox.google.keys import DECRYPT, DISABLED_KEY, ENCRYPT, NO_KEY
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.generations import Generation
    from recording_storage.sandbox.google.keys import Keys
    from recording_storage.sandbox.google.world import Project, World
    from recording_storage.sandbox.rest import Request

MULTI_REGIONS = {"EU": "europe"}
"""Where Cloud KMS calls a place otherwise: https://docs.cloud.google.com/kms/docs/locations."""
_MISSING = {ENCRYPT: "cloudKmsEncryptionKeyNotFound", DECRYPT: "cloudKmsDecryptionKeyNotFound"}
_WORDS = {
    "cloudKmsEncryptionKeyNotFound": "Cloud KMS encryption key not found.",
    "cloudKmsDecryptionKeyNotFound": "Resource's Cloud KMS decryption key not found.",
    "cloudKmsDisabledKey": "Cloud KMS key is disabled, destroyed, or scheduled to be destroyed.",
}


class ObjectKeys:
    """What Cloud Storage asks of keys."""

    def __init__(self, world: World, access: Access, keys: Keys) -> None:
        self._world = world
        self._access = access
        self._keys = keys

    def check_default(self, name: str, location: str, project: Project) -> None:
        """Raise `GoogleError` unless a bucket there can have this key as its default."""
        self._check_place(name, location, project)
        for permission in (ENCRYPT, DECRYPT):
            self._use(name, project, permission)

    def to_write(self, name: str, location: str, project: Project) -> str:
        """The version of the key that encrypts a new object, and nothing where there is no key."""
        if not name:
            return ""
        self._check_place(name, location, project)
        return self._use(name, project, ENCRYPT)

    def to_read(self, generation: Generation) -> None:
        """Raise `GoogleError` unless the object's key decrypts it."""
        if generation.key:
            self._use(generation.key, generation.bucket.project, DECRYPT)

    def can_read(self, generation: Generation) -> bool:
        """Whether the object's key would decrypt it, its checksums included; writes nothing."""
        agent = self._agent(generation.bucket.project)
        return not generation.key or self._keys.is_usable(generation.key, agent, DECRYPT)

    def _agent(self, project: Project) -> Principal:
        return service_account(self._world.storage_agent(project), "")

    def _check_place(self, name: str, location: str, project: Project) -> None:
        found = KEY_NAME.fullmatch(name)
        if found is None:
            raise invalid(f"Invalid Cloud KMS key name: {name}", reason="cloudKmsBadKey")
        if found["location"] != MULTI_REGIONS.get(location, location.lower()):
            message = (
                f"Cloud KMS region '{found['location']}' not available for use with GCS region '{location}'."
            )
            error = invalid(message)
            agent = self._agent(project)
            self._access.write(Outcome.REFUSED, agent, ENCRYPT, f"//cloudkms.googleapis.com/{name}", message)
            error.is_written = True
            raise error

    def _use(self, name: str, project: Project, permission: str) -> str:
        try:
            return self._keys.use(name, self._agent(project), permission)
        except GoogleError as refused:
            raise _passed_on(refused, permission) from None


def _passed_on(refused: GoogleError, permission: str) -> GoogleError:
    """What Cloud KMS answers, as Cloud Storage hands it to its own caller."""
    reason = {NO_KEY: _MISSING[permission], DISABLED_KEY: "cloudKmsDisabledKey"}.get(refused.reason)
    if reason is None:
        error = forbidden(
            "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been "
            "authorized to use this key.",
            because=refused.because,
        )
    else:
        error = invalid(_WORDS[reason], reason=reason, because=refused.because)
    error.is_written = refused.is_written
    return error


def check_no_key(request: Request) -> None:
    """Raise `Undecided` for keys that are sent with the request."""
    if any(
        name.startswith(("x-goog-encryption-", "x-goog-copy-source-encryption-")) for name in request.headers
    ):
        raise Undecided("a customer-supplied encryption key")
