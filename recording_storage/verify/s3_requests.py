"""The service's own requests to AWS, as policies see them, and how they are judged.

The condition keys hold what is known of them; what nobody publishes is unknown, and what such a request doesn't carry
is absent: the service comes from no VPC endpoint of the customer's, has no second factor, and sends no headers about
encryption or ACLs (its documentation has no parameter for them).

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from recording_storage.evaluation.aws.conditions import Undecidable
from recording_storage.evaluation.aws.document import parse
from recording_storage.evaluation.aws.policy import Policies, Principal, Request, decide

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from recording_storage.evaluation.aws.document import Document, Statement
    from recording_storage.evaluation.aws.policy import Blocker
    from recording_storage.verify.s3_things import Role

    Keys = Mapping[str, Sequence[str]]

ASSUME_ROLE = "sts:AssumeRole"
SOURCE_IP = "aws:SourceIp"
ADDRESSES = ("192.0.2.17", "198.51.100.17", "203.0.113.17")
"""Stand for any address on the internet (RFC 5737): none of the service's is published."""
UNNAMED = "one-of-its-roles"
NO_ORGANISATION_OF_YOURS = "o-0000000000"
ANY_SESSION = "any-session-of-the-service"
UNPUBLISHED = frozenset(
    [
        "aws:sourceip",
        "aws:principaltag/",
        "aws:userid",
        "aws:username",
        "aws:useragent",
        "aws:referer",
        "aws:tokenissuetime",
        "aws:sourceidentity",
        "aws:requestedregion",
        "aws:resourceorgid",
        "aws:resourceorgpaths",
        "aws:resourcetag/",
        "iam:resourcetag/",
        "sts:rolesessionname",
        "sts:sourceidentity",
    ]
)
"""Of the service's call of AssumeRole."""
UNREAD = frozenset(
    [
        "aws:sourceip",
        "aws:useragent",
        "aws:referer",
        "aws:tokenissuetime",
        "aws:sourceidentity",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:resourceorgid",
        "aws:resourceorgpaths",
        "aws:resourcetag/",
        "s3:buckettag/",
        "s3:signatureage",
        "s3:x-amz-content-sha256",
        "kms:resourcealiases",
        "kms:requestalias",
    ]
)
"""Of a session of the role: what isn't published, or isn't read."""


@dataclass(frozen=True)
class Answer:
    """What policies say of a request: allowed, refused, or (None) that hangs on what isn't known."""

    allowed: bool | None
    why: str
    explicit: bool = False
    blocker: Blocker = ""


def judge(request: Request, policies: Policies) -> Answer:
    """Evaluate. A condition on the caller's address is tried with addresses from anywhere."""
    answer = _decided(request, policies)
    if answer.allowed is not None or SOURCE_IP in request.context:
        return answer
    tried = [
        _decided(replace(request, context={**request.context, SOURCE_IP: (address,)}), policies)
        for address in ADDRESSES
    ]
    if len({one.allowed for one in tried}) > 1 or tried[0].allowed is None:
        return answer
    note = f"; the service's addresses aren't published, and {ADDRESSES[0]} stands for any of them"
    return replace(tried[0], why=tried[0].why + ("" if tried[0].allowed else note))


def _decided(request: Request, policies: Policies) -> Answer:
    try:
        decision = decide(request, policies)
    except Undecidable as undecidable:
        return Answer(None, str(undecidable))
    return Answer(decision.allowed, decision.reason, decision.explicit_deny, decision.blocker)


def only(document: Document, *, allow: bool) -> Document:
    """A policy with its statements that allow, or those that deny."""
    return replace(document, statements=tuple(one for one in document.statements if one.allow is allow))


def _always() -> dict[str, Sequence[str]]:
    now = datetime.now(timezone.utc)
    return {
        "aws:SecureTransport": ("true",),
        "aws:CurrentTime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:EpochTime": (str(int(now.timestamp())),),
        "aws:ViaAWSService": ("false",),
        "aws:PrincipalIsAWSService": ("false",),
    }


def unnamed(account: str) -> Principal:
    """A session of a role of `account` that nobody has named."""
    return session(f"arn:aws:iam::{account}:role/{UNNAMED}")


def session(role: str) -> Principal:
    """A session of a role."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    return Principal(account, f"arn:aws:sts::{account}:assumed-role/{name}/{ANY_SESSION}", role)


def assuming(
    who: Principal, role: str, external_id: str | None, *, organisation: str = NO_ORGANISATION_OF_YOURS
) -> Request:
    """A call of AssumeRole; `organisation` is the caller's."""
    keys = _always() | {
        "aws:PrincipalArn": (who.role_arn or who.arn,),
        "aws:PrincipalAccount": (who.account,),
        "aws:PrincipalType": ("AssumedRole" if who.role_arn else "User",),
        "aws:PrincipalOrgID": (organisation,),
        "aws:PrincipalOrgPaths": (f"{organisation}/r-0000/",),
        "aws:ResourceAccount": (role.split(":")[4],),
    }
    if external_id is not None:
        keys["sts:ExternalId"] = (external_id,)
    return Request(who, ASSUME_ROLE, role, role.split(":")[4], keys, UNPUBLISHED)


def trust_answer(request: Request, trust: Document) -> Answer:
    """Whether a trust policy lets a call in, whose caller its own account lets do anything."""
    return judge(request, Policies([ANYTHING], resource=trust))


ANYTHING = parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, "identity"
)
"""What somebody's own account may let it do, for all that is known."""


def recording(
    role: Role, action: str, resource: str, account: str, region: str, more: Keys | None = None
) -> Request:
    """What a session of the role asks of something of `account` in `region`."""
    keys = _always() | {
        "aws:PrincipalArn": (role.arn,),
        "aws:PrincipalAccount": (role.account,),
        "aws:PrincipalType": ("AssumedRole",),
        "aws:userid": (f"{role.id}:{ANY_SESSION}",),
        "aws:MultiFactorAuthPresent": ("false",),
        "aws:RequestedRegion": (region,),
        "aws:ResourceAccount": (account,),
        **{f"aws:PrincipalTag/{name}": (value,) for name, value in role.tags.items()},
    }
    if action.startswith("s3:"):
        keys |= {
            "s3:ResourceAccount": (account,),
            "s3:signatureversion": ("AWS4-HMAC-SHA256",),
            "s3:authType": ("REST-HEADER",),
            "s3:TlsVersion": ("1.2",),
        }
    return Request(session(role.arn), action, resource, account, {**keys, **(more or {})}, UNREAD)


def conditions_on(statements: Iterable[Statement], key: str) -> Iterator[tuple[str, str]]:
    """Operators and values under which statements name a condition key."""
    for statement in statements:
        for condition in statement.conditions:
            if condition.key.lower() == key.lower():
                for value in condition.values:
                    yield condition.written, value
