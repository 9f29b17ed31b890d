"""IAM's policy simulator, asked beside our own evaluation: it alone sees an organisation's policies (SCP).

It is asked once for everything. What it can't know isn't held against us: it looks at no resource's policy where a role
is simulated, at no condition key that it isn't told, and at no resource control policy; so only where it refuses what
the role's own policies, without any such key, allow, is there a disagreement.

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.aws.policy import Policies
from recording_storage.verify.checks import CouldNotTell, Finding, Unreadable, failed
from recording_storage.verify.s3_requests import judge, recording
from recording_storage.verify.s3_standing import OBJECTS, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from recording_storage.verify.s3_key import Key
    from recording_storage.verify.s3_reading import Reading

SIMULATE = "iam:SimulatePrincipalPolicy"
ALLOWED = "allowed"
KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
SCP = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"
"""Where an organisation's policies are explained."""


@dataclass(frozen=True)
class Seen:
    """What the simulator has to say: refusals that the role's policies don't explain, or a remark."""

    refusals: tuple[Finding, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Simulation:
    """A simulation under way."""

    reading: Reading
    key: Future[Key | None]
    answers: Future[Sequence[Mapping[str, Any]]]

    @classmethod
    def begin(cls, reading: Reading, key: Future[Key | None]) -> Simulation:
        """Ask as soon as it is known which key is used."""
        return cls(reading, key, reading.reads.begin(_ask, reading, key))

    def findings(self, standing: Standing) -> Seen:
        """Compare the simulator's answers with ours."""
        try:
            answers = self.answers.result()
        except Unreadable as refused:
            if refused.permission == SIMULATE:
                return Seen(note=f"IAM's simulator wasn't asked: {SIMULATE}")
            return Seen(note=f"IAM's simulator couldn't be asked: {refused.why}")
        refusals: dict[str, Finding] = {}
        asked = 0
        for action, resource, answer in _pairs(standing, answers):
            asked += 1
            if answer["decision"] != ALLOWED and not answer["missing"]:
                finding = self._refusal(standing, action, resource, answer)
                if finding:
                    refusals.setdefault(finding.evidence.partition(": ")[2], finding)
        if refusals:
            return Seen(tuple(refusals.values()))
        return Seen(note=f"IAM's simulator allows all {asked} requests" if asked else "")

    def key_denials(self) -> list[Finding]:
        """What a boundary or an explicit deny of the role's own says of the key, whose own policy allows it."""
        try:
            key = self.key.result()
        except CouldNotTell:
            return []  # S4 says so
        return key.denials(self.reading) if key is not None else []

    def _refusal(
        self, standing: Standing, action: str, resource: str, answer: Mapping[str, Any]
    ) -> Finding | None:
        if answer["organisation"] is False:
            return failed(
                f"{action}: IAM's simulator says that the organisation of account {standing.role.account} doesn't"
                " allow it",
                f"have the service control policy changed that denies {action}, or doesn't allow it: {SCP}",
            )
        request = recording(standing.role, action, resource, standing.role.account, standing.region)
        own = judge(request, Policies(standing.policies.identity, boundary=standing.policies.boundary))
        if not own.allowed:
            return None  # said by S3, S4 or a deny of S6, or granted by a policy that it doesn't look at
        return failed(
            f"{action}: IAM's simulator says {answer['decision']}, where the role's policies as they are read have it"
            f" {own.why}",
            "ask the simulator in the console which statement decides: https://policysim.aws.amazon.com",
        )


def _ask(reading: Reading, key: Future[Key | None]) -> Sequence[Mapping[str, Any]]:
    name = reading.role_name
    try:
        used = key.result()
    except Exception:
        used = None
    bucket = f"arn:aws:s3:::{reading.bucket}"
    actions = [*reading.target.known.s3_trust.actions, *(KEY_ACTIONS if used else ())]
    resources = [bucket, f"{bucket}/{OBJECTS[1]}", *([used.arn] if used else [])]
    region = used.region if used else reading.handed_region
    context = {
        "aws:SecureTransport": ("boolean", "true"),
        "aws:RequestedRegion": ("string", region),
        "aws:ResourceAccount": ("string", name.account),
        "aws:PrincipalArn": ("string", name.arn),
        "aws:PrincipalAccount": ("string", name.account),
        "kms:CallerAccount": ("string", name.account),
        "kms:ViaService": ("string", f"s3.{region}.amazonaws.com"),
        "kms:EncryptionContext:aws:s3:arn": ("string", used.context_arn if used else bucket),
    }
    entries = [
        {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": [value]}
        for key, (kind, value) in context.items()
    ]
    found: list[Mapping[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = reading.of_role(
            SIMULATE,
            "simulate_principal_policy",
            name,
            PolicySourceArn=name.arn,
            ActionNames=actions,
            ResourceArns=resources,
            ContextEntries=entries,
            **more,
        )
        found += page["EvaluationResults"]
        if not page.get("IsTruncated"):
            return found
        more = {"Marker": page["Marker"]}


def _pairs(
    standing: Standing, answers: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Actions on what they are about; the simulator answers for every action on every resource."""
    for result in answers:
        action = result["EvalActionName"]
        organisation = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations")
        specific = result.get("ResourceSpecificResults") or [
            {
                "EvalResourceName": result.get("EvalResourceName", "*"),
                "EvalResourceDecision": result["EvalDecision"],
                "MissingContextValues": result.get("MissingContextValues", []),
            }
        ]
        for one in specific:
            resource = one["EvalResourceName"]
            if _is_about(action, resource, standing.arn):
                yield (
                    action,
                    resource,
                    {
                        "decision": one["EvalResourceDecision"],
                        "missing": one.get("MissingContextValues", []),
                        "organisation": organisation,
                    },
                )


def _is_about(action: str, resource: str, bucket: str) -> bool:
    if action.startswith("kms:"):
        return resource.startswith("arn:aws:kms:")
    if action.startswith("s3:ListBucket"):
        return resource == bucket
    return resource.startswith(f"{bucket}/")
