"""The AWS stand-in: a gate that decides as AWS would, in front of moto, which carries out what was allowed.

Each request is authenticated (its signature), judged (every policy that AWS would consult) and only then handed
on. moto's own authorisation is off: it looks roles up in the caller's account, passes conditions that it
doesn't know, and reads bucket policies without their conditions.

Leaves out resource control policies (RCP), VPC endpoint policies, ACLs that grant something, and access points.
Of S3 Object Lock it has a bucket's default retention only. What it can't judge is answered with 501 and kept in the
journal as undecided.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from recording_storage.evaluation.aws.conditions import Undecidable
from recording_storage.sandbox.aws import cloud, iam_access, object_lock, simulator, sts_access, web_identity
from recording_storage.sandbox.aws.backend import Answer, Backend
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.http import HttpRequest
from recording_storage.sandbox.aws.kms_access import KmsAccess
from recording_storage.sandbox.aws.operations import CREATE_BUCKET, operation_of, without
from recording_storage.sandbox.aws.payload import check_hash, unpacked
from recording_storage.sandbox.aws.s3_access import S3Access
from recording_storage.sandbox.aws.s3_encryption import ObjectEncryption
from recording_storage.sandbox.aws.signature import Claim, claim_of, verify
from recording_storage.sandbox.journal import Journal, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from recording_storage.sandbox.aws.operations import Needed
    from recording_storage.sandbox.issuer import Issuers

ANONYMOUS = "anonymous"
GLOBAL_REGION = "us-east-1"
QUERY_HOST = re.compile(r"(?P<service>sts|iam|kms)(?:\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com")


class Gate:
    """A WSGI application for every host of S3, IAM, STS and KMS.

    One request is judged and carried out at a time, so that a decision is still true when it is acted upon, and
    because moto isn't made for threads.
    """

    def __init__(self, journal: Journal, issuers: Issuers) -> None:
        self._journal = journal
        self._issuers = issuers
        self._backend = Backend()
        self._turn = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request as AWS would."""
        case = _Case(HttpRequest.read(environ), self._journal)
        with self._turn:
            try:
                answer = self._decide(case)
            except AwsError as refused:
                answer = case.refuse(refused)
            except Undecidable as undecidable:
                answer = case.refuse(AwsError.undecided(str(undecidable)))
            except Exception as failure:
                answer = case.refuse(AwsError.undecided(f"{case.what}: {failure!r}"))
        start_response(f"{answer.status} {'OK' if answer.status < 300 else 'Error'}", answer.headers)
        return [b"" if case.request.method == "HEAD" else answer.body]

    def _decide(self, case: _Case) -> Answer:
        caller, claim = case.authenticate()
        if case.service == "s3":
            return self._s3(case, caller, claim)
        if case.service == "sts" and web_identity.is_asked(case.request):
            return self._web_identity(case)
        if caller is None or claim is None:
            raise AwsError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        if claim.region != case.region:
            raise AwsError(
                403, "SignatureDoesNotMatch", f"Credential should be scoped to a valid region: {case.region}."
            )
        if case.service == "kms":
            return self._kms(case, caller, claim)
        if case.service == "sts":
            case.what, case.where = sts_access.named(case.request)
            reason = sts_access.judge(case.what, case.request, caller, case.region)
        else:
            case.what, case.where = iam_access.named(case.request, caller)
            reason = iam_access.judge(case.what, case.where, case.request, caller)
        answer = simulator.answered(case.what, case.request, caller) or self._backend.carry_out(
            case.service, case.request, caller.principal.account, claim
        )
        case.write(Outcome.ALLOWED, reason)
        return answer

    def _web_identity(self, case: _Case) -> Answer:
        case.who = web_identity.who(case.request)
        case.what, case.where = sts_access.named(case.request)
        reason = web_identity.judge(case.request, self._issuers, case.region)
        answer = self._backend.carry_out("sts", case.request, case.where.split(":")[4], None)
        case.write(Outcome.ALLOWED, reason)
        return answer

    def _kms(self, case: _Case, caller: cloud.Caller, claim: Claim) -> Answer:
        access = KmsAccess(case.request, caller, case.region)
        case.what = access.action
        case.where = access.resource
        reason = access.judge()
        answer = access.answered() or self._backend.carry_out("kms", access.forwarded, access.account, claim)
        case.write(Outcome.ALLOWED, reason)
        return access.finished(answer)

    def _s3(self, case: _Case, caller: cloud.Caller | None, claim: Claim | None) -> Answer:
        request = case.request = unpacked(case.request)
        operation = operation_of(request)
        case.what, case.where = operation.action, operation.needs[0].resource
        access = S3Access(operation, request, caller, claim)
        encryption = ObjectEncryption(operation, request, caller)
        reason = " and ".join([access.judge(), *encryption.judge()])
        object_lock.check(operation, request)
        refused = access.refused() if operation.one_by_one else {}
        account = access.account
        is_new = operation.action == CREATE_BUCKET and cloud.bucket(operation.bucket) is None
        if len(refused) == len(operation.needs):
            answer = Answer(200, [("Content-Type", "application/xml")], _NOTHING_DELETED)
        else:
            asked = without(request, refused) if refused else encryption.settled
            answer = object_lock.answered(operation, request) or self._backend.carry_out(
                "s3", asked, account, claim
            )
        answer = encryption.remembered(answer)
        if is_new and answer.status == 200:
            cloud.dress_new_bucket(operation.bucket)
        if answer.status == 404:
            access.hide_missing_key()
        for need in operation.needs if operation.one_by_one else ():
            outcome = Outcome.REFUSED if need in refused else Outcome.ALLOWED
            case.what, case.where = need.action, need.resource
            case.write(outcome, refused[need].reason if need in refused else reason)
        if not operation.one_by_one:
            case.write(Outcome.ALLOWED, reason)
        return _with_errors(answer, refused) if refused else answer


class _Case:
    """One request on its way through the gate: who wants what, as far as it is known."""

    def __init__(self, request: HttpRequest, journal: Journal) -> None:
        host = QUERY_HOST.fullmatch(request.host.partition(":")[0])
        self.request = request
        self.service = host["service"] if host else "s3"
        self.region = (host["region"] if host else None) or GLOBAL_REGION
        self.who = ANONYMOUS
        self.what = f"{self.service}:{request.method}"
        self.where = request.host
        self._journal = journal

    def authenticate(self) -> tuple[cloud.Caller | None, Claim | None]:
        """Find out who sent the request; raises `AwsError` for whom AWS wouldn't believe."""
        request, s3 = self.request, self.service == "s3"
        claim = claim_of(request, self.service)
        if claim is None:
            return None, None
        self.who = f"access key {claim.access_key_id}"
        caller = cloud.caller(claim.access_key_id)
        if caller is None:
            code = "InvalidAccessKeyId" if s3 else "InvalidClientTokenId"
            raise AwsError(403, code, "The AWS access key Id you provided does not exist in our records.")
        self.who = caller.principal.arn
        if claim.token != caller.session_token:
            code = "InvalidToken" if s3 else "InvalidClientTokenId"
            raise AwsError(400 if s3 else 403, code, "The provided token is malformed or otherwise invalid.")
        now = datetime.now(timezone.utc)
        verify(request, claim, self.service, caller.secret_access_key, now)
        if s3:
            check_hash(request)
        if caller.expiration is not None and now >= caller.expiration:
            raise AwsError(400 if s3 else 403, "ExpiredToken", "The provided token has expired.")
        return caller, claim

    def write(self, outcome: Outcome, reason: str) -> None:
        """Keep a decision."""
        self._journal.write(outcome, who=self.who, what=self.what, resource=self.where, reason=reason)

    def refuse(self, error: AwsError) -> Answer:
        """Keep a refusal, or that there was no decision, and answer accordingly."""
        self.write(Outcome.UNDECIDED if error.is_undecided else Outcome.REFUSED, error.reason)
        if self.service == "kms":
            return Answer(*error.in_json())
        headers = [("Content-Type", "application/xml"), *error.headers]
        return Answer(error.status, headers, error.body(self.service))


_RESULT_END = b"</DeleteResult>"
_NOTHING_DELETED = b'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult>' + _RESULT_END


def _with_errors(answer: Answer, refused: dict[Needed, AwsError]) -> Answer:
    """Tell beside what was deleted what wasn't, as S3 does: within an answer that says 200."""
    errors = "".join(
        f"<Error><Key>{escape(need.key)}</Key>"
        + (f"<VersionId>{escape(need.version)}</VersionId>" if need.version else "")
        + f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        for need, error in refused.items()
    )
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    return replace(
        answer, headers=headers, body=answer.body.replace(_RESULT_END, errors.encode() + _RESULT_END)
    )
