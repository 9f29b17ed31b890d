"""Rehearse destinations on Amazon S3: the recorder and the intruder at work, and what their attempts mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.trust import overridden_s3
from recording_storage.rehearsal.child import Child
from recording_storage.rehearsal.s3_assumed import Assumed, account_of
from recording_storage.rehearsal.s3_words import IAM_GUIDE, PROTECTION, made, mend
from recording_storage.results import Made, Result, Status
from recording_storage.sandbox.journal import Outcome
from recording_storage.steps import BROKEN, DONE, REFUSED, SERVICE_PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

    from components.settings import S3Destination, Settings
    from recording_storage.sandbox import Sandbox

CONVERSATION = "c93a7ead335b"


class S3Stage:
    """A stack's S3 destinations, played through."""

    title = "Amazon S3"

    def __init__(self, sandbox: Sandbox, settings: Settings, folder: Path) -> None:
        self._sandbox = sandbox
        self._trust = settings.s3_trust
        self._overridden = overridden_s3(settings.trust_profile.s3.overrides)
        self._assumed = Assumed(settings, folder)
        self._destinations = self._assumed.destinations

    def credentials(self) -> Mapping[str, str]:
        return self._assumed.owner.environment()

    def prepare(self) -> None:
        self._assumed.make(self._sandbox.aws)

    def start_players(self, cast: ExitStack) -> None:
        service = self._assumed.people[SERVICE_PROFILE].environment()
        environments = {
            "recorder": self._sandbox.environment("recorder", service),
            "intruder": self._intruders(),
        }
        self._recorder, self._intruder = (
            cast.enter_context(Child(f"recording_storage.{player}", environment))
            for player, environment in environments.items()
        )
        for player in (self._recorder, self._intruder):
            player.tell({"provider": "s3"})

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
        return (f"add to the policy of {outputs['kms_key_arn']}: {json.dumps(statements)}",)

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
        yield from self._overrides(name)
        yield from self._unknown_boundary(name, destination)
        storage = outputs["recording_storage"]
        left: dict[str, str] = {}
        job = {
            "provider": "s3",
            "recording_storage": storage,
            "default_external_id": self._trust.external_id,
            "session_seconds": self._trust.session_seconds,
            "conversation_id": CONVERSATION,
        }
        for step in self._asked(self._recorder, job):
            left |= step["left"]
            yield self._result(name, step)
        yield from self._misuse(name, destination, storage, left)

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
        for step in self._asked(self._intruder, job):
            yield self._result(name, step)

    def _asked(self, player: Child, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The player's steps, each with what the stand-in has to say of it."""
        mark = self._sandbox.journal.mark()
        for step in player.ask(job):
            yield step | {"journal": self._sandbox.journal.since(mark, Outcome.REFUSED, Outcome.UNDECIDED)}
            mark = self._sandbox.journal.mark()

    def _result(self, name: str, step: dict[str, Any]) -> Result:
        wanted = DONE if step["id"].startswith("proven.") else REFUSED
        undecided = [entry for entry in step["journal"] if entry.outcome is Outcome.UNDECIDED]
        reasons = [entry.reason for entry in undecided or step["journal"]]
        status = Status.PASS if step["ended"] == wanted else Status.FAIL
        if undecided or (wanted == REFUSED and step["ended"] == BROKEN):
            status = Status.UNKNOWN
        evidence = ": ".join(dict.fromkeys(part for part in (step["evidence"], *reasons[-1:]) if part))
        how, source = mend(step["id"])
        title = step["title"]
        if wanted == REFUSED and step["ended"] == DONE:
            evidence = title
            title = step["id"].partition(".")[2].replace("-", " ")
        return Result(
            name, step["id"], status, title, evidence, how if status is not Status.PASS else "", source
        )

    def _overrides(self, name: str) -> Iterator[Result]:
        for one in self._overridden:
            yield Result(
                name,
                f"unproven.trust-profile.{one.constant.name}",
                Status.WARN,
                f"{one.constant.name} is overridden: {one.value}",
                f"the vendor's own is {one.constant.value}",
                "keep the override only if the vendor has given this value",
                one.constant.source,
            )

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

    def _intruders(self) -> dict[str, str]:
        environment = self._sandbox.environment("intruder", {})
        profiles = "".join(person.profile(name) for name, person in self._assumed.people.items())
        Path(environment["AWS_SHARED_CREDENTIALS_FILE"]).write_text(profiles)
        return environment
