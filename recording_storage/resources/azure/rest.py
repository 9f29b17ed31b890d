"""An API of Microsoft's: how it is asked, what an error says, and what takes longer.

Sources: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations,
https://learn.microsoft.com/graph/errors. Leaves out trying again: what isn't replicated yet is an error.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any, Protocol

import requests

from recording_storage.resources.azure.login import TIMEOUT_SECONDS

PATIENCE_SECONDS = 600.0
PAUSE_SECONDS = 1.0
FAILED = ("Failed", "Canceled")


class ApiError(Exception):
    """What an API refused: which call, its HTTP status, and Microsoft's own words."""

    def __init__(self, what: str, status: int, code: str, message: str) -> None:
        super().__init__(f"{what}: {' '.join(filter(None, [str(status or ''), code]))}: {message}")
        self.status = status


class Login(Protocol):
    """As whom an API is asked."""

    def token(self, scope: str) -> str:
        """A token for `scope` that isn't about to expire."""
        ...


class Api:
    """An API as one login lets it be asked, from any thread; `session`: one that is safe to share, or one a thread."""

    def __init__(self, base: str, login: Login, scope: str, session: requests.Session | None = None) -> None:
        self._base = base
        self._login = login
        self._scope = scope
        self._shared = session
        self._threads = threading.local()
        login.token(scope)

    @property
    def claims(self) -> dict[str, Any]:
        """What the token in use says of whom it is for; Entra has signed it, so that isn't checked again."""
        body = self._login.token(self._scope).split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    def call(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """Ask, wait until it is done, and read the answer; raises `ApiError`."""
        what = f"{method} {_short(path)}"
        answer = self._done(what, self._send(what, method, self._base + path, body, query))
        return answer.json() if answer.content else {}

    def find(self, path: str, **query: str) -> dict[str, Any] | None:
        """What is there, or None."""
        try:
            return self.call("GET", path, **query)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def pages(self, path: str, **query: str) -> list[dict[str, Any]]:
        """What a list has, on all of its pages: Resource Manager and Graph name the next one's address."""
        said = self.call("GET", path, **query)
        found: list[dict[str, Any]] = list(said.get("value") or ())
        while said.get("nextLink") or said.get("@odata.nextLink"):
            place = str(said.get("nextLink") or said["@odata.nextLink"])
            if not place.startswith(f"{self._base}/"):
                raise ApiError(
                    f"GET {_short(path)}", 0, "", f"it goes on at {place}, where the token isn't shown"
                )
            said = self.call("GET", place.removeprefix(self._base))
            found += said.get("value") or ()
        return found

    def remove(self, path: str, **query: str) -> None:
        """Delete what may be gone already."""
        try:
            self.call("DELETE", path, **query)
        except ApiError as error:
            if error.status != 404:
                raise

    def _send(self, what: str, method: str, url: str, body: Any, query: dict[str, str]) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._login.token(self._scope)}"}
        answer = self._session.request(
            method, url, json=body, params=query, headers=headers, timeout=TIMEOUT_SECONDS
        )
        if not answer.ok:
            raise _refused(what, answer)
        return answer

    def _done(self, what: str, answer: requests.Response) -> requests.Response:
        """The last answer to what may have only been begun."""
        status, place = answer.headers.get("Azure-AsyncOperation"), ""
        until = time.monotonic() + PATIENCE_SECONDS
        while status or answer.status_code == requests.codes.accepted:
            place = status or answer.headers.get("Location") or place
            if not place:
                return answer  # nobody says where to ask
            if not place.startswith(f"{self._base}/"):
                raise ApiError(what, 0, "", f"it goes on at {place}, where the token isn't shown")
            if time.monotonic() > until:
                raise TimeoutError(f"{what}: it isn't done after {PATIENCE_SECONDS:.0f} s")
            time.sleep(_pause(answer))
            answer = self._send(what, "GET", place, None, {})
            if status:
                status = _status(what, answer.json()) and status
        return answer

    @property
    def _session(self) -> requests.Session:
        """One for each thread, where none is shared."""
        if self._shared is not None:
            return self._shared
        if not hasattr(self._threads, "session"):
            self._threads.session = requests.Session()
        return self._threads.session


def _status(what: str, said: dict[str, Any]) -> bool:
    """Whether an operation goes on; raises `ApiError` where it has failed."""
    if said.get("status") in FAILED:
        error: dict[str, Any] = said.get("error") or {}
        raise ApiError(what, 0, str(error.get("code", said["status"])), str(error.get("message", "")))
    return said.get("status") != "Succeeded"


def _pause(answer: requests.Response) -> float:
    """How long to wait before asking again, in seconds."""
    precise = answer.headers.get("x-ms-retry-after-ms")
    if precise:
        return float(precise) / 1000
    plain = answer.headers.get("Retry-After", "")
    return float(plain) if plain.isdigit() else PAUSE_SECONDS


def _refused(what: str, answer: requests.Response) -> ApiError:
    """The error that an answer is; a proxy's isn't in JSON."""
    try:
        error: dict[str, Any] = answer.json()["error"]
        return ApiError(what, answer.status_code, str(error["code"]), str(error["message"]))
    except (ValueError, LookupError, TypeError):
        return ApiError(what, answer.status_code, "", answer.text.strip())


def _short(path: str) -> str:
    """The end of a path, which says what it is about."""
    parts = path.split("/")
    return path if len(parts) <= 3 else f"…/{'/'.join(parts[-2:])}"
