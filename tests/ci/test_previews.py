"""What the Pulumi CLI prints of a preview, as it was recorded, and as it is now where there is a CLI."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from recording_storage.ci.artefacts import LARGEST, Unreadable, findings
from recording_storage.ci.previews import Change, Preview, preview
from tests.ci.recorded import SAMPLES, record
from tests.support.engine import MARKS

if TYPE_CHECKING:
    from pathlib import Path

BUCKET, VERSIONING = "aws:s3/bucket:Bucket", "aws:s3/bucketVersioning:BucketVersioning"


def sample(name: str) -> Preview:
    found = preview(SAMPLES / name)
    assert isinstance(found, Preview)
    return found


def reason(path: Path) -> str:
    found = preview(path)
    assert isinstance(found, Unreadable)
    read = findings(path)
    assert isinstance(read, Unreadable) or not read.held
    return found.reason


def test_what_would_be_created() -> None:
    found = sample("created.jsonl")
    assert found.held
    assert {one.operation for one in found.changes} == {"create"}
    assert Change("create", BUCKET, "calls-bucket") in found.changes
    assert (found.packs, found.errors, found.same) == ((), [], 0)
    assert "acme-1" in found.config["recording-storage:destinations"]


def test_the_digest_says_the_same_of_changes() -> None:
    digest, events = sample("digest.json"), sample("created.jsonl")
    assert set(digest.changes) == set(events.changes)
    assert digest.config == events.config
    assert digest.held


def test_what_the_policies_found() -> None:
    found = sample("refused.jsonl")
    assert not found.held
    assert found.packs == ("sample",)
    assert found.passed == 1
    (refused,), (advised,) = found.refused, found.advised
    assert (refused.policy, refused.resource, refused.level) == ("no-bucket", "calls-bucket", "mandatory")
    assert "is refused: write another" in refused.message
    assert (advised.policy, advised.resource) == ("no-role", "calls-role")
    assert found.errors == [], "a violation isn't said twice"


def test_nothing_to_change() -> None:
    found = sample("unchanged.jsonl")
    assert found.held
    assert found.changes == []
    assert found.same == 12


def test_what_somebody_else_has_changed() -> None:
    found = sample("drifted.jsonl")
    assert found.changes == [Change("update", VERSIONING, "calls-versioning", ("versioningConfiguration",))]


def test_what_would_be_replaced_is_said_once() -> None:
    found = sample("replaced.jsonl")
    assert [one.operation for one in found.changes if one.name == "calls-bucket"] == ["replace"]
    assert any("marked for protection" in one for one in found.errors)
    assert not found.held


def test_a_program_that_failed() -> None:
    found = sample("failed.jsonl")
    assert not found.held
    assert any('"Ireland"' in one for one in found.errors)


@pytest.mark.parametrize("name", ["created.jsonl", "refused.jsonl", "drifted.jsonl"])
def test_a_run_that_was_cut_short_did_not_succeed(tmp_path: Path, name: str) -> None:
    lines = (SAMPLES / name).read_text().splitlines(keepends=True)
    (tmp_path / "cut").write_text("".join(one for one in lines if "summaryEvent" not in one))
    found = preview(tmp_path / "cut")
    assert isinstance(found, Preview)
    assert not found.held


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"[1]", "no preview"),
        (b"{}", "no preview"),
        (b"oops", "no JSON"),
        (b"\xff\xfe", "no UTF-8"),
        (b"[" * 200_000, "nested"),
        (b'{"a":' * 5_000, "nested"),
        (b'{"sequence": 0}\n[]\n', "no event"),
        (b" " * (LARGEST + 1), "larger"),
    ],
)
def test_what_is_no_preview_says_nothing(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert said in reason(tmp_path / "file")


def test_links_and_folders_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(SAMPLES / "created.jsonl")
    assert "opened" in reason(tmp_path / "link")
    assert "ordinary" in reason(tmp_path)
    assert "handed over" in reason(tmp_path / "missing")


@pytest.mark.parametrize(
    "value", [None, 1, "text", [], [None], {"metadata": 3}, {"metadata": {"op": {}, "urn": []}}]
)
def test_an_event_of_any_shape_is_read(tmp_path: Path, value: object) -> None:
    kinds = ("preludeEvent", "resourcePreEvent", "resOutputsEvent", "diagnosticEvent", "policyEvent")
    events = [{"sequence": 0, kind: value} for kind in (*kinds, "policyAnalyzeSummaryEvent", "summaryEvent")]
    (tmp_path / "file").write_text("".join(f"{json.dumps(one)}\n" for one in events))
    assert isinstance(preview(tmp_path / "file"), Preview)


class TestWithTheCli:
    pytestmark = MARKS

    def test_the_samples_are_what_it_prints(self, tmp_path: Path) -> None:
        for name, content in record(tmp_path).items():
            (tmp_path / name).write_text(content)
            now, then = preview(tmp_path / name), sample(name)
            assert isinstance(now, Preview), f"{name}: {now}"
            assert set(now.changes) == set(then.changes), name
            assert {one.policy for one in now.violations} == {one.policy for one in then.violations}, name
            assert (now.packs, now.passed, now.ended) == (then.packs, then.passed, then.ended), name
            assert (now.same, bool(now.errors)) == (then.same, bool(then.errors)), name
            assert {*kinds(content)} == {*kinds((SAMPLES / name).read_text())}, name


def kinds(content: str) -> list[str]:
    """The keys that a record has, of every event."""
    if content.startswith("{\n"):
        return list(json.loads(content))
    return [key for line in content.splitlines() for key in json.loads(line)]
