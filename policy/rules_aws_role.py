"""The rules for the role on AWS that lets the recording service in: its session, its trust, and what it may do.

Documents are judged as AWS judges them, by the evaluator that the stand-in and `verify` decide with; values by the
components' own validation. Left out: every policy above the account, which `verify` reads from the cloud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from components import aws, kms
from components.faults import listed, shown
from policy.belonging_aws import account_of, bucket_of, document, doubtful_roles, held, roles
from policy.resources import NotKnown, Resource, is_whole
from policy.rules import Rule
from recording_storage.evaluation.aws.conditions import MalformedPolicy, Undecidable
from recording_storage.evaluation.aws.document import Document, parse
from recording_storage.evaluation.aws.policy import Policies, Principal, Request, decide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.belonging import View
    from recording_storage.evaluation.aws.document import Statement

_IAM: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
LEAST_SESSION: Final = 3600
"""What a role has where nothing is said: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""
EXTERNAL_ID: Final = "sts:externalid"
_ROLE: Final = "arn:aws:iam::999999999999:role/recordings"
_SERVICE: Final = "arn:aws:sts::{account}:assumed-role/recorder/session"


def _session(view: View, role: Resource) -> Iterator[str]:
    needed = int(view.settings.s3.session_seconds)
    given = role.value("maxSessionDuration", otherwise=LEAST_SESSION)
    if given < needed:
        yield (
            f"maxSessionDuration is {int(given)}, and the recording service asks for {needed}: write "
            f"max_session_duration={needed}"
        )


def _trust(role: Resource) -> Document:
    return document(role, "assumeRolePolicy", role.inputs.get("assumeRolePolicy") or "", "trust")


def _lets_in(view: View, role: Resource) -> Iterator[str]:
    trust = view.settings.s3
    mend = f'write "Condition": {{"StringEquals": {{"sts:ExternalId": "{trust.external_id}"}}}}'
    try:
        found = _trust(role)
    except MalformedPolicy as refused:
        yield f"AWS would refuse assumeRolePolicy: {refused}"
        return
    allowing = [one for one in found.statements if one.allow and _names_service(one, trust.account)]
    if not allowing:
        yield (
            f"assumeRolePolicy doesn't name the recording service's account: write "
            f'"Principal": {{"AWS": "arn:{aws.PARTITION}:iam::{trust.account}:root"}} beside '
            f'"Action": "sts:AssumeRole", and {mend}'
        )
    broken = [text for one in allowing for text in _loose(one, mend)]
    yield from broken
    if allowing and not broken:
        yield from _refused(role, found, allowing, trust.account)


def _names_service(statement: Statement, account: str) -> bool:
    return any(
        kind == "AWS" and (text == "*" or account_of(text) == account)
        for kind, text in statement.principals or ()
    )


def _loose(statement: Statement, mend: str) -> Iterator[str]:
    """What is wrong with how a statement asks for an external id."""
    asking = [one for one in statement.conditions if one.key.lower() == EXTERNAL_ID]
    if not asking:
        yield (
            f"{statement.name} of assumeRolePolicy asks for no external id, so that it is open to every customer of "
            f"the recording service: {mend}"
        )
    for one in asking:
        if one.written != "StringEquals":
            yield (
                f"{statement.name} of assumeRolePolicy asks for the external id by {one.written}, which lets in more "
                f"than the one: {mend}"
            )
            continue
        for value in one.values:
            for breach in aws.external_id_breaches(value):
                yield f"{statement.name} asks for the external id {shown(value)}: {breach.expected}; {breach.mend}"


def _refused(role: Resource, found: Document, allowing: list[Statement], account: str) -> Iterator[str]:
    """Ask the trust as the service does, with each external id that it names."""
    ids = [
        value
        for one in allowing
        for condition in one.conditions
        if condition.key.lower() == EXTERNAL_ID
        for value in condition.values
    ]
    caller = Principal(account, _SERVICE.format(account=account), f"arn:aws:iam::{account}:role/recorder")
    own = parse(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        "identity",
    )
    reasons: list[str] = []
    for value in dict.fromkeys(ids):
        request = Request(
            caller,
            "sts:AssumeRole",
            _ROLE,
            "999999999999",
            {"sts:ExternalId": [value], "aws:PrincipalAccount": [account], "aws:SecureTransport": ["true"]},
            frozenset({"aws:", "sts:"}),
        )
        try:
            decision = decide(request, Policies([own], resource=found))
        except Undecidable as doubt:
            raise NotKnown(role, f"assumeRolePolicy: {doubt}") from None
        if decision.allowed:
            return
        reasons.append(decision.reason)
    yield f"assumeRolePolicy doesn't let the recording service in: {reasons[0]}; remove that condition or Deny"


def _doubted_trust(view: View) -> list[Resource]:
    return [*roles(view), *doubtful_roles(view)]


def _lets_in_or_unknown(view: View, role: Resource) -> Iterator[str]:
    if not is_whole(role.inputs.get("assumeRolePolicy")):
        raise NotKnown(role, "assumeRolePolicy isn't known yet, nor whether it lets the recording service in")
    yield from _lets_in(view, role)


def _others(view: View, role: Resource) -> Iterator[str]:
    account, known = view.settings.s3.account, set(view.settings.principals)
    try:
        found = _trust(role)
    except MalformedPolicy:
        return  # S2 says so
    for statement in found.statements:
        if not statement.allow:
            continue
        for kind, text in statement.principals or ():
            is_everybody = kind == "AWS" and text == "*"
            if kind == "AWS" and not is_everybody and account_of(text) == account:
                continue
            if not is_everybody and known & {text, account_of(text)}:
                continue
            way_out = (
                "" if is_everybody else f', or list "{text}" under principals in the pack\'s configuration'
            )
            yield (
                f'assumeRolePolicy also lets in {kind} "{text}": write '
                f'"arn:{aws.PARTITION}:iam::{account}:root" as the only principal{way_out}'
            )


def _beyond(view: View, role: Resource) -> Iterator[str]:
    allowed = {action.lower() for action in (*view.settings.s3.actions, *kms.WRITER_ACTIONS)}
    unknown: NotKnown | None = None
    for one in held(view, role):
        where = one.resource.name if one.resource is not role else one.path
        if one.text is None:
            if not one.arn.startswith(f"arn:{aws.PARTITION}:iam::aws:"):
                unknown = NotKnown(role, f"what {one.arn} allows isn't in this stack")
                continue
            yield f"{where} attaches {one.arn}, which allows far more: write a policy of the service's actions"
            continue
        try:
            statements = document(one.resource, one.path, one.text, "identity").statements
        except NotKnown as doubt:
            unknown = doubt
            continue
        except MalformedPolicy as refused:
            yield f"AWS would refuse {one.path} of {where}: {refused}"
            continue
        for statement in statements:
            if statement.allow:
                yield from (f"{where}: {text}" for text in _wide(statement, allowed))
    if unknown is not None:
        raise unknown


def _wide(statement: Statement, allowed: set[str]) -> Iterator[str]:
    if statement.not_actions or statement.not_resources:
        yield f"{statement.name} allows all but a few: write Action and Resource, and name what is needed"
        return
    for action in statement.actions:
        if action.lower() not in allowed:
            what = "has a wildcard" if "*" in action or "?" in action else "is none that the service needs"
            yield f"{statement.name}: Action {shown(action)} {what}: write {listed(sorted(allowed))}, or fewer"
    for resource in statement.resources:
        exact = resource.removesuffix("/*") if bucket_of(resource) else resource
        if "*" in exact or "?" in exact:
            yield (
                f"{statement.name}: Resource {shown(resource)} names more than the bucket: write its ARN, and the ARN "
                "followed by /*"
            )


RULES: Final = (
    Rule(
        "S1",
        "session-of-12-hours",
        "a role that the recording service assumes allows sessions of 12 hours",
        "`max_session_duration` of the role",
        roles,
        _session,
        f"{_IAM}/id_roles_update-role-settings.html",
    ),
    Rule(
        "S2",
        "trust-lets-the-service-in",
        "the role's trust lets the recording service in, with its external id and not without",
        "`assume_role_policy`: the service's account, `StringEquals` on `sts:ExternalId`, nothing more",
        _doubted_trust,
        _lets_in_or_unknown,
        f"{_IAM}/confused-deputy.html",
    ),
    Rule(
        "S9",
        "nobody-else-is-trusted",
        "nobody but the recording service may assume the role",
        "the principals in `assume_role_policy`; others are listed under `principals`",
        roles,
        _others,
        f"{_IAM}/reference_policies_elements_principal.html",
    ),
    Rule(
        "S10",
        "role-does-nothing-beyond",
        "the role may do what the recording service does, on its bucket, and nothing beyond",
        "the role's inline and attached policies: no wildcards, no other actions",
        roles,
        _beyond,
        f"{_IAM}/best-practices.html#grant-least-privilege",
    ),
)
