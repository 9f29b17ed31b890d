"""A change read from git's store: its files' names, and its stack files as data."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from recording_storage.ci import CiError
from recording_storage.ci.change import LARGEST_FILE, changed, overlay, split
from tests.support.projects import write_project

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {"destinations": {"calls": {"provider": "s3", "region": "eu-west-1"}}}


def git(folder: Path, *words: str) -> str:
    identity = (
        "-c",
        "user.name=somebody",
        "-c",
        "user.email=somebody@example.com",
        "-c",
        "commit.gpgsign=false",
    )
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "a change")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a repository, on its base branch."""
    made = write_project(tmp_path / "project", CONFIG)
    git(made, "init", "--quiet", "--initial-branch", "main")
    commit(made)
    git(made, "checkout", "--quiet", "-b", "change")
    return made


def back_on_main(project: Path) -> None:
    git(project, "checkout", "--quiet", "main")


def test_the_changed_files_are_those_since_the_branch_left(project: Path) -> None:
    (project / "stacks/Pulumi.prod.yaml").write_text("config: {}\n")
    head = commit(project)
    back_on_main(project)
    (project / "__main__.py").write_text("")
    commit(project)
    assert changed(project, "main", head) == ["stacks/Pulumi.prod.yaml"]


def test_a_renamed_file_is_there_with_both_names(project: Path) -> None:
    git(project, "mv", "stacks/Pulumi.acme.yaml", "stacks/Pulumi.renamed.yaml")
    assert changed(project, "main", commit(project)) == [
        "stacks/Pulumi.acme.yaml",
        "stacks/Pulumi.renamed.yaml",
    ]


def test_names_with_newlines_stay_whole(project: Path) -> None:
    (project / "docs\nstacks").mkdir()
    (project / "docs\nstacks/Pulumi.acme.yaml").write_text("")
    assert changed(project, "main", commit(project)) == ["docs\nstacks/Pulumi.acme.yaml"]


def test_a_list_is_of_lines_or_ended_by_nul() -> None:
    assert split("a\nb\n") == ["a", "b"]
    assert split("a\nb\0c\0") == ["a\nb", "c"]
    assert split("") == []


@pytest.mark.parametrize("revision", ["--output=/tmp/x", "-h", "a..b", "a b", "", "$(id)", "no-such-branch"])
def test_what_is_no_commit_is_refused(project: Path, revision: str) -> None:
    with pytest.raises(CiError):
        changed(project, revision, "HEAD")


def test_a_projects_folder_below_its_repository(tmp_path: Path) -> None:
    inner = write_project(tmp_path / "house/inner", CONFIG)
    git(tmp_path / "house", "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path / "house")
    git(inner, "checkout", "--quiet", "-b", "change")
    (inner / "stacks/Pulumi.prod.yaml").write_text("config: {a: b}\n")
    (tmp_path / "house/other").write_text("")
    head = commit(tmp_path / "house")
    back_on_main(inner)
    assert changed(inner, "main", head) == ["stacks/Pulumi.prod.yaml"]
    assert overlay(inner, head, "stacks") == ["stacks/Pulumi.acme.yaml", "stacks/Pulumi.prod.yaml"]
    assert (inner / "stacks/Pulumi.prod.yaml").read_text() == "config: {a: b}\n"


def test_only_stack_files_are_taken(project: Path) -> None:
    (project / "stacks/Pulumi.prod.yaml").write_text("config: {a: b}\n")
    (project / "stacks/boundary.json").write_text("{}")
    (project / "stacks/Pulumi.acme.yaml").unlink()
    (project / "__main__.py").write_text("raise SystemExit('the change')\n")
    head = commit(project)
    back_on_main(project)
    before = (project / "__main__.py").read_text()
    assert overlay(project, head, "stacks") == ["stacks/Pulumi.prod.yaml", "stacks/boundary.json"]
    assert (project / "stacks/Pulumi.prod.yaml").read_text() == "config: {a: b}\n"
    assert not (project / "stacks/Pulumi.acme.yaml").exists()
    assert (project / "__main__.py").read_text() == before
    assert git(project, "rev-parse", "--abbrev-ref", "HEAD") == "main"


def test_a_link_is_not_taken(project: Path) -> None:
    (project / "stacks/Pulumi.prod.yaml").symlink_to("/etc/passwd")
    head = commit(project)
    back_on_main(project)
    with pytest.raises(CiError, match="no ordinary file"):
        overlay(project, head, "stacks")
    assert (project / "stacks/Pulumi.acme.yaml").exists(), "nothing is written before all is judged"


def test_a_link_in_the_place_of_the_folder_is_not_taken(project: Path) -> None:
    (project / "stacks/Pulumi.acme.yaml").unlink()
    (project / "stacks").rmdir()
    (project / "stacks").symlink_to("/etc")
    head = commit(project)
    back_on_main(project)
    assert overlay(project, head, "stacks") == []
    assert not (project / "stacks").is_symlink()


@pytest.mark.parametrize("name", ["Pulumi.-x.yaml", "Pulumi.$(id).yaml", "a\nb", ".hidden"])
def test_a_strange_name_is_not_taken(project: Path, name: str) -> None:
    (project / "stacks" / name).write_text("")
    head = commit(project)
    back_on_main(project)
    with pytest.raises(CiError):
        overlay(project, head, "stacks")


def test_a_large_file_is_not_taken(project: Path) -> None:
    (project / "stacks/Pulumi.prod.yaml").write_bytes(b"#" * (LARGEST_FILE + 1))
    head = commit(project)
    back_on_main(project)
    with pytest.raises(CiError, match="bytes"):
        overlay(project, head, "stacks")


@pytest.mark.parametrize("folder", [".", "", "../stacks", "/etc"])
def test_stack_files_need_a_folder_of_their_own(project: Path, folder: str) -> None:
    with pytest.raises(CiError, match="folder"):
        overlay(project, "main", folder)
