"""Google Cloud's resources as Pulumi's types, through the provider's own table; roles on them are in `test_grants`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from google_provider import (
    ACCOUNT,
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
    made,
    of,
    unique,
)
from pulumi.runtime.proto import provider_pb2

from recording_storage.engine.provider import Plugin, _struct
from recording_storage.resources import UnsupportedError, check, gcp, imports
from recording_storage.resources.gcp.clients import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from google_provider import Connect

    from recording_storage.resources import Properties, ResourceType
    from recording_storage.resources.gcp.clients import Clients

UPLOAD = "https://storage.googleapis.com/upload/storage/v1/b"
ISSUER = "https://issuer.example.com"
POOL, POOL_PROVIDER = map(of, ("iam/workloadIdentityPool", "iam/workloadIdentityPoolProvider"))
SERVICE = of("projects/service")


@pytest.fixture(scope="module")
def connect(cloud: Cloud) -> Iterator[Connect]:
    with connecting(cloud) as connect:
        yield connect


@pytest.fixture(scope="module")
def clients(connect: Connect) -> Clients:
    return connect(project=PROJECT)


def put(clients: Clients, bucket: str, name: str = "a/b c") -> None:
    """Write an object."""
    session: Any = clients._session
    answer = session.post(f"{UPLOAD}/{bucket}/o", params={"uploadType": "media", "name": name}, data=b"x")
    answer.raise_for_status()


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


def test_an_imported_bucket_has_no_labels_of_ones_own(clients: Clients, connect: Connect) -> None:
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
            {"encryption": {"googleManagedEncryptionEnforcementConfig": {"restrictionMode": "None"}}},
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
        check(gcp.PROVIDER, "gcp:storage/bucket:Bucket", inputs).create(clients, inputs)
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
    id_, state = made(clients, SERVICE, inputs)
    assert (id_, state["project"]) == (f"{PROJECT}/pubsub.googleapis.com", PROJECT)
    SERVICE.delete(clients, id_, state)
    assert made(clients, SERVICE, inputs) == (id_, state)  # one that is enabled already is as good
    assert imports.find(SERVICE, clients, id_) == (id_, state)
    SERVICE.delete(clients, id_, SERVICE.update(clients, id_, state, inputs | {"disableOnDestroy": True}))
    assert SERVICE.read(clients, id_, state) is None
    with pytest.raises(ValueError, match="accepted formats"):
        imports.find(SERVICE, clients, "pubsub.googleapis.com")


def test_functions(clients: Clients) -> None:
    bucket, account, pool = (
        a_bucket(clients, versioning={"enabled": True}),
        an_account(clients),
        unique("pool"),
    )
    POOL.create(clients, {"workloadIdentityPoolId": pool})
    ask = gcp.PROVIDER.invoke
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
        ask(clients, "gcp:serviceaccount/getAccount:getAccount", {"accountId": f"{account}.none"})


FOUND: Properties = {
    "name": "calls",
    "location": "EU",
    "project": PROJECT,
    "storageClass": "STANDARD",
    "labels": {},
    **SETTINGS,
}
GIVEN: Properties = {"bucket": "calls", "role": READER, "members": [MATE, STRANGER]}
LEAST: Properties = {"name": "calls", "location": "eu", "lifecycleRules": SETTINGS["lifecycleRules"]}
BUCKETS, BINDINGS = "gcp:storage/bucket:Bucket", "gcp:storage/bucketIAMBinding:BucketIAMBinding"


@pytest.mark.parametrize(
    ("token", "old", "new", "changed", "replaced", "is_deleted_first"),
    [
        (BUCKETS, FOUND, LEAST, "", "", False),
        (BUCKETS, FOUND, {**FOUND, "versioning": {"enabled": False}}, "versioning", "", False),
        (BUCKETS, {**FOUND, "storageClass": "NEARLINE"}, LEAST, "storageClass", "", False),
        (BUCKETS, FOUND, {**FOUND, "location": "US"}, "location", "location", True),
        (BUCKETS, FOUND, {**FOUND, "name": "other"}, "name", "name", False),
        (BINDINGS, GIVEN, {**GIVEN, "bucket": "b/calls", "members": [STRANGER, MATE]}, "", "", False),
        (BINDINGS, GIVEN, {**GIVEN, "members": [MATE]}, "members", "", False),
        (BINDINGS, GIVEN, {**GIVEN, "role": "roles/viewer"}, "role", "role", False),
    ],
)
def test_what_is_a_difference(
    token: str, old: Properties, new: Properties, changed: str, replaced: str, is_deleted_first: bool
) -> None:
    request = provider_pb2.DiffRequest(type=token, old_inputs=_struct(old), news=_struct(new))
    answer = Plugin("gcp").Diff(request, cast("Any", None))
    assert (" ".join(answer.diffs), " ".join(answer.replaces)) == (changed, replaced)
    assert answer.deleteBeforeReplace is is_deleted_first


def test_a_refresh_leaves_what_means_the_same(clients: Clients) -> None:
    inputs: Properties = {"name": unique("calls"), "location": "europe-west1"}
    id_, state = BUCKET.create(clients, inputs)
    plugin = Plugin("gcp")
    plugin._clients = clients

    def refreshed() -> Properties:
        request = provider_pb2.ReadRequest(
            id=id_, type="gcp:storage/bucket:Bucket", properties=_struct(state), inputs=_struct(inputs)
        )
        return dict(plugin.Read(request, cast("Any", None)).inputs)

    assert refreshed() == inputs
    clients.call("PATCH", f"{STORAGE}b/{id_}", {"storageClass": "NEARLINE"})
    assert refreshed() == inputs | {"storageClass": "NEARLINE"}
