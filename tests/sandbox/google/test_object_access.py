"""Who may do what with objects: roles, members and conditions, each beside what differs from it in one thing only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.cloud import exceptions
from google_cloud import members, unique
from storage_world import UPLOAD, storing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from storage_world import Store

HOST = "https://storage.googleapis.com"


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


@pytest.fixture(scope="module")
def bucket(store: Store) -> str:
    """One for tests that mind only their own objects."""
    return store.bucket()


def told(email: str, permission: str, noun: str = "object") -> str:
    return (
        f"{email} does not have {permission} access to the Google Cloud Storage {noun}. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )


# Who may

METHODS = ("get", "list", "write", "overwrite", "delete", "update")


def attempt(store: Store, bucket: str, who: str | None) -> set[str]:
    """What somebody manages to do with the objects of a bucket that has one."""
    store.put(bucket, "old")
    store.put(bucket, "doomed")
    path, upload = f"b/{bucket}/o", {"uploadType": "media"}
    answers = {
        "get": store.api("GET", f"{path}/old", who=who, alt="media"),
        "list": store.api("GET", path, who=who),
        "write": store.api("POST", f"{UPLOAD}/{path}", b"x", who, name=unique("new"), **upload),
        "overwrite": store.api("POST", f"{UPLOAD}/{path}", b"x", who, name="old", **upload),
        "delete": store.api("DELETE", f"{path}/doomed", who=who),
        "update": store.api("PATCH", f"{path}/old", {"contentType": "x/y"}, who),
    }
    codes = {answer.status for answer in answers.values()}
    assert codes <= {200, 204, 403 if who else 401}, codes
    return {name for name, answer in answers.items() if answer.status < 300}


@pytest.mark.parametrize(
    ("roles", "permitted"),
    [
        ("", ""),
        ("objectCreator", "write"),
        ("objectViewer", "get list"),
        ("objectCreator objectViewer", "write get list"),
        ("objectUser", "get list write overwrite delete update"),
        ("objectAdmin", "get list write overwrite delete update"),
        ("admin", "get list write overwrite delete update"),
        ("legacyBucketReader", "list"),
        ("legacyBucketWriter", "list write overwrite delete"),
        ("legacyBucketOwner", "list write overwrite delete"),
        ("legacyObjectReader", "get"),
        ("legacyObjectOwner", "get update"),
        ("bucketViewer", ""),
    ],
)
def test_what_a_role_on_a_bucket_permits(store: Store, roles: str, permitted: str) -> None:
    bucket = store.bucket()
    assert attempt(store, bucket, store.somebody(bucket, *roles.split())) == set(permitted.split())


@pytest.mark.parametrize(
    ("member", "of", "permitted"),
    [
        ("allUsers", None, "get list"),
        ("allUsers", "", "get list"),
        ("allAuthenticatedUsers", None, ""),
        ("allAuthenticatedUsers", "person@example.com", "get list"),
        ("domain:example.com", "person@example.com", "get list"),
        ("domain:example.com", "person@example.org", ""),
        ("user:person@example.com", "person@example.com", "get list"),
        ("user:person@example.com", "Other@example.com", ""),
    ],
)
def test_whom_a_binding_names(store: Store, member: str, of: str | None, permitted: str) -> None:
    bucket = store.bucket()
    store.grant(bucket, "roles/storage.objectViewer", member)
    assert attempt(store, bucket, of or (store.owner if of == "" else None)) & {"get", "list"} == set(
        permitted.split()
    )


def test_a_writer_can_only_write(store: Store) -> None:
    bucket = store.bucket()
    who = store.somebody(bucket, "objectCreator")
    mine = store.blob(bucket, "mine", who)
    mine.upload_from_string("x")
    because = "roles/storage.objectCreator, which names"
    for permission, do in (
        ("storage.objects.delete", lambda: mine.upload_from_string("y")),
        ("storage.objects.delete", store.blob(bucket, "mine", who).delete),
        ("storage.objects.get", store.blob(bucket, "mine", who).download_as_bytes),
        ("storage.objects.get", store.blob(bucket, "mine", who).reload),
        ("storage.objects.update", store.blob(bucket, "mine", who).patch),
    ):
        with store.refused(403, because, told(who, permission)):
            do()
    with store.refused(403, because, told(who, "storage.objects.list", "bucket")):
        list(store.client(who).list_blobs(bucket))
    assert store.blob(bucket, "mine").download_as_bytes() == b"x"


def test_a_condition_sees_the_objects_name(store: Store) -> None:
    bucket = store.bucket()
    begins = f'resource.name.startsWith("projects/_/buckets/{bucket}/objects/a/")'
    who = store.somebody(bucket, "objectCreator", condition=begins)
    store.blob(bucket, "a/b", who).upload_from_string("x")
    for name in ("b/a", "a"):
        with store.refused(403, "is false"):
            store.blob(bucket, name, who).upload_from_string("x")


def test_an_identity_of_a_pool_reads_where_access_is_uniform(store: Store) -> None:
    provider = store.cloud.provider()
    token = store.cloud.federated(provider)
    uniform, fine = store.bucket(), store.bucket(fine=True)
    for bucket in (uniform, fine):
        store.put(bucket)
    store.grant(uniform, "roles/storage.objectViewer", members(provider.pool))
    assert store.client(None, token).bucket(uniform).blob("object").download_as_bytes() == b"recording"
    with store.refused(403, message="principal://"):
        store.client(None, token).bucket(uniform).blob("new").upload_from_string("x")
    for path in (f"b/{fine}", f"b/{fine}/o", f"b/{fine}/o/object"):
        with store.cloud.undecided("where access isn't uniform"):
            store.api("GET", path, token=token)


def test_who_wrote_an_object_owns_it_where_access_isnt_uniform(store: Store) -> None:
    uniform, fine = store.bucket(), store.bucket(fine=True)
    writer = store.colleague("roles/storage.objectCreator")
    other = store.colleague("roles/storage.objectCreator")
    for bucket in (uniform, fine):
        store.put(bucket, "mine", who=writer)
    assert store.blob(fine, "mine", writer).download_as_bytes() == b"recording"
    store.blob(fine, "mine", writer).patch()
    with store.refused(403):
        store.blob(uniform, "mine", writer).download_as_bytes()
    with store.refused(403):
        store.blob(fine, "mine", other).download_as_bytes()
    with store.refused(403):  # deleting is the bucket's matter
        store.blob(fine, "mine", writer).delete()


# What isn't there


def test_who_may_not_list_isnt_told_what_isnt_there(store: Store) -> None:
    bucket = store.bucket()
    knows = store.somebody(bucket, "objectViewer")
    blind = store.somebody(bucket, "legacyObjectReader")
    with pytest.raises(exceptions.NotFound, match=f"No such object: {bucket}/nothing"):
        store.blob(bucket, "nothing", knows).download_as_bytes()
    with store.refused(403, message=told(blind, "storage.objects.list", "bucket")):
        store.blob(bucket, "nothing", blind).download_as_bytes()
    with pytest.raises(exceptions.NotFound, match="bucket does not exist"):
        store.blob("nowhere", "nothing", knows).upload_from_string("x")
    assert store.api("DELETE", f"b/{bucket}/o/nothing").status == 404


# At its own address


def test_everybody_may_read_what_is_public_at_its_address(store: Store) -> None:
    public, private = store.bucket(), store.bucket()
    store.grant(public, "roles/storage.legacyObjectReader", "allUsers")
    for bucket in (public, private):
        blob = store.blob(bucket, "a/b c.txt")
        blob.metadata = {"who": "me"}
        blob.upload_from_string("0123456789", content_type="text/plain")
    for place in (f"{HOST}/{public}/a/b%20c.txt", f"https://{public}.storage.googleapis.com/a/b%20c.txt"):
        got, head = (store.api(method, place, who=None) for method in ("GET", "HEAD"))
        assert (got.status, got.content, head.content) == (200, b"0123456789", b"")
        for answer in (got, head):
            assert (answer.headers["Content-Type"], answer.headers["Content-Length"]) == ("text/plain", "10")
            assert answer.headers["X-Goog-Meta-who"] == "me"
    store.put(public, "storage/v1/b")
    assert (
        store.api("GET", f"https://{public}.storage.googleapis.com/storage/v1/b", who=None).content
        == b"recording"
    )
    refused = store.api("GET", f"{HOST}/{private}/a/b%20c.txt", who=None)
    assert refused.status == 403
    assert b"<Code>AccessDenied</Code>" in refused.content
    assert b"Anonymous caller does not have storage.objects.get access" in refused.content
    assert store.api("GET", f"{HOST}/{private}/a/b%20c.txt").status == 200
    # Who may read but not list isn't told what isn't there; the owner is.
    missing = f"{HOST}/{public}/nothing"
    assert [store.api("GET", missing, who=who).status for who in (None, store.owner)] == [403, 404]
    assert b"NoSuchKey" in store.api("GET", missing).content
    assert b"NoSuchBucket" in store.api("GET", f"{HOST}/nowhere-at-all/x").content


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "object"),
        ("GET", ""),
        ("DELETE", "object"),
        ("GET", "object?acl"),
        ("GET", "object?X-Goog-Signature=x"),
    ],
)
def test_the_rest_of_the_xml_api_is_undecided(store: Store, bucket: str, method: str, path: str) -> None:
    with store.cloud.undecided("XML API"):
        store.api(method, f"{HOST}/{bucket}/{path}")
