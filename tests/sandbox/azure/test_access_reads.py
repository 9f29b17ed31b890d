"""What who looks at access reads: groups, custom roles, deny assignments, effective assignments, secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure_cloud import GRAPH, SUBSCRIPTION, guid, unique

from recording_storage.sandbox.azure import occasion
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from azure_cloud import Cloud

    from recording_storage.sandbox.azure.directory import Application
    from recording_storage.sandbox.azure.principals import Principal
    from recording_storage.sandbox.azure.world import Container

WRITE = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
DEFINITIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
CONTRIBUTOR = f"{DEFINITIONS}/ba92f5b4-2d11-453d-a403-e96b0029c9fe"


@pytest.fixture(scope="module")
def container(cloud: Cloud) -> Container:
    account = occasion.storage_account(cloud.world, cloud.group, unique("account"))
    return occasion.container(cloud.world, account, "calls")


@pytest.fixture
def app(cloud: Cloud) -> Application:
    return cloud.application()


def acting(cloud: Cloud, app: Application) -> Principal:
    return occasion.acting_as(app, cloud.tenant)


def may(cloud: Cloud, app: Application, container: Container) -> bool:
    return cloud.access.allowed(acting(cloud, app), WRITE, container.id, data=True)


def group(cloud: Cloud, *members: str) -> str:
    said = {
        "displayName": unique("group"),
        "mailEnabled": False,
        "mailNickname": "g",
        "securityEnabled": True,
    }
    made: str = cloud.graph("POST", "/groups", said).said["id"]
    for one in members:
        body = {"@odata.id": f"{GRAPH}/directoryObjects/{one}"}
        assert cloud.graph("POST", f"/groups/{made}/members/$ref", body).status == 204
    return made


def assign(cloud: Cloud, scope: str, principal: str, role: str = CONTRIBUTOR) -> str:
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{guid()}"
    properties = {"roleDefinitionId": role, "principalId": principal}
    assert cloud.arm("PUT", path, {"properties": properties}).status == 201
    return path


def test_a_group_gives_its_members_what_it_may(cloud: Cloud, container: Container, app: Application) -> None:
    who = acting(cloud, app).object_id
    inner = group(cloud, who)
    outer = group(cloud, inner)
    assigned = assign(cloud, container.id, outer)
    assert may(cloud, app, container)
    assert not may(cloud, cloud.application(), container)
    found = cloud.graph("GET", f"/servicePrincipals/{who}/transitiveMemberOf").said["value"]
    assert {one["id"] for one in found} == {inner, outer}
    listing = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments"
    by = {
        what: [one["id"] for one in cloud.arm("GET", listing, _filter=what).said["value"]]
        for what in (f"assignedTo('{who}')", f"principalId eq '{who}'")
    }
    assert assigned in by[f"assignedTo('{who}')"]
    assert by[f"principalId eq '{who}'"] == []
    cloud.graph("DELETE", f"/groups/{inner}/members/{who}/$ref")
    assert not may(cloud, app, container)


def test_what_a_group_must_be(cloud: Cloud, app: Application) -> None:
    who = acting(cloud, app).object_id
    made = group(cloud, who)
    body = {"@odata.id": f"{GRAPH}/directoryObjects/{who}"}
    assert cloud.graph("POST", f"/groups/{made}/members/$ref", body).status == 400
    body = {"@odata.id": f"{GRAPH}/directoryObjects/{guid()}"}
    assert cloud.graph("POST", f"/groups/{made}/members/$ref", body).status == 404
    assert cloud.graph("POST", "/groups", {"displayName": "x"}).status == 400
    assert [one["id"] for one in cloud.graph("GET", f"/groups/{made}/members").said["value"]] == [who]
    assert cloud.graph("DELETE", f"/groups/{made}").status == 204
    assert cloud.graph("GET", f"/groups/{made}").status == 404


def custom(*data: str, **said: Any) -> dict[str, Any]:
    permissions = [{"actions": [], "notActions": [], "dataActions": [*data], "notDataActions": []}]
    role = {"roleName": unique("Writer"), "type": "CustomRole", "permissions": permissions}
    return {"properties": role | {"assignableScopes": [f"/subscriptions/{SUBSCRIPTION}"]} | said}


def test_a_custom_role_permits_what_it_says(cloud: Cloud, container: Container, app: Application) -> None:
    path = f"{DEFINITIONS}/{guid()}"
    said = custom(WRITE)
    assert cloud.arm("PUT", path, said).status == 201
    read = cloud.arm("GET", path).said["properties"]
    assert (read["type"], read["permissions"]) == ("CustomRole", said["properties"]["permissions"])
    name = said["properties"]["roleName"]
    (listed,) = cloud.arm("GET", DEFINITIONS, _filter=f"roleName eq '{name}'").said["value"]
    assert listed["id"] == path
    assigned = assign(cloud, container.id, acting(cloud, app).object_id, path)
    assert may(cloud, app, container)
    assert cloud.arm("DELETE", path).code == "RoleDefinitionHasAssignments"
    assert cloud.arm("PUT", f"{DEFINITIONS}/{guid()}", said).code == "RoleDefinitionWithSameNameExists"
    cloud.arm("PUT", path, custom("Microsoft.Storage/*/read", roleName=name))
    assert not may(cloud, app, container)
    cloud.arm("DELETE", assigned)
    assert [cloud.arm("DELETE", path).status for _ in range(2)] == [200, 204]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"assignableScopes": []}, "InvalidRoleDefinitionScope"),
        ({"assignableScopes": [f"/subscriptions/{guid()}"]}, "InvalidRoleDefinitionScope"),
        ({"permissions": []}, "NotImplemented"),
    ],
)
def test_a_custom_role_is_refused(cloud: Cloud, said: dict[str, Any], code: str) -> None:
    assert cloud.arm("PUT", f"{DEFINITIONS}/{guid()}", custom(WRITE, **said)).code == code


@pytest.mark.parametrize(
    ("whom", "denied"),
    [
        ("itself", True),
        ("everybody", True),
        ("its group", True),
        ("another", False),
        ("an unknown group", None),
    ],
)
def test_a_deny_assignment_counts_before_roles(
    cloud: Cloud, container: Container, app: Application, whom: str, denied: bool | None
) -> None:
    who = acting(cloud, app).object_id
    assign(cloud, container.id, who)
    principals = {
        "itself": (who, "ServicePrincipal"),
        "everybody": ("00000000-0000-0000-0000-000000000000", "SystemDefined"),
        "its group": (group(cloud, who), "Group"),
        "another": (guid(), "ServicePrincipal"),
        "an unknown group": (guid(), "Group"),
    }
    made = occasion.deny(cloud.world, "no writing", container.account.id, principals[whom], WRITE)
    listing = f"{container.id}/providers/Microsoft.Authorization/denyAssignments"
    try:
        (shown,) = cloud.arm("GET", listing, _filter="atScope()").said["value"]
        assert shown["properties"]["denyAssignmentName"] == "no writing"
        assert shown["properties"]["permissions"][0]["dataActions"] == [WRITE]
        if denied is None:
            with pytest.raises(Undecided, match="whether the deny assignment"):
                may(cloud, app, container)
        else:
            assert may(cloud, app, container) is not denied
    finally:
        cloud.world.denials.remove(made)


def test_who_may_read_applications_may_nothing_else(cloud: Cloud, app: Application) -> None:
    reader = cloud.application()
    token = cloud.issue(reader, f"{GRAPH.removesuffix('/v1.0')}/.default")
    path = f"/applications(appId='{app.app_id}')"
    assert cloud.graph("GET", path, token=token).status == 403
    occasion.permitted(cloud.directory, acting(cloud, reader).object_id, "Application.Read.All")
    for one in (path, f"{path}/federatedIdentityCredentials", f"/servicePrincipals(appId='{app.app_id}')"):
        assert cloud.graph("GET", one, token=token).status == 200
    who = acting(cloud, app).object_id
    assert cloud.graph("GET", f"/servicePrincipals/{who}/transitiveMemberOf", token=token).status == 200
    assert cloud.graph("POST", f"{path}/addPassword", {}, token=token).status == 403
    assert cloud.graph("POST", "/groups", {}, token=token).status == 403


@pytest.mark.parametrize("kind", ["applications", "servicePrincipals"])
def test_that_there_is_a_secret_is_known(cloud: Cloud, app: Application, kind: str) -> None:
    path = f"/{kind}(appId='{app.app_id}')"
    made = cloud.graph("POST", f"{path}/addPassword", {"passwordCredential": {"displayName": "ci"}}).said
    (held,) = cloud.graph("GET", path).said["passwordCredentials"]
    assert (held["keyId"], held["secretText"], held["hint"]) == (made["keyId"], None, made["secretText"][:3])
    with cloud.undecided("a client secret"):
        cloud.exchange(
            app.app_id, "", client_assertion_type="", client_secret=made["secretText"], scope="x/.default"
        )
    assert cloud.exchange(app.app_id, cloud.mint()).status == 200
    assert cloud.graph("POST", f"{path}/removePassword", {"keyId": guid()}).status == 400
    assert cloud.graph("POST", f"{path}/removePassword", {"keyId": made["keyId"]}).status == 204
    assert cloud.graph("GET", path).said["passwordCredentials"] == []


def test_that_there_is_a_certificate_is_known(cloud: Cloud, app: Application) -> None:
    path = f"/applications(appId='{app.app_id}')"
    key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": "TUlJ", "displayName": "ci"}
    assert cloud.graph("PATCH", path, {"keyCredentials": [key]}).status == 204
    (held,) = cloud.graph("GET", path).said["keyCredentials"]
    assert (held["displayName"], held["key"]) == ("ci", None)
    with cloud.undecided("a certificate signs"):
        cloud.exchange(app.app_id, cloud.mint(iss=app.app_id))
    with cloud.undecided("a key of the type"):
        cloud.graph("PATCH", path, {"keyCredentials": [{"type": "Symmetric", "usage": "Sign"}]})


def test_a_managed_identity_says_where_it_is(cloud: Cloud) -> None:
    made = occasion.managed_identity(cloud.world, cloud.group, unique("identity"))
    found = cloud.graph("GET", f"/servicePrincipals(appId='{made.principal.app_id}')").said
    assert found["servicePrincipalType"] == "ManagedIdentity"
    assert made.id in found["alternativeNames"]
