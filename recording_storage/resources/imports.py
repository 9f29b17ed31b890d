"""What an import finds: one way for the run without the Pulumi CLI and for the plugin under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recording_storage.resources import Properties, ResourceType


def find(kind: ResourceType, clients: Any, import_id: str) -> tuple[str, Properties] | None:
    """The id and the state of what exists under an import's id, or None.

    Where a type has a region, `@<region>` behind the id says in which one to look, as the real provider has it.
    Source: https://hashicorp.github.io/terraform-provider-aws/enhanced-region-support
    """
    id_, region = import_id, ""
    if "region" in kind.properties:
        id_, _, region = import_id.partition("@")
    found = kind.read(clients, id_, {"region": region} if region else {})
    return None if found is None else (id_, found)
