"""Record to Google Cloud Storage as the recording service does: exchange a token, impersonate, upload an MP4 in chunks.

What it wrote it can't read again: its owner looks at it (`intruder.gcs_owner`). Which preconditions the service sends
isn't known, so none are sent here. Sources:
https://docs.tavus.io/sections/conversational-video-interface/recording-storage (identifiers, permission, name),
https://docs.cloud.google.com/iam/docs/workload-identity-federation-with-other-providers (exchange, impersonation) and
https://docs.cloud.google.com/storage/docs/resumable-uploads.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, cast

from google.api_core.exceptions import GoogleAPIError
from google.auth import identity_pool
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.cloud import storage
from requests import HTTPError, RequestException
from typing_extensions import override

from recording_storage.recorder.movie import PIECE, PIECES, movie
from recording_storage.steps import BROKEN, DONE, REFUSED, Step, UnexpectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFIX = "//iam.googleapis.com/"
"""What the service puts before the provider's name that it was handed."""
TOKEN_URL = "https://sts.googleapis.com/v1/token"  # noqa: S105 (an address)
TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt"  # noqa: S105 (a name)
IMPERSONATION_URL = (
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"
)
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
REQUEST = Request()
"""How tokens are asked for: it keeps its connections."""
REFUSALS = {
    *("401", "403", "PERMISSION_DENIED", "UNAUTHENTICATED"),
    *("invalid_grant", "invalid_target", "unauthorized_client"),
}


class Job(TypedDict):
    """What the recorder is told: the object from the API, and what the service has by itself."""

    recording_storage: dict[str, str]
    token: str
    """Its own issuer's, made for this customer."""
    conversation_id: str
    overwrites: bool
    """Whether it writes the recording again, as after an upload of which it doesn't know how it ended."""


class _Recording:
    """One recording under way: each step leaves what the next one needs."""

    def __init__(self, job: Job) -> None:
        self._storage = job["recording_storage"]
        self._token = job["token"]
        self._movie = movie(job["conversation_id"])
        self._name = f"{job['conversation_id']}/recording.mp4"
        self._generation = 0
        self._client: Any = None

    @property
    def left(self) -> dict[str, str]:
        """Where the recording is, and what is in it."""
        return {"object": self._name, "sha256": hashlib.sha256(self._movie).hexdigest()}

    def exchange(self) -> str:
        credentials(self._storage, self._token)
        return "token exchanged at the provider"

    def impersonate(self) -> str:
        email = self._storage["service_account_email"]
        self._client = client(self._storage, credentials(self._storage, self._token, email))
        return "service account impersonated"

    def write(self) -> str:
        self._upload()
        return f"{len(self._movie) >> 20} MiB written in {PIECES} chunks"

    def overwrite(self) -> str:
        first = self._generation
        self._upload()
        if self._generation <= first:
            raise UnexpectedError("the object that was written again is the same generation")
        return "written again over itself"

    def _upload(self) -> None:
        # A chunk size makes the upload a resumable one.
        blob: Any = self._client.bucket(self._storage["bucket_name"]).blob(self._name, chunk_size=PIECE)
        blob.upload_from_file(io.BytesIO(self._movie), size=len(self._movie), content_type="video/mp4")
        self._generation = int(blob.generation)


STEPS: tuple[tuple[str, str, Callable[[_Recording], str]], ...] = (
    ("exchange", "exchange the token", _Recording.exchange),
    ("impersonate", "impersonate the service account", _Recording.impersonate),
    ("write", "write the recording", _Recording.write),
    ("overwrite", "write the recording again", _Recording.overwrite),
)


def record(job: Job) -> Iterator[Step]:
    """Make one recording; the steps as they end. Each needs the one before."""
    recording = _Recording(job)
    for id_, title, carry_out in STEPS[: None if job["overwrites"] else -1]:
        step = attempt(f"proven.{id_}", title, lambda carry_out=carry_out: carry_out(recording))
        yield replace(step, left=recording.left) if id_ == "write" and step.ended == DONE else step
        if step.ended != DONE:
            return


class _Given(identity_pool.SubjectTokenSupplier):
    """Supplies the token that it was given."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def get_subject_token(self, context: Any, request: Any) -> str:
        return self._token


def credentials(recording_storage: dict[str, str], token: str, email: str | None = None) -> Any:
    """Credentials for which `token` is exchanged at the provider, and which act as `email` where that is given.

    They have an access token already; raises what google-auth raises where they get none.
    """
    made: Any = identity_pool.Credentials(
        audience=PREFIX + recording_storage["workload_identity_provider"],
        subject_token_type=TOKEN_TYPE,
        token_url=TOKEN_URL,
        subject_token_supplier=_Given(token),
        service_account_impersonation_url=IMPERSONATION_URL.format(email) if email else None,
        scopes=SCOPES,
    )
    made.refresh(REQUEST)
    return made


def client(recording_storage: dict[str, str], held: Any) -> storage.Client:
    """A client of Cloud Storage with the credentials `held`."""
    return storage.Client(project=recording_storage["project_id"], credentials=held)


def attempt(id_: str, title: str, carry_out: Callable[[], str]) -> Step:
    """The step that `carry_out` turns out to be."""
    try:
        return Step(id_, DONE, carry_out())
    except (GoogleAPIError, GoogleAuthError, HTTPError) as error:
        code, message = _said(error)
        return Step(
            id_, REFUSED if code in REFUSALS else BROKEN, title, ": ".join(filter(None, [code, message]))
        )
    except (RequestException, UnexpectedError) as error:
        return Step(id_, BROKEN, title, str(error))


def _said(error: Exception) -> tuple[str, str]:
    """What Google said: its code and its words, of an answer in any of its three forms."""
    response: Any = getattr(error, "response", None)
    # google-auth keeps the body of an answer behind its own words.
    body = response.text if response is not None else next(iter(error.args[1:]), "")
    code = "" if response is None else str(response.status_code)
    try:
        told = cast("dict[str, Any]", json.loads(body))
        if isinstance(told["error"], str):
            return told["error"], str(told.get("error_description", ""))
        return code or str(told["error"]["status"]), str(told["error"]["message"])
    except (ValueError, TypeError, LookupError):
        return code, str(error.args[0] if error.args else error)
