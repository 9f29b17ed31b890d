"""What can be done with containers and blobs, by Microsoft's own client."""

from __future__ import annotations

import hashlib
import itertools
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, BlobType, ContentSettings, StandardBlobTier
from blob_cloud import NAMES, VERSION, code_of, host_of

from recording_storage.sandbox.rest import Request, Undecided

if TYPE_CHECKING:
    from blob_cloud import BlobCloud

MEBIBYTE = 1024 * 1024
NAME_AND_SIZE = ("name", "size")


def test_a_recording_is_uploaded_in_blocks_and_read_back(blobs: BlobCloud) -> None:
    box = blobs.container(blobs.account(versioning=True))
    sizes = {
        "max_single_put_size": MEBIBYTE,
        "max_block_size": 4 * MEBIBYTE,
        "max_single_get_size": 5 * MEBIBYTE,
    }
    who = blobs.principal(("Storage Blob Data Contributor", box.id))
    blob = blobs.of_container(box, who, max_chunk_get_size=5 * MEBIBYTE, **sizes).get_blob_client(
        "c1/Ünïcode 1.mp4"
    )
    movie = os.urandom(12 * MEBIBYTE)
    settings = ContentSettings("video/mp4", cache_control="private")
    made = blob.upload_blob(
        movie, max_concurrency=3, metadata={"conversation": "c1"}, content_settings=settings
    )
    known = blob.get_blob_properties()
    assert (known.size, known.metadata, known.content_settings.content_type) == (
        len(movie),
        {"conversation": "c1"},
        "video/mp4",
    )
    assert (known.etag, known.version_id, known.is_current_version) == (
        made["etag"],
        made["version_id"],
        True,
    )
    committed, uncommitted = blob.get_block_list("all")
    assert ([one.size for one in committed], uncommitted) == ([4 * MEBIBYTE] * 3, [])
    assert hashlib.sha256(blob.download_blob().readall()).digest() == hashlib.sha256(movie).digest()
    old = blobs.of_container(box, who, **sizes).get_blob_client(blob.blob_name, version_id=made["version_id"])
    blob.upload_blob(b"other", overwrite=True)
    assert (
        old.download_blob().readall() == movie
    )  # in several ranges, each on the condition of the first one's ETag


def test_what_is_asked_for_is_a_range(blobs: BlobCloud) -> None:
    box = blobs.container()
    it = blobs.writer(box).get_blob_client("a")
    it.upload_blob(b"0123456789")
    assert it.download_blob(2, 3).readall() == b"234"
    assert it.download_blob(7).readall() == b"789"
    assert it.download_blob(1).readall() == b"123456789"
    url, token = it.url, blobs.token(blobs.principal(("Storage Blob Data Reader", box.id)))
    for asked, status in (("bytes=9-9", 206), ("bytes=9-20", 206), ("bytes=10-", 416), ("bytes=20-30", 416)):
        answer = blobs.call("GET", url, token, headers={"x-ms-range": asked})
        assert (answer.status_code, len(answer.content) == 1) == (status, status == 206)
        assert answer.headers.get("x-ms-error-code", "InvalidRange") == "InvalidRange"
    headers = {"authorization": f"Bearer {token}", "x-ms-version": VERSION, "range": "bytes=-1"}
    with pytest.raises(Undecided, match="range"):
        blobs.blob.answer(Request("GET", "https", host_of(box), f"/{box.name}/a", [], headers))


def test_an_empty_blob_is_one_too(blobs: BlobCloud) -> None:
    it = blobs.writer(blobs.container(blobs.account(versioning=True))).get_blob_client("a")
    made = it.upload_blob(b"")
    it.upload_blob(b"a", overwrite=True)
    it.upload_blob(b"", overwrite=True)
    assert it.download_blob().readall() == b""
    assert it.get_blob_properties().size == 0
    assert made["version_id"] < it.get_blob_properties().version_id


def test_blocks_are_staged_and_committed_in_an_order(blobs: BlobCloud) -> None:
    box = blobs.container()
    it = blobs.writer(box).get_blob_client("a")
    for name in ("1", "2", "3"):
        it.stage_block(name, name.encode())
    assert not it.exists()
    assert [one.name for one in blobs.writer(box).list_blobs(include=["uncommittedblobs"])] == ["a"]
    it.commit_block_list([BlobBlock("3"), BlobBlock("1")])
    assert it.download_blob().readall() == b"31"
    it.stage_block("4", b"4")
    it.commit_block_list([BlobBlock("1"), BlobBlock("4")])  # one of them from the blob itself
    assert it.download_blob().readall() == b"14"
    assert code_of(lambda: it.commit_block_list([BlobBlock("5")])) == "InvalidBlockList"


def test_blobs_are_listed_by_prefix_level_and_page(blobs: BlobCloud) -> None:
    box = blobs.container()
    it = blobs.writer(box)
    names = ["a", "b/1", "b/2", "b/c/3", "d &<ü", "e"]
    for name in names:
        it.upload_blob(name, name.encode(), metadata={"of": "b"})
    assert [one.name for one in it.list_blobs()] == names
    assert [one.name for one in it.list_blobs(name_starts_with="b/")] == ["b/1", "b/2", "b/c/3"]
    assert sorted(one.name for one in it.walk_blobs()) == ["a", "b/", "d &<ü", "e"]
    assert sorted(one.name for one in it.walk_blobs("b/")) == ["b/1", "b/2", "b/c/"]
    for walk in (it.list_blobs, it.walk_blobs):
        found = walk(results_per_page=2)
        pages = [[one.name for one in page] for page in found.by_page()]
        assert {len(page) for page in pages[:-1]} == {2}
        assert sorted(itertools.chain(*pages)) == sorted(one.name for one in walk())
    plain, full = next(iter(it.list_blobs())), next(iter(it.list_blobs(include=["metadata"])))
    assert (plain.metadata, full.metadata) == ({}, {"of": "b"})
    known = it.get_blob_client("a").get_blob_properties()
    assert (plain.size, plain.blob_type, plain.etag) == (1, "BlockBlob", known.etag.strip('"'))
    token = blobs.token(blobs.principal(("Storage Blob Data Reader", box.id)))
    text = blobs.call("GET", f"{it.url}?restype=container&comp=list", token).text
    assert f'ServiceEndpoint="https://{host_of(box)}/" ContainerName="{box.name}"' in text
    assert "127.0.0.1" not in text
    for query in ("maxresults=0", "marker=x"):
        answer = blobs.call("GET", f"{it.url}?restype=container&comp=list&{query}", token)
        assert (answer.status_code, answer.headers["x-ms-error-code"]) == (400, "OutOfRangeInput")


def test_conditions_and_leases_are_minded(blobs: BlobCloud) -> None:
    box = blobs.container(blobs.account(versioning=True, retention=7))
    it = blobs.writer(box).get_blob_client("a")
    first = it.upload_blob(b"a")
    assert code_of(lambda: it.upload_blob(b"b")) == "BlobAlreadyExists"
    met: dict[str, Any] = {"etag": first["etag"], "match_condition": MatchConditions.IfNotModified}
    assert code_of(lambda: it.upload_blob(b"b", overwrite=True, **met)) == ""
    assert code_of(lambda: it.upload_blob(b"c", overwrite=True, **met)) == "ConditionNotMet"
    lease = it.acquire_lease(15)
    for refused in (
        lambda: it.upload_blob(b"d", overwrite=True),
        it.delete_blob,
        lambda: it.set_blob_metadata({}),
    ):
        assert code_of(refused) == "LeaseIdMissing"
    assert code_of(lambda: it.upload_blob(b"d", overwrite=True, lease=lease)) == ""
    lease.release()
    assert code_of(it.delete_blob) == ""
    # what was refused has left no version
    assert [one.size for one in blobs.writer(box).list_blobs(include=["versions"])] == [1, 1, 1]


def test_what_is_said_of_a_blob_is_changed(blobs: BlobCloud) -> None:
    box = blobs.container()
    it = blobs.owner(box).get_blob_client("a")
    it.upload_blob(b"a", tags={"state": "new"})
    it.set_http_headers(ContentSettings("text/plain", content_language="de"))
    it.set_blob_metadata({"b": "c"})
    it.set_standard_blob_tier(StandardBlobTier.COOL)
    assert it.get_blob_tags() == {"state": "new"}
    it.set_blob_tags({"state": "old"})
    known = it.get_blob_properties()
    assert (known.content_settings.content_type, known.metadata, known.blob_tier) == (
        "text/plain",
        {"b": "c"},
        "Cool",
    )
    assert [one.tags for one in blobs.owner(box).list_blobs(include=["tags"])] == [{"state": "old"}]


def test_blobs_of_other_types_are_stored_too(blobs: BlobCloud) -> None:
    it = blobs.writer(blobs.container())
    log, disk = it.get_blob_client("log"), it.get_blob_client("disk")
    log.create_append_blob()
    log.append_block(b"one")
    log.append_block(b"two")
    assert log.download_blob().readall() == b"onetwo"
    disk.create_page_blob(1024)
    disk.upload_page(b"x" * 512, 512, 512)
    assert disk.download_blob().readall() == b"\0" * 512 + b"x" * 512
    assert [one.blob_type for one in it.list_blobs()] == [BlobType.PAGEBLOB, BlobType.APPENDBLOB]


def test_a_blob_is_copied_from_where_it_may_be_read(blobs: BlobCloud) -> None:
    account = blobs.account(versioning=True, allowBlobPublicAccess=True)
    here, there = blobs.container(account), blobs.container(account)
    elsewhere, public = (
        blobs.container(),
        blobs.container(blobs.account(allowBlobPublicAccess=True), publicAccess="Blob"),
    )
    for box in (here, there, elsewhere, public):
        blobs.owner(box).upload_blob("a ü", b"from " + box.name.encode())
    who = blobs.principal(("Storage Blob Data Contributor", here.id))
    target = blobs.of_container(here, who).get_blob_client("b")

    def copy(box: Any) -> str:
        return code_of(lambda: target.start_copy_from_url(blobs.of_container(box).get_blob_client("a ü").url))

    assert [copy(here), copy(public), copy(there), copy(elsewhere)] == [
        "",
        "",
        "AuthorizationPermissionMismatch",
        "PublicAccessNotPermitted",
    ]
    blobs.grant(who, "Storage Blob Data Reader", there.id)
    assert copy(there) == ""
    assert target.download_blob().readall() == b"from " + there.name.encode()
    source = blobs.of_container(there).get_blob_client("a ü").url
    known = target.get_blob_properties()
    assert (known.copy.status, known.copy.source) == ("success", source)
    assert [one.copy.source for one in blobs.of_container(here, who).list_blobs("b", include=["copy"])] == [
        source
    ]
    assert code_of(lambda: target.start_copy_from_url(source.replace("%20", "-"))) == "BlobNotFound"
    outside = {"x-ms-copy-source": "https://example.com/a", "x-ms-version": VERSION}
    outside["authorization"] = f"Bearer {blobs.token(who)}"
    with pytest.raises(Undecided, match="isn't a blob of the sandbox's"):
        blobs.blob.answer(Request("PUT", "https", host_of(here), f"/{here.name}/c", [], outside))


def test_containers_are_those_of_resource_manager(blobs: BlobCloud) -> None:
    account = blobs.account(containers=7)
    it = blobs.client(account, blobs.principal(("Storage Blob Data Owner", account.id)))
    name = f"made-{next(NAMES)}"
    box = it.create_container(name, metadata={"a": "b"})
    assert code_of(lambda: it.create_container(name)) == "ContainerAlreadyExists"
    assert code_of(lambda: it.create_container("Bad_Name")) == "InvalidResourceName"
    assert account.containers[name].properties["metadata"] == {"a": "b"}
    account.add_container("by-arm", blobs.world.now())
    assert [one.name for one in it.list_containers()] == ["by-arm", name]
    assert [one.name for one in it.list_containers("made", include_metadata=True)] == [name]
    assert [[one.name for one in page] for page in it.list_containers(results_per_page=1).by_page()] == [
        ["by-arm"],
        [name],
    ]
    box.set_container_metadata({"c": "d"})
    known = box.get_container_properties()
    assert (known.metadata, known.public_access, known.lease.state) == ({"c": "d"}, None, "available")
    box.upload_blob("a", b"a")
    box.delete_container()
    assert name not in account.containers
    assert code_of(box.get_container_properties) == "ContainerNotFound"
    assert code_of(lambda: box.upload_blob("a", b"a")) == "ContainerNotFound"
    with blobs.later(timedelta(days=3)):
        gone = next(one for one in it.list_containers(include_deleted=True) if one.deleted)
        assert (gone.name, gone.deleted) == (name, True)
        answer = blobs.call(
            "GET", f"{it.url}?comp=list&include=deleted", blobs.token(blobs.principal(("Reader", account.id)))
        )
        assert "<RemainingRetentionDays>3</RemainingRetentionDays>" in answer.text
        assert (
            it.undelete_container(name, str(gone.version)).get_blob_client("a").download_blob().readall()
            == b"a"
        )
    box.delete_container()
    with blobs.later(timedelta(days=8)):
        assert [one.name for one in it.list_containers(include_deleted=True)] == ["by-arm"]


def test_a_container_that_is_made_anew_is_empty(blobs: BlobCloud) -> None:
    account = blobs.account()
    it = blobs.client(account, account.keys["key1"])
    box = it.create_container("calls")
    box.upload_blob("a", b"a")
    box.delete_container()
    assert [one.name for one in it.create_container("calls").list_blobs()] == []


def test_public_access_is_set_where_the_account_allows_it(blobs: BlobCloud) -> None:
    for allowed, code in ((True, ""), (False, "PublicAccessNotPermitted")):
        account = blobs.account(allowBlobPublicAccess=allowed)
        it = blobs.client(account, account.keys["key1"])
        assert code_of(lambda it=it: it.create_container("open", public_access="blob")) == code
        box = it.get_container_client("shut")
        box.create_container()
        assert code_of(lambda box=box: box.set_container_access_policy({}, public_access="container")) == code
        assert box.get_container_access_policy()["public_access"] == ("container" if allowed else None)


def test_the_services_properties_are_the_accounts(blobs: BlobCloud) -> None:
    for days in (0, 14):
        account = blobs.account(retention=days)
        it = blobs.client(account, blobs.principal(("Contributor", account.id)))
        policy = it.get_service_properties()["delete_retention_policy"]
        assert (policy.enabled, policy.days) == (bool(days), days or None)


@pytest.mark.parametrize(
    "header",
    ["x-ms-encryption-key", "x-ms-encryption-scope", "x-ms-immutability-policy-mode", "x-ms-content-crc64"],
)
def test_what_is_beyond_the_stand_in_is_undecided(blobs: BlobCloud, header: str) -> None:
    box = blobs.container()
    token = blobs.token(blobs.principal(("Storage Blob Data Contributor", box.id)))
    headers = {
        "authorization": f"Bearer {token}",
        "x-ms-version": "2025-11-05",
        "x-ms-blob-type": "BlockBlob",
    }
    host, path = f"{box.account.name}.blob.core.windows.net", f"/{box.name}/a"
    assert blobs.blob.answer(Request("PUT", "https", host, path, [], headers, b"a")).status == 201
    with pytest.raises(Undecided):
        blobs.blob.answer(Request("PUT", "https", host, path, [], headers | {header: "x"}, b"a"))
