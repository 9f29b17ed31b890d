"""Who is let in, in whose name, and what a program is given for it."""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google.auth
import google.auth.transport.requests
import pytest
from google_cloud import CLOUD_PLATFORM, IAM, WORKLOAD_USER, members

from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.google.owner import Owner
from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from google_cloud import Cloud

ACCOUNTS = f"{IAM}/projects/acme-prod/serviceAccounts"
TOKEN = "https://oauth2.googleapis.com/token"
NO_GCLOUD = pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not on PATH")


@pytest.mark.parametrize(
    ("headers", "query", "status", "because"),
    [
        ({"Authorization": "Bearer {token}"}, "", 200, ""),
        ({"Authorization": "bearer {token}"}, "", 200, ""),
        ({}, "?access_token={token}", 200, ""),
        ({}, "", 401, "missing required authentication credential"),
        ({"Authorization": "Bearer other"}, "", 401, "is none that was given here"),
        ({"Authorization": "Basic {token}"}, "", 401, "authentication by Basic"),
        ({}, "?access_token=other", 401, "is none that was given here"),
        (
            {"Authorization": "Bearer {token}", "X-HTTP-Method-Override": "GET"},
            "",
            501,
            "x-http-method-override",
        ),
    ],
)
def test_who_asks_is_known_by_an_access_token(
    cloud: Cloud, headers: dict[str, str], query: str, status: int, because: str
) -> None:
    token = cloud.owner.access_token
    said = {name: value.format(token=token) for name, value in headers.items()}
    ends = cloud.allowed if status == 200 else cloud.undecided if status == 501 else cloud.refused
    with ends(because):
        assert (
            cloud.call("GET", ACCOUNTS + query.format(token=token), token="", headers=said).status == status
        )


STORAGE = "https://storage.googleapis.com"
BUCKETS = f"{STORAGE}/storage/v1/b?project=acme-prod"


@pytest.mark.parametrize(
    ("scope", "url", "method", "is_enough"),
    [
        ("cloud-platform", ACCOUNTS, "GET", True),
        ("iam", ACCOUNTS, "GET", True),
        ("devstorage.full_control", ACCOUNTS, "GET", False),
        ("cloud-platform.read-only", ACCOUNTS, "GET", False),
        ("devstorage.full_control", BUCKETS, "GET", True),
        ("devstorage.read_only", BUCKETS, "GET", True),
        ("devstorage.read_only", BUCKETS, "POST", False),
        ("cloud-platform.read-only", BUCKETS, "GET", True),
        ("cloud-platform.read-only", BUCKETS, "POST", False),
        ("devstorage.read_write", BUCKETS, "GET", True),
        ("devstorage.read_write", f"{STORAGE}/storage/v1/b/none", "PATCH", False),
        ("devstorage.read_write", f"{STORAGE}/storage/v1/b/none/iam", "GET", False),
        ("devstorage.read_write", f"{STORAGE}/storage/v1/b/none/acl/allUsers", "DELETE", False),
        ("email", BUCKETS, "GET", False),
    ],
)
def test_a_token_is_for_what_its_scopes_say(
    cloud: Cloud, scope: str, url: str, method: str, is_enough: bool
) -> None:
    account = cloud.service_account(("roles/iam.serviceAccountTokenCreator", "user:owner@example.com"))
    cloud.project.policy.add("roles/editor", f"serviceAccount:{account.email}")
    held = cloud.impersonate(
        cloud.owner.access_token, account, scope=[f"https://www.googleapis.com/auth/{scope}"]
    ).said["accessToken"]
    with cloud.allowed() if is_enough else cloud.refused("the access token's scopes"):
        answer = cloud.call(method, url, {} if method != "GET" else None, held)
    cloud.project.policy.bindings.pop()
    if not is_enough:
        assert (answer.status, answer.message) == (403, "Request had insufficient authentication scopes.")


@pytest.mark.parametrize(
    ("scope", "path", "is_enough"),
    [
        ("devstorage.read_write", "upload/storage/v1/b/none/o", True),
        ("devstorage.read_only", "upload/storage/v1/b/none/o", False),
    ],
)
def test_an_upload_is_put_with_the_scope_of_writing(
    cloud: Cloud, scope: str, path: str, is_enough: bool
) -> None:
    account = cloud.service_account(("roles/iam.serviceAccountTokenCreator", "user:owner@example.com"))
    scopes = [f"https://www.googleapis.com/auth/{scope}"]
    held = cloud.impersonate(cloud.owner.access_token, account, scope=scopes).said["accessToken"]
    mark = cloud.sandbox.journal.mark()
    cloud.call("PUT", f"{STORAGE}/{path}?uploadType=resumable&upload_id=x", {}, held)
    reasons = [one.reason for one in cloud.sandbox.journal.since(mark)]
    assert ["the access token's scopes" in one for one in reasons] == [not is_enough]


def test_the_owners_credentials_are_refreshed(cloud: Cloud) -> None:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": cloud.owner.refresh_token,
        "client_id": "x",
        "client_secret": "x",
    }
    said = cloud.http.post(TOKEN, data=form, timeout=20).json()
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 3599)
    assert cloud.call("GET", ACCOUNTS, token=said["access_token"]).status == 200
    shown = cloud.http.get(
        f"https://oauth2.googleapis.com/tokeninfo?access_token={said['access_token']}", timeout=20
    ).json()
    assert (shown["email"], CLOUD_PLATFORM in shown["scope"]) == ("owner@example.com", True)
    for url in (
        "https://openidconnect.googleapis.com/v1/userinfo",
        "https://www.googleapis.com/oauth2/v2/userinfo",
    ):
        assert cloud.call("GET", url, token=said["access_token"]).said["email"] == "owner@example.com"
        with cloud.refused("without an access token"):
            assert cloud.call("GET", url, token="").status == 401
    for changed, error in (
        ({"refresh_token": "other"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ):
        with cloud.refused():
            assert cloud.http.post(TOKEN, data=form | changed, timeout=20).json()["error"] == error


def test_an_identity_of_a_pool_is_what_its_token_says(cloud: Cloud) -> None:
    provider = cloud.provider()
    account = cloud.service_account((WORKLOAD_USER, members(provider.pool)))
    token = cloud.federated(provider)
    cloud.project.policy.add(
        "roles/viewer", f"principal://iam.googleapis.com/{provider.pool.name}/subject/ws-1"
    )
    with cloud.allowed("roles/viewer on"):  # without acting as anybody else
        assert cloud.call("GET", ACCOUNTS, token=token).status == 200
    with cloud.refused("roles/viewer, which names principal://"):
        assert cloud.call("DELETE", f"{ACCOUNTS}/{account.email}", token=token).status == 403
    asked = cloud.http.post(
        "https://sts.googleapis.com/v1/introspect", data={"token": token}, timeout=20
    ).json()
    assert asked["username"].endswith("/subject/ws-1")
    other = cloud.http.post(
        "https://sts.googleapis.com/v1/introspect", data={"token": "other"}, timeout=20
    ).json()
    assert other == {"active": False}
    cloud.project.policy.bindings.pop()


@pytest.mark.parametrize(
    ("url", "is_of_storage"),
    [
        (f"{STORAGE}/storage/v1/b/none", True),
        ("https://www.googleapis.com/storage/v1/b/none", True),
        ("https://none.storage.googleapis.com/key", True),
        (ACCOUNTS, False),
    ],
)
def test_cloud_storage_has_an_older_form_of_errors(cloud: Cloud, url: str, is_of_storage: bool) -> None:
    with cloud.refused("is none that was given here"):
        error = cloud.call("GET", url, token="other").said["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (401, "authError")
    assert ("status" not in error) is is_of_storage


def test_a_head_is_answered_without_a_body(cloud: Cloud) -> None:
    answer = cloud.http.head(f"{IAM}/nothing", timeout=20)
    assert (answer.status_code, answer.content) == (401, b"")
    assert int(answer.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://iam.googleapis.com/v9/projects", 404),
        ("https://iam.googleapis.com/v1/organizations/1/roles", 501),
        ("https://iam.googleapis.com/v1/roles", 501),
        ("https://iam.googleapis.com/v1/roles:queryGrantableRoles", 501),
        ("https://sts.googleapis.com/v1/nothing", 404),
        ("https://cloudbilling.googleapis.com/v1/projects/acme-prod/billingInfo", 403),
        ("https://www.googleapis.com/oauth2/v3/certs", 501),
    ],
)
def test_what_google_has_and_the_stand_in_has_not_is_undecided(cloud: Cloud, url: str, status: int) -> None:
    with cloud.undecided("the stand-in can't judge") if status == 501 else cloud.refused():
        assert cloud.call("GET", url).status == status


def test_other_hosts_of_google_are_no_stand_ins(cloud: Cloud) -> None:
    for host in ("compute.googleapis.com", "storage.googleapis.com.example.com", "metadata.google.internal"):
        mark = cloud.sandbox.journal.mark()
        with pytest.raises(OSError, match="403"):
            cloud.http.get(f"https://{host}/", timeout=20)
        assert [one.outcome for one in cloud.sandbox.journal.since(mark)] == [Outcome.NO_ROUTE]


def test_googles_clients_find_the_owner_by_a_file_without_a_key() -> None:
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        owner = Owner()
        sandbox.expect_owner(owner)
        environment = sandbox.environment("home", {})
        given = owner.files(environment)
        for name, value in (environment | given).items():
            patch.setenv(name, value)
        auth: Any = google.auth
        credentials, project = auth.default(scopes=[CLOUD_PLATFORM])
        assert (project, credentials.quota_project_id) == (owner.project, owner.project)
        session = google.auth.transport.requests.AuthorizedSession(credentials)
        answer = session.get(f"https://cloudresourcemanager.googleapis.com/v1/projects/{project}")
        session.close()
        assert answer.json()["projectNumber"] == owner.number
        for path in (given["GOOGLE_APPLICATION_CREDENTIALS"], given["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]):
            assert Path(path).is_relative_to(sandbox.folder)
            assert Path(path).stat().st_mode & 0o777 == 0o600
            assert "private_key" not in Path(path).read_text()


@NO_GCLOUD
def test_gcloud_works_as_the_owner() -> None:
    with Sandbox() as sandbox:
        owner = Owner()
        sandbox.expect_owner(owner)
        environment = sandbox.environment("home", {})
        environment |= owner.files(environment)

        def gcloud(command: str) -> object:
            words = ["gcloud", *command.split(), "--format=json"]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout or "null")

        commands = (
            "iam workload-identity-pools create tavus-pool --location=global",
            "iam service-accounts create tavus-writer",
            "projects describe sandbox-project",
        )
        with ThreadPoolExecutor() as together:
            said = list(together.map(gcloud, commands))
        assert isinstance(said[2], dict)
        assert said[2]["projectNumber"] == owner.number
        project = sandbox.google.world.project(owner.project)
        assert list(project.pools) == ["tavus-pool"]
        assert [one.email for one in project.service_accounts.values()] == [
            f"tavus-writer@{owner.project}.iam.gserviceaccount.com"
        ]
        assert sandbox.journal.since(0, Outcome.UNDECIDED, Outcome.NO_ROUTE, Outcome.REFUSED) == []
