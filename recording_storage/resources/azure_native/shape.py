"""Where in the API's body a property is: the provider takes the body apart, and calls some parts otherwise.

A property's state is in the shape of an input, so that an import gives inputs: what Azure adds to an object that is
one (a SKU's tier, when a key was last rotated) is left out, and so are parts of it that weren't given, once some were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from recording_storage.resources import Properties, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Field:
    """One property; `at` is its path in the body, which is its own name where nothing is said.

    `parts` are those of an object, `more` what only Azure says of it. `is_set` marks a list of which Azure makes an
    object with these names, as the state has it too.
    """

    at: str = ""
    parts: Mapping[str, Field] | None = None
    more: tuple[str, ...] = ()
    is_set: bool = False

    @property
    def is_reshaped(self) -> bool:
        """Whether it, or a part of it, has another shape in the state than as an input."""
        return self.is_set or any(part.is_reshaped for part in (self.parts or {}).values())

    def to_api(self, value: Any, of: str) -> Any:
        """An input's value in the body."""
        if self.is_set:
            return {str(one): Properties() for one in value}
        return _whole(value) if self.parts is None else to_api(self.parts, value, of)

    def from_api(self, value: Any, known: Any) -> Any:
        """The property's value, of what the body has; of an object that is known, the parts that are."""
        if self.parts is None:
            return value
        told = {name: part for name, part in self.parts.items() if not known or name in known}
        return from_api(told | plain(*self.more), value, known or {})

    def settled(self, value: Any) -> Any:
        """A value as an input would be: what only Azure says of it is left out."""
        if self.is_set and isinstance(value, dict | list):
            return sorted(cast("list[str]", value))
        if self.parts is None or not isinstance(value, dict):
            return value
        said = {n: v for n, v in cast("dict[str, Any]", value).items() if n not in self.more}
        return {name: self.parts[name].settled(v) if name in self.parts else v for name, v in said.items()}


def plain(*names: str, within: str = "") -> dict[str, Field]:
    """Properties that are called as in the body; `within` is an object there that the provider takes apart."""
    return {name: Field(f"{within}.{name}" if within else name) for name in names}


def parts(*names: str, at: str) -> Field:
    """An object at `at` whose parts are called as in the body."""
    return Field(at, plain(*names))


def to_api(fields: Mapping[str, Field], said: Mapping[str, Any], of: str) -> Properties:
    """The body for inputs; raises `UnsupportedError` for one that isn't known, however deep."""
    body: Properties = {}
    for name, value in said.items():
        if value is None:
            continue
        if name not in fields:
            raise UnsupportedError(f"{name} of {of}", name)
        *containers, last = (fields[name].at or name).split(".")
        place = body
        for container in containers:
            place = place.setdefault(container, {})
        place[last] = fields[name].to_api(value, name)
    return body


def from_api(fields: Mapping[str, Field], body: Mapping[str, Any], known: Mapping[str, Any]) -> Properties:
    """The properties that a body has, where these were given, or known, before."""
    found: Properties = {}
    for name, field in fields.items():
        value: Any = body
        for part in (field.at or name).split("."):
            value = cast("dict[str, Any]", value).get(part) if isinstance(value, dict) else None
        if value is not None:
            found[name] = field.from_api(value, known.get(name))
    return found


def _whole(value: Any) -> Any:
    """A value whose whole numbers are such: Pulumi's wire has no others than floats."""
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_whole(one) for one in cast("list[Any]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value
