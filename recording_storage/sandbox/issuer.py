"""OpenID Connect issuers that the sandbox stands in for: at their own host names, with keys that it made itself.

A cloud's stand-in takes an issuer's keys from the table, as the cloud would fetch them from the address. A program
in the sandbox can fetch them too, and can have a token made, which is the sandbox's own and no part of the protocol.

Source: https://openid.net/specs/openid-connect-discovery-1_0.html. Leaves out everything but the keys and their
place.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ALGORITHM = "RS256"
LIFETIME = 600
"""How long a token lives, in seconds, where nothing else is said."""
_DISCOVERY, _KEYS, _MINT = "/.well-known/openid-configuration", "/.well-known/jwks.json", "/token"


class Issuer:
    """One issuer; `url` is what its tokens say, to the letter."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.base = url.rstrip("/")
        self.kid = secrets.token_hex(8)
        self._lock = threading.RLock()

    @property
    def host(self) -> str:
        """Where it would be found."""
        return urlsplit(self.url).hostname or ""

    @property
    def keys(self) -> dict[str, Any]:
        """What it publishes (RFC 7517)."""
        from jwt.algorithms import RSAAlgorithm

        with self._lock:
            public = cast("dict[str, Any]", json.loads(RSAAlgorithm.to_jwk(self._key.public_key())))
        del public["key_ops"]
        return {"keys": [public | {"kid": self.kid, "alg": ALGORITHM, "use": "sig"}]}

    @property
    def discovery(self) -> dict[str, Any]:
        """Its discovery document."""
        return {
            "issuer": self.url,
            "jwks_uri": self.base + _KEYS,
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
        }

    def mint(
        self, subject: str, audience: str, lifetime: int = LIFETIME, *, forged: bool = False, **claims: object
    ) -> str:
        """A token; `forged` signs it with a key that the issuer doesn't publish, `claims` replace and add."""
        import jwt

        now = int(time.time())
        said = {"iss": self.url, "sub": subject, "aud": audience, "iat": now, "exp": now + lifetime, **claims}
        with self._lock:
            key = self._other_key if forged else self._key
        return jwt.encode(said, key, ALGORITHM, {"kid": self.kid})

    @cached_property
    def _key(self) -> RSAPrivateKey:
        return _new_key()

    @cached_property
    def _other_key(self) -> RSAPrivateKey:
        return _new_key()


class Issuers:
    """Those that the sandbox knows, and the WSGI application that answers in their place."""

    def __init__(self) -> None:
        self._issuers: dict[str, Issuer] = {}

    def add(self, url: str) -> Issuer:
        """Stand in for this issuer from now on; one that is known already stays as it is."""
        return self._issuers.setdefault(url, Issuer(url))

    def get(self, url: str) -> Issuer | None:
        """The issuer with exactly this address."""
        return self._issuers.get(url)

    def has_host(self, host: str) -> bool:
        """Whether one of them is found there."""
        return any(one.host == host for one in self._issuers.values())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request to an issuer's host."""
        status, value = self._answer(environ)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(value).encode()]

    def _answer(self, environ: WSGIEnvironment) -> tuple[str, object]:
        address = f"https://{environ['HTTP_HOST']}{environ['PATH_INFO']}"
        method = "GET" if environ["REQUEST_METHOD"] == "HEAD" else environ["REQUEST_METHOD"]
        if environ["wsgi.url_scheme"] != "https":
            return "403 Forbidden", {"error": "an issuer is asked with TLS"}
        for issuer in self._issuers.values():
            if (method, address) == ("GET", issuer.base + _DISCOVERY):
                return "200 OK", issuer.discovery
            if (method, address) == ("GET", issuer.base + _KEYS):
                return "200 OK", issuer.keys
            if (method, address) == ("POST", issuer.base + _MINT):
                sent = cast("BinaryIO", environ["wsgi.input"]).read().decode()
                return "200 OK", {"token": _minted(issuer, dict(parse_qsl(sent, keep_blank_values=True)))}
        return "404 Not Found", {"error": f"no issuer of the sandbox has {method} {address}"}


def _minted(issuer: Issuer, form: dict[str, str]) -> str:
    lifetime = int(form.get("lifetime", LIFETIME))
    forged = form.get("forged", "") in ("1", "true")
    return issuer.mint(form.get("subject", ""), form.get("audience", ""), lifetime, forged=forged)


def _new_key() -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(65537, 2048)
