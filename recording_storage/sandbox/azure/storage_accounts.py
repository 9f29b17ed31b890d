"""Storage accounts, as Resource Manager's provider of storage has them.

Source: https://learn.microsoft.com/rest/api/storagerp/storage-accounts. The keys are listed whether or not they are
taken (https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent). Leaves out what is deleted:
it can be recovered, but not here.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import encryption, identity, storage_settings
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.operations import DURATION
from recording_storage.sandbox.azure.places import (
    GROUP,
    SUBSCRIPTION,
    Line,
    Places,
    check_location,
    location,
    tags,
)
from recording_storage.sandbox.azure.world import STORAGE, StorageAccount, new_account_key, utc
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.operations import Operations
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import ResourceGroup
    from recording_storage.sandbox.rest import Request

ACCOUNT = f"{GROUP}/providers/{STORAGE}/{{name}}"
_ENDPOINTS = ("blob", "dfs", "file", "queue", "table")


class StorageAccounts:
    """The accounts themselves."""

    def __init__(self, places: Places, operations: Operations) -> None:
        self._places = places
        self._world = places.world
        self._access = places.access
        self._operations = operations
        self.routes = places.routes(
            Line(
                "POST",
                SUBSCRIPTION,
                "/providers/Microsoft.Storage/checkNameAvailability",
                "Microsoft.Storage/checkNameAvailability/read",
                self._check_name,
            ),
            Line("GET", SUBSCRIPTION, f"/providers/{STORAGE}", f"{STORAGE}/read", self._list),
            Line("GET", GROUP, f"/providers/{STORAGE}", f"{STORAGE}/read", self._list),
            Line("PUT", ACCOUNT, "", f"{STORAGE}/write", self._put),
            Line("PATCH", ACCOUNT, "", f"{STORAGE}/write", self._patch),
            Line("GET", ACCOUNT, "", f"{STORAGE}/read", self._get),
            Line("DELETE", ACCOUNT, "", f"{STORAGE}/delete", self._delete),
            Line("POST", ACCOUNT, "/listKeys", f"{STORAGE}/listKeys/action", self._list_keys),
            Line("POST", ACCOUNT, "/regenerateKey", f"{STORAGE}/regenerateKey/action", self._regenerate_key),
        )

    def _check_name(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who, names
        name = str(request.json().get("name", ""))
        if not storage_settings.NAME.fullmatch(name):
            message = storage_settings.invalid_name(name)
            return {"nameAvailable": False, "reason": "AccountNameInvalid", "message": message}
        if self._world.storage_account(name):
            return {"nameAvailable": False, "reason": "AlreadyExists", "message": _taken(name)}
        return {"nameAvailable": True}

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        subscription = self._places.subscription(names["subscription"])
        groups = [self._places.group(names)] if "group" in names else list(subscription.groups.values())
        found = [
            one for group in groups for one in group.resources.values() if isinstance(one, StorageAccount)
        ]
        return {"value": [self._shown(one) for one in found]}

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        if request.query.get("$expand"):
            raise Undecided(f"a storage account with $expand={request.query['$expand']}")
        return self._shown(self._places.resource(StorageAccount, names))

    def _put(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        said, name = request.json(), names["name"]
        storage_settings.check_name(name)
        group, asked = self._places.group(names), location(said)
        sku, kind, given = (
            storage_settings.sku(said),
            storage_settings.kind(said),
            storage_settings.properties(said),
        )
        found = self._places.find(StorageAccount, names)
        if found is not None:
            check_location(found, asked)
            if found.kind != kind:
                raise Undecided(f"a storage account of the kind {found.kind} that becomes {kind}")
            self._change(found, who, said | {"sku": sku, "tags": said.get("tags") or {}}, given)
            return Response.of(self._shown(found))
        self._check_free(name, group)
        made = make(group, name, asked, self._world.now(), sku=sku, kind=kind, given=given)
        made.tags = tags(said)
        if said.get("identity"):
            made.identity = identity.assign(self._places, who, made, said["identity"])
        encryption.check(self._world, self._access, made)
        made.properties["provisioningState"] = "Creating"
        group.resources[made.id.lower()] = made

        def done() -> Response:
            return Response.of(self._shown(made))

        place = f"providers/Microsoft.Storage/locations/{asked}/asyncoperations"
        return self._operations.begin(group.subscription, done, request.query["api-version"], place)

    def _patch(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        found, said = self._places.resource(StorageAccount, names), request.json()
        given = storage_settings.properties(said)
        if "kind" in said and said["kind"] != found.kind:
            raise Undecided(f"a storage account of the kind {found.kind} that becomes {said['kind']}")
        self._change(found, who, said, given)
        return self._shown(found)

    def _change(
        self, account: StorageAccount, who: Principal, said: Mapping[str, Any], given: Mapping[str, Any]
    ) -> None:
        changed = copy.copy(account)
        changed.properties = copy.deepcopy(account.properties)
        for name, value in given.items():
            before = changed.properties.get(name)
            changed.properties[name] = {**before, **value} if isinstance(before, dict) else value
        if (said.get("identity") or {}).get("type"):
            changed.identity = identity.assign(self._places, who, account, said["identity"])
        encryption.check(self._world, self._access, changed)
        account.properties, account.identity = changed.properties, changed.identity
        if said.get("sku"):
            account.sku = storage_settings.sku(said)
        if "tags" in said:
            account.tags = tags(said)

    def _check_free(self, name: str, group: ResourceGroup) -> None:
        taken = self._world.storage_account(name)
        if taken is None:
            return
        if taken.group.subscription is group.subscription:
            raise ArmError(
                409,
                "StorageAccountInAnotherResourceGroup",
                f"The account {name} is already in another resource group in this subscription.",
                because=f"the storage account {name} is in the resource group {taken.group.name}",
            )
        raise ArmError(
            409,
            "StorageAccountAlreadyTaken",
            _taken(name),
            because=f"a storage account {name} is in another subscription",
        )

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        return self._places.delete(StorageAccount, names)

    def _list_keys(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        found = ready(self._places.resource(StorageAccount, names), self._world.now())
        return {"keys": _keys(found)}

    def _regenerate_key(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        found = self._places.resource(StorageAccount, names)
        which = str(request.json().get("keyName", ""))
        if which not in found.keys:
            raise ArmError(
                400,
                "InvalidValuesForRequestParameters",
                "Values for request parameters are invalid: keyName.",
            )
        found.keys[which] = new_account_key()
        return {"keys": _keys(found)}

    def _shown(self, account: StorageAccount) -> dict[str, Any]:
        """As it is read: https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties."""
        settle(account, self._world.now())
        made = utc(account.created)
        own = {"identity": account.identity} if account.identity else {}
        said = copy.deepcopy(account.properties)
        for service in said["encryption"]["services"].values():
            service.setdefault("lastEnabledTime", made)
        return {
            "sku": account.sku,
            "kind": account.kind,
            "id": account.id,
            "name": account.name,
            "type": account.type,
            "location": account.location,
            "tags": account.tags,
            **own,
            "properties": {
                "keyCreationTime": dict.fromkeys(account.keys, made),
                "privateEndpointConnections": [],
                **said,
                "creationTime": made,
                "primaryEndpoints": {
                    name: f"https://{account.name}.{name}.core.windows.net/" for name in _ENDPOINTS
                },
                "primaryLocation": account.location,
                "statusOfPrimary": "available",
            },
        }


def make(
    group: ResourceGroup,
    name: str,
    place: str,
    now: Any,
    *,
    sku: dict[str, str],
    kind: str,
    given: Mapping[str, Any],
) -> StorageAccount:
    """An account that isn't in its group yet."""
    properties = storage_settings.complete(given, kind) | {"provisioningState": "Succeeded"}
    return StorageAccount(group, name, place, now, properties=properties, sku=sku, kind=kind)


def settle(account: StorageAccount, now: Any) -> None:
    """Note that an account has been made by now, where it has."""
    if now >= account.created + DURATION:
        account.properties["provisioningState"] = "Succeeded"


def ready(account: StorageAccount, now: Any) -> StorageAccount:
    """An account in which something can be made; raises `ArmError` as long as it is only being made itself."""
    settle(account, now)
    if account.properties["provisioningState"] != "Succeeded":
        raise ArmError(
            409,
            "StorageAccountIsNotProvisioned",
            "The storage account provisioning state must be 'Succeeded' before executing the operation.",
            because=f"the storage account {account.name} is still being made: nobody waited for it",
        )
    return account


def _taken(name: str) -> str:
    return f"The storage account named {name} is already taken."


def _keys(account: StorageAccount) -> list[dict[str, str]]:
    made = utc(account.created)
    return [
        {"creationTime": made, "keyName": name, "value": value, "permissions": "FULL"}
        for name, value in account.keys.items()
    ]
