"""Every example stack, as the components register it, passes the whole pack, with values known and unknown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage import stackfile
from tests.support.analyzer import URN, registered
from tests.support.projects import ROOT
from tests.support.registrations import run

if TYPE_CHECKING:
    from tests.support.analyzer import Analyzer

STACKS = stackfile.stacks(ROOT)
CONFIG = (ROOT / "policy/config.json").read_text()
"""What the pipelines take: it excepts what an example gives up on purpose (`on_destroy: delete`)."""


def asked(stack: str, *, preview: bool) -> list[Any]:
    config = stackfile.load(ROOT, stack).config
    plain = {name.rpartition(":")[2]: value for name, value in config.items()}
    made = run(plain, stack=stack, preview=preview)
    assert not made.error, made.error
    return registered(made.registrations)


def configured(stack: str) -> dict[str, Any]:
    """The pipelines' configuration, as if the stack were called as the analyzer calls it."""
    return json.loads(CONFIG.replace(f"urn:pulumi:{stack}::recording-storage::", URN))["recordings"]


@pytest.mark.parametrize("stack", STACKS)
def test_once_all_is_known_nothing_is_said(analyzer: Analyzer, stack: str) -> None:
    assert analyzer.judge(asked(stack, preview=False), configured(stack)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_in_a_first_preview_nothing_is_refused(analyzer: Analyzer, stack: str) -> None:
    said = analyzer.judge(asked(stack, preview=True), configured(stack))
    assert [one for one in said if one.is_refused] == []
    assert {one.rule for one in said} <= {"S10", "S11", "S12", "G5", "G14", "Z12"}


def test_without_the_exception_what_is_given_up_is_refused(analyzer: Analyzer) -> None:
    (said,) = analyzer.judge(asked("many", preview=False))
    assert (said.rule, said.name) == ("P1", "demos-bucket")
    assert "write on_destroy: protect" in said.message


def test_azure_storage_that_is_not_protected_cannot_be_told(analyzer: Analyzer) -> None:
    calls = {
        "provider": "azure_blob",
        "tenant": "11111111-1111-4111-8111-111111111111",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "location": "westeurope",
        "workspace_id": "w-acme",
        "on_destroy": "retain",
    }
    stack = registered(run({"destinations": {"calls": calls}}).registrations)
    (said,) = analyzer.judge(stack)
    assert (said.rule, said.level) == ("P1", "ADVISORY")
    assert analyzer.judge(stack, {"retained": ["calls"]}) == []
