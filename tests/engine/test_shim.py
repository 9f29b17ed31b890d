"""What `pulumi` is in the sandbox, with a CLI that only says how it was called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.engine.equipment import CLI, FOLDER, offer
from recording_storage.engine.shim import read

if TYPE_CHECKING:
    from pathlib import Path

FAKE = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([os.getcwd(), sys.argv[1:]]) + "\\n")
"""


class Shim:
    """A project, a CLI, and who calls it."""

    def __init__(self, folder: Path) -> None:
        self.project, self._calls = folder / "project", folder / "calls"
        (self.project / "stacks").mkdir(parents=True)
        (self.project / "Pulumi.yaml").write_text("name: mine\nruntime: python\nstackConfigDir: stacks\n")
        (self.project / "stacks" / "Pulumi.prod.yaml").write_text("config: {}\n")
        tools = folder / "tools"
        tools.mkdir()
        (tools / "pulumi").write_text(FAKE)
        (tools / "pulumi").chmod(0o755)
        path = os.pathsep.join([str(tools), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "CALLS": str(self._calls)}
        self.environment = offer(folder / "pulumi", environment)

    def call(self, *arguments: str, cwd: Path | None = None) -> list[tuple[str, list[str]]]:
        """Call `pulumi`; the real CLI's calls: where, and with what."""
        self._calls.unlink(missing_ok=True)
        subprocess.run(
            ["pulumi", *arguments], cwd=cwd or self.project, env=self.environment, check=True, timeout=60
        )
        return [tuple(json.loads(line)) for line in self._calls.read_text().splitlines()]


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    return Shim(tmp_path)


def test_the_cli_works_on_the_copy(shim: Shim) -> None:
    ((folder, arguments),) = shim.call("config", "set", "a", "b")
    assert arguments == ["config", "set", "a", "b"]
    assert folder != str(shim.project)
    assert folder.startswith(shim.environment[FOLDER])


def test_a_folder_in_the_project_is_the_one_in_the_copy(shim: Shim, tmp_path: Path) -> None:
    ((copy, _),) = shim.call("about")
    ((folder, _),) = shim.call("about", cwd=shim.project / "stacks")
    assert folder == f"{copy}/stacks"
    ((folder, arguments),) = shim.call("-C", str(shim.project), "about", cwd=tmp_path)
    assert (folder, arguments) == (copy, ["about"])


def test_outside_of_a_project_the_cli_is_called_as_ever(shim: Shim, tmp_path: Path) -> None:
    assert shim.call("about", "-C", ".", cwd=tmp_path) == [(str(tmp_path), ["about", "-C", "."])]


def test_a_new_project_is_made_where_somebody_is(shim: Shim) -> None:
    ((folder, _),) = shim.call("--color", "never", "new", "../template")
    assert folder == str(shim.project)


@pytest.mark.parametrize(
    "arguments", [["up", "-s", "prod"], ["stack", "select", "prod"], ["up", "--stack=organization/mine/prod"]]
)
def test_a_stack_is_initialised_when_it_is_first_named(shim: Shim, arguments: list[str]) -> None:
    (_, first), (_, second) = shim.call(*arguments)
    assert first[:3] == ["stack", "init", "prod"]
    assert second == arguments
    assert len(shim.call(*arguments)) == 1, "and only then"


@pytest.mark.parametrize("arguments", [["up", "-s", "other"], ["stack", "init", "prod"], ["up"]])
def test_no_other_stack_is_initialised(shim: Shim, arguments: list[str]) -> None:
    assert [words for _, words in shim.call(*arguments)] == [arguments]


def test_the_state_and_the_home_are_the_sandboxs(shim: Shim, tmp_path: Path) -> None:
    for name in ("PULUMI_HOME", "PULUMI_BACKEND_URL", FOLDER):
        assert str(tmp_path / "pulumi") in shim.environment[name], name


def test_a_project_that_can_not_be_read_is_one_sentence(shim: Shim) -> None:
    (shim.project / "Pulumi.yaml").write_text("name: [\n")
    done = subprocess.run(
        ["pulumi", "up"], cwd=shim.project, env=shim.environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "not YAML" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sandbox_in_a_sandbox_has_the_real_cli(
    shim: Shim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CLI, shim.environment[CLI])
    inner = offer(tmp_path / "inner", {"PATH": shim.environment["PATH"]})
    assert inner[CLI] == shim.environment[CLI]


def test_it_starts_without_pulumis_own_python(tmp_path: Path) -> None:
    loaded = "import sys; from recording_storage.engine import driver, shim; print('pulumi' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_without_a_cli_nothing_is_offered(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert CLI not in offer(tmp_path / "pulumi", {"PATH": str(empty)})
    assert not (tmp_path / "pulumi").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-C", "there", "up"], {"cwd": "there", "words": ["up"], "rest": ["up"]}),
        (["--cwd=there", "up"], {"cwd": "there", "rest": ["up"]}),
        (["up", "-sprod", "--yes"], {"stack": "prod", "words": ["up"], "rest": ["up", "-sprod", "--yes"]}),
        (["up", "--stack", "a/b/prod"], {"stack": "prod"}),
        (["--color", "never", "stack", "init", "prod"], {"stack": None, "words": ["stack", "init", "prod"]}),
        (
            ["env", "run", "e", "--", "-s", "prod"],
            {"stack": None, "rest": ["env", "run", "e", "--", "-s", "prod"]},
        ),
    ],
)
def test_the_clis_arguments_are_read_as_it_reads_them(arguments: list[str], expected: dict[str, Any]) -> None:
    call = read(arguments)
    assert {name: getattr(call, name) for name in expected} == expected
