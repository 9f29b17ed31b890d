"""A stack's configuration as typed models: judged whole, before any resource is registered.

`judge` takes the project's part of the configuration as plain Python and gives `Settings`, or every fault at
once. A provider's models and checks are in a module of its own (`s3_settings`), imported when the configuration names
it. A matter of shape is a fault; a matter of a list that grows (regions, actions) is a warning. Left out: reading files
(the command does, and so does Pulumi), and whatever only a cloud can answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from components import aws, naming, trust
from components.faults import NOT_SET, Breach, ConfigurationError, Fault, did_you_mean, fault, listed, shown
from components.fields import QUOTE_NUMBER, Model, read, text_breaches, unknown_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from components.azure_blob_settings import AzureBlobDestination, AzureBlobTrustSettings
    from components.destination import DestinationSettings, Group
    from components.gcs_settings import GcsDestination, GcsTrustSettings
    from components.s3_settings import S3Destination, S3TrustSettings

T = TypeVar("T")

_LONGEST_DESTINATION_NAME: Final = 63
KEYS: Final = ("destinations", "default", "tags", "trust_profile")
"""What a configuration has at its top."""
_DESTINATIONS: Final = "at least one destination: a mapping of names to their settings"
ORIGIN: Final = "recording-storage"
"""The project that this program comes from; one made from it has a name of its own."""


# --- providers ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Provider:
    """How a provider's part of a configuration is judged.

    `destination`, `trust`: the models of a destination, and of the vendor's constants that the stack overrides.
    `group`: a stack's destinations, whose `faults` don't fit together, and whose `notes` someone should know.
    """

    destination: type[DestinationSettings]
    trust: type[Model]
    group: Callable[[Settings], Group[Any, Any]]
    faults: Callable[[Any], Iterable[Fault]]
    notes: Callable[[Any], Iterable[Fault]]


@cache
def _s3() -> Provider:
    from components import s3_settings as s3

    def group(settings: Settings) -> s3.S3Group:
        return s3.S3Group(settings.scope, settings.s3, settings.s3_trust, settings.tags)

    return Provider(s3.S3Destination, s3.S3TrustSettings, group, s3.faults, s3.notes)


@cache
def _gcs() -> Provider:
    from components import gcs_settings as gcs

    def group(settings: Settings) -> gcs.GcsGroup:
        return gcs.GcsGroup(settings.scope, settings.gcs, settings.gcs_trust, settings.tags)

    return Provider(gcs.GcsDestination, gcs.GcsTrustSettings, group, gcs.faults, gcs.notes)


@cache
def _azure_blob() -> Provider:
    from components import azure_blob_settings as azure

    def group(settings: Settings) -> azure.AzureBlobGroup:
        return azure.AzureBlobGroup(
            settings.scope, settings.azure_blob, settings.azure_blob_trust, settings.tags
        )

    return Provider(
        azure.AzureBlobDestination, azure.AzureBlobTrustSettings, group, azure.faults, azure.notes
    )


PROVIDERS: Final[Mapping[str, Callable[[], Provider]]] = {
    "s3": _s3,
    "gcs": _gcs,
    "azure_blob": _azure_blob,
}
"""`provider` → how it is judged."""


# --- trust profile --------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrustProfile:
    """Overrides per provider; a provider of which the stack says nothing has none."""

    given: Mapping[str, Model] = field(default_factory=dict[str, Model])

    @property
    def s3(self) -> S3TrustSettings:
        """Those for S3."""
        return cast("S3TrustSettings", self._of("s3"))

    @property
    def gcs(self) -> GcsTrustSettings:
        """Those for Google Cloud Storage."""
        return cast("GcsTrustSettings", self._of("gcs"))

    @property
    def azure_blob(self) -> AzureBlobTrustSettings:
        """Those for Azure."""
        return cast("AzureBlobTrustSettings", self._of("azure_blob"))

    def _of(self, provider: str) -> Model:
        return (
            self.given[provider] if provider in self.given else PROVIDERS[provider]().trust.model_construct()
        )


# --- the whole ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """A stack's configuration, judged. Destinations are in the order of their names."""

    scope: naming.Scope
    destinations: Mapping[str, DestinationSettings]
    default_name: str | None
    tags: Mapping[str, str]
    trust_profile: TrustProfile

    @cached_property
    def s3(self) -> Mapping[str, S3Destination]:
        """The destinations on Amazon S3."""
        return cast("Mapping[str, S3Destination]", self._of("s3"))

    @cached_property
    def gcs(self) -> Mapping[str, GcsDestination]:
        """The destinations on Google Cloud Storage."""
        return cast("Mapping[str, GcsDestination]", self._of("gcs"))

    @cached_property
    def azure_blob(self) -> Mapping[str, AzureBlobDestination]:
        """The destinations on Azure Blob Storage."""
        return cast("Mapping[str, AzureBlobDestination]", self._of("azure_blob"))

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

    def _of(self, provider: str) -> Mapping[str, DestinationSettings]:
        return {name: one for name, one in self.destinations.items() if one.provider == provider}


def own_keys(config: Mapping[str, T], project: str) -> dict[str, T]:
    """Give the project's keys of a stack's whole configuration, without their namespace.

    Raises `ConfigurationError` for those that aren't set here, but in another project's namespace: nothing would read
    them. A stack file that was written for another project has them.
    """
    parted = [(*key.split(":", 1), value) for key, value in config.items()]
    own = {key: value for namespace, key, value in parted if namespace == project}
    others = {namespace for namespace, key, _ in parted if key == "destinations"} | {ORIGIN}
    astray = [
        Fault(
            key,
            NOT_SET,
            f"a key of the project {project}; {namespace}:{key} is written for the project {namespace}",
            f"write {key} alone: without a namespace it is the project's own, whatever its name",
        )
        for namespace, key, _ in parted
        if namespace in others and key in KEYS and key not in own
    ]
    if astray:
        raise ConfigurationError(astray, project)
    return own


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
    raw = _mapping(config.get("destinations"))
    faults: list[Fault] = []
    if "destinations" not in config:
        faults.append(Fault("destinations", NOT_SET, _DESTINATIONS, "add the key"))
    faults += [unknown_key(key, key, config[key], KEYS) for key in config if key not in KEYS]
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
    named = {one.provider for one in destinations.values()} | profile.given.keys()
    groups = [
        (provider, provider.group(settings))
        for provider in (known() for name, known in PROVIDERS.items() if name in named)
    ]
    faults += [one for provider, group in groups for one in provider.faults(group)]
    if faults:
        raise ConfigurationError(faults, project)
    return Judgement(settings, tuple(note for provider, group in groups for note in provider.notes(group)))


_FIRST_DESTINATION: Final = "name one, as in calls: {provider: s3, region: eu-west-1}"


_NO_MAPPING: Final = Breach("a mapping of keys to values", "write its keys below it, indented")


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
    destination, found = read(PROVIDERS[provider]().destination, given, key)
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
    faults: list[Fault] = []
    sections: dict[str, Model] = {}
    for name in [name for name in PROVIDERS if name in given]:
        key, section = f"trust_profile.{name}", _mapping(given[name])
        if section is None:
            faults.append(fault(key, given[name], _NO_MAPPING))
        else:
            sections[name], found = read(PROVIDERS[name]().trust, section, key)
            faults += found
    unknown = [key for key in given if key not in PROVIDERS]
    faults += [unknown_key(f"trust_profile.{key}", key, given[key], list(PROVIDERS)) for key in unknown]
    return TrustProfile({} if faults else sections), faults
