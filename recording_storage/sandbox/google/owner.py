"""The owner of a project, as a program in the sandbox is that person: made before the stand-in is loaded.

The credentials are those of a user, as `gcloud auth application-default login` leaves them
(https://docs.cloud.google.com/docs/authentication/application-default-credentials): tokens, and no key.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT, NUMBER = "sandbox-project", "123456789012"
"""The project that a program in the sandbox owns, where nothing says another."""
EMAIL = "owner@example.com"
CLIENT_ID = "sandbox.apps.googleusercontent.com"


@dataclass(frozen=True)
class Owner:
    """Somebody who may do everything in a project, with the tokens by which the stand-in knows that person."""

    project: str = PROJECT
    number: str = NUMBER
    email: str = EMAIL
    refresh_token: str = field(default_factory=lambda: f"1//{secrets.token_urlsafe(48)}")
    access_token: str = field(default_factory=lambda: f"ya29.{secrets.token_urlsafe(48)}")

    def files(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Write the credentials into the home of `environment`; the variables by which Google's clients find them."""
        folder = Path(environment["CLOUDSDK_CONFIG"])
        folder.mkdir(parents=True, exist_ok=True)
        default = folder / "owner.json"  # by gcloud's own name for it, google-auth would run gcloud
        default.write_text(json.dumps(self.authorized_user, indent=2) + "\n")
        token = folder / "access_token"
        token.write_text(self.access_token + "\n")
        for path in (default, token):
            path.chmod(0o600)
        return {
            "GOOGLE_APPLICATION_CREDENTIALS": str(default),
            "GOOGLE_CLOUD_PROJECT": self.project,
            "GOOGLE_PROJECT": self.project,  # Terraform's and Pulumi's
            "CLOUDSDK_CORE_PROJECT": self.project,
            "CLOUDSDK_CORE_ACCOUNT": self.email,
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
        }

    @property
    def authorized_user(self) -> dict[str, str]:
        """The file that `GOOGLE_APPLICATION_CREDENTIALS` names."""
        return {
            "type": "authorized_user",
            "account": "",
            "client_id": CLIENT_ID,
            "client_secret": "none",
            "refresh_token": self.refresh_token,
            "quota_project_id": self.project,
            "universe_domain": "googleapis.com",
        }
