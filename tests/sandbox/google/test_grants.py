"""Roles granted through the provider's own table: one member of several, or all members of a role."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from google_provider import (
    BUCKET,
    IAM,
    MATE,
    NUMBER,
    PROJECT,
    READER,
    STORAGE,
    STRANGER,
    a_bucket,
    an_account,
    connecting,
    grant,
    made,
    members,
    of,
)

from recording_storage.resources import gcp, imports
from recording_storage.resources.gcp.clients import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from google_provider import Connect

    from recording_storage.resources.gcp.clients import Clients

USER = "roles/iam.workloadIdentityUser"
KMS = "https://cloudkms.googleapis.com/v1/"
CONDITION = {"title": "some", "expression": 'resource.name.startsWith("projects/_/buckets/b/objects/a")'}
BUCKET_MEMBER, BUCKET_BINDING = map(of, ("storage/bucketIAMMember", "storage/bucketIAMBinding"))
ACCOUNT_MEMBER, ACCOUNT_BINDING = map(of, ("serviceaccount/iAMMember", "serviceaccount/iAMBinding"))
KEY_MEMBER = of("kms/cryptoKeyIAMMember")


@pytest.fixture(scope="module")
def connect(cloud: Cloud) -> Iterator[Connect]:
    with connecting(cloud) as connect:
        yield connect


@pytest.fixture(scope="module")
def clients(connect: Connect) -> Clients:
    return connect(project=PROJECT)


def test_a_member_is_one_of_several(clients: Clients) -> None:
    bucket = a_bucket(clients, uniformBucketLevelAccess=True)
    grant(clients, bucket, STRANGER)
    inputs = {"bucket": bucket, "role": READER, "member": "user:Mate@Example.com"}
    id_, state = made(clients, BUCKET_MEMBER, inputs)
    assert id_ == f"b/{bucket}/{READER}/{MATE}"
    assert state == inputs | {"bucket": f"b/{bucket}", "member": MATE, "etag": state["etag"]}
    assert BUCKET_MEMBER.settled(inputs, {}).items() <= BUCKET_MEMBER.settled(state, {}).items()
    assert sorted(members(clients, bucket)) == [MATE, STRANGER]
    for place in (bucket, f"b/{bucket}"):
        assert imports.find(BUCKET_MEMBER, clients, f"{place} {READER} {MATE}") == (id_, state)
    assert imports.find(BUCKET_MEMBER, clients, f"{bucket} {READER} user:nobody@example.com") is None
    for _ in range(2):
        BUCKET_MEMBER.delete(clients, id_, state)
    assert members(clients, bucket) == [STRANGER]
    assert BUCKET_MEMBER.read(clients, id_, state) is None


def test_a_binding_has_its_role_to_itself(clients: Clients) -> None:
    bucket = a_bucket(clients, uniformBucketLevelAccess=True)
    grant(clients, bucket, STRANGER)
    other = {"bucket": bucket, "role": READER, "member": STRANGER, "condition": CONDITION}
    BUCKET_MEMBER.create(clients, other)
    inputs = {"bucket": bucket, "role": READER, "members": [MATE, "group:all@example.com"]}
    id_, state = made(clients, BUCKET_BINDING, inputs)
    assert id_ == f"b/{bucket}/{READER}"
    assert state["members"] == ["group:all@example.com", MATE]
    assert sorted(members(clients, bucket)) == [
        "group:all@example.com",
        MATE,
        STRANGER,
    ]  # the last one if `some`
    assert imports.find(BUCKET_BINDING, clients, f"{bucket} {READER}") == (id_, state)
    grant(clients, bucket, STRANGER)
    drifted = BUCKET_BINDING.read(clients, id_, state) or {}
    assert STRANGER in drifted["members"]
    mended = BUCKET_BINDING.update(clients, id_, drifted, inputs | {"members": [MATE]})
    assert mended["members"] == [MATE]
    BUCKET_BINDING.delete(clients, id_, mended)
    assert members(clients, bucket) == [STRANGER]
    assert (BUCKET_BINDING.read(clients, id_, mended) or {})["members"] == []
    BUCKET.delete(clients, bucket, {})
    assert BUCKET_BINDING.read(clients, id_, mended) is None
    BUCKET_BINDING.delete(clients, id_, mended)


def test_a_condition_tells_grants_apart(clients: Clients) -> None:
    bucket = a_bucket(clients, uniformBucketLevelAccess=True)
    inputs = {"bucket": bucket, "role": READER, "member": MATE}
    plain_id, plain = made(clients, BUCKET_MEMBER, inputs)
    id_, state = made(clients, BUCKET_MEMBER, inputs | {"condition": CONDITION})
    assert id_ == f"{plain_id}/some//{CONDITION['expression']}"
    found = imports.find(BUCKET_MEMBER, clients, f"{bucket} {READER} {MATE} some")
    assert found is not None
    assert (found[0], found[1]["condition"]) == (id_, CONDITION)
    BUCKET_MEMBER.delete(clients, plain_id, plain)
    assert BUCKET_MEMBER.read(clients, plain_id, plain) is None
    assert BUCKET_MEMBER.read(clients, id_, state) is not None


@pytest.mark.parametrize("code", [409, 412])
def test_what_somebody_else_writes_in_between_is_kept(
    clients: Clients, connect: Connect, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Google's IAM says 409, Cloud Storage 412."""
    kind, target, name, url, role = (
        (BUCKET_MEMBER, "bucket", (bucket := a_bucket(clients)), f"{STORAGE}b/{bucket}/iam", READER)
        if code == 412
        else (
            ACCOUNT_MEMBER,
            "serviceAccountId",
            (account := an_account(clients)),
            f"{IAM}{account}:setIamPolicy",
            USER,
        )
    )
    mate, stranger = ({target: name, "role": role, "member": one} for one in (MATE, STRANGER))
    rival, call, refused = connect(project=PROJECT), clients.call, list[int]()

    def interrupted(method: str, address: str, *args: Any, **query: Any) -> dict[str, Any]:
        if address == url and method in ("PUT", "POST") and not refused:
            kind.create(rival, stranger)
        try:
            return call(method, address, *args, **query)
        except ApiError as error:
            refused.append(error.code)
            raise

    monkeypatch.setattr(clients, "call", interrupted)
    kind.create(clients, mate)
    assert refused == [code]
    for one in (mate, stranger):
        assert kind.read(clients, "", one)


def test_many_threads_change_one_policy(clients: Clients) -> None:
    bucket = a_bucket(clients)
    whom = [f"user:mate{n}@example.com" for n in range(12)]

    def create(member: str) -> None:
        BUCKET_MEMBER.create(clients, {"bucket": bucket, "role": READER, "member": member})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(create, whom))
    assert sorted(members(clients, bucket)) == sorted(whom)


def test_roles_on_a_service_account(clients: Clients) -> None:
    account, role = an_account(clients), USER
    principal = f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/p/subject/Acme"
    named = {"serviceAccountId": account, "role": role}
    made(clients, ACCOUNT_MEMBER, named | {"member": MATE})
    id_, state = made(clients, ACCOUNT_BINDING, named | {"members": [principal]})
    assert (id_, state["members"]) == (f"{account}/{role}", [principal])
    assert imports.find(ACCOUNT_BINDING, clients, f"{account} {role}") == (id_, state)
    assert imports.find(ACCOUNT_MEMBER, clients, f"{account} {role} {MATE}") is None
    assert imports.find(ACCOUNT_MEMBER, clients, f"{account} {role} {principal}") is not None


def test_a_role_on_a_key(clients: Clients) -> None:
    ring = f"projects/{PROJECT}/locations/europe/keyRings"
    clients.call("POST", f"{KMS}{ring}", {}, keyRingId="ring")
    clients.call("POST", f"{KMS}{ring}/ring/cryptoKeys", {"purpose": "ENCRYPT_DECRYPT"}, cryptoKeyId="key")
    agent = gcp.PROVIDER.invoke(clients, "gcp:storage/getProjectServiceAccount:getProjectServiceAccount", {})
    assert agent["emailAddress"] == f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
    key, role = f"{ring}/ring/cryptoKeys/key", "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    inputs = {"cryptoKeyId": key, "role": role, "member": agent["member"]}
    id_, state = made(clients, KEY_MEMBER, inputs)
    assert (id_, state) == (f"{key}/{role}/{agent['member']}", inputs | {"etag": state["etag"]})
    for name in (key, f"{PROJECT}/europe/ring/key", "europe/ring/key"):
        assert imports.find(KEY_MEMBER, clients, f"{name} {role} {agent['member']}") == (id_, state)
    bucket = a_bucket(clients, encryption={"defaultKmsKeyName": key})
    state = BUCKET.read(clients, bucket, {}) or {}
    assert state["encryption"] == {"defaultKmsKeyName": key}
    assert "encryption" not in BUCKET.update(clients, bucket, state, {"name": bucket, "location": "EU"})
    KEY_MEMBER.delete(clients, id_, inputs)
    assert KEY_MEMBER.read(clients, id_, inputs) is None


def test_a_service_account_is_impersonated(cloud: Cloud, clients: Clients, connect: Connect) -> None:
    account = an_account(clients)
    email = account.rpartition("/")[2]
    with pytest.raises(PermissionError, match=rf"impersonate {email}: .*iam.serviceAccounts.getAccessToken"):
        connect(project=PROJECT, impersonateServiceAccount=email)
    creator = "roles/iam.serviceAccountTokenCreator"
    grant = {"serviceAccountId": account, "role": creator, "member": f"user:{cloud.owner.email}"}
    ACCOUNT_MEMBER.create(clients, grant)
    deployer = connect(project=PROJECT, impersonateServiceAccount=email)
    with pytest.raises(ApiError, match=r"POST storage/v1/b: 403 forbidden: .*storage.buckets.create"):
        a_bucket(deployer)
