"""Key vaults, their keys, and storage accounts that are encrypted with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure_cloud import ARM_SCOPE, OTHER_TENANT, SUBSCRIPTION, TENANT, VAULT_SCOPE, unique

from recording_storage.sandbox.azure import encryption, occasion

if TYPE_CHECKING:
    from azure_cloud import Cloud

    from recording_storage.sandbox.azure.world import Key, StorageAccount, Vault

SETTINGS = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault"
USER = "Key Vault Crypto Service Encryption User"
RSA = {"properties": {"kty": "RSA", "keySize": 2048}}


def a_path(cloud: Cloud, name: str = "") -> str:
    return f"{cloud.group_path()}/providers/Microsoft.KeyVault/vaults/{name or unique('vault')}"


def body(**changed: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": SETTINGS | changed}


def a_vault(cloud: Cloud, **properties: Any) -> Vault:
    return occasion.vault(cloud.world, cloud.group, unique("vault"), **properties)


def test_a_vault_is_made_and_read(cloud: Cloud) -> None:
    path = a_path(cloud)
    made = cloud.arm("PUT", path, body(enablePurgeProtection=True))
    assert (made.status, made.said["properties"]["provisioningState"]) == (200, "RegisteringDns")
    said = cloud.arm("GET", path).said
    assert said["properties"]["provisioningState"] == "Succeeded"
    assert said["properties"]["vaultUri"] == f"https://{said['name']}.vault.azure.net/"
    assert (said["properties"]["enableSoftDelete"], said["properties"]["softDeleteRetentionInDays"]) == (
        True,
        90,
    )
    assert cloud.arm("PATCH", path, {"properties": {"publicNetworkAccess": "Disabled"}}).status == 200
    assert cloud.arm("GET", path).said["properties"]["publicNetworkAccess"] == "Disabled"
    assert path in [one["id"] for one in cloud.arm("GET", path.rpartition("/")[0]).said["value"]]


@pytest.mark.parametrize(
    ("name", "changed", "status"),
    [
        ("", {}, 200),
        ("ab", {}, 400),
        ("1vault", {}, 400),
        ("two--hyphens", {}, 400),
        ("v" * 25, {}, 400),
        ("", {"sku": None}, 400),
        ("", {"tenantId": OTHER_TENANT}, 400),
        ("", {"softDeleteRetentionInDays": 6}, 400),
        ("", {"softDeleteRetentionInDays": 7}, 200),
        ("", {"enableSoftDelete": False}, 400),
        ("", {"enablePurgeProtection": False}, 400),
        ("", {"unheardOf": 1}, 501),
    ],
)
def test_a_vault_is_checked(cloud: Cloud, name: str, changed: dict[str, Any], status: int) -> None:
    assert cloud.arm("PUT", a_path(cloud, name), body(**changed)).status == status


def test_a_deleted_vault_keeps_its_name(cloud: Cloud) -> None:
    vault = a_vault(cloud, enablePurgeProtection=None)
    asked = {"name": vault.name, "type": "Microsoft.KeyVault/vaults"}
    available = f"{PROVIDER}/checkNameAvailability"
    assert cloud.arm("POST", available, asked).said["reason"] == "AlreadyExists"
    occasion.resource_group(cloud.subscription, "second")
    elsewhere = vault.id.replace("/tests/", "/second/")
    assert cloud.arm("PUT", elsewhere, body()).code == "VaultAlreadyExists"
    assert [cloud.arm("DELETE", vault.id).status for _ in range(2)] == [200, 204]
    again = cloud.arm("PUT", vault.id, body())
    assert (again.status, again.code) == (409, "ConflictError")
    deleted = f"{PROVIDER}/locations/westeurope/deletedVaults/{vault.name}"
    assert cloud.arm("GET", deleted).said["properties"]["vaultId"] == vault.id
    assert cloud.arm("PUT", vault.id, body(createMode="recover")).status == 200
    assert cloud.arm("GET", deleted).status == 404
    cloud.arm("DELETE", vault.id)
    assert cloud.arm("POST", f"{deleted}/purge").status == 200
    assert cloud.arm("PUT", vault.id, body()).status == 200


def test_a_protected_vault_is_not_purged(cloud: Cloud) -> None:
    vault = a_vault(cloud)
    cloud.arm("DELETE", vault.id)
    path = f"{PROVIDER}/locations/westeurope/deletedVaults/{vault.name}"
    assert cloud.arm("POST", f"{path}/purge").code == "MethodNotAllowed"


def test_a_key_is_made_once_through_resource_manager(cloud: Cloud) -> None:
    vault = a_vault(cloud)
    path = f"{vault.id}/keys/recordings"
    assert cloud.arm("GET", path).code == "KeyNotFound"
    made = cloud.arm("PUT", path, RSA).said
    assert made["properties"]["keyUri"] == f"https://{vault.name}.vault.azure.net/keys/recordings"
    assert made["properties"]["keyUriWithVersion"].startswith(made["properties"]["keyUri"] + "/")
    assert cloud.arm("PUT", path, RSA).said == made
    assert cloud.arm("GET", path).said == made
    version = made["properties"]["keyUriWithVersion"].rpartition("/")[2]
    assert cloud.arm("GET", f"{path}/versions/{version}").said["name"] == version
    assert [one["name"] for one in cloud.arm("GET", f"{vault.id}/keys").said["value"]] == ["recordings"]
    assert cloud.arm("PUT", f"{path}2", {"properties": {"kty": "RSA", "keySize": 1024}}).status == 400
    assert cloud.arm("PUT", f"{path}2", {"properties": {"kty": "EC"}}).status == 501


def test_the_vault_itself_shows_keys_to_who_may(cloud: Cloud) -> None:
    vault = a_vault(cloud)
    key = occasion.key(cloud.world, vault, "recordings")
    app = cloud.application()
    who, token = occasion.acting_as(app, cloud.tenant), cloud.issue(app, VAULT_SCOPE)
    url = f"https://{vault.name}.vault.azure.net/keys/recordings"
    with cloud.refused():
        answer = cloud.call("GET", f"{url}?api-version=7.4", token=token)
    assert (answer.status, answer.code) == (403, "Forbidden")
    occasion.assign(cloud.world, USER, who.object_id, key.id)
    said = cloud.call("GET", f"{url}?api-version=7.4", token=token).said
    assert said["key"]["kid"] == f"{url}/{key.versions[-1]}"
    assert cloud.call("GET", f"{url}/{key.versions[-1]}?api-version=7.4", token=token).said == said
    assert cloud.call("GET", f"{url}/unknown?api-version=7.4", token=token).code == "KeyNotFound"
    assert cloud.call("POST", f"{url}/create?api-version=7.4", {"kty": "RSA"}, token).code == "Forbidden"
    occasion.assign(cloud.world, "Key Vault Crypto Officer", who.object_id, vault.id)
    rotated = cloud.call("POST", f"{url}/create?api-version=7.4", {"kty": "RSA"}, token).said
    assert rotated["key"]["kid"] == f"{url}/{key.versions[-1]}"
    assert len(key.versions) == 2


def test_a_vault_says_where_tokens_are_to_be_had(cloud: Cloud) -> None:
    url = f"https://{a_vault(cloud).name}.vault.azure.net/keys/recordings?api-version=7.4"
    for token in ("", cloud.token(cloud.owner, ARM_SCOPE), cloud.token(cloud.stranger, VAULT_SCOPE)):
        answer = cloud.call("GET", url, token=token)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == (
            f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://vault.azure.net"'
        )
    policies = a_vault(cloud, enableRbacAuthorization=False)
    with cloud.undecided("the vault has access policies"):
        cloud.call(
            "GET",
            f"https://{policies.name}.vault.azure.net/keys/x",
            token=cloud.token(cloud.owner, VAULT_SCOPE),
        )


# A customer's key over an account


def encrypted_with(key: Key, **changed: str) -> dict[str, Any]:
    named = {"keyvaulturi": f"https://{key.vault.name}.vault.azure.net", "keyname": key.name, **changed}
    return {"encryption": {"keySource": "Microsoft.Keyvault", "keyvaultproperties": named}}


@pytest.fixture
def account(cloud: Cloud) -> StorageAccount:
    made = occasion.storage_account(cloud.world, cloud.group, unique("account"))
    cloud.arm("PATCH", made.id, {"identity": {"type": "SystemAssigned"}})
    return made


def test_an_account_needs_the_key_that_it_is_encrypted_with(cloud: Cloud, account: StorageAccount) -> None:
    key = occasion.key(cloud.world, a_vault(cloud), "recordings")
    wanted = {"properties": encrypted_with(key)}
    assert encryption.why_unusable(cloud.world, cloud.access, account) == ""
    with cloud.refused("no role with this data action"):
        assert cloud.arm("PATCH", account.id, wanted).code == "KeyVaultAuthenticationFailure"
    granted = occasion.assign(cloud.world, USER, account.identity["principalId"], key.id)
    said = cloud.arm("PATCH", account.id, wanted).said["properties"]["encryption"]
    assert said["keySource"] == "Microsoft.Keyvault"
    assert encryption.why_unusable(cloud.world, cloud.access, account) == ""
    key.properties["attributes"]["enabled"] = False
    assert encryption.why_unusable(cloud.world, cloud.access, account) == "the key recordings is disabled"
    key.properties["attributes"]["enabled"] = True
    cloud.world.assignments.remove(granted)
    assert "no role with this data action" in encryption.why_unusable(cloud.world, cloud.access, account)
    cloud.world.assignments.append(granted)
    cloud.world.remove(key.vault)
    assert "is gone" in encryption.why_unusable(cloud.world, cloud.access, account)


@pytest.mark.parametrize(
    ("vault", "changed", "code"),
    [
        ({}, {}, ""),
        ({}, {"keyname": "missing"}, "KeyVaultEncryptionKeyNotFound"),
        ({}, {"keyversion": "missing"}, "KeyVaultEncryptionKeyNotFound"),
        ({}, {"keyversion": ""}, ""),
        ({"enablePurgeProtection": None}, {}, "KeyVaultPolicyError"),
    ],
)
def test_the_key_must_be_there_and_its_vault_protected(
    cloud: Cloud, account: StorageAccount, vault: dict[str, Any], changed: dict[str, str], code: str
) -> None:
    key = occasion.key(cloud.world, a_vault(cloud, **vault), "recordings")
    occasion.assign(cloud.world, USER, account.identity["principalId"], key.vault.id)
    answer = cloud.arm("PATCH", account.id, {"properties": encrypted_with(key, **changed)})
    assert answer.status == (400 if code else 200)
    assert not code or answer.code == code


def test_a_managed_identity_may_use_the_key_instead(cloud: Cloud) -> None:
    account = occasion.storage_account(cloud.world, cloud.group, unique("account"))
    identity = occasion.managed_identity(cloud.world, cloud.group, unique("identity"))
    key = occasion.key(cloud.world, a_vault(cloud), "recordings")
    occasion.assign(cloud.world, USER, identity.principal.id, key.id)
    settings = encrypted_with(key)
    assert cloud.arm("PATCH", account.id, {"properties": settings}).code == "KeyVaultAuthenticationFailure"
    settings["encryption"]["identity"] = {"userAssignedIdentity": identity.id}
    assigned: dict[str, Any] = {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}
    assert cloud.arm("PATCH", account.id, {"properties": settings, "identity": assigned}).status == 200
