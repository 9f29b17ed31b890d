"""A rehearsal finds every wrong setting of Azure's: each destination here has one, and its recorder must fail for it.

One run holds them all. The program is the project's own; a transformation, as a team's own program may have one,
changes a single property of a single destination on its way to the cloud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path

SUBSCRIPTION = "22223333-4444-5555-6666-777788889999"
PLACE = {
    "provider": "azure_blob",
    "tenant": "11112222-3333-4444-5555-666677778888",
    "subscription": SUBSCRIPTION,
    "location": "westeurope",
    "workspace_id": "w-acme",
}
KEY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/acme-keys/providers/Microsoft.KeyVault/vaults/acme-keys/keys/calls"
READER = "user:33334444-5555-6666-7777-88889999aaaa"

PROGRAM = (
    f"""
SUBSCRIPTION, KEY = {SUBSCRIPTION!r}, {KEY!r}
"""
    + """
ROLES = "/subscriptions/" + SUBSCRIPTION + "/providers/Microsoft.Authorization/roleDefinitions/"
BLOB_READER, MANAGER = ROLES + "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", ROLES + "b24988ac-6180-42a0-ab88-20f7382dd24c"
DELEGATOR = ROLES + "db58b8e5-c6ad-4a2a-8342-4190687cbf4a"
NOBODY = "44445555-6666-7777-8888-9999aaaabbbb"
CONDITION = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringLike 'recordings/*'"

CHANGES = {
    "issuer-federated-credential": {"issuer": "https://recording-copy.tavus.io/"},
    "subject-federated-credential": {"subject": "W-ACME"},
    "audience-federated-credential": {"audiences": ["tavus"]},
    "managed-federated-credential": {"subject": "w-acme-2"},
    "disabled-service-principal": {"account_enabled": False},
    "role-writer": {"role_definition_id": BLOB_READER},
    "manager-writer": {"role_definition_id": MANAGER},
    "somebody-writer": {"principal_id": NOBODY},
    "scope-writer": {"scope": "/subscriptions/" + SUBSCRIPTION + "/resourceGroups/elsewhere"},
    "key-scope-writer": {"scope": KEY},
    "condition-writer": {"condition": CONDITION, "condition_version": "2.0"},
    "network-storage-account": {"public_network_access": "Disabled"},
    "versioning-blob-service": {"is_versioning_enabled": False},
    "reader-role-reader-33334444-5555-6666-7777-88889999aaaa": {"role_definition_id": DELEGATOR},
    "no-key-use-key-use": {"role_definition_id": MANAGER},
}
MADE = {}

def take_key_back(scope):
    import requests
    from azure.identity import WorkloadIdentityCredential
    token = WorkloadIdentityCredential().get_token("https://management.azure.com/.default").token
    place = "https://management.azure.com" + KEY + "-lost/providers/Microsoft.Authorization/roleAssignments"
    headers, version = {"Authorization": "Bearer " + token}, {"api-version": "2022-04-01"}
    here = requests.get(place, params=version | {"$filter": "atScope()"}, headers=headers).json()["value"]
    users = [one for one in here if one["properties"]["scope"].endswith("-lost")]
    assert users
    for one in users:
        done = requests.delete("https://management.azure.com" + one["id"], params=version, headers=headers)
        assert done.ok, done.text
    return scope

def change(args):
    args.props.update(CHANGES.get(args.name, {}))
    if args.name == "key-lost-writer":  # it can't be so from the beginning
        args.props["scope"] = args.props["scope"].apply(take_key_back)
    if args.name.endswith("-service-principal"):
        MADE[args.name] = args.props["client_id"]
    if args.name == "client-id-writer":
        args.props["principal_id"] = MADE["client-id-service-principal"]
    if args.name == "object-id-federated-credential":
        MADE["object-id"] = args.props["application_id"]
    if args.name == "object-id-writer":
        args.props["principal_id"] = MADE["object-id"].apply(lambda id_: id_.rpartition("/")[2])
    return pulumi.ResourceTransformationResult(args.props, args.opts)

pulumi.runtime.register_stack_transformation(change)
"""
)

# destination -> the first step that fails, and what the evidence must say
WRONG = {
    "issuer": ("proven.exchange", "the federated credential's 'https://recording-copy.tavus.io/'"),
    "subject": ("proven.exchange", "they differ in case"),
    "audience": ("proven.exchange", "the federated credential's 'tavus'"),
    "managed": ("proven.exchange", "the federated credential's 'w-acme-2'"),
    "disabled": ("proven.exchange", "is disabled"),
    "role": ("proven.write", "doesn't permit Microsoft.Storage"),
    "manager": ("proven.write", "Contributor on "),
    "somebody": ("proven.write", "but to 44445555-6666-7777-8888-9999aaaabbbb"),
    "scope": ("proven.write", "isn't within it"),
    "key-scope": ("proven.write", "isn't within it"),
    "client-id": ("proven.write", "which is the client id of"),
    "network": ("proven.write", "public network access is disabled"),
    "key-lost": ("proven.write", "no role with this data action"),
    "versioning": ("proven.versions", "versioning isn't enabled"),
    "reader-role": ("proven.reader-1", "doesn't permit Microsoft.Storage"),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "managed": {"identity": "managed_identity"},
    "key-scope": {"key_vault_key": KEY},
    "key-lost": {"key_vault_key": f"{KEY}-lost"},
    "reader-role": {"readers": [READER]},
    "right": {"key_vault_key": KEY, "readers": [READER], "retention_days": 30},
    "right-managed": {"identity": "managed_identity", "readers": [READER]},
}
LETS_IN = {"issuer": ("refused.issuer-with-slash",), "subject": ("refused.workspace-in-another-case",)}
"""What is wrong for the service is right for somebody else."""
PROGRAMS: dict[str, tuple[dict[str, Any], str]] = {
    "object-id": ({}, "the object id of the application"),
    "no-key-use": ({"key_vault_key": KEY}, "Contributor on "),
}
"""Destinations whose program Azure itself stops: their settings, and why."""

NAMED: dict[str, list[str]] = {
    "issuer": ["Z1"],
    "subject": ["Z2"],
    "audience": ["Z1"],
    "managed": ["Z1"],
    "disabled": ["Z10"],
    "role": ["Z6"],
    "manager": ["Z6"],
    "somebody": ["Z6"],
    "scope": ["Z6", "Z12"],
    "key-scope": ["Z6", "Z12"],
    "client-id": ["Z6", "Z8"],
    "network": ["Z9"],
    "key-lost": ["Z16"],
}
"""What `verify` says of them, before anybody has tried anything; it names no other."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = tmp_path_factory.mktemp("wrong") / "project"
    names = [*WRONG, "condition", "right", "right-managed"]
    destinations = {name: PLACE | SETTINGS.get(name, {}) for name in names}
    destinations["other"] = PLACE | {"existing_resource_group": True, "resource_group": "elsewhere"}
    write_project(folder, {"destinations": destinations}, change=PROGRAM)
    return command("rehearse", "acme", "--format", "json", folder=folder)


def test_the_rehearsal_fails(outcome: Outcome) -> None:
    assert outcome.code == 1, outcome.err
    assert outcome.document["summary"]["held"] is False


@pytest.mark.parametrize("destination", WRONG)
def test_a_wrong_setting_makes_the_recorder_fail(outcome: Outcome, destination: str) -> None:
    id_, evidence = WRONG[destination]
    assert outcome.departures(destination) == dict.fromkeys([id_, *LETS_IN.get(destination, ())], "fail")
    failed = outcome.results(destination)[id_]
    assert evidence in failed["evidence"]
    assert failed["mend"]
    assert failed["source"].startswith("https://")


@pytest.mark.parametrize("destination", ["right", "right-managed", "other"])
def test_what_is_not_wrong_is_not_called_wrong(outcome: Outcome, destination: str) -> None:
    assert outcome.departures(destination) == {}


def test_what_cannot_be_decided_offline_is_neither_passed_nor_failed(outcome: Outcome) -> None:
    found = outcome.results("condition")["proven.write"]
    assert found["status"] == "unknown"
    assert "StringLike" in found["evidence"]


@pytest.mark.parametrize("destination", PROGRAMS)
def test_what_azure_does_not_take_stops_the_program(tmp_path: Path, destination: str) -> None:
    settings, evidence = PROGRAMS[destination]
    folder = write_project(
        tmp_path / "project", {"destinations": {destination: PLACE | settings}}, change=PROGRAM
    )
    done = command("rehearse", "acme", "--format", "json", folder=folder)
    assert done.code == 1, done.err
    assert done.departures("") == {"proven.program": "fail"}
    assert evidence in done.results("")["proven.program"]["evidence"]


@pytest.mark.parametrize("destination", NAMED)
def test_verify_names_it(outcome: Outcome, destination: str) -> None:
    assert outcome.checks(destination) == dict.fromkeys(NAMED[destination], "fail")


def test_verify_fails_nothing_else(outcome: Outcome) -> None:
    rest = [name for name in ("right", *WRONG) if name not in NAMED]
    assert [id_ for name in rest for id_, status in outcome.checks(name).items() if status == "fail"] == []
