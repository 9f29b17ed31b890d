"""IAM's policy simulator, for roles: what a role's policies say of requests that nobody makes.

It looks at the role's own policies, its permissions boundary and the organisation's policies, and at no policy of a
resource's: that isn't supported for roles. Condition keys that the request doesn't name are absent, and named in the
answer. Leaves out users, groups, further policies in the request, `ResourceHandlingOption`, and paging.

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html and
https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from recording_storage.evaluation.aws.document import parse
from recording_storage.evaluation.aws.policy import Policies, Request, decide
from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.backend import Answer
from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from recording_storage.evaluation.aws.document import Document
    from recording_storage.evaluation.aws.policy import Decision
    from recording_storage.sandbox.aws.http import HttpRequest

SIMULATE = "iam:SimulatePrincipalPolicy"
KNOWN = ("Action", "Version", "PolicySourceArn", "MaxItems")
LISTS = ("ActionNames.member.", "ResourceArns.member.", "ContextEntries.member.")
MOST_RESULTS = 100
"""More of them would come in pages."""


def answered(action: str, request: HttpRequest, caller: cloud.Caller) -> Answer | None:
    """Simulate; None for any other operation."""
    if action != SIMULATE:
        return None
    form = request.form
    for name, value in form.items():
        is_empty_list = f"{name}.member." in LISTS and not value
        if name not in KNOWN and not name.startswith(LISTS) and not is_empty_list:
            raise AwsError.undecided(f"{SIMULATE} with {name}")
    source = form.get("PolicySourceArn", "")
    if ":role/" not in source or source.split(":")[4] != caller.principal.account:
        raise AwsError.undecided(f"a simulation of {source}")
    role = cloud.simulated_role(source)
    if role is None:
        raise AwsError(
            404, "NoSuchEntity", f"The role with name {source.rpartition('/')[2]} cannot be found."
        )
    actions, resources = _listed(form, "ActionNames"), _listed(form, "ResourceArns") or ["*"]
    if not actions:
        raise AwsError(400, "ValidationError", "Value null at 'actionNames' failed to satisfy constraint")
    if len(actions) * len(resources) > MOST_RESULTS:
        raise AwsError.undecided("a simulation whose answer has several pages")
    simulation = _Simulation.of(role, dict(_context(form)))
    results = "".join(simulation.result(one, resources) for one in actions)
    body = (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        "<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>"
        f"<EvaluationResults>{results}</EvaluationResults></SimulatePrincipalPolicyResult>"
        "<ResponseMetadata><RequestId>SANDBOX</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    )
    return Answer(200, [("Content-Type", "text/xml")], body.encode())


def _listed(form: Mapping[str, str], name: str) -> list[str]:
    found: list[str] = []
    while f"{name}.member.{len(found) + 1}" in form:
        found.append(form[f"{name}.member.{len(found) + 1}"])
    return found


def _context(form: Mapping[str, str]) -> Iterator[tuple[str, Sequence[str]]]:
    number = 1
    while f"ContextEntries.member.{number}.ContextKeyName" in form:
        prefix = f"ContextEntries.member.{number}."
        yield form[f"{prefix}ContextKeyName"], tuple(_listed(form, f"{prefix}ContextKeyValues"))
        number += 1


@dataclass(frozen=True)
class _Simulation:
    """A role, and the condition keys of a request."""

    role: cloud.Caller
    policies: Policies
    context: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, role: cloud.Caller, context: Mapping[str, Sequence[str]]) -> _Simulation:
        policies = Policies(
            identity=[parse(text, "identity") for text in role.identity],
            boundary=parse(role.boundary, "identity") if role.boundary else None,
            organisation=[[parse(text, "identity")] for text in role.organisation],
        )
        return cls(role, policies, context)

    def result(self, action: str, resources: Sequence[str]) -> str:
        """One action's results, as XML: the whole, and by resource."""
        decisions = [self._decide(self.policies, action, resource) for resource in resources]
        whole = (
            "allowed"
            if all(one.allowed for one in decisions)
            else _word(next(one for one in decisions if not one.allowed))
        )
        specific = "".join(
            f"<member><EvalResourceName>{escape(resource)}</EvalResourceName>"
            f"<EvalResourceDecision>{_word(decision)}</EvalResourceDecision>"
            f"{self._missing()}{self._boundary(action, resource)}</member>"
            for resource, decision in zip(resources, decisions, strict=True)
        )
        return (
            f"<member><EvalActionName>{escape(action)}</EvalActionName>"
            f"<EvalResourceName>{escape(resources[0])}</EvalResourceName><EvalDecision>{whole}</EvalDecision>"
            f"<ResourceSpecificResults>{specific}</ResourceSpecificResults>"
            f"{self._organisation(action, resources)}</member>"
        )

    def _decide(self, policies: Policies, action: str, resource: str) -> Decision:
        account = self.role.principal.account
        return decide(Request(self.role.principal, action, resource, account, self.context), policies)

    def _missing(self) -> str:
        documents: list[Document] = [
            *self.policies.identity,
            *([self.policies.boundary] if self.policies.boundary else []),
        ]
        wanted = {c.key for d in documents for statement in d.statements for c in statement.conditions}
        given = {name.lower() for name in self.context}
        missing = sorted(key for key in wanted if key.lower() not in given)
        members = "".join(f"<member>{escape(key)}</member>" for key in missing)
        return f"<MissingContextValues>{members}</MissingContextValues>"

    def _boundary(self, action: str, resource: str) -> str:
        if self.policies.boundary is None:
            return ""
        within = self._decide(Policies([self.policies.boundary]), action, resource).allowed
        return (
            "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>"
            f"{str(within).lower()}</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>"
        )

    def _organisation(self, action: str, resources: Sequence[str]) -> str:
        if not self.policies.organisation:
            return ""
        alone = replace(
            self.policies, identity=[document for level in self.policies.organisation for document in level]
        )
        alone = replace(alone, boundary=None)
        within = any(self._decide(alone, action, resource).allowed for resource in resources)
        return (
            "<OrganizationsDecisionDetail><AllowedByOrganizations>"
            f"{str(within).lower()}</AllowedByOrganizations></OrganizationsDecisionDetail>"
        )


def _word(decision: Decision) -> str:
    return "allowed" if decision.allowed else "explicitDeny" if decision.explicit_deny else "implicitDeny"
