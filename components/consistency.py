"""What must hold between settings: fields of one destination, or several destinations of a stack.

Each check lists its faults; `notes` lists what AWS takes, or may take, and someone should know.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from components import aws, kms
from components.faults import Breach, Fault, fault, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from components.settings import Settings

OF_THE_BUCKET: Final = frozenset({"adopt", "create_kms_key", "on_destroy", "readers", "retention_days"})
"""Settings that concern the bucket itself, or its policy."""


def _account_faults(settings: Settings) -> Iterable[Fault]:
    """Ask that deploy role and permissions boundary belong to the account that is deployed into."""
    for name, one in settings.destinations.items():
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


def _boundary_faults(settings: Settings) -> Iterable[Fault]:
    """Ask for the boundary whose document is given."""
    for name, one in settings.destinations.items():
        if one.permissions_boundary_file and not one.permissions_boundary:
            yield fault(
                f"destinations.{name}.permissions_boundary_file",
                one.permissions_boundary_file,
                Breach(
                    "the document of permissions_boundary, which isn't set",
                    "set permissions_boundary, or remove it",
                ),
            )


def _key_faults(settings: Settings) -> Iterable[Fault]:
    """Ask for one key at most, in the bucket's region, and in another account only on purpose.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    for name, one in settings.destinations.items():
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


def _existing_faults(settings: Settings) -> Iterable[Fault]:
    """Refuse settings of a bucket whose settings are left alone, and ask for the name of one that exists."""
    for name, one in settings.destinations.items():
        key = f"destinations.{name}"
        if one.existing:
            for field in sorted(OF_THE_BUCKET & one.model_fields_set):
                breach = Breach(
                    "no setting of the bucket beside existing: true, which leaves it as it is",
                    "remove it, and have the bucket's owner see to it; or remove existing",
                )
                yield fault(f"{key}.{field}", getattr(one, field), breach)
        if one.adopt and one.on_destroy == "delete":
            breach = Breach(
                "protect or retain beside adopt: true, which takes the bucket over without a change",
                "adopt it first and remove adopt; then set on_destroy: delete",
            )
            yield fault(f"{key}.on_destroy", one.on_destroy, breach)
        if one.adopt and one.create_kms_key:
            breach = Breach("no new key beside adopt: true: the bucket has its own", "name it by kms_key_arn")
            yield fault(f"{key}.create_kms_key", one.create_kms_key, breach)
        named = one.bucket_name or (one.adopt and one.target_account)
        if (one.existing or one.adopt) and not named:
            field = "existing" if one.existing else "adopt"
            breach = Breach(f"bucket_name beside {field}: true", "name the bucket that exists")
            yield fault(f"{key}.{field}", value=True, breach=breach)


def _ambient_faults(settings: Settings) -> Iterable[Fault]:
    """Ask for a role to assume in all accounts but one: Pulumi's own credential reaches one."""
    accounts = _ambient_accounts(settings)
    if len(accounts) < 2:
        return
    for name, one in settings.destinations.items():
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


def _ambient_accounts(settings: Settings) -> list[str]:
    return sorted(
        {one.account for one in settings.destinations.values() if one.account and not one.deploy_role}
    )


def _trust_faults(settings: Settings) -> Iterable[Fault]:
    """Refuse to accept beside what is accepted anyway."""
    profile = settings.s3_trust
    for name, one in settings.destinations.items():
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


def _name_faults(settings: Settings) -> Iterable[Fault]:
    """Refuse two buckets by one name anywhere, and two roles by one name in an account.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; a role's name is unique
    without regard to case: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    """
    ambient = _ambient_accounts(settings)
    ambient_account = ambient[0] if len(ambient) == 1 else ""
    buckets: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    roles: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for name, one in settings.destinations.items():
        account = one.target_account or ambient_account
        names = one.names(settings.scope, name, account)
        buckets[names.bucket].append((name, names.bucket))
        roles[account, names.role.lower()].append((name, names.role))
    for field, what, groups in (
        ("bucket_name", "a bucket name of its own, as they are global", buckets.values()),
        ("role_name", "a role name of its own in the account, case aside", roles.values()),
    ):
        for group in groups:
            for name, physical in group:
                others = listed(other for other, _ in group if other != name)
                if others:
                    breach = Breach(f"{what}; {others} has it too", f"set another {field} for one of them")
                    yield fault(f"destinations.{name}.{field}", physical, breach)


CHECKS: Final[tuple[Callable[[Settings], Iterable[Fault]], ...]] = (
    _account_faults,
    _boundary_faults,
    _key_faults,
    _existing_faults,
    _ambient_faults,
    _trust_faults,
    _name_faults,
)


def notes(settings: Settings) -> Iterable[Fault]:
    """List what AWS takes, or may take, and someone should know."""
    for name, one in settings.destinations.items():
        for field, value, found_notes in (
            ("region", one.region, aws.region_notes),
            ("bucket_name", one.bucket_name, aws.bucket_name_notes),
        ):
            if value is not None:
                yield from (fault(f"destinations.{name}.{field}", value, note) for note in found_notes(value))
    for index, action in enumerate(settings.s3_trust.actions):
        key = f"trust_profile.s3.actions[{index}]"
        yield from (fault(key, action, note) for note in aws.s3_action_notes(action))
