"""Azure as the tests meet it: an owner's subscription, an issuer, and requests through a proxy like a sandbox's."""

from __future__ import annotations

import itertools
import socket
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from recording_storage.sandbox.authority import Authority
from recording_storage.sandbox.azure import occasion
from recording_storage.sandbox.azure.owner import Owner
from recording_storage.sandbox.azure.stand_in import Azure
from recording_storage.sandbox.issuer import Issuers
from recording_storage.sandbox.journal import Journal, Outcome
from recording_storage.sandbox.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta
    from pathlib import Path

    from recording_storage.sandbox.azure.directory import Application, FederatedCredential

NAMES = itertools.count(1)
ISSUER, SUBJECT, AUDIENCE = "https://issuer.example.com", "Workspace-1", "api://AzureADTokenExchange"
TENANT, SUBSCRIPTION = "aaaa1111-2222-4333-8444-555566667777", "bbbb1111-2222-4333-8444-555566667777"
OTHER_TENANT, OTHER_SUBSCRIPTION = (
    "cccc1111-2222-4333-8444-555566667777",
    "dddd1111-2222-4333-8444-555566667777",
)
LOGIN, GRAPH, ARM = (
    "https://login.microsoftonline.com",
    "https://graph.microsoft.com/v1.0",
    "https://management.azure.com",
)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
STORAGE_SCOPE, ARM_SCOPE, GRAPH_SCOPE, VAULT_SCOPE = (
    f"https://{host}/.default"
    for host in ("storage.azure.com", "management.azure.com", "graph.microsoft.com", "vault.azure.net")
)
VERSIONS = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.KeyVault": "2023-07-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Storage": "2024-01-01",
}
GROUPS_VERSION = "2024-03-01"


def unique(what: str) -> str:
    """A name that no other test has: letters and digits."""
    return f"{what}{next(NAMES):03}"


def guid() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Reply:
    """What was answered."""

    status: int
    said: Any
    headers: Any

    @property
    def code(self) -> str:
        """Azure's word for the error."""
        return self.said["error"]["code"]

    @property
    def message(self) -> str:
        return self.said["error"]["message"]

    @property
    def number(self) -> int:
        """Entra's number of the error; 0 for none."""
        return next(iter(self.said.get("error_codes", ())), 0)


class _Prompt(HTTPAdapter):
    """Sends a body at once after its headers, which urllib3 doesn't do through a proxy."""

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        return super().proxy_manager_for(proxy, socket_options=options, **more)


class Cloud:
    def __init__(self, folder: Path) -> None:
        self.journal, self.issuers = Journal(), Issuers()
        self.azure = Azure(self.journal, self.issuers)
        self.world, self.access = self.azure.world, self.azure.access
        self.certificate = folder / "ca.pem"
        authority = Authority()
        authority.write_certificate(self.certificate)
        self.proxy = Proxy(lambda host: self.azure.gate, authority, self.journal)
        self.owner, self.stranger = Owner(TENANT, SUBSCRIPTION), Owner(OTHER_TENANT, OTHER_SUBSCRIPTION)
        for one in (self.owner, self.stranger):
            self.azure.admit(one)
        self.subscription = self.world.subscriptions[SUBSCRIPTION]
        self.tenant = self.subscription.tenant
        self.directory = self.tenant.directory
        self.group = occasion.resource_group(self.subscription, "tests")
        self.issuer = self.issuers.add(ISSUER)
        self.http = requests.Session()
        self.http.trust_env = False
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, _Prompt())
        self.http.proxies = dict.fromkeys(("http", "https"), self.proxy.url)
        self.http.verify = str(self.certificate)
        self._tokens: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        self.http.close()
        self.proxy.close()
        self.azure.close()

    @property
    def environment(self) -> dict[str, str]:
        """What a client's process would have."""
        url, certificate = self.proxy.url, str(self.certificate)
        return {"HTTPS_PROXY": url, "https_proxy": url, "REQUESTS_CA_BUNDLE": certificate}

    # Who asks

    def exchange(self, client: str, assertion: str, *, tenant: str = TENANT, **changed: str) -> Reply:
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            "scope": STORAGE_SCOPE,
            **changed,
        }
        given = {name: value for name, value in form.items() if value}
        answer = self.http.post(f"{LOGIN}/{tenant}/oauth2/v2.0/token", data=given, timeout=20)
        return Reply(answer.status_code, answer.json(), answer.headers)

    def token(self, owner: Owner, scope: str) -> str:
        """An owner's, kept: it is the exchange's own tests that exchange."""
        if (owner.client_id, scope) not in self._tokens:
            answer = self.exchange(owner.client_id, owner.assertion, tenant=owner.tenant, scope=scope)
            self._tokens[owner.client_id, scope] = answer.said["access_token"]
        return self._tokens[owner.client_id, scope]

    def issue(self, of: Application, scope: str = ARM_SCOPE) -> str:
        """An application's, without an exchange."""
        return self.azure.tokens.issue(occasion.acting_as(of, self.tenant), scope.removesuffix("/.default"))

    # Requests

    def call(
        self,
        method: str,
        url: str,
        body: Any = None,
        token: str | None = None,
        scope: str = ARM_SCOPE,
        **more: Any,
    ) -> Reply:
        """One request, of the owner unless another token is given; an empty one is none."""
        token = self.token(self.owner, scope) if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        answer = self.http.request(method, url, json=body, headers=headers, timeout=20, **more)
        return Reply(answer.status_code, answer.json() if answer.content else {}, answer.headers)

    def arm(self, method: str, path: str, body: Any = None, token: str | None = None, **query: str) -> Reply:
        """One request to Resource Manager, in the version that its provider is asked in."""
        provider = path.rpartition("/providers/")[2].partition("/")[0] if "/providers/" in path else ""
        query.setdefault("api-version", VERSIONS.get(provider, GROUPS_VERSION))
        given = {
            name.replace("_", "$", 1) if name.startswith("_") else name: one for name, one in query.items()
        }
        return self.call(method, f"{ARM}{path}", body, token, params=given)

    def graph(
        self, method: str, path: str, body: Any = None, token: str | None = None, **query: str
    ) -> Reply:
        given = {f"${name}": one for name, one in query.items()}
        return self.call(method, f"{GRAPH}{path}", body, token, GRAPH_SCOPE, params=given)

    def made(self, path: str, body: Any) -> Any:
        """What is made through Resource Manager, once it is."""
        answer = self.arm("PUT", path, body)
        if answer.status == 202:
            answer = self.wait(answer)
        assert answer.status in (200, 201), answer
        return answer.said

    def wait(self, answer: Reply) -> Reply:
        """The answer to an asynchronous operation that is over."""
        while answer.status == 202:
            time.sleep(float(answer.headers["x-ms-retry-after-ms"]) / 1000)
            answer = self.call("GET", answer.headers["Location"])
        return answer

    # What exists

    def application(self, *credentials: FederatedCredential) -> Application:
        """One with the tests' issuer's credential, unless others are given."""
        taken = credentials or (occasion.federated_credential("tests", ISSUER, SUBJECT),)
        return occasion.application(self.world, self.tenant, unique("app"), "", *taken)

    def mint(self, subject: str = SUBJECT, audience: str = AUDIENCE, **claims: Any) -> str:
        return self.issuer.mint(subject, audience, **claims)

    def account_path(self, name: str, group: str = "tests") -> str:
        return f"{self.group_path(group)}/providers/Microsoft.Storage/storageAccounts/{name}"

    def group_path(self, group: str = "tests") -> str:
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"

    # How it was decided

    @contextmanager
    def refused(self, because: str = "") -> Generator[None]:
        """The last request within is refused, for this reason in the journal."""
        with self._ends(Outcome.REFUSED, because):
            yield

    @contextmanager
    def undecided(self, because: str = "") -> Generator[None]:
        """The last request within is neither refused nor allowed."""
        with self._ends(Outcome.UNDECIDED, because):
            yield

    @contextmanager
    def allowed(self, because: str = "") -> Generator[None]:
        """The last decision within is to allow, for this reason."""
        with self._ends(Outcome.ALLOWED, because):
            yield

    @contextmanager
    def _ends(self, outcome: Outcome, because: str) -> Generator[None]:
        mark = self.journal.mark()
        yield
        entries = self.journal.since(mark)
        assert [one.outcome for one in entries][-1:] == [outcome], entries
        assert because in entries[-1].reason, entries[-1].reason

    @contextmanager
    def later(self, by: timedelta) -> Generator[None]:
        """As if so much time had passed."""
        before, self.world.ahead = self.world.ahead, self.world.ahead + by
        yield
        self.world.ahead = before
