"""Buckets through real clients: what they may be called, where they may be, and what can be said of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import exceptions
from google_cloud import unique
from storage_world import DAY, UNIFORM, storing

from recording_storage.sandbox.google.bucket_settings import check_name
from recording_storage.sandbox.google.errors import GoogleError
from recording_storage.sandbox.google.generations import bucket_etag
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google_cloud import Cloud
    from storage_world import Store

RULE = {"action": {"type": "Delete"}, "condition": {"age": 30}}


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> Iterator[Store]:
    with storing(cloud) as store:
        yield store


# What they are called


@pytest.mark.parametrize(
    "name", ["abc", "0-9", "a_b-c", "a" * 63, "agoog", "goo-gle", "192-168-5-4", "with-o0gle"]
)
def test_a_bucket_can_be_called_so(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "Abc",
        "-abc",
        "abc-",
        "a bc",
        "a/bc",
        "ab.",
        "a..b",
        "192.168.5.4",
        "goog-a",
        "my-google-b",
    ],
)
def test_a_bucket_cant_be_called_so(name: str) -> None:
    with pytest.raises(GoogleError, match="Invalid bucket name"):
        check_name(name)


def test_whose_a_domain_is_isnt_known(store: Store) -> None:
    with pytest.raises(Undecided, match=r"recordings\.example\.com"):
        check_name("recordings.example.com")


def test_a_bucket_has_a_name_and_a_project(store: Store) -> None:
    for body, query in (
        ({}, {"project": "acme-prod"}),
        ({"name": 5}, {"project": "acme-prod"}),
        ({"name": "abc"}, {}),
    ):
        assert store.api("POST", "b", body, **query).reason == "required"
    body = {"name": unique("bucket")}
    for flag, status in (("true", 501), ("false", 200)):
        assert store.api("POST", "b", body, project="acme-prod", enableObjectRetention=flag).status == status


def test_a_name_is_everybodys(store: Store) -> None:
    name = store.bucket()
    for who, message in ((store.owner, "you already own it"), (store.stranger, "name is not available")):
        with pytest.raises(exceptions.Conflict, match=message):
            store.client(who).create_bucket(name)
    store.put(name)
    store.blob(name).delete()
    store.client(store.owner).bucket(name).delete()  # what is soft-deleted in it is no hindrance
    store.client(store.stranger).create_bucket(name)
    with pytest.raises(exceptions.Forbidden):
        store.client(store.owner).get_bucket(name)


def test_etags_are_numbers() -> None:
    assert [bucket_etag(number) for number in (1, 127, 128, 300)] == ["CAE=", "CH8=", "CIAB", "CKwC"]


# Where they are


@pytest.mark.parametrize(
    ("said", "location", "kind"),
    [
        ("EU", "EU", "multi-region"),
        ("us", "US", "multi-region"),
        (None, "US", "multi-region"),
        ("europe-west1", "EUROPE-WEST1", "region"),
        ("northamerica-northeast2", "NORTHAMERICA-NORTHEAST2", "region"),
        ("nam4", "NAM4", "dual-region"),
    ],
)
def test_where_a_bucket_may_be(store: Store, said: str | None, location: str, kind: str) -> None:
    made = store.client(store.owner).create_bucket(unique("bucket"), location=said)
    assert (made.location, made.location_type) == (location, kind)


@pytest.mark.parametrize("location", ["Ireland", "europe", "eu-west-1", "europe_west1"])
def test_where_no_bucket_may_be(store: Store, location: str) -> None:
    with store.refused(400, message="location constraint is not valid"):
        store.client(store.owner).create_bucket(unique("bucket"), location=location)


def test_a_bucket_may_be_in_two_regions(store: Store) -> None:
    regions = ["EUROPE-WEST1", "EUROPE-WEST4"]
    made = store.client(store.owner).create_bucket(unique("bucket"), location="EU", data_locations=regions)
    assert (made.location_type, made.data_locations, made.rpo) == ("dual-region", regions, "DEFAULT")
    for wrong, status in ((regions[:1], 501), ([*regions, "EUROPE-WEST2"], 400), ([*regions[:1], "EU"], 400)):
        body = {"name": unique("bucket"), "location": "EU", "customPlacementConfig": {"dataLocations": wrong}}
        assert store.api("POST", "b", body, project=store.cloud.project.id).status == status


# What can be said of them


def test_a_bucket_as_it_is_by_default(store: Store) -> None:
    found = store.api("GET", f"b/{store.bucket(location='europe-west1', fine=True)}").said
    stamps = {found.pop(name)[-1] for name in ("timeCreated", "updated")}
    assert (stamps, found.pop("name"), found.pop("softDeletePolicy").pop("effectiveTime")[-1]) == (
        {"Z"},
        found.pop("id"),
        "Z",
    )
    assert int(found.pop("generation")) > 10**15
    assert found == {
        "kind": "storage#bucket",
        "selfLink": found["selfLink"],
        "projectNumber": store.cloud.owner.number,
        "metageneration": "1",
        "etag": "CAE=",
        "location": "EUROPE-WEST1",
        "locationType": "region",
        "storageClass": "STANDARD",
        "iamConfiguration": {
            "bucketPolicyOnly": {"enabled": False},
            "uniformBucketLevelAccess": {"enabled": False},
            "publicAccessPrevention": "inherited",
        },
    }


def days(number: float) -> dict[str, Any]:
    return {"retentionDurationSeconds": number * DAY}


@pytest.mark.parametrize(
    ("setting", "value", "kept"),
    [
        ("softDeletePolicy", days(7), {"retentionDurationSeconds": "604800"}),
        ("softDeletePolicy", days(90), {"retentionDurationSeconds": "7776000"}),
        ("softDeletePolicy", days(0), {"retentionDurationSeconds": "0"}),
        ("softDeletePolicy", days(6.9), None),
        ("softDeletePolicy", days(90.1), None),
        ("softDeletePolicy", {"retentionDurationSeconds": "long"}, None),
        ("storageClass", "ARCHIVE", "ARCHIVE"),
        ("labels", {"team": "voice", "a-b_0": ""}, {"team": "voice", "a-b_0": ""}),
        ("labels", {"Team": "voice"}, None),
        ("labels", {"team": "Voice"}, None),
        ("labels", {"0team": "voice"}, None),
        ("labels", {"team": "a b"}, None),
        ("labels", {"team": 5}, None),
        ("labels", {"t" * 63: "v" * 63}, {"t" * 63: "v" * 63}),
        ("labels", {"t" * 64: "v"}, None),
        ("labels", {f"t{number}": "v" for number in range(65)}, None),
        ("versioning", {"enabled": True}, {"enabled": True}),
        ("versioning", {"enabled": "yes"}, None),
        ("versioning", "enabled", None),
        ("retentionPolicy", {"retentionPeriod": "60"}, {"retentionPeriod": "60"}),
        ("retentionPolicy", {"retentionPeriod": 0}, None),
        ("retentionPolicy", {"retentionPeriod": 101 * 366 * DAY}, None),
        ("defaultEventBasedHold", True, True),
        ("lifecycle", {"rule": [RULE]}, {"rule": [RULE]}),
        ("lifecycle", {"rule": [RULE | {"condition": {}}]}, None),
        ("iamConfiguration", {"publicAccessPrevention": "enforced"}, {"publicAccessPrevention": "enforced"}),
        ("iamConfiguration", {"publicAccessPrevention": "on"}, None),
        ("cors", [{"maxAgeSeconds": 5}], [{"maxAgeSeconds": 5}]),
    ],
)
@pytest.mark.parametrize("new", [True, False], ids=["new", "changed"])
def test_what_can_be_said_of_a_bucket(store: Store, setting: str, value: Any, kept: Any, new: bool) -> None:
    bucket = unique("bucket") if new else store.bucket()
    body: dict[str, Any] = {setting: value}
    if new:
        answer = store.api("POST", "b", {"name": bucket} | body, project=store.cloud.project.id)
    else:
        answer = store.api("PATCH", f"b/{bucket}", body)
    if kept is None:
        assert (answer.status, answer.reason) == (400, "invalid")
        return
    found = answer.said[setting]
    assert found | kept == found if isinstance(kept, dict) else found == kept


@pytest.mark.parametrize(
    ("setting", "unknown", "known"),
    [
        ("storageClass", "RAPID", "COLDLINE"),
        ("autoclass", {"enabled": True}, {"enabled": False}),
        ("billing", {"requesterPays": True}, {"requesterPays": False}),
        ("hierarchicalNamespace", {"enabled": True}, {"enabled": False}),
        ("ipFilter", {"mode": "Enabled"}, {"mode": "Disabled"}),
        ("objectRetention", {"mode": "Enabled"}, None),
        ("acl", [{"entity": "allUsers", "role": "READER"}], []),
        ("colour", "blue", None),
        ("encryption", {"colour": "blue"}, None),
        ("softDeletePolicy", None, {"retentionDurationSeconds": "0"}),
        ("softDeletePolicy", {"hardDeletePause": {"enabled": True}}, {"retentionDurationSeconds": "0"}),
        ("iamConfiguration", None, {"publicAccessPrevention": "inherited"}),
    ],
)
def test_what_isnt_known_of_a_bucket(store: Store, setting: str, unknown: Any, known: Any) -> None:
    bucket = store.bucket(fine=True)
    with store.cloud.undecided():
        assert store.api("PATCH", f"b/{bucket}", {setting: unknown}).status == 501
    assert store.api("PATCH", f"b/{bucket}", {setting: known}).status == 200


@pytest.mark.parametrize("kind", ["googleManaged", "customerManaged", "customerSupplied"])
def test_which_encryption_must_be_isnt_known(store: Store, kind: str) -> None:
    bucket, name = store.bucket(), f"{kind}EncryptionEnforcementConfig"
    for mode, status in (("NotRestricted", 200), ("FullyRestricted", 501)):
        assert (
            store.api("PATCH", f"b/{bucket}", {"encryption": {name: {"restrictionMode": mode}}}).status
            == status
        )


def test_a_patch_changes_what_it_names(store: Store) -> None:
    bucket = store.bucket(
        labels={"a": "1", "b": "2"}, versioning={"enabled": True}, lifecycle={"rule": [RULE]}
    )
    changed = store.api("PATCH", f"b/{bucket}", {"labels": {"a": None, "c": "3"}, "versioning": None}).said
    assert (changed["labels"], changed["metageneration"]) == ({"b": "2", "c": "3"}, "2")
    assert "versioning" not in changed
    assert changed["lifecycle"] == {"rule": [RULE]}
    assert "lifecycle" not in store.api("PATCH", f"b/{bucket}", {"lifecycle": {"rule": []}}).said
    replaced = store.api("PUT", f"b/{bucket}", UNIFORM | {"softDeletePolicy": days(8)}).said
    assert "labels" not in replaced
    assert replaced["softDeletePolicy"]["retentionDurationSeconds"] == str(8 * DAY)


def test_a_setting_is_in_force_since_it_was_changed(store: Store) -> None:
    bucket = store.bucket(retentionPolicy={"retentionPeriod": 60})
    first = store.api("GET", f"b/{bucket}").said
    for body, changed in (
        ({"labels": {"a": "b"}}, None),
        ({"retentionPolicy": {"retentionPeriod": 60}}, None),
        ({"retentionPolicy": {"retentionPeriod": 70}}, "retentionPolicy"),
        ({"softDeletePolicy": days(8)}, "softDeletePolicy"),
    ):
        with store.cloud.later(timedelta(minutes=1)):
            found = store.api("PATCH", f"b/{bucket}", body).said
        for name in ("retentionPolicy", "softDeletePolicy"):
            is_new = found[name]["effectiveTime"] > first[name]["effectiveTime"]
            assert is_new is (name == changed)
        first = found


@pytest.mark.parametrize(
    ("location", "point", "status"),
    [
        ("NAM4", "ASYNC_TURBO", 200),
        ("NAM4", "DEFAULT", 200),
        ("NAM4", "SOON", 400),
        ("EU", "ASYNC_TURBO", 400),
        ("EU", "DEFAULT", 200),
        ("europe-west1", "ASYNC_TURBO", 400),
    ],
)
def test_how_soon_a_second_place_has_it(store: Store, location: str, point: str, status: int) -> None:
    bucket = store.bucket(location=location)
    assert store.api("PATCH", f"b/{bucket}", {"rpo": point}).status == status


def test_clients_say_one_thing_by_two_names(store: Store) -> None:
    bucket = store.client(store.owner).create_bucket(unique("bucket"))
    for wanted in (True, False):
        bucket.iam_configuration.uniform_bucket_level_access_enabled = (
            wanted  # the other name still says the opposite
        )
        bucket.patch()
        bucket.reload()
        access = bucket.iam_configuration
        assert (access.uniform_bucket_level_access_enabled, access.bucket_policy_only_enabled) == (
            wanted,
            wanted,
        )


def test_a_bucket_as_it_was_read(store: Store) -> None:
    path = f"b/{store.bucket()}"
    assert store.api("PATCH", path, {}, ifMetagenerationMatch=2).reason == "conditionNotMet"
    assert store.api("PATCH", path, {}, ifMetagenerationMatch=1).status == 200
    assert [store.api("GET", path, ifMetagenerationNotMatch=number).status for number in (1, 2)] == [200, 304]
    assert [store.api("DELETE", path, ifMetagenerationMatch=number).status for number in (1, 2)] == [412, 204]


def test_uniform_access_stays_after_ninety_days(store: Store) -> None:
    off = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}
    late, early = store.bucket(), store.bucket()
    with store.cloud.later(timedelta(days=89)):
        assert store.api("PATCH", f"b/{early}", off).status == 200
    with store.cloud.later(timedelta(days=91)):
        assert store.api("PATCH", f"b/{late}", off).status == 412
        assert store.api("PATCH", f"b/{late}", {"labels": {"a": "b"}}).status == 200


def test_a_locked_retention_policy_stays(store: Store) -> None:
    bucket = store.client(store.owner).bucket(store.bucket())
    bucket.retention_period = 60
    bucket.patch()
    bucket.retention_period = 30
    bucket.patch()
    bucket.lock_retention_policy()
    assert bucket.retention_policy_locked
    for period, code in ((None, 403), (20, 400), (40, None)):
        bucket.retention_period = period
        if code is None:
            bucket.patch()
            assert bucket.retention_policy_locked
            continue
        with store.refused(code):
            bucket.patch()
        bucket.reload()


def test_a_retention_policy_is_locked_as_it_was_read(store: Store) -> None:
    bucket, lock = store.bucket(), "lockRetentionPolicy"
    assert store.api("POST", f"b/{bucket}/{lock}", ifMetagenerationMatch=1).reason == "badRequest"
    store.api("PATCH", f"b/{bucket}", {"retentionPolicy": {"retentionPeriod": 60}})
    for query, status in (
        ({}, 400),
        ({"ifMetagenerationMatch": "1"}, 412),
        ({"ifMetagenerationMatch": "2"}, 200),
    ):
        assert store.api("POST", f"b/{bucket}/{lock}", **query).status == status


def test_a_bucket_stays_where_it_is(store: Store) -> None:
    bucket = store.bucket(location="europe-west1")
    for location, status in (("EUROPE-WEST1", 200), ("europe-west1", 200), ("europe-west4", 501)):
        assert store.api("PATCH", f"b/{bucket}", {"location": location}).status == status


def test_a_bucket_with_objects_stays(store: Store) -> None:
    bucket = store.bucket(versioning={"enabled": True})
    first = store.put(bucket)
    with store.refused(409, "not empty"):
        store.client(store.owner).bucket(bucket).delete()
    assert store.api("DELETE", f"b/{bucket}/o/object").status == 204
    with store.refused(409, "not empty"):  # a noncurrent one is left
        store.client(store.owner).bucket(bucket).delete()
    assert store.api("DELETE", f"b/{bucket}/o/object", generation=first).status == 204
    store.client(store.owner).bucket(bucket).delete()


# What is asked beside


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "https://storage.googleapis.com/batch/storage/v1"),
        ("GET", "https://www.googleapis.com/{bucket}/object"),
        ("GET", "b/{bucket}?softDeleted=true&generation=1"),
        ("GET", "b?project=acme-prod&softDeleted=true"),
        ("POST", "b/{bucket}/restore?generation=1"),
        ("POST", "b/{bucket}/managedFolders"),
        ("GET", "b/{bucket}/notificationConfigs"),
        ("GET", "b/{bucket}/o/object/iam"),
        ("POST", "b/{bucket}/o/object/moveTo/o/other"),
        ("GET", "projects/acme-prod/hmacKeys"),
        ("GET", "b/{bucket}?userProject=acme-prod"),
    ],
)
def test_what_nothing_stands_in_for(store: Store, method: str, path: str) -> None:
    with store.cloud.undecided():
        assert store.api(method, path.format(bucket=store.bucket())).status == 501


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("storageLayout", "storage#storageLayout"),
        ("managedFolders", "storage#managedFolders"),
        ("anywhereCaches/", "storage#anywhereCaches"),
    ],
)
def test_clients_ask_what_else_is_in_a_bucket(store: Store, path: str, kind: str) -> None:
    bucket = store.bucket()
    lister, writer = store.somebody(bucket, "objectViewer"), store.somebody(bucket, "objectCreator")
    assert store.api("GET", f"b/{bucket}/{path}", who=lister).said["kind"] == kind
    assert store.api("GET", f"b/{bucket}/{path}", who=writer).status == 403
