"""Scopes: `/`, a management group, a subscription, a resource group, a resource, and what is in a resource.

Sources: https://learn.microsoft.com/azure/role-based-access-control/scope-overview (they inherit downwards),
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules (compared without regard to
case). Leaves out which subscriptions are in a management group.
"""

from __future__ import annotations

MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"


def is_same(scope: str, other: str) -> bool:
    """Whether two names are one scope's."""
    return scope.rstrip("/").lower() == other.rstrip("/").lower()


def is_within(scope: str, outer: str) -> bool:
    """Whether a scope is another one, or below it."""
    above = outer.rstrip("/").lower()
    return scope.lower() == above or scope.lower().startswith(f"{above}/")


def is_management_group(scope: str) -> bool:
    """Whether it is a management group, of which it isn't known here what is below it."""
    return scope.lower().startswith(MANAGEMENT_GROUPS)
