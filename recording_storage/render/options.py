"""What some formats take beside the destinations."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from components.faults import listed
from recording_storage.render.destinations import RenderError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names"""
_LONGEST_NAME: Final = 253
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names"""


@dataclass(frozen=True)
class Options:
    """What is said beside the destinations; None: it isn't.

    `replica_id`, `persona_id`, `callback_url`: as the API has them. `name`, `namespace`: of the object in Kubernetes.
    """

    replica_id: str | None = None
    persona_id: str | None = None
    callback_url: str | None = None
    name: str | None = None
    namespace: str | None = None

    def said(self) -> dict[str, str]:
        """Those that are said, by their fields' names."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


def flag(option: str) -> str:
    """An option as the command line has it."""
    return f"--{option.replace('_', '-')}"


def check(options: Options, form: str, taken_by: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse options that the format `form` doesn't take, and values that nothing could be made of.

    `taken_by`: format → the options it takes. Raises `RenderError`.
    """
    for option, value in options.said().items():
        if option not in taken_by[form]:
            takers = listed(name for name, taken in taken_by.items() if option in taken)
            raise RenderError(f"{flag(option)} is for {takers}, and not for {form}: leave it out")
        if not value.strip():
            raise RenderError(f"{flag(option)} is empty: give it a value, or leave it out")
        if re.search(r"[\ud800-\udfff]", value):
            raise RenderError(f"{flag(option)} isn't text in UTF-8: write it so")
    if options.callback_url is not None and not _is_address(options.callback_url):
        raise RenderError("--callback-url is no address that can be called: write https://…")
    if options.name is not None and not _is_name(options.name):
        raise RenderError(
            f'--name "{options.name}" is no name in Kubernetes: at most {_LONGEST_NAME} of a-z, 0-9, - and ., '
            "beginning and ending with a letter or a digit, as each part between dots"
        )
    if options.namespace is not None and not re.fullmatch(_LABEL, options.namespace):
        raise RenderError(
            f'--namespace "{options.namespace}" is no namespace in Kubernetes: at most 63 of a-z, 0-9 and -, '
            "beginning and ending with a letter or a digit"
        )


def _is_name(name: str) -> bool:
    # Parts may be longer than labels: only the whole is bounded.
    part = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    return len(name) <= _LONGEST_NAME and re.fullmatch(rf"{part}(\.{part})*", name) is not None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url)
    except ValueError:
        return False
