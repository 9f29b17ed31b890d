"""AWS as the tests meet it: real boto3 clients, through the sandbox's proxy, of users in several accounts."""

from __future__ import annotations

import itertools
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
import urllib3
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials
from botocore.exceptions import ClientError

from recording_storage.sandbox.aws.credentials import mint
from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from recording_storage.sandbox import Sandbox

REGION = "eu-west-1"
NAMES = itertools.count()


def unique(what: str) -> str:
    """A name that no other test has."""
    return f"{what}-{next(NAMES)}"


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def allow(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(*actions, on=on, **more), "Effect": "Deny"}


def trust(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


MANAGEMENT = ("Create", "Describe", "Enable", "List", "Put", "Update", "Revoke", "Disable", "Get", "Schedule")


def key_policy(owner: Keys, *statements: dict[str, Any]) -> str:
    """A key policy that leaves the key's management, but not its use, to its account."""
    manage = allow(*[f"kms:{verb}*" for verb in MANAGEMENT], Principal={"AWS": root(owner.account)})
    return document(manage, *statements)


def delegated(account: str, *actions: str) -> dict[str, Any]:
    """The statement of a key policy that leaves it to an account."""
    return allow(*(actions or ("kms:*",)), Principal={"AWS": root(account)})


@dataclass(frozen=True)
class Keys:
    """What a client signs with."""

    account: str
    id: str
    secret: str
    token: str | None = None


@dataclass(frozen=True)
class Reply:
    """An answer to a request that was made by hand."""

    status: int
    headers: Mapping[str, str]
    text: str


class World:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        environment = sandbox.environment("tests", {})
        self.proxy = environment["HTTPS_PROXY"]
        self.certificate = environment["AWS_CA_BUNDLE"]
        self._boto = boto3.Session()
        self._pool = urllib3.ProxyManager(self.proxy, ca_certs=self.certificate, retries=False)
        self._clients: dict[tuple[object, ...], Any] = {}

    def user(self, account: str) -> Keys:
        """A new user who may do everything in its account."""
        made = mint(account)
        self.sandbox.aws.admit(made)
        return Keys(account, made.access_key_id, made.secret_access_key)

    def client(self, service: str, keys: Keys | None, region: str = REGION, **more: Any) -> Any:
        """A client of `service`; anonymous without keys."""
        known = (service, keys, region, tuple(sorted(more.items())))
        if known not in self._clients:
            proxies = {"https": self.proxy, "http": self.proxy}
            config = Config(
                proxies=proxies,
                retries={"total_max_attempts": 3},
                read_timeout=20,
                parameter_validation=False,  # what is wrong must reach the stand-in
                signature_version="s3v4" if service == "s3" else None,  # presigned URLs too
            )
            if keys is None:
                config = config.merge(Config(signature_version=UNSIGNED))
            self._clients[known] = self._boto.client(
                service,  # type: ignore[call-overload]
                region_name=region,
                aws_access_key_id=keys.id if keys else None,
                aws_secret_access_key=keys.secret if keys else None,
                aws_session_token=keys.token if keys else None,
                verify=self.certificate,
                config=config,
                **more,
            )
        return self._clients[known]

    def s3(self, keys: Keys | None, region: str = REGION, **more: Any) -> Any:
        return self.client("s3", keys, region, **more)

    def iam(self, keys: Keys) -> Any:
        return self.client("iam", keys)

    def kms(self, keys: Keys | None, region: str = REGION) -> Any:
        return self.client("kms", keys, region)

    def key(self, owner: Keys, *statements: dict[str, Any], region: str = REGION, **more: Any) -> str:
        """The ARN of a new key; with statements, its policy has them, and lets its account manage it."""
        said = {"Policy": key_policy(owner, *statements)} if statements else {}
        return self.kms(owner, region).create_key(**said, **more)["KeyMetadata"]["Arn"]

    def encrypted_bucket(self, owner: Keys, key: str = "", *, bucket_key: bool = False) -> str:
        """A bucket that encrypts by default with a key: with S3's own one, unless another is named."""
        name = self.bucket(owner)
        rule = {"SSEAlgorithm": "aws:kms"} | ({"KMSMasterKeyID": key} if key else {})
        rules = [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": bucket_key}]
        self.s3(owner).put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
        return name

    def sts(self, keys: Keys) -> Any:
        return self.client("sts", keys)

    def bucket(self, keys: Keys, region: str = REGION) -> str:
        """A new bucket, as S3 makes them."""
        name = unique("bucket")
        self.s3(keys, region).create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": region}
        )
        return name

    def open_bucket(self, keys: Keys) -> str:
        """A bucket whose policy may be public."""
        name = self.bucket(keys)
        self.s3(keys).delete_public_access_block(Bucket=name)
        return name

    def role(
        self, owner: Keys, trusted: Any, *statements: dict[str, Any], seconds: int = 3600, **more: Any
    ) -> str:
        """The ARN of a new role."""
        name = unique("role")
        said = trusted if isinstance(trusted, str) else document(trusted)
        made = self.iam(owner).create_role(
            RoleName=name, AssumeRolePolicyDocument=said, MaxSessionDuration=seconds, **more
        )
        if statements:
            self.iam(owner).put_role_policy(
                RoleName=name, PolicyName="inline", PolicyDocument=document(*statements)
            )
        return made["Role"]["Arn"]

    def assume(self, keys: Keys, arn: str, **more: Any) -> Keys:
        """The keys of a new session of a role."""
        given = self.sts(keys).assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
        account = arn.split(":")[4]
        return Keys(account, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def session(self, owner: Keys, *statements: dict[str, Any]) -> Keys:
        """A session of a new role that may do what the statements say."""
        return self.assume(owner, self.role(owner, trust({"AWS": root(owner.account)}), *statements))

    def signed(
        self,
        keys: Keys,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        service: str = "s3",
        region: str = REGION,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """The headers of a request, signed."""
        request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
        credentials = BotoCredentials(keys.id, keys.secret, keys.token)
        signer: Callable[..., SigV4Auth] = S3SigV4Auth if service == "s3" else SigV4Auth
        made = signer(credentials, service, region)
        if "X-Amz-Content-SHA256" in request.headers:
            stated = request.headers["X-Amz-Content-SHA256"]
            made.payload = lambda request: stated  # type: ignore[method-assign]
        made.add_auth(request)
        return dict(request.headers.items())

    def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        given = {"Host": urlsplit(url).netloc, **(headers or {})}
        answer = self._pool.request(method, url, headers=given, body=body, redirect=False, timeout=20)
        return Reply(answer.status, answer.headers, answer.data.decode())

    @contextmanager
    def refused(self, code: str, because: str = "") -> Generator[None]:
        """The last request within is refused with this code, for this reason in the journal."""
        with self._ends(Outcome.REFUSED, code, because):
            yield

    @contextmanager
    def undecided(self, because: str = "") -> Generator[None]:
        """The last request within is neither refused nor allowed."""
        with self._ends(Outcome.UNDECIDED, "NotImplemented", because):
            yield

    @contextmanager
    def _ends(self, outcome: Outcome, code: str, because: str) -> Generator[None]:
        mark = self.sandbox.journal.mark()
        with pytest.raises(ClientError) as caught:
            yield
        assert caught.value.response.get("Error", {}).get("Code") == code, caught.value
        entries = self.sandbox.journal.since(mark)
        outcomes = [entry.outcome for entry in entries]
        assert outcomes == [*[Outcome.ALLOWED] * (len(entries) - 1), outcome]
        assert because in entries[-1].reason, entries[-1].reason


def arns(bucket: str) -> list[str]:
    return [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]


def put(world: World, keys: Keys | None, bucket: str, key: str = "key", **more: Any) -> None:
    world.s3(keys).put_object(Bucket=bucket, Key=key, Body=b"recording", **more)


def policy(world: World, keys: Keys, bucket: str, *statements: dict[str, Any]) -> None:
    world.s3(keys).put_bucket_policy(Bucket=bucket, Policy=document(*statements))
