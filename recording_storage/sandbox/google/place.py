"""A name at which nothing is yet, or nothing with a policy of its own: what is above it decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recording_storage.sandbox.google.policies import Policy

if TYPE_CHECKING:
    from recording_storage.sandbox.google.access import Resource


@dataclass(frozen=True)
class Place:
    """A resource that somebody asks for, whether it exists or not."""

    full_name: str
    type: str
    parent: Resource | None
    policy: Policy = field(default_factory=Policy)
