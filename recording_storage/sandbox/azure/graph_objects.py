"""What Graph's objects look like, and what may be said of them.

Sources: https://learn.microsoft.com/graph/api/resources/application,
https://learn.microsoft.com/graph/api/resources/serviceprincipal,
https://learn.microsoft.com/graph/api/resources/keycredential, https://learn.microsoft.com/graph/errors.
"""

from __future__ import annotations

import copy
import re
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from recording_storage.sandbox.azure.directory import new_id
from recording_storage.sandbox.azure.errors import GraphError
from recording_storage.sandbox.azure.world import utc
from recording_storage.sandbox.rest import Request, Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from recording_storage.sandbox.azure.directory import Application, FederatedCredential, ServicePrincipal
    from recording_storage.sandbox.azure.federation import Wrong
    from recording_storage.sandbox.azure.world import Tenant

AUDIENCES = (
    "AzureADMyOrg",
    "AzureADMultipleOrgs",
    "AzureADandPersonalMicrosoftAccount",
    "PersonalMicrosoftAccount",
)
_CERTIFICATE = ("AsymmetricX509Cert", "Verify")
_COMPARISON = re.compile(r"(\w+) eq '((?:[^']|'')*)'|startswith\((\w+), ?'((?:[^']|'')*)'\)", re.IGNORECASE)
_AMONG = re.compile(r"(\w+)/any\((\w+): ?\2 eq '((?:[^']|'')*)'\)", re.IGNORECASE)
_COMPARED = ("id", "appId", "displayName", "servicePrincipalType")
_LISTS = ("servicePrincipalNames", "identifierUris", "tags")
_REFERENCE = re.compile(
    r"https://graph\.microsoft\.com/(?:v1\.0|beta)/(?:directoryObjects|servicePrincipals)/([0-9a-fA-F-]+)"
)
_APPLICATION: Mapping[str, Any] = {
    "addIns": [],
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "requestedAccessTokenVersion": None,
        "oauth2PermissionScopes": [],
        "preAuthorizedApplications": [],
    },
    "appRoles": [],
    "applicationTemplateId": None,
    "certification": None,
    "defaultRedirectUri": None,
    "description": None,
    "disabledByMicrosoftStatus": None,
    "groupMembershipClaims": None,
    "identifierUris": [],
    "info": {
        "logoUrl": None,
        "marketingUrl": None,
        "privacyStatementUrl": None,
        "supportUrl": None,
        "termsOfServiceUrl": None,
    },
    "isDeviceOnlyAuthSupported": None,
    "isFallbackPublicClient": None,
    "keyCredentials": [],
    "nativeAuthenticationApisEnabled": None,
    "notes": None,
    "oauth2RequirePostResponse": False,
    "optionalClaims": None,
    "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
    "passwordCredentials": [],
    "publicClient": {"redirectUris": []},
    "requestSignatureVerification": None,
    "requiredResourceAccess": [],
    "samlMetadataUrl": None,
    "serviceManagementReference": None,
    "servicePrincipalLockConfiguration": None,
    "signInAudience": "AzureADandPersonalMicrosoftAccount",
    "spa": {"redirectUris": []},
    "tags": [],
    "tokenEncryptionKeyId": None,
    "uniqueName": None,
    "verifiedPublisher": {"addedDateTime": None, "displayName": None, "verifiedPublisherId": None},
    "web": {
        "homePageUrl": None,
        "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        "logoutUrl": None,
        "redirectUriSettings": [],
        "redirectUris": [],
    },
}
_SERVICE_PRINCIPAL: Mapping[str, Any] = {
    "accountEnabled": True,
    "addIns": [],
    "alternativeNames": [],
    "appDescription": None,
    "appRoleAssignmentRequired": False,
    "appRoles": [],
    "customSecurityAttributes": None,
    "description": None,
    "disabledByMicrosoftStatus": None,
    "homepage": None,
    "info": _APPLICATION["info"],
    "keyCredentials": [],
    "loginUrl": None,
    "logoutUrl": None,
    "notes": None,
    "notificationEmailAddresses": [],
    "oauth2PermissionScopes": [],
    "passwordCredentials": [],
    "preferredSingleSignOnMode": None,
    "preferredTokenSigningKeyThumbprint": None,
    "replyUrls": [],
    "resourceSpecificApplicationPermissions": [],
    "samlMetadataUrl": None,
    "samlSingleSignOnSettings": None,
    "tags": [],
    "tokenEncryptionKeyId": None,
    "verifiedPublisher": _APPLICATION["verifiedPublisher"],
}


class _Kind:
    """Of one kind of object: its properties where nothing is said, and how it is read."""

    defaults: Mapping[str, Any]
    computed = ("id", "appId", "displayName", "createdDateTime", "deletedDateTime")

    def given(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """What a body says, beside what is computed; raises `Undecided` for what the stand-in doesn't know."""
        found = {name: value for name, value in _plain(said).items() if name not in self.computed}
        unknown = sorted(set(found) - set(self.defaults))
        if unknown:
            raise Undecided(f"an object of Graph's with {', '.join(unknown)}")
        if found.get("passwordCredentials"):
            raise Undecided("a secret that isn't asked for with addPassword")
        if found.get("keyCredentials"):
            found["keyCredentials"] = [_certificate(one) for one in found["keyCredentials"]]
        if found.get("signInAudience", AUDIENCES[0]) not in AUDIENCES:
            raise wrong(f"Invalid value specified for property 'signInAudience': {found['signInAudience']}.")
        return found


class _ApplicationKind(_Kind):
    defaults = _APPLICATION
    computed = (*_Kind.computed, "publisherDomain", "owners")

    def shown(self, found: Application, tenant: Tenant) -> dict[str, Any]:
        """As it is read."""
        return {
            "id": found.id,
            "appId": found.app_id,
            "displayName": found.display_name,
            "createdDateTime": _moment(found.created),
            "deletedDateTime": _moment(found.deleted),
            "publisherDomain": tenant.domain,
            **merged(self.defaults, found.said),
        }


class _ServicePrincipalKind(_Kind):
    defaults = _SERVICE_PRINCIPAL
    computed = (*_Kind.computed, "servicePrincipalType", "servicePrincipalNames", "appDisplayName", "owners")

    def shown(
        self, found: ServicePrincipal, tenant: Tenant, application: Application | None
    ) -> dict[str, Any]:
        """As it is read."""
        of = APPLICATION.shown(application, tenant) if application else {}
        own = "AzureADMyOrg" if not application else None
        return {
            "id": found.id,
            "appId": found.app_id,
            "displayName": found.display_name,
            "appDisplayName": found.display_name if application else None,
            "appOwnerOrganizationId": tenant.id if application else None,
            "applicationTemplateId": None,
            "createdDateTime": _moment(found.created),
            "deletedDateTime": _moment(found.deleted),
            "servicePrincipalType": found.kind,
            "servicePrincipalNames": [*of.get("identifierUris", []), found.app_id],
            "signInAudience": of.get("signInAudience", own),
            **merged(self.defaults, found.said),
        }


APPLICATION, SERVICE_PRINCIPAL = _ApplicationKind(), _ServicePrincipalKind()


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without what says of which type something is, or what it is bound to."""
    found: dict[str, Any] = {}
    for name, value in said.items():
        if "@odata." not in name:
            is_object = isinstance(value, dict)
            found[name] = _plain(cast("dict[str, Any]", value)) if is_object else copy.deepcopy(value)
    return found


def credential(found: FederatedCredential) -> dict[str, Any]:
    """A federated credential as it is read."""
    return {
        "id": found.id,
        "name": found.name,
        "issuer": found.issuer,
        "subject": found.subject,
        "description": found.description or None,
        "audiences": list(found.audiences),
    }


def password(said: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A new secret as it is answered, once, of what a body says; two years, where it doesn't say how long.

    Source: https://learn.microsoft.com/graph/api/application-addpassword
    """
    wanted: dict[str, Any] = said.get("passwordCredential") or {}
    secret = secrets.token_urlsafe(30)
    return {
        "customKeyIdentifier": None,
        "displayName": wanted.get("displayName"),
        "endDateTime": wanted.get("endDateTime") or _moment(now + timedelta(days=730)),
        "hint": secret[:3],
        "keyId": new_id(),
        "secretText": secret,
        "startDateTime": wanted.get("startDateTime") or _moment(now),
    }


def _certificate(said: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate as it is kept; what it is isn't looked at, and isn't shown."""
    if (said.get("type"), said.get("usage")) != _CERTIFICATE or not (said.get("key") or said.get("keyId")):
        raise Undecided(f"a key of the type {said.get('type')} for {said.get('usage')}")
    return {
        "customKeyIdentifier": said.get("customKeyIdentifier"),
        "displayName": said.get("displayName"),
        "endDateTime": said.get("endDateTime"),
        "key": None,
        "keyId": said.get("keyId") or new_id(),
        "startDateTime": said.get("startDateTime"),
        "type": said["type"],
        "usage": said["usage"],
    }


def merged(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Objects in one another are changed by what is said of them, everything else is replaced."""
    found = copy.deepcopy(dict(before))
    for name, value in change.items():
        old = found.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            found[name] = merged(cast("dict[str, Any]", old), cast("dict[str, Any]", value))
        else:
            found[name] = copy.deepcopy(value)
    return found


def display_name(said: Mapping[str, Any]) -> str:
    """The name that a body gives."""
    value = said.get("displayName")
    if not isinstance(value, str) or not 1 <= len(value) <= 256:
        raise wrong("A value is required for property 'displayName' of resource 'Application'.")
    return value


def bound(references: object) -> list[str]:
    """Object ids that references name."""
    found: list[str] = []
    for one in cast("list[object]", references) if isinstance(references, list) else []:
        named = _REFERENCE.fullmatch(str(one))
        if named is None:
            raise wrong(f"Invalid object reference: {one}.")
        found.append(named[1].lower())
    return found


def page(request: Request, context: str, found: Iterable[dict[str, Any]]) -> Response:
    """A list, of what the request's filter lets through."""
    left = [one for one in found if _passes(one, request.query.get("$filter", ""))]
    for option in ("$search", "$skiptoken", "$skip", "$orderby", "$expand"):
        if request.query.get(option):
            raise Undecided(f"a list with {option}={request.query[option]}")
    if len(left) > int(request.query.get("$top", 999)):
        raise Undecided("a list of several pages")
    said: dict[str, Any] = {"@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#{context}"}
    count = {"@odata.count": len(left)} if request.query.get("$count") == "true" else {}
    return Response.of(said | count | {"value": [selected(request, one) for one in left]})


def selected(request: Request, shown: Mapping[str, Any]) -> dict[str, Any]:
    """What the request wants to see of an object."""
    wanted = [one.strip() for one in request.query.get("$select", "").split(",") if one.strip()]
    kept = {name: value for name, value in shown.items() if name in wanted or "@odata." in name}
    return kept if wanted else dict(shown)


def _passes(one: Mapping[str, Any], filtered: str) -> bool:
    """Whether an object is among those that are wanted; text is compared without regard to case."""
    for part in filtered.split(" and ") if filtered else []:
        among = _AMONG.fullmatch(part.strip())
        if among and among[1] in _LISTS:
            if among[3].replace("''", "'").lower() not in (
                str(value).lower() for value in one.get(among[1], ())
            ):
                return False
            continue
        found = _COMPARISON.fullmatch(part.strip())
        name = (found[1] or found[3]) if found else ""
        if found is None or name not in _COMPARED:
            raise Undecided(f"a list with $filter={filtered}")
        is_equal = found[1] is not None
        wanted = (found[2] if is_equal else found[4]).replace("''", "'").lower()
        value = str(one.get(name, "")).lower()
        if value != wanted if is_equal else not value.startswith(wanted):
            return False
    return True


def _moment(moment: Any) -> str | None:
    return None if moment is None else utc(moment)[:19] + "Z"


def not_found(names: Mapping[str, str]) -> GraphError:
    """404: there is no such object, or it is deleted."""
    which = names.get("app") or names["id"]
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{which}' does not exist or one of its queried reference-property objects are not present.",
        because=f"there is no {which} in the directory",
    )


def wrong(message: str, code: str = "Request_BadRequest") -> GraphError:
    """400: the request is wrong."""
    return GraphError(400, code, message)


def conflict(message: str) -> GraphError:
    """409: something has the name already."""
    return GraphError(409, "Request_MultipleObjectsWithSameKeyValue", message)


def bad_credential(error: Wrong) -> GraphError:
    """400 or 409: what is said of a federated credential can't be."""
    return (
        conflict(str(error))
        if error.status == 409
        else wrong(str(error), "InvalidFederatedIdentityCredentialValue")
    )
