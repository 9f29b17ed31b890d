"""What a role definition permits.

A definition has one or more sets of permissions, and permits what one of them does: what is among its actions and not
among its `notActions`; actions of management and of data apart. What another role permits, `notActions` don't take.

Source: https://learn.microsoft.com/azure/role-based-access-control/role-definitions. Leaves out the conditions that a
definition itself may have (`read` keeps that there is one).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Permissions:
    """One set; an asterisk in an action stands for anything, between slashes for nothing too."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    condition: str = ""

    def permits(self, action: str, data: bool) -> bool:
        """Whether it permits an action, or a data action."""
        given, taken = (
            (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        )
        return fits(given, action) and not fits(taken, action)


@dataclass(frozen=True)
class Definition:
    """A role definition as it is read."""

    name: str
    """What people call it."""
    permissions: tuple[Permissions, ...]

    def permits(self, action: str, data: bool) -> bool | None:
        """Whether one of its sets permits it; None where only one with a condition of its own does."""
        found = [one for one in self.permissions if one.permits(action, data)]
        return None if found and all(one.condition for one in found) else bool(found)


def read(said: Mapping[str, Any]) -> Definition:
    """A definition of what Resource Manager says:
    https://learn.microsoft.com/rest/api/authorization/role-definitions/get.
    """
    properties: Mapping[str, Any] = said.get("properties") or {}
    name = str(properties.get("roleName") or said.get("name") or "")
    return Definition(name, tuple(permissions(one) for one in properties.get("permissions") or ()))


def permissions(said: Mapping[str, Any]) -> Permissions:
    """One set of permissions, a role's or a deny assignment's."""
    return Permissions(
        *(_texts(said.get(name)) for name in ("actions", "notActions", "dataActions", "notDataActions")),
        condition=str(said.get("condition") or ""),
    )


def fits(patterns: Iterable[str], action: str) -> bool:
    """Whether an action is among patterns; case doesn't matter."""
    return any(_compiled(pattern).fullmatch(action) for pattern in patterns)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, cast("list[object]", value))) if isinstance(value, list) else ()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Key Vault Reader reads vaults by `vaults/*/read`, Managed Identity Operator assigns by `…/*/assign/action`.
    anything = re.escape(pattern).replace(r"/\*/", "/(.*/)?").replace(r"\*", ".*")
    return re.compile(anything, re.IGNORECASE)
