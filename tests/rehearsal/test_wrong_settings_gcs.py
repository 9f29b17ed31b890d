"""A rehearsal finds every wrong setting of Google's: each destination here has one, and its recorder must fail for it.

One run holds them all. The program is the project's own; a transformation, as a team's own program may have one,
changes a single property of a single destination on its way to the cloud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.projects import Outcome, command, write_project

if TYPE_CHECKING:
    from pathlib import Path

PLACE = {"provider": "gcs", "location": "europe-west1", "workspace_id": "w-acme"}
KEY = "projects/acme-keys/locations/europe-west1/keyRings/recordings/cryptoKeys/calls"
READER = "user:player@example.com"

CHANGE = """
UNTIL = {"title": "until", "expression": "request.time < timestamp('2020-01-01T00:00:00Z')"}
PREFIX = {"title": "prefix", "expression": "resource.name.extract('/objects/{name}').startsWith('recordings/')"}
INSIDE = {"title": "inside", "expression": "destination.ip == '10.0.0.1'"}

CHANGES = {
    "pool-off-pool": {"disabled": True},
    "provider-off-pool-provider": {"disabled": True},
    "issuer-pool-provider": {"oidc": {"issuer_uri": "https://recording-copy.tavus.io/"}},
    "audiences-pool-provider": {"oidc": {"issuer_uri": "https://recording-copy.tavus.io", "allowed_audiences": ["tavus"]}},
    "condition-pool-provider": {"attribute_condition": 'google.subject == "W-ACME"'},
    "mapping-pool-provider": {"attribute_mapping": {"google.subject": "assertion.email"}},
    "sts-off-api-sts": {"service": "iam.googleapis.com"},
    "credentials-off-api-iamcredentials": {"service": "iam.googleapis.com"},
    "trust-role-trust": {"role": "roles/iam.serviceAccountUser"},
    "writer-role-writer": {"role": "roles/storage.objectViewer"},
    "until-writer": {"condition": UNTIL},
    "prefix-writer": {"condition": PREFIX},
    "inside-writer": {"condition": INSIDE},
    "versioning-bucket": {"versioning": {"enabled": False}},
    "no-key-use-key-use": {"role": "roles/cloudkms.viewer"},
    "reader-role-readers": {"role": "roles/storage.legacyBucketReader"},
    "overwrite-writer": {"role": "roles/storage.objectCreator"},
}

def other_subject(members):
    return [member.replace("/subject/w-acme", "/subject/w-acme-2") for member in members]

def ask(method, url, body):
    import google.auth
    from google.auth.transport.requests import AuthorizedSession
    session = AuthorizedSession(google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])[0])
    answer = session.request(method, url, json=body)
    assert answer.ok, answer.text

def account_off(members):
    email = members[0].partition(":")[2]
    ask("POST", "https://iam.googleapis.com/v1/projects/-/serviceAccounts/" + email + ":disable", {})
    return members

def key_off(bucket):
    version = "https://cloudkms.googleapis.com/v1/" + KEY + "-off/cryptoKeyVersions/1"
    ask("PATCH", version + "?updateMask=state", {"state": "DISABLED"})
    return bucket

def change(args):
    args.props.update(CHANGES.get(args.name, {}))
    # These can't be so from the beginning, and are once everything is there.
    if args.name == "account-off-writer":
        args.props["members"] = pulumi.Output.all(*args.props["members"]).apply(account_off)
    if args.name == "key-off-writer":
        args.props["bucket"] = args.props["bucket"].apply(key_off)
    if args.name == "trust-subject-trust":
        members = pulumi.Output.all(*args.props["members"])
        args.props["members"] = members.apply(other_subject)
    return pulumi.ResourceTransformationResult(args.props, args.opts)

pulumi.runtime.register_stack_transformation(change)
"""

PROGRAM = f"KEY = {KEY!r}\n{CHANGE}"

# destination -> the first step that fails, and what the evidence must say
WRONG = {
    "pool-off": ("proven.exchange", "is disabled"),
    "provider-off": ("proven.exchange", "the provider recording-service is disabled"),
    "issuer": ("proven.exchange", "the provider's is https://recording-copy.tavus.io/"),
    "audiences": ("proven.exchange", "the provider allows tavus"),
    "condition": ("proven.exchange", 'is false for the subject "w-acme"'),
    "mapping": ("proven.exchange", "google.subject=assertion.email"),
    "sts-off": ("proven.exchange", "sts.googleapis.com isn't enabled"),
    "credentials-off": ("proven.impersonate", "iamcredentials.googleapis.com isn't enabled"),
    "trust-role": ("proven.impersonate", "roles/iam.serviceAccountUser"),
    "trust-subject": ("proven.impersonate", "/subject/w-acme-2"),
    "account-off": ("proven.impersonate", "is disabled"),
    "writer-role": ("proven.write", "storage.objects.create"),
    "until": ("proven.write", "request.time"),
    "prefix": ("proven.write", "startsWith('recordings/')"),
    "versioning": ("proven.versions", "versioning isn't enabled"),
    "key-off": ("proven.write", "is disabled"),
    "reader-role": ("proven.reader-1", "storage.objects.get"),
    "overwrite": ("proven.overwrite", "storage.objects.delete"),
}
OWN_PROJECTS = {"sts-off", "credentials-off"}
SETTINGS: dict[str, dict[str, Any]] = {
    "key-off": {"kms_key_name": f"{KEY}-off"},
    "overwrite": {"allow_overwrite": True},
    "reader-role": {"readers": [READER]},
    "right": {"kms_key_name": KEY, "readers": [READER], "allow_overwrite": True},
}

NAMED: dict[str, list[str]] = {
    "pool-off": ["G2"],
    "provider-off": ["G2"],
    "issuer": ["G10"],
    "audiences": ["G3"],
    "condition": ["G4"],
    "sts-off": ["G9"],
    "credentials-off": ["G9"],
    "trust-role": ["G5"],
    "trust-subject": ["G5"],
    "account-off": ["G6"],
    "writer-role": ["G6"],
    "until": ["G6"],
    "prefix": ["G6"],
    "key-off": ["G15"],
}
"""What `verify` says of them, before anybody has tried anything; it names no other."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = tmp_path_factory.mktemp("wrong") / "project"
    destinations = {
        name: PLACE
        | {"project": f"acme-{name}" if name in OWN_PROJECTS else "acme-prod"}
        | SETTINGS.get(name, {})
        for name in [*WRONG, "inside", "right"]
    }
    write_project(folder, {"destinations": destinations}, change=PROGRAM)
    return command("rehearse", "acme", "--format", "json", folder=folder)


def test_the_rehearsal_fails(outcome: Outcome) -> None:
    assert outcome.code == 1, outcome.err
    assert outcome.document["summary"]["held"] is False


@pytest.mark.parametrize("destination", WRONG)
def test_a_wrong_setting_makes_the_recorder_fail(outcome: Outcome, destination: str) -> None:
    id_, evidence = WRONG[destination]
    departures = outcome.departures(destination)
    assert next(iter(departures), None) == id_
    assert departures[id_] == "fail"
    failed = outcome.results(destination)[id_]
    assert evidence in failed["evidence"]
    assert failed["mend"]
    assert failed["source"].startswith("https://")


def test_what_is_not_wrong_is_not_called_wrong(outcome: Outcome) -> None:
    assert outcome.departures("right") == {}


def test_what_cannot_be_decided_offline_is_neither_passed_nor_failed(outcome: Outcome) -> None:
    found = outcome.results("inside")["proven.write"]
    assert found["status"] == "unknown"
    assert "destination.ip" in found["evidence"]


def test_a_key_that_cloud_storage_may_not_use_stops_the_program(tmp_path: Path) -> None:
    destinations = {"no-key-use": PLACE | {"project": "acme-prod", "kms_key_name": KEY}}
    folder = write_project(tmp_path / "project", {"destinations": destinations}, change=PROGRAM)
    done = command("rehearse", "acme", "--format", "json", folder=folder)
    assert done.code == 1, done.err
    assert done.departures("") == {"proven.program": "fail"}
    assert "roles/cloudkms.viewer" in done.results("")["proven.program"]["evidence"]


@pytest.mark.parametrize("destination", NAMED)
def test_verify_names_it(outcome: Outcome, destination: str) -> None:
    assert outcome.checks(destination) == dict.fromkeys(NAMED[destination], "fail")


def test_verify_fails_nothing_else(outcome: Outcome) -> None:
    rest = [name for name in ("right", *WRONG) if name not in NAMED]
    assert [id_ for name in rest for id_, status in outcome.checks(name).items() if status == "fail"] == []
