"""Which destinations an event is about, what is looked at for it, and how that is shown."""

from __future__ import annotations

import io
from datetime import date
from typing import TYPE_CHECKING

import pytest

from recording_storage import report
from recording_storage.explain import concerned, explain, look, text
from recording_storage.explain.events import COPY_FAILED, READY, Event
from recording_storage.results import DestinationReport, Document, Result, Status
from recording_storage.verify.targets import Target

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

CALLS = Target(
    "calls", {"provider": "s3", "bucket_name": "acme-calls", "assume_role_arn": "arn:aws:iam::1:role/calls"}
)
MEETINGS = Target(
    "meetings",
    {
        "provider": "gcs",
        "bucket_name": "acme-meetings",
        "service_account_email": "rec@acme.iam.gserviceaccount.com",
    },
)
SUPPORT = Target(
    "support",
    {
        "provider": "azure_blob",
        "storage_account": "acmesupport",
        "container": "recordings",
        "client_id": "c-support",
    },
)
SALES = Target(
    "sales",
    {
        "provider": "azure_blob",
        "storage_account": "acmesales",
        "container": "recordings",
        "client_id": "c-sales1",
    },
)
ALL = [CALLS, MEETINGS, SUPPORT, SALES]


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (Event("x", bucket="acme-calls"), ["calls"]),
        (Event("x", bucket="acme-calls", provider="gcs"), []),
        (Event("x", bucket="acme-call"), []),
        (Event("x", uri="gs://acme-meetings/c1/a.mp4"), ["meetings"]),
        (Event("x", provider="azure_blob", bucket="recordings"), ["support", "sales"]),
        (Event("x", uri="https://acmesales.blob.core.windows.net/recordings/c1/a.mp4"), ["sales"]),
        (Event("x", uri="https://other.blob.core.windows.net/recordings/c1/a.mp4"), []),
        (Event("x", bucket="acmesales/recordings"), ["sales"]),
        (Event("x", provider="azure_blob"), ["support", "sales"]),
        (Event("AADSTS700016: Application with identifier 'c-sales1' was not found"), ["sales"]),
        (Event("on resource: arn:aws:iam::1:role/calls"), ["calls"]),
        (Event("x"), ["calls", "meetings", "support", "sales"]),
    ],
)
def test_an_event_is_about_what_it_names(event: Event, names: list[str]) -> None:
    assert [one.name for one in concerned(event, ALL)] == names


class Verifying:
    """Takes the place of `verify`, and keeps what it was asked."""

    def __init__(self, status: Status) -> None:
        self.asked: list[tuple[list[str], list[str] | None]] = []
        self._status = status

    def __call__(self, targets: Sequence[Target], only: Collection[str] | None) -> Document:
        self.asked.append(([one.name for one in targets], list(only) if only else None))
        return Document(
            destinations=[
                DestinationReport(one.name, "", one.provider, f"{one.provider} · {one.name}")
                for one in targets
            ],
            results=[
                Result(one.name, id_, self._status, f"the claim of {id_}", "seen", "mend it")
                for one in targets
                for id_ in only or ["G1"]
            ],
        )


def test_the_named_checks_are_run_on_the_clouds_own_destinations_and_once() -> None:
    verifying = Verifying(Status.FAIL)
    events = [Event("AADSTS7002138", conversation=str(number)) for number in range(3)]
    answers = look(events, ALL, verifying)
    assert verifying.asked == [(["support", "sales"], ["Z2"])]
    assert [one.held for one in answers] == [False] * 3


def test_where_no_check_is_named_all_are_run() -> None:
    verifying = Verifying(Status.PASS)
    (answer,) = look([Event("WORMHOLE", type=COPY_FAILED, code="WORMHOLE", provider="gcs")], ALL, verifying)
    assert verifying.asked == [(["meetings"], None)]
    assert answer.held


def test_what_couldnt_be_decided_doesnt_hold() -> None:
    (answer,) = look([Event("AADSTS7002138")], ALL, Verifying(Status.UNKNOWN))
    assert not answer.held


def test_a_cloud_that_none_of_them_is_on_isnt_ours() -> None:
    verifying = Verifying(Status.PASS)
    (answer,) = look([Event("AADSTS7002138")], [CALLS, MEETINGS], verifying)
    assert (answer.is_strange, verifying.asked) == (True, [])


def test_a_ready_recording_is_looked_at_no_further() -> None:
    verifying = Verifying(Status.FAIL)
    (answer,) = look([Event("x", type=READY, bucket="acme-calls")], ALL, verifying)
    assert (answer.held, verifying.asked) == (True, [])


def test_the_clouds_own_destination_tells_which_causes_are_meant() -> None:
    code = "DESTINATION_AUTH_FAILED"
    verifying = Verifying(Status.PASS)
    (answer,) = look([Event(code, type=COPY_FAILED, code=code)], [MEETINGS], verifying)
    assert answer.explanation.provider == "gcs"
    assert all(id_.startswith("G") for id_ in answer.explanation.checks)


def shown(event: Event) -> str:
    out = io.StringIO()
    text.write(look([event], ALL, Verifying(Status.FAIL)), out)
    return out.getvalue()


def test_text_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PIPED_WIDTH", 48)
    event = Event("AADSTS7002138 " + "word " * 50, type=COPY_FAILED, provider="azure_blob", conversation="c1")
    for line in shown(event).splitlines():
        assert len(line.rstrip()) <= 48 or "https://" in line or line.startswith(COPY_FAILED), line


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 11, 20), "Until about 2026-12-18, 28 days from now."),
        (date(2026, 12, 17), "Until about 2026-12-18, 1 day from now."),
        (date(2026, 12, 18), "Until about 2026-12-18, today."),
        (date(2026, 12, 20), "It could be until about 2026-12-18, 2 days ago: it may be gone."),
    ],
)
def test_the_time_that_is_left_is_said(monkeypatch: pytest.MonkeyPatch, day: date, said: str) -> None:
    monkeypatch.setattr(text, "today", lambda: day)
    at = text.datetime(2026, 11, 18, 22, 11, tzinfo=text.timezone.utc)
    assert said in " ".join(shown(Event("x", type=COPY_FAILED, provider="gcs", at=at)).split())


def test_an_event_without_a_time_says_so() -> None:
    assert explain(Event("x", type=COPY_FAILED)).fetch_until is None
    assert "has no time to count from" in shown(Event("x", type=COPY_FAILED, provider="gcs"))
