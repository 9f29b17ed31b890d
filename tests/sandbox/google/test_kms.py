"""Cloud KMS's own API: key rings, keys and their versions, and who may do what with them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import unique
from storage_world import ENCRYPTER, storing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from storage_world import Store

SYMMETRIC = {"purpose": "ENCRYPT_DECRYPT"}
VERSION = "cryptoKeyVersions/1"


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


def test_a_key_as_it_is_made(store: Store) -> None:
    name = store.key()
    found = store.kms("GET", name).said
    assert (
        found.pop("createTime") == found["primary"].pop("createTime") == found["primary"].pop("generateTime")
    )
    template = {"protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"}
    assert found == {
        "name": name,
        "primary": {"name": f"{name}/{VERSION}", "state": "ENABLED"} | template,
        "purpose": "ENCRYPT_DECRYPT",
        "versionTemplate": template,
        "destroyScheduledDuration": "2592000s",
    }
    ring, _, key = name.partition("/cryptoKeys/")
    assert store.kms("GET", ring).said["name"] == ring
    assert key in {
        one["name"].rpartition("/")[2] for one in store.kms("GET", f"{ring}/cryptoKeys").said["cryptoKeys"]
    }
    assert ring in {one["name"] for one in store.kms("GET", ring.rpartition("/")[0]).said["keyRings"]}
    assert [
        one["name"] for one in store.kms("GET", f"{name}/cryptoKeyVersions").said["cryptoKeyVersions"]
    ] == [f"{name}/{VERSION}"]
    for path in (f"{ring}x", f"{name}x", f"{name}/cryptoKeyVersions/2", f"{name}/cryptoKeyVersions/x"):
        assert store.kms("GET", path).status == 404


@pytest.mark.parametrize(
    ("id_", "said", "status"),
    [
        ("Key_1-a", SYMMETRIC, 200),
        ("", SYMMETRIC, 400),
        ("key.1", SYMMETRIC, 400),
        ("k" * 64, SYMMETRIC, 400),
        ("taken", SYMMETRIC, 409),
        ("unsaid", {}, 400),
        ("labelled", SYMMETRIC | {"labels": {"a": "b"}}, 200),
        (
            "rotated",
            SYMMETRIC | {"rotationPeriod": "86400s", "nextRotationTime": "2027-01-01T00:00:00Z"},
            200,
        ),
        (
            "rotated-soon",
            SYMMETRIC | {"rotationPeriod": "60s", "nextRotationTime": "2027-01-01T00:00:00Z"},
            400,
        ),
        ("rotated-never", SYMMETRIC | {"rotationPeriod": "86400s"}, 400),
        ("in-hardware", SYMMETRIC | {"versionTemplate": {"protectionLevel": "HSM"}}, 200),
        ("kept", SYMMETRIC | {"destroyScheduledDuration": "86400s"}, 200),
        ("kept-shortly", SYMMETRIC | {"destroyScheduledDuration": "3600s"}, 400),
        ("of-aes", SYMMETRIC | {"versionTemplate": {"algorithm": "AES_256_GCM"}}, 501),
        ("imported", SYMMETRIC | {"importOnly": True}, 501),
        ("backed", SYMMETRIC | {"cryptoKeyBackend": "ekm"}, 501),
        ("outside", SYMMETRIC | {"versionTemplate": {"protectionLevel": "EXTERNAL"}}, 501),
        ("signing", {"purpose": "ASYMMETRIC_SIGN"}, 501),
    ],
)
def test_which_keys_can_be_made(store: Store, id_: str, said: dict[str, Any], status: int) -> None:
    ring = store.key().partition("/cryptoKeys/")[0]
    if id_ == "taken":
        assert store.kms("POST", f"{ring}/cryptoKeys", SYMMETRIC, cryptoKeyId=id_).status == 200
    assert store.kms("POST", f"{ring}/cryptoKeys", said, cryptoKeyId=id_).status == status


@pytest.mark.parametrize(
    ("location", "id_", "status"),
    [("europe", "new", 200), ("europe", "ring", 409), ("Ireland", "new", 404), ("europe-west1", "n.w", 400)],
)
def test_which_key_rings_can_be_made(store: Store, location: str, id_: str, status: int) -> None:
    store.key()
    made = store.kms("POST", f"projects/acme-prod/locations/{location}/keyRings", {}, keyRingId=id_)
    assert made.status == status


def test_a_keys_settings_are_changed_by_name(store: Store) -> None:
    key = store.key()
    assert store.kms("PATCH", key, {"labels": {"a": "b"}}, updateMask="labels").said["labels"] == {"a": "b"}
    rotation = {"rotationPeriod": "86400s", "nextRotationTime": "2027-01-01T00:00:00Z"}
    mask = ",".join(rotation)
    assert rotation.items() <= store.kms("PATCH", key, rotation, updateMask=mask).said.items()
    cleared = store.kms("PATCH", key, {}, updateMask=mask).said
    assert ("rotationPeriod" in cleared, cleared["labels"]) == (False, {"a": "b"})
    for query, status in (({}, 400), ({"updateMask": "purpose"}, 501)):
        assert store.kms("PATCH", key, {"labels": {}}, **query).status == status


def test_a_version_is_destroyed_after_a_while(store: Store) -> None:
    key = store.key()
    path, mask = f"{key}/{VERSION}", {"updateMask": "state"}
    assert store.kms("POST", f"{path}:restore", {}).status == 400
    destroyed = store.kms("POST", f"{path}:destroy", {}).said
    assert (destroyed["state"], destroyed["destroyTime"][:4]) == ("DESTROY_SCHEDULED", "2026")
    for method, end, body in (("POST", ":destroy", {}), ("PATCH", "", {"state": "ENABLED"})):
        assert store.kms(method, path + end, body, **({} if end else mask)).status == 400
    with store.cloud.later(timedelta(days=29)):
        assert store.kms("GET", path).said["state"] == "DESTROY_SCHEDULED"
    with store.cloud.later(timedelta(days=31)):
        assert store.kms("GET", path).said["state"] == "DESTROYED"
        assert store.kms("POST", f"{path}:restore", {}).status == 400
    assert store.kms("POST", f"{path}:restore", {}).said["state"] == "DISABLED"
    for body, query in (({"state": "DESTROYED"}, mask), ({"state": "ENABLED"}, {})):
        assert store.kms("PATCH", path, body, **query).status == 400
    assert store.kms("PATCH", path, {"state": "ENABLED"}, **mask).said["state"] == "ENABLED"
    disabled = store.kms("PATCH", path, {"state": "DISABLED"}, **mask)
    assert disabled.said["state"] == "DISABLED"
    assert store.kms("POST", f"{key}:updatePrimaryVersion", {"cryptoKeyVersionId": "1"}).status == 400


@pytest.mark.parametrize(
    ("role", "permitted"),
    [
        ("roles/owner", "rings ring get list create iam policy destroy"),
        ("roles/cloudkms.admin", "rings ring get list create iam policy destroy"),
        ("roles/editor", "rings ring get list create iam"),
        ("roles/viewer", "rings get list iam"),
        ("roles/cloudkms.viewer", "rings get list"),
        (ENCRYPTER, ""),
        ("roles/storage.admin", ""),
    ],
)
def test_what_a_role_permits_with_keys(store: Store, role: str, permitted: str) -> None:
    key, who = store.key(), store.colleague(role)
    ring = key.partition("/cryptoKeys/")[0]
    rings = ring.rpartition("/")[0]
    answers = {
        "rings": store.kms("GET", rings, who=who),
        "ring": store.kms("POST", rings, {}, who, keyRingId=unique("ring")),
        "get": store.kms("GET", key, who=who),
        "list": store.kms("GET", f"{ring}/cryptoKeys", who=who),
        "create": store.kms("POST", f"{ring}/cryptoKeys", SYMMETRIC, who, cryptoKeyId=unique("key")),
        "iam": store.kms("GET", f"{key}:getIamPolicy", who=who),
        "policy": store.kms("POST", f"{key}:setIamPolicy", {"policy": {}}, who),
        "destroy": store.kms("POST", f"{key}/{VERSION}:destroy", {}, who),
    }
    assert {name for name, answer in answers.items() if answer.status == 200} == set(permitted.split())
    asked = {"permissions": ["cloudkms.cryptoKeys.get", "cloudkms.cryptoKeyVersions.useToEncrypt"]}
    held = store.kms("POST", f"{key}:testIamPermissions", asked, who).said.get("permissions", [])
    encrypts = role in (ENCRYPTER, "roles/owner")
    assert held == [
        one for one, has in zip(asked["permissions"], ("get" in permitted, encrypts), strict=True) if has
    ]


def test_what_cant_be_asked_of_a_key(store: Store) -> None:
    key = store.key()
    for method, path in (("POST", ":encrypt"), ("POST", ":decrypt"), ("DELETE", ""), ("GET", "/importJobs")):
        with store.cloud.undecided():
            assert store.kms(method, key + path, {}).status == 501
    for query in ({"filter": "state=ENABLED"}, {"pageToken": "x"}):
        assert store.kms("GET", f"{key}/cryptoKeyVersions", **query).status == 501
