"""The stack file is read as the Pulumi CLI reads it, and what only the CLI can do is refused by name."""

from pathlib import Path

import pytest

from components.settings import judge, own_keys
from recording_storage.stackfile import StackFileError, load, pulumi_config, stacks

PROJECT = "name: recording-storage\nruntime: python\nstackConfigDir: stacks\n"


def project(folder: Path, stack: str | bytes = "", *, name: str = "acme", project: str = PROJECT) -> Path:
    (folder / "Pulumi.yaml").write_text(project)
    (folder / "stacks").mkdir(exist_ok=True)
    path = folder / "stacks" / f"Pulumi.{name}.yaml"
    path.write_bytes(stack if isinstance(stack, bytes) else stack.encode())
    return folder


def config(folder: Path, stack: str) -> dict[str, object]:
    return load(project(folder, stack), "acme").config


def refusal(folder: Path, stack: str | bytes, name: str = "acme") -> str:
    with pytest.raises(StackFileError) as caught:
        load(project(folder, stack), name)
    return str(caught.value)


def test_a_stack_file_becomes_settings(tmp_path: Path) -> None:
    read = load(
        project(
            tmp_path,
            """
            config:
              recording-storage:destinations:
                calls:
                  provider: s3
                  region: eu-west-1
              aws:region: eu-west-2
            """,
        ),
        "acme",
    )
    assert (read.project, read.stack, read.path) == (
        "recording-storage",
        "acme",
        tmp_path / "stacks" / "Pulumi.acme.yaml",
    )
    own = own_keys(read.config, read.project)
    assert own == {"destinations": {"calls": {"provider": "s3", "region": "eu-west-1"}}}
    judgement = judge(own, project=read.project, stack=read.stack, organization="o")
    assert judgement.settings.default_name == "calls"


def test_a_project_made_by_pulumi_new_is_read(tmp_path: Path) -> None:
    made = (
        "name: acme\nruntime: python\nconfig:\n  pulumi:tags:\n    value:\n      pulumi:template: ../fresh\n"
    )
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(f"{made}stackConfigDir: stacks\n")
    (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text("config:\n  destinations: {calls: {}}\n")
    read = load(tmp_path, "prod")
    assert own_keys(read.config, read.project) == {"destinations": {"calls": {}}}
    assert read.config["pulumi:tags"] == {"pulumi:template": "../fresh"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("12:30:00", "12:30:00"),
        ("190:20:30", "190:20:30"),
        ("=", "="),
        ("True", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("'no'", "no"),
        ('"012"', "012"),
        ("'5'", "5"),
        ("!!str 012", "012"),
        ("5", 5),
        ("+5", 5),
        ("-5", -5),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b11", 3),
        ("0o17", 15),
        ("0777", 511),
        ("0o08", "0o08"),
        ("012345678901", 12345678901),
        ("012345670123", 1402433619),
        ("30.0", 30),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("1e400", "1e400"),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("18446744073709551615", 18446744073709551615),
        ("~", None),
        ("Null", None),
        ("", None),
        ("|\n      a\n      b\n", "a\nb\n"),
    ],
)
def test_a_scalar_is_what_go_yaml_makes_of_it(tmp_path: Path, written: str, read: object) -> None:
    value = config(tmp_path, f"config:\n  a:b:\n    c: {written}\n")["a:b"]
    assert value == {"c": read}
    assert repr(value) == repr({"c": read})


def test_the_program_gets_strings_and_compact_json(tmp_path: Path) -> None:
    stack = """
      config:
        text: calls
        flag: True
        number: 0x10
        nothing:
        map: {b: [1, 1.5, null], a: "é<&>", 1: x, true: no}
        aws:config:profile: deploy
    """
    assert pulumi_config(load(project(tmp_path, stack), "acme")) == {
        "aws:profile": "deploy",
        "recording-storage:flag": "true",
        "recording-storage:map": '{"1":"x","a":"é\\u003c\\u0026\\u003e","b":[1,1.5,null],"true":"no"}',
        "recording-storage:nothing": "",
        "recording-storage:number": "16",
        "recording-storage:text": "calls",
    }


def test_entries_are_in_the_order_of_their_keys(tmp_path: Path) -> None:
    read = config(tmp_path, "config:\n  z:b: {d: 1, c: {f: 1, e: 2}}\n  a:b: 1\n")
    assert list(read) == ["a:b", "z:b"]
    assert str(read["z:b"]) == "{'c': {'e': 2, 'f': 1}, 'd': 1}"


def test_a_merged_key_yields_to_the_mappings_own(tmp_path: Path) -> None:
    base = "base: &base {provider: s3, region: eu-west-1}\n"
    stack = base + "config:\n  a:b:\n    <<: *base\n    region: us-east-1\n"
    assert config(tmp_path, stack) == {"a:b": {"provider": "s3", "region": "us-east-1"}}


def test_the_projects_defaults_hold_where_the_stack_sets_none(tmp_path: Path) -> None:
    schema = (
        PROJECT + "config:\n  destinations: {type: object}\n  default: {type: string, default: calls}\n"
        "  short: 5\n  aws:region: {value: eu-west-1}\n"
    )
    read = load(project(tmp_path, "config: {short: 6}", project=schema), "acme")
    assert read.config == {
        "aws:region": "eu-west-1",
        "recording-storage:default": "calls",
        "recording-storage:short": 6,
    }


@pytest.mark.parametrize(
    "stack", ["", "# nothing yet\n", "config:\n", "config: {}\n", "encryptionsalt: v1:abc\n"]
)
def test_a_stack_without_configuration_is_empty(tmp_path: Path, stack: str) -> None:
    assert config(tmp_path, stack) == {}


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert config(tmp_path, "\ufeffconfig: {a:b: 1}") == {"a:b": 1}


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("- config\n", "is a list: expected a mapping"),
        ("config\n", "is a string: expected a mapping"),
        ("config: [a]\n", "config is a list: expected a mapping"),
        ("config: x\n", "config is a string: expected a mapping"),
        ("config:\n  a: 1\n  b: [1\n", "line 4: not YAML"),
        ("config:\n\ta: 1\n", "line 2: not YAML"),
        ("config:\n  a:b: 1\n  a:b: 2\n", 'line 3: "a:b" stands twice'),
        ("config:\n  a:b:\n    c: 1\n    c: 2\n", 'line 4: "c" stands twice'),
        ("config:\n  b: 1\n  recording-storage:b: 2\n", "recording-storage:b stands twice"),
        ("config:\n  a:b:c: 1\n", '"a:b:c" is no configuration key'),
        ("config:\n  a:b: {~: 1}\n", "line 2: a key is empty"),
        ("config:\n  a:b: 2026-11-20\n", "line 2: the CLI would read 2026-11-20 as a point in time"),
        ("config:\n  a:b: .inf\n", "line 2: .inf is no number that JSON has"),
        ("config:\n  a:b: !vault x\n", "line 2: the tag !vault isn't read here"),
        ("config:\n  a:b: &x [*x]\n", "line 2: an anchor contains itself"),
        ("config:\n  a:b:\n    secure: v1:abc\n", "a:b is encrypted"),
        ("config:\n  a:b: [{c: {secure: v1:abc}}]\n", "a:b[0].c is encrypted"),
        ("environment: [acme/prod]\n", "environment takes configuration from Pulumi ESC"),
        ("environment: {imports: [acme/prod]}\n", "environment takes configuration"),
        ("environment: {values: {pulumiConfig: {a: 1}}}\n", "environment takes configuration"),
        ("mainEnvironment: acme/prod\n", "mainEnvironment takes configuration"),
        (b"config: {a: \xff}\n", "isn't UTF-8 (byte 12)"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, stack: str | bytes, message: str) -> None:
    text = refusal(tmp_path, stack)
    assert message in text
    assert "Pulumi.acme.yaml" in text


@pytest.mark.parametrize(
    "stack",
    [
        "environment: []\n",
        "environment: {values: {environmentVariables: {A: b}}}\n",
        "config:\n  a:b: {secure: x, other: y}\n",
        "config:\n  a:b: '2026-11-20'\n",
        "config:\n  a:b: &x [1]\n  a:c: *x\n",
    ],
)
def test_what_resembles_it_is_read(tmp_path: Path, stack: str) -> None:
    assert load(project(tmp_path, stack), "acme")


def test_a_stack_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    project(tmp_path, name="local")
    text = refusal(tmp_path, "", "acmee")
    assert 'There is no stack "acmee"' in text
    assert 'Did you mean "acme"? There are: acme, local.' in text


def test_stacks_are_listed_by_name(tmp_path: Path) -> None:
    for name in ("prod.eu-1", "acme", "acme.deploy"):
        project(tmp_path, name=name)
    assert stacks(tmp_path) == ["acme", "prod.eu-1"]
    assert load(tmp_path, "prod.eu-1").stack == "prod.eu-1"


@pytest.mark.parametrize("name", ["../acme", "org/acme", "", "a" * 101, "acme\n", "/etc/passwd"])
def test_a_stacks_name_is_no_path(tmp_path: Path, name: str) -> None:
    assert "is no stack name" in refusal(tmp_path, "", name)


def test_stack_files_stand_beside_the_project_where_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: voice\nruntime: python\n")
    (tmp_path / "Pulumi.acme.yaml").write_text("config: {a: 1}")
    assert load(tmp_path, "acme").config == {"voice:a": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "doesn't exist: expected a Pulumi project"),
        ("runtime: python\n", "has no name"),
        ("name: voice\nstackConfigDir: [a]\n", "stackConfigDir is ['a']"),
        ("- name\n", "is a list: expected a mapping"),
    ],
)
def test_a_project_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "Pulumi.yaml").write_text(text)
    with pytest.raises(StackFileError, match=r"Pulumi\.yaml") as caught:
        load(tmp_path, "acme")
    assert message in str(caught.value)
