"""A rehearsal finds what is too open on Azure: each destination here lets somebody in who should be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.rehearsal.azure_blob_assumed import OTHER_CLIENT, OTHER_ISSUERS
from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path

SUBSCRIPTION = "22223333-4444-5555-6666-777788889999"
READER = "33334444-5555-6666-7777-88889999aaaa"
PROGRAM = (
    f"""
SUBSCRIPTION, OTHER_CLIENT, OTHER_ISSUER = {SUBSCRIPTION!r}, {OTHER_CLIENT!r}, {OTHER_ISSUERS[0]!r}
"""
    + """
ROLES = "/subscriptions/" + SUBSCRIPTION + "/providers/Microsoft.Authorization/roleDefinitions/"
CONTRIBUTOR = ROLES + "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
OWNER = ROLES + "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
BESIDE = {
    "access-writer": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "key-operator-writer": "81a9662b-bebf-436f-a333-f67b29880f12",
}
TRUSTS = {
    "workspace": {"subject": "not-w-acme"},
    "case": {"subject": "W-ACME"},
    "issuer": {"issuer": OTHER_ISSUER},
    "slash": {"issuer": "https://recording-copy.tavus.io/"},
}
ACCOUNTS = {
    "keys": {"allow_shared_key_access": True},
    "http": {"enable_https_traffic_only": False},
    "may-be-opened": {"allow_blob_public_access": True},
    "public": {"allow_blob_public_access": True},
}

def outer(scope, levels):
    return scope.apply(lambda known: known.rsplit("/", levels)[0])

def change(args):
    import pulumi_azure_native as azure
    import pulumi_azuread as azuread
    name, props = args.name, args.props
    destination, is_trust = name.removesuffix("-federated-credential"), name.endswith("-federated-credential")
    if is_trust and destination in TRUSTS:
        said = {"display_name": "another", **{k: props[k] for k in ("issuer", "subject", "audiences", "application_id")}}
        azuread.ApplicationFederatedIdentityCredential(destination + "-another", **said | TRUSTS[destination])
    elif name == "client-federated-credential":
        other = azuread.get_application_output(client_id=OTHER_CLIENT).id
        said = {k: props[k] for k in ("issuer", "subject", "audiences", "display_name")}
        azuread.ApplicationFederatedIdentityCredential("client-another", application_id=other, **said)
    elif name.endswith("-storage-account"):
        props.update(ACCOUNTS.get(name.removesuffix("-storage-account"), {}))
    elif name == "public-container":
        props["public_access"] = "Container"
    elif name == "account-writer":
        props["scope"] = outer(props["scope"], 4)
    elif name == "group-writer":
        props["scope"] = outer(props["scope"], 8)
    elif name == "owner-writer":
        props["role_definition_id"] = OWNER
    elif name in BESIDE:
        scope = props["scope"] if name == "access-writer" else outer(props["scope"], 4)
        azure.authorization.RoleAssignment(
            name + "-beside", role_assignment_name="5555aaaa-6666-7777-8888-9999aaaabbbb", scope=scope,
            role_definition_id=ROLES + BESIDE[name], principal_id=props["principal_id"],
            principal_type="ServicePrincipal",
        )
    elif name.startswith("reader-writes-reader-"):
        props["role_definition_id"] = CONTRIBUTOR
    return pulumi.ResourceTransformationResult(props, args.opts)

pulumi.runtime.register_stack_transformation(change)
"""
)

# destination -> exactly what should have been refused
OPEN = {
    "workspace": ["refused.another-workspace"],
    "case": ["refused.workspace-in-another-case"],
    "issuer": ["refused.another-issuer"],
    "slash": ["refused.issuer-with-slash"],
    "client": ["refused.another-client"],
    "account": ["refused.another-container"],
    "group": ["refused.another-container", "refused.another-account"],
    "owner": ["refused.delete-version"],
    "access": ["refused.change-access"],
    "key-operator": ["refused.change-access"],
    "may-be-opened": ["refused.change-access"],
    "keys": ["refused.shared-key"],
    "http": ["refused.plain-http"],
    "public": ["refused.anonymous", "refused.change-access"],
    "reader-writes": ["refused.reader-1-writes"],
}
EVIDENCE = {
    "workspace": "an object written with it",
    "client": "nothing can be written with it",
    "access": "assigns a role",
    "key-operator": "lists the account's keys",
    "may-be-opened": "opens the container to everybody",
    "public": "anyone reads the recording, lists the recordings",
}

NAMED: dict[str, list[str]] = {
    "workspace": ["Z13"],
    "case": ["Z13"],
    "issuer": ["Z13"],
    "slash": ["Z13"],
    "account": ["Z12"],
    "group": ["Z12"],
    "access": ["Z12"],
    "key-operator": ["Z12"],
    "public": ["Z15"],
}
"""What `verify` says of them, before anybody has tried anything; it names no other."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = tmp_path_factory.mktemp("open") / "project"
    destinations: dict[str, dict[str, object]] = {
        name: {
            "provider": "azure_blob",
            "tenant": "11112222-3333-4444-5555-666677778888",
            "subscription": SUBSCRIPTION,
            "location": "westeurope",
            "workspace_id": "w-acme",
            "readers": [f"user:{READER}"],
        }
        for name in [*OPEN, "right"]
    }
    # What another application trusts is seen by all that have the same workspace.
    destinations["client"]["workspace_id"] = "w-acme-2"
    write_project(folder, {"destinations": destinations}, change=PROGRAM)
    return command("rehearse", "acme", "--format", "json", folder=folder)


@pytest.mark.parametrize("destination", OPEN)
def test_what_is_too_open_fails(outcome: Outcome, destination: str) -> None:
    assert outcome.code == 1, outcome.err
    assert outcome.departures(destination) == dict.fromkeys(OPEN[destination], "fail")
    for id_ in OPEN[destination]:
        assert outcome.results(destination)[id_]["mend"]


@pytest.mark.parametrize("destination", EVIDENCE)
def test_it_is_said_how_far_somebody_came(outcome: Outcome, destination: str) -> None:
    found = outcome.results(destination)[OPEN[destination][0]]
    assert EVIDENCE[destination] in found["evidence"]


def test_with_the_right_settings_all_of_it_is_refused(outcome: Outcome) -> None:
    found = outcome.results("right")
    assert {id_ for ids in OPEN.values() for id_ in ids} <= set(found)
    assert outcome.departures("right") == {}
    assert found["proven.reader-1"]["status"] == "pass"


@pytest.mark.parametrize("destination", NAMED)
def test_verify_names_it(outcome: Outcome, destination: str) -> None:
    assert outcome.checks(destination) == dict.fromkeys(NAMED[destination], "fail")


def test_verify_fails_nothing_else(outcome: Outcome) -> None:
    rest = [name for name in ("right", *OPEN) if name not in NAMED]
    assert [id_ for name in rest for id_, status in outcome.checks(name).items() if status == "fail"] == []
