"""Resource Manager and Graph as the caller of `verify` asks them, and what their errors mean for a check.

One session serves all threads, as azure-core's own transport does it; what is throttled is asked again as the answer
says, and so is what failed for no reason of the request's. Tokens are the caller's, of the destination's tenant.

Sources: https://learn.microsoft.com/python/api/azure-identity/azure.identity.defaultazurecredential,
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling,
https://learn.microsoft.com/graph/throttling. Leaves out other clouds than the public one.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import DefaultAzureCredential
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from recording_storage.resources.azure.rest import Api, ApiError
from recording_storage.verify.checks import NoCredentials, NothingThere, Unreadable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

    from recording_storage.verify.reads import Reads

ARM: Final = "https://management.azure.com"
GRAPH: Final = "https://graph.microsoft.com"
AT_A_TIME: Final = 64
"""Connections to a host that are kept."""
RETRY: Final = Retry(
    total=4,
    connect=1,
    backoff_factor=0.4,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET",),
    respect_retry_after_header=True,
    raise_on_status=False,
)
SPARE_SECONDS: Final = 300
"""How long a token must last at least, or a new one is asked for."""
REFUSED: Final = (401, 403)
_TRACE = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp): .*", re.DOTALL)
_NO_SUCH_TENANT = ("AADSTS90002", "AADSTS900023")
VERSIONS: Final = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.KeyVault": "2023-07-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Storage": "2024-01-01",
}
"""The version in which each resource provider is asked."""
SUBSCRIPTIONS_VERSION: Final = "2022-12-01"


class TenantLogin:
    """The caller's tokens of one tenant, for any thread."""

    def __init__(self, credential: DefaultAzureCredential, tenant: str) -> None:
        self._credential, self._tenant = credential, tenant
        self._held: dict[str, AccessToken] = {}
        self._lock = threading.Lock()

    def token(self, scope: str) -> str:
        """A token for `scope`; raises `NoCredentials`, `NothingThere` for a tenant, or `Unreadable`."""
        with self._lock:
            held = self._held.get(scope)
        if held is None or time.time() > held.expires_on - SPARE_SECONDS:
            held = self._ask(scope)
            with self._lock:
                self._held[scope] = held
        return held.token

    def _ask(self, scope: str) -> AccessToken:
        try:
            return self._credential.get_token(scope, tenant_id=self._tenant)
        except ClientAuthenticationError as error:
            said = _TRACE.sub("", str(error.message)).strip()
            if any(code in said for code in _NO_SUCH_TENANT):
                raise NothingThere(f"the tenant {self._tenant}", "Z10") from None
            if "AADSTS" not in said:
                raise NoCredentials(
                    f"no credentials for Azure: log in with `az login` ({_tried(said)})"
                ) from None
            raise Unreadable("", said, "sign in again: `az login`, or mend the credentials") from None
        except (AzureError, requests.RequestException) as error:
            raise _unreachable("login.microsoftonline.com", error) from None


class Client:
    """One caller's way to Azure; it serves all destinations of a run."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._session = session()
        self._logins: dict[str, TenantLogin] = {}
        self._apis: dict[tuple[str, str], Api] = {}
        self._lock = threading.Lock()
        logging.getLogger("azure").setLevel(
            logging.CRITICAL
        )  # it tells of each credential that it doesn't find
        self._credential = DefaultAzureCredential(
            additionally_allowed_tenants=["*"],
            exclude_interactive_browser_credential=True,
            exclude_powershell_credential=True,
            exclude_shared_token_cache_credential=True,
            exclude_visual_studio_code_credential=True,
            exclude_broker_credential=True,
        )

    def sign_in(self, tenant: str, host: str) -> Api:
        """The API at a host, for a tenant; raises what `TenantLogin.token` does."""
        with self._lock:
            if tenant not in self._logins:
                self._logins[tenant] = TenantLogin(self._credential, tenant)
            login = self._logins[tenant]
        api = Api(host, login, f"{host}/.default", self._session)
        with self._lock:
            return self._apis.setdefault((tenant, host), api)

    def api(self, tenant: str, host: str) -> Api:
        """Likewise, with one sign-in for all who ask."""
        return self._reads.once(("azure", tenant, host), self.sign_in, tenant, host).result()

    def list(self, tenant: str, permission: str, path: str, **query: str) -> list[dict[str, Any]]:
        """A list of Resource Manager's; raises `Unreadable`, naming the permission."""
        given = {f"${name}": value for name, value in query.items()} | {"api-version": _version(path)}
        return self._asked(permission, self.api(tenant, ARM).pages, path, **given) or []

    def get(self, tenant: str, permission: str, path: str) -> dict[str, Any] | None:
        """What is there, or None; raises `Unreadable` likewise."""
        return self._asked(permission, self.api(tenant, ARM).find, path, **{"api-version": _version(path)})

    def is_taken(self, tenant: str, permission: str, subscription: str, account: str) -> bool:
        """Whether some storage account in all of Azure has this name."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability"
        body, version = {"name": account, "type": "Microsoft.Storage/storageAccounts"}, _version(path)
        call = self.api(tenant, ARM).call
        said = self._asked(permission, call, "POST", path, body, **{"api-version": version})
        return said.get("reason") == "AlreadyExists"

    def directory(self, tenant: str, permission: str, path: str) -> dict[str, Any] | None:
        """An object of Graph's, or None; raises `Unreadable` likewise."""
        return self._asked(permission, self.api(tenant, GRAPH).find, f"/v1.0{path}")

    def directory_list(self, tenant: str, permission: str, path: str) -> list[dict[str, Any]] | None:
        """A list of Graph's, or None where what it is of isn't there."""
        try:
            return self._asked(permission, self.api(tenant, GRAPH).pages, f"/v1.0{path}")
        except _Missing:
            return None

    def fetch(self, url: str) -> requests.Response:
        """What anybody is shown at an address; raises `Unreadable`."""
        try:
            return self._reads.call(self._session.get, url, timeout=20)
        except requests.RequestException as error:
            raise _unreachable(url, error) from None

    def _asked(self, permission: str, ask: Any, *args: Any, **query: str) -> Any:
        try:
            return self._reads.call(ask, *args, **query)
        except ApiError as error:
            if error.status in REFUSED:
                raise Unreadable(permission, str(error)) from None
            if error.status == requests.codes.not_found:
                raise _Missing(str(error), "") from None
            raise Unreadable("", str(error), "ask again: Azure didn't answer as it should") from None
        except (requests.RequestException, TimeoutError) as error:
            raise _unreachable("Azure", error) from None


class _Missing(Unreadable):
    """404 for a list: what it is of isn't there."""

    def __init__(self, said: str, permission: str) -> None:
        super().__init__(
            permission, said, "name what exists: what was to be listed is of something that isn't there"
        )


class _Session(requests.Session):
    """One that many threads use; it looks for proxies and certificates in the environment once for each host."""

    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[str, Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        host = urlsplit(str(url)).netloc
        if host not in self._settings:
            self._settings[host] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return dict(self._settings[host])


def session() -> requests.Session:
    """One that many threads use, and that reads no passwords from a `.netrc`."""
    made = _Session()
    made.auth = _as_it_is
    for host in (ARM, GRAPH):
        made.mount(host, HTTPAdapter(pool_maxsize=AT_A_TIME, max_retries=RETRY))
    return made


def _tried(said: str) -> str:
    """Which credentials were looked for, and why there are none: the library says it in lines, with a headline."""
    lines = [line.strip() for line in said.partition("To mitigate")[0].splitlines()]
    return "; ".join(filter(None, lines[1:] or lines))


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _version(path: str) -> str:
    provider = path.rpartition("/providers/")[2].partition("/")[0] if "/providers/" in path else ""
    return VERSIONS.get(provider, SUBSCRIPTIONS_VERSION)


def _unreachable(what: str, error: Exception) -> Unreadable:
    return Unreadable("", f"{what} can't be reached from here: {error}", "see to the network, and ask again")
