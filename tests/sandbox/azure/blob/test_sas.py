"""Addresses that carry what may be done, signed: with the account's key, or in somebody's name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from azure.storage.blob import (
    BlobClient,
    ContainerClient,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)
from blob_cloud import code_of, host_of

from recording_storage.sandbox.rest import Request, Undecided

if TYPE_CHECKING:
    from blob_cloud import BlobCloud

    from recording_storage.sandbox.azure.world import Container

MISMATCH, FAILED = "AuthorizationPermissionMismatch", "AuthenticationFailed"
HOUR = timedelta(hours=1)


@pytest.fixture
def box(blobs: BlobCloud) -> Container:
    made = blobs.container(blobs.account(versioning=True))
    blobs.owner(made).upload_blob("a ü", b"a")
    return made


def ways(it: ContainerClient, name: str = "a ü") -> list[str]:
    """How reading, listing, writing anew, overwriting and deleting end."""
    blob: BlobClient = it.get_blob_client(name)
    return [
        code_of(blob.download_blob),
        code_of(lambda: list(it.list_blobs())),
        code_of(lambda: it.upload_blob("new", b"n", overwrite=True)),
        code_of(lambda: blob.upload_blob(b"b", overwrite=True)),
        code_of(blob.delete_blob),
    ]


def test_a_containers_signature_permits_what_its_letters_say(blobs: BlobCloud, box: Container) -> None:
    account, until = box.account, blobs.world.now() + HOUR

    def signed(letters: str, **more: Any) -> list[str]:
        key = more.pop("key", account.keys["key2"])
        sas = generate_container_sas(account.name, box.name, key, permission=letters, expiry=until, **more)
        return ways(blobs.of_container(box, sas))

    assert signed("rl") == ["", "", MISMATCH, MISMATCH, MISMATCH]
    assert signed("c") == [MISMATCH, MISMATCH, "", "UnauthorizedBlobOverwrite", MISMATCH]
    assert signed("w") == [MISMATCH, MISMATCH, "", "", MISMATCH]
    assert signed("rwdl", key=blobs.account().keys["key1"]) == [FAILED] * 5
    with blobs.later(2 * HOUR):
        assert signed("rwdl") == [FAILED] * 5
    assert signed("rwdl", start=blobs.world.now() + HOUR / 2) == [FAILED] * 5
    account.properties["allowSharedKeyAccess"] = False
    assert signed("rwdl") == ["KeyBasedAuthenticationNotPermitted"] * 5
    account.properties["allowSharedKeyAccess"] = True
    assert signed("rwdl") == [""] * 5


def test_a_blobs_signature_is_for_that_blob(blobs: BlobCloud, box: Container) -> None:
    until = blobs.world.now() + HOUR
    sas = generate_blob_sas(
        box.account.name, box.name, "a ü", account_key=box.account.keys["key1"], permission="r", expiry=until,
        content_type="video/mp4",
    )  # fmt: skip
    it = blobs.of_container(box, sas)
    blobs.owner(box).upload_blob("b", b"b")
    assert code_of(lambda: it.get_blob_client("b").download_blob()) == FAILED
    assert it.get_blob_client("a ü").get_blob_properties().content_settings.content_type == "video/mp4"
    other = blobs.container(box.account)
    blobs.owner(other).upload_blob("a ü", b"b")
    assert code_of(lambda: blobs.of_container(other, sas).get_blob_client("a ü").download_blob()) == FAILED


def test_an_accounts_signature_is_for_kinds_of_things(blobs: BlobCloud, box: Container) -> None:
    account, until = box.account, blobs.world.now() + HOUR

    def signed(kinds: str, letters: str, **more: Any) -> list[str]:
        sas = generate_account_sas(account.name, account.keys["key1"], kinds, letters, until, **more)  # pyright: ignore
        client = blobs.client(account, sas)
        return [code_of(lambda: list(client.list_containers())), *ways(client.get_container_client(box.name))]

    kind = "AuthorizationResourceTypeMismatch"
    assert signed("o", "r") == [kind, "", kind, MISMATCH, MISMATCH, MISMATCH]
    assert signed("sc", "l") == ["", kind, "", kind, kind, kind]
    assert signed("sco", "rwdl") == [""] * 6
    box_again = blobs.owner(box)
    box_again.upload_blob("a ü", b"a")
    assert signed("sco", "rwdl", services="q") == ["AuthorizationServiceMismatch"] * 6


def test_a_delegated_signature_borrows_roles(blobs: BlobCloud, box: Container) -> None:
    account, now = box.account, blobs.world.now()
    account.properties["allowSharedKeyAccess"] = False
    reader = blobs.principal(("Storage Blob Data Reader", box.id), ("Storage Blob Delegator", account.id))
    client = blobs.client(account, reader)
    key = client.get_user_delegation_key(now, now + HOUR)
    assert code_of(lambda: client.get_user_delegation_key(now, now + timedelta(days=8))) == "OutOfRangeInput"
    nobody = blobs.client(account, blobs.principal(("Storage Blob Data Reader", box.id)))
    assert code_of(lambda: nobody.get_user_delegation_key(now, now + HOUR)) == MISMATCH

    def signed(**changed: Any) -> list[str]:
        given: dict[str, Any] = {
            "user_delegation_key": key,
            "permission": "rwl",
            "expiry": now + HOUR,
            **changed,
        }
        return ways(blobs.of_container(box, generate_container_sas(account.name, box.name, **given)))

    assert signed() == ["", "", MISMATCH, MISMATCH, MISMATCH]  # as the reader may
    assert signed(permission="l") == [MISMATCH, "", MISMATCH, MISMATCH, MISMATCH]
    key.value = "AAAA"
    assert signed() == [FAILED] * 5
    key = client.get_user_delegation_key(now, now + HOUR)
    key.signed_oid = str(blobs.principal(("Storage Blob Data Owner", box.id)).object_id)
    assert signed() == [FAILED] * 5  # nobody signs in another's name
    key = client.get_user_delegation_key(now, now + HOUR)
    with blobs.later(2 * HOUR):
        assert signed(expiry=now + 5 * HOUR) == [FAILED] * 5  # the key has expired
    blobs.world.assignments = [one for one in blobs.world.assignments if one.principal_id != reader.object_id]
    assert signed() == [MISMATCH] * 5


def test_a_signature_may_be_for_https_only(blobs: BlobCloud) -> None:
    box = blobs.container(blobs.account(supportsHttpsTrafficOnly=False))
    blobs.owner(box).upload_blob("a", b"a")
    url = f"://{box.account.name}.blob.core.windows.net/{box.name}/a?"
    for protocol, status in (("https", 403), ("https,http", 200)):
        url_and = url + generate_container_sas(
            box.account.name, box.name, box.account.keys["key1"], permission="r", protocol=protocol,
            expiry=blobs.world.now() + HOUR,
        )  # fmt: skip
        assert blobs.call("GET", "http" + url_and).status_code == status
        assert blobs.call("GET", "https" + url_and).status_code == 200


@pytest.mark.parametrize("more", [{"policy_id": "p"}, {"ip": "203.0.113.7"}, {"encryption_scope": "e"}])
def test_what_a_signature_may_also_say_is_undecided(
    blobs: BlobCloud, box: Container, more: dict[str, str]
) -> None:
    until, key = blobs.world.now() + HOUR, box.account.keys["key1"]

    def asked(said: dict[str, Any]) -> Request:
        sas = generate_container_sas(box.account.name, box.name, key, permission="r", expiry=until, **said)
        return Request("GET", "https", host_of(box), f"/{box.name}/a%20%C3%BC", parse_qsl(sas), {})

    assert blobs.blob.answer(asked({})).status == 200
    with pytest.raises(Undecided, match="shared access signature with"):
        blobs.blob.answer(asked(more))
