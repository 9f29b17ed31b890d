"""Long-running operations: what Google answers where a client has to ask again (https://google.aip.dev/151).

What was asked for is done at once; the first answer says that it isn't, so that a client that doesn't ask again is
found out. Leaves out lists, cancellation and operations that fail.
"""

from __future__ import annotations

import secrets
from typing import Any

from recording_storage.sandbox.google.errors import not_found


class Operations:
    """Those that were begun."""

    def __init__(self) -> None:
        self._begun: dict[str, dict[str, Any]] = {}

    def begin(self, parent: str, kind: str, response: dict[str, Any]) -> dict[str, Any]:
        """Begin one whose name starts with `parent`; `kind` is the type of its response."""
        name = f"{parent}operations/{secrets.token_hex(12)}"
        done = {"@type": f"type.googleapis.com/{kind}", **response}
        self._begun[name] = {"name": name, "done": True, "response": done}
        return {"name": name, "done": False}

    def get(self, name: str) -> dict[str, Any]:
        """How far one is."""
        if name not in self._begun:
            raise not_found("Requested entity was not found.", because=f"there is no operation {name}")
        return self._begun[name]
