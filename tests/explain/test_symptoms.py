"""Each symptom is known by the words in which it is seen, and by no others; what it names is there to be looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from recording_storage.explain import SYMPTOMS, UNKNOWN, explain
from recording_storage.explain.events import COPY_FAILED, read
from recording_storage.explain.symptoms import Rank
from recording_storage.verify.tables import CHECKS
from tests.explain.samples import SAMPLES

if TYPE_CHECKING:
    from recording_storage.explain import Explanation

ALL = [(provider, text, checks) for provider, samples in SAMPLES.items() for text, checks in samples]
CODE = "DESTINATION_AUTH_FAILED"


def explained(text: str) -> Explanation:
    (event,) = read(text, "it")
    return explain(event)


def callback(error: str, provider: str = "", code: str = CODE) -> str:
    properties = {"error_code": code, "error_message": error} | (
        {"storage_provider": provider} if provider else {}
    )
    return json.dumps(
        {
            "event_type": COPY_FAILED,
            "timestamp": "2026-11-18T22:11:14Z",
            "properties": properties,
            "conversation_id": "c93a7ead335b",
        }
    )


@pytest.mark.parametrize(("provider", "text", "checks"), ALL, ids=[text[:60] for _, text, _ in ALL])
def test_an_error_names_its_causes_wherever_it_stands(
    provider: str, text: str, checks: tuple[str, ...]
) -> None:
    for wrapped in (
        text,
        json.dumps({"error": {"details": [{"message": text}]}}),
        f"2026-11-18T22:11:15Z ERROR [app] {json.dumps(text)} (attempt 3)",
        callback(text, code="X"),
        callback(text, provider),
    ):
        told = explained(wrapped)
        assert (told.checks, told.provider) == (checks, provider), wrapped
        assert UNKNOWN not in told.advice


def test_every_symptom_is_seen_in_a_sample() -> None:
    seen = {one.code for _, text, _ in ALL for one in explained(text).symptoms}
    seen |= {one.code for provider in SAMPLES for one in explained(callback("", provider)).symptoms}
    assert seen == {one.code for one in SYMPTOMS}


def test_every_cause_is_a_check() -> None:
    assert {id_ for one in SYMPTOMS for id_ in one.checks} <= CHECKS.keys()


def test_symptoms_are_complete() -> None:
    assert len({one.code for one in SYMPTOMS}) == len(SYMPTOMS)
    for one in SYMPTOMS:
        assert one.source.startswith("https://"), one.code
        assert one.happened.endswith("."), one.code
        assert one.checks or one.advice, f"{one.code}: neither a check nor a word of advice"
        assert len(set(one.checks)) == len(one.checks), one.code


def test_the_services_own_code_gives_way_to_what_the_cloud_said() -> None:
    assert explained(callback("AADSTS7002138: No matching", "azure_blob")).checks == ("Z2",)
    only_the_code = explained(callback("the destination said no", "gcs"))
    assert {one.rank for one in only_the_code.symptoms} == {Rank.CODE}
    assert all(id_.startswith("G") for id_ in only_the_code.checks)


def test_the_services_own_code_alone_names_every_clouds_causes() -> None:
    told = explained(callback(""))
    assert told.provider == ""
    assert {id_[0] for id_ in told.checks} == {"S", "G", "Z"}
    event = told.event
    assert {id_[0] for id_ in explain(event, "azure_blob").checks} == {"Z"}


@pytest.mark.parametrize(
    "text", ["WORMHOLE", "it was 70021 bytes long", "error 700213 of 800000", "Deny", "KMS"]
)
def test_what_isnt_known_is_shown_as_it_is(text: str) -> None:
    told = explained(text)
    assert (told.symptoms, told.checks) == ((), ())
    assert told.advice == (UNKNOWN,)
    assert told.event.words == text


def test_events_about_something_else_are_no_trouble() -> None:
    told = explained('{"event_type": "system.shutdown", "properties": {"shutdown_reason": "AccessDenied"}}')
    assert not told.is_trouble
    assert told.checks == ()


def test_a_time_beyond_all_calendars_is_none() -> None:
    text = callback("").replace("2026-11-18T22:11:14Z", "9999-12-31T00:00:00Z")
    assert explained(text).fetch_until is None


def test_a_failed_copy_can_be_fetched_for_thirty_days() -> None:
    until = explained(callback("")).fetch_until
    assert until is not None
    assert until.isoformat() == "2026-12-18"
