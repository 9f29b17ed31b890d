"""What the stages have in common: how players are started and asked, and what their steps mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.rehearsal.child import Child
from recording_storage.results import Kind, Result, Status
from recording_storage.sandbox.journal import Outcome
from recording_storage.steps import BROKEN, DONE, ISSUER_VARIABLE, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import ExitStack

    from components.trust import Overridden
    from recording_storage.sandbox import Sandbox

    Mends = Mapping[str, tuple[str, str]]

CONVERSATION = "c93a7ead335b"
PROTECTION = {
    "protect": "destroy is refused",
    "retain": "kept on destroy",
    "delete": "DELETED on destroy, with its recordings",
}
"""What `on_destroy` means, for people."""
WANTED = {Kind.PROVEN.value: DONE, Kind.REFUSED.value: REFUSED, Kind.UNPROVEN.value: REFUSED}
ENDED_OTHERWISE = {
    Kind.PROVEN.value: Status.FAIL,
    Kind.REFUSED.value: Status.FAIL,
    Kind.UNPROVEN.value: Status.WARN,
}
"""What must end how, and what it is where it ended otherwise: what is `unproven` was tried, so as to be warned of."""


def start(player: str, provider: str, environment: Mapping[str, str], cast: ExitStack) -> Child:
    """Start the recorder or the intruder, which then loads what it needs for `provider`."""
    child = cast.enter_context(Child(f"recording_storage.{player}", environment))
    child.tell({"provider": provider})
    return child


def issuer_variable(environment: Mapping[str, str], issuer: str, *, is_used: bool) -> dict[str, str]:
    """The variable that names the service's issuer: another cloud's stays, unless the stack uses this one's."""
    return {ISSUER_VARIABLE: issuer} if is_used or ISSUER_VARIABLE not in environment else {}


def asked(sandbox: Sandbox, player: Child, job: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The player's steps, each with what the stand-ins have to say of it."""
    mark = sandbox.journal.mark()
    for step in player.ask(job):
        said = sandbox.journal.since(mark, Outcome.REFUSED, Outcome.UNDECIDED)
        mark = sandbox.journal.mark()
        player.go_on()
        yield step | {"journal": said}


def result(destination: str, step: Mapping[str, Any], mends: Mends) -> Result:
    """What a step means."""
    kind = step["id"].partition(".")[0]
    wanted = WANTED[kind]
    undecided = [entry for entry in step["journal"] if entry.outcome is Outcome.UNDECIDED]
    reasons = [entry.reason for entry in undecided or step["journal"]]
    status = Status.PASS if step["ended"] == wanted else ENDED_OTHERWISE[kind]
    if undecided or (wanted == REFUSED and step["ended"] == BROKEN):
        status = Status.UNKNOWN
    evidence = step["evidence"]
    if reasons and reasons[-1] not in evidence:
        evidence = ": ".join(filter(None, [evidence, reasons[-1]]))
    title = step["title"]
    if wanted == REFUSED and step["ended"] == DONE:
        evidence = title
        title = step["id"].partition(".")[2].replace("-", " ")
    how, source = mend(step["id"], mends)
    return Result(
        destination, step["id"], status, title, evidence, how if status is not Status.PASS else "", source
    )


def mend(id_: str, mends: Mends) -> tuple[str, str]:
    """How to mend what the result called `id_` found, and the page that says so: the longest beginning counts."""
    known = max((prefix for prefix in mends if id_.startswith(prefix)), key=len, default="")
    return mends.get(known, ("", ""))


def overrides(destination: str, overridden: Iterable[Overridden]) -> Iterator[Result]:
    """Warn of each constant of the trust profile that the stack overrides."""
    for one in overridden:
        constant = one.constant
        said = "the vendor's own is" if constant.certainty == "A" else "what is assumed of the vendor:"
        yield Result(
            destination,
            f"unproven.trust-profile.{constant.name}",
            Status.WARN,
            f"{constant.name} is overridden: {one.value}",
            f"{said} {constant.meaning or constant.value}",
            "keep the override only if the vendor has given this value",
            constant.source,
        )
