"""Record to Azure Blob Storage as the recording service does: exchange a token at Entra, upload an MP4 in blocks.

Which preconditions the service sends isn't known, so none are sent here. What a Storage Blob Data Contributor may read
it reads by itself. Sources:
https://docs.tavus.io/sections/conversational-video-interface/recording-storage (identifiers, name),
https://learn.microsoft.com/entra/workload-id/workload-identity-federation (exchange) and
https://learn.microsoft.com/rest/api/storageservices/put-block.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, cast

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.identity import ClientAssertionCredential
from azure.storage.blob import BlobClient, ContainerClient, ContentSettings
from requests import HTTPError, RequestException

from recording_storage.recorder.movie import PIECE, PIECES, movie
from recording_storage.steps import BROKEN, DONE, REFUSED, Step, UnexpectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORAGE_SCOPE = "https://storage.azure.com/.default"
PROBE = "recording-storage-probe.txt"
UNAUTHORIZED, FORBIDDEN = "401", "403"
REFUSALS = {
    *(UNAUTHORIZED, FORBIDDEN, "invalid_client", "unauthorized_client"),
    *("AccountRequiresHttps", "PublicAccessNotPermitted"),
}
"""What a refusal is: a status, or Azure's word for the error where it has another status (400, 409)."""
_ENTRA = re.compile(r"\((?P<error>\w+)\) (?P<message>AADSTS\d+: .*)", re.DOTALL)
_TRACE = re.compile(r"\s*Trace ID: .*", re.DOTALL)


class Job(TypedDict):
    """What the recorder is told: the object from the API, and what the service has by itself."""

    recording_storage: dict[str, str]
    token: str
    """Its own issuer's, made for this customer."""
    conversation_id: str


class _Recording:
    """One recording under way: each step leaves what the next one needs."""

    def __init__(self, job: Job) -> None:
        self._storage = job["recording_storage"]
        self._credential = credential(self._storage, job["token"])
        self._movie = movie(job["conversation_id"])
        self._name = f"{job['conversation_id']}/recording.mp4"
        self.left: dict[str, dict[str, str]] = {}
        """What each step leaves to others."""

    def exchange(self) -> str:
        self._credential.get_token(STORAGE_SCOPE)
        return "token exchanged at Entra"

    def write(self) -> str:
        of_an_mp4 = ContentSettings(content_type="video/mp4")
        with blob(self._storage, self._name, self._credential) as to:
            to.upload_blob(self._movie, overwrite=True, content_settings=of_an_mp4)
        self.left["write"] = {"object": self._name, "sha256": _digest(self._movie)}
        return f"{len(self._movie) >> 20} MiB written in {PIECES} blocks"

    def read_back(self) -> str:
        with blob(self._storage, self._name, self._credential) as of:
            found = of.download_blob().readall()
        if _digest(found) != _digest(self._movie):
            raise UnexpectedError("what was read differs from what was written")
        return "read back, same hash"

    def versions(self) -> str:
        """Delete an object, and find it among the versions that the account keeps."""
        with blob(self._storage, PROBE, self._credential) as probe:
            written: dict[str, Any] = probe.upload_blob(b"probe", overwrite=True)
            version = str(written.get("version_id") or "")
            if not version:
                raise UnexpectedError("the account keeps no versions: its versioning isn't enabled")
            probe.delete_blob()
            with container(self._storage, self._credential) as of:
                kept = [one.version_id for one in of.list_blobs(PROBE, include=["versions"])]
            if version not in kept or probe.download_blob(version_id=version).readall() != b"probe":
                raise UnexpectedError("what is deleted isn't kept as a version")
        self.left["versions"] = {"old_object": PROBE, "old_version": version}
        return "kept as a version after a deletion"


STEPS: tuple[tuple[str, str, Callable[[_Recording], str]], ...] = (
    ("exchange", "exchange the token", _Recording.exchange),
    ("write", "write the recording", _Recording.write),
    ("read-back", "read the recording back", _Recording.read_back),
    ("versions", "keep what is deleted as a version", _Recording.versions),
)


def record(job: Job) -> Iterator[Step]:
    """Make one recording; the steps as they end. Each needs the one before."""
    recording = _Recording(job)
    for id_, title, carry_out in STEPS:
        step = attempt(f"proven.{id_}", title, lambda carry_out=carry_out: carry_out(recording))
        yield replace(step, left=recording.left.get(id_, {}))
        if step.ended != DONE:
            return


def credential(recording_storage: dict[str, str], token: str) -> ClientAssertionCredential:
    """A credential for which `token` is exchanged, once it is needed."""
    tenant, client = recording_storage["tenant_id"], recording_storage["client_id"]
    return ClientAssertionCredential(tenant, client, func=lambda: token)


def account_url(recording_storage: dict[str, str]) -> str:
    """Where the storage account's blobs are."""
    return f"https://{recording_storage['storage_account']}.blob.core.windows.net"


def blob(recording_storage: dict[str, str], name: str, held: Any) -> BlobClient:
    """A client of one blob, with the credential `held`; what is larger than a piece is sent in blocks."""
    return BlobClient(
        account_url(recording_storage),
        recording_storage["container"],
        name,
        credential=held,
        max_single_put_size=PIECE,
        max_block_size=PIECE,
        max_single_get_size=2 * PIECE,
    )


def container(recording_storage: dict[str, str], held: Any) -> ContainerClient:
    """A client of the container, with the credential `held`."""
    return ContainerClient(account_url(recording_storage), recording_storage["container"], credential=held)


def attempt(id_: str, title: str, carry_out: Callable[[], str]) -> Step:
    """The step that `carry_out` turns out to be."""
    try:
        return Step(id_, DONE, carry_out())
    except (HttpResponseError, HTTPError) as error:
        codes, message = _said(error)
        ended = REFUSED if REFUSALS & {*codes} else BROKEN
        return Step(id_, ended, title, ": ".join(filter(None, [codes[-1], message])))
    except (AzureError, RequestException, UnexpectedError) as error:
        return Step(id_, BROKEN, title, str(error))


def _said(error: HttpResponseError | HTTPError) -> tuple[list[str], str]:
    """What Azure said: the status and its word for the error, and its message without what differs each time."""
    entra = _ENTRA.search(str(error)) if isinstance(error, ClientAuthenticationError) else None
    if entra:
        return [entra["error"]], _TRACE.sub("", entra["message"])
    if isinstance(error, HttpResponseError):
        code: Any = getattr(error, "error_code", None)
        word, message = str(getattr(code, "value", code) or ""), (error.message or "").partition("\n")[0]
        return [str(error.status_code or ""), *filter(None, [word])], message
    response: Any = error.response
    codes, message = [str(response.status_code)], response.reason or ""
    try:
        told = cast("dict[str, Any]", json.loads(response.text))["error"]
        codes, message = [*codes, str(told["code"])], str(told["message"])
    except (ValueError, TypeError, LookupError):
        codes += filter(None, [response.headers.get("x-ms-error-code", "")])
    return codes, message


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
