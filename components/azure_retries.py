"""Entra and Resource Manager know of a new principal, or a new parent, a moment later than of its creation.

What fails because of that alone is tried again, a bounded number of times with growing pauses. Every other error, a
403 or a 409 above all, is said at once. Source:
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
"""

from __future__ import annotations

import asyncio
from typing import Final

import pulumi

REPLICATION: Final = ("PrincipalNotFound", "ParentResourceNotFound", "Request_ResourceNotFound")
"""What Azure and Entra say of something that was just made."""
PAUSES_SECONDS: Final = (2, 4, 8, 16, 30, 30)


def on_replication(name: str) -> pulumi.ResourceHookBinding:
    """Try again what `name` failed at for want of replication; names are unique within a deployment."""

    async def again(args: pulumi.ErrorHookArgs) -> bool:
        failures = len(args.errors)
        if not is_replication(args.errors[0]) or failures > len(PAUSES_SECONDS):
            return False
        await asyncio.sleep(PAUSES_SECONDS[failures - 1])
        return True

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"retry {name}", again)])


def is_replication(error: str) -> bool:
    """Whether an error says no more than that something new isn't known everywhere yet."""
    return any(code in error for code in REPLICATION)
