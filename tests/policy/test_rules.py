"""Each rule of the policy pack on stacks that keep it and that break it, with values known and unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from policy.pack import RULES
from tests.support import policy_stacks as stacks
from tests.support.analyzer import UNKNOWN, Asked
from tests.support.policy_cases import BROKEN, DOUBTFUL, HARMLESS, Case, Doubt, nowhere
from tests.support.policy_stacks import put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.rules import Rule
    from tests.support.analyzer import Analyzer, Said
    from tests.support.policy_stacks import Edit, Stack


def refused(said: Sequence[Said]) -> set[str]:
    return {one.rule for one in said if one.is_refused}


def untold(said: Sequence[Said]) -> set[str]:
    return {one.rule for one in said if not one.is_refused}


def changed(stack: Stack, edit: Edit) -> list[Asked]:
    edit(stack)
    return list(stack.values())


def titled(case: Case) -> str:
    return f"{case.cloud}: {case.what}"


@pytest.mark.parametrize("cloud", stacks.STACKS)
def test_a_sound_stack_of_a_teams_own_passes(analyzer: Analyzer, cloud: str) -> None:
    assert analyzer.judge(list(stacks.known(cloud).values())) == []


@pytest.mark.parametrize("cloud", stacks.STACKS)
def test_in_its_first_preview_it_is_told_what_cannot_be_told(analyzer: Analyzer, cloud: str) -> None:
    said = analyzer.judge(list(stacks.first_preview(cloud).values()))
    assert refused(said) == set()
    assert untold(said) == {"aws": {"S10", "S11", "S12"}, "gcp": {"G5", "G14"}, "azure": {"Z12"}}[cloud]
    assert all("`recording-storage verify` looks after the up" in one.message for one in said)


@pytest.mark.parametrize("case", BROKEN, ids=titled)
def test_what_breaks_or_opens_a_destination_is_refused(analyzer: Analyzer, case: Case) -> None:
    said = analyzer.judge(changed(stacks.known(case.cloud), case.edit))
    assert refused(said) == set(case.rules.split()), said
    assert any(case.says in one.message for one in said), said


@pytest.mark.parametrize("case", [one for one in BROKEN if one.early], ids=titled)
def test_it_is_refused_in_the_first_preview_too(analyzer: Analyzer, case: Case) -> None:
    said = analyzer.judge(changed(stacks.first_preview(case.cloud), case.edit))
    assert refused(said) == set(case.rules.split()), said


@pytest.mark.parametrize("case", HARMLESS, ids=titled)
def test_what_does_no_harm_passes(analyzer: Analyzer, case: Case) -> None:
    assert analyzer.judge(changed(stacks.known(case.cloud), case.edit)) == []


@pytest.mark.parametrize("case", DOUBTFUL, ids=lambda case: f"{case.rule}: {case.names}")
def test_what_is_not_known_is_said_and_never_passed(analyzer: Analyzer, case: Doubt) -> None:
    said = analyzer.judge(changed(stacks.known(case.cloud), case.edit))
    assert refused(said) == set(), said
    assert case.rule in untold(said), said
    assert any(case.names in one.message for one in said if one.rule == case.rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_broken_and_doubted_here(rule: Rule) -> None:
    assert rule.id == "P2" or any(rule.id in case.rules.split() for case in BROKEN)
    # Where a trust isn't known, S2 says so once for both; so does P2 for an issuer.
    assert rule.id in {case.rule for case in DOUBTFUL} | {"S9", "G10", "G12"}


IRRELEVANT = {
    "aws": {("recorder", "name"), ("calls", "bucket"), ("calls", "region")},
    "gcp": {
        *(("pool", path) for path in ("workloadIdentityPoolId", "project")),
        ("provider", "workloadIdentityPoolProviderId"),
        *(("recorder", path) for path in ("accountId", "project")),
        ("trust", "role"),
        *(("calls", path) for path in ("name", "location", "uniformBucketLevelAccess")),
    },
    "azure": {
        ("recorder", "displayName"),
        *(("account", path) for path in ("accountName", "resourceGroupName")),
        ("service", "blobServicesName"),
        *(("calls", path) for path in ("accountName", "containerName")),
        ("write", "principalType"),
    },
}
"""Inputs without which every rule decides as it does with them: what a thing is itself called, and where it is."""
INPUTS = [
    (cloud, one.name, path) for cloud, every in stacks.STACKS.items() for one in every for path in one.inputs
]


@pytest.mark.parametrize(("cloud", "name", "path"), INPUTS)
def test_an_unknown_input_made_of_others_is_followed(
    analyzer: Analyzer, cloud: str, name: str, path: str
) -> None:
    stack = stacks.known(cloud)
    put(name, path, UNKNOWN)(stack)
    assert refused(analyzer.judge(list(stack.values()))) == set()


@pytest.mark.parametrize(("cloud", "name", "path"), INPUTS)
def test_an_unknown_input_made_of_nothing_is_told(
    analyzer: Analyzer, cloud: str, name: str, path: str
) -> None:
    said = analyzer.judge(changed(stacks.known(cloud), nowhere(name, path)))
    assert refused(said) == set()
    assert bool(said) != ((name, path) in IRRELEVANT[cloud])


ODD: tuple[Any, ...] = (0, True, "x", [], {"a": 1}, [None], [UNKNOWN], {"a": UNKNOWN}, None)


@pytest.mark.parametrize(("cloud", "name", "path"), INPUTS)
def test_no_shape_that_nobody_has_seen_stops_the_engine(
    analyzer: Analyzer, cloud: str, name: str, path: str
) -> None:
    for odd in ODD:
        stack = stacks.known(cloud)
        stack[name] = replace(stack[name], inputs={**stack[name].inputs, path: odd})
        analyzer.judge(list(stack.values()))


@pytest.mark.parametrize("cloud", stacks.STACKS)
def test_nothing_known_at_all_crashes_or_refuses(analyzer: Analyzer, cloud: str) -> None:
    stack = [
        replace(one, inputs=dict.fromkeys(one.inputs, UNKNOWN), outputs={}) for one in stacks.STACKS[cloud]
    ]
    assert refused(analyzer.judge(stack)) == set()


def test_a_trust_that_is_not_known_is_said_of_every_role(analyzer: Analyzer) -> None:
    (said,) = analyzer.judge([Asked("aws:iam/role:Role", "any", {"assumeRolePolicy": UNKNOWN})])
    assert (said.rule, said.level) == ("S2", "ADVISORY")
    assert "any: assumeRolePolicy isn't known yet" in said.message


@pytest.mark.parametrize("shape", ["bucketV2:BucketV2", "bucket:Bucket"])
def test_what_a_type_was_called_before_is_known(analyzer: Analyzer, shape: str) -> None:
    stack = stacks.known("aws")
    stack["calls"] = replace(stack["calls"], type=f"aws:s3/{shape}", protect=False)
    assert refused(analyzer.judge(list(stack.values()))) == {"P1"}
