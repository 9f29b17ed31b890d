"""What is in a storage account for Resource Manager: the services' settings, containers, and how long blobs are kept.

Sources: https://learn.microsoft.com/rest/api/storagerp/blob-services, …/blob-containers and …/management-policies.
Leaves out legal holds and immutability, restoring to a point in time, and setting what isn't about blobs.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import lifecycle
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.places import Line, Places, given, properties
from recording_storage.sandbox.azure.storage_accounts import ACCOUNT, ready
from recording_storage.sandbox.azure.world import STORAGE, StorageAccount, utc
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import Container
    from recording_storage.sandbox.rest import Request

NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*|\$root|\$logs|\$web")
PUBLIC = ("None", "Container", "Blob")
_BLOBS = f"{STORAGE}/blobServices"
_CONTAINERS = f"{_BLOBS}/containers"
_CONTAINER = f"{ACCOUNT}/blobServices/default/containers/{{container}}"
_POLICY = f"{ACCOUNT}/managementPolicies/default"
_SERVICES: Mapping[str, Any] = {
    "blobServices": {
        "cors": {"corsRules": []},
        "deleteRetentionPolicy": {"allowPermanentDelete": False, "enabled": False},
    },
    "fileServices": {
        "cors": {"corsRules": []},
        "protocolSettings": {"smb": {}},
        "shareDeleteRetentionPolicy": {"enabled": True, "days": 7},
    },
    "queueServices": {"cors": {"corsRules": []}},
    "tableServices": {"cors": {"corsRules": []}},
}
"""What the services are where nothing is said."""
_BLOB_SETTINGS = (
    "automaticSnapshotPolicyEnabled",
    "changeFeed",
    "containerDeleteRetentionPolicy",
    "cors",
    "defaultServiceVersion",
    "deleteRetentionPolicy",
    "isVersioningEnabled",
    "lastAccessTimeTrackingPolicy",
    "restorePolicy",
)
_CONTAINER_SETTINGS = ("publicAccess", "metadata", "defaultEncryptionScope", "denyEncryptionScopeOverride")
DAYS = range(1, 366)


class Containers:
    """The services, containers and management policies of storage accounts."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._world = places.world
        reads = [
            Line("GET", ACCOUNT, f"/{service}/default", f"{STORAGE}/{service}/read", self._get_service)
            for service in _SERVICES
        ]
        lists = [
            Line("GET", ACCOUNT, f"/{service}", f"{STORAGE}/{service}/read", self._list_service)
            for service in _SERVICES
        ]
        containers = f"{ACCOUNT}/blobServices/default"
        self.routes = places.routes(
            *reads,
            *lists,
            Line("PUT", ACCOUNT, "/blobServices/default", f"{_BLOBS}/write", self._put_blob_service),
            Line("GET", containers, "/containers", f"{_CONTAINERS}/read", self._list),
            Line("PUT", _CONTAINER, "", f"{_CONTAINERS}/write", self._put),
            Line("PATCH", _CONTAINER, "", f"{_CONTAINERS}/write", self._patch),
            Line("GET", _CONTAINER, "", f"{_CONTAINERS}/read", self._get),
            Line("DELETE", _CONTAINER, "", f"{_CONTAINERS}/delete", self._delete),
            Line("PUT", _POLICY, "", f"{STORAGE}/managementPolicies/write", self._put_policy),
            Line("GET", _POLICY, "", f"{STORAGE}/managementPolicies/read", self._get_policy),
            Line("DELETE", _POLICY, "", f"{STORAGE}/managementPolicies/delete", self._delete_policy),
        )

    def _account(self, names: Mapping[str, str]) -> StorageAccount:
        return ready(self._places.resource(StorageAccount, names), self._world.now())

    # Services

    def _get_service(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        kinds = {one.lower(): one for one in _SERVICES}
        return _service(self._account(names), kinds[request.path.lower().rstrip("/").split("/")[-2]])

    def _list_service(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        kinds = {one.lower(): one for one in _SERVICES}
        return {
            "value": [_service(self._account(names), kinds[request.path.lower().rstrip("/").split("/")[-1]])]
        }

    def _put_blob_service(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        account = self._account(names)
        said = properties(request.json())
        unknown = sorted(set(said) - set(_BLOB_SETTINGS))
        if unknown:
            raise Undecided(f"a blob service with {', '.join(unknown)}")
        if said.get("restorePolicy", {}).get("enabled"):
            raise Undecided("a blob service that can be restored to a point in time")
        for name in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
            policy = said.get(name, {})
            if policy.get("enabled") and policy.get("days") not in DAYS:
                raise _not_allowed(f"{name}.days", policy.get("days"), "1 to 365")
        # What isn't said any more is as if it had never been said.
        account.services["blobServices"] = copy.deepcopy(said)
        return _service(account, "blobServices")

    # Containers

    def _list(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        if request.query.get("$skipToken"):
            raise Undecided("containers from a $skipToken on")
        account = self._account(names)
        found = list(account.containers.values())
        if "deleted" in request.query.get("$include", ""):
            found += account.deleted_containers
        beginning = request.query.get("$filter", "")
        return {"value": [self._shown(one) for one in found if one.name.startswith(beginning)]}

    def _put(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del who
        account, name = self._account(names), names["container"]
        if not NAME.fullmatch(name):
            raise ArmError(
                400,
                "InvalidResourceName",
                "The specified resource name contains invalid characters, or its length isn't within 3 and 63.",
                because=f"{name} isn't a container's name: 3 to 63 of a-z, 0-9 and single hyphens between them",
            )
        given = self._given(account, request)
        found = account.containers.get(name)
        if found is None:
            return Response.of(self._shown(account.add_container(name, self._world.now(), **given)), 201)
        found.properties |= given
        found.touch(self._world.now())
        return Response.of(self._shown(found))

    def _patch(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        account = self._account(names)
        found = self._container(account, names)
        found.properties |= self._given(account, request)
        found.touch(self._world.now())
        return self._shown(found)

    def _given(self, account: StorageAccount, request: Request) -> dict[str, Any]:
        said = properties(request.json())
        unknown = [
            name for name, value in said.items() if name not in _CONTAINER_SETTINGS and value is not False
        ]
        if unknown:
            raise Undecided(f"a container with {', '.join(sorted(unknown))}")
        public = said.get("publicAccess", "None")
        if public not in PUBLIC:
            raise _not_allowed("publicAccess", public, ", ".join(PUBLIC))
        if public != "None" and not account.properties.get("allowBlobPublicAccess"):
            raise ArmError(
                409,
                "PublicAccessNotPermitted",
                "Public access is not permitted on this storage account.",
                because=f"the account {account.name} has allowBlobPublicAccess=false",
            )
        return {name: value for name, value in said.items() if name in _CONTAINER_SETTINGS}

    def _container(self, account: StorageAccount, names: Mapping[str, str]) -> Container:
        found = account.containers.get(names["container"])
        if found is None:
            raise ArmError(
                404,
                "ContainerNotFound",
                "The specified container does not exist.",
                because=f"there is no container {names['container']} in {account.name}",
            )
        return found

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        return self._shown(self._container(self._account(names), names))

    def _delete(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        account = self._account(names)
        if names["container"] not in account.containers:
            return Response(204)
        account.remove_container(names["container"], self._world.now())
        return Response(200)

    def _shown(self, container: Container) -> dict[str, Any]:
        gone = {"deletedTime": utc(container.deleted)} if container.deleted else {}
        return {
            "id": container.id,
            "name": container.name,
            "type": _CONTAINERS,
            "etag": container.etag,
            "properties": {
                "defaultEncryptionScope": "$account-encryption-key",
                "denyEncryptionScopeOverride": False,
                "publicAccess": "None",
                **container.properties,
                "deleted": container.deleted is not None,
                **gone,
                "remainingRetentionDays": 0,
                "leaseStatus": "Unlocked",
                "leaseState": "Available",
                "lastModifiedTime": utc(container.modified),
                "hasImmutabilityPolicy": False,
                "hasLegalHold": False,
                "immutableStorageWithVersioning": {"enabled": False},
            },
        }

    # Management policies

    def _put_policy(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del who
        account = self._account(names)
        policy = given(properties(request.json()), "policy")
        lifecycle.check(policy)
        account.management_policy = {"lastModifiedTime": utc(self._world.now()), "policy": policy}
        return _policy(account)

    def _get_policy(self, request: Request, who: Principal, names: Mapping[str, str]) -> object:
        del request, who
        account = self._account(names)
        if account.management_policy is None:
            raise ArmError(
                404, "ManagementPolicyNotFound", f"No ManagementPolicy found for account {account.name}"
            )
        return _policy(account)

    def _delete_policy(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del request, who
        account = self._account(names)
        existed, account.management_policy = account.management_policy is not None, None
        return Response(200 if existed else 204)


def _service(account: StorageAccount, kind: str) -> dict[str, Any]:
    return {
        "sku": account.sku,
        "id": f"{account.id}/{kind}/default",
        "name": "default",
        "type": f"{STORAGE}/{kind}",
        "properties": copy.deepcopy(_SERVICES[kind]) | copy.deepcopy(account.services.get(kind, {})),
    }


def _policy(account: StorageAccount) -> dict[str, Any]:
    return {
        "id": f"{account.id}/managementPolicies/default",
        "name": "DefaultManagementPolicy",
        "type": f"{STORAGE}/managementPolicies",
        "properties": account.management_policy,
    }


def _not_allowed(what: str, value: object, allowed: str) -> ArmError:
    return ArmError(
        400,
        "InvalidRequestPropertyValue",
        f"The value '{value}' is not allowed for property {what}. Allowed values are: {allowed}.",
    )
