"""Programs whose inputs the providers' SDKs wouldn't take: a rehearsal says so, and doesn't call it inconclusive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.projects import command, write_project

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {"destinations": {"calls": {"provider": "s3", "region": "eu-west-1"}}}
HEAD = "import pulumi_aws as aws\n"
BUCKET = "further = aws.s3.Bucket('further', bucket='acme-further', force_destroy=True)\n"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration days: "
TYPO = (
    "rules[0].abortIncompleteMultipartUpload.days_after_initation: the SDK has no such property"
    ' (did you mean "daysAfterInitiation"?)'
)
ABORTING = (
    "aws.s3.BucketLifecycleConfiguration('days', bucket=further.id, rules=[{{'id': 'one', 'status': 'Enabled', 'filter': {{'prefix': ''}},"
    " 'abort_incomplete_multipart_upload': {{'days_after_{}': 7}}}}])\n"
)


@pytest.mark.parametrize(
    ("program", "status", "said"),
    [
        (BUCKET + ABORTING.format("initation"), "fail", f"{LIFECYCLE}{TYPO}"),
        (
            "aws.s3.Bucket('calls', bucket='acme-calls', force_destroy='true')\n",
            "fail",
            "aws:s3/bucket:Bucket calls: forceDestroy: expected a boolean, got a string",
        ),
        (
            "aws.Provider('ireland', region='eu-west-1', assume_roles=[{'role_arm': 'deployer'}])\n",
            "fail",
            'pulumi:providers:aws ireland: assumeRoles[0].role_arm: the SDK has no such property (did you mean "roleArn"?)',
        ),
        (
            "aws.s3.Bucket('calls', bucket='acme-calls', acl='private', force_destroy='true')\n",
            "fail",
            "aws:s3/bucket:Bucket calls: forceDestroy: expected a boolean, got a string",
        ),
        (
            "aws.s3.Bucket('calls', bucket='acme-calls', acl='private', force_destroy=True)\n",
            "unknown",
            "aws:s3/bucket:Bucket calls: acl of aws:s3/bucket:Bucket: the stand-in for the provider doesn't know it,"
            " so nothing can be said about it",
        ),
    ],
    ids=[
        "a property within",
        "a type",
        "a provider",
        "a type and what is not honoured",
        "what is not honoured",
    ],
)
def test_inputs_that_the_sdk_would_not_take_fail(
    tmp_path: Path, program: str, status: str, said: str
) -> None:
    folder = write_project(tmp_path / "project", CONFIG, change=HEAD + program)
    done = command("rehearse", "acme", "-f", "json", folder=folder)
    found = done.results("")["proven.program"]
    assert (done.code, found["status"], found["evidence"]) == (1, status, said)


def test_a_provider_that_only_the_stack_file_configures_is_checked(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project", CONFIG, change=HEAD + BUCKET)
    file = folder / "stacks/Pulumi.acme.yaml"
    settings = json.loads(file.read_text())
    settings["config"]["aws:regionn"] = "eu-west-1"
    file.write_text(json.dumps(settings))
    done = command("rehearse", "acme", "-f", "json", folder=folder)
    found = done.results("")["proven.program"]
    assert (done.code, found["status"]) == (1, "fail")
    assert found["evidence"] == (
        "aws:s3/bucket:Bucket further: the stack's configuration of aws: regionn: the SDK has no such property"
        ' (did you mean "region"?)'
    )


def test_inputs_that_the_sdk_would_take_are_made(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project", CONFIG, change=HEAD + BUCKET + ABORTING.format("initiation"))
    done = command("rehearse", "acme", "-f", "json", folder=folder)
    assert done.code == 0, done.out + done.err
