"""What there is in the sandbox's Google Cloud: projects, and in them service accounts and workload identity pools.

A project is known by its id and by its number
(https://docs.cloud.google.com/resource-manager/docs/creating-managing-projects). Leaves out folders and
organisations.
"""

from __future__ import annotations

import secrets
import weakref
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google.errors import GoogleError, error_info, forbidden, invalid
from recording_storage.sandbox.google.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.evaluation.google.principals import Principal

SERVICES = (
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "policytroubleshooter.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
)
"""What the stand-in stands in for, and what a project has enabled where nothing says otherwise."""
SOFT_DELETED = timedelta(days=30)
"""How long what was deleted can be restored."""
AGENTS = ("gs-project-accounts.iam.gserviceaccount.com",)
"""Domains of Google's own service accounts, which nobody makes."""


def utc(moment: datetime) -> str:
    """A moment as Google writes it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(eq=False)
class ServiceAccount:
    """A service account: a resource with a policy, and an identity."""

    project: Project
    email: str
    unique_id: str
    policy: Policy
    display_name: str = ""
    description: str = ""
    disabled: bool = False
    deleted: datetime | None = None

    @property
    def name(self) -> str:
        """`projects/P/serviceAccounts/EMAIL`."""
        return f"projects/{self.project.id}/serviceAccounts/{self.email}"

    @property
    def full_name(self) -> str:
        """As conditions and the journal have it."""
        return f"//iam.googleapis.com/{self.name}"

    @property
    def type(self) -> str:
        """As conditions have it."""
        return "iam.googleapis.com/ServiceAccount"

    @property
    def parent(self) -> Project:
        """Its policy is inherited."""
        return self.project


@dataclass(eq=False)
class CustomRole:
    """A role that a project's owners have made."""

    name: str
    title: str = ""
    description: str = ""
    stage: str = "GA"
    permissions: frozenset[str] = frozenset()


@dataclass(eq=False)
class Provider:
    """An OIDC provider of a workload identity pool."""

    pool: Pool
    id: str
    said: dict[str, Any]
    """What was said of it: `oidc`, `attributeMapping`, `attributeCondition`, `displayName`, `description`."""
    disabled: bool = False
    deleted: datetime | None = None

    policy: Policy = field(default_factory=Policy)
    """Nobody can set it: what the pool's project says counts."""

    @property
    def name(self) -> str:
        """`projects/NUMBER/locations/global/workloadIdentityPools/P/providers/X`."""
        return f"{self.pool.name}/providers/{self.id}"

    @property
    def full_name(self) -> str:
        """As conditions and the journal have it."""
        return f"//iam.googleapis.com/{self.name}"

    @property
    def type(self) -> str:
        """As conditions have it."""
        return "iam.googleapis.com/WorkloadIdentityPoolProvider"

    @property
    def parent(self) -> Pool:
        """Its policy is inherited."""
        return self.pool


@dataclass(eq=False)
class Pool:
    """A workload identity pool."""

    project: Project
    id: str
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    """What was said of it: `displayName`, `description`."""
    disabled: bool = False
    deleted: datetime | None = None
    providers: dict[str, Provider] = field(default_factory=dict[str, Provider])
    """By id, the deleted ones too."""
    policy: Policy = field(default_factory=Policy)
    """Nobody can set it here: what the project's says counts."""

    @property
    def name(self) -> str:
        """`projects/NUMBER/locations/global/workloadIdentityPools/P`."""
        return f"projects/{self.project.number}/locations/global/workloadIdentityPools/{self.id}"

    @property
    def full_name(self) -> str:
        """As conditions and the journal have it."""
        return f"//iam.googleapis.com/{self.name}"

    @property
    def type(self) -> str:
        """As conditions have it."""
        return "iam.googleapis.com/WorkloadIdentityPool"

    @property
    def parent(self) -> Project:
        """Its policy is inherited."""
        return self.project


@dataclass(eq=False)
class Project:
    """A project."""

    id: str
    number: str
    policy: Policy
    created: datetime
    services: set[str] = field(default_factory=set[str])
    """Those that are enabled, by their host names."""
    service_accounts: dict[str, ServiceAccount] = field(default_factory=dict[str, ServiceAccount])
    """By unique id, the deleted ones too."""
    pools: dict[str, Pool] = field(default_factory=dict[str, Pool])
    """By id, the deleted ones too."""
    roles: dict[str, CustomRole] = field(default_factory=dict[str, "CustomRole"])
    """Custom ones, by id."""
    deny_policies: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Those that are attached to it, by id, as the API has them."""

    @property
    def full_name(self) -> str:
        """As conditions and the journal have it."""
        return f"//cloudresourcemanager.googleapis.com/projects/{self.id}"

    @property
    def type(self) -> str:
        """As conditions have it."""
        return "cloudresourcemanager.googleapis.com/Project"

    @property
    def parent(self) -> None:
        """Nothing in the sandbox is above a project."""
        return


class World:
    """Everything that exists, and the time."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        """How far the world's clock is ahead of the machine's."""
        self.groups: dict[str, frozenset[str]] = {}
        """A group (`group:players@example.com`) → its members. Who is in any other isn't known."""
        self._projects: dict[str, Project] = {}
        self._policies: weakref.WeakSet[Policy] = weakref.WeakSet()

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(timezone.utc) + self.ahead

    @property
    def projects(self) -> list[Project]:
        """All of them."""
        return list(self._projects.values())

    def add(self, project_id: str, number: str, services: tuple[str, ...] = SERVICES) -> Project:
        """Let a project exist."""
        policy = self.policy(unsupported="roles/storage.legacy")
        project = Project(project_id, number, policy, self.now(), set(services))
        self._projects[project_id] = project
        return project

    def find(self, ref: str) -> Project | None:
        """The project with this id or number."""
        known = self._projects.get(ref)
        return known or next((one for one in self._projects.values() if one.number == ref), None)

    def project(self, ref: str) -> Project:
        """The project with this id or number; Google doesn't tell whether it exists to whom it isn't for."""
        found = self.find(ref)
        if found is None:
            raise forbidden(
                f"Permission denied on resource project {ref}.",
                details=[error_info("CONSUMER_INVALID", consumer=f"projects/{ref}", containerInfo=ref)],
                because=f"there is no project {ref}",
            )
        return found

    def custom_role(self, name: str) -> CustomRole | None:
        """The custom role with this name, `projects/P/roles/R`."""
        project, _, role = name.removeprefix("projects/").partition("/roles/")
        found = self.find(project) if role and name.startswith("projects/") else None
        return found.roles.get(role) if found else None

    def storage_agent(self, project: Project) -> str:
        """Cloud Storage's own service account in a project.

        https://docs.cloud.google.com/storage/docs/projects#service-agents
        """
        return f"service-{project.number}@{AGENTS[0]}"

    def policy(self, *, stale: Callable[[], GoogleError] | None = None, unsupported: str = "") -> Policy:
        """A new policy, empty, of a resource of this world."""
        made = Policy(check=self._check_member, stale=stale, unsupported=unsupported)
        self._policies.add(made)
        return made

    def service_account(self, ref: str) -> ServiceAccount | None:
        """The service account with this address or unique id, unless it is deleted."""
        for project in self._projects.values():
            for account in project.service_accounts.values():
                if account.deleted is None and ref in (account.email, account.unique_id):
                    return account
        return None

    def add_service_account(self, project: Project, account_id: str, email: str = "") -> ServiceAccount:
        """Let a service account exist; those that Google makes by itself have an address of another form."""
        email = email or f"{account_id}@{project.id}.iam.gserviceaccount.com"
        unique_id = f"1{secrets.randbelow(10**20):020}"
        made = ServiceAccount(project, email, unique_id, self.policy(unsupported="roles/storage."))
        project.service_accounts[unique_id] = made
        return made

    def pool(self, name: str) -> Pool | None:
        """The pool with this name, in whatever state it is."""
        number, _, rest = name.removeprefix("projects/").partition("/")
        project = self.find(number)
        return project.pools.get(rest.rpartition("/")[2]) if project else None

    def why_gone(self, who: Principal) -> str:
        """Why whoever holds a token isn't let in any more; nothing where that isn't so."""
        if who.pool:
            pool = self.pool(who.pool)
            if pool is None or pool.deleted or pool.disabled:
                return f"the pool {who.pool} is {'disabled' if pool and pool.disabled else 'deleted'}"
        if who.unique_id:
            account = self.service_account(who.unique_id)
            if account is None or account.disabled:
                return f"the service account {who.email} is {'disabled' if account else 'deleted'}"
        return ""

    def rename_member(self, member: str, new: str) -> None:
        """Name a member otherwise in every policy."""
        for policy in self._policies:
            policy.rename(member, new)

    def _check_member(self, member: str) -> None:
        """Service accounts of the sandbox's projects must exist; of anybody else nothing is known."""
        kind, _, email = member.partition(":")
        name, _, domain = email.lower().partition("@")
        if kind != "serviceAccount":
            return
        project = self.find(domain.removesuffix(".iam.gserviceaccount.com"))
        agent = domain in AGENTS and self.find(name.removeprefix("service-")) is None
        if (project is not None and self.service_account(email.lower()) is None) or agent:
            raise invalid(
                f"Service account {email} does not exist.", because=f"there is no service account {email}"
            )
