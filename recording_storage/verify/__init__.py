"""Read live destinations and say, check by check, whether the recording service will be able to write to them.

`verify` gives a `Document`. It changes nothing: it reads, with the caller's ordinary credentials, and decides by
evaluating what it read for the service's own request. What a provider adds stands in a file of its own (`s3`, `gcs`,
`azure_blob`), as a `Verifier`; a cloud that isn't used isn't imported.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, as_completed
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from recording_storage import defects
from recording_storage.results import DestinationReport, Document, Result, Status
from recording_storage.verify import conversation_checks
from recording_storage.verify.checks import CouldNotTell, Finding
from recording_storage.verify.reads import Reads
from recording_storage.verify.tables import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from recording_storage.verify.targets import Target

    Deciders = Mapping[str, Callable[[], Finding]]

VERIFIERS = {
    "azure_blob": ("recording_storage.verify.azure_blob", "AzureBlobVerifier"),
    "gcs": ("recording_storage.verify.gcs", "GcsVerifier"),
    "s3": ("recording_storage.verify.s3", "S3Verifier"),
}
"""A provider's verifier: its module and its name there."""


class Verifier(Protocol):
    """One cloud, read by one caller; one verifier serves all of a run's destinations of its provider."""

    def __init__(self, reads: Reads) -> None: ...

    def title(self, target: Target) -> str:
        """What the destination is, for people: `Amazon S3 · acme-calls`."""
        ...

    def begin(self, target: Target) -> Deciders:
        """Begin to read a destination; the checks by their ids, each of which waits for what it needs.

        A decider raises `CouldNotTell` where it can't be decided.
        """
        ...


def verify(
    targets: Sequence[Target], tell: Callable[[str], None], only: Collection[str] | None = None
) -> Document:
    """Verify destinations, all at the same time; `only` names the checks that are wanted.

    `tell` hears how many destinations are done. What can't be decided is a result with the status unknown.
    """
    began = time.monotonic()
    reads = Reads()
    loaded = {provider: load(provider)(reads) for provider in {target.provider for target in targets}}
    tell(_progress(0, targets))
    parts: list[Future[tuple[DestinationReport, list[Result]]]] = [
        reads.begin(_verify_one, loaded[target.provider], target, only) for target in targets
    ]
    for done, _ in enumerate(as_completed(parts), 1):
        tell(_progress(done, targets))
    document = Document(seconds=time.monotonic() - began)
    for part in parts:
        report, results = part.result()
        document.destinations.append(report)
        document.results += results
    return document


def load(provider: str) -> type[Verifier]:
    """Import what a provider's verifier needs."""
    module, name = VERIFIERS[provider]
    return getattr(import_module(module), name)


def _progress(done: int, targets: Sequence[Target]) -> str:
    return f"read {done} of {len(targets)} destination{'s' * (len(targets) != 1)}"


def _verify_one(
    verifier: Verifier, target: Target, only: Collection[str] | None
) -> tuple[DestinationReport, list[Result]]:
    report = DestinationReport(
        name=target.name,
        stack="",
        provider=target.provider,
        title=verifier.title(target),
        recording_storage=dict(target.recording_storage),
    )
    deciders = {**verifier.begin(target)}
    if target.conversation is not None:
        deciders |= conversation_checks.deciders(target.conversation)
    return report, [
        _result(target, id_, decide) for id_, decide in deciders.items() if only is None or id_ in only
    ]


def _result(target: Target, id_: str, decide: Callable[[], Finding]) -> Result:
    check = CHECKS[id_]
    try:
        finding = decide()
    except CouldNotTell as undecided:
        finding = Finding(Status.UNKNOWN, undecided.why, undecided.mend)
    except Exception as error:
        # What one check stumbles over must not hide what the others found.
        if os.environ.get(defects.DEBUG):
            raise
        finding = Finding(Status.UNKNOWN, f"{type(error).__name__}: {error}", defects.REPORT)
    mend = "" if finding.status is Status.PASS else finding.mend or check.mend
    return Result(target.name, id_, finding.status, check.title, finding.evidence, mend, check.source)
