"""The component on Google Cloud Storage, by what it registers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.gcs_lifecycle import lifecycle_rules
from components.gcs_policies import condition
from tests.support.registrations import EXISTING_LOCATION, POOLS, STORAGE_AGENT, Run, run

CALLS = {"provider": "gcs", "project": "acme-prod", "location": "europe-west1", "workspace_id": "ws-1"}
STORAGE = [("gcp:storage/bucket:Bucket", "calls-bucket")]
TRUST = [
    ("gcp:iam/workloadIdentityPool:WorkloadIdentityPool", "calls-pool"),
    ("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider", "calls-pool-provider"),
    ("gcp:serviceaccount/account:Account", "calls-service-account"),
    ("gcp:serviceaccount/iAMBinding:IAMBinding", "calls-trust"),
    ("gcp:storage/bucketIAMBinding:BucketIAMBinding", "calls-writer"),
]
APIS = [
    ("gcp:projects/service:Service", f"calls-api-{api}")
    for api in ("iam", "iamcredentials", "sts", "storage")
]
KEY = "projects/acme-keys/locations/europe-west1/keyRings/recordings/cryptoKeys/calls"
READERS = ["group:players@example.com", "serviceAccount:app@acme-prod.iam.gserviceaccount.com"]


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
            ("pulumi:providers:gcp", "gcp-acme-prod", "recording-storage-acme", False),
            ("recording-storage:index:GcsDestination", "calls", "recording-storage-acme", False),
            *((type_, name, "calls", True) for type_, name in (*STORAGE, *TRUST)),
            *((type_, name, "calls", False) for type_, name in APIS),
        ]
    )


def test_names_are_the_same_on_every_run(plain: Run) -> None:
    again = run(one())
    bucket = plain["calls-bucket"].inputs["name"]
    assert again["calls-bucket"].inputs["name"] == bucket
    assert re.fullmatch(r"acme-calls-[a-z2-7]{6}", bucket)
    assert plain["calls-pool"].inputs["workloadIdentityPoolId"] == bucket
    assert plain["calls-service-account"].inputs["accountId"] == f"rec-{bucket}"


def test_only_the_workspaces_tokens_of_the_services_issuer_are_let_in(plain: Run) -> None:
    provider = plain["calls-pool-provider"].inputs
    assert provider == {
        "workloadIdentityPoolId": plain["calls-pool"].inputs["workloadIdentityPoolId"],
        "workloadIdentityPoolProviderId": "recording-service",
        "project": "acme-prod",
        "displayName": "Recording service",
        "disabled": False,
        "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": 'google.subject == "ws-1"',
        "oidc": {"issuerUri": "https://recording-copy.tavus.io"},
    }


def test_exactly_one_principal_may_be_the_service_account(plain: Run) -> None:
    pool = plain["calls-pool"].inputs["workloadIdentityPoolId"]
    email = f"rec-{pool}@acme-prod.iam.gserviceaccount.com"
    assert plain["calls-trust"].inputs == {
        "serviceAccountId": f"projects/acme-prod/serviceAccounts/{email}",
        "role": "roles/iam.workloadIdentityUser",
        "members": [f"principal://iam.googleapis.com/{POOLS}/{pool}/subject/ws-1"],
    }
    assert plain["calls-writer"].inputs == {
        "bucket": plain["calls-bucket"].inputs["name"],
        "role": "roles/storage.objectCreator",
        "members": [f"serviceAccount:{email}"],
    }


def test_the_bucket_is_private_versioned_and_nothing_in_it_expires(plain: Run) -> None:
    inputs = dict(plain["calls-bucket"].inputs)
    assert inputs.pop("name")
    assert inputs == {
        "project": "acme-prod",
        "location": "EUROPE-WEST1",
        "forceDestroy": False,
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "versioning": {"enabled": True},
        "softDeletePolicy": {"retentionDurationSeconds": 604800},
        "lifecycleRules": [
            {
                "action": {"type": "AbortIncompleteMultipartUpload"},
                "condition": {"age": 7, "withState": "ANY"},
            }
        ],
        "labels": {},
    }


def test_the_apis_are_enabled_first_and_left_enabled(plain: Run) -> None:
    for _, name in APIS:
        inputs = plain[name].inputs
        assert inputs == {
            "project": "acme-prod",
            "service": f"{name.removeprefix('calls-api-')}.googleapis.com",
            "disableOnDestroy": False,
        }
        assert name in plain["calls-pool"].depends_on
    assert "calls-api-storage" in plain["calls-bucket"].depends_on


@pytest.mark.parametrize(
    ("on_destroy", "protect", "retain", "force"),
    [("protect", True, False, False), ("retain", False, True, False), ("delete", False, False, True)],
)
def test_on_destroy_covers_the_storage_and_all_that_protects_it(
    on_destroy: str, protect: bool, retain: bool, force: bool
) -> None:
    found = run(one(on_destroy=on_destroy, readers=READERS, kms_key_name=KEY))
    for name in ("calls-bucket", "calls-key-use"):
        assert (found[name].protect, found[name].retain_on_delete) == (protect, retain), name
    assert (found["calls-readers"].protect, found["calls-readers"].retain_on_delete) == (False, False)
    for _, name in TRUST:
        assert (found[name].protect, found[name].retain_on_delete) == (protect, False), name
    assert found["calls-bucket"].inputs["forceDestroy"] is force


def test_retention_covers_old_versions_and_turns_soft_deletion_off() -> None:
    assert lifecycle_rules(30)[1:] == [
        {"action": {"type": "Delete"}, "condition": {"age": 30, "with_state": "LIVE"}},
        {
            "action": {"type": "Delete"},
            "condition": {"days_since_noncurrent_time": 1, "with_state": "ARCHIVED"},
        },
    ]
    found = run(one(retention_days=30))
    assert found["calls-bucket"].inputs["softDeletePolicy"] == {"retentionDurationSeconds": 0}


def test_names_that_are_given_are_used() -> None:
    found = run(
        one(
            bucket_name="acme-recordings",
            pool_id="vendors",
            provider_id="tavus",
            service_account_id="vendor-writer",
        )
    )
    assert found["calls-bucket"].inputs["name"] == "acme-recordings"
    assert found["calls-pool"].inputs["workloadIdentityPoolId"] == "vendors"
    assert found["calls-service-account"].inputs["accountId"] == "vendor-writer"
    handed_over = found.outputs["recording_storage"]
    assert handed_over["workload_identity_provider"] == f"{POOLS}/vendors/providers/tavus"
    assert handed_over["service_account_email"] == "vendor-writer@acme-prod.iam.gserviceaccount.com"


def test_overwriting_takes_a_wider_role_and_is_asked_for() -> None:
    assert run(one(allow_overwrite=True))["calls-writer"].inputs["role"] == "roles/storage.objectUser"


def test_readers_may_list_and_read() -> None:
    found = run(one(readers=READERS))
    assert found["calls-readers"].inputs == {
        "bucket": found["calls-bucket"].inputs["name"],
        "role": "roles/storage.objectViewer",
        "members": READERS,
    }


def test_a_key_encrypts_once_cloud_storage_may_use_it() -> None:
    found = run(one(kms_key_name=KEY))
    assert found["calls-key-use"].inputs == {
        "cryptoKeyId": KEY,
        "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "member": STORAGE_AGENT,
    }
    assert found["calls-bucket"].inputs["encryption"] == {"defaultKmsKeyName": KEY}
    assert "calls-key-use" in found["calls-bucket"].depends_on
    assert found.outputs["destinations"]["calls"]["kms_key_name"] == KEY


def test_an_overridden_trust_profile_is_trusted() -> None:
    profile = {"gcs": {"issuer": "https://issuer.example.com", "subject_mapping": "assertion.workspace"}}
    provider = run(one() | {"trust_profile": profile})["calls-pool-provider"].inputs
    assert provider["oidc"] == {"issuerUri": "https://issuer.example.com"}
    assert provider["attributeMapping"] == {"google.subject": "assertion.workspace"}
    assert provider["attributeCondition"] == 'google.subject == "ws-1"'


def test_the_providers_own_audience_stays_accepted_beside_others() -> None:
    found = run(one(additional_audiences=["recordings"], pool_id="vendors"))
    own = f"iam.googleapis.com/{POOLS}/vendors/providers/recording-service"
    assert found["calls-pool-provider"].inputs["oidc"]["allowedAudiences"] == [
        f"//{own}",
        f"https://{own}",
        "recordings",
    ]
    profile = {"trust_profile": {"gcs": {"audience": "theirs"}}}
    overridden = run(one(additional_audiences=["recordings"]) | profile)
    assert overridden["calls-pool-provider"].inputs["oidc"]["allowedAudiences"] == ["theirs", "recordings"]


def test_a_workspace_id_cannot_break_out_of_the_condition() -> None:
    assert condition('a" || true || "') == r'google.subject == "a\" || true || \""'
    assert condition("back\\slash") == r'google.subject == "back\\slash"'


def test_of_an_existing_bucket_only_the_trust_is_made() -> None:
    found = run(one(existing=True, bucket_name="acme-recordings"))
    assert not [r for r in found.registrations if r.type == "gcp:storage/bucket:Bucket"]
    writer = found["calls-writer"]
    assert writer.type == "gcp:storage/bucketIAMMember:BucketIAMMember"
    assert writer.inputs["bucket"] == "acme-recordings"
    assert not any(found[name].protect for _, name in TRUST)
    assert found.outputs["destinations"]["calls"]["bucket_location"] == EXISTING_LOCATION


def test_an_existing_bucket_somewhere_else_is_refused() -> None:
    found = run(one(existing=True, bucket_name="acme-recordings", location="US"))
    assert f"write location: {EXISTING_LOCATION}" in found.error


def test_a_service_account_that_exists_keeps_whomever_else_it_trusts() -> None:
    email = "writer@shared-identities.iam.gserviceaccount.com"
    found = run(one(service_account_email=email))
    assert not [r for r in found.registrations if r.type == "gcp:serviceaccount/account:Account"]
    trust = found["calls-trust"]
    assert trust.type == "gcp:serviceaccount/iAMMember:IAMMember"
    assert trust.inputs["serviceAccountId"] == f"projects/-/serviceAccounts/{email}"
    assert found["calls-writer"].inputs["members"] == [f"serviceAccount:{email}"]
    assert found.outputs["recording_storage"]["service_account_email"] == email


def test_in_a_pool_that_exists_only_a_provider_is_made_and_the_risk_is_said() -> None:
    found = run(one(existing_pool=True, pool_id="vendors"))
    assert not [r for r in found.registrations if r.type.endswith(":WorkloadIdentityPool")]
    assert found["calls-pool-provider"].inputs["workloadIdentityPoolId"] == "vendors"
    assert found["calls-trust"].inputs["members"] == [
        f"principal://iam.googleapis.com/{POOLS}/vendors/subject/ws-1"
    ]
    assert any("asserts the same subject gets in too" in line for line in found.log)


def test_what_is_adopted_is_imported() -> None:
    found = run(one(adopt=True, adopt_pool=True, pool_id="vendors", bucket_name="acme-recordings"))
    pool = "projects/acme-prod/locations/global/workloadIdentityPools/vendors"
    imported = {r.name: r.import_id for r in found.registrations if r.import_id}
    assert imported == {
        "calls-bucket": "acme-recordings",
        "calls-pool": pool,
        "calls-pool-provider": f"{pool}/providers/recording-service",
    }


def test_what_is_adopted_by_its_derived_name_is_the_one_that_this_stack_makes(plain: Run) -> None:
    found = run(one(adopt=True, adopt_pool=True))
    assert found["calls-bucket"].import_id == plain["calls-bucket"].inputs["name"]
    id_ = plain["calls-pool"].inputs["workloadIdentityPoolId"]
    assert found["calls-pool"].import_id.endswith(f"/workloadIdentityPools/{id_}")


def test_tags_are_labels() -> None:
    found = run(one() | {"tags": {"team": "voice"}})
    assert found["calls-bucket"].inputs["labels"] == {"team": "voice"}


def test_outputs_of_a_stack_with_one_destination(plain: Run) -> None:
    bucket = plain["calls-bucket"].inputs["name"]
    storage = {
        "provider": "gcs",
        "bucket_name": bucket,
        "project_id": "acme-prod",
        "workload_identity_provider": f"{POOLS}/{bucket}/providers/recording-service",
        "service_account_email": f"rec-{bucket}@acme-prod.iam.gserviceaccount.com",
    }
    assert plain.outputs == {
        "recording_storage": storage,
        "destinations": {
            "calls": {
                "provider": "gcs",
                "recording_storage": storage,
                "conversation_properties": {"enable_recording": True, "recording_storage": storage},
                "bucket_name": bucket,
                "bucket_location": "EUROPE-WEST1",
                "bucket_uri": f"gs://{bucket}",
                "project_id": "acme-prod",
                "pool_name": f"{POOLS}/{bucket}",
                "workload_identity_provider": storage["workload_identity_provider"],
                "service_account_email": storage["service_account_email"],
            }
        },
    }


def test_a_provider_per_project_and_deployer() -> None:
    deployer = "deployer@acme-demo.iam.gserviceaccount.com"
    found = run(
        {
            "destinations": {
                "calls": CALLS,
                "demos": CALLS | {"project": "acme-demo", "deploy_service_account": deployer},
                "more": CALLS | {"location": "EU"},
            }
        }
    )
    providers = {r.name: r.inputs for r in found.registrations if r.type == "pulumi:providers:gcp"}
    assert providers == {
        "gcp-acme-prod": {"project": "acme-prod", "addPulumiAttributionLabel": "false"},
        "gcp-acme-demo-deployer": {
            "project": "acme-demo",
            "impersonateServiceAccount": deployer,
            "addPulumiAttributionLabel": "false",
        },
    }
    used = {name: found[f"{name}-bucket"].provider for name in ("calls", "demos", "more")}
    assert used == {
        "calls": "gcp-acme-prod",
        "demos": "gcp-acme-demo-deployer",
        "more": "gcp-acme-prod",
    }


def test_a_preview_knows_what_can_be_known_and_no_more(plain: Run) -> None:
    found = run(one(), preview=True)
    assert found.error == ""
    assert found["calls-bucket"].inputs == plain["calls-bucket"].inputs
    assert found["calls-pool-provider"].inputs == plain["calls-pool-provider"].inputs
    assert found["calls-trust"].inputs["members"] == ["<unknown>"]
    assert found["calls-writer"].inputs["members"] == ["<unknown>"]
    assert found.outputs["recording_storage"] == "<unknown>"


def test_the_component_alone_needs_project_location_and_workspace() -> None:
    found = run({}, program=PROGRAM.format(more=""))
    assert found.error == ""
    assert found.outputs["recording_storage"]["bucket_name"].startswith("acme-calls-")


def test_an_outcome_that_breaks_the_contract_is_never_handed_over() -> None:
    found = run({}, program=PROGRAM.format(more=", 'bucket_name': 'Not A Bucket'"))
    assert "recording_storage breaks the contract" in found.error


PROGRAM = """
import pulumi
from components.gcs import GcsDestination
made = GcsDestination('calls', {{'project': 'acme-prod', 'location': 'EU', 'workspace_id': 'ws-1'{more}}})
pulumi.export('recording_storage', made.recording_storage)
"""


def test_nothing_of_another_cloud_is_imported() -> None:
    plain = run(one(), fresh=True)
    assert "pulumi_gcp" in plain.modules
    others = ("pulumi_aws", "boto", "moto", "pulumi_azure", "azure", "msal")
    assert [module for module in plain.modules if module.startswith(others)] == []
    assert not [module for module in plain.modules if module.startswith(("google.auth", "google.cloud"))]
