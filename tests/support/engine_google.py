"""The owner's Google project under the real Pulumi engine: what is in it, and how a recording gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google.owner import EMAIL, Owner
from tests.support.engine import KEY, RECORDING, House
from tests.support.web import Web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import requests

    from recording_storage.sandbox import Sandbox

PROJECT, NUMBER = "acme-prod", "123456789012"
RECORDED = ("recordings", "body")
OTHER_ISSUER = "https://recordings.example.com"
ISSUER, WORKSPACE = "https://recording-copy.tavus.io", "w-acme"
IAM = f"https://iam.googleapis.com/v1/projects/{PROJECT}"
BUCKETS = "https://storage.googleapis.com/storage/v1/b"
KMS = "https://cloudkms.googleapis.com/v1"
UPLOADS = "https://storage.googleapis.com/upload/storage/v1/b"


class Project:
    """What is in the owner's project, in Google's own words."""

    def __init__(self, owner: Web) -> None:
        self.owner = owner

    def bucket(self, name: str) -> dict[str, Any] | None:
        return self.owner.get(f"{BUCKETS}/{name}")

    def pool(self, id_: str) -> dict[str, Any] | None:
        return self.owner.get(f"{IAM}/locations/global/workloadIdentityPools/{id_}")

    def service_account(self, email: str) -> dict[str, Any] | None:
        return self.owner.get(f"{IAM}/serviceAccounts/{email}")

    def grants(self, bucket: str) -> dict[str, list[str]]:
        """Role → whom it is given to, the project's own bindings aside."""
        bindings = self.owner.get(f"{BUCKETS}/{bucket}/iam")["bindings"]
        return {one["role"]: one["members"] for one in bindings if "legacy" not in one["role"]}

    def storage(self, bucket: str) -> dict[str, Any]:
        """The bucket's recordings, and every setting that protects it; fails where it is gone."""
        found = self.bucket(bucket)
        assert found is not None, f"{bucket} is gone"
        listed = self.owner.get(f"{BUCKETS}/{bucket}/o", versions="true").get("items", [])
        body = self.owner.ask("GET", f"{BUCKETS}/{bucket}/o/{KEY.replace('/', '%2F')}?alt=media")
        settings = (
            "iamConfiguration",
            "versioning",
            "softDeletePolicy",
            "lifecycle",
            "encryption",
            "location",
            "labels",
        )
        return {
            "recordings": [(one["name"], one["generation"]) for one in listed],
            "body": body.content,
            **{name: found.get(name) or None for name in settings},
            "softDeletePolicy": found["softDeletePolicy"]["retentionDurationSeconds"],
        }

    def undelete(self, pool: str, provider: str) -> None:
        """As the page says that a person does."""
        url = f"{IAM}/locations/global/workloadIdentityPools/{pool}"
        for place in (url, f"{url}/providers/{provider}"):
            self.owner.must("POST", f"{place}:undelete", json={})


class GoogleRecordings:
    """A destination as the stack hands it over, with a recording in it."""

    def __init__(self, house: GoogleHouse, outputs: Mapping[str, Any]) -> None:
        self._house, self._project = house, house.project
        self.bucket = str(outputs["bucket_name"])
        self.email = str(outputs["service_account_email"])
        self.pool = str(outputs["pool_name"]).rpartition("/")[2]
        self._handed_over = outputs["recording_storage"]
        self.record()
        self._storage = self._project.storage(self.bucket)

    def record(self) -> None:
        """Write as the recording service does, with nothing but what the stack hands over, under a name of its own."""
        answer = self._house.try_to_record(self._handed_over)
        assert answer.ok, answer.text

    def assert_storage_kept(self) -> None:
        assert self._project.storage(self.bucket) == self._storage

    def assert_recordings_kept(self) -> None:
        now = self._project.storage(self.bucket)
        assert [now[name] for name in RECORDED] == [self._storage[name] for name in RECORDED]

    def assert_lives(self) -> None:
        self.assert_storage_kept()
        self.record()
        self._storage = self._project.storage(self.bucket)

    def assert_retained(self) -> None:
        self.assert_storage_kept()
        self._assert_trust_is_gone()

    def assert_gone(self) -> None:
        assert self._project.bucket(self.bucket) is None
        self._assert_trust_is_gone()

    def _assert_trust_is_gone(self) -> None:
        assert self._project.service_account(self.email) is None
        pool = self._project.pool(self.pool)
        assert pool is None or pool["state"] == "DELETED"
        assert not self._house.try_to_record(self._handed_over).ok


class GoogleHouse(House[GoogleRecordings]):
    """The house in a Google project of a sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        owner = Owner(PROJECT, NUMBER)
        for issuer in (ISSUER, OTHER_ISSUER):
            sandbox.issuers.add(issuer)
        sandbox.google.admit(owner)
        self.sandbox = sandbox
        environment = sandbox.environment("owner", {})
        environment |= owner.files(environment)
        self.project = Project(Web(environment, owner.access_token))
        self._recordings = 0
        self.present()
        defaults = {
            "provider": "gcs",
            "project": PROJECT,
            "location": "europe-west1",
            "workspace_id": WORKSPACE,
        }
        super().__init__(environment, folder, defaults=defaults)

    def inhabit(self, outputs: Mapping[str, Any]) -> GoogleRecordings:
        return GoogleRecordings(self, outputs)

    def present(self, **constants: Any) -> None:
        self._presented = constants

    def given(self) -> dict[str, str]:
        owner, world = self.project.owner, self.sandbox.google.world
        emails = {name: f"{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("deployer", "writing")}
        for name in emails:
            owner.must("POST", f"{IAM}/serviceAccounts", json={"accountId": name, "serviceAccount": {}})
        policy = world.project(PROJECT).policy
        policy.add("roles/owner", f"serviceAccount:{emails['deployer']}")
        policy.add("roles/iam.serviceAccountTokenCreator", f"user:{EMAIL}")
        rings = f"{KMS}/projects/{PROJECT}/locations/europe-west1/keyRings"
        owner.must("POST", rings, params={"keyRingId": "acme"}, json={})
        keys = {
            name: owner.must(
                "POST",
                f"{rings}/acme/cryptoKeys",
                params={"cryptoKeyId": name},
                json={"purpose": "ENCRYPT_DECRYPT"},
            )["name"]
            for name in ("key_a", "key_b")
        }
        return {**emails, **keys}

    def token(self, audience: str) -> str:
        """A token as the recording service presents it, where nobody says which audience it has."""
        said = self._presented
        issuer = self.sandbox.issuers.get(str(said.get("issuer", ISSUER)))
        assert issuer is not None
        workspace = str(said.get("workspace_id", WORKSPACE))
        claim = str(said.get("subject_mapping", "assertion.sub")).removeprefix("assertion.")
        claims: dict[str, Any] = {"sub": "somebody", claim: workspace}
        return issuer.mint(claims.pop("sub"), str(said.get("audience", audience)), **claims)

    def try_to_record(self, destination: Mapping[str, str]) -> requests.Response:
        """Exchange a token, impersonate, write; the answer at which it ended."""
        audience = f"//iam.googleapis.com/{destination['workload_identity_provider']}"
        anybody = Web(self.project.owner.environment)
        exchanged = anybody.ask(
            "POST",
            "https://sts.googleapis.com/v1/token",
            data={
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "subject_token": self.token(audience),
                "audience": audience,
                "scope": "https://www.googleapis.com/auth/cloud-platform",
            },
        )
        if not exchanged.ok:
            return exchanged
        federated = Web(self.project.owner.environment, exchanged.json()["access_token"])
        email = destination["service_account_email"]
        impersonated = federated.ask(
            "POST",
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken",
            json={"scope": ["https://www.googleapis.com/auth/cloud-platform"]},
        )
        if not impersonated.ok:
            return impersonated
        writer = Web(self.project.owner.environment, impersonated.json()["accessToken"])
        name = KEY if self._is_first(destination["bucket_name"]) else f"{KEY}.{self._recordings}"
        return writer.ask(
            "POST",
            f"{UPLOADS}/{destination['bucket_name']}/o",
            params={"uploadType": "media", "name": name},
            data=RECORDING,
            headers={"Content-Type": "video/mp4"},
        )

    def _is_first(self, bucket: str) -> bool:
        """Whether nothing is recorded there yet: the service can't overwrite what it wrote."""
        self._recordings += 1
        listed = self.project.owner.get(f"{BUCKETS}/{bucket}/o")
        return listed is not None and not listed.get("items")
