"""Google Cloud as the tests meet it: an owner's project, an issuer, and requests through the sandbox's proxy."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from recording_storage.sandbox.google import occasion
from recording_storage.sandbox.google.owner import Owner
from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta

    from recording_storage.sandbox import Sandbox
    from recording_storage.sandbox.google.world import Pool, Provider, ServiceAccount
    from recording_storage.sandbox.issuer import Issuer

NAMES = itertools.count(1)
ISSUER = "https://issuer.example.com/tenant"
SUBJECT = "ws-1"
IAM = "https://iam.googleapis.com/v1"
TOKEN_URL = "https://sts.googleapis.com/v1/token"
CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
JWT = "urn:ietf:params:oauth:token-type:jwt"
FORM = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "subject_token_type": JWT,
    "scope": CLOUD_PLATFORM,
}
WORKLOAD_USER = "roles/iam.workloadIdentityUser"


def unique(what: str) -> str:
    """A name that no other test has."""
    return f"{what}-{next(NAMES):03}"


@dataclass(frozen=True)
class Reply:
    """What was answered."""

    status: int
    said: Any

    @property
    def error(self) -> str:
        """What OAuth calls the error, or Google's status."""
        error = self.said.get("error", "")
        return error if isinstance(error, str) else error.get("status") or error["errors"][0]["reason"]

    @property
    def message(self) -> str:
        return self.said.get("error_description") or self.said["error"]["message"]


class Cloud:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.owner = Owner("acme-prod", "123456789012")
        self.stranger = Owner("elsewhere", "999999999999", "stranger@example.org")
        self.google = sandbox.google
        self.world = self.google.world
        for one in (self.owner, self.stranger):
            self.google.admit(one)
        self.project = self.world.project(self.owner.project)
        self.issuer: Issuer = sandbox.issuers.add(ISSUER)
        environment = sandbox.environment("tests", {})
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.proxies = dict.fromkeys(("http", "https"), environment["HTTPS_PROXY"])
        self.http.verify = environment["REQUESTS_CA_BUNDLE"]

    def call(self, method: str, url: str, body: Any = None, token: str | None = None, **more: Any) -> Reply:
        """One request, of the owner unless another token is given; an empty one is none."""
        token = self.owner.access_token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        answer = self.http.request(method, url, json=body, headers=headers, timeout=20, **more)
        return Reply(answer.status_code, answer.json() if answer.content else {})

    def iam(self, method: str, path: str, body: Any = None, token: str | None = None, **more: Any) -> Reply:
        return self.call(method, f"{IAM}/{path}", body, token, **more)

    # What exists

    def pool(self, **said: Any) -> Pool:
        return occasion.pool(self.world, self.project.id, unique("pool"), **said)

    def provider(self, pool: Pool | None = None, **said: Any) -> Provider:
        """An OIDC provider of the tests' issuer."""
        said.setdefault("issuer", ISSUER)
        return occasion.provider(pool or self.pool(), unique("provider"), **said)

    def service_account(self, *bindings: tuple[str, str]) -> ServiceAccount:
        """A service account whose policy has these bindings: role and member."""
        account = occasion.service_account(
            self.world, f"{unique('account')}@{self.project.id}.iam.gserviceaccount.com"
        )
        for role, member in bindings:
            account.policy.add(role, member)
        return account

    # Who asks

    def mint(self, provider: Provider, subject: str = SUBJECT, **claims: Any) -> str:
        """A token of the issuer for a provider."""
        return self.issuer.mint(subject, f"https:{provider.full_name}", **claims)

    def exchange(self, audience: str, token: str, **changed: str) -> Reply:
        form = {**FORM, "audience": audience, "subject_token": token, **changed}
        answer = self.http.post(TOKEN_URL, data=form, timeout=20)
        return Reply(answer.status_code, answer.json())

    def federated(self, provider: Provider, subject: str = SUBJECT, **claims: Any) -> str:
        """The access token of an identity of the provider's pool."""
        return self.exchange(provider.full_name, self.mint(provider, subject, **claims)).said["access_token"]

    def impersonate(self, token: str, account: ServiceAccount | str, **body: Any) -> Reply:
        email = account if isinstance(account, str) else account.email
        url = (
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        )
        return self.call("POST", url, {"scope": [CLOUD_PLATFORM], **body}, token)

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
        """Every request within is allowed, the last for this reason."""
        with self._ends(Outcome.ALLOWED, because):
            yield

    @contextmanager
    def _ends(self, outcome: Outcome, because: str) -> Generator[None]:
        mark = self.sandbox.journal.mark()
        yield
        entries = self.sandbox.journal.since(mark)
        assert [one.outcome for one in entries][-1:] == [outcome], entries
        assert all(one.outcome is Outcome.ALLOWED for one in entries[:-1]), entries
        assert because in entries[-1].reason, entries[-1].reason

    @contextmanager
    def later(self, by: timedelta) -> Generator[None]:
        """As if so much time had passed."""
        before, self.world.ahead = self.world.ahead, self.world.ahead + by
        yield
        self.world.ahead = before

    @contextmanager
    def without(self, service: str) -> Generator[None]:
        """As if a service weren't enabled in the owner's project."""
        self.project.services.remove(service)
        yield
        self.project.services.add(service)


def subject(pool: Pool, name: str = SUBJECT) -> str:
    """How a binding names one identity of a pool."""
    return f"principal://iam.googleapis.com/{pool.name}/subject/{name}"


def members(pool: Pool, which: str = "*") -> str:
    """How a binding names several."""
    return f"principalSet://iam.googleapis.com/{pool.name}/{which}"
