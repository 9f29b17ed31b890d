"""What is said of a difference between what exists and what is asked for."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import pulumi
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


def hooks(monkeypatch: pytest.MonkeyPatch, make: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
    """What is bound to which moment, as functions that are called with the engine's arguments."""

    class Hook:
        def __init__(self, name: str, refuse: Any, options: Any) -> None:
            assert options.on_dry_run, "a preview would say nothing"
            self.refuse = refuse

        def __call__(self, **given: Any) -> None:
            args = pulumi.ResourceHookArgs("urn", "id", "calls", "type", **given)
            answer = self.refuse(args)
            if inspect.isawaitable(answer):
                asyncio.run(_awaited(answer))

    monkeypatch.setattr(pulumi, "ResourceHook", Hook)
    binding = make(*arguments, **more)
    bound = {moment: getattr(binding, moment) for moment in ("before_create", "before_update")}
    return {moment: found[0] for moment, found in bound.items() if found}


async def _awaited(answer: Any) -> None:
    await answer


def test_what_is_adopted_is_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = hooks(monkeypatch, adoption.unchanged, "x", "adopt_pool")
    assert bound.keys() == {"before_create", "before_update"}
    with pytest.raises(ValueError, match=r"adopt_pool: .*calls would have to be made anew"):
        bound["before_create"](new_inputs={})


def test_what_is_not_asked_for_is_left_to_the_provider_unless_it_takes_it_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change: dict[str, Any] = {
        "old_inputs": {"name": "a", "notes": "mine", "tags": []},
        "new_inputs": {"name": "a"},
    }
    hooks(monkeypatch, adoption.unchanged, "x")["before_update"](**change)
    exact = hooks(monkeypatch, adoption.unchanged, "x", is_exact=True)["before_update"]
    with pytest.raises(ValueError, match='as it is: notes is "mine", and unset is asked for'):
        exact(**change)
    exact(old_inputs={"name": "a", "flag": False}, new_inputs={"name": "a"})


@pytest.mark.parametrize(
    ("had", "refused"),
    [({}, False), ({"name": "pools/ACME"}, False), ({"name": "other"}, True), ({"name": "acme/other"}, True)],
)
def test_a_destination_adopts_what_it_has_or_has_nothing_yet(
    monkeypatch: pytest.MonkeyPatch, had: dict[str, Any], refused: bool
) -> None:
    hook = hooks(monkeypatch, adoption.still_the_same, "adopt_pool", "pools/acme", {"name": "acme"})[
        "before_update"
    ]
    if refused:
        with pytest.raises(
            ValueError, match=f"destination calls already, with {had['name']}, and would delete that"
        ):
            hook(old_outputs=had)
    else:
        hook(old_outputs=had)


@pytest.mark.parametrize(
    ("inputs", "outputs", "refused"),
    [
        ({}, {"bucketName": "a"}, True),
        ({"adopt": "a@eu-west-1"}, {"bucketName": "a"}, True),
        ({}, {}, True),
        ({"adopt": "a@eu-west-1"}, {}, False),
    ],
)
def test_only_a_destination_that_has_begun_to_adopt_may_turn_to_something_else(
    monkeypatch: pytest.MonkeyPatch, inputs: dict[str, Any], outputs: dict[str, Any], refused: bool
) -> None:
    hook = hooks(monkeypatch, adoption.unmanaged, "b@eu-west-1")["before_update"]
    if refused:
        with pytest.raises(ValueError, match="this stack has the destination calls already"):
            hook(old_inputs=inputs, old_outputs=outputs)
    else:
        hook(old_inputs=inputs, old_outputs=outputs)
