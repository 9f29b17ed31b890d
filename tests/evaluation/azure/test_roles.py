"""What role definitions permit, and scopes within one another."""

from __future__ import annotations

from typing import Any

import pytest

from recording_storage.evaluation.azure import roles, scopes

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
ACCOUNT = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Storage/storageAccounts/a"


def definition(*sets: dict[str, Any]) -> roles.Definition:
    return roles.read({"name": "id", "properties": {"roleName": "Custom", "permissions": list(sets)}})


@pytest.mark.parametrize(
    ("given", "taken", "permits"),
    [
        ([f"{BLOBS}/write"], [], True),
        ([f"{BLOBS}/WRITE"], [], True),
        ([f"{BLOBS}/*"], [], True),
        (["*"], [], True),
        (["Microsoft.Storage/*/write"], [], True),
        (["Microsoft.Storage/storageAccounts/blobServices/containers/write"], [], False),
        ([f"{BLOBS}/*"], [f"{BLOBS}/write"], False),
        ([f"{BLOBS}/*"], [f"{BLOBS}/read"], True),
        ([f"{BLOBS}/write/action"], [], False),
        ([], [], False),
    ],
)
def test_a_set_of_permissions(given: list[str], taken: list[str], permits: bool) -> None:
    found = definition({"dataActions": given, "notDataActions": taken})
    assert found.permits(f"{BLOBS}/write", data=True) is permits
    assert found.permits(f"{BLOBS}/write", data=False) is False


def test_management_and_data_are_apart() -> None:
    found = definition({"actions": ["*"], "notActions": []})
    assert (found.permits(f"{BLOBS}/write", data=True), found.permits(f"{BLOBS}/write", data=False)) == (
        False,
        True,
    )


def test_what_one_set_takes_another_may_give() -> None:
    taken = {"dataActions": ["*"], "notDataActions": [f"{BLOBS}/*"]}
    given = {"dataActions": [f"{BLOBS}/write"]}
    assert definition(taken).permits(f"{BLOBS}/write", data=True) is False
    assert definition(taken, given).permits(f"{BLOBS}/write", data=True) is True


def test_a_condition_of_the_definition_leaves_it_open() -> None:
    conditional = {"dataActions": ["*"], "condition": "@Resource[x] StringEquals 'y'"}
    assert definition(conditional).permits(f"{BLOBS}/write", data=True) is None
    assert definition(conditional, {"dataActions": ["*"]}).permits(f"{BLOBS}/write", data=True) is True


@pytest.mark.parametrize("said", [{}, {"properties": None}, {"properties": {"permissions": None}}])
def test_a_definition_of_which_nothing_is_said_permits_nothing(said: dict[str, Any]) -> None:
    assert roles.read(said).permits(f"{BLOBS}/write", data=True) is False


def test_a_single_text_stands_for_a_list() -> None:
    assert definition({"dataActions": f"{BLOBS}/write"}).permits(f"{BLOBS}/write", data=True) is True


@pytest.mark.parametrize(
    ("scope", "outer", "within"),
    [
        (ACCOUNT, ACCOUNT, True),
        (ACCOUNT, f"{ACCOUNT}/", True),
        (f"{ACCOUNT}/blobServices/default/containers/c", ACCOUNT, True),
        (f"{ACCOUNT}b", ACCOUNT, False),
        (ACCOUNT, f"{ACCOUNT}/blobServices/default/containers/c", False),
        (ACCOUNT, "/subscriptions/s/RESOURCEGROUPS/g", True),
        (ACCOUNT, "/", True),
        (ACCOUNT, "/subscriptions/other", False),
    ],
)
def test_scopes_within_one_another(scope: str, outer: str, within: bool) -> None:
    assert scopes.is_within(scope, outer) is within


def test_management_groups() -> None:
    group = "/providers/Microsoft.Management/managementGroups/acme"
    assert (scopes.is_management_group(group), scopes.is_management_group(ACCOUNT)) == (True, False)
    assert scopes.is_same(ACCOUNT, f"{ACCOUNT.upper()}/")
