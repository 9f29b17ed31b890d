"""What the sandbox can't show of AWS: odd forms, pages, throttling, an oracle that disagrees."""

from __future__ import annotations

import json
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from recording_storage.results import Status
from recording_storage.verify import s3_beyond, s3_bucket, s3_permissions, s3_simulator, s3_trust
from recording_storage.verify.checks import CouldNotTell, NoCredentials, Unreadable
from recording_storage.verify.reads import Reads
from recording_storage.verify.s3 import S3Verifier
from recording_storage.verify.s3_key import read_key
from recording_storage.verify.s3_reading import Reading
from recording_storage.verify.s3_simulator import Simulation
from recording_storage.verify.s3_things import UnusableKey, document
from recording_storage.verify.targets import Known, Target

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER, SERVICE = "111122223333", "291871421005"
ROLE, BUCKET = f"arn:aws:iam::{OWNER}:role/recordings", "acme-calls"
ARN = f"arn:aws:s3:::{BUCKET}"
TARGET = Target(
    "calls",
    {"provider": "s3", "bucket_name": BUCKET, "bucket_region": "eu-west-1", "assume_role_arn": ROLE},
)
ACTIONS = Known().s3_trust.actions
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": [f"arn:aws:iam::{SERVICE}:root", "AROAIIAAAAAAAAAAAAAAA"]},
        "Condition": {"StringEquals": {"sts:ExternalId": "tavus"}},
    },
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": list(ACTIONS), "Resource": [ARN, f"{ARN}/*"]},
}


def failing(code: str, said: str = "") -> Callable[..., Any]:
    def call(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": said}}, "Operation")

    return call


class Answers:
    """Somebody's access, whose every client gives the answers that are named, by method."""

    key = ""

    def __init__(self, **answers: Any) -> None:
        self._answers: dict[str, Any] = {
            "get_role": {
                "Role": {
                    "Arn": ROLE,
                    "RoleId": "AROA1",
                    "AssumeRolePolicyDocument": TRUST,
                    "MaxSessionDuration": 43200,
                }
            },
            "list_role_policies": {"PolicyNames": ["write"], "IsTruncated": False},
            "list_attached_role_policies": {"AttachedPolicies": [], "IsTruncated": False},
            "get_role_policy": {"PolicyDocument": POLICY},
            "get_bucket_location": {"LocationConstraint": "eu-west-1"},
            "get_bucket_policy": failing("NoSuchBucketPolicy"),
            "get_bucket_versioning": {"Status": "Enabled"},
            "get_bucket_encryption": failing("ServerSideEncryptionConfigurationNotFoundError"),
            "get_bucket_lifecycle_configuration": failing("NoSuchLifecycleConfiguration"),
            "get_public_access_block": failing("NoSuchPublicAccessBlockConfiguration"),
            "get_object_lock_configuration": failing("ObjectLockConfigurationNotFoundError"),
            "get_bucket_acl": {"Grants": []},
            "get_bucket_policy_status": failing("NoSuchBucketPolicy"),
            "simulate_principal_policy": failing("AccessDenied"),
            **answers,
        }
        self.account: Future[str] = Future()
        self.account.set_result(OWNER)

    def client(self, *_: str) -> Answers:
        return self

    def __getattr__(self, method: str) -> Callable[..., Any]:
        found = self._answers[method]

        def answer(**_: Any) -> Any:
            return found

        return found if callable(found) else answer


def reading(**answers: Any) -> Reading:
    return Reading(TARGET, cast("Any", Answers(**answers)), Reads())


def simulation(read: Reading) -> Simulation:
    none: Future[None] = Future()
    none.set_result(None)
    return Simulation.begin(read, cast("Any", none))


def simulated(**more: Any) -> dict[str, Any]:
    """The simulator's answers, which allow everything but what `more` says of PutObject."""
    return {
        "EvaluationResults": [
            {
                "EvalActionName": action,
                "EvalResourceName": ARN,
                "EvalDecision": "allowed",
                "ResourceSpecificResults": [
                    {"EvalResourceName": one, "EvalResourceDecision": "allowed", "MissingContextValues": []}
                    | (more if action == "s3:PutObject" else {})
                    for one in (ARN, f"{ARN}/key")
                ],
            }
            for action in ACTIONS
        ],
        "IsTruncated": False,
    }


# --- forms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [TRUST, json.dumps(TRUST), quote(json.dumps(TRUST))], ids=type)
def test_policies_in_all_forms(given: object) -> None:
    assert document(given, "trust", "it").statements[0].actions == ("sts:AssumeRole",)


def test_a_policy_that_cannot_be_judged() -> None:
    odd = {"Statement": {**TRUST["Statement"], "Condition": {"StringResembles": {"sts:ExternalId": "tavus"}}}}
    with pytest.raises(CouldNotTell, match="the trust can't be judged"):
        document(odd, "trust", "the trust")


def test_a_principal_that_was_deleted_lets_nobody_in() -> None:
    read = reading()
    assert s3_trust.service_is_let_in(read).status is Status.PASS
    assert s3_trust.nobody_else_is_let_in(read).status is Status.PASS


@pytest.mark.parametrize(
    ("constraint", "region"), [(None, "us-east-1"), ("EU", "eu-west-1"), ("eu-north-1",) * 2]
)
def test_regions_by_their_old_names(constraint: str | None, region: str) -> None:
    assert reading(get_bucket_location={"LocationConstraint": constraint}).region.result() == region


def test_all_pages_are_read() -> None:
    pages = {"": {"PolicyNames": ["a"], "IsTruncated": True, "Marker": "m"}, "m": {"PolicyNames": ["b", "c"]}}

    def listed(**asked: Any) -> Any:
        return pages[asked.get("Marker", "")]

    read = reading(list_role_policies=listed)
    assert len(read.policies.result().identity) == 3


# --- refusals ---------------------------------------------------------------------------------------------


def test_throttling_is_no_missing_permission() -> None:
    with pytest.raises(Unreadable, match="Throttling") as caught:
        s3_bucket.versions_are_kept(reading(get_bucket_versioning=failing("Throttling", "Rate exceeded")))
    assert caught.value.permission == ""
    assert "later" in caught.value.mend


def test_expired_credentials() -> None:
    with pytest.raises(Unreadable) as caught:
        s3_bucket.versions_are_kept(reading(get_bucket_versioning=failing("ExpiredToken")))
    assert "renew" in caught.value.mend


def test_no_connection() -> None:
    def call(**_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://s3.eu-west-1.amazonaws.com")

    with pytest.raises(Unreadable, match="Could not connect"):
        s3_bucket.versions_are_kept(reading(get_bucket_versioning=call))


def test_a_bucket_whose_policy_only_its_own_account_may_read() -> None:
    with pytest.raises(Unreadable) as caught:
        s3_permissions.role_may_write(reading(get_bucket_policy=failing("MethodNotAllowed")))
    assert "another account's" in caught.value.why


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: object) -> None:
        return None

    monkeypatch.setattr("boto3.Session.get_credentials", nothing)
    with pytest.raises(NoCredentials, match="AWS_PROFILE"):
        S3Verifier(Reads()).begin(TARGET)


# --- oracles ----------------------------------------------------------------------------------------------


def test_the_simulator_agrees() -> None:
    read = reading(simulate_principal_policy=simulated())
    assert "simulator allows all" in s3_permissions.nothing_denies(read, simulation(read)).evidence


def test_the_simulator_disagrees() -> None:
    read = reading(simulate_principal_policy=simulated(EvalResourceDecision="explicitDeny"))
    found = s3_permissions.nothing_denies(read, simulation(read))
    assert found.status is Status.FAIL
    assert "s3:PutObject: IAM's simulator says explicitDeny" in found.evidence
    assert "as they are read have it allowed" in found.evidence


@pytest.mark.parametrize(
    "limits",
    [{"MissingContextValues": ["aws:PrincipalTag/team"]}, {"EvalResourceName": "arn:aws:s3:::another"}],
)
def test_what_the_simulator_cannot_know_is_no_disagreement(limits: dict[str, Any]) -> None:
    read = reading(simulate_principal_policy=simulated(EvalResourceDecision="implicitDeny", **limits))
    assert s3_permissions.nothing_denies(read, simulation(read)).status is Status.PASS


def test_the_simulator_is_not_asked() -> None:
    read = reading()
    assert s3_simulator.SIMULATE in s3_permissions.nothing_denies(read, simulation(read)).evidence


def test_s3_calls_a_policy_public_that_does_not_look_so() -> None:
    read = reading(get_bucket_policy_status={"PolicyStatus": {"IsPublic": True}})
    found = s3_bucket.is_not_public(read)
    assert found.status is Status.FAIL
    assert "as it is read, it isn't" in found.evidence


def test_a_public_access_control_list() -> None:
    everybody = {"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}
    assert s3_bucket.is_not_public(reading(get_bucket_acl={"Grants": [everybody]})).status is Status.FAIL
    block = {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}}
    hidden = reading(get_bucket_acl={"Grants": [everybody]}, get_public_access_block=block)
    assert s3_bucket.is_not_public(hidden).status is Status.WARN


# --- another account's bucket, and keys that S3 can't use --------------------------------------------------


def cross_account(*statements: dict[str, Any]) -> Reading:
    read = reading(
        get_bucket_policy={"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})},
    )
    owner: Future[Any] = Future()
    owner.set_result(type(read.bucket_policy.result())("999911112222", read.bucket_policy.result().document))
    read.bucket_policy = owner
    return read


def test_the_bucket_of_another_account_must_allow_it_too() -> None:
    readers = {
        "Effect": "Allow",
        "Principal": {"AWS": OWNER},
        "Action": "s3:Get*",
        "Resource": [ARN, f"{ARN}/*"],
    }
    found = s3_permissions.role_may_write(cross_account(readers))
    assert found.status is Status.FAIL
    assert "bucket policy" in found.evidence
    assert s3_permissions.role_may_write(cross_account({**readers, "Action": "s3:*"})).status is Status.PASS


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({"KeyState": "PendingImport"}, "is PendingImport"),
        ({"KeyUsage": "SIGN_VERIFY", "KeySpec": "RSA_2048"}, "symmetric keys only"),
    ],
)
def test_keys_that_s3_cannot_use(described: dict[str, str], said: str) -> None:
    from recording_storage.verify.s3_key import key_can_be_used

    arn = f"arn:aws:kms:eu-west-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms:dsse", "KMSMasterKeyID": arn}}
    plain = {"Arn": arn, "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT"}
    uses = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}
    answers: dict[str, Any] = {
        "get_bucket_encryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}},
        "describe_key": {"KeyMetadata": plain},
        "get_key_policy": {"Policy": json.dumps({"Version": "2012-10-17", "Statement": uses})},
    }
    right = reading(**answers)
    assert key_can_be_used(right, right.reads.begin(read_key, right)).status is Status.PASS
    wrong = reading(**{**answers, "describe_key": {"KeyMetadata": plain | described}})
    found = key_can_be_used(wrong, wrong.reads.begin(read_key, wrong))
    assert found.status is Status.FAIL
    assert said in found.evidence


def test_a_key_that_was_deleted() -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/gone"}}
    read = reading(
        get_bucket_encryption={"ServerSideEncryptionConfiguration": {"Rules": [rule]}},
        describe_key=failing("NotFoundException", "Alias alias/gone is not found."),
    )
    with pytest.raises(UnusableKey) as caught:
        read_key(read)
    assert "alias/gone" in caught.value.finding.evidence


# --- odd things in policies -------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["STS:assumerole", "sts:*", "sts:Assume*"])
def test_a_role_that_may_assume_others(action: str) -> None:
    more = {"Effect": "Allow", "Action": action, "Resource": "*"}
    read = reading(get_role_policy={"PolicyDocument": {**POLICY, "Statement": [POLICY["Statement"], more]}})
    none: Future[Any] = Future()
    none.set_result(None)
    found = s3_beyond.role_can_do_nothing_else(read, none)
    assert found.status is Status.FAIL
    assert "sts:AssumeRole on" in found.evidence


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": f"arn:aws:sts::{OWNER}:federated-user/ana"},
        {"Service": "lambda.amazonaws.com"},
        {"AWS": f"arn:aws:iam::{OWNER}:user/team/ana"},
    ],
    ids=str,
)
def test_principals_of_all_kinds_are_somebody_else(principal: dict[str, str]) -> None:
    more = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    role = {
        "Arn": ROLE,
        "RoleId": "AROA1",
        "AssumeRolePolicyDocument": {**TRUST, "Statement": [TRUST["Statement"], more]},
    }
    found = s3_trust.nobody_else_is_let_in(reading(get_role={"Role": role}))
    assert found.status is Status.FAIL
    assert next(iter(principal.values())) in found.evidence
