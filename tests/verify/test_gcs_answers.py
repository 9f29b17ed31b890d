"""What the sandbox can't show of Google Cloud Storage: other answers of Google's, judged."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest
from google.auth.credentials import Credentials
from google.auth.exceptions import RefreshError

from components.gcs_policies import condition, mapping, principal
from components.trust import effective_gcs
from recording_storage.verify import gcs_reading, gcs_rest
from recording_storage.verify.checks import CouldNotTell, Finding, NoCredentials, Unreadable
from recording_storage.verify.gcs import GcsVerifier
from recording_storage.verify.gcs_checks import GCS_CHECKS
from recording_storage.verify.gcs_rest import Refused, Rest
from recording_storage.verify.reads import Reads
from recording_storage.verify.targets import Known, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

ISSUER = "https://recording-copy.tavus.io"
POOL = "projects/123456789012/locations/global/workloadIdentityPools/calls"
PROVIDER = f"{POOL}/providers/recording-service"
EMAIL = "rec@acme-prod.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{EMAIL}"
KEYS = {
    "keys": [{"kid": "one", "kty": "RSA", "n": "n1", "e": "AQAB"}, {"kid": "two", "kty": "RSA", "n": "n2"}]
}
TARGET = Target(
    "calls",
    {
        "provider": "gcs",
        "bucket_name": "acme-calls",
        "project_id": "acme-prod",
        "workload_identity_provider": PROVIDER,
        "service_account_email": EMAIL,
    },
    Known(workspace_id="w-acme"),
)
TROUBLESHOOTER = "https://policytroubleshooter.googleapis.com/v3/iam:troubleshoot"
BUCKET = "https://storage.googleapis.com/storage/v1/b/acme-calls"
ACCOUNT = f"https://iam.googleapis.com/v1/projects/acme-prod/serviceAccounts/{EMAIL}"
PROJECT = "https://cloudresourcemanager.googleapis.com/v1/projects/acme-prod"
SERVICES = "https://serviceusage.googleapis.com/v1/projects/acme-prod/services:batchGet"
IAM = "https://iam.googleapis.com/v1/"
KEY = "projects/acme-prod/locations/europe-west1/keyRings/r/cryptoKeys/k"
KMS = f"https://cloudkms.googleapis.com/v1/{KEY}"
CREATOR = {"role": "roles/storage.objectCreator", "members": [MEMBER]}
TRUST = {"role": "roles/iam.workloadIdentityUser", "members": [principal(POOL, "w-acme")]}
PROVIDERS = f"{IAM}{POOL}/providers"
SAID = {
    "name": PROVIDER,
    "state": "ACTIVE",
    "oidc": {"issuerUri": ISSUER},
    "attributeMapping": mapping("assertion.sub"),
    "attributeCondition": condition("w-acme"),
}
GREEN: dict[str, Any] = {
    IAM + POOL.rpartition("/")[0]: {"workloadIdentityPools": [{"name": POOL, "state": "ACTIVE"}]},
    PROVIDERS: {"workloadIdentityPoolProviders": [SAID]},
    ACCOUNT: {"email": EMAIL},
    f"{ACCOUNT}:getIamPolicy": {"bindings": [TRUST]},
    f"{ACCOUNT}/keys": {},
    BUCKET: {
        "name": "acme-calls",
        "projectNumber": "123456789012",
        "location": "EUROPE-WEST1",
        "iamConfiguration": {
            "publicAccessPrevention": "enforced",
            "uniformBucketLevelAccess": {"enabled": True},
        },
    },
    f"{BUCKET}/iam": {"bindings": [CREATOR]},
    PROJECT: {"projectNumber": "123456789012", "projectId": "acme-prod"},
    f"{PROJECT}:getIamPolicy": {},
    SERVICES: {
        "services": [
            {"name": f"projects/1/services/{api}.googleapis.com", "state": "ENABLED"}
            for api in gcs_reading.APIS
        ]
    },
    TROUBLESHOOTER: {"overallAccessState": "CAN_ACCESS"},
}


class Answers:
    """Google's APIs, as far as there are answers; what is an exception is raised, what isn't there is 404."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def call(self, permission: str, method: str, url: str, body: object = None, **query: object) -> Any:
        del method, body, query
        found = self._answers.get(url)
        if found is None:
            raise Refused(404, "NOT_FOUND", "there is no such thing", {"permission": permission})
        if isinstance(found, Exception):
            raise found
        return found

    def pages(self, permission: str, url: str, field: str, **query: object) -> list[Json]:
        return self.call(permission, "GET", url, **query).get(field, [])


def decide(
    monkeypatch: pytest.MonkeyPatch,
    changes: Mapping[str, Any] | None = None,
    target: Target = TARGET,
    published: object = ({"issuer": ISSUER}, KEYS),
) -> dict[str, Finding | CouldNotTell]:
    """How each check ends, of a green destination of which some answers are others."""

    def publish(reads: Reads, issuer: str) -> object:
        del reads, issuer
        if isinstance(published, Exception):
            raise published
        return published

    def answering(reads: Reads, whom: str) -> Answers:
        del reads, whom
        return Answers(GREEN | dict(changes or {}))

    monkeypatch.setattr("recording_storage.verify.gcs.connect", answering)
    monkeypatch.setattr(gcs_reading, "_published", publish)
    found: dict[str, Finding | CouldNotTell] = {}
    for id_, decider in GcsVerifier(Reads()).begin(target).items():
        try:
            found[id_] = decider()
        except CouldNotTell as unknown:
            found[id_] = unknown
    return found


def troubles(found: Mapping[str, Finding | CouldNotTell]) -> dict[str, str]:
    said = {
        id_: "unknown" if isinstance(one, CouldNotTell) else one.status.value for id_, one in found.items()
    }
    return {id_: status for id_, status in said.items() if status != "pass"}


def words(one: Finding | CouldNotTell) -> str:
    return one.why if isinstance(one, CouldNotTell) else one.evidence


def with_(url: str, **changes: Any) -> dict[str, Any]:
    """One answer with some fields changed."""
    return {url: {**GREEN[url], **changes}}


def provider(**changes: Any) -> dict[str, Any]:
    """The provider with some fields changed."""
    return {PROVIDERS: {"workloadIdentityPoolProviders": [{**SAID, **changes}]}}


def disabled(service: str, consumer: str = "projects/987") -> Refused:
    return Refused(403, "SERVICE_DISABLED", "off", {"service": service, "consumer": consumer})


def denied(permission: str) -> Refused:
    return Refused(
        403, "IAM_PERMISSION_DENIED", f"Permission {permission} denied", {"permission": permission}
    )


def test_the_answers_are_those_of_a_green_destination(monkeypatch: pytest.MonkeyPatch) -> None:
    found = decide(monkeypatch)
    assert troubles(found) == {}
    assert list(found) == [one.id for one in GCS_CHECKS]


NOT_GRANTED = {"allowPolicyExplanation": {"allowAccessState": "ALLOW_ACCESS_STATE_NOT_GRANTED"}}
DENIED = {"denyPolicyExplanation": {"denyAccessState": "DENY_ACCESS_STATE_DENIED"}}


@pytest.mark.parametrize(
    ("answer", "bindings", "status", "said"),
    [
        ({"overallAccessState": "CAN_ACCESS"}, [CREATOR], "pass", "says CAN_ACCESS"),
        ({"overallAccessState": "CANNOT_ACCESS", **DENIED}, [CREATOR], "fail", "a deny policy denies it"),
        ({"overallAccessState": "CANNOT_ACCESS", **NOT_GRANTED}, [CREATOR], "fail", "says CANNOT_ACCESS"),
        ({"overallAccessState": "UNKNOWN_INFO"}, [CREATOR], "pass", "can't tell (UNKNOWN_INFO"),
        ({"overallAccessState": "CAN_ACCESS"}, [], "warn", "something above the project lets it"),
        ({"overallAccessState": "CANNOT_ACCESS"}, [], "fail", "no binding on"),
        (disabled("policytroubleshooter.googleapis.com"), [CREATOR], "pass", "isn't enabled in projects/987"),
        (denied("x.y.z"), [CREATOR], "pass", "wasn't asked: 403"),
        (Unreadable("", "no network"), [CREATOR], "pass", "wasn't asked: no network"),
    ],
)
def test_the_troubleshooter_is_heard(
    monkeypatch: pytest.MonkeyPatch, answer: Any, bindings: list[Json], status: str, said: str
) -> None:
    found = decide(monkeypatch, {TROUBLESHOOTER: answer, f"{BUCKET}/iam": {"bindings": bindings}})
    assert troubles(found) == ({} if status == "pass" else {"G6": status})
    assert said in words(found["G6"])


@pytest.mark.parametrize(
    ("published", "status", "said"),
    [
        (Refused(404, "", "it isn't there", {}), "fail", "Google can't learn the issuer's keys"),
        (Unreadable("", "no route", "see whether"), "unknown", "no route"),
        (({"issuer": ISSUER + "/"}, KEYS), "fail", "is of the issuer"),
    ],
)
def test_what_the_issuer_publishes(
    monkeypatch: pytest.MonkeyPatch, published: object, status: str, said: str
) -> None:
    found = decide(monkeypatch, published=published)
    assert troubles(found) == {"G10": status}
    assert said in words(found["G10"])


@pytest.mark.parametrize(
    ("uploaded", "status", "said"),
    [
        (json.dumps(KEYS), "", "are the issuer's"),
        (json.dumps({"keys": KEYS["keys"][:1]}), "warn", "only one were uploaded"),
        (json.dumps({"keys": [*KEYS["keys"], {"kid": "three"}]}), "warn", "not the issuer's: three"),
        (
            json.dumps({"keys": [{"kid": "one", "kty": "RSA", "n": "another"}]}),
            "fail",
            "none of the issuer's",
        ),
        ("[]", "fail", "none of the issuer's"),
        ("no JSON", "fail", "can't be read"),
    ],
)
def test_keys_that_were_uploaded(
    monkeypatch: pytest.MonkeyPatch, uploaded: str, status: str, said: str
) -> None:
    changes = provider(oidc={"issuerUri": ISSUER, "jwksJson": uploaded})
    found = decide(monkeypatch, changes)
    assert troubles(found) == ({"G10": status} if status else {})
    assert said in words(found["G10"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # A door that is shut for everybody.
        (with_(BUCKET, billing={"requesterPays": True}), {"G6": "fail"}),
        (with_(BUCKET, ipFilter={"mode": "Enabled"}), {"G6": "fail"}),
        # Another kind of provider.
        (
            provider(oidc=None, aws={"accountId": "1"}, attributeCondition="true"),
            {"G3": "unknown", "G4": "unknown", "G10": "fail"},
        ),
        # A list of one that isn't a list, and a binding without members.
        ({f"{BUCKET}/iam": {"bindings": CREATOR | {"members": MEMBER}}}, {}),
        ({f"{PROJECT}:getIamPolicy": {"bindings": [{"role": "roles/owner"}]}}, {}),
        # Members that are gone.
        (
            {
                f"{ACCOUNT}:getIamPolicy": {
                    "bindings": [TRUST | {"members": [*TRUST["members"], "deleted:user:a@example.com?uid=1"]}]
                }
            },
            {},
        ),
        # A key of Google's own isn't one that somebody has made.
        ({f"{ACCOUNT}/keys": {"keys": [{"name": "k/1", "keyType": "SYSTEM_MANAGED"}]}}, {}),
        # Google's own agents act in every project.
        (
            {
                f"{PROJECT}:getIamPolicy": {
                    "bindings": [
                        {"role": "roles/compute.serviceAgent", "members": ["serviceAccount:s@x.y.z"]}
                    ]
                }
            },
            {},
        ),
        # Roles that are looked up.
        (
            {
                f"{PROJECT}:getIamPolicy": {
                    "bindings": [{"role": "roles/run.developer", "members": ["user:dev@example.com"]}]
                },
                IAM + "roles/run.developer": {"includedPermissions": ["iam.serviceAccounts.actAs"]},
            },
            {"G5": "warn"},
        ),
        (
            {
                f"{PROJECT}:getIamPolicy": {"bindings": [{"role": "roles/dns.reader", "members": [MEMBER]}]},
                IAM + "roles/dns.reader": {"includedPermissions": ["dns.managedZones.get"]},
            },
            {"G13": "warn"},
        ),
        (
            {
                f"{PROJECT}:getIamPolicy": {
                    "bindings": [{"role": "projects/acme-prod/roles/x", "members": ["user:dev@example.com"]}]
                },
                IAM + "projects/acme-prod/roles/x": denied("iam.roles.get"),
            },
            {"G5": "unknown"},
        ),
        # A custom role that was deleted or disabled permits nothing.
        (
            {
                f"{BUCKET}/iam": {"bindings": [{"role": "projects/acme-prod/roles/x", "members": [MEMBER]}]},
                IAM + "projects/acme-prod/roles/x": {
                    "deleted": True,
                    "includedPermissions": ["storage.objects.create"],
                },
                TROUBLESHOOTER: {"overallAccessState": "CANNOT_ACCESS"},
            },
            {"G6": "fail"},
        ),
        # A group that may have the service account for a member.
        (
            {f"{BUCKET}/iam": {"bindings": [CREATOR | {"members": ["group:writers@example.com"]}]}},
            {"G6": "unknown"},
        ),
        (
            {
                f"{BUCKET}/iam": {
                    "bindings": [CREATOR | {"condition": {"expression": 'resource.matchTag("a/b", "c")'}}]
                }
            },
            {"G6": "unknown"},
        ),
        # The account writes as an editor of the project.
        (
            {
                f"{BUCKET}/iam": {
                    "bindings": [
                        {"role": "roles/storage.legacyBucketOwner", "members": ["projectEditor:acme-prod"]}
                    ]
                },
                f"{PROJECT}:getIamPolicy": {"bindings": [{"role": "roles/editor", "members": [MEMBER]}]},
            },
            {"G13": "fail"},
        ),
        # The project's policy may not be seen, and isn't needed to know that the account may write.
        (
            {f"{PROJECT}:getIamPolicy": denied("resourcemanager.projects.getIamPolicy")},
            {"G5": "unknown", "G13": "unknown", "G14": "unknown"},
        ),
        # APIs that only the reading needs.
        (
            {f"{PROJECT}:getIamPolicy": disabled("cloudresourcemanager.googleapis.com")},
            {"G5": "unknown", "G13": "unknown", "G14": "unknown"},
        ),
        # Public by the project's policy.
        (
            {
                f"{PROJECT}:getIamPolicy": {
                    "bindings": [{"role": "roles/storage.objectViewer", "members": ["allAuthenticatedUsers"]}]
                },
                **with_(BUCKET, iamConfiguration={"uniformBucketLevelAccess": {"enabled": True}}),
            },
            {"G14": "fail"},
        ),
        # Nothing is taken without a customer's key, and there is none.
        (
            with_(
                BUCKET,
                encryption={
                    "googleManagedEncryptionEnforcementConfig": {"restrictionMode": "FullyRestricted"}
                },
            ),
            {"G15": "fail"},
        ),
        # Keys.
        (with_(BUCKET, encryption={"defaultKmsKeyName": KEY}), {"G15": "fail"}),
        (
            with_(BUCKET, encryption={"defaultKmsKeyName": KEY.replace("europe-west1", "us")}),
            {"G15": "fail"},
        ),
        (
            with_(BUCKET, encryption={"defaultKmsKeyName": KEY})
            | {KMS: {"purpose": "MAC"}, f"{KMS}:getIamPolicy": {}},
            {"G15": "fail"},
        ),
        (
            with_(BUCKET, encryption={"defaultKmsKeyName": KEY}) | {KMS: disabled("cloudkms.googleapis.com")},
            {"G15": "unknown"},
        ),
        (
            with_(BUCKET, encryption={"defaultKmsKeyName": KEY})
            | {KMS: disabled("cloudkms.googleapis.com", "projects/123456789012")},
            {"G15": "fail"},
        ),
        # Old versions.
        (
            with_(
                BUCKET,
                versioning={"enabled": True},
                lifecycle={
                    "rule": [
                        {"action": {"type": "Delete"}, "condition": {"age": 9, "isLive": True}},
                        {
                            "action": {"type": "Delete"},
                            "condition": {"numNewerVersions": 3, "matchesPrefix": ["calls/"]},
                        },
                    ]
                },
            ),
            {"G16": "warn"},
        ),
    ],
)
def test_an_answer_is_judged(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    assert troubles(decide(monkeypatch, changes)) == expected


def test_a_key_may_be_named_by_its_projects_number(monkeypatch: pytest.MonkeyPatch) -> None:
    numbered = KEY.replace("acme-prod", "123456789012")
    agent = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    changes = with_(BUCKET, encryption={"defaultKmsKeyName": KEY}) | {
        KMS: {"primary": {"state": "ENABLED"}},
        f"{KMS}:getIamPolicy": {
            "bindings": [{"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [agent]}]
        },
    }
    for wanted, expected in ((numbered, {}), (KEY + "2", {"G15": "fail"})):
        target = replace(TARGET, known=replace(TARGET.known, kms_key=wanted))
        assert troubles(decide(monkeypatch, changes, target)) == expected


def test_a_pool_of_another_project_has_its_own_apis(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = POOL.replace("123456789012", "555555555555")
    storage = {**TARGET.recording_storage, "workload_identity_provider": PROVIDER.replace(POOL, pool)}
    services = SERVICES.replace("acme-prod", "555555555555")
    changes = {
        IAM + pool.rpartition("/")[0]: {"workloadIdentityPools": [{"name": pool}]},
        f"{IAM}{pool}/providers": {
            "workloadIdentityPoolProviders": [SAID | {"name": f"{pool}/providers/recording-service"}]
        },
        f"{ACCOUNT}:getIamPolicy": {"bindings": [TRUST | {"members": [principal(pool, "w-acme")]}]},
        services: {"services": [{"name": "x/services/sts.googleapis.com", "state": "DISABLED"}]},
    }
    found = decide(monkeypatch, changes, replace(TARGET, recording_storage=storage))
    assert troubles(found) == {"G9": "fail"}
    assert words(found["G9"]) == "off in 555555555555: sts"


def test_a_subject_from_another_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trust profile says where the Workspace ID is; what is mapped from elsewhere is refused."""
    trust = effective_gcs({"subject_mapping": "assertion.workspace"})
    target = replace(TARGET, known=replace(TARGET.known, gcs_trust=trust))
    other = provider(attributeMapping=mapping("assertion.workspace"))
    assert troubles(decide(monkeypatch, other, target)) == {}
    assert troubles(decide(monkeypatch, {}, target)) == {"G4": "unknown"}
    computed = replace(trust, subject_mapping="assertion.a + assertion.b")
    target = replace(TARGET, known=replace(TARGET.known, gcs_trust=computed))
    assert troubles(decide(monkeypatch, {}, target)) == {"G4": "unknown"}


@pytest.mark.parametrize(
    ("other", "status"),
    [
        (
            {"oidc": {"issuerUri": "https://a.example"}, "attributeMapping": mapping("assertion.email")},
            "fail",
        ),
        ({"aws": {"accountId": "1"}}, "unknown"),
        ({"aws": {"accountId": "1"}, "disabled": True}, ""),
        ({"aws": {"accountId": "1"}, "state": "DELETED"}, ""),
        (
            {
                "oidc": {"issuerUri": "https://a.example"},
                "attributeMapping": mapping("assertion.sub"),
                "attributeCondition": 'google.subject == "repo:acme/x"',
            },
            "",
        ),
        (
            {
                "oidc": {"issuerUri": "https://a.example"},
                "attributeMapping": mapping("assertion.sub"),
                "attributeCondition": "assertion.sub.substring(2) == 'x'",
            },
            "warn",
        ),
        ({"oidc": {"issuerUri": ISSUER}, "attributeMapping": mapping("'w-acme'")}, "fail"),
    ],
)
def test_other_providers(monkeypatch: pytest.MonkeyPatch, other: Json, status: str) -> None:
    listed = [SAID, {"name": f"{POOL}/providers/other"} | other]
    changes = {PROVIDERS: {"workloadIdentityPoolProviders": listed}}
    found = decide(monkeypatch, changes)
    assert troubles(found) == ({"G11": status} if status else {})


def test_without_credentials_nothing_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    with pytest.raises(NoCredentials, match="gcloud auth application-default login"):
        GcsVerifier(Reads()).begin(TARGET)


class Held(Credentials):
    """Credentials that need no token, or can't get one."""

    def __init__(self, error: str = "") -> None:
        super().__init__()
        self._error = error

    def refresh(self, request: Any) -> None:
        del request
        if self._error:
            raise RefreshError(self._error, '{"error": "invalid_grant"}')

    def before_request(self, request: Any, method: str, url: str, headers: Any) -> None:
        del request, method, url, headers


def test_expired_credentials_leave_everything_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    def connected(reads: Reads, whom: str) -> Rest:
        return Rest(reads, Held("invalid_grant: Token has been expired or revoked."), whom)

    def published(reads: Reads, issuer: str) -> object:
        del reads, issuer
        return {"issuer": ISSUER}, KEYS

    monkeypatch.setattr("recording_storage.verify.gcs.connect", connected)
    monkeypatch.setattr(gcs_reading, "_published", published)
    deciders = GcsVerifier(Reads()).begin(TARGET)
    assert deciders["G1"]().status.value == "pass"
    for one in GCS_CHECKS[1:]:
        with pytest.raises(CouldNotTell, match="expired or revoked") as unknown:
            deciders[one.id]()
        assert "gcloud auth application-default login" in unknown.value.mend


class Throttling(BaseHTTPRequestHandler):
    """Refuses every path once, and then answers in two pages."""

    seen: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        first = self.path not in self.seen
        self.seen.add(self.path)
        page = (
            {"items": [{"n": 2}]}
            if "pageToken=more" in self.path
            else {"items": [{"n": 1}], "nextPageToken": "more"}
        )
        body = json.dumps({"error": {"code": 429, "message": "slow down"}} if first else page).encode()
        self.send_response(429 if first else 200)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in the base class)
        """Nobody reads it."""


@pytest.fixture
def throttling() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Throttling)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/things"
    server.shutdown()


def test_what_is_throttled_is_asked_again_and_every_page_is_read(throttling: str) -> None:
    rest = Rest(Reads(), Held(), "")
    session = cast("Any", rest)._session
    session.trust_env = False
    session.mount("http://", gcs_rest._adapter())
    assert rest.pages("a.b.c", throttling, "items") == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("text", "kind", "permission", "off"),
    [
        (
            '{"error": {"code": 403, "message": "m", "status": "PERMISSION_DENIED", "details": [{"@type": '
            '"type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED", "metadata": '
            '{"permission": "other.one"}}]}}',
            "IAM_PERMISSION_DENIED",
            "other.one",
            ("", ""),
        ),
        (
            '{"error": {"code": 403, "message": "m", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", '
            '"reason": "SERVICE_DISABLED", "metadata": {"service": "x.googleapis.com", "consumer": "projects/1"}}]}}',
            "SERVICE_DISABLED",
            "own.one",
            ("x.googleapis.com", "projects/1"),
        ),
        (
            '{"error": {"code": 403, "message": "m", "errors": [{"reason": "forbidden"}]}}',
            "forbidden",
            "own.one",
            ("", ""),
        ),
        ("<html>a proxy's own page</html>", "", "own.one", ("", "")),
    ],
)
def test_an_error_says_what_it_is_about(text: str, kind: str, permission: str, off: tuple[str, str]) -> None:
    found = gcs_rest.refused(403, text, "here", "own.one")
    assert (found.kind, found.permission, found.disabled) == (kind, permission, off)
