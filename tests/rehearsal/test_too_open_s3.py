"""A rehearsal finds what is too open: each destination here lets somebody in who should be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path


READER = "arn:aws:iam::111122223333:role/app/player"
CHANGE = """
def edit(props, name, how):
    def whole(text):
        document = json.loads(text)
        how(document["Statement"])
        return json.dumps(document)
    props[name] = pulumi.Output.from_input(props[name]).apply(whole)

def change(args):
    name, props = args.name, args.props
    if name == "anyone-role":
        edit(props, "assume_role_policy", lambda s: s[0].update(Principal={"AWS": "*"}))
    elif name == "no-condition-role":
        edit(props, "assume_role_policy", lambda s: s[0].pop("Condition"))
    elif name == "ignores-case-role":
        edit(props, "assume_role_policy", lambda s: s[0].update(Condition={"StringEqualsIgnoreCase": {"sts:ExternalId": "tavus"}}))
    elif name == "wildcard-role":
        edit(props, "assume_role_policy", lambda s: s[0].update(Condition={"StringLike": {"sts:ExternalId": "*tavus"}}))
    elif name == "deletes-role-policy":
        edit(props, "policy", lambda s: s[0]["Action"].append("s3:DeleteObject"))
    elif name == "deletes-versions-role-policy":
        edit(props, "policy", lambda s: s[0]["Action"].append("s3:DeleteObjectVersion"))
    elif name == "everywhere-role-policy":
        edit(props, "policy", lambda s: s[0].update(Resource="*"))
    elif name == "plain-http-policy":
        edit(props, "policy", lambda s: s[0].update(Action="s3:DeleteBucket"))
    elif name == "public-public-access-block":
        props.update(block_public_policy=False, restrict_public_buckets=False)
    elif name == "public-policy":
        edit(props, "policy", lambda s: s.append({
            "Sid": "Public", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": s[0]["Resource"][1],
        }))
    elif name == "reader-writes-policy":
        edit(props, "policy", lambda s: s[1].update(Action=["s3:GetObject", "s3:PutObject"]))
    return pulumi.ResourceTransformationResult(props, args.opts)

pulumi.runtime.register_stack_transformation(change)
"""

# destination -> exactly what should have been refused
OPEN = {
    "anyone": ["refused.another-account"],
    "no-condition": [
        "refused.no-external-id",
        "refused.external-id-wrong",
        "refused.external-id-in-another-case",
    ],
    "ignores-case": ["refused.external-id-in-another-case"],
    "wildcard": ["refused.external-id-wrong"],
    "deletes": ["refused.delete"],
    "deletes-versions": ["refused.delete-version"],
    "everywhere": ["refused.another-bucket"],
    "plain-http": ["refused.plain-http"],
    "public": ["refused.anonymous"],
    "reader-writes": ["refused.reader-1-writes"],
}

NAMED: dict[str, list[str]] = {
    "anyone": ["S9"],
    "no-condition": ["S9"],
    "ignores-case": ["S9"],
    "wildcard": ["S9"],
    "deletes": ["S10"],
    "deletes-versions": ["S10"],
    "everywhere": ["S10"],
    "public": ["S11"],
}
"""What `verify` says of them, before anybody has tried anything; it names no other."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = tmp_path_factory.mktemp("open") / "project"
    destinations = {
        name: {"provider": "s3", "region": "eu-west-1", "readers": [READER]} for name in [*OPEN, "right"]
    }
    write_project(folder, {"destinations": destinations}, change=CHANGE)
    return command("rehearse", "acme", "--format", "json", folder=folder)


@pytest.mark.parametrize("destination", OPEN)
def test_what_is_too_open_fails(outcome: Outcome, destination: str) -> None:
    assert outcome.code == 1, outcome.err
    assert outcome.departures(destination) == dict.fromkeys(OPEN[destination], "fail")
    for id_ in OPEN[destination]:
        assert outcome.results(destination)[id_]["mend"]


def test_with_the_right_settings_all_of_it_is_refused(outcome: Outcome) -> None:
    found = outcome.results("right")
    assert {id_ for ids in OPEN.values() for id_ in ids} <= set(found)
    assert outcome.departures("right") == {}
    assert found["proven.reader-1"]["status"] == "pass"


@pytest.mark.parametrize("destination", NAMED)
def test_verify_names_it(outcome: Outcome, destination: str) -> None:
    assert outcome.checks(destination) == dict.fromkeys(NAMED[destination], "fail")


def test_verify_fails_nothing_else(outcome: Outcome) -> None:
    rest = [name for name in ("right", *OPEN) if name not in NAMED]
    assert [id_ for name in rest for id_, status in outcome.checks(name).items() if status == "fail"] == []
