"""What the CLI finds in a sandbox: the stand-ins' providers, an empty state, and a home of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Final

from recording_storage.resources import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLI: Final = "RECORDING_STORAGE_PULUMI"
"""The variable that says where the real CLI is."""
FOLDER: Final = "RECORDING_STORAGE_PULUMI_FOLDER"
"""The variable that says where copies of projects are kept."""
COPIES: Final = "copies"
NEWEST: Final = "999.0.0"
"""The version by which the stand-ins' providers are installed: they serve any version of an SDK."""


def find(environment: Mapping[str, str] = os.environ) -> str | None:
    """Where the CLI is; in a sandbox, the one behind the sandbox's own `pulumi`."""
    return os.environ.get(CLI) or shutil.which("pulumi", path=environment.get("PATH"))


def equip(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with the stand-ins' providers, and a state and a home of the CLI's own in `folder`."""
    home, state = folder / "home", folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        provider = home / "plugins" / f"resource-{package}-v{NEWEST}" / f"pulumi-resource-{package}"
        _script(provider, "recording_storage.engine.provider", package)
    return {
        **environment,
        "PULUMI_HOME": str(home),
        "PULUMI_ENABLE_LEGACY_PLUGIN_SEARCH": "true",  # takes a provider that is newer than the program's SDK
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",  # nothing is encrypted, but the CLI wants one
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",  # the CLI asks pip which packages there are
    }


def offer(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` in which whoever calls `pulumi` gets the CLI on a copy of the project; as it was, without a CLI."""
    cli = find(environment)
    if cli is None:
        return dict(environment)
    equipped = equip(folder, environment)
    script = folder / "bin" / "pulumi"
    _script(script, "recording_storage.engine.shim")
    return {
        **equipped,
        "PATH": os.pathsep.join([str(script.parent), equipped["PATH"]]),
        CLI: cli,
        FOLDER: str(folder / COPIES),
    }


def _script(path: Path, *module: str) -> None:
    """Write an executable that runs a module of this package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {shlex.join(module)} "$@"\n')
    path.chmod(0o755)
