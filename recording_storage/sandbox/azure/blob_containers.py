"""The blob service of an account, and its containers, which are the same as Resource Manager's.

Sources: https://learn.microsoft.com/rest/api/storageservices/operations-on-the-account--blob-service-,
https://learn.microsoft.com/rest/api/storageservices/operations-on-containers. Leaves out, as undecided, leases of
containers, stored access policies, encryption scopes, and changes of the service's properties.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, tostring

from recording_storage.sandbox.azure.blob_errors import XML, StorageError
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recording_storage.sandbox.azure.blob_access import Caller
    from recording_storage.sandbox.azure.blob_operations import Asked
    from recording_storage.sandbox.azure.world import Container, StorageAccount, World

MOST = 5000
_PUBLIC, _META = "x-ms-blob-public-access", "x-ms-meta-"
_LEVELS = {"": "None", "blob": "Blob", "container": "Container"}
_DELETED = ("x-ms-deleted-container-name", "x-ms-deleted-container-version")
_NO_METRICS = {"Version": "1.0", "Enabled": "false", "RetentionPolicy": {"Enabled": "false"}}
_NO_LOGGING = {"Version": "1.0", "Delete": "false", "Read": "false", "Write": "false"}


class Containers:
    """Answers what concerns a whole account, or a whole container."""

    def __init__(self, world: World) -> None:
        self._world = world

    def list_all(self, asked: Asked, caller: Caller) -> Response:
        """List Containers."""
        del caller
        query, account = asked.request.query, asked.account
        include = {one for one in query.get("include", "").split(",") if one}
        if include - {"metadata", "deleted"} or not query.get("maxresults", "1").isdigit():
            raise Undecided(f"a list of containers with {query}")
        found = [*account.containers.values()]
        found += [*self._restorable(account)] if "deleted" in include else []
        found = sorted(
            (one for one in found if one.name.startswith(query.get("prefix", ""))), key=lambda one: one.name
        )
        found = [one for one in found if one.name > query.get("marker", "")]
        size = min(int(query.get("maxresults", MOST)), MOST)
        root = Element("EnumerationResults")
        root.set("ServiceEndpoint", f"https://{asked.request.host}/")
        listed = SubElement(root, "Containers")
        listed.extend(self._listed(one, "metadata" in include) for one in found[:size])
        SubElement(root, "NextMarker").text = found[size - 1].name if len(found) > size else ""
        return _xml(root)

    def service_properties(self, asked: Asked, caller: Caller) -> Response:
        """Get Blob Service Properties."""
        del caller
        said = asked.account.blob_service
        policy: dict[str, Any] = said.get("deleteRetentionPolicy") or {}
        is_enabled = bool(policy.get("enabled"))
        days = {"Days": str(policy.get("days"))} if is_enabled else {}
        root = _tree(
            "StorageServiceProperties",
            {
                "Logging": _NO_LOGGING | {"RetentionPolicy": {"Enabled": "false"}},
                "HourMetrics": _NO_METRICS,
                "MinuteMetrics": _NO_METRICS,
                "Cors": {},
                "DeleteRetentionPolicy": {"Enabled": str(is_enabled).lower()} | days,
                "StaticWebsite": {"Enabled": "false"},
            },
        )
        return _xml(root)

    def create(self, asked: Asked, caller: Caller) -> Response:
        """Create Container."""
        del caller
        headers, account = asked.request.headers, asked.account
        if any(name.startswith(("x-ms-default-encryption", "x-ms-deny-encryption")) for name in headers):
            raise Undecided("a container with an encryption scope")
        if asked.container in account.containers:
            raise StorageError("ContainerAlreadyExists")
        level = self._level(asked)
        made = account.add_container(asked.container, self._world.now(), publicAccess=level)
        if _metadata(headers):
            made.properties["metadata"] = _metadata(headers)
        return Response(201, b"", _stamps(made))

    def get(self, asked: Asked, caller: Caller) -> Response:
        """Get Container Properties, or its metadata, which is among them."""
        del caller
        found = _existing(asked)
        told = [*_stamps(found), ("x-ms-lease-status", "unlocked"), ("x-ms-lease-state", "available")]
        told += [("x-ms-has-immutability-policy", "false"), ("x-ms-has-legal-hold", "false")]
        told += [("x-ms-default-encryption-scope", "$account-encryption-key")]
        told += [("x-ms-deny-encryption-scope-override", "false")]
        told += [(_PUBLIC, found.public_access.lower())] if found.public_access != "None" else []
        told += [(_META + name, value) for name, value in _said(found).items()]
        return Response(200, b"", told)

    def set_metadata(self, asked: Asked, caller: Caller) -> Response:
        """Set Container Metadata."""
        del caller
        found = _existing(asked)
        _check_unconditional(asked)
        found.properties["metadata"] = _metadata(asked.request.headers)
        found.touch(self._world.now())
        return Response(200, b"", _stamps(found))

    def get_acl(self, asked: Asked, caller: Caller) -> Response:
        """Get Container ACL."""
        del caller
        found = _existing(asked)
        level = [(_PUBLIC, found.public_access.lower())] if found.public_access != "None" else []
        return _xml(Element("SignedIdentifiers"), *_stamps(found), *level)

    def set_acl(self, asked: Asked, caller: Caller) -> Response:
        """Set Container ACL."""
        del caller
        found = _existing(asked)
        _check_unconditional(asked)
        if b"<SignedIdentifier>" in asked.request.body:
            raise Undecided("stored access policies")
        found.properties["publicAccess"] = self._level(asked)
        found.touch(self._world.now())
        return Response(200, b"", _stamps(found))

    def delete(self, asked: Asked, caller: Caller) -> Response:
        """Delete Container."""
        del caller
        _existing(asked)
        _check_unconditional(asked)
        asked.account.remove_container(asked.container, self._world.now())
        return Response(202)

    def restore(self, asked: Asked, caller: Caller) -> Response:
        """Restore Container, under the name that it had."""
        del caller
        name, version = (asked.request.headers.get(one, "") for one in _DELETED)
        account = asked.account
        if name != asked.container:
            raise Undecided("a container that is restored under another name")
        found = next(
            (one for one in self._restorable(account) if (one.name, _version(one)) == (name, version)), None
        )
        if found is None:
            raise StorageError("ContainerNotFound", f"there is no deleted container {name} of that version")
        if name in account.containers:
            raise StorageError("ContainerAlreadyExists")
        account.deleted_containers.remove(found)
        account.containers[name] = found
        found.deleted = None
        found.touch(self._world.now())
        return Response(201, b"", _stamps(found))

    def _level(self, asked: Asked) -> str:
        level = _LEVELS.get(asked.request.headers.get(_PUBLIC, ""))
        if level is None:
            raise StorageError("InvalidHeaderValue", f"{_PUBLIC} is {asked.request.headers[_PUBLIC]}")
        if level != "None" and not asked.account.properties.get("allowBlobPublicAccess", False):
            raise StorageError("PublicAccessNotPermitted", "the account doesn't allow anonymous access")
        return level

    def _restorable(self, account: StorageAccount) -> Iterator[Container]:
        return (one for one in account.deleted_containers if _until(one) > self._world.now())

    def _listed(self, one: Container, with_metadata: bool) -> Element:
        gone: dict[str, Any] = {}
        properties = {
            "Last-Modified": format_datetime(one.modified, usegmt=True),
            "Etag": one.etag.strip('"'),
            "LeaseStatus": "unlocked",
            "LeaseState": "available",
        }
        if one.public_access != "None":
            properties["PublicAccess"] = one.public_access.lower()
        properties |= {
            "DefaultEncryptionScope": "$account-encryption-key",
            "DenyEncryptionScopeOverride": "false",
        }
        properties |= {"HasImmutabilityPolicy": "false", "HasLegalHold": "false"}
        if one.deleted is not None:
            gone = {"Deleted": "true", "Version": _version(one)}
            left = math.ceil((_until(one) - self._world.now()) / timedelta(days=1)) - 1
            properties["DeletedTime"] = format_datetime(one.deleted, usegmt=True)
            properties["RemainingRetentionDays"] = str(max(left, 0))
        metadata = {"Metadata": _said(one)} if with_metadata else {}
        return _tree("Container", {"Name": one.name} | gone | {"Properties": properties} | metadata)


def _existing(asked: Asked) -> Container:
    found = asked.account.containers.get(asked.container)
    if found is None:
        raise StorageError("ContainerNotFound", f"{asked.account.name} has no container {asked.container}")
    return found


def _check_unconditional(asked: Asked) -> None:
    conditions = [one for one in asked.request.headers if one.startswith("if-") or one == "x-ms-lease-id"]
    if conditions:
        raise Undecided(f"{asked.operation.name} with {', '.join(conditions)}")


def _said(one: Container) -> dict[str, str]:
    return one.properties.get("metadata") or {}


def _stamps(one: Container) -> list[tuple[str, str]]:
    return [("ETag", one.etag), ("Last-Modified", format_datetime(one.modified, usegmt=True))]


def _metadata(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_META): value for name, value in headers.items() if name.startswith(_META)}


def _version(one: Container) -> str:
    """What tells a deleted container from others that had its name."""
    return hashlib.sha256(f"{one.etag}{one.deleted}".encode()).hexdigest()[:16].upper()


def _until(one: Container) -> datetime:
    policy: dict[str, Any] = one.account.blob_service.get("containerDeleteRetentionPolicy") or {}
    return (one.deleted or one.modified) + timedelta(days=int(policy.get("days") or 0))


def _tree(name: str, said: Mapping[str, Any]) -> Element:
    root = Element(name)
    for tag, value in said.items():
        if isinstance(value, str):
            SubElement(root, tag).text = value
        else:
            root.append(_tree(tag, value))
    return root


def _xml(root: Element, *headers: tuple[str, str]) -> Response:
    body: bytes = tostring(root, "utf-8", xml_declaration=True)
    return Response(200, body, [("Content-Type", XML), *headers])
