"""Applications in Entra, their service principals, and the federated credentials by which others stand for them.

Sources: https://learn.microsoft.com/graph/api/resources/application, …/serviceprincipal and
…/federatedidentitycredential, and for what is an input and what an output
https://www.pulumi.com/registry/packages/azuread/api-docs/application/. Leaves out secrets and certificates,
permissions, roles, claims, addresses for signing in, templates and logos.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recording_storage.resources import UnsupportedError
from recording_storage.resources.azuread.objects import OWNERS, DirectoryObject, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.resources import Properties
    from recording_storage.resources.azuread.objects import Clients


class Application(DirectoryObject):
    """`azuread:index/application:Application`. One that is deleted can be restored for 30 days; here it is gone."""

    collection = "applications"
    thing = "Application"
    fields: Mapping[str, str] = {
        name: name
        for name in (
            "description",
            "displayName",
            "identifierUris",
            "notes",
            "serviceManagementReference",
            "signInAudience",
            "tags",
        )
    }
    properties = frozenset({*fields, OWNERS, "preventDuplicateNames"})
    defaults: Mapping[str, object] = {"identifierUris": [], "signInAudience": "AzureADMyOrg"}

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        name = inputs["displayName"]
        existing = (
            self.listed(clients, same("displayName", name)) if inputs.get("preventDuplicateNames") else []
        )
        if existing:
            raise FileExistsError(
                f'An existing "azuread_application" with name "{name}" (ID: "/applications/{existing[0]["id"]}") was '
                "found and `prevent_duplicate_names` was specified. To be managed via Terraform, this resource needs "
                "to be imported into the State."
            )
        return self.made(clients, inputs)

    def state(self, found: Mapping[str, Any], known: Properties) -> Properties:
        more = {"publisherDomain": found.get("publisherDomain") or ""}
        return super().state(found, known) | more


class ServicePrincipal(DirectoryObject):
    """`azuread:index/servicePrincipal:ServicePrincipal`."""

    collection = "servicePrincipals"
    thing = "Service principal"
    fields: Mapping[str, str] = {
        name: name for name in ("accountEnabled", "appRoleAssignmentRequired", "description", "notes", "tags")
    }
    properties = frozenset({*fields, OWNERS, "clientId", "useExisting"})
    replace_on = frozenset({"clientId"})
    defaults: Mapping[str, object] = {"accountEnabled": True, "appRoleAssignmentRequired": False}

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        existing = self.listed(clients, same("appId", inputs["clientId"]))
        if not existing:
            return self.made(clients, inputs, appId=inputs["clientId"])
        (found,) = existing
        if not inputs.get("useExisting"):
            raise FileExistsError(
                f'A resource with the ID "{found["id"]}" already exists - to be managed via Terraform this resource '
                "needs to be imported into the State. Please see the resource documentation for "
                '"azuread_service_principal" for more information.'
            )
        id_ = f"/{self.collection}/{found['id']}"
        return id_, self.update(clients, id_, self._owned(clients, id_, self.state(found, {})), inputs)

    def state(self, found: Mapping[str, Any], known: Properties) -> Properties:
        names = [one for one in found.get("servicePrincipalNames", ()) if one != found["appId"]]
        return super().state(found, known) | {
            "applicationTenantId": found.get("appOwnerOrganizationId") or "",
            "servicePrincipalNames": names,
            "signInAudience": found.get("signInAudience") or "",
            "type": found.get("servicePrincipalType") or "",
        }


class FederatedIdentityCredential:
    """`azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential`."""

    fields: Mapping[str, str] = {
        "audiences": "audiences",
        "description": "description",
        "displayName": "name",
        "issuer": "issuer",
        "subject": "subject",
    }
    properties = frozenset({*fields, "applicationId"})
    replace_on = frozenset({"applicationId", "displayName"})
    names: frozenset[str] = frozenset()
    reshaped: frozenset[str] = frozenset()

    def settled(self, inputs: Properties, state: Properties) -> Properties:
        return inputs

    def import_id(self, clients: Clients, import_id: str) -> tuple[str, Properties]:
        """As in `<the application's object id>/federatedIdentityCredential/<its own id>`."""
        _path(import_id)
        return import_id, {}

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        application = re.fullmatch(r"/applications/([^/]+)", str(inputs["applicationId"]))
        if application is None:
            raise ValueError(
                f"application_id: '{inputs['applicationId']}' isn't of the form /applications/<object ID>"
            )
        path = f"{inputs['applicationId']}/federatedIdentityCredentials"
        found = clients.call("POST", path, self._body(inputs))
        id_ = f"{application[1]}/federatedIdentityCredential/{found['id']}"
        return id_, self._state(id_, found)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        found = clients.find(_path(id_))
        return None if found is None else self._state(id_, found)

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        clients.call("PATCH", _path(id_), self._body(inputs))
        return self._state(id_, clients.call("GET", _path(id_)))

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        clients.remove(_path(id_))

    def _body(self, inputs: Properties) -> Properties:
        return {graph: inputs.get(name) for name, graph in self.fields.items()}

    def _state(self, id_: str, found: Mapping[str, Any]) -> Properties:
        said = {name: found.get(graph) or "" for name, graph in self.fields.items()}
        application, _, own = id_.split("/")
        return said | {"applicationId": f"/applications/{application}", "credentialId": own}


def _path(id_: str) -> str:
    """Where Graph has a credential; raises `ValueError` for what isn't one's id."""
    found = re.fullmatch(r"([^/]+)/federatedIdentityCredential/([^/]+)", id_)
    if found is None:
        raise ValueError(
            f"'{id_}' isn't of the form <object ID of the application>/federatedIdentityCredential/<credential ID>"
        )
    return f"/applications/{found[1]}/federatedIdentityCredentials/{found[2]}"


APPLICATION, SERVICE_PRINCIPAL, CREDENTIAL = Application(), ServicePrincipal(), FederatedIdentityCredential()


def get_application(clients: Clients, args: Properties) -> Properties:
    """Look up an application: `azuread:index/getApplication:getApplication`."""
    if args.get("identifierUri"):
        raise UnsupportedError("the argument identifierUri", "identifierUri")
    return APPLICATION.look_up(clients, args)


def get_service_principal(clients: Clients, args: Properties) -> Properties:
    """Look up a service principal: `azuread:index/getServicePrincipal:getServicePrincipal`."""
    return SERVICE_PRINCIPAL.look_up(clients, args)


def get_service_principals(clients: Clients, args: Properties) -> Properties:
    """Look up those of several client ids: `azuread:index/getServicePrincipals:getServicePrincipals`."""
    for name in ("displayNames", "objectIds", "returnAll"):
        if args.get(name):
            raise UnsupportedError(f"the argument {name}", name)
    found = [
        (str(client_id), SERVICE_PRINCIPAL.listed(clients, same("appId", client_id)))
        for client_id in args.get("clientIds") or ()
    ]
    missing = [client_id for client_id, there in found if not there]
    if missing and not args.get("ignoreMissing"):
        raise LookupError(f'Service principal not found with application ID: "{missing[0]}"')
    principals = [SERVICE_PRINCIPAL.state(one, {}) for _, there in found for one in there]
    return {
        "id": ",".join(one["objectId"] for one in principals),
        "ignoreMissing": bool(args.get("ignoreMissing")),
        "returnAll": False,
        "clientIds": [one["clientId"] for one in principals],
        "displayNames": [one["displayName"] for one in principals],
        "objectIds": [one["objectId"] for one in principals],
        "servicePrincipals": principals,
    }


def get_client_config(clients: Clients, args: Properties) -> Properties:
    """Tell who asks: `azuread:index/getClientConfig:getClientConfig`."""
    claims = clients.claims
    tenant, client, own = str(claims["tid"]), str(claims["appid"]), str(claims["oid"])
    return {"id": f"{tenant}-{client}-{own}", "tenantId": tenant, "clientId": client, "objectId": own}
