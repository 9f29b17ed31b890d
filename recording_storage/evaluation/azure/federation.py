"""What a token presents, against what a federated credential names: issuer, subject and audience, to the letter.

Sources: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations,
https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes#august-2024 (case matters).
Leaves out credentials that match by an expression (`claimsMatchingExpression`): what is read says that it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ISSUER, AUDIENCE, SUBJECT = "issuer", "audience", "subject"
CLAIMS: Final = (ISSUER, AUDIENCE, SUBJECT)
"""In the order in which Entra looks for them."""
MOST: Final = 20
"""The most federated credentials that an application or a managed identity may have."""


class Difference(Enum):
    """How what is named differs from what is presented; the earlier, the nearer."""

    NONE = "the same"
    CASE = "in case"
    SPACE = "in white space"
    SLASH = "in a slash at its end"
    VALUE = "in its value"


NEARNESS: Final = tuple(Difference)


@dataclass(frozen=True)
class Presented:
    """What a token says of itself."""

    issuer: str
    audience: str
    subject: str


@dataclass(frozen=True)
class Credential:
    """A federated credential as it is read. `expression`: by which it matches in the place of a subject."""

    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    expression: str = ""

    def named(self, claim: str) -> tuple[str, ...]:
        """What it names for a claim."""
        return self.audiences if claim == AUDIENCE else (str(getattr(self, claim)),)

    def differences(self, presented: Presented) -> dict[str, Difference]:
        """How it differs from what is presented, for each claim that does."""
        found = {claim: nearest(getattr(presented, claim), self.named(claim)) for claim in CLAIMS}
        return {claim: one for claim, one in found.items() if one is not Difference.NONE}


def difference(presented: str, named: str) -> Difference:
    """How one value differs from another."""
    if presented == named:
        return Difference.NONE
    if presented.casefold() == named.casefold():
        return Difference.CASE
    if "".join(presented.split()) == "".join(named.split()):
        return Difference.SPACE
    if presented.rstrip("/") == named.rstrip("/"):
        return Difference.SLASH
    return Difference.VALUE


def nearest(presented: str, named: Iterable[str]) -> Difference:
    """How the one of several values differs that comes nearest."""
    found = {difference(presented, one) for one in named}
    return next((one for one in NEARNESS if one in found), Difference.VALUE)


def distance(differences: Mapping[str, Difference]) -> tuple[int, int]:
    """How far off a credential is: first how much has another value, then how much differs at all."""
    wrong = sum(1 for one in differences.values() if one is Difference.VALUE)
    return wrong, sum(NEARNESS.index(one) for one in differences.values())


def read(said: Mapping[str, Any]) -> Credential:
    """A credential of what Graph says, or Resource Manager, which has `properties`."""
    properties: Mapping[str, Any] = said.get("properties") or said
    expression: Mapping[str, Any] = properties.get("claimsMatchingExpression") or {}
    return Credential(
        name=str(said.get("name") or ""),
        issuer=str(properties.get("issuer") or ""),
        subject=str(properties.get("subject") or ""),
        audiences=tuple(map(str, properties.get("audiences") or ())),
        expression=str(expression.get("value") or ""),
    )
