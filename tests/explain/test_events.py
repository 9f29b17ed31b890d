"""Whatever an event is wrapped in, it is read; whatever isn't one, is read as text, and nothing breaks."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from recording_storage.explain.events import COPY_FAILED, READY, Event, EventError, load, moment, read

if TYPE_CHECKING:
    from pathlib import Path

FAILED: dict[str, Any] = {
    "properties": {
        "bucket_name": "acme-meetings",
        "storage_provider": "gcs",
        "error_code": "DESTINATION_AUTH_FAILED",
        "error_message": 'invalid_grant: The audience in ID Token doesn\'t match "it"',
    },
    "conversation_id": "c93a7ead335b",
    "event_type": COPY_FAILED,
    "message_type": "application",
    "timestamp": "2026-11-18T22:11:14Z",
}
BODY = json.dumps(FAILED)
IN_BASE64 = base64.b64encode(BODY.encode()).decode()
WRAPPED = {
    "as it came": BODY,
    "indented": json.dumps(FAILED, indent=4),
    "Lambda": json.dumps({"version": "2.0", "headers": {"x": "y"}, "body": BODY, "isBase64Encoded": False}),
    "Lambda, in Base64": json.dumps({"body": IN_BASE64, "isBase64Encoded": True}),
    "SQS": json.dumps({"Records": [{"messageId": "1", "body": BODY}]}),
    "SNS in SQS": json.dumps({"Records": [{"body": json.dumps({"Type": "Notification", "Message": BODY})}]}),
    "EventBridge": json.dumps({"detail-type": "tavus", "detail": FAILED}),
    "Pub/Sub": json.dumps({"message": {"data": IN_BASE64, "messageId": "1"}, "subscription": "s"}),
    "a list": json.dumps([FAILED]),
    "a string": json.dumps(BODY),
    "a line of a log": f"2026-11-18T22:11:15Z [web-1] ERROR tavus callback {BODY} (attempt 1)",
    "a JSON log": json.dumps({"level": "error", "msg": f"callback: {BODY}", "ts": 1}),
    "a JSON log, of its fields": json.dumps({"level": "error", "callback": FAILED}),
    "an escaped line": "ERROR [1] body=" + json.dumps(BODY),
    "Python's logging": f"ERROR:app:callback {FAILED}",
    "lines of a log": f"started\n{BODY}\n" + json.dumps({"event_type": "system.shutdown"}) + "\ndone",
    "twice": f"{BODY}\n{BODY}\n",
}


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED)
def test_a_callback_is_read_out_of_what_it_is_wrapped_in(text: str) -> None:
    (event,) = read(text, "it")
    assert (event.type, event.conversation) == (COPY_FAILED, "c93a7ead335b")
    assert (event.provider, event.bucket, event.code) == ("gcs", "acme-meetings", "DESTINATION_AUTH_FAILED")
    assert event.message == FAILED["properties"]["error_message"]
    assert event.at == datetime(2026, 11, 18, 22, 11, 14, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", ""), ("utf-8", "\ufeff"), ("utf-16", ""), ("utf-16-be", "\ufeff")]
)
def test_a_file_is_read_as_editors_and_shells_write_it(tmp_path: Path, encoding: str, mark: str) -> None:
    (tmp_path / "event.json").write_bytes((mark + BODY).encode(encoding))
    assert load(str(tmp_path / "event.json"))[0].conversation == "c93a7ead335b"


def test_a_ready_recording_is_read() -> None:
    (event,) = read(
        json.dumps(
            {
                "properties": {
                    "bucket_name": "b",
                    "s3_key": "c1/a.mp4",
                    "duration": 1234,
                    "storage_uri": "https://acmestore.blob.core.windows.net/b/c1/a.mp4",
                },
                "conversation_id": "c1",
                "event_type": READY,
            }
        ),
        "it",
    )
    assert (event.type, event.provider, event.key, event.duration) == (
        READY,
        "azure_blob",
        "c1/a.mp4",
        "1234",
    )


def test_several_events_are_all_read_and_those_about_something_else_left_out() -> None:
    other = FAILED | {"conversation_id": "c2"}
    shutdown = {"event_type": "system.shutdown", "conversation_id": "c3"}
    found = read("\n".join(json.dumps(one) for one in (shutdown, FAILED, other)), "it")
    assert [one.conversation for one in found] == ["c93a7ead335b", "c2"]


def test_one_event_has_only_its_own_words() -> None:
    other = FAILED | {"properties": {"error_code": "OTHER"}}
    first, second = read(json.dumps([FAILED, other]), "it")
    assert "OTHER" in second.words
    assert "OTHER" not in first.words


@pytest.mark.parametrize(
    "text", ["", "  \n", "{}", "[]", "null", '""', "{\n}", '{"a": null}', "…", "\x00\x1b"]
)
def test_what_says_nothing_is_no_event(text: str) -> None:
    with pytest.raises(EventError, match="Expected: a callback's body"):
        read(text, "it")


def test_what_steers_a_terminal_is_taken_out() -> None:
    steering = "\x1b[2Jgone\x9b31m\u202egnp"
    hostile: dict[str, Any] = FAILED | {
        "conversation_id": steering,
        "properties": {"error_message": steering},
    }
    for text in (json.dumps(hostile), steering):
        (event,) = read(text, "it")
        shown = event.words + event.conversation + event.message
        assert "gone" in shown
        assert not {"\x1b", "\x9b", "\u202e"} & set(shown)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "{" * 200_000 + "AADSTS700213"])
def test_nesting_without_end_is_text(text: str) -> None:
    with_word = f"{text} word"
    assert read(with_word, "it")[0].type == ""


def test_long_logs_are_read_in_a_moment() -> None:
    line = json.dumps({"level": "info", "msg": "nothing happened", "n": [1, 2]})
    (event,) = read("\n".join([*[line] * 30_000, BODY]), "it")
    assert event.conversation == "c93a7ead335b"


def says_something(value: Any) -> bool:
    """Whether there is a word or a number among the values of JSON."""
    if isinstance(value, dict | list):
        inner: Any = value.values() if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        return any(says_something(one) for one in inner)
    return not isinstance(value, bool | None) and any(one.isalnum() for one in str(value))


@example("null")
@example("[true]")
@example('{"a": null}')
@given(some.text(some.characters(exclude_characters='\\&"'), max_size=300))
def test_any_text_is_read_or_is_none(text: str) -> None:
    """Without what is taken for an escape: a backslash and an n are a new line, and say nothing."""
    try:
        assert read(text, "it")
    except EventError:
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        assert not says_something(value)


_JSON = some.recursive(
    some.none() | some.booleans() | some.floats() | some.text(),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(["event_type", "properties", "timestamp", "storage_uri", "body", "x"]),
            inner,
            max_size=4,
        )
    ),
)


@given(_JSON)
def test_any_json_is_read_or_is_no_event(value: Any) -> None:
    try:
        found = read(json.dumps(value), "it")
    except EventError:
        return
    assert all(isinstance(one, Event) for one in found)


@pytest.mark.parametrize(
    "given_",
    [
        "2026-11-18T22:11:14Z",
        "2026-11-18T22:11:14.5Z",
        "2026-11-18T22:11:14.500000123+00:00",
        "2026-11-18 22:11:14",
        "2026-11-19T00:11:14+02:00",
        1795039874,
        "1795039874",
        1795039874000,
        1795039874.5,
    ],
)
def test_timestamps_are_read_in_the_forms_in_which_they_come(given_: Any) -> None:
    found = moment(given_)
    assert found is not None
    assert found.replace(microsecond=0) == datetime(2026, 11, 18, 22, 11, 14, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "given_", [None, "", "yesterday", [], {}, float("nan"), 1e30, "2026-13-40T00:00:00Z"]
)
def test_what_is_no_timestamp_is_none(given_: Any) -> None:
    assert moment(given_) is None
