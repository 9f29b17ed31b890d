"""A role and a bucket as policies see them, and the requests that the service makes.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_storage.evaluation.aws.policy import Policies
from recording_storage.verify.s3_requests import only, recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.evaluation.aws.policy import Request
    from recording_storage.verify.s3_reading import Reading
    from recording_storage.verify.s3_requests import Keys
    from recording_storage.verify.s3_things import BucketPolicy, Role, RolePolicies

CONVERSATION = "c93a7ead335b"
OBJECTS = ("daily-co-test-upload.txt", f"{CONVERSATION}/recording.mp4", f"any/key/{CONVERSATION}")
"""The probe at the root, a recording as documented, and anything else: keys aren't promised."""
ON_BUCKET = "s3:ListBucket"
"""Actions on the bucket itself begin so; all others are on objects."""


@dataclass(frozen=True)
class Standing:
    """A role and a bucket, as policies see them."""

    role: Role
    policies: RolePolicies
    bucket: str
    region: str
    bucket_policy: BucketPolicy

    @classmethod
    def of(cls, reading: Reading) -> Standing:
        """Wait for the reads."""
        return cls(
            reading.role.result(),
            reading.policies.result(),
            reading.bucket,
            reading.region.result(),
            reading.bucket_policy.result(),
        )

    @property
    def arn(self) -> str:
        """The bucket's."""
        return f"arn:aws:s3:::{self.bucket}"

    def request(self, action: str, resource: str, more: Keys | None = None) -> Request:
        """The service's request."""
        return recording(self.role, action, resource, self.bucket_policy.account, self.region, more)

    def requests(self, action: str) -> Iterator[Request]:
        """The requests that the service makes for an action, in all their forms."""
        if not action.startswith(ON_BUCKET):
            for key in OBJECTS:
                yield self.request(action, f"{self.arn}/{key}")
            return
        yield self.request(action, self.arn)
        yield self.request(action, self.arn, {"s3:prefix": (f"{CONVERSATION}/recording.mp4",)})

    def granting(self) -> Policies:
        """What allows: nothing that denies, and no limit."""
        document = self.bucket_policy.document
        return Policies(
            [only(one, allow=True) for one in self.policies.identity],
            resource=only(document, allow=True) if document else None,
        )

    def whole(self) -> Policies:
        """All policies that are read."""
        return Policies(
            self.policies.identity, boundary=self.policies.boundary, resource=self.bucket_policy.document
        )
