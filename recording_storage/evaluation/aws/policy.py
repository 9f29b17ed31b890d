"""Decides an AWS request as AWS does: by evaluating the policies that apply to it.

`decide` takes identity policies, permissions boundary, session policies, service control policies, one resource
policy (bucket policy, role trust policy or key policy) and grants on a key, and says whether the request is allowed,
and why. What it can't know it does not guess: it raises `Undecidable`. `is_public` is S3's test for Block Public
Access.

Left out: resource control policies, VPC endpoint policies, ACLs, root users, federated user
sessions and AWS services as callers, and a principal that was deleted and made anew under the same name. The
condition keys (`aws:PrincipalArn`, `aws:username`, `aws:SecureTransport`, ...) are the caller's to give.

Sources, under https://docs.aws.amazon.com/IAM/latest/UserGuide/ :
reference_policies_evaluation-logic_policy-eval-denyallow.html,
reference_policies_evaluation-logic_policy-eval-basics.html,
reference_policies_evaluation-logic-cross-account.html, reference_policies_grammar.html,
reference_policies_elements_principal.html, reference_policies_elements_notprincipal.html,
reference_policies_elements_resource.html, access_policies_boundaries.html;
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html;
https://docs.aws.amazon.com/kms/latest/developerguide/grants.html; and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from recording_storage.evaluation.aws.conditions import (
    Condition,
    Context,
    Pattern,
    Truth,
    Undecidable,
    all_of,
    any_of,
    expand,
    negate,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from recording_storage.evaluation.aws.document import Document, Kind, Statement


@dataclass(frozen=True)
class Principal:
    """Who asks: an IAM user, a role session (with the ARN of its role), or nobody known.

    For somebody who comes with an identity provider's token and is nobody in AWS yet, `provider_arn` is all there is.
    """

    account: str
    arn: str
    role_arn: str | None = None
    provider_arn: str | None = None

    @classmethod
    def anonymous(cls) -> Principal:
        """Stand for a request without a signature."""
        return cls("", "")


@dataclass(frozen=True)
class Request:
    """One action on one resource. `unknown` names the condition keys (or, ending in "/", their prefixes)
    that can't be known; any other key that `context` has not is absent, as AWS means it.
    """

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, Sequence[str]]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grant:
    """A grant on a KMS key: whether it covers the request, and if that isn't known, why."""

    name: str
    truth: Truth
    why: str = ""


@dataclass(frozen=True)
class Policies:
    """Everything that applies to a request. `session` is `None` when no session policy was given.

    `organisation` has the service control policies for the caller's account, level by level from the root to the
    account itself; none: the account is in no organisation, or is the one that manages it.
    """

    identity: Sequence[Document]
    boundary: Document | None = None
    session: Sequence[Document] | None = None
    organisation: Sequence[Sequence[Document]] = ()
    resource: Document | None = None
    grants: Sequence[Grant] = ()


Blocker: TypeAlias = Literal["identity", "boundary", "session", "organisation", "resource", ""]


@dataclass(frozen=True)
class Decision:
    """The answer, and the evidence for it in one sentence; `blocker` is the type of policy that denies."""

    allowed: bool
    reason: str
    explicit_deny: bool
    blocker: Blocker = ""


# --- matching --------------------------------------------------------------------------------------------


class _Grade(IntEnum):
    """How a resource policy names a caller, which says what else the caller still needs."""

    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


class _Finding(NamedTuple):
    """What one statement says of a request; `depth` counts the elements that matched before one did not."""

    truth: Truth
    depth: int
    why: str
    grade: _Grade


def _is_account(text: str, account: str) -> bool:
    return text == account or re.fullmatch(rf"arn:aws[a-z-]*:iam::{account}:root", text) is not None


def _named(kind: str, text: str, who: Principal) -> tuple[Truth, _Grade]:
    if kind == "CanonicalUser":
        return (None if who.account else False), _Grade.ACCOUNT
    if who.provider_arn:
        # Whether everybody (*) includes those whom an identity provider vouches for isn't documented.
        everybody = None if (kind, text) == ("AWS", "*") else False
        return (True if kind == "Federated" and text == who.provider_arn else everybody), _Grade.DIRECT
    if kind == "AWS" and text in ("*", who.arn):
        return True, _Grade.DIRECT
    if kind == "AWS" and text == who.role_arn:
        return True, _Grade.ROLE
    return kind == "AWS" and bool(who.account) and _is_account(text, who.account), _Grade.ACCOUNT


def _principal(statement: Statement, who: Principal, bounded: bool) -> tuple[Truth, _Grade]:
    if statement.principals is None:
        return True, _Grade.DIRECT
    if statement.not_principals:
        return _not_excepted(statement.principals, who, bounded), _Grade.DIRECT
    found = [_named(kind, text, who) for kind, text in statement.principals]
    for sought in (True, None):
        grades = [grade for truth, grade in found if truth is sought]
        if grades:
            return sought, max(grades)
    return False, _Grade.ACCOUNT


def _not_excepted(listed: Iterable[tuple[str, str]], who: Principal, bounded: bool) -> Truth:
    # Documented: whatever it lists, it denies every principal that has a permissions boundary.
    if bounded:
        return True
    texts = [text for kind, text in listed if kind == "AWS"]
    if "*" in texts:
        return False
    if any(kind == "CanonicalUser" for kind, _ in listed):
        return None
    own = [arn in texts for arn in (who.arn, who.role_arn) if arn]
    # Documented: with the account (or a session's role) missing from the list it "might" deny.
    if all(own) and own and any(_is_account(text, who.account) for text in texts):
        return False
    return None if any(own) else True


def _action(statement: Statement, request: Request) -> Truth:
    wanted = request.action.lower()
    return any(_is_named(a.lower(), wanted) for a in statement.actions) != statement.not_actions


@lru_cache(maxsize=4096)
def _is_named(pattern: str, action: str) -> bool:
    return Pattern.plain(pattern).matches(action)


def _resource(statement: Statement, request: Request, variables: bool, context: Context) -> Truth:
    def covers(text: str) -> Truth:
        if not variables:
            return _arn_matches(Pattern.plain(text), request.resource)
        pattern = expand(text, context)
        # A variable before the fifth colon is documented as not possible, not what comes of it.
        if "${" in ":".join(text.split(":")[:5]):
            return None
        return _arn_matches(pattern, request.resource) if isinstance(pattern, Pattern) else pattern

    if not statement.resources:
        return True
    covered = any_of(covers(text) for text in statement.resources)
    return negate(covered) if statement.not_resources else covered


@lru_cache(maxsize=4096)
def _arn_matches(pattern: Pattern, arn: str) -> bool:
    """In an ARN's first five segments wildcards keep to the segment, but a `*` that ends one may run on."""
    source, colons = "", 0
    for at, (character, fixed) in enumerate(pattern.characters):
        ends = pattern.characters[at + 1 : at + 2] in ((), ((":", False),))
        anything = "." if colons >= 5 or (character == "*" and ends) else "[^:]"
        wild = {"*": f"{anything}*", "?": anything}
        source += re.escape(character) if fixed or character not in wild else wild[character]
        colons += character == ":"
    return re.fullmatch(source, arn, re.DOTALL) is not None


def _examine(
    statement: Statement, document: Document, request: Request, context: Context, bounded: bool
) -> _Finding:
    named, grade = _principal(statement, request.principal, bounded)
    caller = request.principal.arn or request.principal.provider_arn or "anonymous"
    results = [(c, c.evaluate(context, document.variables)) for c in statement.conditions]
    met = all_of(truth for _, truth in results)
    steps: tuple[tuple[Truth, str], ...] = (
        (named, f"names {_principal_text(statement)}, the caller is {caller}"),
        (
            _action(statement, request),
            f"covers {_listed(statement.actions, statement.not_actions)}, not {request.action}",
        ),
        (
            _resource(statement, request, document.variables, context),
            f"covers {_listed(statement.resources, statement.not_resources)}, not {request.resource}",
        ),
        (met, " and ".join(c.explain(context) for c, truth in results if truth is met)),
    )
    for sought in (False, None):
        for depth, (truth, why) in enumerate(steps):
            if truth is sought:
                doubt = "may or may not apply: it " if sought is None else ""
                return _Finding(sought, depth, f"{statement.name} {doubt}{why}", grade)
    return _Finding(True, len(steps), statement.name, grade)


def _listed(texts: Sequence[str], excepted: bool) -> str:
    return ("all but " if excepted else "") + ", ".join(texts)


def _principal_text(statement: Statement) -> str:
    return _listed([text for _, text in statement.principals or ()], statement.not_principals)


# --- deciding --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    """What the policies of one type say of a request."""

    blocker: Blocker
    label: str
    allows: list[_Finding] = field(default_factory=list[_Finding])
    denies: list[_Finding] = field(default_factory=list[_Finding])

    @classmethod
    def of(
        cls,
        blocker: Blocker,
        label: str,
        documents: Iterable[Document],
        request: Request,
        context: Context,
        bounded: bool,
    ) -> _Reading:
        reading = cls(blocker, label)
        for document in documents:
            for statement in document.statements:
                finding = _examine(statement, document, request, context, bounded)
                (reading.allows if statement.allow else reading.denies).append(finding)
        return reading

    def allowed(self, *grades: _Grade) -> Truth:
        return any_of(f.truth for f in self.allows if f.grade in (grades or _Grade))

    def by(self) -> str:
        return next(f"{f.why} of the {self.label}" for f in self.allows if f.truth)

    def why_not(self) -> str:
        if not self.allows:
            return f"no statement of the {self.label} allows anything"
        nearest = max(f.depth for f in self.allows)
        causes = list(dict.fromkeys(f.why for f in self.allows if f.depth == nearest))
        return f"no statement of the {self.label} allows it: {'; '.join(causes[:3])}"


_CALLER = re.compile(r"arn:aws[a-z-]*:(iam::\d{12}:user/.+|sts::\d{12}:assumed-role/[^/]+/[^/]+)")
_ASSUMES = frozenset({"sts:assumerole", "sts:assumerolewithwebidentity"})
_MUST_ALLOW: frozenset[Kind] = frozenset({"trust", "key"})


def decide(request: Request, policies: Policies) -> Decision:
    """Allow or deny; raises `Undecidable` when that hangs on something that isn't known."""
    who = request.principal
    if who.arn and not _CALLER.fullmatch(who.arn):
        raise Undecidable(
            f"callers like {who.arn} aren't covered: only IAM users, role sessions and anonymous"
        )
    if request.action.lower() in _ASSUMES and (not policies.resource or policies.resource.kind != "trust"):
        raise ValueError(f"{request.action} is decided with the trust policy of the role")
    bounded = policies.boundary is not None
    context = Context.of(request.context, request.unknown)

    def read(blocker: Blocker, label: str, documents: Iterable[Document]) -> _Reading:
        return _Reading.of(blocker, label, documents, request, context, bounded)

    identity = read("identity", "caller's identity policies", policies.identity)
    limits = [read("boundary", "permissions boundary", [policies.boundary])] if policies.boundary else []
    limits += [read("session", "session policy", policies.session)] if policies.session is not None else []
    label = _resource_label(request, policies.resource)
    resource = read("resource", label, [policies.resource] if policies.resource else [])
    levels = [read("organisation", "organisation's policies", level) for level in policies.organisation]
    readings = [identity, *limits, *levels, resource]
    for reading in readings:
        for finding in reading.denies:
            if finding.truth:
                why = f"explicit deny in the {reading.label} ({finding.why})"
                return Decision(False, why, True, reading.blocker)

    within = all_of(limit.allowed() for limit in limits)
    own = all_of([identity.allowed(), within])
    direct = resource.allowed(_Grade.DIRECT)
    must_allow = policies.resource is not None and policies.resource.kind in _MUST_ALLOW
    if not who.account:
        granted = direct
    elif who.account != request.resource_account:
        granted = all_of([own, resource.allowed()])
    else:
        # Naming the account only hands the question to the account, so identity policies must answer it.
        delegated = all_of([own, resource.allowed(_Grade.ACCOUNT)]) if must_allow else own
        granted = any_of([direct, all_of([resource.allowed(_Grade.ROLE), within]), delegated])

    grants = _settled(policies.grants, own if who.account != request.resource_account else within)
    granted = any_of([granted, *(grant.truth for grant in grants)])
    # It limits whatever the account's principals were given, by whomever.
    granted = all_of([granted, *(level.allowed() for level in levels)])

    if granted is False:
        for level in levels:
            if level.allowed() is False:
                return Decision(False, level.why_not(), False, level.blocker)
        blocker = _blocker(identity, limits, resource, must_allow)
        return Decision(
            False, _denial(request, identity, limits, resource, must_allow, grants), False, blocker
        )
    unknown = [f.why for r in readings for f in (*r.denies, *r.allows) if f.truth is None]
    unknown += [grant.why for grant in grants if grant.truth is None]
    if granted is None or any(f.truth is None for r in readings for f in r.denies):
        raise Undecidable(f"what AWS would answer isn't known: {'; '.join(dict.fromkeys(unknown))}")
    sources = [r.by() for r in (identity, resource) if r.allowed()]
    sources += [grant.name for grant in grants if grant.truth]
    return Decision(True, f"allowed by {' and '.join(sources)}", False)


def _settled(grants: Iterable[Grant], beside: Truth) -> list[Grant]:
    """What grants say, given whether the caller's own side (or what limits it) allows the request too.

    AWS documents that a grant is enough without any policy, but not what becomes of it where a permissions
    boundary, a session policy or the policies of another account are silent.
    """
    silent = "allows it, but whether the caller's own policies or limits must allow it too isn't documented"
    return [
        grant if beside or not grant.truth else Grant(grant.name, None, f"{grant.name} {silent}")
        for grant in grants
    ]


def _blocker(identity: _Reading, limits: list[_Reading], resource: _Reading, must_allow: bool) -> Blocker:
    if must_allow and not resource.allowed():
        return "resource"
    # A role that a resource policy names needs no identity policy: then it is a limit that is missing.
    needed = limits if resource.allowed(_Grade.ROLE) and limits else [identity, *limits, resource]
    return next(reading.blocker for reading in (*needed, identity) if not reading.allowed())


def _resource_label(request: Request, document: Document | None) -> str:
    if document is not None and document.kind != "resource":
        return f"{document.kind} policy"
    return "bucket policy" if request.resource.split(":")[2:3] == ["s3"] else "resource policy"


def _denial(
    request: Request,
    identity: _Reading,
    limits: list[_Reading],
    resource: _Reading,
    must_allow: bool,
    grants: Sequence[Grant],
) -> str:
    if grants:
        without = _denial(request, identity, limits, resource, must_allow, ())
        return f"{without}; and {'; '.join(grant.why for grant in grants)}"
    who = request.principal
    blocked = [limit.why_not() for limit in limits if not limit.allowed()]
    own = [*([] if identity.allowed() else [identity.why_not()]), *blocked]
    if not who.account:
        return resource.why_not()
    if who.account != request.resource_account:
        return " and ".join([*own, *([] if resource.allowed() else [resource.why_not()])])
    if resource.allowed(_Grade.ROLE):
        return f"the {resource.label} allows it, but {' and '.join(blocked)}"
    if resource.allowed(_Grade.ACCOUNT):
        return f"the {resource.label} leaves it to account {who.account}, and {' and '.join(own)}"
    if must_allow:
        return resource.why_not()
    return " and ".join([*own, *([resource.why_not()] if resource.allows else [])])


# --- Block Public Access ---------------------------------------------------------------------------------

_FIXING_KEYS = frozenset(
    {
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)
_FIXING_OPERATORS = re.compile(
    r"(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like)|IpAddress)"
)
_NARROWEST: Mapping[int, int] = {4: 8, 6: 32}


def is_public(document: Document) -> bool:
    """Whether S3 calls a bucket policy public: some Allow is not held to fixed values.

    A key or value that the documentation does not clearly count as fixed leaves the policy public.
    """
    return any(
        ("AWS", "*") in (statement.principals or ()) and not any(map(_fixes, statement.conditions))
        for statement in document.statements
        if statement.allow
    )


def _fixes(condition: Condition) -> bool:
    key = condition.key.lower()
    if key not in _FIXING_KEYS or not _FIXING_OPERATORS.fullmatch(condition.written):
        return False
    return all(_fixed(key, value) for value in condition.values)


def _fixed(key: str, value: str) -> bool:
    if key == "s3:dataaccesspointarn" and re.fullmatch(
        r"arn:[^:*?$]+:s3:[^:*?$]+:\d{12}:accesspoint/[^$]+", value
    ):
        return True
    if not value or re.search(r"[*?]|\$\{", value):
        return False
    if key == "aws:userid":
        return not re.fullmatch(r"AROA\w*:.*", value)
    if key != "aws:sourceip":
        return True
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _NARROWEST[network.version]
