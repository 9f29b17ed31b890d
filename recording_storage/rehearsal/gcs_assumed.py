"""Who and what a stack's destinations on Google Cloud Storage take for granted: projects, people, what exists already.

Everything that the configuration names without making it (projects, readers, deploy service accounts, service accounts,
pools, keys, buckets) is made for the occasion, as the configuration says or needs it, and said to be unproven.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, cast

from components import gcp, gcs_policies
from components.gcs_lifecycle import lifecycle_rules, soft_delete_seconds
from recording_storage.sandbox.google.owner import NUMBER, PROJECT, Owner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.gcs_settings import GcsDestination
    from components.settings import Settings
    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.key_rings import CryptoKey
    from recording_storage.sandbox.google.stand_in import Google

PROPRIETOR, STRANGER = "proprietor@example.com", "stranger@example.org"
OTHER_ACCOUNT = "unrelated"
"""What stands before the `@` of a service account that has nothing to do with any destination."""
OTHER_BUCKET = "somebody-elses-recordings"
OTHER_ISSUERS = ("https://issuer.example.com", "https://issuer.example.org")
OTHER_PROVIDER = "somebody-elses"
ENABLED = ("cloudresourcemanager", "serviceusage", "storage")
"""What a project has enabled, as far as it matters here: what a new one has, and what the provider itself asks after it
has enabled an API. The rest is the destination's to enable.
Source: https://docs.cloud.google.com/service-usage/docs/enabled-service#default"""
OWNER, TOKEN_CREATOR = "roles/owner", "roles/iam.serviceAccountTokenCreator"
ACCOUNT_ADMIN, KEY_ADMIN = "roles/iam.serviceAccountAdmin", "roles/cloudkms.admin"
_IDENTITY = re.compile(
    r"principal://iam\.googleapis\.com/projects/(?P<number>\d+)/locations/global/workloadIdentityPools/(?P<pool>[^/]+)"
    r"/subject/(?P<subject>.+)"
)


class Assumed:
    """The world of a stack's destinations on Google Cloud Storage, before its program runs."""

    def __init__(self, settings: Settings) -> None:
        self._scope = settings.scope
        self._labels = settings.tags
        self._trust = settings.gcs_trust
        self.destinations = settings.gcs
        projects = {one.project for one in self.destinations.values()}
        is_own = len(projects) == 1 and not any(
            one.deploy_service_account for one in self.destinations.values()
        )
        project = next(iter(projects)) if is_own else PROJECT
        self.deployer = Owner(project, number(project))
        """Who deploys the stack: owns the projects that no service account deploys to. Is billed for requests in the
        one project that there is, or else in another, which has every API enabled."""
        self.proprietor = Owner(email=PROPRIETOR)
        """Who owns all of them, and deploys nothing."""
        self.other_issuer = next(one for one in OTHER_ISSUERS if one != self._trust.issuer)

    def make(self, google: Google) -> None:
        """Let everyone in, and make what exists already."""
        from recording_storage.sandbox.google import occasion, storage_occasion

        world = google.world
        for project_id, enabled in self._projects().items():
            services = {"services": [f"{api}.googleapis.com" for api in sorted(enabled)]} if enabled else {}
            found = occasion.project(world, project_id, number(project_id), **services)
            found.policy.add(OWNER, f"user:{PROPRIETOR}")
        for owner in (self.deployer, self.proprietor):
            google.admit(owner)
        for destination in self.destinations.values():
            for email in (self.other_account(destination), *_accounts(destination)):
                occasion.service_account(world, email)
            for group in (one for one in destination.readers if one.startswith("group:")):
                world.groups[group.lower()] = frozenset({f"user:{_somebody_in(group)}"})
        names = {one.kms_key_name for one in self.destinations.values() if one.kms_key_name}
        keys = {name: storage_occasion.key(google.keys, name) for name in sorted(names)}
        for name, destination in self.destinations.items():
            self._let_deploy(google, destination, keys)
            self._make_pool(google, name, destination)
            self._make_bucket(google, name, destination)

    def other_account(self, destination: GcsDestination) -> str:
        """The address of a service account of the project that isn't the destination's."""
        return f"{OTHER_ACCOUNT}@{destination.project}.iam.gserviceaccount.com"

    def other_bucket(self, google: Google, name: str, destination: GcsDestination) -> str:
        """Make a bucket of the project that has nothing to do with the destination; its name."""
        from recording_storage.sandbox.google import storage_occasion

        bucket = f"{OTHER_BUCKET}-{name}"[:63].rstrip("-")
        storage_occasion.bucket(
            google.storage, bucket, google.world.project(destination.project), location=destination.place
        )
        return bucket

    def other_provider(self, google: Google, name: str, destination: GcsDestination) -> str:
        """Make a provider of another issuer in the pool that was given; its name."""
        from recording_storage.sandbox.google import occasion

        pool = occasion.pool(google.world, destination.project, destination.names(self._scope, name).pool)
        occasion.provider(pool, OTHER_PROVIDER, self.other_issuer)
        return f"{pool.name}/providers/{OTHER_PROVIDER}"

    @property
    def stranger(self) -> Principal:
        """Somebody with a Google account, whom nobody has granted anything."""
        from recording_storage.evaluation.google import principals

        return principals.user(STRANGER)

    def reader(self, google: Google, member: str) -> Principal | None:
        """Who a reader is as somebody who asks; None for those whom nobody can be here."""
        from recording_storage.evaluation.google import principals
        from recording_storage.sandbox.google import occasion

        kind, _, who = member.partition(":")
        if not is_playable(member):
            return None
        if kind == "serviceAccount":
            return occasion.acting_as(occasion.service_account(google.world, who))
        if kind == "user":
            return principals.user(who)
        if kind == "group":
            return principals.user(_somebody_in(member))
        named = _IDENTITY.fullmatch(member)
        assert named is not None
        project = google.world.find(named["number"]) or occasion.project(
            google.world, f"project-{named['number']}", named["number"]
        )
        pool = occasion.pool(google.world, project.id, named["pool"])
        return principals.federated(pool.name, named["subject"])

    def _projects(self) -> dict[str, set[str]]:
        """The projects, and the APIs that each has enabled already; none stands for all: it's somebody else's."""
        from recording_storage.sandbox.google import occasion

        found: dict[str, set[str]] = {}
        for one in self.destinations.values():
            enabled = found.setdefault(one.project, set(ENABLED))
            enabled |= {"cloudkms"} if one.kms_key_name else set()
            enabled |= {"iamcredentials"} if one.deploy_service_account else set()
        for one in self.destinations.values():
            key = gcp.key_name(one.kms_key_name or "")
            for project_id in (*map(occasion.home, _accounts(one)), *([key.project] if key else [])):
                found.setdefault(project_id, set())
        return found

    def _let_deploy(self, google: Google, destination: GcsDestination, keys: Mapping[str, CryptoKey]) -> None:
        """Let the deployer, or the service account in its place, do what the destination takes."""
        from recording_storage.sandbox.google import occasion

        world = google.world
        project = world.project(destination.project)
        deployer = f"user:{self.deployer.email}"
        if destination.deploy_service_account:
            account = occasion.service_account(world, destination.deploy_service_account)
            account.policy.add(TOKEN_CREATOR, deployer)
            deployer = f"serviceAccount:{account.email}"
        project.policy.add(OWNER, deployer)
        if destination.service_account_email:
            occasion.service_account(world, destination.service_account_email).policy.add(
                ACCOUNT_ADMIN, deployer
            )
        if destination.kms_key_name:
            policy = keys[destination.kms_key_name].policy
            policy.add(KEY_ADMIN, deployer)
            if destination.adopt:  # a bucket couldn't have it for its key otherwise
                policy.add(gcs_policies.KEY_ROLE, f"serviceAccount:{world.storage_agent(project)}")

    def _make_pool(self, google: Google, name: str, destination: GcsDestination) -> None:
        from recording_storage.sandbox.google import occasion

        pool_id = destination.names(self._scope, name).pool
        if destination.existing_pool:
            occasion.pool(google.world, destination.project, pool_id)
        if destination.adopt_pool:
            pool = occasion.pool(
                google.world,
                destination.project,
                pool_id,
                displayName=gcs_policies.DISPLAY_NAME,
                description=gcs_policies.pool_description(name),
            )
            occasion.provider(
                pool,
                destination.provider_id,
                self._trust.issuer,
                mapping=gcs_policies.mapping(self._trust.subject_mapping),
                condition=gcs_policies.condition(destination.workspace_id),
                audiences=gcs_policies.audiences(
                    self._trust.audience,
                    list(destination.additional_audiences),
                    pool.name,
                    destination.provider_id,
                ),
                displayName=gcs_policies.DISPLAY_NAME,
            )

    def _make_bucket(self, google: Google, name: str, destination: GcsDestination) -> None:
        """Make the bucket that exists: one that is adopted is set as the configuration asks for."""
        from recording_storage.sandbox.google import storage_occasion

        if not destination.existing and not destination.adopt:
            return
        said: dict[str, Any] = {"versioning": {"enabled": True}}
        if destination.adopt:
            days, key = destination.retention_days, destination.kms_key_name
            rules = cast("list[dict[str, Any]]", lifecycle_rules(days))
            said |= {
                "softDeletePolicy": {"retentionDurationSeconds": str(soft_delete_seconds(days))},
                "lifecycle": {"rule": [_as_google_has_it(rule) for rule in rules]},
                "labels": dict(self._labels),
                **({"encryption": {"defaultKmsKeyName": key}} if key else {}),
            }
        storage_occasion.bucket(
            google.storage,
            destination.names(self._scope, name).bucket,
            google.world.project(destination.project),
            location=destination.place,
            iamConfiguration={"publicAccessPrevention": "enforced"},
            **said,
        )


def is_playable(member: str) -> bool:
    """Whether somebody here can be this principal: a workforce's members aren't known."""
    return (
        member.startswith(("user:", "group:", "serviceAccount:")) or _IDENTITY.fullmatch(member) is not None
    )


def _somebody_in(group: str) -> str:
    """The address of the one member that a group has here."""
    return f"somebody-in-{group.partition(':')[2].lower()}"


def number(project_id: str) -> str:
    """A number for a project, the same on every run."""
    if project_id == PROJECT:
        return NUMBER
    return str(10**11 + int(hashlib.sha256(project_id.encode()).hexdigest(), 16) % (9 * 10**11))


def _accounts(destination: GcsDestination) -> list[str]:
    """The addresses of the service accounts that exist."""
    readers = [one.partition(":")[2] for one in destination.readers if one.startswith("serviceAccount:")]
    given = (destination.deploy_service_account, destination.service_account_email)
    return list(dict.fromkeys([*filter(None, given), *readers]))


def _as_google_has_it(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A lifecycle rule of Pulumi's in Google's words: `with_state: LIVE` is `isLive: true` there."""
    condition = {
        "age": rule["condition"].get("age"),
        "daysSinceNoncurrentTime": rule["condition"].get("days_since_noncurrent_time"),
        "isLive": {"LIVE": True, "ARCHIVED": False}.get(rule["condition"]["with_state"]),
    }
    kept = {name: value for name, value in condition.items() if value is not None}
    return {"action": dict(rule["action"]), "condition": kept}
