"""Who deploys, as a program in the sandbox is that service principal: made before the stand-in is loaded.

It has no secret: a token of an issuer of its own stands in a file, as a pipeline or a cluster would leave it, and a
federated credential takes it (https://learn.microsoft.com/entra/workload-id/workload-identity-federation).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from recording_storage.sandbox.azure.directory import new_id
from recording_storage.sandbox.azure.federation import AUDIENCE
from recording_storage.sandbox.issuer import Issuer

if TYPE_CHECKING:
    from collections.abc import Mapping

TENANT, SUBSCRIPTION = "11112222-3333-4444-5555-666677778888", "99990000-aaaa-bbbb-cccc-ddddeeeeffff"
"""What a program in the sandbox owns, where nothing says another."""
SUBJECT = "owner"
LIFETIME = 365 * 24 * 3600
"""As long as a program may run, in seconds: the file that it reads the token from is never written again."""


@dataclass(frozen=True)
class Owner:
    """Somebody who may do everything in a tenant and a subscription."""

    tenant: str = TENANT
    subscription: str = SUBSCRIPTION
    client_id: str = field(default_factory=new_id)
    issuer: Issuer = field(default_factory=lambda: Issuer(f"https://{new_id()}.invalid"), repr=False)
    """One of this owner's own: nobody finds it, so nobody else has a token of it."""

    @property
    def assertion(self) -> str:
        """A token that Entra takes for this one's."""
        return self.issuer.mint(SUBJECT, AUDIENCE, LIFETIME)

    def files(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Write the token into the home of `environment`; the variables by which Azure's clients find it."""
        folder = Path(environment["AZURE_CONFIG_DIR"])
        folder.mkdir(parents=True, exist_ok=True)
        token = folder / "federated_token"
        token.write_text(self.assertion)
        token.chmod(0o600)
        return {
            "AZURE_TENANT_ID": self.tenant,
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_FEDERATED_TOKEN_FILE": str(token),
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com",
            "AZURE_SUBSCRIPTION_ID": self.subscription,
            "ARM_TENANT_ID": self.tenant,  # Terraform's and Pulumi's, from here on
            "ARM_CLIENT_ID": self.client_id,
            "ARM_SUBSCRIPTION_ID": self.subscription,
            "ARM_USE_OIDC": "true",
            "ARM_OIDC_TOKEN_FILE_PATH": str(token),
            "ARM_USE_CLI": "false",
            "ARM_USE_MSI": "false",
        }
