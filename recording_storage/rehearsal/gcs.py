"""Rehearse destinations on Google Cloud Storage: recorder, owner and intruder at work, and what their attempts mean."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from components.gcp import LONGEST_SUBJECT, RESOURCE_PREFIXES
from components.trust import GCS_PROFILE, overridden
from recording_storage.rehearsal.gcs_assumed import Assumed, is_playable
from recording_storage.rehearsal.gcs_words import GUIDE, MENDS, ROLES, made
from recording_storage.rehearsal.playing import (
    CONVERSATION,
    PROTECTION,
    asked,
    issuer_variable,
    overrides,
    result,
    start,
)
from recording_storage.results import Made, Result, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from components.gcs_settings import GcsDestination
    from components.settings import Settings
    from recording_storage.sandbox import Sandbox
    from recording_storage.sandbox.issuer import Issuer

QUIET = {"DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true"}
"""Or google-cloud-storage asks in the background, for traces that nobody collects, what the service account may not
know: a refusal in the journal that belongs to no step."""
OTHER_AUDIENCE = "https://another-audience.example.com"
LIFETIME = 600
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_CLAIM = re.compile(r"assertion\.(\w+)|assertion\[(?:\"(?P<double>[^\"\\]+)\"|'(?P<single>[^'\\]+)')\]")


class GcsStage:
    """A stack's destinations on Google Cloud Storage, played through."""

    title = "Google Cloud Storage"

    def __init__(self, sandbox: Sandbox, settings: Settings, folder: Path) -> None:
        del folder
        self._sandbox = sandbox
        self._trust = settings.gcs_trust
        self._overridden = overridden(GCS_PROFILE, {**settings.trust_profile.gcs.overrides})
        self._assumed = Assumed(settings)
        self._destinations = self._assumed.destinations

    def expect(self) -> None:
        self._sandbox.expect_owner(self._assumed.deployer)
        self._sandbox.issuers.add(self._trust.issuer)

    def prepare(self) -> None:
        for issuer in (self._trust.issuer, self._assumed.other_issuer):
            self._sandbox.issuers.add(issuer)
        self._assumed.make(self._sandbox.google)

    def owner(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        return self._assumed.deployer.files(environment)

    def auditor(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        return self._assumed.proprietor.files(environment)

    def guest(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        issuer = issuer_variable(environment, self._trust.issuer, is_used=bool(self._destinations))
        return self._assumed.deployer.files(environment) | issuer

    def start_players(self, cast: ExitStack) -> None:
        recorder = self._sandbox.environment("gcs-recorder", QUIET)
        self._recorder = start("recorder", "gcs", recorder, cast)
        intruder = self._sandbox.environment("gcs-intruder", QUIET)
        intruder |= self._assumed.proprietor.files(intruder)
        self._intruder = start("intruder", "gcs", intruder, cast)

    def made(self, name: str, events: list[dict[str, Any]]) -> tuple[Made, ...]:
        destination = self._destinations[name]
        given = [Made("key", destination.kms_key_name, ("given",))] if destination.kms_key_name else []
        if destination.existing:
            given.append(Made("bucket", destination.bucket_name or "", ("existing, left as it is",)))
        return (*given, *made(name, events, PROTECTION[destination.on_destroy]))

    def to_do(self, outputs: Mapping[str, Any]) -> tuple[str, ...]:
        del outputs
        return ()

    def unproven(self, name: str) -> tuple[str, ...]:
        destination = self._destinations[name]
        groups = [one for one in destination.readers if one.startswith("group:")]
        unplayed = [one for one in destination.readers if not is_playable(one)]
        assumed = {
            "that the readers exist": destination.readers,
            f"who is in {', '.join(groups)}, for whom one member was made up": groups,
            f"that {', '.join(unplayed)} can read, whom nobody can be here": unplayed,
            "that the deploy service account exists and may make all this": destination.deploy_service_account,
            "that the service account exists and is enabled": destination.service_account_email,
            "that the key exists and is enabled": destination.kms_key_name,
            "that the bucket exists, is versioned and has uniform access, and what else its owner has set on it": (
                destination.existing
            ),
            "that the bucket exists, set as the configuration asks for": destination.adopt,
            "that the pool exists and is enabled, and which other providers are in it": destination.existing_pool,
            "that pool and provider exist, set as the configuration asks for": destination.adopt_pool,
        }
        return (
            "organisation policies, deny policies and VPC Service Controls",
            "propagation delay",
            f"that the project {destination.project} exists, with Service Usage and Cloud Resource Manager enabled",
            *filter(None, [self._derived()]),
            *(what for what, named in assumed.items() if named),
        )

    def play(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Result]:
        destination = self._destinations[name]
        yield from overrides(name, self._overridden)
        yield from _notes(name, destination)
        storage = outputs["recording_storage"]
        service = self._service(storage)
        if service is None:
            yield _unplayed(name, self._trust.subject_mapping)
            return
        job, left = _job(destination, storage, service, CONVERSATION), dict[str, str]()
        yield from self._recorded(name, job, left)
        yield from self._misuse(name, destination, job | left, service)

    def record(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Result]:
        """How the service's own attempt ends, step by step, with a recording that is new every time."""
        storage = outputs["recording_storage"]
        service = self._service(storage)
        if service is None:
            yield _unplayed(name, self._trust.subject_mapping)
            return
        conversation = f"{CONVERSATION}-{secrets.token_hex(4)}"
        yield from self._recorded(name, _job(self._destinations[name], storage, service, conversation), {})

    def _service(self, storage: Mapping[str, str]) -> _Service | None:
        """The service as it presents itself; None where the mapping can't be played."""
        claim = _CLAIM.fullmatch(self._trust.subject_mapping.strip())
        if claim is None:
            return None
        return _Service(
            self._sandbox.issuers.add(self._trust.issuer),
            next(one for one in claim.groups() if one),
            self._trust.audience or RESOURCE_PREFIXES[0] + storage["workload_identity_provider"],
        )

    def _recorded(self, name: str, job: Mapping[str, Any], left: dict[str, str]) -> Iterator[Result]:
        """Let the recorder record; `left` is told what it left."""
        for step in asked(self._sandbox, self._recorder, job):
            left |= step["left"]
            yield result(name, step, MENDS)

    def _misuse(
        self, name: str, destination: GcsDestination, job: Mapping[str, Any], service: _Service
    ) -> Iterator[Result]:
        google, assumed = self._sandbox.google, self._assumed
        misuse = {
            "provider": "gcs",
            "recording_storage": job["recording_storage"],
            "token": job["token"],
            "other_tokens": list(self._other_tokens(destination, service)),
            "object": job.get("object", f"{CONVERSATION}/recording.mp4"),
            "sha256": job.get("sha256", ""),
            "only_creates": not destination.allow_overwrite,
            "other_bucket": assumed.other_bucket(google, name, destination),
            "other_service_account": assumed.other_account(destination),
            "other_provider": self._other_provider(name, destination, service),
            "readers": list(self._readers(destination)),
            "stranger": google.tokens.issue(assumed.stranger, SCOPES).text,
        }
        for step in asked(self._sandbox, self._intruder, misuse):
            found = result(name, step, MENDS)
            if found.id == "unproven.shared-pool":
                found = replace(found, title="any other provider of the pool that asserts the same subject")
            yield found

    def _other_tokens(self, destination: GcsDestination, service: _Service) -> Iterator[dict[str, str]]:
        """Tokens that differ from the recorder's in one thing: those that must be refused, and those that mustn't."""
        own = destination.workspace_id
        another = f"not-{own}".encode()[:LONGEST_SUBJECT].decode(errors="ignore")
        elsewhere = replace(service, issuer=self._sandbox.issuers.add(self._assumed.other_issuer))
        table = (
            ("another-workspace", "another workspace", service.token(another)),
            ("workspace-in-another-case", f'workspace "{own.swapcase()}"', service.token(own.swapcase())),
            ("another-issuer", "another issuer", elsewhere.token(own)),
            ("another-key", "another key", service.token(own, forged=True)),
            ("another-audience", "another audience", replace(service, audience=OTHER_AUDIENCE).token(own)),
            ("expired", "expired token", service.token(own, age=2 * LIFETIME)),
        )
        for id_, title, token in table:
            if id_ != "workspace-in-another-case" or own.swapcase() != own:
                yield {"id": f"refused.{id_}", "title": title, "token": token}
        for number, audience in enumerate(destination.additional_audiences, 1):
            yield {
                "id": f"proven.additional-audience-{number}",
                "title": f'audience "{audience}" accepted',
                "token": replace(service, audience=audience).token(own),
            }

    def _other_provider(
        self, name: str, destination: GcsDestination, service: _Service
    ) -> dict[str, str] | None:
        if not destination.existing_pool:
            return None
        provider = self._assumed.other_provider(self._sandbox.google, name, destination)
        issuer = self._sandbox.issuers.add(self._assumed.other_issuer)
        other = replace(service, issuer=issuer, claim="sub", audience=RESOURCE_PREFIXES[0] + provider)
        return {"workload_identity_provider": provider, "token": other.token(destination.workspace_id)}

    def _readers(self, destination: GcsDestination) -> Iterator[dict[str, Any]]:
        google = self._sandbox.google
        for number, member in enumerate(destination.readers, 1):
            who = self._assumed.reader(google, member)
            if who is not None:
                token = google.tokens.issue(who, SCOPES)
                yield {"number": number, "member": member, "token": token.text}

    def _derived(self) -> str:
        """What is assumed of the vendor, whose own text doesn't say so."""
        ours = {one.constant.name for one in self._overridden}
        assumed = [
            one.meaning or f"the {one.name} is {one.value}"
            for one in GCS_PROFILE
            if one.certainty != "A" and one.name not in ours
        ]
        return f"that {' and that '.join(assumed)} (derived, not confirmed by the vendor)" if assumed else ""


@dataclass(frozen=True)
class _Service:
    """The recording service as it presents itself to a destination; `claim` is where the Workspace ID is."""

    issuer: Issuer
    claim: str
    audience: str

    def token(self, workspace_id: str, *, forged: bool = False, age: int = 0) -> str:
        """A token for a workspace, made `age` seconds ago."""
        made = int(time.time()) - age
        said = {"iat": made, "exp": made + LIFETIME, self.claim: workspace_id}
        return self.issuer.mint(workspace_id, self.audience, LIFETIME, forged=forged, **said)


def _job(
    destination: GcsDestination, storage: Mapping[str, str], service: _Service, conversation: str
) -> dict[str, Any]:
    """What the recorder is told."""
    return {
        "provider": "gcs",
        "recording_storage": storage,
        "token": service.token(destination.workspace_id),
        "conversation_id": conversation,
        "overwrites": destination.allow_overwrite,
    }


def _notes(name: str, destination: GcsDestination) -> Iterator[Result]:
    if destination.allow_overwrite:
        yield Result(
            name,
            "unproven.allow-overwrite",
            Status.WARN,
            "the service may read, list, replace and delete the recordings",
            "allow_overwrite is set, so none of that is refused",
            "remove allow_overwrite, unless the service must replace what an upload of its own has left",
            ROLES,
        )


def _unplayed(name: str, mapping: str) -> Result:
    return Result(
        name,
        "unproven.subject-mapping",
        Status.UNKNOWN,
        f"a token that {mapping} maps to the Workspace ID",
        "only a mapping to one claim, as in assertion.sub, can be played: nothing was recorded, and nothing misused",
        "map one claim of the token, if the vendor says which",
        GUIDE,
    )
