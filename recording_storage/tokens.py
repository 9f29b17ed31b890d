"""`recording-storage token`: a token of an issuer that the sandbox stands in for, from within the sandbox.

So anyone can play the recording service, or somebody who isn't. The issuer's stand-in makes the token, when it is asked
at an address of its own that no real issuer has; it is asked with the variables that every client in the sandbox has.
"""

from __future__ import annotations

import json
import os
import re
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from recording_storage.steps import ISSUER_VARIABLE

SANDBOX = "RECORDING_STORAGE_SANDBOX"
UNITS = {"s": 1, "m": 60, "h": 3600}
PATIENCE_SECONDS = 30
_LIFETIME = re.compile(rf"([+-]?\d+)([{''.join(UNITS)}])")


class TokenError(Exception):
    """There is no token; the message says why, and what to do."""


def seconds(lifetime: str) -> int:
    """A lifetime as it is written, `90s`, `10m`, `1h` or `-5m`, in seconds; raises `ValueError`."""
    found = _LIFETIME.fullmatch(lifetime)
    if found is None:
        raise ValueError(
            f"{lifetime} is no lifetime: write it as in 90s, 10m or 1h, and -5m for one that is over"
        )
    return int(found[1]) * UNITS[found[2]]


def token(subject: str, audience: str, lifetime: int, issuer: str | None, *, forged: bool) -> str:
    """A token that lives for `lifetime` seconds; raises `TokenError`."""
    if not os.environ.get(SANDBOX):
        raise TokenError(
            "there are tokens in a sandbox only: enter one with `recording-storage sandbox -- bash`"
        )
    url = issuer or os.environ.get(ISSUER_VARIABLE)
    if not url:
        raise TokenError(f"no issuer is known here: name it with --issuer, or in {ISSUER_VARIABLE}")
    if not url.startswith("https://"):
        raise TokenError(f"{url} is no issuer: its address begins with https://")
    form = {"subject": subject, "audience": audience, "lifetime": lifetime, "forged": int(forged)}
    request = Request(f"{url.rstrip('/')}/token", urlencode(form).encode())  # noqa: S310 (https, as was looked)
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 (likewise)
            return str(json.load(answer)["token"])
    except HTTPError as error:
        said = error.read().decode(errors="replace")
        raise TokenError(f"{url} gives no token: {error.code} {said}") from None
    except (URLError, OSError, ValueError, LookupError) as error:
        raise TokenError(f"{url} isn't stood in for: {getattr(error, 'reason', error)}") from None
