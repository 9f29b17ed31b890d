"""Issuers at their own host names: discovery, keys, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
from google_cloud import ISSUER

from recording_storage.sandbox.issuer import Issuers

if TYPE_CHECKING:
    from google_cloud import Cloud


def get(cloud: Cloud, url: str) -> Any:
    return cloud.http.get(url, timeout=20).json()


def test_keys_are_found_by_discovery_and_verify_a_token(cloud: Cloud) -> None:
    discovery = get(cloud, f"{ISSUER}/.well-known/openid-configuration")
    assert discovery["issuer"] == ISSUER
    keys = jwt.PyJWKSet.from_dict(get(cloud, discovery["jwks_uri"]))
    token = cloud.issuer.mint("me", "you", workspace="a")
    key = keys[jwt.get_unverified_header(token)["kid"]]
    said = jwt.decode(token, key, ["RS256"], audience="you", issuer=ISSUER)
    assert (said["sub"], said["workspace"], said["exp"] - said["iat"]) == ("me", "a", 600)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(cloud.issuer.mint("me", "you", forged=True), key, ["RS256"], audience="you")


@pytest.mark.parametrize(
    ("form", "is_forged", "lifetime"),
    [
        ({}, False, 600),
        ({"forged": "true"}, True, 600),
        ({"forged": "false"}, False, 600),
        ({"lifetime": "60"}, False, 60),
    ],
)
def test_a_program_in_the_sandbox_can_have_a_token_made(
    cloud: Cloud, form: dict[str, str], is_forged: bool, lifetime: int
) -> None:
    form = {"subject": "me", "audience": "you", **form}
    token = cloud.http.post(f"{ISSUER}/token", data=form, timeout=20).json()["token"]
    said = jwt.decode(token, options={"verify_signature": False})
    assert (said["sub"], said["aud"], said["exp"] - said["iat"]) == ("me", "you", lifetime)
    key = jwt.PyJWKSet.from_dict(cloud.issuer.keys).keys[0]
    try:
        jwt.decode(token, key, ["RS256"], audience="you")
    except jwt.InvalidSignatureError:
        assert is_forged
    else:
        assert not is_forged


@pytest.mark.parametrize(
    "url",
    [f"{ISSUER}/other", "https://issuer.example.com/.well-known/openid-configuration", f"{ISSUER}/token"],
)
def test_an_issuer_has_nothing_else(cloud: Cloud, url: str) -> None:
    assert cloud.http.get(url, timeout=20).status_code == 404


def test_an_issuer_is_asked_with_tls(cloud: Cloud) -> None:
    url = f"{ISSUER}/.well-known/jwks.json"
    assert cloud.http.get(url, timeout=20).status_code == 200
    assert cloud.http.get(url.replace("https:", "http:"), timeout=20).status_code == 403


def test_an_issuer_is_known_by_its_exact_address() -> None:
    issuers = Issuers()
    made = issuers.add("https://a.example.com/")
    assert issuers.add("https://a.example.com/") is made is issuers.get("https://a.example.com/")
    assert issuers.get("https://a.example.com") is None
    assert made.discovery["jwks_uri"] == "https://a.example.com/.well-known/jwks.json"
    assert [issuers.has_host(host) for host in ("a.example.com", "b.example.com")] == [True, False]
