"""A destination on Amazon S3 as a stack's configuration has it: its fields, and what must hold between them.

Left out: whatever only AWS can answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

from pydantic import Field

from components import aws, kms, naming, trust
from components.destination import DestinationSettings, Group, beside_existing, given_up_while_adopted
from components.faults import Breach, Fault, fault, listed
from components.fields import QUOTE_ACCOUNT, Model, file_breaches, text, texts, truth, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_REGION: Final = "an AWS region, as in eu-west-1"

_account = text(aws.account_id_breaches, 'an AWS account id, as in "123456789012"', QUOTE_ACCOUNT)
_external_id = text(aws.external_id_breaches, "an external id, as in tavus")
_external_ids = texts(aws.external_id_breaches, "an external id, as in tavus")
_role_arn = text(aws.role_arn_breaches, "a role's ARN, as in arn:aws:iam::123456789012:role/name")
_role_arns = texts(aws.role_arn_breaches, "a role's ARN, as in arn:aws:iam::123456789012:role/name")


@dataclass(frozen=True)
class S3Names:
    """The physical names of an S3 destination."""

    bucket: str
    role: str


class S3Destination(DestinationSettings):
    """A bucket of the customer's, and the role through which the recording service writes into it.

    `region`: where the bucket is. `account`: the 12-digit account to deploy into; `deploy_role`: the role
    that Pulumi assumes there. `bucket_name`, `role_name`: instead of the derived ones. `role_path`,
    `permissions_boundary`: for accounts whose roles need them; `permissions_boundary_file`: where in the project
    its document is, for the rehearsal alone. `external_id`: handed over instead of the trust profile's;
    `additional_external_ids`, `additional_principals`: accepted beside. `readers`: roles that may read the bucket.
    `create_kms_key`, `kms_key_deletion_days`: encrypt with a key of one's own; `kms_key_arn`: with a given one, whose
    account, where it is another, `kms_key_account` names on purpose.
    """

    provider: Literal["s3"]  # pyright: ignore[reportIncompatibleVariableOverride]
    region: Annotated[str, text(aws.region_breaches, _REGION)] = Field(description=_REGION)
    account: Annotated[str | None, _account] = None
    deploy_role: Annotated[str | None, _role_arn] = None
    bucket_name: Annotated[str | None, text(aws.bucket_name_breaches, "a bucket name, as in acme-calls")] = (
        None
    )
    role_name: Annotated[str | None, text(aws.role_name_breaches, "a role name, as in recordings-acme")] = (
        None
    )
    role_path: Annotated[str, text(aws.role_path_breaches, "an IAM path, as in /recordings/")] = "/"
    permissions_boundary: Annotated[
        str | None,
        text(aws.policy_arn_breaches, "a policy's ARN, as in arn:aws:iam::123456789012:policy/name"),
    ] = None
    permissions_boundary_file: Annotated[
        str | None, text(file_breaches, "a file's path inside the project, as in stacks/boundary.json")
    ] = None
    external_id: Annotated[str | None, _external_id] = None
    additional_external_ids: Annotated[tuple[str, ...], _external_ids] = ()
    additional_principals: Annotated[
        tuple[str, ...],
        texts(aws.principal_breaches, "an account id or a role's or user's ARN", QUOTE_ACCOUNT),
    ] = ()
    readers: Annotated[tuple[str, ...], _role_arns] = ()
    create_kms_key: Annotated[bool, truth()] = False
    kms_key_deletion_days: Annotated[
        int | None,
        whole(
            kms.SHORTEST_DELETION_DAYS,
            kms.LONGEST_DELETION_DAYS,
            "days",
            "write the number without quotes; remove the key for 30",
        ),
    ] = None
    kms_key_arn: Annotated[str | None, text(kms.key_arn_breaches, "a key's ARN")] = None
    kms_key_account: Annotated[str | None, _account] = None

    @property
    def place(self) -> str:
        """Where the recordings are."""
        return self.region

    @property
    def target_account(self) -> str | None:
        """The account to deploy into, where the configuration says: `account`, or the deploy role's."""
        arn = aws.iam_arn(self.deploy_role or "")
        return self.account or (arn.account if arn else None)

    def own_external_id(self, profile: trust.S3Trust) -> str:
        """Give the external id that the application hands over: the destination's own, or the profile's."""
        return self.external_id or profile.external_id

    def external_ids(self, profile: trust.S3Trust) -> tuple[str, ...]:
        """List every external id that the role accepts, the one that is handed over first."""
        return (self.own_external_id(profile), *self.additional_external_ids)

    def names(self, scope: naming.Scope, destination: str, account: str) -> S3Names:
        """Give the configured names, or the derived ones; `account` is the one that is deployed into."""
        return S3Names(
            bucket=self.bucket_name or naming.bucket_name(scope, destination, account, self.region),
            role=self.role_name or naming.role_name(scope, destination, account, self.region),
        )


class S3TrustSettings(Model):
    """The vendor's constants for S3 that the stack overrides; unset, the profile's stands."""

    account: Annotated[str | None, _account] = None
    session_seconds: Annotated[
        int | None,
        whole(3600, 43200, "seconds", "write the session that the service asks for, without quotes"),
    ] = None
    actions: Annotated[
        tuple[str, ...] | None, texts(aws.s3_action_breaches, "an action, as in s3:PutObject", least=1)
    ] = None
    external_id: Annotated[str | None, _external_id] = None

    @property
    def overrides(self) -> trust.S3Overrides:
        """Only what is set."""
        return cast("trust.S3Overrides", {name: getattr(self, name) for name in self.model_fields_set})


S3Group = Group[S3Destination, trust.S3Trust]

OF_THE_BUCKET: Final = frozenset({"adopt", "create_kms_key", "on_destroy", "readers", "retention_days"})
"""Settings that concern the bucket itself, or its policy."""


def _account_faults(group: S3Group) -> Iterable[Fault]:
    """Ask that deploy role and permissions boundary belong to the account that is deployed into."""
    for name, one in group.destinations.items():
        role = aws.iam_arn(one.deploy_role or "")
        if role and one.account and role.account != one.account:
            yield fault(
                f"destinations.{name}.deploy_role",
                one.deploy_role,
                Breach(
                    f"a role in account {one.account}, as account says; this one is in {role.account}",
                    "correct one of the two, or remove account",
                ),
            )
        boundary = aws.iam_arn(one.permissions_boundary or "")
        if boundary and one.target_account and boundary.account not in (one.target_account, "aws"):
            yield fault(
                f"destinations.{name}.permissions_boundary",
                one.permissions_boundary,
                Breach(
                    f"a policy in account {one.target_account}, where the role is made, or one that AWS "
                    f"keeps; this one is in {boundary.account}",
                    "name a policy of that account",
                ),
            )


def _boundary_faults(group: S3Group) -> Iterable[Fault]:
    """Ask for the boundary whose document is given."""
    for name, one in group.destinations.items():
        if one.permissions_boundary_file and not one.permissions_boundary:
            yield fault(
                f"destinations.{name}.permissions_boundary_file",
                one.permissions_boundary_file,
                Breach(
                    "the document of permissions_boundary, which isn't set",
                    "set permissions_boundary, or remove it",
                ),
            )


def _key_faults(group: S3Group) -> Iterable[Fault]:
    """Ask for one key at most, in the bucket's region, and in another account only on purpose.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    for name, one in group.destinations.items():
        key = f"destinations.{name}"
        arn = kms.key_arn(one.kms_key_arn or "")
        if one.create_kms_key and one.kms_key_arn:
            breach = Breach(
                "either a key that is made or one that is given", "remove one of the two settings"
            )
            yield fault(f"{key}.create_kms_key", one.create_kms_key, breach)
        if one.kms_key_deletion_days is not None and not one.create_kms_key:
            breach = Breach(
                "the deletion window of a key that is made", "set create_kms_key: true, or remove it"
            )
            yield fault(f"{key}.kms_key_deletion_days", one.kms_key_deletion_days, breach)
        if arn and arn.region != one.region:
            breach = Breach(f"a key in {one.region}, where the bucket is", "name a key of that region")
            yield fault(f"{key}.kms_key_arn", one.kms_key_arn, breach)
        if one.kms_key_account and (arn is None or arn.account != one.kms_key_account):
            breach = Breach("the account of kms_key_arn", "write the account in that ARN, or remove it")
            yield fault(f"{key}.kms_key_account", one.kms_key_account, breach)
        elif arn and one.target_account not in (None, arn.account) and not one.kms_key_account:
            breach = Breach(
                f"a key in account {one.target_account}, where the bucket is; this one is in {arn.account}",
                f'if its owner agrees to it, say so: kms_key_account: "{arn.account}"',
            )
            yield fault(f"{key}.kms_key_arn", one.kms_key_arn, breach)


def _existing_faults(group: S3Group) -> Iterable[Fault]:
    """Refuse settings of a bucket whose settings are left alone, and ask for the name of one that exists."""
    for name, one in group.destinations.items():
        key = f"destinations.{name}"
        yield from beside_existing(name, one, OF_THE_BUCKET, "bucket")
        yield from given_up_while_adopted(name, one, what="the bucket")
        if one.adopt and one.create_kms_key:
            breach = Breach("no new key beside adopt: true: the bucket has its own", "name it by kms_key_arn")
            yield fault(f"{key}.create_kms_key", one.create_kms_key, breach)
        named = one.bucket_name or (one.adopt and one.target_account)
        if (one.existing or one.adopt) and not named:
            field = "existing" if one.existing else "adopt"
            breach = Breach(f"bucket_name beside {field}: true", "name the bucket that exists")
            yield fault(f"{key}.{field}", value=True, breach=breach)


def _ambient_faults(group: S3Group) -> Iterable[Fault]:
    """Ask for a role to assume in all accounts but one: Pulumi's own credential reaches one."""
    accounts = _ambient_accounts(group)
    if len(accounts) < 2:
        return
    for name, one in group.destinations.items():
        if one.account and not one.deploy_role:
            yield fault(
                f"destinations.{name}.account",
                one.account,
                Breach(
                    f"one account for all destinations without deploy_role, as one credential reaches one; "
                    f"found {listed(accounts)}",
                    "name a deploy_role for the destinations in other accounts",
                ),
            )


def _ambient_accounts(group: S3Group) -> list[str]:
    return sorted({one.account for one in group.destinations.values() if one.account and not one.deploy_role})


def _trust_faults(group: S3Group) -> Iterable[Fault]:
    """Refuse to accept beside what is accepted anyway."""
    profile = group.trust
    for name, one in group.destinations.items():
        own = one.own_external_id(profile)
        for field, values, already, what in (
            ("additional_external_ids", one.additional_external_ids, own, "the destination's external id"),
            (
                "additional_principals",
                one.additional_principals,
                profile.account,
                "the recording service's account",
            ),
        ):
            if already in values:
                yield fault(
                    f"destinations.{name}.{field}[{values.index(already)}]",
                    already,
                    Breach(f"only what is accepted beside {what}", "remove it: it is accepted already"),
                )


def _name_faults(group: S3Group) -> Iterable[Fault]:
    """Refuse two buckets by one name anywhere, and two roles by one name in an account.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; a role's name is unique
    without regard to case: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    """
    ambient = _ambient_accounts(group)
    ambient_account = ambient[0] if len(ambient) == 1 else ""
    buckets: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    roles: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for name, one in group.destinations.items():
        account = one.target_account or ambient_account
        names = one.names(group.scope, name, account)
        buckets[names.bucket].append((name, names.bucket))
        roles[account, names.role.lower()].append((name, names.role))
    for field, what, groups in (
        ("bucket_name", "a bucket name of its own, as they are global", buckets.values()),
        ("role_name", "a role name of its own in the account, case aside", roles.values()),
    ):
        for sharing in groups:
            for name, physical in sharing:
                others = listed(other for other, _ in sharing if other != name)
                if others:
                    breach = Breach(f"{what}; {others} has it too", f"set another {field} for one of them")
                    yield fault(f"destinations.{name}.{field}", physical, breach)


_CHECKS: Final[tuple[Callable[[S3Group], Iterable[Fault]], ...]] = (
    _account_faults,
    _boundary_faults,
    _key_faults,
    _existing_faults,
    _ambient_faults,
    _trust_faults,
    _name_faults,
)


def faults(group: S3Group) -> Iterable[Fault]:
    """List what doesn't fit together: fields of one destination, or several destinations of a stack."""
    for check in _CHECKS:
        yield from check(group)


def notes(group: S3Group) -> Iterable[Fault]:
    """List what AWS takes, or may take, and someone should know."""
    for name, one in group.destinations.items():
        for field, value, found_notes in (
            ("region", one.region, aws.region_notes),
            ("bucket_name", one.bucket_name, aws.bucket_name_notes),
        ):
            if value is not None:
                yield from (fault(f"destinations.{name}.{field}", value, note) for note in found_notes(value))
    for index, action in enumerate(group.trust.actions):
        key = f"trust_profile.s3.actions[{index}]"
        yield from (fault(key, action, note) for note in aws.s3_action_notes(action))
