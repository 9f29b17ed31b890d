"""boto3 clients for reading: as the caller, or in a deploy role, each client made once and shared by all threads.

Making a client costs more than many calls, and clients (unlike sessions) are safe to share:
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from recording_storage.verify.checks import NoCredentials, Unreadable
from recording_storage.verify.reads import AT_A_TIME

if TYPE_CHECKING:
    from concurrent.futures import Future

    from recording_storage.verify.reads import Reads

SESSION_NAME = "recording-storage-verify"
HOME_REGION = "us-east-1"
CONFIG = Config(
    max_pool_connections=AT_A_TIME,
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=10,
    read_timeout=30,
    s3={"addressing_style": "path"},
    user_agent=SESSION_NAME,
)
"""Buckets are named in the path, so that all of a region are asked over the same connections: by a host name of its own
each bucket would cost several TLS handshakes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""
GET_SOME = "log in (`aws sso login`, `aws configure`) or set AWS_PROFILE, and ask again"


class Access:
    """Whose credentials read: the caller's, or, with a role, that role's of a session of it."""

    def __init__(self, reads: Reads, session: boto3.Session, role: str = "") -> None:
        self.key = role
        self._reads = reads
        self._session = session
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()

    def client(self, service: str, region: str) -> Any:
        """A client of `service` in `region`."""
        key = (service, region)
        with self._making:  # a boto3 session isn't safe to share while it makes a client
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    cast("Any", service), region_name=region, config=CONFIG
                )
            return self._clients[key]

    @property
    def account(self) -> Future[str]:
        """The account of the credentials."""
        return self._reads.once(("account", self.key), self._account)

    def _account(self) -> str:
        if self.key:
            return self.key.split(":")[4]
        sts = self.client("sts", self._session.region_name or HOME_REGION)
        try:
            return self._reads.call(sts.get_caller_identity)["Account"]
        except (ClientError, BotoCoreError) as error:
            raise Unreadable("", f"whose credentials these are: {error}", GET_SOME) from None


class Accesses:
    """The caller's access, and those in the deploy roles that its destinations name."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    def get(self, deploy_role: str = "") -> Access:
        """Raises `NoCredentials`, and `Unreadable` where the role can't be assumed."""
        own = self._reads.once(("access", ""), self._own).result()
        if not deploy_role:
            return own
        return self._reads.once(("access", deploy_role), self._assumed, own, deploy_role).result()

    def _own(self) -> Access:
        session = boto3.Session()
        try:
            found = session.get_credentials()
        except BotoCoreError as error:
            raise NoCredentials(f"{error}: {GET_SOME}") from None
        if found is None:
            raise NoCredentials(f"there are no credentials for AWS: {GET_SOME}")
        return Access(self._reads, session)

    def _assumed(self, own: Access, role: str) -> Access:
        sts = own.client("sts", HOME_REGION)
        try:
            given = self._reads.call(sts.assume_role, RoleArn=role, RoleSessionName=SESSION_NAME)[
                "Credentials"
            ]
        except (ClientError, BotoCoreError) as error:
            raise Unreadable("sts:AssumeRole", f"the deploy role {role} can't be assumed: {error}") from None
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return Access(self._reads, session, role)
