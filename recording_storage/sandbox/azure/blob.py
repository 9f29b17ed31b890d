"""Blob storage, at `ACCOUNT.blob.core.windows.net`: who asks is found out and judged here, Azurite stores.

Accounts and containers are those of Resource Manager. Leaves out, as undecided, batches, queries of blobs' contents,
static websites, what only a hierarchical namespace has, and replicas (`ACCOUNT-secondary`).

Source: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api.
"""

from __future__ import annotations

import threading
import uuid
from email.utils import formatdate
from typing import TYPE_CHECKING

from recording_storage.sandbox.azure.azurite import Azurite
from recording_storage.sandbox.azure.blob_access import ANYBODY, BlobAccess
from recording_storage.sandbox.azure.blob_containers import Containers
from recording_storage.sandbox.azure.blob_errors import REQUEST_ID, StorageError
from recording_storage.sandbox.azure.blob_objects import Blobs
from recording_storage.sandbox.azure.blob_operations import Asked, Level, understood
from recording_storage.sandbox.azure.blob_sas import Delegation
from recording_storage.sandbox.azure.tokens import BLOB_SUFFIX
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import Response

if TYPE_CHECKING:
    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.blob_access import Caller
    from recording_storage.sandbox.azure.tokens import Tokens
    from recording_storage.sandbox.azure.world import World
    from recording_storage.sandbox.journal import Journal
    from recording_storage.sandbox.rest import Request

BAD_REQUEST = 400
DEFAULT_VERSION = "2021-12-02"
"""What is said to have answered a request that names no version."""


class Blob:
    """The blob endpoint of every account; one request is judged and carried out at a time."""

    def __init__(self, world: World, access: Access, tokens: Tokens, journal: Journal) -> None:
        self._world = world
        self._journal = journal
        self._azurite = Azurite()
        self._turn = threading.Lock()
        self._delegation = Delegation(world)
        self._access = BlobAccess(world, access, tokens, self._delegation)
        self._blobs = Blobs(world, self._access, self._azurite)
        containers = Containers(world)
        self._others = {
            "List Containers": containers.list_all,
            "Get Blob Service Properties": containers.service_properties,
            "Get User Delegation Key": self._delegate,
            "Create Container": containers.create,
            "Get Container Properties": containers.get,
            "Get Container Metadata": containers.get,
            "Set Container Metadata": containers.set_metadata,
            "Get Container ACL": containers.get_acl,
            "Set Container ACL": containers.set_acl,
            "Delete Container": containers.delete,
            "Restore Container": containers.restore,
            "List Blobs": self._blobs.list_all,
        }

    def knows(self, host: str) -> bool:
        """Whether the host's name is an account's: others aren't to be found at all."""
        return (
            host.endswith(BLOB_SUFFIX)
            and self._world.storage_account(host.removesuffix(BLOB_SUFFIX)) is not None
        )

    def warm(self) -> None:
        """Begin to start Azurite, which otherwise the first request for a blob waits for."""
        self._azurite.warm()

    def close(self) -> None:
        """End Azurite, and with it every blob."""
        self._azurite.close()

    def answer(self, request: Request) -> Response:
        """Answer one request; raises `Undecided`."""
        with self._turn:
            try:
                answer = self._decide(request)
            except StorageError as refused:
                answer = refused.to_response(request)
        told = [
            ("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"),
            ("Date", formatdate(usegmt=True)),
            ("x-ms-version", request.headers.get("x-ms-version") or DEFAULT_VERSION),
        ]
        asked = request.headers.get("x-ms-client-request-id", "")
        told += [("x-ms-client-request-id", asked)] if asked else []
        told += [(REQUEST_ID, str(uuid.uuid4()))] if REQUEST_ID not in dict(answer.headers) else []
        return Response(answer.status, answer.body, [*answer.headers, *told])

    def _decide(self, request: Request) -> Response:
        caller, what = ANYBODY, request.method
        where = f"https://{request.host}{request.path}"
        try:
            asked = understood(request, self._world)
            what, where = asked.operation.name, asked.resource
            caller = self._access.admit(asked)
            self._access.require(caller, asked, lambda: self._blobs.exists(asked))
            if asked.level is Level.BLOB:
                answer = self._blobs.answer(asked, caller)
            else:
                answer = self._others[asked.operation.name](asked, caller)
        except StorageError as error:
            if not error.is_written:
                self._refused(caller, what, where, error.because)
            raise
        if answer.status >= BAD_REQUEST:
            self._refused(
                caller, what, where, dict(answer.headers).get("x-ms-error-code", str(answer.status))
            )
        return answer

    def _refused(self, caller: Caller, what: str, where: str, why: str) -> None:
        self._journal.write(Outcome.REFUSED, who=caller.name, what=what, resource=where, reason=why)

    def _delegate(self, asked: Asked, caller: Caller) -> Response:
        return self._delegation.give(asked, caller.principal)
