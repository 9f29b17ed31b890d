"""The provider of the package `gcp` as the tests meet it: its clients, its types by short names, and a rival's hand."""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from recording_storage.resources import gcp

if TYPE_CHECKING:
    from collections.abc import Generator

    from google_cloud import Cloud

    from recording_storage.resources import Properties, ResourceType
    from recording_storage.resources.gcp.clients import Clients

NAMES = itertools.count()
PROJECT, NUMBER = "acme-prod", "123456789012"
STORAGE, IAM = "https://storage.googleapis.com/storage/v1/", "https://iam.googleapis.com/v1/"
READER = "roles/storage.objectViewer"
MATE, STRANGER = "user:mate@example.com", "user:stranger@example.com"


class Connect(Protocol):
    """Gives the clients of a provider of this configuration."""

    def __call__(self, **config: Any) -> Clients: ...


@contextmanager
def connecting(cloud: Cloud) -> Generator[Connect]:
    """Let this process be the owner's, as a program in the sandbox is."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GOOGLE_", "CLOUDSDK_", "GCLOUD_"))]:
            patch.delenv(name)
        environment = cloud.sandbox.environment("provider", {})
        for name, value in (environment | cloud.owner.files(environment)).items():
            patch.setenv(name, value)

        def connect(**config: Any) -> Clients:
            return gcp.PROVIDER.configure({"addPulumiAttributionLabel": "false", **config})

        yield connect


def unique(what: str) -> str:
    """A name that no other test has."""
    return f"{what}-{next(NAMES)}"


def of(token: str) -> ResourceType:
    """A type by its short name, as in `storage/bucket`."""
    (found,) = [kind for name, kind in gcp.PROVIDER.types.items() if name.startswith(f"gcp:{token}:")]
    return found


BUCKET, ACCOUNT = of("storage/bucket"), of("serviceaccount/account")


def made(clients: Clients, kind: ResourceType, inputs: Properties) -> tuple[str, Properties]:
    """Make it, and read the same again."""
    id_, state = kind.create(clients, inputs)
    assert kind.read(clients, id_, state) == state
    return id_, state


def a_bucket(clients: Clients, **more: Any) -> str:
    return BUCKET.create(clients, {"name": unique("bucket"), "location": "EU", **more})[0]


def an_account(clients: Clients) -> str:
    return ACCOUNT.create(clients, {"accountId": unique("account")})[0]


def members(clients: Clients, bucket: str, role: str = READER) -> list[str]:
    policy = clients.call("GET", f"{STORAGE}b/{bucket}/iam", optionsRequestedPolicyVersion=3)
    return [one for binding in policy["bindings"] if binding["role"] == role for one in binding["members"]]


def grant(clients: Clients, bucket: str, member: str, role: str = READER) -> None:
    """Give somebody a role on a bucket, as another program would."""
    url = f"{STORAGE}b/{bucket}/iam"
    policy = clients.call("GET", url, optionsRequestedPolicyVersion=3)
    policy["bindings"].append({"role": role, "members": [member]})
    clients.call("PUT", url, policy)
