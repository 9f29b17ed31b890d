"""What stands in a conversation's own request, and what only its makers can know: the checks W1 to W3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from recording_storage.verify.checks import Check, Finding, failed, passed, warned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DOCS = "https://docs.tavus.io"
CREATE: Final = f"{_DOCS}/api-reference/conversations/create-conversation"
_GUIDE: Final = f"{_DOCS}/sections/conversational-video-interface/quickstart/conversation-recordings"

CONVERSATION_CHECKS: Final = (
    Check(
        "W1",
        "the front end starts the recording",
        (),
        "can't be read: it is the front end's own code",
        "nothing is recorded, and nothing says so",
        "have the front end call startRecording() once it has joined: "
        "call.on('joined-meeting', () => call.startRecording())",
        _GUIDE,
    ),
    Check(
        "W2",
        "callbacks carry a token of your own",
        (),
        "callback_url has something in its path or query that nobody guesses, and is called over HTTPS",
        "anybody who knows the address can say that a recording is ready, or that it failed",
        "put a token of your own into callback_url, as in https://example.com/tavus?token=…, and refuse callbacks "
        "without it: the service doesn't sign them",
        CREATE,
    ),
    Check(
        "W3",
        "the conversation may be recorded",
        (),
        "properties.enable_recording is true in the request",
        "startRecording() is refused, and nothing is recorded",
        'add "enable_recording": true to the conversation\'s properties',
        CREATE,
    ),
)
TOKEN_LENGTH: Final = 16
"""Characters that an own token has at least, to be taken for one."""


def deciders(body: Mapping[str, Any]) -> Mapping[str, Callable[[], Finding]]:
    """The checks of a request's body, by their ids; that of the callback where it has one."""
    found = {"W3": lambda: _enabled(body)}
    return found | {"W2": lambda: _callback(str(body["callback_url"]))} if body.get("callback_url") else found


def _enabled(body: Mapping[str, Any]) -> Finding:
    given = body["properties"].get("enable_recording")
    if given is True:
        return passed("enable_recording is true")
    return failed(f"enable_recording is {'not set' if given is None else given}")


def _callback(url: str) -> Finding:
    address = urlsplit(url)
    words = [*address.path.split("/"), *(value for _, value in parse_qsl(address.query))]
    shown = f"{address.scheme}://{address.hostname}…"
    if address.scheme != "https":
        return warned(f"{shown} isn't called over HTTPS", "write https:// in callback_url")
    if any(len(word) >= TOKEN_LENGTH for word in words):
        return passed(f"{shown} has what looks like a token")
    return warned(f"{shown} has nothing in it that looks like a token")
