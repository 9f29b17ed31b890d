"""An organisation's policies, and IAM's policy simulator, through real clients."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from world import Keys, allow, arns, delegated, deny, document, put, root, trust, unique

from recording_storage.sandbox.aws import occasion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from world import World

EVERYTHING = allow("*")


@pytest.fixture(autouse=True)
def _in_no_organisation(owner: Keys, service: Keys) -> Iterator[None]:
    yield
    for one in (owner, service):
        occasion.organisation(one.account)


def limit(keys: Keys, *levels: Sequence[dict[str, Any]]) -> None:
    occasion.organisation(keys.account, *[json.loads(document(*level)) for level in levels])


def test_it_limits_the_accounts_users_and_roles(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    role = world.session(owner, allow("s3:PutObject", on=arns(bucket)))
    for keys in (owner, role):
        put(world, keys, bucket)
    limit(owner, [EVERYTHING, deny("s3:PutObject")])
    for keys in (owner, role):
        with world.refused("AccessDenied", "explicit deny in the organisation's policies"):
            put(world, keys, bucket)
    limit(owner, [EVERYTHING], [allow("iam:*")])
    with world.refused("AccessDenied", "no statement of the organisation's policies allows it"):
        put(world, owner, bucket)
    limit(owner, [EVERYTHING], [EVERYTHING])
    put(world, owner, bucket)


def test_it_limits_nobody_of_another_account(world: World, owner: Keys, service: Keys) -> None:
    bucket = world.bucket(owner)
    world.s3(owner).put_bucket_policy(
        Bucket=bucket,
        Policy=document(allow("s3:PutObject", on=arns(bucket)[1], Principal={"AWS": root(service.account)})),
    )
    limit(owner, [allow("sqs:*")])
    put(world, service, bucket)
    limit(service, [allow("sqs:*")])
    with world.refused("AccessDenied", "organisation"):
        put(world, service, bucket)


def test_who_assumes_a_role_is_limited_by_its_own_organisation(
    world: World, owner: Keys, service: Keys
) -> None:
    arn = world.role(owner, trust({"AWS": root(service.account)}), allow("s3:PutObject"))
    limit(owner, [allow("s3:*")])
    world.assume(service, arn)
    limit(service, [allow("s3:*")])
    with world.refused("AccessDenied", "organisation"):
        world.assume(service, arn)


def test_it_limits_the_use_of_keys(world: World, owner: Keys) -> None:
    key = world.key(owner, delegated(owner.account))
    world.kms(owner).generate_data_key(KeyId=key, KeySpec="AES_256")
    limit(owner, [allow("s3:*")])
    with world.refused("AccessDeniedException", "organisation"):
        world.kms(owner).generate_data_key(KeyId=key, KeySpec="AES_256")


def simulated(
    world: World, keys: Keys, role: str, action: str, *resources: str, **context: str
) -> dict[str, Any]:
    (found,) = world.iam(keys).simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=[action],
        ResourceArns=list(resources),
        ContextEntries=[
            {
                "ContextKeyName": name.replace("_", ":"),
                "ContextKeyType": "string",
                "ContextKeyValues": [value],
            }
            for name, value in context.items()
        ],
    )["EvaluationResults"]
    return found


def test_what_a_role_may_do_by_its_own_policies(world: World, owner: Keys) -> None:
    bucket, objects = arns("recordings")
    role = world.role(
        owner,
        trust({"AWS": root(owner.account)}),
        allow("s3:PutObject", on=objects),
        deny("s3:PutObject", on=f"{objects[:-1]}old/*"),
    )
    found = simulated(
        world, owner, role, "s3:PutObject", f"{objects[:-1]}new/1", f"{objects[:-1]}old/1", bucket
    )
    assert [one["EvalResourceDecision"] for one in found["ResourceSpecificResults"]] == [
        "allowed",
        "explicitDeny",
        "implicitDeny",
    ]
    assert found["EvalDecision"] == "explicitDeny"
    assert "OrganizationsDecisionDetail" not in found


def test_context_that_is_missing_is_named(world: World, owner: Keys) -> None:
    wanted = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    role = world.role(owner, trust({"AWS": root(owner.account)}), allow("s3:PutObject", Condition=wanted))
    (one,) = simulated(world, owner, role, "s3:PutObject", arns("recordings")[1])["ResourceSpecificResults"]
    assert (one["EvalResourceDecision"], one["MissingContextValues"]) == (
        "implicitDeny",
        ["aws:RequestedRegion"],
    )
    told = simulated(
        world, owner, role, "s3:PutObject", arns("recordings")[1], aws_RequestedRegion="eu-west-1"
    )
    assert told["EvalDecision"] == "allowed"
    assert not told["ResourceSpecificResults"][0]["MissingContextValues"]


def test_boundary_and_organisation_are_told_apart(world: World, owner: Keys) -> None:
    boundary = world.iam(owner).create_policy(
        PolicyName=unique("boundary"), PolicyDocument=document(allow("s3:Get*"))
    )["Policy"]["Arn"]
    role = world.role(owner, trust({"AWS": root(owner.account)}), allow("s3:*"), PermissionsBoundary=boundary)
    limit(owner, [allow("iam:*", "s3:PutObject")])
    resource = arns("recordings")[1]
    for action, within, allowed in (("s3:PutObject", False, True), ("s3:GetObject", True, False)):
        found = simulated(world, owner, role, action, resource)
        (one,) = found["ResourceSpecificResults"]
        assert one["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"] is within
        assert found["OrganizationsDecisionDetail"]["AllowedByOrganizations"] is allowed
        assert found["EvalDecision"] == "implicitDeny"


def test_who_may_ask_the_simulator(world: World, owner: Keys) -> None:
    role = world.role(owner, trust({"AWS": root(owner.account)}), allow("s3:PutObject"))
    may = world.session(owner, allow("iam:SimulatePrincipalPolicy", on=role))
    may_not = world.session(owner, allow("iam:SimulatePrincipalPolicy", on=f"{role}-other"))
    simulated(world, may, role, "s3:PutObject", "*")
    with world.refused("AccessDenied"):
        simulated(world, may_not, role, "s3:PutObject", "*")
    with world.refused("NoSuchEntity"):
        simulated(world, owner, f"{role}-none", "s3:PutObject", "*")
