"""The exchange of an issuer's token: each refusal beside its nearest neighbour that is allowed."""

from __future__ import annotations

import base64
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential, WorkloadIdentityCredential
from azure_cloud import (
    ARM_SCOPE,
    AUDIENCE,
    ISSUER,
    LOGIN,
    OTHER_TENANT,
    STORAGE_SCOPE,
    SUBJECT,
    TENANT,
    guid,
)

from recording_storage.sandbox.azure import occasion
from recording_storage.sandbox.azure.owner import Owner

if TYPE_CHECKING:
    from pathlib import Path

    from azure_cloud import Cloud

    from recording_storage.sandbox.azure.directory import Application

EXPIRED, NO_MATCH = 700024, (700211, 700212, 700213)


@pytest.fixture(scope="module")
def app(cloud: Cloud) -> Application:
    return cloud.application()


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_token_of_the_issuer_is_exchanged(cloud: Cloud, app: Application) -> None:
    principal = occasion.acting_as(app, cloud.tenant)
    with cloud.allowed(f"the subject {SUBJECT} of {ISSUER} is accepted by the federated credential tests"):
        answer = cloud.exchange(app.app_id, cloud.mint())
    assert answer.status == 200
    token = answer.said.pop("access_token")
    assert answer.said == {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
    said = claims_of(token)
    assert (said["oid"], said["appid"], said["tid"]) == (principal.object_id, app.app_id, TENANT)
    assert (said["iss"], said["aud"]) == (f"https://sts.windows.net/{TENANT}/", "https://storage.azure.com")
    entry = cloud.journal.since()[-1]
    assert (entry.who, entry.what) == (f"sp:{principal.object_id}", "client_credentials")
    assert entry.resource == f"{LOGIN}/{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({}, 0),
        ({"iss": f"{ISSUER}/"}, 700211),
        ({"iss": "https://other.example.com"}, 700211),
        ({"iss": ISSUER.replace("issuer", "ISSUER")}, 7002138),
        ({"aud": "api://AzureADTokenExchange/"}, 700212),
        ({"aud": [AUDIENCE]}, 0),
        ({"aud": AUDIENCE.lower()}, 7002138),
        ({"sub": "Workspace-2"}, 700213),
        ({"sub": SUBJECT + " "}, 700213),
        ({"sub": SUBJECT.lower()}, 7002138),
        ({"sub": ""}, 50027),
        ({"exp": int(time.time()) - 60}, EXPIRED),
        ({"nbf": int(time.time()) + 86400}, EXPIRED),
        ({"nbf": int(time.time()) - 60}, 0),
        ({"exp": None}, 50027),
        ({"forged": True}, 700027),
        ({"forged": False}, 0),
    ],
)
def test_the_three_values_and_the_signature_must_be_right(
    cloud: Cloud, app: Application, claims: dict[str, Any], number: int
) -> None:
    with cloud.refused() if number else cloud.allowed():
        answer = cloud.exchange(app.app_id, cloud.mint(**claims))
    assert (answer.number, answer.status == 200) == (number, not number)
    if number:
        assert answer.said["error_description"].startswith(f"AADSTS{number}: ")
        assert answer.said["error_uri"].endswith(f"?code={number}")


def test_the_journal_says_what_differs(cloud: Cloud, app: Application) -> None:
    with cloud.refused(
        f"the assertion's subject is 'workspace-1', and the federated credential's '{SUBJECT}': they"
    ):
        cloud.exchange(app.app_id, cloud.mint(SUBJECT.lower()))
    with cloud.refused("the assertion has expired"):
        cloud.exchange(app.app_id, cloud.mint(lifetime=-5))
    with cloud.refused(f"the key {cloud.issuer.kid} of {ISSUER} didn't sign the assertion"):
        cloud.exchange(app.app_id, cloud.mint(forged=True))


@pytest.mark.parametrize("wanted", [SUBJECT, "*", "Workspace-*"])
def test_an_asterisk_is_no_wildcard(cloud: Cloud, wanted: str) -> None:
    app = cloud.application(occasion.federated_credential("tests", ISSUER, wanted))
    assert cloud.exchange(app.app_id, cloud.mint()).number == (0 if wanted == SUBJECT else 700213)
    assert cloud.exchange(app.app_id, cloud.mint(wanted)).status == 200


def test_the_credential_may_end_with_a_slash_too(cloud: Cloud) -> None:
    url = "https://slash.example.com/"
    issuer = cloud.issuers.add(url)
    app = cloud.application(occasion.federated_credential("tests", url, SUBJECT))
    assert cloud.exchange(app.app_id, issuer.mint(SUBJECT, AUDIENCE)).status == 200
    assert cloud.exchange(app.app_id, issuer.mint(SUBJECT, AUDIENCE, iss=url.rstrip("/"))).number == 700211


def test_an_issuer_must_be_reachable(cloud: Cloud) -> None:
    url = "https://unreachable.example.com"
    app = cloud.application(occasion.federated_credential("tests", url, SUBJECT))
    token = cloud.mint(iss=url)
    with cloud.refused(f"nothing in the sandbox stands in for the issuer {url}"):
        answer = cloud.exchange(app.app_id, token)
    assert (answer.status, answer.said["error"], answer.number) == (400, "invalid_request", 90061)
    issuer = cloud.issuers.add(url)
    assert cloud.exchange(app.app_id, token).number == 7000272  # another's key
    assert cloud.exchange(app.app_id, issuer.mint(SUBJECT, AUDIENCE)).status == 200


def test_one_of_several_credentials_is_enough(cloud: Cloud) -> None:
    credentials = [occasion.federated_credential(f"tests-{n}", ISSUER, f"Workspace-{n}") for n in range(3)]
    app = cloud.application(*credentials)
    for n in range(4):
        with (
            cloud.allowed(f"credential tests-{n} ")
            if n < 3
            else cloud.refused("'Workspace-0' or 'Workspace-1' or")
        ):
            cloud.exchange(app.app_id, cloud.mint(f"Workspace-{n}"))


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"client_id": ""}, 900144),
        ({"grant_type": ""}, 900144),
        ({"grant_type": "nonsense"}, 70003),
        ({"scope": ""}, 900144),
        ({"scope": "https://storage.azure.com/user_impersonation"}, 1002012),
        ({"scope": "https://nobody.example.com/.default"}, 500011),
        ({"client_assertion": ""}, 7000216),
        ({"client_assertion": "nonsense"}, 50027),
        ({"client_assertion_type": "nonsense"}, 70002),
        ({"client_secret": "secret"}, 7000215),
        ({"client_assertion": "", "client_secret": "secret"}, 7000215),
        ({"claims": "{}"}, 0),
    ],
)
def test_a_request_must_be_whole(
    cloud: Cloud, app: Application, changed: dict[str, str], number: int
) -> None:
    form: dict[str, str] = {"client_assertion": cloud.mint(), "client": app.app_id, **changed}
    answer = cloud.exchange(form.pop("client"), form.pop("client_assertion"), **form)
    assert (answer.number, answer.status == 200) == (number, not number)


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        (STORAGE_SCOPE, "https://storage.azure.com"),
        ("https://storage.azure.com//.default", "https://storage.azure.com/"),
        ("https://some.blob.core.windows.net/.default", "https://some.blob.core.windows.net"),
        (ARM_SCOPE, "https://management.azure.com"),
        ("https://management.core.windows.net//.default", "https://management.core.windows.net/"),
        ("https://graph.microsoft.com/.default", "https://graph.microsoft.com"),
        ("https://vault.azure.net/.default", "https://vault.azure.net"),
    ],
)
def test_a_token_is_for_what_its_scope_says(
    cloud: Cloud, app: Application, scope: str, audience: str
) -> None:
    answer = cloud.exchange(app.app_id, cloud.mint(), scope=scope)
    assert claims_of(answer.said["access_token"])["aud"] == audience


def test_the_older_endpoint_takes_a_resource(cloud: Cloud, app: Application) -> None:
    url, resource = f"{LOGIN}/{TENANT}/oauth2/token", "https://management.core.windows.net/"
    form = {
        "grant_type": "client_credentials",
        "client_id": app.app_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": cloud.mint(),
        "resource": resource,
    }
    said = cloud.http.post(url, data=form, timeout=20).json()
    assert (said["resource"], claims_of(said["access_token"])["aud"]) == (resource, resource)
    del form["resource"]
    assert cloud.http.post(url, data=form, timeout=20).json()["error_codes"] == [900144]


@pytest.mark.parametrize(
    ("tenant", "number"),
    [
        (TENANT, 0),
        (TENANT.upper(), 0),
        ("aaaa1111.onmicrosoft.com", 0),
        (OTHER_TENANT, 700016),
        ("00000000-0000-0000-0000-000000000000", 90002),
        ("nobody.example.com", 90002),
        ("nonsense", 900023),
    ],
)
def test_the_tenant_is_the_applications_own(cloud: Cloud, app: Application, tenant: str, number: int) -> None:
    answer = cloud.exchange(app.app_id, cloud.mint(), tenant=tenant)
    assert (answer.number, answer.status == 200) == (number, not number)


def test_the_client_is_named_by_its_client_id(cloud: Cloud, app: Application) -> None:
    principal = occasion.acting_as(app, cloud.tenant)
    with cloud.refused(f"that is the object id of the application {app.display_name}"):
        assert cloud.exchange(app.id, cloud.mint()).number == 700016
    with cloud.refused("that is the object id of a service principal"):
        assert cloud.exchange(principal.object_id, cloud.mint()).number == 700016
    with cloud.refused("there is no client"):
        assert cloud.exchange(guid(), cloud.mint()).number == 700016
    assert cloud.exchange(app.app_id.upper(), cloud.mint()).status == 200


def test_an_application_needs_a_service_principal_and_a_credential(cloud: Cloud) -> None:
    app = cloud.application()
    principal = cloud.directory.principal(app.app_id)
    assert principal is not None
    principal.deleted = cloud.world.now()
    assert cloud.exchange(app.app_id, cloud.mint()).number == 7000229
    principal.deleted = None
    principal.said["accountEnabled"] = False
    assert cloud.exchange(app.app_id, cloud.mint()).number == 7000112
    principal.said["accountEnabled"] = True
    taken, app.credentials = app.credentials, []
    assert cloud.exchange(app.app_id, cloud.mint()).number == 70025
    app.credentials = taken
    assert cloud.exchange(app.app_id, cloud.mint()).status == 200


def test_a_managed_identity_is_federated_too(cloud: Cloud) -> None:
    credential = occasion.federated_credential("tests", ISSUER, SUBJECT)
    identity = occasion.managed_identity(cloud.world, cloud.group, "federated", credential)
    client = identity.principal.app_id
    assert (
        claims_of(cloud.exchange(client, cloud.mint()).said["access_token"])["oid"] == identity.principal.id
    )
    assert cloud.exchange(client, cloud.mint("Workspace-2")).number == 700213
    cloud.world.remove(identity)
    assert cloud.exchange(client, cloud.mint()).number == 700016


@pytest.mark.parametrize(
    ("algorithm", "outcome"), [("none", "refused"), ("HS256", "refused"), ("ES256", "undecided")]
)
def test_only_one_algorithm_is_supported(
    cloud: Cloud, app: Application, algorithm: str, outcome: str
) -> None:
    header, payload, signature = cloud.mint().split(".")
    read = json.loads(base64.urlsafe_b64decode(header + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(read | {"alg": algorithm}).encode()).decode().rstrip("=")
    with getattr(cloud, outcome)():
        cloud.exchange(app.app_id, f"{changed}.{payload}.{signature}")


def test_a_certificates_assertion_is_refused(cloud: Cloud, app: Application) -> None:
    assert cloud.exchange(app.app_id, cloud.mint(iss=app.app_id)).number == 700027


def test_what_is_not_known_is_undecided(cloud: Cloud, app: Application) -> None:
    for changed in ({"scope": f"api://{app.app_id}/.default"}, {"grant_type": "refresh_token"}):
        with cloud.undecided():
            assert cloud.exchange(app.app_id, cloud.mint(), **changed).status == 501
    with cloud.undecided("2 audiences"):
        cloud.exchange(app.app_id, cloud.mint(aud=[AUDIENCE, "other"]))
    with cloud.undecided("without a tenant"):
        cloud.exchange(app.app_id, cloud.mint(), tenant="common")


def test_the_tokens_signature_can_be_checked_by_the_published_keys(cloud: Cloud, app: Application) -> None:
    found = cloud.http.get(f"{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration", timeout=20).json()
    assert (found["issuer"], found["token_endpoint"]) == (
        f"{LOGIN}/{TENANT}/v2.0",
        f"{LOGIN}/{TENANT}/oauth2/v2.0/token",
    )
    (key,) = cloud.http.get(found["jwks_uri"], timeout=20).json()["keys"]
    token = cloud.exchange(app.app_id, cloud.mint()).said["access_token"]
    said = jwt.decode(token, jwt.PyJWK(key).key, ["RS256"], audience="https://storage.azure.com")
    assert said["appid"] == app.app_id
    shared = cloud.http.get(f"{LOGIN}/common/.well-known/openid-configuration", timeout=20).json()
    assert shared["issuer"] == "https://sts.windows.net/{tenantid}/"
    query = {"api-version": "1.1", "authorization_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/authorize"}
    hosts = cloud.http.get(f"{LOGIN}/common/discovery/instance", params=query, timeout=20).json()
    assert TENANT in hosts["tenant_discovery_endpoint"]


def test_plain_http_gets_no_token(cloud: Cloud, app: Application) -> None:
    with cloud.refused("without TLS"):
        cloud.http.post(f"http://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token", timeout=20)


@pytest.fixture
def variables(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("variables")
def test_azure_identity_exchanges_an_assertion(cloud: Cloud, app: Application) -> None:
    good = ClientAssertionCredential(TENANT, app.app_id, cloud.mint)
    assert claims_of(good.get_token(STORAGE_SCOPE).token)["appid"] == app.app_id
    bad = ClientAssertionCredential(TENANT, app.app_id, lambda: cloud.mint(SUBJECT.lower()))
    with pytest.raises(ClientAuthenticationError, match="AADSTS7002138"):
        bad.get_token(STORAGE_SCOPE)


@pytest.mark.usefixtures("variables")
def test_an_owner_is_who_its_variables_say(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = Owner(TENANT)
    for name, value in owner.files({"AZURE_CONFIG_DIR": str(tmp_path / "azure")}).items():
        monkeypatch.setenv(name, value)
    cloud.azure.admit(owner)
    with cloud.later(timedelta(days=30)):
        token = WorkloadIdentityCredential().get_token(ARM_SCOPE).token
        url = f"https://management.azure.com/subscriptions/{owner.subscription}?api-version=2022-12-01"
        assert cloud.call("GET", url, token=token).said["subscriptionId"] == owner.subscription
