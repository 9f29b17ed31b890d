"""What may be said of a federated credential, an application's or a managed identity's.

Any subject is taken, whether or not somebody has it, and an asterisk stands for itself.

Sources: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential (lengths, one audience),
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations (20 of them, each issuer and
subject once).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure.directory import CREDENTIALS, FederatedCredential
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}")
AUDIENCE = "api://AzureADTokenExchange"
"""What a token of an issuer is for, where nothing says another."""
LENGTH = 600
KNOWN = ("id", "name", "issuer", "subject", "audiences", "description")


class Wrong(Exception):  # noqa: N818 (each service says which error it is)
    """What is said can't be; `status` is 400 or 409."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def make(name: object, said: Mapping[str, Any]) -> FederatedCredential:
    """A credential of which this is said."""
    unknown = sorted(
        one for one in said if one not in KNOWN and said[one] is not None and "@odata." not in one
    )
    if unknown:
        raise Undecided(f"a federated credential with {', '.join(unknown)}")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Wrong(
            f"The name '{name}' of a federated identity credential must be 3 to 120 characters of letters, digits, "
            "hyphens and underscores, and begin with a letter or a digit."
        )
    for what in ("issuer", "subject"):
        value = said.get(what)
        if not isinstance(value, str) or not 1 <= len(value) <= LENGTH:
            raise Wrong(f"The {what} of a federated identity credential must be 1 to {LENGTH} characters.")
    audiences = said.get("audiences")
    if not isinstance(audiences, list) or len(audiences) != 1:  # pyright: ignore[reportUnknownArgumentType]
        raise Wrong("A federated identity credential must have exactly one audience.")
    audience: object = audiences[0]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(audience, str) or not 1 <= len(audience) <= LENGTH:
        raise Wrong(f"The audience of a federated identity credential must be 1 to {LENGTH} characters.")
    if not said["issuer"].startswith("https://"):
        raise Undecided(f"a federated credential of the issuer {said['issuer']}")
    description = str(said.get("description") or "")
    return FederatedCredential(name, said["issuer"], said["subject"], [audience], description)


def check(made: FederatedCredential, others: Iterable[FederatedCredential]) -> None:
    """Raise `Wrong` where a credential can't stand beside the others."""
    beside = list(others)
    if len(beside) >= CREDENTIALS:
        raise Wrong(f"The limit of {CREDENTIALS} federated identity credentials has been reached.")
    for one in beside:
        if one.name.lower() == made.name.lower():
            raise Wrong(f"FederatedIdentityCredential with name {made.name} already exists.", 409)
        if (one.issuer, one.subject) == (made.issuer, made.subject):
            raise Wrong(
                "The combination of issuer and subject must be unique for the application. Issuer "
                f"{made.issuer} and Subject: {made.subject} already exist."
            )
