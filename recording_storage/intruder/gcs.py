"""Misuse of a destination on Google Cloud Storage: each attempt differs from what the recorder does in one thing only.

So that a refusal means what it says: wrong tokens are made as the right one is, and what the service account may not do
is asked for with the access token that the recorder gets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote

import requests
from google.auth.exceptions import GoogleAuthError
from google.oauth2.credentials import Credentials

from recording_storage.intruder.gcs_owner import Owner
from recording_storage.recorder.gcs import attempt, client, credentials
from recording_storage.steps import DONE, Step, UnexpectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

HOST = "storage.googleapis.com"
READ, LIST, WRITE = (
    "/storage/v1/b/{bucket}/o/{name}",
    "/storage/v1/b/{bucket}/o",
    "/upload/storage/v1/b/{bucket}/o",
)
INTRUDERS_OBJECT = b"not a recording"
SECONDS = 30


class OtherToken(TypedDict):
    """A token that is the recorder's but for one thing; `id` says whether it must be refused, `title` what it is."""

    id: str
    title: str
    token: str


class Reader(TypedDict):
    """A principal that may read, as the configuration names it, and an access token of it."""

    number: int
    member: str
    token: str


class OtherProvider(TypedDict):
    """A provider of the same pool, and a token of its issuer with the recorder's subject."""

    workload_identity_provider: str
    token: str


class Job(TypedDict):
    """What the intruder is told: the recorder's job, what it left, and what isn't accepted."""

    recording_storage: dict[str, str]
    token: str
    """The recorder's own."""
    other_tokens: list[OtherToken]
    object: str
    """The recording's name in the bucket."""
    sha256: str
    """The recording's; empty where there is none, so that nobody could do anything to it."""
    only_creates: bool
    """Whether the service account may only create objects."""
    other_bucket: str
    other_service_account: str
    other_provider: OtherProvider | None
    readers: list[Reader]
    stranger: str
    """An access token of somebody who has nothing to do with any of this."""


class _Intruder:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.storage = job["recording_storage"]
        self.bucket = self.storage["bucket_name"]
        self.email = self.storage["service_account_email"]
        self.session = requests.Session()

    def client(self, held: Any) -> Any:
        """A client with the credentials `held`."""
        return client(self.storage, held)

    def blob(self, of: Any, suffix: str = "", bucket: str | None = None) -> Any:
        """The recording as the client `of` somebody sees it; with a suffix, another object beside it."""
        return of.bucket(bucket or self.bucket).blob(self.job["object"] + suffix)

    def ask(
        self, method: str, path: str, token: str | None, scheme: str = "https", **more: Any
    ) -> requests.Response:
        """Ask Cloud Storage something about the bucket's objects, with an access token or without."""
        url = f"{scheme}://{HOST}{path.format(bucket=self.bucket, name=quote(self.job['object'], safe=''))}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.session.request(
            method, url, headers=headers, timeout=SECONDS, allow_redirects=False, **more
        )

    def entering(self, token: str, **other: str) -> Callable[[], str]:
        """Do with a token what the recorder does, at its own provider or another one."""
        storage = self.storage | other

        def carry_out() -> str:
            credentials(storage, token)
            try:
                credentials(storage, token, self.email)
            except GoogleAuthError:
                return "the token was exchanged, though the service account can't be impersonated with it"
            return "the token was exchanged, and the service account impersonated with it"

        return carry_out

    def accepted(self, other: OtherToken) -> Callable[[], str]:
        """Get as far with another token as the recorder with its own."""

        def carry_out() -> str:
            credentials(self.storage, other["token"], self.email)
            return other["title"]

        return carry_out


def intrude(job: Job) -> Iterator[Step]:
    """Try everything; a step that ends `refused` is as it should be, except those called `proven.…`."""
    intruder = _Intruder(job)
    owner = Owner(job["recording_storage"])
    is_there = bool(job["sha256"])
    if is_there:
        yield attempt(
            "proven.read-back",
            "read the recording back",
            lambda: owner.read_back(job["object"], job["sha256"]),
        )
    yield attempt("proven.versions", "keep what is deleted as a version", owner.versions)
    for one in job["other_tokens"]:
        is_wrong = one["id"].startswith("refused.")
        carry_out = intruder.entering(one["token"]) if is_wrong else intruder.accepted(one)
        yield attempt(one["id"], one["title"], carry_out)
    if is_there:
        yield attempt("refused.anonymous", "anonymous", _reaching(intruder, "anyone", None))
        stranger = _reaching(intruder, "anyone with a Google account", job["stranger"])
        yield attempt("refused.another-account", "another Google account", stranger)
        for reader in job["readers"]:
            yield from _reading(intruder, reader)
    yield from _with_the_recorders_token(intruder, owner)
    other = job["other_provider"]
    if other is not None:
        elsewhere = {"workload_identity_provider": other["workload_identity_provider"]}
        entering = intruder.entering(other["token"], **elsewhere)
        yield attempt("unproven.shared-pool", "another provider of the pool", entering)


def _with_the_recorders_token(intruder: _Intruder, owner: Owner) -> Iterator[Step]:
    """What neither token nor service account can do; nothing where the recorder couldn't get so far, and said so."""
    held: list[Any] = []

    def enter() -> str:
        held.extend(
            credentials(intruder.storage, intruder.job["token"], email) for email in (None, intruder.email)
        )
        return "the recorder's own credentials"

    if attempt("refused.credentials", "the recorder's own credentials", enter).ended != DONE:
        return
    federated, impersonating = held

    def another_account() -> str:
        credentials(intruder.storage, intruder.job["token"], intruder.job["other_service_account"])
        return f"{intruder.job['other_service_account']} was impersonated"

    yield attempt("refused.another-service-account", "another service account", another_account)
    directly = _reaching(intruder, "the recorder's token without the service account", federated.token)
    yield attempt("refused.no-impersonation", "no impersonation", directly)
    yield from _with_the_service_account(intruder, impersonating)
    for what, switched in (("disabled", owner.provider_disabled), ("deleted", owner.provider_deleted)):
        yield attempt(f"refused.{what}-provider", f"provider {what}", _shut(intruder, switched))


def _with_the_service_account(intruder: _Intruder, held: Any) -> Iterator[Step]:
    """What the service account may not do; last what leaves nothing to read where it may."""
    storage = intruder.client(held)

    def elsewhere() -> str:
        intruder.blob(storage, bucket=intruder.job["other_bucket"]).upload_from_string(INTRUDERS_OBJECT)
        return "an object was written to another bucket"

    def plainly() -> str:
        name = {"uploadType": "media", "name": f"{intruder.job['object']}.plain"}
        answer = intruder.ask("POST", WRITE, held.token, "http", params=name, data=INTRUDERS_OBJECT)
        answer.raise_for_status()
        if answer.is_redirect:
            raise UnexpectedError(f"{answer.status_code} {answer.reason}")
        return "an object was written over plain HTTP"

    def grant() -> str:
        bucket = storage.bucket(intruder.bucket)
        bucket.set_iam_policy(bucket.get_iam_policy(requested_policy_version=3))
        return "who has access to the bucket was read and written"

    def read() -> str:
        intruder.blob(storage).download_as_bytes()
        return "the recording was read"

    def listing() -> str:
        list(storage.list_blobs(intruder.bucket))
        return "the recordings were listed"

    def overwrite() -> str:
        intruder.blob(storage).upload_from_string(INTRUDERS_OBJECT)
        return "the recording was overwritten"

    def delete() -> str:
        intruder.blob(storage).delete()
        return "the recording was deleted"

    yield attempt("refused.another-bucket", "another bucket", elsewhere)
    yield attempt("refused.plain-http", "plain HTTP", plainly)
    yield attempt("refused.change-access", "change access", grant)
    if intruder.job["only_creates"]:
        yield attempt("refused.list", "list", listing)
        if intruder.job["sha256"]:
            yield attempt("refused.read", "read", read)
            yield attempt("refused.overwrite", "overwrite", overwrite)
            yield attempt("refused.delete", "delete", delete)


def _shut(intruder: _Intruder, switched: Callable[[], AbstractContextManager[None]]) -> Callable[[], str]:
    """Present the recorder's own token while the provider is switched off."""

    def carry_out() -> str:
        with switched():
            return intruder.entering(intruder.job["token"])()

    return carry_out


def _reaching(intruder: _Intruder, who: str, token: str | None) -> Callable[[], str]:
    """Try whatever somebody could do: to read the recording, to list the bucket, to write into it."""
    written = {"uploadType": "media", "name": f"{intruder.job['object']}.reached"}
    ways: dict[str, tuple[str, str, dict[str, Any]]] = {
        "reads the recording": ("GET", READ, {"params": {"alt": "media"}}),
        "lists the recordings": ("GET", LIST, {}),
        "writes an object": ("POST", WRITE, {"params": written, "data": INTRUDERS_OBJECT}),
    }

    def carry_out() -> str:
        answers = {
            what: intruder.ask(method, path, token, **more) for what, (method, path, more) in ways.items()
        }
        done = [what for what, answer in answers.items() if answer.ok]
        if done:
            return f"{who} {', '.join(done)}"
        for answer in sorted(answers.values(), key=lambda answer: answer.status_code in (401, 403)):
            answer.raise_for_status()  # what isn't a refusal first
        raise UnexpectedError("neither done nor refused")

    return carry_out


def _reading(intruder: _Intruder, reader: Reader) -> Iterator[Step]:
    name = reader["member"].rpartition("/")[2].rpartition(":")[2]
    storage = intruder.client(Credentials(reader["token"]))

    def read() -> str:
        list(storage.list_blobs(intruder.bucket))
        intruder.blob(storage).download_as_bytes()
        return f"reader {name} lists and reads"

    def write() -> str:
        intruder.blob(storage, ".reader").upload_from_string(INTRUDERS_OBJECT)
        return f"reader {name} wrote an object"

    yield attempt(f"proven.reader-{reader['number']}", f"reader {name} reads", read)
    yield attempt(f"refused.reader-{reader['number']}-writes", f"reader {name} writes", write)
