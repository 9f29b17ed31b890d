"""The policy evaluator against what the AWS documentation states, case by case."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording_storage.sandbox.aws import policy

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
    who: tuple[str, str, str | None] = USER
    action: str = "s3:GetObject"
    resource: str = OBJECT
    owner: str = HOME
    context: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    unknown: frozenset[str] = frozenset()
    identity: Sequence[Json] = ()
    boundary: Sequence[Json] | None = None
    session: Sequence[Json] | None = None
    attached: Sequence[Json] | None = None
    kind: str = "resource"
    version: str = "2012-10-17"
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

DECISIONS = [
    # One account
    Case(
        "nothing allows",
        LOGIC,
        "denied",
        says="no statement of the caller's identity policies allows anything",
    ),
    Case("identity allows", BASICS, "allowed", identity=[allow()]),
    Case(
        "identity denies",
        LOGIC,
        "explicit deny",
        identity=[allow(), deny("s3:Get*")],
        attached=[allow(Principal=CALLER)],
    ),
    Case(
        "boundary denies",
        LOGIC,
        "explicit deny",
        identity=[allow()],
        boundary=[allow(), deny()],
        says="permissions boundary",
    ),
    Case(
        "session denies",
        LOGIC,
        "explicit deny",
        who=ROLE,
        identity=[allow()],
        session=[allow(), deny()],
        says="session policy",
    ),
    Case("bucket policy denies", LOGIC, "explicit deny", identity=[allow()], attached=[deny(Principal="*")]),
    Case("bucket policy alone allows the user", BASICS, "allowed", attached=[allow(Principal=CALLER)]),
    Case(
        "bucket policy names another user",
        PRINCIPAL,
        "denied",
        attached=[allow(Principal={"AWS": f"{USER[1]}2"})],
        says="the caller is",
    ),
    Case(
        "user names are case-sensitive",
        PRINCIPAL,
        "denied",
        attached=[allow(Principal={"AWS": f"arn:aws:iam::{HOME}:user/team/Ana"})],
    ),
    Case(
        "one of several principals",
        PRINCIPAL,
        "allowed",
        attached=[allow(Principal={"AWS": [AWAY, USER[1]]})],
    ),
    Case(
        "identity allows, bucket policy is silent",
        BASICS,
        "allowed",
        identity=[allow()],
        attached=[allow(Principal={"AWS": AWAY})],
    ),
    Case(
        "account principal delegates",
        PRINCIPAL,
        "denied",
        attached=[allow(Principal={"AWS": HOME})],
        says="leaves it to account",
    ),
    Case("root ARN delegates the same", PRINCIPAL, "denied", attached=[allow(Principal={"AWS": root(HOME)})]),
    Case(
        "account principal and identity",
        PRINCIPAL,
        "allowed",
        identity=[allow()],
        attached=[allow(Principal={"AWS": HOME})],
    ),
    Case("everyone includes the account's users", PRINCIPAL, "allowed", attached=[allow(Principal="*")]),
    Case(
        "a service principal is not the caller",
        PRINCIPAL,
        "denied",
        attached=[allow(Principal={"Service": "cloudtrail.amazonaws.com"})],
    ),
    Case(
        "a federated principal is not the caller",
        PRINCIPAL,
        "denied",
        attached=[allow(Principal={"Federated": "accounts.google.com"})],
    ),
    Case(
        "deny to the account reaches its users",
        PRINCIPAL,
        "explicit deny",
        identity=[allow()],
        attached=[deny(Principal={"AWS": HOME})],
    ),
    Case(
        "deny to the role reaches its sessions",
        PRINCIPAL,
        "explicit deny",
        who=ROLE,
        identity=[allow()],
        attached=[deny(Principal={"AWS": ROLE_ARN})],
    ),
    # Boundary and session policies
    Case(
        "boundary limits identity",
        BOUNDARY,
        "denied",
        identity=[allow()],
        boundary=LIST_ONLY,
        says="permissions boundary",
    ),
    Case("boundary and identity allow", BOUNDARY, "allowed", identity=[allow()], boundary=[allow("s3:Get*")]),
    Case("boundary grants nothing", BOUNDARY, "denied", boundary=[allow()]),
    Case(
        "boundary does not limit a grant to the user",
        LOGIC,
        "allowed",
        boundary=LIST_ONLY,
        attached=[allow(Principal=CALLER)],
    ),
    Case(
        "session policy limits identity",
        SESSION,
        "denied",
        who=ROLE,
        identity=[allow()],
        session=LIST_ONLY,
        says="session policy",
    ),
    Case(
        "session policy and identity allow",
        SESSION,
        "allowed",
        who=ROLE,
        identity=[allow()],
        session=[allow("s3:Get*")],
    ),
    Case("session policy grants nothing", SESSION, "denied", who=ROLE, session=[allow()]),
    Case("no session policy, no limit", LOGIC, "allowed", who=ROLE, identity=[allow()]),
    Case("grant to the role", LOGIC, "allowed", who=ROLE, attached=[allow(Principal={"AWS": ROLE_ARN})]),
    Case(
        "boundary limits a grant to the role",
        LOGIC,
        "denied",
        who=ROLE,
        identity=[allow()],
        boundary=LIST_ONLY,
        attached=[allow(Principal={"AWS": ROLE_ARN})],
        says="the bucket policy allows it, but",
    ),
    Case(
        "session policy limits a grant to the role",
        LOGIC,
        "denied",
        who=ROLE,
        session=LIST_ONLY,
        attached=[allow(Principal={"AWS": ROLE_ARN})],
    ),
    Case(
        "session policy allows a grant to the role",
        LOGIC,
        "allowed",
        who=ROLE,
        session=[allow()],
        attached=[allow(Principal={"AWS": ROLE_ARN})],
    ),
    Case(
        "boundary does not limit a grant to the session",
        LOGIC,
        "allowed",
        who=ROLE,
        boundary=LIST_ONLY,
        attached=[allow(Principal={"AWS": SESSION_ARN})],
    ),
    Case(
        "session policy does not limit a grant to the session",
        LOGIC,
        "allowed",
        who=ROLE,
        session=LIST_ONLY,
        attached=[allow(Principal={"AWS": SESSION_ARN})],
    ),
    Case(
        "another session of the role",
        PRINCIPAL,
        "denied",
        who=ROLE,
        attached=[allow(Principal={"AWS": f"{SESSION_ARN}1"})],
    ),
    Case(
        "wildcard with aws:PrincipalArn is not limited",
        PRINCIPAL,
        "allowed",
        who=ROLE,
        session=LIST_ONLY,
        context={"aws:PrincipalArn": [ROLE_ARN]},
        attached=[allow(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE_ARN}})],
    ),
    Case(
        "boundary allows, session policy does not",
        SESSION,
        "denied",
        who=ROLE,
        identity=[allow()],
        boundary=[allow()],
        session=LIST_ONLY,
    ),
    Case(
        "session policy allows, boundary does not",
        SESSION,
        "denied",
        who=ROLE,
        identity=[allow()],
        boundary=LIST_ONLY,
        session=[allow()],
    ),
    Case(
        "account and user named together",
        PRINCIPAL,
        "allowed",
        attached=[allow(Principal={"AWS": [HOME, USER[1]]})],
    ),
    # Across accounts
    Case(
        "both sides allow",
        CROSS,
        "allowed",
        owner=AWAY,
        identity=[allow()],
        attached=[allow(Principal=CALLER)],
    ),
    Case(
        "identity side missing",
        CROSS,
        "denied",
        owner=AWAY,
        attached=[allow(Principal=CALLER)],
        says="identity policies",
    ),
    Case("resource side missing", CROSS, "denied", owner=AWAY, identity=[allow()], says="bucket policy"),
    Case("both sides missing", CROSS, "denied", owner=AWAY, says=" and no statement of the bucket policy"),
    Case(
        "the caller's account is trusted",
        CROSS,
        "allowed",
        owner=AWAY,
        identity=[allow()],
        attached=[allow(Principal={"AWS": HOME})],
    ),
    Case(
        "the caller's role is trusted",
        CROSS,
        "allowed",
        who=ROLE,
        owner=AWAY,
        identity=[allow()],
        attached=[allow(Principal={"AWS": ROLE_ARN})],
    ),
    Case(
        "the caller's session is trusted",
        CROSS,
        "allowed",
        who=ROLE,
        owner=AWAY,
        identity=[allow()],
        attached=[allow(Principal={"AWS": SESSION_ARN})],
    ),
    Case("wildcard still needs identity", PRINCIPAL, "denied", owner=AWAY, attached=[allow(Principal="*")]),
    Case(
        "wildcard and identity",
        PRINCIPAL,
        "allowed",
        owner=AWAY,
        identity=[allow()],
        attached=[allow(Principal="*")],
    ),
    Case(
        "boundary limits across accounts",
        CROSS,
        "denied",
        owner=AWAY,
        identity=[allow()],
        boundary=LIST_ONLY,
        attached=[allow(Principal=CALLER)],
    ),
    Case(
        "session policy limits across accounts",
        CROSS,
        "denied",
        who=ROLE,
        owner=AWAY,
        identity=[allow()],
        session=LIST_ONLY,
        attached=[allow(Principal={"AWS": SESSION_ARN})],
    ),
    Case(
        "another account is trusted",
        CROSS,
        "denied",
        owner=AWAY,
        identity=[allow()],
        attached=[allow(Principal={"AWS": "777788889999"})],
    ),
    Case(
        "explicit deny on one side",
        CROSS,
        "explicit deny",
        owner=AWAY,
        identity=[allow(), deny(resource="arn:aws:s3:::*recording*")],
        attached=[allow(Principal=CALLER)],
    ),
    # Anonymous
    Case("anonymous needs a wildcard", PRINCIPAL, "allowed", who=NOBODY, attached=[allow(Principal="*")]),
    Case(
        "AWS wildcard is the same", PRINCIPAL, "allowed", who=NOBODY, attached=[allow(Principal={"AWS": "*"})]
    ),
    Case(
        "an account is not anonymous",
        PRINCIPAL,
        "denied",
        who=NOBODY,
        attached=[allow(Principal={"AWS": HOME})],
        says="anonymous",
    ),
    Case("anonymous without a policy", PRINCIPAL, "denied", who=NOBODY),
    Case(
        "anonymous is denied by condition",
        OPERATORS,
        "explicit deny",
        who=NOBODY,
        context={"aws:SecureTransport": ["false"]},
        attached=[allow(Principal="*"), TLS_ONLY],
        says='"TlsOnly"',
    ),
    # Role trust policies
    assume("trusted user needs no identity policy", ASSUME, "allowed", [trust(CALLER)]),
    assume(
        "identity alone assumes nothing",
        LOGIC,
        "denied",
        [trust({"AWS": AWAY})],
        identity=MAY_ASSUME,
        says="trust policy",
    ),
    assume("trusted account needs identity", ASSUME, "denied", [trust({"AWS": HOME})]),
    assume("trusted account and identity", ASSUME, "allowed", [trust({"AWS": HOME})], identity=MAY_ASSUME),
    assume(
        "identity must name the role",
        ASSUME,
        "denied",
        [trust({"AWS": HOME})],
        identity=[allow("sts:AssumeRole", f"{TARGET}2")],
        says=f"not {TARGET}",
    ),
    assume("role chaining in one account", CHAINING, "allowed", [trust({"AWS": ROLE_ARN})], who=ROLE),
    assume(
        "role chaining under a session policy",
        CHAINING,
        "denied",
        [trust({"AWS": ROLE_ARN})],
        who=ROLE,
        session=LIST_ONLY,
    ),
    assume(
        "role chaining across accounts",
        CHAINING,
        "allowed",
        [trust({"AWS": ROLE_ARN})],
        who=ROLE,
        owner=AWAY,
        identity=MAY_ASSUME,
    ),
    assume(
        "role chaining without identity", CROSS, "denied", [trust({"AWS": ROLE_ARN})], who=ROLE, owner=AWAY
    ),
    assume("trusted user across accounts without identity", ASSUME, "denied", [trust(CALLER)], owner=AWAY),
    assume(
        "trust in a service",
        PRINCIPAL,
        "denied",
        [trust({"Service": "ec2.amazonaws.com"})],
        identity=MAY_ASSUME,
    ),
    assume(
        "external id",
        DEPUTY,
        "allowed",
        EXTERNAL_ID,
        owner=AWAY,
        identity=MAY_ASSUME,
        context={"sts:ExternalId": ["12345"]},
    ),
    assume(
        "external id of another customer",
        DEPUTY,
        "denied",
        EXTERNAL_ID,
        owner=AWAY,
        identity=MAY_ASSUME,
        context={"sts:ExternalId": ["67890"]},
        says='wants sts:ExternalId StringEquals "12345", the request has "67890"',
    ),
    assume(
        "external id missing",
        DEPUTY,
        "denied",
        EXTERNAL_ID,
        owner=AWAY,
        identity=MAY_ASSUME,
        says="no sts:ExternalId",
    ),
    assume(
        "external id in another case",
        OPERATORS,
        "denied",
        [trust({"AWS": HOME}, Condition={"StringEquals": {"sts:ExternalId": "tavus"}})],
        owner=AWAY,
        identity=MAY_ASSUME,
        context={"sts:ExternalId": ["Tavus"]},
    ),
    assume(
        "trust policy denies",
        LOGIC,
        "explicit deny",
        [trust(CALLER), {**trust(CALLER), "Effect": "Deny"}],
        identity=MAY_ASSUME,
    ),
    # Key policies
    Case(
        "key policy must allow",
        KEY_POLICY,
        "denied",
        action="kms:Decrypt",
        resource=KEY,
        identity=[allow("kms:*")],
        attached=[allow("kms:*", Principal={"AWS": AWAY})],
        kind="key",
        says="key policy",
    ),
    Case(
        "key policy delegates to the account",
        KEY_POLICY,
        "allowed",
        action="kms:Decrypt",
        resource=KEY,
        identity=[allow("kms:*")],
        attached=[allow("kms:*", Principal={"AWS": root(HOME)})],
        kind="key",
    ),
    # Action and Resource
    Case("actions ignore case", ACTION, "allowed", identity=[allow("S3:getobject")]),
    Case("action wildcard", ACTION, "allowed", identity=[allow("s3:*Obj?ct")]),
    Case(
        "action of another service",
        ACTION,
        "denied",
        identity=[allow("sts:*")],
        says="covers sts:*, not s3:GetObject",
    ),
    Case(
        "NotAction covers the rest",
        NOT_ACTION,
        "allowed",
        identity=[without(allow(NotAction="iam:*"), "Action")],
    ),
    Case(
        "NotAction excepts",
        NOT_ACTION,
        "denied",
        identity=[without(allow(NotAction=["iam:*", "s3:getObject"]), "Action")],
        says="all but iam:*",
    ),
    Case("resources mind case", RESOURCE, "denied", identity=[allow(resource=f"{BUCKET}/2024/A.mp4")]),
    Case(
        "resource wildcard crosses slashes", RESOURCE, "allowed", identity=[allow(resource=f"{BUCKET}/*.mp4")]
    ),
    Case(
        "question mark is one character",
        RESOURCE,
        "allowed",
        identity=[allow(resource=f"{BUCKET}/202?/a.mp4")],
    ),
    Case("question mark is not none", RESOURCE, "denied", identity=[allow(resource=f"{BUCKET}/2024?/a.mp4")]),
    Case("the bucket is not its objects", RESOURCE, "denied", identity=[allow(resource=BUCKET)]),
    Case(
        "a dot is a dot",
        RESOURCE,
        "denied",
        identity=[allow(resource=f"{BUCKET}/2024/a?mp4")],
        resource=f"{BUCKET}/2024/amp4",
    ),
    Case(
        "a star that ends a segment runs on",
        RESOURCE,
        "allowed",
        identity=[allow("kms:*", "arn:aws:kms:*:key/1234")],
        action="kms:Decrypt",
        resource=KEY,
    ),
    Case(
        "a star inside a segment stays in it",
        RESOURCE,
        "denied",
        identity=[allow("kms:*", "arn:aws:kms:eu*3333:key/1234")],
        action="kms:Decrypt",
        resource=KEY,
    ),
    Case(
        "NotResource covers the rest",
        NOT_RESOURCE,
        "allowed",
        identity=[without(allow(NotResource=f"{BUCKET}2/*"), "Resource")],
    ),
    Case(
        "NotResource excepts",
        NOT_RESOURCE,
        "explicit deny",
        identity=[allow(), without(deny(NotResource=f"{BUCKET}/private/*"), "Resource")],
    ),
    Case(
        "NotResource with Deny spares",
        NOT_RESOURCE,
        "allowed",
        identity=[allow(), without(deny(NotResource=f"{BUCKET}/*"), "Resource")],
    ),
    # NotPrincipal
    Case(
        "NotPrincipal spares user with account",
        NOT_PRINCIPAL,
        "allowed",
        identity=[allow()],
        attached=[without(deny(NotPrincipal=NOT_BOB), "Principal")],
    ),
    Case(
        "NotPrincipal denies the others",
        NOT_PRINCIPAL,
        "explicit deny",
        who=(HOME, f"arn:aws:iam::{HOME}:user/bob", None),
        identity=[allow()],
        attached=[deny(NotPrincipal=NOT_BOB)],
    ),
    Case(
        "NotPrincipal without the account",
        NOT_PRINCIPAL,
        "undecidable",
        identity=[allow()],
        attached=[deny(NotPrincipal=CALLER)],
    ),
    Case(
        "NotPrincipal with session, role and account",
        NOT_PRINCIPAL,
        "allowed",
        who=ROLE,
        identity=[allow()],
        attached=[deny(NotPrincipal={"AWS": [SESSION_ARN, ROLE_ARN, HOME]})],
    ),
    Case(
        "NotPrincipal without the role",
        NOT_PRINCIPAL,
        "undecidable",
        who=ROLE,
        identity=[allow()],
        attached=[deny(NotPrincipal={"AWS": [SESSION_ARN, HOME]})],
    ),
    Case(
        "NotPrincipal denies whoever has a boundary",
        NOT_PRINCIPAL,
        "explicit deny",
        identity=[allow()],
        boundary=[allow()],
        attached=[deny(NotPrincipal=NOT_BOB)],
    ),
    Case(
        "NotPrincipal denies anonymous",
        NOT_PRINCIPAL,
        "explicit deny",
        who=NOBODY,
        attached=[allow(Principal="*"), deny(NotPrincipal=NOT_BOB)],
    ),
    Case(
        "canonical user may be the caller",
        PRINCIPAL,
        "undecidable",
        owner=AWAY,
        identity=[allow()],
        attached=[allow(Principal={"CanonicalUser": "79a5"})],
    ),
    Case(
        "canonical user grants nothing in its account",
        PRINCIPAL,
        "denied",
        attached=[allow(Principal={"CanonicalUser": "79a5"})],
    ),
    # Conditions together
    Case(
        "TLS-only bucket, plain request",
        OPERATORS,
        "explicit deny",
        identity=[allow()],
        attached=[TLS_ONLY],
        context={"aws:SecureTransport": ["false"]},
    ),
    Case(
        "TLS-only bucket, TLS request",
        OPERATORS,
        "allowed",
        identity=[allow()],
        attached=[TLS_ONLY],
        context={"AWS:securetransport": ["true"]},
    ),
    Case(
        "operators are a conjunction",
        KEYS_AND_VALUES,
        "denied",
        identity=[allow(Condition={"StringEquals": {"a:x": "1"}, "StringLike": {"a:y": "2"}})],
        context={"a:x": ["1"], "a:y": ["3"]},
        says='wants a:y StringLike "2"',
    ),
    Case(
        "keys are a conjunction",
        KEYS_AND_VALUES,
        "denied",
        identity=[allow(Condition={"StringEquals": {"a:x": "1", "a:y": "2"}})],
        context={"a:x": ["1"]},
    ),
    Case(
        "all conditions met",
        KEYS_AND_VALUES,
        "allowed",
        identity=[allow(Condition={"StringEquals": {"a:x": "1", "a:y": ["2", "3"]}})],
        context={"a:x": ["1"], "a:y": ["3"]},
    ),
    Case(
        "key names ignore case",
        CONDITION,
        "allowed",
        identity=[allow(Condition={"StringEquals": {"AWS:UserName": "ana"}})],
        context={"aws:username": ["ana"]},
    ),
    # Variables
    Case(
        "variable in a resource",
        VARIABLES,
        "allowed",
        identity=[allow(resource=f"{BUCKET}/${{aws:username}}/*")],
        context={"aws:username": ["2024"]},
    ),
    Case(
        "variable names ignore case",
        VARIABLES,
        "allowed",
        identity=[allow(resource=f"{BUCKET}/${{AWS:UserName}}/*")],
        context={"aws:username": ["2024"]},
    ),
    Case(
        "variable without a value",
        VARIABLES,
        "denied",
        identity=[allow(resource=f"{BUCKET}/*${{aws:username}}*")],
    ),
    Case(
        "NotResource with a variable without a value",
        VARIABLES,
        "explicit deny",
        identity=[allow(), without(deny(NotResource=f"{BUCKET}/*${{aws:username}}"), "Resource")],
    ),
    Case("default value", VARIABLES, "allowed", identity=BY_TEAM, resource=f"{BUCKET}-company-wide/a"),
    Case(
        "default value not used",
        VARIABLES,
        "denied",
        identity=BY_TEAM,
        resource=f"{BUCKET}-company-wide/a",
        context={"aws:PrincipalTag/team": ["yellow"]},
    ),
    Case(
        "value rather than default",
        VARIABLES,
        "allowed",
        identity=BY_TEAM,
        resource=f"{BUCKET}-yellow/a",
        context={"aws:PrincipalTag/team": ["yellow"]},
    ),
    Case(
        "escaped star is a star",
        VARIABLES,
        "allowed",
        identity=[allow(resource=f"{BUCKET}/${{*}}${{?}}${{$}}")],
        resource=f"{BUCKET}/*?$",
    ),
    Case(
        "escaped star is no wildcard",
        VARIABLES,
        "denied",
        identity=[allow(resource=f"{BUCKET}/2024/a${{*}}")],
    ),
    Case(
        "old version has no variables",
        VERSION,
        "denied",
        identity=[allow(resource=f"{BUCKET}/${{aws:username}}/*")],
        context={"aws:username": ["2024"]},
        version="2008-10-17",
    ),
    Case(
        "old version reads them literally",
        VERSION,
        "allowed",
        identity=[allow(resource=f"{BUCKET}/${{aws:username}}")],
        resource=f"{BUCKET}/${{aws:username}}",
        version="2008-10-17",
    ),
    Case(
        "variable before the fifth colon",
        VARIABLES,
        "undecidable",
        identity=[allow(resource="arn:aws:s3::${aws:PrincipalAccount}:recordings/*")],
        context={"aws:PrincipalAccount": [HOME]},
    ),
    Case(
        "variable with several values",
        VARIABLES,
        "undecidable",
        identity=[allow(resource=f"{BUCKET}/${{aws:TagKeys}}/*")],
        context={"aws:TagKeys": ["2024", "2025"]},
    ),
    Case(
        "variable in a condition",
        VARIABLES,
        "allowed",
        identity=[allow(Condition={"StringLike": {"s3:prefix": "home/${aws:username}/*"}})],
        context={"s3:prefix": ["home/ana/x"], "aws:username": ["ana"]},
    ),
    Case(
        "null variable equals nothing",
        VARIABLES,
        "denied",
        identity=[allow(Condition={"StringLike": {"s3:prefix": "*${aws:username}"}})],
        context={"s3:prefix": ["home"]},
    ),
    Case(
        "null variable is unlike anything",
        VARIABLES,
        "explicit deny",
        identity=[allow(), deny(Condition=TAG_DIFFERS)],
        context={"s3:ExistingObjectTag/Team": ["red"]},
    ),
    Case(
        "equal variable",
        VARIABLES,
        "allowed",
        identity=[allow(), deny(Condition=TAG_DIFFERS)],
        context={"s3:ExistingObjectTag/Team": ["red"], "aws:PrincipalTag/Team": ["red"]},
    ),
    # What can't be known
    Case(
        "unknown key decides",
        CONDITION,
        "undecidable",
        identity=[allow()],
        attached=[ORG_ONLY],
        unknown=ORG_UNKNOWN,
    ),
    Case(
        "unknown key under an explicit deny",
        LOGIC,
        "explicit deny",
        identity=[allow(), deny()],
        attached=[ORG_ONLY],
        unknown=ORG_UNKNOWN,
    ),
    Case("unknown key where nothing allows", LOGIC, "denied", attached=[ORG_ONLY], unknown=ORG_UNKNOWN),
    Case(
        "unknown key beside another grant",
        LOGIC,
        "allowed",
        identity=[allow()],
        attached=[IN_ORG],
        unknown=ORG_UNKNOWN,
    ),
    Case(
        "unknown key is the only grant",
        LOGIC,
        "undecidable",
        attached=[IN_ORG],
        unknown=ORG_UNKNOWN,
        says="aws:PrincipalOrgID",
    ),
    Case(
        "unknown key beside a false one",
        KEYS_AND_VALUES,
        "denied",
        attached=[{**IN_ORG, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1", "a:x": "1"}}}],
        unknown=ORG_UNKNOWN,
    ),
    Case(
        "unknown by prefix",
        CONDITION,
        "undecidable",
        identity=[allow(Condition={"StringEquals": {"aws:ResourceTag/team": "red"}})],
        unknown=frozenset({"aws:resourcetag/"}),
    ),
    Case(
        "unknown on the other side of a denial",
        CROSS,
        "denied",
        owner=AWAY,
        attached=[IN_ORG],
        unknown=ORG_UNKNOWN,
    ),
    Case(
        "unknown key in a variable",
        VARIABLES,
        "undecidable",
        identity=[allow(resource=f"{BUCKET}/${{aws:ResourceTag/team}}/*")],
        unknown=frozenset({"aws:resourcetag/"}),
    ),
    Case(
        "a given value is known",
        CONDITION,
        "allowed",
        attached=[IN_ORG],
        unknown=ORG_UNKNOWN,
        context={"aws:PrincipalOrgID": ["o-1"]},
    ),
    Case("the root user is not covered", LOGIC, "undecidable", who=(HOME, root(HOME), None)),
]


def when(page: str, operator: str, wants: Any, has: Sequence[str] | None, met: bool | None) -> Case:
    """One condition: is it met?"""
    return Case(
        f"{operator} {wants} on {has}",
        page,
        {True: "allowed", False: "denied", None: "undecidable"}[met],
        identity=[allow(Condition={operator: {"a:key": wants}})],
        context={} if has is None else {"a:key": has},
    )


ARN = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
OPERATOR_CASES = [
    when(OPERATORS, "StringEquals", "red", ["red"], True),
    when(OPERATORS, "StringEquals", "red", ["Red"], False),
    when(OPERATORS, "StringEquals", "r*", ["red"], False),
    when(OPERATORS, "StringEquals", "red", None, False),
    when(KEYS_AND_VALUES, "StringEquals", ["red", "blue"], ["blue"], True),
    when(OPERATORS, "StringNotEquals", "red", ["Red"], True),
    when(OPERATORS, "StringNotEquals", "red", None, True),
    when(KEYS_AND_VALUES, "StringNotEquals", ["red", "blue"], ["blue"], False),
    when(OPERATORS, "StringEqualsIgnoreCase", "red", ["RED"], True),
    when(OPERATORS, "StringEqualsIgnoreCase", "red", ["blue"], False),
    when(OPERATORS, "StringNotEqualsIgnoreCase", "red", ["RED"], False),
    when(OPERATORS, "StringLike", "r*d?", ["round."], True),
    when(OPERATORS, "StringLike", "r*", ["Red"], False),
    when(OPERATORS, "StringLike", "r.d*", ["red"], False),
    when(OPERATORS, "StringLike", ["", "home/"], [""], True),
    when(OPERATORS, "StringNotLike", "r*", ["red"], False),
    when(OPERATORS, "StringNotLike", "r*", None, True),
    when(OPERATORS, "NumericEquals", "10", ["10.0"], True),
    when(OPERATORS, "NumericEquals", 10, ["11"], False),
    when(OPERATORS, "NumericNotEquals", "10", ["11"], True),
    when(OPERATORS, "NumericNotEquals", "10", ["10"], False),
    when(OPERATORS, "NumericLessThan", "10", ["9"], True),
    when(OPERATORS, "NumericLessThan", "10", ["10"], False),
    when(OPERATORS, "NumericLessThanEquals", "10", ["10"], True),
    when(OPERATORS, "NumericLessThanEquals", "10", ["11"], False),
    when(OPERATORS, "NumericGreaterThan", "10", ["11"], True),
    when(OPERATORS, "NumericGreaterThan", "10", ["10"], False),
    when(OPERATORS, "NumericGreaterThanEquals", "10", ["10"], True),
    when(OPERATORS, "NumericGreaterThanEquals", "10", ["9"], False),
    when(OPERATORS, "NumericEquals", "ten", ["10"], None),
    when(OPERATORS, "DateEquals", "2020-01-01T00:00:01Z", ["2020-01-01T01:00:01+01:00"], True),
    when(OPERATORS, "DateEquals", "2020-01-01", ["1577836800"], True),
    when(OPERATORS, "DateNotEquals", "2020-01-01", ["2020-01-01"], False),
    when(OPERATORS, "DateLessThan", "2020-01-01T00:00:01Z", ["2020-01-01T00:00:00Z"], True),
    when(OPERATORS, "DateLessThan", "2020-01-01T00:00:01Z", ["2020-01-01T00:00:01Z"], False),
    when(OPERATORS, "DateLessThanEquals", "2020-01-01T00:00:01Z", ["2020-01-01T00:00:01Z"], True),
    when(OPERATORS, "DateGreaterThan", "2020-01-01T00:00:01Z", ["2020-01-01T00:00:01.5Z"], True),
    when(OPERATORS, "DateGreaterThan", "2020-01-01T00:00:01Z", None, False),
    when(OPERATORS, "DateGreaterThanEquals", "2020-01-01T00:00:01Z", ["2020-01-01T00:00:00Z"], False),
    when(OPERATORS, "DateGreaterThan", "2020-*", ["2020-01-01"], None),
    when(OPERATORS, "DateGreaterThan", "2020-02-30", ["2020-01-01"], None),
    when(OPERATORS, "Bool", True, ["true"], True),
    when(OPERATORS, "Bool", "true", ["false"], False),
    when(OPERATORS, "Bool", "true", None, False),
    when(OPERATORS, "BinaryEquals", "QmluYXJ5", ["QmluYXJ5"], True),
    when(OPERATORS, "BinaryEquals", "QmluYXJ5", ["Qm9vbQ=="], False),
    when(OPERATORS, "BinaryEquals", "no base64", ["Qm9vbQ=="], None),
    when(OPERATORS, "IpAddress", "203.0.113.0/24", ["203.0.113.7"], True),
    when(OPERATORS, "IpAddress", "203.0.113.0/24", ["203.0.114.7"], False),
    when(OPERATORS, "IpAddress", "203.0.113.7", ["203.0.113.8"], False),
    when(
        OPERATORS, "IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], ["2001:db8:1234:5678::1"], True
    ),
    when(OPERATORS, "IpAddress", "2001:DB8::1", ["2001:db8::1"], None),
    when(OPERATORS, "NotIpAddress", "203.0.113.0/24", ["203.0.113.7"], False),
    when(OPERATORS, "NotIpAddress", "203.0.113.0/24", None, True),
    when(OPERATORS, "ArnLike", "arn:aws:someservice:*:111122223333:finance/*", [ARN], False),
    when(OPERATORS, "StringLike", "arn:aws:someservice:*:111122223333:finance/*", [ARN], True),
    when(OPERATORS, "ArnEquals", "arn:aws:iam::*:role/app/*", [ROLE_ARN], True),
    when(OPERATORS, "ArnEquals", "arn:aws:iam::*:role/app/*", ["no arn"], False),
    when(OPERATORS, "ArnLike", ROLE_ARN, [ROLE_ARN.upper()], False),
    when(OPERATORS, "ArnNotEquals", "arn:aws:iam::*:role/app/*", [ROLE_ARN], False),
    when(OPERATORS, "ArnNotLike", "arn:aws:iam::*:role/app/*", [USER[1]], True),
    when(OPERATORS, "ArnLike", "*", [ROLE_ARN], None),
    when(OPERATORS, "StringEqualsIfExists", "red", None, True),
    when(OPERATORS, "StringEqualsIfExists", "red", ["blue"], False),
    when(OPERATORS, "StringNotEqualsIfExists", "red", None, True),
    when(OPERATORS, "Null", "true", None, True),
    when(OPERATORS, "Null", "true", ["x"], False),
    when(OPERATORS, "Null", "false", ["x"], True),
    when(OPERATORS, "Null", False, None, False),
    when(SETS, "ForAllValues:StringEquals", ["red", "blue"], ["red", "blue"], True),
    when(SETS, "ForAllValues:StringEquals", ["red", "blue"], ["red", "green"], False),
    when(SETS, "ForAllValues:StringEquals", ["red"], None, True),
    when(SETS, "ForAllValues:StringEquals", ["red"], [""], True),
    when(SETS, "ForAnyValue:StringEquals", ["red"], ["green", "red"], True),
    when(SETS, "ForAnyValue:StringEquals", ["red"], ["green"], False),
    when(SETS, "ForAnyValue:StringEquals", ["red"], None, False),
    when(SETS, "ForAnyValue:StringNotEquals", ["red"], None, False),
    when(OPERATORS, "ForAnyValue:StringNotEquals", ["red"], ["red", "blue"], True),
    when(OPERATORS, "ForAllValues:StringNotLike", ["r*"], ["red", "blue"], False),
    when(OPERATORS, "ForAnyValue:StringEqualsIfExists", ["red"], None, True),
    when(SETS, "StringEquals", ["red"], ["red", "blue"], None),
]
CASES = [*DECISIONS, *OPERATOR_CASES]


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


ACCESS_POINTS = "arn:aws:s3:us-west-2:123456789012:accesspoint/*"
ALLOW_TWICE = f'{{"Statement": {json.dumps(allow())}, "Statement": {json.dumps(allow())}}}'
SHAPES = [
    stored("identity policy", GRAMMAR, "stored", allow()),
    Reading("single statement as text", GRAMMAR, "stored", json.dumps({"Statement": allow()}), "identity"),
    Reading("not JSON", GRAMMAR, "malformed", "{", "identity"),
    Reading("element twice", GRAMMAR, "malformed", ALLOW_TWICE, "identity"),
    Reading("no statement", GRAMMAR, "malformed", {"Version": "2012-10-17", "Statement": []}, "identity"),
    stored("unknown version", VERSION, "malformed", allow(), Version="2012-10-18"),
    stored("unknown element of the policy", GRAMMAR, "malformed", allow(), Owner="x"),
    stored("unknown element", GRAMMAR, "malformed", allow(Conditions={})),
    stored("Id in an identity policy", GRAMMAR, "malformed", allow(), Id="x"),
    stored("Id in a bucket policy", GRAMMAR, "stored", allow(Principal="*"), "resource", Id="x"),
    stored("no Effect", EFFECT, "malformed", without(allow(), "Effect")),
    stored("Effect in lower case", EFFECT, "malformed", {**allow(), "Effect": "allow"}),
    stored("no Action", ACTION, "malformed", without(allow(), "Action")),
    stored("Action and NotAction", GRAMMAR, "malformed", allow(NotAction="s3:*")),
    stored("action without a service", ACTION, "malformed", allow("GetObject")),
    stored("no Resource", RESOURCE, "malformed", without(allow(), "Resource")),
    stored("resource that is no ARN", RESOURCE, "malformed", allow(resource="recordings/*")),
    stored("wildcard service", RESOURCE, "malformed", allow(resource="arn:aws:*:::recordings")),
    stored("Principal in an identity policy", PRINCIPAL, "malformed", allow(Principal="*")),
    stored("Sid with a space", SID, "malformed", allow(Sid="a b")),
    stored("Sid with a space in a bucket policy", SID, "stored", allow(Sid="a b", Principal="*"), "resource"),
    Reading("Sid twice", SID, "malformed", {"Statement": [allow(Sid="a"), deny(Sid="a")]}, "identity"),
    stored("no Principal", PRINCIPAL, "malformed", allow(), "resource"),
    stored(
        "partial wildcard in a principal",
        PRINCIPAL,
        "malformed",
        allow(Principal={"AWS": f"arn:aws:iam::{HOME}:user/*"}),
        "resource",
    ),
    stored(
        "wildcard session",
        PRINCIPAL,
        "malformed",
        allow(Principal={"AWS": f"arn:aws:sts::{HOME}:assumed-role/writer/*"}),
        "resource",
    ),
    stored("principal that is no ARN", PRINCIPAL, "malformed", allow(Principal={"AWS": "ana"}), "resource"),
    stored("unknown principal type", PRINCIPAL, "malformed", allow(Principal={"User": "x"}), "resource"),
    stored("principal as bare account", PRINCIPAL, "malformed", allow(Principal=HOME), "resource"),
    stored("NotPrincipal with Allow", NOT_PRINCIPAL, "malformed", allow(NotPrincipal=CALLER), "resource"),
    stored(
        "NotPrincipal in a trust policy",
        NOT_PRINCIPAL,
        "malformed",
        {**without(trust("*"), "Principal"), "Effect": "Deny", "NotPrincipal": CALLER},
        "trust",
    ),
    stored("trust policy", GRAMMAR, "stored", trust(CALLER), "trust"),
    stored(
        "trust policy with a resource",
        f"{IAM}troubleshoot_roles.html",
        "malformed",
        trust(CALLER, Resource="*"),
        "trust",
    ),
    stored(
        "trust policy without a principal", GRAMMAR, "malformed", without(trust("*"), "Principal"), "trust"
    ),
    stored(
        "trust policy for another service",
        ASSUME,
        "malformed",
        {**trust(CALLER), "Action": "s3:GetObject"},
        "trust",
    ),
    stored("unknown operator", OPERATORS, "malformed", allow(Condition={"StringMatches": {"a:x": "1"}})),
    stored("NullIfExists", OPERATORS, "malformed", allow(Condition={"NullIfExists": {"a:x": "true"}})),
    stored(
        "operator in another case", OPERATORS, "undecidable", allow(Condition={"stringequals": {"a:x": "1"}})
    ),
    stored("Null on a set", OPERATORS, "undecidable", allow(Condition={"ForAnyValue:Null": {"a:x": "true"}})),
    stored("condition that is no object", GRAMMAR, "malformed", allow(Condition=["x"])),
    public("everyone", "public", allow(Principal="*")),
    public("everyone, written long", "public", allow(Principal={"AWS": ["*"]})),
    public("a fixed principal", "stored", allow(Principal={"AWS": AWAY})),
    public("a service", "stored", allow(Principal={"Service": "cloudtrail.amazonaws.com"})),
    public("one public statement of several", "public", allow(Principal={"AWS": AWAY}), allow(Principal="*")),
    public("a public Deny is not a grant", "stored", deny(Principal="*")),
    public("wildcard VPC", "public", held("StringLike", "aws:SourceVpc", "vpc-*")),
    public("fixed VPC", "stored", held("StringEquals", "aws:SourceVpc", "vpc-91237329")),
    public("fixed VPC, if there is one", "public", held("StringEqualsIfExists", "aws:SourceVpc", "vpc-1")),
    public("any other VPC", "public", held("StringNotEquals", "aws:SourceVpc", "vpc-1")),
    public(
        "set of values that may be empty",
        "public",
        held("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-1"),
    ),
    public("organization", "stored", held("StringEquals", "aws:PrincipalOrgID", "o-1")),
    public("variable", "public", held("StringEquals", "aws:SourceAccount", "${aws:PrincipalAccount}")),
    public("addresses", "stored", held("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "10.0.0.0/8"])),
    public(
        "very many addresses", "public", held("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/1"])
    ),
    public("very many IPv6 addresses", "public", held("IpAddress", "aws:SourceIp", "2001::/31")),
    public("IPv6 addresses", "stored", held("IpAddress", "aws:SourceIp", "2001:db8::/32")),
    public(
        "access points of an account", "stored", held("StringLike", "s3:DataAccessPointArn", ACCESS_POINTS)
    ),
    public(
        "access points of any account",
        "public",
        held("StringLike", "s3:DataAccessPointArn", ACCESS_POINTS.replace("123456789012", "*")),
    ),
    public("user id", "stored", held("StringEquals", "aws:userid", "AIDAEXAMPLE")),
    public("any session of a role id", "public", held("StringLike", "aws:userid", "AROAEXAMPLE:*")),
    public("a key that isn't listed", "public", held("StringEquals", "aws:UserAgent", "x")),
]


def document(
    module: ModuleType, statements: Sequence[Json] | None, kind: str, version: str = "2012-10-17"
) -> Any:
    return None if statements is None else module.parse({"Version": version, "Statement": statements}, kind)


def outcome(module: ModuleType, case: Case) -> tuple[str, str]:
    """What the evaluator says of a case, and why."""
    account, arn, role = case.who
    policies = module.Policies(
        identity=[document(module, case.identity, "identity", case.version)] if case.identity else [],
        boundary=document(module, case.boundary, "identity"),
        session=None if case.session is None else [document(module, case.session, "identity")],
        resource=document(module, case.attached, case.kind),
    )
    request = module.Request(
        module.Principal(account, arn, role),
        case.action,
        case.resource,
        case.owner,
        case.context,
        case.unknown,
    )
    try:
        decision = module.decide(request, policies)
    except module.Undecidable as undecidable:
        return "undecidable", str(undecidable)
    words = "allowed" if decision.allowed else "explicit deny" if decision.explicit_deny else "denied"
    return words, decision.reason


def read(module: ModuleType, reading: Reading) -> str:
    """What the evaluator says of a policy on its own."""
    try:
        found = module.parse(reading.policy, reading.kind)
    except (module.MalformedPolicy, module.Undecidable) as error:
        return "malformed" if isinstance(error, module.MalformedPolicy) else "undecidable"
    return "public" if reading.page == PUBLIC and module.is_public(found) else "stored"


def differences(module: ModuleType) -> Iterator[str]:
    """Name the cases for which an evaluator differs from the documentation."""
    for case in CASES:
        words, reason = outcome(module, case)
        if words != case.expect or case.says not in reason:
            yield case.name
    yield from (reading.name for reading in SHAPES if read(module, reading) != reading.expect)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decides_as_documented(case: Case) -> None:
    words, reason = outcome(policy, case)
    assert words == case.expect, f"{reason} ({case.page})"
    assert case.says in reason


@pytest.mark.parametrize("reading", SHAPES, ids=lambda reading: reading.name)
def test_reads_as_documented(reading: Reading) -> None:
    assert read(policy, reading) == reading.expect, reading.page


def test_names_of_cases_differ() -> None:
    names = [case.name for case in CASES] + [reading.name for reading in SHAPES]
    assert len(set(names)) == len(names)
    assert all(one.page.startswith("https://docs.aws.amazon.com/") for one in [*CASES, *SHAPES])


def test_assuming_a_role_needs_its_trust_policy() -> None:
    request = policy.Request(policy.Principal(*USER), "sts:AssumeRole", TARGET, HOME, {})
    with pytest.raises(ValueError, match="trust policy"):
        policy.decide(request, policy.Policies([]))


# --- properties ------------------------------------------------------------------------------------------

PRINCIPALS = ["*", {"AWS": HOME}, {"AWS": AWAY}, CALLER, {"AWS": ROLE_ARN}, {"AWS": SESSION_ARN}]
CONDITIONS = [
    {},
    {"StringEquals": {"a:x": "1"}},
    {"StringNotEquals": {"a:x": "1"}},
    {"StringEquals": {"a:hidden": "1"}},
]


def statements(effect: str | None = None, *, attached: bool = False) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {
            "Effect": st.just(effect) if effect else st.sampled_from(["Allow", "Deny"]),
            "Action": st.sampled_from(["s3:*", "s3:GetObject", "s3:PutObject"]),
            "Resource": st.sampled_from(["*", f"{BUCKET}/*", f"{BUCKET}/2025/*"]),
            "Condition": st.sampled_from(CONDITIONS),
            **({"Principal": st.sampled_from(PRINCIPALS)} if attached else {}),
        }
    )


def some(*, attached: bool = False) -> st.SearchStrategy[list[Json]]:
    return st.lists(statements(attached=attached), min_size=1, max_size=3)


ANY_CASE = st.builds(
    Case,
    name=st.just(""),
    page=st.just(""),
    expect=st.just(""),
    who=st.sampled_from([USER, ROLE, NOBODY]),
    owner=st.sampled_from([HOME, AWAY]),
    context=st.sampled_from([{}, {"a:x": ["1"]}, {"a:x": ["2"]}]),
    unknown=st.just(frozenset({"a:hidden"})),
    identity=st.one_of(st.just([]), some()),
    boundary=st.one_of(st.none(), some()),
    session=st.one_of(st.none(), some()),
    attached=st.one_of(st.none(), some(attached=True)),
)
FEW = settings(max_examples=100, deadline=None, derandomize=True)


def with_statement(case: Case, where: str, statement: Json) -> Case:
    principal = {"Principal": "*"} if where == "attached" else {}
    before: Sequence[Json] = getattr(case, where) or []
    more: Json = {where: [*before, {**statement, **principal}]}
    return replace(case, **more)


@FEW
@given(ANY_CASE, st.sampled_from(["identity", "boundary", "session", "attached"]))
def test_explicit_deny_wins(case: Case, where: str) -> None:
    assert outcome(policy, with_statement(case, where, deny()))[0] == "explicit deny"


@FEW
@given(ANY_CASE, st.sampled_from(["identity", "boundary", "session", "attached"]), statements("Allow"))
def test_another_allow_never_takes_away(case: Case, where: str, statement: Json) -> None:
    # A first boundary or session policy is a limit, not a further statement.
    if where in ("boundary", "session") and getattr(case, where) is None:
        return
    if outcome(policy, case)[0] == "allowed":
        assert outcome(policy, with_statement(case, where, statement))[0] == "allowed"


@FEW
@given(ANY_CASE, st.sampled_from(["identity", "boundary", "session", "attached"]), statements("Deny"))
def test_another_deny_never_gives(case: Case, where: str, statement: Json) -> None:
    if outcome(policy, case)[0] != "allowed":
        assert outcome(policy, with_statement(case, where, statement))[0] != "allowed"
