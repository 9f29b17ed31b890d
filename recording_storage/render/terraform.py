"""Values for Terraform's and OpenTofu's variables: https://developer.hashicorp.com/terraform/language/values/variables.

Written as `terraform fmt` has it. Left out: the variables' declarations, which are in docs/first_recording.md.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from recording_storage.render.destinations import RenderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.contract import RecordingStorage
    from recording_storage.render.destinations import Destinations
    from recording_storage.render.options import Options

ONE, SEVERAL = "recording_storage", "recording_storages"

_IDENTIFIER: Final = re.compile(r"(?!for\Z)[A-Za-z_][A-Za-z0-9_-]*")
"""A key without quotes: https://developer.hashicorp.com/terraform/language/expressions/types#maps-objects. At the
beginning of a map `for` makes it an expression."""
_ESCAPES: Final = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF)}
    | {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}
)
"""https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences"""


def tfvars(destinations: Destinations, options: Options) -> str:
    """Write `recording_storage`, a map of strings, and where there are several `recording_storages`, a map of such."""
    del options
    found: list[str] = []
    if destinations.plain is not None:
        found.append(f"{ONE} = {_map(destinations.plain, '')}\n")
    if destinations.several:
        maps = (f"  {_key(name)} = {_map(one, '  ')}\n" for name, one in destinations.by_name.items())
        found.append(f"{SEVERAL} = {{\n{''.join(maps)}}}\n")
    return "\n".join(found)


def _map(storage: RecordingStorage, margin: str) -> str:
    entries: Mapping[str, str] = {_key(field): string(value) for field, value in storage.items()}
    width = max(map(len, entries), default=0)
    lines = (f"{margin}  {key:{width}} = {value}\n" for key, value in entries.items())
    return f"{{\n{''.join(lines)}{margin}}}"


def _key(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else string(name)


def string(value: str) -> str:
    """A quoted string; raises `RenderError` for text that Terraform would change: it keeps all in Unicode's NFC."""
    if unicodedata.normalize("NFC", value) != value:
        raise RenderError(
            "there is text that Terraform would change, since it isn't in Unicode's form NFC: take json"
        )
    return f'"{value.translate(_ESCAPES).replace("${", "$${").replace("%{", "%%{")}"'
