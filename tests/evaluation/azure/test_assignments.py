"""Who may do what, by roles that are assigned and by deny assignments."""

from __future__ import annotations

from typing import Any

import pytest

from recording_storage.evaluation.azure import assignments
from recording_storage.evaluation.azure.assignments import EVERYBODY, Asked, Assignment, Denial, Holder
from recording_storage.evaluation.azure.roles import Definition, Permissions

WRITE = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/c"
ASKED = Asked(WRITE, CONTAINER, data=True)
ME, GROUP = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
WRITER = Definition("Writer", (Permissions(data_actions=(WRITE,)),))
NOBODY = Definition("Nobody", ())


def assigned(**said: Any) -> Assignment:
    usual: dict[str, Any] = {"id": "1", "scope": CONTAINER, "role": "/x/writer", "principal": ME}
    return Assignment(**(usual | said))


def decided(*held: Assignment, who: Holder | None = None, denials: tuple[Denial, ...] = ()) -> bool | None:
    found = {"writer": WRITER, "nobody": NOBODY}
    holder = who or Holder(frozenset({ME}))
    return assignments.decide(ASKED, holder, held, lambda one: found.get(one.role_guid), denials).allowed


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ({}, True),
        ({"scope": ACCOUNT}, True),
        ({"scope": "/"}, True),
        ({"scope": "/providers/Microsoft.Management/managementGroups/acme"}, True),
        ({"scope": f"{CONTAINER}s"}, False),
        ({"scope": f"{ACCOUNT}/blobServices/default/containers/d"}, False),
        ({"principal": GROUP}, False),
        ({"role": "/x/nobody"}, False),
        ({"role": "/x/unheard-of"}, None),
        ({"condition": "@Resource[x] StringEquals 'y'"}, None),
        ({"condition": "@Resource[x] StringEquals 'y'", "role": "/x/nobody"}, False),
    ],
)
def test_an_assignment(said: dict[str, Any], allowed: bool | None) -> None:
    assert decided(assigned(**said)) is allowed
    assert decided(assigned(**said), assigned()) is True


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        (Holder(frozenset({ME, GROUP})), True),
        (Holder(frozenset({ME})), False),
        (Holder(frozenset({ME}), frozenset()), None),
        (Holder(frozenset({ME}), frozenset({GROUP})), False),
    ],
)
def test_a_group(who: Holder, allowed: bool | None) -> None:
    assert decided(assigned(principal=GROUP, kind="Group"), who=who) is allowed


def denial(**said: Any) -> Denial:
    usual: dict[str, Any] = {
        "name": "no",
        "scope": ACCOUNT,
        "permissions": (Permissions(data_actions=("*",)),),
        "principals": ((ME, "ServicePrincipal"),),
    }
    return Denial(**(usual | said))


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ({}, False),
        ({"principals": ((EVERYBODY, "SystemDefined"),)}, False),
        ({"principals": ((EVERYBODY, "SystemDefined"),), "excluded": ((ME, "ServicePrincipal"),)}, True),
        ({"principals": ((GROUP, "Group"),)}, True),
        ({"scope": f"{ACCOUNT}b"}, True),
        ({"only_there": True}, True),
        ({"only_there": True, "scope": CONTAINER}, False),
        ({"permissions": (Permissions(actions=("*",)),)}, True),
        ({"permissions": (Permissions(data_actions=("*",), not_data_actions=(WRITE,)),)}, True),
        ({"condition": "@Resource[x] StringEquals 'y'"}, None),
    ],
)
def test_a_deny_assignment(said: dict[str, Any], allowed: bool | None) -> None:
    assert decided(assigned(), denials=(denial(**said),)) is allowed
    assert decided(denials=(denial(**said),)) is False


def test_a_deny_assignment_for_a_group_that_isnt_known() -> None:
    who = Holder(frozenset({ME}), frozenset())
    assert decided(assigned(), who=who, denials=(denial(principals=((GROUP, "Group"),)),)) is None
    spared = denial(principals=((EVERYBODY, "SystemDefined"),), excluded=((GROUP, "Group"),))
    assert decided(assigned(), who=who, denials=(spared,)) is None


def test_what_resource_manager_says() -> None:
    said = {
        "id": f"{CONTAINER}/providers/Microsoft.Authorization/roleAssignments/n",
        "properties": {
            "scope": CONTAINER,
            "roleDefinitionId": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/ABC",
            "principalId": ME.upper(),
            "principalType": "ServicePrincipal",
            "condition": None,
            "createdOn": "2026-11-20T10:00:00.0000000Z",
        },
    }
    found = assignments.read(said)
    assert (found.principal, found.role_guid, found.condition) == (ME, "abc", "")
    assert assignments.read({}) == Assignment("", "/", "", "")
    denied = assignments.read_denial(
        {
            "properties": {
                "denyAssignmentName": "no",
                "scope": ACCOUNT,
                "permissions": [{"dataActions": ["*"]}],
                "principals": [{"id": ME.upper(), "type": "ServicePrincipal"}],
                "excludePrincipals": None,
                "doNotApplyToChildScopes": False,
            }
        }
    )
    assert denied == denial()
