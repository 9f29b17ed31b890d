"""Projects: services that are enabled in one, and what is known of it.

Sources: https://docs.cloud.google.com/service-usage/docs/reference/rest,
https://www.pulumi.com/registry/packages/gcp/api-docs/projects/service/. Leaves out the billing account, and several
services being enabled by one request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.resources.gcp.resource import Type, abandoned, last, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.resources import Properties
    from recording_storage.resources.gcp.clients import Clients

USAGE = "https://serviceusage.googleapis.com/v1/"
PROJECTS = "https://cloudresourcemanager.googleapis.com/v1/projects/"


class Service(Type):
    """`gcp:projects/service:Service`: an API that is enabled; deleting it leaves it so, unless it is told otherwise."""

    properties = frozenset(
        {"deletionPolicy", "disableDependentServices", "disableOnDestroy", "project", "service"}
    )
    replace_on = frozenset({"project", "service"})
    forms = ("{project}/{service}",)
    spelling: Mapping[str, Callable[[Any], Any]] = {"project": last}

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        project, service = last(clients.project_of(inputs)), str(inputs["service"])
        if service not in _enabled(clients, project):
            url = f"{USAGE}projects/{project}/services/{service}:enable"
            clients.wait(USAGE, clients.call("POST", url, {}), f"enable {service}")
        return f"{project}/{service}", self._state(clients, inputs, project)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        said = self.said(id_)
        project = clients.find(PROJECTS + said["project"])
        if project is None or project.get("lifecycleState") == "DELETE_REQUESTED":
            return None
        if said["service"] not in _enabled(clients, said["project"]):
            return None
        return self._state(clients, state | said, said["project"])

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        return self._state(clients, inputs, self.said(id_)["project"])  # nothing of it is Google's

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        if abandoned(id_, state) or not state.get("disableOnDestroy"):
            return
        said = self.said(id_)
        body = {"disableDependentServices": bool(state.get("disableDependentServices"))}
        url = f"{USAGE}projects/{said['project']}/services/{said['service']}:disable"
        clients.wait(USAGE, clients.call("POST", url, body), f"disable {said['service']}")

    def _state(self, clients: Clients, state: Properties, project: str) -> Properties:
        policy = state.get("deletionPolicy") or clients.deletion_policy
        return state | {"deletionPolicy": policy, "project": project}


def _enabled(clients: Clients, project: str) -> set[str]:
    query = {"filter": "state:ENABLED", "fields": "services/name,nextPageToken", "pageSize": 200}
    pages = clients.pages(f"{USAGE}projects/{project}/services", **query)
    return {last(service["name"]) for page in pages for service in page.get("services", [])}


def get_project(clients: Clients, args: Properties) -> Properties:
    """Look up a project: `gcp:organizations/getProject:getProject`."""
    id_ = str(args.get("projectId") or clients.project_of({}))
    found = clients.find(PROJECTS + id_)
    if found is None or found.get("lifecycleState") != "ACTIVE":
        raise LookupError(f"projects/{id_} not found or not in ACTIVE state")
    labels, parent = table(found.get("labels")), table(found.get("parent"))
    return {
        "id": f"projects/{id_}",
        "projectId": id_,
        "name": found.get("name", ""),
        "number": str(found["projectNumber"]),
        "effectiveLabels": labels,
        "labels": labels,
        "pulumiLabels": labels,
        "folderId": parent.get("id", "") if parent.get("type") == "folder" else "",
        "orgId": parent.get("id", "") if parent.get("type") == "organization" else "",
    }


def get_client_config(clients: Clients, args: Properties) -> Properties:
    """Tell the provider's own configuration: `gcp:organizations/getClientConfig:getClientConfig`."""
    return {
        "id": f"projects/{clients.project}/regions/{clients.region}/zones/{clients.zone}",
        "project": clients.project,
        "region": clients.region,
        "zone": clients.zone,
        "accessToken": clients.token,
        "defaultLabels": clients.default_labels,
    }
