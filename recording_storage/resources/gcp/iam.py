"""IAM resources: service accounts and roles on them, and workload identity pools and their OIDC providers.

Sources: https://docs.cloud.google.com/iam/docs/reference/rest, and for inputs and outputs
https://www.pulumi.com/registry/packages/gcp/api-docs/iam/workloadidentitypool/. Leaves out keys of service accounts,
attestation rules and trust domains of pools, and providers other than OIDC's. As with the real provider, a service
account isn't disabled while it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.resources.gcp.grants import Binding, Member
from recording_storage.resources.gcp.policies import Target
from recording_storage.resources.gcp.resource import Type, abandoned, only

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.resources import Properties
    from recording_storage.resources.gcp.clients import Clients

API = "https://iam.googleapis.com/v1/"
SERVICE_ACCOUNT = Target(input="serviceAccountId", api=API, read=("POST", ":getIamPolicy"))
MEMBER, BINDING = Member(SERVICE_ACCOUNT), Binding(SERVICE_ACCOUNT)
POOL = "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
DELETED = "DELETED"


class Account(Type):
    """`gcp:serviceaccount/account:Account`."""

    properties = frozenset(
        {"accountId", "deletionPolicy", "description", "disabled", "displayName", "project"}
    )
    replace_on = frozenset({"accountId", "project"})
    names = frozenset({"accountId"})
    forms = ("projects/{project}/serviceAccounts/{email}", "{project}/{email}", "{email}")

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        said = {name: inputs.get(name) or "" for name in ("displayName", "description")}
        body = {"accountId": inputs["accountId"], "serviceAccount": said}
        made = clients.call("POST", f"{API}projects/{clients.project_of(inputs)}/serviceAccounts", body)
        return str(made["name"]), _account(clients, inputs, made)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        found = clients.find(API + id_)
        return None if found is None else _account(clients, state, found)

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        found = clients.call("GET", API + id_)
        if bool(inputs.get("disabled")) is not bool(state.get("disabled")):
            clients.call("POST", f"{API}{id_}:{'disable' if inputs.get('disabled') else 'enable'}", {})
        mask = [n for n in ("description", "displayName") if (inputs.get(n) or "") != (state.get(n) or "")]
        if mask:
            said = {name: inputs.get(name) or "" for name in ("displayName", "description")}
            body = {"serviceAccount": said | {"etag": found.get("etag", "")}, "updateMask": ",".join(mask)}
            clients.call("PATCH", API + id_, body)
        return _account(clients, inputs, clients.call("GET", API + id_))

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        if not abandoned(id_, state):
            clients.remove(API + id_)


def _account(clients: Clients, state: Properties, found: Properties) -> Properties:
    email = str(found["email"])
    return state | {
        "accountId": email.partition("@")[0],
        "deletionPolicy": state.get("deletionPolicy") or clients.deletion_policy,
        "description": found.get("description", ""),
        "disabled": bool(found.get("disabled")),
        "displayName": found.get("displayName", ""),
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": found["name"],
        "project": found["projectId"],
        "uniqueId": found["uniqueId"],
    }


def get_account(clients: Clients, args: Properties) -> Properties:
    """Look up a service account: `gcp:serviceaccount/getAccount:getAccount`."""
    name = str(args["accountId"])
    if not name.startswith("projects/"):
        domain = "" if "@" in name else f"@{clients.project_of(args)}.iam.gserviceaccount.com"
        name = f"projects/-/serviceAccounts/{name}{domain}"
    found = clients.find(API + name)
    if found is None:
        raise LookupError(f"{name} not found")
    state = _account(clients, {}, found)
    del state["deletionPolicy"], state["description"]
    return state | {"id": found["name"]}


class Federation(Type):
    """A workload identity pool, or a provider in one.

    `fields` are its settings, and for each what an update's mask calls it. Deleting only marks one as deleted: it is
    gone then, as in the real provider, but its id is taken for 30 days.
    """

    def __init__(self, form: str, fields: Mapping[str, str], *, computed: frozenset[str]) -> None:
        _, _, short = form.partition("/workloadIdentityPools/")
        short = short.replace("/providers/", "/")
        self.forms = (form, f"{{project}}/{short}", short)
        self._collection, _, placeholder = form.rpartition("/")
        self._own = placeholder.strip("{}")
        self._fields = fields
        named = {"project", "workloadIdentityPoolId", self._own}
        self.properties = frozenset({*named, *fields, "deletionPolicy"})
        self.replace_on = frozenset(named)
        self.computed = computed

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        named = inputs | {"project": clients.project_of(inputs)}
        id_, query = self.forms[0].format(**named), {self._own: inputs[self._own]}
        body = self._body(inputs)
        operation = clients.call("POST", API + self._collection.format(**named), body, **query)
        clients.wait(API, operation, f"create {id_}")
        return id_, self._read(clients, id_, named)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        found = clients.find(API + id_)
        if found is None or found.get("state") == DELETED:
            return None
        return self._state(clients, id_, state, found)

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        after = self.settled(inputs, state)
        mask = [
            mask
            for name, mask in self._fields.items()
            if (state.get(name) or None) != (after.get(name) or None)
        ]
        if mask:
            operation = clients.call("PATCH", API + id_, self._body(after), updateMask=",".join(mask))
            clients.wait(API, operation, f"update {id_}")
        return self._read(clients, id_, inputs)

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        if not abandoned(id_, state):
            clients.wait(API, clients.remove(API + id_), f"delete {id_}")

    def _body(self, inputs: Properties) -> Properties:
        only(inputs.get("oidc"), OIDC, "oidc")
        return {name: inputs[name] for name in self._fields if inputs.get(name)}

    def _read(self, clients: Clients, id_: str, state: Properties) -> Properties:
        return self._state(clients, id_, state, clients.call("GET", API + id_))

    def _state(self, clients: Clients, id_: str, state: Properties, found: Properties) -> Properties:
        """The state; what Google doesn't answer isn't set."""
        known = {name: value for name, value in state.items() if name not in self._fields}
        said: Mapping[str, Any] = {name: found[name] for name in self._fields if name in found}
        policy = state.get("deletionPolicy") or clients.deletion_policy
        more = {"deletionPolicy": policy, "name": found["name"], "state": found.get("state")}
        return known | self.said(id_) | said | more


def get_pool(clients: Clients, args: Properties) -> Properties:
    """Look up a workload identity pool: `gcp:iam/getWorkloadIdentityPool:getWorkloadIdentityPool`."""
    project = clients.project_of(args)
    id_ = POOL.format(project=project, workloadIdentityPoolId=args["workloadIdentityPoolId"])
    state = WORKLOAD_POOL.read(clients, id_, {})
    if state is None:
        raise LookupError(f"{id_} not found")
    return state | {"id": id_}


OIDC = ("allowedAudiences", "issuerUri", "jwksJson")
SETTINGS = {"description": "description", "disabled": "disabled", "displayName": "displayName"}
WORKLOAD_POOL = Federation(POOL, SETTINGS | {"mode": "mode"}, computed=frozenset({"project", "mode"}))
WORKLOAD_PROVIDER = Federation(
    f"{POOL}/providers/{{workloadIdentityPoolProviderId}}",
    SETTINGS
    | {
        "attributeCondition": "attributeCondition",
        "attributeMapping": "attributeMapping",
        "oidc": "oidc.allowed_audiences,oidc.issuer_uri,oidc.jwks_json",
    },
    computed=frozenset({"project"}),
)
