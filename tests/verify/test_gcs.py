"""`verify` on Google Cloud Storage: every way to break a destination is named, and no harmless difference is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.verify.gcs_checks import GCS_CHECKS
from tests.support.broken_gcs import MUTATIONS
from tests.support.catalogue import Mutation, Variation, attempt
from tests.support.gcs_owner import SOMEBODY, Owner
from tests.support.harmless_gcs import VARIATIONS
from tests.support.live import Live

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("project") / "acme", CONFIG) as live:
        yield live


@pytest.fixture(scope="module")
def owner(live: Live) -> Owner:
    """Who has the Policy Troubleshooter enabled, and may see deny policies."""
    owner = Owner(live, "calls", KEY)
    owner.switch_on("policytroubleshooter")
    owner.bind(owner.on_project, "roles/iam.denyReviewer", "user:owner@example.com")
    return owner


def test_what_the_stack_made_is_green(live: Live, owner: Owner) -> None:
    results = live.verify(live.target("calls"))
    assert [one["id"] for one in results] == [one.id for one in GCS_CHECKS]
    assert {one["id"]: one["status"] for one in results if one["status"] != "pass"} == {}
    said = {one["id"]: one["evidence"] for one in results}
    assert "the Policy Troubleshooter says CAN_ACCESS" in said["G6"]
    assert all(one.status.value == "pass" for one in live.record(owner.name))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_what_is_broken_is_named(live: Live, owner: Owner, mutation: Mutation[Owner]) -> None:
    tried = attempt(live, "calls", owner, mutation)
    assert tried.reported == mutation.expected
    assert tried.recorded == mutation.records, tried.refused_by
    assert tried.afterwards == {}


@pytest.mark.parametrize("variation", VARIATIONS, ids=lambda one: one.name)
def test_what_does_no_harm_is_let_be(live: Live, owner: Owner, variation: Variation[Owner]) -> None:
    tried = attempt(live, "calls", owner, variation)
    assert tried.reported == dict.fromkeys(variation.warns, "warn")
    assert tried.recorded, tried.refused_by
    assert tried.afterwards == {}


def test_each_check_has_a_way_to_break_it() -> None:
    broken = {id_ for one in MUTATIONS for id_ in one.fails | one.warns}
    assert broken == {one.id for one in GCS_CHECKS}


@pytest.mark.parametrize(
    ("condition", "reported", "words"),
    [
        ('google.subject == "w-acme"', {"G4": "unknown"}, "only w-acme is let in: is it yours?"),
        ('google.subject in ["w-acme", "w-other"]', {"G4": "fail"}, "let in beside w-acme: 'w-other'"),
        ('google.subject.startsWith("w-")', {"G4": "fail"}, "let in beside w-acme"),
        ("", {"G4": "fail"}, "no condition"),
    ],
)
def test_without_a_workspace_id_whoever_is_let_in_is_found_out(
    live: Live, owner: Owner, condition: str, reported: dict[str, str], words: str
) -> None:
    target = live.target("calls")
    target = replace(target, known=replace(target.known, workspace_id=""))
    undo = owner.set_condition(condition)
    try:
        results = live.verify(target)
    finally:
        undo()
    assert {one["id"]: one["status"] for one in results if one["status"] != "pass"} == reported
    said = next(one for one in results if one["id"] == "G4")
    assert words in said["evidence"]
    assert "w-acme" in said["mend"] or "Workspace ID" in said["mend"]


def test_mends_name_what_is_to_be_done(live: Live, owner: Owner) -> None:
    undo = owner.bind(owner.on_account, "roles/iam.serviceAccountTokenCreator", SOMEBODY)
    try:
        (found,) = live.verify(live.target("calls"), only=["G5"])
    finally:
        undo()
    assert f"remove-iam-policy-binding {owner.email}" in found["mend"]
    assert f"--member='{SOMEBODY}'" in found["mend"]
