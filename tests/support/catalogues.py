"""The catalogues of broken and of harmless destinations, a cloud each: on which stack they are tried, and as whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recording_storage.explain import explain
from recording_storage.explain.events import read
from recording_storage.results import Status
from tests.support import (
    broken_azure_blob,
    broken_gcs,
    broken_s3,
    harmless_azure_blob,
    harmless_gcs,
    harmless_s3,
)
from tests.support.azure_blob_owner import AzureBlobOwner
from tests.support.catalogue import attempt
from tests.support.gcs_owner import Owner as GcsOwner
from tests.support.s3_owner import S3Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.catalogue import Mutation, Tried, Variation
    from tests.support.live import Live

NOBODY_SAYS = {"S8", "Z17"}
"""Checks of what no cloud refuses anything for."""
CALLS, MEETINGS = "calls", "meetings"
AZURE: dict[str, Any] = {
    "provider": "azure_blob",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "location": "westeurope",
    "workspace_id": "w-acme",
}
VAULT = f"/subscriptions/{AZURE['subscription']}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/acme-keys"
GOOGLE_KEY = "projects/acme-prod/locations/europe-west1/keyRings/recordings/cryptoKeys/calls"


@dataclass(frozen=True)
class Part:
    """One destination, who owns it, and what is done to it."""

    name: str
    owner: Callable[[Live], Any]
    mutations: tuple[Mutation[Any], ...]
    variations: tuple[Variation[Any], ...]


@dataclass(frozen=True)
class Catalogue:
    """A cloud's: its stack's destinations, and what is done to each."""

    destinations: dict[str, dict[str, Any]]
    parts: tuple[Part, ...]

    @property
    def config(self) -> dict[str, Any]:
        """The stack's configuration."""
        return {"destinations": self.destinations}

    @property
    def broken(self) -> set[str]:
        """The ids of the checks that some mutation breaks."""
        return {id_ for _, one in self.mutations for id_ in one.expected}

    @property
    def mutations(self) -> list[tuple[Part, Mutation[Any]]]:
        """Every mutation, with the part it is of."""
        return [(part, one) for part in self.parts for one in part.mutations]

    @property
    def variations(self) -> list[tuple[Part, Variation[Any]]]:
        """Every variation, likewise."""
        return [(part, one) for part in self.parts for one in part.variations]


class Stand:
    """A catalogue's stack in a sandbox, on which its entries are tried one after the other."""

    def __init__(self, live: Live, catalogue: Catalogue) -> None:
        self.live = live
        self.owners = {part.name: part.owner(live) for part in catalogue.parts}

    def attempt(self, part: Part, entry: Mutation[Any] | Variation[Any]) -> Tried:
        """Apply one entry, look, record, and undo it."""
        return attempt(self.live, part.name, self.owners[part.name], entry)

    def assert_named(self, part: Part, mutation: Mutation[Any]) -> None:
        """What breaks it is named, and nothing else is; the error that shows is explained by one of the names."""
        tried = self.attempt(part, mutation)
        assert tried.reported == mutation.expected
        assert tried.recorded == mutation.records, tried.stopped
        assert tried.afterwards == {}
        if tried.stopped is not None and tried.stopped.status is Status.FAIL:
            _assert_explained(mutation, tried.stopped.evidence, self.live.target(part.name).provider)

    def assert_let_be(self, part: Part, variation: Variation[Any]) -> None:
        """What is harmless isn't reported, and recordings arrive."""
        tried = self.attempt(part, variation)
        assert tried.reported == dict.fromkeys(variation.warns, "warn")
        assert tried.recorded, tried.stopped
        assert tried.afterwards == {}

    def assert_green(self) -> None:
        """What the stack made passes every check, and recordings arrive."""
        for name in self.owners:
            assert {one["status"] for one in self.live.verify(self.live.target(name))} == {"pass"}
            assert {one.status for one in self.live.record(name)} == {Status.PASS}


def _assert_explained(mutation: Mutation[Any], said: str, provider: str) -> None:
    """No error is explained of what only the recorder notices; where the stand-in can't judge it has no words."""
    if mutation.expected.keys() <= NOBODY_SAYS:
        return
    (event,) = read(said, mutation.name)
    told = explain(event, provider)
    assert told.symptoms, said
    assert set(told.checks) & set(mutation.expected), f"{[*mutation.expected]}: {told.checks}: {said}"


def titles(entries: list[tuple[Part, Any]]) -> list[str]:
    """What the tests of entries are called."""
    return [entry.name for _, entry in entries]


def _google_owner(live: Live) -> GcsOwner:
    """Who has the Policy Troubleshooter enabled, and may see deny policies."""
    owner = GcsOwner(live, CALLS, GOOGLE_KEY)
    owner.switch_on("policytroubleshooter")
    owner.bind(owner.on_project, "roles/iam.denyReviewer", "user:owner@example.com")
    return owner


CATALOGUES: Mapping[str, Catalogue] = {
    "s3": Catalogue(
        {
            CALLS: {
                "provider": "s3",
                "region": "eu-west-1",
                "create_kms_key": True,
                "retention_days": 30,
            }
        },
        (
            Part(
                CALLS,
                lambda live: S3Owner(live, CALLS),
                broken_s3.MUTATIONS,
                harmless_s3.VARIATIONS,
            ),
        ),
    ),
    "gcs": Catalogue(
        {
            CALLS: {
                "provider": "gcs",
                "project": "acme-prod",
                "location": "europe-west1",
                "workspace_id": "w-acme",
                "kms_key_name": GOOGLE_KEY,
            }
        },
        (Part(CALLS, _google_owner, broken_gcs.MUTATIONS, harmless_gcs.VARIATIONS),),
    ),
    "azure_blob": Catalogue(
        {
            CALLS: AZURE,
            MEETINGS: AZURE | {"identity": "managed_identity", "key_vault_key": f"{VAULT}/keys/recordings"},
        },
        (
            Part(
                CALLS,
                lambda live: AzureBlobOwner(live, CALLS),
                broken_azure_blob.MUTATIONS,
                harmless_azure_blob.VARIATIONS,
            ),
            Part(
                MEETINGS,
                lambda live: AzureBlobOwner(live, MEETINGS),
                broken_azure_blob.KEY_MUTATIONS,
                harmless_azure_blob.KEY_VARIATIONS,
            ),
        ),
    ),
}
