"""Service accounts through the API: their life, and what policies say of one that is gone."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google_cloud import CLOUD_PLATFORM, unique

if TYPE_CHECKING:
    from google_cloud import Cloud

    from recording_storage.sandbox.google.world import ServiceAccount

MANY = "projects/acme-prod/serviceAccounts"
WRITER = "roles/storage.objectCreator"


def create(cloud: Cloud, account_id: str, **said: Any) -> Any:
    return cloud.iam("POST", MANY, {"accountId": account_id, "serviceAccount": said})


def test_a_service_account_is_made_and_found_by_address_and_number(cloud: Cloud) -> None:
    name = unique("writer")
    made = create(cloud, name, displayName="Writer").said
    email = f"{name}@acme-prod.iam.gserviceaccount.com"
    assert (made["email"], made["name"], made["displayName"]) == (email, f"{MANY}/{email}", "Writer")
    assert made["uniqueId"] == made["oauth2ClientId"]
    for project in ("acme-prod", "123456789012", "-"):
        for ref in (email, made["uniqueId"]):
            assert cloud.iam("GET", f"projects/{project}/serviceAccounts/{ref}").said == made
    assert made in cloud.iam("GET", MANY).said["accounts"]


@pytest.mark.parametrize(
    ("account_id", "is_taken"),
    [
        ("writer", True),
        ("a" * 30, True),
        ("w-1-e2", True),
        ("short", False),
        ("a" * 31, False),
        ("1writer", False),
        ("writer-", False),
        ("Writers", False),
        ("wri_ter", False),
        ("", False),
    ],
)
def test_an_id_is_6_to_30_small_letters(cloud: Cloud, account_id: str, is_taken: bool) -> None:
    with cloud.allowed() if is_taken else cloud.refused("isn't 6 to 30 characters"):
        assert create(cloud, account_id).status == (200 if is_taken else 400)


def test_an_id_is_taken_once(cloud: Cloud) -> None:
    account = cloud.service_account()
    with cloud.refused("already exists"):
        assert create(cloud, account.email.partition("@")[0]).error == "ALREADY_EXISTS"


def test_one_that_is_not_there(cloud: Cloud) -> None:
    elsewhere = cloud.service_account().email
    for path, status in (
        (f"{MANY}/nobody@acme-prod.iam.gserviceaccount.com", 404),
        ("projects/-/serviceAccounts/nobody@acme-prod.iam.gserviceaccount.com", 403),
        (f"projects/nowhere/serviceAccounts/{elsewhere}", 403),
        (f"projects/elsewhere/serviceAccounts/{elsewhere}", 404),
    ):
        with cloud.refused("there is no "):
            assert cloud.iam("GET", path).status == status


def test_the_description_changes_and_the_address_does_not(cloud: Cloud) -> None:
    account = cloud.service_account()
    body = {"serviceAccount": {"displayName": "New", "description": "New"}, "updateMask": "display_name"}
    with cloud.allowed():
        cloud.iam("PATCH", account.name, body)
    assert (account.display_name, account.description) == ("New", "")
    with cloud.refused("Invalid update mask"):
        assert cloud.iam("PATCH", account.name, {**body, "updateMask": "email"}).status == 400
    with cloud.refused("at most 100 bytes"):
        assert create(cloud, "long-name", displayName="é" * 51).status == 400


def test_it_is_disabled_and_enabled(cloud: Cloud) -> None:
    account = cloud.service_account()
    for verb, is_disabled in (("disable", True), ("enable", False)):
        assert cloud.iam("POST", f"{account.name}:{verb}").said == {}
        assert cloud.iam("GET", account.name).said.get("disabled", False) is is_disabled is account.disabled


def token_of(cloud: Cloud, account: ServiceAccount) -> str:
    account.policy.add("roles/iam.serviceAccountTokenCreator", "user:owner@example.com")
    return cloud.impersonate(cloud.owner.access_token, account).said["accessToken"]


def test_a_deleted_one_is_nobody_until_it_is_restored(cloud: Cloud) -> None:
    account = cloud.service_account()
    held = token_of(cloud, account)
    cloud.project.policy.add("roles/viewer", f"serviceAccount:{account.email}")
    with cloud.allowed():
        cloud.iam("GET", MANY, token=held)
        cloud.iam("DELETE", account.name)
    gone = f"deleted:serviceAccount:{account.email}?uid={account.unique_id}"
    assert cloud.project.policy.bindings[-1]["members"] == [gone]
    with cloud.refused("is deleted"):
        assert cloud.iam("GET", MANY, token=held).status == 401
    with cloud.allowed():
        restored = cloud.iam("POST", f"{MANY}/{account.unique_id}:undelete").said["restoredAccount"]
        cloud.iam("GET", MANY, token=held)
    assert restored["email"] == account.email
    assert cloud.project.policy.bindings.pop()["members"] == [f"serviceAccount:{account.email}"]


def test_one_that_is_made_again_is_another(cloud: Cloud) -> None:
    account = cloud.service_account()
    name = account.email.partition("@")[0]
    cloud.project.policy.add("roles/viewer", f"serviceAccount:{account.email}")
    cloud.iam("DELETE", account.name)
    again = create(cloud, name).said
    assert again["uniqueId"] != account.unique_id
    new = cloud.world.service_account(account.email)
    assert new is not None
    held = token_of(cloud, new)
    with cloud.refused("no binding of roles/viewer names"):
        assert cloud.iam("GET", MANY, token=held).status == 403
    cloud.project.policy.add("roles/viewer", f"serviceAccount:{new.email}")
    with cloud.allowed():
        cloud.iam("GET", MANY, token=held)
    with cloud.refused("another one has its address now"):
        assert cloud.iam("POST", f"{MANY}/{account.unique_id}:undelete").error == "FAILED_PRECONDITION"
    del cloud.project.policy.bindings[-2:]


def test_after_30_days_it_is_gone(cloud: Cloud) -> None:
    account = cloud.service_account()
    with cloud.refused("isn't deleted"):
        cloud.iam("POST", f"{MANY}/{account.unique_id}:undelete")
    with cloud.refused("can be restored"):
        assert cloud.iam("POST", f"{MANY}/1:undelete").status == 404
    cloud.iam("DELETE", account.name)
    with cloud.later(timedelta(days=31)), cloud.refused("can be restored"):
        assert cloud.iam("POST", f"{MANY}/{account.unique_id}:undelete").status == 404


def test_a_key_is_made_disabled_and_deleted(cloud: Cloud) -> None:
    account = cloud.service_account()
    many, made_by_people = f"{account.name}/keys", {"keyTypes": "USER_MANAGED"}
    assert cloud.iam("GET", many, params=made_by_people).said == {}
    made = cloud.iam("POST", many, {}).said
    file = json.loads(base64.b64decode(made.pop("privateKeyData")))
    assert (file["type"], file["client_email"]) == ("service_account", account.email)
    assert file["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    (listed,) = cloud.iam("GET", many, params=made_by_people).said["keys"]
    assert made == listed | {"privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE"}
    assert listed["keyType"] == "USER_MANAGED"
    cloud.iam("POST", f"{listed['name']}:disable")
    assert cloud.iam("GET", listed["name"]).said["disabled"] is True
    cloud.iam("POST", f"{listed['name']}:enable")
    assert "disabled" not in cloud.iam("GET", listed["name"]).said
    with cloud.refused("names user:stranger@example.org"):
        assert cloud.iam("POST", many, {}, cloud.stranger.access_token).status == 403
    assert cloud.iam("DELETE", listed["name"]).said == {}
    assert cloud.iam("GET", listed["name"]).status == 404


def test_what_is_signed_with_a_key_is_undecided(cloud: Cloud) -> None:
    account = cloud.service_account()
    for method, path in (("GET", "/keys"), ("POST", "/keys:upload"), ("POST", ":signBlob")):
        with cloud.undecided():
            assert cloud.iam(method, account.name + path).status == 501
    assertion = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": "x",
        "scope": CLOUD_PLATFORM,
    }
    with cloud.undecided("signed with a service account's key"):
        cloud.http.post("https://oauth2.googleapis.com/token", data=assertion, timeout=20)


def test_who_may(cloud: Cloud) -> None:
    account, token = cloud.service_account(), cloud.stranger.access_token
    with cloud.refused("no binding of roles/owner"):
        assert cloud.iam("DELETE", account.name, token=token).status == 403
    account.policy.add("roles/iam.serviceAccountUser", "user:stranger@example.org")
    with cloud.refused("roles/iam.serviceAccountUser, which names user:stranger@example.org, doesn't permit"):
        cloud.iam("DELETE", account.name, token=token)
    with cloud.allowed():
        cloud.iam("GET", account.name, token=token)
