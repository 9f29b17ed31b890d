"""What `--config` may hold: every shape in which a destination is kept, and what is said of a wrong one."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.verify import conversation_checks, inputs
from recording_storage.verify.targets import Target, with_options

if TYPE_CHECKING:
    from pathlib import Path

S3 = {
    "provider": "s3",
    "bucket_name": "acme-calls",
    "bucket_region": "eu-west-1",
    "assume_role_arn": "arn:aws:iam::111122223333:role/recordings",
}
GCS = {
    "provider": "gcs",
    "bucket_name": "acme-meetings",
    "project_id": "acme-prod",
    "workload_identity_provider": "projects/1/locations/global/workloadIdentityPools/p-acme/providers/r-acme",
    "service_account_email": "recorder@acme-prod.iam.gserviceaccount.com",
}
FLAT = {
    "recording_s3_bucket_name": "acme-calls",
    "recording_s3_bucket_region": "eu-west-1",
    "aws_assume_role_arn": "arn:aws:iam::111122223333:role/recordings",
}
PROPERTIES: dict[str, Any] = {"enable_recording": True, "recording_storage": S3}
BODY: dict[str, Any] = {"replica_id": "r1", "properties": PROPERTIES}
OUTPUTS = {
    "recording_storage": S3,
    "destinations": {
        "calls": {"recording_storage": S3, "conversation_properties": BODY["properties"], "bucket_name": "b"},
        "meetings": {"recording_storage": GCS, "pool_name": "p"},
    },
}
TERRAFORM = {
    "recording_storage": {"sensitive": False, "type": "x", "value": S3},
    "vpc": {"sensitive": False, "type": "x", "value": {"id": "vpc-1"}},
}
SHAPES: dict[str, tuple[object, dict[str, dict[str, str]]]] = {
    "one object": (S3, {"recording_storage": S3}),
    "a list": ([S3, GCS], {"[1]": S3, "[2]": GCS}),
    "names": ({"calls": S3, "meetings": GCS}, {"calls": S3, "meetings": GCS}),
    "a request": (BODY, {"recording_storage": S3}),
    "its properties": (BODY["properties"], {"recording_storage": S3}),
    "a request in the older form": ({"properties": FLAT}, {"recording_storage": S3}),
    "the older flat properties": (FLAT, {"recording_storage": S3}),
    "a stack's outputs": (OUTPUTS, {"calls": S3, "meetings": GCS}),
    "outputs of a program with one destination": (
        {"url": "https://x", "recording_storage": S3},
        {"recording_storage": S3},
    ),
    "outputs of two stacks": (
        [OUTPUTS, OUTPUTS],
        {"[1].calls": S3, "[1].meetings": GCS, "[2].calls": S3, "[2].meetings": GCS},
    ),
    "Terraform's outputs": (TERRAFORM, {"recording_storage": S3}),
    "Terraform's outputs by name": ({"calls": {"sensitive": False, "value": S3}}, {"calls": S3}),
}


def parse(value: object) -> list[Target]:
    return inputs.parse(json.dumps(value), "a file")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_destinations(shape: str) -> None:
    given, expected = SHAPES[shape]
    assert {target.name: target.recording_storage for target in parse(given)} == expected


def test_a_file_and_standard_input_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "calls.json"
    file.write_text(json.dumps(S3))
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(S3)))
    assert inputs.read(str(file)) == inputs.read("-") == parse(S3)


WRONG: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", ["(all of it)"]),
    "no JSON": ("{provider: s3}", ["(all of it)"]),
    "a number": ("1", ["(all of it)"]),
    "nothing in it": ("{}", ["(all of it)"]),
    "an unknown provider": ('{"provider": "s4"}', ["recording_storage.provider"]),
    "everything at once": (
        json.dumps({"calls": {"provider": "s3", "bucket_name": "A"}, "other": {**GCS, "bucket_name": 1}}),
        [
            "calls: recording_storage.bucket_name",
            "calls: recording_storage.bucket_region",
            "calls: recording_storage.assume_role_arn",
            "other: recording_storage.bucket_name",
        ],
    ),
    "an empty identifier": (
        json.dumps({**GCS, "workload_identity_provider": ""}),
        ["recording_storage.workload_identity_provider"],
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_all_at_once(what: str) -> None:
    text, keys = WRONG[what]
    with pytest.raises(inputs.InputError) as error:
        inputs.parse(text, "a file")
    assert list(dict.fromkeys(one.key for one in error.value.faults)) == keys
    assert all(one.expected and one.mend for one in error.value.faults)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(inputs.InputError, match="No such file"):
        inputs.read(str(tmp_path / "none.json"))


def test_a_secret_is_not_repeated() -> None:
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    with pytest.raises(inputs.InputError) as error:
        parse({**S3, "external_id": secret})
    assert secret not in str(error.value)


@pytest.mark.parametrize(
    "identifier",
    ["//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/r", "projects/acme"],
)
def test_an_identifier_of_a_wrong_form_is_left_to_its_check(identifier: str) -> None:
    assert parse({**GCS, "workload_identity_provider": identifier})


def test_options_count_for_all_targets_and_unset_ones_for_none() -> None:
    first, second = with_options(
        parse([S3, GCS]), workspace_id="w-acme", principals=["111122223333"], kms_key=None
    )
    assert first.known.workspace_id == second.known.workspace_id == "w-acme"
    assert (first.known.principals, first.known.kms_key) == (("111122223333",), "")


def conversation(**changed: Any) -> dict[str, str]:
    properties: dict[str, Any] = {**PROPERTIES, **changed.pop("properties", {})}
    target = parse({**BODY, **changed, "properties": properties})[0]
    assert target.conversation is not None
    return {
        id_: decide().status.value
        for id_, decide in conversation_checks.deciders(target.conversation).items()
    }


def test_a_request_that_enables_recording_and_has_no_callback_passes() -> None:
    assert conversation() == {"W3": "pass"}


@pytest.mark.parametrize("given", [False, None, "true", 1])
def test_a_request_that_does_not_enable_recording_fails(given: object) -> None:
    assert conversation(properties={"enable_recording": given}) == {"W3": "fail"}


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.com/tavus?token=0f8fad5bd9cb469fa165", "pass"),
        ("https://example.com/hooks/0f8fad5bd9cb469fa165", "pass"),
        ("https://example.com/tavus", "warn"),
        ("https://example.com/tavus?id=1", "warn"),
        ("http://example.com/tavus?token=0f8fad5bd9cb469fa165", "warn"),
    ],
)
def test_a_callback_that_anybody_may_call_is_warned_of(url: str, status: str) -> None:
    assert conversation(callback_url=url)["W2"] == status


def test_what_a_callback_carries_is_not_repeated() -> None:
    target = parse({**BODY, "callback_url": "http://example.com/tavus?token=0f8fad5bd9cb469fa165"})[0]
    found = conversation_checks.deciders(target.conversation or {})["W2"]()
    assert "0f8fad5bd9cb469fa165" not in found.evidence + found.mend
