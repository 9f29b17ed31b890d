"""Misuse of a destination on Azure Blob Storage: each attempt differs from what the recorder does in one thing only.

So that a refusal means what it says: wrong tokens are made as the right one is, and what the identity may not do is
asked for with the access token that the recorder gets. What its role permits isn't tried: it may write, read and delete
blobs, and delete their container (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from recording_storage.intruder.azure_blob_owner import ARM_SCOPE, STORAGE_VERSION, Owner
from recording_storage.recorder.azure_blob import STORAGE_SCOPE, attempt, blob, container, credential
from recording_storage.steps import DONE, REFUSED, Step, UnexpectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

VERSION = "2025-05-05"
"""Of the protocol, where Microsoft's own client isn't what asks."""
ASSIGNMENTS_VERSION = "2022-04-01"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
"""The role Reader: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/general"""
INTRUDERS_OBJECT = b"not a recording"
NOT_OVER_HTTP = "AccountRequiresHttps"
SECONDS = 30


class OtherToken(TypedDict):
    """An attempt to get in that is the recorder's but for one thing: its token, or the identifiers named beside."""

    id: str
    title: str
    token: str
    other: dict[str, str]


class Reader(TypedDict):
    """A principal that may read, as the configuration names it, and an access token of it."""

    number: int
    member: str
    token: str


class Job(TypedDict):
    """What the intruder is told: the recorder's job, what it left, and what isn't accepted."""

    recording_storage: dict[str, str]
    subscription: str
    token: str
    """The recorder's own."""
    other_tokens: list[OtherToken]
    object: str
    """The recording's name in the container."""
    sha256: str
    """The recording's; empty where there is none, so that nobody could do anything to it."""
    old_object: str
    old_version: str
    """An object that was deleted, and its version that was kept; empty where there is none."""
    other_container: str
    other_account: str
    """An account with a container of the same name."""
    is_made: bool
    """Whether the account was made, so that what is set on it is the destination's to see to."""
    readers: list[Reader]


@dataclass(frozen=True)
class _Held:
    """A credential that holds one access token, as azure-core wants it."""

    token: str

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        del scopes, more
        return AccessToken(self.token, 2**33)


class _Intruder:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.storage = job["recording_storage"]
        self.session = requests.Session()

    def writing(self, held: Any, suffix: str, **other: str) -> Callable[[], object]:
        """Write an object beside the recording, or in another place, with the credential `held`."""

        def carry_out() -> object:
            with blob(self.storage | other, self.job["object"] + suffix, held) as to:
                return to.upload_blob(INTRUDERS_OBJECT, overwrite=True)

        return carry_out

    def reading(self, held: Any) -> Callable[[], object]:
        """Read the recording."""

        def carry_out() -> object:
            with blob(self.storage, self.job["object"], held) as of:
                return of.download_blob(0, 1).readall()

        return carry_out

    def listing(self, held: Any) -> Callable[[], object]:
        """List the container."""

        def carry_out() -> object:
            with container(self.storage, held) as of:
                return list(of.list_blobs())

        return carry_out

    def entering(self, token: str, other: dict[str, str]) -> Callable[[], str]:
        """Do with a token what the recorder does, with its identifiers or other ones."""
        storage = self.storage | other

        def carry_out() -> str:
            held = credential(storage, token)
            held.get_token(STORAGE_SCOPE)
            try:
                self.writing(held, ".entered")()
            except (ClientAuthenticationError, HttpResponseError):
                return "the token was exchanged, though nothing can be written with it"
            return "the token was exchanged, and an object written with it"

        return carry_out


def intrude(job: Job) -> Iterator[Step]:
    """Try everything; a step that ends `refused` is as it should be, except those called `proven.…`."""
    intruder = _Intruder(job)
    owner = Owner(job["recording_storage"], job["subscription"])
    for one in job["other_tokens"]:
        yield attempt(one["id"], one["title"], intruder.entering(one["token"], one["other"]))
    if job["sha256"]:
        anyone = {
            "reads the recording": intruder.reading(None),
            "lists the recordings": intruder.listing(None),
            "writes an object": intruder.writing(None, ".anonymous"),
        }
        yield attempt("refused.anonymous", "anonymous", _reaching("anyone", anyone))
        for reader in job["readers"]:
            yield from _as_reader(intruder, reader)
        if job["is_made"]:
            yield attempt("refused.shared-key", "the account's keys", _with_the_key(intruder, owner))
    yield from _with_the_recorders_token(intruder, owner)


def _with_the_recorders_token(intruder: _Intruder, owner: Owner) -> Iterator[Step]:
    """What the identity may not do; nothing where the recorder couldn't get so far, and said so."""
    job = intruder.job
    held = credential(intruder.storage, job["token"])

    def enter() -> str:
        return held.get_token(STORAGE_SCOPE).token

    if attempt("refused.credentials", "the recorder's own credentials", enter).ended != DONE:
        return

    def another(what: str, **place: str) -> Callable[[], str]:
        return _reaching(
            "the recorder's token", {f"writes to another {what}": intruder.writing(held, "", **place)}
        )

    def delete_version() -> str:
        with blob(intruder.storage, job["old_object"], held) as of:
            of.delete_blob(version_id=job["old_version"])
        return "a version was deleted for good"

    container_ = another("container", container=job["other_container"])
    yield attempt("refused.another-container", "another container", container_)
    account = another("account", storage_account=job["other_account"])
    yield attempt("refused.another-account", "another account", account)
    if job["old_version"]:
        yield attempt("refused.delete-version", "delete a version", delete_version)
    yield attempt("refused.change-access", "change access", _changing(intruder, owner, held))
    if job["is_made"]:
        yield attempt("refused.plain-http", "plain HTTP", _plainly(intruder))

    def without_credential() -> str:
        with owner.credentials_deleted():
            return intruder.entering(job["token"], {})()

    yield attempt("refused.deleted-credential", "federated credential deleted", without_credential)


def _with_the_key(intruder: _Intruder, owner: Owner) -> Callable[[], str]:
    """Read and write as who has the account's key, which its owner can always list."""

    def carry_out() -> str:
        ways = {
            "reads the recording": intruder.reading(owner.key),
            "writes an object": intruder.writing(owner.key, ".key"),
        }
        return _reaching("who has the account's key", ways)()

    return carry_out


def _changing(intruder: _Intruder, owner: Owner, held: Any) -> Callable[[], str]:
    """Ask Resource Manager for what opens the account to others, as the recorder's identity."""

    def carry_out() -> str:
        scope = f"{owner.account}/blobServices/default/containers/{intruder.storage['container']}"
        subscription = f"/subscriptions/{intruder.job['subscription']}"
        assigned = {
            "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{READER}",
            "principalId": str(uuid.uuid4()),
            "principalType": "ServicePrincipal",
        }
        assignments = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        open_ = {"properties": {"publicAccess": "Container"}}
        token = held.get_token(ARM_SCOPE).token

        def ask(method: str, url: str, body: Any, version: str = STORAGE_VERSION) -> Callable[[], object]:
            headers = {"Authorization": f"Bearer {token}"}
            query = {"api-version": version}
            return lambda: intruder.session.request(
                method, url, params=query, json=body, headers=headers, timeout=SECONDS
            ).raise_for_status()

        ways = {
            "opens the container to everybody": ask("PUT", scope, open_),
            "assigns a role": ask("PUT", assignments, {"properties": assigned}, ASSIGNMENTS_VERSION),
            "changes the account": ask("PATCH", owner.account, {}),
            "lists the account's keys": ask("POST", f"{owner.account}/listKeys", {}),
        }
        return _reaching("the recorder's token", ways)()

    return carry_out


def _plainly(intruder: _Intruder) -> Callable[[], str]:
    """Ask without TLS, and without a token, which would be refused by itself: the account must take nothing so."""

    def carry_out() -> str:
        account, name = intruder.storage["storage_account"], quote(intruder.job["object"])
        url = f"http://{account}.blob.core.windows.net/{intruder.storage['container']}/{name}"
        answer = intruder.session.get(
            url, headers={"x-ms-version": VERSION}, timeout=SECONDS, allow_redirects=False
        )
        if answer.headers.get("x-ms-error-code") == NOT_OVER_HTTP:
            answer.raise_for_status()
        return f"the account judges requests over plain HTTP: {answer.status_code} {answer.reason}"

    return carry_out


def _reaching(who: str, ways: Mapping[str, Callable[[], object]]) -> Callable[[], str]:
    """Try all of them: what somebody has done, or else the first error, those that aren't a refusal first."""

    def carry_out() -> str:
        ended = {what: _error(way) for what, way in ways.items()}
        done = [what for what, error in ended.items() if error is None]
        if done:
            return f"{who} {', '.join(done)}"
        raise _worst([error for error in ended.values() if error is not None])

    return carry_out


def _error(way: Callable[[], object]) -> Exception | None:
    try:
        way()
    except (HttpResponseError, requests.HTTPError) as error:
        return error
    return None


def _worst(errors: Iterable[Exception]) -> Exception:
    """The first that isn't a refusal, or else the first."""

    def is_refusal(error: Exception) -> bool:
        def fail() -> str:
            raise error

        return attempt("", "", fail).ended == REFUSED

    return min(errors, key=is_refusal, default=UnexpectedError("nothing was tried"))


def _as_reader(intruder: _Intruder, reader: Reader) -> Iterator[Step]:
    name, held = reader["member"], _Held(reader["token"])

    def read() -> str:
        intruder.listing(held)()
        intruder.reading(held)()
        return f"reader {name} lists and reads"

    def write() -> str:
        intruder.writing(held, ".reader")()
        return f"reader {name} wrote an object"

    yield attempt(f"proven.reader-{reader['number']}", f"reader {name} reads", read)
    yield attempt(f"refused.reader-{reader['number']}-writes", f"reader {name} writes", write)
