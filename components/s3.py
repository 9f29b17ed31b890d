"""A destination for recordings on Amazon S3: a private, versioned bucket, and the role that writes to it.

Left out on purpose: access logging and replication (a team's own programs add them to the bucket), Object Lock
(the recording service's uploader isn't known to send the checksum it needs), and a provider (the caller hands
one over, so that several destinations share it).
"""

# No postponed annotations: Pulumi reads a component's for every instance, and would compile each anew.

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from typing_extensions import NotRequired, TypedDict

from components import adoption, contract, kms, naming
from components.destination import PROTECT
from components.handing_over import sound
from components.inputs import computed
from components.keeping import Keeping
from components.s3_bucket import BucketSettings, make_bucket
from components.s3_policies import s3_trust_policy, s3_write_policy
from components.trust import S3Overrides, effective_s3

TYPE = "recording-storage:index:S3Destination"
HOME_REGION = "us-east-1"
"""Where IAM is, in the partition `aws`."""
SESSION_NAME = "recording-storage"
"""How Pulumi's own sessions are called in the account's trail."""


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

    existing: NotRequired[bool]
    """The bucket called `bucket_name` exists and is left as it is: only the role and its policy are made. Its
    region is looked up, and must be `region`."""

    adopt: NotRequired[str]
    """The name of a bucket that exists and comes under management, by import: it and its settings must already be
    as this component sets them, as after `retain`; otherwise the import stops, and nothing is changed."""

    create_kms_key: NotRequired[bool]
    """Encrypt with a key of one's own, made for it: yearly rotation, usable by the role and the readers through S3.
    `on_destroy` covers it: without its key no recording can be read."""

    kms_key_deletion_days: NotRequired[int]
    """Days (7 to 30) between the deletion of a made key being asked for and it being done. Unset: 30."""

    kms_key_arn: NotRequired[pulumi.Input[str]]
    """The ARN of a key that exists, in the bucket's region. Its policy is not written: `kms_key_statements` is what
    its owner must add to it. Beside `existing`: the key that the bucket encrypts with."""

    tags: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Tags for everything that can carry them."""


@dataclass(frozen=True)
class _Bucket:
    """The bucket, whoever made it."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    region: pulumi.Output[str]


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
    kms_key_arn: pulumi.Output[str] | None
    """The ARN of the key that recordings are encrypted with; None where S3's own keys are used."""
    kms_key_statements: pulumi.Output[list[dict[str, Any]]] | None
    """What the owner of a given key must add to its policy; None where there is no such key."""
    recording_storage: pulumi.Output[dict[str, str]]
    """The object for `properties.recording_storage` of `POST /v2/conversations`."""
    conversation_properties: pulumi.Output[dict[str, Any]]
    """The whole `properties` of a conversation that may be recorded."""
    legacy_conversation_properties: pulumi.Output[dict[str, Any] | None]
    """The older flat form of them, or None where an external id of its own has no room in it."""

    def __init__(
        self, name: str, args: S3DestinationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        adopted = f"{args['adopt']}@{args['region']}" if "adopt" in args else None
        if adopted:
            unmanaged = pulumi.ResourceOptions(hooks=adoption.unmanaged(adopted))
            opts = pulumi.ResourceOptions.merge(opts, unmanaged)
        super().__init__(TYPE, name, {"adopt": adopted} if adopted else {}, opts)
        trust = effective_s3(args.get("trust_profile", {}))
        external_ids = (args.get("external_id", trust.external_id), *args.get("additional_external_ids", ()))
        bucket_name, role_name = self._names(name, args)
        tags = args.get("tags", {})
        keeping = Keeping(self, args.get("on_destroy", PROTECT))
        # Without a preview the engine would delete the role while it refuses to delete the bucket.
        is_kept = keeping.on_destroy == PROTECT and not args.get("existing")
        trusted = pulumi.ResourceOptions(parent=self, protect=is_kept)

        role = aws.iam.Role(
            f"{name}-role",
            name=role_name,
            path=args.get("role_path", "/"),
            description=f"Writes recordings to {name}",
            assume_role_policy=computed(
                [*external_ids, *args.get("additional_principals", ())],
                lambda known: json.dumps(
                    s3_trust_policy(trust, known[: len(external_ids)], known[len(external_ids) :])
                ),
            ),
            max_session_duration=trust.session_seconds,
            permissions_boundary=args.get("permissions_boundary"),
            tags=tags,
            opts=trusted,
        )
        key_arn = self._key(name, args, role, keeping)
        bucket = self._bucket(name, args, bucket_name, key_arn, keeping)
        write = aws.iam.RolePolicy(
            f"{name}-role-policy",
            name="write-recordings",
            role=role.name,
            policy=computed(
                [bucket.arn, args["region"], args.get("kms_key_arn")],
                lambda known: json.dumps(s3_write_policy(trust, *known)),
            ),
            opts=trusted,
        )

        self.bucket_name = bucket.name
        self.bucket_region = bucket.region
        self.bucket_arn = bucket.arn
        self.bucket_uri = bucket.name.apply("s3://{}".format)
        self.kms_key_arn = pulumi.Output.from_input(key_arn) if key_arn is not None else None
        self.kms_key_statements = self._statements(name, args, role) if "kms_key_arn" in args else None
        self.role_name = role.name
        # Handed over once the role may write: who reads the output may record at once.
        self.role_arn = write.id.apply(lambda _: role.arn)
        self.recording_storage = pulumi.Output.all(
            self.bucket_name, self.bucket_region, self.role_arn, external_ids[0]
        ).apply(lambda known: _handed_over(known, trust.external_id))
        self.conversation_properties = self.recording_storage.apply(contract.conversation_properties)
        self.legacy_conversation_properties = self.recording_storage.apply(contract.s3_legacy_properties)
        self.register_outputs(
            {
                "bucketName": self.bucket_name,
                "bucketRegion": self.bucket_region,
                "bucketArn": self.bucket_arn,
                "bucketUri": self.bucket_uri,
                "kmsKeyArn": self.kms_key_arn,
                "kmsKeyStatements": self.kms_key_statements,
                "roleArn": self.role_arn,
                "roleName": self.role_name,
                "recordingStorage": self.recording_storage,
                "conversationProperties": self.conversation_properties,
                "legacyConversationProperties": self.legacy_conversation_properties,
            }
        )

    def _account(self, args: S3DestinationArgs) -> pulumi.Input[str]:
        if "account_id" in args:
            return args["account_id"]
        return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id

    def _names(self, name: str, args: S3DestinationArgs) -> tuple[pulumi.Input[str], pulumi.Input[str]]:
        bucket = args.get("adopt") or args.get("bucket_name")
        if bucket and "role_name" in args:
            return bucket, args["role_name"]
        scope = naming.Scope(pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())
        place = (self._account(args), args["region"])
        return (
            bucket or computed(place, lambda known: naming.bucket_name(scope, name, *known)),
            args.get("role_name") or computed(place, lambda known: naming.role_name(scope, name, *known)),
        )

    def _key(
        self, name: str, args: S3DestinationArgs, role: aws.iam.Role, keeping: Keeping
    ) -> pulumi.Input[str] | None:
        if not args.get("create_kms_key"):
            return args.get("kms_key_arn")
        readers = args.get("readers", ())
        return aws.kms.Key(
            f"{name}-key",
            description=f"Encrypts the recordings of {name}",
            region=args["region"],
            enable_key_rotation=True,
            deletion_window_in_days=args.get("kms_key_deletion_days", kms.LONGEST_DELETION_DAYS),
            policy=computed(
                [self._account(args), role.arn, args["region"], *readers],
                lambda known: json.dumps(
                    kms.key_policy(known[0], kms.key_statements(name, known[1], known[3:], known[2]))
                ),
            ),
            tags=args.get("tags", {}),
            opts=keeping.options(),
        ).arn

    def _bucket(
        self,
        name: str,
        args: S3DestinationArgs,
        bucket_name: pulumi.Input[str],
        key_arn: pulumi.Input[str] | None,
        keeping: Keeping,
    ) -> _Bucket:
        if args.get("existing"):
            found = aws.s3.get_bucket_output(
                bucket=bucket_name, region=args["region"], opts=pulumi.InvokeOutputOptions(parent=self)
            )
            region = pulumi.Output.all(found.bucket, found.bucket_region, args["region"]).apply(_own_region)
            return _Bucket(found.bucket, found.arn, region)
        settings = BucketSettings(
            name=bucket_name,
            region=args["region"],
            readers=args.get("readers", ()),
            retention_days=args.get("retention_days"),
            key_arn=key_arn,
            adopted=f"{args['adopt']}@{args['region']}" if "adopt" in args else None,
            tags=args.get("tags", {}),
        )
        made = make_bucket(name, settings, keeping)
        return _Bucket(made.bucket, made.arn, made.bucket_region)

    def _statements(
        self, name: str, args: S3DestinationArgs, role: aws.iam.Role
    ) -> pulumi.Output[list[dict[str, Any]]]:
        """What the key's owner must add; said whenever the program runs, since nobody else can see to it."""

        def said(known: Sequence[str]) -> list[dict[str, Any]]:
            key, region, role_arn, *readers = known
            statements = kms.key_statements(name, role_arn, readers, region)
            pulumi.log.info(f"{name}: the policy of {key} must allow this: {json.dumps(statements)}", self)
            return statements

        needed = (args.get("kms_key_arn", ""), args["region"], role.arn, *args.get("readers", ()))
        return pulumi.Output.all(*needed).apply(said)


def _own_region(known: Sequence[str]) -> str:
    bucket, own, stated = known
    if own != stated:
        raise pulumi.RunError(f"the bucket {bucket} is in {own}, not in {stated}: write region: {own}")
    return own


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


def reached_account(provider: pulumi.ProviderResource) -> pulumi.Output[str]:
    """The account that a provider reaches, as it says."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider)).account_id


def _handed_over(known: Sequence[str], default_external_id: str) -> contract.RecordingStorage:
    """The object for the API, from bucket, region, role and external id."""
    bucket, region, role_arn, external_id = known
    return sound(contract.s3_recording_storage(bucket, region, role_arn, external_id, default_external_id))
