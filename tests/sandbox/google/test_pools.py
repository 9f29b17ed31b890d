"""Workload identity pools and providers through the API: what is stored, what isn't, and what outlives deletion."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import ISSUER, unique

if TYPE_CHECKING:
    from google_cloud import Cloud, Reply

    from recording_storage.sandbox.google.world import Pool

POOLS = "projects/acme-prod/locations/global/workloadIdentityPools"
OIDC = {"oidc": {"issuerUri": ISSUER}, "attributeMapping": {"google.subject": "assertion.sub"}}


def create_pool(cloud: Cloud, name: str, **body: Any) -> Reply:
    return cloud.iam("POST", POOLS, body, params={"workloadIdentityPoolId": name})


def create_provider(cloud: Cloud, pool: Pool, body: dict[str, Any], name: str = "") -> Reply:
    params = {"workloadIdentityPoolProviderId": name or unique("provider")}
    return cloud.iam("POST", f"{pool.name}/providers", body, params=params)


def test_a_pool_is_made_by_an_operation_that_has_to_be_waited_for(cloud: Cloud) -> None:
    name = unique("pool")
    begun = create_pool(cloud, name, displayName="Tavus", description="Recordings").said
    full = f"projects/123456789012/locations/global/workloadIdentityPools/{name}"
    assert begun["name"].startswith(f"{full}/operations/")
    assert begun["done"] is False
    done = cloud.iam("GET", begun["name"]).said
    shown = {"name": full, "state": "ACTIVE", "displayName": "Tavus", "description": "Recordings"}
    assert (done["done"], done["response"].pop("@type")) == (
        True,
        "type.googleapis.com/google.iam.v1.WorkloadIdentityPool",
    )
    assert done["response"] == shown == cloud.iam("GET", full).said
    assert shown in cloud.iam("GET", POOLS).said["workloadIdentityPools"]
    with cloud.refused("there is no operation"):
        assert cloud.iam("GET", f"{full}/operations/none").status == 404


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("tavus", True),
        ("t-1-", True),
        ("a" * 32, True),
        ("abc", False),
        ("a" * 33, False),
        ("Tavus", False),
        ("tavus_1", False),
        ("gcp-tavus", False),
        ("", False),
    ],
)
def test_an_id_has_4_to_32_small_letters(cloud: Cloud, name: str, is_taken: bool) -> None:
    answer = create_pool(cloud, name)
    assert (answer.status, answer.said.get("error", {}).get("status")) == (
        (200, None) if is_taken else (400, "INVALID_ARGUMENT")
    )
    provider = create_provider(cloud, cloud.pool(), OIDC, name) if name else answer
    assert provider.status == answer.status


def test_an_id_is_taken_once(cloud: Cloud) -> None:
    pool = cloud.pool()
    with cloud.refused("exists"):
        assert create_pool(cloud, pool.id).error == "ALREADY_EXISTS"
    provider = cloud.provider(pool)
    with cloud.refused("exists"):
        assert create_provider(cloud, pool, OIDC, provider.id).status == 409
    with cloud.allowed():
        create_provider(cloud, cloud.pool(), OIDC, provider.id)


def test_a_deleted_pool_keeps_its_name_for_30_days(cloud: Cloud) -> None:
    pool = cloud.provider().pool
    with cloud.allowed():
        assert cloud.iam("DELETE", pool.name).said["done"] is False
    shown = cloud.iam("GET", pool.name).said
    assert (shown["state"], shown["expireTime"] > cloud.world.now().isoformat()) == ("DELETED", True)
    listed = cloud.iam("GET", POOLS).said.get("workloadIdentityPools", [])
    with_deleted = cloud.iam("GET", POOLS, params={"showDeleted": "true"}).said["workloadIdentityPools"]
    assert [pool.name in [one["name"] for one in found] for found in (listed, with_deleted)] == [False, True]
    with cloud.refused("is deleted, and its name is taken until"):
        assert create_pool(cloud, pool.id).status == 409
    for method, path in (("PATCH", f"{pool.name}?updateMask=disabled"), ("DELETE", pool.name)):
        with cloud.refused("is deleted"):
            assert cloud.iam(method, path, {}).error == "FAILED_PRECONDITION"
    with cloud.refused("is deleted"):
        assert create_provider(cloud, pool, OIDC).error == "FAILED_PRECONDITION"
    with cloud.later(timedelta(days=29)), cloud.refused("its name is taken"):
        create_pool(cloud, pool.id)
    with cloud.later(timedelta(days=31)), cloud.refused("there is no pool"):
        assert cloud.iam("GET", pool.name).status == 404
    assert create_pool(cloud, pool.id).status == 200


def test_a_deleted_pool_is_restored_with_its_providers(cloud: Cloud) -> None:
    provider = cloud.provider()
    pool = provider.pool
    with cloud.refused("isn't deleted"):
        assert cloud.iam("POST", f"{pool.name}:undelete").error == "FAILED_PRECONDITION"
    cloud.iam("DELETE", pool.name)
    assert cloud.exchange(provider.full_name, cloud.mint(provider)).error == "invalid_target"
    with cloud.allowed():
        cloud.iam("POST", f"{pool.name}:undelete")
    assert cloud.iam("GET", pool.name).said["state"] == "ACTIVE"
    assert cloud.exchange(provider.full_name, cloud.mint(provider)).status == 200


def test_a_deleted_provider_is_kept_for_30_days_too(cloud: Cloud) -> None:
    provider = cloud.provider()
    cloud.iam("DELETE", provider.name)
    assert cloud.iam("GET", provider.name).said["state"] == "DELETED"
    with cloud.refused("is deleted, and its name is taken"):
        assert create_provider(cloud, provider.pool, OIDC, provider.id).status == 409
    cloud.iam("DELETE", provider.pool.name)
    with cloud.refused(f"{provider.pool.name} is deleted"):
        assert cloud.iam("POST", f"{provider.name}:undelete").status == 400
    cloud.iam("POST", f"{provider.pool.name}:undelete")
    with cloud.allowed():
        cloud.iam("POST", f"{provider.name}:undelete")
    assert cloud.iam("GET", provider.name).said["state"] == "ACTIVE"


def test_what_is_not_there(cloud: Cloud) -> None:
    pool = cloud.pool()
    for path, because in (
        (f"{pool.name}/providers/none", "no provider none"),
        (f"{pool.name}-x/providers/x", "no pool"),
    ):
        with cloud.refused(f"there is {because}"):
            assert cloud.iam("GET", path).error == "NOT_FOUND"
    assert cloud.iam("GET", f"{pool.name}/providers").said == {}


@pytest.mark.parametrize(
    ("body", "because"),
    [
        ({"displayName": "n" * 32, "description": "d" * 256}, ""),
        ({"displayName": "n" * 33}, "32 characters"),
        ({"description": "d" * 257}, "256 characters"),
        ({"display": "n"}, 'Unknown name "display"'),
        ({"mode": "FEDERATION_ONLY"}, ""),
    ],
)
def test_what_can_be_said_of_a_pool(cloud: Cloud, body: dict[str, Any], because: str) -> None:
    with cloud.refused(because) if because else cloud.allowed():
        assert create_pool(cloud, unique("pool"), **body).status == (400 if because else 200)


def keys(**changed: Any) -> str:
    key = {"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": "x", "e": "AQAB", **changed}
    return json.dumps({"keys": [{name: value for name, value in key.items() if value is not None}]})


def oidc(**said: Any) -> dict[str, Any]:
    return {**OIDC, "oidc": {"issuerUri": ISSUER, **said}}


def mapped(**said: str) -> dict[str, Any]:
    """A mapping beside the subject's; dots are written as two underscores."""
    return {
        **OIDC,
        "attributeMapping": {
            **OIDC["attributeMapping"],
            **{k.replace("__", "."): v for k, v in said.items()},
        },
    }


@pytest.mark.parametrize(
    ("body", "because"),
    [
        (OIDC, ""),
        ({"attributeMapping": OIDC["attributeMapping"]}, "Exactly one of the provider configurations"),
        (oidc(issuerUri="http://issuer.example.com"), "must be a valid HTTPS URL"),
        (oidc(issuerUri=""), "must be a valid HTTPS URL"),
        (oidc(allowedAudiences=["a" * 256] * 10), ""),
        (oidc(allowedAudiences=["a"] * 11), "At most 10"),
        (oidc(allowedAudiences=["a" * 257]), "256 characters"),
        (oidc(jwksJson=keys()), ""),
        (oidc(jwksJson="{"), "not in a valid json format"),
        (oidc(jwksJson='{"keys": []}'), "there is no key"),
        (oidc(jwksJson=keys(x5c=["x"])), "a key has x5c"),
        (oidc(jwksJson=keys(kty="oct")), "a key has oct"),
        ({"oidc": OIDC["oidc"]}, "must include a mapping for google.subject"),
        (
            {**OIDC, "attributeMapping": {"attribute.sub": "assertion.sub"}},
            "must include a mapping for google.subject",
        ),
        (mapped(attribute__tenant_1="assertion.tenant", google__groups="assertion.groups"), ""),
        (mapped(attribute__Tenant="assertion.tenant"), "Invalid mapped attribute key: attribute.Tenant"),
        (mapped(assertion__aud="assertion.aud"), "Invalid mapped attribute key: assertion.aud"),
        (mapped(google__email="assertion.email"), "Invalid mapped attribute key: google.email"),
        (mapped(**{f"attribute__a{n}": "assertion.sub" for n in range(50)}), ""),
        (mapped(**{f"attribute__a{n}": "assertion.sub" for n in range(51)}), "At most 50"),
        (mapped(**{f"attribute__{'a' * 91}": "assertion.sub"}), "too long"),
        (mapped(attribute__long="assertion.sub + '" + "x" * 2048 + "'"), "too long"),
        (mapped(attribute__sub="sub"), "undeclared reference to 'sub'"),
        (mapped(attribute__sub="google.subject"), "undeclared reference to 'google'"),
        (mapped(attribute__sub="assertion.sub.hash()"), "undeclared reference to 'hash'"),
        (mapped(attribute__sub="assertion.sub +"), "syntax error"),
        (
            {
                **OIDC,
                "attributeCondition": "assertion.sub == 'a' && 'b' in google.groups && attribute.c == 'd'",
            },
            "",
        ),
        ({**OIDC, "attributeCondition": "assertion.sub = 'a'"}, "syntax error"),
        ({**OIDC, "attributeCondition": "subject == 'a'"}, "undeclared reference to 'subject'"),
        ({**OIDC, "attributeCondition": "'" + "x" * 4095 + "'"}, "4096 characters"),
        ({**OIDC, "attribute_condition": "true", "display_name": "snake"}, ""),
    ],
)
def test_what_can_be_said_of_a_provider(cloud: Cloud, body: dict[str, Any], because: str) -> None:
    with cloud.refused(because) if because else cloud.allowed():
        assert create_provider(cloud, cloud.pool(), body).status == (400 if because else 200)


@pytest.mark.parametrize(
    "body",
    [
        {"aws": {"accountId": "1"}, "attributeMapping": {}},
        {"saml": {"idpMetadataXml": "<x/>"}},
        {"x509": {"trustStore": {"trustAnchors": []}}},
        oidc(discoveryUri="https://x"),
    ],
)
def test_other_providers_are_undecided(cloud: Cloud, body: dict[str, Any]) -> None:
    with cloud.undecided():
        assert create_provider(cloud, cloud.pool(), body).status == 501


@pytest.mark.parametrize(
    ("mask", "body", "changed"),
    [
        ("disabled", {"disabled": True}, {"disabled": True}),
        ("displayName", {"displayName": "new"}, {"displayName": "new"}),
        ("display_name", {"displayName": "new"}, {"displayName": "new"}),
        ("displayName", {}, {"displayName": None}),
        ("displayName", {"displayName": "new", "description": "new"}, {"displayName": "new"}),
        ("attributeCondition", {}, {"attributeCondition": None}),
        (
            "oidc.allowedAudiences",
            {"oidc": {"allowedAudiences": ["b"]}},
            {"oidc": {"issuerUri": ISSUER, "allowedAudiences": ["b"]}},
        ),
        (
            "*",
            OIDC,
            {"displayName": None, "description": None, "attributeCondition": None, "oidc": OIDC["oidc"]},
        ),
        ("oidc.allowed_audiences", {}, {"oidc": {"issuerUri": ISSUER}}),
        (
            "oidc",
            {"oidc": {"issuerUri": "https://b.example.com"}},
            {"oidc": {"issuerUri": "https://b.example.com"}},
        ),
    ],
)
def test_an_update_changes_what_its_mask_names(
    cloud: Cloud, mask: str, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    provider = cloud.provider(displayName="old", description="old", condition="true", audiences=["a"])
    before = cloud.iam("GET", provider.name).said
    with cloud.allowed():
        assert cloud.iam("PATCH", provider.name, body, params={"updateMask": mask}).said["done"] is False
    after = {name: value for name, value in {**before, **changed}.items() if value is not None}
    assert cloud.iam("GET", provider.name).said == after


@pytest.mark.parametrize(
    ("mask", "body"),
    [
        ("", {"disabled": True}),
        ("state", {}),
        ("name", {}),
        ("oidc.other", {}),
        ("oidc.issuerUri", {}),
        ("attributeMapping", {}),
        ("attributeCondition", {"attributeCondition": "nonsense"}),
    ],
)
def test_an_update_is_refused_whole(cloud: Cloud, mask: str, body: dict[str, Any]) -> None:
    provider = cloud.provider()
    before = cloud.iam("GET", provider.name).said
    with cloud.refused():
        assert cloud.iam("PATCH", provider.name, body, params={"updateMask": mask}).status == 400
    assert cloud.iam("GET", provider.name).said == before


def test_a_pool_is_disabled_and_enabled(cloud: Cloud) -> None:
    pool = cloud.pool()
    for disabled in (True, False):
        cloud.iam("PATCH", pool.name, {"disabled": disabled}, params={"updateMask": "disabled"})
        assert cloud.iam("GET", pool.name).said.get("disabled", False) is disabled is pool.disabled


def test_only_who_may_sees_and_changes_pools(cloud: Cloud) -> None:
    pool, token = cloud.provider().pool, cloud.stranger.access_token
    for method, path in (
        ("GET", pool.name),
        ("DELETE", pool.name),
        ("GET", POOLS),
        ("GET", f"{pool.name}/providers"),
    ):
        with cloud.refused("no binding of roles/owner names user:stranger@example.org"):
            assert cloud.iam(method, path, token=token).error == "PERMISSION_DENIED"
    cloud.project.policy.add("roles/iam.workloadIdentityPoolViewer", "user:stranger@example.org")
    with cloud.allowed():
        cloud.iam("GET", pool.name, token=token)
    with cloud.refused("doesn't permit iam.googleapis.com/workloadIdentityPools.delete"):
        cloud.iam("DELETE", pool.name, token=token)
    cloud.project.policy.bindings.pop()


def test_trust_domains_and_other_kinds_are_undecided_later_too(cloud: Cloud) -> None:
    with cloud.undecided("TRUST_DOMAIN"):
        assert create_pool(cloud, unique("pool"), mode="TRUST_DOMAIN").status == 501
    with cloud.undecided("the field saml"):
        cloud.iam("PATCH", cloud.provider().name, {}, params={"updateMask": "saml"})


@pytest.mark.parametrize(
    "path", [":getIamPolicy", ":setAttestationRules", "/providers/x/keys", "/namespaces"]
)
def test_what_else_the_api_has_is_undecided(cloud: Cloud, path: str) -> None:
    with cloud.undecided():
        assert cloud.iam("POST", f"{cloud.pool().name}{path}").status == 501


def test_pools_are_global(cloud: Cloud) -> None:
    with cloud.refused("Invalid location"):
        cloud.iam("GET", POOLS.replace("global", "europe-west1"))
