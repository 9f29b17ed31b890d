"""S3 resources: a bucket, and its settings, each a resource of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from recording_storage.resources import Properties, UnsupportedError, finishing
from recording_storage.resources.aws.clients import HOME_REGION, Clients, Regional, gone, tags, text, untagged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Bucket(Regional):
    """`aws:s3/bucket:Bucket`."""

    properties = frozenset({"bucket", "region", "forceDestroy", "tags"})
    replace_on = frozenset({"bucket", "region"})
    names = frozenset({"bucket"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        name, region = inputs["bucket"], inputs.get("region") or clients.region
        s3 = clients.get("s3", region)
        placed: dict[str, Any] = (
            {} if region == HOME_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        s3.create_bucket(Bucket=name, **placed)
        with finishing(name):
            self._tag(s3, name, inputs)
        return name, self._state(inputs, name, region)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        region = state.get("region") or clients.region
        s3 = clients.get("s3", region)
        try:
            s3.head_bucket(Bucket=id_)
        except ClientError as error:
            if gone(error):
                return None
            raise
        try:
            tags = untagged(s3.get_bucket_tagging(Bucket=id_)["TagSet"])
        except ClientError as error:
            if not gone(error):
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
            if not gone(error):
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
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags(inputs["tags"])})
        elif before:
            s3.delete_bucket_tagging(Bucket=name)

    def _empty(self, s3: Any, name: str) -> None:
        """As the provider does: unfinished uploads go with the bucket."""
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=name, Key=found["Key"], VersionId=found["VersionId"])


def get_bucket(clients: Clients, args: Properties) -> Properties:
    """Look up a bucket that exists: `aws:s3/getBucket:getBucket`."""
    name = str(args["bucket"])
    try:
        found = clients.get("s3", args.get("region")).head_bucket(Bucket=name)
    except ClientError as error:
        if gone(error):
            raise ValueError(f"there is no bucket {name}") from None
        raise
    region = found["BucketRegion"]
    return {
        "id": name,
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "region": args.get("region") or clients.region,
        "bucketRegion": region,
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
    }


@dataclass(frozen=True)
class BucketSetting(Regional):
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
    names = frozenset({"bucket"})

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
            if gone(error):
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
            if not gone(error):
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
    to_api=lambda p: {"Policy": text(p["policy"])},
    from_api=lambda a: {"policy": a["Policy"]},
    remove="delete_bucket_policy",
)
