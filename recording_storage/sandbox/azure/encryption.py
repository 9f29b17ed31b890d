"""A customer's key over a storage account: whether the account's identity may use it.

Source: https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview: the vault must be protected
from purging, and the identity needs to read, wrap and unwrap with the key;
https://learn.microsoft.com/azure/key-vault/general/network-security (services that are trusted).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.places import given
from recording_storage.sandbox.azure.principals import Principal
from recording_storage.sandbox.azure.world import ManagedIdentity
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.world import Key, StorageAccount, World

VAULT_KEYS = "Microsoft.Keyvault"
USES = tuple(f"Microsoft.KeyVault/vaults/keys/{verb}" for verb in ("read", "wrap/action", "unwrap/action"))
_HELP = "For more information, see - https://go.microsoft.com/fwlink/?linkid=2300118"


def has_own_key(account: StorageAccount) -> bool:
    """Whether a customer's key is over an account."""
    return str(account.properties["encryption"].get("keySource", "")).lower() == VAULT_KEYS.lower()


def check(world: World, access: Access, account: StorageAccount) -> None:
    """Raise `ArmError` where an account can't use the key that it is said to; asked before it is changed."""
    if not has_own_key(account):
        return
    key = find(world, account)
    if key is None:
        raise _refused(
            "KeyVaultEncryptionKeyNotFound", "The key vault key is not found.", because="there is no such key"
        )
    if not key.vault.properties.get("enablePurgeProtection"):
        raise _refused(
            "KeyVaultPolicyError",
            "The key vault must have soft delete and purge protection enabled.",
            because=f"the vault {key.vault.name} isn't protected from purging",
        )
    why = why_unusable(world, access, account)
    if why:
        message = f"The operation failed because of authentication issue on the keyvault. {_HELP}"
        raise _refused("KeyVaultAuthenticationFailure", message, because=why)


def why_unusable(world: World, access: Access, account: StorageAccount) -> str:
    """Why an account's data can't be read or written for want of its key; nothing where it can. Writes nothing."""
    if not has_own_key(account):
        return ""
    key = find(world, account)
    if key is None:
        return "the key that the account is encrypted with is gone"
    if key.properties.get("attributes", {}).get("enabled") is False:
        return f"the key {key.name} is disabled"
    expires = key.properties.get("attributes", {}).get("exp")
    if expires and expires <= world.now().timestamp():
        raise Undecided(f"what becomes of data whose key {key.name} has expired")
    rules: dict[str, Any] = key.vault.properties.get("networkAcls") or {}
    closed = (
        rules.get("defaultAction") == "Deny" or key.vault.properties.get("publicNetworkAccess") == "Disabled"
    )
    if closed and rules.get("bypass") != "AzureServices":
        return f"the firewall of the vault {key.vault.name} keeps Azure Storage out"
    identity = _identity(world, account)
    if identity is None:
        return "the account has no identity that could use the key"
    if not key.vault.properties.get("enableRbacAuthorization"):
        raise Undecided(f"who may use the key {key.name}: the vault {key.vault.name} has access policies")
    reasons = [access.judge(identity, use, key.id, data=True) for use in USES]
    return next((reason for is_allowed, reason in reasons if not is_allowed), "")


def find(world: World, account: StorageAccount) -> Key | None:
    """The key that an account is said to be encrypted with, in the version that is named, if there is one."""
    named = _lower(given(account.properties["encryption"], "keyvaultproperties"))
    host = str(named.get("keyvaulturi", "")).partition("://")[2].partition("/")[0]
    vault = world.vault(host.partition(".")[0])
    key = vault.keys.get(str(named.get("keyname", "")).lower()) if vault else None
    version = named.get("keyversion")
    return key if key and (not version or version in key.versions) else None


def _identity(world: World, account: StorageAccount) -> Principal | None:
    chosen = _lower(given(account.properties["encryption"], "identity"))
    named = str(chosen.get("userassignedidentity", "")).lower()
    tenant = account.group.subscription.tenant
    if not named:
        own = tenant.directory.all_principals.get(account.identity.get("principalId", ""))
        return Principal(own.id, own.app_id, tenant.id) if own else None
    for identity in world.resources(ManagedIdentity):
        assigned = (one.lower() for one in account.identity.get("userAssignedIdentities", {}))
        if identity.id.lower() == named and named in assigned:
            return Principal(identity.principal.id, identity.principal.app_id, tenant.id)
    return None


def _lower(said: dict[str, Any]) -> dict[str, Any]:
    """Clients spell these names in several ways."""
    return {name.lower(): value for name, value in said.items()}


def _refused(code: str, message: str, *, because: str) -> ArmError:
    return ArmError(400, code, message, because=because)
