"""The copy of a project that the CLI works on: nothing reaches the project, and relative paths lead where they led."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recording_storage.engine.workspace import Workspace, find_project

SALTED = """# mine
secretsprovider: awskms://alias/state
encryptedkey: AAAA=
config:
  recording-storage:destinations: {calls: {provider: s3, region: eu-west-1}}
encryptionsalt: v1:abc=
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project somewhere in a repository."""
    folder = tmp_path / "repository" / "infra" / "recordings"
    (folder / "stacks").mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (tmp_path / "repository" / "shared").mkdir()
    (tmp_path / "repository" / "shared" / "names.py").write_text("NAME = 'acme'\n")
    (folder / "Pulumi.yaml").write_text(
        "name: recordings\nruntime: {name: python, options: {virtualenv: .venv}}\nstackConfigDir: stacks\n"
    )
    (folder / "__main__.py").write_text("print('first')\n")
    (folder / "stacks" / "Pulumi.prod.yaml").write_text(SALTED)
    return folder


@pytest.fixture
def workspace(project: Path, tmp_path: Path) -> Workspace:
    made = Workspace(project, tmp_path / "copies")
    assert made.refresh(), "the first time"
    return made


def test_what_is_written_in_the_copy_stays_there(project: Path, workspace: Workspace) -> None:
    copied = workspace.folder / "stacks" / "Pulumi.prod.yaml"
    copied.write_text("config: {}\n")
    (workspace.folder / "stacks" / "Pulumi.new.yaml").write_text("config: {}\n")
    assert (project / "stacks" / "Pulumi.prod.yaml").read_text() == SALTED
    assert [one.name for one in (project / "stacks").iterdir()] == ["Pulumi.prod.yaml"]


def test_a_stack_file_loses_its_secrets_provider_and_nothing_else(workspace: Workspace) -> None:
    kept = [
        line
        for line in SALTED.splitlines()
        if not line.startswith(("secretsprovider", "encryptedkey", "encryptionsalt"))
    ]
    assert (workspace.folder / "stacks" / "Pulumi.prod.yaml").read_text().splitlines() == kept


def test_what_changes_in_the_project_is_copied_again_and_what_goes_goes(
    project: Path, workspace: Workspace
) -> None:
    (project / "__main__.py").write_text("print('second')\n")
    (project / "more.py").write_text("")
    (project / "stacks" / "Pulumi.prod.yaml").unlink()
    assert not workspace.refresh()
    assert (workspace.folder / "__main__.py").read_text() == "print('second')\n"
    assert (workspace.folder / "more.py").exists()
    assert not (workspace.folder / "stacks" / "Pulumi.prod.yaml").exists()


def test_what_the_cli_changed_in_the_copy_outlives_a_refresh(project: Path, workspace: Workspace) -> None:
    copied = workspace.folder / "stacks" / "Pulumi.prod.yaml"
    copied.write_text("config: {}\n")
    (project / "more.py").write_text("")
    workspace.refresh()
    assert copied.read_text() == "config: {}\n"


def test_relative_paths_lead_where_they_led(project: Path, workspace: Workspace) -> None:
    assert (workspace.folder / "../../shared/names.py").read_text() == "NAME = 'acme'\n"
    assert not (workspace.folder / "../../.git").exists()
    (project / "link").symlink_to("../../shared")
    workspace.refresh()
    assert (workspace.folder / "link" / "names.py").exists()


def test_the_virtual_environment_is_linked_and_this_programs_own_serves_where_there_is_none(
    project: Path, workspace: Workspace, tmp_path: Path
) -> None:
    assert (workspace.folder / ".venv").resolve() == workspace.folder.joinpath(sys.prefix).resolve()
    (project / ".venv").mkdir()
    (project / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    again = Workspace(project, tmp_path / "other copies")
    again.refresh()
    assert (again.folder / ".venv").resolve() == (project / ".venv").resolve()


def test_two_projects_of_one_repository_have_a_copy_each(project: Path, workspace: Workspace) -> None:
    other = project.parent / "application"
    other.mkdir()
    (other / "Pulumi.yaml").write_text("name: application\nruntime: python\n")
    second = Workspace(other, workspace.folder.parents[3])
    assert second.refresh()
    assert second.folder != workspace.folder
    assert (second.folder / "../recordings/__main__.py").exists()
    assert workspace.inside(project / "stacks") == workspace.folder / "stacks"


def test_a_project_is_found_from_a_folder_in_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_project(project / "stacks") == project
    assert find_project(tmp_path) is None
    monkeypatch.chdir(project / "stacks")
    assert find_project(Path()) == project
