"""Inputs that the providers' SDKs wouldn't take, under the real Pulumi engine: the preview refuses them, in full."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from recording_storage.engine.driver import Engine
from tests.support.engine import MARKS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = MARKS

PROJECT = "name: inputs\nruntime: {name: python, options: {virtualenv: .venv}}\n"
HEAD = "import pulumi_aws as aws\n"
RULES = "aws.s3.BucketLifecycleConfiguration('rules', bucket='acme-calls', rules=[{'id': 'one', %s}])\n"
SAYS = "resource 'rules' has a problem: rules[0]."


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / "__main__.py").write_text("")
    return folder


@pytest.fixture(scope="module")
def engine(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The CLI without a cloud: a preview asks none for anything."""
    home = tmp_path_factory.mktemp("engine")
    engine = Engine(project, home, {"PATH": os.environ["PATH"], "HOME": str(home)})
    assert engine.run("stack", "init", "acme").code == 0
    return engine


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            RULES % "'status': 'Enabled', 'abort_incomplete_multipart_upload': {'days_after_initation': 7}",
            [
                f"{SAYS}abortIncompleteMultipartUpload.days_after_initation: the SDK has no such property"
                ' (did you mean "daysAfterInitiation"?)'
            ],
        ),
        (RULES % "'expiration': {'days': 7}", [f"{SAYS}status: missing, a string is required"]),
        (
            RULES % "'status': 'Enabled', 'expiration': {'days': '7'}",
            [f"{SAYS}expiration.days: expected a whole number, got a string"],
        ),
        (
            RULES % "'status': True, 'expirations': {}",
            [
                f"{SAYS}status: expected a string, got a boolean",
                f'{SAYS}expirations: the SDK has no such property (did you mean "expiration"?)',
            ],
        ),
        (
            "aws.iam.RolePolicy('mine', role='calls', policy={'Version': '2012', 'Statement': []})\n",
            ['policy.Version: expected one of "2012-10-17", "2008-10-17", got another string'],
        ),
        (
            "aws.Provider('ireland', region='eu-west-1', assume_roles=[{'role_arm': 'deployer'}])\n",
            ['assumeRoles[0].role_arm: the SDK has no such property (did you mean "roleArn"?)'],
        ),
    ],
    ids=["an unknown one", "a missing one", "a wrong type", "several at once", "a closed enum", "a provider"],
)
def test_a_preview_refuses_what_the_sdk_would_not_take(
    project: Path, engine: Engine, program: str, said: list[str]
) -> None:
    (project / "__main__.py").write_text(HEAD + program)
    engine.workspace.refresh()
    done = engine.deploy("preview", "--stack", "acme")
    print(done.text)
    assert done.code != 0
    assert [one for one in said if one not in done.text] == []


def test_a_preview_takes_what_the_sdk_would_take(project: Path, engine: Engine) -> None:
    rule = "'status': 'Enabled', 'abort_incomplete_multipart_upload': {'days_after_initiation': 7}"
    provider = "aws.Provider('ireland', region='eu-west-1', allowed_account_ids=[bucket.arn])\n"
    bucket = "bucket = aws.s3.Bucket('calls', bucket='acme-calls')\n"
    (project / "__main__.py").write_text(HEAD + bucket + provider + RULES % rule)
    engine.workspace.refresh()
    done = engine.deploy("preview", "--stack", "acme")
    assert done.code == 0, done.text
