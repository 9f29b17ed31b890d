"""The workflows' form: their schemas, what linters find, and who may do what in them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from recording_storage.ci.stacks import CODE
from tests.ci.pipelines import ACTIONS, GITLAB, WORKFLOWS, gitlab, load, workflow
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(sys.executable).parent
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")
STACK = {"stack": "acme", "backend": "s3://acme-state?region=eu-west-1"}


def check(*words: str | Path) -> None:
    done = subprocess.run([*map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield path.stem, name, job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for place, name, job in jobs():
        for one in job["steps"]:
            yield f"{place}/{name}", one
    for path in ACTIONS:
        for one in load(path)["runs"]["steps"]:
            yield path.parent.name, one


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_keeps_the_schema(path: Path) -> None:
    check(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_an_action_keeps_the_schema(path: Path) -> None:
    check(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", path)


@pytest.mark.parametrize("path", GITLAB, ids=lambda path: path.stem)
def test_an_include_keeps_the_schema(path: Path, tmp_path: Path) -> None:
    with (tmp_path / "pipeline.yml").open("w") as file:
        YAML(typ="safe", pure=True).dump(gitlab(path.stem, **STACK), file)
    check(BIN / "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", tmp_path / "pipeline.yml")


def test_zizmor_finds_nothing() -> None:
    check(BIN / "zizmor", "--offline", "--quiet", "--persona", "pedantic", ".github")


def test_actionlint_finds_nothing() -> None:
    if (found := shutil.which("actionlint")) is None:
        pytest.skip("actionlint is not on PATH")
    check(found, *WORKFLOWS)


def test_nobody_may_do_anything_unless_a_job_says_so() -> None:
    for path in WORKFLOWS:
        assert load(path)["permissions"] == {}, path.name
    for place, name, job in jobs():
        assert "permissions" in job, f"{place}/{name}"
        assert job["timeout-minutes"] <= 60


def test_a_token_that_can_write_is_alone_with_a_few_lines() -> None:
    writing = {
        f"{place}/{name}": job
        for place, name, job in jobs()
        if "write" in {level for scope, level in job["permissions"].items() if scope != "id-token"}
    }
    assert sorted(writing) == ["drift/issue", "pull-request-comment/post"]
    for job in writing.values():
        assert len(job["permissions"]) == 1, "and can do nothing else"
        for one in job["steps"]:
            assert one.get("uses", "").startswith("actions/download-artifact@") or "run" in one
            assert not re.search(
                r"recording-storage (?!differs)|pulumi|make|python|\bgit\b",
                one.get("run", "").replace("<!-- recording-storage: ", ""),
            )


def test_the_changes_own_workflow_can_write_nothing() -> None:
    for job in workflow("pull-request")["jobs"].values():
        assert {level for scope, level in job["permissions"].items() if scope != "id-token"} == {"read"}
        assert "environment" not in job, "the identity that changes is an environment's"
        assert "secrets." not in str(job)


def test_no_workflow_runs_a_change_with_the_base_branchs_rights() -> None:
    for path in WORKFLOWS:
        assert "pull_request_target" not in load(path)["on"]
    for name, job in workflow("pull-request-comment")["jobs"].items():
        for one in job["steps"]:
            if one.get("uses", "").startswith("actions/checkout@"):
                assert not {"ref", "repository"} & one["with"].keys(), name
        assert "id-token" not in job["permissions"]
    (condition,) = [
        job["if"] for name, job in workflow("pull-request-comment")["jobs"].items() if name == "prove"
    ]
    assert "head_repository.full_name == github.repository" in condition


def test_who_comments_asks_github_which_pull_request_it_is() -> None:
    text = (ROOT / ".github/workflows/pull-request-comment.yml").read_text()
    assert "commits/$HEAD/pulls" in text
    assert "github.event.pull_request" not in text


def test_only_up_has_an_environment_and_it_is_the_stacks() -> None:
    found = {(place, name): job["environment"] for place, name, job in jobs() if "environment" in job}
    assert found == {("up", "up"): "${{ matrix.stack }}"}
    identities = {
        (place, name, one["with"]["identity"])
        for place, name, job in jobs()
        for one in job["steps"]
        if one.get("uses", "").endswith("/.github/actions/clouds")
    }
    assert identities == {
        ("pull-request", "preview", "preview"),
        ("up", "up", "up"),
        ("up", "verify", "preview"),
        ("drift", "look", "preview"),
    }


def test_whoever_reaches_a_cloud_is_alone_with_its_stack() -> None:
    for place, name, job in jobs():
        if "id-token" in job["permissions"]:
            assert "${{ matrix.stack }}" in job["concurrency"]["group"], f"{place}/{name}"
    assert workflow("up")["jobs"]["up"]["concurrency"]["cancel-in-progress"] is False


def test_the_policies_of_a_preview_are_the_base_branchs() -> None:
    job = workflow("pull-request")["jobs"]["preview"]
    places = {
        one["with"]["path"]: one["with"].get("ref")
        for one in job["steps"]
        if ("path" in one.get("with", {}) and "ref" in str(one["with"]))
        or one.get("with", {}).get("path") == "change"
    }
    assert places["base"] == "${{ github.event.pull_request.base.sha }}"
    assert places["change"] is None
    (run,) = [one["run"] for one in job["steps"] if "pulumi preview" in one.get("run", "")]
    assert "--policy-pack ../base/policy" in run


def test_every_action_is_pinned_and_says_its_version() -> None:
    for place, one in steps():
        used = one.get("uses")
        if used and not used.startswith("./"):
            assert PINNED.fullmatch(used), f"{place}: {used}"
    for path in [*WORKFLOWS, *ACTIONS]:
        for line in path.read_text().splitlines():
            if "uses:" in line and "@" in line:
                assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line
    digests: dict[str, set[str]] = {}
    for _, one in steps():
        if "@" in one.get("uses", ""):
            digests.setdefault(one["uses"].partition("@")[0], set()).add(one["uses"])
    assert all(len(found) == 1 for found in digests.values()), digests


def test_a_checkout_keeps_no_credentials() -> None:
    for place, one in steps():
        if one.get("uses", "").startswith("actions/checkout@"):
            assert one["with"]["persist-credentials"] is False, place


def test_no_expression_gets_into_a_script() -> None:
    for place, one in steps():
        assert "${{" not in one.get("run", ""), place


def test_scripts_are_bashs() -> None:
    for path in WORKFLOWS:
        assert load(path)["defaults"]["run"]["shell"] == "bash"
    for path in ACTIONS:
        for one in load(path)["runs"]["steps"]:
            assert one.get("shell", "bash") == "bash"


def test_the_cli_is_as_old_as_its_package() -> None:
    (package,) = re.findall(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    found = [one["with"]["pulumi-version"] for _, one in steps() if "pulumi-version" in one.get("with", {})]
    assert found
    assert set(found) == {package}
    for path in GITLAB:
        assert f"pulumi/pulumi-python:{package}\n" in path.read_text()


def test_gitlab_looks_at_the_same_files() -> None:
    rules = gitlab("recording-storage", **STACK)["recording-storage:acme:rehearse"]["rules"]
    (found,) = [one["changes"] for one in rules]
    wanted = {f"{one}**/*" if one.endswith("/") else one for one in CODE}
    assert set(found) == wanted | {"stacks/Pulumi.acme.yaml", "stacks/**/*.json"}


def test_gitlabs_token_is_for_the_default_branch_alone() -> None:
    for path in GITLAB:
        for name, job in gitlab(path.stem, **STACK).items():
            if "RECORDING_STORAGE_TOKEN" in str(job):
                assert job["extends"] == ".recording-storage:write"
                assert all(
                    "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"] for rule in job["rules"]
                ), name
