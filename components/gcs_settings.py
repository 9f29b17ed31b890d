"""A destination on Google Cloud Storage as a stack's configuration has it: its fields, and what must hold between them.

Left out: whatever only Google Cloud can answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

from pydantic import Field

from components import gcp, naming, trust
from components.destination import (
    DestinationSettings,
    Group,
    Named,
    beside_existing,
    given_up_while_adopted,
    tag_faults,
    taken_twice,
)
from components.faults import Breach, Fault, fault
from components.fields import Model, text, texts, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PROVIDER_ID: Final = "recording-service"
"""The id of the one provider in a destination's pool, where the configuration names no other."""
_LOCATION: Final = "a Cloud Storage location, as in europe-west1 or EU"
_PROJECT: Final = "the ID of the Google Cloud project, as in acme-prod"
_WORKSPACE: Final = (
    "the Workspace ID of your account with Tavus: its recordings, and nobody else's, may come in"
)
_POOL_ID: Final = "an id, as in recordings"

_service_account_email = text(gcp.service_account_email_breaches, "a service account's address")


@dataclass(frozen=True)
class GcsNames:
    """The physical names of a destination on Google Cloud Storage."""

    bucket: str
    pool: str
    service_account: str
    """What stands before the `@`."""


class GcsDestination(DestinationSettings):
    """A bucket of the customer's, and the service account as which the recording service writes into it.

    `project`: the id of the project to deploy into; `deploy_service_account`: whom Pulumi impersonates there.
    `location`: where the bucket is. `workspace_id`: the customer's with Tavus, the only subject that gets in.
    `bucket_name`, `pool_id`, `service_account_id`: instead of the derived ones; `provider_id`. `allow_overwrite`: a
    wider role, so that a retry may replace what it left. `readers`: principals that may read the bucket.
    `kms_key_name`: the Cloud KMS key to encrypt with. `additional_audiences`: accepted beside the provider's own name.
    `service_account_email`: one that exists, used instead of a made one. `existing_pool`: the pool `pool_id` exists and
    only a provider is made in it; `adopt_pool`: pool and provider exist, after an undelete say, and come under
    management.
    """

    provider: Literal["gcs"]  # pyright: ignore[reportIncompatibleVariableOverride]
    project: Annotated[str, text(gcp.project_id_breaches, _PROJECT)] = Field(description=_PROJECT)
    location: Annotated[str, text(gcp.location_breaches, _LOCATION)] = Field(description=_LOCATION)
    workspace_id: Annotated[str, text(gcp.subject_breaches, _WORKSPACE)] = Field(description=_WORKSPACE)
    deploy_service_account: Annotated[str | None, _service_account_email] = None
    bucket_name: Annotated[str | None, text(gcp.bucket_name_breaches, "a bucket name, as in acme-calls")] = (
        None
    )
    pool_id: Annotated[str | None, text(gcp.pool_id_breaches, _POOL_ID)] = None
    provider_id: Annotated[str, text(gcp.pool_id_breaches, _POOL_ID)] = PROVIDER_ID
    service_account_id: Annotated[str | None, text(gcp.service_account_id_breaches, _POOL_ID)] = None
    service_account_email: Annotated[str | None, _service_account_email] = None
    allow_overwrite: Annotated[bool, truth()] = False
    readers: Annotated[
        tuple[str, ...], texts(gcp.member_breaches, "a principal, as in group:players@example.com")
    ] = ()
    kms_key_name: Annotated[str | None, text(gcp.key_name_breaches, "a key's name")] = None
    additional_audiences: Annotated[tuple[str, ...], texts(gcp.audience_breaches, "an audience")] = ()
    existing_pool: Annotated[bool, truth()] = False
    adopt_pool: Annotated[bool, truth()] = False

    @property
    def place(self) -> str:
        """Where the recordings are, as Cloud Storage writes it."""
        return self.location.upper()

    def names(self, scope: naming.Scope, destination: str) -> GcsNames:
        """Give the configured names, or the derived ones."""
        place = (scope, destination, self.project, self.place)
        return GcsNames(
            bucket=self.bucket_name or naming.gcs_bucket_name(*place),
            pool=self.pool_id or naming.pool_id(*place),
            service_account=self.service_account_id or naming.service_account_id(*place),
        )


class GcsTrustSettings(Model):
    """What is assumed of the vendor for Google Cloud, where the stack overrides it; unset, the profile's stands."""

    issuer: Annotated[str | None, text(gcp.issuer_breaches, "an issuer's URL")] = None
    subject_mapping: Annotated[
        str | None, text(gcp.subject_mapping_breaches, "a CEL expression, as in assertion.sub")
    ] = None
    audience: Annotated[str | None, text(gcp.audience_breaches, "an audience")] = None

    @property
    def overrides(self) -> trust.GcsOverrides:
        """Only what is set."""
        return cast("trust.GcsOverrides", {name: getattr(self, name) for name in self.model_fields_set})


GcsGroup = Group[GcsDestination, trust.GcsTrust]

OF_THE_BUCKET: Final = frozenset({"adopt", "kms_key_name", "on_destroy", "readers", "retention_days"})
"""Settings that concern the bucket itself, or who reads it."""


def _existing_bucket_faults(name: str, one: GcsDestination) -> Iterable[Fault]:
    """Refuse settings of a bucket whose settings are left alone, and ask for the name of one that exists."""
    yield from beside_existing(name, one, OF_THE_BUCKET, "bucket")
    if one.existing and not one.bucket_name:
        breach = Breach("bucket_name beside existing: true", "name the bucket that exists")
        yield fault(f"destinations.{name}.existing", value=True, breach=breach)


def _adoption_faults(name: str, one: GcsDestination) -> Iterable[Fault]:
    """Refuse to give up in the same breath what is only just taken over."""
    for field in ("adopt", "adopt_pool"):
        yield from given_up_while_adopted(name, one, field)


def _pool_faults(name: str, one: GcsDestination) -> Iterable[Fault]:
    """Ask for the id of a pool that exists, and for one way to have it."""
    key = f"destinations.{name}"
    if one.existing_pool and not one.pool_id:
        breach = Breach("pool_id beside existing_pool: true", "name the pool that exists")
        yield fault(f"{key}.existing_pool", value=True, breach=breach)
    if one.existing_pool and one.adopt_pool:
        breach = Breach(
            "either a pool that stays somebody else's or one that is adopted", "remove one of the two"
        )
        yield fault(f"{key}.adopt_pool", value=True, breach=breach)


def _service_account_faults(name: str, one: GcsDestination) -> Iterable[Fault]:
    """Ask for one service account."""
    if one.service_account_email and one.service_account_id:
        breach = Breach("either a service account that is made or one that is given", "remove one of the two")
        yield fault(f"destinations.{name}.service_account_id", one.service_account_id, breach)


def _key_faults(name: str, one: GcsDestination) -> Iterable[Fault]:
    """Ask for a key where the bucket is.

    https://docs.cloud.google.com/storage/docs/encryption/customer-managed-keys#key-resources
    """
    found = gcp.key_name(one.kms_key_name or "")
    wanted = gcp.key_location(one.location)
    if found and one.location and found.location != wanted:
        breach = Breach(
            f"a key in {wanted}, as the bucket is in {one.place}; this one is in {found.location}",
            "name a key of that location, or move the destination",
        )
        yield fault(f"destinations.{name}.kms_key_name", one.kms_key_name, breach)


_OWN_CHECKS: Final[tuple[Callable[[str, GcsDestination], Iterable[Fault]], ...]] = (
    _existing_bucket_faults,
    _adoption_faults,
    _pool_faults,
    _service_account_faults,
    _key_faults,
)


def _name_faults(group: GcsGroup) -> Iterable[Fault]:
    """Refuse derived names that Google wouldn't take, and one name twice where it must be unique."""
    taken: defaultdict[tuple[str, ...], list[Named]] = defaultdict(list)
    for name, one in group.destinations.items():
        names = one.names(group.scope, name)
        rules: tuple[tuple[str, str, Callable[[str], tuple[Breach, ...]], tuple[str, ...]], ...] = (
            ("bucket_name", names.bucket, gcp.bucket_name_breaches, ()),
            ("pool_id", names.pool, gcp.pool_id_breaches, (one.project,)),
            ("service_account_id", names.service_account, gcp.service_account_id_breaches, (one.project,)),
        )
        for field, value, judge, within in rules:
            if getattr(one, field) is None:
                for breach in judge(value):
                    mend = f"the name comes from stack and destination: set {field}"
                    yield fault(f"destinations.{name}.{field}", value, Breach(breach.expected, mend))
            shared = (field == "pool_id" and one.existing_pool) or (
                field == "service_account_id" and one.service_account_email
            )
            if not shared:
                taken[(field, value, *within)].append((name, field, value))
        if one.existing_pool:
            taken["provider_id", one.project, names.pool, one.provider_id].append(
                (name, "provider_id", one.provider_id)
            )
    yield from taken_twice(taken.values())


def _audience_faults(group: GcsGroup) -> Iterable[Fault]:
    """Refuse to accept beside what is accepted anyway."""
    own = group.trust.audience
    for name, one in group.destinations.items():
        if own and own in one.additional_audiences:
            index = one.additional_audiences.index(own)
            breach = Breach(
                "only what is accepted beside the service's own audience", "remove it: it is accepted already"
            )
            yield fault(f"destinations.{name}.additional_audiences[{index}]", own, breach)


def faults(group: GcsGroup) -> Iterable[Fault]:
    """List what doesn't fit together: fields of one destination, or several destinations of a stack."""
    for name, one in group.destinations.items():
        for check in _OWN_CHECKS:
            yield from check(name, one)
    yield from _name_faults(group)
    yield from tag_faults(group, gcp.label_breaches)
    yield from _audience_faults(group)


def notes(group: GcsGroup) -> Iterable[Fault]:
    """List what Google takes, or may take, and someone should know."""
    for name, one in group.destinations.items():
        key = f"destinations.{name}"
        yield from (fault(f"{key}.location", one.location, note) for note in gcp.location_notes(one.location))
        if one.bucket_name:
            yield from (
                fault(f"{key}.bucket_name", one.bucket_name, note)
                for note in gcp.bucket_name_notes(one.bucket_name)
            )
        if one.existing_pool:
            yield fault(f"{key}.existing_pool", value=True, breach=_SHARED_POOL)


_SHARED_POOL: Final = Breach(
    "a pool of the destination's own: any other provider in this one that asserts the same subject gets in too",
    "remove existing_pool, or see to it that nobody adds a provider to the pool",
)
