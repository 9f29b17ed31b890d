"""Where a blob is copied from, and whether it may be read there.

Source: https://learn.microsoft.com/rest/api/storageservices/copy-blob: in the same account the caller must be allowed
to read it, in another one it must be public, or its address carry a signature. Leaves out, as undecided, what isn't a
blob of the stand-in's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from recording_storage.sandbox.azure.blob_operations import SOURCE, Level, understood
from recording_storage.sandbox.azure.tokens import BLOB_SUFFIX
from recording_storage.sandbox.rest import Request, Undecided

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.sandbox.azure.blob_access import BlobAccess, Caller
    from recording_storage.sandbox.azure.blob_operations import Asked
    from recording_storage.sandbox.azure.world import World


def source_of(
    asked: Asked, caller: Caller, world: World, access: BlobAccess, exists: Callable[[Asked], bool]
) -> tuple[Asked, str]:
    """The blob that may be copied, and its address without a signature; raises `StorageError` where it may not."""
    said = asked.request.headers[SOURCE]
    parts = urlsplit(said)
    if not (parts.hostname or "").endswith(BLOB_SUFFIX):
        raise Undecided(f"a copy of {said}, which isn't a blob of the sandbox's")
    query = parse_qsl(parts.query, keep_blank_values=True)
    headers = {"x-ms-version": asked.version}
    source = understood(Request("GET", parts.scheme, parts.hostname or "", parts.path, query, headers), world)
    if source.level is not Level.BLOB:
        raise Undecided(f"a copy of {said}, which isn't a blob")
    if source.account is not asked.account and asked.account.properties.get("allowedCopyScope"):
        raise Undecided(f"a copy from another account, which {asked.account.name} has a rule for")
    admitted = access.admit(source)  # by its own signature, if it has one
    is_callers = source.account is asked.account and not admitted.sas and not caller.sas
    access.require(caller if is_callers else admitted, source, lambda: exists(source))
    chosen = [f"{name}={value}" for name, value in query if name in ("snapshot", "versionid")]
    return source, f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{'&'.join(chosen)}" if chosen else "")
