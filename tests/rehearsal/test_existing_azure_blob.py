"""What a stack on Azure finds already there: groups, accounts, applications, keys, readers; and what it overrides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from components import naming
from components.settings import Settings, TrustProfile
from recording_storage.rehearsal.azure_blob import AzureBlobStage
from recording_storage.rehearsal.child import ChildError
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.azure import azurite
from recording_storage.steps import ISSUER_VARIABLE
from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from collections.abc import Mapping

TENANT, SUBSCRIPTION = "11112222-3333-4444-5555-666677778888", "22223333-4444-5555-6666-777788889999"
OTHER_TENANT, OTHER_SUBSCRIPTION = (
    "aaaa2222-3333-4444-5555-666677778888",
    "bbbb3333-4444-5555-6666-777788889999",
)
PLACE = {
    "provider": "azure_blob",
    "tenant": TENANT.upper(),
    "subscription": SUBSCRIPTION,
    "location": "westeurope",
    "workspace_id": "W-acme/42",
}
KEY = (
    "/subscriptions/cccc4444-5555-6666-7777-88889999aaaa/resourceGroups/acme-keys/providers/Microsoft.KeyVault"
    "/vaults/acme-keys/keys/calls"
)
APPLICATION = "dddd5555-6666-7777-8888-9999aaaabbbb"
ADOPTED, CREDENTIAL = "eeee5555-6666-7777-8888-9999AAAABBBB", "eeee6666-7777-8888-9999-aaaabbbbcccc"
READERS = [
    "user:33334444-5555-6666-7777-88889999aaaa",
    "servicePrincipal:44445555-6666-7777-8888-9999aaaabbbb",
    "group:55556666-7777-8888-9999-aaaabbbbcccc",
]

# destination -> its settings beside those that all have, and what is assumed for it
EXISTING: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "account": (
        {"existing": True, "storage_account": "acmeown", "resource_group": "own", "container": "calls"},
        ("that account and container exist, are versioned", "that the resource group exists"),
    ),
    "group": (
        {"existing_resource_group": True, "resource_group": "shared"},
        ("that the resource group exists",),
    ),
    "application": ({"application_client_id": APPLICATION}, ("that the application exists",)),
    "own-application": (
        {"adopt_application": ADOPTED, "adopt_credential": CREDENTIAL, "identity_name": "Recordings"},
        ("that the application exists, set as the configuration asks for, that the owner may manage it",),
    ),
    "restored": (
        {"adopt_application": ADOPTED.replace("e", "f")},
        ("that the application exists, set as the configuration asks for",),
    ),
    "adopted": (
        {"adopt": True, "storage_account": "acmeformer", "resource_group": "former", "retention_days": 30},
        ("that the storage exists, set as",),
    ),
    "key": ({"key_vault_key": KEY}, ("that the key exists",)),
    "managed": ({"identity": "managed_identity", "identity_name": "recordings"}, ()),
    "elsewhere": (
        {"tenant": OTHER_TENANT, "subscription": OTHER_SUBSCRIPTION},
        (f"that the tenant {OTHER_TENANT} and its subscription {OTHER_SUBSCRIPTION} exist",),
    ),
    "read": ({"readers": READERS}, ("that the readers exist", f"that {READERS[2]} can read")),
}
NOTHING = Settings(naming.Scope("", "", ""), {}, None, {}, TrustProfile())


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = tmp_path_factory.mktemp("existing") / "project"
    destinations = {name: PLACE | settings for name, (settings, _) in EXISTING.items()}
    config = {"destinations": destinations, "tags": {"team": "voice"}}
    return command("rehearse", "acme", "-f", "json", folder=write_project(folder, config))


def report(outcome: Outcome, name: str) -> dict[str, Any]:
    (destination,) = [one for one in outcome.document["destinations"] if one["name"] == name]
    return destination


def made(outcome: Outcome, name: str) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in report(outcome, name)["made"]}


def test_all_of_it_is_proven(outcome: Outcome) -> None:
    assert outcome.code == 0, outcome.out + outcome.err


@pytest.mark.parametrize("name", EXISTING)
def test_what_is_assumed_is_said(outcome: Outcome, name: str) -> None:
    unproven = report(outcome, name)["unproven"]
    for assumed in EXISTING[name][1]:
        assert any(assumed in one for one in unproven), assumed


def test_what_is_derived_is_said_with_how_sure_it_is(outcome: Outcome) -> None:
    (said,) = [
        one for one in report(outcome, "key")["unproven"] if "not confirmed" in one or "none of it" in one
    ]
    assert "the issuer is https://recording-copy.tavus.io (derived)" in said
    assert "the subject is your Workspace ID (derived)" in said
    assert "the audience is api://AzureADTokenExchange (seen in public repositories)" in said


def test_what_is_somebody_elses_is_not_called_made(outcome: Outcome) -> None:
    left = ["existing, left as it is"]
    assert made(outcome, "account")["storage account"]["properties"] == left
    assert made(outcome, "account")["container"] == {"kind": "container", "name": "calls", "properties": left}
    given = made(outcome, "application")["application"]
    assert given["name"] == APPLICATION
    assert given["properties"][:2] == ["given", "only workspace W-acme/42"]
    assert made(outcome, "key")["key"] == {"kind": "key", "name": KEY, "properties": ["given"]}


def test_an_application_that_is_adopted_is_this_destinations(outcome: Outcome) -> None:
    adopted = made(outcome, "own-application")["application"]
    assert (adopted["name"], adopted["properties"][0]) == ("Recordings", "only workspace W-acme/42")
    assert not any(
        "may register applications" in one for one in report(outcome, "own-application")["unproven"]
    )
    assert any("may register applications" in one for one in report(outcome, "group")["unproven"])


def test_what_is_set_on_somebody_elses_account_is_not_judged(outcome: Outcome) -> None:
    of_the_account = {"refused.shared-key", "refused.plain-http"}
    assert not of_the_account & set(outcome.results("account"))
    assert of_the_account <= set(outcome.results("group"))


def test_what_is_adopted_is_as_the_configuration_asks_for(outcome: Outcome) -> None:
    properties = made(outcome, "adopted")["storage account"]["properties"]
    assert {"private", "no shared keys", "TLS 1.2", "versioned", "expires after 30 days"} <= set(properties)
    assert "deleted ones kept 1 day" in properties
    assert "with a customer's key" in made(outcome, "key")["storage account"]["properties"]


@pytest.mark.parametrize(("name", "kind"), [("managed", "managed identity"), ("group", "application")])
def test_what_becomes_of_the_client_id_is_said(outcome: Outcome, name: str, kind: str) -> None:
    assert f"a re-created {kind} has a new client id" in made(outcome, name)[kind]["properties"]


def test_readers_read_and_nothing_else(outcome: Outcome) -> None:
    found = outcome.results("read")
    for number in (1, 2):
        assert found[f"proven.reader-{number}"]["status"] == "pass"
        assert found[f"refused.reader-{number}-writes"]["status"] == "pass"
    assert "proven.reader-3" not in found, "nobody can be one of a group here"


def test_overridden_constants_are_rehearsed_and_said(tmp_path: Path) -> None:
    profile = {"issuer": "https://issuer.example.com/tavus/", "audience": "tavus"}
    config = {"destinations": {"calls": PLACE}, "trust_profile": {"azure_blob": profile}}
    done = command("rehearse", "acme", "-f", "json", folder=write_project(tmp_path / "project", config))
    assert done.code == 0, done.out + done.err
    found = done.results("calls")
    for name, value in profile.items():
        assert found[f"unproven.trust-profile.{name}"]["status"] == "warn"
        assert value in found[f"unproven.trust-profile.{name}"]["title"]
    assert found["refused.issuer-without-slash"]["status"] == "pass"
    assert not any(profile["issuer"] in one for one in report(done, "calls")["unproven"])


def test_without_azurite_a_rehearsal_says_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(azurite, "FOLDER", tmp_path)
    with Sandbox() as sandbox, pytest.raises(ChildError, match="make setup brings it"):
        AzureBlobStage(sandbox, NOTHING, tmp_path).prepare()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "https://recording-copy.tavus.io"),
        ({ISSUER_VARIABLE: "https://issuer.example.org"}, "https://issuer.example.org"),
    ],
)
def test_a_guest_owns_a_subscription_too(before: Mapping[str, str], after: str, tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        environment = sandbox.environment("home", before)
        given = environment | dict(AzureBlobStage(sandbox, NOTHING, tmp_path).guest(environment))
        assert Path(given["AZURE_FEDERATED_TOKEN_FILE"]).is_file()
        assert given["AZURE_SUBSCRIPTION_ID"]
        assert given[ISSUER_VARIABLE] == after
