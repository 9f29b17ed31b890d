"""Applications, service principals and federated credentials, as Microsoft Graph has them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure_cloud import AUDIENCE, GRAPH, GRAPH_SCOPE, ISSUER, SUBJECT, TENANT, guid, unique

if TYPE_CHECKING:
    from azure_cloud import Cloud

CREDENTIAL = {"name": "tests", "issuer": ISSUER, "subject": SUBJECT, "audiences": [AUDIENCE]}
LONG = "x" * 601


def an_application(cloud: Cloud, **said: Any) -> dict[str, Any]:
    answer = cloud.graph("POST", "/applications", {"displayName": unique("app"), **said})
    assert answer.status == 201
    return answer.said


def with_principal(cloud: Cloud) -> tuple[dict[str, Any], dict[str, Any]]:
    app = an_application(cloud)
    answer = cloud.graph("POST", "/servicePrincipals", {"appId": app["appId"]})
    assert answer.status == 201
    return app, answer.said


def test_an_application_is_registered_and_changed(cloud: Cloud) -> None:
    app = an_application(
        cloud, signInAudience="AzureADMyOrg", tags=["one"], web={"homePageUrl": "https://example.com"}
    )
    assert app["id"] != app["appId"]
    assert (app["signInAudience"], app["tags"], app["passwordCredentials"]) == ("AzureADMyOrg", ["one"], [])
    path = f"/applications/{app['id']}"
    assert (
        cloud.graph(
            "PATCH", path, {"displayName": "new", "web": {"logoutUrl": "https://example.com/out"}}
        ).status
        == 204
    )
    encoded = f"/applications%28appId%3D%27{app['appId']}%27%29"
    for place in (path, f"/applications(appId='{app['appId']}')", encoded):
        read = cloud.graph("GET", place).said
        assert (read["id"], read["appId"], read["displayName"]) == (app["id"], app["appId"], "new")
        assert (read["web"]["homePageUrl"], read["web"]["logoutUrl"]) == (
            "https://example.com",
            "https://example.com/out",
        )
    assert set(cloud.graph("GET", path, select="id,appId").said) == {"@odata.context", "id", "appId"}


def test_types_in_a_body_are_no_properties(cloud: Cloud) -> None:
    typed = {"@odata.type": "#microsoft.graph.webApplication", "logoutUrl": None}
    app = an_application(cloud, web=typed, **{"@odata.type": "#microsoft.graph.application"})
    assert "@odata.type" not in {*app, *app["web"]}


def test_applications_are_found_by_name_and_client_id(cloud: Cloud) -> None:
    name = unique("it's ")
    first, second = an_application(cloud, displayName=name), an_application(cloud, displayName=name)
    quoted = name.replace("'", "''")
    found = cloud.graph("GET", "/applications", filter=f"displayName eq '{quoted}'").said["value"]
    assert [one["id"] for one in found] == [first["id"], second["id"]]
    found = cloud.graph("GET", "/applications", filter=f"appId eq '{second['appId']}'").said["value"]
    assert [one["id"] for one in found] == [second["id"]]
    assert cloud.graph("GET", "/applications", filter=f"appId eq '{guid()}'").said["value"] == []
    with cloud.undecided("a list with $filter="):
        assert cloud.graph("GET", "/applications", filter="notes eq 'x'").status == 501


def test_service_principals_are_found_by_their_names_and_ids(cloud: Cloud) -> None:
    app, principal = with_principal(cloud)
    for name, found in ((app["appId"], [principal["id"]]), (app["id"], [])):
        wanted = f"servicePrincipalNames/any(c:c eq '{name}')"
        answer = cloud.graph("GET", "/servicePrincipals", filter=wanted)
        assert [one["id"] for one in answer.said["value"]] == found
    for types, found in (([], {app["id"], principal["id"]}), (["servicePrincipal"], {principal["id"]})):
        body = {"ids": [app["id"], principal["id"], guid()], "types": types}
        answer = cloud.graph("POST", "/directoryObjects/getByIds", body)
        assert {one["id"] for one in answer.said["value"]} == found


def test_an_application_has_one_service_principal(cloud: Cloud) -> None:
    app, principal = with_principal(cloud)
    assert len({app["id"], app["appId"], principal["id"]}) == 3
    assert (principal["appId"], principal["servicePrincipalType"]) == (app["appId"], "Application")
    assert (principal["appOwnerOrganizationId"], principal["accountEnabled"]) == (TENANT, True)
    again = cloud.graph("POST", "/servicePrincipals", {"appId": app["appId"]})
    assert (again.status, again.code) == (409, "Request_MultipleObjectsWithSameKeyValue")
    for wrong in (app["id"], guid()):
        answer = cloud.graph("POST", "/servicePrincipals", {"appId": wrong})
        assert (answer.status, answer.code) == (400, "Request_BadRequest")
    by_app = cloud.graph("GET", f"/servicePrincipals(appId='{app['appId']}')")
    assert by_app.said["id"] == principal["id"]
    path = f"/servicePrincipals/{principal['id']}"
    assert cloud.graph("PATCH", path, {"accountEnabled": False, "notes": "off"}).status == 204
    assert cloud.graph("GET", path).said["accountEnabled"] is False
    assert cloud.exchange(app["appId"], cloud.mint()).number == 7000112
    assert cloud.graph("DELETE", path).status == 204
    assert cloud.graph("GET", path).status == 404


def test_a_federated_credential_is_made_changed_and_removed(cloud: Cloud) -> None:
    app, _ = with_principal(cloud)
    path = f"/applications/{app['id']}/federatedIdentityCredentials"
    assert cloud.exchange(app["appId"], cloud.mint()).number == 70025
    made = cloud.graph("POST", path, CREDENTIAL)
    assert made.status == 201
    assert {name: made.said[name] for name in CREDENTIAL} == CREDENTIAL
    assert cloud.exchange(app["appId"], cloud.mint()).status == 200
    one = f"{path}/{made.said['id']}"
    assert cloud.graph("PATCH", one, {"subject": "Workspace-2"}).status == 204
    assert cloud.graph("GET", one).said["subject"] == "Workspace-2"
    assert cloud.graph("GET", f"{path}/tests").said["id"] == made.said["id"]
    assert cloud.exchange(app["appId"], cloud.mint()).number == 700213
    assert cloud.exchange(app["appId"], cloud.mint("Workspace-2")).status == 200
    assert [entry["name"] for entry in cloud.graph("GET", path).said["value"]] == ["tests"]
    assert cloud.graph("DELETE", one).status == 204
    assert (cloud.graph("GET", one).status, cloud.graph("DELETE", one).status) == (404, 404)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 201),
        ({"subject": "*"}, 201),
        ({"subject": " spaced "}, 201),
        ({"issuer": f"{ISSUER}/"}, 201),
        ({"description": "why"}, 201),
        ({"name": "x"}, 400),
        ({"name": "with space"}, 400),
        ({"name": "x" * 121}, 400),
        ({"issuer": ""}, 400),
        ({"issuer": f"https://{LONG}"}, 400),
        ({"subject": ""}, 400),
        ({"subject": LONG}, 400),
        ({"subject": LONG[:600]}, 201),
        ({"audiences": []}, 400),
        ({"audiences": [AUDIENCE, "api://other"]}, 400),
        ({"audiences": None}, 400),
        ({"claimsMatchingExpression": {"value": "claims['sub'] matches 'x*'"}}, 501),
    ],
)
def test_a_federated_credential_is_checked(cloud: Cloud, changed: dict[str, Any], status: int) -> None:
    path = f"/applications/{an_application(cloud)['id']}/federatedIdentityCredentials"
    answer = cloud.graph("POST", path, CREDENTIAL | changed)
    assert answer.status == status
    if status == 400:
        assert answer.code == "InvalidFederatedIdentityCredentialValue"


def test_credentials_are_told_apart_and_counted(cloud: Cloud) -> None:
    path = f"/applications/{an_application(cloud)['id']}/federatedIdentityCredentials"
    for n in range(20):
        assert cloud.graph("POST", path, CREDENTIAL | {"name": f"tests-{n}", "subject": str(n)}).status == 201
    assert cloud.graph("POST", path, CREDENTIAL).status == 400
    assert cloud.graph("DELETE", f"{path}/tests-0").status == 204
    for changed, status in (
        ({"name": "tests-1"}, 409),
        ({"subject": "1"}, 400),
        ({"subject": "1", "issuer": f"{ISSUER}/"}, 201),
    ):
        assert cloud.graph("POST", path, CREDENTIAL | changed).status == status


def test_a_deleted_application_comes_back_as_it_was(cloud: Cloud) -> None:
    app, principal = with_principal(cloud)
    path = f"/applications/{app['id']}"
    cloud.graph("POST", f"{path}/federatedIdentityCredentials", CREDENTIAL)
    assert cloud.graph("DELETE", path).status == 204
    assert (cloud.graph("GET", path).status, cloud.graph("DELETE", path).status) == (404, 404)
    assert cloud.graph("GET", f"/servicePrincipals/{principal['id']}").status == 404
    with cloud.refused("it is deleted"):
        assert cloud.exchange(app["appId"], cloud.mint()).number == 700016
    deleted = cloud.graph("GET", "/directory/deletedItems/microsoft.graph.application").said["value"]
    assert app["id"] in [one["id"] for one in deleted]
    assert cloud.graph("GET", f"/directory/deletedItems/{app['id']}").said["appId"] == app["appId"]
    restored = cloud.graph("POST", f"/directory/deletedItems/{app['id']}/restore").said
    assert (restored["id"], restored["appId"]) == (app["id"], app["appId"])
    assert cloud.graph("GET", f"/servicePrincipals/{principal['id']}").status == 200
    assert cloud.exchange(app["appId"], cloud.mint()).status == 200


@pytest.mark.parametrize(("days", "status"), [(29, 200), (31, 404)])
def test_an_application_can_be_restored_for_30_days(cloud: Cloud, days: int, status: int) -> None:
    app = an_application(cloud)
    cloud.graph("DELETE", f"/applications/{app['id']}")
    cloud.token(cloud.owner, GRAPH_SCOPE)
    owner = cloud.azure.tokens.issue(
        cloud.azure.tokens.authenticate(
            f"Bearer {cloud.token(cloud.owner, GRAPH_SCOPE)}", ["https://graph.microsoft.com"]
        ),
        "https://graph.microsoft.com",
        timedelta(days=60),
    )
    with cloud.later(timedelta(days=days)):
        assert (
            cloud.graph("POST", f"/directory/deletedItems/{app['id']}/restore", token=owner).status == status
        )


def test_a_purged_application_is_gone(cloud: Cloud) -> None:
    app, principal = with_principal(cloud)
    cloud.graph("DELETE", f"/applications/{app['id']}")
    for one in (app["id"], principal["id"]):
        assert cloud.graph("DELETE", f"/directory/deletedItems/{one}").status == 204
        assert cloud.graph("POST", f"/directory/deletedItems/{one}/restore").status == 404


def test_owners_are_service_principals(cloud: Cloud) -> None:
    _, principal = with_principal(cloud)
    reference = f"{GRAPH}/directoryObjects/{principal['id']}"
    app = an_application(cloud, **{"owners@odata.bind": [reference]})
    path = f"/applications/{app['id']}/owners"
    assert [one["id"] for one in cloud.graph("GET", path).said["value"]] == [principal["id"]]
    assert cloud.graph("POST", f"{path}/$ref", {"@odata.id": reference}).status == 400
    assert cloud.graph("DELETE", f"{path}/{principal['id']}/$ref").status == 204
    assert cloud.graph("POST", f"{path}/$ref", {"@odata.id": reference}).status == 204
    missing = {"@odata.id": f"{GRAPH}/directoryObjects/{guid()}"}
    assert cloud.graph("POST", f"{path}/$ref", missing).status == 404


def test_only_who_administers_the_directory_may(cloud: Cloud) -> None:
    app = cloud.application()
    token = cloud.issue(app, GRAPH_SCOPE)
    for method, path in (
        ("GET", "/applications"),
        ("POST", "/applications"),
        ("DELETE", f"/applications/{app.id}"),
    ):
        with cloud.refused("doesn't administer the directory"):
            answer = cloud.graph(method, path, {"displayName": "x"}, token)
        assert (answer.status, answer.code) == (403, "Authorization_RequestDenied")
        assert set(answer.said["error"]["innerError"]) == {"date", "request-id", "client-request-id"}
    principal = cloud.directory.principal(app.app_id)
    assert principal is not None
    cloud.directory.administrators.add(principal.id)
    assert cloud.graph("GET", "/applications", token=token).status == 200


def test_each_tenant_has_a_directory_of_its_own(cloud: Cloud) -> None:
    app = an_application(cloud)
    stranger = cloud.token(cloud.stranger, GRAPH_SCOPE)
    assert cloud.graph("GET", f"/applications/{app['id']}", token=stranger).status == 404
    assert cloud.graph("GET", "/organization").said["value"][0]["id"] == TENANT


@pytest.mark.parametrize(
    ("scope", "status"),
    [("https://graph.microsoft.com/.default", 200), ("https://management.azure.com/.default", 401)],
)
def test_a_token_must_be_for_graph(cloud: Cloud, scope: str, status: int) -> None:
    answer = cloud.graph("GET", "/applications", token=cloud.token(cloud.owner, scope))
    assert answer.status == status
    if status == 401:
        assert answer.code == "InvalidAuthenticationToken"


def test_a_token_expires_and_is_needed(cloud: Cloud) -> None:
    token = cloud.token(cloud.owner, GRAPH_SCOPE)
    with cloud.later(timedelta(minutes=61)), cloud.refused("has expired"):
        assert cloud.graph("GET", "/applications", token=token).status == 401
    for wrong in ("", "nonsense", token[:-8] + "AAAAAAAA"):
        assert cloud.graph("GET", "/applications", token=wrong).status == 401
    assert cloud.graph("GET", "/applications", token=token).status == 200


def test_what_isnt_known_of_an_application_is_undecided(cloud: Cloud) -> None:
    app = an_application(cloud)
    with cloud.undecided("addPassword"):
        cloud.graph("PATCH", f"/applications/{app['id']}", {"passwordCredentials": [{"displayName": "x"}]})
    with cloud.undecided("unheardOf"):
        cloud.graph("PATCH", f"/applications/{app['id']}", {"unheardOf": 1})
    assert cloud.graph("GET", "/me").status == 400
