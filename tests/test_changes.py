"""The table of changes says something of every setting, and the documentation says the same."""

from __future__ import annotations

import pytest

from components.settings import PROVIDERS
from tests.support.changes import CHANGES, Effect, announced
from tests.support.projects import ROOT

PAGE = (ROOT / "docs/configuration.md").read_text()
NOT_OF_A_DESTINATION = {"destinations", "default", "tags", "trust_profile"}
"""Of these, `destinations` are what the table is about, and `default` is an output's."""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_setting_is_in_the_table(provider: str) -> None:
    known = PROVIDERS[provider]()
    constants = {f"trust_profile.{provider}.{name}" for name in known.trust.model_fields}
    there = {change.setting for change in CHANGES[provider]}
    assert there == {*known.destination.model_fields, *constants, "tags"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_page_announces_what_the_table_says(provider: str) -> None:
    sections = PAGE.split("\n### What a change does\n")[1:]
    section = dict(zip(PROVIDERS, sections, strict=True))[provider].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "| a change of |" not in line]
    assert rows == announced(CHANGES[provider])


def test_what_is_not_tried_says_why() -> None:
    for changes in CHANGES.values():
        for change in changes:
            assert bool(change.untried) is (change.before == change.after)


def test_every_effect_is_some_changes() -> None:
    assert {change.effect for changes in CHANGES.values() for change in changes} == set(Effect)


def test_the_top_level_has_no_other_setting() -> None:
    from components.settings import KEYS

    assert set(KEYS) == NOT_OF_A_DESTINATION
