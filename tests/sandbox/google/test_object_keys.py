"""Customer-managed keys of objects: Cloud Storage asks the key, as its own agent, on every write and read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import unique
from storage_world import ENCRYPTER, UPLOAD, storing

from recording_storage.sandbox.google import storage_occasion
from recording_storage.sandbox.google.access import Access
from recording_storage.sandbox.google.errors import GoogleError
from recording_storage.sandbox.google.keys import Keys
from recording_storage.sandbox.google.storage import Storage
from recording_storage.sandbox.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from google_cloud import Cloud
    from storage_world import Store

DENIED = "Permission denied on Cloud KMS key"
VERSION = "cryptoKeyVersions/1"


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


@contextmanager
def version(store: Store, key: str, state: str) -> Generator[None]:
    """As if the key's first version were in another state."""
    path, mask = f"{key}/{VERSION}", {"updateMask": "state"}
    if state == "DISABLED":
        assert store.kms("PATCH", path, {"state": state}, **mask).status == 200
    else:
        assert store.kms("POST", f"{path}:destroy", {}).said["state"] == state
    yield
    if state != "DISABLED":
        assert store.kms("POST", f"{path}:restore", {}).said["state"] == "DISABLED"
    assert store.kms("PATCH", path, {"state": "ENABLED"}, **mask).status == 200


def test_the_agent_needs_the_key_and_the_caller_doesnt(store: Store) -> None:
    bucket, key = store.encrypted_bucket()
    writer, reader = store.somebody(bucket, "objectCreator"), store.somebody(bucket, "objectViewer")
    blob = store.blob(bucket, "object", writer)
    blob.upload_from_string("secret")
    assert blob.kms_key_name == f"{key}/{VERSION}"
    assert store.blob(bucket, "object", reader).download_as_bytes() == b"secret"
    entries = store.cloud.sandbox.journal.since()[-4:]
    assert [(one.who, one.what.rpartition(".")[2]) for one in entries] == [
        (f"user:{writer}", "create"),
        (store.agent, "useToEncrypt"),
        (f"user:{reader}", "get"),
        (store.agent, "useToDecrypt"),
    ]
    store.kms("POST", f"{key}:setIamPolicy", {"policy": {}})
    with store.refused(403, "no binding", DENIED):
        store.blob(bucket, "new", writer).upload_from_string("x")
    with store.refused(403, "no binding", DENIED):
        store.blob(bucket, "object", reader).download_as_bytes()


@pytest.mark.parametrize(
    ("role", "writes", "reads"),
    [
        ("roles/cloudkms.cryptoKeyEncrypterDecrypter", True, True),
        ("roles/cloudkms.cryptoKeyEncrypter", True, False),
        ("roles/cloudkms.cryptoKeyDecrypter", False, True),
        ("roles/cloudkms.admin", False, False),
        ("roles/cloudkms.viewer", False, False),
    ],
)
def test_what_the_agent_may_do_with_the_key(store: Store, role: str, writes: bool, reads: bool) -> None:
    bucket, key = store.encrypted_bucket()
    store.put(bucket, "old")
    policy = {"bindings": [{"role": role, "members": [store.agent]}]}
    assert store.kms("POST", f"{key}:setIamPolicy", {"policy": policy}).status == 200
    upload = f"{UPLOAD}/b/{bucket}/o"
    written = store.api("POST", upload, b"x", uploadType="media", name="new")
    assert written.status == (200 if writes else 403)
    assert store.api("GET", f"b/{bucket}/o/old", alt="media").status == (200 if reads else 403)
    found = store.api("GET", f"b/{bucket}/o/old").said  # for which the key is needed, but not the rest
    assert ("md5Hash" in found, "crc32c" in found, found["size"]) == (reads, reads, "9")
    assert [one.md5_hash for one in store.client(store.owner).list_blobs(bucket, prefix="old")] == [None]
    store.blob(bucket, "old").delete()


@pytest.mark.parametrize(
    "who",
    [
        "user:{owner}",
        "serviceAccount:service-999999999999@gs-project-accounts.iam.gserviceaccount.com",
        "{agent}",
    ],
)
@pytest.mark.parametrize("when", ["new", "changed"])
def test_a_default_key_must_be_usable(store: Store, who: str, when: str) -> None:
    member = who.format(owner=store.owner, agent=store.agent)
    body = {"encryption": {"defaultKmsKeyName": store.key(member)}}
    if when == "new":
        answer = store.api(
            "POST", "b", {"name": unique("bucket"), "location": "EU"} | body, project="acme-prod"
        )
    else:
        answer = store.api("PATCH", f"b/{store.bucket()}", body)
    if member == store.agent:
        assert answer.said["encryption"] == body["encryption"]
    else:
        assert (answer.status, answer.reason) == (403, "forbidden")
        assert answer.message.startswith(DENIED)


@pytest.mark.parametrize(
    ("bucket", "key", "status"),
    [
        ("EU", "europe", 200),
        ("EU", "eu", 400),
        ("EU", "global", 400),
        ("EU", "europe-west1", 400),
        ("US", "us", 200),
        ("europe-west1", "europe-west1", 200),
        ("europe-west1", "europe-west4", 400),
        ("europe-west1", "europe", 400),
        ("eur4", "eur4", 200),
    ],
)
def test_a_key_must_be_where_the_bucket_is(store: Store, bucket: str, key: str, status: int) -> None:
    name = (
        f"projects/acme-prod/locations/{key}/keyRings/r/cryptoKeys/k"
        if key == "eu"
        else store.key(store.agent, location=key)
    )
    body = {"name": unique("bucket"), "location": bucket, "encryption": {"defaultKmsKeyName": name}}
    if status == 400:
        with store.cloud.refused("not available for use with GCS region"):
            answer = store.api("POST", "b", body, project="acme-prod")
    else:
        answer = store.api("POST", "b", body, project="acme-prod")
    assert answer.status == status


@pytest.mark.parametrize("state", ["DISABLED", "DESTROY_SCHEDULED"])
def test_a_key_that_isnt_enabled(store: Store, state: str) -> None:
    bucket, key = store.encrypted_bucket()
    store.put(bucket)
    with version(store, key, state):
        for do in (
            lambda: store.put(bucket, "new"),
            store.blob(bucket).download_as_bytes,
            lambda: store.client(store.owner).create_bucket(with_key(store, key), location="EU"),
        ):
            with store.refused(
                400, f"is {state}", "Cloud KMS key is disabled, destroyed, or scheduled to be destroyed"
            ):
                do()
        found = store.api("GET", f"b/{bucket}/o/object").said
        assert (found["kmsKeyName"], "md5Hash" in found) == (f"{key}/{VERSION}", False)
        plain = store.bucket()
        store.put(plain)
    assert store.blob(bucket).download_as_bytes() == b"recording"
    store.put(bucket, "new")


def with_key(store: Store, key: str) -> Any:
    bucket = store.client(store.owner).bucket(unique("bucket"))
    bucket.default_kms_key_name = key
    return bucket


def test_a_key_that_isnt_there(store: Store) -> None:
    bucket, key = store.bucket(), store.key(store.agent)
    missing = f"{key}x"
    with store.refused(403, "no binding", DENIED):  # the agent may not know
        store.blob(bucket, kms_key_name=missing).upload_from_string("x")
    ring = key.partition("/cryptoKeys/")[0]
    policy = {"bindings": [{"role": ENCRYPTER, "members": [store.agent]}]}
    store.kms("POST", f"{ring}:setIamPolicy", {"policy": policy})
    with store.refused(400, "there is no key", "Cloud KMS encryption key not found"):
        store.blob(bucket, kms_key_name=missing).upload_from_string("x")
    store.kms("POST", f"{ring}:setIamPolicy", {"policy": {}})
    with store.refused(400, message="Invalid Cloud KMS key name"):
        store.blob(bucket, kms_key_name="key").upload_from_string("x")
    store.blob(bucket, kms_key_name=key).upload_from_string("x")


def test_a_keys_project_may_be_named_by_its_number(store: Store) -> None:
    key, bucket = store.key(store.agent), store.bucket()
    by_number = key.replace("acme-prod", store.cloud.owner.number)
    blob = store.blob(bucket, kms_key_name=by_number)
    blob.upload_from_string("x")
    assert blob.kms_key_name == f"{key}/{VERSION}"
    with store.refused(403, message=DENIED):
        store.blob(bucket, kms_key_name=key.replace("acme-prod", "nowhere")).upload_from_string("x")


def test_a_key_without_a_version(store: Store) -> None:
    ring = store.key().partition("/cryptoKeys/")[0]
    query = {"cryptoKeyId": unique("key"), "skipInitialVersionCreation": "true"}
    made = store.kms("POST", f"{ring}/cryptoKeys", {"purpose": "ENCRYPT_DECRYPT"}, **query).said
    assert "primary" not in made
    policy = {"bindings": [{"role": ENCRYPTER, "members": [store.agent]}]}
    store.kms("POST", f"{made['name']}:setIamPolicy", {"policy": policy})
    blob = store.blob(store.bucket(), kms_key_name=made["name"])
    with store.refused(400, "has no version that encrypts", "Cloud KMS encryption key not found"):
        blob.upload_from_string("x")
    store.kms("POST", f"{made['name']}/cryptoKeyVersions", {})
    store.kms("POST", f"{made['name']}:updatePrimaryVersion", {"cryptoKeyVersionId": "1"})
    blob.upload_from_string("x")


def test_the_objects_own_key_counts(store: Store) -> None:
    bucket, default = store.encrypted_bucket(versioning={"enabled": True})
    own = store.key(store.agent)
    first = store.put(bucket)
    blob = store.blob(bucket, kms_key_name=own)
    blob.upload_from_string("own")
    store.api("PATCH", f"b/{bucket}", {"encryption": None})
    plain = store.blob(bucket, "plain")
    plain.upload_from_string("plain")
    assert (blob.kms_key_name, plain.kms_key_name) == (f"{own}/{VERSION}", None)
    with version(store, default, "DISABLED"):
        assert store.blob(bucket).download_as_bytes() == b"own"
        assert plain.download_as_bytes() == b"plain"
        with store.refused(400, f"{default}/{VERSION} is DISABLED"):
            store.blob(bucket, generation=first).download_as_bytes()


def test_a_new_version_encrypts_and_the_old_one_decrypts(store: Store) -> None:
    bucket, key = store.encrypted_bucket()
    store.put(bucket, "old")
    assert store.kms("POST", f"{key}/cryptoKeyVersions", {}).said["state"] == "ENABLED"
    store.put(bucket, "between")
    updated = store.kms("POST", f"{key}:updatePrimaryVersion", {"cryptoKeyVersionId": "2"})
    assert updated.said["primary"]["name"] == f"{key}/cryptoKeyVersions/2"
    store.put(bucket, "new")
    found = {one.name: one.kms_key_name[-1] for one in store.client(store.owner).list_blobs(bucket)}
    assert found == {"old": "1", "between": "1", "new": "2"}
    with version(store, key, "DISABLED"):
        assert store.blob(bucket, "new").download_as_bytes() == b"recording"
        with store.refused(400, "is DISABLED"):
            store.blob(bucket, "old").download_as_bytes()


def test_copies_and_restored_objects_need_both_keys(store: Store) -> None:
    bucket, key = store.encrypted_bucket()
    target, other = store.encrypted_bucket()
    number = store.put(bucket)
    client = store.client(store.owner)
    source = store.blob(bucket)
    copied = source.bucket.copy_blob(source, client.bucket(target), "copy")
    assert copied.kms_key_name == f"{other}/{VERSION}"
    store.blob(bucket).delete()
    for one in (key, other):
        with version(store, one, "DISABLED"), store.refused(400, "is DISABLED"):
            if one == other:
                copied.bucket.copy_blob(copied, copied.bucket, "again")
            else:
                client.bucket(bucket).restore_blob("object", generation=number)
    only_encrypts = {"bindings": [{"role": "roles/cloudkms.cryptoKeyEncrypter", "members": [store.agent]}]}
    for one in (key, other):
        store.kms("POST", f"{one}:setIamPolicy", {"policy": only_encrypts})
    plain = client.bucket(store.bucket())
    for do in (
        lambda: client.bucket(bucket).restore_blob("object", generation=number),
        lambda: copied.bucket.copy_blob(copied, plain, "again"),
        lambda: copied.bucket.blob("whole").compose([copied]),
    ):
        with store.refused(403, "roles/cloudkms.cryptoKeyEncrypter, which names", DENIED):
            do()
    for one in (key, other):
        store.kms(
            "POST",
            f"{one}:setIamPolicy",
            {"policy": {"bindings": [{"role": ENCRYPTER, "members": [store.agent]}]}},
        )
    assert client.bucket(bucket).restore_blob("object", generation=number).kms_key_name == f"{key}/{VERSION}"
    copied.bucket.blob("whole").compose([copied])


def test_a_resumable_upload_asks_the_key_at_its_end(store: Store) -> None:
    bucket, key = store.encrypted_bucket()
    upload = f"{UPLOAD}/b/{bucket}/o"
    sessions = [
        store.api("POST", upload, {}, uploadType="resumable", name="object").headers["Location"]
        for _ in range(2)
    ]
    with version(store, key, "DISABLED"):
        assert store.api("PUT", sessions[0], b"x").reason == "cloudKmsDisabledKey"
    assert not store.blob(bucket).exists()
    assert store.api("PUT", sessions[1], b"x").said["kmsKeyName"] == f"{key}/{VERSION}"


def test_a_key_may_be_another_projects(store: Store) -> None:
    key = store.key(store.agent, project=store.cloud.stranger.project)
    bucket = store.bucket(encryption={"defaultKmsKeyName": key})
    store.put(bucket)
    elsewhere = store.cloud.world.project(store.cloud.stranger.project)
    elsewhere.services.remove("cloudkms.googleapis.com")
    with store.refused(403, "isn't enabled in the key's project elsewhere", DENIED):
        store.put(bucket, "new")
    elsewhere.services.add("cloudkms.googleapis.com")
    store.put(bucket, "new")


def apart(store: Store) -> tuple[Storage, Keys]:
    """Another Cloud Storage in the same world, as the sandbox makes them."""
    access = Access(store.cloud.world, Journal())
    keys = Keys(store.cloud.world, access)
    return Storage(store.cloud.world, access, keys), keys


def test_what_is_assumed_to_exist(store: Store) -> None:
    storage, keys = apart(store)
    project = store.cloud.project
    name = "projects/acme-prod/locations/europe/keyRings/given/cryptoKeys/key"
    said: dict[str, Any] = {"location": "EU", "encryption": {"defaultKmsKeyName": name}}
    storage_occasion.key(keys, name)
    with pytest.raises(GoogleError, match=DENIED):
        storage_occasion.bucket(storage, "given-bucket", project, **said)
    storage_occasion.key(keys, f"{name}-2", users=[store.agent])
    said["encryption"] = {"defaultKmsKeyName": f"{name}-2"}
    binding = {"role": "roles/storage.objectCreator", "members": ["user:a@example.com"]}
    made = storage_occasion.bucket(
        storage, "given-bucket", project, bindings=[binding], **said, labels={"a": "b"}
    )
    assert (made.is_uniform, made.location, made.settings["labels"]) == (True, "EU", {"a": "b"})
    assert binding in made.allow_policy.bindings
    fine = storage_occasion.bucket(
        storage,
        "given-2",
        project,
        location="EU",
        is_uniform=False,
        iamConfiguration={"publicAccessPrevention": "enforced"},
    )
    assert (fine.is_uniform, fine.prevents_public) == (False, True)
    with pytest.raises(ValueError, match="not the name of a key"):
        storage_occasion.key(keys, "key")
    with pytest.raises(GoogleError, match="Invalid bucket name"):
        storage_occasion.bucket(storage, "X", project, location="EU")
