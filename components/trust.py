"""What the recording service presents to a destination: its constants, dated, each with how sure it is and
why.

Every constant of the vendor's stands here and nowhere else. Each can be overridden from the stack's
configuration (`trust_profile`) when the vendor gives another word. Left out: the documents that are built
from them (`s3_policies`) and the judging of the overrides (`settings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

PROFILE_DATE: Final = "2026-11-20"
"""The day on which the sources were read."""

Certainty = Literal["A", "B", "C"]
"""A: the vendor's own text. B: a public repository that does it. C: derived."""

_GUIDE: Final = (
    "https://docs.tavus.io/sections/conversational-video-interface/quickstart/conversation-recordings"
)


@dataclass(frozen=True)
class Constant:
    """One constant of the vendor's. `source` is the page that says so."""

    name: str
    value: str | int | tuple[str, ...]
    certainty: Certainty
    source: str


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


@dataclass(frozen=True)
class Overridden:
    """A constant and the value that stands in its place."""

    constant: Constant
    value: str | int | tuple[str, ...]


_S3: Final = S3Trust(
    account="291871421005",
    external_id="tavus",
    session_seconds=43200,
    actions=(
        "s3:PutObject",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:ListMultipartUploadParts",
        "s3:AbortMultipartUpload",
    ),
)

S3_PROFILE: Final = (
    Constant("account", _S3.account, "A", _GUIDE),
    Constant("external_id", _S3.external_id, "A", _GUIDE),
    Constant("session_seconds", _S3.session_seconds, "A", _GUIDE),
    Constant("actions", _S3.actions, "A", _GUIDE),
)
"""The trust profile for S3. The account is Daily.co's, who runs the recording for Tavus. The external id is
the same for every customer of Tavus."""


def effective_s3(overrides: S3Overrides) -> S3Trust:
    """Put the overrides into the profile; none gives the vendor's own."""
    values: dict[str, Any] = {one.name: one.value for one in S3_PROFILE}
    values.update({one.constant.name: one.value for one in overridden_s3(overrides)})
    return S3Trust(**values)


def overridden_s3(overrides: S3Overrides) -> tuple[Overridden, ...]:
    """List the constants that have another value than the vendor's, in the profile's order, for reports."""
    given: dict[str, Any] = {**overrides}
    if "actions" in overrides:
        given["actions"] = tuple(overrides["actions"])
    return tuple(
        Overridden(one, given[one.name])
        for one in S3_PROFILE
        if one.name in given and given[one.name] != one.value
    )
