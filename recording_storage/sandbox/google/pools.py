"""Workload identity pools and their OIDC providers.

Sources: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools and its
`providers`, https://docs.cloud.google.com/iam/docs/manage-workload-identity-pools-providers (a deleted one can be
restored for 30 days, and its name is taken until then). Leaves out providers of AWS, SAML and X.509, trust domains,
keys, policies of pools, and lists of several pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google import pool_settings
from recording_storage.sandbox.google.errors import already_exists, failed_precondition, invalid, not_found
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.world import SOFT_DELETED, Pool, Project, Provider, utc
from recording_storage.sandbox.rest import ANY, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.operations import Operations
    from recording_storage.sandbox.google.world import World

    Json = dict[str, Any]
    Names = Mapping[str, str]

ID = re.compile(r"[a-z0-9-]{4,32}")
RESERVED = "gcp-"
_POOLS = "/v1/projects/{project}/locations/{location}/workloadIdentityPools"
_PROVIDERS = _POOLS + "/{pool}/providers"


@dataclass(frozen=True)
class Kind:
    """What differs between pools and providers."""

    permissions: str
    type: str
    listed: str
    id_parameter: str
    fields: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], dict[str, Any]]


POOL = Kind(
    permissions="iam.googleapis.com/workloadIdentityPools",
    type="google.iam.v1.WorkloadIdentityPool",
    listed="workloadIdentityPools",
    id_parameter="workloadIdentityPoolId",
    fields=pool_settings.OF_A_POOL,
    read=pool_settings.pool,
)
PROVIDER = Kind(
    permissions="iam.googleapis.com/workloadIdentityPoolProviders",
    type="google.iam.v1.WorkloadIdentityPoolProvider",
    listed="workloadIdentityPoolProviders",
    id_parameter="workloadIdentityPoolProviderId",
    fields=pool_settings.OF_A_PROVIDER,
    read=pool_settings.provider,
)


class Pools:
    """The part of iam.googleapis.com that knows pools and providers."""

    def __init__(self, world: World, access: Access, operations: Operations) -> None:
        self._world = world
        self._access = access
        self._operations = operations
        one_pool, one_provider = _POOLS + "/{pool}", _PROVIDERS + "/{provider}"
        attestation = ("addAttestationRule", "removeAttestationRule", "setAttestationRules")
        policies = ("getIamPolicy", "setIamPolicy", "testIamPermissions")
        self.routes = Routes(
            *self._routes_of(POOL, _POOLS, one_pool),
            *self._routes_of(PROVIDER, _PROVIDERS, one_provider),
            (
                "GET",
                "/v1/{name=projects/*/locations/*/workloadIdentityPools/*/operations/*}",
                self._operation,
            ),
            (
                "GET",
                "/v1/{name=projects/*/locations/*/workloadIdentityPools/*/providers/*/operations/*}",
                self._operation,
            ),
            ("GET", one_pool + ":listAttestationRules", self._rules),
            *[("POST", f"{one_pool}:{verb}", None) for verb in (*policies, *attestation)],
            *[(ANY, one_provider + rest, None) for rest in ("/keys", "/keys/{rest=**}")],
            *[(ANY, one_pool + rest, None) for rest in ("/namespaces", "/namespaces/{rest=**}")],
        )

    def _routes_of(self, kind: Kind, many: str, one: str) -> list[tuple[str, str, Callable[..., object]]]:
        return [
            ("POST", many, partial(self._create, kind)),
            ("GET", many, partial(self._list, kind)),
            ("GET", one, partial(self._get, kind)),
            ("PATCH", one, partial(self._patch, kind)),
            ("DELETE", one, partial(self._delete, kind)),
            ("POST", one + ":undelete", partial(self._undelete, kind)),
        ]

    def _create(self, kind: Kind, request: Request, who: Principal, names: Names) -> Json:
        parent = self._parent(kind, names)
        self._access.require(who, f"{kind.permissions}.create", parent)
        known = self._known(parent)
        wanted = request.query.get(kind.id_parameter, "")
        if not ID.fullmatch(wanted) or wanted.startswith(RESERVED):
            because = f"the id {wanted} isn't 4 to 32 characters of [a-z0-9-], or begins with {RESERVED}"
            raise invalid(f'Invalid value for "{kind.id_parameter}": {wanted}', because=because)
        said = kind.read(request.json())
        if isinstance(parent, Pool):
            _check_active(parent)
        if wanted in known:
            taken = known[wanted]
            state = (
                f"is deleted, and its name is taken until {_expiry(taken.deleted)}"
                if taken.deleted
                else "exists"
            )
            raise already_exists("Requested entity already exists", because=f"{taken.name} {state}")
        disabled = bool(said.pop("disabled", False))
        if isinstance(parent, Pool):
            made = parent.providers[wanted] = Provider(parent, wanted, said, disabled)
        else:
            made = parent.pools[wanted] = Pool(parent, wanted, said, disabled)
        return self._begun(kind, made)

    def _list(self, kind: Kind, request: Request, who: Principal, names: Names) -> Json:
        parent = self._parent(kind, names)
        self._access.require(who, f"{kind.permissions}.list", parent)
        with_deleted = request.query.get("showDeleted", "").lower() == "true"
        shown = [to_json(one) for one in self._known(parent).values() if with_deleted or not one.deleted]
        return {kind.listed: shown} if shown else {}

    def _get(self, kind: Kind, request: Request, who: Principal, names: Names) -> Json:
        del request
        return to_json(self._one(kind, "get", who, names))

    def _patch(self, kind: Kind, request: Request, who: Principal, names: Names) -> Json:
        one = self._one(kind, "update", who, names)
        _check_active(one)
        said = kind.read(pool_settings.patched({**one.said, "disabled": one.disabled}, request, kind.fields))
        one.disabled = bool(said.pop("disabled", False))
        one.said = said
        return self._begun(kind, one)

    def _delete(self, kind: Kind, request: Request, who: Principal, names: Names) -> Json:
        del request
        one = self._one(kind, "delete", who, names)
        _check_active(one)
        one.deleted = self._world.now()
        return self._begun(kind, one)

    def _undelete(self, kind: Kind, request: Request, who: Principal, names: Names) -> Json:
        del request
        one = self._one(kind, "undelete", who, names)
        if not one.deleted:
            raise failed_precondition("Precondition check failed.", because=f"{one.name} isn't deleted")
        if isinstance(one, Provider):
            _check_active(one.pool)
        one.deleted = None
        return self._begun(kind, one)

    def _rules(self, request: Request, who: Principal, names: Names) -> Json:
        """None: they are those of trust domains."""
        del request
        self._one(POOL, "getAttestationRules", who, names)
        return {}

    def _operation(self, request: Request, who: Principal, names: Names) -> Json:
        del request, who
        return self._operations.get(names["name"])

    def _parent(self, kind: Kind, names: Names) -> Project | Pool:
        if names["location"] != "global":
            raise invalid(f"Invalid location: {names['location']}. Pools are in global.")
        project = self._world.project(names["project"])
        if kind is POOL:
            return project
        pool = self._known(project).get(names["pool"])
        if not isinstance(pool, Pool):
            raise _missing(f"pool {names['pool']}")
        return pool

    def _known(self, parent: Project | Pool) -> Mapping[str, Pool | Provider]:
        """Those that exist or can be restored; for good those are gone whose time has passed."""
        found = parent.providers if isinstance(parent, Pool) else parent.pools
        for name in [name for name, one in found.items() if one.deleted]:
            if self._world.now() >= (found[name].deleted or self._world.now()) + SOFT_DELETED:
                del found[name]
        return found

    def _one(self, kind: Kind, verb: str, who: Principal, names: Names) -> Pool | Provider:
        parent = self._parent(kind, names)
        name = names["pool"] if kind is POOL else names["provider"]
        found = self._known(parent).get(name)
        self._access.require(who, f"{kind.permissions}.{verb}", found or parent)
        if found is None:
            raise _missing(f"{'pool' if kind is POOL else 'provider'} {name}")
        return found

    def _begun(self, kind: Kind, one: Pool | Provider) -> Json:
        return self._operations.begin(f"{one.name}/", kind.type, to_json(one))


def to_json(one: Pool | Provider) -> Json:
    """A pool or a provider as Google shows it."""
    return {
        "name": one.name,
        "state": "DELETED" if one.deleted else "ACTIVE",
        **one.said,
        **({"disabled": True} if one.disabled else {}),
        **({"expireTime": _expiry(one.deleted)} if one.deleted else {}),
    }


def _expiry(deleted: datetime | None) -> str:
    return utc(deleted + SOFT_DELETED) if deleted else ""


def _check_active(one: Pool | Provider) -> None:
    if one.deleted:
        raise failed_precondition("Precondition check failed.", because=f"{one.name} is deleted")


def _missing(what: str) -> Exception:
    return not_found("Requested entity was not found.", because=f"there is no {what}")
