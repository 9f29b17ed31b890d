"""A stack's configuration as typed models: judged whole, before any resource is registered.

`judge` takes the project's part of the configuration as plain Python and gives `Settings`, or every fault at
once. One model per provider stands in `PROVIDERS`, in a module of its own (`s3_settings`). A matter of shape is a
fault; a matter of a list that grows (regions, actions) is a warning. Left out: reading files (the command does, and so
does Pulumi), and whatever only a cloud can answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import Field

from components import aws, azure_blob_settings, gcs_settings, naming, s3_settings, trust
from components.azure_blob_settings import AzureBlobDestination, AzureBlobGroup, AzureBlobTrustSettings
from components.destination import DestinationSettings  # noqa: TC001 (read by pydantic)
from components.faults import NOT_SET, Breach, ConfigurationError, Fault, did_you_mean, fault, listed, shown
from components.fields import QUOTE_NUMBER, Model, read, text_breaches
from components.gcs_settings import GcsDestination, GcsGroup, GcsTrustSettings
from components.s3_settings import S3Destination, S3Group, S3TrustSettings

_LONGEST_DESTINATION_NAME: Final = 63
_DESTINATIONS: Final = "at least one destination: a mapping of names to their settings"

PROVIDERS: Final[Mapping[str, type[DestinationSettings]]] = {
    "s3": S3Destination,
    "gcs": GcsDestination,
    "azure_blob": AzureBlobDestination,
}
"""`provider` → its model."""


# --- trust profile --------------------------------------------------------------------------------


class TrustProfile(Model):
    """Overrides per provider."""

    s3: S3TrustSettings = S3TrustSettings()
    gcs: GcsTrustSettings = GcsTrustSettings()
    azure_blob: AzureBlobTrustSettings = AzureBlobTrustSettings()


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
    destinations: Mapping[str, DestinationSettings]
    default_name: str | None
    tags: Mapping[str, str]
    trust_profile: TrustProfile

    @property
    def s3(self) -> Mapping[str, S3Destination]:
        """The destinations on Amazon S3."""
        return {name: one for name, one in self.destinations.items() if isinstance(one, S3Destination)}

    @property
    def gcs(self) -> Mapping[str, GcsDestination]:
        """The destinations on Google Cloud Storage."""
        return {name: one for name, one in self.destinations.items() if isinstance(one, GcsDestination)}

    @property
    def azure_blob(self) -> Mapping[str, AzureBlobDestination]:
        """The destinations on Azure Blob Storage."""
        return {name: one for name, one in self.destinations.items() if isinstance(one, AzureBlobDestination)}

    @property
    def s3_trust(self) -> trust.S3Trust:
        """The vendor's constants for S3, overrides in place."""
        return trust.effective_s3(self.trust_profile.s3.overrides)

    @property
    def gcs_trust(self) -> trust.GcsTrust:
        """The vendor's constants for Google Cloud Storage, overrides in place."""
        return trust.effective_gcs(self.trust_profile.gcs.overrides)

    @property
    def azure_blob_trust(self) -> trust.AzureBlobTrust:
        """The vendor's constants for Azure, overrides in place."""
        return trust.effective_azure_blob(self.trust_profile.azure_blob.overrides)


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
    destinations: dict[str, DestinationSettings] = {}
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
    s3, gcs, azure_blob = _groups(settings)
    faults += [*s3_settings.faults(s3), *gcs_settings.faults(gcs), *azure_blob_settings.faults(azure_blob)]
    if faults:
        raise ConfigurationError(faults, project)
    notes = (s3_settings.notes(s3), gcs_settings.notes(gcs), azure_blob_settings.notes(azure_blob))
    return Judgement(settings, tuple(note for some in notes for note in some))


def _groups(settings: Settings) -> tuple[S3Group, GcsGroup, AzureBlobGroup]:
    """The destinations of each provider, with what they share."""
    scope, tags = settings.scope, settings.tags
    return (
        S3Group(scope, settings.s3, settings.s3_trust, tags),
        GcsGroup(scope, settings.gcs, settings.gcs_trust, tags),
        AzureBlobGroup(scope, settings.azure_blob, settings.azure_blob_trust, tags),
    )


_FIRST_DESTINATION: Final = "name one, as in calls: {provider: s3, region: eu-west-1}"


def _mapping(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def _read_destination(name: str, raw: object) -> tuple[DestinationSettings | None, list[Fault]]:
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
