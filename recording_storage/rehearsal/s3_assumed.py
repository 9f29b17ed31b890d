"""Who and what a stack's S3 destinations take for granted: accounts with a user each, and what exists already.

Everything that the configuration names without making it (readers, deploy roles, boundaries, principals, keys,
buckets) is made for the occasion, as the configuration says or needs it, and said to be unproven.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

from components import kms
from components.aws import iam_arn
from components.s3_lifecycle import lifecycle_rules
from components.s3_policies import s3_bucket_policy
from recording_storage.sandbox.aws.credentials import OWNER_ACCOUNT, Credentials, mint
from recording_storage.steps import SERVICE_PROFILE, STRANGER_PROFILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from components.s3_settings import S3Destination
    from components.settings import Settings
    from recording_storage.sandbox.aws.stand_in import Aws

STRANGERS = ("999988887777", "999988887778", "999988887779")
OTHER_BUCKET = "somebody-elses-recordings"
ALLOW_EVERYTHING = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
)


class Assumed:
    """The world of a stack's S3 destinations, before its program runs."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._scope = settings.scope
        self._tags = settings.tags
        self._folder = folder
        self.destinations = settings.s3
        self.people = _people(self.destinations, settings.s3_trust.account)
        """A user for everyone who acts, by the profile's name."""

    @property
    def owner(self) -> Credentials:
        """Who deploys the stack."""
        return self.people["owner"]

    @property
    def guests(self) -> tuple[Credentials, ...]:
        """Everyone, once."""
        return tuple({one.access_key_id: one for one in self.people.values()}.values())

    def boundary(self, destination: S3Destination) -> str | None:
        """The document of the role's permissions boundary (JSON), where the configuration names its file."""
        file = destination.permissions_boundary_file
        return (self._folder / file).read_text() if file else None

    def make(self, aws: Aws) -> None:
        """Let everyone in, and make what exists already."""
        from recording_storage.sandbox.aws import occasion

        for person in self.guests:
            aws.admit(person)
        owner = self.owner.account
        existing: set[str] = set()
        for destination in self.destinations.values():
            boundary = destination.permissions_boundary
            if boundary and boundary not in existing:
                existing.add(boundary)
                holder = destination.target_account or owner
                occasion.policy(boundary, self.boundary(destination) or ALLOW_EVERYTHING, holder)
            if destination.deploy_role and destination.deploy_role not in existing:
                existing.add(destination.deploy_role)
                occasion.role(destination.deploy_role, trusts=owner)
                occasion.allow(destination.deploy_role)
            for arn in (*destination.readers, *destination.additional_principals):
                if arn.startswith("arn:") and arn not in existing:
                    existing.add(arn)
                    _exist(arn)
        for name, destination in self.destinations.items():
            if destination.existing and destination.bucket_name:
                occasion.bucket(
                    destination.bucket_name,
                    account=destination.target_account or owner,
                    region=destination.region,
                    versioned=True,
                    key_arn=destination.kms_key_arn,
                )
            if destination.adopt:
                self._make_adopted(name, destination)
        for arn, statements in self._given_keys().items():
            occasion.key(arn, json.dumps(kms.key_policy(account_of(arn), statements)))

    def _make_adopted(self, name: str, destination: S3Destination) -> None:
        """Make the bucket that is adopted, set as the configuration asks for, so that nothing is left to change."""
        from recording_storage.sandbox.aws import occasion

        account = destination.target_account or self.owner.account
        bucket = destination.names(self._scope, name, account).bucket
        occasion.bucket(
            bucket,
            account=account,
            region=destination.region,
            versioned=True,
            key_arn=destination.kms_key_arn,
            policy=s3_bucket_policy(f"arn:aws:s3:::{bucket}", destination.readers),
            lifecycle=[_as_s3_has_it(rule) for rule in lifecycle_rules(destination.retention_days)],
            tags=self._tags,
        )

    def _given_keys(self) -> dict[str, list[dict[str, Any]]]:
        """For each key that is given, what its owner must have added for all the destinations that use it."""
        keys: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for name, destination in self.destinations.items():
            if destination.kms_key_arn:
                account = destination.target_account or self.owner.account
                role = destination.names(self._scope, name, account).role
                arn = f"arn:aws:iam::{account}:role{destination.role_path}{role}"
                keys[destination.kms_key_arn] += kms.key_statements(
                    name, arn, destination.readers, destination.region
                )
        return keys

    def other_bucket(self, name: str, region: str) -> str:
        """Make a bucket of the owner's that has nothing to do with the destination; its name."""
        from recording_storage.sandbox.aws import occasion

        bucket = f"{OTHER_BUCKET}-{name}"[:63].rstrip("-")
        occasion.bucket(bucket, account=self.owner.account, region=region)
        return bucket

    def let_read(self, readers: tuple[str, ...], bucket: str, account: str) -> None:
        """Give readers of other accounts than the bucket's what their own must grant them."""
        from recording_storage.sandbox.aws import occasion

        for arn in readers:
            if account_of(arn) != account:
                occasion.allow(arn, _read_and_write(bucket))


def _as_s3_has_it(value: Any) -> Any:
    """Pulumi's names in S3's spelling: `noncurrent_days` is `NoncurrentDays` there, and `id` is `ID`."""
    if not isinstance(value, dict):
        return str(value).lower() if isinstance(value, bool) else value
    return {
        "ID" if name == "id" else name.title().replace("_", ""): _as_s3_has_it(one)
        for name, one in cast("dict[str, Any]", value).items()
    }


def account_of(principal: str) -> str:
    """The account of an ARN, or the account that is named itself."""
    return principal.split(":")[4] if principal.startswith("arn:") else principal


def _read_and_write(bucket: str) -> dict[str, object]:
    """What a reader's own account must grant where it isn't the bucket's; writing too, so that it is refused there."""
    arn = f"arn:aws:s3:::{bucket}"
    actions = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": [arn, f"{arn}/*"]}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _people(destinations: Mapping[str, S3Destination], service: str) -> dict[str, Credentials]:
    """A user for everyone on stage, by the profile's name; two in one account share the user."""
    ambient = [one for one in destinations.values() if not one.deploy_role]
    hints = [one.account or _hinted_account(one) for one in ambient]
    owner = next((account for account in hints if account), OWNER_ACCOUNT)
    readers = {account_of(arn) for one in destinations.values() for arn in one.readers}
    trusted = {
        account_of(one) for destination in destinations.values() for one in destination.additional_principals
    }
    stranger = next(one for one in STRANGERS if one not in {owner, service, *readers, *trusted})
    accounts = {"owner": owner, SERVICE_PROFILE: service, STRANGER_PROFILE: stranger} | {
        one: one for one in readers
    }
    minted = {account: mint(account) for account in set(accounts.values())}
    return {name: minted[account] for name, account in accounts.items()}


def _hinted_account(destination: S3Destination) -> str | None:
    """The account that a destination is deployed to, as far as a key that isn't somebody else's tells."""
    given = destination.kms_key_arn if not destination.kms_key_account else None
    return account_of(given) if given else None


def _exist(arn: str) -> None:
    from recording_storage.sandbox.aws import occasion

    found = iam_arn(arn)
    if found is not None and found.kind == "user":
        occasion.user(arn)
    else:
        occasion.role(arn, trusts=account_of(arn))
