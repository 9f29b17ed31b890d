"""Blob storage as the tests meet it: accounts in a world without a gate, and Microsoft's own client behind a proxy."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient, ContainerClient

from recording_storage.sandbox.authority import Authority
from recording_storage.sandbox.azure import roles
from recording_storage.sandbox.azure.access import Access
from recording_storage.sandbox.azure.blob import Blob
from recording_storage.sandbox.azure.directory import ServicePrincipal
from recording_storage.sandbox.azure.principals import Principal
from recording_storage.sandbox.azure.storage_accounts import make
from recording_storage.sandbox.azure.tokens import BLOB_SUFFIX, Tokens
from recording_storage.sandbox.azure.world import ResourceGroup, RoleAssignment, World
from recording_storage.sandbox.journal import Journal, Outcome
from recording_storage.sandbox.proxy import Proxy
from recording_storage.sandbox.rest import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from recording_storage.sandbox.azure.world import Container, StorageAccount

TENANT, SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
VERSION = "2025-11-05"
NAMES = itertools.count(1)


def code_of(action: Callable[[], object]) -> str:
    """The code with which something is refused; nothing where it isn't."""
    try:
        action()
    except HttpResponseError as error:
        code: Any = getattr(error, "error_code", "")
        return str(getattr(code, "value", code) or error.status_code)
    return ""


def host_of(container: Container) -> str:
    return container.account.name + BLOB_SUFFIX


@dataclass(frozen=True)
class Holder:
    """A credential that holds one token, as azure-core wants it."""

    token: str

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        del scopes, more
        return AccessToken(self.token, 2**33)


class BlobCloud:
    def __init__(self, folder: Path) -> None:
        self.world, self.journal = World(), Journal()
        self.access = Access(self.world, self.journal)
        self.tokens = Tokens(self.world)
        self.blob = Blob(self.world, self.access, self.tokens, self.journal)
        self.blob.warm()
        self.tenant = self.world.add_tenant(TENANT)
        subscription = self.world.add_subscription(SUBSCRIPTION, self.tenant)
        self.group = ResourceGroup(subscription, "recordings", "westeurope")
        subscription.groups["recordings"] = self.group
        authority = Authority()
        certificate = folder / "ca.pem"
        authority.write_certificate(certificate)
        self.proxy = Proxy(lambda host: self._app if self.blob.knows(host) else None, authority, self.journal)
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.proxies = dict.fromkeys(("http", "https"), self.proxy.url)
        self.http.verify = str(certificate)

    def close(self) -> None:
        self.http.close()
        self.proxy.close()
        self.blob.close()

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self.blob.answer(Request.read(environ))
        start_response(f"{answer.status} {'OK' if answer.status < 300 else 'Error'}", answer.headers)
        return [answer.body]

    # What exists

    def account(self, **said: Any) -> StorageAccount:
        """A storage account: `versioning`, `retention` (days) and `containers` (likewise) are of its blob service."""
        service: dict[str, Any] = {"isVersioningEnabled": said.pop("versioning", False)}
        days, of_containers = said.pop("retention", 0), said.pop("containers", 0)
        service["deleteRetentionPolicy"] = {"enabled": bool(days), "days": days}
        service["containerDeleteRetentionPolicy"] = {"enabled": bool(of_containers), "days": of_containers}
        name, place, sku = f"recordings{next(NAMES):03}", self.group.location, {"name": "Standard_LRS"}
        made = make(self.group, name, place, self.world.now(), sku=sku, kind="StorageV2", given=said)
        made.services["blobServices"] = service
        self.group.resources[made.id.lower()] = made
        return made

    def container(self, account: StorageAccount | None = None, **said: Any) -> Container:
        account = account or self.account()
        return account.add_container(f"calls-{next(NAMES):03}", self.world.now(), **said)

    def principal(self, *granted: tuple[str, str]) -> Principal:
        """A service principal who has these roles, by name, each at a scope."""
        made = ServicePrincipal(f"bbbbbbbb-0000-4000-8000-{next(NAMES):012}", "writer", self.world.now())
        self.tenant.directory.add_principal(made)
        who = Principal(made.id, made.app_id, TENANT)
        for name, scope in granted:
            self.grant(who, name, scope)
        return who

    def grant(self, who: Principal, name: str, scope: str) -> None:
        role = next(one for one in roles.ROLES if one.name == name)
        self.world.assignments.append(RoleAssignment(scope, role.id, who.object_id))

    # Who asks

    def token(self, who: Principal, audience: str = "https://storage.azure.com", **claims: Any) -> str:
        return self.tokens.issue(who, audience, **claims)

    def client(self, account: StorageAccount, credential: Any = None, **more: Any) -> BlobServiceClient:
        """Microsoft's client; its credential is a principal, a key, a signature or none."""
        if isinstance(credential, Principal):
            credential = Holder(self.token(credential, lifetime=timedelta(days=60)))
        transport = RequestsTransport(
            session=self.http, session_owner=False, use_env_settings=False, connection_verify=self.http.verify
        )
        url = f"https://{account.name}{BLOB_SUFFIX}"
        return BlobServiceClient(url, credential, transport=transport, retry_total=0, **more)

    def of_container(self, container: Container, credential: Any = None, **more: Any) -> ContainerClient:
        return self.client(container.account, credential, **more).get_container_client(container.name)

    def writer(self, container: Container) -> ContainerClient:
        """The client of who may read, write and delete blobs in a container."""
        who = self.principal(("Storage Blob Data Contributor", container.id))
        return self.of_container(container, who)

    def owner(self, container: Container) -> ContainerClient:
        """The client of who may do everything in a container."""
        return self.of_container(container, self.principal(("Storage Blob Data Owner", container.id)))

    def call(self, method: str, url: str, token: str = "", **more: Any) -> requests.Response:
        headers: dict[str, str] = {"x-ms-version": VERSION} | more.pop("headers", {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.http.request(method, url, headers=headers, timeout=20, **more)

    # How it was decided

    @contextmanager
    def later(self, by: timedelta) -> Generator[None]:
        """As if so much time had passed."""
        self.world.ahead += by
        yield
        self.world.ahead -= by

    @contextmanager
    def refused(self, because: str) -> Generator[None]:
        """Something within is refused, the last for this reason in the journal."""
        mark = self.journal.mark()
        yield
        found = self.journal.since(mark, Outcome.REFUSED)
        assert found, self.journal.since(mark)
        assert because in found[-1].reason, found[-1].reason
