"""Record to Amazon S3 as the recording service does: assume the role, upload an MP4 in parts, look at what it left.

Sources: https://docs.tavus.io/sections/conversational-video-interface/recording-storage (role, external id,
session, key) and https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from recording_storage.recorder.movie import PIECE, PIECES, movie
from recording_storage.steps import BROKEN, DONE, REFUSED, Step, UnexpectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROBE = "daily-co-test-upload.txt"
"""What the recording infrastructure writes at the bucket's root when a bucket is set."""
SESSION_NAME = "recording"
REFUSALS = {"AccessDenied", "403"}


class Job(TypedDict):
    """What the recorder is told: the object from the API, and what the service knows by itself."""

    recording_storage: dict[str, str]
    default_external_id: str
    session_seconds: int
    conversation_id: str


class _Recording:
    """One recording under way: each step leaves what the next one needs."""

    def __init__(self, job: Job) -> None:
        storage = job["recording_storage"]
        self.role = storage["assume_role_arn"]
        self.external_id = storage.get("external_id", job["default_external_id"])
        self.seconds = job["session_seconds"]
        self.bucket = storage["bucket_name"]
        self.region = storage["bucket_region"]
        self.key = f"{job['conversation_id']}/recording.mp4"
        self.movie = movie(job["conversation_id"])
        self.version = ""
        self.s3: Any = None

    def assume_role(self) -> str:
        given = boto3.client("sts", region_name=self.region).assume_role(
            RoleArn=self.role,
            RoleSessionName=SESSION_NAME,
            ExternalId=self.external_id,
            DurationSeconds=self.seconds,
        )["Credentials"]
        self.s3 = boto3.client(
            "s3",
            region_name=self.region,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        return f"role assumed for {self.seconds} s"

    def probe(self) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=PROBE, Body=b"test")
        return "probe written at the root"

    def write(self) -> str:
        upload = self._begin(self.key)
        parts = [
            {
                "PartNumber": number,
                "ETag": self._part(
                    self.key, upload, number, self.movie[PIECE * (number - 1) : PIECE * number]
                ),
            }
            for number in range(1, PIECES + 1)
        ]
        done = self.s3.complete_multipart_upload(
            Bucket=self.bucket, Key=self.key, UploadId=upload, MultipartUpload={"Parts": parts}
        )
        self.version = done.get("VersionId", "")
        return f"{len(self.movie) >> 20} MiB written in {PIECES} parts"

    def read_back(self) -> str:
        body = self.s3.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()
        if hashlib.sha256(body).digest() != hashlib.sha256(self.movie).digest():
            raise UnexpectedError("what was read differs from what was written")
        return "read back, same hash"

    def listing(self) -> str:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=self.key).get("Contents", [])
        if [(one["Key"], one["Size"]) for one in found] != [(self.key, len(self.movie))]:
            raise UnexpectedError("the recording isn't listed")
        return "listed"

    def versions(self) -> str:
        found = self.s3.list_object_versions(Bucket=self.bucket, Prefix=self.key).get("Versions", [])
        if self.version not in [one["VersionId"] for one in found] or self.version in ("", "null"):
            raise UnexpectedError("the bucket keeps no versions: its versioning isn't enabled")
        self.s3.get_object(Bucket=self.bucket, Key=self.key, VersionId=self.version)["Body"].read()
        return "versions listed and read"

    def abort(self) -> str:
        key = f"{self.key}.aborted"
        upload = self._begin(key)
        self._part(key, upload, 1, b"unfinished")
        listed = self.s3.list_parts(Bucket=self.bucket, Key=key, UploadId=upload).get("Parts", [])
        if len(listed) != 1 or upload not in self._under_way():
            raise UnexpectedError("an upload under way isn't listed")
        self.s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
        if upload in self._under_way():
            raise UnexpectedError("an aborted upload is still listed")
        return "upload aborted"

    def _under_way(self) -> list[str]:
        found = self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return [one["UploadId"] for one in found]

    def _begin(self, key: str) -> str:
        return self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType="video/mp4")[
            "UploadId"
        ]

    def _part(self, key: str, upload: str, number: int, body: bytes) -> str:
        return self.s3.upload_part(
            Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body
        )["ETag"]


STEPS: tuple[tuple[str, str, Callable[[_Recording], str]], ...] = (
    ("assume-role", "assume the role", _Recording.assume_role),
    ("probe", "write the probe", _Recording.probe),
    ("write", "write the recording", _Recording.write),
    ("read-back", "read the recording back", _Recording.read_back),
    ("list", "list the recording", _Recording.listing),
    ("versions", "list the versions", _Recording.versions),
    ("abort", "abort an upload", _Recording.abort),
)


def record(job: Job) -> Iterator[Step]:
    """Make one recording; the steps as they end. Without a role nothing else is tried."""
    recording = _Recording(job)
    for id_, title, carry_out in STEPS:
        step = attempt(f"proven.{id_}", title, lambda carry_out=carry_out: carry_out(recording))
        left = {"key": recording.key, "version": recording.version} if id_ == "write" else {}
        yield replace(step, left=left)
        if step.ended != DONE and recording.s3 is None:
            return


def attempt(id_: str, title: str, carry_out: Callable[[], str]) -> Step:
    """The step that `carry_out` turns out to be."""
    try:
        return Step(id_, DONE, carry_out())
    except ClientError as error:
        told = error.response.get("Error", {})
        code = told.get("Code", "")
        ended = REFUSED if code in REFUSALS else BROKEN
        return Step(id_, ended, title, f"{error.operation_name}: {code}: {told.get('Message', '')}")
    except (BotoCoreError, UnexpectedError) as error:
        return Step(id_, BROKEN, title, str(error))
