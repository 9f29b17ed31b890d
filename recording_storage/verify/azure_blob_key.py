"""The key that encrypts the recordings: Microsoft's, or the customer's in a key vault.

Sources: https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview,
https://learn.microsoft.com/azure/key-vault/general/rbac-guide (roles), …/general/assign-access-policy (policies),
https://learn.microsoft.com/azure/key-vault/general/network-security (trusted services),
https://learn.microsoft.com/rest/api/keyvault/keyvault/keys/get. Leaves out managed HSMs, and keys in another tenant.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from recording_storage.evaluation.azure import assignments, scopes
from recording_storage.evaluation.azure.assignments import Asked, Holder
from recording_storage.verify.checks import CouldNotTell, Finding, failed, passed, warned, worst
from recording_storage.verify.said import each, part, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.verify.azure_blob_reading import Reading

CUSTOMERS: Final = "microsoft.keyvault"
VAULTS: Final = ".vault.azure.net"
USES: Final = {"get": "read", "wrapKey": "wrap/action", "unwrapKey": "unwrap/action"}
"""What the account does with its key: as access policies name it, and the data action of a role."""
ACCOUNTS_OWN: Final = ("", "$account-encryption-key")
USER: Final = "Key Vault Crypto Service Encryption User"


class Key:
    """What is said of a destination's key."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def is_usable(self) -> Finding:
        """Z16: the key can be used."""
        account = self._reading.account.result()
        self._check_scope()
        said = _lower(part(account, "properties", "encryption"))
        wanted = self._reading.known.kms_key
        if text(said, "keysource").lower() != CUSTOMERS:
            if wanted:
                return failed(
                    f"the account encrypts with Microsoft's key, and not with {wanted}", self._set(wanted)
                )
            return passed("Microsoft's key encrypts, which needs nothing")
        named = _lower(part(said, "keyvaultproperties"))
        host, name = (
            urlsplit(str(named.get("keyvaulturi") or "")).hostname or "",
            str(named.get("keyname") or ""),
        )
        if not host.endswith(VAULTS):
            raise CouldNotTell(
                f"the key {name} is at {host}, which isn't a key vault", "look at the key yourself"
            )
        return self._in_vault(account, host.removesuffix(VAULTS), name, _lower(part(said, "identity")))

    def _check_scope(self) -> None:
        """Raise where the container has a key of its own, beside the account's."""
        container = self._reading.container.result()
        scope = text(part(container, "properties"), "defaultEncryptionScope")
        if scope not in ACCOUNTS_OWN:
            raise CouldNotTell(
                f"the container's recordings are encrypted by the scope {scope}, which isn't looked at",
                f"az storage account encryption-scope show --name {scope}",
            )

    def _in_vault(
        self, account: dict[str, Any], vault_name: str, name: str, chosen: dict[str, Any]
    ) -> Finding:
        vault = self._reading.vault(vault_name)
        if vault is None:
            raise CouldNotTell(
                f"the key vault {vault_name} is in no subscription that the caller sees, or it is deleted",
                f"let the caller read its subscription, or restore it: az keyvault recover --name {vault_name}",
            )
        key = self._reading.key(str(vault["id"]), name)
        if key is None:
            mend = f"az keyvault key recover --vault-name {vault_name} --name {name}"
            return failed(f"the vault {vault_name} has no key {name}", mend)
        found = [
            *self._another(str(vault["id"]), name),
            *_key_faults(key, vault_name, name),
            *_vault_faults(vault, vault_name),
            *self._use_faults(account, vault, f"{vault['id']}/keys/{name}", chosen),
        ]
        return (
            worst(*found)
            if found
            else passed(f"the account's identity may use the key {name} of {vault_name}")
        )

    def _another(self, vault: str, name: str) -> Iterator[Finding]:
        wanted = self._reading.known.kms_key
        if wanted and not scopes.is_same(wanted.partition("/versions/")[0], f"{vault}/keys/{name}"):
            yield failed(
                f"the account encrypts with {vault}/keys/{name}, and not with {wanted}", self._set(wanted)
            )

    def _set(self, wanted: str) -> str:
        parts = wanted.strip("/").split("/")
        if len(parts) < 10:
            return ""
        where = f"--encryption-key-vault https://{parts[7]}{VAULTS} --encryption-key-name {parts[9]}"
        name = self._reading.account_name
        return f"az storage account update --name {name} --encryption-key-source Microsoft.Keyvault {where}"

    def _use_faults(
        self, account: dict[str, Any], vault: dict[str, Any], key: str, chosen: dict[str, Any]
    ) -> Iterator[Finding]:
        """Whether the account's identity may get, wrap and unwrap."""
        principal = _principal(account, chosen)
        if not principal:
            yield failed(
                "the account has no identity that could use the key",
                "az storage account update --assign-identity",
            )
            return
        said = part(vault, "properties")
        if said.get("enableRbacAuthorization") is True:
            lacking = self._lacking(principal, key)
            mend = (
                f"az role assignment create --assignee-object-id {principal} "
                f'--assignee-principal-type ServicePrincipal --role "{USER}" --scope {key}'
            )
        else:
            lacking = _not_in_policies(said, principal)
            whose = f"--name {vault['name']} --object-id {principal}"
            mend = f"az keyvault set-policy {whose} --key-permissions {' '.join(USES)}"
        if lacking:
            yield failed(
                f"the account's identity {principal} may not {', '.join(lacking)} with the key", mend
            )

    def _lacking(self, principal: str, key: str) -> list[str]:
        subscription = key.split("/")[2]
        effective = self._reading.effective_of(principal, subscription).result()
        holder = Holder(frozenset({principal, *(one.principal for one in effective)}))
        near = [
            one
            for one in effective
            if scopes.is_within(key, one.scope) or scopes.is_management_group(one.scope)
        ]
        self._reading.roles(near)
        lacking: list[str] = []
        for verb, action in USES.items():
            asked = Asked(f"Microsoft.KeyVault/vaults/keys/{action}", key, data=True)
            allowed = assignments.decide(asked, holder, near, self._reading.role).allowed
            if allowed is None:
                raise CouldNotTell(
                    f"whether the account's identity {principal} may {verb} rests on a condition of its role",
                    "assign the role without a condition",
                )
            lacking += [] if allowed else [verb]
        return lacking


def _principal(account: dict[str, Any], chosen: dict[str, Any]) -> str:
    """The object id of the identity by which an account uses its key: the one that is named, or its own."""
    identity = part(account, "identity")
    named = text(chosen, "userassignedidentity").lower()
    if not named:
        return text(identity, "principalId").lower()
    assigned = part(identity, "userAssignedIdentities")
    found = next((one for one in assigned if one.lower() == named), "")
    return text(part(assigned, found), "principalId").lower()


def _key_faults(key: dict[str, Any], vault: str, name: str) -> Iterator[Finding]:
    said = part(key, "properties", "attributes")
    now = datetime.now(timezone.utc).timestamp()
    at = f"--vault-name {vault} --name {name}"
    if said.get("enabled") is False:
        yield failed(f"the key {name} is disabled", f"az keyvault key set-attributes {at} --enabled true")
    if said.get("exp") and float(said["exp"]) <= now:
        yield failed(f"the key {name} has expired", f"az keyvault key rotate {at}")
    if said.get("nbf") and float(said["nbf"]) > now:
        yield failed(
            f"the key {name} isn't valid yet", f"az keyvault key set-attributes {at} --not-before NOW"
        )


def _vault_faults(vault: dict[str, Any], name: str) -> Iterator[Finding]:
    said = part(vault, "properties")
    rules = part(said, "networkAcls")
    closed = rules.get("defaultAction", "Allow") == "Deny" or said.get("publicNetworkAccess") == "Disabled"
    if closed and rules.get("bypass", "AzureServices") != "AzureServices":
        mend = f"az keyvault update --name {name} --bypass AzureServices"
        yield failed(f"the firewall of the vault {name} keeps Azure Storage out", mend)
    if said.get("enablePurgeProtection") is not True:
        mend = f"az keyvault update --name {name} --enable-purge-protection true"
        yield warned(
            f"the vault {name} isn't protected from purging: with its key all recordings would be lost", mend
        )


def _not_in_policies(said: dict[str, Any], principal: str) -> list[str]:
    given: set[str] = set()
    for policy in each(said, "accessPolicies"):
        if text(policy, "objectId").lower() == principal:
            given |= {str(one).lower() for one in part(policy, "permissions").get("keys") or ()}
    return [verb for verb in USES if verb.lower() not in given and "all" not in given]


def _lower(said: dict[str, Any]) -> dict[str, Any]:
    """Clients, and versions of the API, spell these names in several ways."""
    return {name.lower(): value for name, value in said.items()}
