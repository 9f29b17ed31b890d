"""The comment's Markdown: what it says of real outputs, and that nothing of anybody else's becomes Markdown."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from recording_storage.ci import CiError
from recording_storage.ci.artefacts import Findings, Unreadable
from recording_storage.ci.comment import Said, comment, marker
from recording_storage.ci.drift import drifted, issue
from recording_storage.ci.markdown import LONGEST, LONGEST_LINE
from recording_storage.ci.masks import IDENTIFYING, MASK, masks, unmasked
from recording_storage.ci.previews import Change, Preview, Violation, preview
from recording_storage.results import Status
from tests.ci.recorded import SAMPLES
from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})
OURS = {"details", "/details", "summary", "/summary"}
CALLS = {
    "provider": "s3",
    "region": "eu-west-1",
    "account": "123456789012",
    "external_id": "acme-secretish",
    "readers": ["arn:aws:iam::123456789012:role/player"],
}
MEETINGS = {"provider": "gcs", "project": "acme-prod-1", "location": "EU", "workspace_id": "w-acme-1"}
SUPPORT = {
    "provider": "azure_blob",
    "tenant": "33333333-3333-4333-8333-333333333333",
    "subscription": "44444444-4444-4444-8444-444444444444",
    "location": "westeurope",
    "workspace_id": "w-acme-1",
}
CONFIG = {"destinations": {"calls": CALLS, "meetings": MEETINGS, "support": SUPPORT}}
SECRETS = ("123456789012", "acme-secretish", "acme-prod-1", "w-acme-1", "33333333-3333", "44444444-4444")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project") / "project", CONFIG)


@pytest.fixture(scope="module")
def rehearsal(project: Path) -> Path:
    """What a rehearsal of a stack in three clouds prints now."""
    done = command("rehearse", "acme", "-f", "json", folder=project)
    assert done.code in (0, 1), done.err
    (project / "rehearsal.json").write_text(done.out)
    return project / "rehearsal.json"


def written(project: Path, *words: str) -> Outcome:
    done = command("ci", "comment", "--stack", "acme", *words, folder=project)
    assert done.code == 0, done.err
    return done


def test_a_rehearsal_is_shown_whole(project: Path, rehearsal: Path) -> None:
    shown = written(project, "--rehearsal", str(rehearsal)).out
    results = json.loads(rehearsal.read_text())["results"]
    kinds = [one["id"].partition(".")[0] for one in results if one["status"] == "pass"]
    assert f"{kinds.count('proven')} proven, {kinds.count('refused')} refused" in shown
    plain = " ".join(shown.split())
    for one in results:
        if one["status"] == "pass" and one["id"].startswith(("proven.", "refused.")):
            assert masks(CONFIG)(one["title"]) in plain, one["id"]
    assert shown.startswith("<!-- recording-storage: acme -->\n\n### Recording storage: `acme`\n")


def test_identifiers_are_masked_unless_asked_otherwise(project: Path, rehearsal: Path) -> None:
    shown = written(project, "--rehearsal", str(rehearsal)).out
    for one in SECRETS:
        assert one not in shown
        assert one.upper() not in shown
    assert MASK in shown
    assert "account 291871421005" in shown, "the service's own account is public"
    whole = written(project, "--rehearsal", str(rehearsal), "--unmasked").out
    for one in ("acme-secretish", "acme-prod-1", "w-acme-1"):
        assert one in whole


def test_an_outcome_of_json_alone_is_masked_too(rehearsal: Path, tmp_path: Path) -> None:
    elsewhere = write_project(tmp_path / "project", {}, stack="other")
    shown = written(elsewhere, "--rehearsal", str(rehearsal)).out
    assert "123456789012" not in shown
    assert "@" not in shown


def test_what_identifies_is_known_of_every_setting() -> None:
    from components.settings import PROVIDERS

    plain = {
        *("provider", "region", "location", "redundancy", "identity", "on_destroy", "retention_days", "tags"),
        *("bucket_name", "role_name", "role_path", "permissions_boundary_file", "pool_id", "provider_id"),
        *(
            "existing",
            "service_account_id",
            "storage_account",
            "container",
            "resource_group",
            "identity_name",
        ),
    }
    switches = re.compile(
        r"(allow|adopt|create|existing|cold|bucket|retain|kms_key_deletion|versions?|soft|object)_.*|adopt"
    )
    known = {name for provider in PROVIDERS.values() for name in provider().destination.model_fields}
    unknown = {name for name in known - IDENTIFYING - plain if not switches.fullmatch(name)}
    assert unknown == set(), "say of each whether it identifies an account: IDENTIFYING, or here"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("arn:aws:iam::111122223333:role/recordings-acme", f"arn:aws:iam::{MASK}:role/{MASK}"),
        ("arn:aws:iam::111122223333:root", f"arn:aws:iam::{MASK}:root"),
        ("arn:aws:iam::291871421005:root", "arn:aws:iam::291871421005:root"),
        ("arn:aws-cn:kms:cn-north-1:111122223333:key/abc", f"arn:aws-cn:kms:cn-north-1:{MASK}:key/{MASK}"),
        ("arn:aws:s3:::acme-calls/*", "arn:aws:s3:::acme-calls/*"),
        ("account 111122223333, or 1111-2222-3333", f"account {MASK}, or {MASK}"),
        ("projects/321480628189/locations/global", f"projects/{MASK}/locations/global"),
        ("/subscriptions/22222222-2222-4222-8222-222222222222/x", f"/subscriptions/{MASK}/x"),
        ("somebody@example.com and rec@acme.iam.gserviceaccount.com", f"{MASK} and {MASK}"),
        ("AROAEXAMPLEEXAMPLE12:session", f"{MASK}:session"),
        ("43200 s, 12 MiB, 2026-11-20", "43200 s, 12 MiB, 2026-11-20"),
    ],
)
def test_identifiers_are_known_by_their_form(text: str, shown: str) -> None:
    assert masks()(text) == shown


def test_identifiers_are_known_by_their_values() -> None:
    mask = masks(
        {"config": {"x:destinations": json.dumps({"calls": {"externalId": "acme", "region": "EU"}})}}
    )
    assert mask('external id acme, "ACME", not-acme') == f'external id {MASK}, "{MASK}", not-{MASK}'
    assert mask("bucket acme-calls in EU, acmelike") == "bucket acme-calls in EU, acmelike"


def test_a_hidden_character_does_not_hide_an_identifier() -> None:
    found = Findings.model_validate({"error": {"message": "account 1111\u200b22223333"}})
    assert "3333" not in comment(Said("acme", rehearsal=found), masks())


def test_what_is_the_base_branchs_stands_apart(project: Path, rehearsal: Path) -> None:
    base = ("--proven", str(rehearsal), "--policies", str(SAMPLES / "refused.jsonl"), "--commit", "0" * 40)
    own = ("--rehearsal", str(rehearsal), "--preview", str(SAMPLES / "created.jsonl"))
    (project / "changed").write_text("stacks/Pulumi.acme.yaml\n")
    shown = written(project, *base, *own, "--changed", "changed").out
    first, _, second = shown.partition("#### From the change's own run")
    assert "#### From the base branch's code, on the stack file of `000000000000`" in first
    assert "Refused by a policy" in first
    assert "no-bucket calls-bucket" in first
    assert "What was proven" in first
    assert "all code that ran is the base branch's" in second
    assert "Its rehearsal ended as the one above did." in second
    assert "What was proven" not in second
    assert "+ create calls-bucket" in second


def test_code_of_the_change_is_named_before_its_claims(project: Path, rehearsal: Path) -> None:
    (project / "changed").write_text("components/s3.py\n.github/workflows/pull-request.yml\nREADME.md\n")
    shown = written(project, "--rehearsal", str(rehearsal), "--changed", "changed").out
    warning, claims = shown.index("could have written it itself"), shown.index("What was proven")
    assert warning < shown.index("components/s3.py") < claims
    assert warning < shown.index(".github/workflows/pull-request.yml") < claims
    assert "README.md" not in shown


def test_a_forged_rehearsal_does_not_pass_for_the_base_branchs() -> None:
    proven = Findings.model_validate(
        {"results": [{"id": "refused.anonymous", "status": "fail", "title": "anonymous"}]}
    )
    forged = Findings.model_validate(
        {"results": [{"id": "refused.anonymous", "status": "pass", "title": "anonymous"}]}
    )
    shown = comment(Said("acme", proven=proven, rehearsal=forged, code=["__main__.py"]), unmasked)
    first, _, second = shown.partition("#### From the change's own run")
    assert "| Rehearsed | ❌" in first
    assert "FAILED anonymous should have been refused [refused.anonymous]" in first
    assert "ended as the one above" not in second


def test_a_summary_is_not_believed() -> None:
    lying = Findings.model_validate(
        {
            "results": [{"id": "proven.write", "status": "fail", "title": "written"}],
            "summary": {"held": True, "fail": 0},
        }
    )
    assert "| Rehearsed | ❌ **1 failed**" in comment(Said("acme", proven=lying), unmasked)


def test_nothing_at_all_is_not_green() -> None:
    for said in (
        Said("acme", proven=Findings()),
        Said("acme", proven=Unreadable("nothing was handed over")),
        Said("acme", policies=Preview(ended=True)),
        Said("acme", preview=Unreadable("it is empty")),
        Said("acme"),
    ):
        assert "✅" not in comment(said, unmasked)


@pytest.mark.parametrize("name", ["", "a b", "-->", "a\nb", "@team", "`", "--project", "é"])
def test_a_strange_stack_has_no_comment(name: str) -> None:
    with pytest.raises(CiError):
        comment(Said(name), unmasked)
    with pytest.raises(CiError):
        comment(Said("acme", commit=name), unmasked)


def test_the_marker_is_the_first_line() -> None:
    assert (
        comment(Said("a--b.c"), unmasked).splitlines()[0]
        == marker("a--b.c")
        == "<!-- recording-storage: a--b.c -->"
    )


# --- Nothing of anybody else's becomes Markdown, HTML, a link, a mention or a command ---------------

HOSTILE = [
    "```\n# heading",
    "````\n[x](https://evil.example)",
    "~~~",
    "@everyone @org/team",
    "<img src=x onerror=alert(1)>",
    "<!-- -->",
    "-->",
    "</summary></details><script>",
    "https://evil.example www.evil.example",
    "#1 GH-1 owner/repo#2",
    "![x](https://evil.example/x.png)",
    "| a | b |\n|---|---|",
    "\n/close\n/merge",
    "::add-mask::x\n::stop-commands::y",
    "a ##[command]x",
    "\u202egnitirw \u2066x\u2069 \u200b@\u200bteam",
    "\x00\x1b[31m\r\n\x85\u2028\u2029",
    "&lt;b&gt; &#64;team",
    "${{ github.token }} $(id)",
    "[x]: https://evil.example",
    "x" * 5_000,
    "\ud800",
]
text = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from([*"`~<>@#[]()|!:&\\/-*_ \n\rx", "::", "https://", "```"]), max_size=30).map(
        "".join
    ),
    st.text(max_size=40),
)
texts = st.lists(text, max_size=4)
found_results = st.fixed_dictionaries(
    dict.fromkeys(("destination", "id", "title", "evidence", "mend"), text)
    | {"status": st.sampled_from([one.value for one in Status])}
)
made = st.fixed_dictionaries({"kind": text, "name": text, "properties": texts})
places = st.fixed_dictionaries(
    {"name": text, "title": text, "made": st.lists(made, max_size=2), "unproven": texts, "to_do": texts}
)
found_all = st.fixed_dictionaries(
    {
        "results": st.lists(found_results, max_size=4),
        "destinations": st.lists(places, max_size=2),
        "error": st.none() | st.fixed_dictionaries({"message": text}),
    }
).map(Findings.model_validate)
previews = st.builds(
    Preview,
    changes=st.lists(st.builds(Change, text, text, text, st.lists(text, max_size=2).map(tuple)), max_size=3),
    errors=texts,
    warnings=texts,
    violations=st.lists(
        st.builds(Violation, text, text, st.sampled_from(["mandatory", "advisory", "@x"]), text, text),
        max_size=3,
    ),
    packs=texts.map(tuple),
    ended=st.booleans(),
)
unreadable = st.builds(Unreadable, text)
saids = st.builds(
    Said,
    stack=st.just("acme"),
    proven=st.none() | unreadable | found_all,
    policies=st.none() | unreadable | previews,
    rehearsal=st.none() | unreadable | found_all,
    preview=st.none() | unreadable | previews,
    verified=st.none() | unreadable | found_all,
    code=st.none() | texts,
)


def assert_harmless(shown: str) -> None:
    """Only what is written here is Markdown: anybody else's words are in blocks of code."""
    assert len(shown.encode()) <= LONGEST
    for one in shown.splitlines():
        assert len(one) <= LONGEST_LINE + 2
        bare = one.strip()
        assert not bare.startswith("::"), one
        assert "##[" not in one
        assert not one.startswith("/")
    for token in MARKDOWN.parse(shown):
        assert token.type not in ("code_block", "hr", "blockquote_open"), token
        if token.type == "fence":
            assert token.info == "text"
            assert all(line.startswith("  ") for line in token.content.splitlines())
        elif token.type == "html_block":
            for tag in re.findall(r"<([^>]*)>", token.content):
                assert tag in OURS or tag == "!-- recording-storage: acme --", token.content
        elif token.type == "heading_open":
            assert token.tag in ("h3", "h4")
        for child in token.children or ():
            assert child.type in (
                "text",
                "code_inline",
                "strong_open",
                "strong_close",
                "softbreak",
                "html_inline",
            ), child
            if child.type in ("text", "html_inline"):
                assert not re.search(r"[@#\[\]]|https?:|www\.|\$", child.content), child.content
    assert not re.search(
        "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", shown
    )


@given(saids)
@settings(max_examples=120, deadline=None)
def test_nothing_hostile_becomes_markdown(said: Said) -> None:
    assert_harmless(comment(said, masks()))
    assert_harmless(comment(said, unmasked))


@given(unreadable | previews, unreadable | found_all)
@settings(max_examples=60, deadline=None)
def test_nothing_hostile_becomes_markdown_in_an_issue(seen: Any, read: Any) -> None:
    assert_harmless(issue("acme", seen, read, masks()))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_each_of_them_in_every_place(hostile: str) -> None:
    result = {
        "destination": hostile,
        "id": f"proven.{hostile}",
        "title": hostile,
        "evidence": hostile,
        "mend": hostile,
    }
    found = Findings.model_validate(
        {
            "results": [result | {"status": one.value} for one in Status],
            "destinations": [
                {
                    "name": hostile,
                    "title": hostile,
                    "made": [{"kind": hostile, "name": hostile, "properties": [hostile]}],
                }
            ],
        }
    )
    seen = Preview(
        changes=[Change(hostile, hostile, hostile, (hostile,))],
        errors=[hostile],
        warnings=[hostile],
        violations=[Violation(hostile, hostile, "mandatory", hostile, hostile)],
        packs=(hostile,),
    )
    assert_harmless(comment(Said("acme", None, found, seen, found, seen, found, [hostile]), masks()))


def test_a_hostile_stack_file_from_end_to_end(tmp_path: Path) -> None:
    names = {f"{one[:30]}": CALLS for one in HOSTILE if one.isprintable()}
    project = write_project(
        tmp_path / "project", {"destinations": names, "tags": {one[:50]: one[:50] for one in HOSTILE[:-1]}}
    )
    done = command("rehearse", "acme", "-f", "json", folder=project)
    assert done.code == 2
    (project / "rehearsal.json").write_text(done.out)
    shown = written(project, "--rehearsal", "rehearsal.json").out
    assert "could not be done" in shown
    assert_harmless(shown)


def test_the_longest_comment_is_short_enough() -> None:
    results = [
        {
            "destination": f"d{at}",
            "id": f"proven.x{at}",
            "status": status,
            "title": "é" * 200,
            "evidence": "word " * 200,
        }
        for at in range(500)
        for status in ("fail", "pass", "warn")
    ]
    found = Findings.model_validate({"results": results})
    seen = Preview(
        changes=[Change("create", "t" * 100, f"n{at}") for at in range(5_000)], errors=["e " * 100] * 500
    )
    shown = comment(Said("acme", None, found, seen, found, seen), unmasked)
    assert_harmless(shown)
    assert len(shown.encode()) > LONGEST * 0.9, "no shorter than it must be"
    assert re.search(r"^  … \d+ more$", shown, re.MULTILINE)


# --- Drift --------------------------------------------------------------------------------------


def test_nothing_drifted() -> None:
    same = preview(SAMPLES / "unchanged.jsonl")
    passed = Findings.model_validate({"results": [{"id": "S1", "status": "pass", "title": "sessions"}]})
    assert not drifted(same, passed)
    assert drifted(preview(SAMPLES / "drifted.jsonl"), passed)
    assert drifted(same, Findings())
    assert drifted(same, Unreadable("x"))
    assert drifted(Unreadable("x"), passed)
    assert drifted(
        same,
        passed.model_copy(
            update={"results": [passed.results[0].model_copy(update={"status": Status.UNKNOWN})]}
        ),
    )


def test_drift_is_said(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", CONFIG)
    failed = {
        "destination": "calls",
        "id": "S8",
        "status": "fail",
        "title": "versions are kept",
        "evidence": "Suspended",
    }
    (project / "verified.json").write_text(json.dumps({"results": [failed]}))
    words = ("ci", "drift", "--stack", "acme", "--verified", "verified.json", "--preview")
    done = command(*words, str(SAMPLES / "drifted.jsonl"), folder=project)
    assert done.code == 1
    assert "~ update calls-versioning  aws:s3/bucketVersioning:BucketVersioning" in done.out
    assert "FAILED calls: versions are kept [S8]" in done.out
    assert_harmless(done.out)
    (project / "verified.json").write_text(json.dumps({"results": [failed | {"status": "pass"}]}))
    done = command(*words, str(SAMPLES / "unchanged.jsonl"), folder=project)
    assert (done.code, done.out) == (0, "")
