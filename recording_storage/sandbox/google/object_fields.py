"""What can be said of an object: https://docs.cloud.google.com/storage/docs/json_api/v1/objects and
https://docs.cloud.google.com/storage/docs/objects#naming.

Leaves out, as undecided, object retention, contexts and access control lists other than those by default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from recording_storage.sandbox.google.bucket_settings import STORAGE_CLASSES
from recording_storage.sandbox.google.errors import invalid
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.google.bucket import Bucket

MORE = "Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access"
TEXTS = (
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
)
FLAGS = ("temporaryHold", "eventBasedHold")
CHANGEABLE = (*TEXTS, *FLAGS, "metadata")
OCTETS = "application/octet-stream"
MAX_NAME = 1024
_UNKNOWN = ("retention", "contexts", "customerEncryption")
_ACME = ".well-known/acme-challenge/"


def check_name(name: object) -> str:
    """Give an object's name, if it can be one."""
    if not isinstance(name, str) or not name:
        raise invalid("Required", reason="required")
    too_long = len(name.encode()) > MAX_NAME
    if too_long or name in (".", "..") or name.startswith(_ACME) or "\r" in name or "\n" in name:
        raise invalid(f"Invalid object name: '{name}'")
    return name


def new(bucket: Bucket, said: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of what is said of a new object, with what the bucket says beside."""
    found = changeable(bucket, said)
    if "contentType" not in found:
        found["contentType"] = OCTETS
    if bucket.settings.get("defaultEventBasedHold") and "eventBasedHold" not in found:
        found["eventBasedHold"] = True
    storage_class = said.get("storageClass") or bucket.settings["storageClass"]
    if storage_class not in STORAGE_CLASSES:
        raise Undecided(f"the storage class {storage_class}")
    return found | {"storageClass": storage_class}


def changeable(bucket: Bucket, said: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of what is said of an object, of that which can be said again."""
    for name in _UNKNOWN:
        if said.get(name):
            raise Undecided(f"{name} of an object")
    check_lists(bucket, ("acl",) if said.get("acl") else ())
    found: dict[str, Any] = {}
    for name in TEXTS:
        if said.get(name) is not None:
            found[name] = _of(str, said[name], name)
    for name in FLAGS:
        if said.get(name) is not None:
            found[name] = _of(bool, said[name], name)
    metadata = cast("dict[str, Any]", _of(dict, said.get("metadata") or {}, "metadata"))
    kept = {
        key: str(_of(str, value, f"metadata.{key}")) for key, value in metadata.items() if value is not None
    }
    return found | ({"metadata": kept} if kept else {})


def check_lists(bucket: Bucket, asked: tuple[str, ...]) -> None:
    """Raise unless a new object gets the access control list that it would get anyway."""
    if asked and bucket.is_uniform:
        raise invalid(
            f"Cannot insert legacy ACL for an object when uniform bucket-level access is enabled. {MORE}"
        )
    if asked:
        raise Undecided(f"access control lists ({', '.join(asked)})")


def _of(kind: type, value: object, name: str) -> Any:
    if not isinstance(value, kind):
        raise invalid(f"Invalid value for: {name}")
    return value
