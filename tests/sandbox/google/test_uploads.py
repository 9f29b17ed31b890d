"""Uploads through real clients and by hand: in one request and in many, with checksums, and to whom they belong."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import unique
from storage_world import UPLOAD, storing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from storage_world import Answer, Store

CHUNK = 256 * 1024
PARTS, OCTETS = "multipart/related; boundary=B", "application/octet-stream"
WRONG = base64.b64encode(hashlib.md5(b"else").digest()).decode()  # noqa: S324


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


@pytest.fixture(scope="module")
def bucket(store: Store) -> str:
    return store.bucket()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
@pytest.mark.parametrize("chunk", [None, CHUNK], ids=["at once", "in chunks"])
def test_what_is_uploaded_comes_back(store: Store, bucket: str, size: int, chunk: int | None) -> None:
    content = os.urandom(size)
    blob = store.blob(bucket, unique("c/recording.mp4"), chunk_size=chunk)
    blob.upload_from_file(io.BytesIO(content), size=size, content_type="video/mp4", checksum="md5")
    assert (blob.size, blob.content_type) == (size, "video/mp4")
    assert blob.md5_hash == base64.b64encode(hashlib.md5(content).digest()).decode()  # noqa: S324
    assert store.blob(bucket, blob.name).download_as_bytes() == content


def test_twelve_mebibytes_of_unknown_length(store: Store, bucket: str) -> None:
    content = os.urandom(12 << 20)
    blob = store.blob(bucket, "long.mp4", chunk_size=4 << 20)
    with blob.open("wb") as file:
        file.write(content)
    with store.blob(bucket, "long.mp4").open("rb", chunk_size=4 << 20) as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("content", [b"", b"\r\n\r\n", b"--B", b"\r\n--C\r\n", b"\x00\xff\r", b"--B--\r"])
def test_any_bytes_may_be_in_the_second_part(
    store: Store, bucket: str, ending: bytes, content: bytes
) -> None:
    name = unique("parts")
    lines = [
        b"--B",
        b"",
        b'{"name": "%s"}' % name.encode(),
        b"--B",
        b"Content-Type: a/b",
        b"",
        content,
        b"--B--",
        b"",
    ]
    answer = store.api(
        "POST",
        f"{UPLOAD}/b/{bucket}/o",
        ending.join(lines),
        headers={"Content-Type": PARTS},
        uploadType="multipart",
    )
    assert (answer.status, answer.said["contentType"], answer.said["size"]) == (200, "a/b", str(len(content)))
    assert store.blob(bucket, name).download_as_bytes() == content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--B\r\n\r\n{}\r\n--B--",
        b"--B\r\n\r\n{\r\n--B\r\n\r\nx\r\n--B--",
        b"--B\r\n\r\n[]\r\n--B\r\n\r\nx\r\n--B--",
        b"--B\r\n\r\n{}\r\n--B\r\n\r\nwithout an end",
    ],
)
def test_two_parts_are_needed(store: Store, bucket: str, body: bytes) -> None:
    query = {"uploadType": "multipart", "name": "x"}
    answer = store.api("POST", f"{UPLOAD}/b/{bucket}/o", body, headers={"Content-Type": PARTS}, **query)
    assert answer.status == 400


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"md5Hash": "right"}, 200),
        ({"md5Hash": WRONG}, 400),
        ({"crc32c": "AAAAAA=="}, 400),
        ({"X-Goog-Hash": f"md5={WRONG}"}, 400),
        ({"X-Goog-Hash": "crc32c=AAAAAA==,md5=right"}, 400),
        ({"X-Goog-Hash": "md5=right"}, 200),
    ],
)
@pytest.mark.parametrize("kind", ["multipart", "resumable"])
def test_bytes_must_be_those_that_were_meant(
    store: Store, bucket: str, said: dict[str, str], status: int, kind: str
) -> None:
    content, name = b"meant", unique("meant")
    right = base64.b64encode(hashlib.md5(content).digest()).decode()  # noqa: S324
    said = {key: value.replace("right", right) for key, value in said.items()}
    hash_ = said.pop("X-Goog-Hash", "")
    headers = {"X-Goog-Hash": hash_} if hash_ else {}
    if kind == "resumable":
        session = begin(store, bucket, name, said)
        answer = store.api("PUT", session, content, headers=headers)
    else:
        resource = str({"name": name, **said}).replace("'", '"').encode()
        body = b"\r\n".join((b"--B", b"", resource, b"--B", b"", content, b"--B--"))
        sent = {"Content-Type": PARTS} | headers
        answer = store.api("POST", f"{UPLOAD}/b/{bucket}/o", body, headers=sent, uploadType="multipart")
    assert answer.status == status
    assert store.blob(bucket, name).exists() is (status == 200)


def begin(
    store: Store, bucket: str, name: str = "object", said: Any = None, who: str = "", **query: Any
) -> str:
    """The address of a new resumable upload."""
    begun = store.api(
        "POST", f"{UPLOAD}/b/{bucket}/o", said or {}, who, uploadType="resumable", name=name, **query
    )
    assert begun.status == 200, begun.content
    return begun.headers["Location"]


def send(store: Store, session: str, content: bytes, range_: str) -> Answer:
    """A part, sent by nobody in particular: the address is the permission."""
    headers = {"Content-Range": f"bytes {range_}"}
    return store.api("PUT", session, content, who=None, headers=headers)


def test_an_upload_goes_on_where_it_stopped(store: Store, bucket: str) -> None:
    name = unique("resumed")
    session = begin(store, bucket, name, {"metadata": {"a": "b"}})
    nothing = send(store, session, b"", "*/10")
    assert (nothing.status, nothing.headers.get("Range")) == (308, None)
    some = send(store, session, b"0123", "0-3/*")
    assert (some.status, some.headers["Range"]) == (308, "bytes=0-3")
    assert send(store, session, b"9", "9-9/10").status == 400
    assert send(store, session, b"", "*/10").headers["Range"] == "bytes=0-3"
    assert not store.blob(bucket, name).exists()
    done = send(store, session, b"456789", "4-9/10")
    assert (done.status, done.said["size"], done.said["metadata"]) == (200, "10", {"a": "b"})
    assert send(store, session, b"", "*/10").said["generation"] == done.said["generation"]
    assert store.blob(bucket, name).download_as_bytes() == b"0123456789"


def test_what_is_said_when_an_upload_begins(store: Store, bucket: str) -> None:
    path, query = f"{UPLOAD}/b/{bucket}/o", {"uploadType": "resumable"}
    for said, more, headers, status in (
        ({"name": "x"}, {}, {"X-Upload-Content-Type": "a/b"}, 200),
        ({"name": "x"}, {"name": "x"}, {}, 200),
        ({"name": "x"}, {"name": "y"}, {}, 400),
        ({}, {}, {}, 400),
        ({"name": "x", "storageClass": "RAPID"}, {}, {}, 501),
    ):
        begun = store.api("POST", path, said, headers=headers, **query, **more)
        assert begun.status == status
        if status == 200:
            done = store.api("POST", begun.headers["Location"], b"x", who=None)  # some send it so
            assert (done.status, done.said["contentType"]) == (
                200,
                headers.get("X-Upload-Content-Type", OCTETS),
            )


@pytest.mark.parametrize(
    ("said", "query", "kept"),
    [
        ({}, {}, {"contentType": "a/b"}),
        ({"contentType": "c/d"}, {}, {"contentType": "c/d"}),
        ({}, {"contentEncoding": "x"}, {"contentEncoding": "x"}),
        ({"contentEncoding": "y"}, {"contentEncoding": "x"}, {"contentEncoding": "x"}),
    ],
)
def test_what_is_said_of_it_comes_first(
    store: Store, bucket: str, said: dict[str, str], query: dict[str, str], kept: dict[str, str]
) -> None:
    lines = [
        b"--B",
        b"",
        json.dumps({"name": "x"} | said).encode(),
        b"--B",
        b"Content-Type: a/b",
        b"",
        b"x",
        b"--B--",
    ]
    sent: dict[str, Any] = {"headers": {"Content-Type": PARTS}, "uploadType": "multipart"}
    found = store.api("POST", f"{UPLOAD}/b/{bucket}/o", b"\n".join(lines), **sent, **query).said
    assert found | kept == found


def test_an_upload_is_given_up(store: Store, bucket: str) -> None:
    session = begin(store, bucket)
    assert store.api("DELETE", session + "x", who=None).status == 404
    assert store.api("DELETE", session, who=None).status == 499
    assert send(store, session, b"x", "0-0/1").status == 404


def test_an_upload_is_its_buckets(store: Store) -> None:
    bucket, other = store.bucket(), store.bucket()
    session = begin(store, bucket)
    assert send(store, session.replace(bucket, other), b"x", "0-0/1").status == 404
    assert send(store, session + "x", b"x", "0-0/1").status == 404
    store.client(store.owner).bucket(bucket).delete()
    assert send(store, session, b"x", "0-0/1").status == 404


def test_what_an_upload_overwrites_is_judged_at_both_ends(store: Store) -> None:
    bucket = store.bucket()
    writer, user = store.somebody(bucket, "objectCreator"), store.somebody(bucket, "objectUser")
    session = begin(store, bucket, who=writer)
    again = begin(store, bucket, who=writer)
    assert send(store, session, b"1", "0-0/1").status == 200
    with store.cloud.refused("roles/storage.objectCreator, which names"):
        assert send(store, again, b"2", "0-0/1").status == 403
    with store.cloud.refused():
        query = {"uploadType": "resumable", "name": "object"}
        assert store.api("POST", f"{UPLOAD}/b/{bucket}/o", {}, writer, **query).status == 403
    assert send(store, begin(store, bucket, who=user), b"3", "0-0/1").status == 200
    assert store.blob(bucket).download_as_bytes() == b"3"


def test_an_upload_keeps_its_conditions(store: Store) -> None:
    bucket = store.bucket()
    new = begin(store, bucket, ifGenerationMatch=0)
    late = begin(store, bucket, ifGenerationMatch=0)
    assert send(store, new, b"1", "0-0/1").status == 200
    assert send(store, late, b"2", "0-0/1").status == 412
    assert store.blob(bucket).download_as_bytes() == b"1"


def test_a_resumable_upload_over_what_is_held_is_refused_at_its_end(store: Store) -> None:
    bucket = store.bucket()
    store.put(bucket)
    store.api("PATCH", f"b/{bucket}/o/object", {"temporaryHold": True})
    assert send(store, begin(store, bucket), b"x", "0-0/1").status == 403
    store.api("PATCH", f"b/{bucket}/o/object", {"temporaryHold": False})
    assert send(store, begin(store, bucket), b"x", "0-0/1").status == 200


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ({}, {}, 400),
        ({"uploadType": "paper"}, {}, 400),
        ({"uploadType": "media"}, {"Content-Encoding": "gzip"}, 501),
        ({"uploadType": "media", "predefinedAcl": "publicRead"}, {}, 400),
        ({"uploadType": "media", "userProject": "acme-prod"}, {}, 501),
        ({"uploadType": "media"}, {}, 200),
    ],
)
def test_how_nothing_can_be_uploaded(
    store: Store, bucket: str, query: dict[str, str], headers: dict[str, str], status: int
) -> None:
    answer = store.api("POST", f"{UPLOAD}/b/{bucket}/o", b"x", headers=headers, name="x", **query)
    assert answer.status == status


def test_an_upload_belongs_under_upload(store: Store, bucket: str) -> None:
    assert store.api("POST", f"b/{bucket}/o", b"x", uploadType="media", name="x").status == 501
    resumable = f"https://storage.googleapis.com/resumable/upload/storage/v1/b/{bucket}/o"
    assert store.api("POST", resumable, {}, uploadType="resumable", name="x").status == 200
    shared = f"https://www.googleapis.com/upload/storage/v1/b/{bucket}/o"
    assert store.api("POST", shared, b"x", uploadType="media", name="x").status == 200
