"""Buckets and keys that a rehearsal assumes to exist, made for the occasion: without a request, since nobody in the
sandbox made them. What may be done with them is judged as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google.bucket_settings import check_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from recording_storage.sandbox.google.bucket import Bucket
    from recording_storage.sandbox.google.key_rings import CryptoKey
    from recording_storage.sandbox.google.keys import Keys
    from recording_storage.sandbox.google.storage import Storage
    from recording_storage.sandbox.google.world import Project

ENCRYPTER_DECRYPTER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def bucket(
    storage: Storage,
    name: str,
    project: Project,
    *,
    location: str,
    is_uniform: bool = True,
    bindings: Sequence[Mapping[str, Any]] = (),
    **said: Any,
) -> Bucket:
    """Let a bucket exist; `said` is named as in the API, and `bindings` are added to its policy.

    Raises `GoogleError` where Cloud Storage wouldn't make it, so for a key that it couldn't use.
    """
    access: dict[str, Any] = said.pop("iamConfiguration", {})
    settings = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": is_uniform}} | access}
    made = storage.buckets.make(check_name(name), project, {"location": location} | settings | said)
    for binding in bindings:
        for member in binding["members"]:
            made.allow_policy.add(binding["role"], member, binding.get("condition"))
    return made


def key(keys: Keys, name: str, users: Iterable[str] = ()) -> CryptoKey:
    """Let a key with this name exist (`projects/…/cryptoKeys/…`), which `users` may encrypt and decrypt with."""
    made = keys.add(name)
    for member in users:
        made.policy.add(ENCRYPTER_DECRYPTER, member)
    return made
