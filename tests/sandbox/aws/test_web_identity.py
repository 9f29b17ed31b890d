"""AssumeRoleWithWebIdentity through real clients: a pipeline's token, and each that must be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world import Keys, allow, document, unique

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World

    from recording_storage.sandbox.issuer import Issuer

HOST = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
SUBJECT = "repo:acme@1/recordings@2:environment:production"


@pytest.fixture(scope="module")
def issuer(world: World) -> Issuer:
    return world.sandbox.issuers.add(f"https://{HOST}")


@pytest.fixture(scope="module")
def provider(world: World, owner: Keys) -> str:
    made = world.iam(owner).create_open_id_connect_provider(
        Url=f"https://{HOST}", ClientIDList=[AUDIENCE, "another"]
    )
    return made["OpenIDConnectProviderArn"]


def trust(provider: str, **conditions: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": provider},
        "Condition": {"StringEquals": {f"{HOST}:{name}": value for name, value in conditions.items()}},
    }


def exchange(world: World, arn: str, token: str, **more: Any) -> Keys:
    given = world.client("sts", None).assume_role_with_web_identity(
        RoleArn=arn, RoleSessionName="pipeline", WebIdentityToken=token, **more
    )["Credentials"]
    return Keys(arn.split(":")[4], given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


@pytest.fixture(scope="module")
def arn(world: World, owner: Keys, provider: str) -> str:
    may = allow("s3:ListAllMyBuckets")
    return world.role(owner, trust(provider, aud=AUDIENCE, sub=SUBJECT, repository_id="2"), may, seconds=7200)


def test_a_token_becomes_a_session_that_may_do_what_its_role_may(
    world: World, owner: Keys, issuer: Issuer, arn: str
) -> None:
    token = issuer.mint(SUBJECT, AUDIENCE, repository_id="2")
    session = exchange(world, arn, token, DurationSeconds=7200)
    name = arn.rpartition("/")[2]
    said = world.sts(session).get_caller_identity()
    assert said["Arn"] == f"arn:aws:sts::{owner.account}:assumed-role/{name}/pipeline"
    world.s3(session).list_buckets()
    with world.refused("AccessDenied"):
        world.iam(session).get_role(RoleName=name)
    with world.refused("ValidationError", "7201 s were asked for"):
        exchange(world, arn, token, DurationSeconds=7201)


WRONG: list[tuple[str, str, str, Callable[[Issuer], str]]] = [
    (
        "another subject",
        "AccessDenied",
        'the request has "repo:acme/x"',
        lambda one: one.mint("repo:acme/x", AUDIENCE, repository_id="2"),
    ),
    (
        "a claim that differs",
        "AccessDenied",
        'the request has "3"',
        lambda one: one.mint(SUBJECT, AUDIENCE, repository_id="3"),
    ),
    ("a claim that is missing", "AccessDenied", "repository_id", lambda one: one.mint(SUBJECT, AUDIENCE)),
    (
        "an audience that the policy doesn't name",
        "AccessDenied",
        "another",
        lambda one: one.mint(SUBJECT, "another"),
    ),
    (
        "an audience that the provider hasn't",
        "InvalidIdentityToken",
        "the provider has",
        lambda one: one.mint(SUBJECT, "third"),
    ),
    (
        "a key that isn't published",
        "InvalidIdentityToken",
        "",
        lambda one: one.mint(SUBJECT, AUDIENCE, forged=True),
    ),
    ("too late", "ExpiredTokenException", "", lambda one: one.mint(SUBJECT, AUDIENCE, -5)),
    ("too early", "InvalidIdentityToken", "", lambda one: one.mint(SUBJECT, AUDIENCE, nbf=2**33)),
    (
        "another issuer",
        "InvalidIdentityToken",
        "No OpenIDConnect provider",
        lambda one: one.mint(SUBJECT, AUDIENCE, iss="https://gitlab.com"),
    ),
    (
        "an issuer with a slash at its end",
        "InvalidIdentityToken",
        "No OpenIDConnect provider",
        lambda one: one.mint(SUBJECT, AUDIENCE, iss=f"https://{HOST}/"),
    ),
    ("no token", "InvalidIdentityToken", "can't be read", lambda _: "none"),
]


@pytest.mark.parametrize(("code", "why", "token"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_a_token_that_is_wrong_is_refused(
    world: World, issuer: Issuer, arn: str, code: str, why: str, token: Callable[[Issuer], str]
) -> None:
    with world.refused(code, why):
        exchange(world, arn, token(issuer))


def test_several_audiences_are_undecided(world: World, issuer: Issuer, arn: str) -> None:
    with world.undecided("azp"):
        exchange(world, arn, issuer.mint(SUBJECT, AUDIENCE, azp=AUDIENCE))


def test_another_accounts_provider_doesnt_count(
    world: World, stranger: Keys, issuer: Issuer, provider: str
) -> None:
    role = world.role(stranger, trust(provider, aud=AUDIENCE, sub=SUBJECT))
    with world.refused("InvalidIdentityToken", "No OpenIDConnect provider"):
        exchange(world, role, issuer.mint(SUBJECT, AUDIENCE))


def test_an_issuer_that_cant_be_reached(world: World, owner: Keys) -> None:
    made = world.iam(owner).create_open_id_connect_provider(Url="https://gitlab.com", ClientIDList=[AUDIENCE])
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": made["OpenIDConnectProviderArn"]},
    }
    role = world.role(owner, statement)
    unknown = world.sandbox.issuers.add(f"https://{unique('elsewhere')}.example.com")
    with world.refused("InvalidIdentityToken", "publishes no key"):
        exchange(world, role, unknown.mint(SUBJECT, AUDIENCE, iss="https://gitlab.com"))


def test_a_trust_of_accounts_lets_no_token_in(world: World, owner: Keys, issuer: Issuer) -> None:
    statement = {"Effect": "Allow", "Action": "sts:*", "Principal": {"AWS": owner.account}}
    with world.refused("AccessDenied", "trust policy"):
        exchange(world, world.role(owner, document(statement)), issuer.mint(SUBJECT, AUDIENCE))


def test_a_role_that_isnt_there_lets_no_token_in(
    world: World, owner: Keys, issuer: Issuer, provider: str
) -> None:
    del provider
    with world.refused("AccessDenied", "no such role"):
        exchange(world, f"arn:aws:iam::{owner.account}:role/{unique('none')}", issuer.mint(SUBJECT, AUDIENCE))
