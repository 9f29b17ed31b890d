"""A rehearsal finds every wrong setting: each destination here has one, and its recorder must fail for it.

One run holds them all. The program is the project's own; a transformation, as a team's own program may have one,
changes a single property of a single destination on its way to the cloud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path


READER = "arn:aws:iam::111122223333:role/player"

CHANGE = """
TOO_FEW = {
    "no-put": "s3:PutObject",
    "no-get": "s3:GetObject",
    "no-get-version": "s3:GetObjectVersion",
    "no-list": "s3:ListBucket",
    "no-list-versions": "s3:ListBucketVersions",
    "no-list-uploads": "s3:ListBucketMultipartUploads",
    "no-list-parts": "s3:ListMultipartUploadParts",
    "no-abort": "s3:AbortMultipartUpload",
}

def edit(props, name, how):
    props[name] = pulumi.Output.from_input(props[name]).apply(lambda text: json.dumps(how(json.loads(text))))

def trust(how):
    def whole(document):
        how(document["Statement"][0])
        return document
    return whole

def change(args):
    name, props = args.name, args.props
    if name == "session-role":
        props["max_session_duration"] = 3600
    elif name == "external-id-role":
        edit(props, "assume_role_policy", trust(lambda s: s.update(Condition={"StringEquals": {"sts:ExternalId": "Tavus"}})))
    elif name == "account-role":
        edit(props, "assume_role_policy", trust(lambda s: s.update(Principal={"AWS": "arn:aws:iam::291871421006:root"})))
    elif name == "source-ip-role":
        edit(props, "assume_role_policy", trust(lambda s: s["Condition"].update(IpAddress={"aws:SourceIp": "203.0.113.0/24"})))
    elif name == "mfa-role":
        edit(props, "assume_role_policy", trust(lambda s: s["Condition"].update(Bool={"aws:MultiFactorAuthPresent": "true"})))
    elif name.endswith("-role-policy") and name.removesuffix("-role-policy") in TOO_FEW:
        action = TOO_FEW[name.removesuffix("-role-policy")]
        edit(props, "policy", trust(lambda s: s["Action"].remove(action)))
    elif name == "objects-role-policy":
        edit(props, "policy", trust(lambda s: s["Resource"].pop(1)))
    elif name == "bucket-arn-role-policy":
        edit(props, "policy", trust(lambda s: s["Resource"].pop(0)))
    elif name == "prefix-role-policy":
        edit(props, "policy", trust(lambda s: s.update(Resource=[s["Resource"][0], s["Resource"][0] + "/recordings/*"])))
    elif name == "deny-policy":
        def deny(document):
            arn = document["Statement"][0]["Resource"][0]
            document["Statement"].append({
                "Sid": "OnlyWithOurHeader", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
                "Resource": arn + "/*", "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}},
            })
            return document
        edit(props, "policy", deny)
    elif name == "boundary-role":
        import pulumi_aws
        boundary = pulumi_aws.iam.Policy("limits", name="limits", policy=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}],
        }))
        props["permissions_boundary"] = boundary.arn
    elif name == "no-decrypt-key":
        edit(props, "policy", lambda d: (d["Statement"][1]["Action"].remove("kms:Decrypt"), d)[1])
    elif name == "no-data-key-key":
        edit(props, "policy", lambda d: (d["Statement"][1]["Action"].remove("kms:GenerateDataKey"), d)[1])
    elif name == "no-reader-key":
        edit(props, "policy", lambda d: (d["Statement"].pop(2), d)[1])
    elif name == "disabled-key":
        props["is_enabled"] = False
    elif name == "versioning-versioning":
        props["versioning_configuration"] = {"status": "Suspended"}
    return pulumi.ResourceTransformationResult(props, args.opts)

pulumi.runtime.register_stack_transformation(change)
"""

# destination -> the first step that fails, and what the evidence must say
WRONG = {
    "session": ("proven.assume-role", "MaxSessionDuration is 3600 s"),
    "external-id": ("proven.assume-role", "sts:ExternalId"),
    "account": ("proven.assume-role", "AccessDenied"),
    "mfa": ("proven.assume-role", "aws:MultiFactorAuthPresent"),
    "no-put": ("proven.probe", "s3:PutObject"),
    "no-get": ("proven.read-back", "s3:GetObject"),
    "no-get-version": ("proven.versions", "s3:GetObjectVersion"),
    "no-list": ("proven.list", "s3:ListBucket"),
    "no-list-versions": ("proven.versions", "s3:ListBucketVersions"),
    "no-list-uploads": ("proven.abort", "s3:ListBucketMultipartUploads"),
    "no-list-parts": ("proven.abort", "s3:ListMultipartUploadParts"),
    "no-abort": ("proven.abort", "s3:AbortMultipartUpload"),
    "objects": ("proven.probe", "s3:PutObject"),
    "bucket-arn": ("proven.list", "s3:ListBucket"),
    "prefix": ("proven.probe", "s3:PutObject"),
    "deny": ("proven.probe", "OnlyWithOurHeader"),
    "boundary": ("proven.probe", "boundary"),
    "no-decrypt": ("proven.write", "kms:Decrypt"),
    "no-data-key": ("proven.probe", "kms:GenerateDataKey"),
    "no-reader": ("proven.reader-1", "kms:Decrypt"),
    "disabled": ("proven.probe", "disabled"),
    "versioning": ("proven.versions", "versioning isn't enabled"),
}

NAMED: dict[str, list[str]] = {
    "session": ["S1"],
    "external-id": ["S2", "S9"],
    "account": ["S2", "S9"],
    "mfa": ["S2"],
    "no-put": ["S3"],
    "no-get": ["S3"],
    "no-get-version": ["S3"],
    "no-list": ["S3"],
    "no-list-versions": ["S3"],
    "no-list-uploads": ["S3"],
    "no-list-parts": ["S3"],
    "no-abort": ["S3"],
    "objects": ["S3"],
    "bucket-arn": ["S3"],
    "prefix": ["S3"],
    "deny": ["S6"],
    "boundary": ["S6"],
    "no-decrypt": ["S4"],
    "no-data-key": ["S4"],
    "disabled": ["S4"],
    "versioning": ["S8"],
}
"""What `verify` says of them, before anybody has tried anything; it names no other."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = tmp_path_factory.mktemp("wrong") / "project"
    names = [*WRONG, "source-ip", "right"]
    destinations: dict[str, dict[str, object]] = {
        name: {"provider": "s3", "region": "eu-west-1"} for name in names
    }
    for name in ("no-decrypt", "no-data-key", "no-reader", "disabled", "right"):
        destinations[name] |= {"create_kms_key": True, "readers": [READER]}
    write_project(folder, {"destinations": destinations}, change=CHANGE)
    return command("rehearse", "acme", "--format", "json", folder=folder)


def test_the_rehearsal_fails(outcome: Outcome) -> None:
    assert outcome.code == 1, outcome.err
    assert outcome.document["summary"]["held"] is False


@pytest.mark.parametrize("destination", WRONG)
def test_a_wrong_setting_makes_the_recorder_fail(outcome: Outcome, destination: str) -> None:
    id_, evidence = WRONG[destination]
    departures = outcome.departures(destination)
    assert next(iter(departures), None) == id_
    assert departures[id_] == "fail"
    failed = outcome.results(destination)[id_]
    assert evidence in failed["evidence"]
    assert failed["mend"]
    assert failed["source"].startswith("https://")


def test_what_is_not_wrong_is_not_called_wrong(outcome: Outcome) -> None:
    assert outcome.departures("right") == {}


def test_what_cannot_be_decided_offline_is_neither_passed_nor_failed(outcome: Outcome) -> None:
    found = outcome.results("source-ip")["proven.assume-role"]
    assert found["status"] == "unknown"
    assert "aws:SourceIp" in found["evidence"]


@pytest.mark.parametrize("destination", NAMED)
def test_verify_names_it(outcome: Outcome, destination: str) -> None:
    assert outcome.checks(destination) == dict.fromkeys(NAMED[destination], "fail")


def test_verify_fails_nothing_else(outcome: Outcome) -> None:
    rest = [name for name in ("right", *WRONG) if name not in NAMED]
    assert [id_ for name in rest for id_, status in outcome.checks(name).items() if status == "fail"] == []
