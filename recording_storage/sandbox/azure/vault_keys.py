"""The keys of a vault, as Resource Manager and as the vault itself shows them.

Sources: https://learn.microsoft.com/rest/api/keyvault/keys/get-key, …/create-key,
https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses (the challenge).
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from recording_storage.sandbox.azure import tokens as known
from recording_storage.sandbox.azure.errors import ArmError, AzureError
from recording_storage.sandbox.azure.places import properties
from recording_storage.sandbox.azure.tokens import NotBelieved, Tokens
from recording_storage.sandbox.azure.world import VAULT, Key
from recording_storage.sandbox.rest import MalformedBody, NoSuchPath, Request, Response, Routes, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import Vault, World

HOST = ".vault.azure.net"
SIZES = (2048, 3072, 4096)
OPERATIONS = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey")


class VaultKeys:
    """The service at VAULT.vault.azure.net, of which there are only the keys' public parts."""

    def __init__(self, world: World, access: Access, tokens: Tokens) -> None:
        self._world = world
        self._access = access
        self._tokens = tokens
        self._routes = Routes["Principal"](
            ("GET", "/keys", self._list),
            ("GET", "/keys/{key}", self._get),
            ("GET", "/keys/{key}/versions", self._versions),
            ("GET", "/keys/{key}/rotationpolicy", self._rotation),
            ("GET", "/keys/{key}/{version}", self._get),
            ("POST", "/keys/{key}/create", self._create),
            ("PATCH", "/keys/{key}", self._update),
            ("PATCH", "/keys/{key}/{version}", self._update),
        )

    def answer(self, request: Request) -> Response:
        """Answer one request; raises `AzureError` for whom the vault wouldn't believe."""
        vault = self._vault(request)
        who = self._who(request, vault)
        if not vault.properties.get("enableRbacAuthorization"):
            raise Undecided(f"who may use the keys of {vault.name}: the vault has access policies")
        try:
            # Clients that want no version in particular end with a slash.
            return self._routes.answer(replace(request, path=request.path.rstrip("/")), who)
        except NoSuchPath:
            raise Undecided(f"{request.method} https://{request.host}{request.path}") from None
        except MalformedBody as malformed:
            raise AzureError(400, "BadParameter", f"The request body is malformed: {malformed}") from None

    def _vault(self, request: Request) -> Vault:
        name = request.host.removesuffix(HOST)
        found = self._world.vault(name)
        if found is None:
            raise Undecided(f"a request to {request.host}, where there is no vault: the name isn't known")
        return found

    def _who(self, request: Request, vault: Vault) -> Principal:
        tenant = vault.group.subscription.tenant.id
        challenge = (
            f'Bearer authorization="https://{known.LOGIN}/{tenant}", resource="https://vault.azure.net"'
        )
        try:
            who = self._tokens.authenticate(request.headers.get("authorization", ""), known.VAULT)
        except NotBelieved as reason:
            message = "AKV10000: Request is missing a Bearer or PoP token."
            if reason.kind != "missing":
                message = (
                    "AKV10022: Invalid audience." if reason.kind == "audience" else "AKV10001: Invalid token."
                )
            raise AzureError(
                401,
                "Unauthorized",
                message,
                because=reason.because,
                headers=[("WWW-Authenticate", challenge)],
            ) from None
        if who.tenant != tenant:
            raise AzureError(
                401,
                "Unauthorized",
                "AKV10032: Invalid issuer.",
                because=f"{who} is of the tenant {who.tenant}, and the vault's is {tenant}",
                headers=[("WWW-Authenticate", challenge)],
            )
        return who

    def _require(self, who: Principal, verb: str, scope: str) -> None:
        try:
            self._access.require(who, f"{VAULT}/keys/{verb}", scope, data=True)
        except ArmError as error:
            raise AzureError(
                403,
                "Forbidden",
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or "
                "role definitions were changed recently, please observe propagation time.",
                because=error.because,
                is_written=True,
            ) from None

    def _key(self, request: Request, who: Principal, names: Mapping[str, str], verb: str = "read") -> Key:
        vault = self._vault(request)
        self._require(who, verb, f"{vault.id}/keys/{names['key']}")
        found = vault.keys.get(names["key"].lower())
        version = names.get("version", "")
        if found is None or (version and version not in found.versions):
            raise AzureError(
                404, "KeyNotFound", f"A key with (name/id) {names['key']} was not found in this key vault."
            )
        return found

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del names
        vault = self._vault(request)
        self._require(who, "read", vault.id)
        found = [{"kid": one.uri, "attributes": _attributes(one)} for one in vault.keys.values()]
        return {"value": found, "nextLink": None}

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        return _bundle(self._key(request, who, names), names.get("version", ""))

    def _versions(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        found = self._key(request, who, names)
        value = [{"kid": f"{found.uri}/{one}", "attributes": _attributes(found)} for one in found.versions]
        return {"value": value, "nextLink": None}

    def _rotation(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        found = self._key(request, who, names)
        return {"id": f"{found.uri}/rotationpolicy", "lifetimeActions": [], "attributes": {}}

    def _create(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        vault, name = self._vault(request), names["key"]
        self._require(who, "create/action", f"{vault.id}/keys/{name}")
        said = request.json()
        wanted = {
            "properties": {
                "kty": said.get("kty"),
                "keySize": said.get("key_size"),
                "keyOps": said.get("key_ops"),
                "attributes": said.get("attributes"),
            },
            "tags": said.get("tags"),
        }
        vault.keys[name.lower()] = change(vault, name, wanted, self._world.now())
        return _bundle(vault.keys[name.lower()])

    def _update(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        found, said = self._key(request, who, names, "update/action"), request.json()
        found.properties["attributes"] |= said.get("attributes") or {}
        found.properties["keyOps"] = said.get("key_ops") or found.properties["keyOps"]
        found.tags = said.get("tags", found.tags)
        return _bundle(found, names.get("version", ""))


def change(vault: Vault, name: str, said: Mapping[str, Any], now: datetime) -> Key:
    """A key of which this was said, or a new version of the one that has the name."""
    given = properties(said)
    unknown = sorted(set(given) - {"kty", "keySize", "keyOps", "attributes"})
    if unknown or given.get("kty") != "RSA":
        raise Undecided(f"a key with {', '.join(unknown) or 'the type ' + str(given.get('kty'))}")
    size = given.get("keySize", SIZES[0])
    if size not in SIZES:
        raise ArmError(400, "BadParameter", f"The key size {size} is not valid. Valid sizes are {SIZES}.")
    found = vault.keys.get(name.lower()) or Key(vault, name, now, versions=[])
    found.versions.append(secrets.token_hex(16))
    found.properties = {
        "kty": "RSA",
        "keySize": size,
        "keyOps": list(given.get("keyOps") or OPERATIONS),
        "attributes": {"enabled": True} | (given.get("attributes") or {}),
    }
    found.tags = dict(said.get("tags") or {})
    return found


def show(key: Key, version: str = "") -> dict[str, Any]:
    """A key as Resource Manager shows it."""
    made, which = int(key.created.timestamp()), version or key.versions[-1]
    times = {"created": made, "updated": made, "recoveryLevel": _attributes(key)["recoveryLevel"]}
    return {
        "id": f"{key.id}/versions/{version}" if version else key.id,
        "name": version or key.name,
        "type": f"{VAULT}/keys/versions" if version else f"{VAULT}/keys",
        "location": key.vault.location,
        "tags": key.tags,
        "properties": {
            **key.properties,
            "attributes": key.properties["attributes"] | times,
            "keyUri": key.uri,
            "keyUriWithVersion": f"{key.uri}/{which}",
        },
    }


def _attributes(key: Key) -> dict[str, Any]:
    made, protected = int(key.created.timestamp()), key.vault.properties.get("enablePurgeProtection")
    return {
        **key.properties["attributes"],
        "created": made,
        "updated": made,
        "recoveryLevel": "Recoverable" if protected else "Recoverable+Purgeable",
        "recoverableDays": key.vault.properties["softDeleteRetentionInDays"],
    }


def _bundle(key: Key, version: str = "") -> dict[str, Any]:
    """A key as its vault shows it."""
    which = version or key.versions[-1]
    public = {
        "kid": f"{key.uri}/{which}",
        "kty": "RSA",
        "key_ops": key.properties["keyOps"],
        **_public(key, which),
    }
    return {"key": public, "attributes": _attributes(key), "tags": key.tags}


def _public(key: Key, version: str) -> dict[str, str]:
    """The public part, which is made when somebody wants to see it."""
    if version not in key.public:
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
        from jwt.algorithms import RSAAlgorithm

        made = generate_private_key(65537, key.properties["keySize"])
        said = cast("dict[str, Any]", json.loads(RSAAlgorithm.to_jwk(made.public_key())))
        key.public[version] = {"n": said["n"], "e": said["e"]}
    return key.public[version]
