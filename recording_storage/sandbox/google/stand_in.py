"""The Google stand-in as a sandbox holds it: its world, and the gate through which every request goes.

Who sends a request is found out by its access token. Then it is looked whether the token is for this, and whether
the service is enabled where the caller is billed; the service itself decides the rest. One request is judged and
carried out at a time.

Sources: https://docs.cloud.google.com/docs/quotas/quota-project (who is billed, so whose services must be enabled),
https://docs.cloud.google.com/apis/docs/troubleshooting (`SERVICE_DISABLED`).
"""

from __future__ import annotations

import re
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from recording_storage.evaluation.google.principals import Principal, user
from recording_storage.sandbox.google import occasion
from recording_storage.sandbox.google.access import Access
from recording_storage.sandbox.google.credentials import Credentials
from recording_storage.sandbox.google.custom_roles import CustomRoles
from recording_storage.sandbox.google.deny_policies import DenyPolicies
from recording_storage.sandbox.google.errors import (
    GoogleError,
    error_info,
    forbidden,
    invalid,
    unauthenticated,
)
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.keys import Keys
from recording_storage.sandbox.google.operations import Operations
from recording_storage.sandbox.google.pools import Pools
from recording_storage.sandbox.google.projects import Projects, ServiceUsage
from recording_storage.sandbox.google.service_accounts import ServiceAccounts
from recording_storage.sandbox.google.storage import Storage
from recording_storage.sandbox.google.sts import SecurityTokenService
from recording_storage.sandbox.google.tokens import Tokens
from recording_storage.sandbox.google.troubleshooter import PolicyTroubleshooter
from recording_storage.sandbox.google.world import World
from recording_storage.sandbox.journal import Journal, Outcome
from recording_storage.sandbox.rest import MalformedBody, Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from recording_storage.sandbox.google.owner import Owner
    from recording_storage.sandbox.google.world import Project
    from recording_storage.sandbox.issuer import Issuers

DOMAIN = "googleapis.com"
STORAGE, ALWAYS_ENABLED = f"storage.{DOMAIN}", f"serviceusage.{DOMAIN}"
QUOTA_PROJECT = "x-goog-user-project"
OTHER_METHOD = "x-http-method-override"
NO_CREDENTIAL = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_OF_A_PROJECT = re.compile(r"/projects/([^/:]+)")
_PROJECT_OF_A_MEMBER = re.compile(r"@([a-z0-9-]+)\.iam\.gserviceaccount\.com|/projects/(\d+)/")
_OAUTH_HOSTS = ("oauth2.googleapis.com", "openidconnect.googleapis.com", "accounts.google.com")
_OAUTH_PATH = "/oauth2/"


class Service(NamedTuple):
    """One of Google's services; nobody authenticates at an open one otherwise than by what it is given."""

    name: str
    answer: Callable[[Request, Principal], Response]
    is_open: bool = False


class Google:
    """One Google Cloud, empty but for what the occasion makes."""

    def __init__(self, journal: Journal, issuers: Issuers) -> None:
        self.world = World()
        self.access = Access(self.world, journal)
        self.tokens = Tokens(self.world)
        self.keys = Keys(self.world, self.access)
        self.storage = Storage(self.world, self.access, self.keys)
        self.issuers = issuers
        self._journal = journal
        self._turn = threading.Lock()
        self._services = self._make_services()

    def admit(self, owner: Owner) -> None:
        """Let somebody in, as the owner of a project that exists from then on."""
        project = occasion.project(self.world, owner.project, owner.number)
        project.policy.add("roles/owner", user(owner.email).member)
        self.tokens.admit(user(owner.email), owner.refresh_token, owner.access_token)

    def gate(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request as Google would (WSGI)."""
        case = _Case(Request.read(environ), self._journal)
        with self._turn:
            try:
                answer = self._decide(case)
            except GoogleError as refused:
                answer = case.refuse(refused)
            except MalformedBody as error:
                answer = case.refuse(invalid(f"Invalid JSON payload received. {error}"))
            except Undecided as undecided:
                answer = case.give_up(undecided.what)
            except Exception as failure:
                answer = case.give_up(f"{case.what}: {failure!r}")
        start_response(f"{answer.status} {'OK' if answer.status < 300 else 'Error'}", answer.headers)
        return [answer.body]

    def _decide(self, case: _Case) -> Response:
        request = case.request
        if request.scheme != "https":
            raise forbidden("SSL is required to perform this operation.", reason="sslRequired")
        if OTHER_METHOD in request.headers:
            raise Undecided(f"a request with {OTHER_METHOD}")
        service = self._service(request)
        if service.is_open:
            return service.answer(request, case.who)
        case.who = self.tokens.authenticate(request)
        if not case.who.member and service.name != STORAGE:
            raise unauthenticated(NO_CREDENTIAL, kind="CREDENTIALS_MISSING")
        self.tokens.check_scope(request, service.name.partition(".")[0])
        self._check_consumer(case, service.name)
        return service.answer(request, case.who)

    def _service(self, request: Request) -> Service:
        host, path = request.host, request.path
        if host in _OAUTH_HOSTS or (host == f"www.{DOMAIN}" and path.startswith(_OAUTH_PATH)):
            return Service(host, self.tokens.answer, is_open=True)
        if host == f"www.{DOMAIN}" or host.endswith(f".{STORAGE}"):
            return self._services[STORAGE]
        return self._services[host]

    def _make_services(self) -> dict[str, Service]:
        operations = Operations()
        world, access = self.world, self.access
        iam = (
            Pools(world, access, operations).routes,
            ServiceAccounts(world, access).routes,
            CustomRoles(world, access).routes,
            DenyPolicies(world, access).routes,
        )
        sts = SecurityTokenService(world, access, self.tokens, self.issuers, check_enabled)
        answers: dict[str, Callable[[Request, Principal], Response]] = {
            "cloudbilling": _billing,
            "cloudkms": self.keys.answer,
            "cloudresourcemanager": Projects(world, access).answer,
            "iam": partial(_iam, iam),
            "iamcredentials": Credentials(world, access, self.tokens).answer,
            "policytroubleshooter": PolicyTroubleshooter(world, access, self.storage).answer,
            "serviceusage": ServiceUsage(world, access, operations).answer,
            "storage": self.storage.answer,
        }
        found = {f"{name}.{DOMAIN}": Service(f"{name}.{DOMAIN}", answer) for name, answer in answers.items()}
        return found | {f"sts.{DOMAIN}": Service(f"sts.{DOMAIN}", sts.answer, is_open=True)}

    def _check_consumer(self, case: _Case, service: str) -> None:
        """The caller must be allowed to use the project that it is billed to, where the service must be enabled."""
        named = case.request.headers.get(QUOTA_PROJECT, "")
        if named and case.who.member:
            project = self.world.project(named)
            if not self.access.allowed(case.who, "serviceusage.services.use", project):
                self.access.require(case.who, "serviceusage.services.use", project)
        else:
            project = self._billed(case)
        if project is not None:
            check_enabled(service, project)

    def _billed(self, case: _Case) -> Project | None:
        of_member = _PROJECT_OF_A_MEMBER.search(case.who.member)
        of_path = _OF_A_PROJECT.search(case.request.path)
        found = of_member or of_path
        return self.world.find(next(filter(None, found.groups()))) if found else None


def check_enabled(service: str, project: Project) -> None:
    """Raise `GoogleError` where a service isn't enabled in a project."""
    if service in project.services or service == ALWAYS_ENABLED:
        return
    link = f"https://console.developers.google.com/apis/api/{service}/overview?project={project.number}"
    raise forbidden(
        f"{service} has not been used in project {project.number} before or it is disabled. Enable it by visiting "
        f"{link} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our "
        "systems and retry.",
        reason="accessNotConfigured",
        details=[error_info("SERVICE_DISABLED", service=service, consumer=f"projects/{project.number}")],
        because=f"the service {service} isn't enabled in the project {project.id}",
    )


def _iam(known: tuple[Routes, ...], request: Request, who: Principal) -> Response:
    """iam.googleapis.com: what is left of it isn't stood in for."""
    for routes in known:
        if routes.knows(request):
            return routes.answer(request, who)
    return _OTHER_IAM.answer(request, who)


def _billing(request: Request, who: Principal) -> Response:
    """cloudbilling.googleapis.com: clients ask there first, and find that it isn't enabled."""
    del who
    raise Undecided(f"{request.method} {request.host}{request.path}")


_OTHER_IAM = Routes(
    *[
        ("*", f"/{version}/{path}", None)
        for version in ("v1", "v1beta", "v2", "v2beta", "v3", "v3beta")
        for path in ("{rest=**}", "{rest=*}:{verb=*}")
    ]
)


class _Case:
    """One request on its way through the gate."""

    def __init__(self, request: Request, journal: Journal) -> None:
        self.request = request
        self.who = Principal("")
        self._journal = journal

    @property
    def what(self) -> str:
        """What is asked for, where no permission says so."""
        return f"{self.request.method} {self.request.host}{self.request.path}"

    def write(self, outcome: Outcome, reason: str) -> None:
        """Keep a decision."""
        request = self.request
        where = f"//{request.host}{request.path}"
        self._journal.write(outcome, who=str(self.who), what=request.method, resource=where, reason=reason)

    def refuse(self, error: GoogleError) -> Response:
        """Keep a refusal, unless who refused has done so, and answer accordingly."""
        if not error.is_written:
            self.write(Outcome.REFUSED, error.because)
        host = self.request.host
        style: Any = "storage" if host.endswith(STORAGE) or host == f"www.{DOMAIN}" else "aip"
        return Response.of(error.to_json(style), error.code)

    def give_up(self, what: str) -> Response:
        """Keep that there was no decision, and answer accordingly."""
        reason = f"the stand-in can't judge {what}"
        self.write(Outcome.UNDECIDED, reason)
        error = {"code": 501, "message": f"recording-storage sandbox: {reason}", "status": "UNIMPLEMENTED"}
        return Response.of({"error": error}, 501)
