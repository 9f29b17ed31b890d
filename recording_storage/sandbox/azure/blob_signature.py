"""Shared Key: a request that is signed with one of a storage account's keys.

Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key. Leaves out Shared Key Lite, and
what versions before 2015-02-21 sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIGNED = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
"""Headers of which the value is signed, in this order."""
_OURS = "x-ms-"
"""How the other headers that are signed begin."""


def signature(key: str, said: str) -> str:
    """What is signed with a key in Base64."""
    return base64.b64encode(hmac.digest(base64.b64decode(key), said.encode(), hashlib.sha256)).decode()


def string_to_sign(
    method: str, resource: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str]
) -> str:
    """What is signed of a request; `resource` is `/ACCOUNT/PATH`, names of headers are in lower case."""
    values = [headers.get(name, "") for name in SIGNED]
    length = SIGNED.index("content-length")
    values[length] = values[length] if values[length] != "0" else ""
    ours = sorted((name for name in headers if name.startswith(_OURS)), key=_order)
    lines = [method, *values, *(f"{name}:{headers[name].strip()}" for name in ours)]
    return "\n".join([*lines, resource + "".join(_parameters(query))])


def _order(name: str) -> tuple[str, str]:
    """The service passes over dashes, and so do its own clients; an underscore comes before digits."""
    return name.replace("-", "").replace("_", " "), name


def _parameters(query: Iterable[tuple[str, str]]) -> Iterable[str]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in query:
        found[name.lower()].append(value)
    return (f"\n{name}:{','.join(sorted(found[name]))}" for name in sorted(found))
