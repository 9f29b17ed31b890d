"""Read what arrived, in whatever it is wrapped: a callback's body, a queue's or a log's envelope, an error, plain text.

JSON is searched at every depth, also where it stands in a string, in Base64 (as in Pub/Sub and Lambda) or within a
line of a log. What isn't JSON is read as text. A callback's fields are the vendor's:
https://docs.tavus.io/sections/webhooks-and-callbacks. Left out: what it means (`meaning`).
"""

from __future__ import annotations

import ast
import base64
import binascii
import html
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_INPUT: Final = "-"
READY: Final = "application.recording_ready"
COPY_FAILED: Final = "application.recording_copy_failed"
EXPECTED: Final = (
    "a callback's body, an error of an API's or a cloud's, or a line of a log, as JSON or as text"
)
BLOB_HOST: Final = ".blob.core.windows.net"
SCHEMES: Final = {"s3": "s3", "gs": "gcs", "azure": "azure_blob", "az": "azure_blob"}
"""What a `storage_uri` begins with, and whose it is; addresses on Azure's own hosts beside."""
PROVIDERS: Final = {
    "s3": "s3",
    "aws": "s3",
    "gcs": "gcs",
    "gcp": "gcs",
    "google": "gcs",
    "azure_blob": "azure_blob",
    "azure": "azure_blob",
}
"""What `storage_provider` may say, beside what the vendor shows: `gcs`."""
DEEPEST: Final = 40
"""More than any envelope has; what is nested deeper isn't looked at."""
_SHORTEST_BASE64: Final = 24
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_ESCAPED: Final = re.compile(r"\\([\"\\/nrt])")
_OPENING: Final = re.compile(r"[{\[]")
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What would steer a terminal: anybody may send an event."""
_FIRST_MILLISECONDS: Final = 10**11
"""Numbers from here on count milliseconds: as seconds they would be after the year 5000."""


class EventError(ValueError):
    """There is nothing to explain; the message says what was expected."""


@dataclass(frozen=True)
class Event:
    """What arrived. Empty: it doesn't say.

    `type`: as the vendor names it, of a callback alone. `at`: when the service made it, in UTC. `bucket`: the bucket,
    or the container. `duration`: of the recording, as it came. `code`, `message`: why a copy failed. `words`: all of
    its text, in which symptoms are looked for.
    """

    words: str
    type: str = ""
    conversation: str = ""
    at: datetime | None = None
    provider: str = ""
    bucket: str = ""
    key: str = ""
    uri: str = ""
    duration: str = ""
    code: str = ""
    message: str = ""


def load(path: str) -> list[Event]:
    """Read a file, or standard input for `-`; raises `EventError`."""
    where = "standard input" if path == STANDARD_INPUT else path
    try:
        raw = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
    except OSError as error:
        raise EventError(f"{where} can't be read: {error.strerror}. Expected: {EXPECTED}") from None
    return read(_decoded(raw), where)


def read(text: str, where: str) -> list[Event]:
    """The callbacks about recordings in a text, or else the one event that all of it is; raises `EventError`.

    Of callbacks about something else the first is given, where there is nothing about a recording.
    """
    whole = _whole(text)
    words = _plain(" · ".join(_strings(whole, 0)))
    if not re.search(r"\w", words):
        raise EventError(f"{where} says nothing. Expected: {EXPECTED}")
    callbacks = [_callback(one) for one in _callbacks(whole, 0)]
    callbacks = callbacks or [_callback(one) for value in _literals(text) for one in _callbacks(value, 0)]
    about = [one for one in callbacks if one.type in (READY, COPY_FAILED)]
    # The same callback may stand twice in one envelope: as text, and as what was read of it.
    return list(dict.fromkeys(about)) or callbacks[:1] or [Event(words)]


def _decoded(raw: bytes) -> str:
    """A text as editors and shells write it; Windows PowerShell redirects in UTF-16."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    return raw.decode("utf-8-sig", errors="replace")


def _whole(text: str) -> Any:
    """What a text is, where it is JSON as a whole; else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _within(text: str) -> Iterator[Any]:
    """The JSON objects and lists in a text, as it is and with one level of escapes taken away."""
    decoder = json.JSONDecoder()
    for form in dict.fromkeys((text, _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), text))):
        at = 0
        while opening := _OPENING.search(form, at):
            try:
                value, at = decoder.raw_decode(form, opening.start())
            except ValueError:
                at = opening.end()
            except RecursionError:
                break
            else:
                yield value


def _literals(text: str) -> Iterator[Any]:
    """Dictionaries as Python logs them, a line each."""
    for line in text.splitlines():
        start, end = line.find("{"), line.rfind("}")
        if start >= 0 and "event_type" in line:
            try:
                yield ast.literal_eval(line[start : end + 1])
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue


def _inner(text: str) -> Any:
    """The JSON that a string holds, in Base64 perhaps; None where it holds none."""
    for form in (text, _from_base64(text)):
        if form.lstrip().startswith(("{", "[")):
            try:
                return json.loads(form)
            except (ValueError, RecursionError):
                continue
    return None


def _from_base64(text: str) -> str:
    if len(text) < _SHORTEST_BASE64 or not _BASE64.fullmatch(text):
        return ""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _strings(value: Any, depth: int) -> Iterator[str]:
    """Every string of a value, with its name where it has one: `error: …`."""
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, one in cast("Mapping[str, Any]", value).items():
            for text in _strings(one, depth + 1):
                yield f"{name}: {text}"
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _strings(one, depth + 1)
    elif isinstance(value, str):
        inner = _inner(value)
        yield from [value] if inner is None else _strings(inner, depth + 1)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _callbacks(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        if isinstance(found.get("event_type"), str):
            yield found
            return
        for one in found.values():
            yield from _callbacks(one, depth + 1)
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _callbacks(one, depth + 1)
    elif isinstance(value, str):
        inner = _inner(value)
        for one in [inner] if inner is not None else _within(value) if "event_type" in value else ():
            yield from _callbacks(one, depth + 1)


def _callback(found: Mapping[str, Any]) -> Event:
    given = found.get("properties")
    inside: Mapping[str, Any] = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else {}

    def said(name: str) -> str:
        value: object = inside.get(name, found.get(name))
        return _UNSEEN.sub(" ", str(value)).strip() if isinstance(value, str | int | float) else ""

    uri = said("storage_uri")
    return Event(
        words=_plain(" · ".join(_strings(found, 0))),
        type=said("event_type"),
        conversation=said("conversation_id"),
        at=moment(found.get("timestamp")),
        provider=PROVIDERS.get(said("storage_provider").lower(), "") or provider_of(uri),
        bucket=said("bucket_name") or said("container"),
        key=said("s3_key"),
        uri=uri,
        duration=said("duration"),
        code=said("error_code"),
        message=said("error_message"),
    )


def provider_of(uri: str) -> str:
    """Whose storage an address is in."""
    parts = _split(uri)
    if (parts.hostname or "").endswith(BLOB_HOST):
        return "azure_blob"
    return SCHEMES.get(parts.scheme, "")


def place_of(uri: str) -> tuple[str, str]:
    """The storage account, on Azure alone, and the bucket or container of an address."""
    parts = _split(uri)
    host = parts.hostname or ""
    if host.endswith(BLOB_HOST):
        return host.removesuffix(BLOB_HOST), parts.path.strip("/").partition("/")[0]
    return "", parts.netloc if parts.scheme in SCHEMES else ""


def _split(uri: str) -> Any:
    try:
        return urlsplit(uri)
    except ValueError:
        return urlsplit("")


def moment(given: Any) -> datetime | None:
    """A timestamp in UTC, of ISO 8601 (UTC, where it names no offset), or in seconds or milliseconds since 1970."""
    try:
        if isinstance(given, str) and not re.fullmatch(r"\d+(\.\d+)?", given.strip()):
            found = datetime.fromisoformat(_iso(given.strip()))
            return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
        seconds = float(given)
        return datetime.fromtimestamp(
            seconds / 1000 if seconds >= _FIRST_MILLISECONDS else seconds, timezone.utc
        )
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _iso(text: str) -> str:
    """In the form that Python 3.10 reads: an offset for Z, and six digits of a second."""
    text = re.sub(r"[zZ]$", "+00:00", text)
    return re.sub(r"\.(\d+)", lambda found: f".{found[1][:6]:0<6}", text)


def _plain(text: str) -> str:
    """A text as a person would write it: without escapes, entities and broken lines."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), html.unescape(text))
    text = re.sub(r"\\+([\"'/])", r"\1", re.sub(r"\\+[nrt]", " ", text))
    return " ".join(_UNSEEN.sub(" ", text).split())
