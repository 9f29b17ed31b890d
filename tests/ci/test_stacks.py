"""Which stacks a change touches."""

from __future__ import annotations

import pytest

from recording_storage.ci.stacks import CODE, PIPELINE, touched
from tests.support.projects import ROOT

STACKS = ("acme", "prod", "acme.eu")


def stacks(*changed: str, folder: str = "stacks") -> tuple[str, ...]:
    return touched(changed, STACKS, folder).stacks


def test_a_stacks_own_file_touches_it_alone() -> None:
    assert stacks("stacks/Pulumi.acme.yaml") == ("acme",)
    assert stacks("stacks/Pulumi.acme.eu.yaml", "stacks/Pulumi.prod.yaml") == ("acme.eu", "prod")


@pytest.mark.parametrize(
    "file", ["__main__.py", "components/s3.py", "requirements.txt", "stacks/boundary.json"]
)
def test_what_any_stack_runs_or_names_touches_all(file: str) -> None:
    assert stacks(file) == ("acme", "acme.eu", "prod")


@pytest.mark.parametrize(
    "file",
    ["README.md", "docs/Pulumi.acme.yaml", "tests/components/test_s3.py", "components.md", "x/__main__.py"],
)
def test_what_no_stack_runs_touches_none(file: str) -> None:
    assert stacks(file) == ()


def test_a_stack_whose_file_is_gone_is_not_touched() -> None:
    assert stacks("stacks/Pulumi.gone.yaml") == ()


def test_stack_files_in_the_projects_own_folder() -> None:
    assert stacks("Pulumi.acme.yaml", folder=".") == ("acme",)
    assert stacks("notes.json", folder=".") == ()


@pytest.mark.parametrize("name", ["-x", "$(id)", "a b", "a\nb", "..", "é", "a" * 101, "@team"])
def test_a_name_that_a_command_could_take_for_something_else_is_told_apart(name: str) -> None:
    found = touched([f"stacks/Pulumi.{name}.yaml"], [*STACKS, name], "stacks")
    assert found.unnameable == (f"stacks/Pulumi.{name}.yaml",)
    assert name not in found.stacks


def test_what_decides_how_a_run_is_reported_is_code_too() -> None:
    found = touched(
        [".github/workflows/pull-request.yml", "ci/x.yml", "docs/a.md", "Makefile"], STACKS, "stacks"
    )
    assert found.code == (".github/workflows/pull-request.yml", "Makefile", "ci/x.yml")


def test_every_place_of_code_exists() -> None:
    later = {".gitlab-ci.yml", "policy/"}
    assert [one for one in CODE + PIPELINE if not (ROOT / one).exists() and one not in later] == []
