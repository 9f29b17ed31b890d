"""Who asks for a blob, and whether that is allowed: transport, network, credential, and then roles.

Sources: https://learn.microsoft.com/azure/storage/common/storage-require-secure-transport,
https://learn.microsoft.com/azure/storage/common/storage-network-security,
https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory (the bearer challenge too),
https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent,
https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-prevent.

Leaves out, as undecided, Shared Key Lite and rules for addresses and networks: where a caller is can't be known.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import encryption
from recording_storage.sandbox.azure.blob_errors import StorageError
from recording_storage.sandbox.azure.blob_operations import ADD, Asked
from recording_storage.sandbox.azure.blob_signature import signature, string_to_sign
from recording_storage.sandbox.azure.principals import ANONYMOUS, Principal
from recording_storage.sandbox.azure.tokens import BLOB_SUFFIX, STORAGE, NotBelieved
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.blob_sas import Delegation, Sas
    from recording_storage.sandbox.azure.tokens import Tokens
    from recording_storage.sandbox.azure.world import StorageAccount, World

BEARER_SINCE, CHALLENGE_SINCE = "2017-11-09", "2019-12-12"
"""The versions of the protocol with which a token is believed, and with which one is asked for."""
SKEW = timedelta(minutes=15)
_DETAILS: Mapping[str, str] = {
    "missing": "Signature validation failed. Signature verification failed.",
    "malformed": "Signature validation failed. Signature verification failed.",
    "signature": "Signature validation failed. Signature verification failed.",
    "expired": "Lifetime validation failed. The token is expired.",
    "audience": "Audience validation failed. Audience did not match.",
}
"""What is said of a token that isn't believed."""
_PUBLIC = {"None": 0, "Blob": 1, "Container": 2}


@dataclass(frozen=True)
class Caller:
    """Who asks: a service principal, by a token or by a signature that it delegates; the account's key; or anybody."""

    name: str
    principal: Principal = ANONYMOUS
    has_key: bool = False
    sas: Sas | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing is known of who asks."""
        return not self.has_key and not self.principal.object_id


ANYBODY = Caller("anonymous")


class BlobAccess:
    """Decides, and writes into the journal how it decided."""

    def __init__(self, world: World, access: Access, tokens: Tokens, delegation: Delegation) -> None:
        self._world = world
        self._access = access
        self._tokens = tokens
        self._delegation = delegation

    def admit(self, asked: Asked) -> Caller:
        """Find out who asks; raises `StorageError` where that isn't believed, or nobody may from there."""
        said: dict[str, Any] = asked.account.properties
        if asked.request.scheme != "https" and said.get("supportsHttpsTrafficOnly", True):
            raise StorageError("AccountRequiresHttps", "the storage account requires secure transfer (HTTPS)")
        _check_network(asked.account)
        scheme = asked.request.headers.get("authorization", "").partition(" ")[0].lower()
        if not scheme and "sig" in asked.request.query:
            return self._by_sas(asked)
        if not scheme:
            return ANYBODY
        if scheme == "sharedkey":
            return self._by_key(asked)
        if scheme == "bearer":
            return self._by_token(asked)
        if scheme == "sharedkeylite":
            raise Undecided("a request that is signed with Shared Key Lite")
        raise StorageError("AuthenticationFailed", detail=f"Authentication scheme {scheme} is not supported")

    def require(self, caller: Caller, asked: Asked, exists: Callable[[], bool]) -> None:
        """Raise `StorageError` unless the caller may; `exists` says whether the blob is there."""
        if caller.sas:
            caller.sas.check(asked)
            caller.sas.check_overwrite(exists, asked)
        if caller.principal.object_id:
            self._require_role(caller.principal, asked, exists)
        elif caller.has_key:
            self._write(Outcome.ALLOWED, caller, asked, "who holds the account's key may do everything in it")
        else:
            self._require_public(asked)
        why = encryption.why_unusable(self._world, self._access, asked.account) if asked.uses_key else ""
        if why:
            raise StorageError("KeyVaultEncryptionKeyNotFound", why)

    # Who asks

    def _by_token(self, asked: Asked) -> Caller:
        account, headers = asked.account, asked.request.headers
        if asked.request.scheme != "https":
            raise StorageError(
                "AuthenticationFailed", detail="Authentication scheme Bearer is not allowed with HTTP."
            )
        if asked.version < BEARER_SINCE:
            raise StorageError(
                "AuthenticationFailed",
                f"x-ms-version is {asked.version or 'missing'}, and a token is believed from {BEARER_SINCE} on",
                detail="Authentication scheme Bearer is not supported in this version.",
            )
        try:
            own = f"https://{account.name}{BLOB_SUFFIX}"
            who = self._tokens.authenticate(headers["authorization"], (*STORAGE, own))
        except NotBelieved as error:
            raise _challenged(
                "InvalidAuthenticationInfo", asked, error.because, _DETAILS[error.kind]
            ) from None
        if who.tenant != account.group.subscription.tenant.id:
            because = f"the token is of the tenant {who.tenant}, and not of the account's"
            detail = "Issuer validation failed. Issuer did not match."
            raise _challenged("InvalidAuthenticationInfo", asked, because, detail)
        return Caller(str(who), who)

    def _by_key(self, asked: Asked) -> Caller:
        account, request = asked.account, asked.request
        _check_key_permitted(account)
        name, _, sent = request.headers["authorization"].partition(" ")[2].strip().partition(":")
        self._check_date(request.headers)
        if asked.version < "2015-02-21":
            raise Undecided(f"a signature of the version {asked.version or 'that is the default'}")
        said = string_to_sign(
            request.method, f"/{account.name}{request.path}", request.query_all, request.headers
        )
        for title, key in account.keys.items():
            if name == account.name and hmac.compare_digest(signature(key, said).encode(), sent.encode()):
                return Caller(f"{title} of {account.name}", has_key=True)
        quoted = said.replace("\n", "\\n")
        raise StorageError(
            "AuthenticationFailed",
            f"the request isn't signed with a key of {account.name}",
            detail=f"The MAC signature found in the HTTP request '{sent}' is not the same as any computed signature. "
            f"Server used following string to sign: '{quoted}'.",
        )

    def _by_sas(self, asked: Asked) -> Caller:
        said = self._delegation.read(asked)
        if asked.account.properties.get("sasPolicy"):
            raise Undecided(f"a shared access signature, for which {asked.account.name} has a policy")
        if said.is_delegated:
            key, who = self._delegation.key(said), said.delegator
            said.check_signature({"the delegated key": key}, asked)
            return Caller(f"shared access signature of {who}", who, sas=said)
        _check_key_permitted(asked.account)
        title = said.check_signature(asked.account.keys, asked)
        return Caller(f"shared access signature with {title} of {asked.account.name}", has_key=True, sas=said)

    def _check_date(self, headers: Mapping[str, str]) -> None:
        said = headers.get("x-ms-date") or headers.get("date", "")
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            raise StorageError("AuthenticationFailed", f"x-ms-date is {said!r}") from None
        if abs(self._world.now() - moment) > SKEW:
            raise StorageError("AuthenticationFailed", detail=f"Request date header too old: '{said}'")

    # What they may

    def _require_role(self, who: Principal, asked: Asked, exists: Callable[[], bool]) -> None:
        action, scope, data = asked.action, asked.scope, asked.operation.is_data
        if not action:
            raise Undecided(f"{asked.operation.name} with a token")
        adds = asked.operation.adds and not self._access.allowed(who, action, scope, data)
        if adds and self._access.allowed(who, ADD, scope, data) and not exists():
            action = ADD
        is_allowed, reason = self._access.judge(who, action, scope, data)
        self._access.write(Outcome.ALLOWED if is_allowed else Outcome.REFUSED, who, action, scope, reason)
        if not is_allowed:
            raise StorageError("AuthorizationPermissionMismatch", reason, is_written=True)

    def _require_public(self, asked: Asked) -> None:
        account = asked.account
        if not account.properties.get("allowBlobPublicAccess", False):
            raise StorageError("PublicAccessNotPermitted", "the account doesn't allow anonymous access")
        container = account.containers.get(asked.container)
        level = container.public_access if container else "None"
        if asked.operation.public and _PUBLIC[level] >= _PUBLIC[asked.operation.public]:
            if "versionid" in asked.request.query:
                raise Undecided("an anonymous request for a version")
            self._write(Outcome.ALLOWED, ANYBODY, asked, f"the public access of {asked.container} is {level}")
            return
        because = (
            f"the public access of {asked.container or 'the account'} is {level}, which isn't enough for "
            f"{asked.operation.name}"
        )
        if asked.version < CHALLENGE_SINCE:
            raise StorageError("ResourceNotFound", because)
        raise _challenged("NoAuthenticationInformation", asked, because)

    def _write(self, outcome: Outcome, caller: Caller, asked: Asked, reason: str) -> None:
        self._access.write(outcome, caller.name, asked.operation.name, asked.resource, reason)


def _check_network(account: StorageAccount) -> None:
    """Raise where the account isn't to be reached from public networks."""
    said: dict[str, Any] = account.properties
    access = said.get("publicNetworkAccess") or "Enabled"
    if access == "Disabled":
        raise StorageError("AuthorizationFailure", "the account's public network access is disabled")
    if access != "Enabled":
        raise Undecided(f"a request to {account.name}, whose publicNetworkAccess is {access}")
    rules: dict[str, Any] = said.get("networkAcls") or {}
    if rules.get("defaultAction", "Allow") == "Allow":
        return
    kinds = ("ipRules", "ipv6Rules", "virtualNetworkRules", "resourceAccessRules")
    if any(rules.get(kind) for kind in kinds):
        raise Undecided(f"whether the caller is among those whom the firewall of {account.name} lets in")
    raise StorageError(
        "AuthorizationFailure", "the account's firewall denies everybody (networkAcls.defaultAction)"
    )


def _check_key_permitted(account: StorageAccount) -> None:
    if account.properties.get("allowSharedKeyAccess") is False:
        raise StorageError(
            "KeyBasedAuthenticationNotPermitted", "the account doesn't allow access with its keys"
        )


def _challenged(code: str, asked: Asked, because: str, detail: str = "") -> StorageError:
    """401, and where a token is to be had."""
    tenant = asked.account.group.subscription.tenant.id
    challenge = (
        f"Bearer authorization_uri=https://login.microsoftonline.com/{tenant}/oauth2/authorize "
        "resource_id=https://storage.azure.com"
    )
    return StorageError(code, because, detail=detail, headers=[("WWW-Authenticate", challenge)])
