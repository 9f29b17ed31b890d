"""Google's REST APIs for a provider's configuration: who asks, how it is asked, and what an error says.

The credentials are those that Google's own libraries find (application default credentials), or a service account
that they impersonate. Leaves out the configuration's `credentials`, `accessToken`, quota projects and endpoints.
Source: https://www.pulumi.com/registry/packages/gcp/installation-configuration/
"""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import google.auth
from google.auth import impersonated_credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.resources import Properties

SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")
PROJECT_VARIABLES = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
ATTRIBUTION = {"goog-pulumi-provisioned": "true"}
"""The label that the provider gives what it makes, unless it is told not to."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 5.0
PATIENCE_SECONDS = 120.0


class ApiError(Exception):
    """What an API refused: which call, its HTTP code, and Google's own words."""

    def __init__(self, what: str, code: int, kind: str, message: str) -> None:
        super().__init__(f"{what}: {' '.join(filter(None, [str(code or ''), kind]))}: {message}")
        self.code = code


class Clients:
    """The APIs as one provider's configuration lets them be asked, from any thread."""

    def __init__(self, config: Properties) -> None:
        self.project = str(config.get("project") or _first(PROJECT_VARIABLES))
        self.deletion_policy = str(config.get("deletionPolicy") or "DELETE")
        self.default_labels = cast("dict[str, str]", _decoded(config.get("defaultLabels")) or {})
        self.attribution = {} if _decoded(config.get("addPulumiAttributionLabel")) is False else ATTRIBUTION
        self.region, self.zone = str(config.get("region") or ""), str(config.get("zone") or "")
        self._credentials = _credentials(config)
        self._threads = threading.local()
        self._locks: dict[str, threading.Lock] = {}
        self._locking = threading.Lock()

    @property
    def token(self) -> str:
        """The access token in use."""
        return str(self._credentials.token)

    def project_of(self, inputs: Properties) -> str:
        """The project that a resource says, or the configuration."""
        project = str(inputs.get("project") or self.project)
        if not project:
            raise ValueError("project: required field is not set")
        return project

    def call(self, method: str, url: str, body: object = None, **query: object) -> dict[str, Any]:
        """Ask, and read the answer; raises `ApiError`."""
        answer: Any = cast("Any", self._session).request(method, url, json=body, params=query)
        if answer.ok:
            return answer.json() if answer.content else {}
        raise _refused(f"{method} {url.partition('googleapis.com/')[2]}", answer.status_code, answer.text)

    def find(self, url: str, **query: object) -> dict[str, Any] | None:
        """What is there, or None."""
        try:
            return self.call("GET", url, **query)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def remove(self, url: str, **query: object) -> dict[str, Any]:
        """Delete what may be gone already."""
        try:
            return self.call("DELETE", url, **query)
        except ApiError as error:
            if error.code == 404:
                return {"done": True}
            raise

    def pages(self, url: str, **query: object) -> Iterator[dict[str, Any]]:
        """Every page of a list."""
        page = self.call("GET", url, **query)
        yield page
        while page.get("nextPageToken"):
            page = self.call("GET", url, **query, pageToken=page["nextPageToken"])
            yield page

    def wait(self, api: str, operation: dict[str, Any], what: str) -> None:
        """Wait until a long-running operation of an API is done; raises `ApiError` where it failed."""
        turns = pauses(f"{what}: it isn't done")
        while not operation.get("done"):
            next(turns)
            operation = self.call("GET", f"{api}{operation['name']}")
        if "error" in operation:
            raise ApiError(what, 0, "", str(operation["error"].get("message")))

    def alone(self, resource: str) -> threading.Lock:
        """The lock of who changes a resource's policy: one's own threads needn't run into conflicts."""
        with self._locking:
            return self._locks.setdefault(resource, threading.Lock())

    @property
    def _session(self) -> AuthorizedSession:
        """One for each thread: it isn't said to be safe to share, as the credentials are once they have a token."""
        if not hasattr(self._threads, "session"):
            self._threads.session = AuthorizedSession(self._credentials)
        return self._threads.session


def pauses(failure: str) -> Iterator[None]:
    """Turns of an attempt, with growing pauses between them; raises `TimeoutError` once it has taken too long."""
    until, pause = time.monotonic() + PATIENCE_SECONDS, FIRST_PAUSE_SECONDS
    while time.monotonic() < until:
        yield
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    raise TimeoutError(f"{failure} after {PATIENCE_SECONDS:.0f} s")


def _credentials(config: Properties) -> Any:
    """Credentials that have a token already, so that threads can share them; raises where there are none."""
    found: Any = cast("Any", google.auth).default(SCOPES)[0]
    whom = config.get("impersonateServiceAccount") or os.environ.get("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT")
    if whom:
        delegates = _decoded(config.get("impersonateServiceAccountDelegates"))
        found = impersonated_credentials.Credentials(found, str(whom), list(SCOPES), delegates=delegates)
    try:
        found.refresh(Request())
    except GoogleAuthError as error:
        what = f"impersonate {whom}" if whom else "credentials"
        raise PermissionError(f"{what}: {_said(error)}") from error
    return found


def _said(error: GoogleAuthError) -> str:
    """What Google said, of an error that carries the answer's body behind its own words."""
    body = next((one for one in error.args[1:] if isinstance(one, str)), "")
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return str(error.args[0] if error.args else error)


def _refused(what: str, code: int, text: str) -> ApiError:
    """The error that an answer is: AIP-193's has a status, Cloud Storage's a reason, a proxy's neither."""
    try:
        error: dict[str, Any] = json.loads(text)["error"]
        kind = error.get("status") or next((one["reason"] for one in error.get("errors", [])), "")
        return ApiError(what, code, str(kind), str(error["message"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        return ApiError(what, code, "", text.strip())


def _decoded(value: object) -> Any:
    """Provider configuration arrives with what isn't text as JSON text."""
    return json.loads(value) if isinstance(value, str) and value else value


def _first(variables: tuple[str, ...]) -> str:
    return next((os.environ[name] for name in variables if os.environ.get(name)), "")
