"""Which key S3 encrypts with, and what it asks that key for its caller: on every write and read.

Leaves out DSSE-KMS, SSE-C, and an encryption context of the caller's own.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html#bucket-encryption-update-bucket-policy,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions,
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and
https://repost.aws/knowledge-center/s3-kms-signature-version-error
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from recording_storage.sandbox.aws import cloud, keys
from recording_storage.sandbox.aws.cloud import Encryption
from recording_storage.sandbox.aws.errors import AwsError
from recording_storage.sandbox.aws.key_access import KeyUse

if TYPE_CHECKING:
    from recording_storage.sandbox.aws.backend import Answer
    from recording_storage.sandbox.aws.http import HttpRequest
    from recording_storage.sandbox.aws.operations import Needed, Operation

ALGORITHM = "x-amz-server-side-encryption"
KEY = f"{ALGORITHM}-aws-kms-key-id"
BUCKET_KEY = f"{ALGORITHM}-bucket-key-enabled"
ALGORITHMS = ("AES256", "aws:kms")
ENCRYPT, DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"
READS = ("s3:GetObject", "s3:GetObjectVersion")
ATTRIBUTES = ("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes")
OUTDATED = "Requests specifying Server Side Encryption with AWS KMS managed keys"


@dataclass(frozen=True)
class ObjectEncryption:
    """One request to S3, as far as encryption goes."""

    operation: Operation
    request: HttpRequest
    caller: cloud.Caller | None

    def judge(self) -> list[str]:
        """Give the reasons why the keys allow it; raises `AwsError` where one refuses, as S3 passes that on."""
        operation, request = self.operation, self.request
        if operation.action == "s3:PutEncryptionConfiguration" and request.method == "PUT":
            _check_default(request.body)
        if not operation.key or operation.one_by_one:
            return []
        target = replace(operation.needs[0], version=request.query.get("versionId", ""))
        reasons: list[str] = []
        if "x-amz-copy-source" in request.headers and operation.action == "s3:PutObject":
            reasons += self._ask_to_read(operation.needs[-1])
        if operation.action in READS and request.method == "GET":
            reasons += self._ask_to_read(target)
        elif operation.action in READS and "x-amz-checksum-mode" in request.headers:
            reasons += self._ask_for_checksum(target)
        elif operation.action in ATTRIBUTES and self._stored(target).kms:
            raise AwsError.undecided("the attributes of an object that a KMS key encrypts")
        elif self.settling and self.settling.kms:
            reasons.append(self._ask(ENCRYPT, target, self.settling))
        elif operation.action == "s3:PutObject" and self._uploaded and self._uploaded.kms:
            reasons.append(self._ask(DECRYPT, target, self._uploaded))
        return reasons

    @property
    def settled(self) -> HttpRequest:
        """The request, saying in full how what it writes is encrypted: a later default changes nothing about that."""
        if self.settling is None:
            return self.request
        headers = {
            name: value for name, value in self.request.headers.items() if name not in (KEY, BUCKET_KEY)
        }
        headers[ALGORITHM] = self.settling.algorithm
        if self.settling.kms:
            headers |= {KEY: self.settling.key, BUCKET_KEY: _flag(self.settling)}
        return replace(self.request, headers=headers)

    def remembered(self, answer: Answer) -> Answer:
        """Keep how it was encrypted, and say so in the answer, where moto does neither."""
        used = self._used
        if used is None or answer.status != 200:
            return answer
        bucket, key = self.operation.bucket, self.operation.key
        completed = self.request.method == "POST" and self._upload_id
        if completed:
            cloud.use_bucket_key(bucket, key, "", used.bucket_key)
        elif self.request.method == "POST":
            upload_id = ET.fromstring(answer.body).findtext("{*}UploadId", "")  # noqa: S314 (moto's)
            cloud.use_bucket_key(bucket, key, upload_id, used.bucket_key)
        given = {ALGORITHM: used.algorithm}
        if used.kms:
            given |= {KEY: used.key} | ({BUCKET_KEY: "true"} if used.bucket_key else {})
        kept = [(name, value) for name, value in answer.headers if not name.lower().startswith(ALGORITHM)]
        return replace(answer, headers=kept + list(given.items()))

    @property
    def _upload_id(self) -> str:
        return self.request.query.get("uploadId", "")

    @cached_property
    def _uploaded(self) -> Encryption | None:
        return cloud.upload_encryption(self.operation.bucket, self._upload_id)

    @property
    def _used(self) -> Encryption | None:
        if self.operation.action != "s3:PutObject":
            return None
        return self._uploaded if self._upload_id else self.settling

    @cached_property
    def settling(self) -> Encryption | None:
        """How what this request begins to write will be encrypted, or None where it doesn't begin to write."""
        state = cloud.bucket(self.operation.bucket)
        if self.operation.action != "s3:PutObject" or self._upload_id or state is None:
            return None
        headers, default = self.request.headers, state.encryption
        wanted = Encryption(headers.get(ALGORITHM, ""), headers.get(KEY, ""))
        if wanted.key and not wanted.kms:
            message = "Server Side Encryption with AWS KMS managed key requires HTTP header"
            raise AwsError(400, "InvalidArgument", f"{message} {ALGORITHM} : aws:kms")
        if not wanted.algorithm:
            wanted = default
        if wanted.algorithm == "aws:kms:dsse":
            raise AwsError.undecided("dual-layer encryption with a KMS key")
        if wanted.algorithm not in ALGORITHMS:
            raise AwsError(400, "InvalidArgument", "The encryption method specified is not supported")
        if not wanted.kms:
            return wanted
        flag = headers.get(BUCKET_KEY, _flag(default)).lower() == "true"
        return Encryption(wanted.algorithm, self._key(wanted.key, state), flag)

    def _key(self, reference: str, state: cloud.BucketState) -> str:
        """Settle which key a reference means, in the bucket's region; without one, S3's own.

        That one, and an alias, are the uploading account's, as documented; of a bare id and an alias's ARN that isn't.
        """
        account = self._known_caller().principal.account
        reference = reference or keys.S3_ALIAS
        plain = reference.startswith("alias/") or keys.KEY_ARN.fullmatch(reference)
        if account != state.account and not plain:
            raise AwsError.undecided(f"whose key it is that another account writes with: {reference}")
        try:
            return keys.locate(reference, account, state.region).arn
        except AwsError as error:
            raise _passed_on(error) from None

    def _known_caller(self) -> cloud.Caller:
        if self.caller is None:
            raise AwsError(400, "InvalidArgument", f"{OUTDATED} require AWS Signature Version 4.")
        if self.request.scheme != "https":
            raise AwsError(400, "InvalidArgument", f"{OUTDATED} must be made over a secure connection.")
        return self.caller

    def _stored(self, need: Needed) -> Encryption:
        return cloud.object_encryption(need.bucket, need.key, need.version) or Encryption()

    def _ask_to_read(self, need: Needed) -> list[str]:
        stored = self._stored(need)
        return [self._ask(DECRYPT, need, stored)] if stored.kms else []

    def _ask_for_checksum(self, need: Needed) -> list[str]:
        stored = self._stored(need)
        try:
            return [self._ask(action, need, stored) for action in (ENCRYPT, DECRYPT) if stored.kms]
        except AwsError as error:
            what = "a HEAD for the checksum without what the key asks for it"
            raise AwsError.undecided(f"{what}: {error.reason}") from None

    def _ask(self, action: str, need: Needed, encryption: Encryption) -> str:
        about = replace(need, key="") if encryption.bucket_key else need
        region = encryption.key.split(":")[3]
        context = {"aws:s3:arn": about.resource}
        use = KeyUse(self._known_caller(), self.request, region, via="s3", encryption_context=context)
        try:
            reason = use.permit(action, keys.locate(encryption.key, use.account, region))
        except AwsError as error:
            raise _passed_on(error) from None
        return f"{action} {reason}"


def _flag(encryption: Encryption) -> str:
    return "true" if encryption.bucket_key else "false"


def _passed_on(error: AwsError) -> AwsError:
    """What KMS answers, as S3 hands it to its own caller."""
    if error.is_undecided:
        return error
    if error.code == "AccessDeniedException":
        return AwsError(403, "AccessDenied", error.message, reason=error.reason)
    return AwsError(400, f"KMS.{error.code}", error.message, reason=error.reason)


def _check_default(body: bytes) -> None:
    """S3 doesn't look whether the key of a new default exists."""
    try:
        root = ET.fromstring(body)  # noqa: S314 (from a program in the sandbox, and expat expands nothing)
    except ET.ParseError:
        raise AwsError(400, "MalformedXML", "The XML you provided was not well-formed.") from None
    algorithm = root.findtext(".//{*}SSEAlgorithm", "")
    if root.findtext(".//{*}KMSMasterKeyID") and not algorithm.startswith("aws:kms"):
        message = (
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        )
        raise AwsError(400, "InvalidArgument", message)
