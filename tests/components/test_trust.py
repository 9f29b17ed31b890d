"""The trust profile, and the documents that are built from it, compared whole."""

from typing import Any

import pytest

from components import aws, trust
from components.s3_policies import s3_bucket_policy, s3_trust_policy, s3_write_policy

BUCKET = "arn:aws:s3:::acme-calls"
READER = "arn:aws:iam::123456789012:role/reader"
VENDOR = trust.effective_s3({})


def test_the_profile_is_the_vendors() -> None:
    assert (
        trust.S3Trust(
            account="291871421005",
            external_id="tavus",
            session_seconds=43200,
            actions=(
                "s3:PutObject",
                "s3:GetObject",
                "s3:GetObjectVersion",
                "s3:ListBucket",
                "s3:ListBucketVersions",
                "s3:ListBucketMultipartUploads",
                "s3:ListMultipartUploadParts",
                "s3:AbortMultipartUpload",
            ),
        )
        == VENDOR
    )


def test_every_constant_has_a_source_and_is_sound() -> None:
    assert [one.name for one in trust.S3_PROFILE] == ["account", "external_id", "session_seconds", "actions"]
    assert all(one.certainty in "ABC" and one.source.startswith("https://") for one in trust.S3_PROFILE)
    assert aws.account_id_breaches(VENDOR.account) == aws.external_id_breaches(VENDOR.external_id) == ()
    assert not any(aws.s3_action_breaches(one) or aws.s3_action_notes(one) for one in VENDOR.actions)


def test_an_override_takes_a_constants_place_and_is_listed() -> None:
    overrides: trust.S3Overrides = {
        "account": "210987654321",
        "actions": ["s3:PutObject"],
        "external_id": "tavus",
    }
    effective = trust.effective_s3(overrides)
    assert effective == trust.S3Trust("210987654321", "tavus", 43200, ("s3:PutObject",))
    assert [(one.constant.name, one.value) for one in trust.overridden(trust.S3_PROFILE, {**overrides})] == [
        ("account", "210987654321"),
        ("actions", ("s3:PutObject",)),
    ]
    assert trust.overridden(trust.S3_PROFILE, {}) == ()


def test_what_is_assumed_for_google_is_marked_as_derived() -> None:
    assert trust.effective_gcs({}) == trust.GcsTrust(
        issuer="https://recording-copy.tavus.io", subject_mapping="assertion.sub", audience=""
    )
    assert [(one.name, one.certainty) for one in trust.GCS_PROFILE] == [
        ("issuer", "C"),
        ("subject_mapping", "C"),
        ("audience", "C"),
    ]
    overrides: trust.GcsOverrides = {
        "issuer": "https://issuer.example.com",
        "subject_mapping": "assertion.sub",
    }
    assert trust.effective_gcs(overrides).issuer == "https://issuer.example.com"
    assert [one.constant.name for one in trust.overridden(trust.GCS_PROFILE, {**overrides})] == ["issuer"]


def test_what_is_assumed_for_azure_is_marked_as_derived() -> None:
    assert trust.effective_azure_blob({}) == trust.AzureBlobTrust(
        issuer="https://recording-copy.tavus.io", audience="api://AzureADTokenExchange"
    )
    assert [(one.name, one.certainty) for one in trust.AZURE_BLOB_PROFILE] == [
        ("issuer", "C"),
        ("subject", "C"),
        ("audience", "B"),
    ]
    assert trust.effective_azure_blob({"audience": "api://theirs"}).audience == "api://theirs"


def trust_document(principal: str | list[str], external_id: str | list[str]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": principal},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def test_the_trust_policy_names_the_vendors_account_and_external_id() -> None:
    assert s3_trust_policy(VENDOR, ["tavus"], []) == trust_document("arn:aws:iam::291871421005:root", "tavus")


def test_further_principals_and_external_ids_stand_in_the_same_statement() -> None:
    writer = "arn:aws:iam::210987654321:role/writer"
    assert s3_trust_policy(VENDOR, ["tavus", "acme"], ["123456789012", writer]) == trust_document(
        ["arn:aws:iam::291871421005:root", "arn:aws:iam::123456789012:root", writer], ["tavus", "acme"]
    )


def test_a_trust_without_an_external_id_is_not_built() -> None:
    with pytest.raises(ValueError, match="external_ids is empty"):
        s3_trust_policy(VENDOR, [])


def test_the_write_policy_is_the_guides() -> None:
    assert s3_write_policy(VENDOR, BUCKET) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(VENDOR.actions), "Resource": [BUCKET, f"{BUCKET}/*"]},
        ],
    }


TLS_ONLY: dict[str, Any] = {
    "Sid": "TlsOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [BUCKET, f"{BUCKET}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def test_the_bucket_policy_refuses_what_comes_without_tls() -> None:
    assert s3_bucket_policy(BUCKET) == {"Version": "2012-10-17", "Statement": [TLS_ONLY]}


@pytest.mark.parametrize(
    ("readers", "who"), [([READER], READER), ([READER, f"{READER}2"], [READER, f"{READER}2"])]
)
def test_the_bucket_policy_lets_exactly_the_readers_read(readers: list[str], who: str | list[str]) -> None:
    assert s3_bucket_policy(BUCKET, readers) == {
        "Version": "2012-10-17",
        "Statement": [
            TLS_ONLY,
            {
                "Sid": "ReadersGet",
                "Effect": "Allow",
                "Principal": {"AWS": who},
                "Action": "s3:GetObject",
                "Resource": f"{BUCKET}/*",
            },
            {
                "Sid": "ReadersList",
                "Effect": "Allow",
                "Principal": {"AWS": who},
                "Action": "s3:ListBucket",
                "Resource": BUCKET,
            },
        ],
    }
