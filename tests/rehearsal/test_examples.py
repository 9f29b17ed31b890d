"""Every stack file of the project is proven, as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.stackfile import stacks
from tests.support.projects import ROOT, command, write_project

if TYPE_CHECKING:
    from pathlib import Path

STACKS = stacks(ROOT)


@pytest.mark.parametrize("stack", STACKS)
def test_an_example_is_proven(stack: str) -> None:
    done = command("rehearse", stack, "-f", "json")
    assert done.code == 0, done.out + done.err
    assert done.document["destinations"]


def test_there_is_an_example_for_each_use() -> None:
    s3 = {"simple", "kms", "existing", "retention", "many", "local"}
    assert s3 | {"gcs", "gcs-kms", "gcs-existing", "azure", "azure-identity", "azure-existing"} == set(STACKS)


def test_of_an_existing_bucket_only_the_role_is_made() -> None:
    (destination,) = command("rehearse", "existing", "-f", "json").document["destinations"]
    assert destination["made"][0]["properties"] == ["existing, left as it is"]
    assert [one["kind"] for one in destination["made"][1:]] == ["role"]
    assert any("that the bucket exists" in one for one in destination["unproven"])


def test_what_the_owner_of_a_key_must_add_is_printed() -> None:
    done = command("rehearse", "kms")
    words = " ".join(done.out.split())
    assert "add to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd" in words
    assert '"kms:GenerateDataKey", "kms:Decrypt"' in words
    assert "with a customer's key" in words


def test_an_adopted_bucket_is_assumed_to_be_as_it_must_be(tmp_path: Path) -> None:
    calls = {
        "provider": "s3",
        "region": "eu-west-1",
        "adopt": True,
        "bucket_name": "acme-former-calls",
        "retention_days": 30,
        "readers": ["arn:aws:iam::111122223333:role/player"],
        "kms_key_arn": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    }
    config = {"destinations": {"calls": calls}, "tags": {"team": "voice"}}
    done = command("rehearse", "acme", "-f", "json", folder=write_project(tmp_path / "project", config))
    assert done.code == 0, done.out + done.err
    (destination,) = done.document["destinations"]
    assert any("that the bucket exists, set as" in one for one in destination["unproven"])


def test_a_key_may_serve_several_destinations(tmp_path: Path) -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    given = {"provider": "s3", "region": "eu-west-1", "kms_key_arn": key}
    config = {"destinations": {"calls": given, "demos": given}}
    done = command("rehearse", "acme", "-f", "json", folder=write_project(tmp_path / "project", config))
    assert done.code == 0, done.out + done.err
