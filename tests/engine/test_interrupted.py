"""`up` is killed while a cloud answers, or stopped by Ctrl-C, and run again as the documentation says."""

from __future__ import annotations

import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engine import MARKS, PROJECT, UNCHANGED, Stack
from tests.support.engine_aws import AwsHouse
from tests.support.engine_azure import AzureHouse
from tests.support.engine_google import IAM, GoogleHouse
from tests.support.engine_interrupted import Gatekeeper, wait_for_children

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.sandbox import Sandbox
    from tests.support.engine import House

pytestmark = MARKS

PAGE = (PROJECT / "docs/interrupted.md").read_text()
CANCEL, UP, IMPORT, _, CLEAR = re.findall(r"^\$ pulumi (.*)$", PAGE, re.MULTILINE)
TYPES = re.findall(r"^\| [^|]+ \| `([a-zA-Z0-9:/]+)` \| ", PAGE, re.MULTILINE)
GRAPH = "https://graph.microsoft.com/v1.0"


@dataclass(frozen=True)
class Point:
    """Where `up` is killed: the request to the cloud, and the resource that is being made by it.

    `says` is what the next run says of it, where it can't simply be made again, and `id_` how an import calls it.
    """

    cloud: str
    request: str
    name: str
    says: str = ""
    id_: Callable[[dict[str, Any], str, House[Any]], str] | None = None
    settings: dict[str, object] = field(default_factory=dict[str, object])


def quoted(error: str) -> str:
    """The ID in an error."""
    found = re.search(r"resource '([^']+)'|ID: \"([^\"]+)\"|the ID \"([^\"]+)\"", error)
    assert found, error
    return next(one for one in found.groups() if one)


def as_said(_: dict[str, Any], error: str, *others: object) -> str:
    return quoted(error)


def principal(_: dict[str, Any], error: str, *others: object) -> str:
    return f"/servicePrincipals/{quoted(error)}"


def by_name(inputs: dict[str, Any], *_: object) -> str:
    return inputs["name"]


def by_region(inputs: dict[str, Any], *_: object) -> str:
    return f"{inputs['bucket']}@{inputs['region']}"


def by_pool(inputs: dict[str, Any], *_: object) -> str:
    return f"{inputs['project']}/{inputs['workloadIdentityPoolId']}"


def by_provider(inputs: dict[str, Any], *_: object) -> str:
    return f"{by_pool(inputs)}/{inputs['workloadIdentityPoolProviderId']}"


def account(inputs: dict[str, Any], *_: object) -> str:
    return f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"


def credential(inputs: dict[str, Any], _: str, house: House[Any]) -> str:
    """Looked up, as `az` does: the error doesn't have it."""
    assert isinstance(house, AzureHouse)
    application = inputs["applicationId"]
    (found,) = house.graph.get(f"{GRAPH}{application}/federatedIdentityCredentials")["value"]
    return f"{application.rpartition('/')[2]}/federatedIdentityCredential/{found['id']}"


ALREADY = "cannot create already existing resource"
POINTS = [
    Point(
        "aws",
        r"^PUT [^?]+/ ",
        "bucket",
        "BucketAlreadyOwnedByYou",
        by_region,
    ),
    Point("aws", r"^PUT \S+\?policy", "policy"),
    Point("aws", r"Action=CreateRole&", "role", "EntityAlreadyExists", by_name),
    Point("aws", r"Action=PutRolePolicy&", "role-policy"),
    Point("google", r"^POST \S+/storage/v1/b\?", "bucket", "409", by_name),
    Point("google", r"^PUT \S+/iam", "writer"),
    Point(
        "google",
        r"^POST \S+/workloadIdentityPools\?",
        "pool",
        "409",
        by_pool,
    ),
    Point(
        "google",
        r"^POST \S+/providers\?",
        "pool-provider",
        "409",
        by_provider,
    ),
    Point("google", r"^POST \S+/serviceAccounts ", "service-account", "409", account),
    Point(
        "azure",
        r"(?i)^PUT \S+/resourcegroups/[^/?]+\?",
        "resource-group",
        ALREADY,
        as_said,
    ),
    Point("azure", r"^PUT \S+/storageAccounts/[^/?]+\?", "storage-account", ALREADY, as_said),
    Point("azure", r"^PUT \S+/blobServices/default\?", "blob-service"),
    Point("azure", r"^PUT \S+/containers/[^/?]+\?", "container", ALREADY, as_said),
    Point("azure", r"^PUT \S+/roleAssignments/[^/?]+\?", "writer", ALREADY, as_said),
    Point(
        "azure",
        r"^POST \S+/applications ",
        "application",
        "prevent_duplicate_names",
        as_said,
    ),
    Point(
        "azure",
        r"^POST \S+/servicePrincipals ",
        "service-principal",
        "already exists",
        principal,
    ),
    Point("azure", r"^POST \S+/federatedIdentityCredentials ", "federated-credential", "409", credential),
]


@pytest.fixture(scope="module")
def guarded(sandbox: Sandbox, houses: dict[str, House[Any]]) -> dict[str, tuple[House[Any], Gatekeeper]]:
    return {cloud: (house, Gatekeeper(getattr(sandbox, cloud))) for cloud, house in houses.items()}


def told(command: str, stack: Stack[Any], **words: str) -> list[str]:
    """A command of the page's, for this stack."""
    known = {"acme": stack.name, **words}
    return [re.sub(r"\b[A-Z]+\b|^acme$", lambda found: known[found[0]], one) for one in command.split()]


def pending(house: House[Any], stack: Stack[Any]) -> dict[str, dict[str, Any]]:
    """What was being made, by its name."""
    found = house.engine.exported("stack", "export", "--stack", stack.name)["deployment"]
    operations = [one for one in found.get("pending_operations", []) if one["type"] == "creating"]
    return {one["resource"]["urn"].rpartition("::")[2]: one["resource"] for one in operations}


def go_on(house: House[Any], stack: Stack[Any], points: dict[str, Point]) -> list[str]:
    """As the page says; what had to be imported, each with the error that said so."""
    assert house.engine.run(*told(CANCEL, stack)).code == 0
    being_made = pending(house, stack)
    imported: list[str] = []
    done = stack.try_up()
    while done.code:
        errors = {error.partition(": ")[0]: error for error in done.errors if not error.endswith("failed")}
        name, error = next(iter(errors.items()))
        assert name not in imported, error
        point, one = points[name.removeprefix("calls-")], being_made[name]
        assert point.id_ is not None, f"{name} can't be made again: {error}"
        assert point.says in error
        kind = one["type"]
        assert kind in TYPES or kind.startswith("azure-native:"), f"{kind} isn't on the page"
        words = {
            "TYPE": kind,
            "NAME": name,
            "ID": point.id_(one["inputs"], error, house),
            "PARENT": one["parent"],
            "PROVIDER": one["provider"].rpartition("::")[0],
        }
        taken = house.engine.run(*told(IMPORT, stack, **words))
        assert taken.code == 0, taken.text
        imported.append(name)
        done = stack.try_up()
    return imported


def assert_whole(house: House[Any], stack: Stack[Any]) -> None:
    """The stack is as one that was never interrupted, it works, and it leaves nothing when it goes."""
    cleared = house.engine.run(*told(CLEAR, stack))
    assert cleared.code == 0, cleared.text
    assert not pending(house, stack)
    again = stack.run("up", *UNCHANGED)
    assert again.code == 0, again.text
    assert "pending operations" not in again.text
    doubled = [urn for urn, times in Counter(one["urn"] for one in stack.resources()).items() if times > 1]
    assert not doubled
    calls = stack.destination("calls")
    calls.assert_lives()
    assert stack.run("destroy").code == 0
    calls.assert_gone()
    assert not left_behind(house, stack.name)


def left_behind(house: House[Any], stack: str) -> list[str]:
    """What a cloud has of a stack."""
    if isinstance(house, AwsHouse):
        return [name for name in house.account.buckets() | house.account.roles() if stack in name]
    if isinstance(house, GoogleHouse):
        accounts = house.project.owner.get(f"{IAM}/serviceAccounts").get("accounts", [])
        return [one["email"] for one in accounts if stack in one["email"]]
    assert isinstance(house, AzureHouse)
    applications = house.graph.get(f"{GRAPH}/applications")["value"]
    named = [one["displayName"] for one in applications] + list(house.subscription.groups)
    return [name for name in named if stack in name]


@pytest.mark.parametrize("point", POINTS, ids=lambda one: f"{one.cloud}-{one.name}")
def test_a_run_that_is_killed_while_something_is_made_is_run_again(
    guarded: dict[str, tuple[House[Any], Gatekeeper]], point: Point
) -> None:
    house, gatekeeper = guarded[point.cloud]
    stack = Stack(house, f"k{POINTS.index(point)}")
    stack.configure(calls={"on_destroy": "delete", **point.settings})
    with gatekeeper.holding(point.request) as reached:
        running = stack.start("up")
        assert reached.wait(120), running.process.poll()
        running.process.kill()
        running.process.wait()
    wait_for_children(house.home)
    locked = stack.try_up()
    assert locked.code != 0
    assert "the stack is currently locked by 1 lock(s)" in locked.text
    own = {one.name: one for one in POINTS if one.cloud == point.cloud}
    imported = go_on(house, stack, own)
    assert (f"calls-{point.name}" in imported) is bool(point.says)
    assert_whole(house, stack)


def test_ctrl_c_lets_it_finish_what_it_is_doing(guarded: dict[str, tuple[House[Any], Gatekeeper]]) -> None:
    house, gatekeeper = guarded["aws"]
    stack = Stack(house, "ctrl-c")
    stack.configure(calls={"on_destroy": "delete"})
    with gatekeeper.holding(r"^PUT [^?]+/ ") as reached:
        running = stack.start("up")
        assert reached.wait(120)
        running.process.send_signal(signal.SIGINT)
    done = running.wait()
    assert done.code != 0
    assert "calls-bucket" in {one["urn"].rpartition("::")[2] for one in stack.resources()}
    assert not pending(house, stack)
    stack.up()
    assert_whole(house, stack)
