"""Whether deny policies deny somebody something: their rules, with principals and permissions in the forms of IAM v2.

Sources: https://docs.cloud.google.com/iam/docs/deny-overview, https://docs.cloud.google.com/iam/docs/principal-identifiers
(v2) and https://docs.cloud.google.com/iam/docs/deny-permissions-support. Leaves out conditions, which are about tags:
whether one is true isn't known here.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from recording_storage.evaluation.google.principals import Principal

    Named = Callable[[Principal, str], bool | None]

SERVICES = {"resourcemanager": "cloudresourcemanager"}
"""What a permission's first word is in v2, where that isn't the same."""
EVERYBODY = "principalSet://goog/public:all"
_PERSON = "principal://goog/subject/"
_SERVICE_ACCOUNT = re.compile(r"principal://iam\.googleapis\.com/projects/-/serviceAccounts/(?P<email>.+)")
_GROUP = "principalSet://goog/group/"
_POOL = re.compile(
    r"principal(Set)?://iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/.+"
)


def v2(permission: str) -> str:
    """A permission in the form of IAM v2: `storage.objects.create` is `storage.googleapis.com/objects.create`."""
    if "/" in permission:
        return permission
    service, _, rest = permission.partition(".")
    return f"{SERVICES.get(service, service)}.googleapis.com/{rest}"


def denied(
    policies: Iterable[Mapping[str, Any]], who: Principal, permission: str, is_member: Named
) -> tuple[bool | None, str]:
    """Whether a policy denies it (None: that isn't known), and which; `is_member` judges members in v1's form."""
    wanted, unknown = v2(permission), ""
    for policy in policies:
        for rule in policy.get("rules") or ():
            said: Mapping[str, Any] = rule.get("denyRule") or {}
            if not _lists(said, "deniedPermissions", wanted) or _lists(said, "exceptionPermissions", wanted):
                continue
            is_named = _named(said.get("deniedPrincipals"), who, is_member)
            is_excepted = _named(said.get("exceptionPrincipals"), who, is_member)
            if is_named is False or is_excepted is True:
                continue
            where = f"the deny policy {policy.get('name', '')} denies {wanted} to {who}"
            if is_named is None or is_excepted is None or said.get("denialCondition"):
                unknown = f"{where}, or not"
                continue
            return True, where
    return (None, unknown) if unknown else (False, "")


def _lists(rule: Mapping[str, Any], field: str, permission: str) -> bool:
    """Groups of permissions are written with a star: `storage.googleapis.com/objects.*`."""
    return any(fnmatchcase(permission, one) for one in rule.get(field) or ())


def _named(listed: Iterable[str] | None, who: Principal, is_member: Named) -> bool | None:
    answers = {_is(one, who, is_member) for one in listed or ()}
    return True if True in answers else None if None in answers else False


def _is(listed: str, who: Principal, is_member: Named) -> bool | None:
    if listed == EVERYBODY:
        return True
    if listed.startswith(_PERSON):
        return who.member in (
            f"user:{listed.removeprefix(_PERSON).lower()}",
            _account(listed.removeprefix(_PERSON)),
        )
    account = _SERVICE_ACCOUNT.fullmatch(listed)
    if account:
        return who.member == _account(account["email"])
    if listed.startswith(_GROUP):
        return is_member(who, f"group:{listed.removeprefix(_GROUP).lower()}")
    return is_member(who, listed) if _POOL.fullmatch(listed) else None


def _account(email: str) -> str:
    return f"serviceAccount:{email.lower()}"
