"""What becomes of a destination's storage when the stack or the destination goes: `on_destroy` as Pulumi's options."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.destination import PROTECT, RETAIN


@dataclass(frozen=True)
class Keeping:
    """How the storage of a destination is kept: by whom, and what becomes of it."""

    parent: pulumi.Resource
    on_destroy: str

    def options(
        self,
        *after: pulumi.Resource,
        adopted: str | None = None,
        taken_over: pulumi.ResourceHookBinding | None = None,
    ) -> pulumi.ResourceOptions:
        """The options of one of its resources; `adopted` is the id of what exists, and is `taken_over` as it is.

        While it is adopted it isn't deleted either: not in favour of another one that is adopted in its place.
        """
        return pulumi.ResourceOptions(
            parent=self.parent,
            depends_on=list(after),
            protect=self.on_destroy == PROTECT,
            retain_on_delete=self.on_destroy == RETAIN or adopted is not None,
            import_=adopted,
            hooks=taken_over,
        )
