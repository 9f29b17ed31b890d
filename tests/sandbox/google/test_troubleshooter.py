"""Deny policies, and the Policy Troubleshooter, which knows them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import unique

from recording_storage.evaluation.google.principals import service_account
from recording_storage.sandbox.google import occasion, storage_occasion

if TYPE_CHECKING:
    from collections.abc import Generator

    from google_cloud import Cloud

    from recording_storage.sandbox.google.world import ServiceAccount

URL = "https://policytroubleshooter.googleapis.com/v3/iam:troubleshoot"
CREATE = "storage.objects.create"
OWNER = "user:owner@example.com"
REVIEWER = "roles/iam.denyReviewer"


@contextmanager
def given(cloud: Cloud, role: str, member: str) -> Generator[None]:
    cloud.project.policy.add(role, member)
    yield
    cloud.project.policy.bindings = [one for one in cloud.project.policy.bindings if one["role"] != role]


@contextmanager
def denied(cloud: Cloud, principal: str, permission: str, **more: Any) -> Generator[None]:
    rule = {"deniedPrincipals": [principal], "deniedPermissions": [permission], **more}
    occasion.deny(cloud.project, "no", rule)
    yield
    occasion.allow_again(cloud.project, "no")


def bucket(cloud: Cloud, writer: ServiceAccount | None = None, condition: str = "") -> str:
    name = unique("recordings-for-troubles")
    binding: dict[str, Any] = {"role": "roles/storage.objectCreator", "members": []}
    if writer is not None:
        binding["members"] = [f"serviceAccount:{writer.email}"]
    if condition:
        binding["condition"] = {"title": "t", "expression": condition}
    storage_occasion.bucket(cloud.google.storage, name, cloud.project, location="EU", bindings=[binding])
    return name


def ask(cloud: Cloud, account: ServiceAccount, name: str, token: str | None = None, **more: Any) -> Any:
    asked = {
        "principal": account.email,
        "fullResourceName": f"//storage.googleapis.com/projects/_/buckets/{name}",
        "permission": CREATE,
        **more,
    }
    return cloud.call("POST", URL, {"accessTuple": asked}, token).said


def test_what_policies_grant_is_told(cloud: Cloud) -> None:
    account = cloud.service_account()
    mine, others = bucket(cloud, account), bucket(cloud)
    with given(cloud, REVIEWER, OWNER):
        said = ask(cloud, account, mine)
        assert said["overallAccessState"] == "CAN_ACCESS"
        assert said["allowPolicyExplanation"] == {"allowAccessState": "ALLOW_ACCESS_STATE_GRANTED"}
        assert ask(cloud, account, others)["overallAccessState"] == "CANNOT_ACCESS"


def test_a_deny_policy_denies_and_is_told(cloud: Cloud) -> None:
    account = cloud.service_account()
    name = bucket(cloud, account)
    principal = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{account.email}"
    cloud.google.world.service_account(account.email)
    who = service_account(account.email, account.unique_id)
    place = cloud.google.storage.buckets.find(name)
    with given(cloud, REVIEWER, OWNER), denied(cloud, principal, "storage.googleapis.com/objects.create"):
        said = ask(cloud, account, name)
        assert said["overallAccessState"] == "CANNOT_ACCESS"
        assert said["denyPolicyExplanation"]["denyAccessState"] == "DENY_ACCESS_STATE_DENIED"
        assert not cloud.google.access.allowed(who, CREATE, place)
    assert cloud.google.access.allowed(who, CREATE, place)


def test_who_may_not_see_a_policy_is_told_that_it_is_unknown(cloud: Cloud) -> None:
    account = cloud.service_account()
    name = bucket(cloud, account)
    said = ask(cloud, account, name)
    assert said["overallAccessState"] == "UNKNOWN_INFO"
    assert said["denyPolicyExplanation"]["denyAccessState"] == "DENY_ACCESS_STATE_UNKNOWN_INFO"
    said = ask(cloud, account, name, cloud.stranger.access_token)
    assert said["allowPolicyExplanation"] == {"allowAccessState": "ALLOW_ACCESS_STATE_UNKNOWN_INFO"}


def test_a_condition_is_judged_for_what_the_request_says(cloud: Cloud) -> None:
    account = cloud.service_account()
    name = unique("recordings-for-troubles")
    begins = f'resource.name.startsWith("projects/_/buckets/{name}/objects/calls/")'
    binding = {
        "role": "roles/storage.objectCreator",
        "members": [f"serviceAccount:{account.email}"],
        "condition": {"title": "t", "expression": begins},
    }
    storage_occasion.bucket(cloud.google.storage, name, cloud.project, location="EU", bindings=[binding])
    with given(cloud, REVIEWER, OWNER):
        for path, state in (("calls/1", "CAN_ACCESS"), ("1", "CANNOT_ACCESS")):
            resource = {
                "service": "storage.googleapis.com",
                "type": "storage.googleapis.com/Object",
                "name": f"projects/_/buckets/{name}/objects/{path}",
            }
            said = ask(cloud, account, name, conditionContext={"resource": resource})
            assert said["overallAccessState"] == state


def test_it_must_be_enabled_and_asked_whole(cloud: Cloud) -> None:
    account = cloud.service_account()
    with cloud.refused("access_tuple"):
        assert cloud.call("POST", URL, {"accessTuple": {"principal": account.email}}).status == 400
    with cloud.without("policytroubleshooter.googleapis.com"), cloud.refused("isn't enabled"):
        headers = {"x-goog-user-project": cloud.project.id}
        assert cloud.call("POST", URL, {}, headers=headers).status == 403
    with cloud.undecided("the resource"):
        ask(cloud, account, "x", fullResourceName="//pubsub.googleapis.com/projects/p/topics/t")


def test_deny_policies_are_listed_without_their_rules(cloud: Cloud) -> None:
    place = (
        "https://iam.googleapis.com/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme-prod"
    )
    with denied(cloud, "principalSet://goog/public:all", "storage.googleapis.com/objects.delete"):
        with cloud.refused("iam.denypolicies.list"):
            assert cloud.call("GET", f"{place}/denypolicies").status == 403
        with given(cloud, REVIEWER, OWNER):
            (listed,) = cloud.call("GET", f"{place}/denypolicies").said["policies"]
            assert "rules" not in listed
            found = cloud.call("GET", f"{place}/denypolicies/no").said
            assert found["rules"][0]["denyRule"]["deniedPermissions"] == [
                "storage.googleapis.com/objects.delete"
            ]
            assert cloud.call("GET", f"{place}/denypolicies/other").status == 404


@pytest.mark.parametrize(
    ("principal", "permission", "more", "ends"),
    [
        ("principalSet://goog/public:all", "iam.googleapis.com/serviceAccounts.get", {}, 403),
        ("principal://goog/subject/owner@example.com", "iam.googleapis.com/serviceAccounts.*", {}, 403),
        ("principal://goog/subject/owner@example.com", "iam.googleapis.com/serviceAccounts.list", {}, 200),
        ("principal://goog/subject/other@example.com", "iam.googleapis.com/serviceAccounts.get", {}, 200),
        (
            "principalSet://goog/public:all",
            "iam.googleapis.com/serviceAccounts.get",
            {"exceptionPrincipals": ["principal://goog/subject/owner@example.com"]},
            200,
        ),
        ("principalSet://goog/group/g@example.com", "iam.googleapis.com/serviceAccounts.get", {}, 501),
    ],
)
def test_what_a_deny_policy_denies_nobody_may_do(
    cloud: Cloud, principal: str, permission: str, more: dict[str, Any], ends: int
) -> None:
    account = cloud.service_account()
    with denied(cloud, principal, permission, **more):
        assert cloud.iam("GET", account.name).status == ends
