"""YAML: a ConfigMap for Kubernetes, and an environment for Pulumi ESC.

Every value is in quotes: one reader takes `no`, `12:30` or `0123` for something else than another. In single ones where
it is JSON, which is legible so, and in double ones otherwise, which hold any text.
"""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted
from ruamel.yaml.scalarstring import SingleQuotedScalarString as Verbatim

from recording_storage.render.destinations import RenderError
from recording_storage.render.variables import variables

if TYPE_CHECKING:
    from components.contract import RecordingStorage
    from recording_storage.render.destinations import Destinations
    from recording_storage.render.options import Options
    from recording_storage.render.variables import Variable

CONFIG_MAP_NAME: Final = "recording-storage"
ONE, SEVERAL = "recording_storage", "recording_storages"

_NO_KEY: Final = re.compile(r'[$"\\]|\Afn::', re.IGNORECASE)
"""What ESC takes for something else in a key, or can't be said in a reference to one."""
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""What a reference can say without brackets: https://www.pulumi.com/docs/reference/property-paths/"""


def configmap(destinations: Destinations, options: Options) -> str:
    """Write a ConfigMap whose data are the variables, for `envFrom`: https://kubernetes.io/docs/concepts/configuration/configmap/."""
    metadata = {"name": Quoted(options.name or CONFIG_MAP_NAME)}
    if options.namespace:
        metadata["namespace"] = Quoted(options.namespace)
    data = {one.name: (Quoted if one.field else Verbatim)(_held(one)) for one in variables(destinations)}
    return _yaml({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def esc(destinations: Destinations, options: Options) -> str:
    """Write an environment: the objects once, and references to them from variables and from Pulumi's configuration.

    https://www.pulumi.com/docs/esc/environments/syntax/reserved-properties/
    """
    del options
    values: dict[str, Any] = {}
    if destinations.several:
        for name in destinations.by_name:
            if _NO_KEY.search(name) or not name.isprintable():
                raise RenderError(f'"{name}" can\'t be a key in an ESC environment: give it another name')
        values[SEVERAL] = {Quoted(name): _literal(one) for name, one in destinations.by_name.items()}
    if destinations.plain is not None:
        values[ONE] = (
            _reference(destinations.default) if destinations.several else _literal(destinations.plain)
        )
    held = list(values)
    values["environmentVariables"] = {one.name: _variable(one) for one in variables(destinations)}
    values["pulumiConfig"] = {key: f"${{{key}}}" for key in held}
    return _yaml({"values": values})


def _variable(one: Variable) -> object:
    _held(one)
    reference = _reference(one.destination, one.field)
    return {"fn::toJSON": reference} if one.field is None else reference


def _reference(destination: str | None, field: str | None = None) -> str:
    """A reference to what stands in the environment already."""
    if destination is None:
        where = ONE
    else:
        where = (
            f"{SEVERAL}.{destination}" if _PLAIN_KEY.fullmatch(destination) else f'{SEVERAL}["{destination}"]'
        )
    return f"${{{where}.{field}}}" if field else f"${{{where}}}"


def _literal(storage: RecordingStorage) -> dict[str, Quoted]:
    """Values as ESC gives them back: it reads `$$` as a dollar, and `${` as the beginning of a reference.

    https://github.com/pulumi/esc/blob/main/ast/interpolation.go
    """
    return {field: Quoted(value.replace("$", "$$")) for field, value in storage.items()}


def _held(one: Variable) -> str:
    """The variable's value; refuses what no environment of a process can hold."""
    if "\0" in one.value:
        raise RenderError(f"{one.name} has a NUL, which an environment can't hold: take json")
    return one.value


def _yaml(document: object) -> str:
    writer = YAML()
    writer.width = sys.maxsize
    writer.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    writer.dump(document, text)
    return text.getvalue()
