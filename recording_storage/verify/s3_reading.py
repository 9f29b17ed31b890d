"""What is read of a destination on Amazon S3: the role, its policies, the bucket's settings and its key.

Everything that can start at once does, each read once, with clients that all destinations of a run share. What comes of
a refusal is `Unreadable`, with the permission that was missing; a role or a bucket that isn't there is `MissingRole` or
`MissingBucket`. Leaves out what it means (`s3_trust`, `s3_permissions`, `s3_beyond`, `s3_key`, `s3_bucket`).

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/, https://docs.aws.amazon.com/AmazonS3/latest/API/ and
https://docs.aws.amazon.com/kms/latest/APIReference/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from components.aws import PARTITION
from recording_storage.verify.checks import Unreadable
from recording_storage.verify.s3_things import (
    BucketPolicy,
    Encryption,
    MissingBucket,
    MissingRole,
    Role,
    RoleName,
    RolePolicies,
    document,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Future

    from recording_storage.evaluation.aws.document import Document
    from recording_storage.verify.reads import Reads
    from recording_storage.verify.s3_clients import Access
    from recording_storage.verify.targets import Target

ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role(?P<path>/(?:.+/)?)(?P<name>[^/]+)"
)
REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "403",
    "AllAccessDisabled",
    "Forbidden",
}
NO_ROLE = {"NoSuchEntity"}
NO_BUCKET = {"NoSuchBucket", "404"}
NOT_THE_OWNER = {"MethodNotAllowed", "405"}
HOME_REGION = "us-east-1"
"""The region of a bucket that has no location constraint."""
OLD_NAMES = {"": HOME_REGION, "EU": "eu-west-1"}


@dataclass
class Reading:
    """One destination, being read: each attribute is a read whose result can be waited for."""

    target: Target
    access: Access
    reads: Reads
    role: Future[Role] = field(init=False)
    policies: Future[RolePolicies] = field(init=False)
    region: Future[str] = field(init=False)
    bucket_policy: Future[BucketPolicy] = field(init=False)
    versioning: Future[Mapping[str, Any]] = field(init=False)
    encryption: Future[Encryption] = field(init=False)
    lifecycle: Future[tuple[Mapping[str, Any], ...]] = field(init=False)
    access_block: Future[Mapping[str, bool]] = field(init=False)
    lock: Future[Mapping[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        storage = self.target.recording_storage
        self.bucket = storage["bucket_name"]
        self.handed_region = storage["bucket_region"]
        self.role_arn = storage["assume_role_arn"]
        self.external_id = storage.get("external_id") or self.target.known.s3_trust.external_id
        begin = self.reads.begin
        self.role = begin(self._role)
        self.policies = begin(self._policies)
        self.region = begin(self._region)
        self.bucket_policy = begin(self._bucket_policy)
        self.versioning = begin(self._versioning)
        self.encryption = begin(self._encryption)
        self.lifecycle = begin(self._lifecycle)
        self.access_block = begin(self._access_block)
        self.lock = begin(self._lock)

    # --- the role -------------------------------------------------------------------------------------

    @property
    def role_name(self) -> RoleName:
        """Raises `MissingRole` for what is no role's ARN, or one of a partition where the service can't be."""
        found = ROLE_ARN.fullmatch(self.role_arn)
        example = f"as in arn:{PARTITION}:iam::111122223333:role/recordings"
        if found is None:
            raise MissingRole(
                f'"{self.role_arn}" isn\'t the ARN of a role, {example}', "hand the role's whole ARN over"
            )
        if found["partition"] != PARTITION:
            raise MissingRole(
                f"{self.role_arn} is in the partition {found['partition']}; a role can be assumed within one partition"
                f" only, and the service is in {PARTITION}",
                f"use a role and a bucket of an account in the partition {PARTITION}",
            )
        return RoleName(self.role_arn, found["account"], found["name"])

    def _role(self) -> Role:
        name = self.role_name
        answer = self.of_role("iam:GetRole", "get_role", name, RoleName=name.name)["Role"]
        if answer["Arn"] != name.arn:
            raise MissingRole(
                f"there is no {name.arn}; the role called {name.name} is {answer['Arn']}",
                f"hand {answer['Arn']} over",
            )
        return Role(
            name.arn,
            name.account,
            name.name,
            answer["RoleId"],
            document(answer["AssumeRolePolicyDocument"], "trust", f"the trust policy of {name.name}"),
            int(answer.get("MaxSessionDuration", 3600)),
            answer.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
        )

    def _policies(self) -> RolePolicies:
        name = self.role_name
        begin = self.reads.begin
        attached = begin(self._listed, name, "iam:ListAttachedRolePolicies", "AttachedPolicies")
        inline = self._listed(name, "iam:ListRolePolicies", "PolicyNames")
        documents = [begin(self._inline, name, one) for one in inline]
        documents += [self._managed(name, one["PolicyArn"]) for one in attached.result()]
        boundary = self.role.result().boundary
        limit = self._managed(name, boundary) if boundary else None
        return RolePolicies(tuple(one.result() for one in documents), limit.result() if limit else None)

    def _listed(self, name: RoleName, permission: str, key: str) -> list[Any]:
        method = {"AttachedPolicies": "list_attached_role_policies", "PolicyNames": "list_role_policies"}[key]
        found: list[Any] = []
        more: dict[str, str] = {}
        while True:
            page = self.of_role(permission, method, name, RoleName=name.name, **more)
            found += page[key]
            if not page.get("IsTruncated"):
                return found
            more = {"Marker": page["Marker"]}

    def _inline(self, name: RoleName, policy: str) -> Document:
        said = self.of_role(
            "iam:GetRolePolicy", "get_role_policy", name, RoleName=name.name, PolicyName=policy
        )
        return document(said["PolicyDocument"], "identity", f"the role's policy {policy}")

    def _managed(self, name: RoleName, arn: str) -> Future[Document]:
        """A managed policy, which several roles may have."""

        def read() -> Document:
            said = self.of_role("iam:GetPolicy", "get_policy", name, PolicyArn=arn)["Policy"]
            version = self.of_role(
                "iam:GetPolicyVersion",
                "get_policy_version",
                name,
                PolicyArn=arn,
                VersionId=said["DefaultVersionId"],
            )
            return document(version["PolicyVersion"]["Document"], "identity", arn)

        return self.reads.once(("policy", self.access.key, arn), read)

    def of_role(self, permission: str, method: str, name: RoleName, **asked: Any) -> Any:
        """Ask IAM about the role. Raises `Unreadable` too where the caller is of another account than the role."""

        def elsewhere() -> None:
            account = self.access.account.result()
            if account != name.account:
                raise Unreadable(
                    permission,
                    f"your credentials are for account {account}, and the role is in {name.account}, whose IAM only its"
                    " own account can read",
                    f"use credentials of account {name.account}, as in AWS_PROFILE=…",
                )

        try:
            answer = self.ask(
                permission, getattr(self.access.client("iam", HOME_REGION), method), NO_ROLE, **asked
            )
        except (Unreadable, _Absent) as error:
            elsewhere()
            if isinstance(error, Unreadable):
                raise
            raise MissingRole(
                f"there is no {name.arn}: {error}", "hand an existing role's ARN over, or `pulumi up`"
            ) from None
        elsewhere()
        return answer

    # --- the bucket -----------------------------------------------------------------------------------

    def _region(self) -> str:
        said = self.of_bucket("s3:GetBucketLocation", "get_bucket_location")
        constraint = said.get("LocationConstraint") or ""
        return OLD_NAMES.get(constraint, constraint)

    def _bucket_policy(self) -> BucketPolicy:
        absent = {"NoSuchBucketPolicy", *NOT_THE_OWNER}
        try:
            text = self.of_bucket("s3:GetBucketPolicy", "get_bucket_policy", absent)["Policy"]
        except _Absent as error:
            account = self.access.account.result()
            if error.code in NOT_THE_OWNER:
                raise Unreadable(
                    "s3:GetBucketPolicy",
                    f"your credentials are for account {account}, and {self.bucket} is another account's, which alone"
                    " may read its policy",
                    "use credentials of the bucket's account, as in AWS_PROFILE=…",
                ) from None
            return BucketPolicy(account, None)
        return BucketPolicy(self.access.account.result(), document(text, "resource", "the bucket's policy"))

    def _versioning(self) -> Mapping[str, Any]:
        return self.of_bucket("s3:GetBucketVersioning", "get_bucket_versioning")

    def _encryption(self) -> Encryption:
        try:
            said = self.of_bucket(
                "s3:GetEncryptionConfiguration",
                "get_bucket_encryption",
                {"ServerSideEncryptionConfigurationNotFoundError"},
            )
        except _Absent:
            return Encryption("AES256", "", bucket_key=False)
        rules: list[dict[str, Any]] = said["ServerSideEncryptionConfiguration"].get("Rules", [])
        rule = rules[0] if rules else {}
        default: dict[str, str] = rule.get("ApplyServerSideEncryptionByDefault", {})
        return Encryption(
            default.get("SSEAlgorithm", "AES256"),
            default.get("KMSMasterKeyID", ""),
            bucket_key=rule.get("BucketKeyEnabled", False),
        )

    def _lifecycle(self) -> tuple[Mapping[str, Any], ...]:
        try:
            said = self.of_bucket(
                "s3:GetLifecycleConfiguration",
                "get_bucket_lifecycle_configuration",
                {"NoSuchLifecycleConfiguration"},
            )
        except _Absent:
            return ()
        return tuple(said.get("Rules", ()))

    def _access_block(self) -> Mapping[str, bool]:
        try:
            said = self.of_bucket(
                "s3:GetBucketPublicAccessBlock",
                "get_public_access_block",
                {"NoSuchPublicAccessBlockConfiguration"},
            )
        except _Absent:
            return {}
        return said["PublicAccessBlockConfiguration"]

    def _lock(self) -> Mapping[str, Any]:
        try:
            said = self.of_bucket(
                "s3:GetBucketObjectLockConfiguration",
                "get_object_lock_configuration",
                {"ObjectLockConfigurationNotFoundError"},
            )
        except _Absent:
            return {}
        return said["ObjectLockConfiguration"]

    def acl(self) -> Mapping[str, Any]:
        """Who has what on the bucket by its access control list; only asked where such lists count."""
        return self.of_bucket("s3:GetBucketAcl", "get_bucket_acl")

    def policy_is_public(self) -> bool:
        """Whether S3 itself calls the bucket's policy public; only asked where that isn't blocked."""
        try:
            said = self.of_bucket(
                "s3:GetBucketPolicyStatus", "get_bucket_policy_status", {"NoSuchBucketPolicy"}
            )
        except _Absent:
            return False
        return bool(said["PolicyStatus"].get("IsPublic"))

    def of_bucket(self, permission: str, method: str, absent: Iterable[str] = ()) -> Any:
        """Ask S3 about the bucket, in the region that is handed over; its client follows S3 to another."""
        call = getattr(self.access.client("s3", self.handed_region), method)
        try:
            return self.ask(permission, call, {*absent, *NO_BUCKET}, Bucket=self.bucket)
        except _Absent as error:
            if error.code not in NO_BUCKET:
                raise
            raise MissingBucket(
                f"there is no bucket {self.bucket}", "hand an existing bucket's name over, or `pulumi up`"
            ) from None

    # --- asking ---------------------------------------------------------------------------------------

    def ask(self, permission: str, call: Callable[..., Any], absent: Iterable[str], **asked: Any) -> Any:
        """Make one call. Raises `Unreadable`, or `_Absent` with one of the codes that say that there is none."""
        try:
            return self.reads.call(call, **asked)
        except ClientError as error:
            told = error.response.get("Error", {})
            code, said = told.get("Code", ""), told.get("Message", "")
            if code in absent:
                raise _Absent(code, said) from None
            if code in REFUSED:
                raise Unreadable(permission, f"{permission} was refused: {said or code}") from None
            raise Unreadable(
                "", f"{error.operation_name} was answered with {code}: {said}", _again(code)
            ) from None
        except BotoCoreError as error:
            raise Unreadable("", f"{permission}: {error}", "see to the connection, and ask again") from None


class _Absent(Exception):  # noqa: N818 (an answer)
    """The cloud says that there is no such thing."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said or code)
        self.code = code


absent = _Absent


def _again(code: str) -> str:
    if "Expired" in code or "Token" in code or "Signature" in code:
        return "renew your credentials, as in `aws sso login`, and ask again"
    return "ask again later"
