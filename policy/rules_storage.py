"""The rule that all clouds share, and that `verify` can't know: what becomes of the recordings when the stack goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from components.faults import shown
from policy import belonging_aws, belonging_azure, belonging_gcp, kinds
from policy.belonging import is_in_component
from policy.resources import NotKnown, Resource
from policy.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.belonging import View

KEPT: Final = ("PREVENT", "ABANDON")
"""Under which Google's provider doesn't delete a bucket: `deletion_policy`, of
https://www.pulumi.com/registry/packages/gcp/api-docs/storage/bucket/"""
FORCED: Final = (*kinds.AWS_BUCKET, *kinds.GCP_BUCKET)
"""What is emptied and deleted with `force_destroy`; without it no bucket with recordings can be deleted."""


def _storage(view: View) -> list[Resource]:
    return [
        *belonging_aws.buckets(view),
        *belonging_gcp.buckets(view),
        *belonging_azure.accounts(view),
        *belonging_azure.containers(view),
    ]


def _outlives(view: View, one: Resource) -> Iterator[str]:
    mend = "write opts=pulumi.ResourceOptions(protect=True)"
    if one.value("forceDestroy") is True:
        own = "on_destroy: protect" if is_in_component(one) else f"force_destroy=False, and {mend}"
        yield f"force_destroy deletes it with all its recordings: write {own}"
        return
    if one.protect or one.named(view.settings.retained):
        return
    if one.is_set("deletionPolicy") and one.value("deletionPolicy") in KEPT:
        return
    if is_in_component(one):
        # A component that isn't told to give the storage up protects it or retains it, and the latter isn't seen.
        if one.type in FORCED:
            return
        raise NotKnown(
            one,
            "it isn't protected, and whether it is retained (on_destroy: retain) or given up (delete), no policy can "
            f"see: list it under retained in the pack's configuration ({shown(one.name)}), or on_destroy: protect",
        )
    yield (
        f"it goes with the stack: {mend}, or retain_on_delete=True and list {shown(one.name)} under retained in the "
        "pack's configuration, because no policy can see that"
    )


RULES: Final = (
    Rule(
        "P1",
        "storage-outlives-the-stack",
        "recordings outlive the stack: their storage is protected or retained",
        "`protect` of bucket, storage account and container; `force_destroy`; `deletion_policy`",
        _storage,
        _outlives,
        "https://www.pulumi.com/docs/iac/concepts/options/protect/",
    ),
)
