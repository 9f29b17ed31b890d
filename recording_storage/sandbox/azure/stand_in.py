"""The Azure stand-in as a sandbox holds it: its world, and the gate through which every request goes.

One request is judged and carried out at a time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from recording_storage.sandbox.azure import arm, entra, graph, occasion, vault_keys
from recording_storage.sandbox.azure.access import Access
from recording_storage.sandbox.azure.arm import ResourceManager
from recording_storage.sandbox.azure.entra import Entra
from recording_storage.sandbox.azure.errors import ArmError, AzureError, GraphError
from recording_storage.sandbox.azure.federation import AUDIENCE
from recording_storage.sandbox.azure.graph import Graph
from recording_storage.sandbox.azure.owner import SUBJECT
from recording_storage.sandbox.azure.principals import ANONYMOUS
from recording_storage.sandbox.azure.tokens import BLOB_SUFFIX, Tokens
from recording_storage.sandbox.azure.world import World
from recording_storage.sandbox.journal import Journal, Outcome
from recording_storage.sandbox.rest import Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from recording_storage.sandbox.azure.blob import Blob
    from recording_storage.sandbox.azure.owner import Owner
    from recording_storage.sandbox.issuer import Issuers


class Azure:
    """One Azure, empty but for what the occasion makes."""

    def __init__(self, journal: Journal, issuers: Issuers) -> None:
        self.world = World()
        self.access = Access(self.world, journal)
        self.tokens = Tokens(self.world)
        self.entra = Entra(self.world, self.access, self.tokens, issuers)
        self.graph = Graph(self.world, self.access, self.tokens)
        self.arm = ResourceManager(self.world, self.access, self.tokens)
        self._journal = journal
        self._turn = threading.Lock()
        self._loading = threading.Lock()
        self._blob: Blob | None = None

    def admit(self, owner: Owner) -> None:
        """Let somebody in, as the owner of a subscription and of a tenant that exist from then on."""
        subscription = occasion.subscription(self.world, owner.subscription, owner.tenant)
        tenant = subscription.tenant
        credential = occasion.federated_credential("owner", owner.issuer.url, SUBJECT, AUDIENCE)
        made = occasion.application(self.world, tenant, "owner", owner.client_id, credential)
        who = occasion.acting_as(made, tenant)
        occasion.administrator(tenant.directory, who.object_id)
        occasion.assign(self.world, "Owner", who.object_id, subscription.scope)
        self.entra.believe(owner.issuer)

    @property
    def blob(self) -> Blob:
        """The blob endpoint; it is loaded when it is first needed."""
        with self._loading:
            if self._blob is None:
                from recording_storage.sandbox.azure.blob import Blob

                self._blob = Blob(self.world, self.access, self.tokens, self._journal)
            return self._blob

    def close(self) -> None:
        """End what was begun for blobs."""
        if self._blob is not None:
            self._blob.close()

    def gate(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request as Azure would (WSGI)."""
        case = _Case(Request.read(environ), self._journal)
        try:
            answer = self._decide(case)
        except AzureError as refused:
            answer = case.refuse(refused)
        except Undecided as undecided:
            answer = case.give_up(undecided.what)
        except Exception as failure:
            answer = case.give_up(f"{case.what}: {failure!r}")
        start_response(f"{answer.status} {'OK' if answer.status < 300 else 'Error'}", answer.headers)
        return [b"" if case.request.method == "HEAD" else answer.body]

    def _decide(self, case: _Case) -> Response:
        request = case.request
        if request.host.endswith(BLOB_SUFFIX):
            with self._turn:
                return self.blob.answer(request)
        if request.scheme != "https":
            raise AzureError(
                403, "HttpsRequired", "HTTPS is required.", because="the request came without TLS"
            )
        with self._turn:
            if request.host in entra.HOSTS:
                return self.entra.answer(request)
            if request.host == graph.HOST:
                case.who = str(who := self.graph.who(request))
                return self.graph.answer(request, who)
            if request.host == arm.HOST:
                case.who = str(who := self.arm.who(request))
                return self.arm.answer(request, who)
            if request.host.endswith(vault_keys.HOST):
                return self.arm.vaults.keys.answer(request)
        raise Undecided(case.what)


class _Case:
    """One request on its way through the gate."""

    def __init__(self, request: Request, journal: Journal) -> None:
        self.request = request
        self.who = str(ANONYMOUS)
        self._journal = journal

    @property
    def what(self) -> str:
        """What is asked for, where no action says so."""
        return f"{self.request.method} https://{self.request.host}{self.request.path}"

    def write(self, outcome: Outcome, reason: str) -> None:
        """Keep a decision."""
        request = self.request
        place = f"https://{request.host}{request.path}"
        self._journal.write(outcome, who=self.who, what=request.method, resource=place, reason=reason)

    def refuse(self, error: AzureError) -> Response:
        """Keep a refusal, unless who refused has done so, and answer accordingly."""
        if not error.is_written:
            self.write(Outcome.REFUSED, error.because)
        return error.to_response(self.request)

    def give_up(self, what: str) -> Response:
        """Keep that there was no decision, and answer accordingly."""
        reason = f"the stand-in can't judge {what}"
        self.write(Outcome.UNDECIDED, reason)
        message = f"recording-storage sandbox: {reason}"
        kind = GraphError if self.request.host == graph.HOST else ArmError
        return kind(501, "NotImplemented", message).to_response(self.request)
