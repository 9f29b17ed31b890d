"""Who may do what with blobs: each refusal beside what differs in one thing only and is allowed."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from blob_cloud import NAMES, SUBSCRIPTION, Holder, code_of

from recording_storage.sandbox.azure import roles
from recording_storage.sandbox.azure.blob_operations import ADD, understood
from recording_storage.sandbox.azure.blob_signature import string_to_sign
from recording_storage.sandbox.azure.directory import Application
from recording_storage.sandbox.azure.principals import Principal
from recording_storage.sandbox.azure.world import Key, RoleAssignment, Vault
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import Request, Undecided

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob import ContainerClient
    from blob_cloud import BlobCloud

CONTRIBUTOR, READER, OWNER = (f"Storage Blob Data {one}" for one in ("Contributor", "Reader", "Owner"))
MISMATCH, FAILURE = "AuthorizationPermissionMismatch", "AuthorizationFailure"
FAILED, NOT_BELIEVED = "AuthenticationFailed", "InvalidAuthenticationInfo"
NEW, OLD = "2025-11-05", "2019-07-07"


WAYS: dict[str, Callable[[ContainerClient], object]] = {
    "read": lambda it: it.get_blob_client("a").download_blob().readall(),
    "write": lambda it: it.upload_blob("b", b"b", overwrite=True),
    "delete": lambda it: it.delete_blob("a"),
    "list": lambda it: list(it.list_blobs()),
    "properties": lambda it: it.get_container_properties(),
    "metadata": lambda it: it.set_container_metadata({"a": "b"}),
    "tags": lambda it: it.get_blob_client("a").get_blob_tags(),
}


@pytest.mark.parametrize(
    ("role", "permitted"),
    [
        (OWNER, {"read", "write", "delete", "list", "properties", "metadata", "tags"}),
        (CONTRIBUTOR, {"read", "write", "delete", "list", "properties", "metadata"}),
        (READER, {"read", "list", "properties"}),
        ("Owner", {"properties", "metadata"}),
        ("Reader", {"properties"}),
        ("Storage Account Contributor", {"properties", "metadata"}),
        ("Storage Blob Delegator", set[str]()),
    ],
)
def test_a_role_permits_what_it_has(blobs: BlobCloud, role: str, permitted: set[str]) -> None:
    box = blobs.container()
    blobs.owner(box).upload_blob("a", b"a")
    who = blobs.of_container(box, blobs.principal((role, box.id)))
    last = sorted(WAYS, key="delete".__eq__)
    refused = {name: code_of(lambda way=WAYS[name]: way(who)) for name in last}
    assert refused == {name: "" if name in permitted else MISMATCH for name in WAYS}


@pytest.mark.parametrize("at", ["container", "account", "group", "subscription"])
def test_a_role_is_good_at_its_scope_and_below(blobs: BlobCloud, at: str) -> None:
    box = blobs.container()
    account = box.account
    scopes = {
        "container": box.id,
        "account": account.id.upper(),
        "group": blobs.group.id,
        "subscription": f"/subscriptions/{SUBSCRIPTION}",
    }
    who = blobs.principal((CONTRIBUTOR, scopes[at]))
    other, elsewhere = blobs.container(account), blobs.container()
    found = [
        code_of(lambda one=one: blobs.of_container(one, who).upload_blob("a", b"a"))
        for one in (box, other, elsewhere)
    ]
    assert (
        found
        == {
            "container": ["", MISMATCH, MISMATCH],
            "account": ["", "", MISMATCH],
            "group": ["", "", ""],
            "subscription": ["", "", ""],
        }[at]
    )
    assert code_of(lambda: blobs.client(account, who).create_container(f"made-{next(NAMES)}")) == (
        MISMATCH if at == "container" else ""
    )


def test_a_role_is_the_service_principals_own(blobs: BlobCloud) -> None:
    box, who = blobs.container(), blobs.principal()
    made = blobs.tenant.directory.add_application(Application("writer", blobs.world.now(), app_id=who.app_id))
    for mistaken in (made.id, who.app_id):
        granted = RoleAssignment(box.id, roles.BLOB_CONTRIBUTOR, mistaken)
        blobs.world.assignments.append(granted)
        with blobs.refused("and not"):
            assert code_of(lambda: WAYS["write"](blobs.of_container(box, who))) == MISMATCH
    blobs.world.assignments.append(RoleAssignment(box.id, roles.BLOB_CONTRIBUTOR, who.object_id))
    assert code_of(lambda: WAYS["write"](blobs.of_container(box, who))) == ""


def test_who_may_only_add_may_not_overwrite(blobs: BlobCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    adder = roles.Role("adder", "Adder", "", data_actions=(ADD,))
    monkeypatch.setattr(roles, "find", lambda one: adder if one == "adder" else None)  # pyright: ignore
    box, who = blobs.container(), blobs.principal()
    blobs.world.assignments.append(RoleAssignment(box.id, "adder", who.object_id))
    it = blobs.of_container(box, who)
    assert code_of(lambda: it.upload_blob("a", b"a")) == ""
    assert code_of(lambda: it.upload_blob("a", b"a", overwrite=True)) == MISMATCH
    assert code_of(lambda: it.upload_blob("b", b"b")) == ""
    blobs.world.assignments.pop()


# Tokens


@pytest.mark.parametrize(
    ("changed", "code", "because"),
    [
        ({}, "", ""),
        ({"audience": "https://storage.azure.com/"}, "", ""),
        ({"audience": "https://{account}.blob.core.windows.net"}, "", ""),
        ({"audience": "https://other.blob.core.windows.net"}, NOT_BELIEVED, "is for https://other"),
        ({"audience": "https://management.azure.com"}, NOT_BELIEVED, "is for https://management"),
        ({"lifetime": timedelta(seconds=-1)}, NOT_BELIEVED, "has expired"),
        ({"tid": "aaaaaaaa-0000-4000-8000-000000000009"}, NOT_BELIEVED, "of the tenant"),
    ],
)
def test_a_token_is_for_storage_and_of_the_accounts_tenant(
    blobs: BlobCloud, changed: dict[str, Any], code: str, because: str
) -> None:
    box = blobs.container()
    who = blobs.principal((CONTRIBUTOR, box.id))
    audience = changed.pop("audience", "https://storage.azure.com").format(account=box.account.name)
    it = blobs.of_container(box, Holder(blobs.token(who, audience, **changed)))
    if not code:
        assert code_of(lambda: WAYS["write"](it)) == ""
        return
    with blobs.refused(because):
        assert code_of(lambda: WAYS["write"](it)) == code


def test_a_token_is_signed(blobs: BlobCloud) -> None:
    box = blobs.container()
    good = blobs.token(blobs.principal((CONTRIBUTOR, box.id)))
    head, body, _ = good.split(".")
    url = f"https://{box.account.name}.blob.core.windows.net/{box.name}?restype=container"
    assert blobs.call("GET", url, good).status_code == 200
    for forged in (f"{head}.{body}.{secrets.token_urlsafe(342)}", "nothing", f"{head}.{body}."):
        answer = blobs.call("GET", url, forged)
        assert (answer.status_code, answer.headers["x-ms-error-code"]) == (401, NOT_BELIEVED)
        assert f"login.microsoftonline.com/{blobs.tenant.id}/" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("version", "scheme", "status", "detail"),
    [
        (NEW, "https", 200, ""),
        ("2017-11-09", "https", 200, ""),
        ("2017-07-29", "https", 403, "not supported in this version"),
        ("", "https", 403, "not supported in this version"),
        (NEW, "http", 403, "not allowed with HTTP"),
        ("latest", "https", 400, ""),
    ],
)
def test_a_token_needs_a_version_and_a_secure_transport(
    blobs: BlobCloud, version: str, scheme: str, status: int, detail: str
) -> None:
    box = blobs.container(blobs.account(supportsHttpsTrafficOnly=False))
    token = blobs.token(blobs.principal((CONTRIBUTOR, box.id)))
    url = f"{scheme}://{box.account.name}.blob.core.windows.net/{box.name}?restype=container"
    answer = blobs.call("GET", url, token, headers={"x-ms-version": version or None})
    assert (answer.status_code, detail in answer.text) == (status, True)


# Transport, network, and hosts


@pytest.mark.parametrize("only_https", [True, False])
def test_plain_http_is_refused_where_https_is_required(blobs: BlobCloud, only_https: bool) -> None:
    box = blobs.container(
        blobs.account(supportsHttpsTrafficOnly=only_https, allowBlobPublicAccess=True), publicAccess="Blob"
    )
    blobs.owner(box).upload_blob("a", b"a")
    path = f"://{box.account.name}.blob.core.windows.net/{box.name}/a"
    assert blobs.call("GET", "https" + path).status_code == 200
    answer = blobs.call("GET", "http" + path)
    assert answer.headers.get("x-ms-error-code") == ("AccountRequiresHttps" if only_https else None)
    assert answer.status_code == (400 if only_https else 200)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, ""),
        ({"publicNetworkAccess": "Enabled"}, ""),
        ({"publicNetworkAccess": "Disabled"}, FAILURE),
        ({"networkAcls": {"defaultAction": "Allow"}}, ""),
        ({"networkAcls": {"defaultAction": "Deny"}}, FAILURE),
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices", "ipRules": []}}, FAILURE),
    ],
)
def test_the_firewall_refuses_whoever_asks(blobs: BlobCloud, said: dict[str, Any], code: str) -> None:
    box = blobs.container(blobs.account(**said))
    assert code_of(lambda: WAYS["write"](blobs.writer(box))) == code
    assert code_of(lambda: WAYS["write"](blobs.of_container(box, box.account.keys["key1"]))) == code


@pytest.mark.parametrize(
    "said",
    [
        {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7"}]}},
        {"publicNetworkAccess": "SecuredByPerimeter"},
    ],
)
def test_where_a_caller_is_cannot_be_known(blobs: BlobCloud, said: dict[str, Any]) -> None:
    box = blobs.container(blobs.account(**said))
    request = Request("GET", "https", f"{box.account.name}.blob.core.windows.net", f"/{box.name}/a", [], {})
    with pytest.raises(Undecided):
        blobs.blob.answer(request)


def test_an_account_that_is_not_there_has_no_host(blobs: BlobCloud) -> None:
    host = f"{blobs.account().name}.blob.core.windows.net"
    assert blobs.blob.knows(host)
    assert not blobs.blob.knows(f"other{host}")
    with pytest.raises(requests.exceptions.ProxyError):
        blobs.call("GET", f"https://other{host}/a/b")
    answer = blobs.blob.answer(Request("GET", "https", f"other{host}", "/a/b", [], {}))
    assert (answer.status, dict(answer.headers)["x-ms-error-code"]) == (400, "InvalidUri")


def test_a_refusal_is_told_as_azure_tells_it(blobs: BlobCloud) -> None:
    box, who = blobs.container(), blobs.principal()
    url = f"https://{box.account.name}.blob.core.windows.net/{box.name}/a"
    answer = blobs.call("GET", url, blobs.token(who), headers={"x-ms-client-request-id": "mine"})
    named = answer.headers["x-ms-request-id"]
    assert answer.status_code == 403
    assert answer.text.startswith(
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{MISMATCH}</Code><Message>This request is not '
        f"authorized to perform this operation using this permission.\nRequestId:{named}\nTime:20"
    )
    assert {
        name: answer.headers[name] for name in ("x-ms-error-code", "x-ms-version", "x-ms-client-request-id")
    } == {
        "x-ms-error-code": MISMATCH,
        "x-ms-version": NEW,
        "x-ms-client-request-id": "mine",
    }
    entry = blobs.journal.since()[-1]
    assert (entry.outcome, entry.what.rpartition("/")[2], entry.resource) == (Outcome.REFUSED, "read", box.id)


# Keys


def test_a_key_opens_everything_where_keys_are_allowed(blobs: BlobCloud) -> None:
    account = blobs.account()
    box = blobs.container(account)
    for title in ("key1", "key2"):
        it = blobs.of_container(box, account.keys[title])
        assert (
            code_of(
                lambda it=it: it.upload_blob("ü a", b"a", overwrite=True, metadata={"b": "c", "a": "d  e"})
            )
            == ""
        )
        assert [one.name for one in it.list_blobs(name_starts_with="ü")] == ["ü a"]
    with blobs.refused("isn't signed with a key of"):
        assert code_of(lambda: WAYS["read"](blobs.of_container(box, blobs.account().keys["key1"]))) == FAILED
    account.properties["allowSharedKeyAccess"] = False
    with blobs.refused("doesn't allow access with its keys"):
        it = blobs.of_container(box, account.keys["key1"])
        assert code_of(lambda: WAYS["list"](it)) == "KeyBasedAuthenticationNotPermitted"
    account.properties["allowSharedKeyAccess"] = True
    assert code_of(lambda: WAYS["list"](blobs.of_container(box, account.keys["key1"]))) == ""
    with blobs.later(timedelta(minutes=16)), blobs.refused("date header too old"):
        assert code_of(lambda: WAYS["list"](blobs.of_container(box, account.keys["key1"]))) == FAILED


def test_what_is_signed_is_what_the_documentation_says() -> None:
    headers = {
        "x-ms-date": "Fri, 26 Jun 2015 23:39:12 GMT",
        "x-ms-version": "2015-02-21",
        "content-length": "0",
        "user-agent": "x",
    }
    query = [("timeout", "20"), ("restype", "container"), ("comp", "metadata")]
    # https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key, its example
    assert string_to_sign("GET", "/myaccount/mycontainer", query, headers) == (
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
        "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
    )


# Anybody


@pytest.mark.parametrize(
    ("allowed", "level", "version", "read", "listed"),
    [
        (False, "Container", NEW, "PublicAccessNotPermitted", "PublicAccessNotPermitted"),
        (False, "Container", OLD, "PublicAccessNotPermitted", "PublicAccessNotPermitted"),
        (True, "None", NEW, "NoAuthenticationInformation", "NoAuthenticationInformation"),
        (True, "None", OLD, "ResourceNotFound", "ResourceNotFound"),
        (True, "Blob", NEW, "", "NoAuthenticationInformation"),
        (True, "Blob", OLD, "", "ResourceNotFound"),
        (True, "Container", NEW, "", ""),
    ],
)
def test_anybody_may_read_what_account_and_container_open(
    blobs: BlobCloud, allowed: bool, level: str, version: str, read: str, listed: str
) -> None:
    box = blobs.container(blobs.account(allowBlobPublicAccess=allowed), publicAccess=level)
    blobs.owner(box).upload_blob("a", b"a")
    it = blobs.of_container(box, api_version=version)
    assert code_of(lambda: WAYS["read"](it)) == read
    assert code_of(lambda: WAYS["list"](it)) == listed
    for way in ("write", "delete"):
        assert code_of(lambda way=way: WAYS[way](it)) != ""


def test_nobody_learns_whether_a_private_container_exists(blobs: BlobCloud) -> None:
    account = blobs.account(allowBlobPublicAccess=True)
    private = blobs.container(account)
    for name in (private.name, "nothing"):
        it = blobs.client(account).get_container_client(name)
        assert code_of(lambda it=it: WAYS["read"](it)) == "NoAuthenticationInformation"
    who = blobs.principal((CONTRIBUTOR, account.id))
    assert (
        code_of(lambda: WAYS["read"](blobs.client(account, who).get_container_client("nothing")))
        == "ContainerNotFound"
    )
    assert code_of(lambda: WAYS["read"](blobs.of_container(private, who))) == "BlobNotFound"


# A customer's key


def test_a_customers_key_must_be_usable(blobs: BlobCloud) -> None:
    vault = Vault(blobs.group, f"vault{next(NAMES)}", "westeurope", blobs.world.now())
    vault.properties |= {"enableRbacAuthorization": True, "enablePurgeProtection": True}
    blobs.group.resources[vault.id.lower()] = vault
    key = vault.keys["recordings"] = Key(vault, "recordings", blobs.world.now())
    keeper = blobs.principal(("Key Vault Crypto Service Encryption User", key.id))
    named = {"keyname": "recordings", "keyvaulturi": f"https://{vault.name}.vault.azure.net"}
    account = blobs.account(encryption={"keySource": "Microsoft.Keyvault", "keyvaultproperties": named})
    account.identity = {"type": "SystemAssigned", "principalId": keeper.object_id}
    box = blobs.container(account)
    it = blobs.writer(box)
    assert [code_of(lambda way=WAYS[way]: way(it)) for way in ("write", "list")] == ["", ""]
    key.properties["attributes"] = {"enabled": False}
    with blobs.refused("is disabled"):
        assert code_of(lambda: WAYS["write"](it)) == "KeyVaultEncryptionKeyNotFound"
    assert code_of(lambda: it.get_blob_client("b").download_blob()) == "KeyVaultEncryptionKeyNotFound"
    assert code_of(lambda: WAYS["list"](it)) == ""
    assert code_of(lambda: list(it.list_blobs(include=["metadata"]))) == "KeyVaultEncryptionKeyNotFound"
    assert code_of(lambda: it.delete_blob("b")) == ""
    key.properties["attributes"] = {"enabled": True}
    assert code_of(lambda: WAYS["write"](it)) == ""
    blobs.world.remove_assignments(key.id)
    assert code_of(lambda: WAYS["write"](it)) == "KeyVaultEncryptionKeyNotFound"


# What can't be judged


@pytest.mark.parametrize(
    ("method", "path", "query", "headers"),
    [
        ("POST", "/", [("comp", "batch")], {}),
        ("POST", "/c/b", [("comp", "query")], {}),
        ("GET", "/c", [("restype", "container"), ("comp", "blobs")], {}),
        ("PUT", "/c", [("restype", "container"), ("comp", "lease")], {}),
        ("PUT", "/c/b", [("comp", "expiry")], {}),
        ("PUT", "/c/b", [("comp", "block")], {"x-ms-copy-source": "https://a/b"}),
        ("PUT", "/c/b", [], {"x-ms-copy-source": "https://a/b", "x-ms-blob-type": "BlockBlob"}),
        ("GET", "/c/b", [("versionid", "a"), ("snapshot", "b")], {}),
        ("GET", "/c/b/../d", [], {}),
        ("GET", "/c/b%5Cd", [], {}),
    ],
)
def test_what_is_not_stood_in_for_is_undecided(
    blobs: BlobCloud, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    host = f"{blobs.account().name}.blob.core.windows.net"
    with pytest.raises(Undecided):
        understood(Request(method, "https", host, path.replace("/c", "/calls"), query, headers), blobs.world)


def test_a_signature_of_another_kind_is_undecided(blobs: BlobCloud) -> None:
    box = blobs.container()
    host, path = f"{box.account.name}.blob.core.windows.net", f"/{box.name}/a"
    headers = {"authorization": "SharedKeyLite a:b"}
    with pytest.raises(Undecided, match="Lite"):
        blobs.blob.answer(Request("GET", "https", host, path, [], headers))
    answer = blobs.blob.answer(Request("GET", "https", host, path, [], {"authorization": "Basic a"}))
    assert dict(answer.headers)["x-ms-error-code"] == FAILED


def test_who_asks_is_named_in_the_journal(blobs: BlobCloud) -> None:
    box = blobs.container()
    who = blobs.principal((CONTRIBUTOR, box.id))
    assert isinstance(who, Principal)
    WAYS["write"](blobs.of_container(box, who))
    assert blobs.journal.since()[-1].who == str(who)
    WAYS["write"](blobs.of_container(box, box.account.keys["key2"]))
    assert blobs.journal.since()[-1].who == f"key2 of {box.account.name}"
