"""What is read of a destination on Azure Blob Storage, all of it at the same time.

What belongs to a subscription (its accounts, its role and deny assignments) is read once for all destinations in it.
What isn't there raises `NothingThere` with the check that says so: Z14 for the storage, Z10 for the client.

Sources: https://learn.microsoft.com/rest/api/storagerp, https://learn.microsoft.com/rest/api/authorization,
https://learn.microsoft.com/rest/api/managedidentity, https://learn.microsoft.com/graph/api/application-get,
https://learn.microsoft.com/graph/api/serviceprincipal-list-transitivememberof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from recording_storage.evaluation.azure import assignments, federation, roles
from recording_storage.verify import azure_blob_checks as permissions
from recording_storage.verify.checks import CouldNotTell, NothingThere, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from recording_storage.evaluation.azure.assignments import Assignment, Denial
    from recording_storage.evaluation.azure.federation import Credential
    from recording_storage.evaluation.azure.roles import Definition
    from recording_storage.verify.azure_blob_client import Client
    from recording_storage.verify.reads import Reads
    from recording_storage.verify.targets import Target

T = TypeVar("T")
_AUTHORIZATION = "/providers/Microsoft.Authorization"
_MANAGED = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
_VAULTS = "/providers/Microsoft.KeyVault/vaults"
MANAGED_IDENTITY = "ManagedIdentity"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Identity:
    """Who a client id is. `application` and `principal` as Graph has them; None: there is none, or it can't be read.

    `resource`: a managed identity's own id.
    """

    client_id: str
    name: str
    principal_id: str
    application: dict[str, Any] | None = None
    principal: dict[str, Any] | None = None
    resource: str = ""

    @property
    def needs_principal(self) -> str:
        """The service principal's object id; raises `NothingThere` where there is no such principal."""
        if not self.principal_id:
            raise NothingThere(f"the service principal of {self.name}", "Z10")
        return self.principal_id


class Reading:
    """The reads of one destination, under way; each of its futures raises `CouldNotTell` where it has to."""

    def __init__(self, reads: Reads, client: Client, target: Target) -> None:
        self._reads, self._client = reads, client
        self.target = target
        self.known = target.known
        storage = target.recording_storage
        self.tenant, self.client_id = storage["tenant_id"].lower(), storage["client_id"].lower()
        self.account_name, self.container_name = storage["storage_account"], storage["container"]
        begin = reads.begin
        application, principal = (
            f"/{kind}(appId='{self.client_id}')" for kind in ("applications", "servicePrincipals")
        )
        self._application = self._of_client(self._directory, application)
        self._principal = self._of_client(self._directory, principal)
        self._application_credentials = self._of_client(
            self._directory_list, f"{application}/federatedIdentityCredentials"
        )
        self._groups = self._of_client(self._directory_list, f"{principal}/transitiveMemberOf")
        self.subscriptions = reads.once(("azure subscriptions", self.tenant), self._read_subscriptions)
        self.account = begin(self._find_account)
        self.identity: Future[Identity] = begin(self._find_identity)
        self.credentials: Future[list[Credential]] = begin(self._read_credentials)
        self.issuer = reads.once(("azure issuer", self.known.azure_blob_trust.issuer), self._read_issuer)
        if self.known.subscription:  # what is wanted of it anyway needn't wait for the account
            self.assigned(self.known.subscription)
            self.denied(self.known.subscription)
        self.assignments = begin(lambda: self.assigned(self.subscription).result())
        self.denials = begin(lambda: self.denied(self.subscription).result())
        self.effective = begin(self._read_effective)
        self.service = begin(self._below, permissions.SERVICES, "/blobServices/default")
        self.policy = begin(self._below, permissions.POLICIES, "/managementPolicies/default")
        self.container = begin(
            self._below, permissions.CONTAINERS, f"/blobServices/default/containers/{self.container_name}"
        )

    @property
    def container_id(self) -> str:
        """The container as a scope."""
        return f"{self.account.result()['id']}/blobServices/default/containers/{self.container_name}"

    @property
    def subscription(self) -> str:
        """The id of the subscription that the account is in."""
        return str(self.account.result()["id"]).split("/")[2]

    @property
    def groups(self) -> frozenset[str] | None:
        """The groups that the service principal is in; None where they can't be read."""
        try:
            found = self._groups.result() or ()
        except CouldNotTell:
            return None
        return frozenset(str(one["id"]).lower() for one in found)

    # What destinations share

    def assigned(self, subscription: str) -> Future[list[Assignment]]:
        """The role assignments at a subscription, above and below it."""
        return self._reads.once(
            ("azure assignments", self.tenant, subscription.lower()), self._read_assigned, subscription
        )

    def denied(self, subscription: str) -> Future[list[Denial]]:
        """The deny assignments, likewise."""
        return self._reads.once(
            ("azure denials", self.tenant, subscription.lower()), self._read_denied, subscription
        )

    def role(self, of: Assignment) -> Definition | None:
        """An assignment's role, if there is one."""
        key = ("azure role", self.tenant, of.role_guid)
        return self._reads.once(key, self._read_role, of).result()

    def roles(self, of: list[Assignment]) -> None:
        """Begin to read the roles of several assignments."""
        for one in of:
            self._reads.once(("azure role", self.tenant, one.role_guid), self._read_role, one)

    def effective_of(self, principal: str, subscription: str) -> Future[list[Assignment]]:
        """Azure's own list of what is assigned to somebody in a subscription, through groups too."""
        key = ("azure effective", self.tenant, subscription.lower(), principal)
        return self._reads.once(key, self._read_assigned, subscription, f"assignedTo('{principal}')")

    def vault(self, name: str) -> dict[str, Any] | None:
        """The key vault with this name, if it is in a subscription that the caller sees."""
        key = ("azure vault", self.tenant, name.lower())
        return self._reads.once(key, self._find_vault, name).result()

    def key(self, vault: str, name: str) -> dict[str, Any] | None:
        """A key of a vault's, as Resource Manager has it."""
        path = f"{vault}/keys/{name}"
        return self._reads.once(
            ("azure key", path.lower()), self._client.get, self.tenant, permissions.KEYS, path
        ).result()

    def deleted_containers(self) -> list[str]:
        """The names of those in the account that can be restored."""
        path = f"{self.account.result()['id']}/blobServices/default/containers"
        found = self._client.list(self.tenant, permissions.CONTAINERS, path, include="deleted")
        return [str(one["name"]) for one in found if (one.get("properties") or {}).get("deleted")]

    def name_is_taken(self) -> bool:
        """Whether some storage account in all of Azure has the name."""
        seen = [str(one["subscriptionId"]) for one in self.subscriptions.result()]
        given = self.known.subscription or (seen[0] if seen else "")
        return self._client.is_taken(self.tenant, permissions.NAMES, given, self.account_name)

    def directory_object(self, kind: str, object_id: str) -> dict[str, Any] | None:
        """An object of Graph's by its object id, not the client's own."""
        return self._directory(f"/{kind}/{object_id}")

    # The reads themselves

    def _of_client(self, read: Callable[[str], T], path: str) -> Future[T]:
        """A read of the directory, which destinations with one client share."""
        return self._reads.once(("azure directory", self.tenant, path), read, path)

    def _directory(self, path: str) -> dict[str, Any] | None:
        return self._client.directory(self.tenant, permissions.GRAPH, path)

    def _directory_list(self, path: str) -> list[dict[str, Any]] | None:
        return self._client.directory_list(self.tenant, permissions.GRAPH, path)

    def _read_subscriptions(self) -> list[dict[str, Any]]:
        """Those that the caller sees: listing them takes no permission, and shows only where there is one."""
        return self._client.list(self.tenant, permissions.ACCOUNTS, "/subscriptions")

    def _accounts(self, subscription: str) -> Future[list[dict[str, Any]]]:
        path = f"/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts"
        key = ("azure accounts", self.tenant, subscription.lower())
        return self._reads.once(key, self._client.list, self.tenant, permissions.ACCOUNTS, path)

    def _find_account(self) -> dict[str, Any]:
        given = self.known.subscription
        listed = [given] if given else [str(one["subscriptionId"]) for one in self.subscriptions.result()]
        unreadable: list[Unreadable] = []
        for reading in [self._accounts(one) for one in listed]:
            try:
                found = reading.result()
            except Unreadable as refused:
                unreadable.append(refused)
                continue
            for one in found:
                if str(one["name"]).lower() == self.account_name.lower():
                    return one
        if unreadable:
            raise unreadable[0]
        if not listed:
            said = f"the caller sees no subscription of the tenant {self.tenant}"
            raise Unreadable(permissions.ACCOUNTS, said)
        raise NothingThere(f"the storage account {self.account_name}", "Z14")

    def _below(self, permission: str, path: str) -> dict[str, Any] | None:
        return self._client.get(self.tenant, permission, f"{self.account.result()['id']}{path}")

    def _find_identity(self) -> Identity:
        if not _GUID.fullmatch(self.client_id):
            raise NothingThere(f"the client {self.client_id}", "Z10")
        try:
            principal, application = self._principal.result(), self._application.result()
        except Unreadable as refused:
            return self._managed(refused)
        said = principal or application
        if said is None:
            raise NothingThere(f"the client {self.client_id}", "Z10")
        named = [str(one) for one in (principal or {}).get("alternativeNames") or ()]
        own = [one for one in named if "/userassignedidentities/" in one.lower()]
        is_managed = (principal or {}).get("servicePrincipalType") == MANAGED_IDENTITY
        return Identity(
            self.client_id,
            str(said.get("displayName") or self.client_id),
            str((principal or {}).get("id") or "").lower(),
            application,
            principal,
            own[0] if is_managed and own else "",
        )

    def _managed(self, refused: Unreadable) -> Identity:
        """The client as a managed identity of the account's subscription, where the directory can't be read."""
        path = f"/subscriptions/{self.subscription}{_MANAGED}"
        key = ("azure identities", self.tenant, self.subscription.lower())
        try:
            listed = self._reads.once(key, self._client.list, self.tenant, permissions.IDENTITIES, path)
            found = listed.result()
        except Unreadable as also:
            both = f"{refused.permission} (for a managed identity: {also.permission})"
            raise Unreadable(both, f"{refused.why} · {also.why}") from None
        for one in found:
            said: dict[str, Any] = one["properties"]
            if str(said.get("clientId", "")).lower() == self.client_id:
                return Identity(
                    self.client_id,
                    str(one["name"]),
                    str(said["principalId"]).lower(),
                    resource=str(one["id"]),
                )
        raise refused

    def _read_credentials(self) -> list[Credential]:
        identity = self.identity.result()
        if identity.resource:
            path = f"{identity.resource}/federatedIdentityCredentials"
            found = self._client.list(self.tenant, permissions.CREDENTIALS, path)
        elif identity.application is None:
            owner = (identity.principal or {}).get("appOwnerOrganizationId")
            raise CouldNotTell(
                f"{identity.name} is registered in another tenant ({owner}), which can't be read from this one",
                "hand over an application of your own tenant",
            )
        else:
            found = self._application_credentials.result() or []
        return [federation.read(one) for one in found]

    def _read_assigned(self, subscription: str, filtered: str = "") -> list[Assignment]:
        path = f"/subscriptions/{subscription}{_AUTHORIZATION}/roleAssignments"
        query = {"filter": filtered} if filtered else {}
        found = self._client.list(self.tenant, permissions.ASSIGNMENTS, path, **query)
        return [assignments.read(one) for one in found]

    def _read_effective(self) -> list[Assignment]:
        principal = self.identity.result().needs_principal
        return self.effective_of(principal, self.subscription).result()

    def _read_denied(self, subscription: str) -> list[Denial]:
        path = f"/subscriptions/{subscription}{_AUTHORIZATION}/denyAssignments"
        found = self._client.list(self.tenant, permissions.DENIALS, path)
        return [assignments.read_denial(one) for one in found]

    def _read_role(self, of: Assignment) -> Definition | None:
        said = self._client.get(self.tenant, permissions.DEFINITIONS, of.role)
        return roles.read(said) if said else None

    def _find_vault(self, name: str) -> dict[str, Any] | None:
        own = self.subscription
        others = [str(one["subscriptionId"]) for one in self.subscriptions.result()]
        unreadable: list[Unreadable] = []
        for reading in [self._vaults(one) for one in dict.fromkeys([own, *others])]:
            try:
                found = reading.result()
            except Unreadable as refused:
                unreadable.append(refused)
                continue
            for one in found:
                if str(one["name"]).lower() == name.lower():
                    return one
        if unreadable:
            raise unreadable[0]
        return None

    def _vaults(self, subscription: str) -> Future[list[dict[str, Any]]]:
        path, key = f"/subscriptions/{subscription}{_VAULTS}", ("azure vaults", subscription.lower())
        return self._reads.once(key, self._client.list, self.tenant, permissions.VAULTS, path)

    def _read_issuer(self) -> tuple[int, dict[str, Any] | None, dict[str, Any] | None]:
        """The status of the service's issuer's discovery document, it, and the keys at the address in it."""
        base = self.known.azure_blob_trust.issuer.rstrip("/")
        answer = self._client.fetch(f"{base}/.well-known/openid-configuration")
        document = _object(answer) if answer.ok else None
        place = str((document or {}).get("jwks_uri") or "")
        keys = self._client.fetch(place) if place.startswith("https://") else None
        return answer.status_code, document, _object(keys) if keys is not None and keys.ok else None


def _object(answer: Any) -> dict[str, Any] | None:
    try:
        said: object = answer.json()
    except ValueError:
        return None
    return said if isinstance(said, dict) else None  # pyright: ignore[reportUnknownVariableType]
