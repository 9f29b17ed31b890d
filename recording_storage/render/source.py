"""Read the destinations that are to be rendered: from a stack, or from whatever shape they are kept in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from components import contract
from recording_storage.render.destinations import Destinations
from recording_storage.verify import inputs
from recording_storage.verify import stack as stacks

if TYPE_CHECKING:
    from pathlib import Path

    from recording_storage.verify.targets import Target


def from_stack(folder: Path, stack: str) -> Destinations:
    """The destinations of a stack of the project in `folder`; raises `StackError` and `InputError`."""
    return read(stacks.outputs(folder, stack, "render"), f"the outputs of the stack {stack}")


def from_file(path: str) -> Destinations:
    """The destinations in a file, or in standard input for `-`; raises `InputError`."""
    return read(*inputs.text_of(path))


def read(text: str, where: str) -> Destinations:
    """The destinations in a text, each as the contract has it; raises `InputError`."""
    targets = inputs.parse(text, where)
    faults = [
        replace(one, key=f"{target.name}: {one.key}")
        for target in targets
        for one in contract.validate(target.recording_storage)
    ]
    if faults:
        raise inputs.InputError(where, faults)
    by_name = {target.name: _in_order(target.recording_storage) for target in targets}
    return Destinations(by_name, _default(json.loads(text), targets))


def _in_order(storage: Mapping[str, str]) -> contract.RecordingStorage:
    """The object in the contract's order: the CLI sorts its keys, files have them as they come."""
    names = ("provider", *(field.name for field in contract.FIELDS[storage["provider"]]))
    return {name: storage[name] for name in names if name in storage}


def _default(outputs: object, targets: list[Target]) -> str | None:
    """The destination that a stack hands over as its `recording_storage`, which is the only or the default one."""
    if not isinstance(outputs, Mapping):
        return None
    given = cast("Mapping[str, Any]", outputs).get(inputs.ONLY)
    if isinstance(given, Mapping) and "sensitive" in given:  # as Terraform says it
        given = cast("Mapping[str, Any]", given).get("value")
    return next((one.name for one in targets if one.recording_storage == given), None)
