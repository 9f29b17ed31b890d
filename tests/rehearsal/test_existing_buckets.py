"""A stack with an existing bucket touches nothing of it, whatever it is like."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.aws.credentials import OWNER_ACCOUNT, mint
from recording_storage.sandbox.journal import Outcome
from tests.support.projects import ROOT

if TYPE_CHECKING:
    import pytest

BUCKET, REGION = "acme-recordings", "eu-west-1"
READS = ("s3:Get", "s3:List", "s3:HeadBucket")


def client(environment: dict[str, str]) -> Any:
    proxies = {"https": environment["HTTPS_PROXY"], "http": environment["HTTP_PROXY"]}
    return boto3.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]).client(
        "s3", region_name=REGION, verify=environment["AWS_CA_BUNDLE"], config=Config(proxies=proxies)
    )


def everything(s3: Any) -> dict[str, Any]:
    """All that is set on the bucket, in the cloud's own words."""
    return {
        "policy": s3.get_bucket_policy(Bucket=BUCKET)["Policy"],
        "versioning": s3.get_bucket_versioning(Bucket=BUCKET).get("Status"),
        "access": s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"],
        "ownership": s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"],
        "encryption": s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"],
        "lifecycle": s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"],
        "tags": s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"],
        "objects": [(o["Key"], o["ETag"]) for o in s3.list_objects_v2(Bucket=BUCKET)["Contents"]],
    }


def set_in_its_owners_way(s3: Any) -> None:
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="theirs.txt", Body=b"theirs")
    everywhere = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": everywhere}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    rule: dict[str, Any] = {
        "ID": "theirs",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 999},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "owner", "Value": "archive"}]})


def test_nothing_of_an_existing_bucket_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    owner = mint(OWNER_ACCOUNT)
    destination = {"provider": "s3", "region": REGION, "existing": True, "bucket_name": BUCKET}
    with Sandbox() as sandbox:
        sandbox.aws.admit(owner)
        environment = sandbox.environment("owner", owner.environment())
        s3 = client(environment)
        set_in_its_owners_way(s3)
        before, mark = everything(s3), sandbox.journal.mark()
        job = {
            "folder": str(ROOT),
            "project": "recording-storage",
            "stack": "acme",
            "organization": "organization",
            "config": {"recording-storage:destinations": json.dumps({"calls": destination})},
            "environment": {},
        }
        done = subprocess.run(
            [sys.executable, "-m", "recording_storage.program"],
            env=environment,
            input=json.dumps(job) + "\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        asked = [entry for entry in sandbox.journal.since(mark) if BUCKET in entry.resource]
        assert '"event": "outputs"' in done.stdout, done.stdout
        assert asked, "the bucket was never looked up"
        assert [entry.what for entry in asked if not entry.what.startswith(READS)] == []
        assert {entry.outcome for entry in asked} == {Outcome.ALLOWED}
        assert everything(s3) == before
