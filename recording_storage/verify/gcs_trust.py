"""Whether the recording service gets in for the customer's workspace, and nobody else does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from components.gcp import IAM_HOST
from recording_storage.evaluation.google.principals import Principal, federated
from recording_storage.results import Status
from recording_storage.verify.checks import (
    CouldNotTell,
    NothingThere,
    failed,
    passed,
    warned,
    worst,
)
from recording_storage.verify.gcs_federation import Rules, ask, come_as, others, subject_of
from recording_storage.verify.said import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.verify.checks import Finding
    from recording_storage.verify.gcs_federation import Answer
    from recording_storage.verify.gcs_provider import Provider
    from recording_storage.verify.gcs_reading import Reading

    Json = dict[str, Any]

_CLAIM = re.compile(r"assertion\.(\w+)|assertion\[(?:\"(?P<double>[^\"\\]+)\"|'(?P<single>[^'\\]+)')\]")
GIVE_WORKSPACE = "give --workspace-id, as your account with the recording service has it"


@dataclass(frozen=True)
class Subject:
    """The subject for which the rest is decided, and whether it is known to be the customer's own."""

    text: str
    is_known: bool


class Trust:
    """The deciders of one destination that concern who gets in."""

    def __init__(self, reading: Reading, provider: Provider) -> None:
        self._reading = reading
        self._provider = provider
        self._known = reading.target.known
        self._trust = reading.target.known.gcs_trust

    # Who is let in

    def _claims(self, subject: str) -> Json:
        """The claims of a token of the service's that are known."""
        claim = _CLAIM.fullmatch(self._trust.subject_mapping.strip())
        if claim is None:
            why = f"where the Workspace ID is in a token isn't known: {self._trust.subject_mapping}"
            raise CouldNotTell(why, "say it in trust_profile as one claim, as in assertion.sub")
        where = next(one for one in claim.groups() if one)
        return {"iss": self._trust.issuer, "aud": self._provider.presented, where: subject}

    @cached_property
    def rules(self) -> Rules:
        """The provider's mapping and condition; raises `CouldNotTell` where it isn't an OIDC provider."""
        if self._provider.oidc.get("issuerUri") is None:
            raise NothingThere("the provider's issuer", "G10")
        return Rules.of(self._provider.pool_name, self._provider.said)

    def _let_in(self, subject: str) -> Answer:
        return ask(self.rules, self._claims(subject))

    def subjects(self) -> Finding:
        """G4."""
        rules, own = self.rules, self._known.workspace_id
        if not rules.condition:
            evidence = "the provider has no condition: every customer of the issuer gets in"
            pinned = own or "<your Workspace ID>"
            return failed(evidence, f"give it one: --attribute-condition='google.subject == \"{pinned}\"'")
        if not own:
            return self._whose()
        let_in = self._let_in(own)
        if let_in.let_in is False:
            return failed(f"your token is refused: {let_in.why}", self._pin(own))
        if let_in.let_in is None:
            raise CouldNotTell(f"whether {own} is let in: {let_in.why}", self._pin(own))
        return self._others(own)

    def _others(self, own: str) -> Finding:
        unknown = ""
        for other in others(own, self.rules):
            answer = self._let_in(other)
            if answer.let_in:
                evidence = f"let in beside {own}: {other!r}, by the condition {self.rules.condition}"
                return failed(evidence, self._pin(own))
            if answer.let_in is None:
                unknown = f"whether {other!r} is let in: {answer.why}"
        if unknown:
            raise CouldNotTell(unknown, self._pin(own))
        return passed(f"the condition {self.rules.condition} lets {own} in, and refuses others")

    def _pin(self, own: str) -> str:
        claim = self._trust.subject_mapping
        condition = f"google.subject == {json.dumps(own, ensure_ascii=False)}"
        return f"map google.subject={claim} and set the condition {condition}"

    def _whose(self) -> Finding:
        """Without a Workspace ID: who is let in, which only its owner can judge."""
        found, guessed = self._found_subjects, self._guessed
        if guessed:
            opened = self._others(guessed)
            if opened.status is Status.FAIL:
                return opened
            why, mend = f"only {guessed} is let in: is it yours?", f"give --workspace-id {guessed}, if it is"
            raise CouldNotTell(why, mend)
        if found:
            return failed(
                f"several are let in: {', '.join(found)}",
                "let the condition name one subject: your Workspace ID",
            )
        why = f"nobody was found whom the condition {self.rules.condition} lets in"
        raise CouldNotTell(why, GIVE_WORKSPACE)

    @property
    def _guessed(self) -> str:
        """The one subject that is let in, or the one of several that the service account's policy names."""
        found, bound = self._found_subjects, tuple(self._bound_subjects())
        for some in (found, tuple(one for one in found if one in bound)):
            if len(some) == 1:
                return some[0]
        return ""

    @cached_property
    def _found_subjects(self) -> tuple[str, ...]:
        """The subjects that condition and policies speak of, and that are let in."""
        candidates = dict.fromkeys((*self.rules.literals, *self._bound_subjects()))
        return tuple(one for one in candidates if self._let_in(one).let_in)

    def _bound_subjects(self) -> Iterator[str]:
        """The subjects of the pool that the service account's policy names."""
        try:
            policy = self._reading.value(self._reading.account_policy)
        except CouldNotTell:
            return
        prefix = f"principal://{IAM_HOST}/{self._provider.pool_name}/subject/"
        for binding in items(policy, "bindings"):
            for member in items(binding, "members"):
                if member.startswith(prefix):
                    yield member.removeprefix(prefix)

    @cached_property
    def subject(self) -> Subject:
        """Whose the destination is; raises `CouldNotTell` where that can't be found out."""
        if self._known.workspace_id:
            return Subject(self._known.workspace_id, is_known=True)
        bound = tuple(self._bound_subjects())
        guessed = self._guessed or (bound[0] if len(bound) == 1 else "")
        if not guessed:
            raise CouldNotTell("whose recordings these are isn't known", GIVE_WORKSPACE)
        return Subject(guessed, is_known=False)

    @cached_property
    def principal(self) -> Principal:
        """Whom the service's token stands for: as the provider maps it, or as it should where it lets nobody in."""
        plain = federated(self._provider.pool_name, self.subject.text)
        try:
            answer = self._let_in(self.subject.text)
        except CouldNotTell:
            return plain
        return answer.who or plain

    def is_the_service_alone(self, member: str) -> bool:
        """Whether a binding's member names the service's principal and nobody whom it could come as for others."""
        who = self.principal
        if member == who.member:
            return True
        own = self.subject.text
        try:
            rules = self.rules
            if not who.is_member(member) or "/attribute." not in member:
                return False
            answers = [
                identity
                for other in others(own, rules)
                if (identity := come_as(rules, self._claims(other))) is None or identity.is_member(member)
            ]
        except CouldNotTell:
            return False
        return not answers

    # Other providers of the pool

    def alone(self) -> Finding:
        """G11."""
        if not self._reading.identifier.provider_id:
            raise NothingThere("the provider", "G1")
        own = _id(self._provider.said)
        listed = self._reading.providers()
        rest = [one for one in listed if _id(one) != own and one.get("state") != "DELETED"]
        if not rest:
            return passed("there is no other provider in the pool")
        return worst(*(self._other(one) for one in rest))

    def _same_issuer(self, name: str, rules: Rules, subject: str, mend: str) -> Finding:
        """Through the service itself only its customers come: does one of them come as this subject?"""
        claims = {one: self._claims(one) for one in others(subject, rules)}
        if any(
            ask(rules, said).let_in is not False and subject_of(rules, said) == subject
            for said in claims.values()
        ):
            return failed(
                f"through the other provider {name} other customers of the service get in as {subject}", mend
            )
        return passed(
            f"through the other provider {name} only the service's own customers come, as themselves"
        )

    def _other(self, other: Json) -> Finding:
        name = _id(other)
        if other.get("disabled"):
            return passed(f"the other provider {name} is disabled")
        subject, rules = self.subject.text, Rules.of(self._provider.pool_name, other)
        mend = (
            f"make a pool for this destination alone, or disable {name}: `principal://…/subject/{subject}` "
            "doesn't say through which provider somebody came"
        )
        if "oidc" not in other:
            raise CouldNotTell(
                f"whether the other provider {name}, which isn't OIDC, can assert {subject}", mend
            )
        issuer = str(other["oidc"].get("issuerUri") or "")
        if issuer == self._trust.issuer and not other["oidc"].get("jwksJson"):
            return self._same_issuer(name, rules, subject, mend)
        if any(
            ask(rules, claims).let_in and subject_of(rules, claims) == subject
            for claims in _asserted(rules, issuer, subject)
        ):
            return failed(f"the other provider {name} ({issuer}) can assert {subject}, and gets in", mend)
        answers = [ask(rules, claims) for claims in _asserted(rules, issuer, subject)]
        if any(one.let_in is None for one in answers):
            return warned(f"whether {issuer} ({name}) would assert {subject} isn't known", mend)
        return passed(f"the other provider {name} can't assert {subject}")


def _asserted(rules: Rules, issuer: str, subject: str) -> Iterator[Json]:
    """What an issuer could say to come as `subject`: any of its claims may be it, or what the condition asks for."""
    base = {"iss": issuer, "sub": subject}
    yield base | dict.fromkeys(rules.claims - {"iss"}, subject)
    for literal in rules.literals:
        yield {"iss": issuer} | dict.fromkeys(rules.claims - {"iss"}, literal) | {"sub": subject}


def _id(provider: Json) -> str:
    return str(provider["name"]).rpartition("/")[2]
