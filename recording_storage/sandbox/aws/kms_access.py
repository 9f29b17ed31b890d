"""KMS's own API: which permission a request needs, on which key, and what KMS refuses by itself.

An operation or a parameter that isn't in the table can't be judged. Leaves out every kind of key but symmetric
ones for encryption, and grants for AWS services.

Sources: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html,
https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html,
https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html and
https://docs.aws.amazon.com/kms/latest/APIReference/
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from recording_storage.sandbox.aws import cloud, keys
from recording_storage.sandbox.aws.authorise import decided
from recording_storage.sandbox.aws.backend import Answer
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.key_access import KeyUse
from recording_storage.sandbox.aws.key_policy import check_new_policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recording_storage.sandbox.aws.http import HttpRequest

Target: TypeAlias = Literal["account", "own key", "key", "any name", "alias", "ciphertext", "grant"]

# what an operation is about (of `own key`, another account's can't be) -> its name and parameters
_TARGETS: Mapping[Target, Mapping[str, str]] = {
    "account": {
        "CreateKey": "Policy Description Tags BypassPolicyLockoutSafetyCheck KeySpec CustomerMasterKeySpec KeyUsage"
        " Origin MultiRegion",
        "ListKeys": "Limit Marker",
        "ListAliases": "KeyId Limit Marker",
    },
    "own key": {
        "GetKeyPolicy": "KeyId PolicyName",
        "PutKeyPolicy": "KeyId PolicyName Policy BypassPolicyLockoutSafetyCheck",
        "ListKeyPolicies": "KeyId Limit Marker",
        "EnableKeyRotation": "KeyId RotationPeriodInDays",
        "DisableKeyRotation": "KeyId",
        "EnableKey": "KeyId",
        "DisableKey": "KeyId",
        "ScheduleKeyDeletion": "KeyId PendingWindowInDays",
        "CancelKeyDeletion": "KeyId",
        "UpdateKeyDescription": "KeyId Description",
        "TagResource": "KeyId Tags",
        "UntagResource": "KeyId TagKeys",
        "ListResourceTags": "KeyId Limit Marker",
    },
    "key": {
        "GetKeyRotationStatus": "KeyId",
        "CreateGrant": "KeyId GranteePrincipal RetiringPrincipal Operations Constraints Name GrantTokens",
        "ListGrants": "KeyId GrantId Limit Marker",
        "RevokeGrant": "KeyId GrantId",
    },
    "any name": {
        "DescribeKey": "KeyId GrantTokens",
        "GenerateDataKey": "KeyId EncryptionContext NumberOfBytes KeySpec GrantTokens",
        "Encrypt": "KeyId Plaintext EncryptionContext GrantTokens EncryptionAlgorithm",
    },
    "alias": {"CreateAlias": "AliasName TargetKeyId", "DeleteAlias": "AliasName"},
    "ciphertext": {
        "Decrypt": "CiphertextBlob KeyId EncryptionContext GrantTokens EncryptionAlgorithm",
    },
    "grant": {"RetireGrant": "KeyId GrantId GrantToken"},
}
OPERATIONS: Mapping[str, tuple[Target, frozenset[str]]] = {
    name: (target, frozenset(parameters.split()))
    for target, operations in _TARGETS.items()
    for name, parameters in operations.items()
}
PLAIN: Mapping[str, object] = {
    "KeySpec": "SYMMETRIC_DEFAULT",
    "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "Origin": "AWS_KMS",
    "MultiRegion": False,
}
"""The only key that is modelled."""
RANGES = {"PendingWindowInDays": range(7, 31), "RotationPeriodInDays": range(90, 2561)}
NEW_KEY = "00000000-0000-0000-0000-000000000000"
JSON = "application/x-amz-json-1.1"
TARGET = "TrentService."


@dataclass(frozen=True)
class KmsAccess:
    """One request to KMS, to be judged."""

    request: HttpRequest
    caller: cloud.Caller
    region: str

    @cached_property
    def operation(self) -> str:
        """The operation's name; raises `AwsError` for one that isn't in the table."""
        name = self.request.headers.get("x-amz-target", "").removeprefix(TARGET)
        if name not in OPERATIONS:
            raise AwsError.undecided(f"kms:{name}")
        return name

    @property
    def action(self) -> str:
        """The permission by which the operation is known."""
        return f"kms:{self.operation}"

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The request's parameters; raises `AwsError` for one that can't be judged."""
        try:
            sent: object = json.loads(self.request.body or b"{}")
        except ValueError:
            sent = None
        if not isinstance(sent, dict):
            raise AwsError(400, "SerializationException", "The request's body isn't a JSON object.")
        given = {name: value for name, value in cast("dict[str, Any]", sent).items() if value is not None}
        for name, value in given.items():
            plain = name not in PLAIN or self.operation != "CreateKey" or value == PLAIN[name]
            if name not in OPERATIONS[self.operation][1] or not plain:
                raise AwsError.undecided(f"{self.action} with {name} {json.dumps(value)[:80]}")
            if name in RANGES and (not isinstance(value, int) or value not in RANGES[name]):
                raise _invalid(
                    f"{name} must be from {RANGES[name].start} to {RANGES[name].stop - 1}: {value}"
                )
        return given

    @cached_property
    def located(self) -> keys.Located | None:
        """The key that the request is about, if it is about one."""
        target = OPERATIONS[self.operation][0]
        own, given = self.caller.principal.account, self.parameters
        if target == "account":
            return None
        if target == "ciphertext":
            return self._encrypted_under(given)
        if target == "grant" and "GrantToken" in given:
            found = keys.with_grant(str(given["GrantToken"]), self.region)
            if found is None:
                raise AwsError(400, "InvalidGrantTokenException", "The grant token is not valid.")
            return keys.Located(found.arn, found.account, found)
        name = {"CreateAlias": "TargetKeyId", "DeleteAlias": "AliasName"}.get(self.operation, "KeyId")
        if name not in given:
            raise _invalid(f"Value null at '{name}' failed to satisfy constraint: Member must not be null")
        found = keys.locate(str(given[name]), own, self.region)
        if found.alias and target not in ("any name", "alias"):
            raise AwsError(400, "NotFoundException", f"Invalid keyId '{given[name]}'")
        if target in ("own key", "alias") and found.account != own:
            message = f"{self.action} can't be done on a key of another account: {found.arn}"
            raise AwsError(400, "AccessDeniedException", message)
        return found

    def _encrypted_under(self, given: Mapping[str, Any]) -> keys.Located:
        try:
            ciphertext = base64.b64decode(given.get("CiphertextBlob", ""), validate=True)
        except (binascii.Error, TypeError):
            ciphertext = b""
        found = keys.of_ciphertext(ciphertext, self.region)
        if found is None:
            raise AwsError(400, "InvalidCiphertextException", "The ciphertext is not valid.")
        if "KeyId" not in given:
            return keys.Located(found.arn, found.account, found)
        named = keys.locate(str(given["KeyId"]), self.caller.principal.account, self.region)
        if named.arn != found.arn:
            message = "The key ID in the request does not identify a CMK that can perform this operation."
            raise AwsError(400, "IncorrectKeyException", message)
        return named

    @property
    def resource(self) -> str:
        """The ARN that a policy must name."""
        return self.located.arn if self.located else "*"

    @property
    def account(self) -> str:
        """The account in which the request is carried out."""
        return self.located.account if self.located else self.caller.principal.account

    def judge(self) -> str:
        """Give the reason why KMS allows the operation; raises `AwsError` where it refuses."""
        if self.operation == "CreateGrant":
            self._check_grant()
        use = KeyUse(
            self.caller,
            self.request,
            self.region,
            encryption_context=self.parameters.get("EncryptionContext", {}),
            context=self._context(),
        )
        if self.located is None:
            reason = self._permit_by_identity(use, self.action, "*")
            if self.parameters.get("Tags"):
                # All keys of the account and region are enough:
                # https://docs.aws.amazon.com/kms/latest/developerguide/manage-tags-api.html
                new = keys.arn(NEW_KEY, self.account, self.region)
                self._permit_by_identity(use, "kms:TagResource", new)
        elif self.operation == "RetireGrant":
            reason = self._retire(use, self.located)
        else:
            reason = use.permit(self.action, self.located)
            if OPERATIONS[self.operation][0] == "alias":
                alias = keys.arn(str(self.parameters.get("AliasName")), self.account, self.region)
                self._permit_by_identity(use, self.action, alias)
        if "Policy" in self.parameters:
            arn = self.located.arn if self.located else keys.arn(NEW_KEY, self.account, self.region)
            bypass = self.parameters.get("BypassPolicyLockoutSafetyCheck") is True
            check_new_policy(str(self.parameters["Policy"]), use, arn, bypass=bypass)
        return reason

    def _permit_by_identity(self, use: KeyUse, action: str, resource: str) -> str:
        decision = decided(
            self.caller,
            action=action,
            resource=resource,
            account=use.account,
            context=use.keys(use.account),
            unknown=use.unknown(action),
        )
        if not decision.allowed:
            raise use.refusal(action, resource, decision)
        return decision.reason

    def _retire(self, use: KeyUse, located: keys.Located) -> str:
        """The grant itself says who may retire it; what policies add to that isn't documented well enough."""
        wanted = (self.parameters.get("GrantId"), self.parameters.get("GrantToken"))
        for grant in located.key.grants if located.key else ():
            if grant.id != wanted[0] and grant.token != wanted[1]:
                continue
            by_grantee = "RetireGrant" in grant.operations and use.is_named(grant.grantee) is True
            if use.is_named(grant.retiring) is not True and not by_grantee:
                raise AwsError.undecided(f"who may retire {grant.name} but its retiring principal or grantee")
            return f"named by {grant.name}"
        raise AwsError(400, "NotFoundException", f"Grant ID {wanted[0]} not found")

    def _check_grant(self) -> None:
        if not self.parameters.get("Operations"):
            raise _invalid("Value null at 'operations' failed to satisfy constraint: Member must not be null")
        for name in ("GranteePrincipal", "RetiringPrincipal"):
            principal = self.parameters.get(name, "")
            if (principal or name == "GranteePrincipal") and not cloud.principal_exists(str(principal)):
                message = f"ARN does not refer to a valid principal: {principal}"
                raise AwsError(400, "InvalidArnException", message)

    def _context(self) -> dict[str, Sequence[str]]:
        given = self.parameters
        found: dict[str, Sequence[str]] = {}
        if self.operation in ("CreateKey", "PutKeyPolicy"):
            bypass = given.get("BypassPolicyLockoutSafetyCheck") is True
            found["kms:BypassPolicyLockoutSafetyCheck"] = ("true" if bypass else "false",)
        if self.operation in ("CreateGrant", "ListGrants", "RevokeGrant"):
            found["kms:GrantIsForAWSResource"] = ("false",)
        if self.operation == "ScheduleKeyDeletion":
            window = given.get("PendingWindowInDays", 30)
            found["kms:ScheduleKeyDeletionPendingWindowInDays"] = (str(window),)
        if "RotationPeriodInDays" in given:
            found["kms:RotationPeriodInDays"] = (str(given["RotationPeriodInDays"]),)
        if self.operation == "CreateGrant":
            found["kms:GrantOperations"] = tuple(given["Operations"])
            found["kms:GranteePrincipal"] = (given["GranteePrincipal"],)
            if "RetiringPrincipal" in given:
                found["kms:RetiringPrincipal"] = (given["RetiringPrincipal"],)
            if given.get("Constraints"):
                found["kms:GrantConstraintType"] = tuple(given["Constraints"])
        return found

    @property
    def forwarded(self) -> HttpRequest:
        """The request as moto takes it: of a key, the id alone."""
        given = dict(self.parameters)
        if self.located and self.located.key:
            given["TargetKeyId" if self.operation == "CreateAlias" else "KeyId"] = self.located.key.id
        if self.operation in ("GetKeyPolicy", "PutKeyPolicy"):
            given.setdefault("PolicyName", "default")
        return replace(self.request, body=json.dumps(given).encode())

    def answered(self) -> Answer | None:
        """The answer, where it isn't moto's to give: it judges DescribeKey by itself, and keeps no rotation period."""
        key = self.located.key if self.located else None
        if key is None or self.operation not in ("DescribeKey", "GetKeyRotationStatus"):
            return None
        said = keys.description(key) if self.operation == "DescribeKey" else keys.rotation(key)
        return Answer(200, [("Content-Type", JSON)], json.dumps(said).encode())

    def finished(self, answer: Answer) -> Answer:
        """The answer with what moto leaves out."""
        key = self.located.key if self.located else None
        if answer.status != 200 or key is None:
            return answer
        if self.operation == "EnableKeyRotation":
            keys.rotate(key, self.parameters.get("RotationPeriodInDays", keys.DEFAULT_ROTATION_DAYS))
        if self.operation in ("ScheduleKeyDeletion", "CancelKeyDeletion", "ListGrants"):
            body = answer.body.replace(f'"{key.id}"'.encode(), f'"{key.arn}"'.encode())
            headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
            return replace(answer, headers=headers, body=body)
        return answer


def _invalid(message: str) -> AwsError:
    return AwsError(400, "ValidationException", f"1 validation error detected: {message}")
