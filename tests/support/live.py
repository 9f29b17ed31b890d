"""Destinations in a sandbox: recorded to, verified, broken and mended, by ordinary clients, as their owner."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from recording_storage.rehearsal import provision
from recording_storage.rehearsal.child import Child
from recording_storage.sandbox import Sandbox
from recording_storage.verify.targets import Target, known_of
from tests.support.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path
    from types import TracebackType

    from recording_storage.results import Result


class Live:
    """A stack's destinations. `owner` is the environment of who owns the accounts, for clients of any kind."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self._cast = ExitStack()
        self.sandbox = self._cast.enter_context(Sandbox())
        write_project(folder, dict(config))
        self._scene = provision(self.sandbox, folder, "acme", self._cast, lambda _: None, with_players=True)
        if isinstance(self._scene.outputs, str):
            raise RuntimeError(self._scene.outputs)
        self.outputs: dict[str, dict[str, Any]] = self._scene.outputs["destinations"]
        self.owner = self.sandbox.environment("somebody-at-the-console", {})
        for stage in self._scene.stages.values():
            self.owner |= stage.owner(self.owner)
        self._verifiers: dict[str, Child] = {}

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cast.close()

    def target(self, name: str) -> Target:
        """A destination as its stack knows it."""
        storage = self.outputs[name]["recording_storage"]
        return Target(name, storage, known_of(self._scene.plan.settings, name))

    def record(self, name: str) -> list[Result]:
        """How the recording service's own attempt ends, step by step."""
        stage = self._scene.stages[self.target(name).provider]
        return list(stage.record(name, self.outputs[name]))

    def verify(
        self,
        *targets: Target,
        environment: Mapping[str, str] | None = None,
        only: Collection[str] | None = None,
    ) -> list[dict[str, Any]]:
        """The results of `verify` with the owner's credentials, or with those in another environment."""
        found = dict(environment or self.owner)
        key = str(sorted(found.items()))
        if key not in self._verifiers:
            self._verifiers[key] = self._cast.enter_context(Child("recording_storage.verify", found))
        job = {"targets": [asdict(one) for one in targets], "only": list(only) if only else None}
        return list(self._verifiers[key].ask(job))

    def troubles(self, name: str, **how: Any) -> dict[str, str]:
        """The checks of a destination that did not pass: id and status."""
        return {
            one["id"]: one["status"]
            for one in self.verify(self.target(name), **how)
            if one["status"] != "pass"
        }
