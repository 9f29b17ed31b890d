"""How checks are run and told of, whatever the cloud: at the same time, each once, nothing guessed."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from junitparser import Error, Failure, JUnitXml

from recording_storage import report, verify
from recording_storage.results import DestinationReport, Document, Result, Status
from recording_storage.verify import junit, tables, watch
from recording_storage.verify import report as verify_report
from recording_storage.verify.checks import (
    CouldNotTell,
    Finding,
    NothingThere,
    Unreadable,
    failed,
    passed,
    warned,
    worst,
)
from recording_storage.verify.reads import Reads
from recording_storage.verify.targets import Target

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = ("S1", "S2", "S3", "S4")


class Given:
    """A verifier whose checks end as they are told to."""

    ends: dict[str, Callable[[], Finding]] = {}  # noqa: RUF012 (set by each test)

    def __init__(self, reads: Reads) -> None:
        self.reads = reads

    def title(self, target: Target) -> str:
        return target.recording_storage["bucket_name"]

    def begin(self, target: Target) -> dict[str, Callable[[], Finding]]:
        return self.ends


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> type[Given]:
    monkeypatch.setattr(verify, "load", lambda _: Given)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    return Given


def target(name: str = "calls") -> Target:
    return Target(name, {"provider": "s3", "bucket_name": f"acme-{name}"})


def run(*targets: Target, only: tuple[str, ...] | None = None) -> Document:
    return verify.verify(targets or [target()], lambda _: None, only)


def raising(error: Exception) -> Callable[[], Finding]:
    def decide() -> Finding:
        raise error

    return decide


def test_each_check_ends_as_it_was_decided(given: type[Given]) -> None:
    given.ends = {
        "S1": lambda: passed("43200 s"),
        "S2": lambda: failed("names another account", "name 291871421005"),
        "S3": lambda: warned("odd"),
        "S4": raising(Unreadable("kms:GetKeyPolicy", "AccessDenied")),
    }
    results = {one.id: one for one in run().results}
    assert [one.status.value for one in results.values()] == ["pass", "fail", "warn", "unknown"]
    assert results["S1"].mend == ""
    assert results["S2"].mend == "name 291871421005"
    assert results["S3"].mend == tables.CHECKS["S3"].mend
    assert "kms:GetKeyPolicy" in results["S4"].mend
    assert results["S4"].evidence == "AccessDenied"


def test_only_the_checks_that_are_wanted_are_decided(given: type[Given]) -> None:
    given.ends = {"S1": lambda: passed(""), "S2": raising(AssertionError("was not wanted"))}
    assert [one.id for one in run(only=("S1",)).results] == ["S1"]


def test_what_cannot_be_decided_does_not_hold(given: type[Given]) -> None:
    given.ends = {"S1": lambda: warned("")}
    assert run().held
    given.ends = {"S1": raising(CouldNotTell("", ""))}
    assert not run().held


def test_destinations_are_read_at_the_same_time_and_told_of_in_order(given: type[Given]) -> None:
    meeting = threading.Barrier(3, timeout=20)

    def decide() -> Finding:
        meeting.wait()
        return passed("")

    given.ends = {"S1": decide}
    document = run(target("a"), target("b"), target("c"))
    assert [one.destination for one in document.results] == ["a", "b", "c"]
    assert [one.title for one in document.destinations] == ["acme-a", "acme-b", "acme-c"]


def test_a_request_s_own_checks_come_beside(given: type[Given]) -> None:
    given.ends = {"S1": lambda: passed("")}
    body = {"properties": {"enable_recording": False}}
    found = run(Target("calls", target().recording_storage, conversation=body)).results
    assert {one.id: one.status.value for one in found} == {"S1": "pass", "W3": "fail"}


def test_a_defect_in_a_check_is_no_answer_and_hides_no_other(given: type[Given]) -> None:
    given.ends = {"S1": raising(ZeroDivisionError("by zero")), "S2": lambda: failed("")}
    defect, other = run().results
    assert (defect.status, other.status) == (Status.UNKNOWN, Status.FAIL)
    assert "ZeroDivisionError: by zero" in defect.evidence
    assert "report it" in defect.mend


# --- reads ----------------------------------------------------------------------------------------


def test_a_shared_read_is_made_once() -> None:
    asked: list[int] = []
    reads = Reads()
    futures = [reads.once("identity", lambda: asked.append(1)) for _ in range(20)]
    for future in futures:
        future.result()
    assert asked == [1]


def test_a_read_may_wait_for_others_even_when_every_slot_is_taken() -> None:
    reads = Reads(at_a_time=1)

    def chain(depth: int) -> int:
        return reads.call(lambda: 1) + (reads.begin(chain, depth - 1).result() if depth else 0)

    assert sum(one.result(timeout=20) for one in [reads.begin(chain, 5) for _ in range(10)]) == 60


def test_what_a_read_raises_is_raised_for_each_who_asks() -> None:
    future = Reads().begin(raising(Unreadable("iam:GetRole", "denied")))
    for _ in range(2):
        with pytest.raises(Unreadable, match="denied"):
            future.result()


# --- findings -------------------------------------------------------------------------------------


def test_several_findings_are_as_bad_as_the_worst() -> None:
    assert worst(passed("a"), warned("b"), failed("c", "d"), failed("e")) == failed("c · e", "d")
    assert worst(passed("a"), passed("b")) == passed("a · b")
    assert worst(passed("a"), Finding(Status.UNKNOWN, "b"), warned("c")).status is Status.UNKNOWN


def test_what_hangs_on_another_check_says_on_which() -> None:
    assert "S2" in NothingThere("the role", "S2").mend


# --- the table ------------------------------------------------------------------------------------


def test_every_row_of_the_table_is_whole_and_no_id_is_given_twice() -> None:
    rows = [
        *tables.S3_CHECKS,
        *tables.GCS_CHECKS,
        *tables.AZURE_BLOB_CHECKS,
        *tables.CONVERSATION_CHECKS,
    ]
    assert len({one.id for one in rows}) == len(rows) == len(tables.CHECKS)
    for one in rows:
        assert all((one.id, one.title, one.decides, one.shows, one.mend)), one.id
        assert one.source.startswith("https://"), one.id


# --- how it is shown ------------------------------------------------------------------------------


def document(*results: Result) -> Document:
    destination = DestinationReport("calls", "", "s3", "Amazon S3 · acme-calls")
    return Document(destinations=[destination], results=list(results), seconds=1.25)


FOUND = document(
    Result("calls", "S1", Status.PASS, "sessions of 12 hours", "43200 s", "", "https://x"),
    Result(
        "calls", "S2", Status.FAIL, "the service is let in", 'wants "Tavus" <&>', "write tavus", "https://x"
    ),
    Result("calls", "S7", Status.WARN, "old versions expire", "they don't", "add a rule", "https://x"),
    Result(
        "calls", "S4", Status.UNKNOWN, "the key lets it write", "denied\x00", "grant kms:GetKeyPolicy", ""
    ),
)


def shown(found: Document) -> str:
    out = io.StringIO()
    verify_report.write_text(found, out)
    return out.getvalue()


def test_text_has_evidence_and_mend_under_what_is_not_green() -> None:
    lines = shown(FOUND).splitlines()
    assert lines[:3] == [
        "calls · Amazon S3 · acme-calls",
        "  passed    S1  sessions of 12 hours",
        "  FAILED    S2  the service is let in",
    ]
    assert [line.split()[0] for line in lines[3:6]] == ["evidence", "mend", "source"]
    assert lines[-1] == "1 passed, 1 FAILED, 1 unclear, 1 warned of in 1.2 s"


def test_json_has_the_same_facts() -> None:
    out = io.StringIO()
    report.write_json([FOUND], out)
    found = json.loads(out.getvalue())
    assert [one["id"] for one in found["results"]] == ["S1", "S2", "S7", "S4"]
    assert {name: found["summary"][name] for name in ("pass", "fail", "warn", "unknown", "held")} == {
        "pass": 1,
        "fail": 1,
        "warn": 1,
        "unknown": 1,
        "held": False,
    }


def test_junit_is_read_back_with_a_failure_and_an_error() -> None:
    out = io.StringIO()
    junit.write(FOUND, out)
    suites = list(JUnitXml.fromstring(out.getvalue().encode()))
    cases: dict[str, Any] = {case.name.split()[0]: case for case in suites[0]}  # type: ignore[attr-defined]
    assert [suite.name for suite in suites] == ["calls"]
    assert list(cases) == ["S1", "S2", "S7", "S4"]
    assert [type(one) for one in cases["S2"].result] == [Failure]
    assert cases["S2"].result[0].message == 'wants "Tavus" <&>'
    assert [type(one) for one in cases["S4"].result] == [Error]
    assert not cases["S1"].result
    assert not cases["S7"].result
    assert "add a rule" in cases["S7"].system_out


# --- watching -------------------------------------------------------------------------------------


def watched(*rounds: Document, timeout: float) -> tuple[Document, list[str]]:
    told: list[str] = []
    left = iter(rounds)
    return watch.until_green(lambda: next(left), timeout, told.append, pause_seconds=0.01), told


GREEN = document(Result("calls", "S1", Status.PASS, "sessions of 12 hours"))


def test_watching_ends_with_the_first_that_is_green() -> None:
    found, told = watched(FOUND, FOUND, GREEN, timeout=60)
    assert found is GREEN
    assert told == ["not green yet: calls S2, calls S4"]


def test_watching_ends_when_the_time_is_up() -> None:
    found, told = watched(FOUND, timeout=0)
    assert found is FOUND
    assert told == []
