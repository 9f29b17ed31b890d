"""What it takes to verify on AWS: no more than `docs/permissions/aws_verify.json` says, and no less."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox.journal import Outcome
from recording_storage.verify.s3_checks import S3_CHECKS
from tests.support.harmless_s3 import key_by_a_grant
from tests.support.live import Live
from tests.support.permissions_aws import Deployer
from tests.support.projects import ROOT
from tests.support.s3_owner import S3Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "calls"
CONFIG = {
    "destinations": {
        NAME: {"provider": "s3", "region": "eu-west-1", "account": "111122223333", "create_kms_key": True}
    }
}
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/permissions/aws_verify.json").read_text())
STATEMENTS: list[dict[str, Any]] = DOCUMENT["Statement"]
OPTIONAL = "Optional"
"""How a statement's Sid begins without which every check is decided none the less."""
READS = sorted({one for check in S3_CHECKS for one in check.reads})
SIMULATE = "iam:SimulatePrincipalPolicy"


@dataclass(frozen=True)
class Room:
    live: Live
    auditor: Deployer

    def verify(self, without: str = "") -> dict[str, dict[str, Any]]:
        """The results, by their ids, under the document without one permission."""
        left = [{**one, "Action": [a for a in one["Action"] if a != without]} for one in STATEMENTS]
        said = json.dumps(DOCUMENT | {"Statement": [one for one in left if one["Action"]]})
        self.auditor.may(said.replace("ACCOUNT", self.auditor.account))
        found = self.live.verify(self.live.target(NAME), environment=self.auditor.environment)
        return {one["id"]: one for one in found}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A destination for which everything must be read: its policies are attached, its key is used by a grant …"""
    with Live(tmp_path_factory.mktemp("live") / "project", CONFIG) as live:
        owner = S3Owner(live, NAME)
        owner.attach({"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": owner.arn})
        owner.bound({"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"})
        key_by_a_grant(owner)
        owner.unblock()
        yield Room(live, Deployer(live.sandbox))


def test_they_are_enough_and_change_nothing(room: Room) -> None:
    found = room.verify()
    assert {id_: one["status"] for id_, one in found.items() if one["status"] != "pass"} == {"S11": "warn"}
    assert "simulator allows all 10" in found["S6"]["evidence"]
    assert [one.what for one in room.auditor.asked() if one.outcome is not Outcome.ALLOWED] == []
    assert room.auditor.used() == {*READS, SIMULATE}


def test_the_document_has_what_the_checks_read() -> None:
    needed = sorted(a for one in STATEMENTS if not one["Sid"].startswith(OPTIONAL) for a in one["Action"])
    assert needed == READS


@pytest.mark.parametrize("permission", READS)
def test_each_is_needed(room: Room, permission: str) -> None:
    found = room.verify(without=permission)
    statuses = {id_: one["status"] for id_, one in found.items() if one["status"] != "pass"}
    unknown = {id_ for id_, status in statuses.items() if status == "unknown"}
    assert unknown
    assert unknown <= {check.id for check in S3_CHECKS if permission in check.reads}
    assert set(statuses.values()) <= {"unknown", "warn"}
    for id_ in unknown:
        assert permission in found[id_]["evidence"]
        assert permission in found[id_]["mend"]


def test_without_the_simulator_it_is_said(room: Room) -> None:
    found = room.verify(without=SIMULATE)
    assert found["S6"]["status"] == "pass"
    assert f"wasn't asked: {SIMULATE}" in found["S6"]["evidence"]
