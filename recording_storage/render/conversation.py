"""What the API is asked: the object alone, a conversation's request, the same as a command, and the older flat form.

https://docs.tavus.io/api-reference/conversations/create-conversation. Left out: sending it.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Final

from components import contract
from recording_storage.render.destinations import RenderError

if TYPE_CHECKING:
    from recording_storage.render.destinations import Destinations
    from recording_storage.render.options import Options

URL: Final = "https://tavusapi.com/v2/conversations"
KEY: Final = "TAVUS_API_KEY"
"""The shell variable that holds the API key: the key itself is never written."""


def object_alone(destinations: Destinations, options: Options) -> str:
    """Write `recording_storage`."""
    del options
    return _json(destinations.one("json"))


def conversation(destinations: Destinations, options: Options) -> str:
    """Write the body of `POST /v2/conversations`."""
    return _json(body(destinations, options, "conversation"))


def curl(destinations: Destinations, options: Options) -> str:
    """Write a command to paste into a POSIX shell; it says so where the key isn't set, and sends nothing."""
    data = shlex.quote(_json(body(destinations, options, "curl")).rstrip("\n"))
    return (
        f"curl --fail-with-body --request POST {URL} \\\n"
        f'  --header "x-api-key: ${{{KEY}:?set it to your API key}}" \\\n'
        "  --header 'Content-Type: application/json' \\\n"
        f"  --data-raw {data}\n"
    )


def legacy(destinations: Destinations, options: Options) -> str:
    """Write `properties` in the older flat form, which S3 alone has."""
    del options
    storage = destinations.one("legacy")
    if storage["provider"] != "s3":
        raise RenderError(
            f"the older flat properties are S3's, and this destination is of {storage['provider']}: "
            "take json or conversation"
        )
    flat = contract.s3_legacy_properties(storage)
    if flat is None:
        raise RenderError(
            "the older flat properties have no room for external_id, and the service would present its own, which the "
            "role refuses: take json or conversation"
        )
    return _json(flat)


def body(destinations: Destinations, options: Options, form: str) -> dict[str, Any]:
    """A whole request: who speaks, whom to call back, and where recordings go."""
    if options.replica_id is None and options.persona_id is None:
        raise RenderError(
            f"{form} needs who speaks: --replica-id, or --persona-id of a persona with a replica"
        )
    ids = {
        "replica_id": options.replica_id,
        "persona_id": options.persona_id,
        "callback_url": options.callback_url,
    }
    given = {name: value for name, value in ids.items() if value is not None}
    return {**given, "properties": contract.conversation_properties(destinations.one(form))}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
