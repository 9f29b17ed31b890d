"""What the Pulumi CLI prints of previews in the sandbox, recorded; `python -m tests.ci.recorded` records anew.

Left out of what is recorded: where on the machine the program lies, and what the engine says to those who debug it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, cast

from tests.support.console import run
from tests.support.projects import ROOT, write_project

SAMPLES: Final = Path(__file__).parent / "samples"
PACK: Final = Path(__file__).parent / "pack"
CALLS: Final = {"provider": "s3", "region": "eu-west-1", "account": "111122223333", "external_id": "acme-1"}
PREVIEW: Final = (
    "PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --stack acme --json --non-interactive"
)
UP: Final = "pulumi up --stack acme --yes --skip-preview --non-interactive > up.log"
NOISE: Final = frozenset({"debug", "info#err", "info"})
PLACES: Final = frozenset({"sourcePosition", "stackTrace"})

SUSPEND: Final = (
    f"{sys.executable} -c \"import boto3; s3 = boto3.client('s3', region_name='eu-west-1'); "
    "[s3.put_bucket_versioning(Bucket=one['Name'], VersioningConfiguration={'Status': 'Suspended'}) "
    "for one in s3.list_buckets()['Buckets']]\""
)

COMMANDS: Final[dict[str, str]] = {
    "created.jsonl": PREVIEW,
    "refused.jsonl": f"{PREVIEW} --policy-pack {PACK}",
    "digest.json": "pulumi preview --stack acme --json --non-interactive",
    "up": UP,
    "unchanged.jsonl": f"{PREVIEW} --refresh --expect-no-changes",
    "drift": SUSPEND,
    "drifted.jsonl": f"{PREVIEW} --refresh --expect-no-changes",
    "replaced.jsonl": "pulumi config set --stack acme --path 'recording-storage:destinations.calls.bucket_name' "
    f"acme-other && {PREVIEW}",
    "failed.jsonl": "pulumi config set --stack acme --path 'recording-storage:destinations.calls.region' Ireland"
    f" && {PREVIEW}",
}
"""A stack's life, one after the other in one sandbox; what has no file's name isn't recorded."""


def record(folder: Path) -> dict[str, str]:
    """Run it all, in a project made in `folder`."""
    project = write_project(folder / "project", {"destinations": {"calls": CALLS}})
    (project / ".venv").symlink_to(ROOT / ".venv")
    ran = run(list(COMMANDS.values()), project)
    return {
        name: trimmed(one.out) for name, one in zip(COMMANDS, ran, strict=True) if name.endswith(("l", "n"))
    }


def trimmed(printed: str) -> str:
    """What was printed, without what differs between machines."""
    if printed.lstrip().startswith("{\n"):
        return json.dumps(_trim(json.loads(printed)), indent=1) + "\n"
    events = [_trim(json.loads(line)) for line in printed.splitlines()]
    return "".join(f"{json.dumps(one)}\n" for one in events if not _noise(one.get("diagnosticEvent", {})))


def _trim(value: Any) -> Any:
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        kept: dict[str, Any] = {
            key: below for key, below in entries.items() if key not in PLACES | {"diagnostics"}
        }
        return {str(_trim(key)): _trim(below) for key, below in kept.items()}
    if isinstance(value, list):
        return [_trim(one) for one in cast("list[Any]", value)]
    return value.replace(str(PACK), "pack") if isinstance(value, str) else value


def _noise(said: dict[str, Any]) -> bool:
    return said.get("severity") in NOISE


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in record(Path(folder)).items():
            (SAMPLES / name).write_text(content)


if __name__ == "__main__":
    main()
