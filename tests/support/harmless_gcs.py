"""Differences of a destination on Google Cloud Storage that do no harm: nothing may fail, nothing be left undecided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from recording_storage.sandbox.google import occasion
from tests.support.broken_gcs import ELSEWHERE, ISSUER
from tests.support.catalogue import Variation
from tests.support.gcs_owner import CREATOR, SOMEBODY, TRUST, Owner, both

if TYPE_CHECKING:
    from collections.abc import Callable


def _condition(name: str, condition: str) -> Variation[Owner]:
    return Variation(name, lambda o: o.set_condition(condition))


def _by_attribute(owner: Owner) -> Callable[[], object]:
    """The trust is for an attribute that only this workspace's tokens have."""
    mapped = owner.set_mapping(workspace="assertion.sub")
    member = f"principalSet://iam.googleapis.com/{owner.pool}/attribute.workspace/w-acme"
    return both(mapped, owner.rebind(owner.on_account, TRUST, {"role": TRUST, "members": [member]}))


def _custom(
    owner: Owner, id_: str, permission: str, url: str, replaced: str, member: str
) -> Callable[[], object]:
    """A custom role in place of one of Google's."""
    made = owner.add_role(id_, permission)
    role = f"projects/{owner.project}/roles/{id_}"
    return both(made, owner.rebind(url, replaced, {"role": role, "members": [member]}))


def _in_project(owner: Owner) -> Callable[[], object]:
    """The right to write is granted in the project, for this bucket alone."""
    begins = f'resource.name.startsWith("projects/_/buckets/{owner.bucket}/")'
    granted = owner.bind(owner.on_project, CREATOR, owner.member, condition=begins)
    return both(granted, owner.unbind(owner.on_bucket, CREATOR))


def _own_keys(owner: Owner) -> Callable[[], object]:
    """The issuer's own keys, uploaded."""
    keys = owner.live.sandbox.issuers.add(ISSUER).keys
    return owner.set_provider(oidc={"jwksJson": json.dumps(keys)})


def _deleted_provider(owner: Owner) -> Callable[[], object]:
    owner.add_provider("formerly", ELSEWHERE)()
    return lambda: None


def _others_key(owner: Owner) -> Callable[[], object]:
    """Another service account of the project has a key."""
    email = occasion.service_account(
        owner.live.sandbox.google.world, f"unrelated@{owner.project}.iam.gserviceaccount.com"
    ).email
    return owner.add_key(account=f"projects/{owner.project}/serviceAccounts/{email}")


def _deny_others(owner: Owner) -> Callable[[], object]:
    """A deny policy that isn't about the service account."""
    project = owner.google_project
    occasion.deny(
        project,
        "no-deletion",
        {
            "deniedPrincipals": ["principalSet://goog/public:all"],
            "deniedPermissions": ["storage.googleapis.com/objects.delete"],
        },
    )
    return lambda: occasion.allow_again(project, "no-deletion")


VARIATIONS: Final[tuple[Variation[Owner], ...]] = (
    _condition("condition on the claim itself", 'assertion.sub == "w-acme"'),
    _condition("condition with its sides exchanged", "'w-acme' == google.subject"),
    _condition("condition on a list of one", 'google.subject in ["w-acme"]'),
    _condition("condition on the issuer too", f'assertion.iss == "{ISSUER}" && google.subject == "w-acme"'),
    _condition("condition with a whole pattern", 'google.subject.matches("^w-acme$")'),
    _condition("condition with a choice", 'google.subject == "w-acme" ? true : false'),
    _condition(
        "condition on a claim that makes no difference",
        'google.subject == "w-acme" && (assertion.tenant == "acme" || assertion.sub.size() == 6)',
    ),
    Variation("more attributes mapped", lambda o: o.set_mapping(issuer="assertion.iss", who="assertion.sub")),
    Variation("trust by an attribute", _by_attribute),
    Variation(
        "audiences listed that are accepted anyway",
        lambda o: o.set_provider(
            oidc={
                "allowedAudiences": [
                    f"//iam.googleapis.com/{o.provider}",
                    f"https://iam.googleapis.com/{o.provider}",
                ]
            }
        ),
    ),
    Variation("display name", lambda o: o.set_provider(displayName="Recordings, since 2026")),
    Variation("the issuer's own keys uploaded", _own_keys),
    Variation("disabled second provider", lambda o: o.add_provider("resting", ELSEWHERE, disabled=True)),
    Variation("deleted second provider", _deleted_provider),
    Variation(
        "second provider of the service's",
        lambda o: o.add_provider("successor", ISSUER, 'google.subject == "w-acme"'),
    ),
    Variation(
        "second provider for others",
        lambda o: o.add_provider(
            "others", ELSEWHERE, attributeMapping={"google.subject": '"others::" + assertion.sub'}
        ),
    ),
    Variation(
        "custom role that creates",
        lambda o: _custom(o, "writer", "storage.objects.create", o.on_bucket, CREATOR, o.member),
    ),
    Variation(
        "custom role that gives tokens",
        lambda o: _custom(o, "actor", "iam.serviceAccounts.getAccessToken", o.on_account, TRUST, o.subject),
    ),
    Variation("right to write granted in the project, for this bucket", _in_project),
    Variation(
        "right to write with a condition that holds",
        lambda o: o.rebind(
            o.on_bucket,
            CREATOR,
            {
                "role": CREATOR,
                "members": [o.member],
                "condition": {
                    "title": "objects",
                    "expression": 'resource.type == "storage.googleapis.com/Object"',
                },
            },
        ),
    ),
    Variation("another writer", lambda o: o.bind(o.on_bucket, CREATOR, SOMEBODY)),
    Variation("reader", lambda o: o.bind(o.on_bucket, "roles/storage.objectViewer", SOMEBODY)),
    Variation(
        "somebody who looks at the service account",
        lambda o: o.bind(o.on_account, "roles/iam.serviceAccountViewer", SOMEBODY),
    ),
    Variation(
        "somebody whose right has ended",
        lambda o: o.bind(
            o.on_account,
            "roles/iam.serviceAccountTokenCreator",
            SOMEBODY,
            condition='request.time < timestamp("2020-01-01T00:00:00Z")',
        ),
    ),
    Variation("another owner of the project", lambda o: o.bind(o.on_project, "roles/owner", SOMEBODY)),
    Variation("key of another service account", _others_key),
    Variation("deny policy about something else", _deny_others),
    Variation("labels", lambda o: o.set_bucket(labels={"team": "voice", "cost-centre": "7"})),
    Variation(
        "live and old recordings expire",
        lambda o: o.set_bucket(
            lifecycle={
                "rule": [
                    {"action": {"type": "Delete"}, "condition": {"age": 30, "isLive": True}},
                    {"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": 3}},
                ]
            }
        ),
    ),
    Variation(
        "everything expires by one rule",
        lambda o: o.set_bucket(
            lifecycle={"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]}
        ),
    ),
    Variation("no versions", lambda o: o.set_bucket(versioning={"enabled": False})),
    Variation("Policy Troubleshooter off", lambda o: o.switch_off("policytroubleshooter")),
)
