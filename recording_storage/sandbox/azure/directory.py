"""A tenant's directory: applications, their service principals, groups, and who else stands for an application.

An application (`id`, `app_id`) and its service principal (`id`) are different objects; roles are the service
principal's. What is deleted can be restored for 30 days, and is the same then.

Sources: https://learn.microsoft.com/graph/api/resources/application,
https://learn.microsoft.com/graph/api/resources/federatedidentitycredential,
https://learn.microsoft.com/graph/api/resources/group,
https://learn.microsoft.com/graph/permissions-reference,
https://learn.microsoft.com/entra/identity/enterprise-apps/delete-recover-faq. Leaves out users; secrets and
certificates are only known to be there, and nobody gets a token by one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SOFT_DELETED = timedelta(days=30)
"""How long what was deleted can be restored."""
CREDENTIALS = 20
"""The most federated credentials that an application or a managed identity may have."""
MANAGED_IDENTITY, APPLICATION = "ManagedIdentity", "Application"
PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "Application.Read.All": ("applications/*/read", "servicePrincipals/*/read"),
}
"""Permissions of Graph's that somebody may have without administering the directory, as actions in it."""


def new_id() -> str:
    """An identifier that nothing else has."""
    return str(uuid.uuid4())


@dataclass(eq=False)
class FederatedCredential:
    """Whose token is taken for an assertion: issuer, subject and audience to the letter."""

    name: str
    issuer: str
    subject: str
    audiences: list[str]
    description: str = ""
    id: str = field(default_factory=new_id)


@dataclass(eq=False)
class Application:
    """The registration of an application; its client id is `app_id`."""

    display_name: str
    created: datetime
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    """What else was said of it, named as in Graph."""
    credentials: list[FederatedCredential] = field(default_factory=list[FederatedCredential])
    owners: list[str] = field(default_factory=list[str])
    id: str = field(default_factory=new_id)
    app_id: str = field(default_factory=new_id)
    deleted: datetime | None = None


@dataclass(eq=False)
class ServicePrincipal:
    """What an application or a managed identity is in a tenant: who roles are assigned to."""

    app_id: str
    display_name: str
    created: datetime
    kind: str = APPLICATION
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    owners: list[str] = field(default_factory=list[str])
    id: str = field(default_factory=new_id)
    deleted: datetime | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether it may get tokens."""
        return self.said.get("accountEnabled", True) is True


@dataclass(eq=False)
class Group:
    """A security group; `members` are object ids, of other groups too."""

    display_name: str
    created: datetime
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    members: list[str] = field(default_factory=list[str])
    id: str = field(default_factory=new_id)


class Directory:
    """One tenant's objects, in the order in which they were made."""

    def __init__(self) -> None:
        self.all_applications: dict[str, Application] = {}
        """By object id, the deleted ones too."""
        self.all_principals: dict[str, ServicePrincipal] = {}
        """Likewise."""
        self.groups: dict[str, Group] = {}
        """By object id."""
        self.permissions: dict[str, set[str]] = {}
        """What of `PERMISSIONS` somebody has, by object id."""
        self.administrators: set[str] = set()
        """Object ids of those who may do everything in the directory."""

    @property
    def applications(self) -> Iterator[Application]:
        """Those that aren't deleted."""
        return (one for one in self.all_applications.values() if one.deleted is None)

    @property
    def principals(self) -> Iterator[ServicePrincipal]:
        """Those that aren't deleted."""
        return (one for one in self.all_principals.values() if one.deleted is None)

    def application(self, app_id: str) -> Application | None:
        """The application with this client id, unless it is deleted."""
        return next((one for one in self.applications if one.app_id == app_id.lower()), None)

    def principal(self, app_id: str) -> ServicePrincipal | None:
        """The service principal with this client id, unless it is deleted."""
        return next((one for one in self.principals if one.app_id == app_id.lower()), None)

    def has(self, object_id: str) -> bool:
        """Whether there is a service principal with this object id."""
        found = self.all_principals.get(object_id.lower())
        return found is not None and found.deleted is None

    def memberships(self, object_id: str) -> set[str]:
        """The groups that something is in, itself or as a member of others."""
        found: set[str] = set()
        left = [object_id]
        while left:
            one = left.pop()
            more = {group.id for group in self.groups.values() if one in group.members} - found
            found |= more
            left += more
        return found

    def add_application(self, made: Application) -> Application:
        """Let an application exist."""
        self.all_applications[made.id] = made
        return made

    def add_principal(self, made: ServicePrincipal) -> ServicePrincipal:
        """Let a service principal exist."""
        self.all_principals[made.id] = made
        return made

    def forget(self, now: datetime) -> None:
        """Forget what was deleted too long ago."""
        for objects in (self.all_applications, self.all_principals):
            for object_id in [*_expired(objects.items(), now)]:
                del objects[object_id]

    def what_is(self, identifier: str) -> str:
        """What an id is here, for who has mistaken it for a service principal's object id; or nothing."""
        for one in self.applications:
            if identifier.lower() == one.id:
                return (
                    f"the object id of the application {one.display_name}, and not of its service principal"
                )
            if identifier.lower() == one.app_id:
                return f"the client id of {one.display_name}, and not the object id of its service principal"
        for one in self.principals:
            if identifier.lower() == one.app_id:
                return f"the client id of {one.display_name}, and not the object id of its service principal"
        return ""


def _expired(objects: Iterable[tuple[str, Application | ServicePrincipal]], now: datetime) -> Iterator[str]:
    return (name for name, one in objects if one.deleted is not None and one.deleted + SOFT_DELETED <= now)
