"""Parameters that many of Cloud Storage's methods have, preconditions foremost.

Source: https://docs.cloud.google.com/storage/docs/request-preconditions. Leaves out those in headers, as undecided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.sandbox.google.errors import GoogleError, failed_precondition, invalid
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.google.generations import Generation
    from recording_storage.sandbox.rest import Request

NOT_MODIFIED = 304
MOST = 1000
"""How much is on a page."""
_UNMET = "At least one of the pre-conditions you specified did not hold."
_OF = (("Generation", False), ("Metageneration", True))


def flag(request: Request, name: str) -> bool:
    """Whether a parameter is said to be true, however it is written."""
    return request.query.get(name, "").lower() in ("true", "1")


def is_full(request: Request) -> bool:
    """Whether access control lists are asked for."""
    return request.query.get("projection") == "full"


def page_size(request: Request) -> int:
    """How much is asked for at once."""
    text = request.query.get("maxResults") or str(MOST)
    if not text.isdecimal():
        raise invalid("Invalid value for: maxResults", reason="invalidParameter")
    return min(int(text), MOST) or MOST


def check_object(
    query: Mapping[str, str], live: Generation | None, chosen: Generation | None = None, prefix: str = "if"
) -> None:
    """Raise `GoogleError` unless what `query` asks of the live generation, and of the chosen one's metadata, is so."""
    for number, of_metadata in _OF:
        found = (chosen or live) if of_metadata else live
        now = (found.metageneration if of_metadata else found.number) if found else 0
        _check(query, f"{prefix}{number}", now)


def check_bucket(query: Mapping[str, str], metageneration: int) -> None:
    """Raise `GoogleError` unless what `query` asks of a bucket's metadata is so."""
    _check(query, "ifMetageneration", metageneration)


def check_headers(request: Request) -> None:
    """Raise `Undecided` for preconditions that aren't parameters."""
    for name in request.headers:
        if name.startswith(("if-", "x-goog-if-")):
            raise Undecided(f"the precondition {name}")


def unmet(because: str) -> GoogleError:
    """A precondition doesn't hold."""
    return failed_precondition(_UNMET, reason="conditionNotMet", code=412, because=because)


def _check(query: Mapping[str, str], condition: str, now: int) -> None:
    """Hold a number against the parameters of a condition; 0 is that of what isn't there."""
    for name in (f"{condition}Match", f"{condition}NotMatch"):
        said = query.get(name)
        if said is None:
            continue
        if not said.isdecimal():
            raise invalid(f"Invalid value for: {name}", reason="invalidParameter")
        because = f"{name}={said}, and it is {now}"
        if not name.endswith("NotMatch"):
            if int(said) != now:
                raise unmet(because)
        elif now in (0, int(said)):
            raise GoogleError(
                NOT_MODIFIED, "FAILED_PRECONDITION", _UNMET, reason="notModified", because=because
            )
