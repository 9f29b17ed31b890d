"""A key as Pulumi's resource, through the provider's own table of types."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from world import Keys, delegated, document, unique

from recording_storage.resources import aws
from recording_storage.sandbox.aws.credentials import Credentials

if TYPE_CHECKING:
    from world import World

REGION = "eu-central-1"


@pytest.fixture
def clients(world: World, owner: Keys) -> Any:
    holder = Credentials(owner.account, owner.id, owner.secret)
    environment = world.sandbox.environment("provider", holder.environment())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            if name.startswith("AWS_") or name.upper().endswith("_PROXY"):
                patch.setenv(name, value)
        yield aws.PROVIDER.configure({"region": "eu-west-1"})


def test_the_life_of_a_key(world: World, owner: Keys, clients: Any) -> None:
    kind, kms = aws.PROVIDER.types["aws:kms/key:Key"], world.kms(owner, REGION)
    policy = document(delegated(owner.account))
    inputs = {
        "description": unique("key"),
        "policy": policy,
        "enableKeyRotation": True,
        "rotationPeriodInDays": 180.0,
        "deletionWindowInDays": 7.0,
        "region": REGION,
        "tags": {"a": "1"},
    }
    id_, state = kind.create(clients, inputs)
    arn = f"arn:aws:kms:{REGION}:{owner.account}:key/{id_}"
    assert state == inputs | {"arn": arn, "keyId": id_, "tagsAll": {"a": "1"}}
    assert kind.read(clients, id_, state) == state
    kms.update_key_description(KeyId=arn, Description="drifted")
    kms.disable_key(KeyId=arn)
    found = kind.read(clients, id_, state) or {}
    assert (found["description"], found["isEnabled"]) == ("drifted", False)
    changed = {"description": "", "isEnabled": True, "policy": policy, "region": REGION, "tags": {"b": "2"}}
    now = kind.update(clients, id_, found, changed)
    assert kind.read(clients, id_, now) == now
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["Enabled"]
    assert not kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"]
    kind.update(clients, id_, now, changed | {"isEnabled": False})
    assert not kms.describe_key(KeyId=arn)["KeyMetadata"]["Enabled"]
    for _ in range(2):
        kind.delete(clients, id_, now | {"deletionWindowInDays": 7.0})
    left = kms.describe_key(KeyId=arn)["KeyMetadata"]["DeletionDate"] - datetime.now(timezone.utc)
    assert 6 <= left.days <= 7
    assert kind.read(clients, id_, now) is None


def test_a_key_with_nothing_said(world: World, owner: Keys, clients: Any) -> None:
    kind = aws.PROVIDER.types["aws:kms/key:Key"]
    id_, state = kind.create(clients, {})
    assert kind.read(clients, id_, state) == state
    assert set(state) == {"arn", "keyId", "policy", "region", "tagsAll"}
    assert kind.read(clients, "00000000-0000-4000-8000-000000000000", state) is None
    kind.delete(clients, "00000000-0000-4000-8000-000000000000", state)
