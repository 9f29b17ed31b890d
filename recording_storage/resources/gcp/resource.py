"""What the package's types have in common: projects, names in several forms, and what isn't given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.resources import Properties, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from recording_storage.resources.gcp.clients import Clients

ESCAPED_PLACEHOLDER = re.compile(r"\\\{(\w+)\\\}")


class Type:
    """The common half of a type.

    `forms` are those in which an import names one, the id's own first. What isn't given is as in `defaults`; of
    `computed` it is as Google has it, which then is no difference. `spelling` brings an input into the one form that
    all its spellings share.
    """

    forms: tuple[str, ...] = ()
    defaults: Mapping[str, object] = {"deletionPolicy": "DELETE"}
    computed: frozenset[str] = frozenset({"project"})
    names: frozenset[str] = frozenset()
    reshaped: frozenset[str] = frozenset()
    spelling: Mapping[str, Callable[[Any], Any]] = {}

    def settled(self, inputs: Properties, state: Properties) -> Properties:
        given = {name: value for name, value in inputs.items() if value is not None}
        kept = {name: state[name] for name in self.computed if state.get(name) is not None}
        return {
            name: self.spelling[name](value) if name in self.spelling else value
            for name, value in {**self.defaults, **kept, **given}.items()
        }

    def import_id(self, clients: Clients, import_id: str) -> tuple[str, Properties]:
        said = parts(self.forms, import_id, clients)
        return self.forms[0].format(**said), dict(said)

    def said(self, id_: str) -> dict[str, str]:
        """What the id says of it."""
        return read(self.forms[0], id_) or {}


def parts(forms: tuple[str, ...], name: str, clients: Clients) -> dict[str, str]:
    """What a name in one of `forms` says; one without a project is in the configuration's."""
    for form in forms:
        said = read(form, name)
        if said is not None:
            return said if "{project}" not in forms[0] else {"project": clients.project_of(said)} | said
    raise ValueError(f"{name!r} doesn't match any of the accepted formats: {', '.join(forms)}")


def read(form: str, name: str) -> dict[str, str] | None:
    """What `name` says of the placeholders of `form`, or None where it isn't of that form."""
    pattern = ESCAPED_PLACEHOLDER.sub(r"(?P<\1>[^/]+)", re.escape(form))
    found = re.fullmatch(pattern, name)
    return found.groupdict() if found else None


def abandoned(id_: str, state: Properties) -> bool:
    """Whether a deletion leaves it where it is; raises where it is prevented."""
    policy = state.get("deletionPolicy")
    if policy == "PREVENT":
        raise PermissionError(
            f'cannot destroy "{id_}" without setting deletion_policy="DELETE" and running `terraform apply`'
        )
    return policy == "ABANDON"


def last(name: str) -> str:
    """The last part of a name that may be a path."""
    return name.rpartition("/")[2]


def table(value: Any) -> Properties:
    """A nested value that may be missing."""
    return dict(value or {})


def only(value: Any, names: Collection[str], of: str) -> Properties:
    """A nested input that has these parts; raises `UnsupportedError` for another one."""
    said = {name: one for name, one in table(value).items() if one is not None}
    for name in said:
        if name not in names:
            raise UnsupportedError(f"{name} of {of}")
    return said
