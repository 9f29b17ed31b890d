"""Key rings, keys and their versions: what Cloud KMS knows, without any key material.

Sources: https://docs.cloud.google.com/kms/docs/resource-hierarchy and https://docs.cloud.google.com/kms/docs/key-states.
Leaves out asymmetric, raw, MAC and imported keys, keys outside Google, and rotation (no clock passes in a sandbox).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google.world import utc

if TYPE_CHECKING:
    from recording_storage.sandbox.google.policies import Policy
    from recording_storage.sandbox.google.world import Project

SERVICE = "cloudkms.googleapis.com"
ENABLED, DISABLED, SCHEDULED, DESTROYED = "ENABLED", "DISABLED", "DESTROY_SCHEDULED", "DESTROYED"
ALGORITHM = "GOOGLE_SYMMETRIC_ENCRYPTION"
PURPOSE = "ENCRYPT_DECRYPT"
KEPT = timedelta(days=30)
"""How long a version that shall be destroyed can be restored, where its key doesn't say otherwise."""
KEY_NAME = re.compile(
    r"projects/(?P<project>[^/]+)/locations/(?P<location>[a-z0-9-]+)"
    r"/keyRings/(?P<ring>[A-Za-z0-9_-]{1,63})/cryptoKeys/(?P<key>[A-Za-z0-9_-]{1,63})"
)


@dataclass(eq=False)
class KeyRing:
    """A key ring, in one location, where its keys are too."""

    project: Project
    location: str
    id: str
    policy: Policy
    created: datetime
    keys: dict[str, CryptoKey] = field(default_factory=dict[str, "CryptoKey"])

    @property
    def name(self) -> str:
        """`projects/P/locations/L/keyRings/R`."""
        return f"projects/{self.project.id}/locations/{self.location}/keyRings/{self.id}"

    @property
    def full_name(self) -> str:
        """As conditions and the journal have it."""
        return f"//{SERVICE}/{self.name}"

    @property
    def type(self) -> str:
        """As conditions have it."""
        return f"{SERVICE}/KeyRing"

    @property
    def parent(self) -> Project:
        """Its policy is inherited."""
        return self.project

    def to_json(self) -> dict[str, Any]:
        """As the API has it."""
        return {"name": self.name, "createTime": utc(self.created)}


@dataclass(eq=False)
class CryptoKey:
    """A key, which is what its versions are; `primary` is the number of the one that encrypts."""

    ring: KeyRing
    id: str
    policy: Policy
    created: datetime
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    """What was said of it: `labels`, `rotationPeriod`, `nextRotationTime`."""
    kept: timedelta = KEPT
    protection: str = "SOFTWARE"
    versions: list[KeyVersion] = field(default_factory=list["KeyVersion"])
    primary: int = 0

    @property
    def name(self) -> str:
        """`…/cryptoKeys/K`."""
        return f"{self.ring.name}/cryptoKeys/{self.id}"

    @property
    def full_name(self) -> str:
        """As conditions and the journal have it."""
        return f"//{SERVICE}/{self.name}"

    @property
    def type(self) -> str:
        """As conditions have it."""
        return f"{SERVICE}/CryptoKey"

    @property
    def parent(self) -> KeyRing:
        """Its policy is inherited."""
        return self.ring

    def version(self, number: int) -> KeyVersion | None:
        """The version with this number, which they have from 1 on."""
        return self.versions[number - 1] if 0 < number <= len(self.versions) else None

    def add_version(self, now: datetime) -> KeyVersion:
        """Let a version exist, enabled; the first one encrypts."""
        made = KeyVersion(self, len(self.versions) + 1, now)
        self.versions.append(made)
        return made

    def to_json(self, now: datetime) -> dict[str, Any]:
        """As the API has it."""
        primary = self.version(self.primary)
        return {
            "name": self.name,
            **({"primary": primary.to_json(now)} if primary else {}),
            "purpose": PURPOSE,
            "createTime": utc(self.created),
            "versionTemplate": {"protectionLevel": self.protection, "algorithm": ALGORITHM},
            "destroyScheduledDuration": f"{int(self.kept.total_seconds())}s",
            **self.said,
        }


@dataclass(eq=False)
class KeyVersion:
    """A version of a key."""

    key: CryptoKey
    number: int
    created: datetime
    stored_state: str = ENABLED
    destroyed_at: datetime | None = None

    @property
    def name(self) -> str:
        """`…/cryptoKeyVersions/N`."""
        return f"{self.key.name}/cryptoKeyVersions/{self.number}"

    def state(self, now: datetime) -> str:
        """Its state: what was scheduled has happened when its time has come."""
        over = self.destroyed_at is not None and now >= self.destroyed_at
        return DESTROYED if over else self.stored_state

    def to_json(self, now: datetime) -> dict[str, Any]:
        """As the API has it."""
        state = self.state(now)
        end = "destroyEventTime" if state == DESTROYED else "destroyTime"
        return {
            "name": self.name,
            "state": state,
            "protectionLevel": self.key.protection,
            "algorithm": ALGORITHM,
            "createTime": utc(self.created),
            "generateTime": utc(self.created),
            **({end: utc(self.destroyed_at)} if self.destroyed_at else {}),
        }
