"""Google Cloud's resources as Pulumi's types, through the provider's own table."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.resources import UnsupportedError, check, imports
from recording_storage.resources.gcp import GcpProvider
from recording_storage.resources.gcp.clients import ApiError
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.google import occasion
from recording_storage.sandbox.google.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from recording_storage.resources import Properties, ResourceType
    from recording_storage.resources.gcp.clients import Clients

NAMES = itertools.count()
PROJECT, NUMBER = "acme-prod", "123456789012"
OWNER = Owner(PROJECT, NUMBER)
STORAGE, IAM = "https://storage.googleapis.com/storage/v1/", "https://iam.googleapis.com/v1/"
KMS = "https://cloudkms.googleapis.com/v1/"
UPLOAD = "https://storage.googleapis.com/upload/storage/v1/b"
READER = "roles/storage.objectViewer"
MATE, STRANGER = "user:mate@example.com", "user:stranger@example.com"
CONDITION = {"title": "some", "expression": 'resource.name.startsWith("projects/_/buckets/b/objects/a")'}
ISSUER = "https://issuer.example.com"


def unique(what: str) -> str:
    """A name that no other test has."""
    return f"{what}-{next(NAMES)}"


def of(token: str) -> ResourceType:
    """A type by its short name, as in `storage/bucket`."""
    (found,) = [kind for name, kind in GcpProvider.types.items() if name.startswith(f"gcp:{token}:")]
    return found


BUCKET, BUCKET_MEMBER, BUCKET_BINDING = map(
    of, ("storage/bucket", "storage/bucketIAMMember", "storage/bucketIAMBinding")
)
ACCOUNT, ACCOUNT_MEMBER, ACCOUNT_BINDING = map(
    of, ("serviceaccount/account", "serviceaccount/iAMMember", "serviceaccount/iAMBinding")
)
POOL, POOL_PROVIDER = map(of, ("iam/workloadIdentityPool", "iam/workloadIdentityPoolProvider"))
KEY_MEMBER, SERVICE = map(of, ("kms/cryptoKeyIAMMember", "projects/service"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch, Sandbox() as sandbox:
        sandbox.google.admit(OWNER)
        for name in [name for name in os.environ if name.startswith(("GOOGLE_", "CLOUDSDK_", "GCLOUD_"))]:
            patch.delenv(name)
        environment = sandbox.environment("provider", {})
        for name, value in (environment | OWNER.files(environment)).items():
            patch.setenv(name, value)
        yield sandbox


@pytest.fixture
def connect(sandbox: Sandbox) -> Callable[..., Clients]:
    """The clients of a provider of this configuration."""
    return lambda **config: GcpProvider().configure({"addPulumiAttributionLabel": "false", **config})


@pytest.fixture
def clients(connect: Callable[..., Clients]) -> Clients:
    return connect(project=PROJECT)


def made(clients: Clients, kind: ResourceType, inputs: Properties) -> tuple[str, Properties]:
    """Make it, and read the same again."""
    id_, state = kind.create(clients, inputs)
    assert kind.read(clients, id_, state) == state
    return id_, state


def a_bucket(clients: Clients, **more: Any) -> str:
    return BUCKET.create(clients, {"name": unique("bucket"), "location": "EU", **more})[0]


def an_account(clients: Clients) -> str:
    return ACCOUNT.create(clients, {"accountId": unique("account")})[0]


def put(clients: Clients, bucket: str, name: str = "a/b c") -> None:
    """Write an object."""
    session: Any = clients._session
    answer = session.post(f"{UPLOAD}/{bucket}/o", params={"uploadType": "media", "name": name}, data=b"x")
    answer.raise_for_status()


def members(clients: Clients, bucket: str, role: str = READER) -> list[str]:
    policy = clients.call("GET", f"{STORAGE}b/{bucket}/iam", optionsRequestedPolicyVersion=3)
    return [one for binding in policy["bindings"] if binding["role"] == role for one in binding["members"]]


def grant(clients: Clients, bucket: str, member: str, role: str = READER) -> None:
    """Give somebody a role on a bucket, as another program would."""
    url = f"{STORAGE}b/{bucket}/iam"
    policy = clients.call("GET", url, optionsRequestedPolicyVersion=3)
    policy["bindings"].append({"role": role, "members": [member]})
    clients.call("PUT", url, policy)


SETTINGS: Properties = {
    "uniformBucketLevelAccess": True,
    "publicAccessPrevention": "enforced",
    "versioning": {"enabled": True},
    "softDeletePolicy": {"retentionDurationSeconds": 0.0},
    "lifecycleRules": [
        {"action": {"type": "Delete"}, "condition": {"age": 30.0, "withState": "LIVE"}},
        {
            "action": {"type": "Delete"},
            "condition": {"daysSinceNoncurrentTime": 1.0, "withState": "ARCHIVED"},
        },
        {
            "action": {"type": "AbortIncompleteMultipartUpload"},
            "condition": {"age": 7.0, "withState": "ANY"},
        },
    ],
}


def test_the_life_of_a_bucket(clients: Clients) -> None:
    name = unique("calls")
    inputs = {"name": name, "location": "europe-west1", "labels": {"team": "voice"}, **SETTINGS}
    id_, state = made(clients, BUCKET, inputs)
    assert id_ == name
    assert {state.pop(stamp)[:3] for stamp in ("timeCreated", "updated")} == {"202"}
    assert state == inputs | {
        "deletionPolicy": "DELETE",
        "effectiveLabels": {"team": "voice"},
        "forceDestroy": False,
        "location": "EUROPE-WEST1",
        "project": PROJECT,
        "projectNumber": int(NUMBER),
        "pulumiLabels": {"team": "voice"},
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        "storageClass": "STANDARD",
        "url": f"gs://{name}",
    }
    clients.call(
        "PATCH", f"{STORAGE}b/{name}", {"versioning": {"enabled": False}, "labels": {"team": None, "x": "y"}}
    )
    drifted = BUCKET.read(clients, id_, state) or {}
    assert (drifted["versioning"], drifted["labels"]) == ({"enabled": False}, {"team": ""})
    assert drifted["effectiveLabels"] == {"x": "y"}
    mended = BUCKET.update(clients, id_, drifted, inputs | {"labels": {"b": "2"}, "lifecycleRules": None})
    assert (mended["versioning"], mended["lifecycleRules"]) == ({"enabled": True}, [])
    assert (mended["labels"], mended["effectiveLabels"]) == ({"b": "2"}, {"b": "2", "x": "y"})
    assert mended["softDeletePolicy"] == {"retentionDurationSeconds": 0}
    assert BUCKET.read(clients, id_, mended) == mended
    for _ in range(2):
        BUCKET.delete(clients, id_, mended)
    assert BUCKET.read(clients, id_, mended) is None


def test_what_a_bucket_has_by_default_is_no_difference(clients: Clients) -> None:
    inputs: Properties = {"name": unique("calls"), "location": "eu"}
    id_, state = made(clients, BUCKET, inputs)
    assert (state["location"], state["publicAccessPrevention"]) == ("EU", "inherited")
    assert state["softDeletePolicy"] == {"retentionDurationSeconds": 604800}
    found = imports.find(BUCKET, clients, id_)
    assert found is not None
    assert BUCKET.settled(inputs, found[1]).items() <= BUCKET.settled(found[1], found[1]).items()
    assert BUCKET.settled(inputs | {"storageClass": "NEARLINE"}, {})["storageClass"] == "NEARLINE"
    rule = {"action": {"type": "Delete"}, "condition": {"age": 1}}
    assert BUCKET.settled({"lifecycleRules": [rule]}, {})["lifecycleRules"][0]["condition"] == {
        "age": 1,
        "withState": "ANY",
    }


def test_an_imported_bucket_has_no_labels_of_ones_own(
    clients: Clients, connect: Callable[..., Clients]
) -> None:
    labelled = connect(project=PROJECT, addPulumiAttributionLabel=None, defaultLabels='{"by": "default"}')
    id_, state = made(labelled, BUCKET, {"name": unique("calls"), "location": "EU", "labels": {"a": "1"}})
    whole = {"goog-pulumi-provisioned": "true", "by": "default", "a": "1"}
    assert (state["labels"], state["pulumiLabels"], state["effectiveLabels"]) == ({"a": "1"}, whole, whole)
    for import_id in (id_, f"{PROJECT}/{id_}"):
        found = imports.find(BUCKET, clients, import_id)
        assert found is not None
        assert (found[0], found[1]["project"], found[1]["labels"]) == (id_, PROJECT, {})
        assert found[1]["effectiveLabels"] == whole
    assert imports.find(BUCKET, clients, unique("none")) is None


def test_a_bucket_with_something_in_it(clients: Clients) -> None:
    id_ = a_bucket(clients, versioning={"enabled": True})
    for _ in range(2):
        put(clients, id_)
    state = BUCKET.read(clients, id_, {}) or {}
    with pytest.raises(
        PermissionError, match=f"Error trying to delete bucket {id_} without `force_destroy` set"
    ):
        BUCKET.delete(clients, id_, state)
    BUCKET.delete(clients, id_, state | {"forceDestroy": True})
    assert BUCKET.read(clients, id_, state) is None


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        (
            {"encryption": {"googleManagedEncryptionEnforcementConfig": {}}},
            "googleManagedEncryptionEnforcementConfig",
        ),
        (
            {"lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"sizeAboveBytes": 1}}]},
            "sizeAboveBytes",
        ),
        ({"autoclass": {"enabled": True}}, "autoclass"),
    ],
)
def test_a_setting_that_is_not_known_is_refused(clients: Clients, setting: Properties, what: str) -> None:
    inputs = {"name": unique("calls"), "location": "EU", **setting}
    with pytest.raises(UnsupportedError, match=what):
        check(GcpProvider(), "gcp:storage/bucket:Bucket", inputs).create(clients, inputs)
    assert BUCKET.read(clients, inputs["name"], {}) is None


def test_the_life_of_a_service_account(clients: Clients) -> None:
    inputs: Properties = {"accountId": unique("account"), "displayName": "one", "description": "of many"}
    id_, state = made(clients, ACCOUNT, inputs)
    email = f"{inputs['accountId']}@{PROJECT}.iam.gserviceaccount.com"
    assert state.pop("uniqueId").isdigit()
    assert state == inputs | {
        "deletionPolicy": "DELETE",
        "disabled": False,
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/{PROJECT}/serviceAccounts/{email}",
        "project": PROJECT,
    }
    clients.call("POST", f"{IAM}{id_}:disable", {})
    drifted = ACCOUNT.read(clients, id_, state) or {}
    assert drifted["disabled"] is True
    mended = ACCOUNT.update(clients, id_, drifted, {"accountId": inputs["accountId"], "displayName": "two"})
    assert (mended["disabled"], mended["displayName"], mended["description"]) == (False, "two", "")
    for import_id in (id_, f"{PROJECT}/{email}", email):
        found = imports.find(ACCOUNT, clients, import_id)
        assert found is not None
        assert (found[0], found[1]["accountId"]) == (id_, inputs["accountId"])
    for _ in range(2):
        ACCOUNT.delete(clients, id_, mended)
    assert ACCOUNT.read(clients, id_, mended) is None


def a_provider(pool: str, **more: Any) -> Properties:
    mapping = {"google.subject": "assertion.sub"}
    return {
        "workloadIdentityPoolId": pool,
        "workloadIdentityPoolProviderId": "recording-service",
        "attributeMapping": mapping,
        "attributeCondition": "google.subject == 'acme'",
        "oidc": {"issuerUri": ISSUER, "allowedAudiences": ["one", "two"]},
        **more,
    }


def test_the_life_of_a_pool_and_its_provider(clients: Clients) -> None:
    pool = unique("calls")
    inputs: Properties = {"workloadIdentityPoolId": pool, "displayName": "Recordings"}
    id_, state = made(clients, POOL, inputs)
    assert id_ == f"projects/{PROJECT}/locations/global/workloadIdentityPools/{pool}"
    assert state["name"] == id_.replace(PROJECT, NUMBER)
    assert (state["state"], state["project"]) == ("ACTIVE", PROJECT)
    of_id, of_state = made(clients, POOL_PROVIDER, a_provider(pool, disabled=False))
    assert of_id == f"{id_}/providers/recording-service"
    assert of_state["name"] == of_id.replace(PROJECT, NUMBER)
    assert of_state["oidc"] == {"issuerUri": ISSUER, "allowedAudiences": ["one", "two"]}

    clients.call("PATCH", f"{IAM}{of_id}", {"disabled": True}, updateMask="disabled")
    drifted = POOL_PROVIDER.read(clients, of_id, of_state) or {}
    assert drifted["disabled"] is True
    wanted = a_provider(pool, oidc={"issuerUri": f"{ISSUER}/other"}, attributeCondition="true")
    mended = POOL_PROVIDER.update(clients, of_id, drifted, wanted)
    assert POOL_PROVIDER.read(clients, of_id, mended) == mended
    assert (mended.get("disabled") or False, mended["attributeCondition"]) == (False, "true")
    assert mended["oidc"] == {"issuerUri": f"{ISSUER}/other"}
    changed = POOL.update(clients, id_, state, {"workloadIdentityPoolId": pool, "description": "d"})
    assert (changed.get("displayName") or "", changed["description"]) == ("", "d")

    for import_id in (id_, f"{PROJECT}/{pool}", pool):
        found = imports.find(POOL, clients, import_id)
        assert found is not None
        assert (found[0], found[1]["workloadIdentityPoolId"]) == (id_, pool)
    for import_id in (of_id, f"{PROJECT}/{pool}/recording-service", f"{pool}/recording-service"):
        found = imports.find(POOL_PROVIDER, clients, import_id)
        assert found is not None
        assert found[0] == of_id
        assert found[1].items() >= {k: v for k, v in wanted.items() if k != "oidc"}.items()
    with pytest.raises(ValueError, match="accepted formats"):
        imports.find(POOL, clients, "a/b/c")

    for kind, one, now in ((POOL_PROVIDER, of_id, mended), (POOL, id_, changed)):
        kind.delete(clients, one, now)
        assert kind.read(clients, one, now) is None
    with pytest.raises(ApiError, match=r"workloadIdentityPools: 409 ALREADY_EXISTS: .*exist"):
        POOL.create(clients, inputs)


@pytest.mark.parametrize("kind", [BUCKET, ACCOUNT, POOL])
def test_a_deletion_policy_counts(clients: Clients, kind: ResourceType) -> None:
    name = unique("policy")
    named = {"name": name, "location": "EU", "accountId": name, "workloadIdentityPoolId": name}
    inputs = {one: value for one, value in named.items() if one in kind.properties}
    id_, state = kind.create(clients, inputs | {"deletionPolicy": "PREVENT"})
    with pytest.raises(PermissionError, match="without setting deletion_policy"):
        kind.delete(clients, id_, state)
    kind.delete(clients, id_, state | {"deletionPolicy": "ABANDON"})
    assert kind.read(clients, id_, state) == state
    kind.delete(clients, id_, kind.update(clients, id_, state, inputs))
    assert kind.read(clients, id_, state) is None


def test_a_service_is_enabled_and_left_so(clients: Clients) -> None:
    inputs: Properties = {"service": "pubsub.googleapis.com"}
    for _ in range(2):  # one that is enabled already is as good
        id_, state = made(clients, SERVICE, inputs)
        assert (id_, state["project"]) == (f"{PROJECT}/pubsub.googleapis.com", PROJECT)
        SERVICE.delete(clients, id_, state)
    assert imports.find(SERVICE, clients, id_) == (id_, state)
    SERVICE.delete(clients, id_, SERVICE.update(clients, id_, state, inputs | {"disableOnDestroy": True}))
    assert SERVICE.read(clients, id_, state) is None
    with pytest.raises(ValueError, match="accepted formats"):
        imports.find(SERVICE, clients, "pubsub.googleapis.com")


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
    clients: Clients, connect: Callable[..., Clients], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    bucket, account, other = a_bucket(clients), an_account(clients), connect(project=PROJECT)
    name, kind, write = {
        409: (account, ACCOUNT_MEMBER, f"{IAM}{account}:setIamPolicy"),
        412: (bucket, BUCKET_MEMBER, f"{STORAGE}b/{bucket}/iam"),
    }[code]
    target = "bucket" if code == 412 else "serviceAccountId"
    mate, stranger = ({target: name, "role": "roles/viewer", "member": one} for one in (MATE, STRANGER))
    refused: list[int] = []
    call = clients.call

    def interrupted(method: str, url: str, *args: Any, **query: Any) -> dict[str, Any]:
        if url == write and method in ("PUT", "POST") and not refused:
            refused.append(0)
            kind.create(other, stranger | {"role": READER if code == 412 else "roles/iam.serviceAccountUser"})
        try:
            return call(method, url, *args, **query)
        except ApiError as error:
            refused.append(error.code)
            raise

    monkeypatch.setattr(clients, "call", interrupted)
    role = READER if code == 412 else "roles/iam.serviceAccountUser"
    kind.create(clients, mate | {"role": role})
    assert refused == [0, code]
    for one in (mate, stranger):
        assert kind.read(clients, "", one | {"role": role})


def test_many_threads_change_one_policy(clients: Clients) -> None:
    bucket = a_bucket(clients)
    whom = [f"user:mate{n}@example.com" for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(
            pool.map(
                lambda one: BUCKET_MEMBER.create(clients, {"bucket": bucket, "role": READER, "member": one}),
                whom,
            )
        )
    assert sorted(members(clients, bucket)) == sorted(whom)


def test_roles_on_a_service_account(clients: Clients) -> None:
    account, role = an_account(clients), "roles/iam.workloadIdentityUser"
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
    agent = GcpProvider().invoke(clients, "gcp:storage/getProjectServiceAccount:getProjectServiceAccount", {})
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


def test_functions(clients: Clients) -> None:
    bucket, account, pool = (
        a_bucket(clients, versioning={"enabled": True}),
        an_account(clients),
        unique("pool"),
    )
    POOL.create(clients, {"workloadIdentityPoolId": pool})
    ask = GcpProvider().invoke
    project = ask(clients, "gcp:organizations/getProject:getProject", {})
    assert (project["number"], project["projectId"], project["id"]) == (
        NUMBER,
        PROJECT,
        f"projects/{PROJECT}",
    )
    found = ask(clients, "gcp:storage/getBucket:getBucket", {"name": bucket})
    assert (found["location"], found["versionings"], found["encryptions"]) == ("EU", [{"enabled": True}], [])
    email = account.rpartition("/")[2]
    for name in (account, email, email.partition("@")[0]):
        assert ask(clients, "gcp:serviceaccount/getAccount:getAccount", {"accountId": name})["email"] == email
    asked = {"workloadIdentityPoolId": pool}
    looked_up = ask(clients, "gcp:iam/getWorkloadIdentityPool:getWorkloadIdentityPool", asked)
    assert looked_up["name"] == f"projects/{NUMBER}/locations/global/workloadIdentityPools/{pool}"
    config = ask(clients, "gcp:organizations/getClientConfig:getClientConfig", {})
    assert (config["project"], config["accessToken"]) == (PROJECT, clients.token)
    with pytest.raises(ApiError, match="404 notFound: The specified bucket does not exist"):
        ask(clients, "gcp:storage/getBucket:getBucket", {"name": unique("none")})
    with pytest.raises(LookupError, match="not found"):
        ask(clients, "gcp:serviceaccount/getAccount:getAccount", {"accountId": unique("none")})


def test_a_service_account_is_impersonated(clients: Clients, connect: Callable[..., Clients]) -> None:
    account = an_account(clients)
    email = account.rpartition("/")[2]
    with pytest.raises(PermissionError, match=rf"impersonate {email}: .*iam.serviceAccounts.getAccessToken"):
        connect(project=PROJECT, impersonateServiceAccount=email)
    creator = "roles/iam.serviceAccountTokenCreator"
    grant = {"serviceAccountId": account, "role": creator, "member": f"user:{OWNER.email}"}
    ACCOUNT_MEMBER.create(clients, grant)
    deployer = connect(project=PROJECT, impersonateServiceAccount=email)
    with pytest.raises(ApiError, match=r"POST storage/v1/b: 403 forbidden: .*storage.buckets.create"):
        a_bucket(deployer)
