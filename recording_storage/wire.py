"""Values as they come over Pulumi's wire."""

from __future__ import annotations

from typing import Any, cast

from pulumi.runtime import rpc


def plain(value: Any) -> Any:
    """A value without marks of secrecy: a secret as what it holds, since it only goes into a stand-in."""
    if rpc.is_rpc_secret(value):
        return plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {name: plain(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [plain(one) for one in cast("list[Any]", value)]
    return value
