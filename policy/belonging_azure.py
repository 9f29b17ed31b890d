"""What belongs to a destination on Azure: credentials with the service's issuer, whose they are, what these reach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from policy import kinds
from policy.belonging import once
from policy.belonging_gcp import is_near
from policy.resources import UNKNOWN, Resource, refers

if TYPE_CHECKING:
    from policy.belonging import View

_ACCOUNT = re.compile(r"/storageAccounts/([^/]+)", re.IGNORECASE)
CREDENTIALS = (*kinds.ENTRA_CREDENTIAL, *kinds.AZURE_IDENTITY_CREDENTIAL)
_OWNER = ("applicationId", "resourceName")
"""How a credential names whose it is: an application, or a managed identity."""


@once
def credentials(view: View) -> list[Resource]:
    """The federated credentials of whom the recording service comes in as: its own, and all beside it."""
    every = view.of(CREDENTIALS)
    own = [one for one in every if is_services(view, one)]
    texts = {one.inputs.get(path) for one in own for path in _OWNER} - {None, UNKNOWN}
    urns = {urn for one in own for path in _OWNER for urn in one.reads.get(path, ())}
    return [
        one
        for one in every
        if one in own
        or any(one.inputs.get(path) in texts for path in _OWNER)
        or any(urns & one.reads.get(path, frozenset()) for path in _OWNER)
    ]


def is_services(view: View, one: Resource) -> bool:
    """Whether a credential is the recording service's, or is meant to be."""
    return view.is_ours(one) or is_near(one.inputs.get("issuer"), view.settings.azure_blob.issuer)


@once
def applications(view: View) -> list[Resource]:
    """The applications that the recording service comes in as."""
    found = credentials(view)
    return [
        one
        for one in view.of(kinds.ENTRA_APPLICATION)
        if any(refers(credential, "applicationId", one, one.known("id")) for credential in found)
    ]


@once
def principals(view: View) -> list[Resource]:
    """As whom the recording service acts: service principals of the applications, and managed identities."""
    own, found = applications(view), credentials(view)
    return [
        *(
            one
            for one in view.of(kinds.ENTRA_PRINCIPAL)
            if any(refers(one, "clientId", application, application.known("clientId")) for application in own)
        ),
        *(
            one
            for one in view.of(kinds.AZURE_IDENTITY)
            if any(refers(each, "resourceName", one, one.known("name", "resourceName")) for each in found)
        ),
    ]


@once
def assignments(view: View) -> list[Resource]:
    """The role assignments of the recording service, and those that the components make."""
    # A service principal that is looked up is made of its application.
    own = [*principals(view), *applications(view)]
    return [
        one
        for one in view.of(kinds.AZURE_ASSIGNMENT)
        if view.is_ours(one)
        or any(refers(one, "principalId", each, each.known("objectId", "principalId")) for each in own)
    ]


@once
def containers(view: View) -> list[Resource]:
    """The containers that recordings are written to."""
    given = assignments(view)
    return [
        one
        for one in view.of(kinds.AZURE_CONTAINER)
        if view.is_wide
        or view.is_ours(one)
        or any(refers(each, "scope", one, one.known("id")) for each in given)
    ]


@once
def accounts(view: View) -> list[Resource]:
    """The storage accounts that recordings are in."""
    own, given = containers(view), assignments(view)
    in_scopes = {
        match[1].lower()
        for one in given
        if isinstance(scope := one.inputs.get("scope"), str) and (match := _ACCOUNT.search(scope))
    }
    return [
        one
        for one in view.of(kinds.AZURE_ACCOUNT)
        if view.is_wide
        or view.is_ours(one)
        or any(refers(container, "accountName", one, names(one)) for container in own)
        or any(refers(each, "scope", one, one.known("id")) for each in given)
        or in_scopes & {name.lower() for name in names(one)}
    ]


def names(account: Resource) -> set[str]:
    """What a storage account is called, as far as it is known."""
    return account.known("accountName", "name")
