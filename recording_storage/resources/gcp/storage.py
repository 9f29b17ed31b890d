"""Cloud Storage: a bucket with all that it keeps, roles on it, and who Cloud Storage itself is in a project.

Sources: https://docs.cloud.google.com/storage/docs/json_api/v1/buckets, and for what is an input and what an output
https://www.pulumi.com/registry/packages/gcp/api-docs/storage/bucket/. Leaves out every setting that isn't in
`Bucket.properties`, when a soft delete policy came into force, Anywhere Caches, and the id of another project that is
known by its number only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from recording_storage.resources.gcp import lifecycle
from recording_storage.resources.gcp.clients import ApiError
from recording_storage.resources.gcp.grants import Binding, Member
from recording_storage.resources.gcp.policies import Target
from recording_storage.resources.gcp.resource import Type, abandoned, only, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.resources import Properties
    from recording_storage.resources.gcp.clients import Clients

API = "https://storage.googleapis.com/storage/v1/"
BUCKET = Target(
    input="bucket",
    api=API,
    forms=("b/{bucket}", "{bucket}"),
    read=("GET", "/iam"),
    write=("PUT", "/iam"),
    version="optionsRequestedPolicyVersion",
    is_wrapped=False,
    is_renamed=True,
)
MEMBER, BINDING = Member(BUCKET), Binding(BUCKET)
NUMBER = "retentionDurationSeconds"


def _upper(location: Any) -> Any:
    return str(location).upper()


def _access(inputs: Properties) -> Properties:
    uniform = {"uniformBucketLevelAccess": {"enabled": bool(inputs.get("uniformBucketLevelAccess"))}}
    prevention = inputs.get("publicAccessPrevention")
    return {"iamConfiguration": uniform | ({"publicAccessPrevention": prevention} if prevention else {})}


def _soft_delete(inputs: Properties) -> Properties:
    said = only(inputs.get("softDeletePolicy"), {NUMBER}, "softDeletePolicy")
    return {"softDeletePolicy": {NUMBER: int(said.get(NUMBER, 604800))}} if said else {}


def _encryption(inputs: Properties) -> Properties:
    return {"encryption": only(inputs.get("encryption"), {"defaultKmsKeyName"}, "encryption") or None}


def _versioning(inputs: Properties) -> Properties:
    said = only(inputs.get("versioning"), {"enabled"}, "versioning")
    return {"versioning": said} if said else {}


SETTINGS: Mapping[str, Callable[[Properties], Properties]] = {
    "encryption": _encryption,
    "lifecycleRules": lambda inputs: {"lifecycle": {"rule": lifecycle.to_api(inputs.get("lifecycleRules"))}},
    "publicAccessPrevention": _access,
    "softDeletePolicy": _soft_delete,
    "storageClass": lambda inputs: {"storageClass": inputs["storageClass"]},
    "uniformBucketLevelAccess": _access,
    "versioning": _versioning,
}
"""What is sent for an input; nothing where it is Google's to choose."""


class Bucket(Type):
    """`gcp:storage/bucket:Bucket`."""

    properties = frozenset(
        {"deletionPolicy", "forceDestroy", "labels", "location", "name", "project", *SETTINGS}
    )
    replace_on = frozenset({"location", "name", "project"})
    names = frozenset({"name"})
    defaults: Mapping[str, object] = {"deletionPolicy": "DELETE", "storageClass": "STANDARD"}
    computed = frozenset(
        {"project", "publicAccessPrevention", "softDeletePolicy", "uniformBucketLevelAccess", "versioning"}
    )
    spelling: Mapping[str, Callable[[Any], Any]] = {
        "lifecycleRules": lifecycle.settled,
        "location": _upper,
    }

    def import_id(self, clients: Clients, import_id: str) -> tuple[str, Properties]:
        """As in `calls`, or `project/calls`."""
        project, _, name = import_id.rpartition("/")
        return name, {"project": project} if project else {}

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        asked, labels = self.settled(inputs, {}), self._labels(clients, inputs, clients.attribution)
        body = {"name": asked["name"], "location": asked["location"], "labels": labels}
        for setting in SETTINGS.values():
            body |= {name: value for name, value in setting(asked).items() if value is not None}
        made = clients.call("POST", f"{API}b", body, project=clients.project_of(inputs))
        return str(made["id"]), self._read(clients, made["id"], inputs | {"pulumiLabels": labels})

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        found = clients.find(f"{API}b/{id_}")
        return None if found is None else _state(clients, state, found)

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        before, after = self.settled(state, state), self.settled(inputs, state)
        changed = [name for name in SETTINGS if (before.get(name) or None) != (after.get(name) or None)]
        body: Properties = {}
        for name in changed:
            body |= SETTINGS[name](after)
        old, ours = table(state.get("effectiveLabels")), table(state.get("pulumiLabels"))
        labels = self._labels(clients, inputs, {n: v for n, v in clients.attribution.items() if n in old})
        new = {name: value for name, value in old.items() if name not in ours} | labels
        if new != old:
            body["labels"] = dict.fromkeys(old) | new  # a label that isn't any more is null
        if body:
            clients.call("PATCH", f"{API}b/{id_}", body)
        return self._read(clients, id_, inputs | {"project": after.get("project"), "pulumiLabels": labels})

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        if abandoned(id_, state):
            return
        try:
            self._empty(clients, id_, is_forced=bool(state.get("forceDestroy")))
        except ApiError as error:  # it may be empty, or gone
            failure = error
        else:
            failure = None
        try:
            clients.remove(f"{API}b/{id_}")
        except ApiError as error:
            raise failure or error from error

    def _empty(self, clients: Clients, id_: str, *, is_forced: bool) -> None:
        for page in clients.pages(f"{API}b/{id_}/o", versions="true"):
            for found in page.get("items", []):
                if not is_forced:
                    raise PermissionError(
                        f"Error trying to delete bucket {id_} without `force_destroy` set to true"
                    )
                address = f"{API}b/{id_}/o/{quote(found['name'], safe='')}"
                clients.remove(address, generation=found["generation"])

    def _labels(self, clients: Clients, inputs: Properties, attribution: Mapping[str, str]) -> dict[str, str]:
        return {**clients.default_labels, **attribution, **(inputs.get("labels") or {})}

    def _read(self, clients: Clients, id_: str, state: Properties) -> Properties:
        return _state(clients, state, clients.call("GET", f"{API}b/{id_}"))


def _state(clients: Clients, state: Properties, found: Properties) -> Properties:
    """The state, of what was given or known and what Google has; labels that somebody else has set aren't ours."""
    labels, access = table(found.get("labels")), table(found.get("iamConfiguration"))
    soft_delete = found.get("softDeletePolicy")
    now = {
        "deletionPolicy": state.get("deletionPolicy") or clients.deletion_policy,
        "effectiveLabels": labels,
        "encryption": found.get("encryption"),
        "forceDestroy": bool(state.get("forceDestroy")),
        "labels": _shared(state.get("labels"), labels),
        "lifecycleRules": lifecycle.from_api(found.get("lifecycle"), state.get("lifecycleRules")),
        "location": found["location"],
        "name": found["name"],
        "project": state.get("project") or clients.project,
        "projectNumber": int(found["projectNumber"]),
        "publicAccessPrevention": access.get("publicAccessPrevention"),
        "pulumiLabels": _shared(state.get("pulumiLabels"), labels),
        "selfLink": found.get("selfLink"),
        "softDeletePolicy": {NUMBER: int(soft_delete.get(NUMBER, 0))} if soft_delete else None,
        "storageClass": found["storageClass"],
        "timeCreated": found.get("timeCreated"),
        "uniformBucketLevelAccess": bool(access.get("uniformBucketLevelAccess", {}).get("enabled")),
        "updated": found.get("updated"),
        "url": f"gs://{found['name']}",
        "versioning": {"enabled": bool(found["versioning"].get("enabled"))}
        if found.get("versioning")
        else None,
    }
    return {name: value for name, value in (state | now).items() if value is not None}


def _shared(ours: Mapping[str, str] | None, labels: Mapping[str, str]) -> dict[str, str]:
    return {name: labels.get(name, "") for name in ours or {}}


def get_bucket(clients: Clients, args: Properties) -> Properties:
    """Look up a bucket that exists: `gcp:storage/getBucket:getBucket`."""
    name = str(args["name"])
    state = _state(clients, {"project": args.get("project")}, clients.call("GET", f"{API}b/{name}"))
    lists = {
        "encryption": "encryptions",
        "softDeletePolicy": "softDeletePolicies",
        "versioning": "versionings",
    }
    listed = {theirs: [state.pop(ours)] if ours in state else [] for ours, theirs in lists.items()}
    rules = [{part: [said] for part, said in rule.items()} for rule in state.pop("lifecycleRules")]
    return state | listed | {"id": name, "lifecycleRules": rules}


def get_project_service_account(clients: Clients, args: Properties) -> Properties:
    """Cloud Storage's own account: `gcp:storage/getProjectServiceAccount:getProjectServiceAccount`."""
    project = clients.project_of(args)
    email = clients.call("GET", f"{API}projects/{project}/serviceAccount")["email_address"]
    return {"id": email, "project": project, "emailAddress": email, "member": f"serviceAccount:{email}"}
