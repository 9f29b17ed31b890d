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
