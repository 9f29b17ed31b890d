"""Every step that needs no cloud, run as it is written, with stand-ins for GitHub's CLI and Pulumi's."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.ci.pipelines import ACTIONS, EXPRESSION, Runner, git, load, step, workflow
from tests.ci.recorded import PACK, SAMPLES
from tests.support.engine import MARKS
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq, which runners have, is not on PATH")

LIVE = json.dumps({"simple": {"backend": "s3://state"}, "prod": {"backend": "s3://state"}})
STACK = "config: {destinations: {calls: {provider: s3, region: eu-west-1}}}\n"
OPEN = "config: {destinations: {calls: {provider: s3, region: eu-west-1, additional_principals: ['*']}}}\n"
BOT = "github-actions[bot]"


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner.at(tmp_path)
    made.serve()
    return made


def named(place: str, job: str, name: str) -> dict[str, Any]:
    return step(workflow(place)["jobs"][job]["steps"], name)


def branched(runner: Runner, **files: str) -> tuple[str, str]:
    """A branch with a commit that has these files: the base's commit, and the branch's."""
    base = git(runner.folder, "rev-parse", "HEAD")
    git(runner.folder, "checkout", "--quiet", "-b", "change")
    return base, runner.commit(**files)


class TestPullRequest:
    def which(self, runner: Runner, **files: str) -> dict[str, str]:
        base, _ = branched(runner, **files)
        one = named(
            "pull-request", "stacks", "Which stacks the change touches, and which of them are in an account"
        )
        done = runner.run(
            one,
            {"github.event.pull_request.base.sha": base, "vars.RECORDING_STORAGE_STACKS || '{}'": LIVE},
        )
        assert done.code == 0, done.out
        return done.outputs

    def test_which_stacks(self, runner: Runner) -> None:
        found = self.which(runner, **{"stacks/Pulumi.simple.yaml": STACK, "stacks/Pulumi.fresh.yaml": STACK})
        assert found == {"touched": '["fresh", "simple"]', "live": '["simple"]'}

    def test_no_stack(self, runner: Runner) -> None:
        assert self.which(runner, **{"README.md": "other"}) == {"touched": "[]", "live": "[]"}

    def test_all_stacks(self, runner: Runner) -> None:
        found = self.which(runner, **{"components/new.py": ""})
        assert len(json.loads(found["touched"])) > 5
        assert found["live"] == '["simple"]'

    def test_rehearse_and_say_so(self, runner: Runner) -> None:
        stack = {"matrix.stack": "simple"}
        done = runner.run(named("pull-request", "rehearse", "Rehearse"), stack)
        assert done.code == 0, done.out
        said = runner.run(named("pull-request", "rehearse", "Into the job's summary"), stack)
        assert said.code == 0, said.out
        assert "What was proven" in said.summary

    def test_a_faulty_stack_fails_and_says_why(self, runner: Runner) -> None:
        (runner.folder / "stacks/Pulumi.simple.yaml").write_text(STACK.replace("eu-west-1", "Ireland"))
        stack = {"matrix.stack": "simple"}
        assert runner.run(named("pull-request", "rehearse", "Rehearse"), stack).code == 2
        said = runner.run(named("pull-request", "rehearse", "Into the job's summary"), stack)
        assert said.code == 0
        assert 'region = "Ireland"' in said.summary

    def test_preview_under_the_base_branchs_policies(self, runner: Runner) -> None:
        work = runner.temp / "two"
        work.mkdir()
        for one in ("change", "base"):
            (work / one).symlink_to(runner.folder)
        runner.serve(**{"pulumi preview": {"code": 1, "out": str(SAMPLES / "refused.jsonl")}})
        stack = {"matrix.stack": "simple"}
        steps = ("Preview, under the base branch's policies", "Into the job's summary")
        previewed, said = (
            runner.run(named("pull-request", "preview", one), stack, cwd=work) for one in steps
        )
        assert previewed.code == 1, "what a policy refuses fails the check"
        assert said.code == 0, said.out
        assert "Refused by a policy" in said.summary
        ((_, words, _, seen),) = runner.state["calls"]
        assert words[:5] == ["preview", "--stack", "simple", "--policy-pack", "../base/policy"]
        assert words[5:7] == ["--policy-pack-config", "../base/policy/config.json"]
        assert seen == {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true", "PULUMI_CONFIG_PASSPHRASE": ""}


HEAD = "a" * 40


def pull(**changes: Any) -> dict[str, Any]:
    head = {"sha": HEAD, "repo": {"full_name": "acme/recordings"}}
    return {"number": 7, "state": "open", "head": head, "base": {"ref": "main"}} | changes


class TestFind:
    def find(self, runner: Runner, *pulls: dict[str, Any]) -> dict[str, str]:
        runner.serve(**{f"GET repos/acme/recordings/commits/{HEAD}/pulls": pulls})
        one = named(
            "pull-request-comment", "prove", "Which pull request this is, from GitHub and never from the run"
        )
        done = runner.run(
            one,
            {
                "github.token": "a-token",
                "github.repository": "acme/recordings",
                "github.event.repository.default_branch": "main",
                "github.event.workflow_run.head_sha": HEAD,
            },
        )
        assert done.code == 0, done.out
        return done.outputs

    def test_the_one_at_this_commit(self, runner: Runner) -> None:
        assert self.find(runner, pull()) == {"number": "7"}
        assert self.find(runner, pull(number=6, state="closed"), pull()) == {"number": "7"}

    def test_none_that_is_another(self, runner: Runner) -> None:
        fork = {"sha": HEAD, "repo": {"full_name": "mallory/recordings"}}
        for one in (
            pull(state="closed"),
            pull(base={"ref": "release"}),
            pull(head=fork),
            pull(head=fork | {"repo": None}),
            pull(head={"sha": "b" * 40, "repo": {"full_name": "acme/recordings"}}),
        ):
            assert self.find(runner, one) == {}

    def test_none_of_two(self, runner: Runner) -> None:
        assert self.find(runner, pull(), pull(number=8)) == {}


class TestComment:
    """The base branch's job, from the change as data to the comment that is posted."""

    def prepare(self, runner: Runner, tmp_path: Path, **files: str) -> tuple[Runner, dict[str, str]]:
        """A clone of the base branch, and what the steps are told of a change in the repository that it came from."""
        policy = runner.folder / "policy"
        if not policy.exists():
            shutil.copytree(PACK, policy)
            text = (policy / "PulumiPolicy.yaml").read_text()
            (policy / "PulumiPolicy.yaml").write_text(text.replace("../../../.venv", "../.venv"))
            runner.commit()
        base = Runner(tmp_path / "base", runner.temp)
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
        for one in (".venv", "recording_storage/sandbox/azure/node/node_modules"):
            (base.folder / one).symlink_to(ROOT / one)
        _, head = branched(runner, **files)
        git(runner.folder, "config", "uploadpack.allowAnySHA1InWant", "true")
        context = {
            "github.token": "a-token",
            "github.repository": "acme/recordings",
            "github.event.workflow_run.head_sha": head,
            "vars.RECORDING_STORAGE_STACKS || '{}'": LIVE,
            "needs.prove.outputs.number": "7",
        }
        done = base.run(named("pull-request-comment", "prove", "The change, as data"), context)
        assert done.code == 0, done.out
        return base, context | {f"steps.change.outputs.{name}": value for name, value in done.outputs.items()}

    def comments(self, base: Runner, context: dict[str, str]) -> None:
        for name in ("Rehearse each stack, and preview it in the sandbox under the policies", "The comments"):
            done = base.run(named("pull-request-comment", "prove", name), context)
            assert done.code == 0, done.out

    def post(self, runner: Runner, context: dict[str, str]) -> None:
        folder = runner.temp / "posting"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if (runner.temp / "comments").exists():
            shutil.copytree(runner.temp / "comments", folder / "comments")
        one = named("pull-request-comment", "post", "One comment a stack, updated in place")
        done = runner.run(one, context, cwd=folder)
        assert done.code == 0, done.out

    def test_only_stack_files_of_the_change_arrive(self, runner: Runner, tmp_path: Path) -> None:
        hostile = {
            "__main__.py": "raise SystemExit('the change')\n",
            "stacks/Pulumi.simple.yaml": STACK + "# it\n",
        }
        base, context = self.prepare(runner, tmp_path, **hostile)
        assert (base.folder / "stacks/Pulumi.simple.yaml").read_text().endswith("# it\n")
        assert (base.folder / "__main__.py").read_text() == (ROOT / "__main__.py").read_text()
        assert len(json.loads(context["steps.change.outputs.stacks"])) > 5, "its program touches all of them"

    def test_a_change_is_proven_with_the_base_branchs_code(self, runner: Runner, tmp_path: Path) -> None:
        (runner.temp / "state.json").unlink()
        base, context = self.prepare(runner, tmp_path, **{"stacks/Pulumi.simple.yaml": STACK + "# it\n"})
        forged = {"results": [{"id": "proven.write", "status": "pass", "title": "@team all is well"}]}
        handed = base.temp / "change/rehearsal-simple"
        handed.mkdir(parents=True)
        (handed / "rehearsal.json").write_text(json.dumps(forged))
        self.comments(base, context)
        (written,) = (base.temp / "comments").iterdir()
        text = written.read_text()
        first, _, second = text.partition("#### From the change's own run")
        assert "| Rehearsed | ✅" in first
        assert "12 MiB written in 2 parts" in first
        assert "@team" not in first
        assert "all code that ran is the base branch's" in second
        assert "  whole  @team all is well" in second, "in a block of code"

        mine = {"id": 2, "user": {"login": "mallory"}, "body": text}
        runner.serve(**{"GET repos/acme/recordings/issues/7/comments": [mine]})
        self.post(runner, context)
        self.post(runner, context)
        state = runner.state
        posted = state["GET repos/acme/recordings/issues/7/comments"]
        assert [one["user"]["login"] for one in posted] == ["mallory", BOT]
        assert posted[1]["body"] == text
        methods = [call[0] for call in state["calls"]]
        assert methods == ["GET", "POST", "GET", "PATCH"]

    def test_a_hostile_name_of_a_stack_ends_it(self, runner: Runner, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="is taken"):
            self.prepare(runner, tmp_path, **{"stacks/Pulumi.$(id).yaml": STACK})

    def test_nothing_is_posted_where_nothing_is_touched(self, runner: Runner, tmp_path: Path) -> None:
        base, context = self.prepare(runner, tmp_path, **{"README.md": "other"})
        self.comments(base, context)
        self.post(runner, context)
        assert runner.state["calls"] == []

    class TestWithTheCli:
        pytestmark = MARKS

        def test_the_policies_judge_the_stack_file(self, runner: Runner, tmp_path: Path) -> None:
            whole = TestComment()
            base, context = whole.prepare(runner, tmp_path, **{"stacks/Pulumi.simple.yaml": STACK + "# it\n"})
            base.path = []
            whole.comments(base, context)
            text = (base.temp / "comments/simple.md").read_text()
            assert "| Policies |" in text
            assert "none looked at it" not in text.partition("#### From the change's own run")[0]


class TestUp:
    NAME = "Which stacks that are in an account this touches"

    def which(self, runner: Runner, before: str, stack: str = "") -> str:
        done = runner.run(
            named("up", "stacks", self.NAME),
            {
                "github.event.before": before,
                "inputs.stack": stack,
                "vars.RECORDING_STORAGE_STACKS || '{}'": LIVE,
            },
        )
        assert done.code == 0, done.out
        return done.outputs["live"]

    def test_what_was_pushed(self, runner: Runner) -> None:
        base, _ = branched(runner, **{"stacks/Pulumi.simple.yaml": STACK, "stacks/Pulumi.many.yaml": STACK})
        assert self.which(runner, base) == '["simple"]'

    @pytest.mark.parametrize("before", ["0" * 40, "f" * 40, ""])
    def test_all_where_that_is_not_known(self, runner: Runner, before: str) -> None:
        assert self.which(runner, before) == '["prod","simple"]'

    def test_the_one_that_is_asked_for(self, runner: Runner) -> None:
        assert self.which(runner, "", "prod") == '["prod"]'
        assert self.which(runner, "", "many") == "[]"
        assert self.which(runner, "", '"; $(id)') == "[]"

    @pytest.mark.parametrize(
        ("environment", "code"),
        [
            (
                {
                    "protection_rules": [{"type": "required_reviewers"}],
                    "deployment_branch_policy": {"x": True},
                },
                0,
            ),
            ({"protection_rules": [{"type": "wait_timer"}], "deployment_branch_policy": {"x": True}}, 1),
            ({"protection_rules": [{"type": "required_reviewers"}], "deployment_branch_policy": None}, 1),
            ({"protection_rules": []}, 1),
            (None, 1),
        ],
    )
    def test_an_environment_without_approval_ends_it(
        self, runner: Runner, environment: object, code: int
    ) -> None:
        runner.serve(**({"GET repos/acme/recordings/environments/prod": environment} if environment else {}))
        done = runner.run(
            named(
                "up",
                "stacks",
                "Each has an environment that asks for approval, and serves chosen branches only",
            ),
            {
                "github.token": "t",
                "github.repository": "acme/recordings",
                "steps.stacks.outputs.live": '["prod"]',
            },
        )
        assert done.code == code, done.out

    @pytest.mark.parametrize(
        ("file", "code"),
        [("stacks/Pulumi.simple.yaml", 1), ("stacks/Pulumi.many.yaml", 0), ("README.md", 0)],
    )
    def test_what_has_changed_since_is_not_brought_up(
        self, runner: Runner, tmp_path: Path, file: str, code: int
    ) -> None:
        git(tmp_path, "clone", "--quiet", str(runner.folder), str(tmp_path / "older"))
        older = Runner(tmp_path / "older", runner.temp)
        (older.folder / ".venv").symlink_to(ROOT / ".venv")
        runner.commit(**{file: STACK + "# newer\n"})
        done = older.run(
            named("up", "up", "Nothing newer on main touches it"),
            {"github.token": "t", "matrix.stack": "simple", "github.event.repository.default_branch": "main"},
        )
        assert done.code == code, done.out

    def test_up_under_the_policies(self, runner: Runner) -> None:
        assert runner.run(named("up", "up", "Up"), {"matrix.stack": "simple"}).code == 0
        ((_, words, _, _),) = runner.state["calls"]
        assert words[:5] == ["up", "--stack", "simple", "--policy-pack", "policy"]
        assert words[5:7] == ["--policy-pack-config", "policy/config.json"]
        assert {"--yes", "--non-interactive"} <= {*words}

    def test_what_was_verified_is_said(self, runner: Runner) -> None:
        passed = {"destination": "calls", "id": "S1", "status": "pass", "title": "sessions are long enough"}
        (runner.folder / "verified.json").write_text(json.dumps({"results": [passed]}))
        done = runner.run(named("up", "verify", "Into the job's summary"), {"matrix.stack": "simple"})
        assert done.code == 0, done.out
        assert "| Verified in the account | ✅ 1 verified" in done.summary

    def test_verify_without_outputs_could_not_run(self, runner: Runner) -> None:
        runner.serve(**{"pulumi stack": {"code": 1, "out": ""}})
        done = runner.run(
            named("up", "verify", "Verify, until what was just granted counts"), {"matrix.stack": "simple"}
        )
        assert done.code == 2, done.out
        assert "pulumi gives no outputs" in done.out


class TestDrift:
    def test_all_that_are_in_an_account(self, runner: Runner) -> None:
        one = named("drift", "stacks", "All that are in an account")
        for live, found in ((LIVE, '["prod","simple"]'), ("{}", "[]")):
            assert runner.run(one, {"vars.RECORDING_STORAGE_STACKS || '{}'": live}).outputs == {"live": found}

    def test_what_differs_is_handed_over(self, runner: Runner) -> None:
        runner.serve(
            **{
                "pulumi preview": {"code": 1, "out": str(SAMPLES / "drifted.jsonl")},
                "pulumi stack": {"code": 1, "out": ""},
            }
        )
        done = runner.run(named("drift", "look", "What differs"), {"matrix.stack": "simple"})
        assert done.code == 0, done.out
        assert "update calls-versioning" in (runner.folder / "drift/simple.md").read_text()
        assert "update calls-versioning" in done.summary
        words = runner.state["calls"][0][1]
        assert {"--refresh", "--expect-no-changes"} <= {*words}

    def issue(self, runner: Runner, content: str) -> dict[str, Any]:
        folder = runner.temp / "issues"
        (folder / "drift").mkdir(parents=True, exist_ok=True)
        (folder / "drift/simple.md").write_text(content)
        one = named("drift", "issue", "One issue a stack, updated in place, closed when nothing differs")
        done = runner.run(one, {"github.token": "t", "github.repository": "acme/recordings"}, cwd=folder)
        assert done.code == 0, done.out
        return runner.state

    def test_an_issue_is_opened_updated_and_closed(self, runner: Runner) -> None:
        place = "GET repos/acme/recordings/issues"
        runner.serve(
            **{place: [{"id": 1, "number": 1, "body": None}, {"id": 2, "number": 2, "body": "other"}]}
        )
        marker = "<!-- recording-storage: simple -->"
        opened = self.issue(runner, f"{marker}\n\nfirst\n")[place]
        assert opened[2]["title"] == "Recording storage: simple differs from main"
        updated = self.issue(runner, f"{marker}\n\nsecond\n")[place]
        assert [one["body"] for one in updated[2:]] == [f"{marker}\n\nsecond\n"]
        closed = self.issue(runner, "")[place]
        assert closed[2]["state"] == "closed"

    def test_nothing_is_opened_where_nothing_differs(self, runner: Runner) -> None:
        runner.serve(**{"GET repos/acme/recordings/issues": []})
        assert [call[0] for call in self.issue(runner, "")["calls"]] == ["GET"]


class TestClouds:
    STEPS: list[dict[str, Any]] = load(ACTIONS[0])["runs"]["steps"]

    def test_azure_for_pulumis_providers(self, runner: Runner) -> None:
        one = step(self.STEPS, "Azure, for Pulumi's providers")
        names = [EXPRESSION.sub(r"\1", value) for value in one["env"].values()]
        guid = "33333333-3333-4333-8333-333333333333"
        done = runner.run(one, dict.fromkeys(names, guid))
        assert done.code == 0, done.out
        assert done.outputs == {"ARM_USE_OIDC": "true"} | dict.fromkeys(
            ("ARM_CLIENT_ID", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID"), guid
        )
        assert runner.run(one, dict.fromkeys(names, f"{guid}\nPATH=/tmp")).code == 1

    def test_the_state(self, runner: Runner) -> None:
        one = step(self.STEPS, "The state")
        assert runner.run(one, {"fromJSON(inputs.stack).backend": "s3://state"}).code == 0
        assert runner.state["calls"][0][1] == ["login", "--non-interactive", "--", "s3://state"]


def test_every_step_is_run_here_or_needs_a_cloud_or_a_network() -> None:
    """A step that is added is run by a test here, or named here."""
    elsewhere = {"Set up", "Lint, types, tests"}
    tests = (ROOT / "tests/ci/test_steps.py").read_text()
    for place in ("pull-request", "pull-request-comment", "up", "drift"):
        for job in workflow(place)["jobs"].values():
            for one in job["steps"]:
                if "run" in one and one["name"] not in elsewhere:
                    assert f'"{one["name"]}"' in tests, f"{place}: {one['name']}"
