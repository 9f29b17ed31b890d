"""How a player in the rehearsal tells of what it did: one line of JSON per step.

The recorder and the intruder are programs of their own, started in the sandbox's environment. Each reads jobs, a
line of JSON each, and answers every job with its steps and a last line `{"done": true}`. After each step it waits for a
line, so that what the stand-ins have to say of one step isn't taken for another's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step: `ended` says how. `evidence` is what was seen, as a person would say it; `left` what it leaves."""

    id: str
    ended: str
    title: str
    evidence: str = ""
    left: dict[str, str] = field(default_factory=dict[str, str])


SERVICE_PROFILE, STRANGER_PROFILE = "recording-service", "another-account"
"""AWS profiles of a principal in the recording service's account, and of one in an account that nobody trusts."""
ISSUER_VARIABLE = "RECORDING_STORAGE_ISSUER"
"""In the sandbox: it names the issuer of the recording service's tokens."""
DONE, REFUSED, BROKEN = "done", "refused", "broken"
"""It was carried out; the cloud refused it; it failed for another reason."""


class UnexpectedError(Exception):
    """The cloud did what it was asked, and the outcome isn't what a recording needs; the message says in what."""


Player = Callable[[Any], Iterator[Step]]


def serve(players: dict[str, Callable[[], Player]]) -> None:
    """Answer jobs from standard input until it ends; a job's `provider` names the player, imported when first needed.

    A job without a `recording_storage` only imports: a player is started before there is anything to play.
    """
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        player = players[job["provider"]]()
        if "recording_storage" in job:
            for step in player(job):
                print(json.dumps(asdict(step)), flush=True)
                sys.stdin.readline()
        print(json.dumps({"done": True}), flush=True)
