"""The key that the bucket encrypts with by default, and whether the role can write with it through S3 (S4).

Writing in parts needs `kms:GenerateDataKey` and `kms:Decrypt`. Both must be allowed by the key's policy, or by it and
the role's, or by a grant. The policy of a key in another account can't be read; then what to ask its owner is said.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions,
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html and
https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from components import kms
from recording_storage.evaluation.aws.policy import Grant, Policies
from recording_storage.verify.checks import (
    CouldNotTell,
    Finding,
    Unreadable,
    failed,
    passed,
    worst,
)
from recording_storage.verify.s3_reading import absent
from recording_storage.verify.s3_requests import Answer, judge, only, recording
from recording_storage.verify.s3_standing import OBJECTS
from recording_storage.verify.s3_things import UnusableKey, document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from recording_storage.evaluation.aws.document import Document
    from recording_storage.evaluation.aws.policy import Request
    from recording_storage.verify.s3_reading import Reading
    from recording_storage.verify.s3_things import Encryption, Role

ACTIONS = kms.WRITER_ACTIONS
MANAGED = "alias/aws/s3"
"""S3's own key in an account: what a default of `aws:kms` without a key means."""
ANY_ARN = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<name>(key|alias)/.+)"
)
NO_KEY = {"NotFoundException", "InvalidArnException"}


@dataclass(frozen=True)
class Key:
    """The key. `policy` is None where it can't be read because the key is another account's."""

    arn: str
    account: str
    region: str
    state: str
    usage: str
    spec: str
    origin: str
    multi_region: bool
    policy: Document | None
    context_arn: str
    """What S3 names as the encryption context: the bucket where a bucket key is used, otherwise an object."""

    def request(self, role: Role, action: str) -> Request:
        """What S3 asks of the key for a session of the role."""
        more: dict[str, Sequence[str]] = {
            "aws:ViaAWSService": ("true",),
            "kms:ViaService": (f"s3.{self.region}.amazonaws.com",),
            "kms:CallerAccount": (role.account,),
            "kms:EncryptionContext:aws:s3:arn": (self.context_arn,),
            "kms:EncryptionContextKeys": ("aws:s3:arn",),
            "kms:EncryptionAlgorithm": ("SYMMETRIC_DEFAULT",),
            "kms:KeySpec": (self.spec,),
            "kms:KeyUsage": (self.usage,),
            "kms:KeyOrigin": (self.origin,),
            "kms:MultiRegion": (str(self.multi_region).lower(),),
        }
        return recording(role, action, self.arn, self.account, self.region, more)

    def denials(self, reading: Reading) -> list[Finding]:
        """What the role's boundary or a deny in its own policies says, where all else allows it."""
        role, policies = reading.role.result(), reading.policies.result()
        granting = [only(one, allow=True) for one in policies.identity]
        found: list[Finding] = []
        for action in ACTIONS if self.policy is not None else ():
            request = self.request(role, action)
            if judge(request, Policies(granting, resource=self.policy)).allowed is not True:
                continue  # S4 says so
            answer = judge(
                request, Policies(policies.identity, boundary=policies.boundary, resource=self.policy)
            )
            if answer.allowed is False:
                mend = f"allow {action} on {self.arn} there"
                found.append(failed(f"{action}: {answer.why}", mend))
        return found


def read_key(reading: Reading) -> Key | None:
    """The key, or None where the bucket doesn't encrypt with one. Raises `UnusableKey`."""
    encryption = reading.encryption.result()
    if not encryption.kms:
        return None
    region, reference = reading.region.result(), encryption.key or MANAGED
    named = ANY_ARN.fullmatch(reference)
    if named and named["region"] != region:
        raise UnusableKey(
            f"{reference} is in {named['region']}, and the bucket in {region}: S3 encrypts with keys of the bucket's"
            " region only",
            f"name a key in {region} in the bucket's default encryption",
        )
    account = named["account"] if named else reading.role_name.account
    described = reading.reads.begin(_described, reading, region, reference)
    is_alias = "alias/" in reference
    policy = None if is_alias else reading.reads.begin(_policy, reading, region, reference, account)
    try:
        said = described.result()
    except Unreadable as refused:
        raise _theirs(reading, reference, account, region, refused) from None
    if policy is None:
        policy = reading.reads.begin(_policy, reading, region, said["Arn"], account)
    return Key(
        said["Arn"],
        account,
        region,
        said.get("KeyState", ""),
        said.get("KeyUsage", ""),
        said.get("KeySpec") or said.get("CustomerMasterKeySpec", ""),
        said.get("Origin", ""),
        bool(said.get("MultiRegion")),
        policy.result(),
        _context(reading, encryption),
    )


def _context(reading: Reading, encryption: Encryption) -> str:
    bucket = f"arn:aws:s3:::{reading.bucket}"
    return bucket if encryption.bucket_key else f"{bucket}/{OBJECTS[1]}"


def _described(reading: Reading, region: str, reference: str) -> Mapping[str, Any]:
    client = reading.access.client("kms", region)
    try:
        return reading.ask("kms:DescribeKey", client.describe_key, NO_KEY, KeyId=reference)["KeyMetadata"]
    except absent as none:
        raise UnusableKey(
            f"the bucket's default encryption names {reference}, and {none}",
            f"name an existing key's ARN in {region} in the bucket's default encryption",
        ) from None


def _policy(reading: Reading, region: str, reference: str, account: str) -> Document | None:
    if reading.access.account.result() != account:
        return None
    client = reading.access.client("kms", region)
    try:
        said = reading.ask(
            "kms:GetKeyPolicy", client.get_key_policy, NO_KEY, KeyId=reference, PolicyName="default"
        )
    except absent as none:
        raise UnusableKey(f"{reference}: {none}", f"name an existing key in {region}") from None
    return document(said["Policy"], "key", f"the policy of {reference}")


def _theirs(reading: Reading, reference: str, account: str, region: str, refused: Unreadable) -> CouldNotTell:
    """Who may look at another account's key is for that account to say."""
    if reading.access.account.result() == account:
        return refused
    said = (
        f"{reference} is of account {account}, and can't be looked at from {reading.access.account.result()}"
    )
    return CouldNotTell(f"{said}: {refused.why}", _ask_owner(reading, reference, region))


def _ask_owner(reading: Reading, key: str, region: str) -> str:
    wanted = kms.key_statements(reading.target.name, reading.role_arn, (), region)
    return f"ask the owner of {key} whether it is enabled, and whether its policy has {json.dumps(wanted)}"


def key_can_be_used(reading: Reading, reads: Future[Key | None]) -> Finding:
    """S4."""
    encryption = reading.encryption.result()
    known = reading.target.known.kms_key
    try:
        key = reads.result()
    except UnusableKey as unusable:
        return unusable.finding
    if known and (key is None or key.arn != known):
        return failed(
            f"{known} is asked for, and the bucket encrypts with {key.arn if key else 'keys of S3 itself'}",
            "name that key in the bucket's default encryption (`pulumi up`)",
        )
    if key is None:
        return passed(f"encrypted with S3's own keys ({encryption.algorithm}); no key is asked")
    role = reading.role.result()
    found = [*_of_the_key(key), *_by_policies(reading, key, role)]
    if found:
        return worst(*found)
    if key.policy is None:
        raise CouldNotTell(
            f"{key.arn} is of account {key.account}, whose own credentials alone can read its policy; it is enabled,"
            " and the role's side allows it",
            _ask_owner(reading, key.arn, key.region),
        )
    return passed(f"{key.arn} is enabled in {key.region}; {' and '.join(ACTIONS)} are allowed through S3")


def _of_the_key(key: Key) -> Iterator[Finding]:
    if key.state != "Enabled":
        mends = {
            "Disabled": f"aws kms enable-key --region {key.region} --key-id {key.arn}",
            "PendingDeletion": f"aws kms cancel-key-deletion --region {key.region} --key-id {key.arn}, and enable it",
        }
        yield failed(
            f"{key.arn} is {key.state}", mends.get(key.state, "name an enabled key in the bucket's default")
        )
    if (key.usage, key.spec) != ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"):
        yield failed(
            f"{key.arn} is a {key.spec} key for {key.usage}; S3 encrypts with symmetric keys only",
            "name a symmetric key in the bucket's default encryption",
        )


def _by_policies(reading: Reading, key: Key, role: Role) -> Iterator[Finding]:
    identity = [only(one, allow=True) for one in reading.policies.result().identity]
    for action in ACTIONS:
        answer = _answer(reading, key, role, action, Policies(identity, resource=key.policy))
        if answer.allowed is None:
            raise CouldNotTell(
                f"{action} on {key.arn}: {answer.why}",
                "drop the condition that hangs on what isn't known of the service",
            )
        if answer.allowed is False:
            whose = "the role's policy" if answer.blocker == "identity" else "the key's policy"
            statement = (
                kms.writer_statement(key.arn, key.region)
                if answer.blocker == "identity"
                else kms.key_statements(reading.target.name, role.arn, (), key.region)[0]
            )
            yield failed(f"{action}: {answer.why}", f"add to {whose}: {json.dumps(statement)}")


def _answer(reading: Reading, key: Key, role: Role, action: str, policies: Policies) -> Answer:
    request = key.request(role, action)
    if key.policy is None:
        # Its own side alone: as if the key were in the role's account, and its policy left it to the account.
        own = replace(request, resource_account=role.account)
        return judge(own, replace(policies, resource=None))
    answer = judge(request, policies)
    if answer.allowed is not False or answer.explicit:
        return answer
    grants = reading.reads.once(("grants", reading.access.key, key.arn), _grants, reading, key).result()
    covering = [_covers(one, role, action, key.context_arn) for one in grants]
    return judge(request, replace(policies, grants=[one for one in covering if one is not None]))


def _grants(reading: Reading, key: Key) -> Sequence[Mapping[str, Any]]:
    client = reading.access.client("kms", key.region)
    found: list[Mapping[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = reading.ask("kms:ListGrants", client.list_grants, (), KeyId=key.arn, **more)
        found += page["Grants"]
        if not page.get("Truncated"):
            return found
        more = {"Marker": page["NextMarker"]}


def _covers(grant: Mapping[str, Any], role: Role, action: str, context_arn: str) -> Grant | None:
    """A grant to the role, as the evaluator takes it; None for one that is about something else."""
    if grant.get("GranteePrincipal") != role.arn or action.removeprefix("kms:") not in grant["Operations"]:
        return None
    name, constraints = f"grant {grant['GrantId']}", grant.get("Constraints", {})
    context = {"aws:s3:arn": context_arn}
    equals, subset = (
        constraints.get("EncryptionContextEquals"),
        constraints.get("EncryptionContextSubset", {}),
    )
    met = (not equals or equals == context) and subset.items() <= context.items()
    return Grant(name, met, f"{name} wants the encryption context {equals or subset}")
