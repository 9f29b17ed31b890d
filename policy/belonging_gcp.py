"""What belongs to a destination on Google Cloud: providers of the service's issuer, whom they become, and buckets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from policy import kinds
from policy.belonging import is_in_component, once
from policy.resources import UNKNOWN, Resource, part, refers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.belonging import View

PUBLIC = ("allUsers", "allAuthenticatedUsers")
"""Members that stand for anybody: https://docs.cloud.google.com/iam/docs/principals-overview#all-users"""
Grant = tuple[str, Any]
"""A role, and its members: a list in which some, or `UNKNOWN` in its place."""


def is_near(issuer: object, service: str) -> bool:
    """Whether an issuer is the service's, or is meant to be: the same host, in whatever case."""

    def host(url: str) -> str:
        return "".join(url.split()).casefold().rpartition("://")[2].partition("/")[0]

    return isinstance(issuer, str) and host(issuer) == host(service)


@once
def providers(view: View) -> list[Resource]:
    """The providers that let the recording service in, are meant to, or are beside one that does."""
    every = view.of(kinds.GCP_PROVIDER)
    own = [one for one in every if is_services(view, one)]
    pools = {pool for one in own if (pool := one.inputs.get("workloadIdentityPoolId")) not in (None, UNKNOWN)}
    made_from = {urn for one in own for urn in one.reads.get("workloadIdentityPoolId", ())}
    return [
        one
        for one in every
        if one in own
        or one.inputs.get("workloadIdentityPoolId") in pools
        or made_from & one.reads.get("workloadIdentityPoolId", frozenset())
    ]


def is_services(view: View, one: Resource) -> bool:
    """Whether a provider is the recording service's, or is meant to be."""
    issuer = part(one.inputs, "oidc").get("issuerUri")
    return view.is_ours(one) or is_near(issuer, view.settings.gcs.issuer)


@once
def _pools(view: View) -> tuple[set[str], set[str]]:
    """The ids of the pools, and the URNs of what makes them."""
    ids: set[str] = set()
    urns: set[str] = set()
    for one in providers(view):
        pool = one.inputs.get("workloadIdentityPoolId")
        if isinstance(pool, str):
            ids.add(pool)
        urns |= {one.urn, *one.reads.get("workloadIdentityPoolId", ())}
    for one in view.of(kinds.GCP_POOL):
        if one.inputs.get("workloadIdentityPoolId") in ids or view.is_ours(one):
            urns.add(one.urn)
    return ids, urns


@once
def trusts(view: View) -> list[Resource]:
    """The grants on service accounts by which a pool's identities may become one."""
    ids, urns = _pools(view)
    return [
        one
        for one in view.of(kinds.GCP_ACCOUNT_GRANTS)
        if view.is_ours(one) or made_from(one) & urns or any(_is_of(member, ids) for member in _members(one))
    ]


def _is_of(member: str, pools: set[str]) -> bool:
    return any(f"/workloadIdentityPools/{pool}/" in member for pool in pools)


def made_from(one: Resource) -> frozenset[str]:
    """The resources from whose outputs its members are made."""
    return frozenset(urn for path in ("member", "members", "policyData") for urn in one.reads.get(path, ()))


def grants(one: Resource) -> list[Grant]:
    """The grants that a resource makes: one, a binding's, or a whole policy's."""
    if one.is_set("policyData"):
        text = one.inputs["policyData"]
        if text is UNKNOWN:
            return [("", UNKNOWN)]
        try:
            bindings: list[dict[str, Any]] = json.loads(text).get("bindings", [])
        except (TypeError, ValueError, AttributeError):
            return [("", UNKNOWN)]
        return [(str(each.get("role", "")), each.get("members", [])) for each in bindings]
    role = one.inputs.get("role")
    members = [one.inputs["member"]] if one.is_set("member") else one.inputs.get("members", [])
    return [(role if isinstance(role, str) else "", members)]


def _members(one: Resource) -> Iterator[str]:
    for _, members in grants(one):
        if isinstance(members, list):
            yield from (member for member in cast("list[Any]", members) if isinstance(member, str))


class Writers:
    """The service accounts that the recording service becomes."""

    def __init__(self, view: View) -> None:
        self.emails: set[str] = set()
        self.urns: set[str] = set()
        given = trusts(view)
        for trust in given:
            named = trust.inputs.get("serviceAccountId")
            if isinstance(named, str):
                self.emails.add(named.rpartition("/")[2])
            self.urns |= trust.reads.get("serviceAccountId", frozenset())
        for account in view.of(kinds.GCP_ACCOUNT):
            own = account.known("email", "name", "id")
            meant = any(
                refers(trust, "serviceAccountId", account, own)
                or own & {str(trust.inputs.get("serviceAccountId"))}
                for trust in given
            )
            if meant or view.is_ours(account):
                self.urns.add(account.urn)
                self.emails |= account.known("email")
                # What its address begins with is known before the account is made.
                self.emails |= {
                    f"{id_}@{project}.iam.gserviceaccount.com"
                    for id_ in account.known("accountId")
                    for project in account.known("project")
                }

    def is_one(self, member: object) -> bool:
        """Whether a member is one of them."""
        return isinstance(member, str) and member.removeprefix("serviceAccount:") in self.emails

    def has(self, key: Resource) -> bool:
        """Whether a key is of one of them."""
        named = key.inputs.get("serviceAccountId")
        if named is UNKNOWN:
            return bool(key.reads.get("serviceAccountId", frozenset()) & self.urns)
        return str(named).rpartition("/")[2] in self.emails

    def holds(self, one: Resource) -> bool:
        """Whether something is granted to one of them."""
        if any(self.is_one(member) for member in _members(one)):
            return True
        unknown = any(
            members is UNKNOWN or UNKNOWN in cast("list[Any]", members) for _, members in grants(one)
        )
        return unknown and bool(made_from(one) & self.urns)


@once
def writers(view: View) -> Writers:
    """The service accounts that the recording service becomes."""
    return Writers(view)


@once
def buckets(view: View) -> list[Resource]:
    """The buckets that recordings are written to."""
    held = [one for one in view.of(kinds.GCP_BUCKET_GRANTS) if writers(view).holds(one)]
    return [
        one
        for one in view.of(kinds.GCP_BUCKET)
        if view.is_wide
        or view.is_ours(one)
        or any(refers(grant, "bucket", one, names(one)) for grant in held)
    ]


@once
def bucket_grants(view: View) -> list[Resource]:
    """The grants on buckets that recordings are written to, and those to who writes them."""
    own = buckets(view)
    return [
        one
        for one in view.of(kinds.GCP_BUCKET_GRANTS)
        if is_in_component(one)
        or writers(view).holds(one)
        or any(refers(one, "bucket", bucket, names(bucket)) for bucket in own)
    ]


def names(bucket: Resource) -> set[str]:
    """By what a grant names its bucket."""
    return bucket.known("name", "id")
