"""Service accounts: resources that have policies, and identities that bindings name.

Sources: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts (fields, names, `-` for
any project), https://docs.cloud.google.com/iam/docs/service-accounts-delete-undelete (30 days; one that is made
again under the same address is another identity, which bindings of the deleted one don't name). Leaves out
signing, tags, and lists of several pages.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, cast

from recording_storage.sandbox.google.account_keys import AccountKeys
from recording_storage.sandbox.google.errors import (
    already_exists,
    failed_precondition,
    forbidden,
    invalid,
    not_found,
)
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.policy_methods import PolicyMethods
from recording_storage.sandbox.google.world import SOFT_DELETED, ServiceAccount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.world import World
    from recording_storage.sandbox.rest import Request

    Json = dict[str, Any]
    Names = Mapping[str, str]

ACCOUNT_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
ANY_PROJECT = "-"
_MANY = "/v1/projects/{project}/serviceAccounts"
_ONE = _MANY + "/{account}"
_LENGTHS = {"displayName": 100, "description": 256}


class ServiceAccounts:
    """The part of iam.googleapis.com that knows service accounts."""

    def __init__(self, world: World, access: Access) -> None:
        self._world = world
        self._access = access
        policies = PolicyMethods(access, "iam.serviceAccounts")
        self.routes = Routes(
            ("POST", _MANY, self._create),
            ("GET", _MANY, self._list),
            ("GET", _ONE, self._get),
            ("PATCH", _ONE, self._patch),
            ("PUT", _ONE, self._update),
            ("DELETE", _ONE, self._delete),
            ("POST", _ONE + ":undelete", self._undelete),
            ("POST", _ONE + ":disable", self._disable),
            ("POST", _ONE + ":enable", self._enable),
            *policies.routes(_ONE, lambda names: self.find(names)),
            *AccountKeys(world, access, self.find).routes(_ONE),
            *[("POST", f"{_ONE}:{verb}", None) for verb in ("signBlob", "signJwt")],
        )

    def find(self, names: Names) -> ServiceAccount:
        """The service account that a path names, by address or unique id; raises `GoogleError`."""
        ref, project = names["account"], names["project"]
        found = self._world.service_account(ref.lower())
        if found is None and project == ANY_PROJECT:
            # The reference says so: with `-` in place of the project nothing is told about what doesn't exist.
            text = "Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist)."
            raise forbidden(text, because=f"there is no service account {ref}")
        if project != ANY_PROJECT:
            owner = self._world.project(project)
            found = found if found and found.project is owner else None
        if found is None:
            because = f"there is no service account {ref} in the project {project}"
            raise not_found(
                f"Service account projects/{project}/serviceAccounts/{ref} does not exist.", because=because
            )
        return found

    def _create(self, request: Request, who: Principal, names: Names) -> Json:
        project, body = self._world.project(names["project"]), request.json()
        self._access.require(who, "iam.serviceAccounts.create", project)
        account_id = body.get("accountId", "")
        if not isinstance(account_id, str) or not ACCOUNT_ID.fullmatch(account_id):
            raise invalid(
                "The account ID must be 6-30 characters long, and match [a-z]([-a-z0-9]*[a-z0-9]).",
                because=f"the account id {account_id} isn't 6 to 30 characters of [a-z]([-a-z0-9]*[a-z0-9])",
            )
        said = _described(cast("Json", body.get("serviceAccount") or {}))
        email = f"{account_id}@{project.id}.iam.gserviceaccount.com"
        if self._world.service_account(email):
            text = f"Service account {account_id} already exists within project projects/{project.id}."
            raise already_exists(text)
        made = self._world.add_service_account(project, account_id)
        made.display_name, made.description = said.get("displayName", ""), said.get("description", "")
        return to_json(made)

    def _list(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        project = self._world.project(names["project"])
        self._access.require(who, "iam.serviceAccounts.list", project)
        found = [to_json(one) for one in project.service_accounts.values() if not one.deleted]
        return {"accounts": found} if found else {}

    def _get(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        return to_json(self._one("get", who, names))

    def _patch(self, request: Request, who: Principal, names: Names) -> Json:
        account, body = self._one("update", who, names), request.json()
        said = _described(cast("Json", body.get("serviceAccount") or {}))
        mask = str(body.get("updateMask", "")).replace("display_name", "displayName").split(",")
        if not set(mask) <= set(_LENGTHS):
            raise invalid(
                f"Invalid update mask: {','.join(mask)}. Only display_name and description can be updated."
            )
        self._describe(account, {name: said.get(name, "") for name in mask})
        return to_json(account)

    def _update(self, request: Request, who: Principal, names: Names) -> Json:
        account = self._one("update", who, names)
        said = _described(request.json())
        self._describe(account, {"displayName": said.get("displayName", ""), **said})
        return to_json(account)

    def _describe(self, account: ServiceAccount, said: Json) -> None:
        account.display_name = said.get("displayName", account.display_name)
        account.description = said.get("description", account.description)

    def _delete(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        account = self._one("delete", who, names)
        account.deleted = self._world.now()
        self._world.rename_member(f"serviceAccount:{account.email}", _deleted_member(account))
        return {}

    def _undelete(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        accounts = [one for project in self._world.projects for one in project.service_accounts.values()]
        found = next((one for one in accounts if one.unique_id == names["account"]), None)
        if found is None or (found.deleted and self._world.now() >= found.deleted + SOFT_DELETED):
            raise not_found(
                "Requested entity was not found.",
                because=f"no service account with the unique id {names['account']} can be restored",
            )
        self._access.require(who, "iam.serviceAccounts.undelete", found)
        if not found.deleted or self._world.service_account(found.email):
            because = f"{found.email} isn't deleted, or another one has its address now"
            raise failed_precondition("Precondition check failed.", because=because)
        found.deleted = None
        self._world.rename_member(_deleted_member(found), f"serviceAccount:{found.email}")
        return {"restoredAccount": to_json(found)}

    def _disable(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        self._one("disable", who, names).disabled = True
        return {}

    def _enable(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        self._one("enable", who, names).disabled = False
        return {}

    def _one(self, verb: str, who: Principal, names: Names) -> ServiceAccount:
        account = self.find(names)
        self._access.require(who, f"iam.serviceAccounts.{verb}", account)
        return account


def to_json(account: ServiceAccount) -> Json:
    """A service account as Google shows it."""
    said = {
        "displayName": account.display_name,
        "description": account.description,
        "disabled": account.disabled,
    }
    return {
        "name": account.name,
        "projectId": account.project.id,
        "uniqueId": account.unique_id,
        "email": account.email,
        "etag": base64.b64encode(b"\x01").decode(),
        "oauth2ClientId": account.unique_id,
        **{name: value for name, value in said.items() if value},
    }


def _described(said: Json) -> Json:
    for name, most in _LENGTHS.items():
        if len(str(said.get(name, "")).encode()) > most:
            raise invalid(f"The {name} must be at most {most} bytes long.")
    return {name: str(said[name]) for name in _LENGTHS if name in said}


def _deleted_member(account: ServiceAccount) -> str:
    """How policies name it while it is deleted."""
    return f"deleted:serviceAccount:{account.email}?uid={account.unique_id}"
