"""The pipeline's identities on Google Cloud: the page's commands, a pipeline's tokens, and the toolkit under them."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.google import occasion
from recording_storage.sandbox.google.owner import Owner
from recording_storage.sandbox.journal import Outcome
from tests.support.permissions import Life, planned, provisioned, run
from tests.support.permissions_ci import (
    BY_ID,
    BY_NAME,
    GITHUB,
    SECONDS,
    Repository,
    recorded,
    shell,
    verified,
)
from tests.support.permissions_ci_google import carry_out
from tests.support.projects import ROOT
from tests.support.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recording_storage.plan import Plan
    from recording_storage.sandbox.issuer import Issuer
    from tests.support.permissions import Made

PIPELINES, NUMBER, PROJECT = "acme-pipelines", "111111111111", "acme-prod"
READ, DEPLOY = (f"pipeline-acme-{who}@{PIPELINES}.iam.gserviceaccount.com" for who in ("preview", "up"))
PROVIDER = (
    f"//iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/github/providers/acme"
)
AUDIENCE = f"https:{PROVIDER}"
PULL_REQUEST, MAIN, ENVIRONMENT = "pull_request", "ref:refs/heads/main", "environment:acme"
SECTIONS = ("Whom GitHub names", "Google Cloud")
SETTINGS: dict[str, Any] = {
    "tags": {"team": "voice"},
    "destinations": {
        "calls": {
            "provider": "gcs",
            "project": PROJECT,
            "location": "europe-west1",
            "workspace_id": "w-acme",
            "on_destroy": "delete",
        }
    },
}
IAM = "https://iam.googleapis.com/v1"


@dataclass
class Cloud:
    """Two projects as their owner leaves them after the page, and a pipeline that comes with tokens."""

    sandbox: Sandbox
    repository: Repository
    folder: Path
    owner: Owner = field(default_factory=lambda: Owner(PIPELINES, NUMBER))

    def __post_init__(self) -> None:
        google = self.sandbox.google
        google.admit(self.owner)
        enabled = [f"{api}.googleapis.com" for api in ("cloudresourcemanager", "serviceusage", "storage")]
        project = occasion.project(google.world, PROJECT, "222222222222", services=enabled)
        project.policy.add("roles/owner", f"user:{self.owner.email}")
        self.environment = self.sandbox.environment("owner", {})
        self.environment |= self.owner.files(self.environment)
        self.web = Web(self.environment, self.owner.access_token)

    def set_up(self) -> None:
        number = {"projects describe": NUMBER}
        carry_out(recorded(shell(*SECTIONS), "gcloud", self.repository, number), self.web)

    @property
    def issuer(self) -> Issuer:
        return self.sandbox.issuers.add(f"https://{GITHUB}")

    def token(self, what: str, repository: Repository | None = None, **claims: Any) -> str:
        """What GitHub gives a job."""
        repository = repository or self.repository
        said: dict[str, Any] = repository.claims(**claims)
        return self.issuer.mint(f"{repository.subject}:{what}", AUDIENCE, **said)

    def job(self, who: str, token: str) -> dict[str, str]:
        """The environment of a job that was let in as google-github-actions/auth leaves it."""
        name = f"job-{len(list(self.folder.iterdir()))}"
        folder = self.folder / name
        folder.mkdir()
        (folder / "token").write_text(token)
        held = folder / "credentials.json"
        held.write_text(
            json.dumps(
                {
                    "type": "external_account",
                    "audience": PROVIDER,
                    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                    "token_url": "https://sts.googleapis.com/v1/token",
                    "credential_source": {"file": str(folder / "token")},
                    "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-"
                    f"/serviceAccounts/{who}:generateAccessToken",
                }
            )
        )
        environment = self.sandbox.environment(name, {})
        return environment | {"GOOGLE_APPLICATION_CREDENTIALS": str(held), "GOOGLE_CLOUD_PROJECT": PROJECT}

    def exchange(self, who: str, token: str) -> str:
        """An access token of a service account; raises `AssertionError` with what Google said."""
        federated = Web(self.environment).must(
            "POST",
            "https://sts.googleapis.com/v1/token",
            data={
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "audience": PROVIDER,
                "scope": "https://www.googleapis.com/auth/cloud-platform",
                "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "subject_token": token,
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            },
        )["access_token"]
        place = (
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{who}:generateAccessToken"
        )
        scope = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
        return Web(self.environment, federated).must("POST", place, json=scope)["accessToken"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("repository", [BY_NAME, BY_ID], ids=["by name", "by id"])
def test_a_subject_becomes_one_identity_or_none(
    sandbox: Sandbox, tmp_path: Path, repository: Repository
) -> None:
    cloud = Cloud(sandbox, repository, tmp_path)
    cloud.set_up()
    may = {PULL_REQUEST: READ, MAIN: READ, ENVIRONMENT: DEPLOY}
    for what, who in may.items():
        assert cloud.exchange(who, cloud.token(what))
        other = DEPLOY if who == READ else READ
        with pytest.raises(AssertionError, match=r"iam\.serviceAccounts\.getAccessToken"):
            cloud.exchange(other, cloud.token(what))
    refused = [
        *(cloud.token(what) for what in ("environment:Acme", "ref:refs/heads/other", "ref:refs/tags/main")),
        cloud.token(ENVIRONMENT, Repository(repository.subject, "1")),  # it has taken the name over
        cloud.token(ENVIRONMENT, Repository("repo:acme@1/recordings@1", repository.id)),
    ]
    for token in refused:
        with pytest.raises(AssertionError, match="rejected by the attribute condition"):
            cloud.exchange(DEPLOY, token)


@dataclass
class Room:
    """A stack, and the jobs of a pipeline."""

    cloud: Cloud
    plan: Plan
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    mark: int = 0

    def become(self, who: str, what: str) -> dict[str, str]:
        """Let this process's own clients be a job's."""
        environment = self.cloud.job(who, self.cloud.token(what))
        for name, value in environment.items():
            if name.startswith(("GOOGLE", "HTTP", "http", "NO_PROXY", "REQUESTS", "CLOUDSDK")):
                self.monkeypatch.setenv(name, value)
        self.mark = self.cloud.sandbox.journal.mark()
        return environment

    def used(self, who: str) -> set[str]:
        """The permissions that a service account was asked for, all of which it has."""
        asked = [
            one for one in self.cloud.sandbox.journal.since(self.mark) if one.who == f"serviceAccount:{who}"
        ]
        assert {one.outcome for one in asked} == {Outcome.ALLOWED}, [
            one for one in asked if one.outcome is not Outcome.ALLOWED
        ]
        return {one.what for one in asked}

    def deploy(self) -> tuple[list[Made], dict[str, Any]]:
        return provisioned(self.plan, self.folder, self.become(DEPLOY, ENVIRONMENT))

    def verify(self, environment: dict[str, str], outputs: dict[str, Any]) -> list[dict[str, Any]]:
        with ExitStack() as cast:
            return verified(self.plan.settings, outputs, environment, cast)


@pytest.fixture
def room(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    cloud = Cloud(sandbox, BY_ID, jobs)
    cloud.set_up()
    sandbox.issuers.add("https://recording-copy.tavus.io")
    return Room(cloud, planned(tmp_path / "project", SETTINGS), tmp_path / "project", monkeypatch)


def test_a_stacks_whole_life_goes_by_under_the_two_identities(room: Room) -> None:
    made, outputs = room.deploy()
    room.used(DEPLOY)
    reader = room.become(READ, PULL_REQUEST)
    Life(made).refresh()
    found = room.verify(reader, outputs)
    assert found
    assert [one for one in found if one["status"] != "pass"] == []
    room.used(READ)
    room.become(DEPLOY, ENVIRONMENT)
    life = Life(made)
    life.refresh()
    life.destroy()
    room.used(DEPLOY)


def test_what_reads_changes_nothing(room: Room) -> None:
    with pytest.raises(RuntimeError, match="403"):
        run(room.plan, room.folder, room.become(READ, PULL_REQUEST))
    made, outputs = room.deploy()
    room.become(READ, MAIN)
    for one in made:
        with suppress(Exception):  # of some nothing is asked when they go
            Life([one]).destroy()
    room.become(DEPLOY, ENVIRONMENT)
    Life(made).refresh()
    web = Web(room.cloud.environment, room.cloud.exchange(READ, room.cloud.token(PULL_REQUEST)))
    bucket = outputs["recording_storage"]["bucket_name"]
    place = f"https://storage.googleapis.com/storage/v1/b/{bucket}"
    assert web.ask("GET", place).status_code == 200
    assert web.ask("GET", f"{place}/o").status_code == 403
    assert web.ask("PATCH", place, json={"labels": {}}).status_code == 403


def test_what_deploys_cant_reach_its_own_identity(room: Room) -> None:
    web = Web(room.cloud.environment, room.cloud.exchange(DEPLOY, room.cloud.token(ENVIRONMENT)))
    pools = f"{IAM}/projects/{PIPELINES}/locations/global/workloadIdentityPools"
    condition = {"attributeCondition": "true"}
    for answer in (
        web.ask("PATCH", f"{pools}/github/providers/acme?updateMask=attributeCondition", json=condition),
        web.ask("POST", f"{pools}?workloadIdentityPoolId=another", json={}),
        web.ask("POST", f"{IAM}/projects/{PIPELINES}/serviceAccounts/{DEPLOY}:getIamPolicy", json={}),
        web.ask("POST", f"{IAM}/projects/{PIPELINES}/serviceAccounts/{READ}:getIamPolicy", json={}),
        web.ask(
            "PATCH", f"{IAM}/projects/{PROJECT}/roles/recordingStorageUp", json={"includedPermissions": []}
        ),
        web.ask(
            "POST", f"https://cloudresourcemanager.googleapis.com/v1/projects/{PROJECT}:getIamPolicy", json={}
        ),
    ):
        assert answer.status_code == 403, answer.text


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not on PATH")
def test_gcloud_takes_the_pages_commands(sandbox: Sandbox, tmp_path: Path) -> None:
    cloud = Cloud(sandbox, BY_ID, tmp_path)
    done = subprocess.run(
        ["bash", "-e", "-c", BY_ID.shell + shell(*SECTIONS)],
        cwd=ROOT,
        env=cloud.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert cloud.exchange(DEPLOY, cloud.token(ENVIRONMENT))
    assert cloud.exchange(READ, cloud.token(PULL_REQUEST))
    with pytest.raises(AssertionError, match="rejected by the attribute condition"):
        cloud.exchange(READ, cloud.token("ref:refs/heads/other"))
