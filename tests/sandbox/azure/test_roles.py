"""Role definitions and assignments: who they are for, where they reach, and what they permit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure_cloud import SUBSCRIPTION, TENANT, guid, unique

from recording_storage.sandbox.azure import occasion, roles
from recording_storage.sandbox.azure.errors import ArmError
from recording_storage.sandbox.azure.principals import Principal
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from azure_cloud import Cloud, Reply

    from recording_storage.sandbox.azure.directory import Application
    from recording_storage.sandbox.azure.world import Container

WRITE = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
CONTRIBUTOR = "Storage Blob Data Contributor"


@pytest.fixture(scope="module")
def container(cloud: Cloud) -> Container:
    account = occasion.storage_account(cloud.world, cloud.group, unique("account"))
    occasion.container(cloud.world, account, "other")
    return occasion.container(cloud.world, account, "calls")


@pytest.fixture
def app(cloud: Cloud) -> Application:
    return cloud.application()


def acting(cloud: Cloud, app: Application) -> Principal:
    return occasion.acting_as(app, cloud.tenant)


def definition(role: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{roles.named(role).id}"


def assign(
    cloud: Cloud, scope: str, principal: str, role: str = CONTRIBUTOR, name: str = "", **said: Any
) -> Reply:
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name or guid()}"
    properties = {"roleDefinitionId": definition(role), "principalId": principal, **said}
    return cloud.arm("PUT", path, {"properties": properties})


def may(cloud: Cloud, who: Principal, scope: str, action: str = WRITE, data: bool = True) -> bool:
    return cloud.access.allowed(who, action, scope, data)


def test_a_service_principal_gets_a_role_at_a_container(
    cloud: Cloud, container: Container, app: Application
) -> None:
    who, name = acting(cloud, app), guid()
    assert not may(cloud, who, container.id)
    made = assign(cloud, container.id, who.object_id, name=name, principalType="ServicePrincipal")
    assert made.status == 201
    assert (made.said["name"], made.said["properties"]["scope"]) == (name, container.id)
    assert made.said["properties"]["principalType"] == "ServicePrincipal"
    assert made.said["properties"]["roleDefinitionId"] == definition(CONTRIBUTOR)
    assert may(cloud, who, container.id)
    path = f"{container.id}/providers/Microsoft.Authorization/roleAssignments/{name}"
    assert cloud.arm("GET", path).said == made.said
    assert [cloud.arm("DELETE", path).status for _ in range(2)] == [200, 204]
    assert cloud.arm("GET", path).code == "RoleAssignmentNotFound"
    assert not may(cloud, who, container.id)


@pytest.mark.parametrize(
    ("whose", "kind", "code", "works"),
    [
        ("object id", "ServicePrincipal", "", True),
        ("object id", None, "", True),
        ("object id", "User", "UnmatchedPrincipalType", False),
        ("application", None, "PrincipalTypeNotSupported", False),
        ("application", "ServicePrincipal", "UnmatchedPrincipalType", False),
        ("client id", None, "PrincipalNotFound", False),
        ("client id", "ServicePrincipal", "", False),
        ("nobody", None, "PrincipalNotFound", False),
        ("nobody", "ServicePrincipal", "", False),
        ("nobody", "Robot", "InvalidPrincipalType", False),
        ("nonsense", None, "InvalidPrincipalId", False),
    ],
)
def test_a_role_is_a_service_principals_by_its_object_id(
    cloud: Cloud, container: Container, app: Application, whose: str, kind: str | None, code: str, works: bool
) -> None:
    who = acting(cloud, app)
    principal = {
        "object id": who.object_id,
        "application": app.id,
        "client id": app.app_id,
        "nobody": guid(),
        "nonsense": "nonsense",
    }[whose]
    answer = assign(cloud, container.id, principal, principalType=kind)
    assert answer.status == (400 if code else 201)
    assert not code or answer.code == code
    assert may(cloud, who, container.id) is works


@pytest.mark.parametrize(
    ("which", "because"),
    [
        ("app_id", "which is the client id of {name}, and not the object id of its service principal"),
        ("id", "which is the object id of the application {name}, and not of its service principal"),
    ],
)
def test_the_journal_says_whose_id_it_is(
    cloud: Cloud, container: Container, app: Application, which: str, because: str
) -> None:
    occasion.assign(cloud.world, CONTRIBUTOR, getattr(app, which), container.id)
    with cloud.refused(because.format(name=app.display_name)), pytest.raises(ArmError):
        cloud.access.require(acting(cloud, app), WRITE, container.id, data=True)


@pytest.mark.parametrize(
    ("at", "reaches"),
    [
        ("{container}", True),
        ("{container}/", True),
        ("{account}", True),
        ("{account}/blobServices/default", True),
        ("{group}", True),
        ("/subscriptions/{subscription}", True),
        ("/", True),
        ("{CONTAINER}", True),
        ("{account}/blobServices/default/containers/other", False),
        ("{container}2", False),
        ("{account}/blobServices/default/containers/cal", False),
        ("/subscriptions/{other}", False),
    ],
)
def test_scopes_inherit_downwards_only(
    cloud: Cloud, container: Container, app: Application, at: str, reaches: bool
) -> None:
    account = container.account
    scope = at.format(
        container=container.id,
        CONTAINER=container.id.upper(),
        account=account.id,
        group=account.group.id,
        subscription=SUBSCRIPTION,
        other=guid(),
    )
    who = acting(cloud, app)
    occasion.assign(cloud.world, CONTRIBUTOR, who.object_id, scope)
    assert may(cloud, who, container.id) is reaches
    if not reaches:
        with cloud.refused(f"and {container.id} isn't within it"), pytest.raises(ArmError):
            cloud.access.require(who, WRITE, container.id, data=True)


@pytest.mark.parametrize(
    ("role", "action", "data", "permits"),
    [
        (CONTRIBUTOR, WRITE, True, True),
        (CONTRIBUTOR, WRITE.upper(), True, True),
        (CONTRIBUTOR, WRITE, False, False),
        (CONTRIBUTOR, f"{WRITE.rpartition('/')[0]}/tags/write", True, False),
        ("Storage Blob Data Owner", f"{WRITE.rpartition('/')[0]}/tags/write", True, True),
        ("Storage Blob Data Reader", READ, True, True),
        ("Storage Blob Data Reader", WRITE, True, False),
        ("Owner", WRITE, True, False),
        ("Owner", "Microsoft.Storage/storageAccounts/write", False, True),
        ("Contributor", "Microsoft.Storage/storageAccounts/write", False, True),
        ("Contributor", "Microsoft.Authorization/roleAssignments/write", False, False),
        ("Contributor", "Microsoft.Authorization/roleAssignments/read", False, True),
        ("User Access Administrator", "Microsoft.Authorization/roleAssignments/write", False, True),
        ("Reader", "Microsoft.Storage/storageAccounts/read", False, True),
        ("Reader", "Microsoft.Storage/storageAccounts/listKeys/action", False, False),
        ("Storage Account Contributor", "Microsoft.Storage/storageAccounts/listKeys/action", False, True),
        ("Storage Account Contributor", WRITE, True, False),
        (
            "Key Vault Crypto Service Encryption User",
            "Microsoft.KeyVault/vaults/keys/wrap/action",
            True,
            True,
        ),
        (
            "Key Vault Crypto Service Encryption User",
            "Microsoft.KeyVault/vaults/keys/create/action",
            True,
            False,
        ),
    ],
)
def test_a_role_permits_what_it_says(role: str, action: str, data: bool, permits: bool) -> None:
    assert roles.named(role).permits(action, data) is permits


def test_a_decision_and_its_reason_are_in_the_journal(
    cloud: Cloud, container: Container, app: Application
) -> None:
    who = acting(cloud, app)
    mark = cloud.journal.mark()
    with pytest.raises(ArmError):
        cloud.access.require(who, WRITE, container.id, data=True)
    occasion.assign(cloud.world, "Storage Blob Data Reader", who.object_id, container.account.id)
    with pytest.raises(ArmError):
        cloud.access.require(who, WRITE, container.id, data=True)
    cloud.access.require(who, READ, container.id, data=True)
    entries = cloud.journal.since(mark)
    assert [one.outcome for one in entries] == [Outcome.REFUSED, Outcome.REFUSED, Outcome.ALLOWED]
    assert {(one.who, one.resource) for one in entries} == {(f"sp:{who.object_id}", container.id)}
    assert f"which is assigned to {who}, doesn't permit {WRITE}" in entries[1].reason
    assert entries[2].reason == f"Storage Blob Data Reader on {container.account.id} permits it"


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({"condition": "@Resource[x] StringEquals 'y'"}, "the condition of"),
        ({"principalType": "Group"}, "who is in the group"),
    ],
)
def test_nothing_is_decided_by_conditions_and_groups(
    cloud: Cloud, container: Container, app: Application, said: dict[str, str], because: str
) -> None:
    who = acting(cloud, app)
    in_a_group = said.get("principalType") == "Group"
    made = occasion.assign(cloud.world, CONTRIBUTOR, guid() if in_a_group else who.object_id, container.id)
    made.said |= said
    with pytest.raises(Undecided, match=because):
        may(cloud, who, container.id)
    assert not may(cloud, who, container.account.id)
    occasion.assign(cloud.world, CONTRIBUTOR, who.object_id, container.id)
    assert may(cloud, who, container.id)
    cloud.world.assignments.remove(made)


def test_an_assignment_is_the_same_only_once(cloud: Cloud, container: Container, app: Application) -> None:
    who, name = acting(cloud, app), guid()
    assert assign(cloud, container.id, who.object_id, name=name).status == 201
    assert assign(cloud, container.id, who.object_id, name=name).status == 200
    other = assign(cloud, container.id, who.object_id)
    assert (other.status, other.code) == (409, "RoleAssignmentExists")
    assert name.replace("-", "") in other.message
    changed = assign(cloud, container.id, who.object_id, "Storage Blob Data Reader", name=name)
    assert (changed.status, changed.code) == (400, "RoleAssignmentUpdateNotPermitted")
    assert assign(cloud, container.account.id, who.object_id).status == 201


def test_an_assignment_is_named_by_a_guid(cloud: Cloud, container: Container, app: Application) -> None:
    answer = assign(cloud, container.id, acting(cloud, app).object_id, name="nonsense")
    assert (answer.status, answer.code) == (400, "InvalidRoleAssignmentId")
    path = f"{container.id}/providers/Microsoft.Authorization/roleAssignments/{guid()}"
    assert cloud.arm("PUT", path, {"properties": {}}).code == "InvalidCreateRoleAssignmentRequest"


def test_a_scope_must_exist(cloud: Cloud, container: Container, app: Application) -> None:
    principal = acting(cloud, app).object_id
    for scope, code in (
        (cloud.account_path("missing"), "ResourceNotFound"),
        (cloud.group_path("missing"), "ResourceGroupNotFound"),
        (f"/subscriptions/{guid()}", "SubscriptionNotFound"),
    ):
        assert assign(cloud, scope, principal).code == code
    with cloud.undecided("where there is nothing"):
        assert assign(cloud, f"{container.id}-missing", principal).status == 501
    for scope in (cloud.group_path(), f"/subscriptions/{SUBSCRIPTION}"):
        assert assign(cloud, scope, principal).status == 201


def test_assignments_are_listed_above_and_below(cloud: Cloud, container: Container, app: Application) -> None:
    who, account = acting(cloud, app), container.account
    made = [occasion.assign(cloud.world, CONTRIBUTOR, who.object_id, one.id) for one in (container, account)]
    tail = "/providers/Microsoft.Authorization/roleAssignments"

    def names(scope: str, wanted: str) -> list[str]:
        return sorted(one["name"] for one in cloud.arm("GET", scope + tail, _filter=wanted).said["value"])

    whose = f"principalId eq '{who.object_id}'"
    assert names(account.id, whose) == sorted(one.name for one in made)
    assert names(container.id, whose) == sorted(one.name for one in made)
    assert made[0].name not in names(account.id, "atScope()")
    assert names(f"{account.id}/blobServices/default/containers/other", whose) == [made[1].name]
    assert cloud.arm("GET", container.id + tail).status == 200


def test_role_definitions_are_found_by_name_and_id(cloud: Cloud, container: Container) -> None:
    tail = "/providers/Microsoft.Authorization/roleDefinitions"
    for scope in ("", f"/subscriptions/{SUBSCRIPTION}", container.id):
        (found,) = cloud.arm("GET", scope + tail, _filter=f"roleName eq '{CONTRIBUTOR}'").said["value"]
        assert found["name"] == "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
        assert WRITE in found["properties"]["permissions"][0]["dataActions"]
        assert cloud.arm("GET", f"{scope}{tail}/{found['name']}").said == found
    with cloud.undecided("may be a built-in one"):
        assert cloud.arm("GET", f"{tail}/{guid()}").status == 501


def test_only_who_may_assigns_roles(cloud: Cloud, container: Container, app: Application) -> None:
    deployer = cloud.application()
    who, token = acting(cloud, deployer), cloud.issue(deployer)
    occasion.assign(cloud.world, "Contributor", who.object_id, container.account.id)
    path = f"{container.id}/providers/Microsoft.Authorization/roleAssignments/{guid()}"
    properties = {"roleDefinitionId": definition(CONTRIBUTOR), "principalId": acting(cloud, app).object_id}
    with cloud.refused("doesn't permit Microsoft.Authorization/roleAssignments/write"):
        assert cloud.arm("PUT", path, {"properties": properties}, token).code == "AuthorizationFailed"
    occasion.assign(cloud.world, "Role Based Access Control Administrator", who.object_id, container.id)
    assert cloud.arm("PUT", path, {"properties": properties}, token).status == 201


def test_a_role_outlives_its_service_principal(cloud: Cloud, container: Container, app: Application) -> None:
    who = acting(cloud, app)
    occasion.assign(cloud.world, CONTRIBUTOR, who.object_id, container.id)
    cloud.graph("DELETE", f"/applications/{app.id}")
    assert may(cloud, who, container.id)  # with a token from before
    again = occasion.application(cloud.world, cloud.tenant, "again")
    assert not may(cloud, acting(cloud, again), container.id)
    assert Principal("", "", TENANT) != who
