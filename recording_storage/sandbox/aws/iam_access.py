"""IAM: which permission a request needs, and what IAM refuses to store.

An operation that isn't in the table can't be judged. Leaves out groups, instance profiles, identity providers but
OIDC's, what IAM demands of trust policies for issuers that many customers share, AWS's own managed policies unless
they are assumed to exist, and boundaries of users.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html,
https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.authorise import context_of, named_principals, permit, well_formed
from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.aws.document import Kind
    from recording_storage.evaluation.aws.policy import Principal
    from recording_storage.sandbox.aws.http import HttpRequest

Target: TypeAlias = Literal["role", "user", "policy", "new policy", "principal", "provider", "anything"]

_TARGETS: Mapping[Target, str] = {
    "role": "CreateRole GetRole UpdateRole UpdateRoleDescription DeleteRole UpdateAssumeRolePolicy TagRole UntagRole"
    " ListRoleTags PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies AttachRolePolicy DetachRolePolicy"
    " ListAttachedRolePolicies PutRolePermissionsBoundary DeleteRolePermissionsBoundary ListInstanceProfilesForRole",
    "user": "CreateUser GetUser DeleteUser TagUser UntagUser ListUserTags PutUserPolicy GetUserPolicy DeleteUserPolicy"
    " ListUserPolicies AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies CreateAccessKey DeleteAccessKey"
    " UpdateAccessKey ListAccessKeys ListGroupsForUser",
    "policy": "GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion DeletePolicyVersion ListPolicyVersions"
    " SetDefaultPolicyVersion ListEntitiesForPolicy TagPolicy UntagPolicy ListPolicyTags",
    "new policy": "CreatePolicy",
    "principal": "SimulatePrincipalPolicy",
    "provider": "CreateOpenIDConnectProvider GetOpenIDConnectProvider DeleteOpenIDConnectProvider",
    "anything": "ListRoles ListUsers ListPolicies ListAccountAliases GetAccountSummary",
}
OPERATIONS: Mapping[str, Target] = {
    name: target for target, names in _TARGETS.items() for name in names.split()
}
ASK_FOR_BOUNDARY = frozenset(
    f"iam:{name}"
    for name in (
        "AttachRolePolicy",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePolicy",
    )
)
"""Those on a role that exists and that are judged by the boundary that it has."""
ROLE_DURATIONS = range(3600, 43201)
NOT_ATTACHABLE = "does not exist or is not attachable."
BY_AWS = "arn:aws:iam::aws:policy/"

# an operation that stores a policy -> its parameter, how it is read, and how long it may be without white space
STORED: Mapping[str, tuple[str, Kind, int]] = {
    "CreateRole": ("AssumeRolePolicyDocument", "trust", 2048),
    "UpdateAssumeRolePolicy": ("PolicyDocument", "trust", 2048),
    "PutRolePolicy": ("PolicyDocument", "identity", 10240),
    "PutUserPolicy": ("PolicyDocument", "identity", 2048),
    "CreatePolicy": ("PolicyDocument", "identity", 6144),
    "CreatePolicyVersion": ("PolicyDocument", "identity", 6144),
}


def refusal(principal: Principal, action: str, resource: str, reason: str) -> AwsError:
    """Refuse as IAM and STS do."""
    message = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"
    return AwsError(403, "AccessDenied", message, reason=reason)


def invalid(message: str) -> AwsError:
    """Refuse a parameter as IAM and STS do."""
    return AwsError(400, "ValidationError", message)


def named(request: HttpRequest, caller: cloud.Caller) -> tuple[str, str]:
    """Give the action and the resource's ARN of a request to IAM."""
    form = request.form
    operation = form.get("Action", "")
    target = OPERATIONS.get(operation)
    if target is None:
        raise AwsError.undecided(f"iam:{operation}")
    own = f"arn:{cloud.PARTITION}:iam::{caller.principal.account}:"
    path = form.get("Path", "/")
    if target == "role":
        name = form.get("RoleName", "")
        resource = cloud.role_arn(caller.principal.account, name) or f"{own}role{path}{name}"
    elif target == "user" and "UserName" in form:
        name = form["UserName"]
        resource = cloud.user_arn(caller.principal.account, name) or f"{own}user{path}{name}"
    elif target == "user":
        resource = caller.principal.arn
    elif target == "policy":
        resource = form.get("PolicyArn", "")
    elif target == "provider":
        url = form.get("Url", "").removeprefix("https://")
        resource = form.get("OpenIDConnectProviderArn") or f"{own}oidc-provider/{url}"
    elif target == "principal":
        resource = form.get("PolicySourceArn", "")
    else:
        resource = f"{own}policy{path}{form.get('PolicyName', '')}" if target == "new policy" else "*"
    return f"iam:{operation}", resource


def judge(action: str, resource: str, request: HttpRequest, caller: cloud.Caller) -> str:
    """Give the reason why IAM allows it; raises `AwsError` where it refuses."""
    form = request.form
    keys = {
        "aws:RequestedRegion": "us-east-1",
        "aws:ResourceAccount": caller.principal.account,
        "iam:PermissionsBoundary": form.get("PermissionsBoundary") or _own_boundary(action, resource),
        "iam:PolicyARN": form.get("PolicyArn") if "Attach" in action or "Detach" in action else None,
    }
    context = context_of(request, caller) | {key: value for key, value in keys.items() if value}
    tags = (
        [f"iam:Tag{resource.split(':')[5].split('/')[0].title()}"] if _creates_with_tags(action, form) else []
    )
    reasons = [
        permit(
            caller,
            action=wanted,
            resource=resource,
            account=caller.principal.account,
            context=context,
            refusal=refusal,
        )
        for wanted in (action, *tags)
    ]
    _storable(action.partition(":")[2], request, caller)
    return reasons[0]


def _own_boundary(action: str, resource: str) -> str | None:
    """The boundary of the role that an action is about, where a policy may ask for it.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    """
    return cloud.boundary_of(resource) if action in ASK_FOR_BOUNDARY else None


def _creates_with_tags(action: str, form: Mapping[str, str]) -> bool:
    return action.startswith("iam:Create") and any(name.startswith("Tags.") for name in form)


def _storable(operation: str, request: HttpRequest, caller: cloud.Caller) -> None:
    form, account = request.form, caller.principal.account
    parameter, kind, longest = STORED.get(operation, ("", "identity", 0))
    if parameter in form:
        _policy(form[parameter], kind, longest)
    if "MaxSessionDuration" in form:
        given = form["MaxSessionDuration"]
        if not given.isdecimal() or int(given) not in ROLE_DURATIONS:
            raise invalid(
                f"1 validation error detected: Value '{given}' at 'maxSessionDuration' failed to satisfy constraint:"
                f" Member must have value from {ROLE_DURATIONS.start} to {ROLE_DURATIONS.stop - 1}"
            )
    boundary, attached = form.get("PermissionsBoundary"), form.get("PolicyArn", "")
    if boundary and operation == "CreateUser":
        raise AwsError.undecided("a user with a permissions boundary")
    for arn in (boundary, attached if operation.startswith("Attach") else None):
        if arn and cloud.policy_document(arn, account) is None:
            if arn.startswith(BY_AWS):
                raise AwsError.undecided(f"the policy {arn}, whose document isn't known here")
            raise AwsError(404, "NoSuchEntity", f"Scope ARN: {arn} {NOT_ATTACHABLE}")
    if operation == "DeletePolicy" and cloud.is_boundary(attached, account):
        raise AwsError(
            409, "DeleteConflict", "Cannot delete a policy that is attached as a permissions boundary."
        )


def _policy(text: str, kind: Kind, longest: int) -> None:
    if len("".join(text.split())) > longest:
        raise AwsError(409, "LimitExceeded", f"Cannot exceed quota for the policy's size: {longest}")
    for statement in well_formed(text, kind, "MalformedPolicyDocument").statements:
        for principal in named_principals(statement):
            if not cloud.principal_exists(principal):
                message = f'Invalid principal in policy: "AWS":"{principal}"'
                raise AwsError(400, "MalformedPolicyDocument", message, reason=f"there is no {principal}")
