"""The owner of a destination on Azure, with ordinary requests to Resource Manager, Graph and the key vault."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from recording_storage.resources.azure.login import ASSERTION
from recording_storage.resources.azure.rest import Api

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.sandbox import Sandbox
    from recording_storage.sandbox.azure.world import StorageAccount, World
    from tests.support.live import Live

    Undo = Callable[[], object]

ARM, GRAPH, VAULT = "https://management.azure.com", "https://graph.microsoft.com", "https://vault.azure.net"
VERSIONS = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.KeyVault": "2023-07-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Storage": "2024-01-01",
}
CONTRIBUTOR, READER = "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
ISSUER, AUDIENCE = "https://recording-copy.tavus.io", "api://AzureADTokenExchange"


class _Login:
    def __init__(self, environment: dict[str, str], http: requests.Session) -> None:
        self._environment, self._http = environment, http
        self._tokens: dict[str, str] = {}
        self.client = environment["AZURE_CLIENT_ID"]

    def token(self, scope: str) -> str:
        if scope not in self._tokens:
            said = self._environment
            form = {
                "grant_type": "client_credentials",
                "client_id": said["AZURE_CLIENT_ID"],
                "client_assertion_type": ASSERTION,
                "client_assertion": Path(said["AZURE_FEDERATED_TOKEN_FILE"]).read_text(),
                "scope": scope,
            }
            url = f"{said['AZURE_AUTHORITY_HOST']}/{said['AZURE_TENANT_ID']}/oauth2/v2.0/token"
            self._tokens[scope] = self._http.post(url, data=form, timeout=20).json()["access_token"]
        return self._tokens[scope]


class AzureBlobOwner:
    """Who owns the account of one destination, and administers its tenant."""

    def __init__(self, live: Live, name: str) -> None:
        self.sandbox: Sandbox = live.sandbox
        outputs = live.outputs[name]
        self.storage: dict[str, str] = outputs["recording_storage"]
        self.client_id, self.tenant = self.storage["client_id"], self.storage["tenant_id"]
        self.principal_id: str = outputs["principal_id"]
        self.subscription = live.target(name).known.subscription
        self.workspace = live.target(name).known.workspace_id
        http = requests.Session()
        http.trust_env = False
        http.proxies = dict.fromkeys(("http", "https"), live.owner["HTTPS_PROXY"])
        http.verify = live.owner["REQUESTS_CA_BUNDLE"]
        login = _Login(dict(live.owner), http)
        self.arm = Api(ARM, login, f"{ARM}/.default", http)
        self._graph = Api(GRAPH, login, f"{GRAPH}/.default", http)
        self._login, self._http = login, http
        self.account = (
            f"/subscriptions/{self.subscription}/resourceGroups/{outputs['resource_group']}"
            f"/providers/Microsoft.Storage/storageAccounts/{self.storage['storage_account']}"
        )
        self.container = f"{self.account}/blobServices/default/containers/{self.storage['container']}"

    @property
    def world(self) -> World:
        return self.sandbox.azure.world

    # Resource Manager

    def call(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        provider = path.rpartition("/providers/")[2].partition("/")[0]
        return self.arm.call(method, path, body, **{"api-version": VERSIONS[provider], **query})

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self.call("GET", path, **query)

    def patch_account(self, **properties: Any) -> Undo:
        """Change properties of the account; to undo it is to say what they were."""
        said = self.get(self.account)["properties"]
        unset = {"publicNetworkAccess": "Enabled", "allowSharedKeyAccess": True}
        before = {name: said.get(name, unset.get(name)) for name in properties}
        self.call("PATCH", self.account, {"properties": properties})
        return lambda: self.call("PATCH", self.account, {"properties": before})

    def put_service(self, **properties: Any) -> Undo:
        """Change properties of the blob service."""
        path = f"{self.account}/blobServices/default"
        before = self.get(path)["properties"]
        self.call("PUT", path, {"properties": before | properties})
        return lambda: self.call("PUT", path, {"properties": before})

    def put_policy(self, *rules: dict[str, Any]) -> Undo:
        """Set the lifecycle."""
        path = f"{self.account}/managementPolicies/default"
        before = self.arm.find(path, **{"api-version": VERSIONS["Microsoft.Storage"]})
        self.call("PUT", path, {"properties": {"policy": {"rules": [*rules]}}})
        if before is None:
            return lambda: self.call("DELETE", path)
        return lambda: self.call("PUT", path, {"properties": {"policy": before["properties"]["policy"]}})

    # Roles

    def assignments(self, principal: str = "") -> list[dict[str, Any]]:
        """Those of a principal, the client's own unless another is named."""
        path = f"/subscriptions/{self.subscription}/providers/Microsoft.Authorization/roleAssignments"
        wanted = {"$filter": f"principalId eq '{principal or self.principal_id}'"}
        return self.get(path, **wanted)["value"]

    def role(self, role: str) -> str:
        return f"/subscriptions/{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"

    def assign(
        self, role: str, scope: str = "", principal: str = "", kind: str = "ServicePrincipal", **said: Any
    ) -> Undo:
        """Assign a role, by its definition's GUID."""
        path = f"{scope or self.container}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        properties = {
            "roleDefinitionId": self.role(role),
            "principalId": principal or self.principal_id,
            "principalType": kind,
            **said,
        }
        self.call("PUT", path, {"properties": properties})
        return lambda: self.call("DELETE", path)

    def unassign(self) -> Undo:
        """Take the client's role on the container away."""
        (held,) = self.assignments()
        self.call("DELETE", held["id"])
        said = {
            name: held["properties"][name] for name in ("roleDefinitionId", "principalId", "principalType")
        }
        return lambda: self.call("PUT", held["id"], {"properties": said})

    def define(
        self, *data: str, without: tuple[str, ...] = (), actions: tuple[str, ...] = ()
    ) -> tuple[str, Undo]:
        """Make a custom role with data actions; its GUID."""
        made = str(uuid.uuid4())
        permissions = {
            "actions": [*actions],
            "notActions": [],
            "dataActions": [*data],
            "notDataActions": [*without],
        }
        scopes = [f"/subscriptions/{self.subscription}"]
        role = {"roleName": f"Custom {made}", "type": "CustomRole", "permissions": [permissions]}
        self.call("PUT", self.role(made), {"properties": role | {"assignableScopes": scopes}})
        return made, lambda: self.call("DELETE", self.role(made))

    # Graph

    def graph(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self._graph.call(method, f"/v1.0{path}", body)

    @property
    def own_id(self) -> str:
        """The owner's own object id."""
        return self.graph("GET", f"/servicePrincipals(appId='{self._login.client}')")["id"]

    @property
    def application(self) -> str:
        return f"/applications(appId='{self.client_id}')"

    @property
    def service_principal(self) -> str:
        return f"/servicePrincipals(appId='{self.client_id}')"

    def group(self, *members: str) -> tuple[str, Undo]:
        """Make a group; its object id."""
        said = {
            "displayName": "writers",
            "mailEnabled": False,
            "mailNickname": "writers",
            "securityEnabled": True,
        }
        made: str = self.graph("POST", "/groups", said)["id"]
        for one in members:
            self.graph(
                "POST", f"/groups/{made}/members/$ref", {"@odata.id": f"{GRAPH}/v1.0/directoryObjects/{one}"}
            )
        return made, lambda: self.graph("DELETE", f"/groups/{made}")

    def other_application(self) -> tuple[str, str, Undo]:
        """Register an application that has nothing to do with the destination; its client id and its principal's id."""
        app = self.graph("POST", "/applications", {"displayName": "another"})
        principal = self.graph("POST", "/servicePrincipals", {"appId": app["appId"]})
        return app["appId"], principal["id"], lambda: self.graph("DELETE", f"/applications/{app['id']}")

    def credential(self) -> dict[str, Any]:
        """The service's own federated credential."""
        (found,) = self.graph("GET", f"{self.application}/federatedIdentityCredentials")["value"]
        return found

    def change_credential(self, **claims: Any) -> Undo:
        """Change the service's own federated credential."""
        before = self.credential()
        path = f"{self.application}/federatedIdentityCredentials/{before['id']}"
        self.graph("PATCH", path, claims)
        return lambda: self.graph("PATCH", path, {name: before[name] for name in claims})

    def add_credential(self, name: str, issuer: str, subject: str, audience: str = AUDIENCE) -> Undo:
        """Add a federated credential."""
        said = {"name": name, "issuer": issuer, "subject": subject, "audiences": [audience]}
        path = f"{self.application}/federatedIdentityCredentials"
        made = self.graph("POST", path, said)["id"]
        return lambda: self.graph("DELETE", f"{path}/{made}")

    # The key

    def vault(self, method: str, url: str, body: Any = None) -> dict[str, Any]:
        """Ask the key vault itself."""
        token = {"Authorization": f"Bearer {self._login.token(f'{VAULT}/.default')}"}
        answer = self._http.request(
            method, url, json=body, headers=token, params={"api-version": "7.4"}, timeout=20
        )
        answer.raise_for_status()
        return answer.json()

    def stored(self) -> StorageAccount:
        """The account in the sandbox itself, for what nobody can do by a request."""
        found = self.world.storage_account(self.storage["storage_account"])
        assert found is not None
        return found


def undone(*undos: Undo) -> Undo:
    """All of them, the last first."""

    def undo() -> None:
        for one in reversed(undos):
            one()

    return undo
