"""The table of a Google service's handlers, and how Google answers what no service has."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from recording_storage.evaluation.google.principals import Principal
from recording_storage.sandbox import rest
from recording_storage.sandbox.google.errors import GoogleError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.sandbox.rest import Request, Response

Handler: TypeAlias = "Callable[[Request, Principal, Mapping[str, str]], object]"
"""Gets the request, who asks and the template's variables; gives a `Response`, or what is answered in JSON."""


class Routes(rest.Routes[Principal]):
    """Of a service: method, template and handler each, the first that fits counts."""

    def answer(self, request: Request, who: Principal) -> Response:
        """Have the handler answer; raises `GoogleError` for a path that Google doesn't know either."""
        try:
            return super().answer(request, who)
        except rest.NoSuchPath:
            text = f"The requested URL {request.path} was not found on this server."
            raise GoogleError(404, "NOT_FOUND", text, reason="notFound") from None
