"""IAM and STS: which permission a request needs, AssumeRole's rules, and what IAM refuses to store.

Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html,
https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.authorise import context_of, named_principals, permit, well_formed
from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.http import HttpRequest
    from recording_storage.sandbox.aws.policy import Kind, Principal

ASSUME_ROLE = "sts:AssumeRole"
ALWAYS_ALLOWED = "sts:GetCallerIdentity"
SHORTEST_SESSION, LONGEST_SESSION, DEFAULT_SESSION = 900, 43200, 3600
CHAINED_SESSION = 3600
ROLE_DURATIONS = range(3600, 43201)
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
UNJUDGED_PARAMETERS = (
    "PolicyArns.",
    "Tags.",
    "TransitiveTagKeys.",
    "SourceIdentity",
    "SerialNumber",
    "ProvidedContexts.",
)

# an IAM request's parameter that holds a policy -> how it is read
STORED_POLICIES: dict[tuple[str, str], Kind] = {
    ("CreateRole", "AssumeRolePolicyDocument"): "trust",
    ("UpdateAssumeRolePolicy", "PolicyDocument"): "trust",
    ("PutRolePolicy", "PolicyDocument"): "identity",
    ("PutUserPolicy", "PolicyDocument"): "identity",
    ("PutGroupPolicy", "PolicyDocument"): "identity",
    ("CreatePolicy", "PolicyDocument"): "identity",
    ("CreatePolicyVersion", "PolicyDocument"): "identity",
}


def named(service: str, request: HttpRequest, caller: cloud.Caller | None) -> tuple[str, str]:
    """The action and the resource's ARN of a request to IAM or STS."""
    form = request.form
    action = f"{service}:{form.get('Action', '')}"
    if service == "sts":
        return action, form.get("RoleArn", "*")
    account = caller.principal.account if caller else ""
    path = form.get("Path", "/")
    if "RoleName" in form:
        name = form["RoleName"]
        return action, cloud.role_arn(account, name) or f"arn:aws:iam::{account}:role{path}{name}"
    if "UserName" in form:
        return action, f"arn:aws:iam::{account}:user{path}{form['UserName']}"
    if action == "iam:CreatePolicy":
        return action, f"arn:aws:iam::{account}:policy{path}{form.get('PolicyName', '')}"
    return action, form.get("PolicyArn", "*")


def judge(action: str, resource: str, request: HttpRequest, caller: cloud.Caller | None) -> str:
    """The reason why AWS allows it; raises `AwsError` where it refuses."""
    if caller is None:
        raise AwsError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
    if action == ALWAYS_ALLOWED:
        return "always allowed"
    if action == ASSUME_ROLE:
        return _assume_role(request, caller)
    if action.startswith("sts:"):
        raise AwsError.undecided(action)
    boundary = request.form.get("PermissionsBoundary")
    reason = permit(
        caller,
        action=action,
        resource=resource,
        account=caller.principal.account,
        context=context_of(request, caller) | ({"iam:PermissionsBoundary": boundary} if boundary else {}),
        refusal=_refusal,
    )
    _storable(request)
    return reason


def _refusal(principal: Principal, action: str, resource: str, reason: str) -> AwsError:
    message = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"
    return AwsError(403, "AccessDenied", message, reason=reason)


def _invalid(message: str) -> AwsError:
    return AwsError(400, "ValidationError", message)


def _assume_role(request: HttpRequest, caller: cloud.Caller) -> str:
    form = request.form
    arn, external_id = form.get("RoleArn", ""), form.get("ExternalId")
    for name in form:
        if name.startswith(UNJUDGED_PARAMETERS):
            raise AwsError.undecided(f"AssumeRole with {name}")
    if not SESSION_NAME.fullmatch(form.get("RoleSessionName", "")):
        raise _invalid(f"roleSessionName must match {SESSION_NAME.pattern}")
    if external_id is not None and not EXTERNAL_ID.fullmatch(external_id):
        raise _invalid(f"externalId must match {EXTERNAL_ID.pattern}")
    try:
        duration = int(form.get("DurationSeconds", DEFAULT_SESSION))
    except ValueError:
        raise _invalid("durationSeconds must be a number") from None
    if not SHORTEST_SESSION <= duration <= LONGEST_SESSION:
        raise _invalid(f"durationSeconds must be from {SHORTEST_SESSION} to {LONGEST_SESSION}")
    if "Policy" in form:
        well_formed(form["Policy"], "identity", "MalformedPolicyDocument")
    role = cloud.role(arn)
    if role is None:
        raise _refusal(caller.principal, ASSUME_ROLE, arn, "there is no such role")
    context = context_of(request, caller) | {"sts:RoleSessionName": form["RoleSessionName"]}
    if external_id is not None:
        context["sts:ExternalId"] = external_id
    reason = permit(
        caller,
        action=ASSUME_ROLE,
        resource=arn,
        account=arn.split(":")[4],
        context=context,
        resource_policy=role.trust,
        kind="trust",
        refusal=_refusal,
    )
    if duration > role.max_session_duration:
        raise AwsError(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            reason=f"the role's MaxSessionDuration is {role.max_session_duration} s, and {duration} s were asked for",
        )
    if caller.principal.role_arn and duration > CHAINED_SESSION:
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    return reason


def _storable(request: HttpRequest) -> None:
    form = request.form
    action = form.get("Action", "")
    for (name, parameter), kind in STORED_POLICIES.items():
        if name != action or parameter not in form:
            continue
        document = well_formed(form[parameter], kind, "MalformedPolicyDocument")
        for statement in document.statements:
            for principal in named_principals(statement):
                if not cloud.principal_exists(principal):
                    raise AwsError(
                        400,
                        "MalformedPolicyDocument",
                        f"Invalid principal in policy: {principal} doesn't exist",
                    )
    if "MaxSessionDuration" in form and int(form["MaxSessionDuration"]) not in ROLE_DURATIONS:
        raise _invalid(
            f"maxSessionDuration must be from {ROLE_DURATIONS.start} to {ROLE_DURATIONS.stop - 1}:"
            f" {form['MaxSessionDuration']}"
        )
    boundary = form.get("PermissionsBoundary")
    if boundary and cloud.policy_document(boundary) is None:
        raise AwsError(404, "NoSuchEntity", f"Scope ARN: {boundary} does not exist or is not attachable.")
