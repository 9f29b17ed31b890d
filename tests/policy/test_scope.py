"""Which resources of a company's stack are the pack's business, and what the configuration says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import policy_stacks as stacks
from tests.support.analyzer import Asked
from tests.support.policy_stacks import AUDIENCE, known, put, trust, unprotected, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.analyzer import Analyzer, Said

OTHERS = (
    Asked("aws:s3/bucket:Bucket", "website", {"bucket": "acme-www", "acl": "public-read"}, protect=False),
    Asked(
        "aws:iam/role:Role",
        "ci",
        {"assumeRolePolicy": trust(Principal={"AWS": "111122223333"}, Condition={})},
    ),
    Asked("aws:iam/role:Role", "odd", {"assumeRolePolicy": "no JSON at all"}),
    Asked("aws:iam/rolePolicy:RolePolicy", "wide", {"role": "ci", "policy": write(Action="*", Resource="*")}),
    Asked("gcp:storage/bucket:Bucket", "assets", {"name": "acme-assets"}, protect=False),
    Asked(
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        "github",
        {
            "workloadIdentityPoolId": "ci",
            "workloadIdentityPoolProviderId": "github",
            "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        },
    ),
    Asked(
        "gcp:projects/iAMMember:IAMMember", "owner", {"role": "roles/owner", "member": "user:a@acme.example"}
    ),
    Asked("azure-native:storage:StorageAccount", "data", {"accountName": "acmedata"}, protect=False),
    Asked(
        "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
        "deploy",
        {
            "applicationId": "/applications/9",
            "issuer": "https://token.actions.githubusercontent.com",
            "audiences": [AUDIENCE],
            "subject": "repo:acme/app:ref:refs/heads/main",
        },
    ),
)


def refused(said: Sequence[Said]) -> set[tuple[str, str]]:
    return {(one.rule, one.name) for one in said if one.is_refused}


@pytest.mark.parametrize("cloud", [None, *stacks.STACKS])
def test_what_is_not_for_recordings_is_nobodys_business(analyzer: Analyzer, cloud: str | None) -> None:
    beside = list(known(cloud).values()) if cloud else []
    assert analyzer.judge([*OTHERS, *beside]) == []


def test_everything_is_with_scope_all(analyzer: Analyzer) -> None:
    assert refused(analyzer.judge(OTHERS, {"scope": "all"})) == {
        *((rule, "website") for rule in ("S8", "S11", "S12", "P1")),
        *((rule, "assets") for rule in ("G14", "G16", "P1")),
        ("G4", "github"),
        *((rule, "data") for rule in ("Z15", "Z17", "P1")),
    }


@pytest.mark.parametrize("name", ["website", OTHERS[0].urn])
def test_a_destination_that_nothing_shows_is_named(analyzer: Analyzer, name: str) -> None:
    said = analyzer.judge(OTHERS, {"destinations": [name]})
    assert refused(said) == {(rule, "website") for rule in ("S8", "S11", "S12", "P1")}


def test_a_component_of_a_teams_own_is_named_with_all_that_is_in_it(analyzer: Analyzer) -> None:
    component = Asked("acme:index:Storage", "storage")
    said = analyzer.judge(
        [component, replace(OTHERS[0], parent="storage")], {"destinations": [component.name]}
    )
    assert {name for _, name in refused(said)} == {"website"}


def test_a_bucket_that_the_role_only_reads_from_is_not_one_for_recordings(analyzer: Analyzer) -> None:
    stack = known("aws")
    put("write", "policy", write(Action=["s3:GetObject"]))(stack)
    assert refused(analyzer.judge([replace(one, protect=False) for one in stack.values()])) == set()


@pytest.mark.parametrize(("name", "cloud"), [("calls", "aws"), ("calls", "gcp"), ("account", "azure")])
def test_what_is_retained_is_named(analyzer: Analyzer, name: str, cloud: str) -> None:
    stack = known(cloud)
    unprotected(name)(stack)
    assert refused(analyzer.judge(list(stack.values()))) == {("P1", name)}
    assert analyzer.judge(list(stack.values()), {"retained": [name]}) == []


@pytest.mark.parametrize("listed", ["444455556666", "arn:aws:iam::444455556666:root"])
def test_others_who_are_trusted_are_named(analyzer: Analyzer, listed: str) -> None:
    stack = known("aws")
    both = {"AWS": ["291871421005", "arn:aws:iam::444455556666:root"]}
    put("recorder", "assumeRolePolicy", trust(Principal=both))(stack)
    assert refused(analyzer.judge(list(stack.values()))) == {("S9", "recorder")}
    assert analyzer.judge(list(stack.values()), {"principals": [listed]}) == []


def test_everybody_cannot_be_named(analyzer: Analyzer) -> None:
    stack = known("aws")
    put("recorder", "assumeRolePolicy", trust(Principal="*"))(stack)
    assert refused(analyzer.judge(list(stack.values()), {"principals": ["*"]})) == {("S9", "recorder")}


PRESENTED: dict[str, dict[str, Any]] = {
    "aws": {"s3": {"account": "222233334444", "session_seconds": 7200}},
    "gcp": {"gcs": {"issuer": "https://recordings.example.com", "audience": "recordings"}},
    "azure": {"azure_blob": {"issuer": "https://recordings.example.com", "audience": "recordings"}},
}


@pytest.mark.parametrize(
    ("cloud", "edits"),
    [
        (
            "aws",
            [
                put("recorder", "assumeRolePolicy", trust(Principal={"AWS": "222233334444"})),
                put("recorder", "maxSessionDuration", 7200),
            ],
        ),
        (
            "gcp",
            [
                put(
                    "provider",
                    "oidc",
                    {"issuerUri": "https://recordings.example.com", "allowedAudiences": ["recordings"]},
                )
            ],
        ),
        (
            "azure",
            [
                put("credential", "issuer", "https://recordings.example.com"),
                put("credential", "audiences", ["recordings"]),
            ],
        ),
    ],
)
def test_another_word_of_the_vendors_is_configured(
    analyzer: Analyzer, cloud: str, edits: list[stacks.Edit]
) -> None:
    stack = known(cloud)
    for edit in edits:
        edit(stack)
    assert analyzer.judge(list(stack.values()), {"trust_profile": PRESENTED[cloud]}) == []
    usual = refused(analyzer.judge(list(known(cloud).values()), {"trust_profile": PRESENTED[cloud]}))
    assert usual <= {("S9", "recorder"), ("S2", "recorder")}
