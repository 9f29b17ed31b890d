"""Azure's rules for what a configuration and the handed-over object name: accounts, containers, ids, keys.

Pure, for settings, contract and policies alike. `…_breaches` is what Azure would refuse; `…_notes` is what Azure takes
but someone should know. Left out: anything that needs a credential or the network (whether a name is taken, a tenant
or an application exists).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from components.faults import Breach, did_you_mean

LOCATIONS_DATE: Final = "2026-11-20"
LOCATIONS: Final = (
    "australiacentral",
    "australiacentral2",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "belgiumcentral",
    "brazilsouth",
    "brazilsoutheast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "chilecentral",
    "denmarkeast",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "francesouth",
    "germanynorth",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiacentral",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "swedensouth",
    "switzerlandnorth",
    "switzerlandwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
    "westus2",
    "westus3",
)
"""Regions of the public cloud, as of `LOCATIONS_DATE`: https://learn.microsoft.com/azure/reliability/regions-list. The
list grows, so a location that isn't on it is noted, not refused."""

LARGEST_TAG_COUNT: Final = 40
"""Tags a stack may set: Azure allows 50 on a resource, and ten stay free for tagging policies."""

_LOCATION = re.compile(r"[a-z]{4,40}[0-9]?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_GROUP = re.compile(r"[\w().-]{0,89}[\w()-]")
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}")
_KEY = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.KeyVault/vaults/(?P<vault>[A-Za-z0-9-]{3,24})/keys/(?P<key>[A-Za-z0-9-]{1,127})",
    re.IGNORECASE,
)
_MEMBER = re.compile(r"(?P<kind>user|group|servicePrincipal):(?P<id>.*)")

PRINCIPAL_TYPES: Final = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal"}
"""What stands before a reader's object id → Azure's word for it:
https://learn.microsoft.com/rest/api/authorization/role-assignments/create#principaltype"""


def location_breaches(location: str) -> tuple[Breach, ...]:
    """Judge a location by its shape; whether it is known is for `location_notes`."""
    if _LOCATION.fullmatch(location):
        return ()
    plain = re.sub(r"[^a-z0-9]", "", location.lower())
    mend = f'did you mean "{plain}"?' if plain in LOCATIONS else "write its name without spaces"
    return (Breach("an Azure location, as in westeurope", mend),)


def location_notes(location: str) -> tuple[Breach, ...]:
    """Say whether the location is on the list of `LOCATIONS_DATE`."""
    if location in LOCATIONS:
        return ()
    mend = did_you_mean(location, LOCATIONS, "nothing, if the location is newer than that")
    return (Breach(f"one of the {len(LOCATIONS)} locations known on {LOCATIONS_DATE}", mend),)


def uuid_breaches(value: str) -> tuple[Breach, ...]:
    """Ask for a UUID, as Entra's ids are."""
    if _UUID.fullmatch(value):
        return ()
    return (Breach("a UUID, as in 00000000-0000-0000-0000-000000000000", "copy the ID, not the name"),)


def account_name_breaches(name: str) -> tuple[Breach, ...]:
    """Ask for 3 to 24 lower-case letters and digits.

    https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name
    """
    if _ACCOUNT.fullmatch(name):
        return ()
    return (
        Breach(
            f"a storage account's name: 3 to 24 lower-case letters and digits; it has {len(name)} characters",
            "write it without hyphens and capitals, as in acmecalls",
        ),
    )


def container_name_breaches(name: str) -> tuple[Breach, ...]:
    """List every rule for a container's name that this one breaks.

    https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
    """
    rules = (
        (3 <= len(name) <= 63, f"3 to 63 characters; it has {len(name)}", "lengthen or shorten it"),
        (
            _CONTAINER.fullmatch(name) is not None,
            "lower-case letters, digits and single hyphens, a letter or digit first and last",
            "write it as in calls or support-calls",
        ),
    )
    return tuple(Breach(expected, mend) for kept, expected, mend in rules if not kept)


def resource_group_breaches(name: str) -> tuple[Breach, ...]:
    """Ask for 1 to 90 characters that a resource group's name may have.

    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources
    """
    if _GROUP.fullmatch(name):
        return ()
    return (
        Breach(
            "a resource group's name: 1 to 90 letters, digits, underscores, hyphens, periods and parentheses, "
            "no period at the end",
            "write the name alone, not the ID",
        ),
    )


def display_name_breaches(name: str) -> tuple[Breach, ...]:
    """Ask for what an application may be called: https://learn.microsoft.com/graph/api/resources/application."""
    if 1 <= len(name) <= 256 and name == name.strip() and not re.search(r"[<>;&%]", name):
        return ()
    return (Breach("1 to 256 characters, without < > ; & %", "choose another name"),)


def identity_name_breaches(name: str) -> tuple[Breach, ...]:
    """Ask for a managed identity's name.

    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftmanagedidentity
    """
    if _IDENTITY.fullmatch(name):
        return ()
    return (
        Breach("3 to 128 letters, digits, hyphens and underscores, a letter or digit first", "write it so"),
    )


def reader_breaches(value: str) -> tuple[Breach, ...]:
    """Ask for one principal by its object id, with its kind: an assignment names it, so that replication can't fail it.

    https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---assigning-a-role-to-a-new-principal-sometimes-fails
    """
    match = _MEMBER.fullmatch(value)
    if match and _UUID.fullmatch(match["id"]):
        return ()
    return (
        Breach(
            "one principal by its object ID, as in group:00000000-0000-0000-0000-000000000000 "
            "(user:, group: or servicePrincipal:)",
            "copy the object ID from Entra; of an application, that of its enterprise application",
        ),
    )


def reader(value: str) -> tuple[str, str]:
    """A sound reader's principal type, in Azure's word, and its object id."""
    kind, _, object_id = value.partition(":")
    return PRINCIPAL_TYPES[kind], object_id


@dataclass(frozen=True)
class VaultKey:
    """The parts of a key's resource id."""

    subscription: str
    resource_group: str
    vault: str
    key: str

    @property
    def vault_uri(self) -> str:
        """Where the key is used."""
        return f"https://{self.vault.lower()}.vault.azure.net"


def vault_key(value: str) -> VaultKey | None:
    """Give the parts of a key's resource id; None where it isn't one."""
    match = _KEY.fullmatch(value)
    return VaultKey(match["subscription"], match["group"], match["vault"], match["key"]) if match else None


def vault_key_breaches(value: str) -> tuple[Breach, ...]:
    """Ask for the resource id of a key in Key Vault, without a version: the account then follows its rotation."""
    if _KEY.fullmatch(value):
        return ()
    mend = "copy the key's resource ID: `az keyvault key list --vault-name … ` has its vault, `az keyvault show` the ID"
    if value.startswith("https://"):
        mend = "write the resource ID, which also says where the role is assigned, not the key's URL"
    elif "/versions/" in value:
        mend = "remove /versions/… : the account takes the newest version itself"
    return (
        Breach(
            "a key's resource ID, as in "
            "/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/VAULT/keys/KEY",
            mend,
        ),
    )


def tag_breaches(key: str, value: str) -> tuple[Breach, ...]:
    """Ask for what Azure takes as a tag of any resource.

    https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
    """
    rules = (
        (1 <= len(key) <= 128, "a tag's key of at most 128 characters, as storage accounts have it"),
        (len(value) <= 256, "a tag's value of at most 256 characters"),
        (not re.search(r"[<>%&\\?/]", key), "a tag's key without < > % & \\ ? /"),
        (
            not key.lower().startswith(("microsoft", "azure", "windows")),
            "a tag's key that doesn't begin with microsoft, azure or windows, which Azure reserves",
        ),
    )
    return tuple(Breach(expected, "choose another") for kept, expected in rules if not kept)
