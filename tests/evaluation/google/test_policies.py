"""Allow and deny policies, evaluated without any cloud."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from recording_storage.evaluation.google import deny, roles
from recording_storage.evaluation.google.allow import Asked, Evaluator, Grant
from recording_storage.evaluation.google.principals import Principal, federated, service_account, user

NOW = datetime(2026, 7, 1, tzinfo=timezone.utc)
ASKED = Asked(
    "storage.objects.create",
    "//storage.googleapis.com/projects/_/buckets/b/objects/o",
    "storage.googleapis.com/Object",
    NOW,
)
WHO = service_account("rec@p.iam.gserviceaccount.com", "1")
POOL = "projects/1/locations/global/workloadIdentityPools/p"
CREATOR = "roles/storage.objectCreator"


def judge(*bindings: dict[str, Any]) -> tuple[bool | None, str]:
    evaluator = Evaluator(roles.permits, Principal.is_member)
    return evaluator.judge(WHO, ASKED, [Grant("//where", one) for one in bindings])


def binding(role: str, *members: str, condition: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"role": role, "members": list(members)}
    return found | ({"condition": {"expression": condition}} if condition else {})


@pytest.mark.parametrize(
    ("bindings", "allowed", "reason"),
    [
        ([binding(CREATOR, WHO.member)], True, f"{CREATOR} on //where permits it"),
        ([], False, "no binding on"),
        ([binding(CREATOR, "user:a@example.com")], False, "no binding of roles/storage.objectCreator names"),
        ([binding("roles/storage.objectViewer", WHO.member)], False, "doesn't permit storage.objects.create"),
        ([binding(CREATOR, WHO.member, condition="false")], False, "is false"),
        ([binding(CREATOR, WHO.member, condition="resource.name.endsWith('/o')")], True, "which is true"),
        ([binding(CREATOR, WHO.member, condition="resource.matchTag('a', 'b')")], None, "the condition"),
        ([binding("roles/unheard.of", WHO.member)], None, "what roles/unheard.of on //where permits"),
        ([binding(CREATOR, "group:g@example.com")], None, "who is among group:g@example.com"),
        ([binding(CREATOR, "group:g@example.com"), binding(CREATOR, WHO.member)], True, "permits it"),
        ([binding("roles/unheard.of", "user:a@example.com")], False, "no binding on"),
    ],
)
def test_bindings_allow_or_not_or_nobody_knows(
    bindings: list[dict[str, Any]], allowed: bool | None, reason: str
) -> None:
    found, why = judge(*bindings)
    assert found is allowed
    assert reason in why


RULE = {
    "deniedPrincipals": ["principalSet://goog/public:all"],
    "deniedPermissions": ["storage.googleapis.com/objects.create"],
}
ACCOUNT = "principal://iam.googleapis.com/projects/-/serviceAccounts/rec@p.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("rule", "who", "is_denied"),
    [
        ({}, WHO, True),
        ({"deniedPermissions": ["storage.googleapis.com/*.*"]}, WHO, True),
        ({"deniedPermissions": ["storage.googleapis.com/objects.get"]}, WHO, False),
        ({"exceptionPermissions": ["storage.googleapis.com/objects.*"]}, WHO, False),
        ({"deniedPrincipals": [ACCOUNT]}, WHO, True),
        ({"deniedPrincipals": [ACCOUNT]}, user("a@example.com"), False),
        ({"exceptionPrincipals": [ACCOUNT]}, WHO, False),
        ({"deniedPrincipals": [f"principalSet://iam.googleapis.com/{POOL}/*"]}, federated(POOL, "s"), True),
        (
            {"deniedPrincipals": [f"principal://iam.googleapis.com/{POOL}/subject/s"]},
            federated(POOL, "t"),
            False,
        ),
        ({"deniedPrincipals": ["principalSet://goog/group/g@example.com"]}, WHO, None),
        ({"deniedPrincipals": ["principalSet://goog/cloudIdentityCustomerId/C1"]}, WHO, None),
        ({"denialCondition": {"expression": "resource.matchTag('a', 'b')"}}, WHO, None),
    ],
)
def test_a_rule_denies_or_not_or_nobody_knows(
    rule: dict[str, Any], who: Principal, is_denied: bool | None
) -> None:
    policy = {"name": "no-writers", "rules": [{"denyRule": RULE | rule}]}
    found, which = deny.denied([policy], who, "storage.objects.create", Principal.is_member)
    assert found is is_denied
    assert bool(which) is (is_denied is not False)


@pytest.mark.parametrize(
    ("v1", "v2"),
    [
        ("storage.objects.create", "storage.googleapis.com/objects.create"),
        ("resourcemanager.projects.get", "cloudresourcemanager.googleapis.com/projects.get"),
        ("iam.googleapis.com/workloadIdentityPools.get", "iam.googleapis.com/workloadIdentityPools.get"),
    ],
)
def test_permissions_have_another_form_there(v1: str, v2: str) -> None:
    assert deny.v2(v1) == v2
