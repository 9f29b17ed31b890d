"""What the stand-in holds: accounts, users, roles, sessions and buckets, as moto's models keep them.

Decisions ask here and nowhere else; moto's version is pinned, since these models are its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from botocore.loaders import Loader
from moto.iam.access_control import PermissionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import AccessKey, IAMBackend, Policy, Role, User, iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import (
    FakeBucket,
    FakeDeleteMarker,
    FakeKey,
    FakeMultipart,
    PublicAccessBlock,
    s3_backends,
)
from moto.sts.models import AssumedRole, sts_backends

from recording_storage.evaluation.aws.conditions import Undecidable
from recording_storage.evaluation.aws.policy import Principal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.sandbox.aws.credentials import Credentials

PARTITION = "aws"
ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
OWNER_ENFORCED = "BucketOwnerEnforced"


@dataclass(frozen=True)
class Caller:
    """Whoever holds an access key: its secrets, and every policy that limits it."""

    principal: Principal
    secret_access_key: str
    identity: tuple[str, ...]
    """JSON documents: inline and attached policies, of a user's groups too."""
    session_token: str | None = None
    expiration: datetime | None = None
    boundary: str | None = None
    session: str | None = None
    """JSON document: the session policy handed to AssumeRole."""
    context: dict[str, str] = field(default_factory=dict[str, str])
    """Condition keys that belong to the caller."""
    organisation: tuple[str, ...] = ()
    """JSON documents: what the caller's organisation lets its account do, level by level."""


@dataclass(frozen=True)
class RoleState:
    """A role as AssumeRole sees it."""

    arn: str
    trust: str
    max_session_duration: int


@dataclass(frozen=True)
class ProviderState:
    """An account's OIDC identity provider, and the audiences that its tokens may have."""

    arn: str
    audiences: tuple[str, ...]


@dataclass(frozen=True)
class Encryption:
    """How something in S3 is encrypted: with which key (an ARN, once it is settled), and by a bucket key or not."""

    algorithm: str = "AES256"
    key: str = ""
    bucket_key: bool = False

    @property
    def kms(self) -> bool:
        """Whether a key must be asked."""
        return self.algorithm.startswith("aws:kms")


@dataclass(frozen=True)
class BucketState:
    """A bucket as a decision sees it."""

    name: str
    account: str
    region: str
    policy: str | None
    block_public_policy: bool
    restrict_public_buckets: bool
    acls_disabled: bool
    encryption: Encryption
    """The default."""


def _iam(account: str) -> IAMBackend:
    return iam_backends[account][PARTITION]


ORGANISATIONS: dict[str, tuple[str, ...]] = {}
"""The service control policies (JSON) of accounts that are in an organisation, one for each level."""


def forget() -> None:
    """Empty every account: one sandbox's clouds are not the next one's."""
    ORGANISATIONS.clear()
    for backends in (iam_backends, kms_backends, s3_backends, sts_backends):
        backends.reset()


def admit(credentials: Credentials, user_name: str) -> None:
    """Make a user who may do everything in its own account, with these credentials."""
    iam = _iam(credentials.account)
    user = iam.create_user(PARTITION, user_name)
    user.policies["AdministratorAccess"] = json.dumps(ADMINISTRATOR)
    key: Any = AccessKey(user_name, prefix="AKIA", account_id=credentials.account)
    key.access_key_id, key.secret_access_key = credentials.access_key_id, credentials.secret_access_key
    user.access_keys.append(key)
    iam.access_keys[key.access_key_id] = key


def caller(access_key_id: str) -> Caller | None:
    """The holder of an access key, or None where nobody holds it (any more)."""
    for account, partitions in list(iam_backends.items()):
        iam: IAMBackend = partitions[PARTITION]
        key = iam.access_keys.get(access_key_id)
        if key is None:
            continue
        if key.user_name is not None:
            return _user(iam, iam.get_user(key.user_name), key) if key.status == "Active" else None
        session = sts_backends[account][PARTITION].get_assumed_role_from_access_key(access_key_id)
        return _session(iam, session) if session else None
    return None


def _user(iam: IAMBackend, user: User, key: AccessKey) -> Caller:
    groups = iam.get_groups_for_user(user.name)
    documents = [*user.policies.values(), *(_document(p) for p in user.managed_policies.values())]
    for group in groups:
        documents += [*group.policies.values(), *(_document(p) for p in group.managed_policies.values())]
    return Caller(
        principal=Principal(account=user.account_id, arn=user.arn),
        secret_access_key=key.secret_access_key,
        identity=tuple(documents),
        context={"aws:PrincipalType": "User", "aws:username": user.name, "aws:userid": user.id},
        organisation=ORGANISATIONS.get(user.account_id, ()),
    )


def _session(iam: IAMBackend, session: AssumedRole) -> Caller | None:
    try:
        role = iam.get_role_by_arn(session.role_arn)
    except NotFoundException:
        return None  # a session dies with its role
    if role.create_date > session.access_key.create_date:
        return None  # that is another role of the same name
    boundary = role.permissions_boundary_arn
    return Caller(
        principal=Principal(account=session.account_id, arn=session.arn, role_arn=role.arn),
        secret_access_key=session.secret_access_key,
        identity=tuple(_role_documents(role)),
        session_token=session.session_token,
        expiration=session.expiration.replace(tzinfo=timezone.utc),
        boundary=_boundary(boundary, session.account_id) if boundary else None,
        session=session.policy or None,
        context={"aws:PrincipalType": "AssumedRole", "aws:userid": f"{role.id}:{session.session_name}"},
        organisation=ORGANISATIONS.get(session.account_id, ()),
    )


def _role_documents(role: Role) -> Iterator[str]:
    yield from role.policies.values()
    for policy in role.managed_policies.values():
        yield _document(policy)


def _document(policy: Policy) -> str:
    default = next(v for v in policy.versions if v.version_id == policy.default_version_id)
    return default.document or "{}"


def policy_document(arn: str, account: str) -> str | None:
    """The managed policy's document (JSON), or None where `account` can't use such a policy."""
    policy = _iam(account).managed_policies.get(arn)
    return _document(policy) if policy else None


def _boundary(arn: str, account: str) -> str:
    document = policy_document(arn, account)
    if document is None:
        raise Undecidable(f"the permissions boundary {arn} is gone")
    return document


def boundary_of(role_arn: str) -> str | None:
    """The ARN of a role's permissions boundary, or None where there is no such role, or none on it."""
    try:
        return _iam(role_arn.split(":")[4]).get_role_by_arn(role_arn).permissions_boundary_arn
    except NotFoundException:
        return None


def is_boundary(arn: str, account: str) -> bool:
    """Whether a role of the account has this policy as its permissions boundary."""
    return any(role.permissions_boundary_arn == arn for role in _iam(account).get_roles())


def role(arn: str) -> RoleState | None:
    """The role, or None where there is none."""
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    if not account.isdigit():
        return None
    try:
        found = _iam(account).get_role_by_arn(arn)
    except NotFoundException:
        return None
    return RoleState(arn, found.assume_role_policy_document, int(found.max_session_duration or 3600))


def oidc_provider(account: str, url: str) -> ProviderState | None:
    """The account's provider for an issuer (its address without `https://`), or None where it has none."""
    arn = f"arn:{PARTITION}:iam::{account}:oidc-provider/{url}"
    found = _iam(account).open_id_providers.get(arn)
    return ProviderState(arn, tuple(found.client_id_list)) if found else None


def role_arn(account: str, name: str) -> str | None:
    """The ARN, with its path, of the role called `name`."""
    try:
        return _iam(account).get_role(name).arn
    except NotFoundException:
        return None


def user_arn(account: str, name: str) -> str | None:
    """The ARN, with its path, of the user called `name`."""
    user = _iam(account).users.get(name)
    return user.arn if user else None


def principal_exists(principal: str) -> bool:
    """Whether IAM would accept `principal` (an ARN, or an account's number) in a policy.

    Every account of the partition exists; of a role or a user the stand-in knows. A session is accepted where its
    role exists.
    """
    if principal.isdigit():
        return True
    match principal.split(":", 5):
        case ["arn", partition, "iam" | "sts", _, account, name] if (
            partition == PARTITION and account.isdigit()
        ):
            kind, _, rest = name.partition("/")
        case _:
            return False
    last = rest.rpartition("/")[2]
    if kind == "root":
        return True
    if kind == "role":
        return role(principal) is not None
    if kind == "assumed-role":
        return role_arn(account, rest.partition("/")[0]) is not None
    if kind == "user":
        user = _iam(account).users.get(last)
        return user is not None and user.arn == principal
    return False


def _bucket(name: str) -> FakeBucket | None:
    owner = s3_backends.bucket_accounts.get(name)
    if owner is None:
        return None
    partition, account = owner
    return s3_backends[account][partition].buckets.get(name)


def bucket(name: str) -> BucketState | None:
    """The bucket, whoever owns it, or None where there is none."""
    found = _bucket(name)
    if found is None:
        return None
    block = found.public_access_block
    return BucketState(
        name=name,
        account=found.account_id,
        region=found.region_name,
        policy=found.policy.decode() if found.policy else None,
        block_public_policy=block is not None and block.block_public_policy,
        restrict_public_buckets=block is not None and block.restrict_public_buckets,
        acls_disabled=cast("object", found.ownership_rule) == OWNER_ENFORCED,
        encryption=_default_encryption(found),
    )


def _default_encryption(bucket: FakeBucket) -> Encryption:
    rule: dict[str, Any] = (bucket.encryption or {}).get("Rule") or {}
    default: dict[str, str] = rule.get("ApplyServerSideEncryptionByDefault") or {}
    return Encryption(
        default.get("SSEAlgorithm") or Encryption.algorithm,
        default.get("KMSMasterKeyID") or "",
        rule.get("BucketKeyEnabled") == "true",
    )


def _object(name: str, key: str, version: str) -> FakeKey | None:
    found = _bucket(name)
    versions: list[Any] = found.keys.getlist(key, []) if found else []
    wanted = [one for one in versions if one.version_id == version] if version else versions[-1:]
    return wanted[0] if wanted and isinstance(wanted[0], FakeKey) else None


def object_encryption(name: str, key: str, version: str) -> Encryption | None:
    """How this version of an object is encrypted, or None where there is none; the present one without `version`."""
    found = _object(name, key, version)
    return _encryption(found, found.encryption, found.kms_key_id) if found else None


def upload_encryption(name: str, upload_id: str) -> Encryption | None:
    """How an upload in parts is encrypted, or None where there is none."""
    found = _upload(name, upload_id)
    return _encryption(found, found.sse_encryption, found.kms_key_id) if found else None


def _upload(name: str, upload_id: str) -> FakeMultipart | None:
    bucket = _bucket(name)
    return bucket.multiparts.get(upload_id) if bucket else None


def _encryption(found: FakeKey | FakeMultipart, algorithm: str | None, key: str | None) -> Encryption:
    bucket_key = getattr(found, "bucket_key_enabled", None) == "true"
    return Encryption(algorithm or Encryption.algorithm, key or "", bucket_key)


def use_bucket_key(name: str, key: str, upload_id: str, used: bool) -> None:
    """Keep, of an upload in parts or else of the object, whether a bucket key is used: moto forgets that."""
    found: Any = _upload(name, upload_id) if upload_id else _object(name, key, "")
    if found is not None:
        found.bucket_key_enabled = "true" if used else "false"


@cache
def regions() -> frozenset[str]:
    """The partition's regions, as botocore lists them."""
    partitions = Loader().load_data("endpoints")["partitions"]
    return frozenset(next(one["regions"] for one in partitions if one["partition"] == PARTITION))


def dress_new_bucket(name: str) -> None:
    """Give a bucket what S3 gives every new one since April 2023, and moto doesn't.

    Block Public Access on, ACLs disabled, encryption with S3's own keys. Source:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
    """
    found = _bucket(name)
    if found is None or found.public_access_block is not None:
        return
    found.public_access_block = cast("Any", PublicAccessBlock("true", "true", "true", "true"))
    found.ownership_rule = found.ownership_rule or cast("Any", OWNER_ENFORCED)  # moto keeps the bare word
    found.encryption = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}}


def default_retention(name: str) -> bool:
    """Whether what is written to the bucket is locked by default, for a while."""
    found = _bucket(name)
    return found is not None and bool(found.has_default_lock)


def lock_objects(name: str, mode: str | None, days: int | None, years: int | None) -> None:
    """Turn Object Lock on for a versioned bucket, with this default retention; without a mode, with none."""
    found: Any = _bucket(name)
    found.object_lock_enabled = True
    found.default_lock_mode, found.default_lock_days, found.default_lock_years = mode, days or 0, years or 0


def object_lock(name: str) -> tuple[str, int, int] | None:
    """The default retention of a bucket with Object Lock: mode, days, years; None for a bucket without it."""
    found: Any = _bucket(name)
    if found is None or not found.object_lock_enabled:
        return None
    return found.default_lock_mode or "", found.default_lock_days or 0, found.default_lock_years or 0


def is_versioned(name: str) -> bool:
    """Whether the bucket's versioning is enabled."""
    found = _bucket(name)
    return found is not None and found.versioning_status == "Enabled"


def simulated_role(arn: str) -> Caller | None:
    """A session of the role as IAM's policy simulator imagines it: no condition keys of its own, no secrets."""
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    try:
        role = _iam(account).get_role_by_arn(arn)
    except NotFoundException:
        return None
    boundary = role.permissions_boundary_arn
    return Caller(
        principal=Principal(
            account, f"arn:{PARTITION}:sts::{account}:assumed-role/{role.name}/simulated", role.arn
        ),
        secret_access_key="",
        identity=tuple(_role_documents(role)),
        boundary=_boundary(boundary, account) if boundary else None,
        organisation=ORGANISATIONS.get(account, ()),
    )


def trust_the_gate() -> None:
    """Moto looks at bucket policies by itself, and wrongly: the gate before it has decided already."""

    def permitted(self: FakeBucket, action: str, resource: str) -> object:  # noqa: ARG001 (moto's)
        return PermissionResult.PERMITTED

    FakeBucket.get_permission = permitted


def let_delete_markers_go() -> None:
    """Moto disposes of every version of a key, and of what marks a deletion it can't."""

    def dispose(self: FakeDeleteMarker) -> None:
        """There is nothing behind a marker."""

    cast("Any", FakeDeleteMarker).dispose = dispose
