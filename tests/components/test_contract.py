"""What the application gets, compared whole, and every departure from the contract."""

from typing import Any

import pytest

from components import contract
from components.faults import Fault

ROLE = "arn:aws:iam::123456789012:role/recordings-acme-calls"
STORAGE = {
    "provider": "s3",
    "bucket_name": "acme-calls",
    "bucket_region": "eu-west-1",
    "assume_role_arn": ROLE,
}


def test_the_default_external_id_is_left_out() -> None:
    assert contract.s3_recording_storage("acme-calls", "eu-west-1", ROLE, "tavus", "tavus") == STORAGE


def test_an_own_external_id_is_handed_over() -> None:
    own = contract.s3_recording_storage("acme-calls", "eu-west-1", ROLE, "tavus-acme", "tavus")
    assert own == {**STORAGE, "external_id": "tavus-acme"}
    assert contract.validate(own) == []


def test_conversation_properties_switch_recording_on() -> None:
    assert contract.conversation_properties(STORAGE) == {
        "enable_recording": True,
        "recording_storage": STORAGE,
    }


def test_the_older_flat_form() -> None:
    assert contract.s3_legacy_properties(STORAGE) == {
        "enable_recording": True,
        "recording_s3_bucket_name": "acme-calls",
        "recording_s3_bucket_region": "eu-west-1",
        "aws_assume_role_arn": ROLE,
    }


def test_the_older_flat_form_has_no_room_for_an_external_id() -> None:
    assert contract.s3_legacy_properties({**STORAGE, "external_id": "tavus-acme"}) is None


def test_a_conforming_object_has_no_faults() -> None:
    assert contract.validate(STORAGE) == []


@pytest.mark.parametrize(
    ("change", "key", "value", "expected", "mend"),
    [
        ({"provider": "S3"}, "provider", '"S3"', "one of s3", 'did you mean "s3"?'),
        ({"provider": None}, "provider", "null", "one of s3", "name one of them"),
        ({"bucket": "x"}, "bucket", '"x"', "a field of s3: bucket_name", 'did you mean "bucket_name"?'),
        ({"bucket_name": "Acme"}, "bucket_name", '"Acme"', "lower-case letters", "lower case"),
        ({"bucket_region": "cn-north-1"}, "bucket_region", '"cn-north-1"', "partition aws", "outside it"),
        ({"assume_role_arn": 5}, "assume_role_arn", "5", "a string", "write a string"),
        ({"assume_role_arn": "writer"}, "assume_role_arn", '"writer"', "an exact ARN", "copy the ARN"),
        ({"external_id": ""}, "external_id", '""', "2 to 1224 characters", "lengthen"),
    ],
)
def test_a_departure_from_the_contract_is_named(
    change: dict[str, Any], key: str, value: str, expected: str, mend: str
) -> None:
    (fault,) = contract.validate({**STORAGE, **change})
    assert (fault.key, fault.value) == (f"recording_storage.{key}", value)
    assert expected in fault.expected
    assert mend in fault.mend


PROVIDER = (
    "projects/123456789012/locations/global/workloadIdentityPools/acme-calls/providers/recording-service"
)
GCS = {
    "provider": "gcs",
    "bucket_name": "acme-calls",
    "project_id": "acme-prod",
    "workload_identity_provider": PROVIDER,
    "service_account_email": "writer@acme-prod.iam.gserviceaccount.com",
}


def test_the_object_for_google() -> None:
    built = contract.gcs_recording_storage(
        "acme-calls", "acme-prod", PROVIDER, "writer@acme-prod.iam.gserviceaccount.com"
    )
    assert built == GCS
    assert contract.validate(built) == []


# a wrong provider's name, what was expected, how to mend it
WRONG_PROVIDERS = [
    (f"//iam.googleapis.com/{PROVIDER}", "without //iam.googleapis.com/", "remove //iam.googleapis.com/"),
    (
        f"https://iam.googleapis.com/{PROVIDER}",
        "without https://iam.googleapis.com/",
        "remove https://iam.googleapis.com/",
    ),
    (
        PROVIDER.replace("123456789012", "acme-prod"),
        "the project's number, not its ID",
        "gcloud projects describe acme-prod",
    ),
    (PROVIDER.partition("/providers/")[0], "a provider's name", "this names a pool, not its provider"),
    (PROVIDER.replace("acme-calls", "gcp-calls"), "which Google reserves", "another word"),
    ("recording-service", "a provider's name", "copy the provider's name"),
]


@pytest.mark.parametrize(("given", "expected", "mend"), WRONG_PROVIDERS)
def test_a_wrong_providers_name_is_named(given: str, expected: str, mend: str) -> None:
    (fault,) = contract.validate(GCS | {"workload_identity_provider": given})
    assert fault.key == "recording_storage.workload_identity_provider"
    assert expected in fault.expected
    assert mend in fault.mend


def test_every_fault_of_a_providers_name_is_named() -> None:
    given = "//iam.googleapis.com/" + PROVIDER.replace("123456789012", "acme-prod")
    assert len(contract.validate(GCS | {"workload_identity_provider": given})) == 2


def test_a_projects_number_is_not_its_id() -> None:
    (fault,) = contract.validate(GCS | {"project_id": "123456789012"})
    assert "gcloud projects describe 123456789012" in fault.mend


@pytest.mark.parametrize("field", [name for name in GCS if name != "provider"])
def test_a_missing_field_of_google_is_named(field: str) -> None:
    (fault,) = contract.validate({name: value for name, value in GCS.items() if name != field})
    assert (fault.key, fault.value) == (f"recording_storage.{field}", "(not set)")


@pytest.mark.parametrize("field", ["bucket_name", "bucket_region", "assume_role_arn"])
def test_a_missing_field_is_named(field: str) -> None:
    (fault,) = contract.validate({name: value for name, value in STORAGE.items() if name != field})
    assert (fault.key, fault.value) == (f"recording_storage.{field}", "(not set)")


def test_what_is_no_object_is_refused() -> None:
    (fault,) = contract.validate("s3")
    assert (fault.key, fault.value) == ("recording_storage", '"s3"')


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        ("AKIA" + "A" * 16, "an AWS access key id"),
        ("aB3" + "x" * 37, "an AWS secret access key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc", "a private key"),
        ("eyJhbGciOi.eyJzdWIiOi.c2ln", "a signed token"),
    ],
)
@pytest.mark.parametrize("field", ["external_id", "bucket_name", "aws_secret"])
def test_what_looks_like_a_secret_is_refused_and_not_repeated(secret: str, kind: str, field: str) -> None:
    assert contract.validate({**STORAGE, field: secret}) == [
        Fault(
            f"recording_storage.{field}",
            "(not shown)",
            "only non-secret identifiers",
            f"remove it: it looks like {kind}",
        )
    ]


def test_a_long_external_id_is_no_secret() -> None:
    assert contract.validate({**STORAGE, "external_id": "tavus-acct-" + "abc123" * 10}) == []
