"""AWS resources through boto3: what the destinations are made of, and what a team adds beside them.

Leaves out every type that no destination needs; a program that registers one is told so.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.exceptions import ClientError

from recording_storage.resources import Properties, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.resources import ResourceType

HOME_REGION = "us-east-1"
SESSION_NAME = "pulumi"
WHO_AM_I = "aws:index/getCallerIdentity:getCallerIdentity"
GONE = {
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchEntity",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}


class Clients:
    """boto3 clients for one provider's configuration, each made once."""

    def __init__(self, config: Properties) -> None:
        self.region = str(config.get("region") or HOME_REGION)
        self._session = boto3.Session(region_name=self.region)
        self._made: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()
        for role in cast("list[dict[str, str]]", _decoded(config.get("assumeRoles")) or []):
            self._session = self._assume(role)
        allowed = _decoded(config.get("allowedAccountIds"))
        if allowed and self.account not in allowed:
            raise ValueError(
                f"AWS account ID not allowed: {self.account}; the configuration allows {', '.join(allowed)}"
            )

    @property
    def account(self) -> str:
        """The account of the credentials in use."""
        return self.get("sts").get_caller_identity()["Account"]

    def get(self, service: str, region: str | None = None) -> Any:
        """A client of `service`, in `region` or in the provider's own."""
        key = (service, region or self.region)
        with self._making:  # a boto3 session isn't safe to share while it makes a client
            if key not in self._made:
                self._made[key] = self._session.client(cast("Any", service), region_name=key[1])
            return self._made[key]

    def _assume(self, role: Mapping[str, str]) -> boto3.Session:
        wanted = {"RoleArn": role["roleArn"], "RoleSessionName": role.get("sessionName", SESSION_NAME)}
        if "externalId" in role:
            wanted["ExternalId"] = role["externalId"]
        given = self._session.client("sts").assume_role(**cast("Any", wanted))["Credentials"]
        self._made.clear()
        return boto3.Session(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=self.region
        )


def _decoded(value: object) -> Any:
    """Provider configuration arrives with its lists and objects as JSON text."""
    return json.loads(value) if isinstance(value, str) and value else value


def _gone(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in GONE


def _tags(given: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted((given or {}).items())]


def _untagged(found: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found or []}


class Bucket:
    """`aws:s3/bucket:Bucket`."""

    properties = frozenset({"bucket", "region", "forceDestroy", "tags"})
    replace_on = frozenset({"bucket", "region"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        name, region = inputs["bucket"], inputs.get("region") or clients.region
        s3 = clients.get("s3", region)
        placed: dict[str, Any] = (
            {} if region == HOME_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        s3.create_bucket(Bucket=name, **placed)
        self._tag(s3, name, inputs)
        return name, self._state(inputs, name, region)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        region = state.get("region") or clients.region
        s3 = clients.get("s3", region)
        try:
            s3.head_bucket(Bucket=id_)
        except ClientError as error:
            if _gone(error):
                return None
            raise
        try:
            tags = _untagged(s3.get_bucket_tagging(Bucket=id_)["TagSet"])
        except ClientError as error:
            if not _gone(error):
                raise
            tags = {}
        return self._state(state | ({"tags": tags} if tags or "tags" in state else {}), id_, region)

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        region = inputs.get("region") or clients.region
        self._tag(clients.get("s3", region), id_, inputs, before=state.get("tags"))
        return self._state(inputs, id_, region)

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        s3 = clients.get("s3", state.get("region") or clients.region)
        try:
            if state.get("forceDestroy"):
                self._empty(s3, id_)
            s3.delete_bucket(Bucket=id_)
        except ClientError as error:
            if not _gone(error):
                raise

    def _state(self, inputs: Properties, name: str, region: str) -> Properties:
        return inputs | {
            "bucket": name,
            "arn": f"arn:aws:s3:::{name}",
            "region": region,
            "bucketRegion": region,
            "bucketDomainName": f"{name}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "forceDestroy": bool(inputs.get("forceDestroy")),
            "tagsAll": inputs.get("tags") or {},
        }

    def _tag(self, s3: Any, name: str, inputs: Properties, before: object = None) -> None:
        if inputs.get("tags"):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": _tags(inputs["tags"])})
        elif before:
            s3.delete_bucket_tagging(Bucket=name)

    def _empty(self, s3: Any, name: str) -> None:
        for upload in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=name, Key=found["Key"], VersionId=found["VersionId"])


@dataclass(frozen=True)
class BucketSetting:
    """A resource that is one setting of a bucket: put, got and taken away whole.

    `to_api` makes the put's arguments from the inputs, `from_api` the inputs from what `get` answers; `reset` is
    what takes it away, where S3 has no call that deletes it.
    """

    inputs: frozenset[str]
    put: str
    get: str
    to_api: Callable[[Properties], dict[str, Any]]
    from_api: Callable[[dict[str, Any]], Properties]
    remove: str | None = None
    reset: Mapping[str, Any] = field(default_factory=dict[str, Any])
    replace_on: frozenset[str] = frozenset({"bucket", "region"})

    @property
    def properties(self) -> frozenset[str]:
        return self.inputs | {"bucket", "region"}

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        return str(inputs["bucket"]), self.update(clients, inputs["bucket"], {}, inputs)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        s3 = self._s3(clients, state)
        try:
            found = self.from_api(getattr(s3, self.get)(Bucket=id_))
        except ClientError as error:
            if _gone(error):
                return None
            raise
        return state | found | {"bucket": id_, "region": state.get("region") or clients.region}

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        getattr(self._s3(clients, inputs), self.put)(Bucket=id_, **self.to_api(inputs))
        return inputs | {"region": inputs.get("region") or clients.region}

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        s3 = self._s3(clients, state)
        try:
            if self.remove:
                getattr(s3, self.remove)(Bucket=id_)
            elif self.reset:
                getattr(s3, self.put)(Bucket=id_, **self.reset)
        except ClientError as error:
            if not _gone(error):
                raise

    def _s3(self, clients: Clients, properties: Properties) -> Any:
        return clients.get("s3", properties.get("region"))


def _pascal(value: Any, names: Mapping[str, str]) -> Any:
    """Pulumi's nested names in S3's spelling; a name that isn't in the table is refused."""
    if isinstance(value, list):
        return [_pascal(one, names) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    unknown = [name for name in cast("dict[str, Any]", value) if name not in names]
    if unknown:
        raise UnsupportedError(f"{unknown[0]} of a bucket's settings")
    return {
        names[name]: _pascal(one, names)
        for name, one in cast("dict[str, Any]", value).items()
        if one is not None
    }


def _camel(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_camel(one, names) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    return {
        names[name]: _camel(one, names)
        for name, one in cast("dict[str, Any]", value).items()
        if name in names
    }


LIFECYCLE_NAMES = {
    "id": "ID",
    "status": "Status",
    "filter": "Filter",
    "prefix": "Prefix",
    "expiration": "Expiration",
    "days": "Days",
    "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    "noncurrentVersionExpiration": "NoncurrentVersionExpiration",
    "noncurrentDays": "NoncurrentDays",
    "newerNoncurrentVersions": "NewerNoncurrentVersions",
    "abortIncompleteMultipartUpload": "AbortIncompleteMultipartUpload",
    "daysAfterInitiation": "DaysAfterInitiation",
}
ENCRYPTION_NAMES = {
    "applyServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
    "sseAlgorithm": "SSEAlgorithm",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "bucketKeyEnabled": "BucketKeyEnabled",
}
BLOCK_NAMES = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}


def _reversed(names: Mapping[str, str]) -> dict[str, str]:
    return {theirs: ours for ours, theirs in names.items()}


VERSIONING = BucketSetting(
    inputs=frozenset({"versioningConfiguration"}),
    put="put_bucket_versioning",
    get="get_bucket_versioning",
    to_api=lambda p: {"VersioningConfiguration": {"Status": p["versioningConfiguration"]["status"]}},
    from_api=lambda a: {"versioningConfiguration": {"status": a.get("Status", "Disabled")}},
    reset={"VersioningConfiguration": {"Status": "Suspended"}},
)
PUBLIC_ACCESS_BLOCK = BucketSetting(
    inputs=frozenset(BLOCK_NAMES),
    put="put_public_access_block",
    get="get_public_access_block",
    to_api=lambda p: {
        "PublicAccessBlockConfiguration": {theirs: bool(p.get(ours)) for ours, theirs in BLOCK_NAMES.items()}
    },
    from_api=lambda a: _camel(a["PublicAccessBlockConfiguration"], _reversed(BLOCK_NAMES)),
    remove="delete_public_access_block",
)
OWNERSHIP = BucketSetting(
    inputs=frozenset({"rule"}),
    put="put_bucket_ownership_controls",
    get="get_bucket_ownership_controls",
    to_api=lambda p: {"OwnershipControls": {"Rules": [{"ObjectOwnership": p["rule"]["objectOwnership"]}]}},
    from_api=lambda a: {"rule": {"objectOwnership": a["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}},
    remove="delete_bucket_ownership_controls",
)
ENCRYPTION = BucketSetting(
    inputs=frozenset({"rules"}),
    put="put_bucket_encryption",
    get="get_bucket_encryption",
    to_api=lambda p: {"ServerSideEncryptionConfiguration": {"Rules": _pascal(p["rules"], ENCRYPTION_NAMES)}},
    from_api=lambda a: {
        "rules": [
            {
                name: value for name, value in rule.items() if value is not False
            }  # S3 fills in bucketKeyEnabled
            for rule in _camel(a["ServerSideEncryptionConfiguration"]["Rules"], _reversed(ENCRYPTION_NAMES))
        ]
    },
    remove="delete_bucket_encryption",
)
LIFECYCLE = BucketSetting(
    inputs=frozenset({"rules"}),
    put="put_bucket_lifecycle_configuration",
    get="get_bucket_lifecycle_configuration",
    to_api=lambda p: {"LifecycleConfiguration": {"Rules": _pascal(p["rules"], LIFECYCLE_NAMES)}},
    from_api=lambda a: {"rules": _camel(a["Rules"], _reversed(LIFECYCLE_NAMES))},
    remove="delete_bucket_lifecycle",
)
POLICY = BucketSetting(
    inputs=frozenset({"policy"}),
    put="put_bucket_policy",
    get="get_bucket_policy",
    to_api=lambda p: {"Policy": _text(p["policy"])},
    from_api=lambda a: {"policy": a["Policy"]},
    remove="delete_bucket_policy",
)


def _text(document: object) -> str:
    return document if isinstance(document, str) else json.dumps(document)


class Role:
    """`aws:iam/role:Role`."""

    properties = frozenset(
        {
            "name",
            "path",
            "description",
            "assumeRolePolicy",
            "maxSessionDuration",
            "permissionsBoundary",
            "tags",
        }
    )
    replace_on = frozenset({"name", "path"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        iam = clients.get("iam")
        optional = {
            "Description": inputs.get("description"),
            "MaxSessionDuration": int(inputs["maxSessionDuration"])
            if inputs.get("maxSessionDuration")
            else None,
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
            "Tags": _tags(inputs.get("tags")) or None,
        }
        iam.create_role(
            RoleName=inputs["name"],
            Path=inputs.get("path") or "/",
            AssumeRolePolicyDocument=_text(inputs["assumeRolePolicy"]),
            **{name: value for name, value in optional.items() if value is not None},
        )
        return inputs["name"], self._state(iam, inputs["name"], inputs)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        iam = clients.get("iam")
        try:
            role = iam.get_role(RoleName=id_)["Role"]
        except ClientError as error:
            if _gone(error):
                return None
            raise
        tags = _untagged(role.get("Tags"))
        found = {
            "name": id_,
            "path": role["Path"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "tags": tags,
        }
        return self._state(
            iam, id_, state | {name: value for name, value in found.items() if value or name in state}
        )

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        iam = clients.get("iam")
        iam.update_assume_role_policy(RoleName=id_, PolicyDocument=_text(inputs["assumeRolePolicy"]))
        iam.update_role(
            RoleName=id_,
            Description=inputs.get("description") or "",
            MaxSessionDuration=int(inputs.get("maxSessionDuration") or 3600),
        )
        if inputs.get("permissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=id_, PermissionsBoundary=inputs["permissionsBoundary"])
        elif state.get("permissionsBoundary"):
            iam.delete_role_permissions_boundary(RoleName=id_)
        dropped = sorted(set(state.get("tags") or {}) - set(inputs.get("tags") or {}))
        if dropped:
            iam.untag_role(RoleName=id_, TagKeys=dropped)
        if inputs.get("tags"):
            iam.tag_role(RoleName=id_, Tags=_tags(inputs["tags"]))
        return self._state(iam, id_, inputs)

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        try:
            clients.get("iam").delete_role(RoleName=id_)
        except ClientError as error:
            if not _gone(error):
                raise

    def _state(self, iam: Any, name: str, inputs: Properties) -> Properties:
        role = iam.get_role(RoleName=name)["Role"]
        return inputs | {
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": str(role["CreateDate"]),
            "tagsAll": inputs.get("tags") or {},
        }


class RolePolicy:
    """`aws:iam/rolePolicy:RolePolicy`: an inline policy of a role."""

    properties = frozenset({"name", "role", "policy"})
    replace_on = frozenset({"name", "role"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        return f"{inputs['role']}:{inputs['name']}", self.update(clients, "", {}, inputs)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        role, _, name = id_.partition(":")
        try:
            found = clients.get("iam").get_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if _gone(error):
                return None
            raise
        return state | {"role": role, "name": name, "policy": json.dumps(found["PolicyDocument"])}

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        clients.get("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=_text(inputs["policy"])
        )
        return dict(inputs)

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        role, _, name = id_.partition(":")
        try:
            clients.get("iam").delete_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if not _gone(error):
                raise


class ManagedPolicy:
    """`aws:iam/policy:Policy`: a permission boundary of a team's own, for one."""

    properties = frozenset({"name", "path", "description", "policy", "tags"})
    replace_on = frozenset({"name", "path", "description"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        made = clients.get("iam").create_policy(
            PolicyName=inputs["name"],
            Path=inputs.get("path") or "/",
            Description=inputs.get("description") or "",
            PolicyDocument=_text(inputs["policy"]),
            Tags=_tags(inputs.get("tags")),
        )["Policy"]
        return made["Arn"], inputs | {"arn": made["Arn"], "policyId": made["PolicyId"]}

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        iam = clients.get("iam")
        try:
            version = iam.get_policy(PolicyArn=id_)["Policy"]["DefaultVersionId"]
        except ClientError as error:
            if _gone(error):
                return None
            raise
        document = iam.get_policy_version(PolicyArn=id_, VersionId=version)["PolicyVersion"]["Document"]
        return state | {"policy": json.dumps(document)}

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        iam = clients.get("iam")
        before = iam.get_policy(PolicyArn=id_)["Policy"]["DefaultVersionId"]
        iam.create_policy_version(PolicyArn=id_, PolicyDocument=_text(inputs["policy"]), SetAsDefault=True)
        iam.delete_policy_version(PolicyArn=id_, VersionId=before)
        dropped = sorted(set(state.get("tags") or {}) - set(inputs.get("tags") or {}))
        if dropped:
            iam.untag_policy(PolicyArn=id_, TagKeys=dropped)
        if inputs.get("tags"):
            iam.tag_policy(PolicyArn=id_, Tags=_tags(inputs["tags"]))
        return {name: state[name] for name in ("arn", "policyId") if name in state} | inputs

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        try:
            clients.get("iam").delete_policy(PolicyArn=id_)
        except ClientError as error:
            if not _gone(error):
                raise


class AwsProvider:
    """The package `aws`."""

    types: Mapping[str, ResourceType] = {
        "aws:s3/bucket:Bucket": Bucket(),
        "aws:s3/bucketVersioning:BucketVersioning": VERSIONING,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": PUBLIC_ACCESS_BLOCK,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": OWNERSHIP,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ENCRYPTION,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": LIFECYCLE,
        "aws:s3/bucketPolicy:BucketPolicy": POLICY,
        "aws:iam/role:Role": Role(),
        "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
        "aws:iam/policy:Policy": ManagedPolicy(),
    }

    def configure(self, config: Properties) -> Clients:
        return Clients(config)

    def invoke(self, clients: Clients, token: str, args: Properties) -> Properties:
        if token != WHO_AM_I:
            raise UnsupportedError(f"the function {token}")
        found = clients.get("sts").get_caller_identity()
        return {
            "id": found["Account"],
            "accountId": found["Account"],
            "arn": found["Arn"],
            "userId": found["UserId"],
        }
