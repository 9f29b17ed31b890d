"""How AWS refuses: a status, a code and a message, in the XML of S3 or of the query services, or in KMS's JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_CODES: Mapping[str, str] = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "ExpiredToken": "ExpiredTokenException",
}
"""What the query services call a failed authentication, and the services that speak JSON."""


class AwsError(Exception):
    """A refusal, as a client of AWS would see it.

    `reason` says for the journal what the message doesn't; `is_undecided` marks what the stand-in can't judge;
    `headers` go with the answer; `region` is the one that S3 expects.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        reason: str | None = None,
        is_undecided: bool = False,
        headers: tuple[tuple[str, str], ...] = (),
        region: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.reason = reason or message
        self.is_undecided = is_undecided
        self.headers = headers
        self.region = region

    @classmethod
    def undecided(cls, what: str) -> AwsError:
        """The stand-in can't judge `what`: neither allowed nor refused, and whoever waits for it is told."""
        reason = f"the stand-in can't judge {what}"
        return cls(
            501, "NotImplemented", f"recording-storage sandbox: {reason}", reason=reason, is_undecided=True
        )

    def in_json(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body of this error as KMS sends it."""
        code = JSON_CODES.get(self.code, self.code)
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
        body = json.dumps({"__type": code, "message": self.message}).encode()
        return self.status if self.is_undecided else 400, headers, body

    def body(self, service: str) -> bytes:
        """The XML of this error as `service` (`s3`, or a query service) sends it."""
        code, message = escape(self.code), escape(self.message)
        if service == "s3":
            region = f"<Region>{self.region}</Region>" if self.region else ""
            text = (
                '<?xml version="1.0" encoding="UTF-8"?>\n'
                f"<Error><Code>{code}</Code><Message>{message}</Message>{region}<RequestId>SANDBOX</RequestId></Error>"
            )
        else:
            fault = "Sender" if self.status < 500 else "Receiver"
            text = (
                f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                "<RequestId>SANDBOX</RequestId></ErrorResponse>"
            )
        return text.encode()
