"""What Azure says, as objects in objects: what isn't said is an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def inside(said: Mapping[str, Any] | None, *names: str) -> dict[str, Any]:
    """The object at the end of names."""
    found = dict(said or {})
    for name in names:
        value = found.get(name)
        found = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return found


def each(said: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The objects in a list."""
    value = said.get(name)
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return (cast("dict[str, Any]", one) for one in listed if isinstance(one, dict))


def text(said: Mapping[str, Any], name: str) -> str:
    """A text; nothing where there is none."""
    return str(said.get(name) or "")
