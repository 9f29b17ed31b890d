"""What was made, verified by the code of `recording-storage verify`, at the real host names."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from recording_storage.rehearsal.child import Child
from recording_storage.results import Result, Status
from recording_storage.verify.targets import Known, Target, known_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

    from components.settings import Settings
    from recording_storage.rehearsal import Stage
    from recording_storage.sandbox import Sandbox


def start(sandbox: Sandbox, stages: Mapping[str, Stage], cast: ExitStack) -> Child:
    """Start the verifier, which then loads what it needs for the providers of these stages."""
    environment = sandbox.environment("verifier", {})
    for stage in stages.values():
        environment |= stage.auditor(environment)
    child = cast.enter_context(Child("recording_storage.verify", environment))
    child.tell({"providers": sorted(stages)})
    return child


def results(verifier: Child, settings: Settings, outputs: Mapping[str, Any]) -> Iterator[Result]:
    """How the checks of a stack's destinations end; one that the outputs lack has none."""
    found = outputs.get("destinations", {})
    targets = [
        Target(name, found[name]["recording_storage"], _known(settings, name))
        for name in settings.destinations
        if name in found
    ]
    for answer in verifier.ask({"targets": [asdict(one) for one in targets]}):
        yield Result(**answer | {"status": Status(answer["status"])})


def _known(settings: Settings, name: str) -> Known:
    """What the stack says; who audits Google's projects needn't become the deployer, and reads what that may not."""
    return replace(known_of(settings, name), deploy_service_account="")
