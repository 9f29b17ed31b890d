"""What `--config` may hold, read into targets: whatever shape an application or a tool keeps its destinations in.

One `recording_storage` object, a list or a mapping of them, a conversation's whole request, its `properties`, the older
flat properties, a stack's outputs, Terraform's (`terraform output -json`). Left out: a stack read through the CLI
(`stack`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from components import contract
from components.faults import Breach, Fault, fault
from recording_storage.verify.targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STANDARD_INPUT: Final = "-"
ONLY: Final = "recording_storage"
"""What a destination without a name of its own is called."""
FLAT: Final = {
    "recording_s3_bucket_name": "bucket_name",
    "recording_s3_bucket_region": "bucket_region",
    "aws_assume_role_arn": "assume_role_arn",
}
"""The older flat properties, and what they are in `recording_storage`."""
CHECKED_LATER: Final = frozenset({"recording_storage.workload_identity_provider"})
"""Fields whose form a check judges, with its own id."""
EXPECTED: Final = (
    "a recording_storage object, a list of them, a conversation's request, its older flat properties, "
    "or a stack's outputs, as JSON"
)


class InputError(ValueError):
    """What was given can't be read, or is wrong: every fault at once."""

    def __init__(self, where: str, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = f"{len(faults)} fault{'s' * (len(faults) != 1)}"
        super().__init__(
            "\n".join([f"{where}: {count}; nothing was read.", *(one.render() for one in faults)])
        )


def read(path: str) -> list[Target]:
    """Read a file, or standard input for `-`; raises `InputError`."""
    return parse(*text_of(path))


def text_of(path: str) -> tuple[str, str]:
    """A file's text, or standard input's for `-`, and where it comes from; raises `InputError`."""
    where = "standard input" if path == STANDARD_INPUT else path
    try:
        text = sys.stdin.read() if path == STANDARD_INPUT else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            where, [Fault("--config", path, f"a file that can be read: {reason}", "name one that is there")]
        ) from None
    return text, where


def parse(text: str, where: str) -> list[Target]:
    """The destinations in a text; raises `InputError`. `where` says where it comes from."""
    try:
        value: object = json.loads(text)
    except ValueError as error:
        raise InputError(
            where, [Fault("(all of it)", _beginning(text), f"{EXPECTED}: {error}", "hand over JSON")]
        ) from None
    targets = list(_targets(value, ""))
    faults = [one for target in targets for one in _faults(target)]
    if not targets:
        breach = Breach(EXPECTED, 'hand over an object with a "provider"')
        faults = [fault("(all of it)", value, breach)]
    if faults:
        raise InputError(where, faults)
    return targets


def _targets(value: object, name: str) -> Iterator[Target]:
    if isinstance(value, list):
        for number, one in enumerate(cast("list[object]", value), 1):
            yield from _targets(one, f"{name}[{number}]" if name else f"[{number}]")
        return
    if not isinstance(value, Mapping):
        return
    found = _unwrapped(cast("Mapping[str, Any]", value))
    body = _body(found)
    if "provider" in found and ONLY not in found:
        yield Target(name or ONLY, found)
    elif isinstance(found.get("destinations"), Mapping) and found["destinations"]:
        for own, one in cast("Mapping[str, object]", found["destinations"]).items():
            yield from _targets(one, _below(name, own))
    elif body is not None:
        for target in _targets(_storage(body["properties"]), name):
            yield replace(target, conversation=body)
    elif ONLY in found:
        yield from _targets(found[ONLY], name)
    else:
        for own, one in found.items():
            yield from _targets(one, _below(name, own))


def _below(name: str, own: str) -> str:
    return f"{name}.{own}" if name else own


def _body(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """A conversation's request, where this is one or its properties."""
    properties = found.get("properties")
    if isinstance(properties, Mapping) and _storage(cast("Mapping[str, Any]", properties)) is not None:
        return {**found}
    if "enable_recording" in found or FLAT.keys() & found.keys():
        return {"properties": {**found}}
    return None


def _storage(properties: Mapping[str, Any]) -> object:
    flat = {name: properties[old] for old, name in FLAT.items() if old in properties}
    return {"provider": "s3", **flat} if flat else properties.get(ONLY)


def _unwrapped(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Terraform's outputs without what it says about each: https://developer.hashicorp.com/terraform/cli/commands/output"""
    if found and all(
        isinstance(one, Mapping) and {"value", "sensitive"} <= one.keys() for one in found.values()
    ):
        return {name: one["value"] for name, one in found.items()}
    return found


def _faults(target: Target) -> Iterator[Fault]:
    for one in contract.validate(target.recording_storage):
        if one.key in CHECKED_LATER and one.value not in ("(not set)", '""'):
            continue
        yield one if target.name == ONLY else replace(one, key=f"{target.name}: {one.key}")


def _beginning(text: str) -> str:
    return json.dumps(text[:40] + "…" * (len(text) > 40), ensure_ascii=False) if text.strip() else "(nothing)"
