"""Yesterday's stacks: the state of each example as an earlier program made it, which today's must not replace.

`python -m tests.support.upgrades STACK…` records stacks that have no state yet (it needs the Pulumi CLI). One that is
there is left as it is: what it says was promised. Record anew only with a major version.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from recording_storage import resources
from recording_storage.engine.driver import Engine
from recording_storage.rehearsal import set_up
from recording_storage.sandbox import Sandbox
from tests.support import registrations
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.support.registrations import Registration, Run

YESTERDAY = ROOT / "tests" / "upgrade"
INCIDENTAL = frozenset({"created", "modified", "propertyDependencies", "sourcePosition", "stackTrace"})
"""What the engine notes of a resource that no later run looks at."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"
"""What marks a secret in a state."""
GIVEN = (
    "<unknown>",
    registrations.APPLICATION_ID,
    registrations.CLIENT_ID,
    registrations.PRINCIPAL_ID,
    registrations.PROJECT_NUMBER,
)
"""What only a cloud knows, and what the mocks say in its place: no mock can say it again."""


@dataclass(frozen=True)
class Kept:
    """A resource that a stack has."""

    type: str
    name: str
    parent: str
    inputs: dict[str, Any]


def stacks() -> list[str]:
    return sorted(path.stem for path in YESTERDAY.glob("*.json"))


def state(stack: str) -> dict[str, Any]:
    """A stack as `pulumi stack export` printed it."""
    return json.loads((YESTERDAY / f"{stack}.json").read_text())


def kept(exported: dict[str, Any]) -> list[Kept]:
    return [
        Kept(one["type"], _name(one["urn"]), _name(one.get("parent", "")), one.get("inputs", {}))
        for one in exported["deployment"]["resources"]
        if one["type"] != "pulumi:pulumi:Stack"
    ]


def replaced(yesterday: list[Kept], today: Run) -> Iterator[str]:
    """What of yesterday's would be replaced, or would go, because it has another name, place or fixed input."""
    for old in yesterday:
        new = next((one for one in today.registrations if _same_place(old, one)), None)
        if new is None:
            yield f"{old.type} {old.name} in {old.parent} is gone, and no alias takes its place"
            continue
        for name in sorted(_fixed(old.type) & (old.inputs.keys() | new.inputs.keys())):
            was, now = old.inputs.get(name), new.inputs.get(name)
            if now != was and not any(one in json.dumps(now) for one in GIVEN):
                yield f"{old.type} {old.name}: {name} was {was!r} and would be {now!r}"


def _same_place(old: Kept, new: Registration) -> bool:
    return new.type == old.type and (old.name, old.parent) in {(new.name, new.parent), *new.aliases}


def _fixed(type_: str) -> frozenset[str]:
    """The inputs whose change makes a new resource."""
    package = type_.partition(":")[0]
    if package not in resources.PACKAGES:
        return frozenset()
    return resources.provider(package).types[type_].replace_on


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


@contextmanager
def assumed(stack: str, folder: Path) -> Generator[Engine]:
    """The CLI for a stack of the project in `folder`, in a cloud that has what the stack assumes to exist."""
    with Sandbox() as sandbox:
        environment = sandbox.environment("owner", {})
        _, stages = set_up(sandbox, folder, stack)
        owner = {name: value for stage in stages.values() for name, value in stage.owner(environment).items()}
        for stage in stages.values():
            stage.prepare()
        engine = Engine(folder, sandbox.folder / "pulumi", {**environment, **owner})
        initialised = engine.run("stack", "init", stack)
        assert initialised.code == 0, initialised.text
        yield engine


def record(stack: str) -> None:
    """Bring a stack up, and keep its state."""
    with assumed(stack, ROOT) as engine:
        made = engine.deploy("up")
        assert made.code == 0, made.text
        exported = engine.exported("stack", "export", "--show-secrets")
    deployment = exported["deployment"]
    deployment["resources"] = [
        {name: _opened(value) for name, value in one.items() if name not in INCIDENTAL}
        for one in deployment["resources"]
    ]
    del deployment["secrets_providers"]  # nothing is encrypted
    del deployment["manifest"]["time"]
    (YESTERDAY / f"{stack}.json").write_text(json.dumps(exported, indent=1, sort_keys=True) + "\n")


def _opened(value: Any) -> Any:
    """A value without marks of secrecy: the SDK for Google marks whatever has labels."""
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        if SECRET in entries.values():
            return json.loads(entries["plaintext"])
        return {name: _opened(one) for name, one in entries.items()}
    if isinstance(value, list):
        return [_opened(one) for one in cast("list[Any]", value)]
    return value


if __name__ == "__main__":
    for name in sys.argv[1:]:
        if name not in stacks():
            record(name)
