"""Cloud Storage and its keys as the tests meet them: google-cloud-storage, and plain requests, of several people."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.oauth2.credentials import Credentials
from google_cloud import CLOUD_PLATFORM, Cloud, unique

from recording_storage.evaluation.google.principals import user

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

API = "https://storage.googleapis.com/storage/v1"
UPLOAD = "https://storage.googleapis.com/upload/storage/v1"
KMS = "https://cloudkms.googleapis.com/v1"
QUIET = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
"""Keeps google-cloud-storage from asking for each bucket in the background."""
UNIFORM = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
ENCRYPTER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
DAY = 86_400


@dataclass(frozen=True)
class Answer:
    """What was answered to a request that was made by hand."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    said: Any

    @property
    def message(self) -> str:
        return self.said["error"]["message"]

    @property
    def reason(self) -> str:
        return self.said["error"]["errors"][0]["reason"]


class Store:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.owner = cloud.owner.email
        self.stranger = cloud.stranger.email
        self._clients: dict[str | None, Any] = {}

    # Who asks

    def token(self, email: str) -> str:
        """One that lasts, whatever time a test lets pass."""
        return self.cloud.google.tokens.issue(user(email), (CLOUD_PLATFORM,), timedelta(days=365)).text

    def client(self, email: str | None, token: str = "") -> Any:
        """google-cloud-storage as somebody; anonymous without an address."""
        known = self._clients.get(email or token)
        if known is None:
            held = token or (self.token(email) if email else "")
            credentials: Any = Credentials(token=held) if held else AnonymousCredentials()  # type: ignore[no-untyped-call]
            session: Any = AuthorizedSession(credentials)
            session.proxies, session.verify = self.cloud.http.proxies, self.cloud.http.verify
            session.trust_env = False
            session.adapters = self.cloud.http.adapters
            project = self.cloud.stranger.project if email == self.stranger else self.cloud.owner.project
            known = storage.Client(project=project, credentials=credentials, _http=session)
            self._clients[email or token] = known
        return known

    def blob(self, bucket: str, name: str = "object", who: str | None = "", **more: Any) -> Any:
        """An object as google-cloud-storage has it: the owner's, unless somebody else is named."""
        return self.client(self.owner if who == "" else who).bucket(bucket).blob(name, **more)

    def api(
        self, method: str, path: str, body: Any = None, who: str | None = "", token: str = "", **query: Any
    ) -> Answer:
        """A request by hand, of the owner unless somebody else is named; None is nobody."""
        url = path if path.startswith("https:") else f"{API}/{path}"
        headers: dict[str, str] = query.pop("headers", {})
        email = self.owner if who == "" else who
        held = token or (self.token(email) if email else "")
        if held:
            headers = {"Authorization": f"Bearer {held}"} | headers
        sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        answer = self.cloud.http.request(method, url, params=query, headers=headers, timeout=20, **sent)
        is_json = answer.content and "json" in answer.headers.get("Content-Type", "")
        return Answer(answer.status_code, answer.content, answer.headers, answer.json() if is_json else None)

    def kms(self, method: str, path: str, body: Any = None, who: str | None = "", **query: Any) -> Answer:
        return self.api(method, f"{KMS}/{path}", body, who, **query)

    # What exists

    def bucket(self, *, who: str = "", location: str = "EU", fine: bool = False, **said: Any) -> str:
        """A new bucket of the owner, with uniform access unless it is to be `fine`."""
        name = unique("bucket")
        body = {"name": name, "location": location, **({} if fine else UNIFORM), **said}
        project = self.cloud.stranger.project if who == self.stranger else self.cloud.owner.project
        made = self.api("POST", "b", body, who, project=project)
        assert made.status == 200, made.content
        return name

    def put(self, bucket: str, name: str = "object", content: str = "recording", who: str = "") -> Any:
        """A new generation of an object; gives its number."""
        blob = self.blob(bucket, name, who)
        blob.upload_from_string(content)
        return blob.generation

    def grant(self, bucket: str, role: str, *members: str, condition: str = "") -> None:
        """Bind members to a role on a bucket, beside what is there."""
        policy = self.api("GET", f"b/{bucket}/iam", optionsRequestedPolicyVersion=3).said
        binding: dict[str, Any] = {"role": role, "members": list(members)}
        if condition:
            binding["condition"] = {"title": "test", "expression": condition}
        policy["bindings"].append(binding)
        done = self.api("PUT", f"b/{bucket}/iam", policy | {"version": 3})
        assert done.status == 200, done.content

    def somebody(self, bucket: str, *roles: str, condition: str = "") -> str:
        """A new person with these roles on a bucket."""
        email = f"{unique('person')}@example.com"
        for role in roles:
            self.grant(bucket, f"roles/storage.{role}", f"user:{email}", condition=condition)
        return email

    def colleague(self, role: str) -> str:
        """A new person with a role in the project."""
        email = f"{unique('colleague')}@example.com"
        self.cloud.project.policy.add(role, f"user:{email}")
        return email

    @property
    def agent(self) -> str:
        return f"serviceAccount:service-{self.cloud.owner.number}@gs-project-accounts.iam.gserviceaccount.com"

    def key(self, *users: str, location: str = "europe", project: str = "") -> str:
        """A new key that these members may encrypt and decrypt with."""
        owner = self.cloud.stranger if project else self.cloud.owner
        ring = f"projects/{owner.project}/locations/{location}/keyRings"
        self.kms("POST", ring, {}, owner.email, keyRingId="ring")
        body = {"purpose": "ENCRYPT_DECRYPT"}
        name = self.kms("POST", f"{ring}/ring/cryptoKeys", body, owner.email, cryptoKeyId=unique("key")).said[
            "name"
        ]
        policy = {"bindings": [{"role": ENCRYPTER, "members": list(users)}]} if users else {}
        assert self.kms("POST", f"{name}:setIamPolicy", {"policy": policy}, owner.email).status == 200
        return name

    def encrypted_bucket(self, **said: Any) -> tuple[str, str]:
        """A bucket with a key by default, and the key."""
        key = self.key(self.agent)
        return self.bucket(encryption={"defaultKmsKeyName": key}, **said), key

    # How it was decided

    @contextmanager
    def refused(self, code: int, because: str = "", message: str = "") -> Generator[None]:
        """The last request within, of google-cloud-storage, is refused with this code and for this reason."""
        with self.cloud.refused(because), pytest.raises(GoogleAPICallError) as caught:
            yield
        assert caught.value.code == code, caught.value
        assert message in caught.value.message


@contextmanager
def storing(cloud: Cloud) -> Generator[Store]:
    """Cloud Storage in a module's Google Cloud."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(QUIET, "true")
        yield Store(cloud)


def names(blobs: Any) -> list[str]:
    return [blob.name for blob in blobs]
