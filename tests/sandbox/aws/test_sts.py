"""AssumeRole through real clients: each refusal beside its nearest neighbour that is allowed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world import REGION, Keys, allow, deny, document, root, trust, unique

from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from world import World


def vendor(service: Keys, external_id: str = "tavus") -> dict[str, Any]:
    return trust({"AWS": root(service.account)}, Condition={"StringEquals": {"sts:ExternalId": external_id}})


def test_external_id_across_accounts(world: World, owner: Keys, service: Keys) -> None:
    arn = world.role(owner, vendor(service))
    assert (
        world.sts(world.assume(service, arn, ExternalId="tavus"))
        .get_caller_identity()["Arn"]
        .startswith(f"arn:aws:sts::{owner.account}:assumed-role/")
    )
    with world.refused("AccessDenied", 'the request has "TAVUS"'):
        world.assume(service, arn, ExternalId="TAVUS")
    with world.refused("AccessDenied", "no sts:ExternalId"):
        world.assume(service, arn)
    with world.refused("ValidationError"):
        world.assume(service, arn, ExternalId="not allowed")


def test_only_the_trusted_account(world: World, owner: Keys, service: Keys, stranger: Keys) -> None:
    arn = world.role(owner, vendor(service))
    world.assume(service, arn, ExternalId="tavus")
    with world.refused("AccessDenied", "trust policy"):
        world.assume(stranger, arn, ExternalId="tavus")
    with world.refused("AccessDenied", "trust policy"):
        world.assume(owner, arn, ExternalId="tavus")


def test_the_callers_own_account_must_allow_it_too(world: World, owner: Keys, service: Keys) -> None:
    arn = world.role(owner, vendor(service))
    may = world.session(service, allow("sts:AssumeRole", on=arn))
    may_not = world.session(service, allow("sts:AssumeRole", on=f"{arn}-other"))
    world.assume(may, arn, ExternalId="tavus")
    with world.refused("AccessDenied", "identity policies"):
        world.assume(may_not, arn, ExternalId="tavus")


def test_a_deny_in_the_trust_policy(world: World, owner: Keys, service: Keys, stranger: Keys) -> None:
    def denying(account: str) -> str:
        return document(vendor(service), {**trust({"AWS": root(account)}), "Effect": "Deny"})

    world.assume(service, world.role(owner, denying(stranger.account)), ExternalId="tavus")
    with world.refused("AccessDenied", "explicit deny"):
        world.assume(service, world.role(owner, denying(service.account)), ExternalId="tavus")


def test_a_role_that_is_not_there(world: World, owner: Keys, service: Keys) -> None:
    with world.refused("AccessDenied", "no such role"):
        world.assume(service, f"arn:aws:iam::{owner.account}:role/{unique('none')}")
    with world.refused("ValidationError"):
        world.assume(service, f"arn:aws:iam::{owner.account}:user/{unique('none')}")


def test_max_session_duration(world: World, owner: Keys, service: Keys) -> None:
    long, short = world.role(owner, vendor(service), seconds=43200), world.role(owner, vendor(service))
    world.assume(service, long, ExternalId="tavus", DurationSeconds=43200)
    world.assume(service, short, ExternalId="tavus", DurationSeconds=3600)
    with world.refused("ValidationError", "MaxSessionDuration is 3600"):
        world.assume(service, short, ExternalId="tavus", DurationSeconds=43200)
    for seconds in (899, 43201):
        with world.refused("ValidationError"):
            world.assume(service, long, ExternalId="tavus", DurationSeconds=seconds)


def test_role_chaining_is_capped_at_an_hour(world: World, owner: Keys) -> None:
    target = world.role(owner, trust({"AWS": root(owner.account)}), seconds=43200)
    chained = world.session(owner, allow("sts:AssumeRole"))
    world.assume(chained, target, DurationSeconds=3600)
    with world.refused("ValidationError", "role chaining"):
        world.assume(chained, target, DurationSeconds=3601)
    world.assume(owner, target, DurationSeconds=3601)


def test_a_session_policy_limits_the_session(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    arn = world.role(owner, trust({"AWS": root(owner.account)}), allow("s3:*"))
    reads = world.assume(owner, arn, Policy=document(allow("s3:GetObject")))
    writes = world.assume(owner, arn, Policy=document(allow("s3:PutObject")))
    world.s3(writes).put_object(Bucket=bucket, Key="a", Body=b"1")
    with world.refused("AccessDenied", "session policy"):
        world.s3(reads).put_object(Bucket=bucket, Key="a", Body=b"1")
    with world.refused("MalformedPolicyDocument"):
        world.assume(owner, arn, Policy="{}")


def test_a_permissions_boundary_limits_the_role(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)

    def bounded(*statements: dict[str, Any]) -> Keys:
        made = world.iam(owner).create_policy(
            PolicyName=unique("boundary"), PolicyDocument=document(*statements)
        )
        arn = made["Policy"]["Arn"]
        more = {"PermissionsBoundary": arn}
        return world.assume(
            owner, world.role(owner, trust({"AWS": root(owner.account)}), allow("s3:*"), **more)
        )

    world.s3(bounded(allow("s3:*"))).put_object(Bucket=bucket, Key="a", Body=b"1")
    with world.refused("AccessDenied", "permissions boundary"):
        world.s3(bounded(allow("s3:GetObject"))).put_object(Bucket=bucket, Key="a", Body=b"1")
    with world.refused("AccessDenied", "explicit deny in the permissions boundary"):
        world.s3(bounded(allow("s3:*"), deny("s3:Put*"))).put_object(Bucket=bucket, Key="a", Body=b"1")


def test_a_session_ends_when_it_expires(world: World, owner: Keys) -> None:
    from moto.sts.models import sts_backends

    session = world.session(owner, allow("s3:ListAllMyBuckets"))
    world.s3(session).list_buckets()
    held = sts_backends[owner.account]["aws"].get_assumed_role_from_access_key(session.id)
    assert held is not None
    held.expiration -= timedelta(hours=1)
    with world.refused("ExpiredToken"):
        world.s3(session).list_buckets()
    with world.refused("ExpiredToken"):
        world.sts(session).get_caller_identity()


def test_a_session_dies_with_its_role(world: World, owner: Keys) -> None:
    arn = world.role(owner, trust({"AWS": root(owner.account)}))
    session = world.assume(owner, arn)
    world.sts(session).get_caller_identity()
    name = arn.rpartition("/")[2]
    world.iam(owner).delete_role(RoleName=name)
    with world.refused("InvalidClientTokenId"):
        world.sts(session).get_caller_identity()
    world.iam(owner).create_role(
        RoleName=name, AssumeRolePolicyDocument=document(trust({"AWS": root(owner.account)}))
    )
    with world.refused("InvalidClientTokenId"):
        world.sts(session).get_caller_identity()
    world.sts(world.assume(owner, arn)).get_caller_identity()


def test_the_session_token_belongs_to_the_session(world: World, owner: Keys) -> None:
    session = world.session(owner)
    world.sts(session).get_caller_identity()
    with world.refused("InvalidClientTokenId"):
        world.sts(Keys(owner.account, session.id, session.secret, "another")).get_caller_identity()
    with world.refused("InvalidToken"):
        world.s3(Keys(owner.account, session.id, session.secret)).list_buckets()


@pytest.mark.parametrize(
    "more",
    [
        {"Tags": [{"Key": "a", "Value": "b"}]},
        {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
        {"SourceIdentity": "somebody"},
        {"SerialNumber": "arn:aws:iam::111111111111:mfa/a", "TokenCode": "123456"},
    ],
    ids=lambda more: "+".join(more),
)
def test_what_is_not_modelled_is_undecided(world: World, owner: Keys, more: dict[str, Any]) -> None:
    arn = world.role(owner, trust({"AWS": root(owner.account)}))
    with world.undecided("AssumeRole with"):
        world.assume(owner, arn, **more)


def test_other_operations_are_undecided(world: World, owner: Keys) -> None:
    with world.undecided("sts:GetSessionToken"):
        world.sts(owner).get_session_token()


def test_a_condition_that_nobody_can_know_is_undecided(world: World, owner: Keys, service: Keys) -> None:
    elsewhere = trust(
        {"AWS": root(service.account)}, Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    )
    with world.undecided("aws:SourceIp"):
        world.assume(service, world.role(owner, elsewhere))


def test_a_regional_endpoint_wants_its_own_region(world: World, owner: Keys) -> None:
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    for host, region, status in (
        (f"sts.{REGION}.amazonaws.com", REGION, 200),
        (f"sts.{REGION}.amazonaws.com", "us-east-1", 403),
        ("sts.amazonaws.com", "us-east-1", 200),
        ("sts.amazonaws.com", REGION, 403),
    ):
        url = f"https://{host}/"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        signed = world.signed(owner, "POST", url, body=body, service="sts", region=region, headers=headers)
        assert world.send("POST", url, signed, body).status == status, (host, region)


def test_nobody_assumes_anything_anonymously(world: World, owner: Keys) -> None:
    arn = world.role(owner, trust("*"))
    mark = world.sandbox.journal.mark()
    url = f"https://sts.{REGION}.amazonaws.com/?Action=AssumeRole&Version=2011-06-15&RoleArn={arn}"
    reply = world.send("GET", url)
    assert (reply.status, "MissingAuthenticationToken" in reply.text) == (403, True)
    assert [entry.outcome for entry in world.sandbox.journal.since(mark)] == [Outcome.REFUSED]
