"""Versions, snapshots and what was deleted: what each operation keeps, and what can be had back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, StandardBlobTier
from blob_cloud import code_of

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient
    from blob_cloud import BlobCloud

    from recording_storage.sandbox.azure.world import Container


def states(it: ContainerClient, *include: str) -> list[tuple[str, str]]:
    """What is listed, from the oldest on: what it is, and its content's length as a letter says it."""
    found: list[tuple[str, str]] = []
    for one in it.list_blobs(include=[*include]):
        kind = "snapshot" if one.snapshot else "blob"
        if one.version_id and not one.is_current_version:
            kind = "version"
        found.append((f"{'deleted ' if one.deleted else ''}{kind}", "-abcdef"[one.size or 0]))
    return found


def content(letter: str) -> bytes:
    return b"." * "-abcdef".index(letter)


def read(it: ContainerClient, **which: Any) -> int:
    return len(it.get_blob_client("x", **which).download_blob().readall())


@pytest.fixture
def versioned(blobs: BlobCloud) -> Container:
    return blobs.container(blobs.account(versioning=True))


def test_every_write_makes_a_version(blobs: BlobCloud, versioned: Container) -> None:
    it = blobs.owner(versioned)
    blob = it.get_blob_client("x")
    first = blob.upload_blob(content("a"), metadata={"m": "1"})
    blob.stage_block("1", content("b"))
    blob.commit_block_list([BlobBlock("1")])
    third = blob.set_blob_metadata({"m": "3"})
    source = it.upload_blob("source", content("c"))
    blob.start_copy_from_url(source.url)
    assert states(it, "versions")[1:] == [("version", "a"), ("version", "b"), ("version", "b"), ("blob", "c")]
    assert states(it)[1:] == [("blob", "c")]
    shown = list(it.list_blobs("x", include=["versions", "metadata"]))
    assert [one.metadata or {} for one in shown] == [{"m": "1"}, {}, {"m": "3"}, {}]
    assert (shown[0].version_id, shown[2].version_id) == (first["version_id"], third["version_id"])
    assert sorted({str(one.version_id) for one in shown}) == [one.version_id for one in shown]
    # what makes none
    for change in (
        lambda: blob.set_http_headers(),
        lambda: blob.set_blob_tags({"a": "b"}),
        lambda: blob.stage_block("2", b"2"),
        lambda: blob.set_standard_blob_tier(StandardBlobTier.COOL),
    ):
        change()
        assert len(states(it, "versions")) == 5


def test_a_version_stays_what_it_was(blobs: BlobCloud, versioned: Container) -> None:
    it = blobs.writer(versioned)
    blob = it.get_blob_client("x")
    made = blob.upload_blob(b"first", metadata={"m": "1"})
    first = blob.get_blob_properties()
    blob.upload_blob(b"second", overwrite=True)
    old = it.get_blob_client("x", version_id=made["version_id"])
    known = old.get_blob_properties()
    for name in ("etag", "last_modified", "creation_time", "metadata", "size", "version_id"):
        assert getattr(known, name) == getattr(first, name), name
    assert (first.is_current_version, known.is_current_version) == (True, None)
    assert old.download_blob(1, 3).readall() == b"irs"
    current = it.get_blob_client("x", version_id=blob.get_blob_properties().version_id)
    assert current.download_blob().readall() == b"second"
    asked = {condition: {"etag": made["etag"], "match_condition": condition} for condition in MatchConditions}
    unmet: dict[str, Any] = {"etag": '"0x1"', "match_condition": MatchConditions.IfNotModified}
    assert _ends(old, asked[MatchConditions.IfNotModified]) == ""
    assert _ends(old, asked[MatchConditions.IfModified]) == "ConditionNotMet"
    assert _ends(old, unmet) == "ConditionNotMet"
    nothing = it.get_blob_client("x", version_id="2020-01-01T00:00:00.0000000Z")
    assert _ends(nothing, {}) == "BlobNotFound"


def _ends(blob: Any, said: dict[str, Any]) -> str:
    """How reading it on these conditions ends."""
    return code_of(lambda: blob.download_blob(**said).readall())


def test_what_is_deleted_is_a_version(blobs: BlobCloud, versioned: Container) -> None:
    it = blobs.owner(versioned)
    blob = it.get_blob_client("x")
    made = blob.upload_blob(content("a"))
    blob.delete_blob()
    assert code_of(blob.download_blob) == "BlobNotFound"
    assert states(it, "versions", "deleted") == [("version", "a")]
    assert read(it, version_id=made["version_id"]) == 1
    assert code_of(lambda: blob.upload_blob(content("b"))) == ""  # there is none that would be overwritten
    assert states(it, "versions") == [("version", "a"), ("blob", "b")]
    # promote: a version is copied over the blob
    blob.start_copy_from_url(f"{blob.url}?versionid={made['version_id']}")
    assert states(it, "versions") == [("version", "a"), ("version", "b"), ("blob", "a")]
    assert blob.get_blob_properties().copy.source == f"{blob.url}?versionid={made['version_id']}"


def test_a_version_is_deleted_by_who_may(blobs: BlobCloud, versioned: Container) -> None:
    writer, owner = blobs.writer(versioned), blobs.owner(versioned)
    first = writer.get_blob_client("x").upload_blob(content("a"))
    second = writer.get_blob_client("x").upload_blob(content("b"), overwrite=True)
    old = {"version_id": first["version_id"]}
    assert (
        code_of(lambda: writer.get_blob_client("x", **old).delete_blob()) == "AuthorizationPermissionMismatch"
    )
    current = owner.get_blob_client("x", version_id=second["version_id"])
    assert code_of(current.delete_blob) == "OperationNotAllowedOnRootBlob"
    assert code_of(lambda: owner.get_blob_client("x", **old).delete_blob()) == ""
    assert states(owner, "versions", "deleted") == [("blob", "b")]
    assert code_of(lambda: read(owner, **old)) == "BlobNotFound"


def test_versions_begin_and_end_with_the_setting(blobs: BlobCloud) -> None:
    account = blobs.account()
    it = blobs.owner(blobs.container(account))
    blob = it.get_blob_client("x")
    blob.upload_blob(content("a"))
    blob.upload_blob(content("b"), overwrite=True)
    assert states(it, "versions") == [("blob", "b")]
    assert blob.get_blob_properties().version_id is None
    account.blob_service["isVersioningEnabled"] = True
    blob.upload_blob(content("c"), overwrite=True)
    assert states(it, "versions") == [
        ("version", "b"),
        ("blob", "c"),
    ]  # which was made before there were versions
    account.blob_service["isVersioningEnabled"] = False
    blob.upload_blob(content("d"), overwrite=True)
    blob.upload_blob(content("e"), overwrite=True)
    assert states(it, "versions") == [("version", "b"), ("version", "c"), ("blob", "e")]
    blob.delete_blob()
    assert states(it, "versions") == [("version", "b"), ("version", "c")]


# Soft delete


@pytest.mark.parametrize("days", [0, 7])
def test_a_blob_is_had_back_for_some_days(blobs: BlobCloud, days: int) -> None:
    it = blobs.owner(blobs.container(blobs.account(retention=days)))
    blob = it.get_blob_client("x")
    blob.upload_blob(content("a"), metadata={"m": "1"})
    blob.delete_blob()
    assert states(it) == []
    assert states(it, "deleted") == ([("deleted blob", "a")] if days else [])
    assert code_of(blob.download_blob) == "BlobNotFound"
    assert code_of(blob.undelete_blob) == ("" if days else "BlobNotFound")
    if days:
        assert states(it, "deleted") == [("blob", "a")]
        known = blob.get_blob_properties()
        assert (known.metadata, known.copy.source) == ({"m": "1"}, None)
        assert code_of(blob.undelete_blob) == ""
        blob.delete_blob()
        with blobs.later(timedelta(days=6, hours=23)):
            gone = next(iter(it.list_blobs(include=["deleted"])))
            assert (gone.deleted, gone.remaining_retention_days) == (True, 0)
        with blobs.later(timedelta(days=days)):
            assert states(it, "deleted") == []
            assert code_of(blob.undelete_blob) == "BlobNotFound"


def test_what_is_overwritten_is_had_back_as_a_snapshot(blobs: BlobCloud) -> None:
    it = blobs.owner(blobs.container(blobs.account(retention=7)))
    blob = it.get_blob_client("x")
    blob.upload_blob(content("a"))
    blob.upload_blob(content("b"), overwrite=True)
    blob.set_blob_metadata({"m": "1"})  # which isn't protected
    assert states(it, "snapshots") == [("blob", "b")]
    assert states(it, "snapshots", "deleted") == [("deleted snapshot", "a"), ("blob", "b")]
    blob.delete_blob()
    blob.upload_blob(content("c"))
    assert states(it, "snapshots", "deleted") == [
        ("deleted snapshot", "a"),
        ("deleted snapshot", "b"),
        ("blob", "c"),
    ]
    blob.undelete_blob()
    assert states(it, "snapshots") == [("snapshot", "a"), ("snapshot", "b"), ("blob", "c")]
    snapshot = next(iter(it.list_blobs(include=["snapshots"])))
    assert read(it, snapshot=str(snapshot.snapshot)) == 1
    blob.start_copy_from_url(f"{blob.url}?snapshot={snapshot.snapshot}")
    assert read(it) == 1


def test_with_both_a_deleted_version_is_had_back(blobs: BlobCloud) -> None:
    it = blobs.owner(blobs.container(blobs.account(versioning=True, retention=7)))
    blob = it.get_blob_client("x")
    first = blob.upload_blob(content("a"))
    blob.upload_blob(content("b"), overwrite=True)
    blob.delete_blob()
    assert states(it, "versions", "deleted") == [
        ("version", "a"),
        ("version", "b"),
    ]  # neither is soft-deleted
    it.get_blob_client("x", version_id=first["version_id"]).delete_blob()
    assert states(it, "versions") == [("version", "b")]
    assert states(it, "versions", "deleted") == [("deleted version", "a"), ("version", "b")]
    assert code_of(lambda: read(it, version_id=first["version_id"])) == "BlobNotFound"
    blob.undelete_blob()
    assert states(it, "versions") == [("version", "a"), ("version", "b")]  # and none of them is current
    with blobs.later(timedelta(days=8)):
        assert states(it, "versions", "deleted") == [("version", "a"), ("version", "b")]


# Snapshots


@pytest.mark.parametrize("days", [0, 7])
def test_a_blob_with_snapshots_is_deleted_with_them(blobs: BlobCloud, days: int) -> None:
    it = blobs.owner(blobs.container(blobs.account(retention=days)))
    blob = it.get_blob_client("x")
    blob.upload_blob(content("a"))
    taken = blob.create_snapshot()["snapshot"]
    blob.set_blob_metadata({"m": "1"})
    assert read(it, snapshot=str(taken)) == 1
    assert states(it, "snapshots") == [("snapshot", "a"), ("blob", "a")]
    assert code_of(blob.delete_blob) == "SnapshotsPresent"
    blob.delete_blob("include")
    assert states(it, "snapshots") == []
    assert states(it, "snapshots", "deleted") == (
        [("deleted snapshot", "a"), ("deleted blob", "a")] if days else []
    )
    if days:
        blob.undelete_blob()
        assert states(it, "snapshots") == [("snapshot", "a"), ("blob", "a")]
        it.get_blob_client("x", str(taken)).delete_blob()
        assert states(it, "snapshots") == [("blob", "a")]
        blob.create_snapshot()
        blob.delete_blob("only")
        assert states(it, "snapshots") == [("blob", "a")]


def test_a_snapshot_makes_a_version_too(blobs: BlobCloud, versioned: Container) -> None:
    it = blobs.owner(versioned)
    blob = it.get_blob_client("x")
    first = blob.upload_blob(content("a"))
    assert code_of(lambda: it.get_blob_client("y").create_snapshot()) == "BlobNotFound"
    other: dict[str, Any] = {"etag": '"0x1"', "match_condition": MatchConditions.IfNotModified}
    assert code_of(lambda: blob.create_snapshot(**other)) == "ConditionNotMet"
    assert states(it, "versions", "snapshots") == [("blob", "a")]
    blob.create_snapshot()
    assert sorted(states(it, "versions", "snapshots")) == [("blob", "a"), ("snapshot", "a"), ("version", "a")]
    assert read(it, version_id=first["version_id"]) == 1
