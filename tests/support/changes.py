"""What a change of each setting does, per provider: the engine's tests and the documentation's read this one table.

Left out: what a change of a physical name does to whatever else knows that name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Effect(str, Enum):
    """What a change does, in the documentation's words."""

    IN_PLACE = "changed in place"
    NOTHING = "nothing in the cloud changes"
    STORAGE = (
        "other storage is made, and the old one is treated as if its destination had gone: under `protect` the change "
        "is refused, under `retain` it stays with its recordings, under `delete` they go with it"
    )
    IDENTITY = (
        "the service comes in as somebody else: hand the new outputs over. Refused under `protect`: write `retain` "
        "and `pulumi up` before"
    )
    KEY = (
        "refused under `protect`, because recordings need the old key; under `retain` it stays usable, under `delete` "
        "they can't be read without it"
    )
    LET_GO = (
        "the stack lets go of it: refused under `protect`, under `retain` it stays, under `delete` it goes"
    )
    LOSS = "refused under `protect`; otherwise it is deleted: have the stack forget it first (`pulumi state delete`)"
    ADOPTION = "refused where the stack has another one already"


UNSET: Final[Any] = None
GOES_BY_ON_DESTROY: Final = frozenset({Effect.STORAGE, Effect.KEY, Effect.LET_GO, Effect.IDENTITY})
"""What is refused under `protect`, and is tried under `retain`."""
REFUSED: Final = GOES_BY_ON_DESTROY | {Effect.LOSS}


@dataclass(frozen=True)
class Change:
    """One setting from `before` to `after`, with what stands `beside` it both times; `when` tells it from others of it.

    `changed`: the engine's operation → the resources by what follows the destination's name (`bucket` is
    `calls-bucket`). `$name` in a value is something that the test makes beforehand. `then`: the commands that bring it
    back to work. `untried` is why no test makes it.
    """

    setting: str
    before: Any
    after: Any
    effect: Effect
    changed: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    beside: Mapping[str, object] = field(default_factory=dict[str, object])
    when: str = ""
    then: tuple[str, ...] = ()
    untried: str = ""

    @property
    def is_tried(self) -> bool:
        """Whether it is made with others, and looked at."""
        return not self.untried and self.effect not in {Effect.ADOPTION, Effect.LOSS}

    @property
    def label(self) -> str:
        """The setting as the documentation has it."""
        return f"`{self.setting}`{' ' * bool(self.when)}{self.when}"

    @property
    def provider_and_constant(self) -> tuple[str, str] | None:
        """Of a constant in the trust profile, whose it is, and which."""
        section, _, constant = self.setting.removeprefix("trust_profile.").partition(".")
        return (section, constant) if self.setting.startswith("trust_profile.") else None

    def settings(self, value: object, on_destroy: str) -> dict[str, object]:
        """A destination's settings with this one's value."""
        own = {self.setting: value} if value is not UNSET else {}
        kept = {} if own == {"existing": True} else {"on_destroy": on_destroy}
        return {**kept, **self.beside, **own}


def done(**changed: str) -> dict[str, frozenset[str]]:
    """Operations, each with the names of what it is applied to."""
    return {op: frozenset(names.split()) for op, names in changed.items()}


def in_place(setting: str, before: object, after: object, names: str, **beside: object) -> Change:
    """A setting whose change updates these."""
    return Change(setting, before, after, Effect.IN_PLACE, done(update=names), beside)


def untried(setting: str, effect: Effect, why: str, when: str = "") -> Change:
    """A setting whose change no test makes."""
    return Change(setting, UNSET, UNSET, effect, when=when, untried=why)


def announced(changes: Sequence[Change]) -> list[str]:
    """The rows of the documentation's table: what changes do what."""
    rows: list[str] = []
    for effect in Effect:
        labels = dict.fromkeys(sorted(one.label for one in changes if one.effect is effect))
        if labels:
            rows.append(f"| {', '.join(labels)} | {effect.value} |")
    return rows


_ELSEWHERE: Final = "it takes a second account; what goes and what comes is as for another region"
_CLOUD: Final = "a destination that goes, and one that comes, each of which is tried by itself"
_ADOPTION: Final = "the tests of adoption have it"

_BUCKET: Final = "bucket public-access-block ownership policy versioning encryption lifecycle"

S3: Final[Sequence[Change]] = (
    Change(
        "region", "eu-west-1", "eu-central-1", Effect.STORAGE, done(replace=f"{_BUCKET} role role-policy")
    ),
    Change("account", UNSET, "111122223333", Effect.NOTHING, when="written where it is the one in use"),
    untried("account", Effect.STORAGE, _ELSEWHERE, "another one"),
    untried("provider", Effect.STORAGE, _CLOUD),
    Change("deploy_role", UNSET, "$deployer", Effect.NOTHING),
    Change(
        "bucket_name",
        UNSET,
        "acme-renamed",
        Effect.STORAGE,
        done(replace=_BUCKET, update="role-policy"),
    ),
    Change("role_name", UNSET, "acme-renamed", Effect.IDENTITY, done(replace="role role-policy")),
    Change("role_path", UNSET, "/vendors/", Effect.IDENTITY, done(replace="role role-policy")),
    in_place("permissions_boundary", UNSET, "$boundary", "role"),
    Change(
        "permissions_boundary_file",
        UNSET,
        "stacks/boundary.json",
        Effect.NOTHING,
        beside={"permissions_boundary": "$boundary"},
    ),
    in_place("on_destroy", "protect", "delete", "bucket"),
    in_place("retention_days", UNSET, 30, "lifecycle"),
    in_place("retention_days", 30, UNSET, "lifecycle"),
    in_place("external_id", UNSET, "acme-own", "role"),
    in_place("additional_external_ids", UNSET, ["acme-next"], "role"),
    in_place("additional_principals", UNSET, ["111122223333"], "role"),
    in_place("readers", UNSET, ["$player"], "policy"),
    in_place("readers", ["$player"], UNSET, "policy"),
    Change(
        "create_kms_key", False, True, Effect.IN_PLACE, done(create="key", update="encryption"), when="true"
    ),
    Change("create_kms_key", True, False, Effect.KEY, done(delete="key", update="encryption"), when="false"),
    in_place("kms_key_deletion_days", UNSET, 10, "key", create_kms_key=True),
    in_place("kms_key_arn", UNSET, "$key_a", "encryption role-policy"),
    in_place("kms_key_arn", "$key_a", "$key_b", "encryption role-policy"),
    Change("kms_key_account", UNSET, "111122223333", Effect.NOTHING, beside={"kms_key_arn": "$key_a"}),
    Change(
        "existing", False, True, Effect.LET_GO, done(delete=_BUCKET), beside={"bucket_name": "acme-let-go"}
    ),
    untried("adopt", Effect.ADOPTION, _ADOPTION),
    in_place("tags", UNSET, {"team": "voice"}, "bucket role"),
    in_place("trust_profile.s3.account", UNSET, "222233334444", "role"),
    in_place("trust_profile.s3.session_seconds", UNSET, 3600, "role"),
    in_place("trust_profile.s3.external_id", UNSET, "acme", "role"),
    in_place(
        "trust_profile.s3.actions", UNSET, ["s3:PutObject", "s3:GetObject", "s3:ListBucket"], "role-policy"
    ),
)

_GROUP_AND_ALL: Final = "resource-group storage-account blob-service container"

GCS: Final[Sequence[Change]] = (
    Change(
        "location",
        "europe-west1",
        "EU",
        Effect.STORAGE,
        done(replace="bucket writer pool pool-provider service-account trust"),
    ),
    untried("project", Effect.STORAGE, _ELSEWHERE),
    untried("provider", Effect.STORAGE, _CLOUD),
    in_place("workspace_id", "w-acme", "w-other", "pool-provider trust"),
    Change("deploy_service_account", UNSET, "$deployer", Effect.NOTHING),
    Change("bucket_name", UNSET, "acme-renamed", Effect.STORAGE, done(replace="bucket writer")),
    Change(
        "pool_id", UNSET, "renamed-pool", Effect.IDENTITY, done(replace="pool pool-provider", update="trust")
    ),
    Change("provider_id", UNSET, "renamed", Effect.IDENTITY, done(replace="pool-provider")),
    Change(
        "service_account_id",
        UNSET,
        "renamed-account",
        Effect.IDENTITY,
        done(replace="service-account trust", update="writer"),
    ),
    Change(
        "service_account_email",
        UNSET,
        "$writing",
        Effect.IDENTITY,
        done(delete="service-account trust", create="trust", update="writer"),
    ),
    Change("allow_overwrite", False, True, Effect.IDENTITY, done(replace="writer")),
    in_place("on_destroy", "protect", "delete", "bucket"),
    in_place("retention_days", UNSET, 30, "bucket"),
    in_place("retention_days", 30, UNSET, "bucket"),
    Change("readers", UNSET, ["user:ann@example.com"], Effect.IN_PLACE, done(create="readers")),
    in_place("readers", ["user:ann@example.com"], ["user:bob@example.com"], "readers"),
    Change("readers", ["user:ann@example.com"], UNSET, Effect.IN_PLACE, done(delete="readers")),
    Change(
        "kms_key_name",
        UNSET,
        "$key_a",
        Effect.IN_PLACE,
        done(create="key-use", update="bucket"),
        when="the first one",
    ),
    Change(
        "kms_key_name",
        "$key_a",
        UNSET,
        Effect.KEY,
        done(delete="key-use", update="bucket"),
        when="another one or none",
    ),
    Change(
        "kms_key_name",
        "$key_a",
        "$key_b",
        Effect.KEY,
        done(replace="key-use", update="bucket"),
        when="another one or none",
    ),
    in_place("additional_audiences", UNSET, ["acme"], "pool-provider"),
    Change(
        "existing",
        False,
        True,
        Effect.LET_GO,
        done(delete="bucket writer", create="writer"),
        beside={"bucket_name": "acme-let-go"},
        when="(then `pulumi refresh` and `pulumi up`, which let the service write again)",
        then=("refresh", "up"),
    ),
    Change("existing_pool", False, True, Effect.LOSS, beside={"pool_id": "let-go"}),
    Change("adopt", False, True, Effect.NOTHING),
    Change("adopt_pool", False, True, Effect.NOTHING),
    in_place("tags", UNSET, {"team": "voice"}, "bucket"),
    in_place("trust_profile.gcs.issuer", UNSET, "https://recordings.example.com", "pool-provider"),
    in_place("trust_profile.gcs.subject_mapping", UNSET, "assertion.workspace", "pool-provider"),
    in_place("trust_profile.gcs.audience", UNSET, "acme", "pool-provider"),
)

AZURE_BLOB: Final[Sequence[Change]] = (
    Change(
        "location",
        "westeurope",
        "northeurope",
        Effect.STORAGE,
        done(replace=f"{_GROUP_AND_ALL} writer", update="application"),
    ),
    untried("subscription", Effect.STORAGE, _ELSEWHERE),
    untried("tenant", Effect.STORAGE, _ELSEWHERE),
    untried("provider", Effect.STORAGE, _CLOUD),
    untried(
        "resource_group",
        Effect.STORAGE,
        "an account can't be in two groups: under `retain` its name is taken, so that another one is asked for as well",
        when="with another `storage_account`",
    ),
    in_place("workspace_id", "w-acme", "w-other", "federated-credential"),
    Change(
        "storage_account",
        UNSET,
        "acmerenamed",
        Effect.STORAGE,
        done(replace="storage-account blob-service container writer"),
    ),
    Change("container", UNSET, "renamed", Effect.STORAGE, done(replace="container writer")),
    in_place("redundancy", UNSET, "GRS", "storage-account"),
    Change(
        "identity",
        UNSET,
        "managed_identity",
        Effect.IDENTITY,
        done(
            create="identity federated-credential",
            delete="application service-principal federated-credential",
            replace="writer",
        ),
    ),
    Change(
        "identity_name",
        UNSET,
        "renamed",
        Effect.IN_PLACE,
        done(update="application"),
        when="of an application",
    ),
    untried("identity_name", Effect.IDENTITY, "as for another identity", when="of a managed identity"),
    Change(
        "application_client_id",
        UNSET,
        "$application",
        Effect.IDENTITY,
        done(delete="application service-principal", replace="federated-credential writer"),
    ),
    Change("on_destroy", "protect", "delete", Effect.NOTHING),
    Change(
        "retention_days", UNSET, 30, Effect.IN_PLACE, done(create="management-policy", update="blob-service")
    ),
    in_place("retention_days", 30, 60, "management-policy"),
    Change(
        "retention_days", 30, UNSET, Effect.IN_PLACE, done(delete="management-policy", update="blob-service")
    ),
    Change(
        "readers",
        UNSET,
        ["group:66666666-6666-4666-8666-666666666666"],
        Effect.IN_PLACE,
        done(create="reader-66666666-6666-4666-8666-666666666666"),
    ),
    Change(
        "readers",
        ["group:66666666-6666-4666-8666-666666666666"],
        UNSET,
        Effect.IN_PLACE,
        done(delete="reader-66666666-6666-4666-8666-666666666666"),
    ),
    Change(
        "key_vault_key",
        UNSET,
        "$key_a",
        Effect.IN_PLACE,
        done(create="key-identity key-use", update="storage-account"),
        when="the first one",
    ),
    Change(
        "key_vault_key",
        "$key_a",
        "$key_b",
        Effect.KEY,
        done(replace="key-use", update="storage-account"),
        when="another one or none",
    ),
    Change(
        "key_vault_key",
        "$key_a",
        UNSET,
        Effect.KEY,
        done(delete="key-identity key-use", update="storage-account"),
        when="another one or none",
    ),
    Change(
        "existing_resource_group",
        False,
        True,
        Effect.LET_GO,
        done(delete="resource-group"),
        beside={"resource_group": "let-go"},
    ),
    Change(
        "existing",
        False,
        True,
        Effect.LET_GO,
        done(delete=_GROUP_AND_ALL),
        beside={"resource_group": "given", "storage_account": "acmeletgo"},
    ),
    Change("adopt", False, True, Effect.NOTHING),
    untried("adopt_application", Effect.ADOPTION, _ADOPTION),
    untried("adopt_credential", Effect.ADOPTION, _ADOPTION),
    in_place("tags", UNSET, {"team": "voice"}, "resource-group storage-account"),
    in_place(
        "trust_profile.azure_blob.issuer", UNSET, "https://recordings.example.com", "federated-credential"
    ),
    in_place("trust_profile.azure_blob.audience", UNSET, "api://acme", "federated-credential"),
)

CHANGES: Final[Mapping[str, Sequence[Change]]] = {"s3": S3, "gcs": GCS, "azure_blob": AZURE_BLOB}
"""By provider."""
