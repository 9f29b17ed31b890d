"""The real Pulumi engine in the sandbox: a house with stacks in it, and what is in the owner's account."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from recording_storage import plugin
from recording_storage.sandbox.aws import credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox import Sandbox

PROJECT = Path(__file__).parents[2]
OWNER, RECORDER = "111122223333", "291871421005"
REGION = "eu-west-1"
KEY, RECORDING = "c0ffee/1700000000.mp4", b"a recording"
LIMIT_SECONDS = 180
MARKS = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="pulumi is not on PATH"),
]


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
        self.s3, self.iam, self.kms = owner.client("s3"), owner.client("iam"), owner.client("kms")

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

    def everything(self, bucket: str) -> dict[str, Any]:
        """Whatever S3 says of the bucket, missing settings included."""
        asked = (
            self.s3.list_object_versions,
            self.s3.get_bucket_location,
            self.s3.get_bucket_policy,
            self.s3.get_bucket_versioning,
            self.s3.get_public_access_block,
            self.s3.get_bucket_ownership_controls,
            self.s3.get_bucket_encryption,
            self.s3.get_bucket_lifecycle_configuration,
            self.s3.get_bucket_tagging,
        )
        return {ask.__name__: _answer(ask, bucket) for ask in asked}

    def tags(self, bucket: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}


def _answer(ask: Any, bucket: str) -> object:
    try:
        answer = ask(Bucket=bucket)
    except ClientError as error:
        return str(error)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@dataclass
class Run:
    """What one command of the CLI did."""

    code: int
    text: str
    changed: dict[str, set[str]]
    """Operation → the types that it was applied to; what stays the same is left out."""


class House:
    """One sandbox, and a copy of the project in it: its stacks live in a backend of their own."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        owner, recorder = credentials.mint(OWNER), credentials.mint(RECORDER)
        for one in (owner, recorder):
            sandbox.aws.admit(one)
        environment = sandbox.environment("owner", owner.environment())
        self.account = Account(Somebody(environment))
        self.recorder = Somebody(sandbox.environment("recorder", recorder.environment()))
        self.folder = folder / "project"
        self._log = folder / "events.jsonl"
        plugin.install(folder / "plugins")
        (folder / "state").mkdir()
        self._environment = environment | {
            "PATH": os.pathsep.join([str(folder / "plugins"), environment["PATH"]]),
            "PULUMI_HOME": str(folder / "pulumi"),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # brings --event-log, as for the Automation API
        }
        shutil.copytree(PROJECT / "components", self.folder / "components")
        shutil.copy(PROJECT / "__main__.py", self.folder)
        project = (PROJECT / "Pulumi.yaml").read_text()
        assert "virtualenv: .venv\n" in project
        (self.folder / "Pulumi.yaml").write_text(project.replace(".venv\n", f"{sys.prefix}\n"))
        (self.folder / "stacks").mkdir()

    def pulumi(self, *arguments: str) -> Run:
        self._log.unlink(missing_ok=True)
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        changed: dict[str, set[str]] = {}
        for line in self._log.read_text().splitlines() if self._log.exists() else []:
            step = json.loads(line).get("resourcePreEvent", {}).get("metadata", {"op": "same"})
            if step["op"] != "same":
                changed.setdefault(step["op"], set()).add(step["type"])
        return Run(done.returncode, done.stdout + done.stderr, changed)

    def deploy(self, command: str, *arguments: str) -> Run:
        return self.pulumi(command, *arguments, "--event-log", str(self._log))


class Stack:
    """A stack of the project, each with names of its own in the one account."""

    def __init__(self, house: House, name: str) -> None:
        self.account, self._house, self._name = house.account, house, name
        self._file = house.folder / "stacks" / f"Pulumi.{name}.yaml"
        assert house.pulumi("stack", "init", name).code == 0
        self._head = self._file.read_text()  # the salt of its secrets provider

    def configure(self, tags: Mapping[str, str] | None = None, **destinations: Mapping[str, object]) -> None:
        config = {
            "recording-storage:destinations": {
                name: {"provider": "s3", "region": REGION, **settings}
                for name, settings in destinations.items()
            },
            "recording-storage:tags": dict(tags or {}),
        }
        self._file.write_text(f"{self._head}config: {json.dumps(config)}\n")

    def run(self, command: str, *arguments: str) -> Run:
        return self._house.deploy(command, "--stack", self._name, *arguments)

    def try_up(self) -> Run:
        return self.run("up", "--yes", "--skip-preview")

    def up(self) -> Run:
        done = self.try_up()
        assert done.code == 0, done.text
        return done

    def destination(self, name: str) -> Destination:
        done = self._house.pulumi("stack", "output", "destinations", "--json", "--stack", self._name)
        assert done.code == 0, done.text
        return Destination(self._house, json.loads(done.text)[name])


class Destination:
    """A destination as the stack hands it over, with a recording in it."""

    def __init__(self, house: House, outputs: Mapping[str, Any]) -> None:
        self._account, self._recorder = house.account, house.recorder
        self.bucket, self.role = str(outputs["bucket_name"]), str(outputs["role_name"])
        self._handed_over = outputs["recording_storage"]
        self.record()
        self._storage = self._account.storage(self.bucket)

    def record(self) -> None:
        assert self._recorder.record(self._handed_over) == RECORDING

    def assert_storage_kept(self) -> None:
        assert self._account.storage(self.bucket) == self._storage

    def assert_lives(self) -> None:
        self.assert_storage_kept()
        self.record()
        self._storage = self._account.storage(self.bucket)

    def assert_retained(self) -> None:
        self.assert_storage_kept()
        assert self.role not in self._account.roles()

    def assert_gone(self) -> None:
        assert self.bucket not in self._account.buckets()
        assert self.role not in self._account.roles()


def inhabited(house: House, name: str, **settings: object) -> tuple[Stack, Destination]:
    """Bring up a stack with one destination, `calls`, and a recording in it."""
    stack = Stack(house, name)
    stack.configure(calls=settings)
    stack.up()
    return stack, stack.destination("calls")
