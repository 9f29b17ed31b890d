"""Projects, and which services are enabled in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from google_cloud import Cloud

MANAGER = "https://cloudresourcemanager.googleapis.com"
USAGE = "https://serviceusage.googleapis.com/v1"
SERVICES = f"{USAGE}/projects/acme-prod/services"


def test_a_project_has_an_id_and_a_number(cloud: Cloud) -> None:
    for ref in ("acme-prod", "123456789012"):
        first = cloud.call("GET", f"{MANAGER}/v1/projects/{ref}").said
        assert (first["projectId"], first["projectNumber"], first["lifecycleState"]) == (
            "acme-prod",
            "123456789012",
            "ACTIVE",
        )
        third = cloud.call("GET", f"{MANAGER}/v3/projects/{ref}").said
        assert (third["projectId"], third["name"], third["state"]) == (
            "acme-prod",
            "projects/123456789012",
            "ACTIVE",
        )


def test_only_who_may_sees_a_project(cloud: Cloud) -> None:
    for ref, because in (
        ("elsewhere", "no binding of roles/owner names user:owner"),
        ("nowhere", "there is no project"),
    ):
        with cloud.refused(because):
            assert cloud.call("GET", f"{MANAGER}/v1/projects/{ref}").status == 403
    for path in ("v1/projects", "v1/projects?filter=lifecycleState:ACTIVE", "v3/projects:search"):
        found = cloud.call("GET", f"{MANAGER}/{path}").said["projects"]
        assert [one["projectId"] for one in found] == ["acme-prod"]
    with cloud.undecided("projects that fit"):
        cloud.call("GET", f"{MANAGER}/v1/projects?filter=labels.a:b")


@pytest.mark.parametrize("version", ["v1", "v3"])
def test_a_projects_policy_is_read_and_replaced(cloud: Cloud, version: str) -> None:
    url = f"{MANAGER}/{version}/projects/acme-prod"
    policy = cloud.call("POST", f"{url}:getIamPolicy", {}).said
    assert policy["bindings"] == [{"role": "roles/owner", "members": ["user:owner@example.com"]}]
    reader = {"role": "roles/viewer", "members": ["user:stranger@example.org"]}
    with cloud.allowed():
        body = {
            "policy": {**policy, "bindings": [*policy["bindings"], reader]},
            "updateMask": "bindings,etag,auditConfigs",
        }
        assert cloud.call("POST", f"{url}:setIamPolicy", body).said["bindings"][1] == reader
        assert cloud.call("GET", url, token=cloud.stranger.access_token).status == 200
    with cloud.refused("roles/viewer, which names user:stranger@example.org, doesn't permit"):
        cloud.call("POST", f"{url}:setIamPolicy", body, cloud.stranger.access_token)
    cloud.project.policy.bindings.pop()


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "v1/projects/acme-prod"), ("POST", "v3/projects"), ("GET", "v3/folders")]
)
def test_what_else_the_api_has_is_undecided(cloud: Cloud, method: str, path: str) -> None:
    with cloud.undecided():
        assert cloud.call(method, f"{MANAGER}/{path}", {}).status == 501


def state(cloud: Cloud, service: str) -> str:
    return cloud.call("GET", f"{SERVICES}/{service}").said["state"]


def finished(cloud: Cloud, begun: dict[str, Any]) -> dict[str, Any]:
    assert begun["done"] is False
    return cloud.call("GET", f"{USAGE}/{begun['name']}").said["response"]


def test_services_are_disabled_and_enabled(cloud: Cloud) -> None:
    service = "sts.googleapis.com"
    assert state(cloud, service) == "ENABLED"
    finished(cloud, cloud.call("POST", f"{SERVICES}/{service}:disable", {}).said)
    assert state(cloud, service) == "DISABLED"
    done = finished(cloud, cloud.call("POST", f"{SERVICES}/{service}:enable", {}).said)
    assert done["service"]["state"] == state(cloud, service) == "ENABLED"
    done = finished(
        cloud,
        cloud.call("POST", f"{SERVICES}:batchEnable", {"serviceIds": ["run.googleapis.com", service]}).said,
    )
    assert [one["state"] for one in done["services"]] == ["ENABLED", "ENABLED"]
    enabled = cloud.call("GET", f"{SERVICES}?filter=state:ENABLED").said["services"]
    assert {one["config"]["name"] for one in enabled} == cloud.project.services
    names = [("names", f"projects/acme-prod/services/{one}") for one in (service, "compute.googleapis.com")]
    found = cloud.call("GET", f"{SERVICES}:batchGet", params=names).said["services"]
    assert [one["state"] for one in found] == ["ENABLED", "DISABLED"]


def test_whether_other_services_exist_is_undecided(cloud: Cloud) -> None:
    with cloud.undecided("of which the stand-in doesn't know"):
        cloud.call("POST", f"{SERVICES}/unheardof.googleapis.com:enable", {})
    with cloud.refused("Invalid service name"):
        assert cloud.call("POST", f"{SERVICES}/unheardof:enable", {}).status == 400


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("iam.googleapis.com", "https://iam.googleapis.com/v1/projects/acme-prod/serviceAccounts"),
        ("cloudresourcemanager.googleapis.com", f"{MANAGER}/v1/projects/acme-prod"),
        ("storage.googleapis.com", "https://storage.googleapis.com/storage/v1/b?project=acme-prod"),
        (
            "cloudkms.googleapis.com",
            "https://cloudkms.googleapis.com/v1/projects/acme-prod/locations/global/keyRings",
        ),
    ],
)
@pytest.mark.parametrize("headers", [{"x-goog-user-project": "acme-prod"}])
def test_a_service_must_be_enabled_where_the_caller_is_billed(
    cloud: Cloud, service: str, url: str, headers: dict[str, str]
) -> None:
    with (
        cloud.without(service),
        cloud.refused(f"the service {service} isn't enabled in the project acme-prod"),
    ):
        answer = cloud.call("GET", url, headers=headers)
    error = answer.said["error"]
    assert (answer.status, error["errors"][0]["reason"]) == (403, "accessNotConfigured")
    if "storage" not in service:
        assert error["details"][0]["metadata"] == {"service": service, "consumer": "projects/123456789012"}
    with cloud.allowed():
        assert cloud.call("GET", url, headers=headers).status == 200


def test_services_can_always_be_enabled(cloud: Cloud) -> None:
    service = "serviceusage.googleapis.com"
    with cloud.without(service), cloud.allowed():
        cloud.call("GET", f"{SERVICES}/{service}")


@pytest.mark.parametrize("headers", [{}, {"x-goog-user-project": "acme-prod"}])
def test_a_path_says_who_is_billed_unless_a_header_does(cloud: Cloud, headers: dict[str, str]) -> None:
    url = "https://iam.googleapis.com/v1/projects/elsewhere/serviceAccounts"
    cloud.world.project("elsewhere").services.remove("iam.googleapis.com")
    with cloud.refused("roles/owner names" if headers else "isn't enabled in the project elsewhere"):
        cloud.call("GET", url, headers=headers)
    cloud.world.project("elsewhere").services.add("iam.googleapis.com")


def test_to_be_billed_to_a_project_needs_a_permission_in_it(cloud: Cloud) -> None:
    url, headers = f"{MANAGER}/v1/projects/acme-prod", {"x-goog-user-project": "elsewhere"}
    with cloud.refused("no binding of roles/owner names user:owner@example.com"):
        answer = cloud.call("GET", url, headers=headers)
    assert answer.said["error"]["details"][0]["metadata"]["permission"] == "serviceusage.services.use"
    other = cloud.world.project("elsewhere")
    other.policy.add("roles/serviceusage.serviceUsageConsumer", "user:owner@example.com")
    with cloud.allowed():
        assert cloud.call("GET", url, headers=headers).status == 200
    other.policy.bindings.pop()
