"""The policies of buckets: read, set and tested, and what is refused in them beside what is refused in every policy.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1/buckets/setIamPolicy,
https://docs.cloud.google.com/storage/docs/public-access-prevention,
https://docs.cloud.google.com/storage/docs/uniform-bucket-level-access (it must be enabled for conditions and for
federated identities) and https://docs.cloud.google.com/storage/docs/access-control/iam#conditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from recording_storage.evaluation.google.roles import ROLES
from recording_storage.sandbox.google.bucket import PUBLIC, Bucket
from recording_storage.sandbox.google.errors import failed_precondition, invalid
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.buckets import Buckets
    from recording_storage.sandbox.rest import Request

PREVENTED = (
    "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is "
    "enforced."
)
_BASIC = ("roles/owner", "roles/editor", "roles/viewer")
_LEGACY = "roles/storage.legacy"
_FEDERATED = ("principal://", "principalSet://")


class BucketPolicies:
    """The policies of all buckets."""

    def __init__(self, access: Access, buckets: Buckets) -> None:
        self._access = access
        self._buckets = buckets

    def get(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Read a bucket's policy."""
        bucket = self._buckets.permitted(who, names, "storage.buckets.getIamPolicy")
        asked = request.query.get("optionsRequestedPolicyVersion", "1")
        return _shown(bucket, int(asked) if asked.isdecimal() else -1)

    def set(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Set a bucket's policy."""
        bucket, said = self._buckets.permitted(who, names, "storage.buckets.setIamPolicy"), request.json()
        for binding in cast("list[object]", said.get("bindings") or []):
            if isinstance(binding, dict):
                self._check(who, bucket, cast("dict[str, Any]", binding))
        bucket.allow_policy.replace(said)
        return _shown(bucket, bucket.allow_policy.version)

    def test(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        """Say which of some permissions the caller has; asking needs none."""
        bucket = self._buckets.find(names["bucket"])
        asked = [value for name, value in request.query_all if name == "permissions"]
        granted = [one for one in asked if self._access.allowed(who, one, bucket)]
        kind = {"kind": "storage#testIamPermissionsResponse"}
        return kind | ({"permissions": granted} if granted else {})

    def _check(self, who: Principal, bucket: Bucket, binding: Mapping[str, Any]) -> None:
        members = list(map(str, cast("list[object]", binding.get("members") or [])))
        role, public = str(binding.get("role", "")), any(one in PUBLIC for one in members)
        if public and bucket.prevents_public:
            permission = "storage.buckets.setIamPolicy"
            self._access.write(Outcome.REFUSED, who, permission, bucket.full_name, PREVENTED)
            error = failed_precondition(PREVENTED, reason="conditionNotMet", code=412)
            error.is_written = True
            raise error
        known = ROLES.get(role)
        if role in _BASIC or (known is not None and not any(one.startswith("storage.") for one in known)):
            raise invalid(f"Role {role} is not supported for this resource.")
        if binding.get("condition") and (public or role.startswith(_LEGACY)):
            raise Undecided(f"a condition for everybody, or of {role}")
        if not bucket.is_uniform and _needs_uniform(binding, members):
            raise invalid(
                "Uniform bucket-level access must be enabled for conditions and federated identities in a bucket's "
                "policy."
            )


def check_without_uniform(bucket: Bucket) -> None:
    """Raise `GoogleError` where access is uniform because the bucket's policy needs it."""
    if any(_needs_uniform(one, one["members"]) for one in bucket.allow_policy.bindings):
        raise failed_precondition(
            "Uniform bucket-level access cannot be disabled while the bucket's policy has conditions or federated "
            "identities.",
            reason="conditionNotMet",
            code=412,
        )


def _needs_uniform(binding: Mapping[str, Any], members: list[str]) -> bool:
    return bool(binding.get("condition")) or any(one.startswith(_FEDERATED) for one in members)


def _shown(bucket: Bucket, version: int) -> dict[str, Any]:
    resource = f"projects/_/buckets/{bucket.name}"
    return {"kind": "storage#policy", "resourceId": resource} | bucket.allow_policy.to_json(version)
