"""What becomes of what is overwritten or deleted: noncurrent, soft-deleted, restored, and gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from google.cloud import exceptions
from storage_world import DAY, names, storing

from recording_storage.evaluation.google.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from storage_world import Store

VERSIONED: dict[str, Any] = {"versioning": {"enabled": True}}


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


def kept(seconds: int) -> dict[str, Any]:
    return {"softDeletePolicy": {"retentionDurationSeconds": seconds}}


def states(store: Store, bucket: str) -> dict[int, str]:
    """What each generation of the bucket's objects is, by its age."""
    client = store.client(store.owner)
    alive, soft_deleted = (
        list(client.list_blobs(bucket, versions=True)),
        list(client.list_blobs(bucket, soft_deleted=True)),
    )
    found = {one.generation: "noncurrent" if one.time_deleted else "live" for one in alive}
    return dict(sorted((found | {one.generation: "soft-deleted" for one in soft_deleted}).items()))


@pytest.mark.parametrize(
    ("said", "before", "after"),
    [
        (VERSIONED, "noncurrent", "live"),
        (VERSIONED | kept(0), "noncurrent", "live"),
        ({}, "soft-deleted", "live"),
        (kept(0), None, "live"),
    ],
    ids=["versioned", "versioned, no soft delete", "soft delete", "neither"],
)
def test_what_is_overwritten(store: Store, said: dict[str, Any], before: str | None, after: str) -> None:
    bucket = store.bucket(**said)
    first, second = store.put(bucket), store.put(bucket, content="again")
    assert first < second
    assert states(store, bucket) == ({first: before} if before else {}) | {second: after}
    assert store.blob(bucket).download_as_bytes() == b"again"


@pytest.mark.parametrize(
    ("said", "by_name", "by_number"),
    [
        (VERSIONED, "noncurrent", "soft-deleted"),
        (VERSIONED | kept(0), "noncurrent", None),
        ({}, "soft-deleted", "soft-deleted"),
        (kept(0), None, None),
    ],
    ids=["versioned", "versioned, no soft delete", "soft delete", "neither"],
)
def test_what_is_deleted(
    store: Store, said: dict[str, Any], by_name: str | None, by_number: str | None
) -> None:
    for is_numbered, state in ((False, by_name), (True, by_number)):
        bucket = store.bucket(**said)
        number = store.put(bucket)
        store.blob(bucket, generation=number if is_numbered else None).delete()
        assert states(store, bucket) == ({number: state} if state else {})
        with pytest.raises(exceptions.NotFound):
            store.blob(bucket).download_as_bytes()


def test_generations_are_named_by_their_numbers(store: Store) -> None:
    bucket = store.bucket(**VERSIONED)
    first, second = store.put(bucket, content="1"), store.put(bucket, content="2")
    for number, content, status in ((first, b"1", 200), (second, b"2", 200), (5, b"", 404)):
        answer = store.api("GET", f"b/{bucket}/o/object", alt="media", generation=number)
        assert answer.status == status
        if status == 200:
            assert answer.content == content
    old = store.client(store.owner).bucket(bucket).get_blob("object", generation=first)
    assert old.time_deleted is not None
    old.metadata = {"old": "yes"}
    old.patch()
    assert store.client(store.owner).bucket(bucket).get_blob("object").metadata is None
    # The generation is the live one's, the metageneration that of what is asked for.
    cases: list[tuple[dict[str, Any], int]] = [
        ({"ifGenerationMatch": second, "ifMetagenerationMatch": 2}, 200),
        ({"ifGenerationMatch": first}, 412),
        ({"ifMetagenerationMatch": 1}, 412),
    ]
    for query, status in cases:
        assert store.api("GET", f"b/{bucket}/o/object", generation=first, **query).status == status
    store.blob(bucket, generation=first).delete()
    assert states(store, bucket) == {first: "soft-deleted", second: "live"}


def test_versions_are_kept_as_long_as_they_are_asked_for(store: Store) -> None:
    bucket = store.bucket(**VERSIONED)
    first, second = store.put(bucket), store.put(bucket)
    store.api("PATCH", f"b/{bucket}", {"versioning": {"enabled": False}})
    third = store.put(bucket)
    assert states(store, bucket) == {first: "noncurrent", second: "soft-deleted", third: "live"}


def test_an_old_version_is_made_live_by_copying_it(store: Store) -> None:
    bucket = store.bucket(**VERSIONED)
    first, second = store.put(bucket, content="1"), store.put(bucket, content="2")
    source = store.blob(bucket)
    copied = source.bucket.copy_blob(source, source.bucket, "object", source_generation=first)
    assert states(store, bucket) == {first: "noncurrent", second: "noncurrent", copied.generation: "live"}
    assert store.blob(bucket).download_as_bytes() == b"1"


def test_deleting_old_versions_is_permitted_apart(store: Store) -> None:
    bucket = store.bucket(**VERSIONED)
    first, _ = store.put(bucket), store.put(bucket)
    writer, user = store.somebody(bucket, "objectCreator"), store.somebody(bucket, "objectUser")
    with store.refused(403, message="storage.objects.delete"):
        store.blob(bucket, "object", writer, generation=first).delete()
    store.blob(bucket, "object", user, generation=first).delete()


def test_what_is_soft_deleted_is_kept_for_so_long(store: Store) -> None:
    bucket = store.bucket(**kept(8 * DAY))
    number = store.put(bucket)
    store.blob(bucket).delete()
    (found,) = store.client(store.owner).list_blobs(bucket, soft_deleted=True)
    assert found.hard_delete_time - found.soft_delete_time == timedelta(days=8)
    store.api("PATCH", f"b/{bucket}", kept(0))  # which holds for what is deleted from then on
    other = store.put(bucket, "other")
    store.blob(bucket, "other").delete()
    assert states(store, bucket) == {number: "soft-deleted"}
    assert other > number
    for days, expected in ((7.9, {number: "soft-deleted"}), (8.1, {})):
        with store.cloud.later(timedelta(days=days)):
            assert states(store, bucket) == expected


def test_what_is_soft_deleted_can_only_be_seen_and_restored(store: Store) -> None:
    bucket = store.bucket()
    number = store.put(bucket)
    store.blob(bucket).delete()
    path = f"b/{bucket}/o/object"
    for method, query, status in (
        ("GET", {"generation": number}, 404),
        ("GET", {"generation": number, "softDeleted": "true"}, 200),
        ("GET", {"softDeleted": "true"}, 400),
        ("GET", {"generation": number + 1, "softDeleted": "true"}, 404),
        ("GET", {"generation": number, "softDeleted": "true", "alt": "media"}, 400),
        ("DELETE", {"generation": number}, 404),
        ("PATCH", {"generation": number}, 404),
    ):
        assert store.api(method, path, {} if method == "PATCH" else None, **query).status == status
    writer, reader = store.somebody(bucket, "objectCreator"), store.somebody(bucket, "objectViewer")
    for who, status in ((writer, 403), (reader, 200)):
        assert store.api("GET", path, who=who, generation=number, softDeleted="true").status == status
    with pytest.raises(exceptions.NotFound):
        store.blob(bucket).download_as_bytes()
    restored = store.client(store.owner).bucket(bucket).restore_blob("object", generation=number)
    assert restored.generation > number
    assert restored.download_as_bytes() == b"recording"
    assert states(store, bucket) == {number: "soft-deleted", restored.generation: "live"}


@pytest.mark.parametrize(("said", "before"), [(VERSIONED, "noncurrent"), ({}, "soft-deleted")])
def test_restoring_overwrites_what_is_there(store: Store, said: dict[str, Any], before: str) -> None:
    bucket = store.bucket(**said)
    first = store.put(bucket, content="1")
    store.blob(bucket, generation=first).delete()
    second = store.put(bucket, content="2")
    client = store.client(store.owner).bucket(bucket)
    with store.refused(412, "ifGenerationMatch=0"):
        client.restore_blob("object", generation=first, if_generation_match=0)
    third = client.restore_blob("object", generation=first, if_generation_match=second).generation
    assert states(store, bucket) == {first: "soft-deleted", second: before, third: "live"}
    assert store.blob(bucket).download_as_bytes() == b"1"
    for number, status in ((third, 412), (7, 404)):
        assert store.api("POST", f"b/{bucket}/o/object/restore", generation=number).status == status
    path = f"b/{bucket}/o/object/restore"
    assert store.api("POST", path).status == 400
    assert store.api("POST", path, generation=first, copySourceAcl="true").status == 400
    assert store.api("POST", f"b/{bucket}/o/bulkRestore", {}).status == 501


@pytest.mark.parametrize(
    ("roles", "is_there", "is_restored"),
    [
        ("admin", True, True),
        ("objectUser", True, True),
        ("legacyBucketWriter", True, True),
        ("objectViewer", False, False),
        ("objectCreator", False, False),
        ("objectCreator objectViewer", False, False),
        ("restorer", False, False),
        ("restorer objectCreator", False, True),
        ("restorer objectCreator", True, False),
    ],
)
def test_who_may_restore(
    store: Store, monkeypatch: pytest.MonkeyPatch, roles: str, is_there: bool, is_restored: bool
) -> None:
    monkeypatch.setitem(cast("Any", ROLES), "roles/storage.restorer", frozenset({"storage.objects.restore"}))
    bucket = store.bucket()
    number = store.put(bucket)
    store.blob(bucket).delete()
    if is_there:
        store.put(bucket)
    who = store.somebody(bucket, *roles.split())
    answer = store.api("POST", f"b/{bucket}/o/object/restore", who=who, generation=number)
    assert answer.status == (200 if is_restored else 403)


def test_all_versions_are_listed_by_name_and_age(store: Store) -> None:
    bucket, client = store.bucket(**VERSIONED), store.client(store.owner)
    for name in ("b", "a", "b", "a", "c"):
        store.put(bucket, name)
    for page in (None, 1, 2):
        found = list(client.list_blobs(bucket, versions=True, page_size=page))
        assert names(found) == ["a", "a", "b", "b", "c"]
        assert [one.generation for one in found[:2]] == sorted(one.generation for one in found[:2])
    assert names(client.list_blobs(bucket)) == ["a", "b", "c"]
    assert names(client.list_blobs(bucket, versions=True, prefix="b")) == ["b", "b"]
