"""Rehearse destinations on Amazon S3: the recorder and the intruder at work, and what their attempts mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.trust import S3_PROFILE, overridden
from recording_storage.rehearsal.playing import CONVERSATION, PROTECTION, asked, overrides, result, start
from recording_storage.rehearsal.s3_assumed import Assumed, account_of
from recording_storage.rehearsal.s3_words import IAM_GUIDE, MENDS, made
from recording_storage.results import Made, Result, Status
from recording_storage.steps import SERVICE_PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

    from components.s3_settings import S3Destination
    from components.settings import Settings
    from recording_storage.sandbox import Sandbox
    from recording_storage.sandbox.aws.credentials import Credentials

STATEMENT = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")
"""A statement's parts, in the order in which people read them; the Pulumi engine sorts what it hands over."""


class S3Stage:
    """A stack's S3 destinations, played through."""

    title = "Amazon S3"

    def __init__(self, sandbox: Sandbox, settings: Settings, folder: Path) -> None:
        self._sandbox = sandbox
        self._trust = settings.s3_trust
        self._overridden = overridden(S3_PROFILE, {**settings.trust_profile.s3.overrides})
        self._assumed = Assumed(settings, folder)
        self._destinations = self._assumed.destinations

    def expect(self) -> None:
        self._sandbox.expect(*self._assumed.guests)

    def prepare(self) -> None:
        self._assumed.make(self._sandbox.aws)

    def owner(self, environment: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002 (no file is needed)
        return self._assumed.owner.environment()

    def auditor(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        return self.owner(environment)

    def guest(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        # By file and not by variables: those would take precedence over `AWS_PROFILE`.
        people = {"default": self._assumed.owner, SERVICE_PROFILE: self._assumed.people[SERVICE_PROFILE]}
        _write_profiles(environment, people)
        return {}

    def start_players(self, cast: ExitStack) -> None:
        service = self._assumed.people[SERVICE_PROFILE].environment()
        self._recorder = start("recorder", "s3", self._sandbox.environment("s3-recorder", service), cast)
        intruder = self._sandbox.environment("s3-intruder", {})
        _write_profiles(intruder, self._assumed.people)
        self._intruder = start("intruder", "s3", intruder, cast)

    def made(self, name: str, events: list[dict[str, Any]]) -> tuple[Made, ...]:
        destination = self._destinations[name]
        given = [Made("key", destination.kms_key_arn, ("given",))] if destination.kms_key_arn else []
        if destination.existing:
            given.append(Made("bucket", destination.bucket_name or "", ("existing, left as it is",)))
        return (*given, *made(name, events, PROTECTION[destination.on_destroy]))

    def to_do(self, outputs: Mapping[str, Any]) -> tuple[str, ...]:
        statements = outputs.get("kms_key_statements")
        if not statements:
            return ()
        ordered = [{part: one[part] for part in STATEMENT if part in one} for one in statements]
        return (f"add to the policy of {outputs['kms_key_arn']}: {json.dumps(ordered)}",)

    def unproven(self, name: str) -> tuple[str, ...]:
        destination = self._destinations[name]
        assumed = {
            "that the readers' roles exist, and what their own account allows them": destination.readers,
            "that the deploy role exists and may make all this": destination.deploy_role,
            "that the additional principals exist": destination.additional_principals,
            "that the key exists and is enabled, and that its owner has added the statements": destination.kms_key_arn,
            "that the bucket exists, is versioned, and what its owner has set on it": destination.existing,
            "that the bucket exists, set as the configuration asks for": destination.adopt,
        }
        return (
            "organisation policies (SCP, RCP)",
            "propagation delay",
            f"whether the service copies to {destination.region} through a worker of its own,"
            " whose AWS principal isn't documented",
            *(what for what, named in assumed.items() if named),
        )

    def play(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Result]:
        destination = self._destinations[name]
        yield from overrides(name, self._overridden)
        yield from self._unknown_boundary(name, destination)
        left: dict[str, str] = {}
        yield from self._record(name, outputs, left)
        yield from self._misuse(name, destination, outputs["recording_storage"], left)

    def record(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Result]:
        yield from self._record(name, outputs, {})

    def _record(self, name: str, outputs: Mapping[str, Any], left: dict[str, str]) -> Iterator[Result]:
        """Record; what is written is remembered in `left`."""
        job = {
            "provider": "s3",
            "recording_storage": outputs["recording_storage"],
            "default_external_id": self._trust.external_id,
            "session_seconds": self._trust.session_seconds,
            "conversation_id": CONVERSATION,
        }
        for step in asked(self._sandbox, self._recorder, job):
            left |= step["left"]
            yield result(name, step, MENDS)

    def _misuse(
        self, name: str, destination: S3Destination, storage: Mapping[str, str], left: Mapping[str, str]
    ) -> Iterator[Result]:
        region, account = storage["bucket_region"], account_of(storage["assume_role_arn"])
        self._assumed.let_read(destination.readers, storage["bucket_name"], account)
        accepted = destination.external_ids(self._trust)
        own = storage.get("external_id", self._trust.external_id)
        wrong = {"wrong": f"not-{own}"[:1224], "in-another-case": own.swapcase()}
        job = {
            "provider": "s3",
            "recording_storage": storage,
            "external_id": own,
            "wrong_external_ids": {what: one for what, one in wrong.items() if one not in accepted},
            "accepted_external_ids": [one for one in accepted if one != own],
            "key": left.get("key", f"{CONVERSATION}/recording.mp4"),
            "version": left.get("version", ""),
            "other_bucket": self._assumed.other_bucket(name, region),
            "left_alone": destination.existing,
            "readers": [{"arn": arn, "profile": account_of(arn)} for arn in destination.readers],
        }
        for step in asked(self._sandbox, self._intruder, job):
            yield result(name, step, MENDS)

    def _unknown_boundary(self, name: str, destination: S3Destination) -> Iterator[Result]:
        if destination.permissions_boundary and self._assumed.boundary(destination) is None:
            yield Result(
                name,
                "unproven.permissions-boundary",
                Status.UNKNOWN,
                f"what {destination.permissions_boundary} allows",
                "its document isn't known here, so the rehearsal let it allow everything",
                "name the file with its document in permissions_boundary_file",
                f"{IAM_GUIDE}/access_policies_boundaries.html",
            )


def _write_profiles(environment: Mapping[str, str], people: Mapping[str, Credentials]) -> None:
    """Let a program be each of these people, by the profile's name."""
    profiles = "".join(person.profile(name) for name, person in people.items())
    Path(environment["AWS_SHARED_CREDENTIALS_FILE"]).write_text(profiles)
