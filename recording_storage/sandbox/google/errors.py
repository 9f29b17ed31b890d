"""How Google refuses: as AIP-193 says (https://google.aip.dev/193), as Cloud Storage's JSON API does
(https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes), or as OAuth does (RFC 6749, 5.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Style: TypeAlias = Literal["aip", "storage"]

_STORAGE_REASONS: Mapping[str, str] = {
    "INVALID_ARGUMENT": "invalid",
    "FAILED_PRECONDITION": "conditionNotMet",
    "UNAUTHENTICATED": "required",
    "PERMISSION_DENIED": "forbidden",
    "NOT_FOUND": "notFound",
    "ALREADY_EXISTS": "conflict",
    "ABORTED": "conflict",
    "UNIMPLEMENTED": "notImplemented",
}
"""What the JSON API calls a status, where an error doesn't say so itself."""


class GoogleError(Exception):
    """A refusal, as a client of Google's would see it.

    `reason` is the JSON API's word for it, and OAuth's code of an `OAuthError`; `because` says for the journal what the
    message doesn't; `is_written` marks what is in the journal already.
    """

    def __init__(
        self,
        code: int,
        status: str,
        message: str,
        *,
        reason: str = "",
        details: Sequence[Mapping[str, Any]] = (),
        because: str = "",
        is_written: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.reason = reason or _STORAGE_REASONS.get(status, "invalid")
        self.details = details
        self.because = because or message
        self.is_written = is_written

    def to_json(self, style: Style) -> dict[str, Any]:
        """The answer's body."""
        said = {"code": self.code, "message": self.message}
        errors = {"errors": [{"domain": "global", "reason": self.reason, "message": self.message}]}
        if style == "storage":
            return {"error": said | errors}
        details = {"details": [dict(one) for one in self.details]} if self.details else {}
        # Older clients look for the reason in the older form, which stands beside the newer one.
        older = errors if self.details else {}
        return {"error": said | {"status": self.status} | older | details}


class OAuthError(GoogleError):
    """A token isn't given."""

    def __init__(self, error: str, description: str, *, because: str = "", code: int = 400) -> None:
        super().__init__(code, "INVALID_ARGUMENT", description, reason=error, because=because)

    def to_json(self, style: Style) -> dict[str, Any]:
        """The answer's body, the same everywhere."""
        del style
        return {"error": self.reason, "error_description": self.message}


def invalid(message: str, *, reason: str = "", because: str = "") -> GoogleError:
    """400: the request is wrong, whatever the state."""
    return GoogleError(400, "INVALID_ARGUMENT", message, reason=reason, because=because)


def failed_precondition(message: str, *, reason: str = "", because: str = "", code: int = 400) -> GoogleError:
    """400 (412 of the JSON API's preconditions): the request is wrong in this state."""
    return GoogleError(code, "FAILED_PRECONDITION", message, reason=reason, because=because)


def unauthenticated(message: str, *, reason: str = "", because: str = "", kind: str = "") -> GoogleError:
    """401: it isn't known who asks; `kind` is what `ErrorInfo` calls it."""
    details = [error_info(kind)] if kind else []
    return GoogleError(401, "UNAUTHENTICATED", message, reason=reason, because=because, details=details)


def forbidden(
    message: str,
    *,
    reason: str = "",
    because: str = "",
    details: Sequence[Mapping[str, Any]] = (),
    is_written: bool = False,
) -> GoogleError:
    """403: who asks may not."""
    return GoogleError(
        403,
        "PERMISSION_DENIED",
        message,
        reason=reason,
        because=because,
        details=details,
        is_written=is_written,
    )


def not_found(message: str, *, reason: str = "", because: str = "") -> GoogleError:
    """404: there is no such thing, or it is deleted."""
    return GoogleError(404, "NOT_FOUND", message, reason=reason, because=because)


def already_exists(message: str, *, reason: str = "", because: str = "") -> GoogleError:
    """409: its name is taken."""
    return GoogleError(409, "ALREADY_EXISTS", message, reason=reason, because=because)


def conflict(message: str, *, reason: str = "", because: str = "") -> GoogleError:
    """409: somebody else has changed it meanwhile."""
    return GoogleError(409, "ABORTED", message, reason=reason, because=because)


def error_info(reason: str, domain: str = "googleapis.com", **metadata: str) -> dict[str, Any]:
    """The detail from which clients tell the cause (https://google.aip.dev/193#errorinfo)."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": domain, "metadata": metadata}
