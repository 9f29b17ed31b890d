"""A child's environment is built, never inherited."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recording_storage.sandbox import Sandbox, environment

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_PROFILE": "production",
    "AWS_REGION": "eu-north-1",
    "AWS_ENDPOINT_URL": "https://example.com",
    "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/real",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/real",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/",
    "GOOGLE_APPLICATION_CREDENTIALS": "/real",
    "GOOGLE_CLOUD_PROJECT": "real",
    "CLOUDSDK_AUTH_ACCESS_TOKEN": "real",
    "AZURE_CLIENT_SECRET": "real",
    "ARM_CLIENT_SECRET": "real",
    "IDENTITY_ENDPOINT": "http://169.254.169.254/",
    "MSI_ENDPOINT": "http://169.254.169.254/",
    "PULUMI_ACCESS_TOKEN": "real",
    "PULUMI_CONFIG_PASSPHRASE": "real",
    "ALL_PROXY": "http://example.com",
    "PYTHONPATH": "/real",
    "MOTO_ACCOUNT_ID": "999999999999",
}
REPLACED = {
    "HOME": "/home/real",
    "AWS_CONFIG_FILE": "/real",
    "AWS_SHARED_CREDENTIALS_FILE": "/real",
    "AWS_CA_BUNDLE": "/real",
    "AWS_EC2_METADATA_DISABLED": "false",
    "CLOUDSDK_CONFIG": "/real",
    "AZURE_CONFIG_DIR": "/real",
    "PULUMI_HOME": "/real",
    "PULUMI_BACKEND_URL": "https://api.pulumi.com",
    "HTTPS_PROXY": "http://example.com",
    "https_proxy": "http://example.com",
    "NO_PROXY": "*",
    "no_proxy": "*",
}
ASKS = """
import json, os, boto3
session = boto3.Session()
clients = {name: session.client(name, region_name="eu-west-1") for name in ("sts", "s3", "iam")}
print(json.dumps({
    "environment": dict(os.environ),
    "who": clients["sts"].get_caller_identity()["Account"],
    "buckets": len(clients["s3"].list_buckets()["Buckets"]),
    "roles": len(clients["iam"].list_roles()["Roles"]),
}))
"""


def asked(built: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A program that asks every stand-in, in this environment."""
    return subprocess.run([sys.executable, "-c", ASKS], env=built, capture_output=True, text=True, timeout=60)


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (SECRETS | REPLACED).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("parent")
def test_nothing_of_the_callers_is_there(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    built = environment.build(
        tmp_path / "child", proxy="http://127.0.0.1:1", ca_certificate=certificate, credentials={"A": "1"}
    )
    assert not set(SECRETS) & set(built)
    assert not {name for name, value in built.items() if value == REPLACED.get(name)}
    paths = {name: value for name, value in built.items() if str(tmp_path) in value}
    assert {name for name, value in paths.items() if value == str(certificate)} == set(
        environment.CA_VARIABLES
    )
    assert {built[name] for name in environment.PROXY_VARIABLES} == {"http://127.0.0.1:1"}
    assert built["NO_PROXY"] == built["no_proxy"] == "127.0.0.1,localhost,::1"
    assert (built["AWS_EC2_METADATA_DISABLED"], built["NO_GCE_CHECK"], built["A"]) == ("true", "true", "1")
    assert Path(built["AWS_SHARED_CREDENTIALS_FILE"]).parent.is_dir()
    assert not Path(built["AWS_SHARED_CREDENTIALS_FILE"]).exists()


@pytest.mark.usefixtures("parent")
def test_a_program_meets_the_stand_ins_with_its_own_credentials() -> None:
    from recording_storage.sandbox.aws.credentials import mint

    with Sandbox() as sandbox:
        holder = mint("111111111111")
        sandbox.aws.admit(holder)
        built = sandbox.environment("child", holder.environment())
        done = asked(built)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert {k: said[k] for k in ("who", "buckets", "roles")} == {
            "who": "111111111111",
            "buckets": 0,
            "roles": 0,
        }
        assert not set(SECRETS) & set(said["environment"]) - set(holder.environment())
        assert Path(said["environment"]["HOME"]).is_relative_to(sandbox.folder)


def test_without_credentials_there_are_none() -> None:
    with Sandbox() as sandbox:
        assert "NoCredentialsError" in asked(sandbox.environment("nobody", {})).stderr
        assert sandbox.journal.since() == []
