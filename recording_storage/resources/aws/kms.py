"""KMS resources: a customer's symmetric key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from recording_storage.resources import finishing
from recording_storage.resources.aws.clients import Clients, Regional, gone, tags, text

if TYPE_CHECKING:
    from recording_storage.resources import Properties

LONGEST_WINDOW_DAYS = 30
PENDING = "PendingDeletion"


class Key(Regional):
    """`aws:kms/key:Key`. One that is scheduled for deletion counts as gone, as in the real provider."""

    properties = frozenset(
        {
            "bypassPolicyLockoutSafetyCheck",
            "customerMasterKeySpec",
            "deletionWindowInDays",
            "description",
            "enableKeyRotation",
            "isEnabled",
            "keyUsage",
            "multiRegion",
            "policy",
            "region",
            "rotationPeriodInDays",
            "tags",
        }
    )
    replace_on = frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion", "region"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        kms = self._kms(clients, inputs)
        asked = {
            "BypassPolicyLockoutSafetyCheck": inputs.get("bypassPolicyLockoutSafetyCheck"),
            "Description": inputs.get("description"),
            "KeySpec": inputs.get("customerMasterKeySpec"),
            "KeyUsage": inputs.get("keyUsage"),
            "MultiRegion": inputs.get("multiRegion"),
            "Policy": text(inputs["policy"]) if inputs.get("policy") else None,
            "Tags": _tags(inputs) or None,
        }
        made = kms.create_key(**{name: value for name, value in asked.items() if value is not None})
        id_ = made["KeyMetadata"]["KeyId"]
        with finishing(id_):
            self._rotate(kms, id_, inputs, before={})
            if inputs.get("isEnabled") is False:
                kms.disable_key(KeyId=id_)
        return id_, self._state(clients, inputs, made["KeyMetadata"]) | {
            "policy": self._policy(kms, id_, inputs)
        }

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        kms = self._kms(clients, state)
        try:
            found = kms.describe_key(KeyId=id_)["KeyMetadata"]
        except ClientError as error:
            if gone(error):
                return None
            raise
        if found["KeyState"] == PENDING:
            return None
        rotation = kms.get_key_rotation_status(KeyId=id_)
        tagged = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=id_)["Tags"]}
        now = {
            "description": found["Description"],
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            "isEnabled": found["Enabled"],
            "policy": kms.get_key_policy(KeyId=id_, PolicyName="default")["Policy"],
            "tags": tagged,
        }
        if "rotationPeriodInDays" in state and rotation["KeyRotationEnabled"]:
            now["rotationPeriodInDays"] = rotation["RotationPeriodInDays"]
        by_default: Properties = {
            "description": "",
            "enableKeyRotation": False,
            "isEnabled": True,
            "tags": {},
        }
        known = {
            name: value
            for name, value in now.items()
            if name in state or name not in by_default or value != by_default[name]
        }
        return self._state(clients, state | known, found)

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        kms = self._kms(clients, inputs)
        enabled = inputs.get("isEnabled") is not False
        if enabled and state.get("isEnabled") is False:  # a disabled key can't be changed much
            kms.enable_key(KeyId=id_)
        self._rotate(kms, id_, inputs, before=state)
        if inputs.get("policy") and inputs["policy"] != state.get("policy"):
            kms.put_key_policy(
                KeyId=id_,
                PolicyName="default",
                Policy=text(inputs["policy"]),
                BypassPolicyLockoutSafetyCheck=bool(inputs.get("bypassPolicyLockoutSafetyCheck")),
            )
        description = inputs.get("description") or ""
        if description != (state.get("description") or ""):
            kms.update_key_description(KeyId=id_, Description=description)
        dropped = sorted(set(state.get("tags") or {}) - set(inputs.get("tags") or {}))
        if dropped:
            kms.untag_resource(KeyId=id_, TagKeys=dropped)
        if inputs.get("tags"):
            kms.tag_resource(KeyId=id_, Tags=_tags(inputs))
        if not enabled and state.get("isEnabled") is not False:
            kms.disable_key(KeyId=id_)
        found = kms.describe_key(KeyId=id_)["KeyMetadata"]
        return self._state(clients, inputs, found) | {"policy": self._policy(kms, id_, inputs)}

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        kms = self._kms(clients, state)
        days = int(state.get("deletionWindowInDays") or LONGEST_WINDOW_DAYS)
        try:
            if kms.describe_key(KeyId=id_)["KeyMetadata"]["KeyState"] != PENDING:
                kms.schedule_key_deletion(KeyId=id_, PendingWindowInDays=days)
        except ClientError as error:
            if not gone(error):
                raise

    def _kms(self, clients: Clients, properties: Properties) -> Any:
        return clients.get("kms", properties.get("region"))

    def _rotate(self, kms: Any, id_: str, inputs: Properties, before: Properties) -> None:
        wanted = ("enableKeyRotation", "rotationPeriodInDays")
        if [inputs.get(name) or None for name in wanted] == [before.get(name) or None for name in wanted]:
            return
        days = inputs.get("rotationPeriodInDays")
        if inputs.get("enableKeyRotation"):
            kms.enable_key_rotation(KeyId=id_, **({"RotationPeriodInDays": int(days)} if days else {}))
        else:
            kms.disable_key_rotation(KeyId=id_)

    def _policy(self, kms: Any, id_: str, inputs: Properties) -> str:
        """The policy as it was written, or the one that KMS has made."""
        if inputs.get("policy"):
            return text(inputs["policy"])
        return kms.get_key_policy(KeyId=id_, PolicyName="default")["Policy"]

    def _state(self, clients: Clients, inputs: Properties, found: dict[str, Any]) -> Properties:
        return inputs | {
            "arn": found["Arn"],
            "keyId": found["KeyId"],
            "region": inputs.get("region") or clients.region,
            "tagsAll": inputs.get("tags") or {},
        }


def _tags(inputs: Properties) -> list[dict[str, str]]:
    return [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags(inputs.get("tags"))]
