"""What is read of a destination on Google Cloud Storage: all at the same time, and what several share only once.

A read that the cloud refuses is told to whoever needs its value: `Unreadable` with the permission that was missing, or
`NothingThere` where an API is off that the recording needs too (G9 says so). What isn't there is None.
"""

from __future__ import annotations

import re
from concurrent.futures import wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote, urlsplit

from requests import RequestException

from components.gcp import IAM_HOST, RESOURCE_PREFIXES
from recording_storage.evaluation.google.roles import ROLES
from recording_storage.verify.checks import NothingThere, Unreadable
from recording_storage.verify.gcs_oracle import Question, question
from recording_storage.verify.gcs_rest import Refused, Rest, plain_session
from recording_storage.verify.said import items, part

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from requests import Session

    from recording_storage.verify.reads import Reads
    from recording_storage.verify.targets import Target

    Json = dict[str, Any]

T = TypeVar("T")

APIS = ("iam", "iamcredentials", "sts", "storage")
"""The APIs that a recording goes through."""
IAM, STORAGE = f"https://{IAM_HOST}/v1", "https://storage.googleapis.com/storage/v1"
KMS, PROJECTS = (
    "https://cloudkms.googleapis.com/v1",
    "https://cloudresourcemanager.googleapis.com/v1/projects",
)
SERVICES = "https://serviceusage.googleapis.com/v1/projects"
POOLS_LIST = "iam.googleapis.com/workloadIdentityPools.list"
PROVIDERS_LIST = "iam.googleapis.com/workloadIdentityPoolProviders.list"
PROJECT_GET, PROJECT_POLICY = "resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy"
ROLES_GET, KEYS_LIST = "iam.roles.get", "iam.serviceAccountKeys.list"
ACCOUNT_GET, ACCOUNT_POLICY = "iam.serviceAccounts.get", "iam.serviceAccounts.getIamPolicy"
BUCKET_GET, BUCKET_POLICY = "storage.buckets.get", "storage.buckets.getIamPolicy"
KMS_GET, KMS_POLICY, RING_POLICY = (
    "cloudkms.cryptoKeys.get",
    "cloudkms.cryptoKeys.getIamPolicy",
    "cloudkms.keyRings.getIamPolicy",
)
SERVICES_GET = "serviceusage.services.get"
ISSUER_SECONDS = 10
"""How long an issuer may take to answer."""
VERSION = 3
"""The version of policies in which their conditions are shown."""
_PROVIDER = re.compile(
    r"projects/(?P<project>[^/]+)/locations/global/workloadIdentityPools/(?P<pool>[^/]+)"
    r"(?:/providers/(?P<provider>[^/]+))?"
)
_OF_A_PROJECT = ".iam.gserviceaccount.com"


@dataclass(frozen=True)
class Identifier:
    """The handed-over name of the provider, and what can be read out of it."""

    text: str
    prefix: str
    project: str
    pool_id: str
    provider_id: str

    @classmethod
    def of(cls, text: str) -> Identifier:
        """Take a name apart; what it doesn't have is empty."""
        prefix = next((one for one in RESOURCE_PREFIXES if text.startswith(one)), "")
        found = _PROVIDER.fullmatch(text.removeprefix(prefix))
        if found is None:
            return cls(text, prefix, "", "", "")
        return cls(text, prefix, found["project"], found["pool"], found["provider"] or "")

    @property
    def pool(self) -> str:
        """The pool's name as it is handed over."""
        return f"projects/{self.project}/locations/global/workloadIdentityPools/{self.pool_id}"


class Reading:
    """The reads of one destination."""

    def __init__(self, target: Target, reads: Reads, rest: Rest) -> None:
        self.target = target
        self._reads = reads
        self._rest = rest
        storage = target.recording_storage
        self.bucket_name = storage.get("bucket_name", "")
        self.project_id = storage.get("project_id", "")
        self.email = storage.get("service_account_email", "").lower()
        self.identifier = Identifier.of(storage.get("workload_identity_provider", ""))
        self._begin()

    def _begin(self) -> None:
        named = self.identifier
        if named.pool_id:
            pools = f"{IAM}/projects/{named.project}/locations/global/workloadIdentityPools"
            self._pools = self._list(POOLS_LIST, pools, "workloadIdentityPools")
            self._providers = self._list(
                PROVIDERS_LIST, f"{pools}/{named.pool_id}/providers", "workloadIdentityPoolProviders"
            )
        home = quote(self.home or "-", safe=":")
        account = f"{IAM}/projects/{home}/serviceAccounts/{quote(self.email, safe='@')}"
        self.account = self._get(ACCOUNT_GET, account)
        self.account_policy = self._policy(ACCOUNT_POLICY, account)
        self.account_keys = self._get(KEYS_LIST, account + "/keys", keyTypes="USER_MANAGED")
        bucket = f"{STORAGE}/b/{quote(self.bucket_name, safe='')}"
        self.bucket = self._get(BUCKET_GET, bucket)
        self.bucket_policy = self._get(BUCKET_POLICY, bucket + "/iam", optionsRequestedPolicyVersion=VERSION)
        self.project = self._get(PROJECT_GET, f"{PROJECTS}/{self.project_id}")
        self.project_policy(self.project_id)
        self.project_policy(self.home or self.project_id)
        self.services(self.project_id)
        self.published(self.target.known.gcs_trust.issuer)
        self.troubleshooter = self._reads.begin(self._ask_troubleshooter)
        for ahead in (self._key_ahead, self._roles_ahead):
            self._reads.begin(ahead)

    def _ask_troubleshooter(self) -> Json:
        """Google's own opinion; where it is off for the caller, it is asked for one destination only."""
        asked = question(self.email, self.bucket_name)
        first = self._reads.once(("gcs", "troubleshooter", self._caller), self._ask, asked)
        whose, answer = first.result()
        if whose == asked:
            return answer.result()
        try:
            answer.result()
        except Refused as refused:
            if refused.disabled[0]:
                raise
        except Unreadable:
            pass
        return self._rest.call(*asked)

    def _ask(self, asked: Question) -> tuple[Question, Future[Json]]:
        answer: Future[Json] = self._shared(self._rest.call, *asked)
        wait([answer])
        return asked, answer

    def _key_ahead(self) -> None:
        """Begin to read the bucket's key as soon as it is known: whoever needs it asks later."""
        name = str(part(self.bucket.result(), "encryption").get("defaultKmsKeyName") or "")
        if name:
            self.key(name)
            self.key_policy(name)

    def _roles_ahead(self) -> None:
        """Likewise the roles of which it must be known what they permit."""
        projects = [
            self.project_policy(one) for one in dict.fromkeys((self.project_id, self.home or self.project_id))
        ]
        for read in (self.account_policy, *projects):
            for binding in items(read.result(), "bindings"):
                if binding["role"] not in ROLES and not is_googles_own(binding["role"]):
                    self._role(binding["role"])

    @property
    def home(self) -> str:
        """The id of the service account's project, as far as its address says it.

        An organisation's domain stands behind the project's own name: `a@b.example.com.iam…` is of `example.com:b`.
        """
        domain = self.email.partition("@")[2]
        if not domain.endswith(_OF_A_PROJECT):
            return ""
        name, _, organisation = domain.removesuffix(_OF_A_PROJECT).partition(".")
        return f"{organisation}:{name}" if organisation else name

    @property
    def _caller(self) -> str:
        return self.target.known.deploy_service_account

    def pool(self) -> Json | None:
        """The pool, deleted ones included."""
        return _named(self.value(self._pools), self.identifier.pool_id)

    def provider(self) -> Json | None:
        """The provider, likewise."""
        return _named(self.providers(), self.identifier.provider_id)

    def providers(self) -> list[Json]:
        """All providers of the pool, likewise."""
        return self.value(self._providers)

    # What others begin once they know what of

    def project_policy(self, project: str) -> Future[Json | None]:
        """A project's allow policy."""
        return self._policy(PROJECT_POLICY, f"{PROJECTS}/{project}")

    def services(self, project: str) -> Future[Json | None]:
        """Which of the APIs are enabled in a project."""
        names = [f"projects/{project}/services/{api}.googleapis.com" for api in APIS]
        return self._get(SERVICES_GET, f"{SERVICES}/{project}/services:batchGet", names=tuple(names))

    def role(self, name: str) -> frozenset[str]:
        """The permissions of a role: of those that are known here, what matters here; of others, all of them."""
        if name in ROLES:
            return ROLES[name]
        found = self.value(self._role(name))
        is_gone = found is None or found.get("deleted") or found.get("stage") == "DISABLED"
        return frozenset() if is_gone or found is None else frozenset(items(found, "includedPermissions"))

    def _role(self, name: str) -> Future[Json | None]:
        return self._get(ROLES_GET, f"{IAM}/{name}")

    def key(self, name: str) -> Future[Json | None]:
        """A key of Cloud KMS."""
        return self._get(KMS_GET, f"{KMS}/{name}")

    def key_policy(self, name: str) -> Future[Json | None]:
        """A key's allow policy."""
        return self._get(
            KMS_POLICY, f"{KMS}/{name}:getIamPolicy", **{"options.requestedPolicyVersion": VERSION}
        )

    def ring_policy(self, name: str) -> Future[Json | None]:
        """A key ring's allow policy."""
        return self._get(
            RING_POLICY, f"{KMS}/{name}:getIamPolicy", **{"options.requestedPolicyVersion": VERSION}
        )

    def published(self, issuer: str) -> Future[tuple[Json, Json]]:
        """An issuer's discovery document and its keys; raises `Refused` and `Unreadable`."""
        return self._reads.once(("oidc", issuer), _published, self._reads, issuer)

    # How they are read

    def value(self, read: Future[T]) -> T:
        """What a read gave; raises `CouldNotTell`."""
        try:
            return read.result()
        except Refused as refused:
            raise self._why(refused) from None

    def _why(self, refused: Refused) -> Unreadable | NothingThere:
        service, consumer = refused.disabled
        if service:
            if service.removesuffix(".googleapis.com") in self.disabled_apis():
                return NothingThere(f"the API {service}", "G9")
            mend = f"enable it for the caller: gcloud services enable {service} --project={consumer.rpartition('/')[2]}"
            return Unreadable(
                "", f"{service} isn't enabled in {consumer}, which the caller is billed to", mend
            )
        return Unreadable(refused.permission, str(refused), "" if refused.permission else "ask again later")

    def disabled_apis(self) -> list[str]:
        """The APIs of `APIS` that are off in the destination's project, as far as that can be read."""
        try:
            found = self.services(self.project_id).result() or {}
        except (Refused, Unreadable):
            return []
        return off(found)

    def _get(self, permission: str, url: str, **query: object) -> Future[Json | None]:
        return self._shared(self._found, permission, "GET", url, None, **query)

    def _list(self, permission: str, url: str, field: str) -> Future[list[Json]]:
        return self._shared(self._pages, permission, url, field)

    def _pages(self, permission: str, url: str, field: str) -> list[Json]:
        try:
            return self._rest.pages(permission, url, field, showDeleted="true", pageSize=100)
        except Refused as refused:
            if refused.code == 404:
                return []
            raise

    def _policy(self, permission: str, url: str) -> Future[Json | None]:
        body = {"options": {"requestedPolicyVersion": VERSION}}
        return self._shared(self._found, permission, "POST", f"{url}:getIamPolicy", body)

    def _found(self, permission: str, method: str, url: str, body: object, **query: object) -> Json | None:
        try:
            return cast("Json", self._rest.call(permission, method, url, body, **query))
        except Refused as refused:
            if refused.code == 404:
                return None
            raise

    def _shared(self, ask: Callable[..., T], *what: object, **query: object) -> Future[T]:
        key = ("gcs", self._caller, str(ask.__name__), str(what), str(query))
        return self._reads.once(key, ask, *what, **query)


def _named(listed: list[Json], id_: str) -> Json | None:
    return next((one for one in listed if str(one.get("name")).rpartition("/")[2] == id_), None)


def is_googles_own(role: str) -> bool:
    """Whether a role is for Google's own service agents, which act in every project by themselves.

    https://docs.cloud.google.com/iam/docs/service-agents
    """
    return role.startswith("roles/") and role.lower().endswith("serviceagent")


def off(services: Json) -> list[str]:
    """The APIs that an answer says to be off."""
    shown: list[Json] = items(services, "services")
    return [
        str(one["name"]).rpartition("/")[2].removesuffix(".googleapis.com")
        for one in shown
        if one.get("state") != "ENABLED"
    ]


def _published(reads: Reads, issuer: str) -> tuple[Json, Json]:
    """An issuer's discovery document and its keys, as anybody may read them."""
    session = plain_session()
    document = _fetched(reads, session, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    place = str(document.get("jwks_uri") or "")
    if urlsplit(place).scheme != "https":
        raise Refused(200, "", f"the discovery document of {issuer} names no keys", {})
    return document, _fetched(reads, session, place)


def _fetched(reads: Reads, session: Session, url: str) -> Json:
    mend = f"see whether {urlsplit(url).hostname} can be reached from here; Google reaches it by itself"
    try:
        answer = reads.call(session.get, url, timeout=ISSUER_SECONDS)
        if answer.status_code in (404, 410):
            raise Refused(answer.status_code, "", f"{url} isn't there", {})
        answer.raise_for_status()
        found: object = answer.json()
    except (RequestException, ValueError) as error:
        raise Unreadable("", f"{url}: {error}", mend) from None
    if not isinstance(found, dict):
        raise Unreadable("", f"{url} gives no JSON object", mend)
    return cast("Json", found)
