"""What a rehearsal says of a destination on Google Cloud Storage: what was made, and how to mend what departs.

Left out: what is tried, and how it ended (`gcs`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.results import Made

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GUIDE = "https://docs.tavus.io/sections/conversational-video-interface/recording-storage"
FEDERATION = "https://docs.cloud.google.com/iam/docs/workload-identity-federation"
PROVIDERS = f"{FEDERATION}-with-other-providers"
CARE = "https://docs.cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation"
ROLES = "https://docs.cloud.google.com/storage/docs/access-control/iam-roles"
PUBLIC = "https://docs.cloud.google.com/storage/docs/public-access-prevention"
VERSIONING = "https://docs.cloud.google.com/storage/docs/object-versioning"
TLS = "https://docs.cloud.google.com/storage/docs/request-endpoints"
MANAGE = "https://docs.cloud.google.com/iam/docs/manage-workload-identity-pools-providers"
_SUBJECT = (
    "map google.subject to the claim that holds the Workspace ID, and let the condition name that one subject"
)
_EXACTLY = "accept one issuer's tokens with the provider's own audience, checked with that issuer's own keys"

# a result's id, or its beginning -> how to mend it, and the page that says so
MENDS: Mapping[str, tuple[str, str]] = {
    "proven.exchange": (
        "look at the provider: enabled, the service's issuer, its own full name among the audiences (or none listed), "
        "google.subject mapped to the Workspace ID, and a condition that lets it through",
        PROVIDERS,
    ),
    "proven.impersonate": (
        "grant roles/iam.workloadIdentityUser on the service account to principal://…/subject/<Workspace ID>; "
        "the account must be enabled, and so must the API iamcredentials.googleapis.com",
        PROVIDERS,
    ),
    "proven.write": (
        "grant the service account roles/storage.objectCreator on the bucket; with a customer's key, let Cloud "
        "Storage's agent use it",
        GUIDE,
    ),
    "proven.overwrite": ("grant the service account roles/storage.objectUser on the bucket", ROLES),
    "proven.read-back": (
        "see to it that what is in the bucket can be read: with a customer's key, keep it enabled",
        ROLES,
    ),
    "proven.versions": ("enable the bucket's versioning", VERSIONING),
    "proven.additional-audience": (
        "list it among the provider's allowed audiences, or drop it from the configuration",
        FEDERATION,
    ),
    "proven.reader": ("grant the reader roles/storage.objectViewer on the bucket", ROLES),
    "refused.another-workspace": (_SUBJECT, CARE),
    "refused.workspace-in-another-case": (_SUBJECT, CARE),
    "refused.another-issuer": (_EXACTLY, PROVIDERS),
    "refused.another-key": (_EXACTLY, PROVIDERS),
    "refused.another-audience": (_EXACTLY, PROVIDERS),
    "refused.expired": (_EXACTLY, PROVIDERS),
    "refused.another-service-account": (
        "grant roles/iam.workloadIdentityUser on the one service account, and not on the project",
        CARE,
    ),
    "refused.no-impersonation": (
        "grant the bucket's roles to the service account, and not to the pool's principals",
        CARE,
    ),
    "refused.another-bucket": (
        "grant the service account its role on the bucket, and not on the project",
        ROLES,
    ),
    "refused.plain-http": ("nothing of yours: Google executes no such request", TLS),
    "refused.change-access": ("give the service account no role that changes the bucket's policy", ROLES),
    "refused.read": ("give the service account roles/storage.objectCreator only", GUIDE),
    "refused.list": ("give the service account roles/storage.objectCreator only", GUIDE),
    "refused.overwrite": ("give the service account roles/storage.objectCreator only", GUIDE),
    "refused.delete": ("give the service account roles/storage.objectCreator only", GUIDE),
    "refused.disabled-provider": ("nothing of yours: Google lets nobody in through it", MANAGE),
    "refused.deleted-provider": ("nothing of yours: Google lets nobody in through it", MANAGE),
    "refused.anonymous": ("enforce public access prevention, and grant nothing to allUsers", PUBLIC),
    "refused.another-account": (
        "enforce public access prevention, and grant nothing to allAuthenticatedUsers",
        PUBLIC,
    ),
    "refused.reader": ("grant readers roles/storage.objectViewer, and nothing else", ROLES),
    "unproven.shared-pool": (
        "remove existing_pool, or see to it that nobody adds a provider to the pool",
        CARE,
    ),
}
MAY = {
    "roles/storage.objectCreator": "may create objects",
    "roles/storage.objectUser": "may create, read, replace and delete objects",
}
_ONE_SUBJECT = re.compile(r'google\.subject == "(.*)"')
SECONDS_A_DAY = 24 * 60 * 60


def made(name: str, events: list[dict[str, Any]], protection: str) -> Iterator[Made]:
    """The bucket, the pool with its provider and the service account, with what was set on them."""
    inputs: dict[str, dict[str, Any]] = {event["name"]: event["inputs"] for event in events}
    ids: dict[str, str] = {event["name"]: event["id"] for event in events}
    bucket = f"{name}-bucket"
    if bucket in ids:
        yield Made("bucket", ids[bucket], tuple(_said_of_bucket(inputs[bucket], protection)))
    provider, pool = f"{name}-pool-provider", f"{name}-pool"
    if provider in ids:
        properties = inputs[provider]
        called = properties["workloadIdentityPoolId"]
        given = () if pool in ids else ("existing, left as it is",)
        yield Made("pool", called, (*given, _let_in(properties), f"provider {_last(ids[provider])}"))
    writer = inputs.get(f"{name}-writer")
    if writer is not None:
        members = [str(one) for one in (writer.get("members") or [writer.get("member", "")])]
        email = members[0].partition(":")[2]
        may = MAY.get(writer["role"], f"has {writer['role']}")
        if f"{name}-service-account" in ids:
            yield Made("service account", email.partition("@")[0], (may,))
        else:
            yield Made("service account", email, ("given", may))


def _said_of_bucket(properties: Mapping[str, Any], protection: str) -> Iterator[str]:
    rules: list[dict[str, Any]] = properties.get("lifecycleRules") or []
    days: list[int] = [
        int(rule["condition"]["age"])
        for rule in rules
        if rule["action"]["type"] == "Delete" and rule["condition"].get("withState") == "LIVE"
    ]
    kept = int(_at(properties, "softDeletePolicy", "retentionDurationSeconds") or 0) // SECONDS_A_DAY
    said: dict[str, Any] = {
        "private": properties.get("publicAccessPrevention") == "enforced"
        and properties.get("uniformBucketLevelAccess"),
        "encrypted": True,  # as everything in Cloud Storage is
        "with a customer's key": _at(properties, "encryption", "defaultKmsKeyName"),
        "versioned": _at(properties, "versioning", "enabled"),
        f"deleted ones kept {kept} days": kept,
        f"expires after {min(days, default=0)} days": days,
        protection: True,
    }
    yield from (word for word, holds in said.items() if holds)


def _at(properties: Mapping[str, Any], block: str, name: str) -> Any:
    said: dict[str, Any] = properties.get(block) or {}
    return said.get(name)


def _let_in(provider: Mapping[str, Any]) -> str:
    condition = provider.get("attributeCondition") or ""
    one = _ONE_SUBJECT.fullmatch(condition)
    if one:
        return f"only workspace {one[1]}"
    return f"only where {condition}" if condition else "EVERY WORKSPACE of the issuer"


def _last(name: str) -> str:
    return name.rpartition("/")[2]
