"""Where the recordings go: that it is there, is reached, is private, and keeps what is deleted.

Sources: https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties,
https://learn.microsoft.com/rest/api/storagerp/blob-containers/get,
https://learn.microsoft.com/azure/storage/common/storage-network-security,
https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure.
Leaves out immutability policies and legal holds: they refuse changes to blobs, and none to new ones
(https://learn.microsoft.com/azure/storage/blobs/immutable-storage-overview).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from recording_storage.verify.checks import CouldNotTell, Finding, NothingThere, failed, passed, warned, worst
from recording_storage.verify.said import each, part, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.verify.azure_blob_reading import Reading

_NO_BLOBS: Final = ("FileStorage",)
_OLD_TLS: Final = ("TLS1_0", "TLS1_1")
_LISTED: Final = ("ipRules", "ipv6Rules", "resourceAccessRules")
"""Rules of a firewall that might let the service in."""
_AGES: Final = (
    "daysAfterModificationGreaterThan",
    "daysAfterCreationGreaterThan",
    "daysAfterLastAccessTimeGreaterThan",
)


class Storage:
    """What is said of a destination's account and container."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def exists(self) -> Finding:
        """Z14: account and container exist."""
        name, container = self._reading.account_name, self._reading.container_name
        try:
            account = self._reading.account.result()
        except NothingThere as nothing:
            if nothing.id != "Z14":
                raise
            return self._no_account(name)
        kind = text(account, "kind")
        if kind in _NO_BLOBS:
            return failed(f"{account['id']} is of the kind {kind}, which has no blobs")
        if self._reading.container.result() is not None:
            return passed(f"{account['id']} has the container {container}")
        at = f"--account-name {name} --name {container}"
        try:
            is_deleted = container in self._reading.deleted_containers()
        except CouldNotTell:
            is_deleted = False
        if is_deleted:
            said = f"the container {container} of {name} is deleted, and can be restored"
            return failed(
                said, f"az storage container restore {at} --deleted-version VERSION --auth-mode login"
            )
        said = f"{account['id']} has no container {container}"
        return failed(said, f"az storage container-rm create --storage-account {name} --name {container}")

    def _no_account(self, name: str) -> Finding:
        given = self._reading.known.subscription
        if given:
            said = f"the subscription {given} has no storage account {name}"
            return failed(said, "make the account, or name the subscription that it is in: --subscription")
        if self._reading.name_is_taken():
            raise CouldNotTell(
                f"there is a storage account {name}, in no subscription of the tenant {self._reading.tenant} that the "
                "caller sees",
                "let the caller read the subscription that it is in, and name that: --subscription",
            )
        return failed(
            f"nobody has a storage account {name}",
            "make the account, or hand over the name of the one there is",
        )

    def is_reached(self) -> Finding:
        """Z9: it is reached from public networks."""
        said = self._properties()
        name, access = self._reading.account_name, said.get("publicNetworkAccess") or "Enabled"
        if access != "Enabled":
            mend = f"az storage account update --name {name} --public-network-access Enabled"
            return failed(f"the public network access of {name} is {access}", mend)
        rules = part(said, "networkAcls")
        if rules.get("defaultAction", "Allow") == "Allow":
            return passed(f"{name} takes requests from all networks")
        mend = f"az storage account update --name {name} --default-action Allow"
        listed = [kind for kind in _LISTED if rules.get(kind)]
        if listed:
            raise CouldNotTell(
                f"the firewall of {name} denies all but those in {', '.join(listed)}, and the service's addresses "
                "aren't documented",
                mend,
            )
        return failed(
            f"the firewall of {name} denies everybody from public networks (networkAcls.defaultAction)", mend
        )

    def is_private(self) -> Finding:
        """Z15: nobody reads without being known; the account takes no shared keys and no plain HTTP."""
        said, name = self._properties(), self._reading.account_name
        container = self._reading.container.result()
        if container is None:
            raise NothingThere(f"the container {self._reading.container_name}", "Z14")
        access = text(part(container, "properties"), "publicAccess") or "None"
        found = list(_loose(said, name))
        if access != "None":
            named = f"--storage-account {name} --name {self._reading.container_name}"
            mend = f"az storage container-rm update {named} --public-access off"
            found.append(failed(f"anybody may read the container: its public access is {access}", mend))
        return worst(*found) if found else passed("no public access, no shared keys, HTTPS only, TLS 1.2")

    def is_kept(self) -> Finding:
        """Z17: what is deleted is kept for a while, and not for ever."""
        service, policy = self._reading.service.result(), self._reading.policy.result()
        said = part(service, "properties")
        versioned = said.get("isVersioningEnabled") is True
        soft = part(said, "deleteRetentionPolicy")
        days = soft.get("days") if soft.get("enabled") else None
        name = self._reading.account_name
        if not versioned and not days:
            return warned(
                f"{name} keeps no versions, and nothing that is deleted: what is overwritten is gone",
                f"az storage account blob-service-properties update --account-name {name} --enable-versioning true",
            )
        rules = list(_rules(policy))
        current = [one for one in rules if _deletes(one, "baseBlob")]
        if versioned and current and not any(_deletes(one, "version") for one in rules):
            names = ", ".join(str(one.get("name")) for one in current)
            return warned(f"{names} deletes recordings, and no rule their old versions: these stay for ever")
        kept = (
            f"versions are kept{'' if not days else f', deleted ones {days} days'}"
            if versioned
            else f"deleted ones are kept {days} days"
        )
        return passed(f"{kept}; {len(current) or 'no'} lifecycle rule(s) delete recordings")

    def _properties(self) -> dict[str, Any]:
        return part(self._reading.account.result(), "properties")


def _loose(said: dict[str, Any], name: str) -> Iterator[Finding]:
    update = f"az storage account update --name {name}"
    # Not said means allowed, for all but secure transfer, which is on where nothing is said.
    if said.get("allowBlobPublicAccess", True) is not False:
        mend = f"{update} --allow-blob-public-access false"
        yield warned("the account lets containers be made public (allowBlobPublicAccess)", mend)
    if said.get("allowSharedKeyAccess") is not False:
        mend = f"{update} --allow-shared-key-access false"
        yield warned("whoever has the account's keys may do everything in it (allowSharedKeyAccess)", mend)
    if said.get("supportsHttpsTrafficOnly", True) is False:
        yield warned("the account takes plain HTTP (supportsHttpsTrafficOnly)", f"{update} --https-only true")
    if said.get("minimumTlsVersion", "TLS1_0") in _OLD_TLS:
        yield warned(
            f"the account takes TLS before 1.2 (minimumTlsVersion {said.get('minimumTlsVersion', 'not set')})",
            f"{update} --min-tls-version TLS1_2",
        )


def _rules(policy: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The rules that are on."""
    found = each(part(policy, "properties", "policy"), "rules")
    return (one for one in found if one.get("enabled", True) is not False)


def _deletes(rule: dict[str, Any], what: str) -> bool:
    delete = part(rule, "definition", "actions", what, "delete")
    return any(delete.get(age) is not None for age in _AGES)
