"""What other jobs wrote, read as data: files of any content, from anybody.

A file that is missing, too large, no ordinary one, or of another form is `Unreadable`, with the reason; none raises.
Left out: whether what it says is true, which depends on whose code wrote it (docs/pull_requests.md).
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recording_storage.results import Kind, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST: Final = 16 << 20
"""Bytes; the preview of a stack with a hundred destinations has a tenth of it."""
DEEPEST: Final = 100
"""How many brackets may be open at a time; an honest file has about ten."""


@dataclass(frozen=True)
class Unreadable:
    """A file that says nothing, and why."""

    reason: str


class _Data(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Found(_Data):
    """A result, as `recording_storage.results` writes it."""

    destination: str = ""
    id: str
    status: Annotated[Status, Field(strict=False)]
    title: str
    evidence: str = ""
    mend: str = ""

    @property
    def kind(self) -> str:
        """What the result says: that something works, is refused, or was read so."""
        kind, dot, _ = self.id.partition(".")
        return kind if dot else Kind.VERIFIED.value


class Resource(_Data):
    """What was made."""

    kind: str
    name: str
    properties: list[str] = []


class Place(_Data):
    """A destination."""

    name: str
    title: str = ""
    made: list[Resource] = []
    unproven: list[str] = []
    to_do: list[str] = []


class Failure(_Data):
    """Why a stack could not be looked at."""

    message: str


class Findings(_Data):
    """What `rehearse` and `verify` write with `--format json`; its own summary isn't believed, but counted anew."""

    destinations: list[Place] = []
    results: list[Found] = []
    error: Failure | None = None

    def count(self, kind: Kind) -> int:
        """How many results of a kind passed."""
        return sum(one.kind == kind.value and one.status is Status.PASS for one in self.results)

    def ended(self, *statuses: Status) -> list[Found]:
        """The results that ended so."""
        return [one for one in self.results if one.status in statuses]

    @property
    def held(self) -> bool:
        """Whether there is something, and nothing failed or was left undecided."""
        return self.error is None and bool(self.results) and not self.ended(Status.FAIL, Status.UNKNOWN)


def findings(path: Path) -> Findings | Unreadable:
    """What a rehearsal or a verification found."""
    document = document_in(path)
    if isinstance(document, Unreadable):
        return document
    try:
        return Findings.model_validate(document)
    except ValidationError as error:
        return Unreadable(f"it has another form: {error.error_count()} faults")


def document_in(path: Path) -> Any | Unreadable:
    """A file's JSON."""
    content = text(path)
    return content if isinstance(content, Unreadable) else parse(content)


def configurations_in(path: Path) -> Iterator[Any]:
    """What a file says of a stack's configuration and outputs, from which identifiers can be known; nothing else of it.

    Of a preview that is its `config`: what it has of each resource names much that identifies nobody.
    """
    content = text(path)
    if isinstance(content, Unreadable):
        return
    for part in (content, *(line for line in content.splitlines() if '"preludeEvent"' in line)):
        document = parse(part)
        if isinstance(document, dict):
            entries = cast("dict[str, Any]", document)
            yield entries.get("preludeEvent") or entries.get("config") or entries.get("destinations")
            if part is content:
                return


def parse(content: str) -> Any | Unreadable:
    """What JSON says."""
    if content.count("[") + content.count("{") > DEEPEST and _depth(content) > DEEPEST:
        return Unreadable("it is nested too deeply")
    try:
        return json.loads(content)
    except ValueError:
        return Unreadable("it is no JSON")


def text(path: Path) -> str | Unreadable:
    """An ordinary file's text; links aren't followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Unreadable("nothing was handed over")
    except OSError as error:
        return Unreadable(f"it can't be opened: {error.strerror}")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return Unreadable("it is no ordinary file")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        return Unreadable(f"it is larger than {LARGEST >> 20} MiB")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return Unreadable("it is no UTF-8")


def _depth(content: str) -> int:
    """The most brackets that are open at a time, at least: those in strings are counted as well."""
    depth = deepest = 0
    for one in content:
        if one in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif one in "]}":
            depth -= 1
    return deepest
