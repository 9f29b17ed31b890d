"""A stack's life under the real Pulumi engine, on the sandbox's Google: `on_destroy`, and ids that stay taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.engine import MARKS, UNCHANGED, Stack, inhabited
from tests.support.engine_google import BUCKETS, GoogleHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = MARKS

DESTINATION = "recording-storage:index:GcsDestination"
BUCKET = "gcp:storage/bucket:Bucket"
WRITER = "gcp:storage/bucketIAMBinding:BucketIAMBinding"
TRUST = "gcp:serviceaccount/iAMBinding:IAMBinding"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleHouse]:
    with Sandbox() as sandbox:
        yield GoogleHouse(sandbox, tmp_path_factory.mktemp("house"))


def test_a_preview_makes_nothing(house: GoogleHouse) -> None:
    stack = Stack(house, "previewed")
    stack.configure(calls={})
    done = stack.run("preview")
    assert done.code == 0, done.text
    assert {BUCKET, POOL, PROVIDER, TRUST, WRITER} <= done.changed["create"]
    listed = house.project.owner.get(BUCKETS, project="acme-prod").get("items", [])
    assert not [one["name"] for one in listed if "previewed" in one["name"]]


def test_a_stack_that_is_up_stays_as_it_is(house: GoogleHouse) -> None:
    stack, calls = inhabited(house, "steady", retention_days=30, readers=["user:ann@example.com"])
    for command in ("up", "refresh"):
        again = stack.run(command, *UNCHANGED)
        assert again.code == 0, again.text
        assert again.changed == {} or command == "refresh"
    calls.assert_lives()


def test_services_stay_enabled(house: GoogleHouse) -> None:
    stack, calls = inhabited(house, "enabled", on_destroy="delete")
    assert stack.run("destroy").code == 0
    calls.assert_gone()
    enabled = "https://serviceusage.googleapis.com/v1/projects/acme-prod/services/iam.googleapis.com"
    assert house.project.owner.get(enabled)["state"] == "ENABLED"


@pytest.mark.parametrize("on_destroy", ["retain", "delete"])
def test_after_a_destroy_the_pools_id_is_taken_and_undelete_and_adoption_lead_on(
    house: GoogleHouse, on_destroy: str
) -> None:
    stack = Stack(house, f"again-{on_destroy}")
    tags = {"team": "voice"}
    stack.configure(tags=tags, calls={"on_destroy": on_destroy})
    stack.up()
    calls = stack.destination("calls")
    assert stack.run("destroy").code == 0
    settings: dict[str, object] = {"on_destroy": "retain", "adopt": on_destroy == "retain"}
    stack.configure(tags=tags, calls=settings)
    taken = stack.try_up()
    assert taken.code != 0
    assert "409" in taken.text
    assert "ALREADY_EXISTS" in taken.text

    house.project.undelete(calls.pool, "recording-service")
    stack.configure(tags=tags, calls=settings | {"adopt_pool": True})
    assert {POOL, PROVIDER} <= stack.up().changed["import"]
    again = stack.destination("calls")
    assert (again.bucket, again.pool, again.email) == (calls.bucket, calls.pool, calls.email)
    stack.configure(tags=tags, calls={"on_destroy": "retain"})
    assert stack.up().changed == {"update": {DESTINATION}}  # which no longer says that it adopts
    again.assert_lives()


def test_another_pool_id_leads_on_too(house: GoogleHouse) -> None:
    stack, calls = inhabited(house, "anew", on_destroy="delete")
    assert stack.run("destroy").code == 0
    stack.configure(calls={"on_destroy": "delete", "pool_id": "anew-2"})
    stack.up()
    again = stack.destination("calls")
    assert (again.pool, calls.pool == again.pool) == ("anew-2", False)


def test_what_is_adopted_must_be_as_it_is_asked_for(house: GoogleHouse) -> None:
    made = {
        "name": "acme-by-hand",
        "location": "EUROPE-WEST1",
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": True},
            "publicAccessPrevention": "enforced",
        },
    }
    house.project.owner.must("POST", BUCKETS, params={"project": "acme-prod"}, json=made)
    stack = Stack(house, "adopting")
    stack.configure(calls={"adopt": True, "bucket_name": "acme-by-hand"})
    done = stack.try_up()
    assert done.code != 0
    assert "it isn't as the configuration asks for" in done.text
    bucket = house.project.bucket("acme-by-hand")
    assert bucket is not None
    assert not bucket.get("versioning", {}).get("enabled")
