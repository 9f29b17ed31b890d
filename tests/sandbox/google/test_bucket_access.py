"""Who may do what with buckets, and what their policies may say: each refusal beside its nearest neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from google.cloud import exceptions
from google_cloud import members, subject, unique
from storage_world import UNIFORM, UPLOAD, storing

from recording_storage.evaluation.google.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from storage_world import Store

LEGACY = "roles/storage.legacy"
ENFORCED: dict[str, Any] = {
    "iamConfiguration": UNIFORM["iamConfiguration"] | {"publicAccessPrevention": "enforced"}
}


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


# Who may


@pytest.mark.parametrize(
    ("role", "permitted"),
    [
        ("admin", "get patch iam delete"),
        ("legacyBucketOwner", "get patch iam"),
        ("legacyBucketReader", "get"),
        ("bucketViewer", "get"),
        ("objectAdmin", ""),
        ("objectCreator", ""),
    ],
)
def test_what_a_role_on_a_bucket_permits(store: Store, role: str, permitted: str) -> None:
    bucket = store.bucket()
    who = store.somebody(bucket, role)
    done = {
        name
        for name, method, path in (
            ("get", "GET", ""),
            ("patch", "PATCH", ""),
            ("iam", "GET", "/iam"),
            ("delete", "DELETE", ""),
        )
        if store.api(method, f"b/{bucket}{path}", {} if method == "PATCH" else None, who).status < 300
    }
    assert done == set(permitted.split())


@pytest.mark.parametrize(
    ("role", "permitted"),
    [
        ("roles/owner", "create list get patch read write"),
        ("roles/editor", "create list get patch read write"),
        ("roles/viewer", "list get read"),
        ("roles/storage.admin", "create list get patch read write"),
        ("roles/storage.objectViewer", "read"),
        ("roles/browser", ""),
    ],
)
@pytest.mark.parametrize("fine", [False, True], ids=["uniform", "fine-grained"])
def test_what_a_role_in_the_project_permits(store: Store, role: str, permitted: str, fine: bool) -> None:
    bucket, who = store.bucket(fine=fine), store.colleague(role)
    store.put(bucket)
    project = store.cloud.project.id
    answers = {
        "create": store.api("POST", "b", {"name": unique("bucket")}, who, project=project),
        "list": store.api("GET", "b", who=who, project=project),
        "get": store.api("GET", f"b/{bucket}", who=who),
        "patch": store.api("PATCH", f"b/{bucket}", {}, who),
        "read": store.api("GET", f"b/{bucket}/o/object", who=who, alt="media"),
        "write": store.api("POST", f"{UPLOAD}/b/{bucket}/o", b"x", who, uploadType="media", name="new"),
    }
    assert {name for name, answer in answers.items() if answer.status == 200} == set(permitted.split())


def test_making_buckets_is_the_projects_matter(store: Store) -> None:
    told = "does not have storage.buckets.create access to the Google Cloud project"
    with store.refused(403, "roles/owner", f"{store.stranger} {told}"):
        store.client(store.stranger).create_bucket(unique("bucket"), project=store.cloud.project.id)
    with store.refused(403, message=f"{store.owner} {told}"):  # nor is it told that there is no such project
        store.client(store.owner).create_bucket(unique("bucket"), project="nowhere-1")
    creator = f"{unique('creator')}@example.com"
    begins = "resource.name.startsWith('projects/_/buckets/ours-')"
    store.cloud.project.policy.add(
        "roles/storage.admin", f"user:{creator}", {"title": "ours", "expression": begins}
    )
    store.client(creator).create_bucket(unique("ours"))
    with store.refused(403, "is false"):
        store.client(creator).create_bucket(unique("theirs"))


def test_buckets_are_listed_by_project(store: Store) -> None:
    prefix = unique("listed")
    client = store.client(store.owner)
    made = [client.create_bucket(f"{prefix}-{number}").name for number in range(3)]
    assert [one.name for one in client.list_buckets(prefix=prefix, page_size=2)] == made
    assert [one.name for one in store.client(store.stranger).list_buckets(prefix=prefix)] == []
    with store.refused(403, message="storage.buckets.list access to the Google Cloud project"):
        list(store.client(store.stranger).list_buckets(project=store.cloud.project.id))


def test_nobody_in_particular_is_asked_to_log_in(store: Store) -> None:
    answer = store.api("GET", f"b/{store.bucket()}", who=None)
    assert (answer.status, answer.reason) == (401, "required")
    assert answer.message.startswith("Anonymous caller does not have storage.buckets.get access")


def test_a_bucket_that_isnt_there(store: Store) -> None:
    for who in (store.owner, store.stranger):
        with pytest.raises(exceptions.NotFound, match="The specified bucket does not exist"):
            store.client(who).get_bucket(unique("nowhere"))


def test_the_service_agent(store: Store) -> None:
    assert f"serviceAccount:{store.client(store.owner).get_service_account_email()}" == store.agent
    with store.refused(403):
        store.client(store.stranger).get_service_account_email(project=store.cloud.project.id)


# Policies


@pytest.mark.parametrize("fine", [False, True], ids=["uniform", "fine-grained"])
def test_the_policy_of_a_new_bucket(store: Store, fine: bool) -> None:
    bucket, project = store.client(store.owner).bucket(store.bucket(fine=fine)), store.cloud.project.id
    found = {
        one["role"]: one["members"] for one in bucket.get_iam_policy(requested_policy_version=3).bindings
    }
    owners, viewers = {f"projectEditor:{project}", f"projectOwner:{project}"}, {f"projectViewer:{project}"}
    objects = {} if fine else {f"{LEGACY}ObjectOwner": owners, f"{LEGACY}ObjectReader": viewers}
    assert found == {f"{LEGACY}BucketOwner": owners, f"{LEGACY}BucketReader": viewers} | objects


def test_policies_are_changed_as_they_were_read(store: Store) -> None:
    bucket = store.client(store.owner).bucket(store.bucket())
    first, second = (bucket.get_iam_policy(requested_policy_version=3) for _ in range(2))
    first.bindings.append({"role": "roles/storage.objectViewer", "members": {"user:a@example.com"}})
    bucket.set_iam_policy(first)
    with store.refused(412, "its etag is another one"):
        bucket.set_iam_policy(second)
    second.etag = bucket.get_iam_policy(requested_policy_version=3).etag
    bucket.set_iam_policy(second)


CONDITION = {"title": "test", "expression": "resource.name.endsWith('x')"}


@pytest.mark.parametrize(
    ("role", "member", "condition", "uniform", "fine"),
    [
        ("storage.objectViewer", "user:a@example.com", None, 200, 200),
        ("storage.objectViewer", "user:a@example.com", CONDITION, 200, 400),
        ("storage.objectViewer", "{pool}", None, 200, 400),
        ("storage.objectViewer", "{subject}", None, 200, 400),
        ("storage.legacyObjectReader", "user:a@example.com", None, 200, 200),
        ("storage.legacyObjectReader", "user:a@example.com", CONDITION, 501, 501),
        ("storage.objectViewer", "allUsers", None, 200, 200),
        ("storage.objectViewer", "allUsers", CONDITION, 501, 501),
        ("viewer", "user:a@example.com", None, 400, 400),
        ("owner", "user:a@example.com", None, 400, 400),
        ("cloudkms.viewer", "user:a@example.com", None, 400, 400),
        ("storage.objectViewer", "a@example.com", None, 400, 400),
        ("storage.objectViewer", "serviceAccount:none@acme-prod.iam.gserviceaccount.com", None, 400, 400),
    ],
)
def test_what_may_be_bound(
    store: Store, role: str, member: str, condition: Any, uniform: int, fine: int
) -> None:
    pool = store.cloud.pool()
    binding: dict[str, Any] = {
        "role": f"roles/{role}",
        "members": [member.format(pool=members(pool), subject=subject(pool))],
    } | ({"condition": condition} if condition else {})
    for is_fine, status in ((False, uniform), (True, fine)):
        path = f"b/{store.bucket(fine=is_fine)}/iam"
        assert store.api("PUT", path, {"version": 3, "bindings": [binding]}).status == status


def test_uniform_access_stays_where_the_policy_needs_it(store: Store) -> None:
    off = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}
    bucket, plain = store.bucket(), store.bucket()
    store.grant(bucket, "roles/storage.objectViewer", "user:a@example.com", condition="true")
    for name, body, status in ((bucket, off, 412), (bucket, {"labels": {"a": "b"}}, 200), (plain, off, 200)):
        assert store.api("PATCH", f"b/{name}", body).status == status


def test_public_access_prevention(store: Store) -> None:
    prevented, public = store.bucket(**ENFORCED), store.bucket()
    everybody = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
    with store.cloud.refused("public access prevention is enforced"):
        refused = store.api("PUT", f"b/{prevented}/iam", everybody)
    assert (refused.status, refused.reason) == (412, "conditionNotMet")
    assert refused.message.startswith(
        "The member bindings allUsers and allAuthenticatedUsers are not allowed"
    )
    store.grant(public, "roles/storage.objectViewer", "allUsers")
    store.put(public)
    assert store.api("GET", f"b/{public}/o/object", who=None).status == 200
    assert (
        store.api("PATCH", f"b/{public}", ENFORCED).status == 200
    )  # from then on the binding is without effect
    with store.cloud.refused("allUsers (public access prevention is enforced)"):
        assert store.api("GET", f"b/{public}/o/object", who=None).status == 401
    bindings = store.api("GET", f"b/{public}/iam").said["bindings"]
    assert {"role": "roles/storage.objectViewer", "members": ["allUsers"]} in bindings


def test_preventing_public_access_needs_the_policys_permission(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = store.bucket()
    monkeypatch.setitem(cast("Any", ROLES), "roles/storage.updater", frozenset({"storage.buckets.update"}))
    updater, owner = store.somebody(bucket, "updater"), store.somebody(bucket, "legacyBucketOwner")
    for who, body, status in (
        (updater, ENFORCED, 403),
        (updater, {"labels": {"a": "b"}}, 200),
        (owner, ENFORCED, 200),
        (updater, ENFORCED, 200),  # nothing of it changes any more
    ):
        assert store.api("PATCH", f"b/{bucket}", body, who).status == status


def test_which_permissions_somebody_has(store: Store) -> None:
    bucket = store.bucket()
    asked = ["storage.objects.create", "storage.objects.get", "storage.buckets.get"]
    who = store.somebody(bucket, "objectCreator")
    assert store.client(who).bucket(bucket).test_iam_permissions(asked) == asked[:1]
    assert store.client(store.owner).bucket(bucket).test_iam_permissions(asked) == asked
    assert store.client(store.stranger).bucket(bucket).test_iam_permissions(asked) == []


@pytest.mark.parametrize(
    "path", ["acl", "acl/allUsers", "defaultObjectAcl", "o/object/acl", "o/object/acl/allUsers"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_access_control_lists_are_off_where_access_is_uniform(store: Store, path: str, method: str) -> None:
    uniform, fine = store.bucket(), store.bucket(fine=True)
    for bucket in (uniform, fine):
        store.put(bucket)
    answer = store.api(method, f"b/{uniform}/{path}", {} if method == "POST" else None)
    assert answer.status == 400
    assert "uniform bucket-level access" in answer.message
    assert ("get legacy ACL" in answer.message) is (method == "GET")
    without = store.somebody(uniform, "objectUser")
    assert store.api(method, f"b/{uniform}/{path}", {} if method == "POST" else None, without).status == 403
    with store.cloud.undecided("access control lists"):
        store.api(method, f"b/{fine}/{path}", {} if method == "POST" else None)


def test_reading_lists_is_permitted_apart(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    held = frozenset({"storage.buckets.getIamPolicy"})
    monkeypatch.setitem(cast("Any", ROLES), "roles/storage.policyReader", held)
    bucket = store.bucket()
    reader = store.somebody(bucket, "policyReader")
    for method, status in (("GET", 400), ("POST", 403)):
        assert store.api(method, f"b/{bucket}/acl", {} if method == "POST" else None, reader).status == status


def test_new_buckets_with_a_predefined_list(store: Store) -> None:
    for said, status in ((UNIFORM, 400), ({}, 501)):
        body = {"name": unique("bucket")} | said
        query = {"project": store.cloud.project.id, "predefinedAcl": "publicRead"}
        assert store.api("POST", "b", body, **query).status == status


def test_lists_are_shown_to_who_may_see_the_policy(store: Store) -> None:
    bucket, number = store.bucket(fine=True), store.cloud.owner.number
    reader = store.somebody(bucket, "legacyBucketReader")
    store.grant(bucket, "roles/storage.legacyBucketWriter", "group:team@example.com", "allUsers")
    found = store.api("GET", f"b/{bucket}", projection="full").said
    entries = {(one["entity"], one["role"]) for one in found["acl"]}
    assert entries >= {(f"project-owners-{number}", "OWNER"), (f"user-{reader}", "READER")}
    assert entries >= {("group-team@example.com", "WRITER"), ("allUsers", "WRITER")}
    assert len(found["defaultObjectAcl"]) == 3
    assert store.api("GET", f"b/{bucket}", who=reader, projection="full").status == 403
    assert store.api("GET", f"b/{bucket}", who=reader, projection="noAcl").status == 200
    uniform = store.bucket()
    reader = store.somebody(uniform, "legacyBucketReader")
    shown = store.api("GET", f"b/{uniform}", who=reader, projection="full")
    assert (shown.status, "acl" in shown.said) == (200, False)
