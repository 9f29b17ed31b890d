"""STS: the rules of AssumeRole. Anything else but GetCallerIdentity, and what `web_identity` has, can't be judged.

Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.authorise import context_of, permit, well_formed
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.iam_access import invalid, refusal

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.http import HttpRequest

ASSUME_ROLE = "sts:AssumeRole"
ALWAYS_ALLOWED = "sts:GetCallerIdentity"
SHORTEST_SESSION, LONGEST_SESSION, DEFAULT_SESSION = 900, 43200, 3600
CHAINED_SESSION = 3600
LONGEST_SESSION_POLICY = 2048
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
UNJUDGED_PARAMETERS = (
    "PolicyArns.",
    "Tags.",
    "TransitiveTagKeys.",
    "SourceIdentity",
    "SerialNumber",
    "TokenCode",
    "ProvidedContexts.",
)


def named(request: HttpRequest) -> tuple[str, str]:
    """Give the action and the resource's ARN of a request to STS."""
    return f"sts:{request.form.get('Action', '')}", request.form.get("RoleArn", "*")


def judge(action: str, request: HttpRequest, caller: cloud.Caller, region: str) -> str:
    """Give the reason why STS allows it; raises `AwsError` where it refuses."""
    if action == ALWAYS_ALLOWED:
        return "always allowed"
    if action != ASSUME_ROLE:
        raise AwsError.undecided(action)
    duration = valid_duration(request)
    form = request.form
    arn = form["RoleArn"]
    role = cloud.role(arn)
    if role is None:
        raise refusal(caller.principal, ASSUME_ROLE, arn, "there is no such role")
    account = arn.split(":")[4]
    context = context_of(request, caller) | {
        "sts:RoleSessionName": form["RoleSessionName"],
        "aws:RequestedRegion": region,
        "aws:ResourceAccount": account,
    }
    if "ExternalId" in form:
        context["sts:ExternalId"] = form["ExternalId"]
    reason = permit(
        caller,
        action=ASSUME_ROLE,
        resource=arn,
        account=account,
        context=context,
        resource_policy=role.trust,
        kind="trust",
        refusal=refusal,
    )
    if duration > role.max_session_duration:
        raise too_long(role.max_session_duration, duration)
    if caller.principal.role_arn and duration > CHAINED_SESSION:
        raise invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    return reason


def valid_duration(request: HttpRequest) -> int:
    """Check the parameters by themselves; the session's length in seconds."""
    form = request.form
    for name in form:
        if name.startswith(UNJUDGED_PARAMETERS):
            raise AwsError.undecided(f"{form.get('Action')} with {name}")
    if not ROLE_ARN.fullmatch(form.get("RoleArn", "")):
        raise invalid(f"{form.get('RoleArn', '')} is invalid")
    if not SESSION_NAME.fullmatch(form.get("RoleSessionName", "")):
        raise invalid(f"roleSessionName must match {SESSION_NAME.pattern}")
    if "ExternalId" in form and not EXTERNAL_ID.fullmatch(form["ExternalId"]):
        raise invalid(f"externalId must match {EXTERNAL_ID.pattern}")
    given = form.get("DurationSeconds", str(DEFAULT_SESSION))
    if not given.isdecimal() or not SHORTEST_SESSION <= int(given) <= LONGEST_SESSION:
        raise invalid(f"durationSeconds must be from {SHORTEST_SESSION} to {LONGEST_SESSION}: {given}")
    if "Policy" in form:
        if len(form["Policy"]) > LONGEST_SESSION_POLICY:
            raise invalid(f"policy must have at most {LONGEST_SESSION_POLICY} characters")
        well_formed(form["Policy"], "identity", "MalformedPolicyDocument")
    return int(given)


def too_long(longest: int, asked: int) -> AwsError:
    """Refuse a session that is longer than its role's may be."""
    message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    reason = f"the role's MaxSessionDuration is {longest} s, and {asked} s were asked for"
    return AwsError(400, "ValidationError", message, reason=reason)
