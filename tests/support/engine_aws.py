"""The owner's AWS account under the real Pulumi engine: what is in it, and how a recording gets there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from recording_storage.sandbox.aws import credentials
from tests.support.engine import KEY, RECORDING, House

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from recording_storage.sandbox import Sandbox

OWNER, RECORDER = "111122223333", "291871421005"
REGION = "eu-west-1"
RECORDED = ("recordings", "body")
OTHER_RECORDER = "222233334444"


class Somebody:
    """Ordinary AWS clients of one holder of credentials, through the sandbox's proxy."""

    def __init__(
        self, environment: Mapping[str, str], external_id: str = "tavus", session_seconds: int = 43200
    ) -> None:
        self.environment = environment
        self._external_id, self._session_seconds = external_id, session_seconds
        self.session = boto3.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])

    def client(self, service: str, session: boto3.Session | None = None) -> Any:
        proxy = self.environment["HTTPS_PROXY"]
        return (session or self.session).client(
            service,  # type: ignore[call-overload]
            region_name=REGION,
            verify=self.environment["AWS_CA_BUNDLE"],
            config=Config(proxies={"https": proxy, "http": proxy}),
        )

    def record(self, destination: Mapping[str, str]) -> bytes:
        """Write and read as the recording service does, with nothing but what the stack hands over."""
        given = self.client("sts").assume_role(
            RoleArn=destination["assume_role_arn"],
            RoleSessionName="recorder",
            ExternalId=destination.get("external_id", self._external_id),
            DurationSeconds=self._session_seconds,
        )["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        s3 = self.client("s3", session)
        s3.put_object(Bucket=destination["bucket_name"], Key=KEY, Body=RECORDING)
        return s3.get_object(Bucket=destination["bucket_name"], Key=KEY)["Body"].read()


class Account:
    """What is in the owner's account, in the cloud's own words."""

    def __init__(self, owner: Somebody) -> None:
        self.s3, self.iam, self.kms = owner.client("s3"), owner.client("iam"), owner.client("kms")

    def buckets(self) -> set[str]:
        return {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]}

    def roles(self) -> set[str]:
        return {role["RoleName"] for role in self.iam.list_roles()["Roles"]}

    def storage(self, bucket: str) -> dict[str, Any]:
        """The bucket's recordings, and every setting that protects it; fails where one is missing."""
        s3 = self.s3
        return {
            "recordings": [
                (found["Key"], found["VersionId"])
                for found in s3.list_object_versions(Bucket=bucket).get("Versions", [])
            ],
            "body": s3.get_object(Bucket=bucket, Key=KEY)["Body"].read(),
            "region": s3.get_bucket_location(Bucket=bucket)["LocationConstraint"],
            "policy": json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
            "versioning": s3.get_bucket_versioning(Bucket=bucket)["Status"],
            "access": s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
            "ownership": s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
            "encryption": s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
            "lifecycle": s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        }

    def everything(self, bucket: str) -> dict[str, Any]:
        """Whatever S3 says of the bucket, missing settings included."""
        asked = (
            self.s3.list_object_versions,
            self.s3.get_bucket_location,
            self.s3.get_bucket_policy,
            self.s3.get_bucket_versioning,
            self.s3.get_public_access_block,
            self.s3.get_bucket_ownership_controls,
            self.s3.get_bucket_encryption,
            self.s3.get_bucket_lifecycle_configuration,
            self.s3.get_bucket_tagging,
        )
        return {ask.__name__: _answer(ask, bucket) for ask in asked}

    def tags(self, bucket: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}


def _answer(ask: Any, bucket: str) -> object:
    try:
        answer = ask(Bucket=bucket)
    except ClientError as error:
        return str(error)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


class Staffed(Protocol):
    """A house in whose account one can look, and to whose buckets somebody records."""

    account: Account
    recorder: Somebody


class S3Recordings:
    """A destination as the stack hands it over, with a recording in it."""

    def __init__(self, house: Staffed, outputs: Mapping[str, Any]) -> None:
        self._account, self._recorder = house.account, house.recorder
        self.bucket, self.role = str(outputs["bucket_name"]), str(outputs["role_name"])
        self._handed_over = outputs["recording_storage"]
        self.record()
        self._storage = self._account.storage(self.bucket)

    def record(self) -> None:
        assert self._recorder.record(self._handed_over) == RECORDING

    def assert_storage_kept(self) -> None:
        assert self._account.storage(self.bucket) == self._storage

    def assert_recordings_kept(self) -> None:
        now = self._account.storage(self.bucket)
        assert [now[name] for name in RECORDED] == [self._storage[name] for name in RECORDED]

    def assert_lives(self) -> None:
        self.assert_storage_kept()
        self.record()
        self._storage = self._account.storage(self.bucket)

    def assert_retained(self) -> None:
        self.assert_storage_kept()
        assert self.role not in self._account.roles()

    def assert_gone(self) -> None:
        assert self.bucket not in self._account.buckets()
        assert self.role not in self._account.roles()


class AwsHouse(House[S3Recordings]):
    """The house in an AWS account of a sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        owner = credentials.mint(OWNER)
        sandbox.aws.admit(owner)
        environment = sandbox.environment("owner", owner.environment())
        self.account = Account(Somebody(environment))
        self._recorders = {account: self._environment(account) for account in (RECORDER, OTHER_RECORDER)}
        self.present()
        super().__init__(environment, folder, defaults={"provider": "s3", "region": REGION})

    def inhabit(self, outputs: Mapping[str, Any]) -> S3Recordings:
        return S3Recordings(self, outputs)

    def present(self, **constants: Any) -> None:
        constants.pop("actions", None)  # what it does is what the tests do
        self.recorder = Somebody(self._recorders[constants.pop("account", RECORDER)], **constants)

    def given(self) -> dict[str, str]:
        iam, kms = self.account.iam, self.account.kms
        owner = {"AWS": f"arn:aws:iam::{OWNER}:root"}
        trust = _policy(Principal=owner, Action="sts:AssumeRole")
        everything = _policy(Action="*", Resource="*")
        roles = {
            name: iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
            for name in ("player", "deployer")
        }
        iam.put_role_policy(RoleName="deployer", PolicyName="everything", PolicyDocument=everything)
        boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=everything)["Policy"]["Arn"]
        keys = {name: kms.create_key()["KeyMetadata"]["Arn"] for name in ("key_a", "key_b")}
        return {**roles, **keys, "boundary": boundary}

    def _environment(self, account: str) -> dict[str, str]:
        somebody = credentials.mint(account)
        self.sandbox.aws.admit(somebody)
        return self.sandbox.environment(f"recorder-{account}", somebody.environment())


def _policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
