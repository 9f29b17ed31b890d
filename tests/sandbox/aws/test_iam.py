"""What IAM refuses to store, through real clients: each refusal beside its nearest neighbour that is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world import Keys, allow, document, root, trust, unique

if TYPE_CHECKING:
    from world import World


@pytest.mark.parametrize(
    "text",
    [
        "{",
        document(allow("s3:GetObject")),
        document(trust("*", Resource="*")),
        document({**trust("*"), "Effect": "no"}),
    ],
    ids=["no JSON", "no principal", "a resource", "an effect"],
)
def test_a_malformed_trust_policy(world: World, owner: Keys, text: str) -> None:
    world.role(owner, document(trust("*")))
    with world.refused("MalformedPolicyDocument"):
        world.role(owner, text)


def test_a_malformed_identity_policy(world: World, owner: Keys) -> None:
    name = world.role(owner, trust({"AWS": root(owner.account)}), allow("s3:GetObject")).rpartition("/")[2]
    for text in (document(allow("GetObject")), document(allow("s3:GetObject", Principal="*"))):
        with world.refused("MalformedPolicyDocument"):
            world.iam(owner).put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=text)


def test_principals_must_exist(world: World, owner: Keys, stranger: Keys) -> None:
    theirs = world.role(stranger, trust({"AWS": root(stranger.account)}), Path="/team/")
    world.role(owner, trust({"AWS": [theirs, root("999999999999"), "888888888888"]}))
    path = f"arn:aws:iam::{stranger.account}:role/{theirs.rpartition('/')[2]}"
    for absent in (
        f"{theirs}x",
        path,
        f"arn:aws:iam::{owner.account}:user/{unique('nobody')}",
        "arn:aws-cn:iam::999999999999:root",
    ):
        with world.refused("MalformedPolicyDocument", "there is no"):
            world.role(owner, trust({"AWS": absent}))


def test_max_session_duration_has_a_range(world: World, owner: Keys) -> None:
    name = world.role(owner, trust("*"), seconds=3600).rpartition("/")[2]
    world.iam(owner).update_role(RoleName=name, MaxSessionDuration=43200)
    for seconds in (3599, 43201):
        with world.refused("ValidationError"):
            world.iam(owner).update_role(RoleName=name, MaxSessionDuration=seconds)
        with world.refused("ValidationError"):
            world.role(owner, trust("*"), seconds=seconds)


def test_a_boundary_must_exist_and_stays_while_it_is_one(world: World, owner: Keys) -> None:
    iam = world.iam(owner)
    arn = iam.create_policy(PolicyName=unique("boundary"), PolicyDocument=document(allow("s3:*")))["Policy"][
        "Arn"
    ]
    role = world.role(owner, trust("*"), PermissionsBoundary=arn).rpartition("/")[2]
    with world.refused("NoSuchEntity"):
        world.role(owner, trust("*"), PermissionsBoundary=f"{arn}-none")
    with world.refused("DeleteConflict"):
        iam.delete_policy(PolicyArn=arn)
    iam.delete_role_permissions_boundary(RoleName=role)
    iam.delete_policy(PolicyArn=arn)


def test_a_policy_of_awss_own_is_not_known(world: World, owner: Keys) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    name = world.role(owner, trust("*")).rpartition("/")[2]
    with world.undecided(arn):
        world.iam(owner).attach_role_policy(RoleName=name, PolicyArn=arn)
    with world.undecided(arn):
        world.role(owner, trust("*"), PermissionsBoundary=arn)


def test_policies_have_a_greatest_length(world: World, owner: Keys) -> None:
    def listing(count: int) -> str:
        return document(*[allow("s3:GetObject", on=f"arn:aws:s3:::{number:030}") for number in range(count)])

    world.iam(owner).create_policy(PolicyName=unique("policy"), PolicyDocument=listing(50))
    with world.refused("LimitExceeded"):
        world.iam(owner).create_policy(PolicyName=unique("policy"), PolicyDocument=listing(100))


def test_what_a_deployer_may_do_is_judged(world: World, owner: Keys) -> None:
    def deployer(*actions: str, on: str = "*", **more: Any) -> Any:
        return world.iam(world.session(owner, allow(*actions, on=on, **more)))

    def create(iam: Any, name: str, **more: Any) -> None:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust("*")), **more)

    mine = f"arn:aws:iam::{owner.account}:role/mine-*"
    create(deployer("iam:CreateRole", on=mine), unique("mine"))
    with world.refused("AccessDenied", "covers arn:aws:iam"):
        create(deployer("iam:CreateRole", on=mine), unique("other"))
    tags = {"Tags": [{"Key": "a", "Value": "b"}]}
    create(deployer("iam:CreateRole", "iam:TagRole"), unique("mine"), **tags)
    with world.refused("AccessDenied", "iam:TagRole"):
        create(deployer("iam:CreateRole"), unique("mine"), **tags)
    only_tagged: dict[str, Any] = {"Condition": {"StringEquals": {"aws:RequestTag/a": "b"}}}
    with world.undecided("aws:RequestTag/a"):
        create(deployer("iam:*", **only_tagged), unique("mine"), **tags)


def test_a_boundary_can_be_demanded(world: World, owner: Keys) -> None:
    made = world.iam(owner).create_policy(PolicyName=unique("b"), PolicyDocument=document(allow("s3:*")))
    arn = made["Policy"]["Arn"]
    demanding = allow("iam:CreateRole", Condition={"StringEquals": {"iam:PermissionsBoundary": arn}})
    iam = world.iam(world.session(owner, demanding))
    said = document(trust("*"))
    iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=said, PermissionsBoundary=arn)
    with world.refused("AccessDenied", "iam:PermissionsBoundary"):
        iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=said)


def test_a_boundary_can_be_demanded_of_a_role_that_exists(world: World, owner: Keys) -> None:
    made = world.iam(owner).create_policy(PolicyName=unique("b"), PolicyDocument=document(allow("s3:*")))
    arn = made["Policy"]["Arn"]
    held = world.role(owner, trust("*"), PermissionsBoundary=arn).rpartition("/")[2]
    free = world.role(owner, trust("*")).rpartition("/")[2]
    demanding = allow("iam:PutRolePolicy", Condition={"StringEquals": {"iam:PermissionsBoundary": arn}})
    iam, given = world.iam(world.session(owner, demanding)), document(allow("s3:*"))
    iam.put_role_policy(RoleName=held, PolicyName="given", PolicyDocument=given)
    with world.refused("AccessDenied", "iam:PermissionsBoundary"):
        iam.put_role_policy(RoleName=free, PolicyName="given", PolicyDocument=given)


def test_other_operations_are_undecided(world: World, owner: Keys) -> None:
    with world.undecided("iam:CreateGroup"):
        world.iam(owner).create_group(GroupName=unique("group"))
    with world.undecided("a simulation of"):
        world.iam(owner).simulate_principal_policy(
            PolicySourceArn=root(owner.account), ActionNames=["s3:GetObject"]
        )
    with world.undecided("a user with a permissions boundary"):
        world.iam(owner).create_user(
            UserName=unique("user"), PermissionsBoundary="arn:aws:iam::aws:policy/Any"
        )
