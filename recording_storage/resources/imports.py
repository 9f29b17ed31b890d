"""What an import finds: one way for the run without the Pulumi CLI and for the plugin under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recording_storage.resources import Properties, ResourceType


def find(kind: ResourceType, clients: Any, import_id: str) -> tuple[str, Properties] | None:
    """The id and the state of what exists under an import's id, or None."""
    id_, known = kind.import_id(clients, import_id)
    found = kind.read(clients, id_, known)
    return None if found is None else (id_, found)
