"""Shared access signatures: an address that carries, signed, what may be done with it and until when.

One is signed with the account's key, for the account or for one container or blob, or with a key that somebody with a
token was given, whose roles it then borrows (a user delegation).

Sources: https://learn.microsoft.com/rest/api/storageservices/create-account-sas,
https://learn.microsoft.com/rest/api/storageservices/create-service-sas,
https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas,
https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key. Versions have added lines to what is
signed; each of these forms is believed, whatever the version. Leaves out, as undecided, stored access policies,
addresses, encryption scopes, directories, and what else a delegation may be bound to.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree import ElementTree

from recording_storage.sandbox.azure.blob_errors import XML, StorageError
from recording_storage.sandbox.azure.blob_operations import DELETE_VERSION, Level
from recording_storage.sandbox.azure.blob_signature import signature
from recording_storage.sandbox.azure.principals import ANONYMOUS, Principal
from recording_storage.sandbox.rest import Response, Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from recording_storage.sandbox.azure.blob_operations import Asked
    from recording_storage.sandbox.azure.world import World

OLDEST = "2018-11-09"
DELEGATED_FOR = timedelta(days=7)
"""The longest that a delegated key is good."""
_SHOWN = ("rscc", "rscd", "rsce", "rscl", "rsct")
"""Headers of the answer, as the signature has them."""
_KEY = ("skoid", "sktid", "skt", "ske", "sks", "skv")
"""What a delegated key is made of."""
_UNKNOWN = ("si", "sip", "ses", "sdd", "saoid", "suoid", "scid", "skdutid", "sduoid", "srh", "srq")
PARAMETERS = frozenset({"sig", "sv", "sp", "st", "se", "sr", "ss", "srt", "spr", *_SHOWN, *_KEY, *_UNKNOWN})
"""What a signature adds to an address."""
_RESOURCES = {"b": "", "bs": "snapshot", "bv": "versionid", "c": ""}
"""The kinds of `sr`, and the parameter that says which."""


@dataclass(frozen=True)
class Sas:
    """A shared access signature, as its address has it."""

    said: Mapping[str, str]
    now: datetime

    @property
    def is_delegated(self) -> bool:
        """Whether it is signed with a delegated key."""
        return "skoid" in self.said

    @property
    def is_account(self) -> bool:
        """Whether it is one for the account, and not for one container or blob."""
        return "ss" in self.said

    @property
    def delegator(self) -> Principal:
        """Whose roles it borrows."""
        return (
            Principal(self.said["skoid"], "", self.said.get("sktid", "")) if self.is_delegated else ANONYMOUS
        )

    def check_signature(self, keys: Mapping[str, str], asked: Asked) -> str:
        """Say with which of `keys` it is signed; raises `StorageError` where that is none."""
        forms = [*self._forms(asked)]
        sent = self.said["sig"].encode()
        for title, key in keys.items():
            if any(hmac.compare_digest(signature(key, form).encode(), sent) for form in forms):
                return title
        quoted = forms[-1].replace("\n", "\\n")
        raise StorageError(
            "AuthenticationFailed",
            "the shared access signature isn't signed with a key that is good here, or it is for something else",
            detail=f"Signature did not match. String to sign used was {quoted}",
        )

    def check(self, asked: Asked) -> None:
        """Raise `StorageError` unless it is good now, and for what is asked."""
        self._check_time()
        if asked.request.scheme != "https" and self.said.get("spr", "https,http") == "https":
            raise StorageError("AuthorizationProtocolMismatch", "the shared access signature is for HTTPS")
        if self.is_account and "b" not in self.said["ss"]:
            raise StorageError("AuthorizationServiceMismatch", "the shared access signature isn't for blobs")
        if self.is_account and asked.level.value not in self.said.get("srt", ""):
            because = f"the shared access signature is for {self.said.get('srt')!r}, and not for {asked.level.value!r}"
            raise StorageError("AuthorizationResourceTypeMismatch", because)
        lists = asked.level is Level.CONTAINER and asked.operation.sas == "l"
        if not self.is_account and asked.level is not Level.BLOB and not lists:
            raise StorageError("AuthorizationFailure", f"{asked.operation.name} needs an account's signature")
        letters = "x" if asked.action == DELETE_VERSION else asked.operation.sas
        if not set(letters) & set(self.said.get("sp", "")):
            because = f"the shared access signature permits {self.said.get('sp')!r}, and not {letters!r}"
            raise StorageError("AuthorizationPermissionMismatch", because)

    def check_overwrite(self, exists: Callable[[], bool], asked: Asked) -> None:
        """Raise where it permits to create a blob only, and there is one."""
        if "c" in asked.operation.sas and "w" not in self.said.get("sp", "") and exists():
            raise StorageError(
                "UnauthorizedBlobOverwrite", "the shared access signature permits only new blobs"
            )

    def _check_time(self) -> None:
        begin, end = _moment(self.said.get("st", "1970-01-01")), _moment(self.said.get("se", ""))
        until = _moment(self.said["ske"]) if self.is_delegated else end
        if not begin <= self.now < min(end, until):
            raise StorageError(
                "AuthenticationFailed",
                detail=f"Signature not valid in the specified time frame: Start [{begin:%a, %d %b %Y %H:%M:%S GMT}] - "
                f"Expiry [{end:%a, %d %b %Y %H:%M:%S GMT}] - Current [{self.now:%a, %d %b %Y %H:%M:%S GMT}]",
            )

    def _forms(self, asked: Asked) -> Iterator[str]:
        """What may have been signed."""
        account = asked.account.name
        if self.is_account:
            before = [account, *self._values("sp", "ss", "srt", "st", "se", "sip", "spr", "sv")]
            yield "\n".join([*before, ""])
            yield "\n".join([*before, *self._values("ses"), ""])
            return
        kind = self.said.get("sr", "")
        if kind not in _RESOURCES:
            raise Undecided(f"a shared access signature for the kind {kind!r}")
        which = asked.request.query.get(_RESOURCES[kind] or "snapshot", "")
        path = f"/{asked.container}" if kind == "c" else f"/{asked.container}/{unquote(asked.raw)}"
        first = [*self._values("sp", "st", "se"), f"/blob/{account}{path}"]
        second = [*self._values("sip", "spr", "sv", "sr"), which if kind in ("bs", "bv") else ""]
        shown = self._values(*_SHOWN)
        if not self.is_delegated:
            yield "\n".join([*first, "", *second, *shown])
            yield "\n".join([*first, "", *second, "", *shown])
            return
        key = [*self._values(*_KEY), "", "", ""]
        yield "\n".join([*first, *key, *second, "", *shown])
        yield "\n".join([*first, *key, "", "", *second, "", *shown])
        yield "\n".join([*first, *key, "", "", *second, "", "", "", *shown])

    def _values(self, *names: str) -> list[str]:
        return [self.said.get(name, "") for name in names]


class Delegation:
    """The keys with which others may sign in somebody's name: each is told by what it is made of."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._secret = base64.b64encode(secrets.token_bytes(32)).decode()

    def read(self, asked: Asked) -> Sas:
        """The signature in an address."""
        query = asked.request.query
        said = {name: value for name, value in query.items() if name in PARAMETERS}
        other = [name for name in _UNKNOWN if name in said]
        if other or said.get("sv", "") < OLDEST:
            raise Undecided(
                f"a shared access signature with {', '.join(other) or 'the version ' + said.get('sv', '')}"
            )
        if query.get("sr") in ("b", "c") and {"snapshot", "versionid"} & query.keys():
            raise Undecided("a shared access signature that is used for a version or a snapshot")
        return Sas(said, self._world.now())

    def key(self, said: Sas) -> str:
        """The key that a signature must be signed with."""
        return self._key([said.said.get(name, "") for name in _KEY])

    def give(self, asked: Asked, who: Principal) -> Response:
        """Give somebody a key: https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key."""
        if not who.object_id:
            raise StorageError(
                "AuthenticationFailed", detail="Only authentication scheme Bearer is supported"
            )
        try:
            wanted = ElementTree.fromstring(asked.request.body)  # noqa: S314 (the sandbox's own programs ask)
        except ElementTree.ParseError as error:
            raise StorageError("InvalidXmlDocument", str(error)) from None
        now = self._world.now()
        begin, end = wanted.findtext("Start") or f"{now:%Y-%m-%dT%H:%M:%SZ}", wanted.findtext("Expiry") or ""
        if not now < _moment(end) <= now + DELEGATED_FOR:
            raise StorageError(
                "OutOfRangeInput", f"a delegated key is good for 7 days at most, and not until {end}"
            )
        parts = [who.object_id, who.tenant, begin, end, "b", asked.version]
        names = (
            "SignedOid",
            "SignedTid",
            "SignedStart",
            "SignedExpiry",
            "SignedService",
            "SignedVersion",
            "Value",
        )
        answer = ElementTree.Element("UserDelegationKey")
        for name, value in zip(names, [*parts, self._key(parts)], strict=True):
            ElementTree.SubElement(answer, name).text = value
        body = ElementTree.tostring(answer, "utf-8", xml_declaration=True)
        return Response(200, body, [("Content-Type", XML)])

    def _key(self, parts: list[str]) -> str:
        return signature(self._secret, "\n".join(parts))


def _moment(said: str) -> datetime:
    """A moment, as ISO 8601 has it; raises `StorageError` for another."""
    try:
        found = datetime.fromisoformat(said.replace("Z", "+00:00"))
    except ValueError:
        raise StorageError("AuthenticationFailed", detail=f"{said!r} isn't a time") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
