"""Access keys of the sandbox's users, made before the stand-in is loaded: children start while it loads."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

OWNER_ACCOUNT = "111122223333"
"""The account that a program in the sandbox owns, where nothing says another."""
_KEY_ID_ALPHABET = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Credentials:
    """A long-term access key of a user, as a program in the sandbox holds it."""

    account: str
    access_key_id: str
    secret_access_key: str

    def environment(self) -> dict[str, str]:
        """Give the variables by which AWS's clients find it."""
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}

    def profile(self, name: str) -> str:
        """Give a section for AWS's shared credentials file."""
        return (
            f"[{name}]\n"
            f"aws_access_key_id = {self.access_key_id}\naws_secret_access_key = {self.secret_access_key}\n"
        )


def mint(account: str) -> Credentials:
    """Make new credentials for a user of `account`, in the form of AWS's own."""
    return Credentials(
        account=account,
        access_key_id="AKIA" + "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(16)),
        secret_access_key=secrets.token_urlsafe(30),
    )
