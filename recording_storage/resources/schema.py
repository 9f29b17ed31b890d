"""What a resource takes, as its provider has published it: the argument types of the provider's Python SDK.

`faults` says which inputs the SDK doesn't have, which of those that it requires are missing, and which are of another
type, however deep, in the names of Pulumi's wire. `config_faults` does so for a provider's own configuration, whose
values come as JSON where they aren't strings. What isn't known yet is of any type; null counts as not given. No value
is repeated in a fault, since it may be a secret.

Types are taken at their word, where the real providers are lenient, and that too is refused here:
pulumi-terraform-bridge (aws, gcp, azuread) takes a string for the number or the boolean that it spells, a number or a
boolean for a string, and a single value for a list of one; azure-native leaves out what it doesn't know, and leaves it
to Azure to judge booleans and the members of a closed enum. An open enum (`Union[str, Enum]`) takes any string.

Left out: the arguments of functions, whose names on the wire stand nowhere but in their code; assets and archives; what
isn't a matter of type (lengths, patterns, conflicts), which the stand-ins judge. A type of resource that the SDK
doesn't have has no faults: the table doesn't know it either.

Sources: https://github.com/pulumi/pulumi-terraform-bridge/blob/main/pkg/tfbridge/schema.go (`makeTerraformInput`),
https://github.com/pulumi/pulumi-azure-native/blob/master/provider/pkg/provider/provider.go (`validateProperty`).
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

import pulumi
from pulumi import _types
from pulumi.runtime import rpc

from components.faults import did_you_mean, listed
from recording_storage.wire import plain

ENGINES = frozenset({"pluginDownloadURL", "version"})
"""What a provider's configuration may hold for the engine: where its plugin comes from.

https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/providers/registry.go
"""

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$]*")
_loading = threading.Lock()


@dataclass(frozen=True)
class Fault:
    """One wrong input: where it is, as in `rules[0].status`, and what is wrong with it."""

    path: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.path}: {self.wrong}"


@dataclass(frozen=True)
class Arguments:
    """What a class of the SDK takes: types by their names on the wire, and the names of those that it requires."""

    types: Mapping[str, Any]
    required: frozenset[str]


def faults(token: str, inputs: Mapping[str, Any]) -> list[Fault]:
    """All that is wrong with the inputs of a resource of type `token`."""
    found = arguments(token)
    return _wrong_parts(found, inputs, "") if found else []


def config_faults(package: str, config: Mapping[str, Any]) -> list[Fault]:
    """All that is wrong with the configuration of a package's provider."""
    found = provider_arguments(package)
    given = {name: _decoded(found.types.get(name), value) for name, value in config.items()}
    return _wrong_parts(found, {name: value for name, value in given.items() if name not in ENGINES}, "")


@cache
def arguments(token: str) -> Arguments | None:
    """What a resource of type `token` takes; imports no more of the SDK than the token's own module."""
    package, module, _ = token.split(":")
    with _loading:
        _sdk(package)
        registered: Any = rpc.get_resource_module(package, module, "")
        name = registered.mod_info["classes"].get(token) if registered else None
        return _published(registered.mod_info["fqn"], name) if name else None


@cache
def provider_arguments(package: str) -> Arguments:
    """What the provider of a package takes."""
    with _loading:
        _sdk(package)
        registered: Any = rpc.get_resource_package(package, "")
        return _published(registered.pkg_info["fqn"], registered.pkg_info["class"])


def _sdk(package: str) -> None:
    """Import the SDK's top: it registers where the classes are, and imports a module once something is asked of it.

    Two threads must not be the first to ask: hence the lock around all of this.
    """
    import_module(f"pulumi_{package.replace('-', '_')}")


def _published(module: str, name: str) -> Arguments:
    """The arguments of a resource's class.

    A class of the same name may be among the nested ones (`BucketVersioningArgs`), so the file of the resource itself
    says what it calls its own.
    """
    resource: type = getattr(import_module(module), name)
    home: Any = sys.modules[resource.__module__]
    (own,) = (one for one in home.__all__ if one.endswith("Args"))
    return _arguments(getattr(home, own))


@cache
def _arguments(cls: type) -> Arguments:
    names = _types.input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls).parameters.values()
    return Arguments(
        types=_types.input_type_types(cls),
        required=frozenset(names[one.name] for one in parameters if one.default is one.empty),
    )


def _decoded(type_: Any, value: Any) -> Any:
    """A value of a provider's configuration, out of its JSON; what isn't JSON stays a string, and empty is nothing."""
    if not isinstance(value, str) or value == rpc.UNKNOWN or type_ is None or str in _kinds(type_):
        return value
    try:
        return plain(json.loads(value)) if value else None
    except ValueError:
        return value


def _wrong(type_: Any, value: Any, path: str) -> list[Fault]:
    """What is wrong with a value of some type; of several that it may have, with the one that it comes nearest to."""
    if value is None or value == rpc.UNKNOWN:
        return []
    kinds = _kinds(type_)
    fitting = [kind for kind in kinds if _fits(kind, value)]
    if not fitting:
        return [Fault(path, f"expected {_expected(kinds)}, got {_got(kinds, value)}")]
    return min((_inside(kind, value, path) for kind in fitting), key=len)


def _inside(kind: Any, value: Any, path: str) -> list[Fault]:
    """What is wrong inside a value that is of a kind itself."""
    origin = get_origin(kind)
    if origin is Sequence:
        (of,) = get_args(kind)
        return [fault for index, one in enumerate(value) for fault in _wrong(of, one, f"{path}[{index}]")]
    if origin is Mapping:
        _, of = get_args(kind)
        return [fault for key, one in value.items() for fault in _wrong(of, one, _below(path, key))]
    return _wrong_parts(_arguments(kind), value, path) if _is_arguments(kind) else []


def _wrong_parts(expected: Arguments, given: Mapping[str, Any], path: str) -> list[Fault]:
    """What is wrong with the properties of an object."""
    found: list[Fault] = []
    for name, value in given.items():
        if name in expected.types:
            found += _wrong(expected.types[name], value, _below(path, name))
        elif value is not None:
            near = did_you_mean(name, sorted(expected.types), "")
            found.append(Fault(_below(path, name), f"the SDK has no such property{near and f' ({near})'}"))
    missing = sorted(name for name in expected.required if given.get(name) is None)
    return found + [
        Fault(_below(path, name), f"missing, {_expected(_kinds(expected.types[name]))} is required")
        for name in missing
    ]


def _below(path: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key


@cache
def _kinds(type_: Any) -> tuple[Any, ...]:
    """The types that a value may have on the wire: without what a program may hand over in their place."""
    if get_origin(type_) in (Union, UnionType):
        found = [kind for one in get_args(type_) for kind in _kinds(one)]
        return tuple(dict.fromkeys(found))
    return () if type_ is NoneType or get_origin(type_) in (Awaitable, pulumi.Output) else (type_,)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_SCALARS: Mapping[Any, tuple[str, Callable[[Any], bool]]] = {
    bool: ("a boolean", lambda value: isinstance(value, bool)),
    float: ("a number", _is_number),
    int: ("a whole number", lambda value: _is_number(value) and float(value).is_integer()),
    str: ("a string", lambda value: isinstance(value, str)),
}


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_arguments(kind: Any) -> bool:
    return isinstance(kind, type) and _types.is_input_type(kind)


def _members(enum: Any) -> list[Any]:
    return [one.value for one in cast("type[Enum]", enum)]


def _fits(kind: Any, value: Any) -> bool:
    """Whether a value is of a kind, whatever is inside it; assets and `Any` take everything."""
    if kind in _SCALARS:
        return _SCALARS[kind][1](value)
    if _is_enum(kind):
        return type(value) is not bool and value in _members(kind)
    if get_origin(kind) is Sequence:
        return isinstance(value, list)
    if get_origin(kind) is Mapping or _is_arguments(kind):
        return isinstance(value, dict)
    return True


def _expected(kinds: Sequence[Any]) -> str:
    """Kinds in words, each once."""
    return " or ".join(dict.fromkeys(map(_word, kinds)))


def _word(kind: Any) -> str:
    if kind in _SCALARS:
        return _SCALARS[kind][0]
    if _is_enum(kind):
        return f"one of {listed(map(json.dumps, _members(kind)))}"
    if get_origin(kind) is Sequence:
        return "a list"
    return "an object" if get_origin(kind) is Mapping or _is_arguments(kind) else "a value"


def _got(kinds: Sequence[Any], value: Any) -> str:
    """What sort of value it is: not which, since it may be a secret."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if int in kinds and _is_number(value):
        return "a fraction"
    word, fits = next(one for one in _SCALARS.values() if one[1](value))
    near = any(fits(member) for kind in kinds if _is_enum(kind) for member in _members(kind))
    return f"another{word.removeprefix('a')}" if near else word
