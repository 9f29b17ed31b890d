"""Parts of Google's answers, which leave out whatever is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

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
