"""The exchange of an issuer's token: each refusal beside its nearest neighbour that is allowed."""

from __future__ import annotations

import base64
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from google_cloud import FORM, ISSUER, JWT, SUBJECT, TOKEN_URL
from jwt.algorithms import ECAlgorithm

from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from google_cloud import Cloud

    from recording_storage.sandbox.google.world import Provider

STALE = "is stale to sign-in."
UNREACHABLE = "Error connecting to the given credential's issuer."
NOT_A_PROVIDER = 'Invalid value for "audience"'
HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def provider(cloud: Cloud) -> Provider:
    return cloud.provider(condition=f"assertion.sub == '{SUBJECT}'")


def test_a_token_of_the_issuer_is_exchanged(cloud: Cloud, provider: Provider) -> None:
    mark = cloud.sandbox.journal.mark()
    answer = cloud.exchange(provider.full_name, cloud.mint(provider))
    assert answer.status == 200
    assert {name: value for name, value in answer.said.items() if name != "access_token"} == {
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 3599,
    }
    (entry,) = cloud.sandbox.journal.since(mark)
    assert (entry.outcome, entry.what, entry.resource) == (
        Outcome.ALLOWED,
        "sts.exchange",
        provider.full_name,
    )
    assert entry.who == f"principal://iam.googleapis.com/{provider.pool.name}/subject/{SUBJECT}"
    assert "the condition assertion.sub == 'ws-1' is true" in entry.reason


@pytest.mark.parametrize("style", ["form", "snake", "camel"])
def test_a_form_and_both_spellings_of_json_are_read(cloud: Cloud, provider: Provider, style: str) -> None:
    asked = {**FORM, "audience": provider.full_name, "subject_token": cloud.mint(provider)}
    camel = {
        "".join(part.title() if n else part for n, part in enumerate(name.split("_"))): v
        for name, v in asked.items()
    }
    sent: dict[str, Any] = {"form": {"data": asked}, "snake": {"json": asked}, "camel": {"json": camel}}[
        style
    ]
    assert cloud.http.post(TOKEN_URL, timeout=20, **sent).status_code == 200


AUDIENCE = "//iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{pool}/providers/{provider}"


@pytest.mark.parametrize(
    ("audience", "error", "because"),
    [
        (AUDIENCE.replace("{number}", "acme-prod"), "invalid_request", "acme-prod, and not by its number"),
        (AUDIENCE.partition("/providers/")[0], "invalid_request", "names a pool, and not a provider"),
        (f"https:{AUDIENCE}", "invalid_request", "isn't the full resource name"),
        (AUDIENCE.removeprefix("//iam.googleapis.com/"), "invalid_request", "isn't the full resource name"),
        (f"{AUDIENCE}/", "invalid_request", "isn't the full resource name"),
        (f"{AUDIENCE}-other", "invalid_target", "is missing"),
        (AUDIENCE.replace("{pool}", "{pool}-other"), "invalid_target", "is missing"),
        (AUDIENCE.replace("{number}", "999999999999"), "invalid_target", "is missing"),
        (AUDIENCE.replace("{number}", "1"), "invalid_target", "there is no project 1"),
        (AUDIENCE, "", ""),
    ],
)
def test_the_audience_is_the_providers_full_name(
    cloud: Cloud, provider: Provider, audience: str, error: str, because: str
) -> None:
    asked = audience.format(number=cloud.owner.number, pool=provider.pool.id, provider=provider.id)
    with cloud.refused(because) if error else cloud.allowed():
        answer = cloud.exchange(asked, cloud.mint(provider))
    assert (answer.status, answer.said.get("error", "")) == ((400, error) if error else (200, ""))
    if error == "invalid_request":
        assert NOT_A_PROVIDER in answer.message


@pytest.mark.parametrize("what", ["pool", "provider"])
@pytest.mark.parametrize("state", ["disabled", "deleted"])
def test_pool_and_provider_must_be_active(cloud: Cloud, what: str, state: str) -> None:
    provider = cloud.provider()
    changed: Any = provider.pool if what == "pool" else provider
    token = cloud.mint(provider)
    setattr(changed, state, cloud.world.now() if state == "deleted" else True)
    with cloud.refused(f"the {what} {changed.id} is {state}"):
        answer = cloud.exchange(provider.full_name, token)
    assert (answer.status, answer.error) == (400, "invalid_target")
    setattr(changed, state, None)
    with cloud.allowed():
        assert cloud.exchange(provider.full_name, token).status == 200


def claims_of(now: int, **changed: int) -> dict[str, int]:
    return {name: now + seconds for name, seconds in {"iat": 0, "exp": HOUR, **changed}.items()}


@pytest.mark.parametrize(
    ("times", "message", "because"),
    [
        ({"iat": 120, "exp": HOUR}, "in the future", "issued in the future"),
        ({"iat": -HOUR, "exp": -60}, STALE, "has expired"),
        ({"iat": -DAY - 60, "exp": 60}, STALE, "more than 24 hours ago"),
        ({"iat": 0, "exp": DAY + 60}, "more than 24 hours", "lives longer than 24 hours"),
        ({"nbf": 120}, "not yet valid", "isn't valid yet"),
        ({"iat": -60, "exp": 60}, "", ""),
        ({"iat": -HOUR, "exp": DAY - HOUR - 60}, "", ""),
        ({"nbf": -60}, "", ""),
    ],
)
def test_a_token_is_taken_in_its_time(
    cloud: Cloud, provider: Provider, times: dict[str, int], message: str, because: str
) -> None:
    claims: dict[str, Any] = claims_of(int(time.time()), **times)
    token = cloud.mint(provider, **claims)
    with cloud.refused(because) if because else cloud.allowed():
        answer = cloud.exchange(provider.full_name, token)
    assert answer.status == (400 if because else 200)
    if because:
        assert answer.error == "invalid_grant"
        assert message in answer.message


def test_a_token_ages(cloud: Cloud, provider: Provider) -> None:
    token = cloud.mint(provider)
    with cloud.later(timedelta(minutes=9)), cloud.allowed():
        cloud.exchange(provider.full_name, token)
    with cloud.later(timedelta(minutes=11)), cloud.refused("has expired"):
        cloud.exchange(provider.full_name, token)


def with_header(token: str, **header: str | None) -> str:
    """The token with another header; its signature stays."""
    head, _, rest = token.partition(".")
    found = json.loads(base64.urlsafe_b64decode(head + "=="))
    said = {name: value for name, value in {**found, **header}.items() if value is not None}
    return f"{base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b'=').decode()}.{rest}"


@pytest.mark.parametrize(
    ("claims", "header", "message", "because"),
    [
        ({"forged": True}, {}, "Invalid JWT Signature.", "didn't sign the token"),
        ({}, {"typ": "other"}, "Invalid JWT Signature.", "didn't sign the token"),
        ({}, {"kid": "other"}, UNREACHABLE, "publishes no key other"),
        ({}, {"kid": None}, UNREACHABLE, "publishes no key None"),
        ({}, {"alg": "none"}, "algorithm", "algorithm is none"),
        ({}, {"alg": "HS256"}, "algorithm", "algorithm is HS256"),
        ({}, {"alg": "RS512"}, "algorithm", "algorithm is RS512"),
        ({}, {"alg": "ES256"}, UNREACHABLE, "for ES256"),
        ({"iss": "https://issuer.example.com/other"}, {}, "does not match", f"the provider's is {ISSUER}"),
        ({"iss": ISSUER + "/"}, {}, "does not match", f"the provider's is {ISSUER}"),
        ({"aud": "https://example.com"}, {}, "The audience in ID Token", "the provider allows"),
        ({"aud": None}, {}, "The audience in ID Token", "the provider allows"),
        ({"sub": None}, {}, "'sub'", "no claim sub"),
        ({"iat": None}, {}, "'iat'", "claim iat is None"),
        ({"exp": None}, {}, "'exp'", "claim exp is None"),
    ],
)
def test_a_token_that_the_issuer_did_not_make_so_is_refused(
    cloud: Cloud,
    provider: Provider,
    claims: dict[str, Any],
    header: dict[str, str | None],
    message: str,
    because: str,
) -> None:
    with cloud.allowed():
        assert cloud.exchange(provider.full_name, cloud.mint(provider)).status == 200
    token = cloud.mint(provider, **claims)
    with cloud.refused(because):
        answer = cloud.exchange(provider.full_name, with_header(token, **header) if header else token)
    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert message in answer.message


@pytest.mark.parametrize("token", ["not.a.token", "x", "e30.W10.e30"])
def test_what_is_no_token_is_refused(cloud: Cloud, provider: Provider, token: str) -> None:
    with cloud.refused("the token"):
        answer = cloud.exchange(provider.full_name, token)
    assert (answer.error, answer.message) == ("invalid_grant", "Unable to parse the ID Token.")


@pytest.mark.parametrize(
    ("allowed", "audience", "is_taken"),
    [
        ((), "https:{name}", True),
        ((), "{name}", True),
        ((), "https://iam.googleapis.com/other", False),
        (("https://tavus.example.com",), "https://tavus.example.com", True),
        (("https://tavus.example.com",), "https://tavus.example.com/", False),
        (("https://tavus.example.com",), "https:{name}", False),
        (("one", "two"), "two", True),
    ],
)
def test_the_tokens_audience_is_one_of_the_providers(
    cloud: Cloud, allowed: tuple[str, ...], audience: str, is_taken: bool
) -> None:
    provider = cloud.provider(audiences=allowed)
    token = cloud.mint(provider, aud=audience.format(name=provider.full_name))
    with cloud.allowed() if is_taken else cloud.refused("the token's audience is"):
        answer = cloud.exchange(provider.full_name, token)
    assert answer.status == (200 if is_taken else 400)


def test_several_audiences_in_a_token_are_enough_if_one_fits(cloud: Cloud, provider: Provider) -> None:
    several = [f"https:{provider.full_name}", "https://example.com"]
    for audiences, status in ((several, 200), (several[1:], 400)):
        assert cloud.exchange(provider.full_name, cloud.mint(provider, aud=audiences)).status == status


def test_the_issuer_must_be_reachable_unless_its_keys_are_given(cloud: Cloud) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "one", "use": "sig"}
    unknown = "https://nobody.example.com"
    given = cloud.provider(
        issuer=unknown, oidc={"issuerUri": unknown, "jwksJson": json.dumps({"keys": [public]})}
    )
    fetched = cloud.provider(issuer=unknown)

    def token(provider: Provider, key: Any = key) -> str:
        now = int(time.time())
        said = {"iss": unknown, "sub": SUBJECT, "aud": provider.full_name, **claims_of(now)}
        return jwt.encode(said, key, "ES256", {"kid": "one"})

    with cloud.allowed():
        assert cloud.exchange(given.full_name, token(given)).status == 200
    with cloud.refused("didn't sign the token"):
        cloud.exchange(given.full_name, token(given, ec.generate_private_key(ec.SECP256R1())))
    with cloud.refused(f"nothing in the sandbox stands in for the issuer {unknown}"):
        answer = cloud.exchange(fetched.full_name, token(fetched))
    assert (answer.error, answer.message) == ("invalid_grant", UNREACHABLE)


@pytest.mark.parametrize(
    ("subject", "error"),
    [
        ("ws-1", ""),
        ("WS-1", "unauthorized_client"),
        ("ws-1 ", "unauthorized_client"),
        ("ws-2", "unauthorized_client"),
    ],
)
def test_the_condition_lets_one_subject_in(
    cloud: Cloud, provider: Provider, subject: str, error: str
) -> None:
    because = f"the condition assertion.sub == 'ws-1' is false for the subject \"{subject}\""
    with cloud.refused(because) if error else cloud.allowed():
        answer = cloud.exchange(provider.full_name, cloud.mint(provider, subject))
    if error:
        assert answer.error == error
        assert answer.message == "The given credential is rejected by the attribute condition."


@pytest.mark.parametrize(
    ("condition", "claims", "is_taken"),
    [
        ("assertion.workspace == 'a'", {"workspace": "a"}, True),
        ("assertion.workspace == 'a'", {"workspace": "b"}, False),
        ("assertion.workspace == 'a'", {}, False),
        ("'admins' in google.groups", {"groups": ["admins"]}, True),
        ("'admins' in google.groups", {"groups": ["others"]}, False),
        ("attribute.tenant == '7'", {}, True),
        ("google.subject.startsWith('ws-')", {}, True),
        ("assertion.email_verified", {"email_verified": True}, True),
        ("assertion.email_verified", {"email_verified": "true"}, False),
    ],
)
def test_a_condition_sees_claims_and_what_they_are_mapped_to(
    cloud: Cloud, condition: str, claims: dict[str, Any], is_taken: bool
) -> None:
    mapping = {
        "google.subject": "assertion.sub",
        "google.groups": "has(assertion.groups) ? assertion.groups : []",
        "attribute.tenant": "assertion.tenants[0]",
    }
    provider = cloud.provider(mapping=mapping, condition=condition)
    token = cloud.mint(provider, tenants=["7"], **claims)
    with cloud.allowed() if is_taken else cloud.refused("the condition"):
        answer = cloud.exchange(provider.full_name, token)
    assert answer.status == (200 if is_taken else 400)


@pytest.mark.parametrize(
    ("expression", "subject", "error", "because"),
    [
        ("assertion.sub", "s" * 127, "", ""),
        ("assertion.sub", "s" * 128, "invalid_request", "has 128 bytes"),
        ("assertion.sub", "é" * 64, "invalid_request", "has 128 bytes"),
        ("assertion.sub", "", "invalid_grant", "gives ''"),
        ("assertion.workspace", "ws-1", "invalid_grant", "no such member in mapping: 'workspace'"),
        ("assertion.iat", "ws-1", "invalid_grant", "gives "),
        ("assertion.sub.extract('/users/{sub_claim}')", "x/users/me", "", ""),
        ("assertion.sub.extract('/users/{sub_claim}')", "x/groups/me", "invalid_grant", "gives ''"),
        ("assertion.sub.split('/sc/')[1]", "organisation/sc/connection", "", ""),
        ("assertion.sub.split('/sc/')[1]", "organisation", "invalid_grant", "can't be evaluated"),
    ],
)
def test_the_subject_is_mapped_to_a_short_text(
    cloud: Cloud, expression: str, subject: str, error: str, because: str
) -> None:
    provider = cloud.provider(mapping={"google.subject": expression})
    with cloud.refused(because) if error else cloud.allowed():
        answer = cloud.exchange(provider.full_name, cloud.mint(provider, subject))
    assert (answer.status, answer.said.get("error", "")) == ((400, error) if error else (200, ""))


@pytest.mark.parametrize(
    ("key", "value", "is_known"),
    [
        ("attribute.n", "1", True),
        ("attribute.n", 1, False),
        ("attribute.n", ["1"], False),
        ("google.groups", ["g"], True),
        ("google.groups", "g", False),
        ("google.groups", [1], False),
    ],
)
def test_what_no_documentation_says_of_mapped_values_is_undecided(
    cloud: Cloud, key: str, value: object, is_known: bool
) -> None:
    provider = cloud.provider(mapping={"google.subject": "assertion.sub", key: "assertion.n"})
    with cloud.allowed() if is_known else cloud.undecided(f"the mapping of {key}"):
        answer = cloud.exchange(provider.full_name, cloud.mint(provider, n=value))
    assert answer.status == (200 if is_known else 501)


@pytest.mark.parametrize(("size", "is_taken"), [(8192 - len(SUBJECT), True), (8193 - len(SUBJECT), False)])
def test_all_that_is_mapped_has_8_kilobytes_at_most(cloud: Cloud, size: int, is_taken: bool) -> None:
    provider = cloud.provider(mapping={"google.subject": "assertion.sub", "attribute.a": "assertion.a"})
    with cloud.allowed("which has no condition") if is_taken else cloud.refused("exceeds 8192 bytes"):
        cloud.exchange(provider.full_name, cloud.mint(provider, a="a" * size))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({}, ""),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, ""),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"requested_token_type": JWT}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
    ],
)
def test_what_is_asked_for_must_be_an_exchange(
    cloud: Cloud, provider: Provider, changed: dict[str, str], error: str
) -> None:
    answer = cloud.exchange(provider.full_name, **{"token": cloud.mint(provider), **changed})
    assert answer.said.get("error", "") == error


@pytest.mark.parametrize(
    "changed",
    [
        {"subject_token_type": "urn:ietf:params:aws:token-type:aws4_request"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"actor_token": "x"},
        {"options": '{"accessBoundary": {}}'},
        {"audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/x"},
    ],
)
def test_other_exchanges_are_undecided(cloud: Cloud, provider: Provider, changed: dict[str, str]) -> None:
    form = {**FORM, "audience": provider.full_name, "subject_token": cloud.mint(provider), **changed}
    with cloud.undecided():
        assert cloud.http.post(TOKEN_URL, data=form, timeout=20).status_code == 501


def test_the_service_must_be_enabled_in_the_pools_project(cloud: Cloud, provider: Provider) -> None:
    token = cloud.mint(provider)
    with cloud.without("sts.googleapis.com"), cloud.refused("isn't enabled in the project acme-prod"):
        answer = cloud.exchange(provider.full_name, token)
    assert (answer.status, answer.error) == (403, "PERMISSION_DENIED")
    assert answer.said["error"]["details"][0]["reason"] == "SERVICE_DISABLED"
    with cloud.allowed():
        assert cloud.exchange(provider.full_name, token).status == 200


def test_without_tls_nothing_is_exchanged(cloud: Cloud, provider: Provider) -> None:
    form = {**FORM, "audience": provider.full_name, "subject_token": cloud.mint(provider)}
    with cloud.refused("SSL is required"):
        assert cloud.http.post(TOKEN_URL.replace("https:", "http:"), data=form, timeout=20).status_code == 403
