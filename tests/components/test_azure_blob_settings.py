"""A destination on Azure Blob Storage, as the configuration has it."""

from __future__ import annotations

from typing import Any

import pytest

from components.azure import account_name_breaches, vault_key
from components.faults import ConfigurationError, Fault
from components.settings import Judgement, judge

ID = "11111111-1111-4111-8111-111111111111"
AZURE: dict[str, Any] = {
    "provider": "azure_blob",
    "tenant": ID,
    "subscription": ID,
    "location": "westeurope",
    "workspace_id": "ws-1",
}
KEY = f"/subscriptions/{ID}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/acme-keys/keys/recordings"


def judged(config: dict[str, Any], stack: str = "acme") -> Judgement:
    return judge(config, project="recording-storage", stack=stack, organization="organization")


def calls(**settings: object) -> dict[str, Any]:
    return {"destinations": {"calls": {**AZURE, **settings}}}


def faults(config: dict[str, Any]) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        judged(config)
    return list(caught.value.faults)


def test_four_settings_are_enough() -> None:
    judgement = judged(calls())
    one = judgement.settings.azure_blob["calls"]
    assert judgement.warnings == ()
    assert (one.container, one.redundancy, one.identity, one.on_destroy) == (
        "recordings",
        "LRS",
        "application",
        "protect",
    )


@pytest.mark.parametrize("stack", ["acme", "a-very-long-name-of-a-stack-indeed", "2026", "ä"])
def test_a_derived_account_name_is_legal(stack: str) -> None:
    settings = judged(calls(), stack).settings
    names = settings.azure_blob["calls"].names(settings.scope, "calls")
    assert account_name_breaches(names.storage_account) == ()
    assert names.resource_group[-6:] == names.storage_account[-6:] == names.identity[-6:]


@pytest.mark.parametrize("missing", ["tenant", "subscription", "location", "workspace_id"])
def test_what_must_be_there_is_asked_for(missing: str) -> None:
    (fault,) = faults({"destinations": {"calls": {k: v for k, v in AZURE.items() if k != missing}}})
    assert (fault.key, fault.value) == (f"destinations.calls.{missing}", "(not set)")


# setting, value, what was expected, how to mend it
WRONG: list[tuple[str, object, str, str]] = [
    ("tenant", "acme.onmicrosoft.com", "a UUID", "copy the ID, not the name"),
    ("subscription", "Production", "a UUID", "copy the ID, not the name"),
    ("workspace_id", " ws-1", "no white space around it", "must match exactly"),
    ("workspace_id", "", "the Workspace ID", "copy it"),
    ("location", "West Europe", "an Azure location", 'did you mean "westeurope"?'),
    ("storage_account", "acme-calls", "3 to 24 lower-case letters and digits", "without hyphens"),
    ("storage_account", "AcmeCalls", "3 to 24 lower-case letters and digits", "capitals"),
    ("storage_account", "ac", "it has 2 characters", "without hyphens"),
    ("container", "Calls", "lower-case letters", "as in calls"),
    ("container", "support--calls", "single hyphens", "as in calls"),
    ("container", "-calls", "a letter or digit first", "as in calls"),
    ("container", "ab", "3 to 63", "lengthen"),
    ("resource_group", f"/subscriptions/{ID}/resourceGroups/x", "a resource group's name", "not the ID"),
    ("resource_group", "ends.", "no period at the end", "the name alone"),
    ("redundancy", "lrs", "one of LRS", "choose one"),
    ("identity", "app", "one of application, managed_identity", "choose one"),
    ("application_client_id", "my-app", "a UUID", "copy the ID"),
    ("adopt_application", "my-app", "a UUID", "copy the ID"),
    ("adopt_application", True, "a UUID", ""),
    (
        "key_vault_key",
        "https://acme-keys.vault.azure.net/keys/recordings",
        "a key's resource ID",
        "not the key's URL",
    ),
    ("key_vault_key", f"{KEY}/versions/1", "a key's resource ID", "newest version itself"),
    ("tennant", ID, "a key that is known", 'did you mean "tenant"?'),
]


@pytest.mark.parametrize(("setting", "value", "expected", "mend"), WRONG)
def test_a_wrong_setting_is_named_with_what_was_expected(
    setting: str, value: object, expected: str, mend: str
) -> None:
    (fault,) = faults(calls(**{setting: value}))
    assert fault.key == f"destinations.calls.{setting}"
    assert expected in fault.expected
    assert mend in fault.mend


@pytest.mark.parametrize("reader", [ID, "group:players", f"everyone:{ID}", f"group: {ID}"])
def test_readers_are_named_by_kind_and_object_id(reader: str) -> None:
    (fault,) = faults(calls(readers=[reader]))
    assert fault.key == "destinations.calls.readers[0]"


# settings, the key that is named, what was expected
APART: list[tuple[dict[str, Any], str, str]] = [
    ({"existing": True, "storage_account": "acmeown"}, "existing", "resource_group beside existing"),
    ({"existing": True, "resource_group": "own"}, "existing", "storage_account beside existing"),
    (
        {"existing": True, "storage_account": "acmeown", "resource_group": "own", "retention_days": 3},
        "retention_days",
        "beside existing",
    ),
    ({"existing_resource_group": True}, "existing_resource_group", "resource_group beside"),
    ({"adopt": True, "on_destroy": "delete"}, "on_destroy", "beside adopt: true"),
    (
        {"adopt_application": ID, "on_destroy": "delete"},
        "on_destroy",
        "beside adopt_application, which takes the",
    ),
    (
        {"identity": "managed_identity", "adopt_application": ID},
        "adopt_application",
        "either an application or a managed identity",
    ),
    (
        {"application_client_id": ID, "adopt_application": ID},
        "adopt_application",
        "either an application that stays somebody else's or one that is adopted",
    ),
    ({"adopt_credential": ID}, "adopt_credential", "adopt_application beside adopt_credential"),
    ({"adopt": True, "key_vault_key": KEY}, "key_vault_key", "no key beside adopt"),
    (
        {"identity": "managed_identity", "application_client_id": ID},
        "application_client_id",
        "either an application or a managed identity",
    ),
    ({"application_client_id": ID, "identity_name": "x"}, "identity_name", "an application that exists"),
    ({"identity": "managed_identity", "identity_name": "a b"}, "identity_name", "3 to 128"),
]


@pytest.mark.parametrize(("settings", "key", "expected"), APART)
def test_what_does_not_fit_together_is_named(settings: dict[str, Any], key: str, expected: str) -> None:
    (fault,) = faults(calls(**settings))
    assert fault.key == f"destinations.calls.{key}"
    assert expected in fault.expected


def test_sound_settings_are_taken() -> None:
    settings: dict[str, Any] = {
        "storage_account": "acmecalls",
        "container": "support-calls",
        "resource_group": "Recordings-(prod)",
        "readers": [f"group:{ID}", f"user:{ID}", f"servicePrincipal:{ID}"],
        "key_vault_key": KEY,
        "redundancy": "GZRS",
    }
    assert judged(calls(**settings)).warnings == ()
    key = vault_key(KEY)
    assert key is not None
    assert (key.vault_uri, key.key) == ("https://acme-keys.vault.azure.net", "recordings")


def test_one_name_is_not_taken_twice() -> None:
    same = {"storage_account": "acmecalls", "resource_group": "calls"}
    found = faults({"destinations": {"calls": AZURE | same, "demos": AZURE | same}})
    assert sorted(fault.key for fault in found) == sorted(
        f"destinations.{name}.{field}" for name in ("calls", "demos") for field in same
    )
    shared = {"resource_group": "calls", "existing_resource_group": True}
    assert judged({"destinations": {"calls": AZURE | shared, "demos": AZURE | shared}})


def test_an_application_is_adopted_once() -> None:
    found = faults(
        {
            "destinations": {
                "calls": AZURE | {"adopt_application": ID.upper()},
                "demos": AZURE | {"adopt_application": ID},
            }
        }
    )
    assert [fault.key for fault in found] == [
        "destinations.calls.adopt_application",
        "destinations.demos.adopt_application",
    ]
    assert judged(calls(adopt_application=ID, identity_name="Recordings", on_destroy="retain")).warnings == ()


def test_tags_must_be_azures() -> None:
    (fault,) = faults(calls() | {"tags": {"team/voice": "x"}})
    assert fault.key == "tags.team/voice"


def test_an_unknown_location_is_a_warning() -> None:
    (warning,) = judged(calls(location="westeurop")).warnings
    assert (warning.key, warning.mend) == ("destinations.calls.location", 'did you mean "westeurope"?')
