"""What is said of a difference between what exists and what is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components import adoption

RULE = {"id": "drop-unfinished-uploads", "status": "Enabled", "filter": {"prefix": ""}}
TLS = {"Sid": "TlsOnly", "Action": ["s3:*"]}
MINE = {"Sid": "Mine", "Action": "s3:GetObject"}


def policy(*statements: Any) -> str:
    return json.dumps({"Statement": statements})


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ({"forceDestroy": None}, {"forceDestroy": False}),
        ({}, {"tags": {}}),
        ({"requestPayer": "BucketOwner"}, {}),
        ({"rules": [RULE | {"filter": None, "days": 7.0}]}, {"rules": [RULE | {"days": 7}]}),
        ({"rules": [{"id": "a"}, {"id": "b"}]}, {"rules": [{"id": "b"}, {"id": "a"}]}),
        ({"policy": policy(TLS, MINE)}, {"policy": policy(MINE, TLS | {"Action": "s3:*"})}),
    ],
)
def test_another_spelling_is_no_difference(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert adoption.difference(found, wanted) == ""


@pytest.mark.parametrize(
    ("found", "wanted", "said"),
    [
        (
            {"a": {"status": "Disabled"}},
            {"a": {"status": "Enabled"}},
            'a.status is "Disabled", and "Enabled" is',
        ),
        ({"tags": {"team": "voice"}}, {"tags": {}}, 'tags.team is "voice", and unset is asked for'),
        ({"forceDestroy": False}, {"forceDestroy": True}, "forceDestroy is false, and true is asked for"),
        (
            {"rules": [RULE, {"id": "mine"}]},
            {"rules": [RULE]},
            'rules has {"id": "mine"}, which isn\'t asked for',
        ),
        ({"rules": []}, {"rules": [{"id": "mine"}]}, 'rules lacks {"id": "mine"}'),
        ({"policy": policy(TLS, MINE)}, {"policy": policy(TLS)}, 'policy.Statement has {"Sid": "Mine"'),
        ({"policy": policy(TLS)}, {"policy": policy(TLS, MINE)}, 'policy.Statement lacks {"Sid": "Mine"'),
        ({"policy": json.dumps({"Statement": TLS})}, {"policy": policy(TLS, MINE)}, "policy.Statement "),
    ],
)
def test_a_difference_is_named(found: dict[str, Any], wanted: dict[str, Any], said: str) -> None:
    assert f"as it is: {said}" in adoption.difference(found, wanted)


def test_labels_that_an_import_tells_of_as_an_output_count_as_found() -> None:
    found = adoption.read_back({"name": "acme"}, {"effectiveLabels": {"team": "voice"}})
    assert adoption.difference(found, {"labels": {"team": "voice"}}) == ""
    assert "labels.team is" in adoption.difference(found, {"labels": {"team": "sales"}})
    assert adoption.read_back({"labels": {"a": "b"}}, {"effectiveLabels": {}}) == {"labels": {"a": "b"}}
