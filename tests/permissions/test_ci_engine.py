"""The pipeline's identities on AWS under the real Pulumi engine, with its state in S3 too: `preview` only reads it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.aws import occasion
from recording_storage.sandbox.journal import Outcome
from tests.support.engine import MARKS
from tests.support.engine_aws import OWNER, AwsHouse, Somebody
from tests.support.permissions import without
from tests.support.permissions_ci import BY_ID, GITHUB, carry_out, recorded, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = MARKS

STACK, STATE_BUCKET = "acme", "pulumi-state-acme"
BACKEND = f"s3://{STATE_BUCKET}?region=eu-west-1"
STACK_FILE = f"""
config:
  destinations:
    calls:
      provider: s3
      region: eu-west-1
      create_kms_key: true
      on_destroy: delete
      permissions_boundary: arn:aws:iam::{OWNER}:policy/recordings-{STACK}-boundary
"""
SECONDS = 180


@dataclass
class Pipeline:
    """A pipeline's jobs, in a copy of the project."""

    house: AwsHouse
    iam: Any

    def job(self, who: str, what: str, *commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands in a job of this identity."""
        issuer = self.house.sandbox.issuers.add(f"https://{GITHUB}")
        token = issuer.mint(
            f"{BY_ID.subject}:{what}", "sts.amazonaws.com", 600, forged=False, repository_id=BY_ID.id
        )
        given = (
            Somebody(self.house.engine._environment)
            .client("sts")
            .assume_role_with_web_identity(
                RoleArn=f"arn:aws:iam::{OWNER}:role/pipeline-{STACK}-{who}",
                RoleSessionName=who,
                WebIdentityToken=token,
            )["Credentials"]
        )
        environment = {k: v for k, v in self.house.engine._environment.items() if k != "PULUMI_BACKEND_URL"}
        environment |= {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
            "PULUMI_CONFIG_PASSPHRASE": "",
        }
        return subprocess.run(
            ["bash", "-e", "-c", "\n".join([f"pulumi login '{BACKEND}'", *commands])],
            cwd=self.house.engine.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    def preview(self, *commands: str) -> subprocess.CompletedProcess[str]:
        return self.job("preview", "pull_request", *commands)

    def up(self, *commands: str) -> subprocess.CompletedProcess[str]:
        return self.job("up", f"environment:{STACK}", *commands)


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with Sandbox() as sandbox:
        house = AwsHouse(sandbox, tmp_path)
        owner = Somebody(house.engine._environment)
        occasion.bucket(STATE_BUCKET, account=OWNER, region="eu-west-1", versioned=True)
        carry_out(recorded(shell("Whom GitHub names", "AWS"), "aws", BY_ID), owner.client)
        (house.engine.folder / "stacks" / f"Pulumi.{STACK}.yaml").write_text(STACK_FILE)
        yield Pipeline(house, owner.client("iam"))


def test_the_workflows_commands_go_by_and_preview_only_reads_the_state(pipeline: Pipeline) -> None:
    init = f"pulumi stack init {STACK} --secrets-provider passphrase"
    refused = pipeline.preview(init)
    assert refused.returncode != 0
    done = pipeline.up(init, f"pulumi up --stack {STACK} --yes --skip-preview --non-interactive")
    assert done.returncode == 0, done.stdout + done.stderr
    journal = pipeline.house.sandbox.journal
    mark = journal.mark()
    looking = (
        f"pulumi preview --stack {STACK} --json --non-interactive > preview.json",
        f"pulumi preview --stack {STACK} --refresh --expect-no-changes --non-interactive",
        f"pulumi stack output --stack {STACK} --json",
    )
    done = pipeline.preview(*looking)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not journal.since(mark, Outcome.REFUSED, Outcome.UNDECIDED)
    on_state = {one.what for one in journal.since(mark) if STATE_BUCKET in one.resource}
    assert on_state == {"s3:ListBucket", "s3:GetObject"}
    refused = pipeline.preview(f"pulumi up --stack {STACK} --yes --skip-preview --non-interactive")
    assert refused.returncode != 0
    assert "AccessDenied" in refused.stdout + refused.stderr
    name = {"RoleName": f"pipeline-{STACK}-preview", "PolicyName": "aws_state_read"}
    document = pipeline.house.account.iam.get_role_policy(**name)["PolicyDocument"]
    for action in on_state:
        pipeline.iam.put_role_policy(**name, PolicyDocument=without(json.dumps(document), action))
        assert pipeline.preview(*looking).returncode != 0, action
    done = pipeline.up(f"pulumi destroy --stack {STACK} --yes --skip-preview --non-interactive")
    assert done.returncode == 0, done.stdout + done.stderr
