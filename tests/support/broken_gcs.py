"""Every way in which a destination on Google Cloud Storage can be broken, one at a time, and what `verify` must say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from recording_storage.sandbox.google import occasion
from recording_storage.sandbox.issuer import Issuer
from tests.support.catalogue import Mutation
from tests.support.gcs_owner import CREATOR, KEY_ROLE, SOMEBODY, TRUST, Owner, both

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER = "https://recording-copy.tavus.io"
ELSEWHERE = "https://issuer.example.com"
OF_THE_PROVIDER = frozenset({"G3", "G4", "G10"})
OF_IAM = frozenset({"G2", "G3", "G4", "G5", "G6", "G7", "G10", "G11", "G12", "G13"})
OF_THE_BUCKET = frozenset({"G13", "G14", "G15", "G16"})
PAST, SOON = "2020-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
OTHER_PROJECT = "acme-dev"


def _elsewhere(owner: Owner) -> Callable[[], object]:
    """Hand over a project of the owner's where the bucket isn't."""
    world = owner.live.sandbox.google.world
    project = occasion.project(world, OTHER_PROJECT, "444455556666")
    if not project.policy.bindings:
        project.policy.add("roles/owner", "user:owner@example.com")
    return owner.hand_over(project_id=OTHER_PROJECT)


def _denied(owner: Owner) -> Callable[[], object]:
    """A deny policy, which somebody with an organisation's rights has attached to the project."""
    project = owner.google_project
    principal = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{owner.email}"
    occasion.deny(
        project,
        "no-writers",
        {"deniedPrincipals": [principal], "deniedPermissions": ["storage.googleapis.com/objects.create"]},
    )
    return lambda: occasion.allow_again(project, "no-writers")


def _keys(owner: Owner, *, with_own: bool) -> Callable[[], object]:
    """Upload another's keys, in place of the issuer's or beside them."""
    issuers = owner.live.sandbox.issuers
    keys: list[Any] = [
        *Issuer(ELSEWHERE).keys["keys"],
        *(issuers.add(ISSUER).keys["keys"] if with_own else []),
    ]
    return owner.set_provider(oidc={"jwksJson": json.dumps({"keys": keys})})


def _public(owner: Owner) -> Callable[[], object]:
    opened = owner.set_bucket(iamConfiguration={"publicAccessPrevention": "inherited"})
    return both(opened, owner.bind(owner.on_bucket, "roles/storage.objectViewer", "allUsers"))


def _only_encrypts(owner: Owner) -> Callable[[], object]:
    def change(found: list[dict[str, object]]) -> list[dict[str, object]]:
        return [
            one | {"role": "roles/cloudkms.cryptoKeyEncrypter"} if one["role"] == KEY_ROLE else one
            for one in found
        ]

    return owner.change_policy(owner.on_key, change)


def fails(*ids: str) -> frozenset[str]:
    return frozenset(ids)


def _condition(name: str, condition: str, *, records: bool = False) -> Mutation[Owner]:
    return Mutation(name, lambda o: o.set_condition(condition), fails=fails("G4"), records=records)


def _beside(name: str, role: str, member: Callable[[Owner], str]) -> Mutation[Owner]:
    """Somebody else is let in by the service account's policy."""
    return Mutation(name, lambda o: o.bind(o.on_account, role, member(o)), fails=fails("G5"), records=True)


MUTATIONS: Final[tuple[Mutation[Owner], ...]] = (
    # G1
    Mutation(
        "project id instead of its number",
        lambda o: o.hand_over(
            workload_identity_provider=f"projects/{o.project}/{o.provider.split('/', 2)[2]}"
        ),
        fails=fails("G1"),
    ),
    Mutation(
        "prefix in front of the provider",
        lambda o: o.hand_over(workload_identity_provider=f"//iam.googleapis.com/{o.provider}"),
        fails=fails("G1"),
    ),
    Mutation(
        "pool instead of provider",
        lambda o: o.hand_over(workload_identity_provider=o.pool),
        fails=fails("G1"),
        unknown=OF_THE_PROVIDER | {"G2", "G7", "G11"},
    ),
    # G2, G7
    Mutation("pool disabled", lambda o: o.set_pool(disabled=True), fails=fails("G2")),
    Mutation("provider disabled", lambda o: o.set_provider(disabled=True), fails=fails("G2")),
    Mutation("pool deleted", lambda o: o.delete(o.pool), fails=fails("G2", "G7")),
    Mutation("provider deleted", lambda o: o.delete(o.provider), fails=fails("G2", "G7")),
    Mutation(
        "provider that isn't there",
        lambda o: o.hand_over(workload_identity_provider=f"{o.pool}/providers/nobodys"),
        fails=fails("G2"),
        unknown=OF_THE_PROVIDER | {"G11"},
    ),
    Mutation(
        "pool that isn't there",
        lambda o: o.hand_over(workload_identity_provider=o.provider.replace("/acme-", "/emca-")),
        fails=fails("G2"),
        unknown=OF_THE_PROVIDER | {"G5", "G7", "G11"},
    ),
    # G3
    Mutation(
        "another audience alone",
        lambda o: o.set_provider(oidc={"allowedAudiences": ["https://recordings.example.com"]}),
        fails=fails("G3"),
    ),
    Mutation(
        "the provider's name with https: alone",
        lambda o: o.set_provider(oidc={"allowedAudiences": [f"https://iam.googleapis.com/{o.provider}"]}),
        fails=fails("G3"),
    ),
    Mutation(
        "another audience beside",
        lambda o: o.set_provider(
            oidc={
                "allowedAudiences": [f"//iam.googleapis.com/{o.provider}", "https://recordings.example.com"]
            }
        ),
        warns=fails("G3"),
        records=True,
    ),
    # G4
    _condition("no condition", "", records=True),
    _condition("condition for another workspace", 'google.subject == "w-other"'),
    _condition("condition in another case", 'google.subject == "W-Acme"'),
    _condition("condition without case", 'google.subject.lowerAscii() == "w-acme"', records=True),
    _condition("condition on a prefix", 'google.subject.startsWith("w-")', records=True),
    _condition("condition on a suffix", 'google.subject.endsWith("acme")', records=True),
    _condition("condition on a part", 'google.subject.contains("acme")', records=True),
    _condition("condition with an open pattern", 'google.subject.matches("w-acme")', records=True),
    _condition("condition for two workspaces", 'google.subject in ["w-acme", "w-other"]', records=True),
    _condition("condition on the issuer alone", f'assertion.iss == "{ISSUER}"', records=True),
    _condition("condition that is always true", "true || google.subject == 'w-acme'", records=True),
    Mutation(
        "condition on a claim that nobody knows",
        lambda o: o.set_condition('google.subject == "w-acme" && assertion.tenant == "acme"'),
        unknown=fails("G4"),
    ),
    Mutation("another claim mapped", lambda o: o.set_mapping("assertion.aud"), fails=fails("G4")),
    Mutation(
        "everybody mapped to one subject",
        lambda o: o.set_mapping("'w-acme'"),
        fails=fails("G4"),
        records=True,
    ),
    # G5
    Mutation("trust missing", lambda o: o.unbind(o.on_account, TRUST), fails=fails("G5")),
    Mutation(
        "trust for another workspace",
        lambda o: o.rebind(
            o.on_account, TRUST, {"role": TRUST, "members": [o.subject.replace("w-acme", "w-other")]}
        ),
        fails=fails("G5"),
    ),
    Mutation(
        "trust that has ended",
        lambda o: o.rebind(
            o.on_account,
            TRUST,
            {
                "role": TRUST,
                "members": [o.subject],
                "condition": {"title": "t", "expression": f'request.time < timestamp("{PAST}")'},
            },
        ),
        fails=fails("G5"),
    ),
    Mutation(
        "a role that gives no token",
        lambda o: o.rebind(
            o.on_account,
            TRUST,
            {"role": "roles/iam.serviceAccountOpenIdTokenCreator", "members": [o.subject]},
        ),
        fails=fails("G5"),
    ),
    _beside(
        "trust for the whole pool",
        TRUST,
        lambda o: f"principalSet://iam.googleapis.com/{o.pool}/*",
    ),
    _beside("trust for another workspace too", TRUST, lambda o: o.subject.replace("w-acme", "w-other")),
    _beside("trust for another pool", TRUST, lambda o: o.subject.replace("/acme-", "/emca-")),
    _beside("trust for everybody", TRUST, lambda _: "allUsers"),
    _beside("a person who makes tokens", "roles/iam.serviceAccountTokenCreator", lambda _: SOMEBODY),
    _beside("a person who may run things as it", "roles/iam.serviceAccountUser", lambda _: SOMEBODY),
    Mutation(
        "trust for the pool in the whole project",
        lambda o: o.bind(o.on_project, TRUST, f"principalSet://iam.googleapis.com/{o.pool}/*"),
        fails=fails("G5"),
        records=True,
    ),
    Mutation(
        "trust in the whole project",
        lambda o: o.bind(o.on_project, TRUST, o.subject),
        fails=fails("G5"),
        records=True,
    ),
    Mutation(
        "a person who makes tokens in the whole project",
        lambda o: o.bind(o.on_project, "roles/iam.serviceAccountTokenCreator", SOMEBODY),
        warns=fails("G5"),
        records=True,
    ),
    # G6
    Mutation("service account disabled", Owner.disable_account, fails=fails("G6")),
    Mutation(
        "service account deleted",
        Owner.delete_account,
        fails=fails("G6"),
        unknown=fails("G5", "G12", "G13"),
    ),
    Mutation("writer's role missing", lambda o: o.unbind(o.on_bucket, CREATOR), fails=fails("G6")),
    Mutation(
        "a role that only reads",
        lambda o: o.rebind(
            o.on_bucket, CREATOR, {"role": "roles/storage.objectViewer", "members": [o.member]}
        ),
        fails=fails("G6"),
        warns=fails("G13"),
    ),
    Mutation(
        "writing under a prefix only",
        lambda o: o.rebind(
            o.on_bucket,
            CREATOR,
            {
                "role": CREATOR,
                "members": [o.member],
                "condition": {
                    "title": "prefix",
                    "expression": f'resource.name.startsWith("projects/_/buckets/{o.bucket}/objects/calls/")',
                },
            },
        ),
        fails=fails("G6"),
    ),
    Mutation(
        "writing until next year only",
        lambda o: o.rebind(
            o.on_bucket,
            CREATOR,
            {
                "role": CREATOR,
                "members": [o.member],
                "condition": {"title": "t", "expression": f'request.time < timestamp("{SOON}")'},
            },
        ),
        warns=fails("G6"),
        records=True,
    ),
    Mutation("deny policy", _denied, fails=fails("G6")),
    Mutation(
        "bucket that isn't there",
        lambda o: o.hand_over(bucket_name=f"not-{o.bucket}"),
        fails=fails("G6"),
        unknown=OF_THE_BUCKET,
    ),
    Mutation("another project", _elsewhere, fails=fails("G6"), records=True),
    # G9
    Mutation("sts off", lambda o: o.switch_off("sts"), fails=fails("G9")),
    Mutation("iamcredentials off", lambda o: o.switch_off("iamcredentials"), fails=fails("G9")),
    Mutation(
        "storage off", lambda o: o.switch_off("storage"), fails=fails("G9"), unknown=OF_THE_BUCKET | {"G6"}
    ),
    Mutation("iam off", lambda o: o.switch_off("iam"), fails=fails("G9"), unknown=OF_IAM, records=True),
    # G10
    Mutation(
        "issuer with a slash at its end",
        lambda o: o.set_provider(oidc={"issuerUri": ISSUER + "/"}),
        fails=fails("G10"),
    ),
    Mutation("another issuer", lambda o: o.set_provider(oidc={"issuerUri": ELSEWHERE}), fails=fails("G10")),
    Mutation("somebody else's keys uploaded", lambda o: _keys(o, with_own=False), fails=fails("G10")),
    Mutation(
        "somebody else's keys beside the issuer's",
        lambda o: _keys(o, with_own=True),
        warns=fails("G10"),
        records=True,
    ),
    # G11
    Mutation(
        "another provider in the pool",
        lambda o: o.add_provider("everybodys", ELSEWHERE),
        fails=fails("G11"),
        records=True,
    ),
    Mutation(
        "another provider with a condition on who runs it",
        lambda o: o.add_provider("pipelines", ELSEWHERE, 'assertion.repository_owner == "acme"'),
        fails=fails("G11"),
        records=True,
    ),
    # G12
    Mutation("key of the service account", Owner.add_key, fails=fails("G12"), records=True),
    Mutation("disabled key", lambda o: o.add_key(disabled=True), warns=fails("G12"), records=True),
    # G13
    Mutation(
        "administers the bucket's objects",
        lambda o: o.bind(o.on_bucket, "roles/storage.objectAdmin", o.member),
        fails=fails("G13"),
        records=True,
    ),
    Mutation(
        "replaces and deletes recordings",
        lambda o: o.bind(o.on_bucket, "roles/storage.objectUser", o.member),
        warns=fails("G13"),
        records=True,
    ),
    Mutation(
        "writes to every bucket",
        lambda o: o.bind(o.on_project, CREATOR, o.member),
        fails=fails("G13"),
        records=True,
    ),
    Mutation(
        "edits the project",
        lambda o: o.bind(o.on_project, "roles/editor", o.member),
        fails=fails("G13"),
        records=True,
    ),
    Mutation(
        "changes who may do what",
        lambda o: o.bind(o.on_project, "roles/resourcemanager.projectIamAdmin", o.member),
        fails=fails("G13"),
        records=True,
    ),
    Mutation(
        "a role in the project that has nothing to do with storage",
        lambda o: o.bind(o.on_project, "roles/cloudkms.viewer", o.member),
        warns=fails("G13"),
        records=True,
    ),
    # G14
    Mutation("public", _public, fails=fails("G14"), records=True),
    Mutation(
        "public access not prevented",
        lambda o: o.set_bucket(iamConfiguration={"publicAccessPrevention": "inherited"}),
        warns=fails("G14"),
        records=True,
    ),
    Mutation(
        "access control lists",
        lambda o: o.set_bucket(iamConfiguration={"uniformBucketLevelAccess": {"enabled": False}}),
        warns=fails("G14"),
        records=True,
    ),
    # G15
    Mutation("key disabled", lambda o: o.set_version("DISABLED"), fails=fails("G15")),
    Mutation("key about to be destroyed", Owner.destroy_version, fails=fails("G15")),
    Mutation("agent may not use the key", lambda o: o.unbind(o.on_key, KEY_ROLE), fails=fails("G15")),
    Mutation("agent may only encrypt", _only_encrypts, fails=fails("G15")),
    Mutation("no key", lambda o: o.set_bucket(encryption=None), fails=fails("G15"), records=True),
    Mutation("Cloud KMS off", lambda o: o.switch_off("cloudkms"), fails=fails("G15")),
    # G16
    Mutation(
        "only live recordings expire",
        lambda o: o.set_bucket(
            lifecycle={"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30, "isLive": True}}]}
        ),
        warns=fails("G16"),
        records=True,
    ),
)
