"""Expressions as Google evaluates them, and what it doesn't take."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from recording_storage.evaluation.google import Undecidable, cel

ORDER = "projects/_/buckets/acme-orders-aaa/objects/data_lake/orders/order_date=2019-11-03/aef87g87ae0876"
VALUES: dict[str, Any] = {
    "assertion": {
        "sub": "a/b:c",
        "groups": ["x", "y"],
        "n": 5,
        "yes": True,
        "none": None,
        "deep": {"k": "v"},
    },
    "google": {"subject": "s", "groups": ["admins"]},
    "attribute": {"x": "1"},
}
VARIABLES = frozenset(VALUES)
NOW = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("/order_date={date}/", "2019-11-03"),
        ("buckets/{name}/", "acme-orders-aaa"),
        ("/orders/{empty}order_date", ""),
        ("{start}/objects/data_lake", "projects/_/buckets/acme-orders-aaa"),
        ("orders/{end}", "order_date=2019-11-03/aef87g87ae0876"),
        ("{all}", ORDER),
        ("/orders/{none}/order_date=", ""),
        ("/orders/order_date=2019-11-03/{id}/data_lake", ""),
    ],
)
def test_extract_gives_what_the_documentation_says(template: str, found: str) -> None:
    assert cel.extract(ORDER, template) == found
    assert cel.evaluate(f"assertion.extract('{template}')", {"assertion": ORDER}) == found


@pytest.mark.parametrize("template", ["no braces", "{a}{b}", "/{a", "a}/"])
def test_extract_needs_one_pair_of_braces(template: str) -> None:
    with pytest.raises(cel.CelFailure):
        cel.evaluate(f"assertion.extract('{template}')", {"assertion": ORDER})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("assertion.sub", "a/b:c"),
        ("assertion['sub']", "a/b:c"),
        ("assertion.deep.k + '!'", "v!"),
        ("google.subject", "s"),
        ("attribute.x == '1'", True),
        ("'admins' in google.groups", True),
        ("has(google.missing)", False),
        ("has(assertion.none)", True),
        ("assertion.sub.split(':')", ["a/b", "c"]),
        ("assertion.groups.join('-')", "x-y"),
        ("'GitHub É'.lowerAscii()", "github É"),
        ("'é-a'.upperAscii()", "é-A"),
        ("assertion.sub.matches('^a/[a-z]')", True),
        ("assertion.groups.exists(g, g.startsWith('x'))", True),
        ("assertion.groups.map(g, g + '1')", ["x1", "y1"]),
        ("assertion.n == '5'", False),
        ("assertion.n != '5'", True),
        ("assertion.n == 5.0", True),
        ("assertion.yes == 1", False),
        ("assertion.groups == ['x', 'y']", True),
        ("assertion.deep == {'k': 'w'}", False),
        ("assertion.missing == 'x' || true", True),
        ("assertion.missing == 'x' && false", False),
        ("size(assertion.groups) > 1 ? 'many' : 'one'", "many"),
    ],
)
def test_an_expression_has_a_value(expression: str, value: object) -> None:
    cel.check(expression, VARIABLES)
    assert cel.evaluate(expression, VALUES) == value


@pytest.mark.parametrize(
    "expression",
    [
        "assertion.missing",
        "assertion.missing == 'x'",
        "assertion.missing != 'x'",
        "assertion.sub[0]",
        "assertion.groups[2]",
        "assertion.n.startsWith('5')",
        "assertion.sub + 1",
        "assertion.sub.split('/')[5]",
    ],
)
def test_an_expression_fails(expression: str) -> None:
    cel.check(expression, VARIABLES)
    with pytest.raises(cel.CelFailure):
        cel.evaluate(expression, VALUES)


@pytest.mark.parametrize(
    ("expression", "because"),
    [
        ("assertion.sub ==", "syntax error"),
        ("assertion.sub = 'x'", "syntax error"),
        ("assertions.sub == 'x'", "undeclared reference to 'assertions'"),
        ("sub == 'x'", "undeclared reference to 'sub'"),
        ("foo(assertion.sub)", "undeclared reference to 'foo'"),
        ("assertion.sub.foo()", "undeclared reference to 'foo'"),
        ("assertion.groups.min()", "undeclared reference to 'min'"),
        ("assertion.groups.exists(g, h == 'x')", "undeclared reference to 'h'"),
    ],
)
def test_an_expression_is_not_stored(expression: str, because: str) -> None:
    with pytest.raises(cel.Malformed, match=because):
        cel.check(expression, VARIABLES)


def test_functions_that_google_may_have_are_undecided() -> None:
    with pytest.raises(Undecidable, match="substring"):
        cel.check("assertion.sub.substring(1)", VARIABLES)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('resource.name.startsWith("projects/_/buckets/b/objects/in/")', True),
        ('resource.name.startsWith("projects/_/buckets/b/objects/out/")', False),
        ('resource.type == "storage.googleapis.com/Object"', True),
        (
            'resource.service == "storage.googleapis.com" && resource.type != "storage.googleapis.com/Bucket"',
            True,
        ),
        ('request.time < timestamp("2026-07-02T00:00:00Z")', True),
        ('request.time < timestamp("2026-07-01T00:00:00Z")', False),
        ('request.time.getHours("Europe/Berlin") == 14', True),
        ("resource.name.size() == 'x'.missing", False),
        ("resource.name.substring(1) == 'x'", None),
        ('destination.ip == "10.0.0.1"', None),
        ('resource.name != "x" || request.auth.access_levels.size() > 0', None),
    ],
)
def test_a_condition_of_a_binding_holds_or_not_or_nobody_knows(condition: str, holds: bool | None) -> None:
    full_name, kind = (
        "//storage.googleapis.com/projects/_/buckets/b/objects/in/x",
        "storage.googleapis.com/Object",
    )
    assert cel.condition_holds(condition, full_name, kind, NOW) is holds
