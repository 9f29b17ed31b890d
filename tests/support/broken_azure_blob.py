"""Ways to break a destination on Azure, each of which `verify` must name."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.azure.assignments import EVERYBODY
from recording_storage.sandbox.azure import occasion
from recording_storage.sandbox.issuer import Issuer
from tests.support.azure_blob_owner import BLOBS, CONTRIBUTOR, ISSUER, READER, AzureBlobOwner, undone
from tests.support.catalogue import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.azure_blob_owner import Undo

ACCESS_ADMINISTRATOR, SUBSCRIPTION_READER = (
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",
)
KEY_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
KEYS_VAULT = "/subscriptions/{}/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/acme-keys"
GITHUB = ("https://token.actions.githubusercontent.com", "repo:acme/site:ref:refs/heads/main")
CONDITION = f"@Resource[{BLOBS}:path] StringLike 'a*'"


def broken(
    name: str,
    change: Callable[[AzureBlobOwner], Undo],
    fails: str = "",
    *,
    warns: str = "",
    unknown: str = "",
    records: bool = False,
) -> Mutation[AzureBlobOwner]:
    ids = (frozenset(one.split()) for one in (fails, warns, unknown))
    return Mutation(name, change, *ids, records=records)


def claims(**said: Any) -> Callable[[AzureBlobOwner], Undo]:
    return lambda owner: owner.change_credential(**said)


def settings(**said: Any) -> Callable[[AzureBlobOwner], Undo]:
    return lambda owner: owner.patch_account(**said)


# Whose tokens are taken


def no_credential(owner: AzureBlobOwner) -> Undo:
    before = owner.credential()
    path = f"{owner.application}/federatedIdentityCredentials"
    owner.graph("DELETE", f"{path}/{before['id']}")
    said = {name: before[name] for name in ("name", "issuer", "subject", "audiences", "description")}
    return lambda: owner.graph("POST", path, said)


def somebody_elses_only(owner: AzureBlobOwner) -> Undo:
    return undone(no_credential(owner), owner.add_credential("site", *GITHUB))


def in_another_case(owner: AzureBlobOwner) -> Undo:
    return owner.change_credential(subject=owner.workspace.upper())


def padded(owner: AzureBlobOwner) -> Undo:
    return owner.change_credential(subject=f"{owner.workspace} ")


def twenty(owner: AzureBlobOwner) -> Undo:
    return undone(*(owner.add_credential(f"site-{one}", GITHUB[0], f"repo:acme/{one}") for one in range(19)))


class _Elsewhere(Issuer):
    """An issuer whose discovery document is another's."""

    @property
    def discovery(self) -> dict[str, Any]:
        return super().discovery | {"issuer": "https://elsewhere.example.com"}


class _Keyless(Issuer):
    """An issuer that publishes no keys."""

    @property
    def keys(self) -> dict[str, Any]:
        return {"keys": []}


class _Gone(Issuer):
    """An issuer whose discovery document says nothing."""

    @property
    def discovery(self) -> dict[str, Any]:
        return {}


class _OutOfReach(Issuer):
    """An issuer whose host isn't found from where `verify` runs; Entra may find it none the less."""

    @property
    def host(self) -> str:
        return "out-of-reach.invalid"


def another_issuer(make: Callable[[str], Issuer]) -> Callable[[AzureBlobOwner], Undo]:
    """What only the vendor can break: in the sandbox itself."""

    def change(owner: AzureBlobOwner) -> Undo:
        known = owner.sandbox.issuers._issuers
        before, known[ISSUER] = known[ISSUER], make(ISSUER)
        return lambda: known.update({ISSUER: before})

    return change


# What it may


def another_role(role: str, **said: Any) -> Callable[[AzureBlobOwner], Undo]:
    return lambda owner: undone(owner.unassign(), owner.assign(role, **said))


def custom(*data: str, without: tuple[str, ...] = ()) -> Callable[[AzureBlobOwner], Undo]:
    def change(owner: AzureBlobOwner) -> Undo:
        role, gone = owner.define(*data, without=without)
        return undone(owner.unassign(), gone, owner.assign(role))

    return change


def other_container(owner: AzureBlobOwner) -> str:
    path = f"{owner.account}/blobServices/default/containers/elsewhere"
    owner.call("PUT", path, {"properties": {}})
    return path


def on_another_container(owner: AzureBlobOwner) -> Undo:
    path = other_container(owner)
    return undone(owner.unassign(), lambda: owner.call("DELETE", path), owner.assign(CONTRIBUTOR, scope=path))


def to_the_client_id(owner: AzureBlobOwner) -> Undo:
    return undone(owner.unassign(), owner.assign(CONTRIBUTOR, principal=owner.client_id))


def to_the_application(owner: AzureBlobOwner) -> Undo:
    object_id = owner.graph("GET", owner.application)["id"]
    taken = owner.unassign()
    made = occasion.assign(owner.world, "Storage Blob Data Contributor", object_id, owner.container)
    return undone(taken, lambda: owner.world.assignments.remove(made))


def to_a_group_of_others(owner: AzureBlobOwner) -> Undo:
    group, gone = owner.group()
    return undone(owner.unassign(), gone, owner.assign(CONTRIBUTOR, principal=group, kind="Group"))


def denied(principal: str = "", kind: str = "ServicePrincipal") -> Callable[[AzureBlobOwner], Undo]:
    def change(owner: AzureBlobOwner) -> Undo:
        whom = (principal or owner.principal_id, kind)
        made = occasion.deny(owner.world, "no-writing", owner.account, whom, f"{BLOBS}/*")
        return lambda: owner.world.denials.remove(made)

    return change


def more(role: str, where: str = "account", principal: str = "") -> Callable[[AzureBlobOwner], Undo]:
    def change(owner: AzureBlobOwner) -> Undo:
        scopes = {
            "account": owner.account,
            "container": owner.container,
            "subscription": f"/subscriptions/{owner.subscription}",
            "group": owner.account.partition("/providers/")[0],
        }
        return owner.assign(role, scope=scopes[where], principal=principal)

    return change


def more_through_a_group(owner: AzureBlobOwner) -> Undo:
    inner, inner_gone = owner.group(owner.principal_id)
    outer, outer_gone = owner.group(inner)
    path = other_container(owner)
    assigned = owner.assign(READER, scope=path, principal=outer, kind="Group")
    return undone(inner_gone, outer_gone, lambda: owner.call("DELETE", path), assigned)


# Who it is


def disabled(owner: AzureBlobOwner) -> Undo:
    owner.graph("PATCH", owner.service_principal, {"accountEnabled": False})
    return lambda: owner.graph("PATCH", owner.service_principal, {"accountEnabled": True})


def deleted(what: str) -> Callable[[AzureBlobOwner], Undo]:
    def change(owner: AzureBlobOwner) -> Undo:
        path = getattr(owner, what)
        object_id = owner.graph("GET", path)["id"]
        owner.graph("DELETE", path)
        return lambda: owner.graph("POST", f"/directory/deletedItems/{object_id}/restore")

    return change


def secret(what: str) -> Callable[[AzureBlobOwner], Undo]:
    def change(owner: AzureBlobOwner) -> Undo:
        path = getattr(owner, what)
        key = owner.graph("POST", f"{path}/addPassword", {"passwordCredential": {"displayName": "ci"}})[
            "keyId"
        ]
        return lambda: owner.graph("POST", f"{path}/removePassword", {"keyId": key})

    return change


def certificate(owner: AzureBlobOwner) -> Undo:
    key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": "TUlJ", "displayName": "ci"}
    owner.graph("PATCH", owner.application, {"keyCredentials": [key]})
    return lambda: owner.graph("PATCH", owner.application, {"keyCredentials": []})


# Where it writes


def no_container(owner: AzureBlobOwner) -> Undo:
    owner.call("DELETE", owner.container)
    return lambda: owner.call("PUT", owner.container, {"properties": {"publicAccess": "None"}})


def public(owner: AzureBlobOwner) -> Undo:
    loosened = owner.patch_account(allowBlobPublicAccess=True)
    owner.call("PATCH", owner.container, {"properties": {"publicAccess": "Blob"}})
    return undone(
        loosened, lambda: owner.call("PATCH", owner.container, {"properties": {"publicAccess": "None"}})
    )


def denies(**rules: Any) -> Callable[[AzureBlobOwner], Undo]:
    return lambda owner: owner.patch_account(networkAcls={"defaultAction": "Deny", **rules})


def listed(owner: AzureBlobOwner) -> Undo:
    owner.patch_account(networkAcls={"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7"}]})
    return owner_open(owner)


def owner_open(owner: AzureBlobOwner) -> Undo:
    said: dict[str, Any] = {"networkAcls": {"defaultAction": "Allow", "ipRules": []}}
    return lambda: owner.call("PATCH", owner.account, {"properties": said})


def rule(name: str, actions: dict[str, Any], enabled: bool = True) -> dict[str, Any]:
    definition = {"filters": {"blobTypes": ["blockBlob"]}, "actions": actions}
    return {"name": name, "type": "Lifecycle", "enabled": enabled, "definition": definition}


CURRENT = {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 30}}}


def only_current(owner: AzureBlobOwner) -> Undo:
    return owner.put_policy(rule("expire", CURRENT))


def nothing_kept(owner: AzureBlobOwner) -> Undo:
    return owner.put_service(isVersioningEnabled=False, deleteRetentionPolicy={"enabled": False})


# The key of the second destination


def key_attributes(**said: Any) -> Callable[[AzureBlobOwner], Undo]:
    def change(owner: AzureBlobOwner) -> Undo:
        url = "https://acme-keys.vault.azure.net/keys/recordings"
        trusted = owner.assign(
            KEY_OFFICER, scope=KEYS_VAULT.format(owner.subscription), principal=owner.own_id
        )
        owner.vault("PATCH", url, {"attributes": said})
        back = {"enabled": True, "exp": None}
        mended = {name: back[name] for name in said}
        return undone(trusted, lambda: owner.vault("PATCH", url, {"attributes": mended}))

    return change


def no_use_of_the_key(owner: AzureBlobOwner) -> Undo:
    identities = owner.get(owner.account)["identity"]["userAssignedIdentities"]
    (principal,) = (one["principalId"] for one in identities.values())
    (held,) = owner.assignments(principal)
    owner.call("DELETE", held["id"])
    said = {name: held["properties"][name] for name in ("roleDefinitionId", "principalId", "principalType")}
    return lambda: owner.call("PUT", held["id"], {"properties": said})


def vault_closed(owner: AzureBlobOwner) -> Undo:
    path = KEYS_VAULT.format(owner.subscription)
    before = owner.get(path)["properties"]["networkAcls"]
    closed = {"networkAcls": {"defaultAction": "Deny", "bypass": "None"}}
    owner.call("PATCH", path, {"properties": closed})
    return lambda: owner.call("PATCH", path, {"properties": {"networkAcls": before}})


def no_key(owner: AzureBlobOwner) -> Undo:
    keys = owner.world.vault("acme-keys").keys  # pyright: ignore[reportOptionalMemberAccess]
    before = copy.copy(keys)
    keys.clear()
    return lambda: keys.update(before)


MUTATIONS: tuple[Mutation[AzureBlobOwner], ...] = (
    broken("another workspace's subject", claims(subject="w-other"), "Z1"),
    broken("the issuer with a slash at its end", claims(issuer=f"{ISSUER}/"), "Z1"),
    broken("another issuer", claims(issuer="https://recordings.example.com"), "Z1"),
    broken("another audience", claims(audiences=["api://recordings"]), "Z1"),
    broken("an audience with white space", claims(audiences=["api://AzureADTokenExchange "]), "Z1"),
    broken("a subject with white space", padded, "Z1 Z4"),
    broken("no federated credential", no_credential, "Z1"),
    broken("somebody else's federated credential only", somebody_elses_only, "Z1 Z13"),
    broken("the subject in another case", in_another_case, "Z2"),
    broken("the issuer in another case", claims(issuer="https://Recording-Copy.tavus.io"), "Z2"),
    broken("the audience in another case", claims(audiences=["api://azureadtokenexchange"]), "Z2"),
    broken("another issuer's discovery document", another_issuer(_Elsewhere), "Z3"),
    broken("an issuer without keys", another_issuer(_Keyless), "Z3"),
    broken("an issuer without a discovery document", another_issuer(_Gone), "Z3"),
    broken("an issuer out of reach", another_issuer(_OutOfReach), unknown="Z3", records=True),
    broken("an asterisk for a subject", claims(subject="w-*"), "Z1 Z4"),
    broken("twenty federated credentials", twenty, "Z13", warns="Z4", records=True),
    broken("no role", AzureBlobOwner.unassign, "Z6"),
    broken("a reader's role", another_role(READER), "Z6"),
    broken(
        "a custom role without writing",
        custom(f"{BLOBS}/*", without=(f"{BLOBS}/write", f"{BLOBS}/add/action")),
        "Z6",
    ),
    broken(
        "a custom role that only adds",
        custom(*(f"{BLOBS}/{one}" for one in ("add/action", "read", "delete"))),
        warns="Z6",
    ),
    broken("a custom role that only writes", custom(f"{BLOBS}/write"), warns="Z6"),
    broken(
        "a condition on the role",
        another_role(CONTRIBUTOR, condition=CONDITION, conditionVersion="2.0"),
        unknown="Z6",
    ),
    broken("the role on another container", on_another_container, "Z6 Z12"),
    broken("the role given to others", to_a_group_of_others, "Z6"),
    broken("a deny assignment", denied(), "Z6"),
    broken("a deny assignment for everybody", denied(EVERYBODY, "SystemDefined"), "Z6"),
    broken("the role given to the client id", to_the_client_id, "Z6 Z8"),
    broken("the role given to the application's object id", to_the_application, "Z6 Z8"),
    broken("a firewall", denies(), "Z9"),
    broken("a firewall with addresses", listed, unknown="Z9"),
    broken("no public network access", settings(publicNetworkAccess="Disabled"), "Z9"),
    broken("a network security perimeter", settings(publicNetworkAccess="SecuredByPerimeter"), "Z9"),
    broken("a disabled service principal", disabled, "Z10"),
    broken("no service principal", deleted("service_principal"), "Z10", unknown="Z6 Z12"),
    broken("no application", deleted("application"), "Z10", unknown="Z1 Z2 Z4 Z6 Z8 Z11 Z12 Z13"),
    broken("a secret of the application", secret("application"), "Z11", records=True),
    broken("a secret of the service principal", secret("service_principal"), "Z11", records=True),
    broken("a certificate", certificate, "Z11", records=True),
    broken("the role on the whole account", more(CONTRIBUTOR), "Z12", records=True),
    broken("the role on the resource group", more(CONTRIBUTOR, "group"), "Z12", records=True),
    broken("a reader of the subscription", more(SUBSCRIPTION_READER, "subscription"), "Z12", records=True),
    broken("who assigns roles", more(ACCESS_ADMINISTRATOR, "container"), "Z12", records=True),
    broken("more through a group in a group", more_through_a_group, "Z12", records=True),
    broken(
        "a pipeline's federated credential",
        lambda owner: owner.add_credential("site", *GITHUB),
        "Z13",
        records=True,
    ),
    broken(
        "another workspace's federated credential",
        lambda owner: owner.add_credential("demos", ISSUER, "w-demos"),
        "Z13",
        records=True,
    ),
    broken("no container", no_container, "Z14", unknown="Z15"),
    broken("a public container", public, "Z15", records=True),
    broken("shared keys", settings(allowSharedKeyAccess=True), warns="Z15", records=True),
    broken("plain HTTP", settings(supportsHttpsTrafficOnly=False), warns="Z15", records=True),
    broken("old TLS", settings(minimumTlsVersion="TLS1_0"), warns="Z15", records=True),
    broken("anonymous access allowed", settings(allowBlobPublicAccess=True), warns="Z15", records=True),
    broken("a lifecycle of the current versions only", only_current, warns="Z17", records=True),
    broken("nothing kept", nothing_kept, warns="Z17"),
)
"""Of the destination `calls`, with an application."""
KEY_MUTATIONS: tuple[Mutation[AzureBlobOwner], ...] = (
    broken("a disabled key", key_attributes(enabled=False), "Z16"),
    broken("an expired key", key_attributes(exp=int(time.time()) - 60), "Z16"),
    broken("no key", no_key, "Z16"),
    broken("no role on the key", no_use_of_the_key, "Z16"),
    broken("a closed vault", vault_closed, "Z16"),
    broken("no role", AzureBlobOwner.unassign, "Z6"),
    broken("the role on the whole account", more(CONTRIBUTOR), "Z12", records=True),
)
"""Of the destination `meetings`, with a managed identity and a key in Key Vault."""
