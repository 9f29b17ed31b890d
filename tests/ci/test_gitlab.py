"""The scripts of GitLab's includes, run as they are written, with a stand-in for its API."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.ci.pipelines import LINKED, Runner, git, gitlab
from tests.ci.recorded import SAMPLES
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    shutil.which("jq") is None, reason="jq, which the includes install, is not on PATH"
)

API = "https://gitlab.example/api/v4"
STACK = {"stack": "simple", "backend": "s3://state"}
TEXT = "config: {destinations: {calls: {provider: s3, region: eu-west-1}}}\n"
TOKENS = {f"{cloud}_ID_TOKEN": f"{cloud}-token" for cloud in ("AWS", "GOOGLE", "AZURE")}
COMMON = {
    "CI_API_V4_URL": API,
    "CI_PROJECT_ID": "5",
    "CI_DEFAULT_BRANCH": "main",
    "CI_JOB_ID": "99",
    "RECORDING_STORAGE_TOKEN": "a-token",
}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner.at(tmp_path)
    made.serve()
    return made


def script(job: dict[str, Any], part: str = "script") -> str:
    """What GitLab runs of a job, but for the setting up, which needs a network."""
    return "\n".join(one for one in job[part] if one != "make setup" and "apt-get" not in one)


def variables(include: dict[str, Any], name: str) -> dict[str, str]:
    """A job's variables, with those that it extends."""
    job = include[name]
    above = variables(include, job["extends"]) if "extends" in job else {}
    return above | job.get("variables", {})


class TestStack:
    NAME = "recording-storage:simple"

    def test_rehearse(self, runner: Runner) -> None:
        job = gitlab("recording-storage", **STACK)[f"{self.NAME}:rehearse"]
        assert runner.bash(script(job), {"STACK": "simple"}).code == 0
        assert runner.bash(script(job, "after_script"), {"STACK": "simple"}).code == 0
        assert {*job["artifacts"]["paths"]} <= {one.name for one in runner.folder.iterdir()}
        assert "What was proven" in (runner.folder / "rehearsal.md").read_text()

    def test_clouds_that_are_named_get_a_token_each(self, runner: Runner) -> None:
        include = gitlab(
            "recording-storage",
            **STACK,
            google_provider="projects/1/locations/global/workloadIdentityPools/ci/providers/gitlab",
            aws_preview_role="arn:aws:iam::111122223333:role/preview",
            google_preview_service_account="preview@acme.iam.gserviceaccount.com",
            azure_preview_client="33333333-3333-4333-8333-333333333333",
            azure_tenant="44444444-4444-4444-8444-444444444444",
        )
        clouds = script(include[".recording-storage:simple:clouds"], "before_script")
        given = COMMON | TOKENS | variables(include, f"{self.NAME}:preview")
        google_file = '"$GOOGLE_APPLICATION_CREDENTIALS"'
        show = (
            f'\ncat "$AWS_WEB_IDENTITY_TOKEN_FILE" "$AZURE_FEDERATED_TOKEN_FILE"; echo; cat {google_file}; echo'
            f'\ncat "$(jq -r .credential_source.file {google_file})"; stat -c %a "$AZURE_FEDERATED_TOKEN_FILE"'
        )
        done = runner.bash(clouds + show, given)
        assert done.code == 0, done.out
        assert "AWS-tokenAZURE-token" in done.out
        assert done.out.endswith("GOOGLE-token600\n")
        google = json.loads(done.out[done.out.index("{") : done.out.rindex("}") + 1])
        assert google["audience"] == f"//iam.googleapis.com/{given['GOOGLE_PROVIDER']}"
        assert google["service_account_impersonation_url"].endswith(
            "/serviceAccounts/preview@acme.iam.gserviceaccount.com:generateAccessToken"
        )
        assert runner.state["calls"][0][1] == ["login", "--non-interactive", "--", "s3://state"]

    def test_clouds_that_are_not_named_get_none(self, runner: Runner) -> None:
        include = gitlab("recording-storage", **STACK)
        clouds = script(include[".recording-storage:simple:clouds"], "before_script")
        given = COMMON | TOKENS | variables(include, f"{self.NAME}:up")
        done = runner.bash(
            f"{clouds}\nenv | grep -E '^(AWS_W|AWS_ROLE|GOOGLE_A|AZURE_F|ARM_U)' || true", given
        )
        assert (done.code, done.out) == (0, "")

    def test_preview_under_the_base_branchs_policies(self, runner: Runner, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--quiet", str(runner.folder), str(tmp_path / "clone"))
        job = gitlab("recording-storage", **STACK)[f"{self.NAME}:preview"]
        lines = [one for one in job["script"] if not one.startswith("make ")]
        given = COMMON | {
            "STACK": "simple",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_BUILDS_DIR": str(tmp_path),
        }
        runner.serve(**{"pulumi preview": {"code": 0, "out": str(SAMPLES / "created.jsonl")}})
        done = runner.bash("\n".join(lines), given, tmp_path / "clone")
        assert done.code == 0, done.out
        assert (tmp_path / "base-99/__main__.py").exists()
        words = runner.state["calls"][0][1]
        assert words[words.index("--policy-pack") + 1] == f"{tmp_path}/base-99/policy"
        assert (tmp_path / "clone/preview.jsonl").read_text() == (SAMPLES / "created.jsonl").read_text()

    def test_drift(self, runner: Runner) -> None:
        runner.serve(
            **{
                "pulumi preview": {"code": 1, "out": str(SAMPLES / "drifted.jsonl")},
                "pulumi stack": {"code": 1, "out": ""},
            }
        )
        job = gitlab("recording-storage", **STACK)[f"{self.NAME}:drift"]
        assert runner.bash(script(job), {"STACK": "simple"}).code == 0
        assert "update calls-versioning" in (runner.folder / "drift/simple.md").read_text()

    def test_a_stack_goes_up_by_hand_and_from_the_default_branch(self) -> None:
        include = gitlab("recording-storage", **STACK)
        job = include[f"{self.NAME}:up"]
        assert [rule["when"] for rule in job["rules"]] == ["manual"]
        assert all("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"] for rule in job["rules"])
        assert job["environment"]["name"] == "simple"
        assert job["resource_group"] == "up-simple"
        assert [name for name in include if "environment" in include[name]] == [f"{self.NAME}:up"]


class TestComments:
    def run(self, runner: Runner, tmp_path: Path, *pulls: dict[str, Any], **answers: Any) -> dict[str, Any]:
        """The job on the default branch, in a clone of what has the merge requests' commits."""
        base = Runner(tmp_path / "base", runner.temp)
        if not base.folder.exists():
            git(
                tmp_path,
                "clone",
                "--quiet",
                "--no-local",
                "--branch",
                "main",
                str(runner.folder),
                str(base.folder),
            )
            for one in LINKED:
                (base.folder / one).symlink_to(ROOT / one)
            git(runner.folder, "config", "uploadpack.allowAnySHA1InWant", "true")
        given = {
            "GET user": {"id": 7},
            "GET projects/5/merge_requests": list(pulls),
            "GET projects/5/pipelines": [],
        }
        runner.serve(**given, **answers)
        job = gitlab("recording-storage-comments")["recording-storage:comments"]
        done = base.bash(script(job), COMMON)
        assert done.code == 0, done.out
        return runner.state

    def change(self, runner: Runner, **files: str) -> str:
        git(runner.folder, "checkout", "--quiet", "-b", "change")
        return runner.commit(**files)

    def test_a_note_is_made_and_updated(self, runner: Runner, tmp_path: Path) -> None:
        head = self.change(runner, **{"stacks/Pulumi.simple.yaml": TEXT + "# it\n", "README.md": "other"})
        open_ = {"iid": 3, "sha": head, "source_project_id": 5}
        fork = {"iid": 4, "sha": head, "source_project_id": 6}
        notes = "GET projects/5/merge_requests/3/notes"
        jobs = [
            {"id": 20, "name": "recording-storage:simple:preview"},
            {"id": 21, "name": "recording-storage:simple:rehearse"},
        ]
        answers: dict[str, Any] = {
            "GET projects/5/pipelines": [{"id": 11}],
            "GET projects/5/pipelines/11/jobs": jobs,
            "GET projects/5/jobs/20/artifacts/preview.jsonl": (SAMPLES / "created.jsonl").read_text(),
        }
        given = {"GET user": {"id": 7}, "GET projects/5/merge_requests": [open_, fork]}
        mine: list[dict[str, Any]] = [
            {"id": 1, "author": {"id": 8}, "body": "<!-- recording-storage: simple -->"}
        ]
        for _ in range(2):
            base = Runner(tmp_path / "base", runner.temp)
            if not base.folder.exists():
                self.run(runner, tmp_path)
            runner.serve(**given, **answers, **{notes: mine})
            job = gitlab("recording-storage-comments")["recording-storage:comments"]
            done = base.bash(script(job), COMMON)
            assert done.code == 0, done.out
            mine = runner.state[notes]
        assert [one["author"]["id"] for one in mine] == [8, 7]
        text = mine[1]["body"]
        first, _, second = text.partition("#### From the change's own run")
        assert "12 MiB written in 2 parts" in first
        assert "+ create calls-bucket" in second
        assert "could not be read" in second, "its rehearsal was lost"
        assert not any(
            call[0] != "GET" and "/4/" in call[1] for call in runner.state["calls"] if call[0] != "pulumi"
        )

    def test_a_hostile_change_gets_no_note(self, runner: Runner, tmp_path: Path) -> None:
        head = self.change(runner, **{"stacks/Pulumi.$(id).yaml": TEXT})
        state = self.run(runner, tmp_path, {"iid": 3, "sha": head, "source_project_id": 5})
        assert {call[0] for call in state["calls"]} == {"GET"}


def test_an_issue_is_opened_updated_and_closed(runner: Runner) -> None:
    job = gitlab("recording-storage-comments")["recording-storage:issues"]
    place, marker = "GET projects/5/issues", "<!-- recording-storage: simple -->"
    runner.serve(**{"GET user": {"id": 7}, place: [{"id": 1, "iid": 1, "description": None}]})
    (runner.folder / "drift").mkdir()
    for content in (f"{marker}\n\nfirst\n", f"{marker}\n\nsecond\n", ""):
        (runner.folder / "drift/simple.md").write_text(content)
        done = runner.bash(script(job), COMMON)
        assert done.code == 0, done.out
    (_, issue) = runner.state[place]
    assert issue["title"] == "Recording storage: simple differs from main"
    assert issue["description"] == f"{marker}\n\nsecond\n"
    assert issue["state_event"] == "close"
