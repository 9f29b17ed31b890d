"""How blob storage refuses: a code, which is in a header too, and XML.

Sources: https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2,
https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes,
https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from recording_storage.sandbox.azure.errors import AzureError
from recording_storage.sandbox.azure.world import utc
from recording_storage.sandbox.rest import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recording_storage.sandbox.rest import Request

XML, REQUEST_ID = "application/xml", "x-ms-request-id"
_WHO = "Server failed to authenticate the request."
_SEE = f"{_WHO} Please refer to the information in the www-authenticate header."
_KNOWN: Mapping[str, tuple[int, str]] = {
    "AccountRequiresHttps": (400, "The account being accessed does not support http."),
    "AuthenticationFailed": (
        403,
        f"{_WHO} Make sure the value of Authorization header is formed correctly including the signature.",
    ),
    "AuthorizationFailure": (403, "This request is not authorized to perform this operation."),
    "AuthorizationPermissionMismatch": (
        403,
        "This request is not authorized to perform this operation using this permission.",
    ),
    "AuthorizationProtocolMismatch": (
        403,
        "This request is not authorized to perform this operation using this protocol.",
    ),
    "AuthorizationResourceTypeMismatch": (
        403,
        "This request is not authorized to perform this operation using this resource type.",
    ),
    "AuthorizationServiceMismatch": (
        403,
        "This request is not authorized to perform this operation using this service.",
    ),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "ConditionNotMet": (412, "The condition specified using HTTP conditional header(s) is not met."),
    "ContainerAlreadyExists": (409, "The specified container already exists."),
    "ContainerNotFound": (404, "The specified container does not exist."),
    "InvalidAuthenticationInfo": (401, _SEE),
    "InvalidHeaderValue": (400, "The value for one of the HTTP headers is not in the correct format."),
    "InvalidQueryParameterValue": (
        400,
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    "InvalidRange": (416, "The range specified is invalid for the current size of the resource."),
    "InvalidResourceName": (400, "The specified resource name contains invalid characters."),
    "InvalidUri": (400, "The requested URI does not represent any resource on the server."),
    "InvalidXmlDocument": (400, "XML specified is not syntactically valid."),
    "KeyBasedAuthenticationNotPermitted": (
        403,
        "Key based authentication is not permitted on this storage account.",
    ),
    "KeyVaultEncryptionKeyNotFound": (
        403,
        "The key vault key is not found to unwrap the encryption key.",
    ),
    "NoAuthenticationInformation": (401, _SEE),
    "OperationNotAllowedOnRootBlob": (403, "Operation not allowed on root blob."),
    "OutOfRangeInput": (400, "One of the request inputs is out of range."),
    "PublicAccessNotPermitted": (409, "Public access is not permitted on this storage account."),
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "UnauthorizedBlobOverwrite": (403, "This request is not authorized to perform blob overwrites."),
    "SnapshotsPresent": (409, "This operation is not permitted because the blob has snapshots."),
}


class StorageError(AzureError):
    """Blob storage refuses; `detail` is what it says beside the message of an authentication that failed."""

    def __init__(
        self,
        code: str,
        because: str = "",
        *,
        detail: str = "",
        headers: Sequence[tuple[str, str]] = (),
        is_written: bool = False,
    ) -> None:
        status, message = _KNOWN[code]
        super().__init__(
            status,
            code,
            message,
            because=because or detail or message,
            headers=headers,
            is_written=is_written,
        )
        self.detail = detail

    def to_response(self, request: Request) -> Response:
        """The answer."""
        del request
        now, named = utc(datetime.now(timezone.utc)), str(uuid.uuid4())
        detail = (
            f"<AuthenticationErrorDetail>{escape(self.detail)}</AuthenticationErrorDetail>"
            if self.detail
            else ""
        )
        body = (
            f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{self.code}</Code>'
            f"<Message>{escape(self.message)}\nRequestId:{named}\nTime:{now}</Message>{detail}</Error>"
        )
        headers = [("Content-Type", XML), ("x-ms-error-code", self.code), (REQUEST_ID, named), *self.headers]
        return Response(self.status, body.encode(), headers)
