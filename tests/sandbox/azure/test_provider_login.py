"""Who asks Azure for a provider, and how it is asked: tokens, errors, what takes longer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure_cloud import OTHER_TENANT, SUBSCRIPTION, TENANT, guid
from azure_provider import ENTRA, NATIVE, being_the_owner
from requests.adapters import BaseAdapter
from typing_extensions import override

from recording_storage.resources import UnsupportedError
from recording_storage.resources.azure import login, rest
from recording_storage.resources.azure.rest import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from azure_cloud import Cloud

    from recording_storage.resources.azure_native.arm import Clients

ARM = "https://management.azure.com"


@pytest.fixture
def environment(cloud: Cloud, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    with being_the_owner(cloud, tmp_path) as patch:
        yield patch


@pytest.mark.parametrize("left", ["ARM_", "AZURE_"])
def test_the_providers_variables_do_or_those_of_workload_identities(
    environment: pytest.MonkeyPatch, left: str
) -> None:
    names = ("TENANT_ID", "CLIENT_ID", "SUBSCRIPTION_ID", "OIDC_TOKEN_FILE_PATH", "FEDERATED_TOKEN_FILE")
    for other in {"ARM_", "AZURE_"} - {left}:
        for name in names:
            environment.delenv(other + name, raising=False)
    assert NATIVE.configure({}).subscription == SUBSCRIPTION
    assert ENTRA.configure({}).tenant == TENANT


def test_the_configuration_is_asked_first(environment: pytest.MonkeyPatch, cloud: Cloud) -> None:
    for name in ("ARM_CLIENT_ID", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID"):
        environment.setenv(name, guid())
    environment.setenv("ARM_OIDC_TOKEN_FILE_PATH", "/nowhere")
    said = {"tenantId": TENANT, "clientId": cloud.owner.client_id, "subscriptionId": SUBSCRIPTION}
    clients = NATIVE.configure({**said, "oidcToken": cloud.owner.assertion, "useOidc": "true"})
    assert (clients.tenant, clients.claims["appid"]) == (TENANT, cloud.owner.client_id)
    with pytest.raises(FileNotFoundError):
        NATIVE.configure(said)


def test_what_is_missing_is_said(environment: pytest.MonkeyPatch) -> None:
    for name in ("ARM_CLIENT_ID", "AZURE_CLIENT_ID"):
        environment.delenv(name)
    with pytest.raises(
        PermissionError, match="neither clientId nor ARM_CLIENT_ID nor AZURE_CLIENT_ID is set"
    ):
        NATIVE.configure({})


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"tenantId": guid()}, "AADSTS90002: Tenant '.*' not found"),
        ({"tenantId": OTHER_TENANT}, "AADSTS700016: Application with identifier"),
        ({"oidcToken": "a.b.c"}, "AADSTS"),
    ],
)
def test_credentials_that_do_not_fit(said: dict[str, Any], what: str) -> None:
    for provider in (NATIVE, ENTRA):
        with pytest.raises(PermissionError, match=f"^credentials: {what}") as failed:
            provider.configure(said)
        assert "Trace ID" not in str(failed.value)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("said", [{"clientSecret": "s"}, {"useMsi": "true"}, {"environment": "china"}])
def test_another_way_in_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError):
        NATIVE.configure(said)
    NATIVE.configure(dict.fromkeys(said, "") | {"useMsi": False, "environment": "public"})


def test_a_token_is_kept_and_the_next_one_is_got_with_what_is_in_the_file_then(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clients = NATIVE.configure({})
    (tmp_path / "federated_token").write_text("another")
    assert (
        clients.find(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/none", **{"api-version": "2024-03-01"})
        is None
    )
    environment.setattr(login, "SPARE_SECONDS", 10**6)
    with pytest.raises(PermissionError, match="AADSTS"):
        clients.find(f"/subscriptions/{SUBSCRIPTION}", **{"api-version": "2022-12-01"})


class Script(BaseAdapter):
    """Answers requests in turn, and keeps what was asked for."""

    def __init__(self, *answers: tuple[int, dict[str, str], Any]) -> None:
        super().__init__()
        self._answers = list(answers)
        self.asked: list[str] = []

    @override
    def send(self, request: requests.PreparedRequest, *_: Any, **more: Any) -> requests.Response:
        self.asked.append(f"{request.method} {request.url}")
        answer = requests.Response()
        answer.status_code, headers, body = self._answers.pop(0)
        answer.headers.update({"x-ms-retry-after-ms": "1", **headers})
        answer._content = (
            b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        answer.url, answer.request = str(request.url), request
        return answer

    @override
    def close(self) -> None:
        pass


def scripted(*answers: tuple[int, dict[str, str], Any]) -> tuple[Clients, Script]:
    clients, script = NATIVE.configure({}), Script(*answers)
    clients._session.mount(ARM, script)
    return clients, script


NOTHING: dict[str, str] = {}
PLAIN = {"Retry-After": "0", "x-ms-retry-after-ms": ""}
WORKING = {"Azure-AsyncOperation": f"{ARM}/status"}


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    "answers",
    [
        [(202, {"Location": f"{ARM}/result"}, None), (202, NOTHING, None), (200, NOTHING, {"name": "x"})],
        [(202, {"Location": f"{ARM}/a", **PLAIN}, None), (202, PLAIN, None), (200, NOTHING, {"name": "x"})],
        [
            (201, WORKING, NOTHING),
            (200, NOTHING, {"status": "Running"}),
            (200, NOTHING, {"status": "Succeeded", "name": "x"}),
        ],
        [
            (202, WORKING, None),
            (200, NOTHING, {"status": "InProgress"}),
            (200, NOTHING, {"status": "Succeeded", "name": "x"}),
        ],
    ],
)
def test_what_takes_longer_is_waited_for(answers: list[Any]) -> None:
    clients, script = scripted(*answers)
    assert clients.call("PUT", "/x", {})["name"] == "x"
    assert len(script.asked) == 3


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("answers", "what"),
    [
        (
            [
                (202, WORKING, None),
                (200, NOTHING, {"status": "Failed", "error": {"code": "Bad", "message": "no"}}),
            ],
            "PUT …/c/d: Bad: no",
        ),
        ([(202, WORKING, None), (200, NOTHING, {"status": "Canceled"})], "PUT …/c/d: Canceled: "),
        (
            [
                (202, {"Location": f"{ARM}/result"}, None),
                (400, NOTHING, {"error": {"code": "Bad", "message": "no"}}),
            ],
            "PUT …/c/d: 400 Bad: no",
        ),
        ([(202, {"Location": "https://other.example.com/"}, None)], "where the token isn't shown"),
        ([(202, {"Location": f"{ARM}.example.com/"}, None)], "where the token isn't shown"),
        ([(502, NOTHING, b" a proxy's words ")], "PUT …/c/d: 502: a proxy's words"),
    ],
)
def test_what_fails_is_said(answers: list[Any], what: str) -> None:
    clients, _ = scripted(*answers)
    with pytest.raises(ApiError) as failed:
        clients.call("PUT", "/a/b/c/d", {})
    assert what in str(failed.value)


def test_patience_has_an_end(environment: pytest.MonkeyPatch) -> None:
    clients, _ = scripted(*[(202, {"Location": f"{ARM}/result"}, None)] * 100)
    environment.setattr(rest, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(TimeoutError, match=r"^DELETE /x: it isn't done after 0 s"):
        clients.call("DELETE", "/x")


@pytest.mark.usefixtures("environment")
def test_where_nobody_says_where_to_ask_it_is_not_waited() -> None:
    clients, script = scripted((202, NOTHING, None))
    assert clients.call("DELETE", "/x") == {}
    assert script.asked == [f"DELETE {ARM}/x"]
