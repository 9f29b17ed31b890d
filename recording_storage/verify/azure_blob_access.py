"""What the client may do: write to the container, and nothing beyond it.

Decided twice: by the assignments that name the service principal or a group of its, and by Azure's own list of its
effective assignments. What differs is said. Roles in subscriptions other than the account's aren't looked at.

Sources: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory (data actions),
https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest (`assignedTo`),
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting (how long it takes: 10 minutes).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from recording_storage.evaluation.azure import assignments, scopes
from recording_storage.evaluation.azure.assignments import Asked, Assignment, Denial, Holder
from recording_storage.verify.checks import CouldNotTell, Finding, failed, passed, warned, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from recording_storage.evaluation.azure.assignments import Decision
    from recording_storage.verify.azure_blob_reading import Reading

_BLOBS: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
WRITE, ADD, READ, DELETE = (f"{_BLOBS}/{verb}" for verb in ("write", "add/action", "read", "delete"))
CONTRIBUTOR: Final = "Storage Blob Data Contributor"
ASSIGNS: Final = "Microsoft.Authorization/roleAssignments/write"
PROPAGATION: Final = timedelta(minutes=10)


class Access:
    """What is said of a destination's client, and its roles."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    # Z6

    def may_write(self) -> Finding:
        """Z6: it may write to the container."""
        decision = self._decision(WRITE)
        if decision.allowed is False and decision.denied is None:
            adds = self._decision(ADD)
            if adds.allowed:
                said = f"{self._by(adds)} lets blobs be added, and none be written again"
                return warned(said, f"{self._assign()}: a retry of an upload needs it")
        if decision.allowed is None:
            raise CouldNotTell(
                self._undecided(decision), "assign the role without a condition, to the principal itself"
            )
        if decision.allowed:
            lacking = [
                verb
                for verb, action in (("read", READ), ("delete", DELETE))
                if not self._decision(action).allowed
            ]
            if lacking:
                said = f"{self._by(decision)} permits writing, and not to {' or '.join(lacking)}"
                return warned(said, f"the service is said to need {CONTRIBUTOR}: {self._assign()}")
            return passed(f"{self._by(decision)} permits it{self._age(decision.by)}")
        if decision.denied:
            said = f"the deny assignment {decision.denied.name} on {decision.denied.scope} denies it"
            return failed(
                said, "have who made it (a deployment stack, Azure itself) spare the service principal"
            )
        return failed(f"no role that permits it is assigned to {self._whom()}{self._near()}", self._assign())

    def _decision(self, action: str) -> Decision:
        """By the assignments themselves, and by Azure's own list; raises where they disagree."""
        own = self._decide(action, self._named(), self._holder())
        effective = self._reading.effective.result()
        whose = frozenset(one.principal for one in effective)  # itself, and groups that it is in
        listed = self._decide(action, effective, replace(self._holder(), ids=self._ids() | whose))
        if own.allowed is None and self._reading.groups is None:
            return listed
        if own.allowed is not listed.allowed and None not in (own.allowed, listed.allowed):
            raise CouldNotTell(
                f"Azure's list of the effective assignments of {self._whom()} {_says(listed)}, the assignments and "
                f"groups themselves {_says(own)}",
                f"ask again in {PROPAGATION.seconds // 60} minutes: one of them isn't up to date yet",
            )
        return own if own.allowed is not None else listed

    def _decide(self, action: str, among: Iterable[Assignment], holder: Holder) -> Decision:
        asked = Asked(action, self._reading.container_id, data=True)
        near = [
            one
            for one in among
            if _reaches(one, asked.scope) and holder.is_named(one.principal, one.kind) is not False
        ]
        self._reading.roles(near)
        return assignments.decide(asked, holder, near, self._reading.role, self._reading.denials.result())

    def _ids(self) -> frozenset[str]:
        return frozenset({self._reading.identity.result().needs_principal}) | (
            self._reading.groups or frozenset()
        )

    def _holder(self) -> Holder:
        return Holder(self._ids(), None if self._reading.groups is not None else frozenset())

    def _named(self) -> list[Assignment]:
        """The assignments that name it, or a group of which it isn't known who is in it."""
        holder = self._holder()
        return [
            one
            for one in self._reading.assignments.result()
            if holder.is_named(one.principal, one.kind) is not False
        ]

    def _by(self, decision: Decision) -> str:
        return " and ".join(dict.fromkeys(map(self._title, decision.by)))

    def _title(self, one: Assignment) -> str:
        role = self._reading.role(one)
        own = one.principal == self._reading.identity.result().principal_id
        through = "" if own else f", through the group {one.principal}"
        return f"{role.name if role else one.role_guid} on {self._where(one)}{through}"

    def _where(self, one: Assignment) -> str:
        return "the container" if scopes.is_same(one.scope, self._reading.container_id) else one.scope

    def _whom(self) -> str:
        identity = self._reading.identity.result()
        return f"the service principal {identity.principal_id} of {identity.name}"

    def _undecided(self, decision: Decision) -> str:
        parts: list[str] = []
        for one in decision.unknown:
            if isinstance(one, Denial):
                parts.append(f"whether the deny assignment {one.name} on {one.scope} is for {self._whom()}")
            elif one.condition:
                parts.append(f"the condition of {self._title(one)}: {one.condition}")
            elif self._reading.role(one) is None:
                parts.append(f"what the role {one.role_guid} on {one.scope} permits: it isn't there any more")
            else:
                parts.append(f"who is in the group {one.principal} ({self._title(one)})")
        return f"it depends on {' · '.join(parts)}"

    def _near(self) -> str:
        """What is assigned to it that comes near."""
        holder, container = self._holder(), self._reading.container_id
        own = [one for one in self._named() if holder.is_named(one.principal, one.kind)]
        here = [one for one in own if _reaches(one, container)]
        said = [f"{self._title(one)} doesn't permit it" for one in here]
        said += [f"{self._title(one)} isn't this container" for one in own if one not in here]
        return "".join(f" · {one}" for one in said)

    def _age(self, by: tuple[Assignment, ...]) -> str:
        """Says so, where the youngest may not be known everywhere yet."""
        ages = [age for age in map(_age, by) if age is not None]
        if not ages or min(ages) > PROPAGATION or len(ages) < len(by):
            return ""
        minutes = max(0, int(min(ages).total_seconds() // 60))
        return f"; assigned {minutes} min ago, and it takes up to {PROPAGATION.seconds // 60} to be known everywhere"

    def _assign(self) -> str:
        return (
            f"az role assignment create --assignee-object-id {self._reading.identity.result().principal_id} "
            f'--assignee-principal-type ServicePrincipal --role "{CONTRIBUTOR}" --scope {self._reading.container_id}'
        )

    # Z8

    def to_the_principal(self) -> Finding:
        """Z8: no assignment names the application in place of its service principal."""
        identity = self._reading.identity.result()
        mistaken = {identity.client_id: "the client id"}
        if identity.application:
            mistaken[str(identity.application["id"]).lower()] = "the object id of the application"
        mistaken.pop(identity.principal_id, None)
        found = [one for one in self._reading.assignments.result() if one.principal in mistaken]
        if not found:
            return passed(f"none in the subscription {self._reading.subscription} does")
        said = " · ".join(
            f"{self._title_of(one)} is assigned to {mistaken[one.principal]}, {one.principal}"
            for one in found
        )
        mend = f"az role assignment delete --ids {' '.join(one.id for one in found)}; {self._assign()}"
        is_left_over = bool(identity.principal_id) and bool(self._decision(WRITE).allowed)
        return warned(said, mend) if is_left_over else failed(said, mend)

    def _title_of(self, one: Assignment) -> str:
        role = self._reading.role(one)
        return f"{role.name if role else one.role_guid} on {self._where(one)}"

    # Z12

    def nothing_beyond(self) -> Finding:
        """Z12: it can do nothing beyond this container."""
        container, holder = self._reading.container_id, self._holder()
        own = [one for one in self._named() if holder.is_named(one.principal, one.kind)]
        every = {one.id.lower(): one for one in (*own, *self._reading.effective.result())}
        self._reading.roles(list(every.values()))
        found = list(self._beyond(every.values(), container))
        if found:
            return worst(*found)
        inside = ", ".join(map(self._title, every.values())) or "nothing at all"
        return passed(f"in the subscription {self._reading.subscription} it has {inside}")

    def _beyond(self, every: Iterable[Assignment], container: str) -> Iterator[Finding]:
        for one in every:
            mend = f"az role assignment delete --ids {one.id}"
            if not scopes.is_within(one.scope, container):
                yield failed(f"{self._whom()} has {self._title(one)}", mend)
                continue
            role = self._reading.role(one)
            if role and role.permits(ASSIGNS, data=False):
                yield failed(f"{self._title(one)} lets {self._whom()} assign roles to others", mend)


def _reaches(one: Assignment, scope: str) -> bool:
    return scopes.is_within(scope, one.scope) or scopes.is_management_group(one.scope)


def _says(decision: Decision) -> str:
    return "permits it" if decision.allowed else "doesn't permit it"


def _age(one: Assignment) -> timedelta | None:
    """How long ago it was made, as far as that is known."""
    try:
        made = datetime.fromisoformat(one.created[:19]).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return datetime.now(timezone.utc) - made
