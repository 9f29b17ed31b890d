"""What the recording service presents to a destination: its constants, dated, each with how sure it is and why.

Every constant of the vendor's stands here and nowhere else. Each can be overridden from the stack's
configuration (`trust_profile`) when the vendor gives another word. Left out: the documents that are built
from them (`s3_policies`, `gcs`) and the judging of the overrides (`settings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROFILE_DATE: Final = "2026-11-20"
"""The day on which the sources were read."""

Certainty = Literal["A", "B", "C"]
"""A: the vendor's own text. B: a public repository that does it. C: derived."""

_DOCS: Final = "https://docs.tavus.io/sections/conversational-video-interface"
_GUIDE: Final = f"{_DOCS}/quickstart/conversation-recordings"
_STORAGE: Final = f"{_DOCS}/recording-storage"

_ENTRA: Final = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust"

Value = str | int | tuple[str, ...]


@dataclass(frozen=True)
class Constant:
    """One constant of the vendor's. `source` is the page that says so, or from which it is derived.

    `meaning` says the value to people where it doesn't speak for itself.
    """

    name: str
    value: Value
    certainty: Certainty
    source: str
    meaning: str = ""


@dataclass(frozen=True)
class Overridden:
    """A constant and the value that stands in its place."""

    constant: Constant
    value: Value


Profile = tuple[Constant, ...]


def overridden(profile: Profile, overrides: Mapping[str, Any]) -> tuple[Overridden, ...]:
    """List the constants that have another value than the profile's, in its order."""
    given: dict[str, Value] = {**overrides}
    if "actions" in given:
        given["actions"] = tuple(overrides["actions"])
    return tuple(
        Overridden(one, given[one.name])
        for one in profile
        if one.name in given and given[one.name] != one.value
    )


def _effective(profile: Profile, overrides: Mapping[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = {one.name: one.value for one in profile}
    return own | {one.constant.name: one.value for one in overridden(profile, overrides)}


# --- Amazon S3 ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class S3Trust:
    """What arrives at S3's and STS's door.

    `account`: the 12-digit AWS account that assumes the role. `external_id`: what it sends as
    `sts:ExternalId`. `session_seconds`: the session it asks for, so the role's least `MaxSessionDuration`.
    `actions`: what it does on the bucket and its objects.
    """

    account: str
    external_id: str
    session_seconds: int
    actions: tuple[str, ...]


class S3Overrides(TypedDict, total=False):
    """The constants of `S3Trust` that a stack overrides."""

    account: str
    external_id: str
    session_seconds: int
    actions: Sequence[str]


S3_PROFILE: Final[Profile] = (
    Constant("account", "291871421005", "A", _GUIDE),
    Constant("external_id", "tavus", "A", _GUIDE),
    Constant("session_seconds", 43200, "A", _GUIDE),
    Constant(
        "actions",
        (
            "s3:PutObject",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
            "s3:ListMultipartUploadParts",
            "s3:AbortMultipartUpload",
        ),
        "A",
        _GUIDE,
    ),
)
"""The trust profile for S3. The account is Daily.co's, who runs the recording for Tavus. The external id is
the same for every customer of Tavus."""


def effective_s3(overrides: S3Overrides) -> S3Trust:
    """Put the overrides into the profile; none gives the vendor's own."""
    return S3Trust(**_effective(S3_PROFILE, {**overrides}))


# --- Google Cloud Storage -------------------------------------------------------------------------


@dataclass(frozen=True)
class GcsTrust:
    """What arrives at Google's token exchange, beside the customer's own Workspace ID.

    `issuer`: the `iss` of its tokens, where Google finds the keys that sign them. `subject_mapping`: the CEL
    expression over the token's claims (`assertion`) that gives the Workspace ID. `audience`: their `aud`; empty: the
    full resource name of the customer's own provider.
    """

    issuer: str
    subject_mapping: str
    audience: str


class GcsOverrides(TypedDict, total=False):
    """The constants of `GcsTrust` that a stack overrides."""

    issuer: str
    subject_mapping: str
    audience: str


GCS_PROFILE: Final[Profile] = (
    Constant("issuer", "https://recording-copy.tavus.io", "C", _STORAGE),
    Constant("subject_mapping", "assertion.sub", "C", _STORAGE, "the subject is your Workspace ID"),
    Constant("audience", "", "C", _STORAGE, "the audience is the provider's full name"),
)
"""The trust profile for Google Cloud Storage. None of it stands in the vendor's pages as such: they name the
identifiers that are handed over, and speak of an issuer's URI and a subject claim."""


def effective_gcs(overrides: GcsOverrides) -> GcsTrust:
    """Put the overrides into the profile; none gives what is assumed of the vendor."""
    return GcsTrust(**_effective(GCS_PROFILE, {**overrides}))


# --- Azure Blob Storage ---------------------------------------------------------------------------


@dataclass(frozen=True)
class AzureBlobTrust:
    """What arrives at Entra's token endpoint, beside the customer's own Workspace ID as its subject.

    `issuer`: the `iss` of its tokens, to the letter. `audience`: their `aud`.
    """

    issuer: str
    audience: str


class AzureBlobOverrides(TypedDict, total=False):
    """The constants of `AzureBlobTrust` that a stack overrides."""

    issuer: str
    audience: str


AZURE_BLOB_PROFILE: Final[Profile] = (
    Constant("issuer", "https://recording-copy.tavus.io", "C", _STORAGE),
    Constant("subject", "", "C", _STORAGE, "the subject is your Workspace ID"),
    Constant("audience", "api://AzureADTokenExchange", "B", _ENTRA),
)
"""The trust profile for Azure. The vendor's pages name the identifiers that are handed over, and speak of an issuer's
URI and a subject claim; the audience is the one that Microsoft recommends."""


def effective_azure_blob(overrides: AzureBlobOverrides) -> AzureBlobTrust:
    """Put the overrides into the profile; none gives what is assumed of the vendor."""
    values = _effective(AZURE_BLOB_PROFILE, {**overrides})
    return AzureBlobTrust(values["issuer"], values["audience"])
