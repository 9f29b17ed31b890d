"""What KMS refuses to store as a key's policy.

Leaves out whether an action or a condition key exists.

Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html,
https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html and
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from recording_storage.sandbox.aws import cloud
from recording_storage.sandbox.aws.authorise import decided, named_principals, well_formed
from recording_storage.sandbox.aws.errors import AwsError

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.key_access import KeyUse

LONGEST = 32 * 1024
MALFORMED = "MalformedPolicyDocumentException"
PUT = "kms:PutKeyPolicy"


def check_new_policy(text: str, use: KeyUse, arn: str, *, bypass: bool) -> None:
    """Raise `AwsError` where KMS doesn't take this policy for the key from this caller."""
    if len(text.encode()) > LONGEST:
        raise AwsError(400, "LimitExceededException", f"Cannot exceed quota for the policy's size: {LONGEST}")
    for statement in well_formed(text, "key", MALFORMED).statements:
        for principal in named_principals(statement):
            if not cloud.principal_exists(principal):
                message = "Policy contains a statement with one or more invalid principals."
                raise AwsError(400, MALFORMED, message, reason=f"there is no {principal}")
    if not bypass:
        _check_lockout(text, use, arn)


def _check_lockout(text: str, use: KeyUse, arn: str) -> None:
    """The policy must let the caller put the next one.

    That the key policy may leave it to the account's identity policies is documented; whether those of the
    caller are looked at too is not.
    """
    unlimited = replace(use.caller, identity=(json.dumps(cloud.ADMINISTRATOR),), boundary=None, session=None)
    by_policy, by_all = (
        decided(
            caller,
            action=PUT,
            resource=arn,
            account=use.account,
            context=use.keys(use.account),
            unknown=use.unknown(PUT),
            resource_policy=text,
            kind="key",
        )
        for caller in (unlimited, use.caller)
    )
    if not by_policy.allowed:
        message = "The new key policy will not allow you to update the key policy in the future."
        raise AwsError(400, MALFORMED, message, reason=by_policy.reason)
    if not by_all.allowed:
        raise AwsError.undecided(f"a key policy whose next version its author can't put: {by_all.reason}")
