"""Entra's objects as Pulumi's types, through the provider's own table; Resource Manager's are in `test_resources`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure_cloud import ISSUER, TENANT, guid, unique
from azure_provider import ENTRA, Hands, being_the_owner, differ

from recording_storage.resources import UnsupportedError
from recording_storage.resources.azure.rest import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure_cloud import Cloud

    from recording_storage.resources import Properties

GIVEN: Properties = {
    "displayName": "recording-service",
    "description": "one workspace's",
    "issuer": ISSUER,
    "subject": "w-acme",
    "audiences": ["api://AzureADTokenExchange"],
}

UNKNOWN = "0d4f5a52-6f0e-4b5e-9f57-2f0c54a4f2b1"


@pytest.fixture(scope="module")
def hands(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    with being_the_owner(cloud, tmp_path_factory.mktemp("owner")):
        yield Hands()


def test_the_life_of_an_application(hands: Hands, cloud: Cloud) -> None:
    asked: Properties = {"displayName": unique("app"), "description": "one", "signInAudience": "AzureADMyOrg"}
    made = hands.make("application", **asked)
    object_id = made.state["objectId"]
    assert made.id == f"/applications/{object_id}"
    assert made.state.items() >= asked.items()
    assert made.state["clientId"] != object_id
    cloud.graph("PATCH", made.id, {"description": "other", "tags": ["a"], "notes": "n"})
    assert made.refreshed() == {**asked, "description": "other", "tags": ["a"], "notes": "n"}
    made.state = made.read() or {}
    mended = made.update(displayName="renamed", description=None)
    assert (mended["displayName"], mended["description"], mended["notes"]) == ("renamed", "", "")
    assert made.update(identifierUris=[f"api://{object_id}"])["identifierUris"] == [f"api://{object_id}"]
    mended = made.update(identifierUris=None)
    assert mended["identifierUris"] == []
    assert mended["tags"] == ["a"]  # which are Graph's, where nothing is said
    assert made.find() == (made.id, mended)
    made.delete()
    assert made.read() is None
    with pytest.raises(ValueError, match="isn't of the form /applications/<object ID>"):
        made.find(object_id)


def test_the_life_of_a_service_principal(hands: Hands, cloud: Cloud) -> None:
    application, made = hands.principal()
    assert made.id == f"/servicePrincipals/{made.state['objectId']}"
    assert made.state["objectId"] not in (application.state["objectId"], application.state["clientId"])
    assert (made.state["displayName"], made.state["type"]) == (
        application.state["displayName"],
        "Application",
    )
    assert (made.state["applicationTenantId"], made.state["accountEnabled"]) == (TENANT, True)
    cloud.graph("PATCH", made.id, {"accountEnabled": False})
    assert made.refreshed() == made.inputs | {"accountEnabled": False}
    made.state = made.read() or {}
    assert made.update(description="d", appRoleAssignmentRequired=True)["accountEnabled"] is True
    assert made.update(appRoleAssignmentRequired=None)["appRoleAssignmentRequired"] is False
    assert made.refreshed() == made.inputs
    with pytest.raises(FileExistsError, match=f'"{made.state["objectId"]}" already exists'):
        hands.make("servicePrincipal", clientId=application.state["clientId"])
    used = hands.make("servicePrincipal", clientId=application.state["clientId"], useExisting=True, notes="n")
    assert (used.id, used.state["notes"], used.state["description"]) == (made.id, "n", "")
    made.delete()
    assert made.read() is None
    application.delete()
    with pytest.raises(
        ApiError, match=r"^POST /servicePrincipals: 400 \w+: .*does not reference a valid appl"
    ):
        hands.make("servicePrincipal", clientId=application.state["clientId"])


def test_the_life_of_a_federated_credential(hands: Hands, cloud: Cloud) -> None:
    application = hands.make("application", displayName=unique("app"))
    made = hands.make("applicationFederatedIdentityCredential", applicationId=application.id, **GIVEN)
    object_id, own = application.state["objectId"], made.state["credentialId"]
    assert made.id == f"{object_id}/federatedIdentityCredential/{own}"
    assert made.state == {**made.inputs, "credentialId": own}
    cloud.graph("PATCH", f"{application.id}/federatedIdentityCredentials/{own}", {"subject": "x"})
    assert made.refreshed() == made.inputs | {"subject": "x"}
    mended = made.update(issuer="https://other.example.com", description=None)
    assert (mended["issuer"], mended["subject"], mended["description"]) == (
        "https://other.example.com",
        "w-acme",
        "",
    )
    assert made.find() == (made.id, mended)
    with pytest.raises(ApiError, match=rf"^POST …/{object_id}/federatedIdentityCredentials: 409 "):
        hands.make("applicationFederatedIdentityCredential", **made.inputs)
    made.delete()
    assert made.read() is None
    application.delete()
    with pytest.raises(ApiError, match="404 Request_ResourceNotFound: Resource"):
        hands.make("applicationFederatedIdentityCredential", **made.inputs)


@pytest.mark.parametrize("name", ["application", "servicePrincipal"])
def test_owners_that_are_not_given_any_more_are_removed(hands: Hands, name: str) -> None:
    owners = sorted(hands.principal()[1].state["objectId"] for _ in range(3))
    named: Properties = {"displayName": unique("app")}
    if name == "servicePrincipal":
        named = {"clientId": hands.make("application", **named).state["clientId"]}
    made = hands.make(name, owners=owners[:2], **named)
    assert made.state["owners"] == owners[:2]
    assert made.update(owners=owners[1:])["owners"] == owners[1:]
    assert made.refreshed() == made.inputs
    assert made.update(owners=None)["owners"] == []


@pytest.mark.parametrize("application", [UNKNOWN, f"/servicePrincipals/{UNKNOWN}"])
def test_a_credential_names_its_application_by_its_id(hands: Hands, application: str) -> None:
    with pytest.raises(ValueError, match="isn't of the form /applications/<object ID>"):
        hands.make("applicationFederatedIdentityCredential", applicationId=application, **GIVEN)


def test_a_credential_is_imported_by_the_providers_own_id(hands: Hands) -> None:
    application = hands.make("application", displayName=unique("app"))
    made = hands.make("applicationFederatedIdentityCredential", applicationId=application.id, **GIVEN)
    with pytest.raises(
        ValueError, match="isn't of the form <object ID of the application>/federatedIdentityCredent"
    ):
        made.find(f"{application.id}/federatedIdentityCredentials/{made.state['credentialId']}")
    assert made.imported() == made.inputs


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("application", {"displayName": "a"}, {"displayName": "b"}, ("displayName", "")),
        (
            "application",
            {"displayName": "a", "signInAudience": "AzureADMyOrg", "tags": ["x"], "notes": ""},
            {"displayName": "a"},
            ("", ""),
        ),
        ("application", {"description": "a"}, {}, ("description", "")),
        ("application", {}, {"signInAudience": "AzureADMultipleOrgs"}, ("signInAudience", "")),
        ("application", {"displayName": "a", "owners": ["x"]}, {"displayName": "a"}, ("owners", "")),
        ("application", {"displayName": "a", "owners": []}, {"displayName": "a"}, ("", "")),
        ("servicePrincipal", {"clientId": "a"}, {"clientId": "b"}, ("clientId", "clientId")),
        ("servicePrincipal", {"clientId": "a", "accountEnabled": True}, {"clientId": "a"}, ("", "")),
        (
            "servicePrincipal",
            {"clientId": "a"},
            {"clientId": "a", "accountEnabled": False},
            ("accountEnabled", ""),
        ),
        ("applicationFederatedIdentityCredential", GIVEN, {**GIVEN, "subject": "x"}, ("subject", "")),
        (
            "applicationFederatedIdentityCredential",
            GIVEN,
            {**GIVEN, "displayName": "x"},
            ("displayName",) * 2,
        ),
    ],
)
def test_what_is_a_difference(name: str, old: Properties, new: Properties, expected: tuple[str, str]) -> None:
    assert differ(name, old, new) == (*expected, False)


def test_functions(hands: Hands) -> None:
    application, principal = hands.principal()

    def ask(name: str, **args: Any) -> Properties:
        return ENTRA.invoke(hands.entra, f"azuread:index/{name}:{name}", args)

    for name in ("clientId", "displayName"):
        found = ask("getApplication", **{name: application.state[name]})
        assert (found["id"], found["clientId"]) == (application.id, application.state["clientId"])
        found = ask("getServicePrincipal", **{name: application.state[name]})
        assert (found["id"], found["objectId"]) == (principal.id, principal.state["objectId"])
    assert ask("getApplication", objectId=application.state["objectId"])["id"] == application.id
    assert ask("getServicePrincipal", objectId=principal.state["objectId"])["id"] == principal.id
    found = ask("getServicePrincipals", clientIds=[principal.state["clientId"]])
    assert (found["objectIds"], found["displayNames"]) == (
        [principal.state["objectId"]],
        [application.state["displayName"]],
    )
    alone = hands.make("application", displayName=unique("app")).state["clientId"]
    assert ask("getServicePrincipals", clientIds=[alone], ignoreMissing=True)["objectIds"] == []
    with pytest.raises(LookupError, match=f'Service principal not found with application ID: "{alone}"'):
        ask("getServicePrincipals", clientIds=[alone])
    with pytest.raises(UnsupportedError, match="returnAll"):
        ask("getServicePrincipals", returnAll=True)
    config = ask("getClientConfig")
    assert config["id"] == f"{TENANT}-{config['clientId']}-{config['objectId']}"
    nobody = guid()
    with pytest.raises(LookupError, match=f"0 applications found matching filter: \"appId eq '{nobody}'\""):
        ask("getApplication", clientId=nobody)
    with pytest.raises(LookupError, match=f'Service principal with object ID "{nobody}" was not found'):
        ask("getServicePrincipal", objectId=nobody)
    with pytest.raises(
        LookupError, match="0 applications found matching filter: \"displayName eq 'o''hara'\""
    ):
        ask("getApplication", displayName="o'hara")
    hands.make("application", displayName=application.state["displayName"])
    with pytest.raises(LookupError, match="2 applications found"):
        ask("getApplication", displayName=application.state["displayName"])
    with pytest.raises(UnsupportedError, match="identifierUri"):
        ask("getApplication", identifierUri="api://x")
    with pytest.raises(UnsupportedError, match="getUser"):
        ask("getUser")


def test_an_input_that_is_not_known_is_refused(hands: Hands) -> None:
    with pytest.raises(UnsupportedError, match="password of azuread:index/application:Application: "):
        hands.make("application", displayName=unique("app"), password={"displayName": "p"})
