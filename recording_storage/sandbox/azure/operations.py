"""Asynchronous operations: what Resource Manager answers where a client has to ask again.

The first answer is 202 with the address to ask at; there it is 202 again until the operation is over. Operations that
fail later are left out.

Source: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.rest import Response, Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import Subscription, World
    from recording_storage.sandbox.rest import Request

DURATION = timedelta(milliseconds=20)
"""How long they take here."""
AGAIN = [("Retry-After", "1"), ("x-ms-retry-after-ms", "25")]
"""Clients that know the second header ask sooner; all of them want the first one to be a whole number above zero."""


class Operations:
    """Those that were begun."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._begun: dict[str, tuple[datetime, Callable[[], Response]]] = {}
        self.routes = Routes["Principal"](
            ("GET", "/subscriptions/{subscription}/operationresults/{id}", self._get),
            (
                "GET",
                "/subscriptions/{subscription}/providers/{namespace}/locations/{location}/asyncoperations/{id}",
                self._get,
            ),
            ignore_case=True,
        )

    def begin(
        self,
        subscription: Subscription,
        answer: Callable[[], Response],
        version: str,
        place: str = "operationresults",
    ) -> Response:
        """Begin one that ends with an answer; `place` is where in the subscription it is asked for."""
        operation = str(uuid.uuid4())
        self._begun[operation] = (self._world.now() + DURATION, answer)
        url = f"https://management.azure.com{subscription.scope}/{place}/{operation}?api-version={version}"
        return Response(202, headers=[("Location", url), *AGAIN])

    def _get(self, request: Request, who: Principal, names: Mapping[str, str]) -> Response:
        del who
        if names["id"] not in self._begun:
            raise ArmError(404, "NotFound", f"The operation '{names['id']}' was not found.")
        ends, answer = self._begun[names["id"]]
        if self._world.now() >= ends:
            return answer()
        here = f"https://management.azure.com{request.path}?api-version={request.query['api-version']}"
        return Response(202, headers=[("Location", here), *AGAIN])
