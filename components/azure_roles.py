"""Roles on Azure: the built-in ones that a destination needs, and an assignment that is the same on every run.

Left out: custom roles and conditions.
"""

from __future__ import annotations

import uuid
from typing import Final

import pulumi
import pulumi_azure_native as azure

from components.azure_retries import on_replication

WRITER_ROLE: Final = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
"""Storage Blob Data Contributor: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage"""
READER_ROLE: Final = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
"""Storage Blob Data Reader: the same page."""
KEY_ROLE: Final = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
"""Key Vault Crypto Service Encryption User:
https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security"""


def role_id(role: str, subscription: str) -> str:
    """A built-in role's resource id."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"


def assignment_name(scope: str, role: str, principal_id: str) -> str:
    """Name an assignment: a GUID, the same on every run, and another one for another principal.

    An assignment can't change its principal: https://learn.microsoft.com/rest/api/authorization/role-assignments/create
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope.lower()}|{role}|{principal_id.lower()}"))


def assign(
    name: str,
    *,
    scope: pulumi.Input[str],
    role: str,
    principal_id: pulumi.Input[str],
    principal_type: str,
    subscription: str,
    opts: pulumi.ResourceOptions,
) -> azure.authorization.RoleAssignment:
    """Assign a role; the principal's type is said, so that Azure needn't look it up before it is replicated."""
    named = pulumi.Output.all(scope, principal_id).apply(
        lambda known: assignment_name(known[0], role, known[1])
    )
    retried = pulumi.ResourceOptions(hooks=on_replication(name))
    return azure.authorization.RoleAssignment(
        name,
        role_assignment_name=named,
        scope=scope,
        role_definition_id=role_id(role, subscription),
        principal_id=principal_id,
        principal_type=principal_type,
        opts=pulumi.ResourceOptions.merge(opts, retried),
    )
