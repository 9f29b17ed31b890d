"""The least permissions on AWS under the real Pulumi engine: preview, refresh, up and destroy, each with its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.aws import credentials, occasion
from recording_storage.sandbox.journal import Outcome
from tests.support.engine import MARKS, House, Stack
from tests.support.engine_aws import OWNER, RECORDER, REGION, Account, S3Recordings, Somebody
from tests.support.permissions import filled
from tests.support.permissions_aws import STACK, UP, Deployer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = MARKS

EXISTING = "company-recordings"
DELETE: dict[str, object] = {"on_destroy": "delete", "create_kms_key": True, "retention_days": 90}


class LeastHouse(House[S3Recordings]):
    """The house, whose stacks are deployed by somebody who may do what documents say."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        recorder = credentials.mint(RECORDER)
        sandbox.aws.admit(recorder)
        self.deployer = Deployer(sandbox)
        self.account = Account(self.deployer.above)
        self.recorder = Somebody(sandbox.environment("recorder", recorder.environment()))
        super().__init__(self.deployer.environment, folder, defaults={"provider": "s3", "region": REGION})

    def inhabit(self, outputs: Mapping[str, Any]) -> S3Recordings:
        return S3Recordings(self, outputs)


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeastHouse]:
    with Sandbox() as sandbox:
        house = LeastHouse(sandbox, tmp_path_factory.mktemp("house"))
        occasion.bucket(EXISTING, account=OWNER, region=REGION, versioned=True)
        yield house


def preview() -> str:
    return filled("aws_preview.json", EXISTING_BUCKET=EXISTING, DEPLOY_ROLE_ARN="arn:aws:iam::1:role/none")


def test_every_command_goes_by_under_its_own_document(house: LeastHouse) -> None:
    deployer, stack = house.deployer, Stack(house, STACK)
    existing = {"existing": True, "bucket_name": EXISTING}

    def must(command: str, *arguments: str) -> None:
        done = stack.run(command, *arguments)
        assert done.code == 0, done.text
        assert {one.outcome for one in deployer.asked()} <= {Outcome.ALLOWED}

    stack.configure(calls=DELETE, given=existing)
    deployer.may(preview())
    must("preview")
    assert deployer.used() == {"s3:ListBucket"}
    deployer.may(filled("aws_up.json", **UP), preview())
    must("up")
    calls = stack.destination("calls")
    deployer.may(filled("aws_refresh.json", **UP), preview())
    must("preview", "--refresh")
    must("refresh")
    calls.assert_lives()
    deployer.may(filled("aws_up.json", **UP), preview())
    stack.configure(tags={"team": "voice"}, calls=DELETE | {"external_id": "acme"}, given=existing)
    must("up")
    stack.configure(calls=DELETE)
    must("up")
    must("destroy")
    calls.assert_gone()


def test_a_preview_of_what_is_made_needs_nothing(house: LeastHouse) -> None:
    house.deployer.may()
    stack = Stack(house, STACK)
    stack.configure(calls=DELETE)
    assert stack.run("preview").code == 0
    assert not house.deployer.used()
    refused = stack.try_up()
    assert refused.code != 0
    assert "AccessDenied" in refused.text


def test_recordings_that_are_kept_need_no_permission_to_give_them_up(house: LeastHouse) -> None:
    stack = Stack(house, STACK)
    stack.configure(calls={"on_destroy": "retain"})
    stack.up()
    calls = stack.destination("calls")
    house.deployer.may(filled("aws_up.json", **UP))
    assert stack.run("destroy").code == 0
    calls.assert_retained()
    assert not {one for one in house.deployer.used() if one.startswith(("s3:Delete", "kms:", "s3:Put"))}
