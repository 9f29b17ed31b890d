"""The S3 component, by what it registers; and the program, by what it exports and refuses."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest

from components.s3_lifecycle import lifecycle_rules
from tests.support.registrations import EXISTING_REGION, KEY_ARN, Run, run

CALLS = {"provider": "s3", "region": "eu-west-1"}
CHILDREN = [
    ("aws:s3/bucket:Bucket", "calls-bucket"),
    ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "calls-public-access-block"),
    ("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "calls-ownership"),
    ("aws:s3/bucketPolicy:BucketPolicy", "calls-policy"),
    ("aws:s3/bucketVersioning:BucketVersioning", "calls-versioning"),
    (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "calls-encryption",
    ),
    ("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "calls-lifecycle"),
]
ROLE = [("aws:iam/role:Role", "calls-role"), ("aws:iam/rolePolicy:RolePolicy", "calls-role-policy")]


def one(**settings: Any) -> dict[str, Any]:
    return {"destinations": {"calls": CALLS | settings}}


@pytest.fixture(scope="module")
def plain() -> Run:
    found = run(one())
    assert found.error == ""
    return found


def test_what_is_registered_is_the_golden_list(plain: Run) -> None:
    registered = sorted((r.type, r.name, r.parent, r.protect) for r in plain.registrations)
    assert registered == sorted(
        [
            ("pulumi:providers:aws", "aws-default", "recording-storage-acme", False),
            ("recording-storage:index:S3Destination", "calls", "recording-storage-acme", False),
            *((type_, name, "calls", True) for type_, name in CHILDREN),
            *((type_, name, "calls", True) for type_, name in ROLE),
        ]
    )


def test_names_are_the_same_on_every_run(plain: Run) -> None:
    again = run(one())
    assert again["calls-bucket"].inputs["bucket"] == plain["calls-bucket"].inputs["bucket"]
    assert re.fullmatch(r"acme-calls-[a-z2-7]{6}", plain["calls-bucket"].inputs["bucket"])
    assert plain["calls-role"].inputs["name"] == f"recordings-{plain['calls-bucket'].inputs['bucket']}"


def test_the_role_trusts_the_service_and_may_do_its_eight_actions(plain: Run) -> None:
    role = plain["calls-role"].inputs
    assert role["maxSessionDuration"] == 43200
    assert role["path"] == "/"
    assert json.loads(role["assumeRolePolicy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::291871421005:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "tavus"}},
            }
        ],
    }
    arn = f"arn:aws:s3:::{plain['calls-bucket'].inputs['bucket']}"
    assert json.loads(plain["calls-role-policy"].inputs["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "s3:PutObject",
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:ListBucket",
                    "s3:ListBucketVersions",
                    "s3:ListBucketMultipartUploads",
                    "s3:ListMultipartUploadParts",
                    "s3:AbortMultipartUpload",
                ],
                "Resource": [arn, f"{arn}/*"],
            }
        ],
    }


def test_the_bucket_is_private_versioned_and_encrypted(plain: Run) -> None:
    region = {"bucket": plain["calls-bucket"].inputs["bucket"], "region": "eu-west-1"}
    assert plain["calls-public-access-block"].inputs == region | {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert plain["calls-ownership"].inputs == region | {"rule": {"objectOwnership": "BucketOwnerEnforced"}}
    assert plain["calls-versioning"].inputs == region | {"versioningConfiguration": {"status": "Enabled"}}
    assert plain["calls-encryption"].inputs == region | {
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    }
    assert plain["calls-bucket"].inputs["forceDestroy"] is False


def test_the_buckets_settings_come_one_after_the_other(plain: Run) -> None:
    for (_, before), (_, after) in pairwise(CHILDREN):
        assert before in plain[after].depends_on, f"{after} may race with {before}"


@pytest.mark.parametrize(
    ("on_destroy", "protect", "retain", "force"),
    [("protect", True, False, False), ("retain", False, True, False), ("delete", False, False, True)],
)
def test_on_destroy_covers_the_storage_and_all_that_protects_it(
    on_destroy: str, protect: bool, retain: bool, force: bool
) -> None:
    found = run(one(on_destroy=on_destroy))
    for _, name in ROLE:
        assert (found[name].protect, found[name].retain_on_delete) == (protect, False), name
    for _, name in CHILDREN:
        assert (found[name].protect, found[name].retain_on_delete) == (protect, retain), name
    assert found["calls-bucket"].inputs["forceDestroy"] is force


def test_unset_retention_expires_nothing_but_unfinished_uploads() -> None:
    assert lifecycle_rules(None) == [
        {
            "id": "drop-unfinished-uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        }
    ]


def test_retention_covers_current_and_old_versions_and_delete_markers() -> None:
    everything = {"status": "Enabled", "filter": {"prefix": ""}}
    assert lifecycle_rules(30)[1:] == [
        everything
        | {
            "id": "expire-recordings",
            "expiration": {"days": 30},
            "noncurrent_version_expiration": {"noncurrent_days": 1},
        },
        everything | {"id": "expire-delete-markers", "expiration": {"expired_object_delete_marker": True}},
    ]


def test_everything_that_can_be_set_on_the_role_reaches_it() -> None:
    found = run(
        one(
            role_name="vendor-writer",
            role_path="/vendors/",
            permissions_boundary="arn:aws:iam::111122223333:policy/boundary",
            external_id="acme-own",
            additional_external_ids=["tavus"],
            additional_principals=["444455556666", "arn:aws:iam::777788889999:role/worker"],
        )
    )
    role = found["calls-role"].inputs
    assert (role["name"], role["path"]) == ("vendor-writer", "/vendors/")
    assert role["permissionsBoundary"] == "arn:aws:iam::111122223333:policy/boundary"
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"]["AWS"] == [
        "arn:aws:iam::291871421005:root",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::777788889999:role/worker",
    ]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": ["acme-own", "tavus"]}}
    handed_over = found.outputs["recording_storage"]
    assert handed_over["external_id"] == "acme-own"
    assert found.outputs["destinations"]["calls"]["legacy_conversation_properties"] is None


def test_an_overridden_trust_profile_is_trusted_and_not_handed_over() -> None:
    profile = {"s3": {"account": "444455556666", "external_id": "vendors-new-word", "session_seconds": 7200}}
    found = run(one() | {"trust_profile": profile})
    role = found["calls-role"].inputs
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::444455556666:root"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "vendors-new-word"}}
    assert role["maxSessionDuration"] == 7200
    assert "external_id" not in found.outputs["recording_storage"]


def test_readers_are_named_in_the_buckets_policy() -> None:
    reader = "arn:aws:iam::111122223333:role/app"
    found = run(one(readers=[reader]))
    arn = f"arn:aws:s3:::{found['calls-bucket'].inputs['bucket']}"
    assert json.loads(found["calls-policy"].inputs["policy"])["Statement"] == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "ReadersGet",
            "Effect": "Allow",
            "Principal": {"AWS": reader},
            "Action": "s3:GetObject",
            "Resource": f"{arn}/*",
        },
        {
            "Sid": "ReadersList",
            "Effect": "Allow",
            "Principal": {"AWS": reader},
            "Action": "s3:ListBucket",
            "Resource": arn,
        },
    ]


THROUGH_S3 = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
READER = "arn:aws:iam::111122223333:role/app"


def test_a_key_of_ones_own_is_for_the_role_and_the_readers_alone() -> None:
    found = run(
        one(create_kms_key=True, kms_key_deletion_days=7, readers=[READER]) | {"tags": {"team": "voice"}}
    )
    key = found["calls-key"]
    assert (key.type, key.parent, key.protect) == ("aws:kms/key:Key", "calls", True)
    policy = json.loads(key.inputs.pop("policy"))
    assert key.inputs == {
        "description": "Encrypts the recordings of calls",
        "region": "eu-west-1",
        "enableKeyRotation": True,
        "deletionWindowInDays": 7,
        "tags": {"team": "voice"},
    }
    assert policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AccountControlsKey",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "RecordingsWriteCalls",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::111122223333:role/{found['calls-role'].inputs['name']}"},
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                "Resource": "*",
                "Condition": THROUGH_S3,
            },
            {
                "Sid": "RecordingsReadCalls",
                "Effect": "Allow",
                "Principal": {"AWS": READER},
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": THROUGH_S3,
            },
        ],
    }
    assert found["calls-encryption"].inputs["rules"] == [
        {
            "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY_ARN},
            "bucketKeyEnabled": True,
        }
    ]
    assert found.outputs["destinations"]["calls"]["kms_key_arn"] == KEY_ARN
    assert "kms_key_statements" not in found.outputs["destinations"]["calls"]
    assert len(json.loads(found["calls-role-policy"].inputs["policy"])["Statement"]) == 1


@pytest.mark.parametrize(
    ("on_destroy", "protect", "retain"), [("retain", False, True), ("delete", False, False)]
)
def test_on_destroy_covers_the_key(on_destroy: str, protect: bool, retain: bool) -> None:
    key = run(one(create_kms_key=True, on_destroy=on_destroy))["calls-key"]
    assert (key.protect, key.retain_on_delete) == (protect, retain)


def test_a_given_keys_policy_is_not_written_but_said() -> None:
    found = run(one(kms_key_arn=KEY_ARN, readers=[READER]))
    assert not [r for r in found.registrations if r.type == "aws:kms/key:Key"]
    role = f"arn:aws:iam::111122223333:role/{found['calls-role'].inputs['name']}"
    assert json.loads(found["calls-role-policy"].inputs["policy"])["Statement"][1:] == [
        {
            "Effect": "Allow",
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": KEY_ARN,
            "Condition": THROUGH_S3,
        }
    ]
    wanted = found.outputs["destinations"]["calls"]["kms_key_statements"]
    assert [(s["Principal"]["AWS"], s["Action"]) for s in wanted] == [
        (role, ["kms:GenerateDataKey", "kms:Decrypt"]),
        (READER, "kms:Decrypt"),
    ]
    assert any(KEY_ARN in line and role in line for line in found.log)


def test_of_an_existing_bucket_only_the_role_is_made() -> None:
    found = run(one(existing=True, bucket_name="acme-recordings"))
    assert sorted(r.name for r in found.registrations if r.type.startswith("aws:")) == [
        "calls-role",
        "calls-role-policy",
    ]
    assert not found["calls-role"].protect
    assert found.outputs["recording_storage"]["bucket_name"] == "acme-recordings"
    assert found.outputs["recording_storage"]["bucket_region"] == EXISTING_REGION
    (statement,) = json.loads(found["calls-role-policy"].inputs["policy"])["Statement"]
    assert statement["Resource"] == ["arn:aws:s3:::acme-recordings", "arn:aws:s3:::acme-recordings/*"]


def test_an_existing_bucket_in_another_region_is_refused() -> None:
    found = run(one(existing=True, bucket_name="acme-recordings", region="us-east-1"))
    assert f"write region: {EXISTING_REGION}" in found.error


def test_an_adopted_bucket_is_imported_with_all_its_settings() -> None:
    found = run(one(adopt=True, bucket_name="acme-recordings"))
    for _, name in CHILDREN:
        assert found[name].import_id == "acme-recordings@eu-west-1", name
    for _, name in ROLE:
        assert found[name].import_id == ""


def test_a_bucket_that_is_adopted_by_its_derived_name_needs_the_account() -> None:
    found = run(one(adopt=True, account="111122223333"))
    assert found["calls-bucket"].import_id == f"{run(one())['calls-bucket'].inputs['bucket']}@eu-west-1"


def test_tags_stand_on_everything_that_can_carry_them() -> None:
    found = run(one() | {"tags": {"team": "voice"}})
    assert found["calls-bucket"].inputs["tags"] == {"team": "voice"}
    assert found["calls-role"].inputs["tags"] == {"team": "voice"}


def test_outputs_of_a_stack_with_one_destination(plain: Run) -> None:
    bucket = plain["calls-bucket"].inputs["bucket"]
    role_arn = f"arn:aws:iam::111122223333:role/recordings-{bucket}"
    storage = {
        "provider": "s3",
        "bucket_name": bucket,
        "bucket_region": "eu-west-1",
        "assume_role_arn": role_arn,
    }
    assert plain.outputs == {
        "recording_storage": storage,
        "destinations": {
            "calls": {
                "provider": "s3",
                "recording_storage": storage,
                "conversation_properties": {"enable_recording": True, "recording_storage": storage},
                "legacy_conversation_properties": {
                    "enable_recording": True,
                    "recording_s3_bucket_name": bucket,
                    "recording_s3_bucket_region": "eu-west-1",
                    "aws_assume_role_arn": role_arn,
                },
                "bucket_name": bucket,
                "bucket_region": "eu-west-1",
                "bucket_arn": f"arn:aws:s3:::{bucket}",
                "bucket_uri": f"s3://{bucket}",
                "role_name": f"recordings-{bucket}",
                "role_arn": role_arn,
            }
        },
    }


def test_of_several_destinations_the_default_is_handed_over() -> None:
    several = {"destinations": {"calls": CALLS, "demos": CALLS | {"region": "us-east-1"}}}
    found = run(several | {"default": "demos"})
    assert found.outputs["recording_storage"] == found.outputs["destinations"]["demos"]["recording_storage"]
    assert found.outputs["recording_storage"]["bucket_region"] == "us-east-1"
    assert "recording_storage" not in run(several).outputs


def test_a_provider_per_account_and_role() -> None:
    role = "arn:aws:iam::444455556666:role/deployer"
    found = run(
        {
            "destinations": {
                "calls": CALLS | {"account": "111122223333"},
                "demos": CALLS | {"account": "111122223333"},
                "partners": CALLS | {"deploy_role": role},
            }
        }
    )
    providers = {r.name: r.inputs for r in found.registrations if r.type == "pulumi:providers:aws"}
    assert sorted(providers) == ["aws-111122223333", "aws-444455556666-deployer"]
    assert json.loads(providers["aws-111122223333"]["allowedAccountIds"]) == ["111122223333"]
    assert json.loads(providers["aws-444455556666-deployer"]["assumeRoles"])[0]["roleArn"] == role
    used = {name: found[f"{name}-bucket"].provider for name in ("calls", "demos", "partners")}
    assert used == {
        "calls": "aws-111122223333",
        "demos": "aws-111122223333",
        "partners": "aws-444455556666-deployer",
    }


def test_a_region_is_the_destinations_own_and_moves_no_other() -> None:
    found = run({"destinations": {"calls": CALLS, "demos": CALLS | {"region": "us-east-1"}}})
    assert found["demos-bucket"].inputs["region"] == "us-east-1"
    assert found["calls-bucket"].inputs["region"] == "eu-west-1"
    (provider,) = [r for r in found.registrations if r.type == "pulumi:providers:aws"]
    assert provider.inputs["region"] == "us-east-1"
    alone = run(one())
    (same,) = [r for r in alone.registrations if r.type == "pulumi:providers:aws"]
    assert same.inputs == provider.inputs


def test_a_preview_knows_what_can_be_known_and_no_more() -> None:
    found = run(one(), preview=True)
    assert found.error == ""
    assert [r.name for r in found.registrations if r.name == "calls-bucket"]
    assert found["calls-role-policy"].inputs["policy"] == "<unknown>"
    assert json.loads(found["calls-role"].inputs["assumeRolePolicy"])["Statement"]
    assert found.outputs["recording_storage"] == "<unknown>"


def test_all_faults_are_said_at_once_and_nothing_is_registered() -> None:
    found = run({"destinations": {"calls": {"provider": "s3", "region": "Ireland", "retention_days": -1}}})
    assert found.registrations == []
    assert found.error.startswith("RunError: 2 faults in the configuration; nothing was made.")
    assert "recording-storage:destinations.calls.region" in found.error
    assert "recording-storage:destinations.calls.retention_days" in found.error


def test_a_configuration_of_another_project_is_refused_by_the_program_itself() -> None:
    found = run(
        {},
        program="""
import os
os.environ["PULUMI_CONFIG"] = '{"voice:destinations": "{}"}'
from components.stack import read_configuration
read_configuration()
""",
    )
    assert found.registrations == []
    assert "voice:destinations is written for the project voice" in found.error


def test_an_unknown_region_is_a_warning() -> None:
    found = run(one(region="eu-west-9"))
    assert found.error == ""
    assert any("destinations.calls.region" in line for line in found.log)
    assert found.outputs["recording_storage"]["bucket_region"] == "eu-west-9"


def test_the_component_alone_needs_only_a_region() -> None:
    found = run(
        {},
        program=(
            "import pulumi\n"
            "from components.s3 import S3Destination\n"
            "made = S3Destination('calls', {'region': 'eu-west-1'})\n"
            "pulumi.export('recording_storage', made.recording_storage)\n"
        ),
    )
    assert found.error == ""
    assert found.outputs["recording_storage"]["bucket_name"].startswith("acme-calls-")


COUNTING = """
import runpy
import pulumi
import pulumi_aws as aws
asked, ask = [], aws.get_caller_identity_output
aws.get_caller_identity_output = lambda **options: asked.append(options) or ask(**options)
runpy.run_path("__main__.py", run_name="__main__")
pulumi.export("asked", len(asked))
"""


@pytest.mark.parametrize(
    ("settings", "times"),
    [
        ({}, 1),
        ({"create_kms_key": True}, 1),
        ({"role_name": "recordings"}, 1),
        ({"bucket_name": "acme-calls", "role_name": "recordings", "create_kms_key": True}, 1),
        ({"bucket_name": "acme-calls", "role_name": "recordings"}, 0),
        ({"account": "111122223333"}, 0),
    ],
)
def test_the_account_is_asked_once_where_it_is_needed(settings: dict[str, object], times: int) -> None:
    assert run(one(**settings), program=COUNTING).outputs["asked"] == times


def test_several_destinations_ask_for_their_account_once() -> None:
    several = {name: {"provider": "s3", "region": "eu-west-1"} for name in ("calls", "meetings", "support")}
    assert run({"destinations": several}, program=COUNTING).outputs["asked"] == 1


def test_an_outcome_that_breaks_the_contract_is_never_handed_over() -> None:
    found = run(
        {},
        program=(
            "import pulumi\n"
            "from components.s3 import S3Destination\n"
            "made = S3Destination('calls', {'region': 'eu-west-1', 'bucket_name': 'Not_A_Bucket'})\n"
            "pulumi.export('recording_storage', made.recording_storage)\n"
        ),
    )
    assert "recording_storage breaks the contract" in found.error


def test_nothing_of_another_cloud_is_imported() -> None:
    plain = run(one(), fresh=True)
    assert "pulumi_aws" in plain.modules
    others = ("pulumi_gcp", "pulumi_azure", "google.auth", "google.cloud", "azure", "msal")
    others += ("components.gcs", "components.azure_blob")
    assert [module for module in plain.modules if module.startswith(others)] == []
    assert "boto3" not in plain.modules
