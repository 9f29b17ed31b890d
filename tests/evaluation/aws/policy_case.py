"""What the AWS documentation states, as cases: how they are written, and how an evaluator is held against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from recording_storage.evaluation.aws import conditions, document, policy

if TYPE_CHECKING:
    from types import ModuleType

Json: TypeAlias = dict[str, Any]

IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
LOGIC = f"{IAM}reference_policies_evaluation-logic_policy-eval-denyallow.html"
BASICS = f"{IAM}reference_policies_evaluation-logic_policy-eval-basics.html"
CROSS = f"{IAM}reference_policies_evaluation-logic-cross-account.html"
OPERATORS = f"{IAM}reference_policies_elements_condition_operators.html"
KEYS_AND_VALUES = f"{IAM}reference_policies_condition-logic-multiple-context-keys-or-values.html"
SETS = f"{IAM}reference_policies_condition-single-vs-multi-valued-context-keys.html"
CONDITION = f"{IAM}reference_policies_elements_condition.html"
VARIABLES = f"{IAM}reference_policies_variables.html"
VERSION = f"{IAM}reference_policies_elements_version.html"
PRINCIPAL = f"{IAM}reference_policies_elements_principal.html"
NOT_PRINCIPAL = f"{IAM}reference_policies_elements_notprincipal.html"
ACTION = f"{IAM}reference_policies_elements_action.html"
NOT_ACTION = f"{IAM}reference_policies_elements_notaction.html"
RESOURCE = f"{IAM}reference_policies_elements_resource.html"
NOT_RESOURCE = f"{IAM}reference_policies_elements_notresource.html"
EFFECT = f"{IAM}reference_policies_elements_effect.html"
SID = f"{IAM}reference_policies_elements_sid.html"
BOUNDARY = f"{IAM}access_policies_boundaries.html"
SESSION = f"{IAM}access_policies.html"
GRAMMAR = f"{IAM}reference_policies_grammar.html"
DEPUTY = f"{IAM}confused-deputy.html"
CHAINING = f"{IAM}id_roles.html"
ASSUME = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
KEY_POLICY = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"
GRANTS = "https://docs.aws.amazon.com/kms/latest/developerguide/grants.html"
PUBLIC = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"

HOME, AWAY = "111122223333", "444455556666"
USER = (HOME, f"arn:aws:iam::{HOME}:user/team/ana", None)
ROLE_ARN = f"arn:aws:iam::{HOME}:role/app/writer"
SESSION_ARN = f"arn:aws:sts::{HOME}:assumed-role/writer/job-7"
ROLE = (HOME, SESSION_ARN, ROLE_ARN)
NOBODY = ("", "", None)
BUCKET = "arn:aws:s3:::recordings"
OBJECT = f"{BUCKET}/2024/a.mp4"
TARGET = f"arn:aws:iam::{HOME}:role/target"
KEY = f"arn:aws:kms:eu-west-1:{HOME}:key/1234"
CALLER = {"AWS": USER[1]}


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def allow(action: Any = "s3:*", resource: Any = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "s3:*", resource: Any = "*", **more: Any) -> Json:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def trust(principal: Any, **more: Any) -> Json:
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}


def without(statement: Json, *names: str) -> Json:
    return {name: value for name, value in statement.items() if name not in names}


@dataclass(frozen=True)
class Case:
    name: str
    page: str
    expect: str
    who: tuple[str, str, str | None] | tuple[str, str, str | None, str] = USER
    action: str = "s3:GetObject"
    resource: str = OBJECT
    owner: str = HOME
    context: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    unknown: frozenset[str] = frozenset()
    identity: Sequence[Json] = ()
    boundary: Sequence[Json] | None = None
    session: Sequence[Json] | None = None
    organisation: Sequence[Sequence[Json]] = ()
    attached: Sequence[Json] | None = None
    kind: str = "resource"
    version: str = "2012-10-17"
    grants: Sequence[bool | None] = ()
    says: str = ""


def assume(name: str, page: str, expect: str, statements: Sequence[Json], **more: Any) -> Case:
    where: Json = {"action": "sts:AssumeRole", "resource": TARGET, "attached": statements, "kind": "trust"}
    return Case(name, page, expect, **{**where, **more})


MAY_ASSUME = [allow("sts:AssumeRole", TARGET)]
EXTERNAL_ID = [trust({"AWS": root(HOME)}, Condition={"StringEquals": {"sts:ExternalId": "12345"}})]
TLS_ONLY = deny(Sid="TlsOnly", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
ORG_ONLY = deny(Principal="*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})
IN_ORG = allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
ORG_UNKNOWN = frozenset({"aws:principalorgid"})
LIST_ONLY = [allow("s3:ListBucket")]
NOT_BOB = {"AWS": [USER[1], root(HOME)]}
BY_TEAM = [allow(resource=f"{BUCKET}-${{aws:PrincipalTag/team, 'company-wide'}}/*")]
TAG_DIFFERS = {"StringNotEquals": {"s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}"}}


@dataclass(frozen=True)
class Reading:
    """A policy on its own: whether it is stored, and whether S3 calls it public."""

    name: str
    page: str
    expect: str
    policy: Any
    kind: str = "resource"


def stored(
    name: str, page: str, expect: str, statement: Json, kind: str = "identity", **more: Any
) -> Reading:
    return Reading(name, page, expect, {"Version": "2012-10-17", "Statement": [statement], **more}, kind)


def public(name: str, expect: str, *statements: Json) -> Reading:
    return Reading(name, PUBLIC, expect, {"Version": "2012-10-17", "Statement": statements})


def held(operator: str, key: str, value: Any) -> Json:
    return allow(Principal="*", Condition={operator: {key: value}})


@dataclass(frozen=True)
class Evaluator:
    """The evaluator's modules, as they are written or with a mutation."""

    policy: ModuleType
    document: ModuleType
    conditions: ModuleType

    def _parsed(self, statements: Sequence[Json] | None, kind: str, version: str = "2012-10-17") -> Any:
        if statements is None:
            return None
        return self.document.parse({"Version": version, "Statement": statements}, kind)

    def outcome(self, case: Case) -> tuple[str, str]:
        """What it says of a case, and why."""
        policies = self.policy.Policies(
            identity=[self._parsed(case.identity, "identity", case.version)] if case.identity else [],
            boundary=self._parsed(case.boundary, "identity"),
            session=None if case.session is None else [self._parsed(case.session, "identity")],
            organisation=[[self._parsed(level, "identity")] for level in case.organisation],
            resource=self._parsed(case.attached, case.kind),
            grants=[self.policy.Grant(f"grant {n}", truth, "why") for n, truth in enumerate(case.grants)],
        )
        request = self.policy.Request(
            self.policy.Principal(*case.who),
            case.action,
            case.resource,
            case.owner,
            case.context,
            case.unknown,
        )
        try:
            decision = self.policy.decide(request, policies)
        except self.conditions.Undecidable as undecidable:
            return "undecidable", str(undecidable)
        words = "allowed" if decision.allowed else "explicit deny" if decision.explicit_deny else "denied"
        return words, decision.reason

    def read(self, reading: Reading) -> str:
        """What it says of a policy on its own."""
        try:
            found = self.document.parse(reading.policy, reading.kind)
        except self.conditions.MalformedPolicy:
            return "malformed"
        except self.conditions.Undecidable:
            return "undecidable"
        return "public" if reading.page == PUBLIC and self.policy.is_public(found) else "stored"


AS_WRITTEN = Evaluator(policy, document, conditions)
