"""The policy evaluator against what the AWS documentation states, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from documented import CASES
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_case import (
    AS_WRITTEN,
    AWAY,
    BUCKET,
    CALLER,
    HOME,
    NOBODY,
    ROLE,
    ROLE_ARN,
    SESSION_ARN,
    TARGET,
    USER,
    Case,
    Json,
    Reading,
    deny,
)
from shape_cases import SHAPES

from recording_storage.evaluation.aws import policy

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decides_as_documented(case: Case) -> None:
    words, reason = AS_WRITTEN.outcome(case)
    assert words == case.expect, f"{reason} ({case.page})"
    assert case.says in reason


@pytest.mark.parametrize("reading", SHAPES, ids=lambda reading: reading.name)
def test_reads_as_documented(reading: Reading) -> None:
    assert AS_WRITTEN.read(reading) == reading.expect, reading.page


def test_names_of_cases_differ() -> None:
    names = [case.name for case in CASES] + [reading.name for reading in SHAPES]
    assert len(set(names)) == len(names)
    assert all(one.page.startswith("https://docs.aws.amazon.com/") for one in [*CASES, *SHAPES])


def test_assuming_a_role_needs_its_trust_policy() -> None:
    request = policy.Request(policy.Principal(*USER), "sts:AssumeRole", TARGET, HOME, {})
    with pytest.raises(ValueError, match="trust policy"):
        policy.decide(request, policy.Policies([]))


# --- properties ------------------------------------------------------------------------------------------

PRINCIPALS = ["*", {"AWS": HOME}, {"AWS": AWAY}, CALLER, {"AWS": ROLE_ARN}, {"AWS": SESSION_ARN}]
CONDITIONS = [
    {},
    {"StringEquals": {"a:x": "1"}},
    {"StringNotEquals": {"a:x": "1"}},
    {"StringEquals": {"a:hidden": "1"}},
]


def statements(effect: str | None = None, *, attached: bool = False) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {
            "Effect": st.just(effect) if effect else st.sampled_from(["Allow", "Deny"]),
            "Action": st.sampled_from(["s3:*", "s3:GetObject", "s3:PutObject"]),
            "Resource": st.sampled_from(["*", f"{BUCKET}/*", f"{BUCKET}/2025/*"]),
            "Condition": st.sampled_from(CONDITIONS),
            **({"Principal": st.sampled_from(PRINCIPALS)} if attached else {}),
        }
    )


def some(*, attached: bool = False) -> st.SearchStrategy[list[Json]]:
    return st.lists(statements(attached=attached), min_size=1, max_size=3)


ANY_CASE = st.builds(
    Case,
    name=st.just(""),
    page=st.just(""),
    expect=st.just(""),
    who=st.sampled_from([USER, ROLE, NOBODY]),
    owner=st.sampled_from([HOME, AWAY]),
    context=st.sampled_from([{}, {"a:x": ["1"]}, {"a:x": ["2"]}]),
    unknown=st.just(frozenset({"a:hidden"})),
    identity=st.one_of(st.just([]), some()),
    boundary=st.one_of(st.none(), some()),
    session=st.one_of(st.none(), some()),
    attached=st.one_of(st.none(), some(attached=True)),
)
FEW = settings(max_examples=100, deadline=None, derandomize=True)


def with_statement(case: Case, where: str, statement: Json) -> Case:
    principal = {"Principal": "*"} if where == "attached" else {}
    before: Sequence[Json] = getattr(case, where) or []
    more: Json = {where: [*before, {**statement, **principal}]}
    return replace(case, **more)


@FEW
@given(ANY_CASE, st.sampled_from(["identity", "boundary", "session", "attached"]))
def test_explicit_deny_wins(case: Case, where: str) -> None:
    assert AS_WRITTEN.outcome(with_statement(case, where, deny()))[0] == "explicit deny"


@FEW
@given(ANY_CASE, st.sampled_from(["identity", "boundary", "session", "attached"]), statements("Allow"))
def test_another_allow_never_takes_away(case: Case, where: str, statement: Json) -> None:
    # A first boundary or session policy is a limit, not a further statement.
    if where in ("boundary", "session") and getattr(case, where) is None:
        return
    if AS_WRITTEN.outcome(case)[0] == "allowed":
        assert AS_WRITTEN.outcome(with_statement(case, where, statement))[0] == "allowed"


@FEW
@given(ANY_CASE, st.sampled_from(["identity", "boundary", "session", "attached"]), statements("Deny"))
def test_another_deny_never_gives(case: Case, where: str, statement: Json) -> None:
    if AS_WRITTEN.outcome(case)[0] != "allowed":
        assert AS_WRITTEN.outcome(with_statement(case, where, statement))[0] != "allowed"
