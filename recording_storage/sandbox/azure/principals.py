"""Who asks: in the sandbox always a service principal, an application's or a managed identity's.

Source: https://learn.microsoft.com/entra/identity-platform/app-objects-and-service-principals.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Principal:
    """A service principal: roles are assigned to its `object_id`; `app_id` is what tells its application apart."""

    object_id: str
    app_id: str
    tenant: str

    def __str__(self) -> str:
        return f"sp:{self.object_id}" if self.object_id else "anonymous"


ANONYMOUS = Principal("", "", "")
