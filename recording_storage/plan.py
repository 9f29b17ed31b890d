"""A stack of a project, before anything is run: its file, and its configuration judged as the program judges it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.faults import Breach, ConfigurationError, Fault, fault
from components.settings import Settings, judge, own_keys
from recording_storage import stackfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ORGANIZATION = "organization"
"""What Pulumi's self-managed backends call every organisation; the CLI knows better, and only names depend on it."""


@dataclass(frozen=True)
class Plan:
    """A stack file and what it says."""

    file: stackfile.StackFile
    settings: Settings
    warnings: tuple[Fault, ...]

    def job(self, folder: Path, owner: Mapping[str, str]) -> dict[str, Any]:
        """What the program is told; `owner` are the variables of the owner's credentials."""
        return {
            "folder": str(folder.resolve()),
            "project": self.file.project,
            "stack": self.file.stack,
            "organization": ORGANIZATION,
            "config": stackfile.pulumi_config(self.file),
            "environment": dict(owner),
        }


def load(folder: Path, stack: str) -> Plan:
    """Read and judge a stack's configuration; raises `StackFileError` or `ConfigurationError`."""
    file = stackfile.load(folder, stack)
    given = own_keys(file.config, file.project)
    judgement = judge(given, project=file.project, stack=stack, organization=ORGANIZATION)
    faults = list(_file_faults(folder, judgement.settings))
    if faults:
        raise ConfigurationError(faults, file.project)
    return Plan(file, judgement.settings, judgement.warnings)


def _file_faults(folder: Path, settings: Settings) -> Iterator[Fault]:
    for name, destination in settings.s3.items():
        file = destination.permissions_boundary_file
        if file is None:
            continue
        try:
            json.loads((folder / file).read_text())
        except (OSError, ValueError) as error:
            breach = Breach("a file that holds the boundary's policy, as JSON", f"mend the file: {error}")
            yield fault(f"destinations.{name}.permissions_boundary_file", file, breach)
