"""The bucket of a destination on Google Cloud Storage, who reads it, and who writes it: made, or taken over as it is.

Left out: the identity that writes (`gcs_identity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp

from components import adoption
from components.destination import DELETE
from components.gcs_lifecycle import lifecycle_rules, soft_delete_seconds
from components.gcs_policies import KEY_ROLE, READER_ROLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.keeping import Keeping


@dataclass(frozen=True)
class BucketSettings:
    """What is asked of a bucket; `adopted` is the name of one that exists."""

    name: pulumi.Input[str]
    project: pulumi.Input[str]
    location: pulumi.Input[str]
    labels: pulumi.Input[dict[str, pulumi.Input[str]]]
    readers: Sequence[pulumi.Input[str]] = ()
    retention_days: int | None = None
    key_name: pulumi.Input[str] | None = None
    adopted: str | None = None


def make_bucket(
    name: str, settings: BucketSettings, keeping: Keeping, api: pulumi.Resource
) -> gcp.storage.Bucket:
    """The bucket, once `api` is enabled, and what its readers and its key's owner must grant."""
    key = _key_use(name, settings, keeping, api)
    adopted = settings.adopted
    bucket = gcp.storage.Bucket(
        f"{name}-bucket",
        name=settings.name,
        project=settings.project,
        location=pulumi.Output.from_input(settings.location).apply(str.upper),
        force_destroy=keeping.on_destroy == DELETE,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning={"enabled": True},
        soft_delete_policy={"retention_duration_seconds": soft_delete_seconds(settings.retention_days)},
        lifecycle_rules=lifecycle_rules(settings.retention_days),
        encryption={"default_kms_key_name": settings.key_name} if settings.key_name is not None else None,
        labels=settings.labels,
        opts=keeping.options(
            api, *key, adopted=adopted, taken_over=adoption.unchanged(adopted) if adopted else None
        ),
    )
    if settings.readers:
        gcp.storage.BucketIAMBinding(
            f"{name}-readers",
            bucket=bucket.name,
            role=READER_ROLE,
            members=settings.readers,
            # Not kept: whoever is taken off the list must lose access, the last one too.
            opts=pulumi.ResourceOptions(parent=keeping.parent),
        )
    return bucket


def _key_use(
    name: str, settings: BucketSettings, keeping: Keeping, api: pulumi.Resource
) -> tuple[pulumi.Resource, ...]:
    """Let Cloud Storage's agent use the key, without which no object can be written or read.

    Added to what the key's owner has granted already. The agent comes to be when it is asked for. Source:
    https://docs.cloud.google.com/storage/docs/encryption/using-customer-managed-keys#service-agent-access
    """
    if settings.key_name is None:
        return ()
    agent = gcp.storage.get_project_service_account_output(
        project=settings.project,
        opts=pulumi.InvokeOutputOptions(parent=keeping.parent, depends_on=[api]),
    )
    grant = gcp.kms.CryptoKeyIAMMember(
        f"{name}-key-use",
        crypto_key_id=settings.key_name,
        role=KEY_ROLE,
        member=agent.member,
        opts=keeping.options(),
    )
    return (grant,)
