"""boto3 clients for a provider's configuration, and what every AWS resource needs to read and write tags and errors."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, cast

import boto3

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError

    from recording_storage.resources import Properties

HOME_REGION = "us-east-1"
SESSION_NAME = "pulumi"
GONE = {
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchEntity",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NotFoundException",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}


class Type:
    """The common half of a type: its inputs mean what they say, and an import names it by its id."""

    names: frozenset[str] = frozenset()
    reshaped: frozenset[str] = frozenset()

    def settled(self, inputs: Properties, state: Properties) -> Properties:
        return inputs

    def import_id(self, clients: Clients, import_id: str) -> tuple[str, Properties]:
        return import_id, {}


class Regional(Type):
    """A type that has a region: `@<region>` behind an import's id says in which one to look.

    Source: https://hashicorp.github.io/terraform-provider-aws/enhanced-region-support
    """

    def import_id(self, clients: Clients, import_id: str) -> tuple[str, Properties]:
        id_, _, region = import_id.partition("@")
        return id_, {"region": region} if region else {}


class Clients:
    """boto3 clients for one provider's configuration, each made once."""

    def __init__(self, config: Properties) -> None:
        self.region = str(config.get("region") or HOME_REGION)
        self._session = boto3.Session(region_name=self.region)
        self._made: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()
        for role in cast("list[dict[str, str]]", _decoded(config.get("assumeRoles")) or []):
            self._session = self._assume(role)
        allowed = _decoded(config.get("allowedAccountIds"))
        if allowed and self.account not in allowed:
            raise ValueError(
                f"AWS account ID not allowed: {self.account}; the configuration allows {', '.join(allowed)}"
            )

    @property
    def account(self) -> str:
        """The account of the credentials in use."""
        return self.get("sts").get_caller_identity()["Account"]

    def get(self, service: str, region: str | None = None) -> Any:
        """A client of `service`, in `region` or in the provider's own."""
        key = (service, region or self.region)
        with self._making:  # a boto3 session isn't safe to share while it makes a client
            if key not in self._made:
                self._made[key] = self._session.client(cast("Any", service), region_name=key[1])
            return self._made[key]

    def _assume(self, role: Mapping[str, str]) -> boto3.Session:
        wanted = {"RoleArn": role["roleArn"], "RoleSessionName": role.get("sessionName", SESSION_NAME)}
        if "externalId" in role:
            wanted["ExternalId"] = role["externalId"]
        given = self._session.client("sts").assume_role(**cast("Any", wanted))["Credentials"]
        self._made.clear()
        return boto3.Session(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=self.region
        )


def _decoded(value: object) -> Any:
    """Provider configuration arrives with its lists and objects as JSON text."""
    return json.loads(value) if isinstance(value, str) and value else value


def gone(error: ClientError) -> bool:
    """Whether AWS says that the thing isn't there."""
    return error.response.get("Error", {}).get("Code") in GONE


def tags(given: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Tags as most of AWS's calls take them."""
    return [{"Key": key, "Value": value} for key, value in sorted((given or {}).items())]


def untagged(found: list[dict[str, str]] | None) -> dict[str, str]:
    """Tags as Pulumi has them."""
    return {tag["Key"]: tag["Value"] for tag in found or []}


def text(document: object) -> str:
    """A policy document as text."""
    return document if isinstance(document, str) else json.dumps(document)
