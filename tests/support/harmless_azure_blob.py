"""Differences of a destination on Azure that harm nobody: nothing may fail, and nothing be left undecided."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure import occasion
from tests.support.azure_blob_owner import (
    AUDIENCE,
    BLOBS,
    CONTRIBUTOR,
    ISSUER,
    READER,
    AzureBlobOwner,
    undone,
)
from tests.support.broken_azure_blob import (
    CONDITION,
    CURRENT,
    KEYS_VAULT,
    custom,
    denied,
    no_credential,
    other_container,
    rule,
)
from tests.support.catalogue import Variation

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.azure_blob_owner import Undo

BLOB_OWNER, KEY_ADMINISTRATOR = (
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",
)


def harmless(
    name: str, change: Callable[[AzureBlobOwner], Undo], warns: str = ""
) -> Variation[AzureBlobOwner]:
    return Variation(name, change, frozenset(warns.split()))


def through_a_group(owner: AzureBlobOwner) -> Undo:
    group, gone = owner.group(owner.principal_id)
    return undone(owner.unassign(), gone, owner.assign(CONTRIBUTOR, principal=group, kind="Group"))


def through_a_group_in_a_group(owner: AzureBlobOwner) -> Undo:
    inner, inner_gone = owner.group(owner.principal_id)
    outer, outer_gone = owner.group(inner)
    assigned = owner.assign(CONTRIBUTOR, principal=outer, kind="Group")
    return undone(owner.unassign(), inner_gone, outer_gone, assigned)


def as_blob_owner(owner: AzureBlobOwner) -> Undo:
    return undone(owner.unassign(), owner.assign(BLOB_OWNER))


def shouted(owner: AzureBlobOwner) -> Undo:
    scope = owner.container.replace("/resourceGroups/", "/RESOURCEGROUPS/").replace(
        "blobServices", "BLOBSERVICES"
    )
    return undone(owner.unassign(), owner.assign(CONTRIBUTOR, scope=scope))


def twice(owner: AzureBlobOwner) -> Undo:
    """A reader's role beside, and one with a condition: the plain one decides."""
    with_condition = owner.assign(BLOB_OWNER, condition=CONDITION, conditionVersion="2.0")
    return undone(owner.assign(READER), with_condition)


def others(owner: AzureBlobOwner) -> Undo:
    """Another application, with roles and federated credentials of its own, and a secret."""
    client, principal, gone = owner.other_application()
    path = f"/applications(appId='{client}')"
    said = {"name": "pipeline", "issuer": ISSUER, "subject": "w-other", "audiences": [AUDIENCE]}
    owner.graph("POST", f"{path}/federatedIdentityCredentials", said)
    owner.graph("POST", f"{path}/addPassword", {})
    return undone(
        gone,
        owner.assign(READER, principal=principal),
        owner.assign(CONTRIBUTOR, scope=owner.account, principal=principal),
        owner.assign(READER, scope=f"/subscriptions/{owner.subscription}", principal=principal),
    )


def a_group_of_readers(owner: AzureBlobOwner) -> Undo:
    group, gone = owner.group()
    return undone(gone, owner.assign(READER, scope=owner.account, principal=group, kind="Group"))


def readers_with_a_condition(owner: AzureBlobOwner) -> Undo:
    _, principal, gone = owner.other_application()
    said = {"condition": CONDITION, "conditionVersion": "2.0"}
    return undone(gone, owner.assign(CONTRIBUTOR, principal=principal, **said))


def denied_to_others(owner: AzureBlobOwner) -> Undo:
    _, principal, gone = owner.other_application()
    return undone(gone, denied(principal)(owner))


def denied_something_else(owner: AzureBlobOwner) -> Undo:
    whom = (owner.principal_id, "ServicePrincipal")
    made = occasion.deny(owner.world, "no-moving", owner.account, whom, f"{BLOBS}/move/action")
    return lambda: owner.world.denials.remove(made)


def another_container(owner: AzureBlobOwner) -> Undo:
    path = other_container(owner)
    return lambda: owner.call("DELETE", path)


def renamed(owner: AzureBlobOwner) -> Undo:
    """The application, and its credential, which is made anew for that."""
    gone = no_credential(owner)
    added = owner.add_credential("tavus-recordings", ISSUER, owner.workspace)
    before = owner.graph("GET", owner.application)["displayName"]
    owner.graph("PATCH", owner.application, {"displayName": "Recordings", "tags": ["team:voice"]})
    back: dict[str, Any] = {"displayName": before, "tags": []}
    return undone(gone, added, lambda: owner.graph("PATCH", owner.application, back))


def an_old_secret(owner: AzureBlobOwner) -> Undo:
    over = (datetime.now(timezone.utc) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    path, wanted = owner.application, {"passwordCredential": {"endDateTime": over}}
    key = owner.graph("POST", f"{path}/addPassword", wanted)["keyId"]
    return lambda: owner.graph("POST", f"{path}/removePassword", {"keyId": key})


def tagged(owner: AzureBlobOwner) -> Undo:
    before: dict[str, Any] = owner.get(owner.account).get("tags") or {}
    owner.call("PATCH", owner.account, {"tags": {"team": "voice"}})
    owner.call("PATCH", owner.container, {"properties": {"metadata": {"team": "voice"}}})
    return undone(
        lambda: owner.call("PATCH", owner.account, {"tags": before}),
        lambda: owner.call("PATCH", owner.container, {"properties": {"metadata": {}}}),
    )


def a_lifecycle(owner: AzureBlobOwner) -> Undo:
    versions = {"version": {"delete": {"daysAfterCreationGreaterThan": 30}}}
    cooled = {"baseBlob": {"tierToCool": {"daysAfterModificationGreaterThan": 7}}}
    return owner.put_policy(rule("current", CURRENT), rule("versions", versions), rule("cool", cooled))


def a_lifecycle_that_is_off(owner: AzureBlobOwner) -> Undo:
    return owner.put_policy(rule("current", CURRENT, enabled=False))


def rules_that_nobody_asks(owner: AzureBlobOwner) -> Undo:
    owner.patch_account(networkAcls={"defaultAction": "Allow", "ipRules": [{"value": "203.0.113.7"}]})
    back: dict[str, Any] = {"networkAcls": {"defaultAction": "Allow", "ipRules": []}}
    return lambda: owner.call("PATCH", owner.account, {"properties": back})


def a_new_version_of_the_key(owner: AzureBlobOwner) -> Undo:
    admitted = owner.assign(
        KEY_ADMINISTRATOR, scope=KEYS_VAULT.format(owner.subscription), principal=owner.own_id
    )
    url = "https://acme-keys.vault.azure.net/keys/recordings"
    expires = int((datetime.now(timezone.utc) + timedelta(days=365)).timestamp())
    owner.vault("POST", f"{url}/create", {"kty": "RSA", "attributes": {"enabled": True, "exp": expires}})
    return undone(admitted, lambda: owner.vault("PATCH", url, {"attributes": {"exp": None}}))


def a_vault_for_trusted_services(owner: AzureBlobOwner) -> Undo:
    path = KEYS_VAULT.format(owner.subscription)
    before = owner.get(path)["properties"]["networkAcls"]
    closed = {"networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices"}}
    owner.call("PATCH", path, {"properties": closed})
    return lambda: owner.call("PATCH", path, {"properties": {"networkAcls": before}})


VARIATIONS: tuple[Variation[AzureBlobOwner], ...] = (
    harmless("a custom role with a wildcard", custom(f"{BLOBS}/*")),
    harmless(
        "a custom role of single actions",
        custom(*(f"{BLOBS}/{one}" for one in ("read", "write", "delete", "add/action"))),
    ),
    harmless(
        "a custom role without what isn't needed",
        custom(f"{BLOBS}/*", without=(f"{BLOBS}/manageOwnership/action",)),
    ),
    harmless("the role through a group", through_a_group),
    harmless("the role through a group in a group", through_a_group_in_a_group),
    harmless("a wider built-in role on the container", as_blob_owner),
    harmless("a scope in another case", shouted),
    harmless("several roles on the container", twice),
    harmless("another application", others),
    harmless("a group of readers", a_group_of_readers),
    harmless("somebody else's role with a condition", readers_with_a_condition),
    harmless("a deny assignment for others", denied_to_others),
    harmless("a deny assignment of something else", denied_something_else),
    harmless("another container", another_container),
    harmless("other names", renamed),
    harmless("tags", tagged),
    harmless("a secret that is over", an_old_secret, "Z11"),
    harmless("a retention in several rules", a_lifecycle),
    harmless("a lifecycle that is off", a_lifecycle_that_is_off),
    harmless("addresses in a firewall that is off", rules_that_nobody_asks),
    harmless("another tier", lambda owner: owner.patch_account(accessTier="Cool")),
)
"""Of the destination with an application."""
KEY_VARIATIONS: tuple[Variation[AzureBlobOwner], ...] = (
    harmless("a new version of the key", a_new_version_of_the_key),
    harmless("a vault for trusted services only", a_vault_for_trusted_services),
    harmless("the role through a group", through_a_group),
    harmless("tags", tagged),
)
"""Of the destination with a managed identity and a key in Key Vault."""
