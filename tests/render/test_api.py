"""What the API is asked: held against the vendor's contract, and sent by the real curl to a server of that name."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from jsonschema import Draft202012Validator

from components import contract
from recording_storage.render import Destinations, Options, RenderError, render
from tests.render import readers
from tests.render.test_any_text import TEXT

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

S3 = {
    "provider": "s3",
    "bucket_name": "acme-calls",
    "bucket_region": "eu-west-1",
    "assume_role_arn": "arn:aws:iam::111122223333:role/recordings",
}
GCS = {
    "provider": "gcs",
    "bucket_name": "acme-meetings",
    "project_id": "acme-prod",
    "workload_identity_provider": "projects/123456789012/locations/global/workloadIdentityPools/acme/providers/acme",
    "service_account_email": "recorder@acme-prod.iam.gserviceaccount.com",
}
AZURE = {
    "provider": "azure_blob",
    "storage_account": "acmesupport",
    "container": "recordings",
    "tenant_id": "11111111-1111-4111-8111-111111111111",
    "client_id": "66666666-7777-4888-9999-000000000000",
}
EACH = {
    "s3": S3,
    "s3 with an external id": {**S3, "external_id": "acct-abc123"},
    "gcs": GCS,
    "azure_blob": AZURE,
}
TEXT_ = {"type": "string", "minLength": 1}


def fields(provider: str, *required: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    known = {"provider": {"const": provider}, **dict.fromkeys((*required, *optional), TEXT_)}
    return {
        "type": "object",
        "properties": known,
        "required": ["provider", *required],
        "additionalProperties": False,
    }


# https://docs.tavus.io/api-reference/conversations/create-conversation, of 2026-11: what this project sends of it.
REQUEST = Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "replica_id": TEXT_,
            "persona_id": TEXT_,
            "callback_url": TEXT_,
            "properties": {
                "type": "object",
                "properties": {
                    "enable_recording": {"const": True},
                    "recording_storage": {
                        "oneOf": [
                            fields(
                                "s3",
                                "bucket_name",
                                "bucket_region",
                                "assume_role_arn",
                                optional=("external_id",),
                            ),
                            fields(
                                "gcs",
                                "bucket_name",
                                "project_id",
                                "workload_identity_provider",
                                "service_account_email",
                            ),
                            fields("azure_blob", "storage_account", "container", "tenant_id", "client_id"),
                        ]
                    },
                },
                "required": ["enable_recording", "recording_storage"],
                "additionalProperties": False,
            },
        },
        "required": ["properties"],
        "anyOf": [{"required": ["replica_id"]}, {"required": ["persona_id"]}],
        "additionalProperties": False,
    }
)
LONE = Destinations({"calls": S3})


@pytest.mark.parametrize("which", EACH)
@pytest.mark.parametrize(
    "options",
    [
        Options(replica_id="r1"),
        Options(persona_id="p1"),
        Options(replica_id="r1", persona_id="p1", callback_url="https://example.com/tavus?token=x"),
    ],
)
def test_a_conversation_is_what_the_api_takes(which: str, options: Options) -> None:
    body = json.loads(render("conversation", Destinations({"calls": EACH[which]}), None, options))
    REQUEST.validate(body)
    assert contract.validate(body["properties"]["recording_storage"]) == []
    assert body["properties"]["recording_storage"] == EACH[which]
    assert {name: value for name, value in body.items() if name != "properties"} == options.said()


@pytest.mark.parametrize("form", ["conversation", "curl"])
def test_somebody_has_to_speak(form: str) -> None:
    with pytest.raises(RenderError, match="--replica-id"):
        render(form, LONE, None, Options(callback_url="https://example.com"))


@pytest.mark.parametrize(
    "url", ["example.com/x", "ftp://example.com", "https://", "https://a b", "https://[x"]
)
def test_a_callback_needs_an_address(url: str) -> None:
    with pytest.raises(RenderError, match="--callback-url"):
        render("conversation", LONE, None, Options(replica_id="r1", callback_url=url))


def test_the_older_flat_form_says_the_same() -> None:
    flat = json.loads(render("legacy", LONE, None, Options()))
    assert flat == contract.s3_legacy_properties(S3)


@pytest.mark.parametrize(
    ("which", "why"),
    [("gcs", "gcs"), ("azure_blob", "azure_blob"), ("s3 with an external id", "external_id")],
)
def test_what_the_older_form_has_no_room_for_is_refused(which: str, why: str) -> None:
    with pytest.raises(RenderError, match=why):
        render("legacy", Destinations({"calls": EACH[which]}), None, Options())


# --- curl -----------------------------------------------------------------------------------------


class Api:
    """A server that answers to the API's name, over TLS: what it was asked, and how to have curl find it."""

    def __init__(self, folder: Path) -> None:
        trustme = pytest.importorskip("trustme")
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("tavusapi.com").configure_cert(context)
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        asked = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked.append((self.path, headers, self.rfile.read(length)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the class's own name)
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        port = self.server.server_address[1]
        (folder / ".curlrc").write_text(
            f'connect-to = "tavusapi.com:443:127.0.0.1:{port}"\ncacert = "{folder / "ca.pem"}"\nsilent\n'
        )
        self.environment = {"PATH": os.environ["PATH"], "CURL_HOME": str(folder), "HOME": str(folder)}

    def run(self, shell: str, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Paste a command into a shell."""
        return subprocess.run(
            [readers.found(shell)],
            input=text,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=readers.SECONDS,
            check=False,
        )


@contextmanager
def serving(folder: Path) -> Generator[Api]:
    readers.found("curl")
    api = Api(folder)
    thread = threading.Thread(target=api.server.serve_forever)
    thread.start()
    try:
        yield api
    finally:
        api.server.shutdown()
        thread.join()
        api.server.server_close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[Api]:
    with serving(tmp_path_factory.mktemp("api")) as made:
        yield made


@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize("which", EACH)
def test_the_command_sends_the_conversation(shell: str, which: str, api: Api) -> None:
    options, one = (
        Options(replica_id="r1", callback_url="https://example.com/a?b='$c"),
        {"calls": EACH[which]},
    )
    text = render("curl", Destinations(one), None, options)
    done = api.run(shell, text, TAVUS_API_KEY="the key's $own `text`")
    assert (done.returncode, done.stderr) == (0, "")
    path, headers, body = api.requests.pop()
    assert path == "/v2/conversations"
    assert headers["x-api-key"] == "the key's $own `text`"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == json.loads(render("conversation", Destinations(one), None, options))


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_without_the_key_nothing_is_sent(shell: str, api: Api) -> None:
    done = api.run(shell, render("curl", LONE, None, Options(replica_id="r1")))
    assert done.returncode != 0
    assert "TAVUS_API_KEY: set it to your API key" in done.stderr
    assert api.requests == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=some.lists(TEXT, max_size=8), replica=TEXT.filter(lambda text: bool(text.strip())))
def test_the_command_sends_any_text(values: list[str], replica: str, api: Api) -> None:
    storage = {f"field_{number}": value for number, value in enumerate(values)}
    text = render("curl", Destinations({"calls": storage}), None, Options(replica_id=replica))
    assert api.run("bash", text, TAVUS_API_KEY="key").returncode == 0
    sent = json.loads(api.requests.pop()[2])
    assert (sent["replica_id"], sent["properties"]["recording_storage"]) == (replica, storage)
