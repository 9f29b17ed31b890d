"""Access tokens: signed by the stand-in for Entra, and believed by the services behind it.

A token says whose it is (`oid`, the service principal's object id; `appid`; `tid`) and for whom it is meant (`aud`). It
stays good until it expires, whatever becomes of whom it was given to; what may be done with it is asked each time.

Sources: https://learn.microsoft.com/entra/identity-platform/access-tokens,
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference. Azure's own services ask for tokens
of version 1, so all of them are. Leaves out continuous access evaluation.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.azure.principals import Principal
from recording_storage.sandbox.issuer import Issuer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recording_storage.sandbox.azure.world import World

LIFETIME = timedelta(hours=1)
LOGIN = "login.microsoftonline.com"
ISSUER = "https://sts.windows.net/{tenant}/"
ARM = ("https://management.azure.com", "https://management.core.windows.net")
GRAPH = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")
STORAGE = ("https://storage.azure.com", "e406a681-f3d4-42a8-90b6-c2b029497af1")
VAULT = ("https://vault.azure.net", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093")
"""Whom tokens are for: each with or without a slash at its end."""
BLOB_SUFFIX = ".blob.core.windows.net"


class NotBelieved(Exception):  # noqa: N818 (the service says which error it is)
    """It isn't known who asks.

    `kind` is `missing` (no token), `signature`, `expired` or `audience`; `because` is for the journal.
    """

    def __init__(self, kind: str, because: str) -> None:
        super().__init__(because)
        self.kind = kind
        self.because = because


class Tokens:
    """Gives tokens, and knows them again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._signer = Issuer(f"https://{LOGIN}")
        self._given: dict[str, dict[str, Any]] = {}

    @property
    def keys(self) -> dict[str, Any]:
        """What Entra publishes (RFC 7517)."""
        return self._signer.keys

    def issue(self, who: Principal, audience: str, lifetime: timedelta = LIFETIME, **claims: Any) -> str:
        """Give a new token."""
        now = int(self._world.now().timestamp())
        issuer = ISSUER.format(tenant=who.tenant)
        said: dict[str, Any] = {
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + int(lifetime.total_seconds()),
            "appid": who.app_id,
            "appidacr": "2",
            "idp": issuer,
            "idtyp": "app",
            "oid": who.object_id,
            "tid": who.tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
        }
        text = self._signer.mint(who.object_id, audience, **(said | claims))
        self._given[text] = said | claims | {"aud": audience}
        return text

    def authenticate(self, authorization: str, audiences: Iterable[str] = STORAGE) -> Principal:
        """Who sends a header `Authorization`; raises `NotBelieved`, also for a token that is meant for others.

        An audience may be the address of one storage account: `https://ACCOUNT.blob.core.windows.net`.
        """
        scheme, _, text = authorization.partition(" ")
        if not text.strip() or scheme.lower() != "bearer":
            raise NotBelieved(
                "missing", "there is no access token" if not scheme else f"{scheme} isn't Bearer"
            )
        said = self._given.get(text.strip())
        if said is None:
            raise NotBelieved("signature", "the access token is none that the stand-in for Entra has given")
        who = Principal(said["oid"], said["appid"], said["tid"])
        now = self._world.now().timestamp()
        if now >= said["exp"]:
            raise NotBelieved("expired", f"the access token of {who} has expired")
        meant = {one.rstrip("/") for one in audiences}
        if said["aud"].rstrip("/") not in meant:
            raise NotBelieved(
                "audience",
                f"the access token of {who} is for {said['aud']}, and not for {', '.join(sorted(meant))}",
            )
        return who
