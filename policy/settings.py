"""What the pack's configuration may say, judged whole: a wrong setting is named, and counts for nothing.

All of it stands under one policy's name, `recordings`, because Pulumi hands each policy only its own. It comes from
whoever runs the pack, never from the stack's configuration: what is judged doesn't get to say how.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final, cast

from components import trust
from components.faults import did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RECORDINGS: Final = "recordings"
ALL: Final = "all"
SCOPES: Final = (RECORDINGS, ALL)

_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
SCHEMA: Final[dict[str, dict[str, Any]]] = {
    "scope": {
        "type": "string",
        "enum": list(SCOPES),
        "description": "recordings: what belongs to a destination; all: every bucket, account and pool provider",
    },
    "destinations": {
        **_TEXTS,
        "description": "Resources that belong to a destination although nothing shows it",
    },
    "retained": {**_TEXTS, "description": "Storage with retainOnDelete, which no policy can see"},
    "principals": {**_TEXTS, "description": "Who may assume the role beside the recording service"},
    "trust_profile": {
        "type": "object",
        "description": "What the recording service presents, as in a stack's trust_profile",
    },
    "exceptions": {
        "type": "array",
        "items": {"type": "object"},
        "description": "rule, resource, reason and expires (a date) of each",
    },
}
"""The JSON schema of each setting, which the engine holds the configuration against first."""

_FIELDS: Final = ("rule", "resource", "reason", "expires")
_PROFILES: Final = {
    "s3": trust.S3_PROFILE,
    "gcs": trust.GCS_PROFILE,
    "azure_blob": trust.AZURE_BLOB_PROFILE,
}


@dataclass(frozen=True)
class Excepted:
    """A rule that one resource need not keep, until the end of a day (UTC). `rule` is its id."""

    rule: str
    resource: str
    reason: str
    expires: date


@dataclass(frozen=True)
class Settings:
    """What was configured, and what is wrong with it."""

    scope: str = RECORDINGS
    destinations: tuple[str, ...] = ()
    retained: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, "Mapping[str, Any]"])
    exceptions: tuple[Excepted, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def s3(self) -> trust.S3Trust:
        """What the service presents to AWS."""
        return trust.effective_s3(cast("trust.S3Overrides", self.profiles.get("s3", {})))

    @property
    def gcs(self) -> trust.GcsTrust:
        """What the service presents to Google."""
        return trust.effective_gcs(cast("trust.GcsOverrides", self.profiles.get("gcs", {})))

    @property
    def azure_blob(self) -> trust.AzureBlobTrust:
        """What the service presents to Entra."""
        overrides = cast("trust.AzureBlobOverrides", self.profiles.get("azure_blob", {}))
        return trust.effective_azure_blob(overrides)


def read(given: Mapping[str, Any], rules: Sequence[str], today: date) -> Settings:
    """Read the configuration; `rules` are the ids that an exception may name."""
    faults = [
        f"{key} is no setting of the pack: {did_you_mean(key, list(SCHEMA), f'one of {listed(SCHEMA)}')}"
        for key in given
        if key not in SCHEMA
    ]
    exceptions: list[Excepted] = []
    for index, one in enumerate(given.get("exceptions") or ()):
        broken = list(_exception_faults(one, rules, today))
        faults += [f"exceptions[{index}] ({_named(one)}): {text}" for text in broken]
        if not broken:
            expires = date.fromisoformat(one["expires"])
            exceptions.append(Excepted(one["rule"].upper(), one["resource"], one["reason"], expires))
    profiles = cast("Mapping[str, Mapping[str, Any]]", given.get("trust_profile") or {})
    wrong = list(_profile_faults(profiles))
    return Settings(
        scope=given.get("scope") or RECORDINGS,
        destinations=tuple(given.get("destinations") or ()),
        retained=tuple(given.get("retained") or ()),
        principals=tuple(given.get("principals") or ()),
        profiles={} if wrong else profiles,
        exceptions=tuple(exceptions),
        faults=(*faults, *wrong),
    )


def _named(one: Mapping[str, Any]) -> str:
    return f"{one.get('rule', '?')} for {one.get('resource', '?')}"


def _exception_faults(one: Mapping[str, Any], rules: Sequence[str], today: date) -> Iterator[str]:
    yield from (
        f"{key} is no field of it; its fields are {listed(_FIELDS)}" for key in one if key not in _FIELDS
    )
    for name in ("rule", "resource"):
        if not isinstance(one.get(name), str) or not one[name].strip():
            yield f"it has no {name}: write it"
    rule = one.get("rule")
    if isinstance(rule, str) and rule.strip() and rule.upper() not in rules:
        yield f"{shown(rule)} is no rule: {did_you_mean(rule.upper(), rules, f'one of {listed(rules)}')}"
    if not isinstance(one.get("reason"), str) or not one["reason"].strip():
        yield "it has no reason: write why the rule need not be kept here"
    try:
        expires = date.fromisoformat(str(one.get("expires", "")))
    except ValueError:
        yield f'it has no date at which it expires: write expires, as in "{today.isoformat()}"'
        return
    if expires < today:
        yield f"it expired on {expires.isoformat()}: mend the resource and remove it, or set another date"


def _profile_faults(profiles: Mapping[str, Any]) -> Iterator[str]:
    for provider, overrides in profiles.items():
        if provider not in _PROFILES:
            yield f"trust_profile.{provider} is no provider: one of {listed(_PROFILES)}"
            continue
        constants = {one.name: one.value for one in _PROFILES[provider] if one.name != "subject"}
        for name, value in cast("Mapping[str, Any]", overrides).items():
            if name not in constants:
                yield f"trust_profile.{provider}.{name} is no constant: one of {listed(constants)}"
            elif not _is_alike(value, constants[name]):
                usual = shown(constants[name])
                yield f"trust_profile.{provider}.{name} = {shown(value)} is of another kind than {usual}"


def _is_alike(value: object, usual: trust.Value) -> bool:
    if isinstance(usual, tuple):
        return isinstance(value, list) and all(isinstance(one, str) for one in cast("list[object]", value))
    # The engine hands every number over as a fraction.
    return isinstance(value, int | float) if isinstance(usual, int) else isinstance(value, str)
