"""Managed identities and their federated credentials, through Resource Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure_cloud import AUDIENCE, ISSUER, SUBJECT, TENANT, unique

if TYPE_CHECKING:
    from azure_cloud import Cloud

CREDENTIAL = {"issuer": ISSUER, "subject": SUBJECT, "audiences": [AUDIENCE]}


def a_path(cloud: Cloud, name: str = "") -> str:
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    return f"{cloud.group_path()}/providers/{kind}/{name or unique('identity')}"


def test_an_identity_is_a_service_principal_without_an_application(cloud: Cloud) -> None:
    path = a_path(cloud)
    made = cloud.arm("PUT", path, {"location": "westeurope", "tags": {"a": "b"}})
    assert (made.status, made.said["id"]) == (201, path)
    said = made.said["properties"]
    assert said["tenantId"] == TENANT
    principal = cloud.graph("GET", f"/servicePrincipals/{said['principalId']}").said
    assert (principal["appId"], principal["servicePrincipalType"]) == (said["clientId"], "ManagedIdentity")
    assert cloud.graph("GET", f"/applications(appId='{said['clientId']}')").status == 404
    again = cloud.arm("PUT", path, {"location": "westeurope"})
    assert (again.status, again.said["properties"]) == (200, said)
    assert cloud.arm("PUT", path, {"location": "northeurope"}).code == "InvalidResourceLocation"
    assert cloud.arm("PATCH", path, {"tags": {"c": "d"}}).said["tags"] == {"c": "d"}
    listed = cloud.arm("GET", path.rpartition("/")[0]).said["value"]
    assert path in [one["id"] for one in listed]
    assert [cloud.arm("DELETE", path).status for _ in range(2)] == [200, 204]
    assert cloud.arm("GET", path).code == "ResourceNotFound"
    assert cloud.graph("GET", f"/servicePrincipals/{said['principalId']}").status == 404
    assert cloud.arm("PUT", a_path(cloud, "x"), {"location": "westeurope"}).status == 400


def test_its_credential_lets_the_issuers_subject_in(cloud: Cloud) -> None:
    path = a_path(cloud)
    client = cloud.arm("PUT", path, {"location": "westeurope"}).said["properties"]["clientId"]
    one = f"{path}/federatedIdentityCredentials/tests"
    assert cloud.exchange(client, cloud.mint()).number == 70025
    made = cloud.arm("PUT", one, {"properties": CREDENTIAL})
    assert (made.status, made.said["properties"]) == (201, CREDENTIAL)
    assert cloud.exchange(client, cloud.mint()).status == 200
    assert cloud.arm("PUT", one, {"properties": CREDENTIAL | {"subject": "other"}}).status == 200
    assert cloud.exchange(client, cloud.mint()).number == 700213
    assert cloud.arm("GET", one).said["properties"]["subject"] == "other"
    assert [entry["name"] for entry in cloud.arm("GET", one.rpartition("/")[0]).said["value"]] == ["tests"]
    assert [cloud.arm("DELETE", one).status for _ in range(2)] == [200, 204]
    assert cloud.arm("GET", one).status == 404


@pytest.mark.parametrize(
    ("name", "changed", "status"),
    [
        ("tests", {}, 201),
        ("x", {}, 400),
        ("tests", {"audiences": []}, 400),
        ("tests", {"subject": ""}, 400),
        ("tests", {"issuer": "http://issuer.example.com"}, 501),
        ("tests", {"subject": "first"}, 400),
    ],
)
def test_a_credential_is_checked(cloud: Cloud, name: str, changed: dict[str, Any], status: int) -> None:
    path = a_path(cloud)
    cloud.arm("PUT", path, {"location": "westeurope"})
    place = f"{path}/federatedIdentityCredentials"
    cloud.arm("PUT", f"{place}/first", {"properties": CREDENTIAL | {"subject": "first"}})
    assert cloud.arm("PUT", f"{place}/{name}", {"properties": CREDENTIAL | changed}).status == status


def test_there_are_at_most_20(cloud: Cloud) -> None:
    path = a_path(cloud)
    cloud.arm("PUT", path, {"location": "westeurope"})
    answers = [
        cloud.arm(
            "PUT",
            f"{path}/federatedIdentityCredentials/tests-{n}",
            {"properties": CREDENTIAL | {"subject": str(n)}},
        )
        for n in range(21)
    ]
    assert [one.status for one in answers] == [201] * 20 + [400]
