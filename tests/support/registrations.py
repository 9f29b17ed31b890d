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
from typing import Any, cast

from typing_extensions import override

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "recording-storage"
ACCOUNT = "111122223333"
EXISTING_REGION = "eu-west-1"
"""Where every bucket is that exists already."""
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


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
_CONTEXT.set_forkserver_preload(["pulumi", "pulumi_aws.s3", "pulumi_aws.iam", "components.settings"])


def run(
    config: dict[str, Any], *, stack: str = "acme", preview: bool = False, program: str | None = None
) -> Run:
    """Run the program (or the text `program` in its place) with the project's configuration."""
    receive, send = _CONTEXT.Pipe(duplex=False)
    child = _CONTEXT.Process(target=_child, args=(send, config, stack, preview, program))
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
            if not args.custom or preview:
                return "", inputs
            name = inputs.get("bucket") or inputs.get("name") or args.name
            arns = {
                "s3/bucket": f"arn:aws:s3:::{name}",
                "iam/role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
                "kms/key": KEY_ARN,
            }
            kind = args.typ.split(":")[1]
            computed = {"arn": arns[kind]} if kind in arns else {}
            if kind == "s3/bucket":
                computed["bucketRegion"] = inputs["region"]
            return str(name), inputs | computed

        @override
        def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
            if args.token == "aws:s3/getBucket:getBucket":
                bucket = str(cast("dict[str, Any]", args.args)["bucket"])
                return {
                    "bucket": bucket,
                    "arn": f"arn:aws:s3:::{bucket}",
                    "bucketRegion": EXISTING_REGION,
                }, []
            return {"accountId": ACCOUNT, "id": ACCOUNT, "arn": "", "userId": ""}, []

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
