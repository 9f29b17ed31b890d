"""Whether a key lets a caller use it: key policy, identity policies and grants, and then the key's own state.

Sources, under https://docs.aws.amazon.com/kms/latest/developerguide/ : control-access.html, key-policies.html,
key-policy-modifying-external-accounts.html, grants.html, create-grant-overview.html,
conditions-kms.html and key-state.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recording_storage.evaluation.aws.policy import Grant
from recording_storage.sandbox.aws.authorise import context_of, decided
from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recording_storage.evaluation.aws.conditions import Truth
    from recording_storage.evaluation.aws.policy import Decision
    from recording_storage.sandbox.aws.cloud import Caller
    from recording_storage.sandbox.aws.http import HttpRequest
    from recording_storage.sandbox.aws.keys import GrantState, KeyState, Located

CRYPTOGRAPHIC = frozenset({"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"})
NEEDS_ENABLED = CRYPTOGRAPHIC | {"kms:CreateGrant", "kms:EnableKeyRotation", "kms:DisableKeyRotation"}
NEEDS_KEPT = NEEDS_ENABLED | {
    "kms:CreateAlias",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateKeyDescription",
}
NEEDS_PENDING = "kms:CancelKeyDeletion"
UNKNOWN_KEYS = frozenset(
    f"kms:{name}"
    for name in [
        "keyspec",
        "keyusage",
        "keyorigin",
        "multiregion",
        "multiregionkeytype",
        "primaryregion",
        "resourcealiases",
        "customermasterkeyspec",
        "customermasterkeyusage",
        "encryptionalgorithm",
        "policyname",
    ]
)
"""A key's properties, which nobody knows of a key that is somebody else's, and parameters that aren't modelled."""
UNKNOWN_FORWARDED = frozenset({"aws:useragent", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"})
NONE: frozenset[str] = frozenset()
UNSEEN = (
    "because the resource does not exist in this Region, no resource-based policies allow access,"
    " or a resource-based policy explicitly denies access"
)
POLICY_TYPES = {
    "identity": "identity-based policy",
    "boundary": "permissions boundary",
    "session": "session policy",
    "organisation": "service control policy",
    "resource": "resource-based policy",
}


@dataclass(frozen=True)
class KeyUse:
    """A caller that wants something of keys in a region, by itself or through S3 (`via`, as `s3`)."""

    caller: Caller
    request: HttpRequest
    region: str
    via: str = ""
    encryption_context: Mapping[str, str] = field(default_factory=dict[str, str])
    context: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """Further condition keys, of the operation."""

    def permit(self, action: str, located: Located) -> str:
        """Give the reason why `action` is allowed on a key; raises `AwsError`, with KMS's own codes, where not."""
        key = located.key
        if key is None:
            raise self._missing(action, located)
        context = self.keys(key.account)
        if located.alias:
            context["kms:RequestAlias"] = (located.alias,)
        decision = decided(
            self.caller,
            action=action,
            resource=key.arn,
            account=key.account,
            context=context,
            unknown=self.unknown(action),
            resource_policy=key.policy,
            kind="key",
            grants=self._grants(action, key),
        )
        if not decision.allowed:
            raise self.refusal(action, key.arn, decision, foreign=key.account != self.account)
        _check_state(action, key)
        return decision.reason

    @property
    def account(self) -> str:
        """The caller's account."""
        return self.caller.principal.account

    def keys(self, resource_account: str) -> dict[str, Sequence[str]]:
        """Give the condition keys of a request about a key."""
        known = context_of(self.request, self.caller) | {
            "aws:RequestedRegion": self.region,
            "aws:ResourceAccount": resource_account,
            "kms:CallerAccount": self.account,
        }
        if self.via:
            del known["aws:UserAgent"]
            known["aws:ViaAWSService"] = "true"
            known["kms:ViaService"] = f"{self.via}.{self.region}.amazonaws.com"
        known |= {f"kms:EncryptionContext:{name}": value for name, value in self.encryption_context.items()}
        keys: dict[str, Sequence[str]] = {name: (value,) for name, value in known.items()}
        if self.encryption_context:
            keys["kms:EncryptionContextKeys"] = tuple(self.encryption_context)
        return keys | dict(self.context)

    def unknown(self, action: str) -> frozenset[str]:
        """Name the condition keys that can't be known."""
        found: frozenset[str] = UNKNOWN_KEYS | (UNKNOWN_FORWARDED if self.via else NONE)
        if action == "kms:CreateGrant":  # which of the constraints it takes them from isn't documented
            found |= {"kms:encryptioncontext:", "kms:encryptioncontextkeys"}
        return found

    def refusal(self, action: str, resource: str, decision: Decision, *, foreign: bool = False) -> AwsError:
        """Refuse as KMS does, in its words."""
        kind = POLICY_TYPES[decision.blocker or "resource"]
        if foreign and decision.blocker == "resource":
            why = UNSEEN
        elif decision.explicit_deny:
            why = f"with an explicit deny in {'an' if kind[0] == 'i' else 'a'} {kind}"
        else:
            why = f"because no {kind} allows the {action} action"
        return self._denied(action, resource, why, decision.reason)

    def _denied(self, action: str, resource: str, why: str, reason: str) -> AwsError:
        who = f"User: {self.caller.principal.arn} is not authorized to perform: {action}"
        message = f"{who} on resource: {resource} {why}"
        return AwsError(400, "AccessDeniedException", message, reason=f"{action} on {resource}: {reason}")

    def _missing(self, action: str, located: Located) -> AwsError:
        if located.account != self.account:
            return self._denied(action, located.arn, UNSEEN, "there is no such key")
        what = (
            f"Alias {located.arn} is not found." if located.alias else f"Key '{located.arn}' does not exist"
        )
        return AwsError(400, "NotFoundException", what)

    def _grants(self, action: str, key: KeyState) -> list[Grant]:
        operation = action.removeprefix("kms:")
        found = [
            (grant, self.is_named(grant.grantee)) for grant in key.grants if operation in grant.operations
        ]
        return [
            self._grant(grant, named, operation)
            for grant, named in found
            if named is not False and operation != "RetireGrant"
        ]

    def is_named(self, principal: str) -> Truth:
        """Whether a grant's principal is the caller; not known where it is the caller's whole account."""
        who = self.caller.principal
        if principal in (who.arn, who.role_arn):
            return True
        return None if principal in (who.account, f"arn:aws:iam::{who.account}:root") else False

    def _grant(self, grant: GrantState, named: Truth, operation: str) -> Grant:
        if named is None or operation == "CreateGrant" or "SourceArn" in grant.constraints:
            doubt = "may or may not allow it: it is the account's, for CreateGrant, or for one source"
            return Grant(grant.name, None, f"{grant.name} {doubt}")
        if f"kms:{operation}" in CRYPTOGRAPHIC and not _meets(self.encryption_context, grant.constraints):
            why = f"{grant.name} wants the encryption context {dict(grant.constraints)}"
            return Grant(grant.name, False, f"{why}, the request has {dict(self.encryption_context)}")
        return Grant(grant.name, True)


def _meets(context: Mapping[str, str], constraints: Mapping[str, Mapping[str, str]]) -> bool:
    """A constraint's names are compared without regard to case, its values with."""
    have = {name.lower(): value for name, value in context.items()}
    equal, part = (
        {name.lower(): value for name, value in constraints.get(kind, {}).items()}
        for kind in ("EncryptionContextEquals", "EncryptionContextSubset")
    )
    return (not equal or equal == have) and part.items() <= have.items()


def _check_state(action: str, key: KeyState) -> None:
    if key.state == "PendingDeletion" and action in NEEDS_KEPT:
        raise AwsError(400, "KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if key.state == "Disabled" and action in NEEDS_ENABLED:
        raise AwsError(400, "DisabledException", f"{key.arn} is disabled.")
    if key.state != "PendingDeletion" and action == NEEDS_PENDING:
        raise AwsError(400, "KMSInvalidStateException", f"{key.arn} is not pending deletion.")
