"""A stack's life under the real Pulumi engine, on the sandbox's AWS: what `on_destroy` promises for the storage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from recording_storage import plugin
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.aws import credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="pulumi is not on PATH"),
]

PROJECT = Path(__file__).parents[2]
OWNER, RECORDER = "111122223333", "291871421005"
REGION = "eu-west-1"
KEY, RECORDING = "c0ffee/1700000000.mp4", b"a recording"
LIMIT_SECONDS = 180
VALUES = ("protect", "retain", "delete")


class Somebody:
    """Ordinary AWS clients of one holder of credentials, through the sandbox's proxy."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.session = boto3.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])

    def client(self, service: str, session: boto3.Session | None = None) -> Any:
        proxy = self.environment["HTTPS_PROXY"]
        return (session or self.session).client(
            service,  # type: ignore[call-overload]
            region_name=REGION,
            verify=self.environment["AWS_CA_BUNDLE"],
            config=Config(proxies={"https": proxy, "http": proxy}),
        )

    def record(self, destination: Mapping[str, str]) -> bytes:
        """Write and read as the recording service does, with nothing but what the stack hands over."""
        given = self.client("sts").assume_role(
            RoleArn=destination["assume_role_arn"],
            RoleSessionName="recorder",
            ExternalId=destination.get("external_id", "tavus"),
            DurationSeconds=43200,
        )["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        s3 = self.client("s3", session)
        s3.put_object(Bucket=destination["bucket_name"], Key=KEY, Body=RECORDING)
        return s3.get_object(Bucket=destination["bucket_name"], Key=KEY)["Body"].read()


class Account:
    """What is in the owner's account, in the cloud's own words."""

    def __init__(self, owner: Somebody) -> None:
        self.s3, self.iam = owner.client("s3"), owner.client("iam")

    def buckets(self) -> set[str]:
        return {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]}

    def roles(self) -> set[str]:
        return {role["RoleName"] for role in self.iam.list_roles()["Roles"]}

    def storage(self, bucket: str) -> dict[str, Any]:
        """The bucket's recordings, and every setting that protects it; fails where one is missing."""
        s3 = self.s3
        return {
            "recordings": [
                (found["Key"], found["VersionId"])
                for found in s3.list_object_versions(Bucket=bucket).get("Versions", [])
            ],
            "body": s3.get_object(Bucket=bucket, Key=KEY)["Body"].read(),
            "region": s3.get_bucket_location(Bucket=bucket)["LocationConstraint"],
            "policy": json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
            "versioning": s3.get_bucket_versioning(Bucket=bucket)["Status"],
            "access": s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
            "ownership": s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
            "encryption": s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
            "lifecycle": s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        }

    def tags(self, bucket: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}


@dataclass
class Run:
    """What one command of the CLI did."""

    code: int
    text: str
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def changed(self) -> dict[str, set[str]]:
        """Operation → the types that it was applied to; what stays the same is left out."""
        found: dict[str, set[str]] = {}
        for step in self.steps:
            if step["op"] != "same":
                found.setdefault(step["op"], set()).add(step["urn"].split("::")[2].rpartition("$")[2])
        return found


class House:
    """One sandbox, and a copy of the project in it: its stacks live in a backend of their own."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        owner, recorder = credentials.mint(OWNER), credentials.mint(RECORDER)
        for one in (owner, recorder):
            sandbox.aws.admit(one)
        self.folder = folder / "project"
        self.environment = sandbox.environment("owner", owner.environment())
        self.account = Account(Somebody(self.environment))
        self.recorder = Somebody(sandbox.environment("recorder", recorder.environment()))
        plugin.install(folder / "plugins")
        (folder / "state").mkdir()
        self.environment |= {
            "PATH": os.pathsep.join([str(folder / "plugins"), os.environ["PATH"]]),
            "PULUMI_HOME": str(folder / "pulumi"),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # the event log, as the Automation API reads it
        }
        self._copy()

    def _copy(self) -> None:
        shutil.copytree(PROJECT / "components", self.folder / "components")
        shutil.copy(PROJECT / "__main__.py", self.folder)
        (self.folder / "stacks").mkdir()
        project = (PROJECT / "Pulumi.yaml").read_text()
        assert "virtualenv: .venv" in project
        (self.folder / "Pulumi.yaml").write_text(project.replace(".venv", sys.prefix))

    def run(self, *arguments: str) -> Run:
        log = self.folder / "events.jsonl"
        log.unlink(missing_ok=True)
        logged = ("--event-log", str(log)) if arguments[0] in {"preview", "up", "refresh", "destroy"} else ()
        done = subprocess.run(
            ["pulumi", *arguments, *logged, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        steps = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
        return Run(done.returncode, done.stdout + done.stderr, steps)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Sandbox() as sandbox:
        yield House(sandbox, tmp_path_factory.mktemp("house"))
