"""Resource Manager's resources as Pulumi's types, through the provider's own table; Entra's are in `test_azuread`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure_cloud import ISSUER, SUBSCRIPTION, TENANT, guid, unique
from azure_provider import NATIVE, PLACE, READER, Hands, being_the_owner, differ, role, within

from recording_storage.resources import UnsupportedError
from recording_storage.resources.azure.rest import ApiError
from recording_storage.sandbox.azure import occasion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure_cloud import Cloud
    from azure_provider import Made

    from recording_storage.resources import Properties

AUDIENCE = "api://AzureADTokenExchange"
ASKED: Properties = {
    "accessTier": "Hot",
    "allowBlobPublicAccess": False,
    "allowCrossTenantReplication": False,
    "allowSharedKeyAccess": False,
    "defaultToOAuthAuthentication": True,
    "enableHttpsTrafficOnly": True,
    "minimumTlsVersion": "TLS1_2",
    "tags": {"team": "voice"},
}
RULE: Properties = {
    "name": "expire",
    "type": "Lifecycle",
    "enabled": True,
    "definition": {
        "filters": {"blobTypes": ["blockBlob"]},
        "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 30.0}}},
    },
}
POLICY: Properties = {"managementPolicyName": "default", "policy": {"rules": [RULE]}}
KEPT: Properties = {"enabled": True, "days": 7.0}
SERVICE: Properties = {
    "blobServicesName": "default",
    "isVersioningEnabled": True,
    "deleteRetentionPolicy": KEPT,
    "containerDeleteRetentionPolicy": KEPT,
}


@pytest.fixture(scope="module")
def hands(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    with being_the_owner(cloud, tmp_path_factory.mktemp("owner")):
        yield Hands()


@pytest.fixture(scope="module")
def account(hands: Hands) -> Made:
    """One that tests put things into."""
    return hands.account(**ASKED)


def test_the_life_of_a_storage_account(hands: Hands, cloud: Cloud) -> None:
    made = hands.account(location="West Europe", **ASKED)
    name = made.inputs["accountName"]
    assert made.id == cloud.account_path(name)
    assert made.state.items() >= {**made.inputs, "location": PLACE}.items()
    assert (made.state["name"], made.state["type"]) == (name, "Microsoft.Storage/storageAccounts")
    assert made.state["provisioningState"] == "Succeeded"
    assert made.state["primaryEndpoints"]["blob"] == f"https://{name}.blob.core.windows.net/"
    assert made.state["azureApiVersion"] == "2024-01-01"

    drift = {"minimumTlsVersion": "TLS1_0", "supportsHttpsTrafficOnly": False}
    cloud.arm("PATCH", made.id, {"properties": drift, "tags": {}})
    drifted = made.refreshed()
    assert drifted == made.inputs | {
        "minimumTlsVersion": "TLS1_0",
        "enableHttpsTrafficOnly": False,
        "tags": {},
    }
    assert differ("storage:StorageAccount", drifted, made.inputs) == (
        "enableHttpsTrafficOnly minimumTlsVersion tags",
        "",
        False,
    )
    mended = made.update(sku={"name": "Standard_ZRS"}, tags=None)
    assert (mended["sku"], mended["tags"]) == ({"name": "Standard_ZRS"}, {})
    assert (mended["minimumTlsVersion"], mended["enableHttpsTrafficOnly"]) == ("TLS1_2", True)
    assert made.refreshed() == made.inputs
    made.delete()
    assert made.read() is None


def test_what_is_in_an_account(hands: Hands, cloud: Cloud) -> None:
    account = hands.account()
    service = hands.make("storage:BlobServiceProperties", **within(account), **SERVICE)
    container = hands.container(account, publicAccess="None", metadata={"kind": "calls"})
    policy = hands.make("storage:ManagementPolicy", **within(account), **POLICY)
    assert service.id == f"{account.id}/blobServices/default"
    assert container.id == f"{account.id}/blobServices/default/containers/calls"
    assert policy.id == f"{account.id}/managementPolicies/default"
    assert (container.state["name"], policy.state["name"]) == ("calls", "DefaultManagementPolicy")
    days = cloud.arm("GET", service.id).said["properties"]["deleteRetentionPolicy"]["days"]
    assert (days, type(days)) == (7, int)  # Pulumi's wire has 7.0
    for made in (service, container, policy):
        assert made.refreshed() == made.inputs

    versioned = service.update(isVersioningEnabled=False, containerDeleteRetentionPolicy=None)
    assert versioned["isVersioningEnabled"] is False
    assert "containerDeleteRetentionPolicy" not in versioned
    assert container.update(metadata={"kind": "other"})["metadata"] == {"kind": "other"}
    assert (
        policy.update(policy={"rules": [RULE | {"enabled": False}]})["policy"]["rules"][0]["enabled"] is False
    )
    for made in (policy, container):
        made.delete()
        assert made.read() is None
    service.delete()  # it is set back, since there always is one
    assert (service.read() or {})["deleteRetentionPolicy"]["enabled"] is False
    account.delete()
    service.delete()
    assert service.read() is None


def test_an_account_with_a_key_of_ones_own(hands: Hands, cloud: Cloud) -> None:
    vault = occasion.vault(cloud.world, cloud.group, unique("vault"))
    key = occasion.key(cloud.world, vault, "calls")
    user = hands.identity()
    encryption = {
        "keySource": "Microsoft.Keyvault",
        "keyVaultProperties": {"keyName": "calls", "keyVaultUri": f"https://{vault.name}.vault.azure.net"},
        "encryptionIdentity": {"encryptionUserAssignedIdentity": user.id},
    }
    asked: dict[str, Any] = {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [user.id]},
        "encryption": encryption,
    }
    with pytest.raises(ApiError, match="KeyVaultAuthenticationFailure"):
        hands.account(**asked)
    granted = hands.assign(
        key.id,
        user.state["principalId"],
        roleDefinitionId=role("e147488a-f6f5-4113-8e2d-b22465e65bf6"),
        principalType="ServicePrincipal",
    )
    made = hands.account(**asked)
    said = cloud.arm("GET", made.id).said
    assert said["properties"]["encryption"]["keyvaultproperties"]["keyname"] == "calls"
    assert said["properties"]["encryption"]["identity"] == {"userAssignedIdentity": user.id}
    assert list(said["identity"]["userAssignedIdentities"]) == [user.id]
    known = {name: user.state[name] for name in ("clientId", "principalId")}
    assert made.state["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {user.id: known}}
    assert "identity" not in differ("storage:StorageAccount", made.imported(), made.inputs)[0]
    assert made.state["encryption"].items() >= encryption.items()
    assert made.refreshed() == made.inputs
    cloud.arm("PATCH", made.id, {"properties": {"encryption": {"keySource": "Microsoft.Storage"}}})
    assert made.refreshed()["encryption"]["keySource"] == "Microsoft.Storage"
    for one in (made, granted, user):
        one.delete()


def test_an_account_with_an_identity_of_its_own(hands: Hands) -> None:
    made = hands.account(identity={"type": "SystemAssigned"})
    assert made.state["identity"]["tenantId"] == TENANT
    hands.assign(made.id, made.state["identity"]["principalId"]).delete()
    assert made.refreshed() == made.inputs
    other = hands.identity()
    both: Properties = {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": [other.id]}
    assert differ("storage:StorageAccount", made.inputs, {**made.inputs, "identity": both})[0] == "identity"
    found = made.update(identity=both)["identity"]
    assert (list(found["userAssignedIdentities"]), made.refreshed()) == ([other.id], made.inputs)


def test_a_role_assignment(hands: Hands, account: Made, cloud: Cloud) -> None:
    container = hands.container(account, containerName=unique("calls"))
    _, principal = hands.principal()
    said: Any = {"scope": container.id, "principal": principal.state["objectId"]}
    made = hands.assign(**said, principalType="ServicePrincipal")
    name = made.inputs["roleAssignmentName"]
    assert made.id == f"{container.id}/providers/Microsoft.Authorization/roleAssignments/{name}"
    assert made.state.items() >= made.inputs.items()
    assert (made.state["name"], made.refreshed()) == (name, made.inputs)
    with pytest.raises(ApiError, match=r"^PUT …/roleAssignments/.*: 409 RoleAssignmentExists: "):
        hands.assign(**said)  # under another name
    assert made.update(description="the recording service")["description"] == "the recording service"
    made.delete()
    assert made.read() is None
    assert cloud.arm("GET", made.id).code == "RoleAssignmentNotFound"


def test_a_principal_that_is_not_known_yet(hands: Hands, account: Made) -> None:
    nobody = guid()
    with pytest.raises(
        ApiError, match=r"^PUT …/roleAssignments/.*: 400 PrincipalNotFound: Principal "
    ) as failed:
        hands.assign(account.id, nobody)
    assert failed.value.status == 400
    made = hands.assign(account.id, nobody, principalType="ServicePrincipal")
    assert made.state["principalId"] == nobody
    made.delete()


def test_a_managed_identity_and_its_credential(hands: Hands, cloud: Cloud) -> None:
    identity = hands.identity()
    assert identity.state["tenantId"] == TENANT
    assert identity.update(tags={"team": "voice"})["tags"] == {"team": "voice"}
    made = hands.make(
        "managedidentity:FederatedIdentityCredential",
        resourceGroupName="tests",
        resourceName=identity.state["name"],
        federatedIdentityCredentialResourceName="recording-service",
        issuer=ISSUER,
        subject="w-acme",
        audiences=[AUDIENCE],
    )
    assert made.id == f"{identity.id}/federatedIdentityCredentials/recording-service"
    cloud.arm("PUT", made.id, {"properties": {"issuer": ISSUER, "subject": "x", "audiences": [AUDIENCE]}})
    assert made.refreshed() == made.inputs | {"subject": "x"}
    assert made.update(subject="w-other")["subject"] == "w-other"
    made.delete()
    assert made.read() is None
    identity.delete()
    with pytest.raises(ApiError, match=r"…/federatedIdentityCredentials/recording-service: 404 .*NotFound: "):
        hands.make("managedidentity:FederatedIdentityCredential", **made.inputs)


def test_a_resource_group_takes_along_what_is_in_it(hands: Hands) -> None:
    group = hands.group()
    name = group.inputs["resourceGroupName"]
    assert group.id == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"
    account = hands.account(name)
    within_it = [account, hands.container(account), hands.identity(name)]
    group.delete()
    assert group.read() is None
    for one in within_it:
        assert one.read() is None
        one.delete()
    with pytest.raises(ApiError, match=f"ResourceGroupNotFound: Resource group '{name}' could not be found"):
        hands.account(name)


def test_what_exists_is_not_made_anew(hands: Hands) -> None:
    group = hands.group()
    account = hands.account(group.inputs["resourceGroupName"])
    container = hands.container(account)
    for made in (group, account, container):
        with pytest.raises(FileExistsError, match=f"cannot create already existing resource '{made.id}'"):
            made.kind.create(made.clients, made.inputs)
    with pytest.raises(
        ApiError, match=r"409 StorageAccountInAnotherResourceGroup: The account .* is already"
    ):
        hands.account(accountName=account.inputs["accountName"])
    for _ in range(2):
        hands.make("storage:BlobServiceProperties", **within(account), **SERVICE)
    container.delete()
    assert hands.container(account).id == container.id


def test_import_by_id(hands: Hands, account: Made) -> None:
    container = hands.container(account, containerName=unique("calls"))
    made = hands.assign(container.id, guid(), principalType="User")
    for one in (account, container, made):
        assert one.find() == (one.id, one.state)
        shouted = one.id.replace("/resourceGroups/", "/RESOURCEGROUPS/")
        assert one.find(shouted) == (shouted, {**one.state, **_scope(one, shouted)})
        assert one.find(f"{one.id[:-1]}0000") is None
    with pytest.raises(
        ValueError, match=r"failed to parse '/subscriptions/.*' against the path '/subscriptions/"
    ):
        account.find(container.id)
    inputs = account.imported()
    assert {name: inputs[name] for name in account.inputs} == account.inputs
    # As with the real provider, it is a change that what Azure has by itself isn't asked for.
    assert differ("storage:StorageAccount", inputs, account.inputs) == ("encryption", "", False)
    assert differ("authorization:RoleAssignment", made.imported(), made.inputs) == ("", "", False)


def _scope(made: Made, import_id: str) -> Properties:
    return (
        {"scope": import_id.partition("/providers/Microsoft.Authorization")[0]}
        if "scope" in made.state
        else {}
    )


UNKNOWN = "the stand-in for the provider doesn't know it"


def test_an_input_that_is_not_known_is_refused(hands: Hands, cloud: Cloud) -> None:
    name = unique("account")
    what = "networkRuleSet of azure-native:storage:StorageAccount"
    with pytest.raises(UnsupportedError, match=f"^{what}: {UNKNOWN}"):
        hands.account(accountName=name, networkRuleSet={"defaultAction": "Deny"})
    assert cloud.arm("GET", cloud.account_path(name)).status == 404


@pytest.mark.parametrize(
    ("inputs", "what"),
    [
        ({"sku": {"name": "Standard_LRS", "tier": "Standard"}}, "tier of sku"),
        ({"encryption": {"keyVaultProperties": {"keyname": "calls"}}}, "keyname of keyVaultProperties"),
        ({"encryption": {"services": {"blob": {"lastEnabledTime": ""}}}}, "lastEnabledTime of blob"),
    ],
)
def test_an_input_that_is_not_known_is_refused_however_deep(
    hands: Hands, cloud: Cloud, inputs: Any, what: str
) -> None:
    name = unique("account")
    named = {"accountName": name, "resourceGroupName": "tests", "location": PLACE, "kind": "StorageV2"}
    with pytest.raises(UnsupportedError, match=f"^{what}: {UNKNOWN}"):
        NATIVE.types["azure-native:storage:StorageAccount"].create(hands.native, {**named, **inputs})
    assert cloud.arm("GET", cloud.account_path(name)).status == 404


def test_a_name_is_not_invented(hands: Hands) -> None:
    with pytest.raises(
        UnsupportedError, match=r"^roleAssignments without roleAssignmentName: the stand-in for"
    ):
        hands.assign("/subscriptions/s", guid(), roleAssignmentName=None)


ACCOUNTS, GIVEN = (
    "storage:StorageAccount",
    {"accountName": "a", "resourceGroupName": "g", "location": PLACE, **ASKED},
)
ASSIGNED: Properties = {"scope": "/subscriptions/s", "roleAssignmentName": "n", "principalId": "p"}


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (ACCOUNTS, GIVEN, {**GIVEN, "location": "West Europe", "resourceGroupName": "G"}, ("", "", False)),
        (ACCOUNTS, GIVEN, {**GIVEN, "location": "eastus"}, ("location", "location", True)),
        (ACCOUNTS, GIVEN, {**GIVEN, "accountName": "b"}, ("accountName", "accountName", True)),
        (ACCOUNTS, GIVEN, {**GIVEN, "accessTier": None}, ("accessTier", "", False)),
        (ACCOUNTS, {**GIVEN, "isHnsEnabled": False}, GIVEN, ("", "", False)),
        (
            ACCOUNTS,
            {**GIVEN, "identity": {"type": "UserAssigned", "userAssignedIdentities": ["a", "b"]}},
            {**GIVEN, "identity": {"type": "UserAssigned", "userAssignedIdentities": ["b", "a"]}},
            ("", "", False),
        ),
        (ACCOUNTS, GIVEN, {**GIVEN, "sku": {"name": "Standard_LRS"}}, ("sku", "", False)),
        ("storage:BlobContainer", {"containerName": "a"}, {"containerName": "b"}, ("containerName",) * 2),
        ("storage:BlobContainer", {"publicAccess": "None"}, {"publicAccess": "Blob"}, ("publicAccess", "")),
        (
            "authorization:RoleAssignment",
            ASSIGNED,
            {**ASSIGNED, "roleAssignmentName": "m", "principalId": "q"},
            ("principalId roleAssignmentName", "principalId roleAssignmentName", True),
        ),
        (
            "authorization:RoleAssignment",
            {**ASSIGNED, "roleDefinitionId": role(READER)},
            {**ASSIGNED, "roleDefinitionId": role(guid())},
            ("roleDefinitionId", "", False),
        ),
    ],
)
def test_what_is_a_difference(name: str, old: Properties, new: Properties, expected: tuple[Any, ...]) -> None:
    assert differ(name, old, new)[: len(expected)] == expected


def test_functions(hands: Hands, account: Made) -> None:
    container = hands.container(account, containerName=unique("calls"), publicAccess="None")

    def ask(name: str, **args: Any) -> Properties:
        return NATIVE.invoke(hands.native, f"azure-native:{name}", args)

    found = ask(
        "storage:getBlobContainer", **within(account), containerName=container.inputs["containerName"]
    )
    assert (found["id"], found["publicAccess"]) == (container.id, "None")
    found = ask("storage:getStorageAccount", **within(account))
    assert (found["id"], found["minimumTlsVersion"]) == (account.id, "TLS1_2")
    assert ask("resources:getResourceGroup", resourceGroupName="tests")["location"] == PLACE
    config = ask("authorization:getClientConfig")
    assert (config["tenantId"], config["subscriptionId"]) == (TENANT, SUBSCRIPTION)
    with pytest.raises(ApiError, match=r"^GET …/containers/none: 404 ContainerNotFound: "):
        ask("storage:getBlobContainer", **within(account), containerName="none")
    with pytest.raises(UnsupportedError, match="the argument expand"):
        ask("storage:getStorageAccount", **within(account), expand="geoReplicationStats")
    with pytest.raises(UnsupportedError, match="listStorageAccountKeys"):
        ask("storage:listStorageAccountKeys", **within(account))
