"""What a check is, and how one ends. All of them stand in one table (`tables.CHECKS`), by their stable ids.

A row says what is claimed, which permissions it takes to look, how it is decided, how it shows when it is broken, how
to mend it, and the page that says so. How each is decided stands beside the reading of its cloud (`s3`, `gcs`,
`azure_blob`). An id is never given to another check; those that are missing were never in use or are retired.
"""

from __future__ import annotations

from dataclasses import dataclass

from recording_storage.results import Status


@dataclass(frozen=True)
class Check:
    """One check.

    `title`: what holds where it passes. `reads`: the permissions of the caller that it takes, as its cloud names them;
    none for what anybody may look at, or nobody can (`explain` alone names that). `decides`: by what it passes.
    `shows`: how it shows where it is broken. `mend`: what to do. `source`: the page.
    """

    id: str
    title: str
    reads: tuple[str, ...]
    decides: str
    shows: str
    mend: str
    source: str


@dataclass(frozen=True)
class Finding:
    """How a check ended: on what evidence, and where the table's mend isn't the best one, how to mend it."""

    status: Status
    evidence: str
    mend: str = ""


def passed(evidence: str) -> Finding:
    """It holds."""
    return Finding(Status.PASS, evidence)


def failed(evidence: str, mend: str = "") -> Finding:
    """It doesn't: a recording will fail, or somebody gets in who shouldn't."""
    return Finding(Status.FAIL, evidence, mend)


def warned(evidence: str, mend: str = "") -> Finding:
    """A recording will succeed, and yet somebody should know."""
    return Finding(Status.WARN, evidence, mend)


class CouldNotTell(Exception):  # noqa: N818 (an answer, not an error)
    """A check can't be decided: `why`, and what would let it be."""

    def __init__(self, why: str, mend: str) -> None:
        super().__init__(why)
        self.why = why
        self.mend = mend


class Unreadable(CouldNotTell):
    """Something can't be read: the cloud refused it for want of `permission`, or did not answer (no permission)."""

    def __init__(self, permission: str, said: str, mend: str = "") -> None:
        super().__init__(said, mend or f"let the caller have {permission}, and ask again")
        self.permission = permission


class NothingThere(CouldNotTell):
    """What a check is about isn't there; the check `id` says so."""

    def __init__(self, what: str, id_: str) -> None:
        super().__init__(f"{what} isn't there to be looked at: {id_}", f"mend {id_} first")
        self.what, self.id = what, id_


WORST = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS)


def worst(*findings: Finding) -> Finding:
    """One finding of several: as bad as the worst, whose evidence and mends it has."""
    status = next(one for one in WORST if any(finding.status is one for finding in findings))
    same = [finding for finding in findings if finding.status is status]
    return Finding(
        status,
        " · ".join(dict.fromkeys(finding.evidence for finding in same)),
        " · ".join(dict.fromkeys(finding.mend for finding in same if finding.mend)),
    )


class NoCredentials(Exception):  # noqa: N818 (named as what is the matter)
    """The caller has no credentials of a cloud that is to be read; the message says how to get some."""
