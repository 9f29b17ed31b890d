"""What somebody changes or deletes behind a stack's back: found by refresh, mended by up, and recording goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engine import MARKS, UNCHANGED, inhabited
from tests.support.engine_aws import AwsHouse, S3Recordings
from tests.support.engine_azure import ARM, SUBSCRIPTION, AzureHouse, AzureRecordings
from tests.support.engine_google import BUCKETS, IAM, GoogleHouse, GoogleRecordings

if TYPE_CHECKING:
    from recording_storage.sandbox import Sandbox
    from tests.support.engine import Stack

pytestmark = MARKS

GRAPH = "https://graph.microsoft.com/v1.0"
STORAGE_VERSION = {"api-version": "2024-01-01"}


def assert_mended(stack: Stack[Any], **expected: str) -> None:
    """Refresh changes nothing in the cloud, up mends exactly this, and then nothing is left to do."""
    refreshed = stack.run("refresh")
    assert refreshed.code == 0, refreshed.text
    wanted = {(op, f"calls-{name}") for op, names in expected.items() for name in names.split()}
    assert {(op, name) for op, name in stack.steps("up") if name != "calls"} == wanted
    again = stack.run("up", "--refresh", *UNCHANGED)
    assert again.code == 0, again.text


# --- Amazon S3 ------------------------------------------------------------------------------------


def change_aws(house: AwsHouse, calls: S3Recordings) -> None:
    s3, iam, bucket, role = house.account.s3, house.account.iam, calls.bucket, calls.role
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_public_access_block(Bucket=bucket)
    s3.delete_bucket_lifecycle(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    kms = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [kms]})
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "mine", "Value": "yes"}]})
    iam.update_role(RoleName=role, MaxSessionDuration=3600)
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = "mallory"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    policy = iam.get_role_policy(RoleName=role, PolicyName="write-recordings")["PolicyDocument"]
    policy["Statement"][0]["Action"].append("s3:DeleteObject")
    iam.put_role_policy(RoleName=role, PolicyName="write-recordings", PolicyDocument=json.dumps(policy))


def test_every_setting_on_aws_is_mended(house_on_aws: AwsHouse) -> None:
    stack, calls = inhabited(house_on_aws, "changed")
    change_aws(house_on_aws, calls)
    assert_mended(
        stack,
        create="policy public-access-block lifecycle",
        update="bucket versioning encryption ownership role role-policy",
    )
    calls.assert_lives()


def test_a_role_policy_that_is_deleted_is_made_again(house_on_aws: AwsHouse) -> None:
    stack, calls = inhabited(house_on_aws, "no-policy")
    house_on_aws.account.iam.delete_role_policy(RoleName=calls.role, PolicyName="write-recordings")
    with pytest.raises(Exception, match="AccessDenied"):
        calls.record()
    assert_mended(stack, create="role-policy")
    calls.assert_lives()


def test_a_role_that_is_deleted_is_made_again(house_on_aws: AwsHouse) -> None:
    stack, calls = inhabited(house_on_aws, "no-role")
    house_on_aws.account.iam.delete_role_policy(RoleName=calls.role, PolicyName="write-recordings")
    house_on_aws.account.iam.delete_role(RoleName=calls.role)
    assert_mended(stack, create="role role-policy")
    calls.assert_lives()


@pytest.fixture(scope="module")
def house_on_aws(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> AwsHouse:
    return AwsHouse(sandbox, tmp_path_factory.mktemp("aws"))


# --- Google Cloud Storage -------------------------------------------------------------------------


def with_another(policy: dict[str, Any], role: str) -> dict[str, Any]:
    """A policy in which Mallory has a role too."""
    (binding,) = [one for one in policy["bindings"] if one["role"] == role]
    binding["members"].append("user:mallory@example.com")
    return policy


def change_google(house: GoogleHouse, calls: GoogleRecordings) -> None:
    owner, bucket = house.project.owner, f"{BUCKETS}/{calls.bucket}"
    settings = {
        "versioning": {"enabled": False},
        "softDeletePolicy": {"retentionDurationSeconds": 0},
        "iamConfiguration": {"publicAccessPrevention": "inherited"},
    }  # a label that somebody adds stays: the provider cares for its own only
    owner.must("PATCH", bucket, json=settings)
    policy = with_another(owner.get(f"{bucket}/iam"), "roles/storage.objectCreator")
    owner.must("PUT", f"{bucket}/iam", json=policy)
    pool = f"{IAM}/locations/global/workloadIdentityPools/{calls.pool}"
    owner.must("PATCH", pool, params={"updateMask": "disabled"}, json={"disabled": True})
    owner.must(
        "PATCH",
        f"{pool}/providers/recording-service",
        params={"updateMask": "attributeCondition"},
        json={"attributeCondition": "true"},
    )
    account = f"{IAM}/serviceAccounts/{calls.email}"
    owner.must("POST", f"{account}:disable", json={})
    policy = with_another(owner.must("POST", f"{account}:getIamPolicy"), "roles/iam.workloadIdentityUser")
    owner.must("POST", f"{account}:setIamPolicy", json={"policy": policy})


def test_every_setting_on_google_is_mended(house_on_google: GoogleHouse) -> None:
    stack, calls = inhabited(house_on_google, "changed")
    change_google(house_on_google, calls)
    assert_mended(stack, update="bucket writer pool pool-provider service-account trust")
    calls.assert_lives()


def test_a_right_to_write_that_is_taken_away_is_given_again(house_on_google: GoogleHouse) -> None:
    stack, calls = inhabited(house_on_google, "no-writer")
    owner, url = house_on_google.project.owner, f"{BUCKETS}/{calls.bucket}/iam"
    policy = owner.get(url)
    policy["bindings"] = [one for one in policy["bindings"] if "objectCreator" not in one["role"]]
    owner.must("PUT", url, json=policy)
    assert_mended(stack, update="writer")
    calls.assert_lives()


def test_a_service_account_that_is_deleted_is_made_again(house_on_google: GoogleHouse) -> None:
    stack, calls = inhabited(house_on_google, "no-account")
    house_on_google.project.owner.must("DELETE", f"{IAM}/serviceAccounts/{calls.email}")
    assert_mended(stack, create="service-account trust", update="writer")
    calls.assert_lives()


@pytest.fixture(scope="module")
def house_on_google(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> GoogleHouse:
    return GoogleHouse(sandbox, tmp_path_factory.mktemp("google"))


# --- Azure Blob Storage ---------------------------------------------------------------------------


def account_url(calls: AzureRecordings) -> str:
    place = f"subscriptions/{SUBSCRIPTION}/resourceGroups/{calls.group}"
    return f"{ARM}/{place}/providers/Microsoft.Storage/storageAccounts/{calls.account}"


def application(house: AzureHouse, calls: AzureRecordings) -> str:
    """Where Graph has the destination's application."""
    return f"{GRAPH}/applications(appId='{calls.client_id}')"


def credential(house: AzureHouse, calls: AzureRecordings) -> str:
    url = f"{application(house, calls)}/federatedIdentityCredentials"
    (found,) = house.graph.get(url)["value"]
    return f"{url}/{found['id']}"


def change_azure(house: AzureHouse, calls: AzureRecordings) -> None:
    url, owner = account_url(calls), house.owner
    open_ = {"allowSharedKeyAccess": True, "allowBlobPublicAccess": True, "minimumTlsVersion": "TLS1_0"}
    owner.must("PATCH", url, params=STORAGE_VERSION, json={"properties": open_, "tags": {"mine": "yes"}})
    service = {
        "isVersioningEnabled": False,
        "deleteRetentionPolicy": {"enabled": False},
        "containerDeleteRetentionPolicy": {"enabled": False},
    }
    place = f"{url}/blobServices/default"
    owner.must("PUT", place, params=STORAGE_VERSION, json={"properties": service})
    public = {"properties": {"publicAccess": "Blob"}}
    owner.must("PATCH", f"{place}/containers/{calls.container}", params=STORAGE_VERSION, json=public)
    policy = owner.get(f"{url}/managementPolicies/default", **STORAGE_VERSION)
    actions = policy["properties"]["policy"]["rules"][0]["definition"]["actions"]
    actions["baseBlob"]["delete"]["daysAfterModificationGreaterThan"] = 3000
    owner.must(
        "PUT",
        f"{url}/managementPolicies/default",
        params=STORAGE_VERSION,
        json={"properties": policy["properties"]},
    )
    house.graph.must("PATCH", credential(house, calls), json={"subject": "mallory"})


def test_every_setting_on_azure_is_mended(house_on_azure: AzureHouse) -> None:
    stack, calls = inhabited(house_on_azure, "changed", retention_days=30)
    change_azure(house_on_azure, calls)
    assert_mended(
        stack,
        update="storage-account blob-service container management-policy federated-credential",
    )
    calls.assert_lives()


def test_a_role_and_a_credential_that_are_deleted_are_made_again(house_on_azure: AzureHouse) -> None:
    house = house_on_azure
    stack, calls = inhabited(house, "no-role")
    house.graph.must("DELETE", credential(house, calls))
    house.owner.must("DELETE", writer(stack), params={"api-version": "2022-04-01"})
    assert_mended(stack, create="federated-credential writer")
    calls.assert_lives()


def test_an_application_that_is_deleted_is_made_again_once_its_role_is_taken_away(
    house_on_azure: AzureHouse,
) -> None:
    house = house_on_azure
    stack, calls = inhabited(house, "no-application")
    house.graph.must("DELETE", application(house, calls))
    assert stack.run("refresh").code == 0
    refused = stack.try_up()
    assert refused.code != 0
    assert [error for error in refused.errors if "calls-writer: unable to replace" in error]
    house.owner.must("DELETE", writer(stack), params={"api-version": "2022-04-01"})
    assert stack.run("refresh").code == 0
    assert {(op, name) for op, name in stack.steps("up") if name != "calls"} == {("create", "calls-writer")}
    calls.assert_storage_kept()
    again = stack.destination("calls")
    assert again.client_id != calls.client_id
    again.assert_lives()


def writer(stack: Stack[Any]) -> str:
    """Where Resource Manager has the assignment of the role to write."""
    (found,) = [one for one in stack.resources() if one["urn"].endswith("::calls-writer")]
    return f"{ARM}{found['id']}"


@pytest.fixture(scope="module")
def house_on_azure(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> AzureHouse:
    return AzureHouse(sandbox, tmp_path_factory.mktemp("azure"))
