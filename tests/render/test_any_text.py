"""Whatever a value holds comes back as it was, from every reader of every format; or it is refused, never changed."""

from __future__ import annotations

import hashlib
import json
import string
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from recording_storage.render import FORMATS, Destinations, Options, RenderError, render
from recording_storage.render.env_file import quoted
from tests.render import readers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# What one reader or another has a meaning for.
PIECES = [
    *(
        "'",
        '"',
        "`",
        "\\",
        "\\\\",
        "$",
        "$$",
        "$HOME",
        "${HOME}",
        "${",
        "%{",
        "%%{",
        "$${",
        "$(id)",
        "!",
        "#",
        " # ",
    ),
    *(
        "=",
        " ",
        "\t",
        "\n",
        "\n\n",
        "{",
        "}",
        "{{",
        "<<",
        "EOF",
        ":",
        ": ",
        "- ",
        "&a",
        "*a",
        "|",
        ">",
        "@",
        "%",
        "?",
    ),
    *(
        "no",
        "on",
        "yes",
        "null",
        "~",
        "0123",
        "1e3",
        "12:30",
        "0x1F",
        "2026-11-20",
        "true",
        "---",
        "...",
        "fn::x",
    ),
    *("é", "ß", "日本", "😀", "\u00a0", "\u2028", "\ufeff", "\x85", "\\n", "\\u0041", "~/x", "a=b", "a,b"),
]
TEXT = some.lists(some.sampled_from(PIECES), max_size=6).map("".join) | some.text(
    some.characters(exclude_categories=["Cs"]), max_size=12
)
EXACT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

HELD = [
    *(
        "it's",
        'say "so"',
        "`id`",
        "$HOME",
        "a$",
        "a\\b",
        "C:\\new",
        "one\ntwo\n",
        "\n",
        "%{if}",
        "# no",
        " both ends ",
        "",
    ),
    *(
        "no",
        "on",
        "0123",
        "~",
        "null",
        "12:30",
        "1e3",
        "true",
        "a=b",
        "ünï 日本 😀",
        "\ttab",
        "!x",
        "a: b",
        "x #y",
        "<<EOF",
    ),
]
"""What every format holds, alone in a value."""


def storage(values: list[str]) -> dict[str, str]:
    return {f"f{string.ascii_lowercase[number]}": value for number, value in enumerate(values)}


def one(values: list[str]) -> Destinations:
    return Destinations({"calls": storage(values)})


def variables(values: list[str]) -> dict[str, Any]:
    """What must come back where variables are written: every field, and all of them as JSON."""
    fields = {f"RECORDING_STORAGE_{name.upper()}": value for name, value in storage(values).items()}
    return {"RECORDING_STORAGE": storage(values), **fields}


def ours(read: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: value for name, value in read.items() if name.startswith("RECORDING_STORAGE")
    }
    return {**found, "RECORDING_STORAGE": json.loads(found["RECORDING_STORAGE"])}


def written(form: str, values: list[str]) -> str:
    return render(form, one(values), None, Options())


def holds(form: str, value: str) -> bool:
    try:
        written(form, [value])
    except RenderError:
        return False
    return True


ENV_READERS: dict[str, Callable[[str, Path], dict[str, str]]] = {
    "python-dotenv": readers.python_dotenv,
    "sh": readers.shell,
    "bash": lambda text, folder: readers.shell(text, folder, "bash"),
    "node": readers.node,
}


@pytest.mark.parametrize("reader", ENV_READERS)
@EXACT
@given(values=some.lists(TEXT, min_size=1, max_size=20))
def test_a_dotenv_file_is_read_back(reader: str, values: list[str], tmp_path: Path) -> None:
    held = [value for value in values if holds("env", value)]
    assert ours(ENV_READERS[reader](written("env", held), tmp_path)) == variables(held)


@pytest.mark.parametrize("value", HELD)
def test_every_format_holds_it(value: str, tmp_path: Path) -> None:
    for reader in ENV_READERS.values():
        assert ours(reader(written("env", [value]), tmp_path)) == variables([value])
    assert ours(readers.github(written("github-env", [value]))) == variables([value])
    assert ours(readers.yaml(written("configmap", [value]))["data"]) == variables([value])
    assert ours(readers.esc(written("esc", [value]))["environmentVariables"]) == variables([value])
    if "\\n" not in value:  # python-hcl2 takes an escaped backslash before an n for one and a newline
        assert readers.python_hcl2(written("tfvars", [value]))["recording_storage"] == storage([value])
    assert json.loads(written("json", [value])) == storage([value])


NOT_IN_ENV = ["${HOME}", "a'$b", "a'\"b", "a\\'", "it's `id`", "\\\\'", "a\r", "\x01", "\0", "a\\", "a\\\\b"]


@pytest.mark.parametrize("value", NOT_IN_ENV)
def test_what_readers_of_dotenv_files_read_differently_is_refused_by_name(value: str) -> None:
    with pytest.raises(RenderError, match=r"\ANAME has .* take json\Z"):
        quoted("NAME", value)


@pytest.mark.parametrize(
    ("value", "text"),
    [("acme-calls", "acme-calls"), ("", ""), ("a b", "'a b'"), ("it's", '"it\'s"'), ('"', "'\"'")],
)
def test_a_value_is_quoted_where_it_must_be(value: str, text: str) -> None:
    assert quoted("NAME", value) == text


@EXACT
@given(values=some.lists(TEXT, max_size=20))
def test_lines_for_github_are_read_back(values: list[str]) -> None:
    held = [value for value in values if holds("github-env", value)]
    assert all("\r" in value or "\0" in value for value in values if value not in held)
    assert ours(readers.github(written("github-env", held))) == variables(held)


def test_a_value_cannot_end_itself_even_if_it_knew_the_delimiter(monkeypatch: pytest.MonkeyPatch) -> None:
    def weak(text: bytes) -> hashlib._Hash:
        return hashlib.md5(text[:1], usedforsecurity=False)  # what it gives can be known beforehand

    first = f"EOF_{hashlib.md5(b'0').hexdigest()}"  # noqa: S324 (the same)
    monkeypatch.setattr("recording_storage.render.github.hashlib.sha256", weak)
    values = [f"x\n{first}\nPATH<<{first}\n/tmp"]
    assert ours(readers.github(written("github-env", values))) == variables(values)


@EXACT
@given(values=some.lists(TEXT, max_size=20))
def test_a_configmap_is_read_back(values: list[str]) -> None:
    held = [value for value in values if holds("configmap", value)]
    assert all("\0" in value for value in values if value not in held)
    assert ours(readers.yaml(written("configmap", held))["data"]) == variables(held)


@settings(EXACT, max_examples=30)
@given(values=some.lists(TEXT, max_size=25))
def test_kubectl_reads_the_configmap_back(values: list[str], tmp_path: Path) -> None:
    held = [value for value in values if holds("configmap", value)]
    read = readers.kubectl(written("configmap", held), tmp_path)
    assert ours(read.pop("data")) == variables(held)
    assert read == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "recording-storage"}}


@EXACT
@given(values=some.lists(TEXT, max_size=20))
def test_an_esc_environment_is_read_back(values: list[str]) -> None:
    held = [value for value in values if holds("esc", value)]
    assert all("\0" in value for value in values if value not in held)
    read = readers.esc(written("esc", held))
    assert ours(read["environmentVariables"]) == variables(held)
    assert read["recording_storage"] == read["pulumiConfig"]["recording_storage"] == storage(held)


@settings(EXACT, max_examples=30)
@given(values=some.lists(TEXT, max_size=20), several=some.dictionaries(TEXT, TEXT, min_size=2, max_size=3))
def test_terraform_reads_its_values_back(values: list[str], several: dict[str, str], tmp_path: Path) -> None:
    held = [value for value in values if holds("tfvars", value)]
    assert all(unicodedata.normalize("NFC", value) != value for value in values if value not in held)
    names = {
        name: storage([value])
        for name, value in several.items()
        if holds("tfvars", name) and holds("tfvars", value)
    }
    both = Destinations({"calls": storage(held), "x": storage([]), **names}, "calls")
    read = readers.terraform(render("tfvars", both, None, Options()), tmp_path)
    assert read == {"one": both.by_name["calls"], "several": both.by_name}


@EXACT
@given(values=some.lists(TEXT, max_size=20))
def test_json_is_read_back(values: list[str]) -> None:
    assert json.loads(written("json", values)) == storage(values)
    conversation = render("conversation", one(values), None, Options(replica_id="r"))
    assert json.loads(conversation)["properties"]["recording_storage"] == storage(values)


@pytest.mark.parametrize("form", FORMATS)
def test_half_a_character_is_no_text_in_any_format(form: str) -> None:
    half = Destinations({"calls": {"provider": "s3", "bucket_name": "\ud800"}})
    with pytest.raises(RenderError, match="lone surrogate"):
        render(form, half, None, Options())
