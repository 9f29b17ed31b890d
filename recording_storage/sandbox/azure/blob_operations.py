"""What can be asked of blob storage: each operation, how it is told from a request, and what it needs.

Sources: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api (the operations),
https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory (the actions of roles),
https://learn.microsoft.com/rest/api/storageservices/create-service-sas (the letters of a shared access signature),
https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-configure (what anybody may),
https://learn.microsoft.com/azure/storage/blobs/versioning-overview (what makes a version),
https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview (what needs the customer's key).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import unquote

from recording_storage.sandbox.azure.blob_errors import StorageError
from recording_storage.sandbox.azure.tokens import BLOB_SUFFIX
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.world import StorageAccount, World
    from recording_storage.sandbox.rest import Request

SERVICES = "Microsoft.Storage/storageAccounts/blobServices"
CONTAINERS, BLOBS = f"{SERVICES}/containers", f"{SERVICES}/containers/blobs"
READ, WRITE, ADD = f"{BLOBS}/read", f"{BLOBS}/write", f"{BLOBS}/add/action"
DELETE_VERSION = f"{BLOBS}/deleteBlobVersion/action"
ROOT = "$root"
"""The container of blobs whose address names none."""
SOURCE, TYPE = "x-ms-copy-source", "x-ms-blob-type"
_CONTAINER_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*|\$root|\$web|\$logs")
_ODD = re.compile(r"\\|(^|/)\.\.?(/|$)")
"""What clients, and Azurite, make something else of."""
_VERSION = re.compile(r"20\d\d-\d\d-\d\d")


class Level(str, Enum):
    """What an operation concerns; the letter is that of an account's shared access signature."""

    SERVICE = "s"
    CONTAINER = "c"
    BLOB = "o"


class Effect(Enum):
    """What becomes of the blob."""

    NONE = auto()
    CHANGES = auto()
    """It is changed as it is, without a version."""
    MAKES = auto()
    """A new version of it is made of the one before."""
    OVERWRITES = auto()
    """It is replaced, by a new version."""
    SNAPSHOT = auto()
    DELETES = auto()
    RESTORES = auto()


@dataclass(frozen=True)
class Operation:
    """One operation; `name` is what the documentation calls it."""

    name: str
    action: str
    """What a role must permit: of management at a service or container, of data at a blob."""
    sas: str = ""
    """Letters of which a shared access signature must have one."""
    effect: Effect = Effect.NONE
    public: str = ""
    """The least public access of a container with which anybody may: `Blob` or `Container`."""
    adds: bool = False
    """Whether who may only add a blob may, where there is none."""
    wide: bool = False
    """Whether the role must be assigned at the account or above it."""

    @property
    def is_data(self) -> bool:
        """Whether the action is one of data."""
        return self.action.startswith(BLOBS)


def _service(verb: str) -> str:
    return f"{SERVICES}/{verb}"


_SERVICE: Mapping[tuple[str, str], Operation] = {
    ("GET", "list"): Operation("List Containers", f"{CONTAINERS}/read", "l", wide=True),
    ("GET", "service properties"): Operation("Get Blob Service Properties", _service("read"), "r", wide=True),
    ("POST", "service userdelegationkey"): Operation(
        "Get User Delegation Key", _service("generateUserDelegationKey/action"), wide=True
    ),
}
_CONTAINER: Mapping[tuple[str, str], Operation] = {
    ("PUT", "container"): Operation("Create Container", f"{CONTAINERS}/write", "cw", wide=True),
    ("GET", "container"): Operation(
        "Get Container Properties", f"{CONTAINERS}/read", "r", public="Container"
    ),
    ("GET", "container metadata"): Operation(
        "Get Container Metadata", f"{CONTAINERS}/read", "r", public="Container"
    ),
    ("PUT", "container metadata"): Operation("Set Container Metadata", f"{CONTAINERS}/write", "w"),
    ("GET", "container acl"): Operation("Get Container ACL", ""),
    ("PUT", "container acl"): Operation("Set Container ACL", ""),
    ("DELETE", "container"): Operation("Delete Container", f"{CONTAINERS}/delete", "d"),
    ("PUT", "container undelete"): Operation("Restore Container", f"{CONTAINERS}/write", "w", wide=True),
    ("GET", "container list"): Operation("List Blobs", READ, "l", public="Container"),
}
_BLOB: Mapping[tuple[str, str], Operation] = {
    ("PUT", ""): Operation("Put Blob", WRITE, "cw", Effect.OVERWRITES, adds=True),
    ("PUT", "<-"): Operation("Copy Blob", WRITE, "cw", Effect.OVERWRITES, adds=True),
    ("GET", ""): Operation("Get Blob", READ, "r", public="Blob"),
    ("HEAD", ""): Operation("Get Blob Properties", READ, "r", public="Blob"),
    ("GET", "metadata"): Operation("Get Blob Metadata", READ, "r", public="Blob"),
    ("PUT", "metadata"): Operation("Set Blob Metadata", WRITE, "w", Effect.MAKES),
    ("PUT", "properties"): Operation("Set Blob Properties", WRITE, "w", Effect.CHANGES),
    ("DELETE", ""): Operation("Delete Blob", f"{BLOBS}/delete", "d", Effect.DELETES),
    ("PUT", "undelete"): Operation("Undelete Blob", WRITE, "w", Effect.RESTORES),
    ("PUT", "snapshot"): Operation("Snapshot Blob", WRITE, "cw", Effect.SNAPSHOT, adds=True),
    ("PUT", "lease"): Operation("Lease Blob", WRITE, "w", Effect.CHANGES),
    ("PUT", "tier"): Operation("Set Blob Tier", WRITE, "w", Effect.CHANGES),
    ("GET", "tags"): Operation("Get Blob Tags", f"{BLOBS}/tags/read", "t"),
    ("PUT", "tags"): Operation("Set Blob Tags", f"{BLOBS}/tags/write", "t", Effect.CHANGES),
    ("PUT", "block"): Operation("Put Block", WRITE, "cw", Effect.CHANGES),
    ("PUT", "blocklist"): Operation("Put Block List", WRITE, "cw", Effect.OVERWRITES),
    ("GET", "blocklist"): Operation("Get Block List", READ, "r", public="Blob"),
    ("PUT", "appendblock"): Operation("Append Block", WRITE, "aw", Effect.CHANGES, adds=True),
    ("PUT", "page"): Operation("Put Page", WRITE, "w", Effect.CHANGES),
    ("GET", "pagelist"): Operation("Get Page Ranges", READ, "r", public="Blob"),
}
"""By method and `comp`, after which an arrow says that the content comes from elsewhere."""
_TABLES = {Level.SERVICE: _SERVICE, Level.CONTAINER: _CONTAINER, Level.BLOB: _BLOB}
_NEEDS_KEY = frozenset(
    {
        "Get Blob",
        "Get Blob Properties",
        "Get Blob Metadata",
        "Set Blob Metadata",
        "Copy Blob",
        "Set Blob Tier",
        "Put Block",
        "Append Block",
        "Put Blob",
        "Put Page",
    }
)
"""What fails where the customer's key can't be used, beside lists with metadata."""
_STATES = ("snapshot", "versionid")
"""What names one state of a blob; one of them at most is said."""


@dataclass(frozen=True)
class Asked:
    """A request that is understood."""

    request: Request
    account: StorageAccount
    level: Level
    operation: Operation
    container: str = ""
    raw: str = ""
    """The blob's name as it was sent."""

    @property
    def blob(self) -> str:
        """The blob's name."""
        return unquote(self.raw)

    @property
    def version(self) -> str:
        """Of the protocol; nothing where none is said."""
        return self.request.headers.get("x-ms-version", "")

    @property
    def action(self) -> str:
        """What a role must permit."""
        if self.operation.effect is Effect.DELETES and "versionid" in self.request.query:
            return DELETE_VERSION
        return self.operation.action

    @property
    def uses_key(self) -> bool:
        """Whether the key is needed with which the account is encrypted."""
        lists = self.operation.name == "List Blobs" and "metadata" in self.request.query.get("include", "")
        return lists or self.operation.name in _NEEDS_KEY

    @property
    def scope(self) -> str:
        """Where a role must permit it."""
        return self.account.id if self.operation.wide else container_scope(self.account, self.container)

    @property
    def resource(self) -> str:
        """What the journal calls it."""
        return f"https://{self.request.host}{unquote(self.request.path)}"


def container_scope(account: StorageAccount, container: str) -> str:
    """The id of a container, whether there is one or not."""
    return f"{account.id}/blobServices/default/containers/{container}"


def understood(request: Request, world: World) -> Asked:
    """What is asked for; raises `StorageError`, and `Undecided` for what the stand-in hasn't got."""
    account = world.storage_account(request.host.removesuffix(BLOB_SUFFIX))
    if account is None:
        raise StorageError(
            "InvalidUri", f"there is no storage account at {request.host}: the name is nobody's"
        )
    version = request.headers.get("x-ms-version", "")
    if version and not _VERSION.fullmatch(version):
        raise StorageError("InvalidHeaderValue", f"x-ms-version is {version!r}")
    container, raw = _names(request)
    level = Level.BLOB if raw else Level.CONTAINER if container else Level.SERVICE
    if container and not _CONTAINER_NAME.fullmatch(container):
        raise StorageError("InvalidResourceName", f"a container can't be called {container!r}")
    if _ODD.search(unquote(raw)):
        raise Undecided(f"a blob that is called {unquote(raw)!r}")
    return Asked(request, account, level, _operation(request, level), container, raw)


def _names(request: Request) -> tuple[str, str]:
    """The container and the blob, the latter as it was sent."""
    first, _, rest = request.path.removeprefix("/").partition("/")
    if rest or not first or request.query.get("restype") == "container":
        return unquote(first), rest
    return ROOT, first


def _operation(request: Request, level: Level) -> Operation:
    query, method = request.query, request.method
    key = " ".join(filter(None, (query.get("restype", ""), query.get("comp", ""))))
    if level is Level.BLOB and method == "PUT" and SOURCE in request.headers:
        key += "<-" if TYPE not in request.headers else "<-typed"
    table = _TABLES[level]
    found = table.get((method, key)) or (table.get(("GET", key)) if method == "HEAD" else None)
    several = [name for name, _ in request.query_all if name in _STATES]
    if found is None or len(several) > 1:
        raise Undecided(f"{method} {request.host}{unquote(request.path)} {key}".strip())
    return found
