"""Key vaults and the keys in them: Resource Manager's side, and the little of the vaults' own that clients read.

Who may do what with a key is said by roles, where the vault says so (`enableRbacAuthorization`); access policies aren't
evaluated. No key is ever used here: what wraps and unwraps is Azure itself.

Sources: https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults, …/keyvault/keys, …/keys/get-key,
https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview. Leaves out secrets, certificates, HSMs,
curves, import, backup and rotation.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.places import (
    GROUP,
    SUBSCRIPTION,
    Line,
    Places,
    check_location,
    location,
    properties,
    tags,
)
from recording_storage.sandbox.azure.vault_keys import VaultKeys, change, show
from recording_storage.sandbox.azure.world import VAULT, Vault, utc
from recording_storage.sandbox.rest import Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.tokens import Tokens
    from recording_storage.sandbox.azure.world import ResourceGroup, Subscription

_ONE = f"{GROUP}/providers/{VAULT}/{{name}}"
_KEY = f"{_ONE}/keys/{{key}}"
_DELETED = f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/{{location}}/deletedVaults/{{name}}"
_NAME = re.compile(r"(?=.{3,24}$)[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*")
_KEY_NAME = re.compile(r"[A-Za-z0-9-]{1,127}")
_RULES: Mapping[str, Any] = {
    "bypass": "AzureServices",
    "defaultAction": "Allow",
    "ipRules": [],
    "virtualNetworkRules": [],
}
_SETTINGS = (
    "accessPolicies",
    "createMode",
    "enablePurgeProtection",
    "enableRbacAuthorization",
    "enableSoftDelete",
    "enabledForDeployment",
    "enabledForDiskEncryption",
    "enabledForTemplateDeployment",
    "networkAcls",
    "provisioningState",
    "publicNetworkAccess",
    "sku",
    "softDeleteRetentionInDays",
    "tenantId",
    "vaultUri",
)
RETENTION = range(7, 91)


class KeyVaults:
    """The provider of key vaults; `keys` answers at the vaults' own hosts."""

    def __init__(self, places: Places, tokens: Tokens) -> None:
        self._places = places
        self._world = places.world
        self.keys = VaultKeys(places.world, places.access, tokens)
        keys = f"{VAULT}/keys"
        deleted = "Microsoft.KeyVault/locations/deletedVaults"
        self.routes = places.routes(
            Line(
                "POST",
                SUBSCRIPTION,
                "/providers/Microsoft.KeyVault/checkNameAvailability",
                "Microsoft.KeyVault/checkNameAvailability/read",
                self._check_name,
            ),
            Line("GET", SUBSCRIPTION, f"/providers/{VAULT}", f"{VAULT}/read", self._list),
            Line("GET", GROUP, f"/providers/{VAULT}", f"{VAULT}/read", self._list),
            Line("GET", _DELETED, "", f"{deleted}/read", self._get_deleted),
            Line("POST", _DELETED, "/purge", f"{deleted}/purge/action", self._purge),
            Line("PUT", _ONE, "", f"{VAULT}/write", self._put),
            Line("PATCH", _ONE, "", f"{VAULT}/write", self._patch),
            Line("GET", _ONE, "", f"{VAULT}/read", self._get),
            Line("DELETE", _ONE, "", f"{VAULT}/delete", self._delete),
            Line("GET", _ONE, "/keys", f"{keys}/read", self._list_keys),
            Line("PUT", _KEY, "", f"{keys}/write", self._put_key),
            Line("GET", _KEY, "", f"{keys}/read", self._get_key),
            Line("GET", _KEY, "/versions/{version}", f"{keys}/versions/read", self._get_key),
        )

    # Vaults

    def _check_name(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who, names
        name = str(request.json().get("name", ""))
        if not _NAME.fullmatch(name):
            return {"nameAvailable": False, "reason": "AccountNameInvalid", "message": _invalid(name)}
        if self._world.vault(name) or name.lower() in self._world.deleted_vaults:
            taken = f"The vault name '{name}' is already in use."
            return {"nameAvailable": False, "reason": "AlreadyExists", "message": taken}
        return {"nameAvailable": True}

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        subscription = self._places.subscription(names["subscription"])
        groups = [self._places.group(names)] if "group" in names else list(subscription.groups.values())
        found = [one for group in groups for one in group.resources.values() if isinstance(one, Vault)]
        return {"value": [_shown(one) for one in found]}

    def _put(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del who
        said, group, name = request.json(), self._places.group(names), names["name"]
        asked, given = location(said), _given(said, group.subscription)
        if not _NAME.fullmatch(name):
            raise ArmError(400, "VaultNameNotValid", _invalid(name))
        found = self._places.find(Vault, names)
        if found is None:
            return self._create(group, name, asked, said, given)
        check_location(found, asked)
        _update(found, given)
        found.tags = tags(said)
        return Response.of(_shown(found))

    def _create(
        self, group: ResourceGroup, name: str, asked: str, said: dict[str, Any], given: dict[str, Any]
    ) -> Response:
        for what in ("sku", "tenantId"):
            if not given.get(what):
                raise ArmError(400, "BadRequest", f"The parameter {what} is required.")
        if given.get("createMode") == "recover":
            return self._recover(group, name)
        if self._world.vault(name) is not None:
            raise ArmError(
                409,
                "VaultAlreadyExists",
                f"The name '{name}' is already in use.",
                because=f"there is a vault {name}",
            )
        if name.lower() in self._world.deleted_vaults:
            raise ArmError(
                409,
                "ConflictError",
                "A vault with the same name already exists in deleted state. You need to either recover or purge "
                "existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more "
                "information on soft delete.",
                because=f"the vault {name} is deleted, and can be recovered",
            )
        made = make(group, name, asked, self._world.now(), given)
        made.tags = tags(said)
        group.resources[made.id.lower()] = made
        # The name isn't known everywhere at once; clients look again until it is.
        return Response.of(_shown(made, "RegisteringDns"))

    def _recover(self, group: ResourceGroup, name: str) -> Response:
        found = self._world.deleted_vaults.get(name.lower())
        if found is None or found.group.id.lower() != group.id.lower():
            raise ArmError(404, "NotFound", f"There is no deleted vault {name} to recover in {group.name}.")
        found.group, found.deleted = group, None
        del self._world.deleted_vaults[name.lower()]
        group.resources[found.id.lower()] = found
        return Response.of(_shown(found))

    def _patch(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        found, said = self._places.resource(Vault, names), request.json()
        _update(found, _given(said, found.group.subscription))
        if "tags" in said:
            found.tags = tags(said)
        return _shown(found)

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        return _shown(self._places.resource(Vault, names))

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        return self._places.delete(Vault, names)

    # Deleted vaults

    def _deleted(self, names: Mapping[str, str]) -> Vault:
        found = self._world.deleted_vaults.get(names["name"].lower())
        if found is None or found.group.subscription.id != names["subscription"].lower():
            raise ArmError(
                404, "DeletedVaultNotFound", f"The specified deleted vault '{names['name']}' does not exist."
            )
        return found

    def _get_deleted(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        found = self._deleted(names)
        place = f"providers/Microsoft.KeyVault/locations/{found.location}"
        return {
            "id": f"{found.group.subscription.scope}/{place}/deletedVaults/{found.name}",
            "name": found.name,
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": {
                "vaultId": found.id,
                "location": found.location,
                "tags": found.tags,
                "deletionDate": utc(found.deleted) if found.deleted else None,
                "purgeProtectionEnabled": bool(found.properties.get("enablePurgeProtection")),
            },
        }

    def _purge(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        found = self._deleted(names)
        if found.properties.get("enablePurgeProtection"):
            raise ArmError(
                400,
                "MethodNotAllowed",
                f'Operation "DeletedVaultPurge" is not allowed because purge protection is enabled for this vault '
                f"'{found.name}'.",
            )
        del self._world.deleted_vaults[found.name.lower()]
        return Response(200)

    # Keys

    def _list_keys(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        return {"value": [show(one) for one in self._places.resource(Vault, names).keys.values()]}

    def _put_key(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        """Creates the first version of a key; where there is one, it stays as it is."""
        del who
        vault, name = self._places.resource(Vault, names), names["key"]
        if not _KEY_NAME.fullmatch(name):
            raise ArmError(400, "BadParameter", f"The key name '{name}' is not valid.")
        if name.lower() not in vault.keys:
            vault.keys[name.lower()] = change(vault, name, request.json(), self._world.now())
        return show(vault.keys[name.lower()])

    def _get_key(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        vault = self._places.resource(Vault, names)
        found = vault.keys.get(names["key"].lower())
        version = names.get("version", "")
        if found is None or (version and version not in found.versions):
            raise ArmError(
                404,
                "KeyNotFound",
                f"A key with (name/id) {names['key']} was not found in this key vault.",
            )
        return show(found, version)


def make(group: ResourceGroup, name: str, place: str, now: datetime, given: Mapping[str, Any]) -> Vault:
    """A vault that isn't in its group yet."""
    found: dict[str, Any] = {
        "accessPolicies": [],
        "enableRbacAuthorization": False,
        "enableSoftDelete": True,
        "enabledForDeployment": False,
        "networkAcls": _RULES,
        "publicNetworkAccess": "Enabled",
        "softDeleteRetentionInDays": 90,
        "vaultUri": f"https://{name.lower()}.vault.azure.net/",
        **{key: value for key, value in given.items() if key != "createMode"},
    }
    return Vault(group, name, place, now, properties=copy.deepcopy(found))


def _given(said: Mapping[str, Any], subscription: Subscription) -> dict[str, Any]:
    given = properties(said)
    unknown = sorted(set(given) - set(_SETTINGS))
    if unknown:
        raise Undecided(f"a key vault with {', '.join(unknown)}")
    if given.get("tenantId", subscription.tenant.id).lower() != subscription.tenant.id:
        raise ArmError(
            400,
            "BadRequest",
            f"An invalid value was provided for 'tenantId': {given['tenantId']}.",
            because=f"the vault's tenant isn't the subscription's, {subscription.tenant.id}",
        )
    if given.get("softDeleteRetentionInDays", 90) not in RETENTION:
        raise ArmError(
            400,
            "BadRequest",
            "The property 'softDeleteRetentionInDays' must be between 7 and 90 days, inclusive.",
        )
    if given.get("enablePurgeProtection") is False:
        raise ArmError(
            400,
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is '
            "an irreversible action.",
        )
    if given.get("enableSoftDelete") is False:
        raise ArmError(
            400, "FeatureNotSupported", "The property 'enableSoftDelete' can no longer be set to false."
        )
    return {name: value for name, value in given.items() if name not in ("provisioningState", "vaultUri")}


def _update(vault: Vault, given: dict[str, Any]) -> None:
    days = given.get("softDeleteRetentionInDays", vault.properties["softDeleteRetentionInDays"])
    if days != vault.properties["softDeleteRetentionInDays"]:
        raise ArmError(
            400,
            "BadRequest",
            'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.',
        )
    vault.properties |= copy.deepcopy({name: value for name, value in given.items() if name != "createMode"})


def _invalid(name: str) -> str:
    return (
        f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name "
        "must begin with a letter, end with a letter or digit, and not contain consecutive hyphens."
    )


def _shown(vault: Vault, state: str = "Succeeded") -> dict[str, Any]:
    moment = utc(vault.created)
    return {
        "id": vault.id,
        "name": vault.name,
        "type": vault.type,
        "location": vault.location,
        "tags": vault.tags,
        "systemData": {"createdAt": moment, "lastModifiedAt": moment},
        "properties": copy.deepcopy(vault.properties) | {"provisioningState": state},
    }
