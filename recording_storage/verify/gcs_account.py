"""The service account: who may act as it, its keys, and whether it can do more than write to this bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google.allow import CONVENIENCE, Asked
from recording_storage.evaluation.google.principals import ALL_AUTHENTICATED, ALL_USERS, service_account
from recording_storage.evaluation.google.roles import ROLES
from recording_storage.verify.checks import NothingThere, failed, passed, warned, worst
from recording_storage.verify.gcs_policies import (
    ACCOUNT,
    OBJECT,
    Policies,
    bindings,
    bucket_name,
    grants,
    now,
    project_name,
)
from recording_storage.verify.gcs_reading import is_googles_own
from recording_storage.verify.said import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.verify.checks import Finding
    from recording_storage.verify.gcs_reading import Reading
    from recording_storage.verify.gcs_trust import Trust

    Json = dict[str, Any]

ACT = "iam.serviceAccounts.getAccessToken"
ACTING = (
    ACT,
    "iam.serviceAccounts.implicitDelegation",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.signJwt",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccountKeys.create",
)
"""By which of them somebody comes to act as a service account:
https://docs.cloud.google.com/iam/docs/service-account-permissions"""
BASIC = ("roles/owner", "roles/editor", "roles/viewer")
PUBLIC = (ALL_USERS, ALL_AUTHENTICATED)
CREATE_ROLE, OVERWRITE_ROLE = "roles/storage.objectCreator", "roles/storage.objectUser"
LOOKING = frozenset({"storage.buckets.get", "storage.buckets.list"})
"""What is no harm in a writer's role: names and settings of buckets."""
FOREIGN = ("principal://", "principalSet://", *PUBLIC)
ELSEWHERE = "some-other-bucket"


class Account:
    """The deciders of one destination that concern its service account."""

    def __init__(self, reading: Reading, policies: Policies, trust: Trust) -> None:
        self._reading = reading
        self._policies = policies
        self._trust = trust

    @property
    def who(self) -> Principal:
        """The service account, as policies name it."""
        return service_account(self._reading.email, "")

    @property
    def _project(self) -> str:
        return self._reading.home or self._reading.project_id

    def _check_exists(self) -> None:
        if self._reading.value(self._reading.account) is None:
            raise NothingThere(f"the service account {self._reading.email}", "G6")

    def _asked(self, permission: str) -> Asked:
        name = f"//iam.googleapis.com/projects/{self._project}/serviceAccounts/{self._reading.email}"
        return Asked(permission, name, ACCOUNT, now())

    # Who may act as it

    def actors(self) -> Finding:
        """G5."""
        own = self._reading.value(self._reading.account_policy)
        if own is None:
            raise NothingThere(f"the service account {self._reading.email}", "G6")
        above = self._reading.value(self._reading.project_policy(self._project))
        who, asked = self._trust.principal, self._asked(ACT)
        found = [*grants(asked.full_name, own), *grants(project_name(self._project), above)]
        verdict = self._policies.allowed(who, asked, found)
        whose = "" if self._trust.subject.is_known else f" (is {self._trust.subject.text} your Workspace ID?)"
        if not verdict.allowed:
            return failed(
                f"{who} may not act as {self._reading.email}: {verdict.reason}",
                f"gcloud iam service-accounts add-iam-policy-binding {self._reading.email} "
                f"--role=roles/iam.workloadIdentityUser --member='{who}'",
            )
        beside = [*self._beside(own), *self._beside_in_project(above)]
        return worst(*beside) if beside else passed(f"only {who} may act as {self._reading.email}{whose}")

    def _acting(self, policy: Json | None) -> Iterator[tuple[Json, str]]:
        """The bindings by which somebody may act, and by which permission."""
        for binding in bindings(policy):
            if is_googles_own(binding["role"]):
                continue
            which = next((one for one in ACTING if self._policies.permits(binding["role"], one)), "")
            if which and self._asked(which).meets(binding) is not False:
                yield binding, which

    def _beside(self, policy: Json) -> Iterator[Finding]:
        """Who else is let in by the service account's own policy."""
        for binding, which in self._acting(policy):
            for member in binding["members"]:
                if self._trust.is_the_service_alone(member):
                    continue
                role = binding["role"]
                yield failed(
                    f"{member} may act as it too, by {role} ({which})",
                    f"gcloud iam service-accounts remove-iam-policy-binding {self._reading.email} --role={role} "
                    f"--member='{member}'",
                )

    def _beside_in_project(self, policy: Json | None) -> Iterator[Finding]:
        """Who else is let in by the project's policy: its owners and editors may be, nobody from outside."""
        for binding, which in self._acting(policy):
            role = binding["role"]
            mend = f"gcloud projects remove-iam-policy-binding {self._project} --role={role}"
            for member in binding["members"]:
                if member.startswith(FOREIGN):
                    what = (
                        f"{member} may act as every service account of {self._project}, by {role} ({which})"
                    )
                    yield failed(what, f"{mend} --member='{member}'")
                elif role not in BASIC and member != f"serviceAccount:{self._reading.email}":
                    what = (
                        f"{member} may act as every service account of {self._project}, by {role} ({which})"
                    )
                    yield warned(what, f"grant it on single service accounts; {mend} --member='{member}'")

    # Its keys

    def keys(self) -> Finding:
        """G12."""
        self._check_exists()
        listed: list[Json] = items(self._reading.value(self._reading.account_keys), "keys")
        made = [one for one in listed if one.get("keyType", "USER_MANAGED") == "USER_MANAGED"]
        usable = [_id(one) for one in made if not one.get("disabled")]
        if usable:
            one = f"gcloud iam service-accounts keys delete {usable[0]} --iam-account={self._reading.email}"
            return failed(f"it has keys that work from anywhere: {', '.join(usable)}", one)
        if made:
            return warned(f"it has keys that are disabled: {', '.join(map(_id, made))}", "delete them")
        return passed("nobody has made a key for it")

    # What it can do

    def powers(self) -> Finding:
        """G13."""
        self._check_exists()
        reading = self._reading
        bucket = reading.value(reading.bucket_policy)
        if bucket is None:
            raise NothingThere(f"the bucket {reading.bucket_name}", "G6")
        projects = dict.fromkeys((reading.project_id, self._project))
        found = [
            *(one for binding in self._own(bucket) for one in self._on_bucket(binding)),
            *(
                one
                for project in projects
                for binding in self._own(reading.value(reading.project_policy(project)))
                for one in self._on_project(binding, project)
            ),
        ]
        if found:
            return worst(*found)
        limit = "what it holds in other buckets' policies, other projects or through groups wasn't read"
        return passed(
            f"it can create objects in {reading.bucket_name}, and nothing else there or by its project; {limit}"
        )

    def _own(self, policy: Json | None) -> Iterator[Json]:
        """The bindings that name the service account itself."""
        for binding in bindings(policy):
            members = [one for one in binding["members"] if one not in PUBLIC]
            if any(one.partition(":")[0] not in CONVENIENCE and self.who.is_member(one) for one in members):
                yield binding

    def _on_bucket(self, binding: Json) -> Iterator[Finding]:
        role, held = binding["role"], self._reading.role(binding["role"])
        more = _beyond(held, CREATE_ROLE)
        if not more or self._asked_of_bucket(binding, self._reading.bucket_name) is False:
            return
        name = self._reading.bucket_name
        remove = (
            f"gcloud storage buckets remove-iam-policy-binding gs://{name} --role={role} "
            f"--member=serviceAccount:{self._reading.email}"
        )
        if not _beyond(held, OVERWRITE_ROLE):
            what = f"by {role} it may also {_verbs(more)} recordings in {name}"
            yield warned(
                what, f"unless it must replace what it wrote, give it {CREATE_ROLE} instead; {remove}"
            )
        else:
            what = f"by {role} it may also do this to {name}: {_some(_beyond(held, OVERWRITE_ROLE))}"
            yield failed(what, f"give it {CREATE_ROLE} instead; {remove}")

    def _on_project(self, binding: Json, project: str) -> Iterator[Finding]:
        role, held = binding["role"], self._reading.role(binding["role"])
        mend = (
            f"grant what it needs on the bucket alone; gcloud projects remove-iam-policy-binding {project} "
            f"--role={role} --member=serviceAccount:{self._reading.email}"
        )
        elsewhere = self._asked_of_bucket(binding, ELSEWHERE)
        storage = sorted(
            one for one in held - LOOKING if one.startswith(("storage.objects.", "storage.buckets."))
        )
        if role in BASIC:
            yield failed(f"it holds {role} in {project}", mend)
        elif storage and elsewhere is not False:
            yield failed(f"by {role} it may do this to every bucket of {project}: {_some(storage)}", mend)
        elif storage and self._asked_of_bucket(binding, self._reading.bucket_name) is not False:
            yield from self._on_bucket(binding)
        elif not storage and any(_gives_power(one) for one in held):
            which = sorted(filter(_gives_power, held))
            yield failed(f"by {role} it may do this in {project}: {_some(which)}", mend)
        elif not storage and held - _harmless():
            yield warned(f"it also holds {role} in {project}", mend)

    def _asked_of_bucket(self, binding: Json, bucket: str) -> bool | None:
        """Whether a binding's condition is true for an object of a bucket."""
        name = f"{bucket_name(bucket)}/objects/any/name.mp4"
        return Asked("storage.objects.create", name, OBJECT, now()).meets(binding)


def _harmless() -> frozenset[str]:
    return LOOKING | {"resourcemanager.projects.get", "resourcemanager.projects.list"}


def _beyond(held: frozenset[str], role: str) -> list[str]:
    """What isn't in a role, nor harmless."""
    return sorted(held - ROLES[role] - _harmless())


def _gives_power(permission: str) -> bool:
    """Whether it leads to all the rest: acting as others, or changing who may do what."""
    return permission.endswith(".setIamPolicy") or permission in ACTING


def _verbs(permissions: list[str]) -> str:
    verbs = [one.rpartition(".")[2] for one in permissions if one.startswith("storage.objects.")]
    return ", ".join(verbs)


def _some(permissions: list[str]) -> str:
    shown = ", ".join(permissions[:4])
    return f"{shown} and {len(permissions) - 4} more" if len(permissions) > 4 else shown


def _id(key: Json) -> str:
    return str(key["name"]).rpartition("/")[2]
