"""What every destination's configuration has, whatever its cloud."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from components.faults import listed
from components.fields import Model, choice, text, truth, whole

LONGEST_RETENTION_DAYS: Final = 36500
"""A hundred years: a larger number is a slip of the finger."""

OnDestroy = Literal["protect", "retain", "delete"]
PROTECT: Final = "protect"
RETAIN: Final = "retain"
DELETE: Final = "delete"
_ON_DESTROY: Final = (PROTECT, RETAIN, DELETE)


class DestinationSettings(Model):
    """The fields that all have.

    `on_destroy`: `protect` refuses, `retain` leaves the storage, `delete` gives the recordings up. `retention_days`:
    readable that long; unset, nothing expires. `existing`: the bucket is somebody else's care, and only the trust is
    made; `adopt`: it exists and comes under management.
    """

    provider: str
    on_destroy: Annotated[OnDestroy, text(choice(_ON_DESTROY), f"one of {listed(_ON_DESTROY)}")] = PROTECT
    retention_days: Annotated[
        int | None,
        whole(
            1,
            LONGEST_RETENTION_DAYS,
            "days",
            "write the number without quotes; remove the key to keep everything",
        ),
    ] = None
    existing: Annotated[bool, truth()] = False
    adopt: Annotated[bool, truth()] = False

    @property
    def place(self) -> str:
        """Where the recordings are, in the cloud's own word."""
        raise NotImplementedError
