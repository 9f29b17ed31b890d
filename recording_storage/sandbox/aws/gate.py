"""The AWS stand-in: a gate that decides as AWS would, in front of moto, which carries out what was allowed.

Each request is authenticated (its signature), judged (every policy that AWS would consult) and only then handed
on. moto's own authorisation is off: it looks roles up in the caller's account, passes conditions that it
doesn't know, and reads bucket policies without their conditions.

Leaves out organisation policies (SCP, RCP), VPC endpoint policies, ACLs that grant something, S3 Object Lock,
access points, and KMS. What it can't judge is answered with 501 and kept in the journal as undecided.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from recording_storage.sandbox.aws import cloud, iam_access, s3_access
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.http import HttpRequest
from recording_storage.sandbox.aws.operations import CREATE_BUCKET, operation_of
from recording_storage.sandbox.aws.policy import Undecidable
from recording_storage.sandbox.aws.signature import Claim, claim_of, verify
from recording_storage.sandbox.journal import Journal, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIEnvironment

    Headers = list[tuple[str, str]]


class Gate:
    """A WSGI application for every host of S3, IAM and STS."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        cloud.trust_the_gate()
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = HttpRequest.read(environ)
        service = service_of(request.host)
        answer = _Answer(self._moto)
        entry = _Entry(what=f"{service}:{request.method}", where=request.host)
        try:
            reason = _judge(service, request, entry, carry_out=lambda: answer.ask(environ))
        except Undecidable as undecidable:
            error = AwsError.undecided(str(undecidable))
        except AwsError as refused:
            error = refused
        else:
            self._write(entry, Outcome.ALLOWED, reason)
            start_response(answer.status, answer.headers)
            return [answer.body]
        self._write(entry, Outcome.UNDECIDED if error.is_undecided else Outcome.REFUSED, error.reason)
        start_response(f"{error.status} {error.code}", [("Content-Type", "application/xml"), *error.headers])
        return [] if request.method == "HEAD" else [error.body(service)]

    def _write(self, entry: _Entry, outcome: Outcome, reason: str) -> None:
        self._journal.write(outcome, who=entry.who, what=entry.what, resource=entry.where, reason=reason)


class _Entry:
    """Who wants what, as far as it is known when the decision falls."""

    def __init__(self, what: str, where: str) -> None:
        self.who = "anonymous"
        self.what = what
        self.where = where


def service_of(host: str) -> str:
    """`s3`, `iam` or `sts`, from a real host name of AWS."""
    service = re.match(r"(sts|iam)\.", host)
    return service[1] if service else "s3"


def _judge(service: str, request: HttpRequest, entry: _Entry, carry_out: Callable[[], int]) -> str:
    caller, claim = _authenticate(service, request)
    entry.who = caller.principal.arn if caller else entry.who
    if service != "s3":
        entry.what, entry.where = iam_access.named(service, request, caller)
        reason = iam_access.judge(entry.what, entry.where, request, caller)
        carry_out()
        return reason
    operation = operation_of(request)
    entry.what, entry.where = operation.action, operation.needs[0].resource
    reason = s3_access.judge(operation, request, caller, claim)
    status = carry_out()
    if operation.action == CREATE_BUCKET and status == 200:
        cloud.dress_new_bucket(operation.bucket)
    if operation.key and status == 404:
        s3_access.hide_missing_key(operation, request, caller, claim)
    return reason


def _authenticate(service: str, request: HttpRequest) -> tuple[cloud.Caller | None, Claim | None]:
    claim = claim_of(request)
    if claim is None:
        return None, None
    s3 = service == "s3"
    caller = cloud.caller(claim.access_key_id)
    if caller is None:
        code = "InvalidAccessKeyId" if s3 else "InvalidClientTokenId"
        raise AwsError(403, code, "The AWS access key Id you provided does not exist in our records.")
    if claim.token != caller.session_token:
        code = "InvalidToken" if s3 else "InvalidClientTokenId"
        raise AwsError(400 if s3 else 403, code, "The provided token is malformed or otherwise invalid.")
    now = datetime.now(timezone.utc)
    verify(request, claim, caller.secret_access_key, now)
    if caller.expiration is not None and now >= caller.expiration:
        raise AwsError(400 if s3 else 403, "ExpiredToken", "The provided token has expired.")
    return caller, claim


class _Answer:
    """What moto says to a request that was allowed."""

    def __init__(self, moto: DomainDispatcherApplication) -> None:
        self._moto = moto
        self.status = "200 OK"
        self.headers: Headers = []
        self.body = b""

    def ask(self, environ: WSGIEnvironment) -> int:
        """Have moto carry the request out; its status. What moto can't do is undecided."""
        try:
            self.body = b"".join(self._moto(environ, self._start))
        except Exception as failure:
            raise AwsError.undecided(
                f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}: {failure!r}"
            ) from failure
        status = int(self.status.split()[0])
        if status >= 500:
            raise AwsError.undecided(f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}: {self.body[:200]!r}")
        return status

    def _start(
        self,
        status: str,
        headers: Headers,
        exc_info: tuple[type[BaseException], BaseException, TracebackType] | None = None,
    ) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return lambda _: None
