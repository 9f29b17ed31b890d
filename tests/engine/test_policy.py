"""`pulumi preview --policy-pack policy` by the real CLI: on the components' stacks, and on a team's own program."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engine import MARKS, House, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.engine.driver import Run

pytestmark = MARKS

PACK = ("--policy-pack", "policy")
UNTOLD = {
    "aws": {"S10", "S11", "S12"},
    "google": {"G5", "G14"},
    "azure": {"Z12"},
}
"""What can't be told in a cloud's first preview."""

PROJECT = "{name: team, runtime: {name: python, options: {virtualenv: ../.venv}}}"
PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

trust = {{"Version": "2012-10-17", "Statement": [{{
    "Effect": "Allow", "Principal": {{"AWS": "291871421005"}}, "Action": "sts:AssumeRole",
    "Condition": {{"{operator}": {{"sts:ExternalId": "tavus"}}}},
}}]}}
tls = {{"Version": "2012-10-17", "Statement": [{{
    "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": {{"Bool": {{"aws:SecureTransport": "false"}}}},
    "Resource": ["arn:aws:s3:::acme-team-calls", "arn:aws:s3:::acme-team-calls/*"],
}}]}}
write = {{"Version": "2012-10-17", "Statement": [{{
    "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::acme-team-calls/{objects}",
}}]}}
provider = aws.Provider("aws", region="eu-west-1")
opts = pulumi.ResourceOptions(provider=provider)
kept = pulumi.ResourceOptions(provider=provider, protect={protect})
# Not for recordings, and none of the pack's business.
aws.s3.Bucket("website", bucket="acme-team-website", region="eu-west-1", opts=opts)
role = aws.iam.Role(
    "recorder", name="recorder", assume_role_policy=json.dumps(trust), max_session_duration={seconds}, opts=opts
)
bucket = aws.s3.Bucket("calls", bucket="acme-team-calls", region="eu-west-1", opts=kept)
aws.s3.BucketVersioning(
    "versioning", bucket=bucket.bucket, region="eu-west-1", versioning_configuration={{"status": "{status}"}}, opts=opts
)
aws.s3.BucketPublicAccessBlock(
    "block", bucket=bucket.bucket, region="eu-west-1", block_public_acls=True, block_public_policy={block},
    ignore_public_acls=True, restrict_public_buckets=True, opts=opts,
)
aws.s3.BucketPolicy("tls", bucket=bucket.bucket, region="eu-west-1", policy=json.dumps(tls), opts=opts)
aws.iam.RolePolicy("write", name="write", role=role.name, policy=json.dumps(write), opts=opts)
"""
SOUND = {
    "operator": "StringEquals",
    "objects": "*",
    "seconds": 43200,
    "status": "Enabled",
    "block": True,
    "protect": True,
}
BROKEN = {
    "operator": "StringLike",
    "objects": "*",
    "seconds": 3600,
    "status": "Suspended",
    "block": False,
    "protect": False,
}
REFUSED = {
    "S1": "write max_session_duration=43200",
    "S2": "asks for the external id by StringLike",
    "S8": 'write aws.s3.BucketVersioning with versioning_configuration={"status": "Enabled"}',
    "S11": "write block_public_policy=True",
    "P1": "write opts=pulumi.ResourceOptions(protect=True)",
}


RULE = re.compile(r"\[(mandatory|advisory)]\s+([a-z][0-9]+)-[a-z0-9-]+")
"""How the CLI prints a rule that isn't kept, or can't be told."""


def told(run: Run, level: str) -> set[str]:
    """The rules that the CLI reports at a level."""
    return {rule.upper() for how, rule in RULE.findall(run.text) if how == level}


class Team:
    """A team's own project beside the components', in the same sandbox."""

    def __init__(self, house: House[Any], name: str) -> None:
        self._engine, self._name = house.engine, name
        self.folder = house.engine.folder / name
        self.folder.mkdir()
        (self.folder / "Pulumi.yaml").write_text(PROJECT)
        self.write(SOUND)
        assert self._engine.run("stack", "init", name, "--cwd", str(self.folder)).code == 0

    def write(self, values: Mapping[str, object]) -> None:
        (self.folder / "__main__.py").write_text(PROGRAM.format(**values))

    def run(self, command: str, config: Mapping[str, Any] | None = None) -> Run:
        pack = ["--policy-pack", str(self._engine.folder / "policy")]
        if config is not None:
            given = self.folder / "policy.json"
            given.write_text(json.dumps(config))
            pack += ["--policy-pack-config", str(given)]
        return self._engine.deploy(command, "--stack", self._name, "--cwd", str(self.folder), *pack)


@pytest.mark.parametrize("cloud", UNTOLD)
def test_a_components_stack_passes(houses: dict[str, House[Any]], cloud: str) -> None:
    stack = Stack(houses[cloud], "policy")
    stack.configure(calls={})
    for command, expected in (("preview", UNTOLD[cloud]), ("up", set[str]()), ("preview", set[str]())):
        run = stack.run(command, *PACK)
        assert run.code == 0, run.text
        assert told(run, "mandatory") == set()
        assert told(run, "advisory") == expected
        assert ("`recording-storage verify` looks after the up" in run.text) == bool(expected)


def test_storage_that_is_given_up_is_refused(houses: dict[str, House[Any]]) -> None:
    stack = Stack(houses["aws"], "policy-given-up")
    stack.configure(calls={"on_destroy": "delete"})
    refused = stack.run("preview", *PACK)
    assert refused.code != 0
    assert told(refused, "mandatory") == {"P1"}
    assert "write on_destroy: protect" in refused.text
    assert stack.run("preview").code == 0


def test_a_teams_own_program_passes(houses: dict[str, House[Any]]) -> None:
    team = Team(houses["aws"], "sound")
    for command in ("preview", "up"):
        run = team.run(command)
        assert run.code == 0, run.text
        assert told(run, "mandatory") | told(run, "advisory") == set()


def test_a_teams_own_program_is_refused(houses: dict[str, House[Any]]) -> None:
    team = Team(houses["aws"], "broken")
    team.write(BROKEN)
    for command in ("preview", "up"):
        refused = team.run(command)
        assert refused.code != 0
        if command == "preview":
            assert told(refused, "mandatory") == REFUSED.keys(), refused.text
            assert all(mend in refused.text for mend in REFUSED.values())
            assert "website:" not in refused.text


def test_exceptions_let_it_through_for_a_reason_and_a_while(houses: dict[str, House[Any]]) -> None:
    team = Team(houses["aws"], "excepted")
    team.write(BROKEN)
    resources = {"S1": "recorder", "S2": "recorder", "S8": "calls", "S11": "calls", "P1": "calls"}
    exceptions = [
        {"rule": rule, "resource": resource, "reason": "a trial", "expires": "2999-12-31"}
        for rule, resource in resources.items()
    ]
    run = team.run("preview", {"recordings": {"exceptions": exceptions}})
    assert run.code == 0, run.text
    exceptions[0]["expires"] = "2000-01-01"
    run = team.run("preview", {"recordings": {"exceptions": exceptions}})
    assert run.code != 0
    assert told(run, "mandatory") == {"S1", "P3"}
    assert "it expired on 2000-01-01" in run.text


def test_a_setting_of_the_wrong_kind_is_refused_by_the_engine(houses: dict[str, House[Any]]) -> None:
    run = Team(houses["aws"], "misconfigured").run("preview", {"recordings": {"scope": "everything"}})
    assert run.code != 0
    assert "scope" in run.text
