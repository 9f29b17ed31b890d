"""A destination on Google Cloud Storage, as the configuration has it."""

from __future__ import annotations

from typing import Any

import pytest

from components.faults import ConfigurationError, Fault
from components.gcs_settings import GcsNames
from components.settings import Judgement, judge

GCS: dict[str, Any] = {
    "provider": "gcs",
    "project": "acme-prod",
    "location": "europe-west1",
    "workspace_id": "ws-1",
}
S3 = {"provider": "s3", "region": "eu-west-1"}
KEY = "projects/acme-keys/locations/{}/keyRings/recordings/cryptoKeys/calls"


def judged(config: dict[str, Any]) -> Judgement:
    return judge(config, project="recording-storage", stack="acme", organization="organization")


def calls(**settings: object) -> dict[str, Any]:
    return {"destinations": {"calls": {**GCS, **settings}}}


def faults(config: dict[str, Any]) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        judged(config)
    return list(caught.value.faults)


def test_three_settings_are_enough() -> None:
    judgement = judged(calls())
    one = judgement.settings.gcs["calls"]
    assert judgement.warnings == ()
    assert (one.place, one.on_destroy, one.provider_id) == ("EUROPE-WEST1", "protect", "recording-service")
    names = one.names(judgement.settings.scope, "calls")
    suffix = names.bucket.rpartition("-")[2]
    assert names == GcsNames(f"acme-calls-{suffix}", f"acme-calls-{suffix}", f"rec-acme-calls-{suffix}")


@pytest.mark.parametrize("missing", ["project", "location", "workspace_id"])
def test_what_must_be_there_is_asked_for(missing: str) -> None:
    (fault,) = faults({"destinations": {"calls": {k: v for k, v in GCS.items() if k != missing}}})
    assert (fault.key, fault.value) == (f"destinations.calls.{missing}", "(not set)")
    assert fault.expected


# setting, value, what was expected, how to mend it
WRONG: list[tuple[str, object, str, str]] = [
    ("workspace_id", "", "the Workspace ID", "copy it from your account"),
    ("workspace_id", " ws-1", "no white space around it", "must match exactly"),
    ("workspace_id", "ws-1\n", "no white space around it", "must match exactly"),
    ("workspace_id", "é" * 64, "at most 127 bytes, as Google maps a subject; it has 128", "alone"),
    ("workspace_id", "*", "without a wildcard", "copy it"),
    ("workspace_id", 1234, "a string", "quote it"),
    ("project", "123456789012", "a project's ID", "gcloud projects describe 123456789012"),
    ("project", 123456789012, "a string", "quote it"),
    ("project", "Acme Prod", "a project's ID", "copy the project's ID"),
    ("location", "Belgium 1", "a Cloud Storage location", "write the location's code"),
    ("location", "europe_west1", "a Cloud Storage location", 'did you mean "europe-west1"?'),
    ("bucket_name", "Acme", "lower-case", "lower case"),
    ("bucket_name", "ac", "3 to 63", "lengthen"),
    ("bucket_name", "a" * 64, "3 to 63", "shorten"),
    ("bucket_name", "-acme", "at the beginning and at the end", "remove"),
    ("bucket_name", "10.0.0.1", "IP address", "a word"),
    ("bucket_name", "goog-recordings", "which Cloud Storage reserves", "other words"),
    ("bucket_name", "my-g00gle-calls", "which Cloud Storage reserves", "other words"),
    ("pool_id", "abc", "4 to 32", "the id alone"),
    ("pool_id", "a" * 33, "4 to 32", "the id alone"),
    ("pool_id", "Vendors", "lower-case", "the id alone"),
    ("pool_id", "gcp-vendors", "which Google reserves", "another word"),
    ("provider_id", "gcp-tavus", "which Google reserves", "another word"),
    (
        "pool_id",
        "projects/123456789012/locations/global/workloadIdentityPools/vendors",
        "4 to 32",
        "without the path",
    ),
    ("service_account_id", "rec", "6 to 30", "before the @"),
    ("service_account_email", "writer", "address", "gcloud iam service-accounts list"),
    (
        "service_account_email",
        "serviceAccount:writer@acme-prod.iam.gserviceaccount.com",
        "address",
        "remove serviceAccount:",
    ),
    ("service_account_email", "someone@example.com", "address", "gcloud iam service-accounts list"),
    ("deploy_service_account", "someone@example.com", "address", "gcloud iam service-accounts list"),
    ("kms_key_name", "calls", "a key's name", "gcloud kms keys list"),
    ("kms_key_name", f"{KEY.format('europe-west1')}/cryptoKeyVersions/1", "a key's name", "primary version"),
    ("kms_key_name", KEY.format("europe-west4"), "a key in europe-west1", "a key of that location"),
    ("kms_key_name", KEY.format("global"), "a key in europe-west1", "a key of that location"),
    ("retention_days", 0, "from 1 to", "without quotes"),
    ("on_destroy", "keep", "one of protect, retain, delete", "choose one"),
    ("workspace", "ws-1", "a key that is known", 'did you mean "workspace_id"?'),
]


@pytest.mark.parametrize(("setting", "value", "expected", "mend"), WRONG)
def test_a_wrong_setting_is_named_with_what_was_expected(
    setting: str, value: object, expected: str, mend: str
) -> None:
    (fault,) = faults(calls(**{setting: value}))
    assert fault.key == f"destinations.calls.{setting}"
    assert expected in fault.expected
    assert mend in fault.mend


@pytest.mark.parametrize(
    "reader",
    [
        "allUsers",
        "allAuthenticatedUsers",
        "domain:example.com",
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*",
        "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/*",
        "players@example.com",
    ],
)
def test_readers_are_named_one_by_one(reader: str) -> None:
    (fault,) = faults(calls(readers=[reader]))
    assert fault.key == "destinations.calls.readers[0]"


# location of the bucket, location of the key that fits
@pytest.mark.parametrize(
    ("location", "place"),
    [("europe-west1", "europe-west1"), ("EU", "europe"), ("us", "us"), ("EUR4", "eur4"), ("ASIA", "asia")],
)
def test_a_key_is_where_the_bucket_is(location: str, place: str) -> None:
    assert judged(calls(location=location, kms_key_name=KEY.format(place)))
    (fault,) = faults(calls(location=location, kms_key_name=KEY.format("northamerica-northeast1")))
    assert fault.expected.startswith(f"a key in {place}")


def test_sound_settings_are_taken() -> None:
    settings: dict[str, Any] = {
        "workspace_id": "é" * 63 + "a",
        "bucket_name": "acme_recordings",
        "pool_id": "vendors",
        "provider_id": "tavus",
        "service_account_id": "vendor-writer",
        "deploy_service_account": "deployer@acme-prod.iam.gserviceaccount.com",
        "readers": [
            "user:ann@example.com",
            "group:players@example.com",
            "serviceAccount:app@acme-prod.iam.gserviceaccount.com",
            "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s",
        ],
        "additional_audiences": ["recordings"],
        "retention_days": 30,
        "allow_overwrite": True,
    }
    assert judged(calls(**settings)).warnings == ()


# settings, the key that is named, what was expected
APART: list[tuple[dict[str, Any], str, str]] = [
    ({"existing": True}, "existing", "bucket_name beside existing: true"),
    ({"existing": True, "bucket_name": "acme", "retention_days": 3}, "retention_days", "beside existing"),
    ({"existing": True, "bucket_name": "acme", "readers": ["user:a@b.c"]}, "readers", "beside existing"),
    (
        {"existing": True, "bucket_name": "acme", "kms_key_name": KEY.format("europe-west1")},
        "kms_key_name",
        "beside existing",
    ),
    ({"adopt": True, "on_destroy": "delete"}, "on_destroy", "beside adopt: true"),
    ({"adopt_pool": True, "on_destroy": "delete"}, "on_destroy", "beside adopt_pool: true"),
    ({"existing_pool": True}, "existing_pool", "pool_id beside existing_pool"),
    ({"existing_pool": True, "pool_id": "pool", "adopt_pool": True}, "adopt_pool", "either a pool"),
    (
        {
            "service_account_email": "w@acme-prod.iam.gserviceaccount.com",
            "service_account_id": "writer",
        },
        "service_account_id",
        "either a service account",
    ),
]


@pytest.mark.parametrize(("settings", "key", "expected"), APART)
def test_what_does_not_fit_together_is_named(settings: dict[str, Any], key: str, expected: str) -> None:
    (fault,) = faults(calls(**settings))
    assert fault.key == f"destinations.calls.{key}"
    assert expected in fault.expected


def test_one_name_is_not_taken_twice() -> None:
    twice = {"bucket_name": "acme-calls", "pool_id": "vendors", "service_account_id": "writer"}
    found = faults({"destinations": {"calls": GCS | twice, "demos": GCS | twice, "other": GCS}})
    assert sorted(fault.key for fault in found) == sorted(
        f"destinations.{name}.{field}" for name in ("calls", "demos") for field in twice
    )
    elsewhere = {key: value for key, value in twice.items() if key != "bucket_name"}
    assert judged(
        {"destinations": {"calls": GCS | elsewhere, "demos": GCS | elsewhere | {"project": "acme-demo"}}}
    )


def test_two_destinations_in_one_given_pool_need_two_providers() -> None:
    pool = {"existing_pool": True, "pool_id": "vendors"}
    found = faults({"destinations": {"calls": GCS | pool, "demos": GCS | pool}})
    assert {fault.key for fault in found} == {
        "destinations.calls.provider_id",
        "destinations.demos.provider_id",
    }
    assert judged({"destinations": {"calls": GCS | pool, "demos": GCS | pool | {"provider_id": "second"}}})


def test_a_derived_name_that_google_would_refuse_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        judge(calls(), project="recording-storage", stack="my-google", organization="organization")
    (fault,) = caught.value.faults
    assert fault.key == "destinations.calls.bucket_name"
    assert fault.mend.endswith("set bucket_name")


@pytest.mark.parametrize(
    ("tags", "key", "expected"),
    [
        ({"Team": "voice"}, "tags.Team", "a label's key"),
        ({"team": "Voice Team"}, "tags.team", "a label's value"),
        ({"1team": "voice"}, "tags.1team", "begins with a letter"),
    ],
)
def test_tags_must_be_labels_where_google_carries_them(tags: dict[str, str], key: str, expected: str) -> None:
    (fault,) = faults(calls() | {"tags": tags})
    assert fault.key == key
    assert expected in fault.expected
    assert judged({"destinations": {"calls": S3}, "tags": tags})


@pytest.mark.parametrize(
    ("profile", "key", "expected"),
    [
        ({"issuer": "http://issuer.example.com"}, "issuer", "an issuer's URL"),
        ({"issuer": "https://issuer.example.com?x=1"}, "issuer", "an issuer's URL"),
        ({"subject_mapping": "sub"}, "subject_mapping", "a CEL expression"),
        ({"audience": ""}, "audience", "1 to 256"),
        ({"external_id": "x"}, "external_id", "one of the keys issuer"),
    ],
)
def test_a_wrong_override_of_the_trust_profile_is_named(
    profile: dict[str, str], key: str, expected: str
) -> None:
    (fault,) = faults(calls() | {"trust_profile": {"gcs": profile}})
    assert fault.key == f"trust_profile.gcs.{key}"
    assert expected in fault.expected


def test_what_is_accepted_already_is_not_accepted_beside() -> None:
    profile = {"trust_profile": {"gcs": {"audience": "theirs"}}}
    (fault,) = faults(calls(additional_audiences=["theirs"]) | profile)
    assert fault.key == "destinations.calls.additional_audiences[0]"


def test_what_someone_should_know_is_a_warning() -> None:
    config = calls(
        location="europe-west99", bucket_name="calls.acme.com", existing_pool=True, pool_id="vendors"
    )
    warnings = judged(config).warnings
    assert [one.key.removeprefix("destinations.calls.") for one in warnings] == [
        "location",
        "bucket_name",
        "existing_pool",
    ]


def test_all_faults_come_at_once() -> None:
    config: dict[str, Any] = {
        "destinations": {
            "calls": GCS | {"project": "1234567", "workspace_id": " x", "existing_pool": True},
            "demos": S3 | {"region": "Ireland"},
        }
    }
    assert [fault.key for fault in faults(config)] == [
        "destinations.calls.project",
        "destinations.calls.workspace_id",
        "destinations.demos.region",
        "destinations.calls.existing_pool",
    ]
