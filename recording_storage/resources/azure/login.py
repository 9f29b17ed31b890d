"""Who asks: a service principal, by a token of another issuer that Entra takes for it, never by a secret.

The settings are the providers' own (`oidcTokenFilePath`, `ARM_OIDC_TOKEN_FILE_PATH` …), or else those of workload
identities (`AZURE_FEDERATED_TOKEN_FILE` …). Leaves out secrets, certificates, the machine's managed identity, the
Azure CLI's login, tokens that are asked for at an address, and other clouds than the public one.

Sources: https://www.pulumi.com/registry/packages/azure-native/installation-configuration/,
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from recording_storage.resources import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.resources import Properties

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "tenantId": ("ARM_TENANT_ID", "AZURE_TENANT_ID"),
    "clientId": ("ARM_CLIENT_ID", "AZURE_CLIENT_ID"),
    "subscriptionId": ("ARM_SUBSCRIPTION_ID", "AZURE_SUBSCRIPTION_ID"),
    "oidcToken": ("ARM_OIDC_TOKEN",),
    "oidcTokenFilePath": ("ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE"),
}
"""Where what the configuration doesn't say is looked for."""
LEFT_OUT = (
    "auxiliaryTenantIds",
    "clientCertificate",
    "clientCertificatePath",
    "clientIdFilePath",
    "clientSecret",
    "clientSecretFilePath",
    "metadataHost",
    "msiEndpoint",
    "oidcRequestToken",
    "oidcRequestUrl",
    "useMsi",
)
PUBLIC_CLOUDS = (None, "", "public", "global")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SPARE_SECONDS = 300
"""How long a token must last at least, or a new one is asked for."""
TIMEOUT_SECONDS = 120


def setting(config: Properties, name: str) -> str:
    """What a configuration says, or the environment; raises `PermissionError` where neither does."""
    found = config.get(name) or next((os.environ[v] for v in SETTINGS[name] if os.environ.get(v)), "")
    if not found:
        raise PermissionError(f"credentials: neither {name} nor {' nor '.join(SETTINGS[name])} is set")
    return str(found)


class Login:
    """One service principal's tokens, for any thread."""

    def __init__(self, config: Properties) -> None:
        for name in LEFT_OUT:
            if config.get(name) not in (None, "", "false", False):
                raise UnsupportedError(f"{name} of the provider", name)
        if config.get("environment") not in PUBLIC_CLOUDS:
            raise UnsupportedError(f"the cloud {config['environment']}", "environment")
        self.tenant, self.client = setting(config, "tenantId"), setting(config, "clientId")
        self._config = config
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def token(self, scope: str) -> str:
        """A token for `scope` that isn't about to expire; raises `PermissionError` where Entra gives none."""
        with self._lock:
            token, expires = self._tokens.get(scope, ("", 0.0))
            if time.monotonic() > expires - SPARE_SECONDS:
                token, lifetime = self._request(scope)
                self._tokens[scope] = token, time.monotonic() + lifetime
            return token

    def _request(self, scope: str) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_assertion_type": ASSERTION,
            "client_assertion": self._assertion(),
            "scope": scope,
        }
        url = f"https://login.microsoftonline.com/{self.tenant}/oauth2/v2.0/token"
        answer = requests.post(url, data=form, timeout=TIMEOUT_SECONDS)
        if not answer.ok:
            raise PermissionError(f"credentials: {_said(answer)}")
        said: dict[str, Any] = answer.json()
        return str(said["access_token"]), float(said["expires_in"])

    def _assertion(self) -> str:
        """The other issuer's token, as it stands now: whoever puts it into a file may have put a new one."""
        if self._config.get("oidcToken") or os.environ.get("ARM_OIDC_TOKEN"):
            return setting(self._config, "oidcToken")
        return Path(setting(self._config, "oidcTokenFilePath")).read_text().strip()


def _said(answer: requests.Response) -> str:
    """What Entra said, without the trail behind it."""
    try:
        return str(answer.json()["error_description"]).partition("Trace ID:")[0].strip()
    except (ValueError, LookupError, TypeError):
        return f"{answer.status_code} {answer.text.strip()}"
