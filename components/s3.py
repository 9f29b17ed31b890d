"""A destination for recordings on Amazon S3: a private, versioned bucket, and the role that writes to it.

Left out on purpose: access logging and replication (a team's own programs add them to the bucket), Object Lock
(the recording service's uploader isn't known to send the checksum it needs), and a provider (the caller hands
one over, so that several destinations share it).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws
from typing_extensions import NotRequired, TypedDict

from components import contract, naming
from components.s3_policies import s3_bucket_policy, s3_trust_policy, s3_write_policy
from components.trust import S3Overrides, effective_s3

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPE = "recording-storage:index:S3Destination"
HOME_REGION = "us-east-1"
"""Where IAM is, in the partition `aws`."""
SESSION_NAME = "recording-storage"
"""How Pulumi's own sessions are called in the account's trail."""
UNFINISHED_UPLOAD_DAYS = 7
"""Days after which the parts of an upload that never ended are dropped."""
NONCURRENT_DAYS = 1
"""Days that a version stays after another has replaced it, where a retention is set: the shortest that S3 takes.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_NoncurrentVersionExpiration.html"""
PROTECT, RETAIN, DELETE = "protect", "retain", "delete"


class S3DestinationArgs(TypedDict):
    """What an S3 destination takes; only `region` is required."""

    region: pulumi.Input[str]
    """The bucket's AWS region, as in `eu-west-1`. Partition `aws` only: the recording service can't assume a role
    of another one. Changing it makes another bucket."""

    account_id: NotRequired[pulumi.Input[str]]
    """The 12-digit account that is deployed to. It makes the default names unique; unset, the provider is asked."""

    bucket_name: NotRequired[pulumi.Input[str]]
    """The bucket's name, unique in all of AWS. Unset: `<stack>-<name>-<suffix>`."""

    role_name: NotRequired[pulumi.Input[str]]
    """The role's name, unique in its account. Unset: `recordings-<stack>-<name>-<suffix>`."""

    role_path: NotRequired[pulumi.Input[str]]
    """The role's path, as in `/vendors/`. Unset: `/`."""

    permissions_boundary: NotRequired[pulumi.Input[str]]
    """The ARN of a policy that limits what the role may ever do. It must allow the service's actions."""

    on_destroy: NotRequired[str]
    """What becomes of the storage when the stack or the destination goes: `protect` (the default: destroying is
    refused), `retain` (the stack goes, the storage stays) or `delete` (the recordings are given up). It covers
    the bucket, its versioning, encryption, access block, ownership, policy and lifecycle; `protect` also the role,
    without which recordings would stop. A changed value counts after the next `pulumi up`."""

    retention_days: NotRequired[int]
    """Days for which a recording stays readable. All its versions are gone at most three days later: S3 counts
    from the next midnight UTC, and a replaced version stays for another day. Unset: nothing expires."""

    external_id: NotRequired[pulumi.Input[str]]
    """The external id that the role asks for, and that is handed over where it isn't the service's own default.
    Unset: the default, which is the same for every customer of the service."""

    additional_external_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Further external ids that the role accepts, for a change from one to another."""

    additional_principals: NotRequired[Sequence[pulumi.Input[str]]]
    """Further principals that may assume the role, as 12-digit accounts or exact ARNs; with an external id too."""

    readers: NotRequired[Sequence[pulumi.Input[str]]]
    """ARNs of the roles that may list and read the recordings. A role in another account also needs a policy of
    its own there."""

    trust_profile: NotRequired[S3Overrides]
    """What the recording service presents, where the vendor gives another word than the trust profile."""

    tags: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Tags for everything that can carry them."""


class S3Destination(pulumi.ComponentResource):
    """A private bucket for recordings and the role through which the recording service writes to it.

    Physical names are the same on every run. Every child's logical name stays what it is, or gets an alias.
    """

    bucket_name: pulumi.Output[str]
    """The bucket's name."""
    bucket_region: pulumi.Output[str]
    """The region in which the bucket is, as the bucket says."""
    bucket_arn: pulumi.Output[str]
    """The bucket's ARN."""
    bucket_uri: pulumi.Output[str]
    """`s3://<bucket>`."""
    role_arn: pulumi.Output[str]
    """The ARN of the role that the recording service assumes."""
    role_name: pulumi.Output[str]
    """The role's name."""
    recording_storage: pulumi.Output[dict[str, str]]
    """The object for `properties.recording_storage` of `POST /v2/conversations`."""
    conversation_properties: pulumi.Output[dict[str, Any]]
    """The whole `properties` of a conversation that may be recorded."""
    legacy_conversation_properties: pulumi.Output[dict[str, Any] | None]
    """The older flat form of them, or None where an external id of its own has no room in it."""

    def __init__(
        self, name: str, args: S3DestinationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(TYPE, name, {}, opts)
        trust = effective_s3(args.get("trust_profile", {}))
        external_id = pulumi.Output.from_input(args.get("external_id", trust.external_id))
        bucket_name, role_name = self._names(name, args)
        tags = args.get("tags", {})

        bucket = self._bucket(name, args, bucket_name)
        # Without a preview the engine would delete the role while it refuses to delete the bucket.
        trusted = pulumi.ResourceOptions(parent=self, protect=args.get("on_destroy", PROTECT) == PROTECT)
        role = aws.iam.Role(
            f"{name}-role",
            name=role_name,
            path=args.get("role_path", "/"),
            description=f"Writes recordings to {name}",
            assume_role_policy=pulumi.Output.all(external_id, *args.get("additional_external_ids", ())).apply(
                lambda ids: pulumi.Output.all(*args.get("additional_principals", ())).apply(
                    lambda principals: json.dumps(s3_trust_policy(trust, ids, principals))
                )
            ),
            max_session_duration=trust.session_seconds,
            permissions_boundary=args.get("permissions_boundary"),
            tags=tags,
            opts=trusted,
        )
        write = aws.iam.RolePolicy(
            f"{name}-role-policy",
            name="write-recordings",
            role=role.name,
            policy=bucket.arn.apply(lambda arn: json.dumps(s3_write_policy(trust, arn))),
            opts=trusted,
        )

        self.bucket_name = bucket.bucket
        self.bucket_region = bucket.bucket_region
        self.bucket_arn = bucket.arn
        self.bucket_uri = pulumi.Output.concat("s3://", bucket.bucket)
        self.role_name = role.name
        # Handed over once the role may write: who reads the output may record at once.
        self.role_arn = pulumi.Output.all(role.arn, write.id).apply(lambda known: known[0])
        self.recording_storage = pulumi.Output.all(
            self.bucket_name, self.bucket_region, self.role_arn, external_id
        ).apply(lambda known: _handed_over(known, trust.external_id))
        self.conversation_properties = self.recording_storage.apply(contract.conversation_properties)
        self.legacy_conversation_properties = self.recording_storage.apply(contract.s3_legacy_properties)
        self.register_outputs(
            {
                "bucketName": self.bucket_name,
                "bucketRegion": self.bucket_region,
                "bucketArn": self.bucket_arn,
                "bucketUri": self.bucket_uri,
                "roleArn": self.role_arn,
                "roleName": self.role_name,
                "recordingStorage": self.recording_storage,
                "conversationProperties": self.conversation_properties,
                "legacyConversationProperties": self.legacy_conversation_properties,
            }
        )

    def _names(self, name: str, args: S3DestinationArgs) -> tuple[pulumi.Input[str], pulumi.Input[str]]:
        if "bucket_name" in args and "role_name" in args:
            return args["bucket_name"], args["role_name"]
        scope = naming.Scope(pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())
        account: pulumi.Output[str] = (
            pulumi.Output.from_input(args["account_id"])
            if "account_id" in args
            else aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        )
        place = pulumi.Output.all(account, args["region"])
        return (
            args.get("bucket_name") or place.apply(lambda known: naming.bucket_name(scope, name, *known)),
            args.get("role_name") or place.apply(lambda known: naming.role_name(scope, name, *known)),
        )

    def _bucket(self, name: str, args: S3DestinationArgs, bucket_name: pulumi.Input[str]) -> aws.s3.Bucket:
        """The bucket and all that protects it, one after the other.

        S3 answers 409 when two settings of a bucket are changed at once, and the policy must come after the
        access block, which judges it.
        """
        on_destroy = args.get("on_destroy", PROTECT)
        region = args["region"]

        def kept(*after: pulumi.Resource) -> pulumi.ResourceOptions:
            return pulumi.ResourceOptions(
                parent=self,
                depends_on=list(after),
                protect=on_destroy == PROTECT,
                retain_on_delete=on_destroy == RETAIN,
            )

        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket=bucket_name,
            region=region,
            force_destroy=on_destroy == DELETE,
            tags=args.get("tags", {}),
            opts=kept(),
        )
        access = aws.s3.BucketPublicAccessBlock(
            f"{name}-public-access-block",
            bucket=bucket.bucket,
            region=region,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=kept(),
        )
        ownership = aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.bucket,
            region=region,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=kept(access),
        )
        policy = aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.bucket,
            region=region,
            policy=pulumi.Output.all(bucket.arn, *args.get("readers", ())).apply(
                lambda known: json.dumps(s3_bucket_policy(known[0], known[1:]))
            ),
            opts=kept(ownership),
        )
        versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.bucket,
            region=region,
            versioning_configuration={"status": "Enabled"},
            opts=kept(policy),
        )
        encryption = aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            region=region,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=kept(versioning),
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.bucket,
            region=region,
            rules=lifecycle_rules(args.get("retention_days")),
            opts=kept(encryption),
        )
        return bucket


def aws_provider(account: str | None, deploy_role: str | None) -> aws.Provider:
    """The provider for one account: the ambient credential, or `deploy_role` assumed with it.

    Refuses any account but `account`, where one is given. The provider's own region is fixed, because every
    regional resource names its region itself, and IAM has only one; so no destination's region can move another's.
    """
    words = ["aws", account or "default", *([deploy_role.rpartition("/")[2]] if deploy_role else [])]
    return aws.Provider(
        "-".join(words),
        region=HOME_REGION,
        allowed_account_ids=[account] if account else None,
        # Not as a dict: a provider's settings become JSON, in which a dict's keys would stay as they are written.
        assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=deploy_role, session_name=SESSION_NAME)]
        if deploy_role
        else None,
    )


def lifecycle_rules(retention_days: int | None) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    """The bucket's lifecycle: unfinished uploads always go; with a retention, recordings and all that is left of them.

    A delete marker whose versions are gone needs a rule without days of its own. Source:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html
    """
    everything: aws.s3.BucketLifecycleConfigurationRuleFilterArgsDict = {"prefix": ""}
    rules: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": "drop-unfinished-uploads",
            "status": "Enabled",
            "filter": everything,
            "abort_incomplete_multipart_upload": {"days_after_initiation": UNFINISHED_UPLOAD_DAYS},
        }
    ]
    if retention_days is None:
        return rules
    expiring: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": "expire-recordings",
            "status": "Enabled",
            "filter": everything,
            "expiration": {"days": retention_days},
            "noncurrent_version_expiration": {"noncurrent_days": NONCURRENT_DAYS},
        },
        {
            "id": "expire-delete-markers",
            "status": "Enabled",
            "filter": everything,
            "expiration": {"expired_object_delete_marker": True},
        },
    ]
    return rules + expiring


def _handed_over(known: Sequence[str], default_external_id: str) -> contract.RecordingStorage:
    """The object for the API, from bucket, region, role and external id; never one that breaks the contract."""
    bucket, region, role_arn, external_id = known
    recording_storage = contract.s3_recording_storage(
        bucket, region, role_arn, external_id, default_external_id
    )
    faults = contract.validate(recording_storage)
    if faults:
        raise pulumi.RunError(
            "\n".join(["recording_storage breaks the contract:", *(f.render() for f in faults)])
        )
    return recording_storage
