"""Whose tokens the client takes: its federated credentials, held against what the service presents.

One credential is taken for the service's own: the one that names its token to the letter, or else the one that comes
nearest, as long as it shares the issuer or the subject with it but for case, white space or a slash. All others let
somebody else in.

Sources: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations,
https://openid.net/specs/openid-connect-discovery-1_0.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from recording_storage.evaluation.azure import federation
from recording_storage.evaluation.azure.federation import AUDIENCE, ISSUER, SUBJECT, Difference, Presented
from recording_storage.verify.checks import CouldNotTell, Finding, failed, passed, warned, worst

if TYPE_CHECKING:
    from recording_storage.evaluation.azure.federation import Credential
    from recording_storage.verify.azure_blob_reading import Reading

_WHERE: Final = "--workspace-id"
_FAILS: Final = range(400, 500)


class Trust:
    """What is said of a destination's federated credentials."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._trust = reading.known.azure_blob_trust

    # Whose token is taken

    def accepted(self) -> Finding:
        """Z1: a credential names the service's token to the letter."""
        credentials = self._credentials()
        if not credentials:
            return failed(f"{self._name()} has no federated credential", self._make())
        if not self._reading.known.workspace_id:
            return self._accepted_of_whom(credentials)
        own = self._own(credentials)
        if own is None:
            return failed(f"no federated credential is the service's: {_listed(credentials)}", self._make())
        differences = own.differences(self._presented())
        if not differences:
            return passed(f"the federated credential {own.name} takes {_said(self._presented())}")
        if _is_case_only(differences):
            return passed(f"the federated credential {own.name} is the service's but for case: see Z2")
        how = " · ".join(
            f"the {claim} is {_values(own, claim)} and the token's {getattr(self._presented(), claim)!r}: they differ "
            f"{difference.value}"
            for claim, difference in differences.items()
        )
        return failed(f"of the federated credential {own.name} {how}", self._change(own, differences))

    def _accepted_of_whom(self, credentials: list[Credential]) -> Finding:
        """Z1 where the Workspace ID isn't known: whose subject it is can't be told."""
        near = [
            one
            for one in credentials
            if not _but_for_the_subject(one, self._trust.issuer, self._trust.audience)
        ]
        subjects = list(dict.fromkeys(one.subject for one in near))
        if not near:
            wanted = f"the issuer {self._trust.issuer} and the audience {self._trust.audience}"
            return failed(f"no federated credential has {wanted}: {_listed(credentials)}", self._make())
        said = " or ".join(repr(one) for one in subjects)
        raise CouldNotTell(
            f"tokens for the workspace {said} are accepted: is it yours?",
            f"give your Workspace ID with the service: {_WHERE}",
        )

    def in_the_right_case(self) -> Finding:
        """Z2: no credential is the service's but for case."""
        credentials = self._credentials()
        own = self._own(credentials) if self._reading.known.workspace_id else None
        differences = own.differences(self._presented()) if own else {}
        if own is None or not _is_case_only(differences):
            return passed("no federated credential differs from the service's token in case alone")
        how = " · ".join(
            f"the {claim} is {_values(own, claim)} and the token's {getattr(self._presented(), claim)!r}"
            for claim in differences
        )
        return failed(f"of the federated credential {own.name} {how}", self._change(own, differences))

    def without_wildcards(self) -> Finding:
        """Z4: no subject with an asterisk or white space around it, and room for another credential."""
        credentials, own = self._credentials(), self._reading.known.workspace_id
        odd = [
            failed(
                f"the subject of the federated credential {one.name} is {one.subject!r}: Entra compares it to the "
                "letter, and knows no wildcards"
            )
            for one in credentials
            if one.subject != own and ("*" in one.subject or one.subject != one.subject.strip())
        ]
        odd += [
            failed(f"the federated credential {one.name} matches by an expression: {one.expression}")
            for one in credentials
            if one.expression
        ]
        if not odd and len(credentials) >= federation.MOST:
            return warned(
                f"{self._name()} has {len(credentials)} federated credentials, and can't have more",
                "delete those that nobody uses before another one is needed",
            )
        return (
            worst(*odd)
            if odd
            else passed(f"{len(credentials)} of {federation.MOST} credentials, each to the letter")
        )

    def nobody_else(self) -> Finding:
        """Z13: no other credential lets somebody else in."""
        credentials = self._credentials()
        known = bool(self._reading.known.workspace_id)
        own = self._own(credentials) if known else self._only(credentials)
        others = [one for one in credentials if one is not own and not self._is_same_holder(one, own)]
        if not others:
            return passed(
                f"the only federated credential is {own.name}" if own else "there is no federated credential"
            )
        return worst(
            *(
                failed(
                    f"the federated credential {one.name} lets {one.subject or one.expression!r} of {one.issuer} in",
                    f"delete the federated credential {one.name}, and give whoever needs it another application",
                )
                for one in others
            )
        )

    # The issuer

    def issuer(self) -> Finding:
        """Z3: the issuer's discovery document and keys."""
        url = self._trust.issuer
        status, document, keys = self._reading.issuer.result()
        if document is None and status not in (200, *_FAILS):
            raise CouldNotTell(f"{url} answers {status}", "ask again")
        if document is None:
            return failed(f"{url} answers {status}, and no discovery document")
        if document.get("issuer") != url:
            return failed(f"the discovery document of {url} is that of the issuer {document.get('issuer')!r}")
        if keys is None or not keys.get("keys"):
            return failed(f"the address of its keys, {document.get('jwks_uri')!r}, has none")
        return passed(f"{url} publishes {len(keys['keys'])} key(s), seen from here")

    # What all of them need

    def _credentials(self) -> list[Credential]:
        return self._reading.credentials.result()

    def _presented(self) -> Presented:
        return Presented(self._trust.issuer, self._trust.audience, self._reading.known.workspace_id)

    def _own(self, credentials: list[Credential]) -> Credential | None:
        """The one that is the service's, or was meant to be."""
        presented = self._presented()
        near = [one for one in credentials if _is_near(one, presented)]
        return min(near, key=lambda one: federation.distance(one.differences(presented)), default=None)

    def _only(self, credentials: list[Credential]) -> Credential | None:
        """The one that is taken for the service's where its subject isn't known."""
        near = [
            one
            for one in credentials
            if federation.difference(self._trust.issuer, one.issuer) is not Difference.VALUE
        ]
        return next(iter(near), None)

    def _is_same_holder(self, one: Credential, own: Credential | None) -> bool:
        """Whether a credential lets in whom another one lets in: same issuer and subject, for another audience."""
        return (
            own is not None and not one.expression and (one.issuer, one.subject) == (own.issuer, own.subject)
        )

    def _name(self) -> str:
        return self._reading.identity.result().name

    def _make(self) -> str:
        identity, subject = (
            self._reading.identity.result(),
            self._reading.known.workspace_id or "YOUR-WORKSPACE-ID",
        )
        if identity.resource:
            parts = identity.resource.split("/")
            of = f"az identity federated-credential create --resource-group {parts[4]} --identity-name {parts[-1]}"
            claims = f"--issuer {self._trust.issuer} --subject {subject} --audiences {self._trust.audience}"
            return f"{of} --name recording-service {claims}"
        said = f'"issuer": "{self._trust.issuer}", "subject": "{subject}", "audiences": ["{self._trust.audience}"]'
        of = f"az ad app federated-credential create --id {identity.client_id}"
        return f'{of} --parameters \'{{"name": "recording-service", {said}}}\''

    def _change(self, own: Credential, differences: dict[str, Difference]) -> str:
        claims = " and ".join(f"{claim} {getattr(self._presented(), claim)!r}" for claim in differences)
        return f"change the federated credential {own.name} to {claims}"


def _is_near(one: Credential, presented: Presented) -> bool:
    """Whether it shares the issuer or the subject with what is presented, but for how it is written."""
    if one.expression:
        return False
    shared = {
        claim: federation.nearest(getattr(presented, claim), one.named(claim)) for claim in (ISSUER, SUBJECT)
    }
    return any(difference is not Difference.VALUE for difference in shared.values())


def _but_for_the_subject(one: Credential, issuer: str, audience: str) -> dict[str, Difference]:
    differences = one.differences(Presented(issuer, audience, ""))
    return {claim: how for claim, how in differences.items() if claim != SUBJECT}


def _is_case_only(differences: dict[str, Difference]) -> bool:
    return bool(differences) and set(differences.values()) == {Difference.CASE}


def _values(one: Credential, claim: str) -> str:
    return " or ".join(repr(value) for value in one.named(claim)) or "missing"


def _said(presented: Presented) -> str:
    return f"tokens of {presented.issuer} for {presented.subject!r}, audience {presented.audience}"


def _listed(credentials: list[Credential]) -> str:
    return ", ".join(
        f"{one.name} ({one.issuer}, {one.subject or one.expression!r}, {_values(one, AUDIENCE)})"
        for one in credentials
    )
