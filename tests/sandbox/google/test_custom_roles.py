"""Custom roles: made, changed and gone, and what they permit whom they are given to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google_cloud import Cloud

ROLES = "projects/acme-prod/roles"


def test_a_role_permits_what_it_includes(cloud: Cloud) -> None:
    body = {
        "roleId": "lookers",
        "role": {"title": "Lookers", "includedPermissions": ["iam.serviceAccounts.get"]},
    }
    made = cloud.iam("POST", ROLES, body).said
    assert (made["name"], made["stage"]) == (f"{ROLES}/lookers", "GA")
    assert cloud.iam("GET", made["name"]).said["includedPermissions"] == ["iam.serviceAccounts.get"]
    account, stranger = cloud.service_account(), cloud.stranger.access_token
    account.policy.add(made["name"], "user:stranger@example.org")
    with cloud.allowed(f"{ROLES}/lookers on"):
        assert cloud.iam("GET", account.name, token=stranger).status == 200
    with cloud.refused("doesn't permit iam.serviceAccounts.getIamPolicy"):
        assert cloud.iam("POST", f"{account.name}:getIamPolicy", token=stranger).status == 403
    changed = {"includedPermissions": ["iam.serviceAccounts.getIamPolicy"]}
    cloud.iam("PATCH", made["name"], changed, params={"updateMask": "includedPermissions"})
    assert cloud.iam("POST", f"{account.name}:getIamPolicy", token=stranger).status == 200
    assert cloud.iam("GET", account.name, token=stranger).status == 403
    (listed,) = [one for one in cloud.iam("GET", ROLES).said["roles"] if one["name"] == made["name"]]
    assert "includedPermissions" not in listed
    assert cloud.iam("DELETE", made["name"]).said["deleted"] is True
    with cloud.refused("was not found"):
        assert cloud.iam("GET", made["name"]).status == 404


def test_a_role_that_google_would_not_make(cloud: Cloud) -> None:
    with cloud.refused("3 to 64 characters"):
        assert cloud.iam("POST", ROLES, {"roleId": "a b", "role": {}}).status == 400
    with cloud.undecided("a role with compute.instances.list"):
        cloud.iam(
            "POST", ROLES, {"roleId": "abc", "role": {"includedPermissions": ["compute.instances.list"]}}
        )
    with cloud.refused("names user:stranger@example.org"):
        assert cloud.iam("POST", ROLES, {"roleId": "abc"}, cloud.stranger.access_token).status == 403


def test_what_predefined_roles_hold_in_whole_is_undecided(cloud: Cloud) -> None:
    with cloud.undecided():
        assert cloud.iam("GET", "roles/storage.admin").status == 501
