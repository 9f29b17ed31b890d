"""What a read of a destination on Amazon S3 gives: the role, its policies, the bucket's policy and encryption.

Leaves out how it is asked for (`s3_reading`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import unquote

from recording_storage.evaluation.aws.conditions import MalformedPolicy, Undecidable
from recording_storage.evaluation.aws.document import parse
from recording_storage.verify.checks import CouldNotTell, NothingThere, failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.aws.document import Document, Kind


class Missing(NothingThere):
    """Something isn't there: the check that speaks for it fails, those that hang on it can't tell."""

    ABOUT: ClassVar[tuple[str, str]]
    """What isn't there, and the id of the check that speaks for it."""

    def __init__(self, evidence: str, mend: str) -> None:
        super().__init__(*self.ABOUT)
        self.finding = failed(evidence, mend)


class MissingRole(Missing):
    """The role isn't there, or isn't one that anybody could assume from the service's account."""

    ABOUT = "the role", "S2"


class MissingBucket(Missing):
    """The bucket isn't there."""

    ABOUT = "the bucket", "S3"


class UnusableKey(Missing):
    """The key isn't there, or isn't where S3 looks for it."""

    ABOUT = "the key", "S4"


@dataclass(frozen=True)
class RoleName:
    """The role that is handed over."""

    arn: str
    account: str
    name: str


@dataclass(frozen=True)
class Role:
    """The role as IAM has it. `id` is its unique id, `tags` are its own, `boundary` is its boundary's ARN or empty."""

    arn: str
    account: str
    name: str
    id: str
    trust: Document
    max_session_seconds: int
    boundary: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RolePolicies:
    """What the role itself may do, and what limits it."""

    identity: tuple[Document, ...]
    boundary: Document | None


@dataclass(frozen=True)
class BucketPolicy:
    """A bucket's policy, if it has one, and the account that owns the bucket."""

    account: str
    document: Document | None


@dataclass(frozen=True)
class Encryption:
    """A bucket's default encryption; `key` as it is written there, empty for S3's own."""

    algorithm: str
    key: str
    bucket_key: bool

    @property
    def kms(self) -> bool:
        """Whether a key must be asked: one layer or two of it."""
        return self.algorithm.startswith("aws:kms")


def document(given: object, kind: Kind, what: str) -> Document:
    """Read a policy as AWS hands it out: as text, URL-encoded text, or already as an object.

    Raises `CouldNotTell` where it isn't a policy as AWS documents them.
    """
    text = unquote(given) if isinstance(given, str) and given.lstrip().startswith("%") else given
    try:
        return parse(cast("Any", text), kind)
    except (MalformedPolicy, Undecidable) as error:
        raise CouldNotTell(
            f"{what} can't be judged: {error}", "write it in documented elements and operators"
        ) from None
