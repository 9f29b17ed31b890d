"""Run the project's own program against a monitor that only takes notes: nothing is made anywhere.

Each run has a process of its own, because a Pulumi program can run only once in one.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "recording-storage"
ACCOUNT = "111122223333"
EXISTING_REGION = "eu-west-1"
"""Where every bucket is that exists already."""
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


PROJECT_NUMBER = "123456789012"
POOLS = f"projects/{PROJECT_NUMBER}/locations/global/workloadIdentityPools"

TENANT = "11111111-1111-4111-8111-111111111111"
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
CLIENT_ID = "33333333-3333-4333-8333-333333333333"
PRINCIPAL_ID = "44444444-4444-4444-8444-444444444444"
APPLICATION_ID = "55555555-5555-4555-8555-555555555555"
BARE_CLIENT_ID = "66666666-6666-4666-8666-666666666666"
"""Of an application that has no service principal."""
UNKNOWN_CLIENT_ID = "77777777-7777-4777-8777-777777777777"
"""Of no application."""

Properties = dict[str, Any]

# a resource's type -> what the cloud adds to its inputs (and its name)
COMPUTED: Mapping[str, Callable[[Properties, str], Properties]] = {
    "aws:s3/bucket:Bucket": lambda inputs, name: {
        "arn": f"arn:aws:s3:::{name}",
        "bucketRegion": inputs["region"],
    },
    "aws:iam/role:Role": lambda _, name: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"},
    "aws:kms/key:Key": lambda _, __: {"arn": KEY_ARN},
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": lambda inputs, _: {
        "name": f"{POOLS}/{inputs['workloadIdentityPoolId']}",
    },
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": lambda inputs, _: {
        "name": f"{POOLS}/{inputs['workloadIdentityPoolId']}/providers/{inputs['workloadIdentityPoolProviderId']}",
    },
    "gcp:serviceaccount/account:Account": lambda inputs, _: _service_account(
        f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"
    ),
    "azure-native:resources:ResourceGroup": lambda inputs, _: {"name": inputs["resourceGroupName"]},
    "azure-native:storage:StorageAccount": lambda inputs, _: {
        "name": inputs["accountName"],
        # A list as an input, a map as an output.
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {}} if "identity" in inputs else None,
    },
    "azure-native:storage:BlobContainer": lambda inputs, _: {"name": inputs["containerName"]},
    "azure-native:managedidentity:UserAssignedIdentity": lambda inputs, _: {
        "name": inputs["resourceName"],
        "clientId": CLIENT_ID,
        "principalId": PRINCIPAL_ID,
    },
    "azuread:index/application:Application": lambda _, __: {
        "clientId": CLIENT_ID,
        "objectId": APPLICATION_ID,
    },
    "azuread:index/servicePrincipal:ServicePrincipal": lambda _, __: {"objectId": PRINCIPAL_ID},
}


def _nothing(inputs: Properties, name: str) -> Properties:
    return {}


# a resource's type -> its id, where that is more than its name
IDS: Mapping[str, Callable[[Properties], str]] = {
    "azure-native:storage:BlobContainer": lambda inputs: container_id(
        inputs["resourceGroupName"], inputs["accountName"], inputs["containerName"]
    ),
    "azure-native:managedidentity:UserAssignedIdentity": lambda inputs: (
        f"/identities/{inputs['resourceName']}"
    ),
    "azuread:index/application:Application": lambda _: f"/applications/{APPLICATION_ID}",
}


def container_id(group: str, account: str, container: str) -> str:
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{account}"
        f"/blobServices/default/containers/{container}"
    )


def _service_account(email: str) -> Properties:
    project = email.partition("@")[2].partition(".")[0]
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/{project}/serviceAccounts/{email}",
    }


def _application(client_id: str) -> Properties:
    if client_id == UNKNOWN_CLIENT_ID:
        raise LookupError(f"no applications found matching filter: \"appId eq '{client_id}'\"")
    return {"id": f"/applications/{APPLICATION_ID}", "objectId": APPLICATION_ID}


# a function -> what it finds
FOUND: Mapping[str, Callable[[Properties], Properties]] = {
    "aws:s3/getBucket:getBucket": lambda args: {
        "bucket": args["bucket"],
        "arn": f"arn:aws:s3:::{args['bucket']}",
        "bucketRegion": EXISTING_REGION,
    },
    "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {
        "accountId": ACCOUNT,
        "id": ACCOUNT,
        "arn": "",
        "userId": "",
    },
    "gcp:storage/getBucket:getBucket": lambda args: {"name": args["name"], "location": EXISTING_LOCATION},
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": lambda _: {"member": STORAGE_AGENT},
    "azure-native:storage:getBlobContainer": lambda args: {
        "name": args["containerName"],
        "id": container_id(args["resourceGroupName"], args["accountName"], args["containerName"]),
    },
    "azuread:index/getApplication:getApplication": lambda args: _application(args["clientId"]),
    "azuread:index/getServicePrincipal:getServicePrincipal": lambda _: {"objectId": PRINCIPAL_ID},
    "azuread:index/getServicePrincipals:getServicePrincipals": lambda args: {
        "objectIds": [] if args["clientIds"] == [BARE_CLIENT_ID] else [PRINCIPAL_ID],
    },
    "gcp:iam/getWorkloadIdentityPool:getWorkloadIdentityPool": lambda args: {
        "name": f"{POOLS}/{args['workloadIdentityPoolId']}",
    },
}
STORAGE_AGENT = f"serviceAccount:service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
EXISTING_LOCATION = "EUROPE-WEST1"


RESHAPED: Mapping[str, frozenset[str]] = {"azure-native:storage:StorageAccount": frozenset({"identity"})}
"""What is another shape as an output than as an input: not known before it is made."""


@dataclass(frozen=True)
class Registration:
    type: str
    name: str
    parent: str
    protect: bool
    retain_on_delete: bool
    inputs: dict[str, Any]
    depends_on: tuple[str, ...]
    provider: str
    import_id: str
    aliases: tuple[tuple[str, str], ...] = ()
    """The names, each with its parent's, under which it was registered before."""
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """An input, and the names of the resources from whose outputs it is made."""


@dataclass
class Run:
    registrations: list[Registration] = field(default_factory=list[Registration])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    log: list[str] = field(default_factory=list[str])
    modules: list[str] = field(default_factory=list[str])
    error: str = ""

    def __getitem__(self, name: str) -> Registration:
        (found,) = [one for one in self.registrations if one.name == name]
        return found


_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.warm"])
_FRESH = multiprocessing.get_context("spawn")


def run(
    config: dict[str, Any],
    *,
    stack: str = "acme",
    preview: bool = False,
    program: str | None = None,
    fresh: bool = False,
) -> Run:
    """Run the program (or the text `program` in its place) with the project's configuration.

    `fresh`: in a process that has imported nothing beforehand.
    """
    context = _FRESH if fresh else _CONTEXT
    receive, send = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(send, config, stack, preview, program))
    child.start()
    send.close()
    try:
        return receive.recv()
    finally:
        child.join()


def _child(send: Any, config: dict[str, Any], stack: str, preview: bool, program: str | None) -> None:
    found = Run()
    try:
        _run(found, config, stack, preview, program)
    except BaseException as error:
        found.error = f"{type(error).__name__}: {error}"
    found.modules = sorted(sys.modules)
    send.send(found)
    send.close()
    os._exit(0)


def _aliases(request: Any) -> Iterator[tuple[str, str]]:
    for alias in request.aliases:
        spec = alias.spec
        yield spec.name or request.name, (spec.parentUrn or request.parent).rpartition("::")[2]


def _run(found: Run, config: dict[str, Any], stack: str, preview: bool, program: str | None) -> None:
    import logging

    import pulumi
    from pulumi.runtime import mocks, rpc, settings
    from pulumi.runtime.stack import run_pulumi_func
    from pulumi.runtime.sync_await import _sync_await

    class Notes(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            found.log.append(record.getMessage())

    class Cloud(mocks.Mocks):
        @override
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            inputs = cast("dict[str, Any]", args.inputs)
            if not args.custom:
                return "", inputs
            if preview:
                return "", {k: v for k, v in inputs.items() if k not in RESHAPED.get(args.typ, ())}
            name = str(inputs.get("bucket") or inputs.get("name") or args.name)
            name = IDS[args.typ](inputs) if args.typ in IDS else name
            return name, inputs | COMPUTED.get(args.typ, _nothing)(inputs, name)

        @override
        def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
            return FOUND[args.token](cast("dict[str, Any]", args.args)), []

    class Monitor(mocks.MockMonitor):
        @override
        def RegisterResource(self, request: Any) -> Any:
            if request.type != "pulumi:pulumi:Stack":
                inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
                found.registrations.append(
                    Registration(
                        type=request.type,
                        name=request.name,
                        parent=request.parent.rpartition("::")[2],
                        protect=request.protect,
                        retain_on_delete=request.retainOnDelete,
                        inputs=json.loads(json.dumps(inputs, default=lambda _: "<unknown>")),
                        depends_on=tuple(sorted(urn.rpartition("::")[2] for urn in request.dependencies)),
                        provider=request.provider.rpartition("::")[0].rpartition("::")[2],
                        import_id=request.importId,
                        aliases=tuple(_aliases(request)),
                        reads={
                            path: tuple(urn.rpartition("::")[2] for urn in made.urns)
                            for path, made in request.propertyDependencies.items()
                        },
                    )
                )
            return super().RegisterResource(request)

    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    logger = logging.getLogger("program")
    logger.addHandler(Notes())
    logger.setLevel(logging.INFO)
    full = {
        f"{PROJECT}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }
    os.environ["PULUMI_CONFIG"] = json.dumps(full)
    mocks.set_mocks(
        cloud := Cloud(),
        project=PROJECT,
        stack=stack,
        preview=preview,
        logger=logger,
        monitor=Monitor(cloud),
        organization="organization",
    )

    def body() -> None:
        if program is None:
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
        else:
            exec(compile(program, "program", "exec"), {})  # noqa: S102 (the test's own text)

    async def whole() -> None:
        await run_pulumi_func(body)
        root: Any = settings.get_root_resource()
        outputs = await pulumi.Output.from_input(root.outputs).future(with_unknowns=True)
        found.outputs = json.loads(json.dumps(outputs, default=lambda _: "<unknown>"))

    _sync_await(whole())
