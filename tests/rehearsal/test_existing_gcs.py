"""What a stack on Google Cloud finds already there: buckets, pools, service accounts, keys, deployers, readers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests

from recording_storage.rehearsal.gcs_assumed import number
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.google import storage_occasion
from recording_storage.sandbox.google.owner import Owner
from recording_storage.sandbox.journal import Outcome as Decision
from tests.support.projects import ROOT, Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path

PLACE = {"provider": "gcs", "project": "acme-prod", "location": "europe-west1", "workspace_id": "W acme/42"}
KEY = "projects/acme-keys/locations/europe-west1/keyRings/recordings/cryptoKeys/calls"
POOL = f"projects/{number('acme-partners')}/locations/global/workloadIdentityPools/partners"
READERS = [
    "user:player@example.com",
    "serviceAccount:player@acme-players.iam.gserviceaccount.com",
    "serviceAccount:player@acme-prod.iam.gserviceaccount.com",
    "serviceAccount:123456789012-compute@developer.gserviceaccount.com",
    "serviceAccount:acme-app@appspot.gserviceaccount.com",
    f"principal://iam.googleapis.com/{POOL}/subject/player",
    "group:Players@example.com",
    "principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/ann",
]
AUDIENCE = "https://recording-copy.tavus.io/another"

# destination -> its settings beside those that all have, and what is assumed for it
EXISTING: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "bucket": ({"existing": True, "bucket_name": "acme-own"}, ("that the bucket exists, is versioned",)),
    "account": (
        {"service_account_email": "recordings@acme-identities.iam.gserviceaccount.com"},
        ("that the service account exists and is enabled",),
    ),
    "pool": ({"existing_pool": True, "pool_id": "shared"}, ("that the pool exists and is enabled",)),
    "adopted": (
        {
            "adopt": True,
            "bucket_name": "acme-former",
            "retention_days": 30,
            "readers": READERS[:1],
            "kms_key_name": KEY,
        },
        ("that the bucket exists, set as", "that the key exists"),
    ),
    "adopted-pool": (
        {"adopt_pool": True, "pool_id": "former", "additional_audiences": [AUDIENCE]},
        ("that pool and provider exist, set as",),
    ),
    "kms": ({"kms_key_name": KEY}, ("that the key exists",)),
    "deployed": (
        {"project": "acme-stage", "deploy_service_account": "deployer@acme-ops.iam.gserviceaccount.com"},
        ("that the deploy service account exists",),
    ),
    "group": ({"readers": READERS[4:5]}, ("that the readers exist",)),
    "read": (
        {"readers": READERS, "allow_overwrite": True},
        ("that the readers exist", "who is in group:Players@example.com", "staff/subject/ann can read"),
    ),
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = tmp_path_factory.mktemp("existing") / "project"
    destinations = {name: PLACE | settings for name, (settings, _) in EXISTING.items()}
    config = {"destinations": destinations, "tags": {"team": "voice"}}
    return command("rehearse", "acme", "-f", "json", folder=write_project(folder, config))


def test_all_of_it_is_proven(outcome: Outcome) -> None:
    assert outcome.code == 0, outcome.out + outcome.err


@pytest.mark.parametrize("name", EXISTING)
def test_what_is_assumed_is_said(outcome: Outcome, name: str) -> None:
    (destination,) = [one for one in outcome.document["destinations"] if one["name"] == name]
    for assumed in EXISTING[name][1]:
        assert any(assumed in one for one in destination["unproven"]), assumed


def made(outcome: Outcome, name: str) -> dict[str, dict[str, Any]]:
    (destination,) = [one for one in outcome.document["destinations"] if one["name"] == name]
    return {one["kind"]: one for one in destination["made"]}


def test_what_is_somebody_elses_is_not_called_made(outcome: Outcome) -> None:
    assert made(outcome, "bucket")["bucket"]["properties"] == ["existing, left as it is"]
    assert "existing, left as it is" in made(outcome, "pool")["pool"]["properties"]
    given = made(outcome, "account")["service account"]
    assert given["name"] == EXISTING["account"][0]["service_account_email"]
    assert given["properties"] == ["given", "may create objects"]
    assert made(outcome, "adopted")["key"] == {"kind": "key", "name": KEY, "properties": ["given"]}


def test_what_is_adopted_is_as_the_configuration_asks_for(outcome: Outcome) -> None:
    properties = made(outcome, "adopted")["bucket"]["properties"]
    assert {"private", "versioned", "with a customer's key", "expires after 30 days"} <= set(properties)
    assert "only workspace W acme/42" in made(outcome, "adopted-pool")["pool"]["properties"]
    assert outcome.results("adopted-pool")["proven.additional-audience-1"]["status"] == "pass"


def test_another_provider_of_a_shared_pool_gets_in(outcome: Outcome) -> None:
    found = outcome.results("pool")["unproven.shared-pool"]
    assert found["status"] == "warn"
    assert "the service account impersonated" in found["evidence"]
    assert found["mend"]
    assert "unproven.shared-pool" not in outcome.results("read")


def test_every_kind_of_reader_reads_and_nothing_else(outcome: Outcome) -> None:
    found = outcome.results("read")
    for index in range(1, len(READERS)):
        assert found[f"proven.reader-{index}"]["status"] == "pass"
        assert found[f"refused.reader-{index}-writes"]["status"] == "pass"
    assert f"proven.reader-{len(READERS)}" not in found, "nobody can be one of a workforce here"


def test_a_group_has_its_one_member_and_nobody_else(outcome: Outcome) -> None:
    found = outcome.results("group")
    assert found["proven.reader-1"]["status"] == "pass"
    assert {found[f"refused.{what}"]["status"] for what in ("read", "list", "no-impersonation")} == {"pass"}


def test_the_wider_role_is_used_and_warned_of(outcome: Outcome) -> None:
    found = outcome.results("read")
    assert found["proven.overwrite"]["status"] == "pass"
    assert found["unproven.allow-overwrite"]["status"] == "warn"
    assert not {"refused.read", "refused.list", "refused.overwrite", "refused.delete"} & set(found)
    assert found["refused.change-access"]["status"] == "pass"
    assert "unproven.allow-overwrite" not in outcome.results("pool")


def test_overridden_constants_are_rehearsed_and_said(tmp_path: Path) -> None:
    profile = {
        "issuer": "https://issuer.example.com",
        "subject_mapping": "assertion.workspace",
        "audience": "tavus",
    }
    config = {"destinations": {"calls": PLACE}, "trust_profile": {"gcs": profile}}
    done = command("rehearse", "acme", "-f", "json", folder=write_project(tmp_path / "project", config))
    assert done.code == 0, done.out + done.err
    found = done.results("calls")
    for name, value in profile.items():
        assert found[f"unproven.trust-profile.{name}"]["status"] == "warn"
        assert value in found[f"unproven.trust-profile.{name}"]["title"]
    (destination,) = done.document["destinations"]
    assert not any("derived" in one for one in destination["unproven"])


def test_a_mapping_that_cannot_be_played_is_inconclusive(tmp_path: Path) -> None:
    profile = {"subject_mapping": "assertion.sub.split('/')[1]"}
    config = {"destinations": {"calls": PLACE}, "trust_profile": {"gcs": profile}}
    done = command("rehearse", "acme", "-f", "json", folder=write_project(tmp_path / "project", config))
    assert done.code == 1, done.out + done.err
    assert done.departures("calls") == {"unproven.subject-mapping": "unknown"}
    assert done.checks("calls") == {"G4": "unknown"}


BUCKET = "acme-recordings"
STORAGE = f"https://storage.googleapis.com/storage/v1/b/{BUCKET}"


def test_of_an_existing_bucket_only_one_role_is_given() -> None:
    """Nothing else of it is touched, whatever it is like."""
    owner = Owner("acme-prod", number("acme-prod"))
    destination = PLACE | {"existing": True, "bucket_name": BUCKET}
    with Sandbox() as sandbox:
        sandbox.google.admit(owner)
        storage_occasion.bucket(
            sandbox.google.storage,
            BUCKET,
            sandbox.google.world.project("acme-prod"),
            location="EUROPE-WEST1",
            versioning={"enabled": True},
            lifecycle={"rule": [{"action": {"type": "Delete"}, "condition": {"age": 999}}]},
            labels={"owner": "archive"},
        )
        environment = sandbox.environment("owner", {})
        environment |= owner.files(environment)

        def asked(path: str) -> dict[str, Any]:
            answer = requests.get(
                STORAGE + path,
                headers={"Authorization": f"Bearer {owner.access_token}"},
                proxies={"https": environment["HTTPS_PROXY"]},
                verify=environment["REQUESTS_CA_BUNDLE"],
                timeout=30,
            )
            answer.raise_for_status()
            return answer.json()

        before, policy = asked(""), asked("/iam")
        mark = sandbox.journal.mark()
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
        assert '"event": "outputs"' in done.stdout, done.stdout
        of_the_bucket = [entry for entry in sandbox.journal.since(mark) if BUCKET in entry.resource]
        assert {entry.what for entry in of_the_bucket} == {
            "storage.buckets.get",
            "storage.buckets.getIamPolicy",
            "storage.buckets.setIamPolicy",
        }
        assert {entry.outcome for entry in of_the_bucket} == {Decision.ALLOWED}
        changing = ("etag", "metageneration", "updated")
        assert {k: v for k, v in asked("").items() if k not in changing} == {
            k: v for k, v in before.items() if k not in changing
        }
        (added,) = [one for one in asked("/iam")["bindings"] if one not in policy["bindings"]]
        assert added["role"] == "roles/storage.objectCreator"
        assert len(added["members"]) == 1
