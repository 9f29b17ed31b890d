"""The page on the policy pack says what the pack does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from policy.pack import CONFIGURATION, RECORDINGS, RULES, UNUSED
from policy.settings import SCHEMA
from recording_storage import stackfile
from recording_storage.verify import tables
from tests.support.analyzer import registered
from tests.support.console import blocks
from tests.support.projects import ROOT
from tests.support.registrations import run

if TYPE_CHECKING:
    from tests.support.analyzer import Analyzer

PAGE = (ROOT / "docs/policy.md").read_text()


def table() -> str:
    """The table of rules, as the code has them."""
    rows = [
        f"| {rule.id} | `{rule.policy}` | {rule.title} | {rule.about} | [source]({rule.source}) |"
        for rule in RULES
    ]
    return "\n".join(
        ["| rule | policy | holds where it is kept | looks at | |", "|---|---|---|---|---|", *rows, ""]
    )


def test_the_table_of_rules_is_the_codes() -> None:
    assert table() in PAGE


def test_the_packs_own_policies_are_named() -> None:
    for name in (RECORDINGS, CONFIGURATION, UNUSED):
        assert f"`{name}`" in PAGE


def test_every_setting_is_explained() -> None:
    section = PAGE.split("\n## Configuration\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(SCHEMA)


def test_the_example_of_a_configuration_does_what_it_says(analyzer: Analyzer) -> None:
    (example,) = blocks(PAGE, "json")
    config = stackfile.load(ROOT, "many").config
    plain = {name.rpartition(":")[2]: value for name, value in config.items()}
    stack = registered(run(plain, stack="many").registrations)
    assert [one.rule for one in analyzer.judge(stack)] == ["P1"]
    assert analyzer.judge(stack, json.loads(example)[RECORDINGS]) == []


def test_a_rule_has_the_id_of_the_check_that_means_the_same() -> None:
    known = set(tables.CHECKS)
    assert {rule.id for rule in RULES if not rule.id.startswith("P")} <= known
