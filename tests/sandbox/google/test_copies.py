"""Objects made from others: copied, rewritten and composed, and what that needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import unique
from storage_world import storing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from storage_world import Store


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


def test_objects_are_copied_and_composed(store: Store) -> None:
    bucket = store.client(store.owner).bucket(store.bucket())
    parts = [bucket.blob(name) for name in ("one", "two")]
    for part in parts:
        part.metadata = {"part": part.name}
        part.upload_from_string(part.name, content_type="text/plain")
    whole = bucket.blob("whole")
    whole.content_type = "text/plain"
    whole.compose(parts)
    assert (whole.component_count, whole.md5_hash, whole.crc32c is None) == (2, None, False)
    assert whole.download_as_bytes() == b"onetwo"
    token, written, size = (copy := bucket.blob("copy")).rewrite(parts[0])
    assert (token, written, size, copy.metadata) == (None, 3, 3, {"part": "one"})
    cold = bucket.blob("one")
    cold.update_storage_class("COLDLINE")
    assert (cold.storage_class, bucket.get_blob("one").storage_class) == ("COLDLINE", "COLDLINE")
    again = bucket.blob("again")
    again.compose([whole, parts[1]])
    assert again.component_count == 3


@pytest.mark.parametrize(
    ("source", "more", "status"),
    [
        ({}, {}, 200),
        ({"generation": "{old}"}, {}, 200),
        ({"generation": "7"}, {}, 404),
        ({"objectPreconditions": {"ifGenerationMatch": "{new}"}}, {}, 200),
        ({"objectPreconditions": {"ifGenerationMatch": "{old}"}}, {}, 412),
        ({"name": "nothing"}, {}, 404),
        (None, {}, 400),
        ({}, {"deleteSourceObjects": True}, 501),
        ({}, {"destination": {"storageClass": "RAPID"}}, 501),
        ({}, {"destination": {"storageClass": "ARCHIVE"}}, 200),
    ],
)
def test_what_can_be_composed(store: Store, source: Any, more: dict[str, Any], status: int) -> None:
    bucket = store.bucket(versioning={"enabled": True})
    old, new = store.put(bucket, "part", "old"), store.put(bucket, "part", "new")
    sources = [] if source is None else [{"name": "part"} | source]
    text = json.dumps({"sourceObjects": sources} | more).replace("{old}", str(old)).replace("{new}", str(new))
    answer = store.api("POST", f"b/{bucket}/o/whole/compose", json.loads(text))
    assert answer.status == status
    if status == 200:
        assert store.blob(bucket, "whole").download_as_bytes() == (
            b"old" if "generation" in (source or {}) else b"new"
        )
    many = {"sourceObjects": [{"name": "part"}] * 33}
    assert store.api("POST", f"b/{bucket}/o/whole/compose", many).status == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 200),
        ({"ifSourceGenerationMatch": "{new}"}, 200),
        ({"ifSourceGenerationMatch": "{old}"}, 412),
        ({"ifSourceMetagenerationMatch": "2"}, 412),
        ({"ifGenerationMatch": "0"}, 200),
        ({"ifGenerationMatch": "{new}"}, 412),
        ({"sourceGeneration": "{old}"}, 200),
        ({"sourceGeneration": "7"}, 404),
        ({"rewriteToken": "x"}, 501),
        ({"destinationPredefinedAcl": "publicRead"}, 501),
    ],
)
@pytest.mark.parametrize("verb", ["rewriteTo", "copyTo"])
def test_what_can_be_copied(store: Store, query: dict[str, str], status: int, verb: str) -> None:
    bucket = store.bucket(versioning={"enabled": True})
    old, new = store.put(bucket, "source", "old"), store.put(bucket, "source", "new")
    asked = {name: value.format(old=old, new=new) for name, value in query.items()}
    answer = store.api("POST", f"b/{bucket}/o/source/{verb}/b/{bucket}/o/target", {}, **asked)
    assert answer.status == status
    if status == 200:
        expected = b"old" if "sourceGeneration" in query else b"new"
        assert store.blob(bucket, "target").download_as_bytes() == expected
    composed = store.api("POST", f"b/{bucket}/o/x/compose?destinationPredefinedAcl=private", {})
    assert composed.status == 501


@pytest.mark.parametrize(
    ("source", "target", "is_copied", "is_overwritten"),
    [
        ("objectViewer", "objectCreator", True, False),
        ("objectViewer", "objectUser", True, True),
        ("objectViewer", "objectViewer", False, False),
        ("objectCreator", "objectUser", False, False),
        ("objectViewer", "", False, False),
    ],
)
def test_a_copy_needs_what_a_read_and_a_write_need(
    store: Store, source: str, target: str, is_copied: bool, is_overwritten: bool
) -> None:
    one, other = store.bucket(), store.bucket()
    who = f"{unique('copier')}@example.com"
    for bucket, role in ((one, source), (other, target)):
        store.put(bucket, "there")
        if role:
            store.grant(bucket, f"roles/storage.{role}", f"user:{who}")
    for name, expected in (("new", is_copied), ("there", is_overwritten)):
        for verb in ("rewriteTo", "copyTo"):
            path = f"b/{one}/o/there/{verb}/b/{other}/o/{name if name == 'there' else verb}"
            assert store.api("POST", path, {}, who).status == (200 if expected else 403)


@pytest.mark.parametrize(
    ("roles", "new", "there"),
    [
        ("objectViewer objectCreator", 200, 403),
        ("objectUser", 200, 200),
        ("objectViewer", 403, 403),
        ("objectCreator", 403, 403),
    ],
)
def test_a_composition_needs_it_too(store: Store, roles: str, new: int, there: int) -> None:
    bucket = store.bucket()
    who = store.somebody(bucket, *roles.split())
    for name in ("part", "there"):
        store.put(bucket, name)
    for name, status in (("new", new), ("there", there)):
        sources = {"sourceObjects": [{"name": "part"}]}
        assert store.api("POST", f"b/{bucket}/o/{name}/compose", sources, who).status == status
