"""What expires in a destination's storage account on Azure, and when.

Pure: plain data in the shape that pulumi-azure-native takes. Unfinished uploads need no rule: Azure drops blocks that
were never committed after a week (https://learn.microsoft.com/rest/api/storageservices/put-block).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pulumi_azure_native as azure

SOFT_DELETE_DAYS: Final = 7
"""How long what was deleted can be restored, where nothing expires."""
SHORTEST_SOFT_DELETE_DAYS: Final = 1
"""The shortest soft deletion that there is, where a retention is set:
https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview"""


def soft_delete_days(retention_days: int | None) -> int:
    """How long what was deleted can be restored: as short as can be where a retention is set, as it comes on top."""
    return SOFT_DELETE_DAYS if retention_days is None else SHORTEST_SOFT_DELETE_DAYS


def management_policy(retention_days: int) -> azure.storage.ManagementPolicySchemaArgsDict:
    """The account's lifecycle: recordings go after their retention, and so do all old versions of them.

    A version's age counts from its own creation, so that one that was replaced goes no later than the recording would
    have. Source: https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure
    """
    return {
        "rules": [
            {
                "name": "expire-recordings",
                "type": "Lifecycle",
                "enabled": True,
                "definition": {
                    "filters": {"blob_types": ["blockBlob"]},
                    "actions": {
                        "base_blob": {"delete": {"days_after_modification_greater_than": retention_days}},
                        "version": {"delete": {"days_after_creation_greater_than": retention_days}},
                    },
                },
            }
        ]
    }
