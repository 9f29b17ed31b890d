"""One permission, judged: the caller's policies and the resource's, gathered and put to the evaluator."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from recording_storage.evaluation.aws.conditions import MalformedPolicy
from recording_storage.evaluation.aws.document import parse
from recording_storage.evaluation.aws.policy import Policies, Principal, Request, decide
from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from recording_storage.evaluation.aws.document import Document, Kind, Statement
    from recording_storage.evaluation.aws.policy import Decision, Grant
    from recording_storage.sandbox.aws.cloud import Caller
    from recording_storage.sandbox.aws.http import HttpRequest

    Refusal = Callable[[Principal, str, str, str], AwsError]

# What depends on where a caller is, on whom its account belongs to, or on tags: nobody knows it here.
UNKNOWN_KEYS = frozenset(
    [
        "aws:sourceip",
        "aws:vpcsourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourcevpcarn",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:resourceorgid",
        "aws:resourceorgpaths",
        "aws:principaltag/",
        "aws:resourcetag/",
        "aws:requesttag/",
        "aws:tagkeys",
        "iam:resourcetag/",
        "s3:buckettag/",
        "s3:existingobjecttag/",
        "s3:requestobjecttag/",
        "s3:requestobjecttagkeys",
        "s3:locationconstraint",
        "s3:signatureage",
        "s3:object-lock-mode",
        "s3:object-lock-retain-until-date",
        "s3:object-lock-legal-hold",
        "s3:object-lock-remaining-retention-days",
        "s3:objectcreationoperation",
        "aws:referer",
    ]
)


def permit(
    caller: Caller | None,
    *,
    action: str,
    resource: str,
    account: str,
    context: Mapping[str, str],
    refusal: Refusal,
    resource_policy: str | None = None,
    kind: Kind = "resource",
) -> str:
    """Give the reason why AWS allows `action` on `resource` of `account`.

    Raises the `AwsError` that `refusal` makes where AWS refuses, and `Undecidable` where nobody can say.
    """
    decision = decided(
        caller,
        action=action,
        resource=resource,
        account=account,
        context={key: (value,) for key, value in context.items()},
        resource_policy=resource_policy,
        kind=kind,
    )
    if not decision.allowed:
        principal = caller.principal if caller else Principal.anonymous()
        raise refusal(principal, action, resource, decision.reason)
    return decision.reason


def decided(
    caller: Caller | None,
    *,
    action: str,
    resource: str,
    account: str,
    context: Mapping[str, Sequence[str]],
    unknown: frozenset[str] = frozenset(),
    resource_policy: str | None = None,
    kind: Kind = "resource",
    grants: Sequence[Grant] = (),
) -> Decision:
    """Put one permission to the evaluator; `unknown` adds to the condition keys that nobody knows here."""
    return decide(
        Request(
            principal=caller.principal if caller else Principal.anonymous(),
            action=action,
            resource=resource,
            resource_account=account,
            context=context,
            unknown=UNKNOWN_KEYS | unknown,
        ),
        Policies(
            identity=[parse(text, "identity") for text in caller.identity] if caller else [],
            boundary=parse(caller.boundary, "identity") if caller and caller.boundary else None,
            session=[parse(caller.session, "identity")] if caller and caller.session else None,
            organisation=[[parse(text, "identity")] for text in caller.organisation] if caller else [],
            resource=parse(resource_policy, kind) if resource_policy else None,
            grants=grants,
        ),
    )


def well_formed(text: str, kind: Kind, code: str) -> Document:
    """Read the document, or refuse as AWS does (with `code`) one that isn't a policy."""
    try:
        return parse(text, kind)
    except MalformedPolicy as malformed:
        raise AwsError(400, code, str(malformed)) from None


def named_principals(statement: Statement) -> list[str]:
    """List the AWS principals that a statement names: they must exist when the policy is stored."""
    return [name for kind, name in statement.principals or () if kind == "AWS" and name != "*"]


def context_of(request: HttpRequest, caller: Caller | None) -> dict[str, str]:
    """Give the global condition keys that the stand-in knows.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    now = datetime.now(timezone.utc)
    keys = {
        "aws:SecureTransport": "true" if request.scheme == "https" else "false",
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:UserAgent": request.headers.get("user-agent", ""),
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
    }
    if caller is None:
        return keys | {"aws:PrincipalType": "Anonymous", "aws:userid": "anonymous"}
    principal = caller.principal
    keys |= {
        "aws:PrincipalArn": principal.role_arn or principal.arn,
        "aws:PrincipalAccount": principal.account,
    }
    if principal.role_arn:
        keys["aws:MultiFactorAuthPresent"] = "false"  # a session that was made without a second factor
    return keys | caller.context
