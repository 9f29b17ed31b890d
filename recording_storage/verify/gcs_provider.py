"""Whether the provider that is handed over takes the service's tokens: its name, state, audiences, issuer and keys."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from components.gcp import IAM_HOST, workload_identity_provider_breaches
from recording_storage.evaluation.google.federation import default_audiences
from recording_storage.verify.checks import CouldNotTell, NothingThere, failed, passed, warned, worst
from recording_storage.verify.gcs_rest import Refused
from recording_storage.verify.said import items, part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.verify.checks import Finding
    from recording_storage.verify.gcs_reading import Reading

    Json = dict[str, Any]


class Provider:
    """The deciders of one destination that concern the provider itself, and its pool."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known = reading.target.known
        self._trust = reading.target.known.gcs_trust

    # The identifier, the pool and the provider

    def identifier(self) -> Finding:
        """G1."""
        named = self._reading.identifier
        wrong = workload_identity_provider_breaches(named.text)
        if wrong:
            expected = "; ".join(one.expected for one in wrong)
            return failed(f"handed over: {named.text or 'nothing'}; expected: {expected}", self._better())
        return passed(f"handed over: {named.text}")

    def exists(self) -> Finding:
        """G2."""
        return worst(*(self._state(*one) for one in self._two()))

    def is_kept(self) -> Finding:
        """G7."""
        two = self._two()
        found = [self._kept(kind, name, one) for kind, name, one in two if one is not None]
        if not found:
            raise NothingThere(f"the pool {two[0][1]}", "G2")
        return worst(*found)

    def _two(self) -> list[tuple[str, str, Json | None]]:
        """Pool and provider: what each is, its name, and what was read of it."""
        reading, named = self._reading, self._reading.identifier
        if not named.provider_id:
            raise NothingThere("the provider", "G1")
        pool = ("pool", named.pool_id, reading.pool())
        return [pool, ("provider", named.provider_id, reading.provider() if pool[2] else None)]

    def _state(self, kind: str, name: str, found: Json | None) -> Finding:
        what = f"the {kind} {name}"
        if found is None:
            return failed(f"there is no {what[4:]}", f"make it, or hand over the {kind} that there is")
        if found.get("state") == "DELETED":
            return failed(f"{what} is deleted", self._undelete(kind))
        if found.get("disabled"):
            return failed(
                f"{what} is disabled", f"enable it: {self._command(kind, 'update-oidc')} --no-disabled"
            )
        return passed(f"{what} exists and is enabled")

    def _kept(self, kind: str, name: str, found: Json) -> Finding:
        if found.get("state") != "DELETED":
            return passed(f"the {kind} {name} isn't deleted")
        until = found.get("expireTime", "30 days after its deletion")
        evidence = f"the {kind} {name} is deleted; until {until} its id is taken, and it can be restored"
        return failed(evidence, self._undelete(kind))

    def _undelete(self, kind: str) -> str:
        return f"restore it, instead of making it again: {self._command(kind, 'undelete')}"

    def _command(self, kind: str, verb: str) -> str:
        named = self._reading.identifier
        place = f"--location=global --project={named.project}"
        if kind == "pool":
            verb = verb.removesuffix("-oidc")
            return f"gcloud iam workload-identity-pools {verb} {named.pool_id} {place}"
        pool = f"--workload-identity-pool={named.pool_id}"
        return f"gcloud iam workload-identity-pools providers {verb} {named.provider_id} {pool} {place}"

    def _better(self) -> str:
        """What should be handed over, where it can be found out."""
        named = self._reading.identifier
        if not named.provider_id:
            listed = "gcloud iam workload-identity-pools providers list --format='value(name)'"
            return f"hand over the provider's name: {listed}"
        try:
            return f"hand over {self.pool_name}/providers/{named.provider_id}"
        except CouldNotTell:
            return "hand over the provider's name, with the project's number and without a prefix"

    @cached_property
    def said(self) -> Json:
        """The provider; raises `CouldNotTell` where there is none."""
        if not self._reading.identifier.provider_id:
            raise NothingThere("the provider", "G1")
        found = self._reading.provider()
        if found is None:
            raise NothingThere(f"the provider {self._reading.identifier.provider_id}", "G2")
        return found

    @property
    def oidc(self) -> Json:
        """What it says as an OIDC provider; raises `CouldNotTell` where it is none."""
        oidc = part(self.said, "oidc")
        if not oidc:
            raise NothingThere("an OIDC provider", "G10")
        return oidc

    @cached_property
    def pool_name(self) -> str:
        """The pool's name with its project's number; raises `CouldNotTell`."""
        named = self._reading.identifier
        if not named.pool_id:
            raise NothingThere("the pool", "G1")
        try:
            found = self._reading.pool()
        except CouldNotTell:
            if named.project.isdigit():
                return named.pool
            raise
        if found is None:
            raise NothingThere(f"the pool {named.pool_id}", "G2")
        return str(found["name"])

    @property
    def name(self) -> str:
        """Its full name, with the project's number."""
        return f"//{IAM_HOST}/{self.pool_name}/providers/{self._reading.identifier.provider_id}"

    # What the service presents

    @property
    def presented(self) -> str:
        """The audience of the service's tokens."""
        return self._trust.audience or self.name

    def audience(self) -> Finding:
        """G3."""
        own, oidc = default_audiences(self.name), self.oidc
        allowed: list[str] = items(oidc, "allowedAudiences") or own
        if self.presented not in allowed:
            evidence = f"the service presents {self.presented}, the provider accepts {', '.join(allowed)}"
            return failed(evidence, "remove allowed_audiences from the provider, or add this one to them")
        missing = [one for one in self._known.audiences if one not in allowed]
        extra = [one for one in allowed if one not in (*own, self.presented, *self._known.audiences)]
        if missing:
            return warned(
                f"not accepted, though configured: {', '.join(missing)}",
                "add it to the provider's allowed_audiences",
            )
        if extra:
            return warned(
                f"accepted beside the service's own: {', '.join(extra)}",
                "remove it from the provider's allowed_audiences, if nobody needs it",
            )
        return passed(f"the provider accepts {self.presented}")

    # Its keys

    def keys(self) -> Finding:
        """G10."""
        oidc = part(self.said, "oidc")
        if not oidc:
            return failed("the provider isn't an OIDC provider", "make one for the service's issuer")
        issuer = str(oidc.get("issuerUri") or "")
        if issuer != self._trust.issuer:
            evidence = f"the provider's issuer is {issuer!r}, the service's is {self._trust.issuer!r}"
            return failed(
                evidence, f"{self._command('provider', 'update-oidc')} --issuer-uri={self._trust.issuer}"
            )
        try:
            document, keys = self._reading.published(issuer).result()
        except Refused as refused:
            return failed(
                f"Google can't learn the issuer's keys: {refused.message}", "ask the recording service"
            )
        if document.get("issuer") != issuer:
            evidence = f"the document at {issuer} is of the issuer {document.get('issuer')!r}"
            return failed(evidence, "ask the recording service for the issuer's exact address")
        if not oidc.get("jwksJson"):
            return passed(f"the issuer is {issuer}, whose keys Google reads there")
        return self._uploaded(str(oidc["jwksJson"]), keys)

    def _uploaded(self, text: str, published: Json) -> Finding:
        """The provider's own keys, which stand in place of those that the issuer publishes."""
        mend = (
            f"{self._command('provider', 'update-oidc')} --jwk-json-path= (empty: Google reads them itself)"
        )
        try:
            uploaded = _by_id(json.loads(text))
        except (ValueError, AttributeError, TypeError):
            return failed("the keys that were uploaded to the provider can't be read", mend)
        own = _by_id(published)
        shared = [kid for kid in own if uploaded.get(kid) == own[kid]]
        if not shared:
            evidence = (
                f"none of the issuer's keys ({_listed(own)}) is among those uploaded ({_listed(uploaded)})"
            )
            return failed(evidence, mend)
        if len(shared) < len(own):
            return warned(f"of the issuer's keys only {', '.join(shared)} were uploaded", mend)
        if len(uploaded) > len(shared):
            extra = [kid for kid in uploaded if kid not in shared]
            return warned(f"uploaded, and not the issuer's: {', '.join(extra)}; who has one gets in", mend)
        return passed("the keys that were uploaded are the issuer's")


def _by_id(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Keys by their ids, each as what makes it that key."""
    listed: list[Json] = items(keys, "keys")
    return {
        str(one.get("kid")): {name: one.get(name) for name in ("kty", "n", "e", "x", "y")} for one in listed
    }


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "none"
