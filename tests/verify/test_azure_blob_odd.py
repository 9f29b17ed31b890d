"""What no owner can bring about: Azure's own lists that disagree, throttling, pages, odd forms, errors of its own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox.azure import occasion
from recording_storage.sandbox.azure.directory import ServicePrincipal
from tests.support.azure_blob_owner import BLOBS, CONTRIBUTOR, ISSUER, AzureBlobOwner
from tests.support.harmless_azure_blob import through_a_group
from tests.support.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    Answer = tuple[int, Any] | None

TENANT, SUBSCRIPTION = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
CALLS: dict[str, Any] = {
    "provider": "azure_blob",
    "tenant": TENANT,
    "subscription": SUBSCRIPTION,
    "location": "westeurope",
    "workspace_id": "w-acme",
}
KEY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/acme-keys/keys/recordings"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("project") / "project"
    with Live(folder, {"destinations": {"calls": CALLS, "coded": CALLS | {"key_vault_key": KEY}}}) as live:
        yield live


@pytest.fixture(scope="module")
def owner(live: Live) -> AzureBlobOwner:
    return AzureBlobOwner(live, "calls")


@contextmanager
def answering(live: Live, part: str, answer: Callable[[str, Any], Answer]) -> Generator[None]:
    """In the place of Azure, where an address has this part: `answer` gets its query, and what Azure says."""
    azure = live.sandbox.azure
    gate = azure.gate

    def instead(environ: Any, start_response: Any) -> Any:
        address = f"{environ['HTTP_HOST']}{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
        if part not in address:
            return gate(environ, start_response)
        said: list[Any] = []

        def keep(*answered: Any) -> Any:
            said.append(answered)

        body = b"".join(gate(environ, keep))
        found = answer(address, json.loads(body) if body else None)
        if found is None:
            start_response(*said[0])
            return [body]
        headers = [("Content-Type", "application/json"), ("Retry-After", "0")]
        start_response(f"{found[0]} {'OK' if found[0] == 200 else 'Error'}", headers)
        return [json.dumps(found[1]).encode()]

    azure.gate = instead
    try:
        yield
    finally:
        azure.gate = gate


def results(live: Live, name: str = "calls") -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in live.verify(live.target(name)) if one["status"] != "pass"}


def troubles(live: Live, name: str = "calls") -> dict[str, str]:
    return {id_: one["status"] for id_, one in results(live, name).items()}


# Lists that disagree


def test_an_effective_list_that_knows_of_nothing_is_said_to_disagree(live: Live) -> None:
    with answering(live, "assignedTo", lambda _, __: (200, {"value": []})):
        found = results(live)
    assert {id_: one["status"] for id_, one in found.items()} == {"Z6": "unknown"}
    assert "doesn't permit it, the assignments and groups themselves permits it" in found["Z6"]["evidence"]


def test_an_effective_list_that_knows_of_more_is_said_to_disagree(live: Live, owner: AzureBlobOwner) -> None:
    held = owner.assignments()
    back = owner.unassign()
    try:
        with answering(live, "assignedTo", lambda _, __: (200, {"value": held})):
            assert troubles(live) == {"Z6": "unknown"}
    finally:
        back()


def test_without_the_groups_the_effective_list_decides(live: Live, owner: AzureBlobOwner) -> None:
    back = through_a_group(owner)
    refused = {"error": {"code": "Authorization_RequestDenied", "message": "no"}}
    try:
        with answering(live, "transitiveMemberOf", lambda _, __: (403, refused)):
            assert troubles(live) == {}
    finally:
        back()


def test_a_role_that_is_gone_is_undecided(live: Live) -> None:
    gone = {"error": {"code": "RoleDefinitionDoesNotExist", "message": "gone"}}
    with answering(live, "roleDefinitions", lambda _, __: (404, gone)):
        assert troubles(live) == {"Z6": "unknown"}


def test_a_role_from_a_management_group_reaches_further(live: Live) -> None:
    scope = "/providers/Microsoft.Management/managementGroups/acme"

    def moved(_: str, said: Any) -> Answer:
        for one in said["value"]:
            if "/containers/" in one["properties"]["scope"]:
                one["properties"]["scope"] = scope
        return 200, said

    with answering(live, "roleAssignments", moved):
        found = results(live)
    assert {id_: one["status"] for id_, one in found.items()} == {"Z12": "fail"}
    assert scope in found["Z12"]["evidence"]


def test_an_old_assignment_isnt_said_to_be_new(live: Live) -> None:
    def evidence() -> str:
        (found,) = live.verify(live.target("calls"), only=["Z6"])
        return found["evidence"]

    assert "takes up to 10 to be known everywhere" in evidence()
    old = "2026-01-01T00:00:00.0000000Z"

    def aged(_: str, said: Any) -> Answer:
        for one in said["value"]:
            one["properties"]["createdOn"] = old
        return 200, said

    with answering(live, "roleAssignments", aged):
        assert "known everywhere" not in evidence()


# Errors, pages, forms


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_throttled_is_asked_again(live: Live, status: int) -> None:
    turns: dict[str, int] = {}

    def throttled(address: str, _: Any) -> Answer:
        turns[address] = turns.get(address, 0) + 1
        return (
            (status, {"error": {"code": "TooManyRequests", "message": "later"}})
            if turns[address] < 3
            else None
        )

    with answering(live, "Microsoft.Storage", throttled), answering(live, "/v1.0/", throttled):
        assert troubles(live) == {}
    assert min(turns.values()) == 3


def test_what_fails_for_good_is_undecided(live: Live) -> None:
    failing = {"error": {"code": "InternalServerError", "message": "sorry"}}
    with answering(live, "managementPolicies", lambda _, __: (500, failing)):
        found = results(live)
    assert {id_: one["status"] for id_, one in found.items()} == {"Z17": "unknown"}
    assert "InternalServerError: sorry" in found["Z17"]["evidence"]


def test_an_answer_that_isnt_json_is_undecided(live: Live) -> None:
    with answering(live, "managementPolicies", lambda _, __: (403, "a proxy's own page")):
        assert troubles(live) == {"Z17": "unknown"}


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("storageAccounts?", "nextLink"),
        ("roleAssignments?", "nextLink"),
        ("federatedIdentityCredentials", "@odata.nextLink"),
    ],
)
def test_lists_go_on_over_pages(live: Live, owner: AzureBlobOwner, part: str, name: str) -> None:
    """The first page has nothing, and each of the others one entry."""
    back = owner.assign(CONTRIBUTOR, principal=OTHER)  # somebody else's

    def paged(address: str, said: Any) -> Answer:
        entries, at = said["value"], int(address.rpartition("$page=")[2] or 0) if "$page=" in address else 0
        link = f"https://{address.partition('&$page=')[0]}{'' if '&' in address or '=' in address else 'x=1'}"
        more = {name: f"{link}&$page={at + 1}"} if at < len(entries) else {}
        return 200, {"value": entries[max(at - 1, 0) : at], **more}

    try:
        with answering(live, part, paged):
            assert troubles(live) == {}
    finally:
        back()


def test_a_page_elsewhere_isnt_shown_the_token(live: Live) -> None:
    link: dict[str, Any] = {"value": [], "nextLink": "https://elsewhere.example.com/next"}
    with answering(live, "denyAssignments", lambda _, __: (200, link)):
        found = results(live)
    assert {id_: one["status"] for id_, one in found.items()} == {"Z6": "unknown"}
    assert "isn't shown" in found["Z6"]["evidence"]


def test_an_expression_in_the_place_of_a_subject(live: Live) -> None:
    def flexible(_: str, said: Any) -> Answer:
        more = {
            "name": "flexible",
            "issuer": ISSUER,
            "subject": None,
            "audiences": ["api://AzureADTokenExchange"],
            "claimsMatchingExpression": {"value": "claims['sub'] matches 'w-*'", "languageVersion": 1},
        }
        return 200, said | {"value": [*said["value"], more]}

    with answering(live, "federatedIdentityCredentials", flexible):
        assert troubles(live) == {"Z4": "fail", "Z13": "fail"}


def test_an_account_of_which_little_is_said(live: Live) -> None:
    """Older accounts don't show what was never set."""

    def old(_: str, said: Any) -> Answer:
        for one in said["value"]:
            for name in (
                "allowBlobPublicAccess",
                "allowSharedKeyAccess",
                "minimumTlsVersion",
                "networkAcls",
                "encryption",
            ):
                one["properties"].pop(name, None)
        return 200, said

    with answering(live, "storageAccounts?", old):
        found = results(live)
    assert {id_: one["status"] for id_, one in found.items()} == {"Z15": "warn"}
    for what in ("allowBlobPublicAccess", "allowSharedKeyAccess", "minimumTlsVersion not set"):
        assert what in found["Z15"]["evidence"]


# Who else there may be


def test_an_application_of_another_tenant_cant_be_told_of(live: Live, owner: AzureBlobOwner) -> None:
    world = live.sandbox.azure.world
    directory = world.tenants[TENANT].directory
    foreign = ServicePrincipal(OTHER, "foreign", world.now(), said={"appOwnerOrganizationId": "elsewhere"})
    directory.add_principal(foreign)
    storage = {**live.target("calls").recording_storage, "client_id": OTHER}
    found = live.verify(replace(live.target("calls"), recording_storage=storage))
    directory.all_principals.pop(foreign.id)
    statuses = {one["id"]: one["status"] for one in found if one["status"] != "pass"}
    assert statuses == {**dict.fromkeys(("Z1", "Z2", "Z4", "Z11", "Z13"), "unknown"), "Z6": "fail"}
    assert any("registered in another tenant" in one["evidence"] for one in found)
    assert owner.client_id != OTHER


def test_a_subscription_that_trusts_another_tenant(live: Live) -> None:
    def delegated(_: str, said: Any) -> Answer:
        for one in said["value"]:
            one["tenantId"] = OTHER
        return 200, said

    with answering(live, "management.azure.com/subscriptions?", delegated):
        assert troubles(live) == {"Z10": "fail"}


# Keys


@pytest.mark.parametrize(
    ("permissions", "ended"),
    [
        (["get", "wrapKey", "unwrapKey"], {}),
        (["Get", "WrapKey", "UnwrapKey", "List"], {}),
        (["all"], {}),
        (["get", "wrapKey"], {"Z16": "fail"}),
        ([], {"Z16": "fail"}),
    ],
)
def test_a_vault_with_access_policies(live: Live, permissions: list[str], ended: dict[str, str]) -> None:
    coded = AzureBlobOwner(live, "coded")
    (identity,) = coded.get(coded.account)["identity"]["userAssignedIdentities"].values()
    policy = {"objectId": identity["principalId"], "permissions": {"keys": permissions}}

    def by_policies(_: str, said: Any) -> Answer:
        for one in said["value"]:
            one["properties"] |= {"enableRbacAuthorization": False, "accessPolicies": [policy]}
        return 200, said

    with answering(live, "Microsoft.KeyVault/vaults?", by_policies):
        assert troubles(live, "coded") == ended


def test_a_vault_that_isnt_seen(live: Live) -> None:
    with answering(live, "Microsoft.KeyVault/vaults?", lambda _, __: (200, {"value": []})):
        assert troubles(live, "coded") == {"Z16": "unknown"}


def test_a_container_with_an_encryption_scope_of_its_own(live: Live) -> None:
    def scoped(_: str, said: Any) -> Answer:
        said["properties"]["defaultEncryptionScope"] = "calls-scope"
        return 200, said

    with answering(live, "/containers/recordings?", scoped):
        assert troubles(live) == {"Z16": "unknown"}


# The issuer


@pytest.mark.parametrize(("status", "ended"), [(404, "fail"), (503, "unknown"), (200, "fail")])
def test_an_issuer_without_a_document(
    live: Live, monkeypatch: pytest.MonkeyPatch, status: int, ended: str
) -> None:
    issuers = live.sandbox.issuers

    def answer(_: object, __: object) -> tuple[str, str]:
        return f"{status} Said", "nothing"

    monkeypatch.setattr(type(issuers), "_answer", answer)
    assert troubles(live) == {"Z3": ended}


def test_who_a_deny_assignment_for_a_group_is_for(live: Live, owner: AzureBlobOwner) -> None:
    refused = {"error": {"code": "Authorization_RequestDenied", "message": "no"}}
    made = occasion.deny(owner.world, "no-writing", owner.account, (OTHER, "Group"), f"{BLOBS}/*")
    try:
        assert troubles(live) == {}
        with answering(live, "transitiveMemberOf", lambda _, __: (403, refused)):
            assert troubles(live) == {"Z6": "unknown"}
    finally:
        owner.world.denials.remove(made)
