"""Misuse of an S3 destination: each attempt differs from what the recorder does in one thing only.

So that a refusal means what it says: the intruders may do everything in their own accounts, and the role's session
is the recorder's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from recording_storage.recorder.s3 import SESSION_NAME, attempt
from recording_storage.steps import DONE, SERVICE_PROFILE, STRANGER_PROFILE, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTRUDERS_OBJECT = b"not a recording"


class Reader(TypedDict):
    """A role that may read: its ARN, and the profile of a principal that may assume it."""

    arn: str
    profile: str


class Job(TypedDict):
    """What the intruder is told: the recorder's job, what it left, and what isn't accepted."""

    recording_storage: dict[str, str]
    external_id: str
    wrong_external_ids: dict[str, str]
    """What is wrong with it → an external id that the role doesn't accept."""
    accepted_external_ids: list[str]
    """Those beside the one that is handed over: they must work."""
    key: str
    version: str
    """Where the recording is, in the bucket."""
    other_bucket: str
    left_alone: bool
    """The bucket's own settings are somebody else's: what they refuse isn't tried."""
    readers: list[Reader]


class _Intruder:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.storage = job["recording_storage"]
        self.bucket = self.storage["bucket_name"]
        self.region = self.storage["bucket_region"]
        self.key = job["key"]
        self._clients: dict[str, Any] = {}

    def assume(self, profile: str, external_id: str | None, role: str | None = None) -> dict[str, str]:
        """The session's keyword arguments for a client."""
        extra: dict[str, Any] = {} if external_id is None else {"ExternalId": external_id}
        given = self._sts(profile).assume_role(
            RoleArn=role or self.storage["assume_role_arn"], RoleSessionName=SESSION_NAME, **extra
        )["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def _sts(self, profile: str) -> Any:
        if profile not in self._clients:
            session = boto3.Session(profile_name=profile, region_name=self.region)
            self._clients[profile] = session.client("sts")
        return self._clients[profile]

    def s3(self, session: dict[str, str], **more: Any) -> Any:
        return boto3.client("s3", region_name=self.region, **session, **more)

    def assuming(self, profile: str, external_id: str | None) -> Callable[[], str]:
        def carry_out() -> str:
            self.assume(profile, external_id)
            return "the role was assumed"

        return carry_out


def intrude(job: Job) -> Iterator[Step]:
    """Try everything; a step that ends `refused` is as it should be, except those called `proven.…`."""
    intruder = _Intruder(job)
    own = job["external_id"]
    yield attempt("refused.another-account", "another account", intruder.assuming(STRANGER_PROFILE, own))
    yield attempt("refused.no-external-id", "no external id", intruder.assuming(SERVICE_PROFILE, None))
    for what, wrong in job["wrong_external_ids"].items():
        yield attempt(
            f"refused.external-id-{what}", f'external id "{wrong}"', intruder.assuming(SERVICE_PROFILE, wrong)
        )
    for number, accepted in enumerate(job["accepted_external_ids"], 1):
        yield attempt(
            f"proven.additional-external-id-{number}",
            f'external id "{accepted}" accepted',
            intruder.assuming(SERVICE_PROFILE, accepted),
        )
    yield from _without_a_session(intruder)
    for number, reader in enumerate(job["readers"], 1):
        yield from _reading(intruder, reader, number)
    yield from _with_the_recorders_session(intruder)  # last: what it may do might leave nothing to read


def _with_the_recorders_session(intruder: _Intruder) -> Iterator[Step]:
    sessions: list[dict[str, str]] = []

    def assume() -> str:
        sessions.append(intruder.assume(SERVICE_PROFILE, intruder.job["external_id"]))
        return "the recorder's own session"

    first = attempt("refused.session", "the recorder's own session", assume)
    if first.ended != DONE:
        return  # the recorder couldn't either, and said so
    session = sessions[0]
    s3, bucket, key = intruder.s3(session), intruder.bucket, intruder.key

    def delete() -> str:
        s3.delete_object(Bucket=bucket, Key=key)
        return "the recording was deleted"

    def delete_version() -> str:
        s3.delete_object(Bucket=bucket, Key=key, VersionId=intruder.job["version"] or "null")
        return "the recording's only version was deleted"

    def elsewhere() -> str:
        s3.put_object(Bucket=intruder.job["other_bucket"], Key=key, Body=INTRUDERS_OBJECT)
        return "an object was written to another bucket"

    def plainly() -> str:
        intruder.s3(session, use_ssl=False).put_object(Bucket=bucket, Key=key, Body=INTRUDERS_OBJECT)
        return "an object was written over plain HTTP"

    yield attempt("refused.delete", "delete", delete)
    yield attempt("refused.delete-version", "delete a version", delete_version)
    yield attempt("refused.another-bucket", "another bucket", elsewhere)
    if not intruder.job["left_alone"]:
        yield attempt("refused.plain-http", "plain HTTP", plainly)


def _without_a_session(intruder: _Intruder) -> Iterator[Step]:
    unsigned = boto3.client("s3", region_name=intruder.region, config=Config(signature_version=UNSIGNED))

    def read() -> str:
        unsigned.get_object(Bucket=intruder.bucket, Key=intruder.key)
        return "anyone can read the recording"

    yield attempt("refused.anonymous", "anonymous", read)


def _reading(intruder: _Intruder, reader: Reader, number: int) -> Iterator[Step]:
    name = reader["arn"].rpartition("/")[2]

    def client() -> Any:
        return intruder.s3(intruder.assume(reader["profile"], None, reader["arn"]))

    def read() -> str:
        s3 = client()
        s3.list_objects_v2(Bucket=intruder.bucket)
        s3.get_object(Bucket=intruder.bucket, Key=intruder.key)["Body"].read()
        return f"reader {name} lists and reads"

    def write() -> str:
        client().put_object(Bucket=intruder.bucket, Key=intruder.key, Body=INTRUDERS_OBJECT)
        return f"reader {name} overwrote the recording"

    yield attempt(f"proven.reader-{number}", f"reader {name} reads", read)
    yield attempt(f"refused.reader-{number}-writes", f"reader {name} writes", write)
