"""Who the client is: that it exists in the tenant of the storage, is enabled, and has no secrets of its own.

Sources: https://learn.microsoft.com/entra/identity-platform/app-objects-and-service-principals,
https://learn.microsoft.com/graph/api/resources/passwordcredential. Leaves out conditional access.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from recording_storage.verify.checks import CouldNotTell, Finding, NothingThere, failed, passed, warned, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.verify.azure_blob_reading import Identity, Reading


class Who:
    """What is said of the client itself."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def exists(self) -> Finding:
        """Z10: it exists in the account's tenant, and is enabled."""
        try:
            identity = self._reading.identity.result()
        except NothingThere as nothing:
            return failed(f"{nothing.what} isn't there{self._instead()}")
        kind = "managed identity" if identity.resource else "application"
        wrong = list(self._wrong(identity, kind))
        return worst(*wrong) if wrong else passed(f"the {kind} {identity.name} is there{_enabled(identity)}")

    def _wrong(self, identity: Identity, kind: str) -> Iterator[Finding]:
        client = identity.client_id
        if not identity.principal_id:
            yield failed(
                f"the {kind} {identity.name} has no service principal in the tenant",
                f"az ad sp create --id {client}",
            )
        if identity.principal and identity.principal.get("accountEnabled") is False:
            yield failed(
                f"the service principal of {identity.name} is disabled",
                f"az ad sp update --id {client} --set accountEnabled=true",
            )
        for said in (identity.principal, identity.application):
            if said and said.get("disabledByMicrosoftStatus") not in (None, "None", "NotDisabled"):
                yield failed(f"{identity.name} is disabled by Microsoft: {said['disabledByMicrosoftStatus']}")
        try:
            own = self._reading.subscription
        except CouldNotTell:
            return  # the account isn't there to be in a tenant: Z14
        tenants = [
            str(one.get("tenantId") or "").lower()
            for one in self._reading.subscriptions.result()
            if str(one["subscriptionId"]).lower() == own.lower()
        ]
        if tenants and self._reading.tenant not in tenants:
            yield failed(
                f"the storage account's subscription trusts the tenant {tenants[0]}, and the client is of "
                f"{self._reading.tenant}",
                "hand over a client of the tenant that the subscription trusts",
            )

    def _instead(self) -> str:
        """What the client id is in its place."""
        client, what = self._reading.client_id, ""
        for kind, of in (("applications", "an application"), ("servicePrincipals", "a service principal")):
            try:
                found = self._reading.directory_object(kind, client)
            except CouldNotTell:
                continue
            if found:
                what = (
                    f": that is the object id of {of}, {found.get('displayName')}, whose client id is "
                    f"{found.get('appId')}"
                )
        return what

    def without_secrets(self) -> Finding:
        """Z11: it has no secrets, and no certificates."""
        identity = self._reading.identity.result()
        if identity.resource:
            return passed(f"{identity.name} is a managed identity: it can't have any")
        found = [
            *_held(identity.application, f"the application {identity.name}"),
            *_held(identity.principal, f"the service principal of {identity.name}"),
        ]
        if identity.application is None and not found:
            raise CouldNotTell(
                f"{identity.name} is registered in another tenant, where it may have some",
                "hand over an application of your own tenant",
            )
        return worst(*found) if found else passed("neither the application nor its service principal has any")


def _enabled(identity: Identity) -> str:
    return " and enabled" if identity.principal else ""


def _held(of: dict[str, Any] | None, whose: str) -> Iterator[Finding]:
    """The secrets and certificates of an object; those that are over only warn."""
    for kind, what in (("passwordCredentials", "secret"), ("keyCredentials", "certificate")):
        for one in (of or {}).get(kind) or ():
            name = one.get("displayName") or one.get("keyId")
            over = _is_past(str(one.get("endDateTime") or ""))
            said = f"{whose} has a {what}, {name}{', which has expired' if over else ''}"
            yield warned(said) if over else failed(said)


def _is_past(moment: str) -> bool:
    try:
        ends = datetime.fromisoformat(moment[:19]).replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return ends <= datetime.now(timezone.utc)
