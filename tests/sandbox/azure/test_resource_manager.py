"""Resource Manager itself: who is believed, subscriptions, resource providers, resource groups, waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from azure_cloud import (
    ARM,
    ARM_SCOPE,
    GRAPH_SCOPE,
    GROUPS_VERSION,
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    TENANT,
    guid,
    unique,
)

from recording_storage.sandbox.azure import occasion

if TYPE_CHECKING:
    from azure_cloud import Cloud

PLACE = {"location": "West Europe"}
ACCOUNT = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "AuthenticationFailed"),
        ("nonsense", "InvalidAuthenticationToken"),
        (GRAPH_SCOPE, "InvalidAuthenticationTokenAudience"),
        (ARM_SCOPE, ""),
        ("https://management.core.windows.net//.default", ""),
    ],
)
def test_a_token_must_be_for_resource_manager(cloud: Cloud, token: str, code: str) -> None:
    given = cloud.token(cloud.owner, token) if token.startswith("https") else token
    answer = cloud.arm("GET", "/subscriptions", token=given)
    assert answer.status == (401 if code else 200)
    if code:
        assert answer.code == code
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_expires(cloud: Cloud) -> None:
    token = cloud.token(cloud.owner, ARM_SCOPE)
    with cloud.later(timedelta(minutes=61)):
        assert cloud.arm("GET", "/subscriptions", token=token).code == "ExpiredAuthenticationToken"
    assert cloud.arm("GET", "/subscriptions", token=token).status == 200


def test_a_subscription_is_its_tenants(cloud: Cloud) -> None:
    said = cloud.arm("GET", f"/subscriptions/{SUBSCRIPTION}").said
    assert (said["subscriptionId"], said["tenantId"], said["state"]) == (SUBSCRIPTION, TENANT, "Enabled")
    listed = cloud.arm("GET", "/subscriptions").said["value"]
    assert [one["subscriptionId"] for one in listed] == [SUBSCRIPTION]
    assert [one["tenantId"] for one in cloud.arm("GET", "/tenants").said["value"]] == [TENANT]
    with cloud.refused("and the subscription trusts"):
        other = cloud.arm("GET", f"/subscriptions/{OTHER_SUBSCRIPTION}")
    assert (other.status, other.code) == (401, "InvalidAuthenticationTokenTenant")
    missing = cloud.arm("GET", f"/subscriptions/{guid()}")
    assert (missing.status, missing.code) == (404, "SubscriptionNotFound")


@pytest.mark.parametrize(
    ("version", "code"),
    [("", "MissingApiVersionParameter"), ("latest", "InvalidApiVersionParameter"), (GROUPS_VERSION, "")],
)
def test_every_request_names_a_version(cloud: Cloud, version: str, code: str) -> None:
    answer = cloud.call("GET", f"{ARM}/subscriptions", params={"api-version": version} if version else {})
    assert answer.status == (400 if code else 200)
    assert not code or answer.code == code


def test_a_resource_group_is_made_and_read(cloud: Cloud) -> None:
    path = cloud.group_path(unique("group"))
    assert (cloud.arm("GET", path).code, cloud.arm("HEAD", path).status) == ("ResourceGroupNotFound", 404)
    made = cloud.arm("PUT", path, PLACE | {"tags": {"a": "b"}})
    assert (made.status, made.said["location"], made.said["tags"]) == (201, "westeurope", {"a": "b"})
    assert made.said["id"] == path
    assert cloud.arm("PUT", path, {"location": "westeurope"}).status == 200
    assert cloud.arm("PATCH", path, {"tags": {"c": "d"}}).said["tags"] == {"c": "d"}
    assert cloud.arm("HEAD", path).status == 204
    shouted = path.replace("resourceGroups", "RESOURCEGROUPS").replace("group", "GROUP")
    assert cloud.arm("GET", shouted).said["id"] == path
    assert cloud.arm("GET", "/" + path).said["id"] == path
    listed = cloud.arm("GET", f"/subscriptions/{SUBSCRIPTION}/resourcegroups").said["value"]
    assert path in [one["id"] for one in listed]


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("right.(name)_-1", PLACE, 201),
        ("ends.", PLACE, 400),
        ("x" * 91, PLACE, 400),
        ("with%20space", PLACE, 400),
        ("nowhere", {}, 400),
    ],
)
def test_a_resource_group_is_checked(cloud: Cloud, name: str, body: dict[str, str], status: int) -> None:
    assert cloud.arm("PUT", cloud.group_path(name), body).status == status


def test_a_resource_group_stays_where_it_is(cloud: Cloud) -> None:
    path = cloud.group_path(unique("group"))
    cloud.arm("PUT", path, PLACE)
    answer = cloud.arm("PUT", path, {"location": "northeurope"})
    assert (answer.status, answer.code) == (409, "InvalidResourceGroupLocation")


def test_what_is_in_a_resource_group_goes_with_it(cloud: Cloud) -> None:
    group, account = unique("group"), unique("account")
    path = cloud.group_path(group)
    cloud.arm("PUT", path, PLACE)
    made = cloud.made(cloud.account_path(account, group), ACCOUNT)
    occasion.assign(cloud.world, "Storage Blob Data Reader", guid(), made["id"])
    listed = cloud.arm("GET", f"{path}/resources").said["value"]
    assert [(one["name"], one["type"]) for one in listed] == [(account, "Microsoft.Storage/storageAccounts")]
    other = cloud.arm("GET", f"{path}/resources", _filter="resourceType eq 'Microsoft.KeyVault/vaults'")
    assert other.said["value"] == []
    answer = cloud.arm("DELETE", path)
    assert (answer.status, answer.said) == (202, {})
    assert cloud.wait(answer).status == 200
    assert cloud.arm("GET", path).status == 404
    assert cloud.world.storage_account(account) is None
    assert not [one for one in cloud.world.assignments if account in one.scope]
    assert cloud.arm("DELETE", path).code == "ResourceGroupNotFound"


def test_an_operation_is_not_over_at_once(cloud: Cloud) -> None:
    answer = cloud.arm("PUT", cloud.account_path(unique("account")), ACCOUNT)
    assert (answer.status, answer.said) == (202, {})
    assert int(answer.headers["Retry-After"]) > 0
    with cloud.later(timedelta(seconds=-1)):
        again = cloud.call("GET", answer.headers["Location"])
        assert (again.status, again.headers["Location"]) == (202, answer.headers["Location"])
    with cloud.later(timedelta(seconds=1)):
        over = cloud.call("GET", answer.headers["Location"])
    assert (over.status, over.said["properties"]["provisioningState"]) == (200, "Succeeded")


def test_a_resource_provider_must_be_registered(cloud: Cloud) -> None:
    path, provider = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage", "registrationState"
    account = cloud.account_path(unique("account"))
    assert cloud.arm("GET", path).said[provider] == "Registered"
    assert cloud.arm("POST", f"{path}/unregister").said[provider] == "NotRegistered"
    answer = cloud.arm("PUT", account, ACCOUNT)
    assert (answer.status, answer.code) == (409, "MissingSubscriptionRegistration")
    assert cloud.arm("POST", f"{path}/register").said[provider] == "Registering"
    assert cloud.arm("GET", path).said[provider] == "Registered"
    assert cloud.arm("PUT", account, ACCOUNT).status == 202
    names = {one["namespace"] for one in cloud.arm("GET", path.rpartition("/")[0]).said["value"]}
    assert {"Microsoft.Storage", "Microsoft.Resources", "Microsoft.KeyVault"} <= names


@pytest.mark.parametrize(
    ("role", "read", "write"),
    [("", 403, 403), ("Reader", 200, 403), ("Contributor", 200, 201), ("Owner", 200, 201)],
)
def test_a_role_says_who_may(cloud: Cloud, role: str, read: int, write: int) -> None:
    app = cloud.application()
    who = occasion.acting_as(app, cloud.tenant)
    token = cloud.issue(app)
    if role:
        occasion.assign(cloud.world, role, who.object_id, f"/subscriptions/{SUBSCRIPTION}")
    assert cloud.arm("GET", cloud.group_path(), token=token).status == read
    path = cloud.group_path(unique("group"))
    with (
        cloud.refused()
        if write == 403
        else cloud.allowed(f"{role} on /subscriptions/{SUBSCRIPTION} permits it")
    ):
        answer = cloud.arm("PUT", path, PLACE, token)
    assert answer.status == write
    if write == 403:
        assert answer.code == "AuthorizationFailed"
        action = "Microsoft.Resources/subscriptions/resourceGroups/write"
        assert f"with object id '{who.object_id}'" in answer.message
        assert f"action '{action}' over scope '{path}'" in answer.message


def test_nothing_is_decided_about_what_there_is_no_table_for(cloud: Cloud) -> None:
    with cloud.undecided():
        answer = cloud.arm("GET", f"{cloud.group_path()}/providers/Microsoft.Compute/virtualMachines/vm")
    assert answer.status == 501
    with cloud.refused():
        assert cloud.arm("PUT", cloud.group_path("bad"), token="").status == 401
    broken = cloud.http.put(
        f"{ARM}{cloud.group_path('bad')}?api-version={GROUPS_VERSION}",
        data=b"{",
        headers={"Authorization": f"Bearer {cloud.token(cloud.owner, ARM_SCOPE)}"},
        timeout=20,
    )
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "InvalidRequestContent")
