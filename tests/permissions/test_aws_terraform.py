"""What the real AWS provider asks for beside the stand-in for it: seen by Terraform, where its provider is at hand.

Pulumi's AWS provider is built on Terraform's.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from recording_storage.rehearsal.s3_assumed import ALLOW_EVERYTHING
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.aws import occasion
from recording_storage.sandbox.journal import Outcome
from tests.support.permissions import filled
from tests.support.permissions_aws import BOUNDARY, STACK, UP, Deployer, actions, statements
from tests.support.projects import ROOT
from tests.support.terraform import SECONDS, initialise

if TYPE_CHECKING:
    from pathlib import Path

EXISTING = "company-recordings"
BUCKET = f"{STACK}-calls-aaaaaa"
LEFT_OUT = {"iam:PutRolePermissionsBoundary", "s3:PutLifecycleConfiguration", "sts:AssumeRole"}
"""What `destination.tf` doesn't do."""


class Terraform:
    """Terraform in a folder, as somebody who deploys."""

    def __init__(self, folder: Path, deployer: Deployer) -> None:
        shutil.copy(ROOT / "tests/permissions/destination.tf", folder / "main.tf")
        initialise(folder, "aws")
        self._folder, self._deployer = folder, deployer

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        names = {"stack": STACK, "existing": EXISTING, "boundary": BOUNDARY}
        given = (f"-var={name}={value}" for name, value in names.items())
        return subprocess.run(
            ["terraform", command, "-no-color", "-input=false", *given, *arguments],
            cwd=self._folder,
            env={**self._deployer.environment, "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    def must(self, command: str, *arguments: str) -> None:
        done = self.run(command, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr


def deployer_of(sandbox: Sandbox) -> Deployer:
    deployer = Deployer(sandbox)
    occasion.policy(BOUNDARY, ALLOW_EVERYTHING, deployer.account)
    occasion.bucket(EXISTING, account=deployer.account, region="eu-west-1")
    return deployer


def preview() -> str:
    return filled("aws_preview.json", EXISTING_BUCKET=EXISTING, DEPLOY_ROLE_ARN="arn:aws:iam::1:role/none")


def test_the_real_provider_goes_through_a_stacks_life_and_uses_all_of_the_documents(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        deployer = deployer_of(sandbox)
        terraform = Terraform(tmp_path, deployer)
        up = filled("aws_up.json", **UP)
        deployer.may(up, preview())
        terraform.must("plan")
        assert deployer.used() == actions(statements(preview())) - LEFT_OUT
        terraform.must("apply", "-auto-approve")
        s3, plain = deployer.administrator("s3"), {"ServerSideEncryption": "AES256"}
        s3.put_object(Bucket=BUCKET, Key="recording.mp4", Body=b"a recording", **plain)
        s3.delete_object(Bucket=BUCKET, Key="recording.mp4")
        terraform.must("apply", "-auto-approve", "-var=changed=true")
        terraform.must("destroy", "-auto-approve", "-var=changed=true")
        asked = [one for one in deployer.asked() if one.reason != f"there is no bucket {BUCKET}"]
        assert [one for one in asked if one.outcome is not Outcome.ALLOWED] == []
        assert deployer.used() == needed(up, preview())


def needed(*documents: str) -> set[str]:
    """The actions of all the documents; a bucket that exists and one that is made share some."""
    return {action for one in documents for action in actions(statements(one))} - LEFT_OUT


def test_the_real_provider_refreshes_by_what_reads_and_by_no_less(tmp_path: Path) -> None:
    document = filled("aws_refresh.json", **UP)
    with Sandbox() as sandbox:
        deployer = deployer_of(sandbox)
        terraform = Terraform(tmp_path, deployer)
        terraform.must("apply", "-auto-approve")
        deployer.may(document, preview())
        terraform.must("plan", "-refresh-only")
        assert deployer.used() == needed(document, preview())
