"""`verify` on Google Cloud Storage needs what its page says, and no more: who lacks one permission is told which."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from recording_storage.evaluation.google.principals import user
from recording_storage.sandbox.google.owner import Owner as Somebody
from recording_storage.verify.gcs_checks import GCS_CHECKS
from tests.support.gcs_owner import CREATOR, IAM, KEY_ROLE, Owner
from tests.support.live import Live
from tests.support.permissions import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "projects/acme-prod/locations/europe-west1/keyRings/recordings/cryptoKeys/calls"
CONFIG: dict[str, Any] = {
    "destinations": {
        "calls": {
            "provider": "gcs",
            "project": "acme-prod",
            "location": "europe-west1",
            "workspace_id": "w-acme",
            "kms_key_name": KEY,
        }
    }
}
LISTED: list[str] = YAML(typ="safe").load((FOLDER / "gcp_verify.yaml").read_text())["includedPermissions"]
TO_BE_BILLED = "serviceusage.services.use"
AUDITOR = "auditor@example.com"
ROLE = "recordingStorageVerify"


@dataclasses.dataclass
class Audit:
    """A destination, and somebody who has nothing but the page's role in its project."""

    live: Live
    environment: dict[str, str]
    owner: Owner

    def may(self, *permissions: str) -> None:
        url = f"{IAM}/projects/acme-prod/roles/{ROLE}?updateMask=includedPermissions"
        self.owner.web.must("PATCH", url, json={"includedPermissions": list(permissions)})

    def verify(self) -> list[dict[str, Any]]:
        found = self.live.verify(self.live.target("calls"), environment=self.environment)
        return [one for one in found if one["status"] != "pass"]


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    folder: Path = tmp_path_factory.mktemp("project") / "acme"
    with Live(folder, CONFIG) as live:
        owner = Owner(live, "calls", KEY)
        owner.add_role(ROLE, *LISTED)
        owner.bind(owner.on_project, f"projects/acme-prod/roles/{ROLE}", f"user:{AUDITOR}")
        # What takes every permission: a custom role for the writer, and a key that is granted on its ring.
        owner.add_role("writer", "storage.objects.create")
        writer = {"role": "projects/acme-prod/roles/writer", "members": [owner.member]}
        owner.rebind(owner.on_bucket, CREATOR, writer)
        _grant_on_the_ring(live, owner)
        auditor = Somebody(project="acme-prod", email=AUDITOR)
        live.sandbox.google.tokens.admit(user(AUDITOR), auditor.refresh_token, auditor.access_token)
        environment = live.sandbox.environment("auditor", {})
        yield Audit(live, environment | auditor.files(environment), owner)


def _grant_on_the_ring(live: Live, owner: Owner) -> None:
    agent = live.sandbox.google.world.storage_agent(owner.google_project)
    owner.unbind(owner.on_key, KEY_ROLE)
    ring = owner.on_key.partition("/cryptoKeys/")[0]
    owner.bind(ring, KEY_ROLE, f"serviceAccount:{agent}")


def test_the_page_is_what_the_checks_read() -> None:
    read = {permission for one in GCS_CHECKS for permission in one.reads}
    assert read | {TO_BE_BILLED} == set(LISTED)
    assert len(LISTED) == len(set(LISTED))


def test_the_page_is_enough(audit: Audit) -> None:
    audit.may(*LISTED)
    assert audit.verify() == []


@pytest.mark.parametrize("missing", LISTED)
def test_who_lacks_one_permission_is_told_which(audit: Audit, missing: str) -> None:
    audit.may(*(one for one in LISTED if one != missing))
    found = audit.verify()
    assert found
    assert {one["status"] for one in found} == {"unknown"}
    told = [one for one in found if missing in one["mend"]]
    assert told
    reads = {one.id: one.reads for one in GCS_CHECKS}
    if missing != TO_BE_BILLED:
        assert all(missing in reads[one["id"]] for one in told)
