"""The owner of one S3 destination in a sandbox, with ordinary clients: what it changes, it can undo."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.live import Live

    Undo = Callable[[], object]
    Json = dict[str, Any]

SERVICE = "291871421005"


class S3Owner:
    """A destination's role, bucket and key."""

    def __init__(self, live: Live, name: str) -> None:
        self.live, self.name = live, name
        outputs = live.outputs[name]
        self.role_arn: str = outputs["role_arn"]
        self.role: str = outputs["role_name"]
        self.bucket: str = outputs["bucket_name"]
        self.region: str = outputs["bucket_region"]
        self.key: str = outputs.get("kms_key_arn", "")
        self.account = self.role_arn.split(":")[4]
        self.arn = f"arn:aws:s3:::{self.bucket}"
        self._session = boto3.Session(live.owner["AWS_ACCESS_KEY_ID"], live.owner["AWS_SECRET_ACCESS_KEY"])
        self.iam, self.s3, self.kms = self.client("iam"), self.client("s3"), self.client("kms")
        (self.policy,) = self.iam.list_role_policies(RoleName=self.role)["PolicyNames"]

    def client(self, service: str, region: str = "") -> Any:
        proxy = self.live.owner["HTTPS_PROXY"]
        session: Any = self._session
        return session.client(
            service,
            region_name=region or self.region,
            verify=self.live.owner["AWS_CA_BUNDLE"],
            config=Config(proxies={"https": proxy, "http": proxy}),
        )

    # --- the role ---------------------------------------------------------------------------------------

    def get_role(self) -> Json:
        return self.iam.get_role(RoleName=self.role)["Role"]

    def put_trust(self, document: Json) -> Undo:
        before = self.get_role()["AssumeRolePolicyDocument"]
        put = self.iam.update_assume_role_policy
        put(RoleName=self.role, PolicyDocument=json.dumps(document))
        return lambda: put(RoleName=self.role, PolicyDocument=json.dumps(before))

    def trust(self, change: Callable[[Json], object]) -> Undo:
        """Change the trust policy's statement."""
        document = copy.deepcopy(self.get_role()["AssumeRolePolicyDocument"])
        change(document["Statement"][0])
        return self.put_trust(document)

    def get_policy(self) -> Json:
        said = self.iam.get_role_policy(RoleName=self.role, PolicyName=self.policy)
        return copy.deepcopy(said["PolicyDocument"])

    def put_policy(self, document: Json) -> Undo:
        before = self.get_policy()

        def put(given: Json) -> object:
            return self.iam.put_role_policy(
                RoleName=self.role, PolicyName=self.policy, PolicyDocument=json.dumps(given)
            )

        put(document)
        return lambda: put(before)

    def allow(self, change: Callable[[Json], object]) -> Undo:
        """Change what the role's policy allows in the bucket."""
        document = self.get_policy()
        change(document["Statement"][0])
        return self.put_policy(document)

    def add_policy(self, *statements: Json, name: str = "another") -> Undo:
        said = {"Version": "2012-10-17", "Statement": list(statements)}
        self.iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=json.dumps(said))
        return lambda: self.iam.delete_role_policy(RoleName=self.role, PolicyName=name)

    def managed(self, *statements: Json, name: str) -> tuple[str, Undo]:
        said = {"Version": "2012-10-17", "Statement": list(statements)}
        arn = self.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(said))["Policy"]["Arn"]
        return arn, lambda: self.iam.delete_policy(PolicyArn=arn)

    def attach(self, *statements: Json) -> Undo:
        arn, delete = self.managed(*statements, name=f"attached-{self.role}")
        self.iam.attach_role_policy(RoleName=self.role, PolicyArn=arn)
        detach = self.iam.detach_role_policy
        return both(lambda: detach(RoleName=self.role, PolicyArn=arn), delete)

    def bound(self, *statements: Json) -> Undo:
        arn, delete = self.managed(*statements, name=f"boundary-{self.role}")
        self.iam.put_role_permissions_boundary(RoleName=self.role, PermissionsBoundary=arn)
        unbind = self.iam.delete_role_permissions_boundary
        return both(lambda: unbind(RoleName=self.role), delete)

    def organisation(self, *levels: Json) -> Undo:
        from recording_storage.sandbox.aws import occasion

        occasion.organisation(self.account, *levels)
        return lambda: occasion.organisation(self.account)

    def delete_role(self) -> Undo:
        """Delete the role; undone, it is made anew as it was."""
        role, policy = self.get_role(), self.get_policy()
        self.iam.delete_role_policy(RoleName=self.role, PolicyName=self.policy)
        self.iam.delete_role(RoleName=self.role)

        def make() -> None:
            self.iam.create_role(
                RoleName=self.role,
                Path=role["Path"],
                AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]),
                MaxSessionDuration=role["MaxSessionDuration"],
            )
            self.iam.put_role_policy(
                RoleName=self.role, PolicyName=self.policy, PolicyDocument=json.dumps(policy)
            )

        return make

    # --- the bucket -------------------------------------------------------------------------------------

    def put_bucket_policy(self, document: Json | None) -> Undo:
        before: str | None = None
        with suppress(ClientError):
            before = self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"]

        def put(text: str | None) -> object:
            if text is None:
                return self.s3.delete_bucket_policy(Bucket=self.bucket)
            return self.s3.put_bucket_policy(Bucket=self.bucket, Policy=text)

        put(json.dumps(document) if document else None)
        return lambda: put(before)

    def bucket_statement(self, **statement: Any) -> Undo:
        """Add a statement to the bucket's policy, by default about everything in it."""
        document: Json = json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])
        whole = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.arn, f"{self.arn}/*"],
        }
        document["Statement"].append(whole | statement)
        return self.put_bucket_policy(document)

    def unblock(self) -> Undo:
        before = self.s3.get_public_access_block(Bucket=self.bucket)["PublicAccessBlockConfiguration"]
        self.s3.delete_public_access_block(Bucket=self.bucket)
        put = self.s3.put_public_access_block
        return lambda: put(Bucket=self.bucket, PublicAccessBlockConfiguration=before)

    def encrypt(self, key: str = "", algorithm: str = "aws:kms", *, bucket_key: bool = True) -> Undo:
        before = self.s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]

        def put(configuration: Json) -> object:
            return self.s3.put_bucket_encryption(
                Bucket=self.bucket, ServerSideEncryptionConfiguration=configuration
            )

        rule = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
        put({"Rules": [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": bucket_key}]})
        return lambda: put(before)

    def lifecycle(self, *rules: Json) -> Undo:
        before = self.s3.get_bucket_lifecycle_configuration(Bucket=self.bucket)["Rules"]

        def put(given: list[Json]) -> object:
            return self.s3.put_bucket_lifecycle_configuration(
                Bucket=self.bucket, LifecycleConfiguration={"Rules": given}
            )

        put(list(rules))
        return lambda: put(before)

    def version(self, status: str) -> Undo:
        def put(given: str) -> object:
            return self.s3.put_bucket_versioning(
                Bucket=self.bucket, VersioningConfiguration={"Status": given}
            )

        put(status)
        return lambda: put("Enabled")

    def lock(self) -> Undo:
        def put(**rule: Json) -> object:
            return self.s3.put_object_lock_configuration(
                Bucket=self.bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"} | rule
            )

        put(Rule={"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}})
        return put

    # --- the key ----------------------------------------------------------------------------------------

    def get_key_policy(self) -> Json:
        return json.loads(self.kms.get_key_policy(KeyId=self.key, PolicyName="default")["Policy"])

    def put_key_policy(self, *statements: Json) -> Undo:
        before = self.get_key_policy()

        def put(document: Json) -> object:
            return self.kms.put_key_policy(KeyId=self.key, PolicyName="default", Policy=json.dumps(document))

        put({"Version": "2012-10-17", "Statement": list(statements)})
        return lambda: put(before)


def both(*undo: Undo) -> Undo:
    """Undo several changes, in this order."""

    def undo_all() -> None:
        for one in undo:
            one()

    return undo_all
