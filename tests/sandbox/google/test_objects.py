"""Objects through real clients: what they are called, what is told of them, on what conditions, and what keeps them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import unique
from storage_world import UPLOAD, names, storing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from storage_world import Store

ODD_NAMES = [
    "c1/recording.mp4",
    "a//b",
    "a/b/",
    "a/../b",
    "/a",
    "ä ö/ü.txt",
    "a+b&c=d?e#f",
    "100%25:x",
    "o/acl",
    "back\\slash",
    "🎬",
]


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


@pytest.fixture(scope="module")
def bucket(store: Store) -> str:
    """One for tests that mind only their own objects."""
    return store.bucket()


# What they are


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_object_comes_back_as_it_was_written(store: Store, bucket: str, name: str) -> None:
    blob = store.blob(bucket, name)
    blob.upload_from_string(f"of {name}", content_type="text/plain")
    again = store.client(store.owner).bucket(bucket).get_blob(name)
    assert (again.name, again.size, again.content_type) == (name, len(f"of {name}".encode()), "text/plain")
    assert again.download_as_bytes().decode() == f"of {name}"
    copied = store.client(store.owner).bucket(bucket).copy_blob(again, again.bucket, f"{name}.copy")
    assert (copied.name, copied.md5_hash, copied.crc32c) == (f"{name}.copy", again.md5_hash, again.crc32c)
    for one in (again, copied):
        one.delete()
    assert not store.blob(bucket, name).exists()


def test_names_that_are_nearly_the_same_are_different(store: Store) -> None:
    bucket = store.bucket()
    for name in ODD_NAMES:
        store.put(bucket, name, name)
    assert names(store.client(store.owner).list_blobs(bucket)) == sorted(ODD_NAMES)
    assert [store.blob(bucket, name).download_as_bytes().decode() for name in ODD_NAMES] == ODD_NAMES


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "a\rb", "x" * 1025, ".well-known/acme-challenge/x"])
def test_an_object_cant_be_called_so(store: Store, bucket: str, name: str) -> None:
    answer = store.api("POST", f"{UPLOAD}/b/{bucket}/o", b"x", uploadType="media", name=name)
    assert answer.status == 400


def test_what_can_be_said_of_an_object(store: Store, bucket: str) -> None:
    blob = store.blob(bucket, unique("said"))
    blob.metadata, blob.cache_control = {"a": "1", "b": "2"}, "no-store"
    blob.upload_from_string("x", content_type="video/mp4")
    assert (blob.metadata, blob.metageneration, blob.storage_class) == ({"a": "1", "b": "2"}, 1, "STANDARD")
    blob.metadata = {"a": None, "c": "3"}
    blob.patch()
    blob.reload()
    assert (blob.metadata, blob.metageneration) == ({"b": "2", "c": "3"}, 2)
    assert blob.updated > blob.time_created
    assert (blob.cache_control, blob.content_type) == ("no-store", "video/mp4")
    path = f"b/{bucket}/o/{blob.name}"
    replaced = store.api("PUT", path, {"contentType": "text/plain"}).said
    assert (replaced["contentType"], "metadata" in replaced, "cacheControl" in replaced) == (
        "text/plain",
        False,
        False,
    )
    for wrong in ({"metadata": {"a": 1}}, {"contentType": 5}, {"temporaryHold": "yes"}):
        assert store.api("PATCH", path, wrong).status == 400
    for unknown in ("retention", "contexts"):
        assert store.api("PATCH", path, {unknown: {"mode": "Locked"}}).status == 501


@pytest.mark.parametrize(
    ("said", "fine", "status", "kept"),
    [
        ({}, False, 200, {"storageClass": "COLDLINE", "contentType": "application/octet-stream"}),
        ({"storageClass": "NEARLINE"}, False, 200, {"storageClass": "NEARLINE"}),
        ({"storageClass": "RAPID"}, False, 501, {}),
        ({"contentType": "a/b"}, False, 200, {"contentType": "a/b"}),
        ({"eventBasedHold": False}, False, 200, {"eventBasedHold": False}),
        ({"acl": []}, False, 200, {"eventBasedHold": True}),
        ({"acl": [{"entity": "allUsers", "role": "READER"}]}, False, 400, {}),
        ({"acl": [{"entity": "allUsers", "role": "READER"}]}, True, 501, {}),
        ({"customTime": "2026-01-01T00:00:00Z"}, True, 200, {"customTime": "2026-01-01T00:00:00Z"}),
    ],
)
def test_a_new_object_has_what_its_bucket_says(
    store: Store, said: dict[str, Any], fine: bool, status: int, kept: dict[str, Any]
) -> None:
    bucket = store.bucket(fine=fine, storageClass="COLDLINE", defaultEventBasedHold=True)
    body = b"\n".join((b"--B", b"", json.dumps(said).encode(), b"--B", b"", b"x", b"--B--"))
    sent = {"Content-Type": "multipart/related; boundary=B"}
    query = {"uploadType": "multipart", "name": "object"}
    answer = store.api("POST", f"{UPLOAD}/b/{bucket}/o", body, headers=sent, **query)
    assert answer.status == status
    if status == 200:
        assert answer.said | kept == answer.said


def test_a_custom_time_stays(store: Store, bucket: str) -> None:
    path = f"b/{bucket}/o/{unique('dated')}"
    store.put(bucket, path.rpartition("/")[2])
    for said, status in (
        ("2026-01-01T00:00:00Z", 200),
        ("2026-01-01T00:00:00Z", 200),
        ("2026-01-02T00:00:00Z", 501),
    ):
        assert store.api("PATCH", path, {"customTime": said}).status == status


def test_lists_are_shown_where_access_isnt_uniform(store: Store) -> None:
    fine, uniform = store.bucket(fine=True), store.bucket()
    for bucket in (fine, uniform):
        store.put(bucket)
        reader = store.somebody(bucket, "objectViewer")
        for path in (f"b/{bucket}/o/object", f"b/{bucket}/o"):
            found = store.api("GET", path, projection="full").said
            one = found["items"][0] if "items" in found else found
            assert ("acl" in one) is (bucket == fine)
            assert store.api("GET", path, who=reader, projection="full").status == (
                403 if bucket == fine else 200
            )
    owners = [one["entity"] for one in store.api("GET", f"b/{fine}/o/object", projection="full").said["acl"]]
    assert f"user-{store.owner}" in owners


# In parts


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        (None, 200, "0123456789"),
        ("bytes=2-4", 206, "234"),
        ("bytes=8-", 206, "89"),
        ("bytes=-3", 206, "789"),
        ("bytes=-30", 206, "0123456789"),
        ("bytes=5-100", 206, "56789"),
        ("bytes=10-", 416, None),
        ("bytes=4-2", 200, "0123456789"),
        ("lines=1-2", 200, "0123456789"),
        ("bytes=-", 200, "0123456789"),
        ("bytes=0-1,3-4", 501, None),
    ],
)
def test_a_part_of_an_object(
    store: Store, bucket: str, asked: str | None, status: int, content: str | None
) -> None:
    store.put(bucket, "digits", "0123456789")
    path = f"https://storage.googleapis.com/download/storage/v1/b/{bucket}/o/digits"
    answer = store.api("GET", path, alt="media", headers={"Range": asked} if asked else {})
    assert answer.status == status
    if content is not None:
        assert answer.content.decode() == content
        assert answer.headers["X-Goog-Stored-Content-Length"] == "10"
    if status == 206:
        assert answer.headers["Content-Range"].endswith("/10")


def test_what_is_packed_is_sent_packed(store: Store, bucket: str) -> None:
    for encoding, status in (("gzip", 501), (None, 200)):
        blob = store.blob(bucket, unique("packed"))
        blob.content_encoding = encoding
        blob.upload_from_string(b"\x1f\x8bnot really")
        unpacked: dict[str, Any] = {"alt": "media", "headers": {"Accept-Encoding": "identity"}}
        assert store.api("GET", f"b/{bucket}/o/{blob.name}", **unpacked).status == status
        assert blob.download_as_bytes(raw_download=True) == b"\x1f\x8bnot really"


# On which conditions


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
@pytest.mark.parametrize(
    ("condition", "value", "when_there", "when_not"),
    [
        ("ifGenerationMatch", "now", 200, 412),
        ("ifGenerationMatch", "1", 412, 412),
        ("ifGenerationMatch", "0", 412, 200),
        ("ifGenerationNotMatch", "now", 304, 304),
        ("ifGenerationNotMatch", "1", 200, 304),
        ("ifGenerationNotMatch", "0", 200, 304),
        ("ifMetagenerationMatch", "1", 200, 412),
        ("ifMetagenerationMatch", "2", 412, 412),
        ("ifMetagenerationNotMatch", "1", 304, 304),
        ("ifMetagenerationNotMatch", "2", 200, 304),
        ("ifGenerationMatch", "x", 400, 400),
    ],
)
def test_an_object_is_written_on_conditions(
    store: Store, bucket: str, condition: str, value: str, when_there: int, when_not: int, there: bool
) -> None:
    name = unique("conditional")
    number = str(store.put(bucket, name)) if there else "5"
    query: dict[str, Any] = {
        condition: number if value == "now" else value,
        "uploadType": "media",
        "name": name,
    }
    answer = store.api("POST", f"{UPLOAD}/b/{bucket}/o", b"again", **query)
    assert answer.status == (when_there if there else when_not)
    expected = b"again" if answer.status == 200 else b"recording"
    if there or answer.status == 200:
        assert store.blob(bucket, name).download_as_bytes() == expected


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_object_is_read_changed_and_deleted_on_conditions(store: Store, bucket: str, method: str) -> None:
    name = unique("conditional")
    number = store.put(bucket, name)
    body: dict[str, Any] | None = {} if method == "PATCH" else None
    cases: list[tuple[dict[str, Any], int | None]] = [
        ({"ifGenerationMatch": number + 1}, 412),
        ({"ifMetagenerationMatch": 7}, 412),
        ({"ifGenerationNotMatch": number}, 304),
        ({"generation": number + 1}, 404),
        ({"generation": number, "ifGenerationMatch": number, "ifMetagenerationMatch": 1}, None),
    ]
    for query, status in cases:
        answer = store.api(method, f"b/{bucket}/o/{name}", body, **query)
        assert answer.status == (status or {"DELETE": 204}.get(method, 200))
        assert status != 304 or answer.headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "x"},
        {"If-None-Match": "x"},
        {"X-Goog-If-Generation-Match": "0"},
        {"X-Goog-Encryption-Algorithm": "AES256"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_conditions_and_keys_in_headers_are_undecided(
    store: Store, bucket: str, headers: dict[str, str]
) -> None:
    store.put(bucket)
    assert store.api("GET", f"b/{bucket}/o/object", headers=headers).status == 501
    assert store.api("GET", f"b/{bucket}/o/object", headers={"Accept-Language": "*"}).status == 200


# What keeps them


@pytest.mark.parametrize("hold", ["temporary_hold", "event_based_hold"])
def test_what_is_held_stays(store: Store, bucket: str, hold: str) -> None:
    blob = store.blob(bucket, unique("held"))
    blob.upload_from_string("x")
    setattr(blob, hold, True)
    blob.patch()
    for do in (blob.delete, lambda: blob.upload_from_string("y")):
        with store.refused(403, "hold and cannot be deleted, overwritten or archived"):
            do()
    setattr(blob, hold, False)
    blob.patch()
    assert getattr(store.client(store.owner).bucket(bucket).get_blob(blob.name), hold) is False
    blob.upload_from_string("y")
    blob.delete()


def test_what_a_bucket_retains_stays_for_so_long(store: Store) -> None:
    bucket = store.bucket(retentionPolicy={"retentionPeriod": 3600})
    blob = store.blob(bucket)
    blob.upload_from_string("x")
    assert blob.retention_expiration_time - blob.time_created == timedelta(hours=1)
    for do in (blob.delete, lambda: blob.upload_from_string("y")):
        with store.refused(403, "is subject to bucket's retention policy"):
            do()
    with store.cloud.later(timedelta(minutes=30)):
        blob.metadata = {"changed": "yes"}
        blob.patch()
    with store.cloud.later(timedelta(hours=1, seconds=1)):
        blob.delete()


def test_retention_counts_from_the_event(store: Store) -> None:
    bucket = store.bucket(retentionPolicy={"retentionPeriod": 3600}, defaultEventBasedHold=True)
    blob = store.blob(bucket)
    blob.upload_from_string("x")
    assert (blob.event_based_hold, blob.retention_expiration_time) == (True, None)
    with store.cloud.later(timedelta(hours=2)):
        blob.metadata = {"changed": "yes"}
        blob.patch()
        with store.refused(403, "under active Event-Based hold"):
            blob.delete()
        blob.event_based_hold = False
        blob.patch()
        with store.refused(403, "retention policy"):
            blob.delete()
    with store.cloud.later(timedelta(hours=3, minutes=1)):
        blob.delete()


def test_what_is_retained_in_versions_isnt_known(store: Store) -> None:
    bucket = store.bucket(retentionPolicy={"retentionPeriod": 3600}, versioning={"enabled": True})
    number = store.put(bucket)
    with store.cloud.undecided("retention policy"):
        store.api("DELETE", f"b/{bucket}/o/object")
    assert store.api("DELETE", f"b/{bucket}/o/object", generation=number).status == 403


# Listed


@pytest.mark.parametrize(
    ("query", "found", "prefixes"),
    [
        ({}, "a a/b a/b/c b/d e", ""),
        ({"prefix": "a/"}, "a/b a/b/c", ""),
        ({"delimiter": "/"}, "a e", "a/ b/"),
        ({"prefix": "a/", "delimiter": "/"}, "a/b", "a/b/"),
        ({"match_glob": "a/*"}, "a/b", ""),
        ({"match_glob": "a/**"}, "a/b a/b/c", ""),
        ({"start_offset": "a/b/"}, "a/b/c b/d e", ""),
        ({"end_offset": "b"}, "a a/b a/b/c", ""),
        ({"match_glob": "b/*", "delimiter": "/"}, "", "b/"),
        ({"delimiter": "b", "include_trailing_delimiter": True}, "a a/b e", "a/b b"),
        ({"delimiter": "b"}, "a e", "a/b b"),
        ({"prefix": "x"}, "", ""),
    ],
)
@pytest.mark.parametrize("page", [None, 1, 2])
def test_objects_are_listed(
    store: Store, listed: str, query: dict[str, Any], found: str, prefixes: str, page: int | None
) -> None:
    blobs = store.client(store.owner).list_blobs(listed, page_size=page, **query)
    assert (names(blobs), sorted(blobs.prefixes)) == (found.split(), prefixes.split())


@pytest.fixture(scope="module")
def listed(store: Store) -> str:
    bucket = store.bucket()
    for name in ("e", "b/d", "a/b/c", "a/b", "a"):
        store.put(bucket, name)
    return bucket


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"maxResults": "x"}, 400),
        ({"maxResults": "0"}, 200),
        ({"maxResults": "5000"}, 200),
        ({"pageToken": "x"}, 400),
        ({"matchGlob": "*", "delimiter": "-"}, 400),
        ({"softDeleted": "true", "versions": "true"}, 400),
        ({"filter": "x"}, 501),
        ({"userProject": "acme-prod"}, 501),
        ({"projection": "full"}, 200),
    ],
)
def test_what_cant_be_asked_of_a_list(store: Store, listed: str, query: dict[str, str], status: int) -> None:
    assert store.api("GET", f"b/{listed}/o", **query).status == status
