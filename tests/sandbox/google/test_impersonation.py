"""An identity of a pool that acts as a service account: who may, and for how long it holds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import google.auth.transport.requests
import pytest
from google.auth import exceptions, identity_pool
from google_cloud import CLOUD_PLATFORM, IAM, JWT, SUBJECT, TOKEN_URL, WORKLOAD_USER, members, subject

if TYPE_CHECKING:
    from google_cloud import Cloud

    from recording_storage.sandbox.google.world import Provider

CREATOR = "roles/iam.serviceAccountTokenCreator"
MAPPING = {
    "google.subject": "assertion.sub",
    "google.groups": "['recorders']",
    "attribute.tenant": "assertion.sub.extract('ws-{id}')",
}


@pytest.fixture(scope="module")
def provider(cloud: Cloud) -> Provider:
    return cloud.provider(mapping=MAPPING)


class Supplier(identity_pool.SubjectTokenSupplier):
    """What the recording service has: a token of its own issuer."""

    def __init__(self, cloud: Cloud, provider: Provider, name: str) -> None:
        self._make = lambda: cloud.mint(provider, name)

    def get_subject_token(self, context: Any, request: Any) -> str:
        return self._make()


@pytest.mark.parametrize(("name", "is_let_in"), [(SUBJECT, True), ("WS-1", False)])
def test_googles_own_client_exchanges_and_impersonates(
    cloud: Cloud, provider: Provider, name: str, is_let_in: bool
) -> None:
    account = cloud.service_account((WORKLOAD_USER, subject(provider.pool)))
    url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account.email}:generateAccessToken"
    credentials = identity_pool.Credentials(
        audience=provider.full_name,
        subject_token_type=JWT,
        token_url=TOKEN_URL,
        subject_token_supplier=Supplier(cloud, provider, name),
        service_account_impersonation_url=url,
        scopes=[CLOUD_PLATFORM],
    )
    request = google.auth.transport.requests.Request(cloud.http)
    if is_let_in:
        with cloud.allowed(f"{WORKLOAD_USER} on {account.full_name} permits it"):
            credentials.refresh(request)
        assert credentials.valid
    else:
        denied = pytest.raises(exceptions.RefreshError, match="getAccessToken")
        with cloud.refused(f"no binding of {WORKLOAD_USER} names {subject(provider.pool, 'WS-1')}"), denied:
            credentials.refresh(request)


@pytest.mark.parametrize(
    ("role", "member", "is_enough"),
    [
        (WORKLOAD_USER, "principal://{pool}/subject/ws-1", True),
        (CREATOR, "principal://{pool}/subject/ws-1", True),
        (WORKLOAD_USER, "principalSet://{pool}/*", True),
        (WORKLOAD_USER, "principalSet://{pool}/group/recorders", True),
        (WORKLOAD_USER, "principalSet://{pool}/attribute.tenant/1", True),
        (WORKLOAD_USER, "principalSet://{pool}/attribute.tenant/2", False),
        (WORKLOAD_USER, "principalSet://{pool}/attribute.other/1", False),
        (WORKLOAD_USER, "principalSet://{pool}/group/others", False),
        (WORKLOAD_USER, "principal://{pool}/subject/ws-2", False),
        (WORKLOAD_USER, "principal://{pool}/subject/ws-*", False),
        (WORKLOAD_USER, "principal://{pool}-2/subject/ws-1", False),
        (WORKLOAD_USER, "allAuthenticatedUsers", False),
        (WORKLOAD_USER, "allUsers", True),
        ("roles/iam.serviceAccountUser", "principal://{pool}/subject/ws-1", False),
        ("roles/iam.serviceAccountOpenIdTokenCreator", "principal://{pool}/subject/ws-1", False),
        ("roles/owner", "principal://{pool}/subject/ws-1", False),
    ],
)
def test_a_binding_must_name_the_identity_with_a_role_that_permits_it(
    cloud: Cloud, provider: Provider, role: str, member: str, is_enough: bool
) -> None:
    account = cloud.service_account((role, member.format(pool=f"iam.googleapis.com/{provider.pool.name}")))
    token = cloud.federated(provider)
    with cloud.allowed() if is_enough else cloud.refused(role):
        answer = cloud.impersonate(token, account)
    if is_enough:
        assert set(answer.said) == {"accessToken", "expireTime"}
        return
    assert (answer.status, answer.error) == (403, "PERMISSION_DENIED")
    assert (
        answer.said["error"]["details"][0]["metadata"]["permission"] == "iam.serviceAccounts.getAccessToken"
    )


def test_the_projects_owner_may_not_act_as_its_service_accounts_by_itself(cloud: Cloud) -> None:
    account = cloud.service_account()
    with cloud.refused("roles/owner, which names user:owner@example.com, doesn't permit"):
        assert cloud.impersonate(cloud.owner.access_token, account).status == 403
    account.policy.add(CREATOR, "user:owner@example.com")
    with cloud.allowed():
        assert cloud.impersonate(cloud.owner.access_token, account).status == 200


def test_a_binding_on_the_project_counts_too(cloud: Cloud, provider: Provider) -> None:
    account, token = cloud.service_account(), cloud.federated(provider)
    with cloud.refused("or above it has a role with iam.serviceAccounts.getAccessToken"):
        cloud.impersonate(token, account)
    cloud.project.policy.add(WORKLOAD_USER, subject(provider.pool))
    with cloud.allowed("on //cloudresourcemanager.googleapis.com/projects/acme-prod permits it"):
        cloud.impersonate(token, account)
    cloud.project.policy.bindings.pop()


@pytest.mark.parametrize(
    ("role", "member"),
    [
        (WORKLOAD_USER, "group:recorders@example.com"),
        ("roles/acme.unheardOf", ""),
        ("projects/acme-prod/roles/own", ""),
    ],
)
def test_what_nobody_in_the_sandbox_knows_is_undecided(
    cloud: Cloud, provider: Provider, role: str, member: str
) -> None:
    account, token = (
        cloud.service_account((role, member or subject(provider.pool))),
        cloud.federated(provider),
    )
    with cloud.undecided():
        assert cloud.impersonate(token, account).status == 501
    account.policy.add(WORKLOAD_USER, subject(provider.pool))
    with cloud.allowed():
        assert cloud.impersonate(token, account).status == 200


@pytest.mark.parametrize(
    ("member", "is_named"),
    [
        ("projectOwner:acme-prod", True),
        ("projectOwner:123456789012", True),
        ("projectEditor:acme-prod", False),
        ("projectOwner:elsewhere", False),
        ("projectOwner:nowhere", False),
    ],
)
def test_a_projects_owners_are_named_together(cloud: Cloud, member: str, is_named: bool) -> None:
    account = cloud.service_account((CREATOR, member))
    with cloud.allowed() if is_named else cloud.refused(member):
        cloud.impersonate(cloud.owner.access_token, account)


def test_whether_a_group_owns_a_project_is_undecided(cloud: Cloud) -> None:
    account = cloud.service_account((CREATOR, "projectEditor:elsewhere"))
    cloud.world.project("elsewhere").policy.add("roles/editor", "group:editors@example.com")
    with cloud.undecided("who is among projectEditor:elsewhere"):
        cloud.impersonate(cloud.owner.access_token, account)
    cloud.world.project("elsewhere").policy.bindings.pop()


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ('request.time < timestamp("2100-01-01T00:00:00Z")', True),
        ('request.time < timestamp("2020-01-01T00:00:00Z")', False),
        ('resource.type == "iam.googleapis.com/ServiceAccount"', True),
        ('resource.type == "storage.googleapis.com/Bucket"', False),
        ("request.auth.access_levels.size() > 0", None),
    ],
)
def test_the_condition_of_a_binding_must_hold(
    cloud: Cloud, provider: Provider, condition: str, is_met: bool | None
) -> None:
    account, token = cloud.service_account(), cloud.federated(provider)
    account.policy.add(WORKLOAD_USER, subject(provider.pool), {"title": "t", "expression": condition})
    ends = {True: cloud.allowed, False: cloud.refused, None: cloud.undecided}[is_met]
    with ends(f"the condition {condition}"):
        assert cloud.impersonate(token, account).status == {True: 200, False: 403, None: 501}[is_met]


def test_a_disabled_service_account_is_nobody(cloud: Cloud, provider: Provider) -> None:
    account = cloud.service_account((WORKLOAD_USER, subject(provider.pool)))
    token = cloud.federated(provider)
    held = cloud.impersonate(token, account).said["accessToken"]
    account.disabled = True
    with cloud.refused("is disabled"):
        assert cloud.impersonate(token, account).error == "FAILED_PRECONDITION"
    with cloud.refused("is disabled"):
        assert cloud.iam("GET", "projects/acme-prod/serviceAccounts", token=held).status == 401
    account.disabled = False
    with cloud.allowed():
        cloud.impersonate(token, account)


def test_one_that_does_not_exist_cannot_be_acted_as(cloud: Cloud, provider: Provider) -> None:
    with cloud.refused("there is no service account"):
        answer = cloud.impersonate(cloud.federated(provider), "nobody@acme-prod.iam.gserviceaccount.com")
    assert (answer.status, answer.message) == (
        404,
        "Not found; Gaia id not found for email nobody@acme-prod.iam.gserviceaccount.com",
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 200),
        ({"lifetime": "3600s"}, 200),
        ({"lifetime": "3601s"}, 400),
        ({"lifetime": "0s"}, 400),
        ({"lifetime": "1h"}, 400),
        ({"scope": []}, 400),
        ({"delegates": ["projects/-/serviceAccounts/x"]}, 501),
    ],
)
def test_what_is_asked_for_an_access_token(
    cloud: Cloud, provider: Provider, body: dict[str, Any], status: int
) -> None:
    account = cloud.service_account((WORKLOAD_USER, subject(provider.pool)))
    assert cloud.impersonate(cloud.federated(provider), account, **body).status == status


def test_the_projects_name_is_no_place_for_an_account_there(cloud: Cloud, provider: Provider) -> None:
    account = cloud.service_account((WORKLOAD_USER, subject(provider.pool)))
    token, host = cloud.federated(provider), "https://iamcredentials.googleapis.com/v1"
    body = {"scope": [CLOUD_PLATFORM]}
    for project, status in (("-", 200), ("acme-prod", 400)):
        url = f"{host}/projects/{project}/serviceAccounts/{account.email}:generateAccessToken"
        assert cloud.call("POST", url, body, token).status == status


def test_the_regional_boundary_that_clients_ask_for_is_none(cloud: Cloud, provider: Provider) -> None:
    url = f"https://iamcredentials.googleapis.com/v1/{provider.pool.name}/allowedLocations"
    assert cloud.call("GET", url, token=cloud.federated(provider)).said["encodedLocations"] == "0x0"


@pytest.mark.parametrize("service", ["iamcredentials.googleapis.com"])
def test_the_service_must_be_enabled_where_the_caller_is(
    cloud: Cloud, provider: Provider, service: str
) -> None:
    account, token = cloud.service_account((WORKLOAD_USER, subject(provider.pool))), cloud.federated(provider)
    with cloud.without(service), cloud.refused(f"the service {service} isn't enabled"):
        answer = cloud.impersonate(token, account)
    assert (answer.status, answer.said["error"]["details"][0]["reason"]) == (403, "SERVICE_DISABLED")
    with cloud.allowed():
        cloud.impersonate(token, account)


@pytest.mark.parametrize("state", ["disabled", "deleted"])
def test_a_pools_tokens_are_good_as_long_as_the_pool_is(cloud: Cloud, state: str) -> None:
    provider = cloud.provider()
    account, token = cloud.service_account((WORKLOAD_USER, members(provider.pool))), cloud.federated(provider)
    setattr(provider.pool, state, cloud.world.now() if state == "deleted" else True)
    with cloud.refused(f"is {state}"):
        assert cloud.impersonate(token, account).status == 401
    setattr(provider.pool, state, None)
    provider.disabled = True  # which leaves tokens alone that were given already
    with cloud.allowed():
        assert cloud.impersonate(token, account).status == 200


def test_an_access_token_expires(cloud: Cloud, provider: Provider) -> None:
    account, token = cloud.service_account((WORKLOAD_USER, members(provider.pool))), cloud.federated(provider)
    with cloud.later(timedelta(minutes=59)), cloud.allowed():
        held = cloud.impersonate(token, account, lifetime="60s").said["accessToken"]
    with cloud.later(timedelta(minutes=61)), cloud.refused("expired at"):
        assert cloud.impersonate(token, account).status == 401
    account.policy.add("roles/iam.serviceAccountViewer", f"serviceAccount:{account.email}")
    url = f"{IAM}/projects/acme-prod/serviceAccounts/{account.email}"
    with cloud.later(timedelta(minutes=59, seconds=30)), cloud.allowed():
        assert cloud.call("GET", url, token=held).status == 200
    with cloud.later(timedelta(minutes=61)), cloud.refused("expired at"):
        assert cloud.call("GET", url, token=held).status == 401
