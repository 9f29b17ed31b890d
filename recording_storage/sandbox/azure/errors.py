"""How Azure refuses: as Resource Manager does, as Microsoft Graph does, or as Entra's token endpoint does.

Sources: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors,
https://learn.microsoft.com/graph/errors, https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.rest import JSON, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recording_storage.sandbox.rest import Request


class AzureError(Exception):
    """A refusal, as a client of Azure's would see it.

    `because` says for the journal what the message doesn't; `is_written` marks what is in the journal already.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        because: str = "",
        is_written: bool = False,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.because = because or message
        self.is_written = is_written
        self.headers = headers

    def to_json(self, request: Request) -> dict[str, Any]:
        """The answer's body."""
        del request
        return {"error": {"code": self.code, "message": self.message}}

    def to_response(self, request: Request) -> Response:
        """The answer."""
        body = json.dumps(self.to_json(request)).encode()
        return Response(self.status, body, [("Content-Type", JSON), *self.headers])


class ArmError(AzureError):
    """Resource Manager refuses; `x-ms-failure-cause` tells clients who did."""

    def to_response(self, request: Request) -> Response:
        """The answer."""
        found = super().to_response(request)
        found.headers.append(("x-ms-failure-cause", "gateway"))
        return found


class GraphError(AzureError):
    """Microsoft Graph refuses."""

    def to_json(self, request: Request) -> dict[str, Any]:
        """The answer's body."""
        said = str(uuid.uuid4())
        inner = {
            "date": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S}",
            "request-id": said,
            "client-request-id": request.headers.get("client-request-id", said),
        }
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


class EntraError(AzureError):
    """A token isn't given; `number` is Entra's own code, as in AADSTS700213, `error` is OAuth's."""

    def __init__(
        self, number: int, error: str, description: str, *, because: str = "", status: int | None = None
    ) -> None:
        self.number = number
        usual = 401 if error == "invalid_client" else 400
        super().__init__(
            status or usual, error, f"AADSTS{number}: {description}", because=because or description
        )

    def to_json(self, request: Request) -> dict[str, Any]:
        """The answer's body."""
        trace = str(uuid.uuid4())
        correlation = request.headers.get("client-request-id") or str(uuid.uuid4())
        now = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%SZ}"
        trail = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}"
        return {
            "error": self.code,
            "error_description": f"{self.message} {trail}",
            "error_codes": [self.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
