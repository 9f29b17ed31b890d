"""Rehearse destinations on Amazon S3: who is on stage, and what their attempts mean.

What is assumed to exist because the configuration names it (readers, deploy roles, boundaries, principals) is made
for the occasion, and said to be unproven.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import kms
from components.aws import iam_arn
from components.trust import overridden_s3
from recording_storage.intruder.s3 import SERVICE_PROFILE, STRANGER_PROFILE
from recording_storage.rehearsal.child import Child
from recording_storage.results import Made, Result, Status
from recording_storage.sandbox.aws.credentials import Credentials, mint
from recording_storage.sandbox.journal import Outcome
from recording_storage.steps import BROKEN, DONE, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

    from components.settings import S3Destination, Settings
    from recording_storage.sandbox import Sandbox

OWNER_ACCOUNT = "111122223333"
STRANGERS = ("999988887777", "999988887778", "999988887779")
OTHER_BUCKET = "somebody-elses-recordings"
CONVERSATION = "c93a7ead335b"
GUIDE = "https://docs.tavus.io/sections/conversational-video-interface/recording-storage"
USER_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
IAM_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"

# a result's id, or its beginning -> how to mend it, and the page that says so
MENDS: dict[str, tuple[str, str]] = {
    "proven.assume-role": (
        "let the role trust the service's account with its external id, and grant its session (MaxSessionDuration)",
        GUIDE,
    ),
    "proven.probe": ("allow s3:PutObject on the whole bucket, not on a prefix", GUIDE),
    "proven.write": ("allow s3:PutObject on the bucket's objects, and look for a Deny or a boundary", GUIDE),
    "proven.read-back": ("allow s3:GetObject on the bucket's objects", GUIDE),
    "proven.list": ("allow s3:ListBucket on the bucket itself", GUIDE),
    "proven.versions": (
        "enable versioning; allow s3:ListBucketVersions and s3:GetObjectVersion",
        f"{USER_GUIDE}/manage-versioning-examples.html",
    ),
    "proven.abort": (
        "allow s3:ListMultipartUploadParts, s3:ListBucketMultipartUploads and s3:AbortMultipartUpload",
        f"{USER_GUIDE}/mpuoverview.html",
    ),
    "proven.additional-external-id": (
        "accept it in the role's trust, or drop it from the configuration",
        GUIDE,
    ),
    "proven.reader": ("let the bucket's policy allow the role s3:GetObject and s3:ListBucket", USER_GUIDE),
    "refused.another-account": ("trust the service's account only", f"{IAM_GUIDE}/confused-deputy.html"),
    "refused.no-external-id": (
        "ask for the external id with StringEquals: without it, every customer of the service gets in",
        f"{IAM_GUIDE}/confused-deputy.html",
    ),
    "refused.external-id": (
        "compare the external id with StringEquals, exactly",
        f"{IAM_GUIDE}/confused-deputy.html",
    ),
    "refused.delete": ("give the role no s3:DeleteObject and no s3:DeleteObjectVersion", GUIDE),
    "refused.another-bucket": ("name the bucket in the role's policy, without a wildcard", GUIDE),
    "refused.plain-http": (
        "deny requests with aws:SecureTransport false in the bucket's policy",
        f"{USER_GUIDE}/security-best-practices.html",
    ),
    "refused.anonymous": (
        "turn Block Public Access on, and grant nothing to everybody",
        f"{USER_GUIDE}/access-control-block-public-access.html",
    ),
    "refused.reader": ("grant readers s3:GetObject and s3:ListBucket, and nothing else", USER_GUIDE),
}
PROTECTION = {
    "protect": "destroy is refused",
    "retain": "kept on destroy",
    "delete": "DELETED on destroy, with its recordings",
}


class S3Stage:
    """The accounts of a stack's S3 destinations, and the players."""

    title = "Amazon S3"

    def __init__(self, sandbox: Sandbox, settings: Settings, folder: Path) -> None:
        self._sandbox = sandbox
        self._scope = settings.scope
        self._trust = settings.s3_trust
        self._overridden = overridden_s3(settings.trust_profile.s3.overrides)
        self._destinations: Mapping[str, S3Destination] = {
            name: one for name, one in settings.destinations.items() if one.provider == "s3"
        }
        self._folder = folder
        self._people = _people(self._destinations, self._trust.account)

    def credentials(self) -> Mapping[str, str]:
        return self._people["owner"].environment()

    def prepare(self, cast: ExitStack) -> None:
        aws = self._sandbox.aws
        self._start_players(cast)
        from recording_storage.sandbox.aws import occasion

        for person in {one.access_key_id: one for one in self._people.values()}.values():
            aws.admit(person)
        owner = self._people["owner"].account
        existing: set[str] = set()
        for destination in self._destinations.values():
            boundary = destination.permissions_boundary
            if boundary and boundary not in existing:
                existing.add(boundary)
                holder = destination.target_account or owner
                occasion.policy(boundary, self._boundary(destination) or ALLOW_EVERYTHING, holder)
            if destination.deploy_role and destination.deploy_role not in existing:
                existing.add(destination.deploy_role)
                occasion.role(destination.deploy_role, trusts=owner)
                occasion.allow(destination.deploy_role)
            for arn in (*destination.readers, *destination.additional_principals):
                if arn.startswith("arn:") and arn not in existing:
                    existing.add(arn)
                    _exist(arn)
        for name, destination in self._destinations.items():
            self._assume_storage(name, destination)

    def _assume_storage(self, name: str, destination: S3Destination) -> None:
        """Make the key and the bucket that the configuration says exist, set as it says or needs."""
        from recording_storage.sandbox.aws import occasion

        account = destination.target_account or self._people["owner"].account

        if destination.kms_key_arn:
            role = destination.names(self._scope, name, account).role
            arn = f"arn:aws:iam::{account}:role{destination.role_path}{role}"
            policy = kms.key_policy(
                _account(destination.kms_key_arn), arn, destination.readers, destination.region
            )
            occasion.key(destination.kms_key_arn, json.dumps(policy))
        if destination.existing and destination.bucket_name:
            occasion.bucket(
                destination.bucket_name,
                account=account,
                region=destination.region,
                versioned=True,
                key_arn=destination.kms_key_arn,
            )

    def _start_players(self, cast: ExitStack) -> None:
        service = self._people[SERVICE_PROFILE].environment()
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
        return (*given, *_made(name, events, PROTECTION[destination.on_destroy]))

    def to_do(self, name: str, outputs: Mapping[str, Any]) -> tuple[str, ...]:
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
        from recording_storage.sandbox.aws import occasion

        account = _account(storage["assume_role_arn"])
        for arn in destination.readers:
            if _account(arn) != account:
                occasion.allow(arn, _read_and_write(storage["bucket_name"]))
        other = f"{OTHER_BUCKET}-{name}"[:63].rstrip("-")
        occasion.bucket(other, account=self._people["owner"].account, region=storage["bucket_region"])
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
            "other_bucket": other,
            "left_alone": destination.existing,
            "readers": [{"arn": arn, "profile": _account(arn)} for arn in destination.readers],
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
        mend, source = _mend(step["id"]) if status is not Status.PASS else ("", "")
        title = step["title"]
        if wanted == REFUSED and step["ended"] == DONE:
            evidence = title
            title = step["id"].partition(".")[2].replace("-", " ")
        return Result(name, step["id"], status, title, evidence, mend, source or _mend(step["id"])[1])

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
        if destination.permissions_boundary and self._boundary(destination) is None:
            yield Result(
                name,
                "unproven.permissions-boundary",
                Status.UNKNOWN,
                f"what {destination.permissions_boundary} allows",
                "its document isn't known here, so the rehearsal let it allow everything",
                "name the file with its document in permissions_boundary_file",
                f"{IAM_GUIDE}/access_policies_boundaries.html",
            )

    def _boundary(self, destination: S3Destination) -> str | None:
        file = destination.permissions_boundary_file
        return (self._folder / file).read_text() if file else None

    def _intruders(self) -> dict[str, str]:
        environment = self._sandbox.environment("intruder", {})
        profiles = "".join(person.profile(name) for name, person in self._people.items())
        Path(environment["AWS_SHARED_CREDENTIALS_FILE"]).write_text(profiles)
        return environment


ALLOW_EVERYTHING = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
)


def _read_and_write(bucket: str) -> dict[str, object]:
    """What a reader's own account must grant where it isn't the bucket's; writing too, so that it is refused there."""
    arn = f"arn:aws:s3:::{bucket}"
    actions = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": [arn, f"{arn}/*"]}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _account(principal: str) -> str:
    """The account of an ARN, or the account that is named itself."""
    return principal.split(":")[4] if principal.startswith("arn:") else principal


def _people(destinations: Mapping[str, S3Destination], service: str) -> dict[str, Credentials]:
    """A user for everyone on stage, by the profile's name; two in one account share the user."""
    ambient = [one for one in destinations.values() if not one.deploy_role]
    hints = [one.account or _hinted_account(one) for one in ambient]
    owner = next((account for account in hints if account), OWNER_ACCOUNT)
    readers = {_account(arn) for one in destinations.values() for arn in one.readers}
    trusted = {
        _account(one) for destination in destinations.values() for one in destination.additional_principals
    }
    stranger = next(one for one in STRANGERS if one not in {owner, service, *readers, *trusted})
    accounts = {"owner": owner, SERVICE_PROFILE: service, STRANGER_PROFILE: stranger} | {
        one: one for one in readers
    }
    minted = {account: mint(account) for account in set(accounts.values())}
    return {name: minted[account] for name, account in accounts.items()}


def _hinted_account(destination: S3Destination) -> str | None:
    """The account that a destination is deployed to, as far as a key that isn't somebody else's tells."""
    given = destination.kms_key_arn if not destination.kms_key_account else None
    return _account(given) if given else None


def _exist(arn: str) -> None:
    from recording_storage.sandbox.aws import occasion

    found = iam_arn(arn)
    if found is not None and found.kind == "user":
        occasion.user(arn)
    else:
        occasion.role(arn, trusts=_account(arn))


def _mend(id_: str) -> tuple[str, str]:
    known = max((prefix for prefix in MENDS if id_.startswith(prefix)), key=len, default="")
    return MENDS.get(known, ("", ""))


def _made(name: str, events: list[dict[str, Any]], protection: str) -> Iterator[Made]:
    """The bucket and the role, with what was set on them."""
    inputs = {event["name"]: event["inputs"] for event in events}
    ids = {event["name"]: event["id"] for event in events}
    bucket = f"{name}-bucket"
    if bucket in ids:
        block = inputs.get(f"{name}-public-access-block", {})
        versioning = inputs.get(f"{name}-versioning", {}).get("versioningConfiguration", {})
        rules = {rule["id"]: rule for rule in inputs.get(f"{name}-lifecycle", {}).get("rules", [])}
        days = rules.get("expire-recordings", {}).get("expiration", {}).get("days")
        said = {
            "private": block
            and all(block[key] for key in block if key.startswith(("block", "ignore", "restrict"))),
            "encrypted": f"{name}-encryption" in ids,
            "with a customer's key": "kmsMasterKeyId" in json.dumps(inputs.get(f"{name}-encryption", {})),
            "versioned": versioning.get("status") == "Enabled",
            "TLS only": "aws:SecureTransport" in inputs.get(f"{name}-policy", {}).get("policy", ""),
            f"expires after {int(days or 0)} days": days,
            protection: True,
        }
        yield Made("bucket", ids[bucket], tuple(word for word, holds in said.items() if holds))
    if f"{name}-key" in ids:
        rotation = inputs[f"{name}-key"].get("enableKeyRotation")
        yield Made("key", ids[f"{name}-key"], ("rotated yearly",) if rotation else ())
    role = f"{name}-role"
    if role in ids:
        hours = int(inputs[role].get("maxSessionDuration") or 3600) / 3600
        yield Made("role", ids[role], (f"{hours:g} h", *_trusted(inputs[role]["assumeRolePolicy"])))


def _trusted(document: str) -> Iterator[str]:
    """Whom a role trusts, as its document says."""
    for statement in json.loads(document)["Statement"]:
        who = statement["Principal"].get("AWS", [])
        for arn in [who] if isinstance(who, str) else who:
            yield f"account {_account(arn)}" if arn.endswith(":root") else arn
        ids = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId", [])
        for one in [ids] if isinstance(ids, str) else ids:
            yield f"external id {one}"
