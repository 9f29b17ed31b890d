"""The owner of a destination on Google Cloud Storage: looks at what the recorder left and can't read, and locks up.

The credential is the one that Google's own libraries find (application default credentials).
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import google.auth
from google.auth.transport.requests import AuthorizedSession

from recording_storage.recorder.gcs import SCOPES, client
from recording_storage.steps import UnexpectedError

if TYPE_CHECKING:
    from collections.abc import Generator

IAM = "https://iam.googleapis.com/v1/"
PROBE = "recording-storage-probe.txt"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, TURNS = 0.02, 1.0, 60


@cache
def _credentials() -> Any:
    """Looked up once, since it may take Google's own tools to find them."""
    return cast("tuple[Any, Any]", google.auth.default(SCOPES))[0]


class Owner:
    """Who may do everything in the destination's project."""

    def __init__(self, recording_storage: dict[str, str]) -> None:
        held = _credentials()
        self._client: Any = client(recording_storage, held)
        self._session: Any = AuthorizedSession(held)
        self._bucket = recording_storage["bucket_name"]
        self._provider = IAM + recording_storage["workload_identity_provider"]

    def read_back(self, name: str, sha256: str) -> str:
        """Compare the recording with what the recorder says that it wrote."""
        found = self._client.bucket(self._bucket).blob(name).download_as_bytes()
        if hashlib.sha256(found).hexdigest() != sha256:
            raise UnexpectedError("what was read differs from what was written")
        return "read back by the owner, same hash"

    def versions(self) -> str:
        """Delete an object, and find it among the versions that the bucket keeps."""
        bucket = self._client.get_bucket(self._bucket)
        if not bucket.versioning_enabled:
            raise UnexpectedError("the bucket keeps no versions: its versioning isn't enabled")
        probe = bucket.blob(PROBE)
        probe.upload_from_string(b"probe")
        bucket.blob(PROBE).delete()  # the live one, whichever it is: a generation would be deleted for good
        kept = [
            one for one in self._client.list_blobs(bucket, prefix=PROBE, versions=True) if one.time_deleted
        ]
        if probe.generation not in [one.generation for one in kept]:
            raise UnexpectedError("what is deleted isn't kept as a version")
        return "kept as a version after a deletion"

    @contextmanager
    def provider_disabled(self) -> Generator[None]:
        """The provider is disabled for the length of the block."""
        self._ask("PATCH", self._provider + "?updateMask=disabled", {"disabled": True})
        try:
            yield
        finally:
            self._ask("PATCH", self._provider + "?updateMask=disabled", {"disabled": False})

    @contextmanager
    def provider_deleted(self) -> Generator[None]:
        """The provider is deleted for the length of the block."""
        self._ask("DELETE", self._provider)
        try:
            yield
        finally:
            self._ask("POST", self._provider + ":undelete", {})

    def _ask(self, method: str, url: str, body: object = None) -> None:
        """Ask, and wait until it is done.

        https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers.operations
        """
        operation = self._said(method, url, body)
        for turn in range(TURNS):
            if operation.get("done"):
                break
            time.sleep(min(FIRST_PAUSE_SECONDS * 2**turn, LONGEST_PAUSE_SECONDS))
            operation = self._said("GET", IAM + operation["name"])
        if "error" in operation or not operation.get("done"):
            raise UnexpectedError(f"{method} {url}: {operation.get('error', 'not done yet')}")

    def _said(self, method: str, url: str, body: object = None) -> dict[str, Any]:
        answer = self._session.request(method, url, json=body)
        if not answer.ok:
            raise UnexpectedError(f"the owner's {method} {url}: {answer.status_code}: {answer.text}")
        return answer.json()
