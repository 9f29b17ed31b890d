"""Parts of what a cloud's REST API answers, which leaves out whatever is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]


def part(said: Mapping[str, Any] | None, *names: str) -> Json:
    """The object at a path of names; an empty one where there is none."""
    found = dict(said or {})
    for name in names:
        inner: object = found.get(name)
        found = cast("Json", inner) if isinstance(inner, dict) else {}
    return found


def items(said: Mapping[str, Any] | None, name: str) -> list[Any]:
    """The list that is called so; an empty one where there is none, and one of one where it isn't a list."""
    found: object = (said or {}).get(name)
    if found is None:
        return []
    return cast("list[Any]", found) if isinstance(found, list) else [found]


def each(said: Mapping[str, Any], name: str) -> Iterator[Json]:
    """The objects in the list that is called so; none where it isn't a list."""
    found: object = said.get(name)
    listed = cast("list[object]", found) if isinstance(found, list) else []
    return (cast("Json", one) for one in listed if isinstance(one, dict))


def text(said: Mapping[str, Any], name: str) -> str:
    """A text; nothing where there is none."""
    return str(said.get(name) or "")
