"""Lifecycle rules: each that isn't one beside its nearest neighbour that is."""

from __future__ import annotations

from typing import Any

import pytest

from recording_storage.sandbox.google.errors import GoogleError
from recording_storage.sandbox.google.lifecycle import lifecycle
from recording_storage.sandbox.rest import Undecided

DELETE, ABORT = {"type": "Delete"}, {"type": "AbortIncompleteMultipartUpload"}
COLD = {"type": "SetStorageClass", "storageClass": "COLDLINE"}
AGE = {"age": 30}


def rule(action: Any = DELETE, condition: Any = AGE) -> dict[str, Any]:
    return {"rule": [{"action": action, "condition": condition}]}


@pytest.mark.parametrize(
    ("action", "condition"),
    [
        (DELETE, AGE),
        (DELETE, {"age": 0}),
        (DELETE, {"isLive": False, "daysSinceNoncurrentTime": 30}),
        (DELETE, {"numNewerVersions": 3}),
        (DELETE, {"createdBefore": "2026-02-28"}),
        (DELETE, {"matchesStorageClass": ["STANDARD", "NEARLINE"]}),
        (DELETE, {"matchesPrefix": ["a/"], "matchesSuffix": [".mp4"]}),
        (COLD, AGE),
        (ABORT, {"age": 7, "matchesPrefix": ["a/"]}),
    ],
)
def test_rules_are_kept_as_they_were_said(action: dict[str, Any], condition: dict[str, Any]) -> None:
    assert lifecycle(rule(action, condition)) == rule(action, condition)


@pytest.mark.parametrize(
    "said",
    [
        rule(condition={}),
        rule(condition={"age": None}),
        rule(condition=None),
        rule(condition={"age": -1}),
        rule(condition={"age": 1.5}),
        rule(condition={"age": True}),
        rule(condition={"days": 30}),
        rule(condition={"isLive": "false"}),
        rule(condition={"createdBefore": "2026-13-01"}),
        rule(condition={"createdBefore": "2026-02-28T00:00:00Z"}),
        rule(condition={"createdBefore": 20260228}),
        rule(condition={"sizeAboveBytes": "big"}),
        rule(condition={"matchesStorageClass": ["STANDARD", "COLD"]}),
        rule(condition={"matchesStorageClass": []}),
        rule(condition={"matchesPrefix": ["a", 1]}),
        rule(condition={"matchesPrefix": []}),
        rule(condition={"matchesPrefix": [""]}),
        rule(condition={"matchesPrefix": ["a"] * 1001}),
        rule(action={}),
        rule(action={"type": "delete"}),
        rule(action=DELETE | {"storageClass": "COLDLINE"}),
        rule(action={"type": "SetStorageClass"}),
        rule(action=COLD | {"storageClass": "COLD"}),
        rule(action=ABORT, condition={"age": 7, "isLive": True}),
        rule(action=ABORT, condition={"matchesStorageClass": ["STANDARD"]}),
        {"rule": {}},
        {"rule": rule()["rule"] * 101},
    ],
)
def test_what_isnt_a_rule(said: dict[str, Any]) -> None:
    with pytest.raises(GoogleError) as caught:
        lifecycle(said)
    assert caught.value.code == 400


def test_numbers_may_be_texts_and_no_rules_are_none() -> None:
    assert lifecycle(rule(condition={"age": "30", "sizeAboveBytes": 5})) == rule(
        condition={"age": 30, "sizeAboveBytes": "5"}
    )
    assert lifecycle({}) is lifecycle({"rule": []}) is None
    assert lifecycle({"rule": rule()["rule"] * 100}) is not None
    with pytest.raises(Undecided):
        lifecycle(rule(condition={"matchesPattern": "a.*"}))
