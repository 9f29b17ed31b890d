"""Storage accounts, their services, containers and management policies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure_cloud import OTHER_SUBSCRIPTION, SUBSCRIPTION, unique

from recording_storage.sandbox.azure import occasion

if TYPE_CHECKING:
    from azure_cloud import Cloud

    from recording_storage.sandbox.azure.world import StorageAccount

ACCOUNT = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
STORAGE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage"


@pytest.fixture
def account(cloud: Cloud) -> StorageAccount:
    return occasion.storage_account(cloud.world, cloud.group, unique("account"))


def test_an_account_is_made_as_it_is_said(cloud: Cloud) -> None:
    name = unique("account")
    settings = {
        "minimumTlsVersion": "TLS1_2",
        "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False,
        "supportsHttpsTrafficOnly": True,
        "accessTier": "Cool",
        "isHnsEnabled": False,
        "networkAcls": {"defaultAction": "Deny"},
    }
    said = cloud.made(cloud.account_path(name), ACCOUNT | {"tags": {"a": "b"}, "properties": settings})
    assert said["id"] == cloud.account_path(name)
    assert (said["sku"], said["kind"]) == ({"name": "Standard_LRS", "tier": "Standard"}, "StorageV2")
    properties = said["properties"]
    assert (properties["minimumTlsVersion"], properties["allowSharedKeyAccess"]) == ("TLS1_2", False)
    assert (properties["networkAcls"]["defaultAction"], properties["networkAcls"]["bypass"]) == (
        "Deny",
        "AzureServices",
    )
    assert properties["primaryEndpoints"]["blob"] == f"https://{name}.blob.core.windows.net/"
    assert properties["encryption"]["keySource"] == "Microsoft.Storage"
    assert cloud.arm("GET", cloud.account_path(name)).said == said
    for scope in (cloud.group_path(), f"/subscriptions/{SUBSCRIPTION}"):
        listed = cloud.arm("GET", f"{scope}/providers/Microsoft.Storage/storageAccounts").said["value"]
        assert said in listed


def test_what_isnt_said_has_a_default(cloud: Cloud, account: StorageAccount) -> None:
    properties = cloud.arm("GET", account.id).said["properties"]
    assert (properties["supportsHttpsTrafficOnly"], properties["allowBlobPublicAccess"]) == (True, False)
    assert (properties["networkAcls"]["defaultAction"], properties["accessTier"]) == ("Allow", "Hot")
    assert "allowSharedKeyAccess" not in properties


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ab", "AccountNameInvalid"),
        ("a" * 25, "AccountNameInvalid"),
        ("UPPER", "AccountNameInvalid"),
        ("with-hyphen", "AccountNameInvalid"),
        ("a" * 24, ""),
        ("0123", ""),
    ],
)
def test_a_name_has_3_to_24_small_letters_and_digits(cloud: Cloud, name: str, code: str) -> None:
    asked = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
    available = cloud.arm("POST", f"{STORAGE}/checkNameAvailability", asked).said
    assert (available["nameAvailable"], available.get("reason", "")) == (not code, code)
    answer = cloud.arm("PUT", cloud.account_path(name), ACCOUNT)
    assert answer.status == (400 if code else 202)
    assert not code or answer.code == code


def test_a_name_is_taken_in_all_of_azure(cloud: Cloud) -> None:
    elsewhere = occasion.resource_group(cloud.world.subscriptions[OTHER_SUBSCRIPTION], "elsewhere")
    taken = occasion.storage_account(cloud.world, elsewhere, unique("account"))
    answer = cloud.arm("PUT", cloud.account_path(taken.name), ACCOUNT)
    assert (answer.status, answer.code) == (409, "StorageAccountAlreadyTaken")
    available = cloud.arm("POST", f"{STORAGE}/checkNameAvailability", {"name": taken.name}).said
    assert (available["nameAvailable"], available["reason"]) == (False, "AlreadyExists")
    cloud.world.remove(taken)
    assert cloud.arm("PUT", cloud.account_path(taken.name), ACCOUNT).status == 202


def test_an_account_is_in_one_resource_group(cloud: Cloud, account: StorageAccount) -> None:
    occasion.resource_group(cloud.subscription, "second")
    answer = cloud.arm("PUT", cloud.account_path(account.name, "second"), ACCOUNT)
    assert (answer.status, answer.code) == (409, "StorageAccountInAnotherResourceGroup")
    assert (
        cloud.arm("PUT", cloud.account_path(account.name, "nowhere"), ACCOUNT).code == "ResourceGroupNotFound"
    )


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 202),
        ({"location": ""}, 400),
        ({"sku": {}}, 400),
        ({"sku": {"name": "Standard_NONE"}}, 400),
        ({"kind": "Nonsense"}, 400),
        ({"properties": {"minimumTlsVersion": "TLS9"}}, 400),
        ({"properties": {"allowBlobPublicAccess": "no"}}, 400),
        ({"properties": {"allowBlobPublicAccess": 0}}, 400),
        ({"properties": {"networkAcls": "no"}}, 400),
        ({"properties": []}, 400),
        ({"properties": {"isHnsEnabled": True}}, 501),
        ({"properties": {"unheardOf": True}}, 501),
        ({"properties": {"immutableStorageWithVersioning": {"enabled": False}}}, 202),
        ({"identity": {"type": "Nonsense"}}, 400),
    ],
)
def test_an_account_is_checked(cloud: Cloud, changed: dict[str, Any], status: int) -> None:
    path = cloud.account_path(unique("account"))
    assert cloud.arm("PUT", path, ACCOUNT | changed).status == status
    assert cloud.arm("GET", path).status == (200 if status == 202 else 404)


def test_an_account_is_changed(cloud: Cloud, account: StorageAccount) -> None:
    rules = {"networkAcls": {"defaultAction": "Deny"}, "allowSharedKeyAccess": False}
    said = cloud.arm("PATCH", account.id, {"properties": rules, "tags": {"a": "b"}}).said
    assert said["properties"]["allowSharedKeyAccess"] is False
    assert said["properties"]["networkAcls"]["bypass"] == "AzureServices"
    again = cloud.arm("PUT", account.id, ACCOUNT | {"sku": {"name": "Standard_GRS"}})
    assert (again.status, again.said["sku"]["name"], again.said["tags"]) == (200, "Standard_GRS", {})
    moved = cloud.arm("PUT", account.id, ACCOUNT | {"location": "northeurope"})
    assert (moved.status, moved.code) == (409, "InvalidResourceLocation")
    assert cloud.arm("PATCH", cloud.account_path("missing"), {}).code == "ResourceNotFound"


def test_nothing_is_made_in_an_account_that_nobody_waited_for(cloud: Cloud) -> None:
    path = cloud.account_path(unique("account"))
    answer = cloud.arm("PUT", path, ACCOUNT)
    with cloud.later(timedelta(seconds=-60)):
        assert cloud.arm("GET", path).said["properties"]["provisioningState"] == "Creating"
        container = cloud.arm("PUT", f"{path}/blobServices/default/containers/calls", {})
        assert (container.status, container.code) == (409, "StorageAccountIsNotProvisioned")
        assert cloud.arm("POST", f"{path}/listKeys").code == "StorageAccountIsNotProvisioned"
    assert cloud.wait(answer).status == 200
    assert cloud.arm("PUT", f"{path}/blobServices/default/containers/calls", {}).status == 201


def test_keys_are_listed_whether_or_not_they_are_taken(cloud: Cloud) -> None:
    account = occasion.storage_account(
        cloud.world, cloud.group, unique("account"), allowSharedKeyAccess=False
    )
    keys = cloud.arm("POST", f"{account.id}/listKeys").said["keys"]
    assert [(one["keyName"], one["permissions"]) for one in keys] == [("key1", "FULL"), ("key2", "FULL")]
    assert {one["keyName"]: one["value"] for one in keys} == account.keys
    changed = cloud.arm("POST", f"{account.id}/regenerateKey", {"keyName": "key1"}).said["keys"]
    assert changed[0]["value"] != keys[0]["value"]
    assert changed[1] == keys[1]
    assert cloud.arm("POST", f"{account.id}/regenerateKey", {"keyName": "key3"}).status == 400


def test_a_reader_sees_no_keys(cloud: Cloud, account: StorageAccount) -> None:
    app = cloud.application()
    who, token = occasion.acting_as(app, cloud.tenant), cloud.issue(app)
    occasion.assign(cloud.world, "Reader", who.object_id, account.id)
    assert cloud.arm("GET", account.id, token=token).status == 200
    assert cloud.arm("POST", f"{account.id}/listKeys", token=token).code == "AuthorizationFailed"
    occasion.assign(cloud.world, "Reader and Data Access", who.object_id, account.id)
    assert cloud.arm("POST", f"{account.id}/listKeys", token=token).status == 200


def test_an_account_is_deleted(cloud: Cloud, account: StorageAccount) -> None:
    assert [cloud.arm("DELETE", account.id).status for _ in range(2)] == [200, 204]
    missing = cloud.arm("GET", account.id)
    assert (missing.status, missing.code) == (404, "ResourceNotFound")


def test_an_account_has_an_identity_of_its_own(cloud: Cloud, account: StorageAccount) -> None:
    said = cloud.arm("PATCH", account.id, {"identity": {"type": "SystemAssigned"}}).said["identity"]
    assert said["tenantId"] == cloud.tenant.id
    assert cloud.directory.has(said["principalId"])
    again = cloud.arm("PATCH", account.id, {"identity": {"type": "SystemAssigned"}}).said["identity"]
    assert again == said
    assert cloud.arm("PATCH", account.id, {"identity": {"type": "None"}}).said["identity"] == {"type": "None"}
    assert not cloud.directory.has(said["principalId"])
    own = cloud.arm("PATCH", account.id, {"identity": {"type": "SystemAssigned"}}).said["identity"]
    assert own["principalId"] != said["principalId"]
    cloud.arm("DELETE", account.id)
    assert not cloud.directory.has(own["principalId"])


def test_a_managed_identity_is_assigned_by_who_may(cloud: Cloud, account: StorageAccount) -> None:
    identity = occasion.managed_identity(cloud.world, cloud.group, unique("identity"))
    body: dict[str, Any] = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}}
    app = cloud.application()
    who, token = occasion.acting_as(app, cloud.tenant), cloud.issue(app)
    occasion.assign(cloud.world, "Storage Account Contributor", who.object_id, account.id)
    assert cloud.arm("PATCH", account.id, body, token).code == "AuthorizationFailed"
    occasion.assign(cloud.world, "Managed Identity Operator", who.object_id, identity.id)
    said = cloud.arm("PATCH", account.id, body, token).said["identity"]["userAssignedIdentities"]
    assert said[identity.id] == {"principalId": identity.principal.id, "clientId": identity.principal.app_id}
    missing: dict[str, Any] = {
        "type": "UserAssigned",
        "userAssignedIdentities": {f"{identity.id}-missing": {}},
    }
    assert cloud.arm("PATCH", account.id, {"identity": missing}).code == "FailedIdentityOperation"


# Services


def test_versions_and_soft_deletion_are_switched_on(cloud: Cloud, account: StorageAccount) -> None:
    path = f"{account.id}/blobServices/default"
    before = cloud.arm("GET", path).said["properties"]
    assert (before.get("isVersioningEnabled"), before["deleteRetentionPolicy"]["enabled"]) == (None, False)
    settings = {
        "isVersioningEnabled": True,
        "deleteRetentionPolicy": {"enabled": True, "days": 7},
        "containerDeleteRetentionPolicy": {"enabled": True, "days": 7},
    }
    assert cloud.arm("PUT", path, {"properties": settings}).status == 200
    after = cloud.arm("GET", path).said
    assert after["properties"] == {"cors": {"corsRules": []}} | settings
    assert (after["name"], after["type"]) == ("default", "Microsoft.Storage/storageAccounts/blobServices")
    assert account.blob_service == settings
    assert cloud.arm("GET", f"{account.id}/blobServices").said["value"] == [after]


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"deleteRetentionPolicy": {"enabled": True, "days": 365}}, 200),
        ({"deleteRetentionPolicy": {"enabled": True, "days": 366}}, 400),
        ({"deleteRetentionPolicy": {"enabled": True}}, 400),
        ({"deleteRetentionPolicy": {"enabled": False}}, 200),
        ({"containerDeleteRetentionPolicy": {"enabled": True, "days": 0}}, 400),
        ({"restorePolicy": {"enabled": True, "days": 6}}, 501),
        ({"restorePolicy": {"enabled": False}}, 200),
        ({"unheardOf": 1}, 501),
    ],
)
def test_the_blob_services_settings_are_checked(
    cloud: Cloud, account: StorageAccount, settings: dict[str, Any], status: int
) -> None:
    assert cloud.arm("PUT", f"{account.id}/blobServices/default", {"properties": settings}).status == status


def test_providers_read_the_other_services_too(cloud: Cloud, account: StorageAccount) -> None:
    for service in ("fileServices", "queueServices", "tableServices"):
        assert cloud.arm("GET", f"{account.id}/{service}/default").said["name"] == "default"


# Containers


def test_a_container_is_made_read_and_deleted(cloud: Cloud, account: StorageAccount) -> None:
    path = f"{account.id}/blobServices/default/containers/calls"
    missing = cloud.arm("GET", path)
    assert (missing.status, missing.code) == (404, "ContainerNotFound")
    made = cloud.arm("PUT", path, {"properties": {"metadata": {"a": "b"}}})
    assert (made.status, made.said["id"], made.said["properties"]["publicAccess"]) == (201, path, "None")
    assert cloud.arm("PUT", path, {}).status == 200
    changed = cloud.arm("PATCH", path, {"properties": {"metadata": {"c": "d"}}}).said
    assert changed["properties"]["metadata"] == {"c": "d"}
    assert changed["etag"] != made.said["etag"]
    listed = cloud.arm("GET", path.rpartition("/")[0]).said["value"]
    assert [one["name"] for one in listed] == ["calls"]
    assert [cloud.arm("DELETE", path).status for _ in range(2)] == [200, 204]
    assert cloud.arm("GET", path).status == 404


def test_a_deleted_container_is_kept_where_that_is_said(cloud: Cloud, account: StorageAccount) -> None:
    account.blob_service["containerDeleteRetentionPolicy"] = {"enabled": True, "days": 7}
    container = occasion.container(cloud.world, account, "calls")
    cloud.arm("DELETE", container.id)
    place = container.id.rpartition("/")[0]
    assert cloud.arm("GET", place).said["value"] == []
    (kept,) = cloud.arm("GET", place, _include="deleted").said["value"]
    assert (kept["name"], kept["properties"]["deleted"]) == ("calls", True)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("abc", 201),
        ("a-b-1", 201),
        ("a" * 63, 201),
        ("ab", 400),
        ("a" * 64, 400),
        ("Calls", 400),
        ("a--b", 400),
        ("-ab", 400),
        ("ab-", 400),
        ("a_b", 400),
    ],
)
def test_a_containers_name_is_checked(cloud: Cloud, account: StorageAccount, name: str, status: int) -> None:
    assert cloud.arm("PUT", f"{account.id}/blobServices/default/containers/{name}", {}).status == status


@pytest.mark.parametrize(
    ("permitted", "public", "status"),
    [(False, "Blob", 409), (True, "Blob", 201), (False, "None", 201), (True, "Everybody", 400)],
)
def test_a_container_is_public_only_where_the_account_permits_it(
    cloud: Cloud, permitted: bool, public: str, status: int
) -> None:
    account = occasion.storage_account(
        cloud.world, cloud.group, unique("account"), allowBlobPublicAccess=permitted
    )
    body = {"properties": {"publicAccess": public}}
    answer = cloud.arm("PUT", f"{account.id}/blobServices/default/containers/calls", body)
    assert answer.status == status
    if status == 409:
        assert answer.code == "PublicAccessNotPermitted"


# Management policies


def a_rule(**changed: Any) -> dict[str, Any]:
    definition = {
        "filters": {"blobTypes": ["blockBlob"]},
        "actions": {
            "baseBlob": {"delete": {"daysAfterModificationGreaterThan": 90}},
            "version": {"delete": {"daysAfterCreationGreaterThan": 7}},
        },
    }
    return {"enabled": True, "name": "expire", "type": "Lifecycle", "definition": definition | changed}


def test_a_management_policy_is_kept(cloud: Cloud, account: StorageAccount) -> None:
    path = f"{account.id}/managementPolicies/default"
    missing = cloud.arm("GET", path)
    assert (missing.status, missing.code) == (404, "ManagementPolicyNotFound")
    policy = {"rules": [a_rule()]}
    made = cloud.arm("PUT", path, {"properties": {"policy": policy}})
    assert (made.status, made.said["properties"]["policy"]) == (200, policy)
    assert cloud.arm("GET", path).said == made.said
    assert [cloud.arm("DELETE", path).status for _ in range(2)] == [200, 204]


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ([a_rule()], 200),
        ([], 400),
        ([a_rule(), a_rule()], 400),
        ([a_rule(), a_rule() | {"name": "other"}], 200),
        ([a_rule() | {"type": "Other"}], 400),
        ([a_rule(filters={})], 400),
        ([a_rule(filters={"blobTypes": ["pageBlob"]})], 400),
        ([a_rule(filters={"blobTypes": ["blockBlob"], "prefixMatch": ["calls/"]})], 200),
        ([a_rule(actions={})], 400),
        ([a_rule(actions={"baseBlob": {"delete": {"daysAfterModificationGreaterThan": -1}}})], 400),
        ([a_rule(actions={"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 0.5}}})], 400),
        ([a_rule(actions={"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 90.0}}})], 200),
        ([a_rule(actions={"baseBlob": {"shred": {"daysAfterModificationGreaterThan": 1}}})], 400),
        ([a_rule(actions={"version": {"delete": {"daysAfterModificationGreaterThan": 1}}})], 400),
        ([a_rule(actions={"baseBlob": {"delete": {"daysAfterLastAccessTimeGreaterThan": 1}}})], 501),
        ([a_rule(actions={"baseBlob": {"tierToCool": {"daysAfterModificationGreaterThan": 30}}})], 200),
    ],
)
def test_a_management_policy_is_checked(
    cloud: Cloud, account: StorageAccount, rules: list[dict[str, Any]], status: int
) -> None:
    body = {"properties": {"policy": {"rules": rules}}}
    assert cloud.arm("PUT", f"{account.id}/managementPolicies/default", body).status == status
