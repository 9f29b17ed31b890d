"""A rehearsal finds what is too open on Google Cloud: each destination here lets somebody in who should be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recording_storage.rehearsal.gcs_assumed import number
from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path

READER = "user:player@example.com"
CHANGE = """
PLATFORM = "https://www.googleapis.com/auth/cloud-platform"

def whole_pool(members):
    return ["principalSet://" + members[0].partition("://")[2].partition("/subject/")[0] + "/*"]

def edit(props, name, how):
    props[name] = pulumi.Output.all(*props[name]).apply(how)

def on_the_project(members):
    import google.auth
    from google.auth.transport.requests import AuthorizedSession
    session = AuthorizedSession(google.auth.default([PLATFORM])[0])
    project = "https://cloudresourcemanager.googleapis.com/v3/projects/acme-everywhere"
    policy = session.post(project + ":getIamPolicy", json={}).json()
    policy["bindings"].append({"role": "roles/storage.objectCreator", "members": members})
    assert session.post(project + ":setIamPolicy", json={"policy": policy}).ok
    return members

def change(args):
    name, props = args.name, args.props
    if name in ("no-condition-pool-provider", "anyone-pool-provider"):
        props["attribute_condition"] = None
    elif name == "ignores-case-pool-provider":
        props["attribute_condition"] = 'google.subject.lowerAscii() == "w-acme"'
    elif name == "anyone-trust":
        edit(props, "members", whole_pool)
    elif name == "audience-pool-provider":
        audiences = [OWN_AUDIENCE, "https://another-audience.example.com"]
        props["oidc"] = {"issuer_uri": "https://recording-copy.tavus.io", "allowed_audiences": audiences}
    elif name == "unrelated-trust":
        import pulumi_gcp
        pulumi_gcp.serviceaccount.IAMMember(
            "unrelated", service_account_id="projects/-/serviceAccounts/unrelated@acme-prod.iam.gserviceaccount.com",
            role=props["role"], member=props["members"][0],
        )
    elif name == "directly-writer":
        props["members"] = [*props["members"], FEDERATED]
    elif name == "everywhere-writer":
        edit(props, "members", on_the_project)
    elif name in WRITERS:
        props["role"] = WRITERS[name]
    elif name == "directly-reads-readers":
        props["members"] = [*props["members"], FEDERATED.replace("directly", "directly-reads")]
    elif name in ("public-bucket", "authenticated-bucket"):
        props["public_access_prevention"] = "inherited"
    elif name == "public-readers":
        props["members"] = ["allUsers"]
    elif name == "authenticated-readers":
        props["members"] = ["allAuthenticatedUsers"]
    elif name == "reader-writes-readers":
        props["role"] = "roles/storage.objectAdmin"
    return pulumi.ResourceTransformationResult(props, args.opts)

WRITERS = {
    "admin-writer": "roles/storage.admin",
    "object-admin-writer": "roles/storage.objectAdmin",
    "object-user-writer": "roles/storage.objectUser",
    "lists-writer": "roles/storage.legacyBucketWriter",
}

pulumi.runtime.register_stack_transformation(change)
"""
POOLS = f"//iam.googleapis.com/projects/{number('acme-prod')}/locations/global/workloadIdentityPools"
NAMES = {
    "FEDERATED": f"principal:{POOLS}/directly-pool/subject/w-acme",
    "OWN_AUDIENCE": f"{POOLS}/audience-pool/providers/recording-service",
}
WHOLE = ["refused.read", "refused.list", "refused.overwrite", "refused.delete"]
WORKSPACES = ["refused.another-workspace", "refused.workspace-in-another-case"]

# destination -> exactly what should have been refused
OPEN = {
    "no-condition": WORKSPACES,
    "anyone": WORKSPACES,
    "ignores-case": ["refused.workspace-in-another-case"],
    "audience": ["refused.another-audience"],
    "unrelated": ["refused.another-service-account"],
    "directly": ["refused.no-impersonation"],
    "directly-reads": ["refused.no-impersonation"],
    "everywhere": ["refused.another-bucket"],
    "admin": ["refused.change-access", *WHOLE],
    "object-admin": WHOLE,
    "object-user": WHOLE,
    "lists": ["refused.list", "refused.overwrite", "refused.delete"],
    "public": [
        *("refused.anonymous", "refused.another-account", "refused.no-impersonation"),
        *("refused.list", "refused.read"),
    ],
    "authenticated": ["refused.another-account", "refused.list", "refused.read"],
    "reader-writes": ["refused.reader-1-writes"],
}

NAMED: dict[str, list[str]] = {
    "no-condition": ["G4"],
    "anyone": ["G4", "G5"],
    "ignores-case": ["G4"],
    "everywhere": ["G13"],
    "admin": ["G13"],
    "object-admin": ["G13"],
    "lists": ["G13"],
    "public": ["G14"],
    "authenticated": ["G14"],
}
"""What `verify` says of them, before anybody has tried anything; it names no other."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = tmp_path_factory.mktemp("open") / "project"
    destinations: dict[str, dict[str, object]] = {
        name: {
            "provider": "gcs",
            "project": "acme-everywhere" if name == "everywhere" else "acme-prod",
            "location": "europe-west1",
            "workspace_id": "w-acme",
            "readers": [READER],
        }
        for name in [*OPEN, "right"]
    }
    for name in ("audience", "directly", "directly-reads"):
        destinations[name]["pool_id"] = f"{name}-pool"
    change = "".join(f"{name} = {value!r}\n" for name, value in NAMES.items()) + CHANGE
    write_project(folder, {"destinations": destinations}, change=change)
    return command("rehearse", "acme", "--format", "json", folder=folder)


@pytest.mark.parametrize("destination", OPEN)
def test_what_is_too_open_fails(outcome: Outcome, destination: str) -> None:
    assert outcome.code == 1, outcome.err
    assert outcome.departures(destination) == dict.fromkeys(OPEN[destination], "fail")
    for id_ in OPEN[destination]:
        assert outcome.results(destination)[id_]["mend"]


def test_it_is_said_how_far_somebody_came(outcome: Outcome) -> None:
    evidence = {
        name: outcome.results(name)["refused.another-workspace"]["evidence"]
        for name in ("no-condition", "anyone")
    }
    assert "can't be impersonated" in evidence["no-condition"]
    assert "and the service account impersonated" in evidence["anyone"]


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
