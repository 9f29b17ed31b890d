"""The component on Azure Blob Storage, by what it registers."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import pulumi
import pytest

from components import azure_retries
from components.azure_blob_lifecycle import management_policy
from components.azure_retries import is_replication
from components.azure_roles import assignment_name
from tests.support.registrations import (
    APPLICATION_ID,
    BARE_CLIENT_ID,
    CLIENT_ID,
    PRINCIPAL_ID,
    SUBSCRIPTION,
    TENANT,
    UNKNOWN_CLIENT_ID,
    Run,
    container_id,
    run,
)

CALLS = {
    "provider": "azure_blob",
    "tenant": TENANT,
    "subscription": SUBSCRIPTION,
    "location": "westeurope",
    "workspace_id": "ws-1",
}
STORAGE = [
    ("azure-native:resources:ResourceGroup", "calls-resource-group"),
    ("azure-native:storage:StorageAccount", "calls-storage-account"),
    ("azure-native:storage:BlobServiceProperties", "calls-blob-service"),
    ("azure-native:storage:BlobContainer", "calls-container"),
]
APPLICATION = [
    ("azuread:index/application:Application", "calls-application"),
    ("azuread:index/servicePrincipal:ServicePrincipal", "calls-service-principal"),
]
TRUST = [
    (
        "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
        "calls-federated-credential",
    ),
    ("azure-native:authorization:RoleAssignment", "calls-writer"),
]
ROLES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
CONTRIBUTOR, READER = "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
KEY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/acme-keys/keys/recordings"


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
            ("pulumi:providers:azure-native", f"azure-{SUBSCRIPTION}", "recording-storage-acme", False),
            ("pulumi:providers:azuread", f"azuread-{TENANT}", "recording-storage-acme", False),
            ("recording-storage:index:AzureBlobDestination", "calls", "recording-storage-acme", False),
            *((type_, name, "calls", True) for type_, name in (*STORAGE, *APPLICATION, *TRUST)),
        ]
    )


def test_names_are_legal_and_the_same_on_every_run(plain: Run) -> None:
    account = plain["calls-storage-account"].inputs["accountName"]
    assert run(one())["calls-storage-account"].inputs["accountName"] == account
    assert re.fullmatch(r"acmecalls[a-z2-7]{6}", account)
    group = plain["calls-resource-group"].inputs["resourceGroupName"]
    assert group.replace("-", "") == account
    assert plain["calls-application"].inputs["displayName"] == f"recordings-{group}"


def test_only_the_workspaces_tokens_of_the_services_issuer_are_let_in(plain: Run) -> None:
    credential = dict(plain["calls-federated-credential"].inputs)
    assert credential.pop("description")
    assert credential == {
        "applicationId": f"/applications/{APPLICATION_ID}",
        "displayName": "recording-service",
        "issuer": "https://recording-copy.tavus.io",
        "subject": "ws-1",
        "audiences": ["api://AzureADTokenExchange"],
    }
    assert plain["calls-application"].inputs["signInAudience"] == "AzureADMyOrg"
    assert "password" not in plain["calls-application"].inputs


def test_it_may_write_to_the_container_alone(plain: Run) -> None:
    scope = container_id(
        plain["calls-resource-group"].inputs["resourceGroupName"],
        plain["calls-storage-account"].inputs["accountName"],
        "recordings",
    )
    assert plain["calls-writer"].inputs == {
        "roleAssignmentName": assignment_name(scope, CONTRIBUTOR, PRINCIPAL_ID),
        "scope": scope,
        "roleDefinitionId": f"{ROLES}/{CONTRIBUTOR}",
        "principalId": PRINCIPAL_ID,
        "principalType": "ServicePrincipal",
    }


def test_an_assignments_name_is_a_guid_of_whom_and_where() -> None:
    name = assignment_name("/scope/A", CONTRIBUTOR, PRINCIPAL_ID)
    assert str(uuid.UUID(name)) == name
    assert assignment_name("/scope/a", CONTRIBUTOR, PRINCIPAL_ID.upper()) == name
    others = [
        assignment_name("/scope/b", CONTRIBUTOR, PRINCIPAL_ID),
        assignment_name("/scope/a", READER, PRINCIPAL_ID),
        assignment_name("/scope/a", CONTRIBUTOR, CLIENT_ID),
    ]
    assert name not in others


def test_the_account_is_private_and_has_no_shared_keys(plain: Run) -> None:
    inputs = dict(plain["calls-storage-account"].inputs)
    assert inputs.pop("accountName")
    assert inputs.pop("resourceGroupName")
    assert inputs == {
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "accessTier": "Hot",
        "minimumTlsVersion": "TLS1_2",
        "enableHttpsTrafficOnly": True,
        "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False,
        "allowCrossTenantReplication": False,
        "defaultToOAuthAuthentication": True,
        "tags": {},
    }
    service = plain["calls-blob-service"].inputs
    kept = {"enabled": True, "days": 7}
    assert service["isVersioningEnabled"] is True
    assert service["deleteRetentionPolicy"] == service["containerDeleteRetentionPolicy"] == kept
    assert plain["calls-container"].inputs["publicAccess"] == "None"


@pytest.mark.parametrize(
    ("on_destroy", "protect", "retain"),
    [("protect", True, False), ("retain", False, True), ("delete", False, False)],
)
def test_on_destroy_covers_the_storage_and_all_that_holds_it(
    on_destroy: str, protect: bool, retain: bool
) -> None:
    found = run(one(on_destroy=on_destroy, retention_days=30, key_vault_key=KEY))
    kept = [
        *(name for _, name in STORAGE),
        "calls-key-identity",
        "calls-key-use",
    ]
    for name in kept:
        assert (found[name].protect, found[name].retain_on_delete) == (protect, retain), name
    rule = found["calls-management-policy"]
    assert (rule.protect, rule.retain_on_delete) == (False, retain)
    for _, name in (*APPLICATION, *TRUST):
        assert (found[name].protect, found[name].retain_on_delete) == (protect, False), name


def test_retention_covers_versions_and_shortens_soft_deletion() -> None:
    (rule,) = management_policy(30)["rules"]  # type: ignore[misc]
    assert rule == {
        "name": "expire-recordings",
        "type": "Lifecycle",
        "enabled": True,
        "definition": {
            "filters": {"blob_types": ["blockBlob"]},
            "actions": {
                "base_blob": {"delete": {"days_after_modification_greater_than": 30}},
                "version": {"delete": {"days_after_creation_greater_than": 30}},
            },
        },
    }
    found = run(one(retention_days=30))
    assert found["calls-blob-service"].inputs["deleteRetentionPolicy"]["days"] == 1
    assert not [r for r in run(one()).registrations if r.name == "calls-management-policy"]


def test_names_that_are_given_are_used() -> None:
    found = run(
        one(
            storage_account="acmecalls",
            container="calls",
            resource_group="recordings",
            identity_name="Vendor",
        )
    )
    assert found["calls-storage-account"].inputs["accountName"] == "acmecalls"
    assert found["calls-container"].inputs["containerName"] == "calls"
    assert found["calls-resource-group"].inputs["resourceGroupName"] == "recordings"
    assert found["calls-application"].inputs["displayName"] == "Vendor"


def test_a_group_that_exists_is_not_made() -> None:
    found = run(one(resource_group="shared", existing_resource_group=True, redundancy="GZRS"))
    assert not [r for r in found.registrations if r.type.endswith(":ResourceGroup")]
    assert found["calls-storage-account"].inputs["resourceGroupName"] == "shared"
    assert found["calls-storage-account"].inputs["sku"] == {"name": "Standard_GZRS"}


def test_readers_may_list_and_read_the_container() -> None:
    found = run(one(readers=[f"group:{CLIENT_ID}"]))
    registered = found[f"calls-reader-{CLIENT_ID}"]
    assert not registered.protect, "who is taken off the list must lose access"
    reader = registered.inputs
    assert (reader["principalId"], reader["principalType"]) == (CLIENT_ID, "Group")
    assert reader["roleDefinitionId"] == f"{ROLES}/{READER}"
    assert reader["scope"] == found["calls-writer"].inputs["scope"]


def test_a_key_encrypts_once_an_identity_may_use_it() -> None:
    found = run(one(key_vault_key=KEY))
    account = found["calls-storage-account"]
    name = f"{account.inputs['accountName']}-key"
    assert found["calls-key-use"].inputs["scope"] == KEY
    assert found["calls-key-use"].inputs["roleDefinitionId"].endswith("e147488a-f6f5-4113-8e2d-b22465e65bf6")
    assert account.inputs["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": [f"/identities/{name}"],
    }
    assert account.inputs["encryption"] == {
        "keySource": "Microsoft.Keyvault",
        "keyVaultProperties": {"keyName": "recordings", "keyVaultUri": "https://acme-keys.vault.azure.net"},
        "encryptionIdentity": {"encryptionUserAssignedIdentity": f"/identities/{name}"},
    }
    assert "calls-key-use" in account.depends_on


def test_a_managed_identity_needs_no_application() -> None:
    found = run(one(identity="managed_identity"))
    assert not [r for r in found.registrations if "azuread" in r.type]
    credential = found["calls-federated-credential"]
    assert credential.type == "azure-native:managedidentity:FederatedIdentityCredential"
    assert credential.inputs["subject"] == "ws-1"
    assert credential.inputs["issuer"] == "https://recording-copy.tavus.io"
    assert credential.inputs["audiences"] == ["api://AzureADTokenExchange"]
    assert credential.inputs["resourceName"] == found["calls-identity"].inputs["resourceName"]
    assert found["calls-writer"].inputs["principalId"] == PRINCIPAL_ID
    assert found.outputs["recording_storage"]["client_id"] == CLIENT_ID


def test_an_application_that_exists_gets_a_credential() -> None:
    found = run(one(application_client_id=CLIENT_ID))
    assert not [r for r in found.registrations if r.name in ("calls-application", "calls-service-principal")]
    assert found["calls-federated-credential"].inputs["applicationId"] == f"/applications/{APPLICATION_ID}"
    assert found["calls-writer"].inputs["principalId"] == PRINCIPAL_ID
    assert found.outputs["recording_storage"]["client_id"] == CLIENT_ID


def test_of_an_existing_account_only_the_trust_is_made() -> None:
    found = run(one(existing=True, storage_account="acmeown", resource_group="own"))
    assert not [r for r in found.registrations if r.type.startswith("azure-native:storage:")]
    assert found["calls-writer"].inputs["scope"] == container_id("own", "acmeown", "recordings")
    assert not any(found[name].protect for _, name in (*APPLICATION, *TRUST))


def test_what_is_adopted_is_imported() -> None:
    found = run(one(adopt=True, storage_account="acmecalls", resource_group="calls", retention_days=30))
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/calls"
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/acmecalls"
    assert {r.name: r.import_id for r in found.registrations if r.import_id} == {
        "calls-resource-group": group,
        "calls-storage-account": account,
        "calls-blob-service": f"{account}/blobServices/default",
        "calls-container": f"{account}/blobServices/default/containers/recordings",
        "calls-management-policy": f"{account}/managementPolicies/default",
    }


def test_an_application_that_is_adopted_is_imported_with_what_it_has() -> None:
    credential = "88888888-8888-4888-8888-888888888888"
    found = run(one(adopt_application=CLIENT_ID.upper(), adopt_credential=credential.upper()))
    assert found.error == ""
    imported = {r.name: r.import_id for r in found.registrations if r.import_id}
    assert imported == {
        "calls-application": f"/applications/{APPLICATION_ID}",
        "calls-service-principal": f"/servicePrincipals/{PRINCIPAL_ID}",
        "calls-federated-credential": f"{APPLICATION_ID}/federatedIdentityCredential/{credential}",
    }
    for name in imported:
        assert (found[name].protect, found[name].retain_on_delete) == (True, True)
    assert found.outputs["recording_storage"]["client_id"] == CLIENT_ID


def test_what_is_registered_of_an_adopted_application_is_as_of_a_made_one(plain: Run) -> None:
    found = run(one(adopt_application=CLIENT_ID))
    for _, name in (*APPLICATION, *TRUST):
        of_its_creation = {"preventDuplicateNames": True} if name == "calls-application" else {}
        assert found[name].inputs | of_its_creation == plain[name].inputs, name
    assert found["calls"].inputs == {"adoptApplication": CLIENT_ID}
    assert plain["calls"].inputs == {}


def test_a_service_principal_or_a_credential_that_is_missing_is_made() -> None:
    found = run(one(adopt_application=BARE_CLIENT_ID))
    assert {r.name for r in found.registrations if r.import_id} == {"calls-application"}
    assert not found["calls-service-principal"].retain_on_delete
    assert not found["calls-federated-credential"].retain_on_delete


def test_nothing_is_made_in_place_of_an_application_that_is_not_found() -> None:
    found = run(one(adopt_application=UNKNOWN_CLIENT_ID))
    assert "no applications found" in found.error
    assert not [r for r in found.registrations if r.type.startswith("azuread:")]


def test_an_overridden_trust_profile_is_trusted() -> None:
    profile = {"azure_blob": {"issuer": "https://issuer.example.com", "audience": "api://theirs"}}
    credential = run(one() | {"trust_profile": profile})["calls-federated-credential"].inputs
    assert (credential["issuer"], credential["audiences"]) == ("https://issuer.example.com", ["api://theirs"])


def test_outputs_of_a_stack_with_one_destination(plain: Run) -> None:
    account = plain["calls-storage-account"].inputs["accountName"]
    storage = {
        "provider": "azure_blob",
        "storage_account": account,
        "container": "recordings",
        "tenant_id": TENANT,
        "client_id": CLIENT_ID,
    }
    assert plain.outputs == {
        "recording_storage": storage,
        "destinations": {
            "calls": {
                "provider": "azure_blob",
                "recording_storage": storage,
                "conversation_properties": {"enable_recording": True, "recording_storage": storage},
                "storage_account": account,
                "container": "recordings",
                "container_uri": f"https://{account}.blob.core.windows.net/recordings",
                "resource_group": plain["calls-resource-group"].inputs["resourceGroupName"],
                "tenant_id": TENANT,
                "client_id": CLIENT_ID,
                "principal_id": PRINCIPAL_ID,
            }
        },
    }


def test_a_preview_knows_what_can_be_known_and_no_more(plain: Run) -> None:
    found = run(one(), preview=True)
    assert found.error == ""
    assert found["calls-resource-group"].inputs == plain["calls-resource-group"].inputs
    assert found["calls-storage-account"].inputs["accountName"].startswith("acmecalls")
    assert found["calls-writer"].inputs["principalId"] == "<unknown>"
    assert found.outputs["recording_storage"] == "<unknown>"


@pytest.mark.parametrize(
    ("error", "again"),
    [
        ("Code=PrincipalNotFound Message=Principal 4444 does not exist in the directory", True),
        ("ParentResourceNotFound: Failed to perform 'write' on resource(s)", True),
        ("Code=AuthorizationFailed Message=The client does not have authorization", False),
        ("409 StorageAccountAlreadyTaken", False),
    ],
)
def test_only_want_of_replication_is_tried_again(error: str, again: bool) -> None:
    assert is_replication(error) is again


def tried(errors: list[str]) -> bool:
    """Whether the hook has a resource tried again that failed with these, the newest first."""
    registered: list[Any] = []

    class Hook:
        def __init__(self, name: str, again: Any) -> None:
            registered.append(again)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi, "ErrorHook", Hook)
        patch.setattr(pulumi, "ResourceHookBinding", dict)
        patch.setattr(azure_retries, "PAUSES_SECONDS", (0, 0))
        azure_retries.on_replication("calls-writer")
        args = pulumi.ErrorHookArgs(
            "urn", "id", "calls-writer", "type", failed_operation="create", errors=errors
        )
        return asyncio.run(registered[0](args))


def test_trying_again_has_an_end() -> None:
    assert tried(["PrincipalNotFound"])
    assert tried(["PrincipalNotFound"] * 2)
    assert not tried(["PrincipalNotFound"] * 3)
    assert not tried(["AuthorizationFailed", "PrincipalNotFound"])


def test_nothing_of_another_cloud_is_imported() -> None:
    modules = run(one(), fresh=True).modules
    assert "pulumi_azure_native" in modules
    others = ("pulumi_aws", "pulumi_gcp", "boto", "moto", "google.auth", "google.cloud", "azure.", "msal")
    assert [module for module in modules if module.startswith(others)] == []
