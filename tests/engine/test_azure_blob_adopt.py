"""An application adopted under the real Pulumi engine, on the sandbox's Entra: it comes in unchanged, or not at all."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from components.azure_federation import (
    CREDENTIAL,
    CREDENTIAL_DESCRIPTION,
    SIGN_IN_AUDIENCE,
    application_description,
)
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.azure import occasion
from tests.support.engine import MARKS, PROJECT, UNCHANGED, Stack, inhabited
from tests.support.engine_azure import AUDIENCE, ISSUER, OBSERVER, WORKSPACE, AzureHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from recording_storage.sandbox.azure.directory import Application, ServicePrincipal

pytestmark = MARKS

DESTINATION = "recording-storage:index:AzureBlobDestination"
APPLICATION = "azuread:index/application:Application"
PRINCIPAL = "azuread:index/servicePrincipal:ServicePrincipal"
CREDENTIALS = "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential"
GRAPH = "https://graph.microsoft.com/v1.0"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureHouse]:
    with Sandbox() as sandbox:
        yield AzureHouse(sandbox, tmp_path_factory.mktemp("house"))


def az_rest(house: AzureHouse, which: str, **ids: str) -> Any:
    """Ask Graph as the one command of docs/azure_blob.md does that has these words in it."""
    page = (PROJECT / "docs/azure_blob.md").read_text()
    (line,) = [one for one in page.splitlines() if one.startswith("az rest ") and which in one]
    for name, id_ in ids.items():
        line = line.replace(name, id_)
    words = shlex.split(line)
    given = dict(zip(words[2::2], words[3::2], strict=True))
    body = json.loads(given["--body"]) if "--body" in given else None
    return house.graph.must(given["--method"], given["--url"], json=body)


class ByHand:
    """An application that somebody made as the component would, and its service principal."""

    def __init__(self, house: AzureHouse, name: str, *, with_credential: bool = False) -> None:
        self.directory = house.subscription.tenant.directory
        self.application: Application = occasion.application(
            house.sandbox.azure.world,
            house.subscription.tenant,
            name,
            description=application_description("calls"),
            signInAudience=SIGN_IN_AUDIENCE,
        )
        if with_credential:
            self.application.credentials.append(
                occasion.federated_credential(
                    CREDENTIAL, ISSUER, WORKSPACE, AUDIENCE, description=CREDENTIAL_DESCRIPTION
                )
            )
        principal = self.directory.principal(self.application.app_id)
        assert principal is not None
        self.principal: ServicePrincipal = principal
        self.settings: dict[str, object] = {"identity_name": name}
        self.adopting = self.settings | {"adopt_application": self.application.app_id}
        if with_credential:
            self.adopting |= {"adopt_credential": self.credential.id}

    @property
    def credential(self) -> Any:
        (found,) = self.application.credentials
        return found

    def everything(self) -> Any:
        """What Entra holds of it."""
        own = self.directory.principal(self.application.app_id)
        return [asdict(self.application), asdict(own) if own else None]


def adopted(house: AzureHouse, stack: Stack[Any], app: ByHand, *imported: str, **settings: object) -> Any:
    """Adopt the application, and see to it that this changed nothing, and goes on to change nothing."""
    before = app.everything()
    stack.configure(calls=app.adopting | settings)
    preview = stack.run("preview")
    assert preview.code == 0, preview.text
    done = stack.up()
    assert preview.changed["import"] == done.changed["import"] == set(imported)
    assert not done.changed.keys() - {"create", "import"}
    calls = stack.destination("calls")
    assert calls.client_id == app.application.app_id
    for command in ("up", "refresh"):
        again = stack.run(command, *UNCHANGED)
        assert again.code == 0, again.text
    stack.configure(calls=app.settings | settings)
    assert stack.up().changed == {"update": {DESTINATION}}  # which no longer says that it adopts
    without = stack.run("refresh", *UNCHANGED)
    assert without.code == 0, without.text
    if CREDENTIALS in imported:
        assert app.everything() == before
    calls.assert_lives()
    return calls


def test_an_application_made_by_hand_is_adopted_and_then_kept_as_any_other(house: AzureHouse) -> None:
    app, stack = ByHand(house, "by hand", with_credential=True), Stack(house, "by-hand")
    calls = adopted(house, stack, app, APPLICATION, PRINCIPAL, CREDENTIALS)
    assert stack.run("destroy").code != 0
    calls.assert_lives()
    stack.configure(calls=app.settings | {"on_destroy": "delete"})
    stack.up()
    assert stack.run("destroy").code == 0
    calls.assert_gone()


def test_an_application_is_adopted_once_it_is_set_as_the_page_says(house: AzureHouse) -> None:
    app = ByHand(house, "documented", with_credential=True)
    app.application.said, app.credential.description = {}, ""
    stack = Stack(house, "documented")
    stack.configure(calls=app.adopting)
    assert stack.run("preview").code != 0
    own = {"CLIENT_ID": app.application.app_id}
    az_rest(house, '"signInAudience"', **own)
    az_rest(house, "/recording-service", **own)
    (listed,) = az_rest(house, '/federatedIdentityCredentials"', **own)["value"]
    assert (listed["id"], listed["name"]) == (app.adopting["adopt_credential"], CREDENTIAL)
    adopted(house, stack, app, APPLICATION, PRINCIPAL, CREDENTIALS)


def test_an_application_without_a_credential_gets_one(house: AzureHouse) -> None:
    app = ByHand(house, "no credential")
    adopted(house, Stack(house, "no-credential"), app, APPLICATION, PRINCIPAL)
    assert (app.credential.issuer, app.credential.subject) == (ISSUER, WORKSPACE)


@pytest.mark.parametrize("with_principal", [False, True])
def test_a_restored_application_is_adopted_with_the_client_id_that_it_had(
    house: AzureHouse, with_principal: bool
) -> None:
    settings: dict[str, object] = {"on_destroy": "retain"}
    stack, calls = inhabited(house, f"restored-{int(with_principal)}", **settings)
    directory = house.subscription.tenant.directory
    application, principal = directory.application(calls.client_id), directory.principal(calls.client_id)
    assert application is not None
    assert principal is not None
    assert stack.run("destroy").code == 0
    calls.assert_retained()
    listed = az_rest(house, "--method GET --url https://graph.microsoft.com/v1.0/directory/deletedItems")
    (restorable,) = [one["id"] for one in listed["value"] if one["appId"] == calls.client_id]
    assert restorable == application.id
    for one in (application, principal)[: 1 + with_principal]:
        az_rest(house, "/restore", OBJECT_ID=one.id)
    stack.configure(calls=settings | {"adopt": True, "adopt_application": calls.client_id.upper()})
    done = stack.up()
    assert APPLICATION in done.changed["import"]
    assert (PRINCIPAL in done.changed["import"]) is with_principal
    assert (PRINCIPAL in done.changed["create"]) is not with_principal
    again = stack.destination("calls")
    assert again.client_id == calls.client_id
    stack.configure(calls=settings)
    assert stack.up().changed == {"update": {DESTINATION}}
    again.assert_lives()


def test_without_adoption_the_application_is_another_one(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "another", on_destroy="delete")
    assert stack.run("destroy").code == 0
    stack.up()
    assert stack.destination("calls").client_id != calls.client_id


def renamed(app: ByHand) -> None:
    app.application.display_name = "renamed"


def described(app: ByHand) -> None:
    app.application.said["description"] = "mine"


def let_others_sign_in(app: ByHand) -> None:
    app.application.said["signInAudience"] = "AzureADMultipleOrgs"


def noted(app: ByHand) -> None:
    app.application.said["notes"] = "mine"


def owned(app: ByHand) -> None:
    app.application.owners.append(OBSERVER)


def disabled(app: ByHand) -> None:
    app.principal.said["accountEnabled"] = False


def principal_owned(app: ByHand) -> None:
    app.principal.owners.append(OBSERVER)


def of_another_subject(app: ByHand) -> None:
    app.credential.subject = "w-other"


def of_another_name(app: ByHand) -> None:
    app.credential.name = "mine"


def of_another_name_and_subject(app: ByHand) -> None:
    app.credential.name, app.credential.subject = "mine", "w-other"


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (renamed, 'displayName is "renamed", and "renamed-calls" is asked for'),
        (described, 'description is "mine", and "The recording service writes to calls as this" is asked'),
        (let_others_sign_in, 'signInAudience is "AzureADMultipleOrgs", and "AzureADMyOrg" is asked for'),
        (noted, 'notes is "mine", and unset is asked for'),
        (owned, f'owners is ["{OBSERVER}"], and unset is asked for'),
        (disabled, "accountEnabled is false, and true is asked for"),
        (principal_owned, f'owners is ["{OBSERVER}"], and unset is asked for'),
        (of_another_subject, 'subject is "w-other", and "w-acme" is asked for'),
    ],
)
def test_an_application_that_differs_is_not_adopted_and_stays_as_it_is(
    house: AzureHouse, change: Callable[[ByHand], None], difference: str
) -> None:
    name = change.__name__.replace("_", "-")
    app, stack = ByHand(house, f"{name}-calls", with_credential=True), Stack(house, name)
    change(app)
    before = app.everything()
    stack.configure(calls=app.adopting | {"on_destroy": "retain"})  # protects nothing by itself
    for done in (stack.run("preview"), stack.try_up(), stack.try_up()):
        assert done.code != 0, done.text
        assert "adopt_application: it isn't as the configuration asks for, and stays as it is" in done.text
        assert difference in done.text
        assert app.everything() == before


@pytest.mark.parametrize("change", [of_another_name, of_another_name_and_subject])
def test_a_credential_that_would_be_made_anew_is_not_adopted_and_stays_as_it_is(
    house: AzureHouse, change: Callable[[ByHand], None]
) -> None:
    name = change.__name__.replace("_", "-")
    app, stack = ByHand(house, f"{name}-calls", with_credential=True), Stack(house, name)
    change(app)
    before = app.everything()
    stack.configure(calls=app.adopting | {"on_destroy": "retain"})
    preview = stack.run("preview")
    assert preview.code != 0
    assert "calls-federated-credential would have to be made anew" in preview.text
    for done in (stack.try_up(), stack.try_up()):
        assert done.code != 0
        assert "may not be replaced" in done.text
        assert app.everything() == before


def test_an_application_that_differs_is_adopted_once_it_is_mended(house: AzureHouse) -> None:
    app, stack = ByHand(house, "mended", with_credential=True), Stack(house, "mended")
    described(app)
    stack.configure(calls=app.adopting)
    assert stack.try_up().code != 0
    app.application.said["description"] = application_description("calls")
    done = stack.run("up", "--refresh")
    assert done.code == 0, done.text
    stack.destination("calls").assert_lives()


def test_what_is_not_there_is_not_adopted_and_once_it_is_there_it_is(house: AzureHouse) -> None:
    app, stack = ByHand(house, "early", with_credential=True), Stack(house, "early")
    house.graph.must("DELETE", f"{GRAPH}/applications/{app.application.id}")
    stack.configure(calls=app.adopting)
    for done in (stack.run("preview"), stack.try_up()):
        assert done.code != 0
        assert f"adopt_application: the application {app.application.app_id} can't be looked up" in done.text
        assert "applications found matching filter" in done.text
    house.graph.must("POST", f"{GRAPH}/directory/deletedItems/{app.application.id}/restore")
    stack.up()
    stack.destination("calls").assert_lives()


def test_a_credential_that_is_not_there_is_named(house: AzureHouse) -> None:
    app, stack = ByHand(house, "bare", with_credential=True), Stack(house, "bare")
    app.application.credentials.clear()
    before = app.everything()
    stack.configure(calls=app.adopting)
    done = stack.try_up()
    assert done.code != 0
    assert f"federatedIdentityCredential/{app.adopting['adopt_credential']}' does not exist" in done.text
    assert app.everything() == before


def test_a_credential_that_is_there_is_not_made_twice(house: AzureHouse) -> None:
    app, stack = ByHand(house, "twice", with_credential=True), Stack(house, "twice")
    before = app.everything()
    stack.configure(calls={name: one for name, one in app.adopting.items() if name != "adopt_credential"})
    done = stack.try_up()
    assert done.code != 0
    assert "recording-service already exists" in done.text
    assert app.everything() == before
    stack.configure(calls=app.adopting)
    stack.up()
    assert app.everything() == before
    stack.destination("calls").assert_lives()


@pytest.mark.parametrize("on_destroy", ["protect", "retain"])
def test_a_destination_with_another_application_adopts_none(house: AzureHouse, on_destroy: str) -> None:
    stack, calls = inhabited(house, f"had-{on_destroy}", on_destroy=on_destroy)
    app = ByHand(house, f"instead of {on_destroy}", with_credential=True)
    before = app.everything()
    stack.configure(calls=app.adopting | {"on_destroy": on_destroy})
    for done in (stack.run("preview"), stack.try_up()):
        assert done.code != 0
        assert f"this stack has the destination calls already, with {calls.client_id}" in done.text
        assert app.everything() == before
        calls.assert_lives()


def test_the_application_that_a_destination_has_may_be_named_again(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "same")
    stack.configure(calls={"adopt_application": calls.client_id})
    assert stack.up().changed == {"update": {DESTINATION}}
    calls.assert_lives()


def test_an_application_that_was_only_used_is_adopted(house: AzureHouse) -> None:
    app = ByHand(house, "used")
    stack, calls = inhabited(house, "used", application_client_id=app.application.app_id)
    stack.configure(calls=app.adopting)
    assert stack.up().changed == {"import": {APPLICATION, PRINCIPAL}, "update": {DESTINATION}}
    stack.configure(calls=app.settings)
    assert stack.up().changed == {"update": {DESTINATION}}
    calls.assert_lives()


def test_the_wrong_application_is_let_go_of_for_the_right_one(house: AzureHouse) -> None:
    wrong, right = ByHand(house, "chosen", with_credential=True), ByHand(house, "chosen")
    disabled(wrong)  # so that the application itself comes in, and no more
    before, stack = wrong.everything(), Stack(house, "chosen")
    stack.configure(calls=wrong.adopting | {"on_destroy": "retain"})
    assert stack.try_up().code != 0
    stack.configure(calls=right.adopting | {"on_destroy": "retain"})
    stack.up()
    assert wrong.everything() == before
    stack.destination("calls").assert_lives()


def test_a_destination_gives_no_storage_up_to_adopt_another(house: AzureHouse) -> None:
    stack, calls = inhabited(house, "storage", on_destroy="delete")
    own = {"storage_account": calls.account, "resource_group": calls.group, "adopt": True}
    for other in ({"storage_account": "acmeelse"}, {"resource_group": "else"}, {"container": "else"}):
        stack.configure(calls=own | other)
        for done in (stack.run("preview"), stack.try_up()):
            assert done.code != 0
            assert "this stack has the destination calls already" in done.text
    stack.configure(calls=own)
    assert stack.up().changed == {"update": {DESTINATION}}
    calls.assert_lives()
