"""A destination for recordings on Google Cloud Storage: a private, versioned bucket, and who may write to it.

Left out on purpose: a key of its own (a key ring can never be deleted and keeps its name for ever, so a key is given),
access logging and Pub/Sub notifications (a team's own programs add them to the bucket), retention locks, and a
provider (the caller hands one over, so that several destinations share it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pulumi
import pulumi_gcp as gcp
from typing_extensions import NotRequired, TypedDict

from components import adoption, contract, naming
from components.destination import PROTECT
from components.gcs_bucket import BucketSettings, make_bucket
from components.gcs_identity import Identity, IdentitySettings, make_identity
from components.gcs_policies import OVERWRITER_ROLE, WRITER_ROLE
from components.gcs_settings import PROVIDER_ID
from components.handing_over import sound
from components.keeping import Keeping
from components.trust import GcsOverrides, effective_gcs

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPE: Final = "recording-storage:index:GcsDestination"
APIS: Final = ("iam", "iamcredentials", "sts", "storage")
"""The APIs that a recording goes through: https://docs.cloud.google.com/iam/docs/workload-identity-federation-with-other-providers"""


class GcsDestinationArgs(TypedDict):
    """What a destination on Google Cloud Storage takes; `project`, `location` and `workspace_id` are required."""

    project: pulumi.Input[str]
    """The id of the project that is deployed to, as in `acme-prod`. Changing it makes another bucket."""

    location: pulumi.Input[str]
    """Where the bucket is: a region (`europe-west1`), dual-region (`EUR4`) or multi-region (`EU`). Changing it makes
    another bucket."""

    workspace_id: pulumi.Input[str]
    """The Workspace ID of your account with Tavus, at most 127 bytes: the only subject that is let in."""

    bucket_name: NotRequired[pulumi.Input[str]]
    """The bucket's name, unique in all of Google Cloud. Unset: `<stack>-<name>-<suffix>`."""

    pool_id: NotRequired[pulumi.Input[str]]
    """The id of the workload identity pool. It stays taken for 30 days after a deletion. Unset:
    `<stack>-<name>-<suffix>`."""

    provider_id: NotRequired[str]
    """The id of the pool's provider. Unset: `recording-service`."""

    service_account_id: NotRequired[pulumi.Input[str]]
    """What stands before the `@` of the service account. Unset: `rec-<stack>-<name>-<suffix>`."""

    service_account_email: NotRequired[pulumi.Input[str]]
    """The address of a service account that exists, used instead of a made one."""

    on_destroy: NotRequired[str]
    """What becomes of the storage when the stack or the destination goes: `protect` (the default: destroying is
    refused), `retain` (the stack goes, the storage stays) or `delete` (the recordings are given up). It covers the
    bucket and the use of its key; `protect` also the trust, without which recordings would stop. What readers were
    granted goes with the stack. A changed value counts after the next `pulumi up`."""

    retention_days: NotRequired[int]
    """Days for which a recording stays readable. All its versions are gone about three days later: Google looks through
    a bucket daily, a deleted version stays for another day, and soft deletion is off. Unset: nothing expires, and what
    is deleted can be restored for seven days."""

    allow_overwrite: NotRequired[bool]
    """Let the service replace and delete objects (`roles/storage.objectUser`), so that a retry may overwrite what it
    left. Unset: it can only create them."""

    additional_audiences: NotRequired[Sequence[pulumi.Input[str]]]
    """Audiences that are accepted beside the service's own."""

    readers: NotRequired[Sequence[pulumi.Input[str]]]
    """Principals that may list and read the recordings, as in `group:players@example.com`."""

    kms_key_name: NotRequired[pulumi.Input[str]]
    """The name of a Cloud KMS key, where the bucket is, to encrypt with. Cloud Storage's agent is let use it."""

    trust_profile: NotRequired[GcsOverrides]
    """What the recording service presents, where the vendor gives another word than the trust profile."""

    existing: NotRequired[bool]
    """The bucket called `bucket_name` exists and is left as it is: only the trust is made, and the service account let
    write. Its location is looked up, and must be `location`."""

    existing_pool: NotRequired[bool]
    """The pool `pool_id` exists, and a provider is made in it. Any other provider in it that asserts the same subject
    gets in too: better leave it unset."""

    adopt: NotRequired[str]
    """The name of a bucket that exists and comes under management, by import: it must already be as this component sets
    it, as after `retain`; otherwise the import stops, and nothing is changed."""

    adopt_pool: NotRequired[str]
    """The resource name (`projects/<id>/locations/global/workloadIdentityPools/<id>`) of a pool that exists and comes
    under management with its provider, likewise: after a deletion and an undelete."""

    labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels for the bucket, the only one of these that carries any."""


class GcsDestination(pulumi.ComponentResource):
    """A private bucket for recordings and the service account as which the recording service writes to it.

    Physical names are the same on every run. Every child's logical name stays what it is, or gets an alias.
    """

    bucket_name: pulumi.Output[str]
    """The bucket's name."""
    bucket_location: pulumi.Output[str]
    """Where the bucket is, as Cloud Storage writes it (`EUROPE-WEST1`)."""
    bucket_uri: pulumi.Output[str]
    """`gs://<bucket>`."""
    project_id: pulumi.Output[str]
    """The project's id."""
    pool_name: pulumi.Output[str]
    """The pool's name: `projects/<number>/locations/global/workloadIdentityPools/<id>`."""
    workload_identity_provider: pulumi.Output[str]
    """The provider's name, with the project's number, and without `//iam.googleapis.com/`."""
    service_account_email: pulumi.Output[str]
    """The address of the service account that the recording service impersonates."""
    kms_key_name: pulumi.Output[str] | None
    """The key that recordings are encrypted with; None where Google's own keys are used."""
    recording_storage: pulumi.Output[dict[str, str]]
    """The object for `properties.recording_storage` of `POST /v2/conversations`."""
    conversation_properties: pulumi.Output[dict[str, Any]]
    """The whole `properties` of a conversation that may be recorded."""

    def __init__(
        self, name: str, args: GcsDestinationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        adopted, opts = _adopted(args, opts)
        super().__init__(TYPE, name, adopted, opts)
        project = pulumi.Output.from_input(args["project"])
        keeping = Keeping(self, args.get("on_destroy", PROTECT))
        is_kept = keeping.on_destroy == PROTECT and not args.get("existing")
        apis = {
            api: gcp.projects.Service(
                f"{name}-api-{api}",
                service=f"{api}.googleapis.com",
                project=project,
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for api in APIS
        }
        trusted = pulumi.ResourceOptions(parent=self, protect=is_kept, depends_on=list(apis.values()))
        identity = make_identity(name, self._identity(name, args), trusted)
        bucket_name, location = self._bucket(name, args, keeping, apis["storage"])
        write = self._let_write(name, args, bucket_name, identity, is_kept=is_kept)

        self.bucket_name, self.bucket_location = bucket_name, location
        self.bucket_uri = pulumi.Output.concat("gs://", bucket_name)
        self.project_id = project
        self.pool_name = identity.pool_name
        self.service_account_email = identity.email
        # Handed over once the service may write: who reads the output may record at once.
        self.workload_identity_provider = pulumi.Output.all(
            identity.provider_name, identity.ready, write.id
        ).apply(lambda known: known[0])
        self.kms_key_name = pulumi.Output.from_input(args["kms_key_name"]) if "kms_key_name" in args else None
        self.recording_storage = pulumi.Output.all(
            bucket_name, project, self.workload_identity_provider, identity.email
        ).apply(lambda known: sound(contract.gcs_recording_storage(*known)))
        self.conversation_properties = self.recording_storage.apply(contract.conversation_properties)
        self.register_outputs(
            {
                "bucketName": self.bucket_name,
                "bucketLocation": self.bucket_location,
                "bucketUri": self.bucket_uri,
                "projectId": self.project_id,
                "poolName": self.pool_name,
                "workloadIdentityProvider": self.workload_identity_provider,
                "serviceAccountEmail": self.service_account_email,
                "kmsKeyName": self.kms_key_name,
                "recordingStorage": self.recording_storage,
                "conversationProperties": self.conversation_properties,
            }
        )

    def _identity(self, name: str, args: GcsDestinationArgs) -> IdentitySettings:
        scope = naming.Scope(pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())
        place = _place(args)
        adopted = args.get("adopt_pool")
        pool_id = adopted.rpartition("/")[2] if adopted else args.get("pool_id")
        return IdentitySettings(
            project=args["project"],
            workspace_id=args["workspace_id"],
            trust=effective_gcs(args.get("trust_profile", {})),
            pool_id=pool_id or place.apply(lambda known: naming.pool_id(scope, name, *known)),
            provider_id=args.get("provider_id", PROVIDER_ID),
            service_account_id=args.get("service_account_id")
            or place.apply(lambda known: naming.service_account_id(scope, name, *known)),
            service_account_email=args.get("service_account_email"),
            additional_audiences=args.get("additional_audiences", ()),
            existing_pool=args.get("existing_pool", False),
            adopted_pool=adopted,
        )

    def _bucket(
        self, name: str, args: GcsDestinationArgs, keeping: Keeping, api: pulumi.Resource
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """The bucket's name and location, whoever made it."""
        if args.get("existing"):
            bucket_name = args.get("bucket_name", "")
            found = gcp.storage.get_bucket_output(
                name=bucket_name, opts=pulumi.InvokeOutputOptions(parent=self, depends_on=[api])
            )
            location = pulumi.Output.all(found.name, found.location, args["location"]).apply(_own_location)
            return found.name, location
        scope = naming.Scope(pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())
        settings = BucketSettings(
            name=args.get("adopt")
            or args.get("bucket_name")
            or _place(args).apply(lambda known: naming.gcs_bucket_name(scope, name, *known)),
            project=args["project"],
            location=args["location"],
            labels=args.get("labels", {}),
            readers=args.get("readers", ()),
            retention_days=args.get("retention_days"),
            key_name=args.get("kms_key_name"),
            adopted=args.get("adopt"),
        )
        bucket = make_bucket(name, settings, keeping, api)
        return bucket.name, bucket.location

    def _let_write(
        self,
        name: str,
        args: GcsDestinationArgs,
        bucket_name: pulumi.Output[str],
        identity: Identity,
        *,
        is_kept: bool,
    ) -> pulumi.CustomResource:
        """Let the service account write: nobody else, where the bucket is this destination's own."""
        role = OVERWRITER_ROLE if args.get("allow_overwrite") else WRITER_ROLE
        member = pulumi.Output.concat("serviceAccount:", identity.email)
        opts = pulumi.ResourceOptions(parent=self, protect=is_kept)
        if args.get("existing"):
            return gcp.storage.BucketIAMMember(
                f"{name}-writer", bucket=bucket_name, role=role, member=member, opts=opts
            )
        return gcp.storage.BucketIAMBinding(
            f"{name}-writer", bucket=bucket_name, role=role, members=[member], opts=opts
        )


def _adopted(
    args: GcsDestinationArgs, opts: pulumi.ResourceOptions | None
) -> tuple[dict[str, str], pulumi.ResourceOptions | None]:
    """The component's inputs, which say what it adopts, and its options, which see to it that this is what it has."""
    told: dict[str, str] = {}
    if bucket := args.get("adopt"):
        told["adopt"] = bucket
        the_same = adoption.still_the_same("adopt", bucket, {"bucketName": bucket})
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=the_same))
    if pool := args.get("adopt_pool"):
        provider = str(args.get("provider_id", PROVIDER_ID))
        told["adoptPool"] = f"{pool}/providers/{provider}"
        names = {"poolName": pool.rpartition("/")[2], "workloadIdentityProvider": provider}
        the_same = adoption.still_the_same("adopt_pool", told["adoptPool"], names)
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=the_same))
    return told, opts


def _place(args: GcsDestinationArgs) -> pulumi.Output[tuple[str, str]]:
    """Project and location, as the names are made from them."""
    return pulumi.Output.all(args["project"], args["location"]).apply(
        lambda known: (known[0], known[1].upper())
    )


def _own_location(known: Sequence[str]) -> str:
    bucket, own, stated = known
    if own.upper() != stated.upper():
        raise pulumi.RunError(f"the bucket {bucket} is in {own}, not in {stated}: write location: {own}")
    return own


def google_provider(project: str, deploy_service_account: str | None) -> gcp.Provider:
    """The provider for one project: the ambient credential, or `deploy_service_account` impersonated with it.

    Nothing is labelled beyond what the stack asks for.
    """
    words = ["gcp", project, *([deploy_service_account.partition("@")[0]] if deploy_service_account else [])]
    return gcp.Provider(
        "-".join(words),
        project=project,
        impersonate_service_account=deploy_service_account,
        add_pulumi_attribution_label=False,
    )
