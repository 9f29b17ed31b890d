"""Destinations on Google Cloud Storage: whatever breaks one is named, and nothing else is; what is harmless isn't."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.verify.gcs_checks import GCS_CHECKS
from tests.support.catalogues import CATALOGUES, Part, Stand, titles
from tests.support.gcs_owner import SOMEBODY
from tests.support.live import Live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.catalogue import Mutation, Variation

CATALOGUE = CATALOGUES["gcs"]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with Live(tmp_path_factory.mktemp("live") / "project", CATALOGUE.config) as live:
        yield Stand(live, CATALOGUE)


def test_what_was_made_is_green(stand: Stand) -> None:
    stand.assert_green()


@pytest.mark.parametrize(("part", "mutation"), CATALOGUE.mutations, ids=titles(CATALOGUE.mutations))
def test_what_breaks_it_is_named(stand: Stand, part: Part, mutation: Mutation[Any]) -> None:
    stand.assert_named(part, mutation)


@pytest.mark.parametrize(("part", "variation"), CATALOGUE.variations, ids=titles(CATALOGUE.variations))
def test_what_is_harmless_is_let_be(stand: Stand, part: Part, variation: Variation[Any]) -> None:
    stand.assert_let_be(part, variation)


def test_every_check_has_a_mutation() -> None:
    assert CATALOGUE.broken == {one.id for one in GCS_CHECKS}


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
    stand: Stand, condition: str, reported: dict[str, str], words: str
) -> None:
    live, owner = stand.live, stand.owners["calls"]
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


def test_mends_name_what_is_to_be_done(stand: Stand) -> None:
    live, owner = stand.live, stand.owners["calls"]
    undo = owner.bind(owner.on_account, "roles/iam.serviceAccountTokenCreator", SOMEBODY)
    try:
        (found,) = live.verify(live.target("calls"), only=["G5"])
    finally:
        undo()
    assert f"remove-iam-policy-binding {owner.email}" in found["mend"]
    assert f"--member='{SOMEBODY}'" in found["mend"]
