"""A stack's configuration as the Pulumi CLI reads it, where there is no Pulumi CLI.

The CLI reads with go-yaml (https://github.com/go-yaml/yaml, `resolve.go`), which is neither YAML 1.1 nor
quite 1.2: `no`, `on` and `12:30:00` are strings, `012` is octal, a digit 8 or 9 makes it a decimal without
its zeros. ruamel.yaml parses; what a plain scalar means is decided here by go-yaml's rules. Map entries are
in the order of their keys.

Left out: decrypting (`secure:` is refused by name), Pulumi ESC (`environment:` likewise), checking values
against the types that Pulumi.yaml declares (the configuration's own models judge them), and project files in
JSON.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_FILE: Final = "Pulumi.yaml"

_GO_ESCAPES: Final = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
"""What Go's JSON escapes inside strings: https://pkg.go.dev/encoding/json#Marshal"""

_STACK_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""https://www.pulumi.com/docs/iac/concepts/stacks/#create-stack"""


class StackFileError(ValueError):
    """The configuration can't be read; the message says which file, what was found, and how to mend it."""


@dataclass(frozen=True)
class StackFile:
    """A stack's configuration: `config` maps `namespace:key` to plain Python, sorted, the project's defaults
    in.
    """

    project: str
    stack: str
    path: Path
    config: dict[str, object]


def load(project_dir: Path, stack: str) -> StackFile:
    """Read a stack's file and the project's defaults.

    Raises `StackFileError` where the CLI would refuse, where it would need a key or Pulumi ESC, and where the
    stack has no file (the CLI would go on with no configuration at all).
    """
    project = _project(project_dir)
    if not _STACK_NAME.fullmatch(stack):
        raise StackFileError(
            f'"{stack}" is no stack name: expected 1 to 100 letters, digits, hyphens, underscores and dots, '
            "without organisation, project or folder. Write the name alone, as in acme."
        )
    path = project.config_dir / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        raise StackFileError(_no_such_stack(stack, path, stacks(project_dir)))
    document = _document(path)
    _refuse_environments(path, document)
    config = _stack_config(path, project.name, document.get("config"))
    for key, value in project.defaults.items():
        config.setdefault(key, value)
    return StackFile(project.name, stack, path, {key: config[key] for key in sorted(config)})


def stacks(project_dir: Path) -> list[str]:
    """List the stacks that have a file, by name. `Pulumi.<stack>.deploy.yaml` holds deployment settings, no
    stack.
    """
    names = {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        for path in _project(project_dir).config_dir.glob("Pulumi.*.yaml")
    }
    return sorted(
        name for name in names if not (name.endswith(".deploy") and name.removesuffix(".deploy") in names)
    )


def folder(project_dir: Path) -> str:
    """Give the folder of the stack files, named from the project's; `.` where they lie in that itself."""
    return _project(project_dir).config_dir.relative_to(project_dir).as_posix()


def virtualenv(project_dir: Path) -> str | None:
    """Give the virtual environment that the project names for its program, as a path below its folder."""
    value: object = dict(_document(project_dir / PROJECT_FILE))
    for key in ("runtime", "options", "virtualenv"):
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, object]", value).get(key)
    return value if isinstance(value, str) and value else None


def pulumi_config(stackfile: StackFile) -> dict[str, str]:
    """Give the configuration as the CLI hands it to a program: strings as they are, the rest as JSON."""
    return {key: value if isinstance(value, str) else _json(value) for key, value in stackfile.config.items()}


def _json(value: object) -> str:
    """Write JSON as Go does: compact, sorted keys."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.translate(_GO_ESCAPES)


# --- Pulumi.yaml --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Project:
    name: str
    config_dir: Path
    defaults: dict[str, object]


def _project(project_dir: Path) -> _Project:
    path = project_dir / PROJECT_FILE
    if not path.is_file():
        raise StackFileError(
            f"{path} doesn't exist: expected a Pulumi project. "
            "Run this from the project's folder, or name the folder."
        )
    document = _document(path)
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise StackFileError(f"{path} has no name: expected a string. Add name: as its first line.")
    config = document.get("config")
    # `config` was the folder's name before it became the schema.
    folder = document.get("stackConfigDir") or (config if isinstance(config, str) else "")
    if not isinstance(folder, str):
        raise StackFileError(
            f"{path}: stackConfigDir is {folder!r}: expected a folder's name. Write it as a string."
        )
    schema = cast("Mapping[str, object]", config if isinstance(config, Mapping) else {})
    return _Project(name, project_dir / folder.lstrip("/"), _defaults(path, name, schema))


def _defaults(path: Path, project: str, schema: Mapping[str, object]) -> dict[str, object]:
    """Give what holds where the stack sets nothing: `default`, `value`, or the short form."""
    defaults: dict[str, object] = {}
    for key, entry in schema.items():
        if isinstance(entry, Mapping):
            typed = cast("Mapping[str, object]", entry)
            value = typed.get("default") if typed.get("default") is not None else typed.get("value")
        else:
            value = entry
        if value is not None:
            defaults[_config_key(path, project, key)] = value
    return defaults


# --- Pulumi.<stack>.yaml ------------------------------------------------------------------------


def _stack_config(path: Path, project: str, config: object) -> dict[str, object]:
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise StackFileError(
            f"{path}: config is {_kind(config)}: expected a mapping. "
            f"Write {project}:destinations: and the like below it, indented."
        )
    given: dict[str, object] = {}
    for raw_key, value in cast("Mapping[str, object]", config).items():
        key = _config_key(path, project, raw_key)
        if key in given:
            raise StackFileError(
                f"{path}: {key} stands twice in config, with and without its namespace. "
                "Remove one of the two."
            )
        _refuse_secure(path, key, value)
        given[key] = "" if value is None else value  # the CLI takes a bare key for an empty string
    return given


def _config_key(path: Path, project: str, key: str) -> str:
    """Give `namespace:key`; a bare key is the project's, and `namespace:config:key` an old spelling."""
    parts = key.split(":")
    if len(parts) == 1:
        return f"{project}:{key}"
    if len(parts) == 3 and parts[1] == "config":
        del parts[1]
    if len(parts) != 2:
        raise StackFileError(
            f'{path}: "{key}" is no configuration key: expected namespace:key. '
            f"Write it as in {project}:destinations."
        )
    return ":".join(parts)


def _refuse_secure(path: Path, key: str, value: object) -> None:
    """Refuse an encrypted value, at any depth: a mapping whose only key is `secure`, with a string."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        if list(entries) == ["secure"] and isinstance(entries["secure"], str):
            raise StackFileError(
                f"{path}: {key} is encrypted, and only the Pulumi CLI holds the key. Use the CLI for this "
                "stack, or move the value out of it: nothing that this project reads is a secret."
            )
        for name, item in entries.items():
            _refuse_secure(path, f"{key}.{name}", item)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            _refuse_secure(path, f"{key}[{index}]", item)


def _refuse_environments(path: Path, document: Mapping[str, object]) -> None:
    """Refuse what Pulumi ESC would add to the configuration: imports, or `values.pulumiConfig`."""
    environment = document.get("environment")
    supplies = bool(environment)
    if isinstance(environment, Mapping):
        inline = cast("Mapping[str, object]", environment)
        values = inline.get("values")
        supplies = bool(inline.get("imports")) or (isinstance(values, Mapping) and "pulumiConfig" in values)
    for key, present in (
        ("environment", supplies),
        ("mainEnvironment", bool(document.get("mainEnvironment"))),
    ):
        if present:
            raise StackFileError(
                f"{path}: {key} takes configuration from Pulumi ESC, which only the Pulumi CLI can open. Use "
                "the CLI for this stack, or write the values into config."
            )


def _no_such_stack(stack: str, path: Path, known: list[str]) -> str:
    near = difflib.get_close_matches(stack, known, n=1)
    question = f'Did you mean "{near[0]}"? ' if near else ""
    have = f"There are: {', '.join(known)}." if known else "There is none yet."
    return f'There is no stack "{stack}": {path} doesn\'t exist. {question}{have}'


# --- YAML as go-yaml reads it -------------------------------------------------------------------

_PLAIN: Final = "!plain"
"""The tag that marks a scalar without quotes and without a tag of its own."""


class _PlainResolver(VersionedResolver):
    """Leave open what a plain scalar is."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Tag:
        if kind is ScalarNode and implicit[0]:
            return Tag(suffix=_PLAIN)
        return cast("Tag", super().resolve(kind, value, implicit))


def _document(path: Path) -> Mapping[str, object]:
    """Read a file whose top level is a mapping; an empty one is an empty mapping."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _PlainResolver
    try:
        root = cast("Node | None", yaml.compose(path.read_text(encoding="utf-8-sig")))
    except UnicodeDecodeError as error:
        raise StackFileError(f"{path} isn't UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except MarkedYAMLError as error:
        line = _line(error)
        raise StackFileError(
            f"{path}{line}: not YAML: {error.problem or error.context}. Mend that line."
        ) from error
    except YAMLError as error:
        raise StackFileError(f"{path}: not YAML: {' '.join(str(error).split())}. Mend the file.") from error
    value = None if root is None else _Reader(path).value(root)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise StackFileError(f"{path} is {_kind(value)}: expected a mapping, as in config: at the top level.")
    return cast("Mapping[str, object]", value)


def _line(error: MarkedYAMLError) -> str:
    mark = cast("StringMark | None", error.problem_mark or error.context_mark)
    return f", line {mark.line + 1}" if mark else ""


class _Reader:
    """From ruamel's nodes to plain Python."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[Node] = []

    def value(self, node: Node) -> object:
        """Give a node's value; an anchor that contains itself is refused."""
        if any(node is one for one in self._open):
            raise self._error(node, "an anchor contains itself. Write the value out")
        self._open.append(node)
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node)
            if isinstance(node, SequenceNode):
                return [self.value(item) for item in cast("list[Node]", node.value)]
            return self._scalar(node)
        finally:
            self._open.pop()

    def _mapping(self, node: MappingNode) -> dict[str, object]:
        """Give a mapping in the order of its keys. A merged key (`<<`) yields to the mapping's own."""
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key_node, value_node in cast("list[tuple[Node, Node]]", node.value):
            if _tag(key_node) == _PLAIN and key_node.value == "<<":
                merged = {**self._merged(value_node), **merged}
                continue
            key = self._key(key_node)
            if key in own:
                raise self._error(key_node, f'"{key}" stands twice in one mapping. Remove one of the two')
            own[key] = self.value(value_node)
        entries = {**merged, **own}
        return {key: entries[key] for key in sorted(entries)}

    def _merged(self, node: Node) -> dict[str, object]:
        sources = self.value(node)
        merged: dict[str, object] = {}
        for source in cast("list[object]", sources) if isinstance(sources, list) else [sources]:
            if not isinstance(source, dict):
                raise self._error(node, "<< merges mappings only. Name one by its anchor")
            merged = {**cast("dict[str, object]", source), **merged}
        return merged

    def _key(self, node: Node) -> str:
        """Give a key as a string, as the CLI writes a number's or a boolean's."""
        key = self.value(node)
        if isinstance(key, bool):
            return str(key).lower()
        if isinstance(key, (str, int)):
            return str(key)
        raise self._error(node, f"a key is {_kind(key)}. Write it as a string, in quotes")

    def _scalar(self, node: Node) -> object:
        text = cast("str", node.value)
        tag = _tag(node)
        if tag == "tag:yaml.org,2002:str":
            return text
        if tag != _PLAIN:
            raise self._error(
                node, f"the tag {tag} isn't read here. Remove it, and quote the value if it's a string"
            )
        if _is_timestamp(text):
            raise self._error(
                node, f"the CLI would read {text} as a point in time and hand over another text. Quote it"
            )
        value = plain_scalar(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error(node, f"{text} is no number that JSON has. Quote it, or write a finite number")
        return value

    def _error(self, node: Node, message: str) -> StackFileError:
        return StackFileError(f"{self._path}, line {node.start_mark.line + 1}: {message}.")


def _tag(node: Node) -> str:
    return str(cast("object", node.tag))


_WORDS: Final[Mapping[str, object]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGERS: Final = (
    (re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([-+]?)0[bB]([01]+)"), 2),
    (re.compile(r"([-+]?)0[oO]?([0-7]+)"), 8),
    (re.compile(r"([-+]?)(0|[1-9][0-9]*)"), 10),
)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"([Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})"
    r"| [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?)?"
)
_LARGEST_PLAIN_FLOAT: Final = 1e21
"""From here on Go writes a float into JSON with an exponent; below it, a whole one as an integer."""


def plain_scalar(text: str) -> object:
    """Read a scalar without quotes as go-yaml does, and as the program gets it from the CLI's JSON.

    A whole float is therefore an integer: `012345678901` is 12345678901.
    """
    if text in _WORDS:
        return _WORDS[text]
    if not re.match(r"[-+.0-9]", text):
        return text
    digits = text if text.startswith(".") else text.replace("_", "")
    for shape, base in _INTEGERS:
        match = shape.fullmatch(digits)
        if match:
            value = int(match[1] + match[2], base)
            if -(2**63) <= value < 2**64:
                return value
    if not _FLOAT.fullmatch(digits):
        return text
    number = float(digits)
    if math.isinf(number):
        return text
    return int(number) if number.is_integer() and abs(number) < _LARGEST_PLAIN_FLOAT else number


def _is_timestamp(text: str) -> bool:
    return _TIMESTAMP.fullmatch(text) is not None


def _kind(value: object) -> str:
    """Say what a value is, in YAML's words."""
    names = (
        (Mapping, "a mapping"),
        (list, "a list"),
        (str, "a string"),
        (bool, "a boolean"),
        (type(None), "empty"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a number")
