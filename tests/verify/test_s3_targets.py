"""What is handed over may be wrong while everything that was made is right; and what the examples make is green."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from recording_storage.sandbox.aws import occasion
from recording_storage.sandbox.aws.credentials import mint
from recording_storage.verify.s3_checks import S3_CHECKS
from tests.support.live import Live
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recording_storage.verify.targets import Target

OWNER = "111122223333"
WORKER = "arn:aws:iam::777788889999:role/worker"
CONFIG: dict[str, Any] = {
    "destinations": {
        "calls": {"provider": "s3", "region": "eu-west-1", "create_kms_key": True},
        "partners": {
            "provider": "s3",
            "region": "us-east-1",
            "external_id": "acme-partners",
            "additional_principals": [WORKER, "666677778888"],
            "additional_external_ids": ["acme-former"],
            "readers": [f"arn:aws:iam::{OWNER}:role/player"],
        },
    }
}
ROLE_IDS = {"S1", "S3", "S4", "S6", "S9", "S10"}
BUCKET_IDS = {"S4", "S5", "S6", "S7", "S8", "S10", "S11", "S12"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("live") / "project", CONFIG) as found:
        yield found


def storage(target: Target, **changed: str) -> Target:
    return replace(target, recording_storage={**target.recording_storage, **changed})


def known(target: Target, **changed: Any) -> Target:
    return replace(target, known=replace(target.known, **changed))


def troubles(live: Live, target: Target, **how: Any) -> dict[str, str]:
    return {one["id"]: one["status"] for one in live.verify(target, **how) if one["status"] != "pass"}


def unknown(*ids: str) -> dict[str, str]:
    return dict.fromkeys(ids, "unknown")


def test_principals_and_external_ids_that_are_known(live: Live) -> None:
    target = live.target("partners")
    assert troubles(live, target) == {}
    assert all(step.status.value == "pass" for step in live.record("partners"))
    assert troubles(live, known(target, principals=())) == {"S9": "fail"}
    assert troubles(live, known(target, principals=(WORKER,))) == {"S9": "fail"}
    assert troubles(live, known(target, external_ids=())) == {"S9": "fail"}


def test_another_external_id_is_handed_over(live: Live) -> None:
    target = live.target("partners")
    assert troubles(live, storage(target, external_id="acme-partner")) == {"S2": "fail", "S9": "fail"}


def test_the_vendor_wants_longer_sessions(live: Live) -> None:
    target = live.target("calls")
    longer = replace(target.known.s3_trust, session_seconds=43201)
    assert troubles(live, known(target, s3_trust=longer)) == {"S1": "fail"}


def test_another_region_is_handed_over(live: Live) -> None:
    (result,) = [
        one
        for one in live.verify(storage(live.target("calls"), bucket_region="us-east-1"))
        if one["status"] != "pass"
    ]
    assert (result["id"], result["status"]) == ("S3", "fail")
    assert '"bucket_region": "eu-west-1"' in result["mend"]


def test_no_such_bucket(live: Live) -> None:
    found = troubles(live, storage(live.target("calls"), bucket_name="acme-nowhere"))
    assert found == unknown(*BUCKET_IDS) | {"S3": "fail"}


def test_somebody_elses_bucket(live: Live) -> None:
    """Whose it is can't be told from a refusal."""
    occasion.bucket("somebody-elses", account="999911112222", region="eu-west-1", versioned=True)
    found = troubles(live, storage(live.target("calls"), bucket_name="somebody-elses"))
    assert found == unknown("S3", *BUCKET_IDS)


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{OWNER}:role/nobody",
        f"arn:aws:iam::{OWNER}:user/recordings",
        f"arn:aws-us-gov:iam::{OWNER}:role/recordings",
        "recordings",
    ],
)
def test_no_such_role(live: Live, arn: str) -> None:
    found = troubles(live, storage(live.target("calls"), assume_role_arn=arn))
    assert found == unknown(*ROLE_IDS) | {"S2": "fail"}


def test_the_roles_path_is_missing(live: Live) -> None:
    target = live.target("calls")
    arn = target.recording_storage["assume_role_arn"].replace(":role/", ":role/team/")
    found = {one["id"]: one for one in live.verify(storage(target, assume_role_arn=arn))}
    assert found["S2"]["status"] == "fail"
    assert target.recording_storage["assume_role_arn"] in found["S2"]["mend"]


def test_another_key_is_asked_for(live: Live) -> None:
    key = f"arn:aws:kms:eu-west-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    for name in ("calls", "partners"):
        assert troubles(live, known(live.target(name), kms_key=key)) == {"S4": "fail"}
    right = known(live.target("calls"), kms_key=live.outputs["calls"]["kms_key_arn"])
    assert troubles(live, right) == {}


def test_credentials_of_another_account(live: Live) -> None:
    """They can't read the role, and say whose can."""
    credentials = mint("999911112223")
    live.sandbox.aws.admit(credentials)
    environment = live.sandbox.environment("another-account", credentials.environment())
    found = {one["id"]: one for one in live.verify(live.target("calls"), environment=environment)}
    assert {one["status"] for one in found.values()} == {"unknown"}
    assert f"credentials of account {OWNER}" in found["S2"]["mend"]


def test_a_deploy_role_that_is_not_there(live: Live) -> None:
    target = known(live.target("calls"), deploy_role=f"arn:aws:iam::{OWNER}:role/deployer")
    found = live.verify(target)
    assert {one["status"] for one in found} == {"unknown"}
    assert {one["id"] for one in found} == {one.id for one in S3_CHECKS}
    assert all("deployer" in one["evidence"] for one in found)


@pytest.mark.parametrize("stack", ["simple", "retention", "kms", "existing", "many"])
def test_what_the_examples_make_is_green(stack: str, tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / f"stacks/Pulumi.{stack}.yaml").read_text())["config"]
    ours = {name: one for name, one in config["destinations"].items() if one["provider"] == "s3"}
    with Live(tmp_path / "project", config | {"destinations": ours}) as live:
        found = live.verify(*[live.target(name) for name in ours])
        assert len(found) == len(ours) * len(S3_CHECKS)
        troubled = {
            (one["destination"], one["id"]): one["status"] for one in found if one["status"] != "pass"
        }
        assert set(troubled.values()) <= {"warn"}, troubled
        assert bool(troubled) == (
            stack == "existing"
        )  # a bucket that somebody else cares for refuses no plain HTTP
