"""What the pack's configuration says: exceptions with a reason and a date, and what is wrong with it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from policy.pack import RULES
from policy.settings import SCHEMA, read
from tests.support.analyzer import URN
from tests.support.policy_stacks import known, put, unprotected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.analyzer import Analyzer, Asked, Said

TODAY = date(2026, 11, 20)
IDS = [rule.id for rule in RULES]
ROLE = f"{URN}aws:iam/role:Role::recorder"


def exception(**changed: Any) -> dict[str, Any]:
    given = {"rule": "S1", "resource": "recorder", "reason": "a trial", "expires": "2999-12-31", **changed}
    return {name: value for name, value in given.items() if value is not None}


def short_session() -> list[Asked]:
    stack = known("aws")
    put("recorder", "maxSessionDuration", 3600)(stack)
    return list(stack.values())


def said_of(analyzer: Analyzer, *exceptions: dict[str, Any]) -> list[Said]:
    return analyzer.judge(short_session(), {"exceptions": list(exceptions)})


def rules(said: Sequence[Said]) -> set[str]:
    return {one.rule for one in said}


@pytest.mark.parametrize("resource", ["recorder", ROLE])
@pytest.mark.parametrize("rule", ["S1", "s1"])
def test_an_exception_covers_one_rule_for_one_resource(analyzer: Analyzer, resource: str, rule: str) -> None:
    assert said_of(analyzer, exception(resource=resource, rule=rule)) == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"reason": None}, "it has no reason"),
        ({"reason": " "}, "it has no reason"),
        ({"expires": None}, "it has no date at which it expires"),
        ({"expires": "next year"}, "it has no date at which it expires"),
        ({"expires": "2000-01-01"}, "it expired on 2000-01-01"),
        ({"rule": None}, "it has no rule"),
        ({"rule": "S3"}, '"S3" is no rule: one of S1, S2'),
        ({"resource": None}, "it has no resource"),
        ({"until": "2999-12-31"}, "until is no field of it"),
    ],
)
def test_an_exception_that_is_not_sound_is_refused_and_covers_nothing(
    analyzer: Analyzer, changed: dict[str, Any], says: str
) -> None:
    said = said_of(analyzer, exception(**changed))
    assert rules(said) == {"S1", "P3"}
    (told,) = [one for one in said if one.rule == "P3"]
    assert told.is_refused
    assert says in told.message


def test_it_counts_to_the_end_of_its_day() -> None:
    for expires, is_good in (("2026-11-19", False), ("2026-11-20", True), ("2026-11-21", True)):
        settings = read({"exceptions": [exception(expires=expires)]}, IDS, TODAY)
        assert bool(settings.exceptions) == is_good
        assert bool(settings.faults) != is_good


@pytest.mark.parametrize(
    "changed",
    [{"rule": "S8"}, {"resource": "calls"}, {"resource": f"{URN}aws:iam/role:Role::other"}],
)
def test_an_exception_that_covers_nothing_is_told(analyzer: Analyzer, changed: dict[str, str]) -> None:
    said = said_of(analyzer, exception(), exception(**changed))
    (told,) = said
    assert (told.rule, told.level) == ("P4", "ADVISORY")
    assert "covers nothing in this stack" in told.message
    assert "a trial" in told.message


def test_an_exception_for_another_stack_is_that_ones_business(analyzer: Analyzer) -> None:
    other = ROLE.replace("urn:pulumi:acme::", "urn:pulumi:other::")
    assert said_of(analyzer, exception(), exception(resource=other)) == []


def test_an_exception_covers_what_cannot_be_told_as_well(analyzer: Analyzer) -> None:
    stack = known("aws")
    put("write", "policy", "04da6b54-80e4-46f7-96ec-b56ff0331ba9")(stack)
    given = {"exceptions": [exception(rule="S10", resource="recorder")]}
    assert analyzer.judge(list(stack.values()), given) == []


def test_several_rules_for_one_resource_take_an_exception_each(analyzer: Analyzer) -> None:
    stack = known("aws")
    unprotected("calls")(stack)
    put("versioning", "versioningConfiguration.status", "Suspended")(stack)
    said = analyzer.judge(list(stack.values()), {"exceptions": [exception(rule="P1", resource="calls")]})
    assert rules(said) == {"S8"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"exception": []}, 'exception is no setting of the pack: did you mean "exceptions"?'),
        ({"trust_profile": {"s4": {}}}, "trust_profile.s4 is no provider"),
        ({"trust_profile": {"s3": {"acount": "1"}}}, "trust_profile.s3.acount is no constant"),
        ({"trust_profile": {"s3": {"account": 1}}}, "is of another kind"),
        (
            {"trust_profile": {"azure_blob": {"subject": "w"}}},
            "trust_profile.azure_blob.subject is no constant",
        ),
    ],
)
def test_a_wrong_setting_is_refused(analyzer: Analyzer, given: dict[str, Any], says: str) -> None:
    (said,) = analyzer.judge(list(known("aws").values()), given)
    assert (said.rule, said.level) == ("P3", "MANDATORY")
    assert says in said.message


def test_the_engine_is_told_what_a_setting_may_be(analyzer: Analyzer) -> None:
    info = analyzer.info()
    (settings,) = [one for one in info.policies if one.name == "recordings"]
    assert set(settings.configSchema.properties) == set(SCHEMA)
    assert info.supportsConfig
    assert len({one.name for one in info.policies}) == len(info.policies) == len(RULES) + 3
