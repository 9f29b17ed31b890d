"""What may be said of a storage account, and what it is where nothing is said.

Source: https://learn.microsoft.com/rest/api/storagerp/storage-accounts/create. Leaves out hierarchical namespaces,
NFS, SFTP, edge zones, custom domains and account-level immutability.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import places
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = re.compile(r"[a-z0-9]{3,24}")
SKUS = (
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "Premium_LRS",
    "Premium_ZRS",
)
KINDS = ("StorageV2", "BlobStorage", "BlockBlobStorage", "FileStorage", "Storage")
_RULES: Mapping[str, Any] = {
    "ipv6Rules": [],
    "bypass": "AzureServices",
    "virtualNetworkRules": [],
    "ipRules": [],
    "defaultAction": "Allow",
}
DEFAULTS: Mapping[str, Any] = {
    "allowBlobPublicAccess": False,
    "allowCrossTenantReplication": False,
    "minimumTlsVersion": "TLS1_0",
    "supportsHttpsTrafficOnly": True,
    "networkAcls": _RULES,
    "encryption": {
        "services": {
            "file": {"keyType": "Account", "enabled": True},
            "blob": {"keyType": "Account", "enabled": True},
        },
        "keySource": "Microsoft.Storage",
    },
}
"""`allowSharedKeyAccess` isn't among them: not said, it isn't shown either, and means that it is allowed."""
_ONE_OF: Mapping[str, tuple[object, ...]] = {
    "accessTier": ("Hot", "Cool", "Cold", "Premium"),
    "allowBlobPublicAccess": (True, False),
    "allowCrossTenantReplication": (True, False),
    "allowSharedKeyAccess": (True, False),
    "allowedCopyScope": ("AAD", "PrivateLink"),
    "defaultToOAuthAuthentication": (True, False),
    "dnsEndpointType": ("Standard",),
    "largeFileSharesState": ("Disabled", "Enabled"),
    "minimumTlsVersion": ("TLS1_0", "TLS1_1", "TLS1_2"),
    "publicNetworkAccess": ("Enabled", "Disabled", "SecuredByPerimeter"),
    "supportsHttpsTrafficOnly": (True, False),
}
_OBJECTS = ("encryption", "keyPolicy", "networkAcls", "sasPolicy", "routingPreference")
_ONLY_OFF = (
    "enableExtendedGroups",
    "isHnsEnabled",
    "isLocalUserEnabled",
    "isNfsV3Enabled",
    "isSftpEnabled",
    "immutableStorageWithVersioning",
    "customDomain",
    "azureFilesIdentityBasedAuthentication",
)
"""What the stand-in can't do: off, it may be said."""


def check_name(name: str) -> None:
    """Raise `ArmError` for what can't be a storage account's name."""
    if not NAME.fullmatch(name):
        raise ArmError(400, "AccountNameInvalid", invalid_name(name))


def invalid_name(name: str) -> str:
    """Why a name isn't one."""
    return (
        f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in "
        "length and use numbers and lower-case letters only."
    )


def sku(said: Mapping[str, Any]) -> dict[str, str]:
    """The replication that a body asks for."""
    name = places.given(said, "sku").get("name")
    if name not in SKUS:
        raise _wrong("sku")
    return {"name": name, "tier": name.partition("_")[0]}


def kind(said: Mapping[str, Any]) -> str:
    """The kind of account that a body asks for."""
    if said.get("kind") not in KINDS:
        raise _wrong("kind")
    return said["kind"]


def properties(said: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that a body gives, checked; those that are null count as not given."""
    given = places.properties(said)
    for name, value in given.items():
        if name in _ONLY_OFF:
            if value not in (False, {}) and value != {"enabled": False}:
                raise Undecided(f"a storage account with {name}={value}")
        elif name in _ONE_OF:
            if value not in _ONE_OF[name] or isinstance(value, bool) is not isinstance(
                _ONE_OF[name][0], bool
            ):
                raise _wrong(name)
        elif name in _OBJECTS:
            if not isinstance(value, dict):
                raise _wrong(name)
        else:
            raise Undecided(f"a storage account with {name}")
    return {name: copy.deepcopy(value) for name, value in given.items() if name not in _ONLY_OFF}


def complete(given: Mapping[str, Any], account_kind: str) -> dict[str, Any]:
    """What an account is, of which this was said."""
    found = copy.deepcopy(dict(DEFAULTS)) | dict(given)
    found["networkAcls"] = copy.deepcopy(dict(_RULES)) | found["networkAcls"]
    found["encryption"] = copy.deepcopy(DEFAULTS["encryption"]) | found["encryption"]
    if account_kind in ("StorageV2", "BlobStorage"):
        found.setdefault("accessTier", "Hot")
    return found


def _wrong(name: str) -> ArmError:
    return ArmError(
        400, "InvalidValuesForRequestParameters", f"Values for request parameters are invalid: {name}."
    )
