"""Of every way to break a destination by which recording fails, the error that shows names one of the broken checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from recording_storage.explain import explain
from recording_storage.explain.events import read
from recording_storage.results import Status
from tests.support.azure_blob_owner import AzureBlobOwner
from tests.support.broken_azure_blob import MUTATIONS as AZURE_BLOB_MUTATIONS
from tests.support.broken_gcs import MUTATIONS as GCS_MUTATIONS
from tests.support.broken_s3 import MUTATIONS as S3_MUTATIONS
from tests.support.gcs_owner import Owner as GcsOwner
from tests.support.live import Live
from tests.support.s3_owner import S3Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.catalogue import Mutation

NAME: Final = "calls"
GCS_KEY: Final = "projects/acme-prod/locations/europe-west1/keyRings/recordings/cryptoKeys/calls"
CONFIGS: Final[dict[str, dict[str, Any]]] = {
    "s3": {"provider": "s3", "region": "eu-west-1", "create_kms_key": True, "retention_days": 30},
    "gcs": {
        "provider": "gcs",
        "project": "acme-prod",
        "location": "europe-west1",
        "workspace_id": "w-acme",
        "kms_key_name": GCS_KEY,
    },
    "azure_blob": {
        "provider": "azure_blob",
        "tenant": "11111111-1111-4111-8111-111111111111",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "location": "westeurope",
        "workspace_id": "w-acme",
    },
}
CATALOGUES: Final[dict[str, tuple[Callable[[Live], Any], tuple[Mutation[Any], ...]]]] = {
    "s3": (lambda live: S3Owner(live, NAME), S3_MUTATIONS),
    "gcs": (lambda live: GcsOwner(live, NAME, GCS_KEY), GCS_MUTATIONS),
    "azure_blob": (lambda live: AzureBlobOwner(live, NAME), AZURE_BLOB_MUTATIONS),
}
NOBODY_SAYS: Final = {"S8", "Z17"}
"""The recorder notices these itself; no cloud refuses anything."""
BREAKING: Final = [
    (provider, one)
    for provider, (_, mutations) in CATALOGUES.items()
    for one in mutations
    if not one.records and not one.expected.keys() <= NOBODY_SAYS
]


@pytest.fixture(scope="module")
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    config = {"destinations": {NAME: CONFIGS[request.param]}}
    with Live(tmp_path_factory.mktemp(request.param) / "project", config) as found:
        yield found


@pytest.mark.parametrize(
    ("live", "mutation"),
    BREAKING,
    indirect=["live"],
    ids=[f"{where}-{one.name}" for where, one in BREAKING],
    scope="module",
)
def test_the_error_that_shows_names_what_is_broken(live: Live, mutation: Mutation[Any]) -> None:
    provider = live.target(NAME).provider
    undo = mutation.change(CATALOGUES[provider][0](live))
    try:
        steps = live.record(NAME)
    finally:
        undo()
    ended = next(one for one in steps if one.status is not Status.PASS)
    if ended.status is Status.UNKNOWN:
        return  # the stand-in can't judge it, and so has none of the cloud's words for it
    (event,) = read(ended.evidence, mutation.name)
    told = explain(event, provider)
    assert told.symptoms, ended.evidence
    assert set(told.checks) & set(mutation.expected), (
        f"{[*mutation.expected]}: {told.checks}: {ended.evidence}"
    )
