"""What the documentation shows is what happens: its stack files are rehearsed, its output is compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from recording_storage.verify.tables import CHECKS
from tests.support.console import blocks
from tests.support.projects import ROOT, command, write_project

if TYPE_CHECKING:
    from pathlib import Path


README = (ROOT / "README.md").read_text()


def shown(prompt: str) -> str:
    """What the README shows after a command."""
    (block,) = [
        one
        for one in blocks(README, "console")
        if one.startswith(f"$ {prompt}\n") and "\n" in one[len(prompt) + 4 :]
    ]
    return block.split("\n", 1)[1]


def without_seconds(text: str) -> str:
    return re.sub(r"in \d+\.\d s", "in … s", text)


def project_with(folder: Path, stack_file: str) -> Path:
    write_project(folder, {})
    (folder / "stacks/Pulumi.acme.yaml").write_text(stack_file)
    return folder


def test_the_readmes_first_command_prints_what_it_shows() -> None:
    done = command("rehearse")
    assert without_seconds(done.out) == without_seconds(shown("make rehearse"))


def test_the_readmes_stack_file_is_proven(tmp_path: Path) -> None:
    (stack_file,) = blocks(README, "yaml")
    assert len(stack_file.splitlines()) <= 10
    done = command("rehearse", "acme", folder=project_with(tmp_path / "project", stack_file))
    assert done.code == 0, done.out + done.err


def test_the_readmes_faults_read_as_shown(tmp_path: Path) -> None:
    (stack_file,) = blocks(README, "yaml")
    wrong = stack_file.replace("eu-west-1", "Ireland") + "      retention_day: 90\n"
    done = command("rehearse", "acme", folder=project_with(tmp_path / "project", wrong))
    assert done.code == 2
    assert done.err == shown(".venv/bin/recording-storage rehearse acme")


def test_the_configurations_examples_are_proven(tmp_path: Path) -> None:
    *examples, trust = blocks((ROOT / "docs/configuration.md").read_text(), "yaml")
    assert len(examples) == 3
    for number, example in enumerate(examples):
        done = command("rehearse", "acme", folder=project_with(tmp_path / str(number), example))
        assert done.code == 0, done.out + done.err
    own = blocks(README, "yaml")[0] + trust.removeprefix("config:\n")
    done = command("rehearse", "acme", folder=project_with(tmp_path / "own", own))
    assert done.code == 0, done.out + done.err
    assert "overridden" not in done.out, "the example repeats the vendor's own values"


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_setting_is_documented() -> None:
    from components.settings import PROVIDERS

    pages = (ROOT / "docs/configuration.md").read_text().split("\n## A destination on ")[1:]
    for page, (provider, known) in zip(pages, PROVIDERS.items(), strict=True):
        for name in known().destination.model_fields:
            assert f"| `{name}` |" in page, f"{name} of {provider}"


def test_every_result_of_a_rehearsal_is_documented() -> None:
    page = (ROOT / "docs/rehearsal.md").read_text()
    known = re.findall(r"`((?:proven|refused|unproven)\.[a-zN…-]+)`", page)
    checks = list(CHECKS)
    prefixes = (*(re.split("N|…", one)[0] for one in known), *checks)
    for result in command("rehearse", "-f", "json").document["results"]:
        assert result["id"].startswith(prefixes), result["id"]


def test_the_adoptions_example_is_proven(tmp_path: Path) -> None:
    (example,) = blocks((ROOT / "docs/adoption.md").read_text(), "yaml")
    done = command("rehearse", "acme", folder=project_with(tmp_path / "project", example))
    assert done.code == 0, done.out + done.err
    assert "that the application exists, set as the configuration asks for" in " ".join(done.out.split())


def test_every_setting_that_adopts_is_on_the_page_on_adoption() -> None:
    from components.settings import PROVIDERS

    sections = (ROOT / "docs/adoption.md").read_text().split("\n## ")[-len(PROVIDERS) :]
    for section, known in zip(sections, PROVIDERS.values(), strict=True):
        settings = [one for one in known().destination.model_fields if one.startswith("adopt")]
        assert settings
        for name in settings:
            assert re.search(rf"^\|.*\| `{name}[`:]", section, re.MULTILINE), name


def test_the_examples_of_adoption_on_the_providers_pages_are_proven(tmp_path: Path) -> None:
    adopting = [
        (page.stem, example)
        for page in (ROOT / "docs").glob("*.md")
        for example in blocks(page.read_text(), "yaml")
        if re.search(r"\badopt\w*: ", example) and not example.startswith("config:")
    ]
    assert sorted(name for name, _ in adopting) == ["azure_blob", "gcs", "s3"]
    for name, example in adopting:
        calls = example.removeprefix("destinations:\n")
        calls = calls if calls != example else "".join(f"  {line}\n" for line in example.splitlines())
        stack_file = "config:\n  destinations:\n" + "".join(f"  {line}\n" for line in calls.splitlines())
        done = command("rehearse", "acme", folder=project_with(tmp_path / name, stack_file))
        assert done.code == 0, done.out + done.err
