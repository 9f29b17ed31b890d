"""Keys of service accounts that people have made: of each its public half is kept.

Source: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys. Leaves out keys that are
uploaded, those that Google keeps itself, and lists of several pages. What is signed with a key is undecided (`tokens`).
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google.errors import invalid, not_found
from recording_storage.sandbox.google.world import utc
from recording_storage.sandbox.rest import ANY, Request, Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.http import Handler
    from recording_storage.sandbox.google.world import ServiceAccount, World

    Json = dict[str, Any]
    Names = Mapping[str, str]

VALID = timedelta(days=3650)
MOST = 10


@dataclass
class AccountKey:
    """One key."""

    name: str
    said: Json
    disabled: bool = False

    def to_json(self) -> Json:
        """As the API has it, without its private half."""
        return {"name": self.name, **self.said, **({"disabled": True} if self.disabled else {})}


class AccountKeys:
    """The keys of all service accounts."""

    def __init__(self, world: World, access: Access, find: Callable[[Names], ServiceAccount]) -> None:
        self._world = world
        self._access = access
        self._find = find
        self._keys: dict[str, dict[str, AccountKey]] = {}

    def routes(self, account: str) -> list[tuple[str, str, Handler | None]]:
        """The table's lines for the keys of accounts at `account`."""
        many, one = account + "/keys", account + "/keys/{key}"
        return [
            ("GET", many, self._list),
            ("POST", many, self._create),
            ("GET", one, self._get),
            ("DELETE", one, self._delete),
            ("POST", one + ":disable", self._disable),
            ("POST", one + ":enable", self._enable),
            (ANY, many + ":upload", None),
            (ANY, many + "/{rest=**}", None),
        ]

    def _list(self, request: Request, who: Principal, names: Names) -> Json:
        account = self._permitted(who, "list", names)
        kinds = [value for name, value in request.query_all if name == "keyTypes"]
        if kinds != ["USER_MANAGED"]:
            raise Undecided("the keys that Google keeps for a service account")
        found = [one.to_json() for one in self._of(account).values()]
        return {"keys": found} if found else {}

    def _create(self, request: Request, who: Principal, names: Names) -> Json:
        account, body = self._permitted(who, "create", names), request.json()
        if body.get("privateKeyType", "TYPE_GOOGLE_CREDENTIALS_FILE") != "TYPE_GOOGLE_CREDENTIALS_FILE":
            raise Undecided(f"a key of the type {body['privateKeyType']}")
        known = self._of(account)
        if len(known) >= MOST:
            raise invalid(f"A service account can have at most {MOST} keys.", reason="failedPrecondition")
        id_, now = secrets.token_hex(20), self._world.now()
        made = AccountKey(
            f"{account.name}/keys/{id_}",
            {
                "keyAlgorithm": "KEY_ALG_RSA_2048",
                "keyOrigin": "GOOGLE_PROVIDED",
                "keyType": "USER_MANAGED",
                "validAfterTime": utc(now),
                "validBeforeTime": utc(now + VALID),
            },
        )
        known[id_] = made
        file = {
            "type": "service_account",
            "project_id": account.project.id,
            "private_key_id": id_,
            "private_key": _private_key(),
            "client_email": account.email,
            "client_id": account.unique_id,
            "token_uri": "https://oauth2.googleapis.com/token",
        }
        private = base64.b64encode(json.dumps(file).encode()).decode()
        return made.to_json() | {"privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE", "privateKeyData": private}

    def _get(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        return self._one(who, "get", names).to_json()

    def _delete(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        self._one(who, "delete", names)
        del self._of(self._find(names))[names["key"]]
        return {}

    def _disable(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        self._one(who, "disable", names).disabled = True
        return {}

    def _enable(self, request: Request, who: Principal, names: Names) -> Json:
        del request
        self._one(who, "enable", names).disabled = False
        return {}

    def _of(self, account: ServiceAccount) -> dict[str, AccountKey]:
        return self._keys.setdefault(account.unique_id, {})

    def _permitted(self, who: Principal, verb: str, names: Names) -> ServiceAccount:
        account = self._find(names)
        self._access.require(who, f"iam.serviceAccountKeys.{verb}", account)
        return account

    def _one(self, who: Principal, verb: str, names: Names) -> AccountKey:
        found = self._of(self._permitted(who, verb, names)).get(names["key"])
        if found is None:
            raise not_found(f"Service account key {names['key']} does not exist.")
        return found


def _private_key() -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made = generate_private_key(65537, 2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
