"""Who asks, and whom a binding names.

Sources: https://docs.cloud.google.com/iam/docs/principal-identifiers for the identifiers,
https://docs.cloud.google.com/iam/docs/workload-identity-federation#impersonation for those of federated identities.
"""

from __future__ import annotations

from dataclasses import dataclass

ALL_USERS, ALL_AUTHENTICATED = "allUsers", "allAuthenticatedUsers"
FEDERATED = "iam.googleapis.com/"
_UNKNOWABLE = ("group:", "principalSet://cloudresourcemanager.googleapis.com/")
"""Sets whose members no policy says."""


@dataclass(frozen=True)
class Principal:
    """Who asks: `member` is how a binding would name it, and empty for nobody in particular.

    `pool` (`projects/N/locations/global/workloadIdentityPools/P`), `attributes` and `groups` are those of a federated
    identity; `unique_id` is a service account's.
    """

    member: str
    pool: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    unique_id: str = ""

    @property
    def kind(self) -> str:
        """`user`, `serviceAccount`, `principal`, or nothing for the anonymous one."""
        return self.member.partition(":")[0]

    @property
    def email(self) -> str:
        """The address of a user or a service account; of others, what they are called."""
        return self.member if self.pool else self.member.partition(":")[2]

    def __str__(self) -> str:
        return self.member or "anonymous"

    def is_member(self, binding_member: str) -> bool | None:
        """Whether a binding's member names this one; None where no policy says so."""
        if binding_member == ALL_USERS:
            return True
        if not self.member:
            return False
        if binding_member in (ALL_AUTHENTICATED, self.member):
            # https://docs.cloud.google.com/iam/docs/principals-overview: federated identities aren't among them.
            return binding_member == self.member or not self.pool
        if binding_member.startswith("domain:"):
            return self.kind == "user" and self.email.endswith("@" + binding_member.removeprefix("domain:"))
        if self.pool and binding_member.startswith(f"principalSet://{FEDERATED}{self.pool}/"):
            return self._is_in(binding_member.removeprefix(f"principalSet://{FEDERATED}{self.pool}/"))
        return None if binding_member.startswith(_UNKNOWABLE) else False

    def _is_in(self, what: str) -> bool:
        """Whether a set of this one's own pool has it: `*`, `group/G` or `attribute.NAME/VALUE`."""
        name, _, value = what.partition("/")
        if name == "group":
            return value in self.groups
        kind, _, attribute = name.partition(".")
        return what == "*" or (kind == "attribute" and (attribute, value) in self.attributes)


ANONYMOUS = Principal("")


def user(email: str) -> Principal:
    """A person."""
    return Principal(f"user:{email.lower()}")


def service_account(email: str, unique_id: str) -> Principal:
    """A service account."""
    return Principal(f"serviceAccount:{email}", unique_id=unique_id)


def federated(
    pool: str, subject: str, attributes: dict[str, str] | None = None, groups: tuple[str, ...] = ()
) -> Principal:
    """An identity of a workload identity pool."""
    named = tuple(sorted((attributes or {}).items()))
    return Principal(f"principal://{FEDERATED}{pool}/subject/{subject}", pool, named, groups)
