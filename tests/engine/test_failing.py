"""A cloud refuses something in the middle of `up`, which says what and why; the next run makes what is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engine import MARKS, UNCHANGED, Stack
from tests.support.engine_aws import AwsHouse
from tests.support.engine_interrupted import Gatekeeper

if TYPE_CHECKING:
    from recording_storage.sandbox import Sandbox
    from tests.support.engine import House

pytestmark = MARKS


@dataclass(frozen=True)
class Refusal:
    """Which request a cloud refuses how, and under whose name that is said."""

    cloud: str
    request: str
    status: str
    body: str
    name: str
    says: tuple[str, ...]


def error_of(code: str, message: str) -> str:
    """An error as Resource Manager and Graph say it."""
    return json.dumps({"error": {"code": code, "message": message}})


DENIED_BY_IAM = (
    '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>AccessDenied</Code>'
    "<Message>User: owner is not authorized to perform: iam:PutRolePolicy</Message></Error></ErrorResponse>"
)
TAKEN = "<Error><Code>BucketAlreadyExists</Code><Message>The requested bucket name is not available.</Message></Error>"
DENIED_BY_GOOGLE = (
    '{"error": {"code": 403, "message": "Permission iam.serviceAccounts.create is required", "status": '
    '"PERMISSION_DENIED"}}'
)
TAKEN_ON_AZURE = error_of("StorageAccountAlreadyTaken", "The storage account named acme is already taken.")
DENIED_BY_GRAPH = error_of(
    "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
)
REFUSALS = [
    Refusal(
        "aws",
        "Action=PutRolePolicy&",
        "403 Forbidden",
        DENIED_BY_IAM,
        "role-policy",
        ("AccessDenied", "iam:PutRolePolicy"),
    ),
    Refusal(
        "aws",
        r"^PUT [^?]+/ ",
        "409 Conflict",
        TAKEN,
        "bucket",
        ("BucketAlreadyExists", "The requested bucket name is not available."),
    ),
    Refusal(
        "google",
        r"^POST \S+/serviceAccounts ",
        "403 Forbidden",
        DENIED_BY_GOOGLE,
        "service-account",
        ("PERMISSION_DENIED", "iam.serviceAccounts.create"),
    ),
    Refusal(
        "azure",
        r"^PUT \S+/storageAccounts/[^/?]+\?",
        "409 Conflict",
        TAKEN_ON_AZURE,
        "storage-account",
        ("StorageAccountAlreadyTaken", "is already taken"),
    ),
    Refusal(
        "azure",
        r"^POST \S+/applications ",
        "403 Forbidden",
        DENIED_BY_GRAPH,
        "application",
        ("Authorization_RequestDenied", "Insufficient privileges"),
    ),
]


@pytest.fixture(scope="module")
def guarded(sandbox: Sandbox, houses: dict[str, House[Any]]) -> dict[str, tuple[House[Any], Gatekeeper]]:
    return {cloud: (house, Gatekeeper(getattr(sandbox, cloud))) for cloud, house in houses.items()}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: f"{one.cloud}-{one.name}")
def test_what_is_refused_is_named_and_the_next_run_makes_what_is_missing(
    guarded: dict[str, tuple[House[Any], Gatekeeper]], refusal: Refusal
) -> None:
    house, gatekeeper = guarded[refusal.cloud]
    stack = Stack(house, f"f{REFUSALS.index(refusal)}")
    stack.configure(calls={})
    with gatekeeper.answering(refusal.request, (refusal.status, refusal.body)) as asked:
        failed = stack.try_up()
    assert len(asked) == 1, "it isn't tried again"
    assert failed.code != 0
    own = [error for error in failed.errors if not error.endswith("failed")]
    assert len(own) == 1, own
    (error,) = own
    assert error.startswith(f"calls-{refusal.name}: ")
    assert all(word in error for word in refusal.says)
    made = {one["urn"].rpartition("::")[2]: one.get("id") for one in stack.resources()}
    steps = {(op, name) for op, name in stack.steps("up") if name.startswith("calls-")}
    assert ("create", f"calls-{refusal.name}") in steps
    assert {op for op, _ in steps} == {"create"}
    assert not {name for _, name in steps} & made.keys()
    after = {one["urn"].rpartition("::")[2]: one.get("id") for one in stack.resources()}
    assert {name: after[name] for name in made} == made
    again = stack.run("up", "--refresh", *UNCHANGED)
    assert again.code == 0, again.text
    stack.destination("calls").assert_lives()


def test_what_is_half_made_is_kept_and_finished_by_the_next_run(
    guarded: dict[str, tuple[House[Any], Gatekeeper]],
) -> None:
    house, gatekeeper = guarded["aws"]
    stack = Stack(house, "half")
    stack.configure(tags={"team": "voice"}, calls={})
    denied = "<Error><Code>AccessDenied</Code><Message>no s3:PutBucketTagging</Message></Error>"
    with gatekeeper.answering(r"^PUT \S+\?tagging", ("403 Forbidden", denied)) as asked:
        failed = stack.try_up()
    assert len(asked) == 1
    assert failed.code != 0
    assert any("s3:PutBucketTagging" in error for error in failed.errors)
    assert "calls-bucket" in {one["urn"].rpartition("::")[2] for one in stack.resources()}
    assert ("update", "calls-bucket") in stack.steps("up")
    calls = stack.destination("calls")
    calls.assert_lives()
    assert isinstance(house, AwsHouse)
    assert house.account.tags(calls.bucket) == {"team": "voice"}


# --- Azure knows of something new a moment later ---------------------------------------------------


ROLE = r"^PUT \S+/roleAssignments/[^/?]+\?"
CREDENTIAL = r"^POST \S+/federatedIdentityCredentials "
PRINCIPAL = r"^POST \S+/servicePrincipals "


@pytest.mark.parametrize(
    ("request_", "status", "code", "name"),
    [
        (ROLE, "400 Bad Request", "PrincipalNotFound", "writer"),
        (CREDENTIAL, "404 Not Found", "Request_ResourceNotFound", "federated-credential"),
        (PRINCIPAL, "404 Not Found", "Request_ResourceNotFound", "service-principal"),
    ],
)
def test_what_is_not_replicated_yet_is_tried_again(
    guarded: dict[str, tuple[House[Any], Gatekeeper]], request_: str, status: str, code: str, name: str
) -> None:
    house, gatekeeper = guarded["azure"]
    stack = Stack(house, f"later-{name}")
    stack.configure(calls={})
    with gatekeeper.answering(request_, (status, error_of(code, "not yet"))) as asked:
        stack.up()
    assert len(asked) == 2
    stack.destination("calls").assert_lives()


@pytest.mark.parametrize(
    ("request_", "status", "code", "name"),
    [
        (ROLE, "403 Forbidden", "AuthorizationFailed", "writer"),
        (CREDENTIAL, "409 Conflict", "Request_MultipleObjectsWithSameKeyValue", "federated-credential"),
    ],
)
def test_another_error_is_not_tried_again(
    guarded: dict[str, tuple[House[Any], Gatekeeper]], request_: str, status: str, code: str, name: str
) -> None:
    house, gatekeeper = guarded["azure"]
    stack = Stack(house, f"never-{name}")
    stack.configure(calls={})
    with gatekeeper.answering(request_, (status, error_of(code, "not yet"))) as asked:
        failed = stack.try_up()
    assert len(asked) == 1
    assert failed.code != 0
    assert any(error.startswith(f"calls-{name}: ") and code in error for error in failed.errors)
