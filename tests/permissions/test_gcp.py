"""What Google Cloud must permit whoever deploys: no more than `docs/permissions` says, and no less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from recording_storage import plan
from recording_storage.evaluation.google import roles
from recording_storage.rehearsal.gcs_assumed import Assumed
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.google import storage_occasion
from recording_storage.sandbox.google.owner import Owner
from recording_storage.sandbox.journal import Outcome
from tests.support.permissions import FOLDER, Life, planned, run
from tests.support.projects import ROOT
from tests.support.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recording_storage.plan import Plan
    from recording_storage.sandbox.google.policies import Policy

KEY = "projects/acme-keys/locations/europe-west1/keyRings/recordings/cryptoKeys/calls"
GIVEN = "recordings@acme-identities.iam.gserviceaccount.com"
CALLS = {
    "provider": "gcs",
    "project": "acme-prod",
    "location": "europe-west1",
    "workspace_id": "w-acme",
}
EVERY_SETTING: dict[str, Any] = {
    "tags": {"team": "voice"},
    "destinations": {
        "calls": CALLS
        | {
            "on_destroy": "delete",
            "kms_key_name": KEY,
            "readers": ["user:player@example.com"],
        },
        "given": CALLS | {"service_account_email": GIVEN, "on_destroy": "delete"},
    },
}
BY_GOOGLE_ALONE = {
    "iam.googleapis.com/workloadIdentityPools.getAttestationRules",
    "serviceusage.operations.get",
}
"""What the stand-in isn't asked for: by the stand-in for the provider, or at all."""
UNSAID = {"serviceusage.services.use"}
"""What is looked at with every request, and not written down where it is permitted."""


def permissions(name: str) -> set[str]:
    listed: list[str] = YAML(typ="safe").load((FOLDER / name).read_text())["includedPermissions"]
    assert len(listed) == len(set(listed))
    return set(listed)


class Deployer:
    """Who deploys, with custom roles instead of those that a rehearsal gives."""

    def __init__(self, sandbox: Sandbox, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sandbox, self._monkeypatch = sandbox, monkeypatch
        self._assumed = Assumed(plan.settings)
        self._assumed.make(sandbox.google)
        owner = self._assumed.deployer
        self._member, self.access_token = f"user:{owner.email}", owner.access_token
        environment = sandbox.environment("deployer", {})
        self.environment = environment | owner.files(environment)
        self._mark = 0

    def may(self, document: str = "gcp_up.yaml", *, without: str = "") -> None:
        """Let the deployer do what the documents say, each where the page says, and nothing else."""
        world = self._sandbox.google.world
        for project in world.projects:
            self._only(project.policy, document, without)
            for account in project.service_accounts.values():
                self._only(account.policy, "gcp_account.yaml" if account.email == GIVEN else "", without)
        names = {one.kms_key_name for one in self._assumed.destinations.values() if one.kms_key_name}
        for name in names:
            self._only(self._sandbox.google.keys._named(name)[0].policy, "gcp_key.yaml", without)
        self._mark = self._sandbox.journal.mark()

    def _only(self, policy: Policy, document: str, without: str) -> None:
        for binding in policy.bindings:
            binding["members"] = [one for one in binding["members"] if one != self._member]
        policy.bindings = [one for one in policy.bindings if one["members"]]
        if document:
            role = f"projects/acme-prod/roles/{document.partition('.')[0]}"
            self._monkeypatch.setitem(_table(), role, frozenset(permissions(document) - {without}))
            policy.add(role, self._member)

    def used(self) -> set[str]:
        """The permissions that were asked for since; none was refused, and none left undecided."""
        asked = [one for one in self._sandbox.journal.since(self._mark) if one.who == self._member]
        assert {one.outcome for one in asked} == {Outcome.ALLOWED}
        return {one.what for one in asked}

    def become(self) -> None:
        """Let this process's own clients be the deployer's."""
        for name, value in self.environment.items():
            if name.startswith(("GOOGLE", "HTTP", "http", "NO_PROXY", "REQUESTS", "CLOUDSDK")):
                self._monkeypatch.setenv(name, value)


def _table() -> dict[str, frozenset[str]]:
    assert isinstance(roles.ROLES, dict)
    return roles.ROLES


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("stack", ["gcs", "gcs-kms", "gcs-existing"])
def test_every_example_comes_up_under_the_documents(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, stack: str
) -> None:
    loaded = plan.load(ROOT, stack)
    deployer = Deployer(sandbox, loaded, monkeypatch)
    deployer.may()
    run(loaded, ROOT, deployer.environment)
    assert deployer.used() <= permissions("gcp_up.yaml") | permissions("gcp_key.yaml")


def test_a_stacks_whole_life_uses_all_of_the_documents(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded = planned(tmp_path / "project", EVERY_SETTING)
    deployer = Deployer(sandbox, loaded, monkeypatch)
    deployer.may()
    made = run(loaded, tmp_path / "project", deployer.environment)
    up = deployer.used()
    deployer.become()
    deployer.may("gcp_refresh.yaml")
    life = Life(made)
    life.refresh()
    reading = deployer.used()
    documented = permissions("gcp_refresh.yaml") - BY_GOOGLE_ALONE - UNSAID
    assert reading - permissions("gcp_key.yaml") == documented
    deployer.may()
    life.update(
        {
            "gcp:storage/bucket:Bucket": lambda inputs: inputs | {"labels": {"for": "recordings"}},
            "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": lambda inputs: (
                inputs | {"attributeCondition": "google.subject == 'w-other'"}
            ),
        }
    )
    buckets = [one.id for one in made if one.type == "gcp:storage/bucket:Bucket"]
    somebody = Web(deployer.environment, writer(sandbox))
    for bucket in buckets:
        place = f"https://storage.googleapis.com/upload/storage/v1/b/{bucket}/o"
        answer = somebody.ask("POST", place, params={"uploadType": "media", "name": "r.mp4"}, data=b"r")
        assert answer.ok, answer.text
    life.destroy()
    documented = permissions("gcp_up.yaml") | permissions("gcp_key.yaml") | permissions("gcp_account.yaml")
    assert up | reading | deployer.used() == documented - BY_GOOGLE_ALONE - UNSAID


def writer(sandbox: Sandbox) -> str:
    """The access token of somebody who may write to every bucket of the project."""
    owner = Owner("acme-prod", email="writer@example.com")
    sandbox.google.admit(owner)
    project = sandbox.google.world.project("acme-prod")
    project.policy.add("roles/storage.admin", f"user:{owner.email}")
    return owner.access_token


@pytest.mark.parametrize(
    "left_out",
    [
        "serviceusage.services.enable",
        "serviceusage.services.use",
        "storage.buckets.create",
        "iam.googleapis.com/workloadIdentityPools.create",
        "iam.serviceAccounts.setIamPolicy",
        "cloudkms.cryptoKeys.setIamPolicy",
    ],
)
def test_a_permission_that_is_left_out_is_missed(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left_out: str
) -> None:
    loaded = planned(tmp_path / "project", EVERY_SETTING)
    deployer = Deployer(sandbox, loaded, monkeypatch)
    deployer.may(without=left_out)
    with pytest.raises(RuntimeError, match="403"):
        run(loaded, tmp_path / "project", deployer.environment)


def test_recordings_are_out_of_reach(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded = planned(tmp_path / "project", EVERY_SETTING)
    deployer = Deployer(sandbox, loaded, monkeypatch)
    storage_occasion.bucket(
        sandbox.google.storage, "recorded", sandbox.google.world.project("acme-prod"), location="EU"
    )
    deployer.may()
    web = Web(deployer.environment, deployer.access_token)
    place = "https://storage.googleapis.com/storage/v1/b/recorded"
    assert web.ask("GET", place).status_code == 200
    assert web.ask("GET", f"{place}/o/r.mp4").status_code == 403
