"""Allow policies through the API: what is stored, what is refused, and what a reader of an older version sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import WORKLOAD_USER, subject

from recording_storage.evaluation.google.principals import ANONYMOUS, federated, service_account, user
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from google_cloud import Cloud, Reply

POOL = "projects/1/locations/global/workloadIdentityPools/p"
WORKLOAD = f"iam.googleapis.com/{POOL}"
CONDITION = {"title": "t", "expression": 'request.time < timestamp("2100-01-01T00:00:00Z")'}


def replace(cloud: Cloud, resource: str, *bindings: dict[str, Any], **policy: Any) -> Reply:
    return cloud.iam("POST", f"{resource}:setIamPolicy", {"policy": {"bindings": list(bindings), **policy}})


def read(cloud: Cloud, resource: str, version: int = 0) -> Reply:
    return cloud.iam("POST", f"{resource}:getIamPolicy", {"options": {"requestedPolicyVersion": version}})


def binding(member: str, role: str = WORKLOAD_USER, **more: Any) -> dict[str, Any]:
    return {"role": role, "members": [member], **more}


def test_an_etag_tells_whether_somebody_else_was_faster(cloud: Cloud) -> None:
    name = cloud.service_account().name
    first = read(cloud, name).said
    assert (first["etag"], first.get("bindings")) == ("ACAB", None)
    second = replace(cloud, name, binding("user:a@example.com"), etag=first["etag"]).said
    assert second["etag"] != first["etag"]
    with cloud.refused("the policy has changed since it was read"):
        answer = replace(cloud, name, binding("user:b@example.com"), etag=first["etag"])
    assert (answer.status, answer.error) == (409, "ABORTED")
    with cloud.allowed():
        replace(cloud, name, binding("user:b@example.com"), etag=second["etag"])
        replace(cloud, name, binding("user:c@example.com"))  # without one, whatever there was is lost
    assert read(cloud, name).said["bindings"] == [binding("user:c@example.com")]


@pytest.mark.parametrize(
    ("member", "because"),
    [
        ("user:a@example.com", ""),
        ("group:a@example.com", ""),
        ("domain:example.com", ""),
        ("allUsers", ""),
        ("projectOwner:acme-prod", ""),
        ("serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com", ""),
        ("serviceAccount:somebody@not-here.iam.gserviceaccount.com", ""),
        ("serviceAccount:acme-prod.svc.id.goog[space/name]", ""),
        (f"principal://{WORKLOAD}/subject/ws-1", ""),
        (f"principal://{WORKLOAD}/subject/a/b:c d", ""),
        (f"principalSet://{WORKLOAD}/*", ""),
        (f"principalSet://{WORKLOAD}/attribute.tenant/a/b", ""),
        (f"principalSet://{WORKLOAD}/group/g", ""),
        ("deleted:serviceAccount:a@acme-prod.iam.gserviceaccount.com?uid=1", ""),
        ("serviceAccount:nobody@acme-prod.iam.gserviceaccount.com", "there is no service account"),
        (
            "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com",
            "there is no service account",
        ),
        ("a@example.com", "is of an unknown type"),
        ("user:example.com", "is of an unknown type"),
        ("users:a@example.com", "is of an unknown type"),
        (
            f"principal://{WORKLOAD.replace('projects/1', 'projects/acme-prod')}/subject/ws-1",
            "is of an unknown type",
        ),
        (f"principal://{WORKLOAD}/*", "is of an unknown type"),
        (f"principalSet://{WORKLOAD}/subject/ws-1", "is of an unknown type"),
        (f"principal:{WORKLOAD}/subject/ws-1", "is of an unknown type"),
        ("", "is of an unknown type"),
    ],
)
def test_a_member_must_have_a_form_and_exist_as_far_as_google_knows(
    cloud: Cloud, member: str, because: str
) -> None:
    name = cloud.service_account().name
    with cloud.refused(because) if because else cloud.allowed():
        assert replace(cloud, name, binding(member)).status == (400 if because else 200)
    assert read(cloud, name).said.get("bindings", []) == ([] if because else [binding(member)])


def test_addresses_are_stored_in_small_letters_and_subjects_as_they_are(cloud: Cloud) -> None:
    account = cloud.service_account()
    shouted = f"serviceAccount:{account.email.upper()}"
    said = [
        binding(shouted),
        binding(f"principal://{WORKLOAD}/subject/WS-1"),
        binding("user:A@Example.com", "roles/viewer"),
    ]
    assert replace(cloud, account.name, *said).said["bindings"] == [
        {
            "role": WORKLOAD_USER,
            "members": [f"serviceAccount:{account.email}", f"principal://{WORKLOAD}/subject/WS-1"],
        },
        binding("user:a@example.com", "roles/viewer"),
    ]


@pytest.mark.parametrize(
    ("resource", "role", "is_taken"),
    [
        ("account", WORKLOAD_USER, True),
        ("account", "roles/owner", True),
        ("account", "projects/acme-prod/roles/own", True),
        ("account", "roles/storage.objectCreator", False),
        ("account", "workloadIdentityUser", False),
        ("account", "", False),
        ("project", "roles/storage.objectCreator", True),
        ("project", "roles/storage.legacyBucketWriter", False),
    ],
)
def test_a_role_must_be_one_for_the_resource(cloud: Cloud, resource: str, role: str, is_taken: bool) -> None:
    url = "https://cloudresourcemanager.googleapis.com/v1/projects/acme-prod:setIamPolicy"
    said = [binding("user:owner@example.com", "roles/owner"), binding("user:a@example.com", role)]
    with cloud.allowed() if is_taken else cloud.refused("is not supported for this resource"):
        if resource == "project":
            answer = cloud.call("POST", url, {"policy": {"bindings": said}})
        else:
            answer = replace(cloud, cloud.service_account().name, *said)
    assert answer.status == (200 if is_taken else 400)


@pytest.mark.parametrize(
    "bindings",
    [
        [{"role": WORKLOAD_USER}],
        [{"role": WORKLOAD_USER, "members": []}],
        [{"members": ["allUsers"]}],
        [{"role": WORKLOAD_USER, "member": "allUsers", "members": ["allUsers"]}],
        ["allUsers"],
    ],
)
def test_a_binding_has_a_role_and_members(cloud: Cloud, bindings: list[Any]) -> None:
    with cloud.refused():
        assert replace(cloud, cloud.service_account().name, *bindings).error == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("version", "condition", "because"),
    [
        (3, CONDITION, ""),
        (1, CONDITION, "only supported in policy version 3"),
        (None, CONDITION, "only supported in policy version 3"),
        (2, CONDITION, "Invalid policy version"),
        (1, None, ""),
        (3, {"expression": "true"}, "must have a title and an expression"),
        (3, {"title": "t"}, "must have a title and an expression"),
        (3, {"title": "t", "expression": "resource.name ="}, "syntax error"),
        (3, {"title": "t", "expression": "assertion.sub == 'a'"}, "undeclared reference to 'assertion'"),
        (3, {"title": "t", "expression": "destination.port == 443"}, ""),
    ],
)
def test_a_condition_needs_version_3_and_an_expression(
    cloud: Cloud, version: int | None, condition: dict[str, str] | None, because: str
) -> None:
    said = binding("user:a@example.com") | ({"condition": condition} if condition else {})
    policy = {"version": version} if version else {}
    with cloud.refused(because) if because else cloud.allowed():
        assert replace(cloud, cloud.service_account().name, said, **policy).status == (
            400 if because else 200
        )


def test_who_reads_an_older_version_sees_no_condition_and_cannot_write_it_back(cloud: Cloud) -> None:
    name = cloud.service_account().name
    said = binding("user:a@example.com", condition=CONDITION)
    assert replace(cloud, name, said, version=3).said["version"] == 3
    assert read(cloud, name, 3).said["bindings"] == [said]
    old = read(cloud, name, 1).said
    assert old["version"] == 1
    assert old["bindings"][0]["role"].startswith(f"{WORKLOAD_USER}_withcond_")
    for written in (old["bindings"], [binding("user:b@example.com")]):
        with cloud.refused():
            assert replace(cloud, name, *written, etag=old["etag"], version=1).status == 400
    with cloud.allowed():
        replace(cloud, name, binding("user:b@example.com"))  # without the etag it is overwritten
    assert read(cloud, name, 3).said["version"] == 1
    with cloud.refused("Invalid policy version"):
        assert read(cloud, name, 2).status == 400


def test_a_policy_is_an_object_with_a_list_of_bindings(cloud: Cloud) -> None:
    url = f"{cloud.service_account().name}:setIamPolicy"
    wrong: tuple[Any, ...] = ({"bindings": {"role": WORKLOAD_USER}}, None, [])
    for policy in wrong:
        with cloud.refused():
            assert cloud.iam("POST", url, {"policy": policy}).error == "INVALID_ARGUMENT"
    with cloud.undecided("the mask bindings,members"):
        cloud.iam("POST", url, {"policy": {}, "updateMask": "bindings,members"})


@pytest.mark.parametrize("more", [{"auditConfigs": [{"service": "allServices"}]}])
def test_audit_configurations_are_undecided(cloud: Cloud, more: dict[str, Any]) -> None:
    with cloud.undecided("auditConfigs"):
        assert replace(cloud, cloud.service_account().name, **more).status == 501


def test_permissions_are_tested_without_a_trace(cloud: Cloud) -> None:
    account = cloud.service_account((WORKLOAD_USER, subject(cloud.pool())))
    asked = [
        "iam.serviceAccounts.getAccessToken",
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.setIamPolicy",
    ]
    mark = cloud.sandbox.journal.mark()
    url = f"{account.name}:testIamPermissions"
    assert cloud.iam("POST", url, {"permissions": asked}).said == {"permissions": asked[1:]}
    assert cloud.iam("POST", url, {"permissions": asked}, cloud.stranger.access_token).said == {}
    assert cloud.sandbox.journal.since(mark) == []
    with cloud.undecided("compute.instances.get"):
        assert cloud.iam("POST", url, {"permissions": ["compute.instances.get"]}).status == 501
    with cloud.refused("wildcards"):
        assert cloud.iam("POST", url, {"permissions": ["iam.*"]}).status == 400


OWNER = user("owner@example.com")
ROBOT = service_account("robot@p.iam.gserviceaccount.com", "1")
WORKER = federated(POOL, "ws-1", {"tenant": "a"}, ("g",))


@pytest.mark.parametrize(
    ("member", "named"),
    [
        ("allUsers", [ANONYMOUS, OWNER, ROBOT, WORKER]),
        ("allAuthenticatedUsers", [OWNER, ROBOT]),
        ("user:owner@example.com", [OWNER]),
        ("user:Owner@example.com", []),
        ("domain:example.com", [OWNER]),
        ("domain:p.iam.gserviceaccount.com", []),
        ("serviceAccount:robot@p.iam.gserviceaccount.com", [ROBOT]),
        ("deleted:serviceAccount:robot@p.iam.gserviceaccount.com?uid=1", []),
        (f"principal://{WORKLOAD}/subject/ws-1", [WORKER]),
        (f"principal://{WORKLOAD}/subject/WS-1", []),
        (f"principalSet://{WORKLOAD}/*", [WORKER]),
        (f"principalSet://{WORKLOAD}2/*", []),
        (f"principalSet://{WORKLOAD}/attribute.tenant/a", [WORKER]),
        (f"principalSet://{WORKLOAD}/attribute.tenant/b", []),
        (f"principalSet://{WORKLOAD}/group/g", [WORKER]),
        (f"principalSet://{WORKLOAD}/tenant/a", []),
    ],
)
def test_whom_a_member_names(member: str, named: list[Any]) -> None:
    assert [one for one in (ANONYMOUS, OWNER, ROBOT, WORKER) if one.is_member(member)] == named


def test_nobody_knows_who_is_in_a_group() -> None:
    assert OWNER.is_member("group:admins@example.com") is None
    assert ANONYMOUS.is_member("group:admins@example.com") is False


def test_a_group_that_is_known_decides(cloud: Cloud) -> None:
    world, project, access = cloud.world, cloud.project, cloud.google.access
    project.policy.add("roles/storage.admin", "group:players@example.com")

    def allowed(email: str) -> bool:
        return access.allowed(user(email), "storage.buckets.list", project)

    with pytest.raises(Undecided, match="group:players@"):
        allowed("ann@example.com")
    world.groups["group:players@example.com"] = frozenset({"user:ann@example.com"})
    assert allowed("ann@example.com")
    assert not allowed("bob@example.com")
