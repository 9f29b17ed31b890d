"""The last look at what a component hands over: an object that breaks the contract never becomes an output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from components import contract

if TYPE_CHECKING:
    from components.contract import RecordingStorage


def sound(recording_storage: RecordingStorage) -> RecordingStorage:
    """Give the object back if it keeps to the contract; raises `pulumi.RunError` with every fault if not."""
    faults = contract.validate(recording_storage)
    if faults:
        raise pulumi.RunError(
            "\n".join(["recording_storage breaks the contract:", *(one.render() for one in faults)])
        )
    return recording_storage
