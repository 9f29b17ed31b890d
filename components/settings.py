"""A stack's configuration as typed models: judged whole, before any resource is registered.

`judge` takes the project's part of the configuration as plain Python and gives `Settings`, or every fault at
once. One model per provider stands in `PROVIDERS`. A matter of shape is a fault; a matter of a list that
grows (regions, actions) is a warning. Left out: reading files (the command does, and so does Pulumi), and
whatever only a cloud can answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, cast

from pydantic import Field

from components import aws, consistency, kms, naming, trust
from components.faults import NOT_SET, Breach, ConfigurationError, Fault, did_you_mean, fault, listed, shown
from components.fields import (
    QUOTE_ACCOUNT,
    QUOTE_NUMBER,
    Model,
    choice,
    file_breaches,
    read,
    text,
    text_breaches,
    texts,
    truth,
    whole,
)

LONGEST_RETENTION_DAYS: Final = 36500
"""A hundred years: a larger number is a slip of the finger."""

_LONGEST_DESTINATION_NAME: Final = 63

_REGION: Final = "an AWS region, as in eu-west-1"
_DESTINATIONS: Final = "at least one destination: a mapping of names to their settings"

OnDestroy = Literal["protect", "retain", "delete"]
_ON_DESTROY: Final = ("protect", "retain", "delete")

_account = text(aws.account_id_breaches, 'an AWS account id, as in "123456789012"', QUOTE_ACCOUNT)
_external_id = text(aws.external_id_breaches, "an external id, as in tavus")
_external_ids = texts(aws.external_id_breaches, "an external id, as in tavus")
_role_arn = text(aws.role_arn_breaches, "a role's ARN, as in arn:aws:iam::123456789012:role/name")
_role_arns = texts(aws.role_arn_breaches, "a role's ARN, as in arn:aws:iam::123456789012:role/name")


# --- destinations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class S3Names:
    """The physical names of an S3 destination."""

    bucket: str
    role: str


class S3Destination(Model):
    """A bucket of the customer's, and the role through which the recording service writes into it.

    `region`: where the bucket is. `account`: the 12-digit account to deploy into; `deploy_role`: the role
    that Pulumi assumes there. `bucket_name`, `role_name`: instead of the derived ones. `role_path`,
    `permissions_boundary`: for accounts whose roles need them; `permissions_boundary_file`: where in the project
    its document is, for the rehearsal alone. `on_destroy`: `protect` refuses, `retain`
    leaves the storage, `delete` gives the recordings up. `retention_days`: readable that long; unset, nothing
    expires. `external_id`: handed over instead of the trust profile's; `additional_external_ids`,
    `additional_principals`: accepted beside. `readers`: roles that may read the bucket. `existing`: the bucket is
    somebody else's care, and only the role is made; `adopt`: it exists and comes under management.
    `create_kms_key`, `kms_key_deletion_days`: encrypt with a key of one's own; `kms_key_arn`: with a given one, whose
    account, where it is another, `kms_key_account` names on purpose.
    """

    provider: Literal["s3"]
    region: Annotated[str, text(aws.region_breaches, _REGION)] = Field(description=_REGION)
    account: Annotated[str | None, _account] = None
    deploy_role: Annotated[str | None, _role_arn] = None
    bucket_name: Annotated[str | None, text(aws.bucket_name_breaches, "a bucket name, as in acme-calls")] = (
        None
    )
    role_name: Annotated[str | None, text(aws.role_name_breaches, "a role name, as in recordings-acme")] = (
        None
    )
    role_path: Annotated[str, text(aws.role_path_breaches, "an IAM path, as in /recordings/")] = "/"
    permissions_boundary: Annotated[
        str | None,
        text(aws.policy_arn_breaches, "a policy's ARN, as in arn:aws:iam::123456789012:policy/name"),
    ] = None
    permissions_boundary_file: Annotated[
        str | None, text(file_breaches, "a file's path inside the project, as in stacks/boundary.json")
    ] = None
    on_destroy: Annotated[OnDestroy, text(choice(_ON_DESTROY), f"one of {listed(_ON_DESTROY)}")] = "protect"
    retention_days: Annotated[
        int | None,
        whole(
            1,
            LONGEST_RETENTION_DAYS,
            "days",
            "write the number without quotes; remove the key to keep everything",
        ),
    ] = None
    external_id: Annotated[str | None, _external_id] = None
    additional_external_ids: Annotated[tuple[str, ...], _external_ids] = ()
    additional_principals: Annotated[
        tuple[str, ...],
        texts(aws.principal_breaches, "an account id or a role's or user's ARN", QUOTE_ACCOUNT),
    ] = ()
    readers: Annotated[tuple[str, ...], _role_arns] = ()
    existing: Annotated[bool, truth()] = False
    adopt: Annotated[bool, truth()] = False
    create_kms_key: Annotated[bool, truth()] = False
    kms_key_deletion_days: Annotated[
        int | None,
        whole(
            kms.SHORTEST_DELETION_DAYS,
            kms.LONGEST_DELETION_DAYS,
            "days",
            "write the number without quotes; remove the key for 30",
        ),
    ] = None
    kms_key_arn: Annotated[str | None, text(kms.key_arn_breaches, "a key's ARN")] = None
    kms_key_account: Annotated[str | None, _account] = None

    @property
    def target_account(self) -> str | None:
        """The account to deploy into, where the configuration says: `account`, or the deploy role's."""
        arn = aws.iam_arn(self.deploy_role or "")
        return self.account or (arn.account if arn else None)

    def own_external_id(self, profile: trust.S3Trust) -> str:
        """Give the external id that the application hands over: the destination's own, or the profile's."""
        return self.external_id or profile.external_id

    def external_ids(self, profile: trust.S3Trust) -> tuple[str, ...]:
        """List every external id that the role accepts, the one that is handed over first."""
        return (self.own_external_id(profile), *self.additional_external_ids)

    def names(self, scope: naming.Scope, destination: str, account: str) -> S3Names:
        """Give the configured names, or the derived ones; `account` is the one that is deployed into."""
        return S3Names(
            bucket=self.bucket_name or naming.bucket_name(scope, destination, account, self.region),
            role=self.role_name or naming.role_name(scope, destination, account, self.region),
        )


Destination = S3Destination
"""Any provider's destination."""

PROVIDERS: Final[Mapping[str, type[Destination]]] = {"s3": S3Destination}
"""`provider` → its model."""


# --- trust profile --------------------------------------------------------------------------------


class S3TrustSettings(Model):
    """The vendor's constants for S3 that the stack overrides; unset, the profile's stands."""

    account: Annotated[str | None, _account] = None
    session_seconds: Annotated[
        int | None,
        whole(3600, 43200, "seconds", "write the session that the service asks for, without quotes"),
    ] = None
    actions: Annotated[
        tuple[str, ...] | None, texts(aws.s3_action_breaches, "an action, as in s3:PutObject", least=1)
    ] = None
    external_id: Annotated[str | None, _external_id] = None

    @property
    def overrides(self) -> trust.S3Overrides:
        """Only what is set."""
        return cast("trust.S3Overrides", {name: getattr(self, name) for name in self.model_fields_set})


class TrustProfile(Model):
    """Overrides per provider."""

    s3: S3TrustSettings = S3TrustSettings()


class _Document(Model):
    """The top level by its keys; `judge` judges each value."""

    destinations: Any = Field(description=_DESTINATIONS)
    default: Any = None
    tags: Any = None
    trust_profile: Any = None


# --- the whole ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """A stack's configuration, judged. Destinations are in the order of their names."""

    scope: naming.Scope
    destinations: Mapping[str, Destination]
    default_name: str | None
    tags: Mapping[str, str]
    trust_profile: TrustProfile

    @property
    def s3_trust(self) -> trust.S3Trust:
        """The vendor's constants for S3, overrides in place."""
        return trust.effective_s3(self.trust_profile.s3.overrides)


@dataclass(frozen=True)
class Judgement:
    """Settings without a fault, and what someone should know about them."""

    settings: Settings
    warnings: tuple[Fault, ...]


def judge(config: Mapping[str, object], *, project: str, stack: str, organization: str) -> Judgement:
    """Judge a project's configuration.

    `config` has the project's keys without the namespace (`destinations`, `default`, `tags`, `trust_profile`)
    and plain Python as values. Raises `ConfigurationError` with every fault at once.
    """
    scope = naming.Scope(organization, project, stack)
    _, faults = read(_Document, config, "")
    raw = _mapping(config.get("destinations"))
    if "destinations" in config and not raw:
        faults.append(
            fault(
                "destinations",
                config["destinations"],
                Breach(_DESTINATIONS, _FIRST_DESTINATION),
            )
        )
    destinations: dict[str, Destination] = {}
    for name in sorted(raw or {}):
        destination, found = _read_destination(name, (raw or {})[name])
        faults += found
        if destination is not None:
            destinations[name] = destination
    default, found = _read_default(config, list(raw or {}))
    faults += found
    tags, found = _read_tags(config)
    faults += found
    profile, found = _read_trust_profile(config)
    faults += found

    settings = Settings(scope, destinations, default, tags, profile)
    for check in consistency.CHECKS:
        faults += check(settings)
    if faults:
        raise ConfigurationError(faults, project)
    return Judgement(settings, tuple(consistency.notes(settings)))


_FIRST_DESTINATION: Final = "name one, as in calls: {provider: s3, region: eu-west-1}"


def _mapping(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def _read_destination(name: str, raw: object) -> tuple[Destination | None, list[Fault]]:
    key = f"destinations.{name}"
    faults = [fault(key, name, breach) for breach in _destination_name_breaches(name)]
    given = _mapping(raw)
    if given is None:
        faults.append(fault(key, raw, Breach("a mapping with provider and its settings", _FIRST_DESTINATION)))
        return None, faults
    provider = given.get("provider")
    if not isinstance(provider, str) or provider not in PROVIDERS:
        value = shown(provider) if "provider" in given else NOT_SET
        mend = did_you_mean(str(provider), list(PROVIDERS), f"write provider: {next(iter(PROVIDERS))}")
        faults.append(Fault(f"{key}.provider", value, f"one of {listed(PROVIDERS)}", mend))
        return None, faults
    destination, found = read(PROVIDERS[provider], given, key)
    return destination, faults + found


def _destination_name_breaches(name: str) -> tuple[Breach, ...]:
    rules = (
        (
            name[:1].isascii() and name[:1].islower() and all(c in _NAME_CHARACTERS for c in name),
            "a destination name of lower-case letters, digits and hyphens that begins with a letter",
            "write it as in calls or support-calls",
        ),
        (
            not name.endswith("-"),
            "a destination name that ends with a letter or digit",
            "remove the last hyphen",
        ),
        (
            len(name) <= _LONGEST_DESTINATION_NAME,
            f"a destination name of at most {_LONGEST_DESTINATION_NAME} characters; it has {len(name)}",
            "shorten it",
        ),
    )
    return tuple(Breach(expected, mend) for kept, expected, mend in rules if not kept)


_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def _read_default(config: Mapping[str, object], names: Sequence[str]) -> tuple[str | None, list[Fault]]:
    if "default" not in config:
        return (names[0] if len(names) == 1 else None), []
    value = config["default"]
    expected = f"the name of a destination: {listed(sorted(names))}" if names else "the name of a destination"

    def known(name: str) -> tuple[Breach, ...]:
        return (
            ()
            if name in names
            else (Breach(expected, did_you_mean(name, names, "name one, or remove default")),)
        )

    broken = text_breaches(value, known, expected, QUOTE_NUMBER)
    return (None if broken else cast("str", value)), [fault("default", value, one) for one in broken]


def _read_tags(config: Mapping[str, object]) -> tuple[Mapping[str, str], list[Fault]]:
    if "tags" not in config:
        return {}, []
    tags = _mapping(config["tags"])
    if tags is None:
        breach = Breach("a mapping of tag keys to values", "write it as in tags: {team: voice}")
        return {}, [fault("tags", config["tags"], breach)]
    faults: list[Fault] = []
    if len(tags) > aws.LARGEST_TAG_COUNT:
        breach = Breach(
            f"at most {aws.LARGEST_TAG_COUNT} tags: AWS allows 50, and some stay free", "remove some"
        )
        faults.append(Fault("tags", f"{len(tags)} tags", breach.expected, breach.mend))
    seen: dict[str, str] = {}
    for key in sorted(tags):
        value = tags[key]

        def kept(value: str, key: str = key) -> tuple[Breach, ...]:
            return aws.tag_breaches(key, value)

        broken = text_breaches(value, kept, "a tag's value", QUOTE_NUMBER)
        faults += [fault(f"tags.{key}", value, one) for one in broken]
        first = seen.setdefault(key.lower(), key)
        if first != key:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
            breach = Breach(
                f"tag keys that differ in more than case, as IAM has it; {first} is one", "remove one"
            )
            faults.append(fault(f"tags.{key}", value, breach))
    return cast("Mapping[str, str]", {key: tags[key] for key in sorted(tags)}), faults


def _read_trust_profile(config: Mapping[str, object]) -> tuple[TrustProfile, list[Fault]]:
    if "trust_profile" not in config:
        return TrustProfile(), []
    given = _mapping(config["trust_profile"])
    if given is None:
        breach = Breach(
            "a mapping of providers to overrides", "write it as in trust_profile: {s3: {external_id: …}}"
        )
        return TrustProfile(), [fault("trust_profile", config["trust_profile"], breach)]
    profile, faults = read(TrustProfile, given, "trust_profile")
    return (TrustProfile() if faults else profile), faults
