"""Google's REST APIs as `verify` asks them: with the caller's own credentials, and what an error says.

The credentials are those that Google's libraries find (application default credentials), or a service account that they
impersonate. One session serves all threads, with as many connections as reads may be under way. What is throttled or
fails on Google's side is asked again by the session itself.

Sources: https://docs.cloud.google.com/docs/authentication/application-default-credentials,
https://google.aip.dev/193 (errors) and https://docs.cloud.google.com/storage/docs/retry-strategy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import google.auth
from google.auth import impersonated_credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.auth.transport.requests import AuthorizedSession, Request
from requests import RequestException, Session
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from recording_storage.verify.checks import NoCredentials, Unreadable
from recording_storage.verify.reads import AT_A_TIME
from recording_storage.verify.said import items, part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recording_storage.verify.reads import Reads

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
SECONDS = 30
RETRIES = Retry(
    total=4,
    backoff_factor=0.3,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=frozenset({"GET", "POST"}),
    respect_retry_after_header=True,
    raise_on_status=False,
)
"""Every request only reads, those that are POST as well."""


class Refused(Exception):  # noqa: N818 (an answer, not an error)
    """What an API answered instead: its HTTP code, status or reason, words and what they are about."""

    def __init__(self, code: int, kind: str, message: str, about: Mapping[str, str]) -> None:
        super().__init__(" ".join(filter(None, [str(code), kind, message])))
        self.code = code
        self.kind = kind
        self.message = message
        self.about = about

    @property
    def permission(self) -> str:
        """The permission that was missing, where the answer says so."""
        return self.about.get("permission", "")

    @property
    def disabled(self) -> tuple[str, str]:
        """The API that isn't enabled and where, as in `sts.googleapis.com` and `projects/123`; or nothing."""
        is_off = self.kind in ("SERVICE_DISABLED", "accessNotConfigured")
        return (self.about.get("service", ""), self.about.get("consumer", "")) if is_off else ("", "")


class Rest:
    """The APIs as one caller may ask them, from any thread."""

    def __init__(self, reads: Reads, credentials: Any, whom: str) -> None:
        self._reads = reads
        self._credentials = credentials
        self._whom = whom
        self._session: Any = AuthorizedSession(credentials)
        self._session.mount("https://", _adapter())

    def call(self, permission: str, method: str, url: str, body: object = None, **query: object) -> Any:
        """Ask, and read the answer. Raises `Refused`; `Unreadable`, for want of `permission`, where there is none."""
        self._reads.once(("gcs", "token", self._whom), self._reads.call, self._log_in).result()
        try:
            answer: Any = self._reads.call(
                self._session.request, method, url, json=body, params=query, timeout=SECONDS
            )
            if answer.ok:
                return answer.json() if answer.content else {}
        except (GoogleAuthError, RequestException, ValueError) as error:
            raise Unreadable("", f"{method} {_short(url)}: {error}", _AGAIN) from None
        raise refused(answer.status_code, answer.text, _short(url), permission)

    def pages(self, permission: str, url: str, field: str, **query: object) -> list[dict[str, Any]]:
        """All items of a list."""
        return list(self._items(permission, url, field, query))

    def _items(
        self, permission: str, url: str, field: str, query: Mapping[str, object]
    ) -> Iterator[dict[str, Any]]:
        more: dict[str, object] = {}
        while True:
            page = self.call(permission, "GET", url, **query, **more)
            yield from items(page, field)
            if not page.get("nextPageToken"):
                return
            more = {"pageToken": page["nextPageToken"]}

    def _log_in(self) -> None:
        """Get a token, once, so that threads share it."""
        try:
            self._credentials.refresh(Request(plain_session()))
        except GoogleAuthError as error:
            mend = "log in again: gcloud auth application-default login"
            if self._whom:
                mend = f"let the caller impersonate {self._whom}: roles/iam.serviceAccountTokenCreator on it"
            permission = "iam.serviceAccounts.getAccessToken" if self._whom else ""
            raise Unreadable(permission, f"no access token: {_said(error)}", mend) from None


def connect(reads: Reads, impersonated: str) -> Rest:
    """The APIs with the caller's credentials, or as a service account; raises `NoCredentials`."""
    try:
        found: Any = cast("Any", google.auth).default(SCOPES)[0]
    except DefaultCredentialsError as error:
        message = "Google Cloud: log in with `gcloud auth application-default login`"
        raise NoCredentials(f"{message} ({str(error).splitlines()[0]})") from None
    if impersonated:
        found = impersonated_credentials.Credentials(found, impersonated, list(SCOPES))
    return Rest(reads, found, impersonated)


def plain_session() -> Session:
    """A session without credentials, for what is published."""
    made = Session()
    made.mount("https://", _adapter(Retry(total=1, backoff_factor=0.3)))
    return made


def _adapter(retries: Retry = RETRIES) -> HTTPAdapter:
    return HTTPAdapter(pool_connections=16, pool_maxsize=AT_A_TIME, max_retries=retries)


def refused(code: int, text: str, what: str, permission: str) -> Refused:
    """The error that an answer is: AIP-193's has a status and details, Cloud Storage's a reason, a proxy's neither."""
    try:
        error: dict[str, Any] = json.loads(text)["error"]
        details = [one for one in items(error, "details") if str(one.get("@type", "")).endswith("ErrorInfo")]
        info: dict[str, Any] = details[0] if details else {}
        reasons = [str(one.get("reason", "")) for one in items(error, "errors")]
        kind = info.get("reason") or error.get("status") or next(iter(reasons), "")
        about = {"permission": permission} | {
            key: str(value) for key, value in part(info, "metadata").items()
        }
        return Refused(code, str(kind), str(error["message"]), about)
    except (ValueError, LookupError, TypeError, AttributeError):
        return Refused(code, "", f"{what}: {text.strip()[:200]}", {"permission": permission})


_AGAIN = "see whether this machine reaches Google's APIs, and ask again"


def _short(url: str) -> str:
    return url.removeprefix("https://")


def _said(error: GoogleAuthError) -> str:
    """What Google said: google-auth carries the answer's body behind its own words, in either of two forms."""
    words = str(error.args[0] if error.args else error)
    body = next((one for one in error.args[1:] if isinstance(one, str)), "")
    try:
        found: Any = json.loads(body)["error"]
        return f"{words}: {found['message']}" if isinstance(found, dict) else words
    except (ValueError, LookupError, TypeError):
        return words
