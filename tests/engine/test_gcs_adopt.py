"""Adoption under the real engine, on the sandbox's Google: a pool made by hand, and nothing is given up for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from components import gcs_policies
from recording_storage.sandbox import Sandbox
from tests.support.engine import MARKS, UNCHANGED, Stack, inhabited
from tests.support.engine_google import BUCKETS, IAM, ISSUER, WORKSPACE, GoogleHouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = MARKS

DESTINATION = "recording-storage:index:GcsDestination"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
POOLS = f"{IAM}/locations/global/workloadIdentityPools"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleHouse]:
    with Sandbox() as sandbox:
        yield GoogleHouse(sandbox, tmp_path_factory.mktemp("house"))


def make_pool(house: GoogleHouse, pool: str, **different: object) -> None:
    """Make a pool and its provider as docs/gcs.md says."""
    owner = house.project.owner
    said = {
        "displayName": "Recording service",
        "description": "The recording service of calls, and nobody else",
    }
    owner.must("POST", POOLS, params={"workloadIdentityPoolId": pool}, json=said)
    provider: Mapping[str, object] = {
        "displayName": "Recording service",
        "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": gcs_policies.condition(WORKSPACE),
        "oidc": {"issuerUri": ISSUER},
    }
    owner.must(
        "POST",
        f"{POOLS}/{pool}/providers",
        params={"workloadIdentityPoolProviderId": "recording-service"},
        json={**provider, **different},
    )


def everything(house: GoogleHouse, pool: str) -> list[Any]:
    return [house.project.owner.get(f"{POOLS}/{pool}{more}") for more in ("", "/providers/recording-service")]


def test_a_pool_made_by_hand_is_adopted_unchanged(house: GoogleHouse) -> None:
    make_pool(house, "by-hand")
    before, stack = everything(house, "by-hand"), Stack(house, "by-hand")
    stack.configure(calls={"pool_id": "by-hand", "adopt_pool": True})
    assert stack.up().changed["import"] == {POOL, PROVIDER}
    assert everything(house, "by-hand") == before
    again = stack.run("up", *UNCHANGED)
    assert again.code == 0, again.text
    stack.configure(calls={"pool_id": "by-hand"})
    assert stack.up().changed == {"update": {DESTINATION}}  # which no longer says that it adopts
    assert everything(house, "by-hand") == before
    stack.destination("calls").assert_lives()


def test_a_pool_that_differs_is_not_adopted_and_stays_as_it_is(house: GoogleHouse) -> None:
    make_pool(house, "open", attributeCondition="true")
    before, stack = everything(house, "open"), Stack(house, "open")
    stack.configure(calls={"pool_id": "open", "adopt_pool": True})
    for done in (stack.run("preview"), stack.try_up()):
        assert done.code != 0
        assert "adopt_pool: it isn't as the configuration asks for" in done.text
        assert 'attributeCondition is "true"' in done.text
        assert everything(house, "open") == before


@pytest.mark.parametrize("on_destroy", ["protect", "delete"])
def test_a_destination_gives_nothing_up_to_adopt_another(house: GoogleHouse, on_destroy: str) -> None:
    stack, calls = inhabited(house, f"had-{on_destroy}", on_destroy=on_destroy)
    bucket, pool = f"acme-other-{on_destroy}", f"other-{on_destroy}"
    found = house.project.bucket(calls.bucket) or {}
    kept = ("location", "iamConfiguration", "versioning", "softDeletePolicy", "lifecycle")
    made = {"name": bucket, **{name: found[name] for name in kept}}
    house.project.owner.must("POST", BUCKETS, params={"project": "acme-prod"}, json=made)
    make_pool(house, pool)
    for other, had in (
        ({"bucket_name": bucket, "adopt": True}, calls.bucket),
        ({"pool_id": pool, "adopt_pool": True}, f"/{calls.pool}"),
        ({"provider_id": "other", "pool_id": calls.pool, "adopt_pool": True}, "providers/recording-service"),
    ):
        stack.configure(calls=other)
        for done in (stack.run("preview"), stack.try_up()):
            assert done.code != 0
            assert "this stack has the destination calls already" in done.text
            assert had in done.text
        calls.assert_lives()


def test_what_a_destination_has_may_be_named_again(house: GoogleHouse) -> None:
    stack, calls = inhabited(house, "same")
    stack.configure(calls={"adopt": True, "adopt_pool": True})
    assert stack.up().changed == {"update": {DESTINATION}}
    calls.assert_lives()
