"""Projects as the Resource Manager shows them, and which services are enabled in them.

Sources: https://docs.cloud.google.com/resource-manager/reference/rest/v1/projects and its v3,
https://docs.cloud.google.com/service-usage/docs/reference/rest/v1/services. Leaves out making, moving and removing
projects, folders, organisations and their policies, quotas, dependencies between services, and lists of several
pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from recording_storage.sandbox.google.errors import forbidden, invalid
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.policy_methods import PolicyMethods
from recording_storage.sandbox.google.world import SERVICES, utc
from recording_storage.sandbox.rest import ANY, Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.operations import Operations
    from recording_storage.sandbox.google.world import Project, World

    Json = dict[str, Any]
    Names = Mapping[str, str]

DENIED = "The caller does not have permission"
ALL_ACTIVE = ("", "lifecycleState:ACTIVE", "lifecycleState=ACTIVE", "state:ACTIVE")
OTHER_SERVICES = (
    *(
        "artifactregistry",
        "bigquery",
        "cloudapis",
        "cloudasset",
        "cloudbilling",
        "cloudbuild",
        "cloudfunctions",
    ),
    *(
        "cloudtrace",
        "compute",
        "container",
        "containerregistry",
        "datastore",
        "dns",
        "eventarc",
        "iap",
        "logging",
    ),
    *("monitoring", "networkmanagement", "orgpolicy", "pubsub", "run", "secretmanager", "servicemanagement"),
    *("servicenetworking", "sqladmin", "storage-api", "storage-component", "storagetransfer"),
)
"""Services that exist, and that nothing here stands in for: they can be enabled, which changes nothing else."""
KNOWN_SERVICES = frozenset({*SERVICES, *(f"{name}.googleapis.com" for name in OTHER_SERVICES)})
_NAME = re.compile(r"[a-z0-9.-]+\.[a-z]+")
_SERVICES = "/v1/projects/{project}/services"
_STATE = re.compile(r"state[:=](ENABLED|DISABLED)")


class Projects:
    """The service at cloudresourcemanager.googleapis.com."""

    def __init__(self, world: World, access: Access) -> None:
        self._world = world
        self._access = access
        policies = PolicyMethods(access, "resourcemanager.projects")
        self._routes = Routes(
            ("GET", "/v1/projects", self._list_v1),
            ("GET", "/v3/projects", None),
            ("GET", "/v3/projects:search", self._search_v3),
            ("GET", "/v1/projects/{project}", self._get_v1),
            ("GET", "/v3/projects/{project}", self._get_v3),
            ("POST", "/v1/projects/{project}:getAncestry", self._ancestry),
            *policies.routes("/v1/projects/{project}", self._find),
            *policies.routes("/v3/projects/{project}", self._find),
            *[(ANY, f"/{version}/{{rest=**}}", None) for version in ("v1", "v1beta1", "v2", "v2beta1", "v3")],
        )

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request."""
        return self._routes.answer(request, who)

    def _find(self, names: Names) -> Project:
        found = self._world.find(names["project"])
        if found is None:
            raise forbidden(DENIED, because=f"there is no project {names['project']}")
        return found

    def _get(self, who: Principal, names: Names) -> Project:
        project = self._find(names)
        self._access.require(who, "resourcemanager.projects.get", project)
        return project

    def _get_v1(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        return _v1(self._get(who, names))

    def _get_v3(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        return _v3(self._get(who, names))

    def _visible(self, who: Principal, wanted: str) -> list[Project]:
        if wanted not in ALL_ACTIVE:
            raise Undecided(f"projects that fit {wanted}")
        return [
            one
            for one in self._world.projects
            if self._access.allowed(who, "resourcemanager.projects.get", one)
        ]

    def _list_v1(self, request: Request, who: Principal, names: Names) -> Json:
        del names
        return {"projects": [_v1(one) for one in self._visible(who, request.query.get("filter", ""))]}

    def _search_v3(self, request: Request, who: Principal, names: Names) -> Json:
        del names
        return {"projects": [_v3(one) for one in self._visible(who, request.query.get("query", ""))]}

    def _ancestry(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        return {"ancestor": [{"resourceId": {"type": "project", "id": self._get(who, names).id}}]}


class ServiceUsage:
    """The service at serviceusage.googleapis.com."""

    def __init__(self, world: World, access: Access, operations: Operations) -> None:
        self._world = world
        self._access = access
        self._operations = operations
        self._routes = Routes(
            ("GET", _SERVICES, self._list),
            ("POST", _SERVICES + ":batchEnable", self._batch_enable),
            ("GET", _SERVICES + ":batchGet", self._batch_get),
            ("GET", _SERVICES + "/{service}", self._get),
            ("POST", _SERVICES + "/{service}:enable", self._enable),
            ("POST", _SERVICES + "/{service}:disable", self._disable),
            ("GET", "/v1/{name=operations/*}", self._operation),
            *[
                (ANY, f"/{version}/{{rest=**}}", None)
                for version in ("v1", "v1beta1", "v2alpha", "v2beta", "v2")
            ],
        )

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request."""
        return self._routes.answer(request, who)

    def _list(self, request: Request, who: Principal, names: Names) -> Json:
        project = self._project(who, "list", names)
        wanted = request.query.get("filter", "")
        state = _STATE.fullmatch(wanted)
        if wanted and not state:
            raise Undecided(f"services that fit {wanted}")
        shown = [_service(project, one) for one in sorted(KNOWN_SERVICES | project.services)]
        return {"services": [one for one in shown if not state or one["state"] == state[1]]}

    def _get(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        project = self._project(who, "get", names)
        return _service(project, _known(names["service"]))

    def _batch_get(self, request: Request, who: Principal, names: Names) -> Json:
        project = self._project(who, "get", names)
        asked = [value.rpartition("/")[2] for name, value in request.query_all if name == "names"]
        return {"services": [_service(project, _known(one)) for one in asked]}

    def _enable(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        project = self._project(who, "enable", names)
        name = _known(names["service"])
        project.services.add(name)
        return self._begun("EnableServiceResponse", {"service": _service(project, name)})

    def _batch_enable(self, request: Request, who: Principal, names: Names) -> Json:
        project = self._project(who, "enable", names)
        wanted = [_known(str(one)) for one in cast("list[Any]", request.json().get("serviceIds") or [])]
        if not wanted:
            raise invalid("The service_ids are required.")
        project.services.update(wanted)
        return self._begun(
            "BatchEnableServicesResponse", {"services": [_service(project, one) for one in wanted]}
        )

    def _disable(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        project = self._project(who, "disable", names)
        name = _known(names["service"])
        project.services.discard(name)
        return self._begun("DisableServiceResponse", {"service": _service(project, name)})

    def _operation(self, request: Request, who: Principal, names: Names) -> Json:
        del request, who
        return self._operations.get(names["name"])

    def _project(self, who: Principal, verb: str, names: Names) -> Project:
        project = self._world.project(names["project"])
        self._access.require(who, f"serviceusage.services.{verb}", project)
        return project

    def _begun(self, kind: str, response: Json) -> Json:
        return self._operations.begin("", f"google.api.serviceusage.v1.{kind}", response)


def _v1(project: Project) -> Json:
    return {
        "projectNumber": project.number,
        "projectId": project.id,
        "lifecycleState": "ACTIVE",
        "name": project.id,
        "createTime": utc(project.created),
    }


def _v3(project: Project) -> Json:
    return {
        "name": f"projects/{project.number}",
        "projectId": project.id,
        "state": "ACTIVE",
        "displayName": project.id,
        "createTime": utc(project.created),
    }


def _service(project: Project, name: str) -> Json:
    return {
        "name": f"projects/{project.number}/services/{name}",
        "config": {"name": name},
        "state": "ENABLED" if name in project.services else "DISABLED",
        "parent": f"projects/{project.number}",
    }


def _known(name: str) -> str:
    if name in KNOWN_SERVICES:
        return name
    if _NAME.fullmatch(name):
        raise Undecided(f"the service {name}, of which the stand-in doesn't know whether it exists")
    raise invalid(f"Invalid service name: {name}")
