"""Entra's token endpoint: an application or a managed identity gets a token for what an issuer says of it.

An issuer's token, taken by a federated credential, is the only way: of secrets and certificates it is only known that
there are some.

Sources:
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential,
https://learn.microsoft.com/entra/identity-platform/reference-error-codes. Leaves out people, and every other grant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import assertions
from recording_storage.sandbox.azure import tokens as known
from recording_storage.sandbox.azure.errors import EntraError
from recording_storage.sandbox.azure.principals import Principal
from recording_storage.sandbox.azure.tokens import LIFETIME, LOGIN, Tokens
from recording_storage.sandbox.azure.world import ManagedIdentity
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import NoSuchPath, Request, Response, Routes, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.azure.access import Access
    from recording_storage.sandbox.azure.directory import FederatedCredential, ServicePrincipal
    from recording_storage.sandbox.azure.world import Tenant, World
    from recording_storage.sandbox.issuer import Issuer, Issuers

HOSTS = (LOGIN, "login.microsoft.com", "login.windows.net", "sts.windows.net")
EXCHANGE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEFAULT = "/.default"
SHARED = ("common", "organizations", "consumers")
"""What stands where a tenant would, for people."""
RESOURCES = (*known.ARM, *known.GRAPH, *known.STORAGE, *known.VAULT)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


class Entra:
    """The service at login.microsoftonline.com; nobody authenticates there otherwise than by what is exchanged."""

    def __init__(self, world: World, access: Access, tokens: Tokens, issuers: Issuers) -> None:
        self._world = world
        self._access = access
        self._tokens = tokens
        self._issuers = issuers
        self._own: dict[str, Issuer] = {}
        self._routes = Routes[None](
            ("POST", "/{tenant}/oauth2/v2.0/token", self._token),
            ("POST", "/{tenant}/oauth2/token", self._token_v1),
            ("GET", "/{tenant}/v2.0/.well-known/openid-configuration", self._discovery),
            ("GET", "/{tenant}/.well-known/openid-configuration", self._discovery_v1),
            ("GET", "/{tenant}/discovery/v2.0/keys", self._keys),
            ("GET", "/{tenant}/discovery/keys", self._keys),
            ("GET", "/{tenant}/discovery/instance", self._instance),
            ("GET", "/{tenant}/oauth2/v2.0/authorize", None),
            ("GET", "/{tenant}/oauth2/authorize", None),
            ("POST", "/{tenant}/oauth2/v2.0/devicecode", None),
            ("GET", "/{tenant}/UserRealm/{name=**}", None),
            ("GET", "/{tenant}/userrealm/{name=**}", None),
        )

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return self._routes.answer(request, None)
        except NoSuchPath as path:
            raise EntraError(
                900561, "invalid_request", "The endpoint was not found.", because=str(path), status=404
            ) from None

    def believe(self, issuer: Issuer) -> None:
        """Know an issuer beside those that the sandbox stands in for."""
        self._own[issuer.url] = issuer

    # Tokens

    def _token(self, request: Request, who: None, names: Mapping[str, str]) -> dict[str, Any]:
        del who
        form = request.form()
        return self._exchange(request, names["tenant"], form, lambda: _audience(_needed(form, "scope")))[0]

    def _token_v1(self, request: Request, who: None, names: Mapping[str, str]) -> dict[str, Any]:
        del who
        form = request.form()
        said, audience = self._exchange(
            request, names["tenant"], form, lambda: _resource(_needed(form, "resource"))
        )
        now = int(self._world.now().timestamp())
        times = {"expires_on": str(now + said["expires_in"]), "not_before": str(now), "resource": audience}
        return {name: str(value) for name, value in said.items()} | times

    def _exchange(
        self, request: Request, tenant_name: str, form: Mapping[str, str], audience: Any
    ) -> tuple[dict[str, Any], str]:
        place = f"https://{LOGIN}{request.path}"
        holder = f"the client {form.get('client_id', '')}".strip()
        try:
            tenant = self._tenant(tenant_name)
            client = _needed(form, "client_id").lower()
            _check_grant(form)
            principal, credentials = self._client(tenant, client)
            self._check_other_ways(tenant, principal, form)
            assertion = _assertion(form)
            holder = assertions.holder(assertion)
            credential = assertions.check(assertion, client, credentials, self._issuer, self._world.now())
            resource = audience()
        except EntraError as error:
            self._access.write(Outcome.REFUSED, holder, EXCHANGE, place, error.because)
            error.is_written = True
            raise
        except Undecided as undecided:
            raise Undecided(f"{EXCHANGE} of {holder} at {place}: {undecided.what}") from None
        who = Principal(principal.id, principal.app_id, tenant.id)
        token = self._tokens.issue(who, resource, app_displayname=principal.display_name)
        reason = (
            f"{holder} is accepted by the federated credential {credential.name} of {principal.display_name}"
        )
        self._access.write(Outcome.ALLOWED, who, EXCHANGE, place, f"{reason}; the token is for {resource}")
        seconds = int(LIFETIME.total_seconds()) - 1
        said = {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": token,
        }
        return said, resource

    def _tenant(self, name: str) -> Tenant:
        if name in SHARED:
            raise Undecided(f"an application without a tenant ({name})")
        if not _GUID.fullmatch(name) and not _DOMAIN.fullmatch(name):
            raise EntraError(
                900023,
                "invalid_request",
                f"Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain.",
            )
        found = self._world.tenant(name)
        if found is None:
            raise EntraError(
                90002,
                "invalid_request",
                f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
                "subscriptions for the tenant.",
                because=f"there is no tenant {name}",
            )
        return found

    def _client(self, tenant: Tenant, client: str) -> tuple[ServicePrincipal, list[FederatedCredential]]:
        """Who signs in, and the federated credentials of it: an application's or a managed identity's."""
        directory = tenant.directory
        principal, application = directory.principal(client), directory.application(client)
        for identity in self._world.resources(ManagedIdentity):
            if identity.principal is principal:
                return identity.principal, identity.credentials
        if application is None:
            other = next(
                (one.id for one in self._world.tenants.values() if one.directory.application(client)), ""
            )
            if principal is not None:
                raise Undecided(f"the application {client}, which is registered in another tenant ({other})")
            raise EntraError(
                700016,
                "unauthorized_client",
                f"Application with identifier '{client}' was not found in the directory '{tenant.name}'. This can "
                "happen if the application has not been installed by the administrator of the tenant or consented to "
                "by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
                because=f"there is no client {client} in the tenant {tenant.id}{_where(directory, client, other)}",
            )
        if principal is None:
            raise EntraError(
                7000229,
                "invalid_client",
                f"The client application {client} is missing service principal in the tenant {tenant.id}. See "
                "instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
                because=f"the application {application.display_name} has no service principal",
            )
        if not principal.is_enabled:
            raise EntraError(
                7000112,
                "unauthorized_client",
                f"Application '{client}'({principal.display_name}) is disabled.",
            )
        return principal, application.credentials

    def _check_other_ways(self, tenant: Tenant, who: ServicePrincipal, form: Mapping[str, str]) -> None:
        """Give up where a secret or a certificate might be the client's: only that there are some is known."""
        application = tenant.directory.application(who.app_id)
        said = [who.said, *([application.said] if application else [])]
        if form.get("client_secret") and any(one.get("passwordCredentials") for one in said):
            raise Undecided("a client secret")
        if any(one.get("keyCredentials") for one in said):
            issuer = assertions.stated_issuer(form.get("client_assertion", ""))
            if issuer == who.app_id:
                raise Undecided("an assertion that a certificate signs")

    def _issuer(self, url: str) -> Issuer | None:
        if url.startswith((f"https://{LOGIN}/", "https://sts.windows.net/")):
            raise Undecided(f"an assertion of Entra's own ({url})")
        return self._own.get(url) or self._issuers.get(url)

    # Discovery

    def _discovery(self, request: Request, who: None, names: Mapping[str, str]) -> dict[str, Any]:
        del request, who
        tenant = self._shown(names["tenant"])
        base = f"https://{LOGIN}/{tenant}"
        return {
            **_metadata(base, f"{base}/v2.0"),
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        }

    def _discovery_v1(self, request: Request, who: None, names: Mapping[str, str]) -> dict[str, Any]:
        del request, who
        tenant = self._shown(names["tenant"])
        base = f"https://{LOGIN}/{tenant}"
        return {
            **_metadata(base, known.ISSUER.format(tenant=tenant)),
            "token_endpoint": f"{base}/oauth2/token",
            "jwks_uri": f"https://{LOGIN}/common/discovery/keys",
            "authorization_endpoint": f"{base}/oauth2/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/devicecode",
        }

    def _shown(self, name: str) -> str:
        return "{tenantid}" if name in SHARED else self._tenant(name).id

    def _keys(self, request: Request, who: None, names: Mapping[str, str]) -> dict[str, Any]:
        del request, who, names
        return self._tokens.keys

    def _instance(self, request: Request, who: None, names: Mapping[str, str]) -> dict[str, Any]:
        """What hosts there are: https://learn.microsoft.com/entra/msal/dotnet/resources/instance-discovery."""
        del who, names
        tenant = request.query.get("authorization_endpoint", "").partition("://")[2].split("/")[1:2] or [
            "common"
        ]
        found = f"https://{LOGIN}/{tenant[0]}/v2.0/.well-known/openid-configuration"
        return {
            "tenant_discovery_endpoint": found,
            "api-version": "1.1",
            "metadata": [
                {"preferred_network": LOGIN, "preferred_cache": "login.windows.net", "aliases": [*HOSTS]}
            ],
        }


def _metadata(base: str, issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }


def _needed(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise EntraError(
            900144, "invalid_request", f"The request body must contain the following parameter: '{name}'."
        )
    return form[name]


def _check_grant(form: Mapping[str, str]) -> None:
    grant = _needed(form, "grant_type")
    if grant in ("authorization_code", "refresh_token", "password") or grant.startswith(
        "urn:ietf:params:oauth:"
    ):
        raise Undecided(f"the grant {grant}")
    if grant != EXCHANGE:
        raise EntraError(
            70003, "unsupported_grant_type", f"The app requested an unsupported grant type '{grant}'."
        )


def _assertion(form: Mapping[str, str]) -> str:
    if form.get("client_secret"):
        raise EntraError(
            7000215,
            "invalid_client",
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            "not the client secret ID, for a secret added to app.",
            because="nobody in the sandbox has a client secret",
        )
    if not form.get("client_assertion"):
        raise EntraError(
            7000216,
            "invalid_client",
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        )
    if _needed(form, "client_assertion_type") != ASSERTION_TYPE:
        raise EntraError(
            70002,
            "invalid_client",
            f"Error validating credentials. The 'client_assertion_type' must be '{ASSERTION_TYPE}'.",
        )
    return form["client_assertion"]


def _audience(scope: str) -> str:
    """Whom a token is for: the scope without its end."""
    if " " in scope.strip() or not scope.endswith(DEFAULT):
        raise EntraError(
            1002012,
            "invalid_scope",
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    return _resource(scope.removesuffix(DEFAULT))


def _resource(name: str) -> str:
    plain = name.rstrip("/")
    host = plain.partition("://")[2]
    if plain in RESOURCES or (plain.startswith("https://") and host.endswith(known.BLOB_SUFFIX)):
        return name
    if name.startswith("api://") or _GUID.fullmatch(name):
        raise Undecided(f"a token for {name}")
    raise EntraError(
        500011,
        "invalid_resource",
        f"The resource principal named {name} was not found in the tenant. This can happen if the application has not "
        "been installed by the administrator of the tenant or consented to by any user in the tenant.",
    )


def _where(directory: Any, client: str, other: str) -> str:
    """What the client id is instead, or where."""
    for one in directory.applications:
        if client == one.id:
            return f": that is the object id of the application {one.display_name}, whose client id is {one.app_id}"
    for one in directory.principals:
        if client == one.id:
            return f": that is the object id of a service principal, whose client id is {one.app_id}"
    deleted = any(one.app_id == client for one in directory.all_applications.values())
    return ": it is deleted" if deleted else f": it is in the tenant {other}" if other else ""
